//! Validation of values against their schema, worded as kube-apiserver words it.

use serde_json::Value;

use super::format;
use super::node::{Checks, Cursor, Kind, ListKind, TextForm};

/// What is wrong with one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// `FieldValueRequired`, `FieldValueInvalid`, `FieldValueTypeInvalid`, `FieldValueNotSupported`, `FieldValueDuplicate`, …
    pub reason: &'static str,
    /// The field's path, as `spec.steps[0].weight`.
    pub field: String,
    /// What is wrong, without the path.
    pub message: String,
}

impl std::fmt::Display for FieldError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.field, self.message)
    }
}

/// Everything that is wrong at and below the cursor.
pub(super) fn validate(cursor: Cursor<'_>, value: &Value) -> Vec<FieldError> {
    let mut walk = Walk {
        path: String::new(),
        errors: Vec::new(),
    };
    walk.visit(cursor, value);
    walk.errors
}

struct Walk {
    path: String,
    errors: Vec<FieldError>,
}

impl Walk {
    fn push(&mut self, reason: &'static str, message: String) {
        self.errors.push(FieldError {
            reason,
            field: self.path.clone(),
            message,
        });
    }

    /// `Invalid value: 5: spec.x in body should …`.
    fn invalid(&mut self, value: &Value, what: &str) {
        let shown = shown(value);
        let message = format!("Invalid value: {shown}: {} in body {what}", self.path);
        self.push("FieldValueInvalid", message);
    }

    fn within(&mut self, segment: &str, visit: impl FnOnce(&mut Self)) {
        let length = self.path.len();
        if !self.path.is_empty() && !segment.starts_with('[') {
            self.path.push('.');
        }
        self.path.push_str(segment);
        visit(self);
        self.path.truncate(length);
    }

    fn visit(&mut self, cursor: Cursor<'_>, value: &Value) {
        if value.is_null() && (cursor.arena.go || cursor.node().nullable) {
            return;
        }
        if !cursor.arena.go && !self.has_type(cursor, value) {
            return;
        }
        if let Some(checks) = &cursor.node().checks {
            self.check(cursor, checks, value);
        }
        match (cursor.kind(), value) {
            (Kind::Struct { fields, required, .. }, Value::Object(map)) => {
                for name in required {
                    let missing = match map.get(name) {
                        None => true,
                        Some(Value::Null) => cursor.arena.go,
                        Some(Value::String(text)) => cursor.arena.go && text.is_empty(),
                        Some(_) => false,
                    };
                    // What Go writes out although it is empty is no mistake of the writer's.
                    let fine = cursor.arena.go
                        && fields
                            .get(name)
                            .is_none_or(|field| !matches!(cursor.at(field.node).kind(), Kind::Text(TextForm::Plain)));
                    if missing && !fine {
                        self.within(name, |walk| {
                            walk.push("FieldValueRequired", "Required value".to_owned())
                        });
                    }
                }
                for (name, value) in map {
                    // Of a built-in type's status nothing is checked.
                    if cursor.arena.go && self.path.is_empty() && name == "status" {
                        continue;
                    }
                    if let Some(child) = cursor.child(name) {
                        self.within(name, |walk| walk.visit(child, value));
                    }
                }
            }
            (Kind::Map { values }, Value::Object(map)) => {
                for (name, value) in map {
                    self.within(name, |walk| walk.visit(cursor.at(*values), value));
                }
            }
            (Kind::List { items, list }, Value::Array(values)) => {
                for (index, value) in values.iter().enumerate() {
                    self.within(&format!("[{index}]"), |walk| walk.visit(cursor.at(*items), value));
                }
                self.duplicates(cursor.at(*items), list, values);
            }
            _ => {}
        }
    }

    fn has_type(&mut self, cursor: Cursor<'_>, value: &Value) -> bool {
        let wanted = match (cursor.kind(), value) {
            (Kind::Any, _)
            | (Kind::Text(_), Value::String(_))
            | (Kind::Number, Value::Number(_))
            | (Kind::Boolean, Value::Bool(_))
            | (Kind::List { .. }, Value::Array(_))
            | (Kind::Map { .. } | Kind::Struct { .. }, Value::Object(_))
            | (Kind::Quantity, Value::String(_) | Value::Number(_)) => return true,
            (Kind::Integer(_), Value::Number(number)) if is_whole(number) => return true,
            (Kind::IntOrString, Value::String(_)) => return true,
            (Kind::IntOrString, Value::Number(number)) if is_whole(number) => return true,
            (Kind::Text(_) | Kind::Quantity, _) => "string",
            (Kind::Integer(_), _) => "integer",
            (Kind::IntOrString, _) => "integer,string",
            (Kind::Number, _) => "number",
            (Kind::Boolean, _) => "boolean",
            (Kind::List { .. }, _) => "array",
            (Kind::Map { .. } | Kind::Struct { .. }, _) => "object",
        };
        let found = type_name(value);
        let message = format!(
            "Invalid value: \"{found}\": {} in body must be of type {wanted}: \"{found}\"",
            self.path
        );
        self.push("FieldValueTypeInvalid", message);
        false
    }

