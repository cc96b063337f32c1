//! Strategic merge patches: a merge patch that knows from the schema by which key the items of a list are the same. Pure; reached through
//! [`Schema::strategic_merge`](crate::schema::Schema::strategic_merge).

pub(crate) mod go;
mod order;
#[cfg(test)]
mod tests;

use serde_json::{Map, Value};

use crate::schema::node::Cursor;

const ORDER: &str = "$setElementOrder/";
const REMOVE: &str = "$deleteFromPrimitiveList/";
const DIRECTIVE: &str = "$patch";
const RETAIN: &str = "$retainKeys";

/// A patch cannot be applied. The words are Kubernetes' own.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatchError {
    /// `$patch` says something that is no directive.
    #[error("unknown patch type: {directive} in map: {map}")]
    Directive {
        /// What it says.
        directive: String,
        /// Where, as Go prints it.
        map: String,
    },
    /// An item of a list lacks the field by which items are the same.
    #[error("map: {item} does not contain declared merge key: {key}")]
    NoKey {
        /// The item, as Go prints it.
        item: String,
        /// The field.
        key: String,
    },
    /// An item of a list asks for what is already so.
    #[error("merging lists cannot yet be specified in the patch")]
    MergeList,
    /// A directive's value is not what it must be: `retainKeys`, `primitive list`, `setElementOrder list`.
    #[error("invalid patch format of {0}")]
    Format(&'static str),
}

impl PatchError {
    /// Whether the body is malformed, rather than unfit for this object.
    pub const fn is_malformed(&self) -> bool {
        matches!(self, Self::Format(_))
    }
}

/// Applies the patch to the value at the cursor.
pub(crate) fn strategic(cursor: Cursor<'_>, value: &mut Value, patch: &Value) -> Result<(), PatchError> {
    merge(Some(cursor), value, patch)
}

fn merge(cursor: Option<Cursor<'_>>, value: &mut Value, patch: &Value) -> Result<(), PatchError> {
    let Value::Object(patch) = patch else {
        *value = patch.clone();
        return Ok(());
    };
    match patch.get(DIRECTIVE) {
        None => {}
        Some(directive) if directive == "replace" => *value = Value::Object(Map::new()),
        Some(directive) if directive == "delete" => {
            *value = Value::Object(Map::new());
            return Ok(());
        }
        Some(directive) => {
            return Err(PatchError::Directive {
                directive: go::print(directive),
                map: go::print_map(patch),
            });
        }
    }
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    let Value::Object(map) = value else { return Ok(()) };
    if let Some(retained) = patch.get(RETAIN) {
        let retained = retained.as_array().ok_or(PatchError::Format("retainKeys"))?;
        let kept = |name: &String| retained.iter().any(|retained| retained == name);
        if !patch
            .iter()
            .all(|(name, value)| value.is_null() || name.starts_with('$') || kept(name))
        {
            return Err(PatchError::Format("retainKeys"));
        }
        map.retain(|name, _| kept(name));
    }
    for (name, removed) in patch {
        if let Some(list) = name.strip_prefix(REMOVE) {
            let removed = removed.as_array().ok_or(PatchError::Format("primitive list"))?;
            if let Some(items) = map.get_mut(list).and_then(Value::as_array_mut) {
                items.retain(|item| !removed.contains(item));
            }
        }
        if name.starts_with(ORDER) && !removed.is_array() {
            return Err(PatchError::Format("setElementOrder list"));
        }
    }
    for (name, wanted) in patch {
        if name.starts_with('$') {
            continue;
        }
        let child = cursor.and_then(|cursor| cursor.child(name));
        match wanted {
            Value::Null => {
                map.remove(name);
            }
            Value::Array(wanted) => {
                let key = child
                    .and_then(Cursor::field_of)
                    .and_then(|field| field.merge.as_deref());
                // Without an order of its own, the patch's items stand in the order in which it names them.
                let order = patch
                    .get(&format!("{ORDER}{name}"))
                    .and_then(Value::as_array)
                    .unwrap_or(wanted);
                let list = map.entry(name.clone()).or_insert_with(|| Value::Array(Vec::new()));
                let before: Vec<Value> = match (&*list, key) {
                    (Value::Array(list), Some(_)) => list.clone(),
                    _ => Vec::new(),
                };
                merge_list(child.and_then(Cursor::items), key, list, wanted)?;
                if let (Some(key), Value::Array(list)) = (key, list) {
                    order::sort(list, order, &before, key);
                }
            }
            Value::Object(_) if child.and_then(Cursor::field_of).is_some_and(|field| field.replace) => {
                map.insert(name.clone(), wanted.clone());
            }
            Value::Object(inner) if inner.get(DIRECTIVE) == Some(&Value::from("delete")) => {
                map.remove(name);
            }
            _ => merge(child, map.entry(name.clone()).or_insert(Value::Null), wanted)?,
        }
    }
    // An order alone, without items to merge, sorts what is there.
    for (name, order) in patch {
        if let Some(list) = name.strip_prefix(ORDER)
            && !patch.contains_key(list)
            && let (Some(Value::Array(items)), Some(order)) = (map.get_mut(list), order.as_array())
        {
            let child = cursor.and_then(|cursor| cursor.child(list));
            if let Some(key) = child
                .and_then(Cursor::field_of)
                .and_then(|field| field.merge.as_deref())
            {
                let before = items.clone();
                order::sort(items, order, &before, key);
            }
        }
    }
    Ok(())
}

/// `key` is none where lists are replaced, and empty where items are their own key.
fn merge_list(
    items: Option<Cursor<'_>>,
    key: Option<&str>,
    list: &mut Value,
    patch: &[Value],
) -> Result<(), PatchError> {
    let replaces = patch
        .iter()
        .any(|item| item.as_object().is_some_and(|item| item.len() == 1) && item[DIRECTIVE] == "replace");
    let kept = patch.iter().filter(|item| !replaces || item.get(DIRECTIVE).is_none());
    let (Some(key), false, Value::Array(list)) = (key, replaces, &mut *list) else {
        *list = kept
            .cloned()
            .map(|item| cleaned(items, item))
            .collect::<Result<_, _>>()?;
        return Ok(());
    };
    for wanted in patch {
        if key.is_empty() {
            if !list.contains(wanted) {
                list.push(wanted.clone());
            }
            continue;
        }
        let Some(identity) = wanted.get(key) else {
            return Err(PatchError::NoKey {
                item: go::print(wanted),
                key: key.to_owned(),
            });
        };
        let place = list.iter().position(|item| item.get(key) == Some(identity));
        match (place, wanted[DIRECTIVE].as_str()) {
            (_, Some("delete")) => list.retain(|item| item.get(key) != Some(identity)),
            (_, Some("merge")) => return Err(PatchError::MergeList),
            (Some(place), _) => merge(items, &mut list[place], wanted)?,
            (None, _) => list.push(cleaned(items, wanted.clone())?),
        }
    }
    Ok(())
}

/// A new item without the directives in it.
fn cleaned(items: Option<Cursor<'_>>, item: Value) -> Result<Value, PatchError> {
    if !item.is_object() {
        return Ok(item);
    }
    let mut made = Value::Object(Map::new());
    merge(items, &mut made, &item)?;
    Ok(made)
}
