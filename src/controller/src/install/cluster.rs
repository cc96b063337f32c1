//! Installing into a cluster: the namespace, the definitions and configurations by server-side apply, or only the address and the authority of
//! the webhooks into what is there.
//!
//! Used by the binary at its start. Every failure is one line: what was being done, what the API server said, what to do.

use api::names::FIELD_MANAGER;
use k8s_openapi::api::core::v1::Namespace;
use kube::api::{Api, DynamicObject, ObjectMeta, Patch, PatchParams, PostParams};
use kube::core::{ApiResource, GroupVersionKind};
use serde_json::{Value, json};
use tracing::{info, warn};

use super::{Endpoint, objects};
use crate::explain::explain;
use crate::serve::CertificateError;

/// Why the installation is not as it should be.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// A request failed.
    #[error("{doing}: {said}{advice}")]
    Request {
        /// What was being done, to which object.
        doing: String,
        /// What came of it.
        said: String,
        /// What to do about it, after a semicolon; empty when nothing is known.
        advice: &'static str,
    },
    /// The shared Secret is not what it should be.
    #[error("Secret {namespace}/{name} has no {key}; delete it to have it made anew")]
    Secret {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: &'static str,
        /// What it lacks.
        key: &'static str,
    },
    /// The shared Secret comes and goes.
    #[error("{doing}: it appears and disappears; is something deleting it?")]
    Unsteady {
        /// What was being done.
        doing: String,
    },
    /// There is no certificate.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
}

pub(super) fn failed(doing: String, error: &kube::Error) -> InstallError {
    let advice = match error {
        kube::Error::Api(status) if status.code == 403 => {
            "; give this user the rights that `tidegate manifests` lists, or install as somebody who may"
        }
        kube::Error::Api(status) if status.code == 404 && status.message.contains("namespaces") => {
            "; create the namespace, or run once with --install"
        }
        _ => "",
    };
    InstallError::Request {
        doing,
        said: explain(error),
        advice,
    }
}

/// Makes the namespace that the controller lives in, unless it is there.
///
/// # Errors
/// When the API server refuses or is not reached.
pub async fn namespace(client: &kube::Client, name: &str) -> Result<(), InstallError> {
    let namespaces: Api<Namespace> = Api::all(client.clone());
    let wanted = Namespace {
        metadata: ObjectMeta {
            name: Some(name.to_owned()),
            ..ObjectMeta::default()
        },
        ..Namespace::default()
    };
    let made = match namespaces.get_opt(name).await {
        Ok(None) => namespaces.create(&PostParams::default(), &wanted).await.map(|_| ()),
        found => found.map(|_| ()),
    };
    match made {
        // Another replica was faster.
        Err(kube::Error::Api(status)) if status.code == 409 => Ok(()),
        made => made.map_err(|error| failed(format!("install Namespace {name}"), &error)),
    }
}

struct Place {
    api: Api<DynamicObject>,
    kind: String,
    name: String,
}

fn place(client: &kube::Client, object: &Value) -> Place {
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let (group, version) = text("/apiVersion").split_once('/').unwrap_or(("", text("/apiVersion")));
    let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, text("/kind")));
    Place {
        api: Api::all_with(client.clone(), &resource),
        kind: text("/kind").to_owned(),
        name: text("/metadata/name").to_owned(),
    }
}

/// Applies the definitions and configurations. What another manager once pointed elsewhere is pointed here first, since applying leaves a
/// stranger's fields alone, and an address beside an address is invalid.
///
/// # Errors
/// When the API server refuses or is not reached.
pub async fn apply(client: &kube::Client, endpoint: &Endpoint, authority: &[u8]) -> Result<(), InstallError> {
    for object in objects(endpoint, authority) {
        point_one(client, &object).await?;
        let Place { api, kind, name } = place(client, &object);
        let params = PatchParams::apply(FIELD_MANAGER).force();
        api.patch(&name, &params, &Patch::Apply(&object))
            .await
            .map_err(|error| failed(format!("install {kind} {name}"), &error))?;
        info!(kind, name, "applied");
    }
    Ok(())
}

/// Writes where the webhooks are and whom to trust into the objects that are there; says so when they are not.
///
/// # Errors
/// When the API server refuses or is not reached.
pub async fn point(client: &kube::Client, endpoint: &Endpoint, authority: &[u8]) -> Result<(), InstallError> {
    for object in objects(endpoint, authority) {
        if point_one(client, &object).await? == Pointed::NotThere {
            let Place { kind, name, .. } = place(client, &object);
            warn!(kind, name, "not installed; run once with --install");
        }
    }
    Ok(())
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pointed {
    Here,
    NotThere,
}

async fn point_one(client: &kube::Client, object: &Value) -> Result<Pointed, InstallError> {
    let Place { api, kind, name } = place(client, object);
    let patch = if kind == "CustomResourceDefinition" {
        let mut conversion = object["spec"]["conversion"].clone();
        if let Some(config) = conversion.pointer_mut("/webhook/clientConfig") {
            *config = exactly(config);
        }
        Patch::Merge(json!({ "spec": { "conversion": conversion } }))
    } else {
        let webhooks: Vec<Value> = object["webhooks"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|webhook| json!({ "name": webhook["name"], "clientConfig": exactly(&webhook["clientConfig"]) }))
            .collect();
        Patch::Strategic(json!({ "webhooks": webhooks }))
    };
    let params = PatchParams {
        field_manager: Some(FIELD_MANAGER.to_owned()),
        ..PatchParams::default()
    };
    match api.patch(&name, &params, &patch).await {
        Ok(_) => Ok(Pointed::Here),
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(Pointed::NotThere),
        Err(error) => Err(failed(format!("point {kind} {name} at the webhooks"), &error)),
    }
}

/// A client configuration as a patch that takes away the address of the other sort.
fn exactly(config: &Value) -> Value {
    let mut whole = json!({ "url": null, "service": null });
    if let (Some(whole), Some(config)) = (whole.as_object_mut(), config.as_object()) {
        whole.extend(config.clone());
    }
    whole
}
