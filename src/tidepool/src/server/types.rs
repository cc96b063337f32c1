//! What the API server needs to know of a type, and where it asks.
//!
//! The schema catalogue and CustomResourceDefinitions implement [`Types`]; the machinery asks nothing else about kinds.

use std::sync::Arc;

use crate::resource::Resource;
use crate::schema::{Schema, Subresource};
use crate::table::Columns;

/// One served version of one type.
#[derive(Clone, Debug)]
pub struct TypeInfo {
    /// Group, version, plural, kind, scope.
    pub resource: Resource,
    /// Singular name, lower case.
    pub singular: String,
    /// Abbreviations that kubectl takes.
    pub short_names: Vec<String>,
    /// Groups of types that kubectl takes, as `all`.
    pub categories: Vec<String>,
    /// The version in which objects are stored.
    pub storage_version: String,
    /// Whether there is a `/status`.
    pub status: bool,
    /// Where `/scale` finds its numbers; none when there is no such subresource.
    pub scale: Option<Scale>,
    /// Its other subresources.
    pub subresources: Vec<Subresource>,
    /// The verbs of its collection, as discovery lists them.
    pub verbs: Vec<String>,
    /// Its fields: defaults, list types, rules.
    pub schema: Schema,
    /// What a table of its objects shows.
    pub columns: Columns,
    /// Whether it comes from a CustomResourceDefinition.
    pub custom: bool,
}

/// Paths of the scale subresource, without a leading dot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scale {
    /// `spec.replicas`.
    pub spec: String,
    /// `status.replicas`.
    pub status: String,
    /// The selector's path, when there is one.
    pub selector: Option<String>,
}

/// All types of one cluster.
pub trait Types: Send + Sync + std::fmt::Debug {
    /// The type served at a path.
    fn find(&self, group: &str, version: &str, plural: &str) -> Option<Arc<TypeInfo>>;

    /// All served versions of all types, in the order of discovery.
    fn all(&self) -> Vec<Arc<TypeInfo>>;
}
