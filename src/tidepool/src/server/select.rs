//! Selectors: the text form of queries and the object form of specifications, and what they match.
//!
//! Pure. Used by list and watch, by webhook configurations, and by controllers.

use std::collections::BTreeSet;

use serde_json::Value;

use super::refusal::Cause;

use crate::object;

/// A requirement on one label.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Need {
    In(BTreeSet<String>),
    NotIn(BTreeSet<String>),
    Exists,
    Absent,
    Above(i64),
    Below(i64),
}

/// A selector over labels. All requirements must hold; none at all matches everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Labels(Vec<(String, Need)>);

impl Labels {
    /// Reads the form of `?labelSelector=`: `a=b,c!=d,e in (f,g),h notin (i),j,!k,l>1`.
    ///
    /// # Errors
    /// A sentence that says what cannot be read.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut needs = Vec::new();
        for part in split_requirements(text) {
            let part = part.trim();
            if part.is_empty() {
                if text.trim().is_empty() {
                    continue;
                }
                return Err("found ',', expected: identifier after ','".to_owned());
            }
            needs.push(requirement(part)?);
        }
        Ok(Self(needs))
    }

    /// Reads a `LabelSelector` of a specification. Null and the empty object match everything.
    ///
    /// # Errors
    /// A sentence that names the operator that does not exist.
    pub fn from_object(selector: &Value) -> Result<Self, String> {
        let mut needs = Vec::new();
        if let Some(labels) = object::at(selector, &["matchLabels"]).as_object() {
            for (key, value) in labels {
                let value = value.as_str().unwrap_or_default().to_owned();
                needs.push((key.clone(), Need::In([value].into())));
            }
        }
        for expression in object::items(selector, &["matchExpressions"]) {
            let values = || {
                object::items(expression, &["values"])
                    .iter()
                    .filter_map(Value::as_str)
                    .map(str::to_owned)
                    .collect()
            };
            let need = match object::text(expression, &["operator"]) {
                "In" => Need::In(values()),
                "NotIn" => Need::NotIn(values()),
                "Exists" => Need::Exists,
                "DoesNotExist" => Need::Absent,
                other => return Err(format!("{other:?} is not a valid label selector operator")),
            };
            needs.push((object::text(expression, &["key"]).to_owned(), need));
        }
        Ok(Self(needs))
    }

    /// Whether it has no requirement.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether an object's labels meet every requirement.
    pub fn matches(&self, object: &Value) -> bool {
        self.matches_labels(object::at(object, &["metadata", "labels"]))
    }

    /// Whether a map of labels meets every requirement.
    pub fn matches_labels(&self, labels: &Value) -> bool {
        self.0.iter().all(|(key, need)| {
            let value = labels.get(key).and_then(Value::as_str);
            match need {
                Need::In(values) => value.is_some_and(|value| values.contains(value)),
                Need::NotIn(values) => value.is_none_or(|value| !values.contains(value)),
                Need::Exists => value.is_some(),
                Need::Absent => value.is_none(),
                Need::Above(bound) => value
                    .and_then(|value| value.parse::<i64>().ok())
                    .is_some_and(|value| value > *bound),
                Need::Below(bound) => value
                    .and_then(|value| value.parse::<i64>().ok())
                    .is_some_and(|value| value < *bound),
            }
        })
    }
}

