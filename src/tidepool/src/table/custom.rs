//! Columns of custom types: `additionalPrinterColumns` of a definition's version.

use std::borrow::Cow;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::json_path::JsonPath;
use super::{Cell, Column, Columns, NAME, age};
use crate::object;

/// What a column's path finds, shown by the column's type.
#[derive(Clone, Debug)]
pub struct Found {
    path: JsonPath,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Text,
    Integer,
    Number,
    Boolean,
    Date,
}

/// The columns that one version of a definition asks for: the name, then its own; its age when it has none of its own.
pub fn columns(version: &Value) -> Columns {
    let asked = object::items(version, &["additionalPrinterColumns"]);
    let mut columns = vec![NAME];
    if asked.is_empty() {
        let age = json!({ "name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp" });
        columns.extend(column(&age));
    }
    // A path that cannot be read is refused when the definition is written.
    columns.extend(asked.iter().filter_map(column));
    Cow::Owned(columns)
}

fn column(asked: &Value) -> Option<Column> {
    let text = |field: &str| -> Cow<'static, str> { object::text(asked, &[field]).to_owned().into() };
    let kind = match object::text(asked, &["type"]) {
        "integer" => Kind::Integer,
        "number" => Kind::Number,
        "boolean" => Kind::Boolean,
        "date" => Kind::Date,
        _ => Kind::Text,
    };
    let path = JsonPath::parse(object::text(asked, &["jsonPath"])).ok()?;
    Some(Column {
        name: text("name"),
        kind: text("type"),
        format: text("format"),
        description: text("description"),
        priority: object::number(asked, &["priority"]).unwrap_or(0),
        cell: Cell::Found(Found { path, kind }),
    })
}

impl Found {
    pub(super) fn cell(&self, object: &Value, now: Timestamp) -> Value {
        let Some(value) = self.path.first(object) else {
            return Value::Null;
        };
        match (self.kind, value) {
            (Kind::Text, value) => json!(printed(value)),
            (Kind::Integer, Value::Number(number)) => match number.as_i64() {
                Some(whole) => json!(whole),
                None => json!(number.as_f64().unwrap_or_default().trunc() as i64),
            },
            (Kind::Number, Value::Number(_)) | (Kind::Boolean, Value::Bool(_)) => value.clone(),
            (Kind::Date, Value::String(text)) => match text.parse::<Timestamp>() {
                Ok(_) => json!(age::since(value, now)),
                Err(_) => json!("<invalid>"),
            },
            _ => Value::Null,
        }
    }
}

/// A value as Go prints it.
fn printed(value: &Value) -> String {
    match value {
        Value::Null => "<nil>".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            let texts: Vec<String> = items.iter().map(printed).collect();
            format!("[{}]", texts.join(" "))
        }
        Value::Object(fields) => {
            let texts: Vec<String> = fields
                .iter()
                .map(|(key, value)| format!("{key}:{}", printed(value)))
                .collect();
            format!("map[{}]", texts.join(" "))
        }
        other => other.to_string(),
    }
}
