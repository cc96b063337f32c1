//! The matches of a canary rule: those of the stable rule, each narrowed by one of the step's.

use api::v1beta1::{PathMatch, RouteMatch};
use serde_json::{Map, Value, json};

/// Every match of a rule together with one match of a step. What the step says of the path takes the place of the rule's, and so does a header or
/// a parameter that both name. Istio's prefixes are prefixes of text, not of path segments.
pub(super) fn narrowed(rule: &Value, wanted: &RouteMatch) -> Value {
    let own = rule.get("match").and_then(Value::as_array);
    let everything = [json!({})];
    let own = own
        .filter(|own| !own.is_empty())
        .map_or(everything.as_slice(), Vec::as_slice);
    own.iter().map(|own| both(own, wanted)).collect()
}

fn both(own: &Value, wanted: &RouteMatch) -> Value {
    let mut fields = own.as_object().cloned().unwrap_or_default();
    if let Some(path) = wanted.path.as_ref().filter(|path| !any_path(path)) {
        let value = path.value.as_deref().unwrap_or("/");
        fields.insert(
            "uri".to_owned(),
            comparison(path.match_type.as_deref(), "prefix", value),
        );
    }
    // Istio wants the names of headers in lower case.
    let headers = wanted.headers.iter().flatten().map(|one| {
        let value = comparison(one.match_type.as_deref(), "exact", &one.value);
        (one.name.to_ascii_lowercase(), value)
    });
    merge(&mut fields, "headers", headers.collect(), str::eq_ignore_ascii_case);
    let parameters = wanted.query_params.iter().flatten().map(|one| {
        let value = comparison(one.match_type.as_deref(), "exact", &one.value);
        (one.name.clone(), value)
    });
    merge(&mut fields, "queryParams", parameters.collect(), |left, right| {
        left == right
    });
    Value::Object(fields)
}

fn comparison(match_type: Option<&str>, default: &str, value: &str) -> Value {
    let how = match match_type {
        Some("Exact") => "exact",
        Some("PathPrefix") => "prefix",
        Some("RegularExpression") => "regex",
        _ => default,
    };
    json!({ how: value })
}

fn merge(
    fields: &mut Map<String, Value>,
    field: &str,
    wanted: Vec<(String, Value)>,
    same: impl Fn(&str, &str) -> bool,
) {
    if wanted.is_empty() {
        return;
    }
    let mut map = fields
        .get(field)
        .and_then(Value::as_object)
        .cloned()
        .unwrap_or_default();
    map.retain(|name, _| !wanted.iter().any(|(wanted, _)| same(name, wanted)));
    map.extend(wanted);
    fields.insert(field.to_owned(), Value::Object(map));
}

/// Whether a path is what the API server fills in when none is written.
pub(super) fn any_path(path: &PathMatch) -> bool {
    matches!(path.match_type.as_deref(), None | Some("PathPrefix")) && matches!(path.value.as_deref(), None | Some("/"))
}
