//! From OpenAPI, as Kubernetes writes it, to nodes. One compiler for the built-in types, which refer to definitions, and for the schemas of
//! CustomResourceDefinitions, which do not.

use std::collections::BTreeMap;
use std::sync::Arc;

use regex::RegexBuilder;
use serde_json::{Map, Value};

use super::Schema;
use super::node::{Arena, Checks, Field, Kind, ListKind, Node, Rule, Test, TextForm};

/// How large a compiled pattern may grow, in bytes.
const PATTERN_SIZE: usize = 1 << 20;
/// How deep schemas may nest.
const DEPTH: usize = 200;

/// A schema cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {why}")]
pub struct CompileError {
    /// Where in the schema, as `properties.spec`.
    pub path: String,
    /// What is wrong there.
    pub why: String,
}

/// Compiles schemas that may refer to named definitions.
#[derive(Debug)]
pub(crate) struct Compiler<'a> {
    arena: Arena,
    definitions: &'a Map<String, Value>,
    rules: &'a Map<String, Value>,
    named: BTreeMap<String, usize>,
    path: Vec<String>,
}

impl<'a> Compiler<'a> {
    pub(crate) fn new(go: bool, definitions: &'a Map<String, Value>, rules: &'a Map<String, Value>) -> Self {
        Self {
            arena: Arena { nodes: Vec::new(), go },
            definitions,
            rules,
            named: BTreeMap::new(),
            path: Vec::new(),
        }
    }

    pub(crate) fn finish(mut self) -> Arena {
        mark(&mut self.arena);
        self.arena
    }

    /// The node of a definition, compiled when first asked for.
    pub(crate) fn definition(&mut self, name: &str) -> Result<usize, CompileError> {
        if let Some(id) = self.named.get(name) {
            return Ok(*id);
        }
        let definitions = self.definitions;
        let schema = definitions
            .get(name)
            .ok_or_else(|| self.error(format!("there is no definition {name}")))?;
        let id = self.reserve();
        self.named.insert(name.to_owned(), id);
        let mut node = self.node(schema)?;
        name.clone_into(&mut node.name);
        if name.ends_with(".Quantity") {
            node.kind = Kind::Quantity;
        }
        for rule in self.rules.get(name).and_then(Value::as_array).into_iter().flatten() {
            node.rules.push(self.rule(rule)?);
        }
        self.arena.nodes[id] = node;
        Ok(id)
    }

    fn reserve(&mut self) -> usize {
        self.arena.nodes.push(Node::default());
        self.arena.nodes.len() - 1
    }

    fn error(&self, why: impl Into<String>) -> CompileError {
        CompileError {
            path: self.path.join("."),
            why: why.into(),
        }
    }

    /// The node of a schema inside another.
    pub(crate) fn inner(&mut self, segment: &str, schema: &Value) -> Result<usize, CompileError> {
        if let Some(name) = reference(schema) {
            return self.definition(name);
        }
        if self.path.len() > DEPTH {
            return Err(self.error("nests too deeply"));
        }
        self.path.push(segment.to_owned());
        let id = self.reserve();
        let node = self.node(schema)?;
        self.arena.nodes[id] = node;
        self.path.pop();
        Ok(id)
    }

    fn node(&mut self, schema: &Value) -> Result<Node, CompileError> {
        let format = schema["format"].as_str().unwrap_or_default();
        let kind = if schema["x-kubernetes-int-or-string"] == true || format == "int-or-string" {
            Kind::IntOrString
        } else {
            match schema["type"].as_str() {
                Some("string") => Kind::Text(text_form(format)),
                Some("integer") => Kind::Integer(if format == "int32" { 32 } else { 64 }),
                Some("number") => Kind::Number,
                Some("boolean") => Kind::Boolean,
                Some("array") => self.list(schema)?,
                Some("object") => self.object(schema)?,
                Some(other) => return Err(self.error(format!("type {other:?} is not known"))),
                None if schema["properties"].is_object() => self.object(schema)?,
                None => Kind::Any,
            }
        };
        Ok(Node {
            kind,
            nullable: schema["nullable"] == true,
            default: schema.get("default").filter(|_| !self.arena.go).cloned(),
            checks: self.checks(schema)?,
            atomic: is_atomic(schema).unwrap_or_default(),
            ..Node::default()
        })
    }