/// Splits at commas that are not inside of parentheses.
fn split_requirements(text: &str) -> Vec<&str> {
    let (mut parts, mut depth, mut start) = (Vec::new(), 0usize, 0);
    for (place, letter) in text.char_indices() {
        match letter {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                parts.push(&text[start..place]);
                start = place + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

fn requirement(part: &str) -> Result<(String, Need), String> {
    let one = |value: &str| BTreeSet::from([value.trim().to_owned()]);
    let (key, need) = if let Some(key) = part.strip_prefix('!') {
        (key, Need::Absent)
    } else if let Some((key, value)) = part.split_once("!=") {
        (key, Need::NotIn(one(checked_value(value)?)))
    } else if let Some((key, value)) = part.split_once("==").or_else(|| part.split_once('=')) {
        (key, Need::In(one(checked_value(value)?)))
    } else if let Some((key, value)) = part.split_once('>') {
        (key, Need::Above(bound(value)?))
    } else if let Some((key, value)) = part.split_once('<') {
        (key, Need::Below(bound(value)?))
    } else if let Some((head, values)) = part.split_once('(') {
        let values = values
            .strip_suffix(')')
            .ok_or_else(|| format!("unable to parse requirement: found '{part}', expected: ',' or ')'"))?;
        let values = values
            .split(',')
            .map(|value| checked_value(value).map(|value| value.trim().to_owned()))
            .collect::<Result<_, _>>()?;
        match head.split_whitespace().collect::<Vec<_>>()[..] {
            [key, "in"] => (key, Need::In(values)),
            [key, "notin"] => (key, Need::NotIn(values)),
            _ => {
                return Err(format!(
                    "unable to parse requirement: found '{head}', expected: in, notin, =, ==, !=, gt, lt"
                ));
            }
        }
    } else {
        (part, Need::Exists)
    };
    let key = key.trim();
    if key.is_empty() || key.contains(|letter: char| letter.is_whitespace() || "!=<>(),".contains(letter)) {
        return Err(format!(
            "unable to parse requirement: found '{part}', expected: identifier"
        ));
    }
    Ok((key.to_owned(), need))
}

fn checked_value(value: &str) -> Result<&str, String> {
    let value = value.trim();
    let legal = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    if value.len() <= 63 && value.chars().all(legal) {
        Ok(value)
    } else {
        Err(format!(
            "values[0][]: Invalid value: {value:?}: a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
        ))
    }
}

fn bound(value: &str) -> Result<i64, String> {
    value
        .trim()
        .parse()
        .map_err(|_| format!("for 'Gt', 'Lt' operators, the value must be an integer, not {value:?}"))
}

/// A selector over fields: pairs of path and wanted text; `false` means that the text must differ.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields(Vec<(String, bool, String)>);

impl Fields {
    /// Reads the form of `?fieldSelector=`: `metadata.name=a,status.phase!=Running`.
    ///
    /// # Errors
    /// A sentence that says what cannot be read.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut fields = Vec::new();
        for part in text.split(',').filter(|part| !part.is_empty()) {
            let (path, equal, value) = if let Some((path, value)) = part.split_once("!=") {
                (path, false, value)
            } else if let Some((path, value)) = part.split_once("==").or_else(|| part.split_once('=')) {
                (path, true, value)
            } else {
                return Err(format!("invalid selector: '{text}'; can't understand '{part}'"));
            };
            fields.push((path.trim().to_owned(), equal, value.trim().to_owned()));
        }
        Ok(Self(fields))
    }

    /// A selector of one name.
    pub fn name(name: &str) -> Self {
        Self(vec![("metadata.name".to_owned(), true, name.to_owned())])
    }

    /// Both selectors together.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// Whether it has no requirement.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The paths it looks at.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(path, ..)| path.as_str())
    }

    /// Whether an object meets every requirement. What is absent reads as empty text.
    pub fn matches(&self, object: &Value) -> bool {
        self.0.iter().all(|(path, equal, wanted)| {
            let path: Vec<&str> = path.split('.').collect();
            let is = match object::at(object, &path) {
                Value::String(text) => text == wanted,
                Value::Null => wanted.is_empty() || (wanted == "false" && path[0] == "spec"),
                Value::Bool(is) => wanted == if *is { "true" } else { "false" },
                Value::Number(number) => wanted.parse().ok() == number.as_i64(),
                Value::Array(_) | Value::Object(_) => false,
            };
            is == *equal
        })
    }
}

/// What a list or watch selects.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selector {
    /// By labels.
    pub labels: Labels,
    /// By fields.
    pub fields: Fields,
}

impl Selector {
    /// Whether it selects everything.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty() && self.fields.is_empty()
    }

    /// Whether it selects an object.
    pub fn matches(&self, object: &Value) -> bool {
        self.labels.matches(object) && self.fields.matches(object)
    }
}

/// Says of a label selector at `path` that it cannot be read.
pub(crate) fn unreadable(selector: &Value, path: &str, why: &str) -> Cause {
    Cause::invalid(format!("{path}.matchExpressions"), &selector["matchExpressions"], why)
}
