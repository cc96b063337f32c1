//! `meta.k8s.io/v1` Tables: what `kubectl get` shows, made from columns that are data.
//!
//! A type brings its columns with it: built-in ones from the list in [`builtin`], custom ones from their definition. Rendering knows no kind, but
//! that the row of a pod which has ended says so: a
//! column says where its cell is found and how it is written. Pure; ages are relative to the time that the caller gives. Used by `http`.

mod age;
pub mod builtin;
mod cells;
mod cluster;
mod config;
pub mod custom;
pub mod json_path;
mod network;
mod pod;
mod storage;
#[cfg(test)]
mod tests;
mod workload;

use std::borrow::Cow;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::object;
use custom::Found;

/// The columns of one type, in their order.
pub type Columns = Cow<'static, [Column]>;

/// One column: `meta/v1` TableColumnDefinition, and how its cells are made.
#[derive(Clone, Debug)]
pub struct Column {
    /// Heading, as `Up-to-date`.
    pub name: Cow<'static, str>,
    /// `string`, `integer`, `number`, `boolean` or `date`.
    pub kind: Cow<'static, str>,
    /// OpenAPI's format; empty for most.
    pub format: Cow<'static, str>,
    /// What the column is about.
    pub description: Cow<'static, str>,
    /// 0 is always shown, anything above only by `-o wide`.
    pub priority: i64,
    /// How a cell is made.
    pub cell: Cell,
}

/// How a cell is made from an object. Paths are fields joined by dots.
#[derive(Clone, Debug)]
pub enum Cell {
    /// The text at a path; the second text where there is none.
    Text(&'static str, &'static str),
    /// The whole number at a path; 0 where there is none.
    Number(&'static str),
    /// Whether the value at a path is true.
    Flag(&'static str),
    /// How many items or keys there are at all of these paths together.
    Count(&'static [&'static str]),
    /// How long ago the time at a path was.
    Age(&'static str),
    /// Anything else.
    Made(fn(&Value, Timestamp) -> Value),
    /// What a definition's path finds.
    Found(Found),
}

/// What a table's rows carry of their objects: `includeObject`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Include {
    /// Nothing.
    None,
    /// Their metadata.
    #[default]
    Metadata,
    /// Everything.
    Object,
}

impl Column {
    const fn of(name: &'static str, kind: &'static str, cell: Cell) -> Self {
        Self::formatted(name, kind, "", cell)
    }

    const fn formatted(name: &'static str, kind: &'static str, format: &'static str, cell: Cell) -> Self {
        Self {
            name: Cow::Borrowed(name),
            kind: Cow::Borrowed(kind),
            format: Cow::Borrowed(format),
            description: Cow::Borrowed(""),
            priority: 0,
            cell,
        }
    }

    const fn text(name: &'static str, path: &'static str, otherwise: &'static str) -> Self {
        Self::of(name, "string", Cell::Text(path, otherwise))
    }

    const fn number(name: &'static str, path: &'static str) -> Self {
        Self::of(name, "integer", Cell::Number(path))
    }

    const fn made(name: &'static str, make: fn(&Value, Timestamp) -> Value) -> Self {
        Self::of(name, "string", Cell::Made(make))
    }

    const fn wide(mut self) -> Self {
        self.priority = 1;
        self
    }

    fn definition(&self) -> Value {
        json!({
            "name": self.name, "type": self.kind, "format": self.format,
            "description": self.description, "priority": self.priority,
        })
    }
}

/// The object's name, the first column of nearly every table.
const NAME: Column = Column::formatted("Name", "string", "name", Cell::Text("metadata.name", ""));
/// How old the object is.
const AGE: Column = Column::of("Age", "string", Cell::Age("metadata.creationTimestamp"));
/// What a server shows of a type that says nothing about it.
pub(crate) const PLAIN: &[Column] = &[
    NAME,
    Column::of("Created At", "date", Cell::Text("metadata.creationTimestamp", "")),
];

/// The table of some objects, without its metadata. Definitions of the columns are left out where a client already has them.
pub fn table(columns: &[Column], objects: &[&Value], now: Timestamp, include: Include, define: bool) -> Value {
    let rows: Vec<Value> = objects
        .iter()
        .map(|object| row(columns, object, now, include))
        .collect();
    let definitions = if define {
        columns.iter().map(Column::definition).collect()
    } else {
        Value::Null
    };
    json!({
        "kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": {},
        "columnDefinitions": definitions, "rows": rows,
    })
}

fn row(columns: &[Column], object: &Value, now: Timestamp, include: Include) -> Value {
    let cells: Vec<Value> = columns.iter().map(|column| cell(&column.cell, object, now)).collect();
    let mut row = json!({ "cells": cells });
    row["object"] = match include {
        Include::None => Value::Null,
        Include::Metadata => partial(object),
        Include::Object => object.clone(),
    };
    if let Some(condition) = pod::completed(object) {
        row["conditions"] = json!([condition]);
    }
    row
}

/// `meta.k8s.io/v1` PartialObjectMetadata of an object.
pub fn partial(object: &Value) -> Value {
    json!({ "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": object["metadata"] })
}

fn cell(cell: &Cell, object: &Value, now: Timestamp) -> Value {
    match cell {
        Cell::Text(path, otherwise) => match at(object, path) {
            Value::String(text) if !text.is_empty() => json!(text),
            Value::Number(number) => json!(number.to_string()),
            _ => json!(otherwise),
        },
        Cell::Number(path) => json!(at(object, path).as_i64().unwrap_or(0)),
        Cell::Flag(path) => json!(at(object, path) == &Value::Bool(true)),
        Cell::Count(paths) => json!(paths.iter().map(|path| size(at(object, path))).sum::<usize>()),
        Cell::Age(path) => json!(age::since(at(object, path), now)),
        Cell::Made(make) => make(object, now),
        Cell::Found(found) => found.cell(object, now),
    }
}

fn at<'a>(object: &'a Value, path: &str) -> &'a Value {
    let keys: Vec<&str> = path.split('.').collect();
    object::at(object, &keys)
}

fn size(value: &Value) -> usize {
    match value {
        Value::Array(items) => items.len(),
        Value::Object(fields) => fields.len(),
        _ => 0,
    }
}
