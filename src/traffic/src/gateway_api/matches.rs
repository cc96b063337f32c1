//! The matches of a canary rule: those of the stable rule, each with those of the step.

use api::v1beta1::{PathMatch, RouteMatch};
use serde_json::{Map, Value, json};

use super::RouteType;
use crate::router::{RouteError, RouteName};

/// The most matches of one rule.
const MOST: usize = 64;

/// Every match of a rule together with every match of a step. What the step says of a path takes the place of the rule's; a header or parameter
/// that both name is the step's.
pub(super) fn product(
    rule: &Value,
    wanted: &[RouteMatch],
    route_type: RouteType,
    route: &RouteName,
) -> Result<Vec<Value>, RouteError> {
    let own = rule
        .get("matches")
        .and_then(Value::as_array)
        .filter(|own| !own.is_empty());
    let everything = [route_type.everything()];
    let own = own.map_or(everything.as_slice(), Vec::as_slice);
    let both: Vec<Value> = wanted
        .iter()
        .flat_map(|wanted| own.iter().map(|own| narrowed(own, wanted)))
        .collect();
    if both.len() > MOST {
        return Err(RouteError::Unsplittable {
            object: route.clone(),
            why: format!(
                "the matches of a rule and of the step together would be {}, and the API allows {MOST}; use fewer",
                both.len()
            ),
        });
    }
    Ok(both)
}

fn narrowed(own: &Value, wanted: &RouteMatch) -> Value {
    let mut narrowed = own.clone();
    if let Some(path) = wanted.path.as_ref().filter(|path| !any_path(path)) {
        narrowed["path"] = json!({
            "type": path.match_type.as_deref().unwrap_or("PathPrefix"),
            "value": path.value.as_deref().unwrap_or("/"),
        });
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
    narrowed
}

/// How a value is compared, its name, and what it must be.
type Condition<'a> = (Option<&'a str>, &'a str, &'a str);

fn merge(own: &mut Value, field: &str, wanted: &[Condition<'_>], same: impl Fn(&str, &str) -> bool) {
    let Some(own) = own.as_object_mut().filter(|_| !wanted.is_empty()) else {
        return;
    };
    let list = own.entry(field).or_insert_with(|| json!([]));
    let Some(list) = list.as_array_mut() else { return };
    list.retain(|condition| {
        let name = condition.get("name").and_then(Value::as_str).unwrap_or_default();
        !wanted.iter().any(|(_, wanted, _)| same(name, wanted))
    });
    for (kind, name, value) in wanted {
        let mut condition = Map::new();
        condition.insert("type".to_owned(), json!(kind.unwrap_or("Exact")));
        condition.insert("name".to_owned(), json!(name));
        condition.insert("value".to_owned(), json!(value));
        list.push(Value::Object(condition));
    }
}

/// Whether a path is what the API server fills in when none is written.
pub(super) fn any_path(path: &PathMatch) -> bool {
    matches!(path.match_type.as_deref(), None | Some("PathPrefix")) && matches!(path.value.as_deref(), None | Some("/"))
}
