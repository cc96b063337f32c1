//! Changes to the headers of the canary's requests, as `headers.request` of its rule or of its destination.

use api::parts::{Header, HeaderModifier};
use serde_json::{Map, Value, json};

/// Adds a change of request headers to a rule or a destination. What both change is the step's.
pub(super) fn add(holder: &mut Value, modifier: &HeaderModifier) {
    let Some(holder) = holder.as_object_mut() else { return };
    let member = |of: &Map<String, Value>, field: &str| -> Map<String, Value> {
        of.get(field).and_then(Value::as_object).cloned().unwrap_or_default()
    };
    let mut headers = member(holder, "headers");
    let mut request = member(&headers, "request");
    let mut put = |field: &str, wanted: &[Header]| {
        if wanted.is_empty() {
            return;
        }
        let mut map = member(&request, field);
        map.retain(|name, _| !wanted.iter().any(|wanted| wanted.name.eq_ignore_ascii_case(name)));
        map.extend(wanted.iter().map(|header| (header.name.clone(), json!(header.value))));
        request.insert(field.to_owned(), Value::Object(map));
    };
    put("set", modifier.set.as_deref().unwrap_or_default());
    put("add", modifier.add.as_deref().unwrap_or_default());
    let removed = modifier.remove.as_deref().unwrap_or_default();
    if !removed.is_empty() {
        let mut names = request
            .get("remove")
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default();
        for name in removed {
            let known = |known: &Value| known.as_str().is_some_and(|known| known.eq_ignore_ascii_case(name));
            if !names.iter().any(known) {
                names.push(json!(name));
            }
        }
        request.insert("remove".to_owned(), Value::Array(names));
    }
    if !request.is_empty() {
        headers.insert("request".to_owned(), Value::Object(request));
        holder.insert("headers".to_owned(), Value::Object(headers));
    }
}
