//! What a rule matches, and how it ranks among the rules of a host.

use serde_json::Value;

use super::super::kinds::Kind;
use super::super::rules::{Match, Path, Text};
use crate::object;

/// The greater one is tried first: kind of path, its length, method, headers, query parameters.
pub(super) type Precedence = (u8, usize, bool, usize, usize);

/// The matches of a rule; one that matches everything where it has none.
pub(super) fn of_rule(kind: Kind, rule: &Value) -> Vec<(Precedence, Match)> {
    let read = |one: &Value| {
        let (rank, length, path) = match kind {
            Kind::GrpcRoute => call(&one["method"]),
            _ => path(&one["path"]),
        };
        let method = match object::text(one, &["method"]) {
            "" => None,
            method => Some(Text::Exact(method.to_owned())),
        };
        let wanted = Match {
            path,
            method,
            headers: pairs(one, "headers"),
            query: pairs(one, "queryParams"),
            ..Match::default()
        };
        let counts = (wanted.headers.len(), wanted.query.len());
        ((rank, length, wanted.method.is_some(), counts.0, counts.1), wanted)
    };
    match object::items(rule, &["matches"]) {
        [] => vec![read(&Value::Null)],
        all => all.iter().map(read).collect(),
    }
}

/// Patterns come last, as they do in Istio; the specification leaves their place open.
fn path(path: &Value) -> (u8, usize, Path) {
    let text = match object::text(path, &["value"]) {
        "" => "/",
        text => text,
    };
    match object::text(path, &["type"]) {
        "Exact" => (2, text.len(), Path::Text(Text::Exact(text.to_owned()))),
        "RegularExpression" => (0, text.len(), Path::Text(Text::pattern(text))),
        _ => (1, text.len(), Path::Elements(text.to_owned())),
    }
}

/// A call of gRPC is a path: `/service/method`.
fn call(method: &Value) -> (u8, usize, Path) {
    let (service, name) = (object::text(method, &["service"]), object::text(method, &["method"]));
    let length = service.len() + name.len();
    if method["type"] == "RegularExpression" {
        let or_any = |text: &str| if text.is_empty() { "[^/]+" } else { text }.to_owned();
        let pattern = format!("/(?:{})/(?:{})", or_any(service), or_any(name));
        return (0, length, Path::Text(Text::pattern(&pattern)));
    }
    match (service, name) {
        ("", "") => (1, 0, Path::Any),
        (service, "") => (1, length, Path::Elements(format!("/{service}"))),
        ("", name) => {
            let pattern = format!("/[^/]+/{}", regex::escape(name));
            (1, length, Path::Text(Text::pattern(&pattern)))
        }
        (service, name) => (2, length, Path::Text(Text::Exact(format!("/{service}/{name}")))),
    }
}

/// Of several entries with one name the first counts.
fn pairs(one: &Value, key: &str) -> Vec<(String, Text)> {
    let mut found: Vec<(String, Text)> = Vec::new();
    for entry in object::items(one, &[key]) {
        let (name, value) = (object::name_of_part(entry), object::text(entry, &["value"]));
        let text = match object::text(entry, &["type"]) {
            "RegularExpression" => Text::pattern(value),
            _ => Text::Exact(value.to_owned()),
        };
        if !found.iter().any(|(known, _)| known.eq_ignore_ascii_case(name)) {
            found.push((name.to_owned(), text));
        }
    }
    found
}
