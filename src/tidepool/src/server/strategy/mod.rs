//! What differs between kinds and is no schema: a table of data and small functions, registered with the server when it is assembled.
//!
//! The machinery looks a collection up here and never asks for its name; a kind without an entry behaves as a custom resource does.

mod builtin;
mod columns;
mod definitions;
mod pods;
mod reviews;
mod services;
mod structural;
mod webhooks;
mod workloads;

pub(crate) use definitions::CLEANUP;
pub use reviews::Answering;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::names::NameRule;
use super::refusal::Cause;
use crate::resource::StorageName;
use crate::store::Stored;

/// What a preparing function may look at beside the object.
#[derive(Clone, Copy, Debug)]
pub struct Preparing<'a> {
    /// The object before; none when it is being created.
    pub old: Option<&'a Value>,
    /// The subresource through which it is written; empty for the object itself.
    pub subresource: &'a str,
    /// The time, as Kubernetes writes it.
    pub now: &'a str,
}

/// Fills or corrects a new value before it is validated.
pub type Prepare = fn(&Preparing<'_>, &mut Value);
/// Says what is wrong with a new value.
pub type Check = fn(&Preparing<'_>, &Value) -> Vec<Cause>;
/// Gives a new value what its kind hands out once each (addresses, ports), given the other objects of the collection, and says what it cannot have.
pub type Allocate = fn(&Preparing<'_>, &[Arc<Stored>], &mut Value) -> Vec<Cause>;
/// The seconds of grace of an object: its own, given what was asked for.
pub type Grace = fn(&Value, Option<i64>) -> i64;

/// How one kind differs.
#[derive(Clone, Debug)]
pub struct Strategy {
    /// How its objects may be called.
    pub names: NameRule,
    /// Whether it counts generations of its specification.
    pub generation: bool,
    /// Whether a PUT may create.
    pub create_on_update: bool,
    /// Whether a PUT may leave the resourceVersion out.
    pub unconditional_update: bool,
    /// Whether a write of its status may also change metadata.
    pub status_metadata: bool,
    /// Fields that selectors may name beside `metadata.name` and `metadata.namespace`.
    pub fields: &'static [&'static str],
    /// Grace of deletion; kinds without one are removed at once.
    pub grace: Option<Grace>,
    /// A finalizer that deletion adds by itself, because something must be cleaned up first.
    pub cleanup: Option<&'static str>,
    /// Objects that may not be deleted.
    pub kept: &'static [&'static str],
    /// Whether `spec.finalizers` hold the object too, as a namespace's do.
    pub spec_finalizers: bool,
    /// What is done to a new value first.
    pub prepare: &'static [Prepare],
    /// What a new value is given that no other object may have.
    pub allocate: Option<Allocate>,
    /// What is checked of a new value.
    pub check: &'static [Check],
    /// The answer to a create that stores nothing, where the kind is a question.
    pub answering: Option<Answering>,
}

/// A kind that comes from a CustomResourceDefinition.
pub const CUSTOM: Strategy = Strategy {
    names: NameRule::Subdomain,
    generation: true,
    create_on_update: false,
    unconditional_update: false,
    status_metadata: false,
    fields: &[],
    grace: None,
    cleanup: None,
    kept: &[],
    spec_finalizers: false,
    prepare: &[],
    allocate: None,
    check: &[],
    answering: None,
};

/// A built-in kind without anything special.
pub const PLAIN: Strategy = Strategy {
    generation: false,
    unconditional_update: true,
    status_metadata: true,
    ..CUSTOM
};

/// The strategies of one server.
#[derive(Clone, Debug)]
pub struct Strategies(BTreeMap<StorageName, Strategy>);

impl Strategies {
    /// Those of the built-in kinds.
    pub fn builtin() -> Self {
        Self(builtin::table())
    }

    /// The strategy of a collection.
    pub fn of(&self, storage: &StorageName, custom: bool) -> &Strategy {
        match self.0.get(storage) {
            Some(strategy) => strategy,
            None if custom => &CUSTOM,
            None => &PLAIN,
        }
    }
}
