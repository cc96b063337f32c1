//! How a value merges: as one piece, by its fields, or by its items. Read from the schema beside the value; pure.

use serde_json::{Map, Value};

use super::set::field;
use crate::schema::node::{Cursor, Kind, ListKind};

/// A place in an object: one that the schema describes, or one below a part whose fields are free.
#[derive(Clone, Copy, Debug)]
pub(super) enum Place<'a> {
    Known(Cursor<'a>),
    Free,
}

/// How the value at a place merges.
#[derive(Clone, Copy, Debug)]
pub(super) enum Form<'a> {
    /// As one value.
    Leaf,
    /// Field by field.
    Fields,
    /// Item by item; items are told apart by these fields, or are their own names where there are none.
    Items(&'a [String]),
}

impl<'a> Place<'a> {
    /// How a value here merges. Free parts merge by what the value looks like.
    pub(super) fn form(self, value: &Value) -> Form<'a> {
        let Self::Known(cursor) = self else {
            return if value.is_object() { Form::Fields } else { Form::Leaf };
        };
        let fits = |object: bool| value.is_null() || if object { value.is_object() } else { value.is_array() };
        match cursor.kind() {
            Kind::Struct { .. } | Kind::Map { .. } if fits(true) && !is_atomic(cursor) => Form::Fields,
            Kind::List { list, .. } if fits(false) => match list {
                ListKind::Atomic => Form::Leaf,
                ListKind::Set => Form::Items(&[]),
                ListKind::Map(keys) => Form::Items(keys),
            },
            // Of a built-in type nothing is known here; of a custom one, that everything is allowed.
            Kind::Any if !cursor.arena.go && value.is_object() => Form::Fields,
            _ => Form::Leaf,
        }
    }

    /// A field of the value, and whether the schema names it.
    pub(super) fn child(self, name: &str) -> (Self, bool) {
        let Self::Known(cursor) = self else {
            return (Self::Free, false);
        };
        let named = matches!(cursor.kind(), Kind::Struct { fields, .. } if fields.contains_key(name));
        (cursor.child(name).map_or(Self::Free, Self::Known), named)
    }

    /// The items of a list.
    pub(super) fn items(self) -> Self {
        match self {
            Self::Known(cursor) => cursor.items().map_or(Self::Free, Self::Known),
            Self::Free => Self::Free,
        }
    }

    /// The place behind an edge of a set.
    pub(super) fn behind(self, edge: &str) -> (Self, bool) {
        match edge.strip_prefix("f:") {
            Some(name) => self.child(name),
            None => (self.items(), false),
        }
    }
}

fn is_atomic(cursor: Cursor<'_>) -> bool {
    cursor
        .field_of()
        .and_then(|field| field.atomic)
        .unwrap_or(cursor.node().atomic)
}

/// The edge of an item, which tells it from others in its list. `items` is the place of the list's items.
///
/// # Errors
/// When the item has nothing by which it can be told apart, in the words of Kubernetes.
pub(super) fn edge(items: Place<'_>, keys: &[String], item: &Value) -> Result<String, String> {
    if keys.is_empty() {
        return match item {
            Value::Object(_) => Err("associative list without keys has an element that's a map type".to_owned()),
            Value::Array(_) => Err("not supported: associative list with lists as elements".to_owned()),
            Value::Null => Err("associative list without keys has an element that's an explicit null".to_owned()),
            scalar => Ok(format!("v:{scalar}")),
        };
    }
    let map = match item {
        Value::Object(map) => map,
        Value::Null => return Err("associative list with keys may not have a null element".to_owned()),
        _ => return Err("associative list with keys may not have non-map elements".to_owned()),
    };
    let mut found = Map::new();
    for key in keys {
        let default = || match items {
            Place::Known(cursor) => cursor.child(key).and_then(Cursor::default),
            Place::Free => None,
        };
        if let Some(value) = map.get(key).or_else(default) {
            found.insert(key.clone(), value.clone());
        }
    }
    if found.is_empty() {
        let keys: Vec<String> = keys.iter().map(|key| format!("{key:?}")).collect();
        return Err(format!(
            "associative list with keys has an element that omits all key fields [{}] (and doesn't have default values for any key fields)",
            keys.join(" ")
        ));
    }
    Ok(format!("k:{}", Value::Object(found)))
}

/// The items of a list by their edges, in order; those that cannot be told apart are left out.
pub(super) fn indexed<'v>(items: Place<'_>, keys: &[String], list: Option<&'v Value>) -> Vec<(String, &'v Value)> {
    let list = list.and_then(Value::as_array).into_iter().flatten();
    list.filter_map(|item| Some((edge(items, keys, item).ok()?, item)))
        .collect()
}

/// Whether there is nothing in it: no value, null, an empty list or an empty object.
pub(super) fn is_empty(value: Option<&Value>) -> bool {
    match value {
        Some(Value::Object(map)) => map.is_empty(),
        Some(Value::Array(list)) => list.is_empty(),
        Some(value) => value.is_null(),
        None => true,
    }
}

/// The set of every field and item of a value: what somebody who applies it wants to own.
pub(super) fn fields_of(place: Place<'_>, value: &Value) -> super::FieldSet {
    let mut set = super::FieldSet::default();
    collect(place, value, &mut Vec::new(), &mut set);
    set
}

fn collect(place: Place<'_>, value: &Value, path: &mut Vec<String>, set: &mut super::FieldSet) {
    let own = |path: &[String], set: &mut super::FieldSet| set.insert(path.iter().map(String::as_str));
    match place.form(value) {
        Form::Leaf => own(path, set),
        Form::Fields => {
            for (name, value) in value.as_object().into_iter().flatten() {
                let (child, named) = place.child(name);
                path.push(field(name));
                collect(child, value, path, set);
                if !named || value.is_null() || value.as_object().is_some_and(Map::is_empty) {
                    own(path, set);
                }
                path.pop();
            }
        }
        Form::Items(keys) => {
            let items = indexed(place.items(), keys, Some(value));
            for (edge, item) in &items {
                path.push(edge.clone());
                let twice = items.iter().filter(|(other, _)| other == edge).count() > 1;
                if !twice {
                    collect(place.items(), item, path, set);
                }
                own(path, set);
                path.pop();
            }
        }
    }
}
