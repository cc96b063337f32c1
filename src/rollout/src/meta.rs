//! Short questions to an object's metadata, the same for every kind: names, versions, labels, owners. Absent fields read as empty, so that no
//! rule has to unwrap one. Used by every view and rule in this crate.

use jiff::Timestamp;
use kube::core::DynamicObject;

use crate::{Guard, Kind, Target};

/// Questions to metadata.
pub(crate) trait Meta {
    fn name(&self) -> &str;
    fn namespace(&self) -> &str;
    fn uid(&self) -> &str;
    fn generation(&self) -> i64;
    fn created(&self) -> Timestamp;
    fn deleting(&self) -> bool;
    fn label(&self, key: &str) -> Option<&str>;
    fn annotation(&self, key: &str) -> Option<&str>;
    fn finalizer_index(&self, finalizer: &str) -> Option<usize>;
    /// Whether the controller owner has this uid.
    fn controlled_by(&self, uid: &str) -> bool;
    /// What a write decided on this object must carry.
    fn guard(&self) -> Guard;
    fn target(&self, kind: Kind) -> Target;
}

impl Meta for DynamicObject {
    fn name(&self) -> &str {
        self.metadata.name.as_deref().unwrap_or_default()
    }

    fn namespace(&self) -> &str {
        self.metadata.namespace.as_deref().unwrap_or_default()
    }

    fn uid(&self) -> &str {
        self.metadata.uid.as_deref().unwrap_or_default()
    }

    fn generation(&self) -> i64 {
        self.metadata.generation.unwrap_or_default()
    }

    fn created(&self) -> Timestamp {
        let created = self.metadata.creation_timestamp.as_ref();
        created.map_or(Timestamp::MAX, |time| time.0)
    }

    fn deleting(&self) -> bool {
        self.metadata.deletion_timestamp.is_some()
    }

    fn label(&self, key: &str) -> Option<&str> {
        self.metadata.labels.as_ref()?.get(key).map(String::as_str)
    }

    fn annotation(&self, key: &str) -> Option<&str> {
        self.metadata.annotations.as_ref()?.get(key).map(String::as_str)
    }

    fn finalizer_index(&self, finalizer: &str) -> Option<usize> {
        let finalizers = self.metadata.finalizers.as_ref()?;
        finalizers.iter().position(|held| held == finalizer)
    }

    fn controlled_by(&self, uid: &str) -> bool {
        let owners = self.metadata.owner_references.iter().flatten();
        owners
            .into_iter()
            .any(|owner| owner.controller == Some(true) && owner.uid == uid)
    }

    fn guard(&self) -> Guard {
        Guard {
            uid: self.uid().into(),
            resource_version: self.metadata.resource_version.clone().unwrap_or_default(),
        }
    }

    fn target(&self, kind: Kind) -> Target {
        Target {
            kind,
            namespace: self.namespace().into(),
            name: self.name().into(),
        }
    }
}
