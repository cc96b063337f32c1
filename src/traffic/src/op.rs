//! Operations of a JSON Patch, and the comparison of string maps that most patches of metadata come from.

use std::collections::BTreeMap;

use serde_json::Value;

/// One operation of a JSON Patch (RFC 6902). Only these three are ever planned, on paths whose parents exist.
#[derive(Clone, Debug, PartialEq)]
pub enum Op {
    /// `add`: sets a member, or inserts into an array.
    Add {
        /// JSON pointer.
        path: String,
        /// New value.
        value: Value,
    },
    /// `replace`: sets a member that exists.
    Replace {
        /// JSON pointer.
        path: String,
        /// New value.
        value: Value,
    },
    /// `remove`: takes away a member that exists.
    Remove {
        /// JSON pointer.
        path: String,
    },
}

impl Op {
    /// Sets the member at `path`, whose parent exists, whether the member does or not.
    pub fn set(path: impl Into<String>, value: impl Into<Value>) -> Self {
        Self::Add {
            path: path.into(),
            value: value.into(),
        }
    }

    /// Removes the member at `path`, which exists.
    pub fn remove(path: impl Into<String>) -> Self {
        Self::Remove { path: path.into() }
    }

    /// The operations that set `wanted` in the string map at `pointer`, and remove those present keys that `unwanted` names. `present` is
    /// the map as it is, `None` when there is none.
    pub fn map(
        pointer: &str,
        present: Option<&BTreeMap<String, String>>,
        wanted: &BTreeMap<String, String>,
        unwanted: impl Fn(&str) -> bool,
    ) -> Vec<Self> {
        let Some(present) = present else {
            return match wanted.is_empty() {
                true => Vec::new(),
                false => vec![Self::set(pointer, serde_json::json!(wanted))],
            };
        };
        let removed = present.keys().filter(|key| !wanted.contains_key(*key) && unwanted(key));
        let changed = wanted.iter().filter(|(key, value)| present.get(*key) != Some(value));
        let removed = removed.map(|key| Self::remove(format!("{pointer}/{}", escape(key))));
        let changed = changed.map(|(key, value)| Self::set(format!("{pointer}/{}", escape(key)), value.as_str()));
        removed.chain(changed).collect()
    }
}

/// A key as one segment of a JSON pointer.
pub fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}