    fn list(&mut self, schema: &Value) -> Result<Kind, CompileError> {
        let items = match schema.get("items") {
            Some(items) => self.inner("items", items)?,
            None if self.arena.go => self.reserve(),
            None => return Err(self.error("an array must say what its items are")),
        };
        let list = match schema["x-kubernetes-list-type"].as_str() {
            Some("set") => ListKind::Set,
            Some("map") => ListKind::Map(texts(&schema["x-kubernetes-list-map-keys"])),
            _ => ListKind::Atomic,
        };
        Ok(Kind::List { items, list })
    }

    fn object(&mut self, schema: &Value) -> Result<Kind, CompileError> {
        let open = schema["x-kubernetes-preserve-unknown-fields"] == true;
        let rest = match schema.get("additionalProperties") {
            Some(values @ Value::Object(_)) => Some(self.inner("additionalProperties", values)?),
            Some(Value::Bool(true)) => Some(self.reserve()),
            _ => None,
        };
        let embedded = schema["x-kubernetes-embedded-resource"] == true;
        let Some(properties) = schema["properties"].as_object() else {
            return Ok(match rest {
                Some(values) => Kind::Map { values },
                None if self.arena.go || open => Kind::Any,
                None => Kind::Struct {
                    fields: BTreeMap::new(),
                    required: texts(&schema["required"]),
                    open: embedded,
                    rest: None,
                },
            });
        };
        let mut fields = BTreeMap::new();
        for (name, schema) in properties {
            let field = self.field(name, schema)?;
            fields.insert(name.clone(), field);
        }
        Ok(Kind::Struct {
            fields,
            required: texts(&schema["required"]),
            open: open || embedded,
            rest,
        })
    }

    fn field(&mut self, name: &str, schema: &Value) -> Result<Field, CompileError> {
        let strategy = schema["x-kubernetes-patch-strategy"].as_str().unwrap_or_default();
        Ok(Field {
            node: self.inner(&format!("properties.{name}"), schema)?,
            default: schema.get("default").filter(|_| self.arena.go).cloned(),
            merge: strategy.split(',').any(|part| part == "merge").then(|| {
                schema["x-kubernetes-patch-merge-key"]
                    .as_str()
                    .unwrap_or_default()
                    .to_owned()
            }),
            replace: strategy == "replace",
            atomic: is_atomic(schema),
        })
    }

    fn checks(&mut self, schema: &Value) -> Result<Option<Box<Checks>>, CompileError> {
        if self.arena.go {
            return Ok(None);
        }
        let bound = |key: &str, exclusive: &str| schema[key].as_f64().map(|bound| (bound, schema[exclusive] == true));
        let whole = |keys: [&str; 3]| keys.iter().find_map(|key| schema[*key].as_u64());
        let mut checks = Checks {
            choices: schema["enum"].as_array().cloned().unwrap_or_default(),
            minimum: bound("minimum", "exclusiveMinimum"),
            maximum: bound("maximum", "exclusiveMaximum"),
            multiple_of: schema["multipleOf"].as_f64(),
            length: (
                whole(["minLength", "minItems", "minProperties"]),
                whole(["maxLength", "maxItems", "maxProperties"]),
            ),
            unique: schema["uniqueItems"] == true,
            required: match (schema.get("type"), schema.get("properties")) {
                (None, None) => texts(&schema["required"]),
                // They belong to the kind of the node.
                _ => Vec::new(),
            },
            ..Checks::default()
        };
        if let Some(pattern) = schema["pattern"].as_str() {
            let compiled = RegexBuilder::new(pattern)
                .size_limit(PATTERN_SIZE)
                .build()
                .map_err(|error| self.error(format!("pattern {pattern:?} cannot be used: {error}")))?;
            checks.pattern = Some((pattern.to_owned(), compiled));
        }
        for (key, into) in [
            ("allOf", &mut checks.all_of),
            ("anyOf", &mut checks.any_of),
            ("oneOf", &mut checks.one_of),
        ] {
            for part in schema[key].as_array().into_iter().flatten() {
                into.push(self.inner(key, part)?);
            }
        }
        if let Some(not) = schema.get("not") {
            checks.not = Some(self.inner("not", not)?);
        }
        let says_something = !checks.choices.is_empty()
            || checks.pattern.is_some()
            || checks.minimum.is_some()
            || checks.maximum.is_some()
            || checks.multiple_of.is_some()
            || checks.length != (None, None)
            || !checks.all_of.is_empty()
            || !checks.any_of.is_empty()
            || !checks.one_of.is_empty()
            || checks.not.is_some()
            || checks.unique
            || !checks.required.is_empty();
        Ok(says_something.then(|| Box::new(checks)))
    }

