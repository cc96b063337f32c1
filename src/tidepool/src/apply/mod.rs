//! Field ownership: who wrote which field of an object, and server-side apply, which lets several writers share one object.
//!
//! The semantics are those of structured-merge-diff: [`update`] records what a write changed, [`apply`] lays a configuration over the live
//! object, takes out what its writer no longer applies, and refuses what somebody else owns. Pure: values in, values out. Used by the API
//! server; asks a [`Schema`] how values merge, never a kind.

mod compare;
mod form;
mod last_applied;
mod merge;
mod owners;
mod prune;
pub(crate) mod record;
mod set;
#[cfg(test)]
mod tests;
mod typed;

use serde_json::Value;

use crate::schema::Schema;
use compare::compare;
use form::Place;
use owners::{FieldsType, Operation, Owner, Owners};
pub(crate) use set::FieldSet;

/// The owner of what was there before anybody applied, where nobody was recorded.
const BEFORE: &str = "before-first-apply";

/// Fields that the server keeps, which nobody owns.
const KEPT: [&[&str]; 12] = [
    &["apiVersion"],
    &["kind"],
    &["metadata"],
    &["metadata", "name"],
    &["metadata", "namespace"],
    &["metadata", "creationTimestamp"],
    &["metadata", "selfLink"],
    &["metadata", "uid"],
    &["metadata", "clusterName"],
    &["metadata", "generation"],
    &["metadata", "managedFields"],
    &["metadata", "resourceVersion"],
];

/// Who writes, and through what.
#[derive(Clone, Debug)]
pub struct Writer<'a> {
    /// The field manager.
    pub name: &'a str,
    /// The version that it writes in, as `apps/v1`.
    pub api_version: &'a str,
    /// The subresource that it writes through; empty for the object itself.
    pub subresource: &'a str,
    /// The time, as Kubernetes writes it.
    pub now: &'a str,
    /// Fields that a write this way cannot change, with everything below them: `status` for the object itself.
    pub beyond: &'a [&'a [&'a str]],
}

impl Writer<'_> {
    fn owner(&self, operation: Operation, fields: FieldSet) -> Owner {
        Owner {
            name: self.name.to_owned(),
            fields_type: FieldsType::FieldsV1,
            operation,
            api_version: self.api_version.to_owned(),
            subresource: self.subresource.to_owned(),
            // Kubernetes gives what is scaled no time.
            time: (self.subresource != "scale").then(|| self.now.to_owned()),
            fields,
        }
    }

    fn beyond(&self) -> FieldSet {
        FieldSet::of_fields(self.beyond)
    }
}

/// A configuration cannot be applied.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApplyError {
    /// Somebody else owns fields that it would change.
    #[error("{}", conflict_words(.0))]
    Conflict(Vec<Conflict>),
    /// It is not of the object's type; the words are Kubernetes' own.
    #[error("{0}")]
    Type(String),
    /// The live object's `managedFields` cannot be read.
    #[error("failed to decode managed fields: {0}")]
    Owners(String),
}

/// One field that somebody else owns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// Who, as `"kubectl-edit" using apps/v1`.
    pub owner: String,
    /// The field's path, as `.spec.replicas`.
    pub field: String,
}

fn conflict_words(conflicts: &[Conflict]) -> String {
    if let [only] = conflicts {
        return format!(
            "Apply failed with 1 conflict: conflict with {}: {}",
            only.owner, only.field
        );
    }
    let mut lines = Vec::new();
    let mut last = "";
    for conflict in conflicts {
        if conflict.owner != last {
            lines.push(format!("conflicts with {}:", conflict.owner));
            last = &conflict.owner;
        }
        lines.push(format!("- {}", conflict.field));
    }
    format!("Apply failed with {} conflicts: {}", conflicts.len(), lines.join("\n"))
}