    fn check(&mut self, cursor: Cursor<'_>, checks: &Checks, value: &Value) {
        if !checks.choices.is_empty() && !checks.choices.contains(value) {
            let choices: Vec<String> = checks.choices.iter().map(shown).collect();
            let message = format!(
                "Unsupported value: {}: supported values: {}",
                shown(value),
                choices.join(", ")
            );
            self.push("FieldValueNotSupported", message);
        }
        if let Some((text, pattern)) = &checks.pattern
            && value.as_str().is_some_and(|value| !pattern.is_match(value))
        {
            self.invalid(value, &format!("should match '{text}'"));
        }
        if let Some(number) = value.as_f64() {
            self.bounds(checks, value, number);
        }
        self.length(checks, value);
        for name in checks.required.iter().filter(|name| value.get(name).is_none()) {
            self.within(name, |walk| {
                walk.push("FieldValueRequired", "Required value".to_owned());
            });
        }
        for part in &checks.all_of {
            self.visit_part(cursor.at(*part), value);
        }
        let holds = |part: &usize| self.holds(cursor.at(*part), value);
        let any = checks.any_of.iter().filter(|part| holds(part)).count();
        let one = checks.one_of.iter().filter(|part| holds(part)).count();
        let not = checks.not.is_some_and(|part| holds(&part));
        if !checks.any_of.is_empty() && any == 0 {
            self.invalid(value, "must validate at least one schema (anyOf)");
        }
        if !checks.one_of.is_empty() && one != 1 {
            let found = if one == 0 {
                "Found none valid".to_owned()
            } else {
                format!("Found {one} valid alternatives")
            };
            self.invalid(
                value,
                &format!("must validate one and only one schema (oneOf). {found}"),
            );
        }
        if not {
            self.invalid(value, "must not validate the schema (not)");
        }
        if let (Kind::Text(form), Value::String(text)) = (cursor.kind(), value) {
            let named = match form {
                TextForm::Time => "date-time",
                TextForm::Other(name) => name,
                TextForm::Plain | TextForm::Bytes => "",
            };
            if !format::has_format(text, named) {
                self.invalid(value, &format!("must be of type {named}: {text:?}"));
            }
        }
    }

    fn visit_part(&mut self, part: Cursor<'_>, value: &Value) {
        let mut inner = Self {
            path: self.path.clone(),
            errors: Vec::new(),
        };
        inner.visit(part, value);
        self.errors.append(&mut inner.errors);
    }

    fn holds(&self, part: Cursor<'_>, value: &Value) -> bool {
        let mut inner = Self {
            path: self.path.clone(),
            errors: Vec::new(),
        };
        inner.visit(part, value);
        inner.errors.is_empty()
    }

    fn bounds(&mut self, checks: &Checks, value: &Value, number: f64) {
        if let Some((bound, exclusive)) = checks.minimum
            && (number < bound || (exclusive && number <= bound))
        {
            let or_equal = if exclusive { "" } else { "or equal to " };
            self.invalid(value, &format!("should be greater than {or_equal}{bound}"));
        }
        if let Some((bound, exclusive)) = checks.maximum
            && (number > bound || (exclusive && number >= bound))
        {
            let or_equal = if exclusive { "" } else { "or equal to " };
            self.invalid(value, &format!("should be less than {or_equal}{bound}"));
        }
        if let Some(factor) = checks.multiple_of
            && factor > 0.0
            && (number / factor).fract() != 0.0
        {
            self.invalid(value, &format!("should be a multiple of {factor}"));
        }
    }

    fn length(&mut self, checks: &Checks, value: &Value) {
        let (length, unit) = match value {
            Value::String(text) => (text.chars().count() as u64, "chars long"),
            Value::Array(items) => (items.len() as u64, "items"),
            Value::Object(map) => (map.len() as u64, "properties"),
            _ => return,
        };
        if let Some(least) = checks.length.0
            && length < least
        {
            let verb = if unit == "chars long" { "be" } else { "have" };
            self.invalid(value, &format!("should {verb} at least {least} {unit}"));
        }
        if let Some(most) = checks.length.1
            && length > most
        {
            let message = match value {
                Value::String(_) => format!("Too long: may not be more than {most} bytes"),
                _ => format!("Too many: {length}: must have at most {most} items"),
            };
            let reason = if value.is_string() {
                "FieldValueTooLong"
            } else {
                "FieldValueTooMany"
            };
            self.push(reason, message);
        }
    }

    /// Items of a set, or with the same keys, may be there once.
    fn duplicates(&mut self, items: Cursor<'_>, list: &ListKind, values: &[Value]) {
        let key = |value: &Value| -> Value {
            match list {
                ListKind::Map(keys) => keys
                    .iter()
                    .map(|key| {
                        let default = || items.child(key).and_then(Cursor::default).cloned();
                        let value = value.get(key).cloned().or_else(default);
                        (key.clone(), value.unwrap_or_default())
                    })
                    .collect::<serde_json::Map<_, _>>()
                    .into(),
                _ => value.clone(),
            }
        };
        if *list == ListKind::Atomic {
            return;
        }
        let keys: Vec<Value> = values.iter().map(key).collect();
        for (index, key) in keys.iter().enumerate() {
            if keys[..index].contains(key) {
                let message = format!("Duplicate value: {}", shown(key));
                self.within(&format!("[{index}]"), |walk| walk.push("FieldValueDuplicate", message));
            }
        }
    }
}

fn is_whole(number: &serde_json::Number) -> bool {
    number.as_f64().is_some_and(|number| number.fract() == 0.0)
}

fn shown(value: &Value) -> String {
    value.to_string()
}

fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if is_whole(number) => "integer",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
