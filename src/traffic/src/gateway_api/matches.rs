//! The matches of a canary rule: those of the stable rule, each with those of the step.

use api::v1beta1::{PathMatch, RouteMatch};
use serde_json::{Map, Value, json};

use super::RouteType;

/// Every match of a rule together with every match of a step, each once. What the step says of a path takes the place of the rule's; a header or
/// parameter that both name is the step's.
pub(super) fn product(rule: &Value, wanted: &[RouteMatch], route_type: RouteType) -> Vec<Value> {
    let own = rule.get("matches").and_then(Value::as_array);
    let everything = [route_type.everything()];
    let own = own
        .filter(|own| !own.is_empty())
        .map_or(everything.as_slice(), Vec::as_slice);
    let mut product = Vec::new();
    for wanted in wanted {
        for own in own {
            let narrowed = narrowed(own, wanted);
            if !product.contains(&narrowed) {
                product.push(narrowed);
            }
        }
    }
    product
}

fn narrowed(own: &Value, wanted: &RouteMatch) -> Value {
    let mut narrowed = own.as_object().cloned().unwrap_or_default();
    if let Some(path) = wanted.path.as_ref().filter(|path| !any_path(path)) {
        let path = json!({
            "type": path.match_type.as_deref().unwrap_or("PathPrefix"),
            "value": path.value.as_deref().unwrap_or("/"),
        });
        narrowed.insert("path".to_owned(), path);
    }
    let headers = wanted.headers.iter().flatten();
    let headers: Vec<Condition<'_>> = headers
        .map(|one| (one.match_type.as_deref(), one.name.as_str(), one.value.as_str()))
        .collect();
    merge(&mut narrowed, "headers", &headers, str::eq_ignore_ascii_case);
    let parameters = wanted.query_params.iter().flatten();
    let parameters: Vec<Condition<'_>> = parameters
        .map(|one| (one.match_type.as_deref(), one.name.as_str(), one.value.as_str()))
        .collect();
    merge(&mut narrowed, "queryParams", &parameters, |left, right| left == right);
    Value::Object(narrowed)
}

/// How a value is compared, its name, and what it must be.
type Condition<'a> = (Option<&'a str>, &'a str, &'a str);

fn merge(own: &mut Map<String, Value>, field: &str, wanted: &[Condition<'_>], same: impl Fn(&str, &str) -> bool) {
    if wanted.is_empty() {
        return;
    }
    let present = own.get(field).and_then(Value::as_array);
    let mut list = present.cloned().unwrap_or_default();
    list.retain(|condition| {
        let name = condition.get("name").and_then(Value::as_str).unwrap_or_default();
        !wanted.iter().any(|(_, wanted, _)| same(name, wanted))
    });
    // The defaults of the API are written out, so that the route reads back as it was written.
    let conditions = wanted
        .iter()
        .map(|(comparison, name, value)| json!({"type": comparison.unwrap_or("Exact"), "name": name, "value": value}));
    list.extend(conditions);
    own.insert(field.to_owned(), Value::Array(list));
}

/// Whether a path is what the API server fills in when none is written.
pub(super) fn any_path(path: &PathMatch) -> bool {
    matches!(path.match_type.as_deref(), None | Some("PathPrefix")) && matches!(path.value.as_deref(), None | Some("/"))
}
