//! Who owns which fields of an object: `metadata.managedFields` read, changed and written. Pure.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{FieldSet, record};

/// How many writers by update are told apart; the oldest are put together.
const MOST_UPDATERS: usize = 10;
/// The name of those that are put together.
const ANCIENT: &str = "ancient-changes";

/// How somebody wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) enum Operation {
    Apply,
    Update,
}

/// The only way in which sets of fields are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum FieldsType {
    FieldsV1,
}

/// What one writer owns. Its fields stand in the order in which clients sort them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Owner {
    pub(super) api_version: String,
    pub(super) fields_type: FieldsType,
    #[serde(default, rename = "fieldsV1")]
    pub(super) fields: FieldSet,
    #[serde(default, rename = "manager", skip_serializing_if = "String::is_empty")]
    pub(super) name: String,
    pub(super) operation: Operation,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) subresource: String,
    /// As Kubernetes writes it, in whole seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) time: Option<String>,
}

impl Owner {
    /// Whether both are the same writer. One who applies is the same in every version.
    fn is(&self, other: &Self) -> bool {
        self.name == other.name
            && self.operation == other.operation
            && self.subresource == other.subresource
            && (self.operation == Operation::Apply || self.api_version == other.api_version)
    }

    /// As messages name it: `"kubectl-edit" using apps/v1`.
    pub(super) fn words(&self) -> String {
        let mut words = format!("{:?}", self.name);
        if !self.subresource.is_empty() {
            words.push_str(&format!(" with subresource {:?}", self.subresource));
        }
        if self.operation == Operation::Update {
            words.push_str(&format!(" using {}", self.api_version));
        }
        words
    }

    fn order(&self) -> (Operation, &str, &str, &str, &str) {
        let time = self.time.as_deref().unwrap_or_default();
        (self.operation, time, &self.name, &self.api_version, &self.subresource)
    }
}

/// The owners of one object.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Owners(pub(super) Vec<Owner>);

impl Owners {
    /// Reads a packed record; null is an empty one.
    ///
    /// # Errors
    /// What cannot be read in it.
    pub(super) fn read(record: &Value) -> Result<Self, String> {
        let Some(text) = record.as_str() else {
            return Ok(Self::default());
        };
        let entries: Vec<Owner> = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let mut owners = Self::default();
        for owner in entries {
            if owner.api_version.is_empty() {
                return Err("apiVersion must not be empty".to_owned());
            }
            match owners.find(&owner) {
                Some(index) => owners.0[index] = owner,
                None => owners.0.push(owner),
            }
        }
        Ok(owners)
    }

    /// Puts the owners into an object, or takes the field out when there are none.
    pub(super) fn write(mut self, value: &mut Value) {
        self.0.sort_by(|one, other| one.order().cmp(&other.order()));
        // Nothing in an owner can fail to be written.
        let text = serde_json::to_string(&self.0).unwrap_or_default();
        let record = if self.0.is_empty() {
            Value::Null
        } else {
            Value::String(text)
        };
        record::put(record, value);
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The place of the same writer.
    pub(super) fn find(&self, owner: &Owner) -> Option<usize> {
        self.0.iter().position(|other| other.is(owner))
    }

    /// Takes the fields from everybody, and forgets who has none left.
    pub(super) fn lose(&mut self, fields: &FieldSet) {
        for owner in &mut self.0 {
            owner.fields = std::mem::take(&mut owner.fields).difference(fields);
        }
        self.0.retain(|owner| !owner.fields.is_empty());
    }

    /// Adds to what a writer owns.
    pub(super) fn gain(&mut self, owner: Owner) {
        if owner.fields.is_empty() {
            return;
        }
        match self.find(&owner) {
            Some(index) => {
                let own = &mut self.0[index];
                own.fields = std::mem::take(&mut own.fields).union(&owner.fields);
                own.time = owner.time;
            }
            None => self.0.push(owner),
        }
    }

    /// Puts the oldest updaters of one version together until there are few enough.
    pub(super) fn cap(&mut self) {
        let updaters = |owners: &[Owner]| {
            owners
                .iter()
                .filter(|owner| owner.operation == Operation::Update)
                .count()
        };
        if updaters(&self.0) <= MOST_UPDATERS {
            return;
        }
        self.0.sort_by(|one, other| one.order().cmp(&other.order()));
        let mut old: Vec<Owner> = Vec::new();
        let mut kept: Vec<Owner> = Vec::new();
        let mut left = updaters(&self.0);
        for mut owner in std::mem::take(&mut self.0) {
            if owner.operation == Operation::Apply || left <= MOST_UPDATERS {
                kept.push(owner);
                continue;
            }
            match old.iter_mut().find(|first| first.api_version == owner.api_version) {
                Some(first) => {
                    ANCIENT.clone_into(&mut first.name);
                    first.subresource.clear();
                    first.fields = std::mem::take(&mut first.fields).union(&owner.fields);
                    first.time = owner.time.take();
                    left -= 1;
                }
                None => old.push(owner),
            }
        }
        self.0 = old;
        self.0.extend(kept);
    }
}
