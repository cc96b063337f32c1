//! Schemas as data: what fields a type has, how its lists merge, what is filled in and what is refused.
//!
//! The built-in types come from [`Catalog`], custom ones from a definition's OpenAPI schema; both are compiled by [`compile`] to one shape, and
//! everything else in this crate asks a [`Schema`] and never a kind. Pure: values in, values out. Used by the API server and by `patch`.

pub mod catalog;
pub(crate) mod compile;
mod complete;
pub(crate) mod described;
mod format;
pub(crate) mod node;
mod shape;
#[cfg(test)]
mod tests;
mod validate;

use std::sync::Arc;

use serde_json::Value;

pub use catalog::{Builtin, Catalog, Subresource};
pub use compile::CompileError;
pub use validate::FieldError;

use crate::patch::PatchError;
use node::{Arena, Cursor};

/// The version of Kubernetes that the catalogue is taken from, and that a cluster says it is.
pub(crate) const VERSION: &str = "v1.36.3";

/// The schema of one version of one type. A clone is the same schema.
#[derive(Clone, Debug)]
pub struct Schema {
    arena: Arc<Arena>,
    root: usize,
}

impl Schema {
    pub(crate) const fn new(arena: Arc<Arena>, root: usize) -> Self {
        Self { arena, root }
    }

    /// The schema of one version of a custom type, from its `openAPIV3Schema`. Rules in CEL (`x-kubernetes-validations`) are not evaluated.
    ///
    /// # Errors
    /// When a type is unknown, a pattern cannot be compiled, an array has no items, or the schema nests too deeply.
    pub fn custom(open_api: &Value) -> Result<Self, CompileError> {
        compile::custom(open_api, Catalog::builtin().meta())
    }

    /// The schema's root, from which fields and items are reached.
    pub(crate) fn cursor(&self) -> Cursor<'_> {
        Cursor::new(&self.arena, self.root)
    }

    /// Applies a strategic merge patch: lists merge by the keys that the schema names, and `$patch`, `$retainKeys` and the like are obeyed.
    ///
    /// # Errors
    /// When the patch names a directive that does not exist, an item without its merge key, or has a list or map where the other stands.
    pub fn strategic_merge(&self, value: &mut Value, patch: &Value) -> Result<(), PatchError> {
        crate::patch::strategic(self.cursor(), value, patch)
    }

    /// Fills in what the writer left out and has a default.
    pub fn complete(&self, value: &mut Value) {
        complete::complete(self.cursor(), value);
    }

    /// An object of which nothing is said yet: of a built-in type the parts that Go always writes out, of a custom one nothing at all.
    pub(crate) fn zero(&self) -> Value {
        shape::zero(self.cursor())
    }

    /// Everything that is wrong with the value, in the order of its fields.
    pub fn validate(&self, value: &Value) -> Vec<FieldError> {
        validate::validate(self.cursor(), value)
    }

    /// Paths of fields that the schema does not know, as `spec.containers[0].foo`.
    pub fn unknown_fields(&self, value: &Value) -> Vec<String> {
        shape::unknown(self.cursor(), value)
    }

    /// Drops fields that the schema does not know.
    pub fn prune(&self, value: &mut Value) {
        shape::prune(self.cursor(), value);
    }

    /// Why a built-in type cannot be read from the value, in the words of Go's decoder; none when it can, and none for custom types, whose
    /// errors [`Schema::validate`] tells.
    pub fn decode_error(&self, value: &Value) -> Option<String> {
        shape::decode_error(self.cursor(), value)
    }
}
