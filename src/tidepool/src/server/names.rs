//! Which names objects may have. Pure.

use serde_json::{Value, json};

use super::refusal::Cause;

/// The rule that a kind's names follow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NameRule {
    /// RFC 1123 subdomain: most kinds.
    #[default]
    Subdomain,
    /// RFC 1123 label: namespaces.
    Label,
    /// RFC 1035 label: services.
    Service,
    /// Anything that fits into a path: RBAC.
    PathSegment,
}

/// What is wrong with a name, as causes on `field`.
pub fn check(rule: NameRule, name: &str, field: &str) -> Vec<Cause> {
    let mut causes = Vec::new();
    let value = json!(name);
    let mut too_long = |limit: usize| {
        if name.len() > limit {
            causes.push(Cause::invalid(
                field,
                &value,
                &format!("must be no more than {limit} characters"),
            ));
        }
    };
    let why = match rule {
        NameRule::Subdomain => {
            too_long(253);
            (!name.split('.').all(is_label)).then_some(
                "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
            )
        }
        NameRule::Label => {
            too_long(63);
            (!is_label(name)).then_some(
                "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
            )
        }
        NameRule::Service => {
            too_long(63);
            (!is_label(name) || !name.starts_with(|first: char| first.is_ascii_lowercase())).then_some(
                "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')",
            )
        }
        NameRule::PathSegment => (name == "." || name == ".." || name.contains(['/', '%']))
            .then_some("may not contain '/' or '%', or be '.' or '..'"),
    };
    causes.extend(why.map(|why| Cause::invalid(field, &value, why)));
    causes
}

fn is_label(text: &str) -> bool {
    let inner = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
    !text.is_empty() && text.chars().all(inner) && !text.starts_with('-') && !text.ends_with('-')
}

/// What is wrong with an object's labels and annotations.
pub fn check_labels(object: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    let Some(labels) = crate::object::at(object, &["metadata", "labels"]).as_object() else {
        return causes;
    };
    for (key, value) in labels {
        let value = value.as_str().unwrap_or_default();
        if !is_qualified(key) {
            causes.push(Cause::invalid(
                "metadata.labels",
                &json!(key),
                "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
            ));
        }
        if value.len() > 63 {
            causes.push(Cause::invalid(
                "metadata.labels",
                &json!(value),
                "must be no more than 63 bytes",
            ));
        }
        if !value.is_empty() && !is_name_part(value) {
            causes.push(Cause::invalid(
                "metadata.labels",
                &json!(value),
                "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')",
            ));
        }
    }
    causes
}

fn is_qualified(key: &str) -> bool {
    match key.split_once('/') {
        None => key.len() <= 63 && is_name_part(key),
        Some((prefix, name)) => prefix.split('.').all(is_label) && name.len() <= 63 && is_name_part(name),
    }
}

fn is_name_part(text: &str) -> bool {
    let legal = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    text.chars().all(legal)
        && text.starts_with(|letter: char| letter.is_ascii_alphanumeric())
        && text.ends_with(|letter: char| letter.is_ascii_alphanumeric())
}
