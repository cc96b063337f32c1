//! Volumes, claims on them, and their classes.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::cells::access_modes;
use super::{AGE, Cell, Column, NAME};
use crate::object;

const UNSET: &str = "<unset>";

pub(super) const VOLUMES: &[Column] = &[
    NAME,
    Column::text("Capacity", "spec.capacity.storage", ""),
    Column::made("Access Modes", |volume, _| {
        json!(access_modes(object::items(volume, &["spec", "accessModes"])))
    }),
    Column::text("Reclaim Policy", "spec.persistentVolumeReclaimPolicy", ""),
    Column::made("Status", |volume, _| phase(volume)),
    Column::made("Claim", |volume, _| {
        let claim = &volume["spec"]["claimRef"];
        json!(if claim.is_object() {
            format!(
                "{}/{}",
                object::text(claim, &["namespace"]),
                object::text(claim, &["name"])
            )
        } else {
            String::new()
        })
    }),
    Column::text("StorageClass", "spec.storageClassName", ""),
    Column::text("VolumeAttributesClass", "spec.volumeAttributesClassName", UNSET),
    Column::text("Reason", "status.reason", ""),
    AGE,
    Column::text("VolumeMode", "spec.volumeMode", UNSET).wide(),
];

pub(super) const CLAIMS: &[Column] = &[
    NAME,
    Column::made("Status", |claim, _| phase(claim)),
    Column::text("Volume", "spec.volumeName", ""),
    Column::made("Capacity", |claim, _| {
        json!(bound(claim).map_or("", |status| object::text(status, &["capacity", "storage"])))
    }),
    Column::made("Access Modes", |claim, _| {
        json!(
            bound(claim).map_or_else(String::new, |status| access_modes(object::items(
                status,
                &["accessModes"]
            )))
        )
    }),
    Column::text("StorageClass", "spec.storageClassName", ""),
    Column::text("VolumeAttributesClass", "spec.volumeAttributesClassName", UNSET),
    AGE,
    Column::text("VolumeMode", "spec.volumeMode", UNSET).wide(),
];

pub(super) const STORAGE_CLASSES: &[Column] = &[
    Column::formatted("Name", "string", "name", Cell::Made(class_name)),
    Column::text("Provisioner", "provisioner", ""),
    Column::text("ReclaimPolicy", "reclaimPolicy", "Delete"),
    Column::text("VolumeBindingMode", "volumeBindingMode", "Immediate"),
    Column::of("AllowVolumeExpansion", "boolean", Cell::Flag("allowVolumeExpansion")),
    AGE,
];

fn class_name(class: &Value, _: Timestamp) -> Value {
    let default = object::annotation(class, "storageclass.kubernetes.io/is-default-class") == Some("true");
    json!(format!(
        "{}{}",
        object::name(class),
        if default { " (default)" } else { "" }
    ))
}

fn phase(object: &Value) -> Value {
    if object::is_deleting(object) {
        return json!("Terminating");
    }
    json!(object::text(object, &["status", "phase"]))
}

/// The status of a claim that has a volume.
fn bound(claim: &Value) -> Option<&Value> {
    let volume = object::text(claim, &["spec", "volumeName"]);
    (!volume.is_empty()).then(|| &claim["status"])
}