/// Records in `new` which fields this write changed, and takes them from their owners. `live` is none when the object is being created.
/// `new` may carry other `managedFields` than `live`, where its writer means to change those. Records are packed, as [`record`] says.
pub fn update(schema: &Schema, writer: &Writer<'_>, live: Option<&Value>, new: &mut Value) {
    let empty = live.is_none().then(|| schema.zero());
    let before = live.or(empty.as_ref()).unwrap_or(&Value::Null);
    let held = record::of(before);
    let sent = record::take(new);
    let by_hand = if !writer.subresource.is_empty() || sent == *held {
        None
    } else if record::is_reset(&sent) {
        Some(Owners::default())
    } else {
        // Who leaves the record out, or writes nonsense into it, means no change of it.
        Owners::read(&sent).ok().filter(|owners| !owners.is_empty())
    };
    let starts_empty = by_hand
        .as_ref()
        .map_or_else(|| record::is_empty(held), Owners::is_empty);
    if live.is_some() && starts_empty {
        // Nothing is recorded of objects whose first writers were not.
        return;
    }
    let found = compare(Place::Known(schema.cursor()), before, new).without(&writer.beyond());
    let kept = FieldSet::of_fields(&KEPT);
    let written = found.written.clone().difference(&kept);
    if by_hand.is_none() && written.is_empty() && found.removed.clone().difference(&kept).is_empty() {
        record::put(held.clone(), new);
        return;
    }
    let mut owners = by_hand.unwrap_or_else(|| Owners::read(held).unwrap_or_default());
    owners.lose(&found.written);
    owners.lose(&found.removed);
    owners.gain(writer.owner(Operation::Update, written));
    owners.cap();
    owners.write(new);
}

/// What becomes of the live object when `config` is applied to it; `live` is none when there is none yet. `force` takes fields from their
/// owners where they would otherwise be a conflict.
///
/// # Errors
/// When somebody else owns what would change, when the configuration is not of the type, or when the live record cannot be read.
pub fn apply(
    schema: &Schema,
    writer: &Writer<'_>,
    live: Option<&Value>,
    config: &Value,
    force: bool,
) -> Result<Value, ApplyError> {
    let place = Place::Known(schema.cursor());
    typed::check(place, config).map_err(|errors| ApplyError::Type(typed::words(config, &errors)))?;
    let mut live = live.cloned().unwrap_or_else(|| schema.zero());
    let mut owners = Owners::read(&record::take(&mut live)).map_err(ApplyError::Owners)?;
    let beyond = writer.beyond();
    if owners.is_empty() {
        let before = compare(place, &schema.zero(), &live).without(&beyond);
        let first = Writer {
            name: BEFORE,
            ..writer.clone()
        };
        owners.gain(first.owner(
            Operation::Update,
            before.written.difference(&FieldSet::of_fields(&KEPT)),
        ));
    }
    let mut own = writer.owner(Operation::Apply, form::fields_of(place, config).without(&beyond));
    let last = owners.find(&own).map(|index| owners.0.remove(index));
    let merged = merge::merge(place, &live, config);
    let mut new = match &last {
        Some(last) => {
            let claimed = owners
                .0
                .iter()
                .fold(own.fields.clone(), |all, owner| all.union(&owner.fields));
            prune::prune(place, &merged, &last.fields, &claimed)
        }
        None => merged,
    };
    let found = compare(place, &live, &new).without(&beyond);
    if !force {
        let allowed = last_applied::agreed(place, writer, &live);
        let conflicts = conflicts(&owners, &found.written, &allowed);
        if !conflicts.is_empty() {
            return Err(ApplyError::Conflict(conflicts));
        }
    }
    owners.lose(&found.written);
    owners.lose(&found.removed);
    if new == live {
        // What changes nothing is no news.
        own.time = last.and_then(|last| last.time);
    }
    own.fields = own.fields.difference(&FieldSet::of_fields(&KEPT));
    if !own.fields.is_empty() {
        owners.0.push(own);
    }
    last_applied::renew(writer, &mut new, config);
    owners.write(&mut new);
    Ok(new)
}

/// What others own of the fields that were written, except where it is allowed because an annotation already says that it is the writer's.
fn conflicts(owners: &Owners, written: &FieldSet, allowed: &FieldSet) -> Vec<Conflict> {
    let mut conflicts: Vec<Conflict> = owners
        .0
        .iter()
        .flat_map(|owner| {
            let fields = owner.fields.intersection(written).difference(allowed).paths();
            fields.into_iter().map(|field| Conflict {
                owner: owner.words(),
                field,
            })
        })
        .collect();
    conflicts.sort_by(|one, other| one.owner.cmp(&other.owner));
    conflicts
}
