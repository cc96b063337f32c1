//! Changes to the headers of the canary's requests, as a filter of its rule or of its backend.

use api::parts::{Header, HeaderModifier};
use serde_json::{Value, json};

const TYPE: &str = "RequestHeaderModifier";

/// Adds a change of request headers to a rule or a backend. There may be one such filter only, so that one that is there is widened.
pub(super) fn add(holder: &mut Value, modifier: &HeaderModifier) {
    let Some(fields) = holder.as_object_mut() else { return };
    let filters = fields.entry("filters").or_insert_with(|| json!([]));
    let Some(filters) = filters.as_array_mut() else { return };
    let is_ours = |filter: &&mut Value| filter.get("type").and_then(Value::as_str) == Some(TYPE);
    match filters.iter_mut().find(is_ours) {
        Some(filter) => widen(&mut filter["requestHeaderModifier"], modifier),
        None => {
            let mut fresh = json!({});
            widen(&mut fresh, modifier);
            filters.push(json!({"type": TYPE, "requestHeaderModifier": fresh}));
        }
    }
}

fn widen(present: &mut Value, modifier: &HeaderModifier) {
    headers(present, "set", modifier.set.as_deref().unwrap_or_default());
    headers(present, "add", modifier.add.as_deref().unwrap_or_default());
    let removed = modifier.remove.as_deref().unwrap_or_default();
    if removed.is_empty() {
        return;
    }
    let mut names: Vec<Value> = present["remove"].as_array().cloned().unwrap_or_default();
    for name in removed {
        let known = |known: &Value| known.as_str().is_some_and(|known| known.eq_ignore_ascii_case(name));
        if !names.iter().any(known) {
            names.push(json!(name));
        }
    }
    present["remove"] = Value::Array(names);
}

fn headers(present: &mut Value, field: &str, wanted: &[Header]) {
    if wanted.is_empty() {
        return;
    }
    let mut list: Vec<Value> = present[field].as_array().cloned().unwrap_or_default();
    list.retain(|header| {
        let name = header.get("name").and_then(Value::as_str).unwrap_or_default();
        !wanted.iter().any(|wanted| wanted.name.eq_ignore_ascii_case(name))
    });
    list.extend(
        wanted
            .iter()
            .map(|header| json!({"name": header.name, "value": header.value})),
    );
    present[field] = Value::Array(list);
}