    fn rule(&self, rule: &Value) -> Result<Rule, CompileError> {
        let mut when = Vec::new();
        for (path, test) in rule["when"].as_object().into_iter().flatten() {
            let test = match test {
                Value::Null => Test::Absent,
                Value::Bool(true) => Test::Present,
                Value::Array(values) => Test::Among(values.clone()),
                Value::Object(like) => {
                    let pattern = like.get("like").and_then(Value::as_str).unwrap_or_default();
                    Test::Like(regex::Regex::new(pattern).map_err(|error| self.error(error.to_string()))?)
                }
                value => Test::Among(vec![value.clone()]),
            };
            when.push((path.split('.').map(str::to_owned).collect(), test));
        }
        let copy = rule["copy"].as_object().into_iter().flatten();
        Ok(Rule {
            when,
            set: rule["set"].clone(),
            copy: copy
                .filter_map(|(to, from)| Some((to.clone(), from.as_str()?.to_owned())))
                .collect(),
        })
    }
}

/// Compiles the schema of one version of a custom type. Metadata is what it is for every type; `meta` holds the definitions it needs.
///
/// # Errors
/// When a type is unknown, a pattern cannot be compiled, an array has no items, or the schema nests too deeply.
pub(super) fn custom(schema: &Value, meta: &Map<String, Value>) -> Result<Schema, CompileError> {
    let none = Map::new();
    let mut compiler = Compiler::new(false, meta, &none);
    let root = compiler.inner("openAPIV3Schema", schema)?;
    let metadata = compiler.definition(super::catalog::OBJECT_META)?;
    let text = compiler.inner("properties", &serde_json::json!({ "type": "string" }))?;
    if let Kind::Struct { fields, .. } = &mut compiler.arena.nodes[root].kind {
        for (name, node) in [("apiVersion", text), ("kind", text), ("metadata", metadata)] {
            fields.insert(
                name.to_owned(),
                Field {
                    node,
                    ..Field::default()
                },
            );
        }
    }
    Ok(Schema::new(Arc::new(compiler.finish()), root))
}

fn reference(schema: &Value) -> Option<&str> {
    let target = schema["$ref"]
        .as_str()
        .or_else(|| schema["allOf"][0]["$ref"].as_str())?;
    target.rsplit('/').next()
}

fn texts(value: &Value) -> Vec<String> {
    let items = value.as_array().into_iter().flatten();
    items.filter_map(Value::as_str).map(str::to_owned).collect()
}

/// What a schema says of how its maps merge; nothing when it leaves that to what it refers to.
fn is_atomic(schema: &Value) -> Option<bool> {
    schema["x-kubernetes-map-type"].as_str().map(|kind| kind == "atomic")
}

fn text_form(format: &str) -> TextForm {
    match format {
        "date-time" => TextForm::Time,
        "byte" => TextForm::Bytes,
        "date" => TextForm::Other("date"),
        "duration" => TextForm::Other("duration"),
        "ipv4" => TextForm::Other("ipv4"),
        "ipv6" => TextForm::Other("ipv6"),
        "uuid" => TextForm::Other("uuid"),
        _ => TextForm::Plain,
    }
}

/// Marks the nodes at or below which completing can change something, so that the rest is never walked.
fn mark(arena: &mut Arena) {
    loop {
        let mut changed = false;
        for id in 0..arena.nodes.len() {
            if !arena.nodes[id].completes && completes(arena, &arena.nodes[id]) {
                arena.nodes[id].completes = true;
                changed = true;
            }
        }
        if !changed {
            return;
        }
    }
}

fn completes(arena: &Arena, node: &Node) -> bool {
    let below = |id: &usize| arena.nodes[*id].completes || arena.nodes[*id].default.is_some();
    !node.rules.is_empty()
        || match &node.kind {
            Kind::List { items, .. } => below(items),
            Kind::Map { values, .. } => below(values),
            Kind::Struct {
                fields, rest, required, ..
            } => {
                fields
                    .values()
                    .any(|field| field.default.is_some() || below(&field.node))
                    || rest.as_ref().is_some_and(below)
                    || (arena.go && !required.is_empty())
            }
            _ => false,
        }
}
