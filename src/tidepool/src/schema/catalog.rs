//! The built-in types, from the data file that `cargo xtask openapi` makes. Parsed once per process and shared by all clusters in it.

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::{Arc, LazyLock};

use serde_json::{Map, Value};

use super::Schema;
use super::compile::Compiler;
use crate::resource::Resource;

const FILE: &[u8] = include_bytes!("../../data/kubernetes-1.36.json.gz");
const DEFAULTS: &str = include_str!("../../data/defaults.json");
/// The definition of every object's metadata.
pub(crate) const OBJECT_META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";

/// What never changes is read once; it holds neither time, chance nor order.
static BUILTIN: LazyLock<Arc<Catalog>> = LazyLock::new(|| Arc::new(read()));

/// One served version of one built-in type.
#[derive(Clone, Debug)]
pub struct Builtin {
    /// Group, version, plural, kind, scope.
    pub resource: Resource,
    /// Singular name, lower case.
    pub singular: String,
    /// Abbreviations that kubectl takes.
    pub short_names: Vec<String>,
    /// Groups of types that kubectl takes, as `all`.
    pub categories: Vec<String>,
    /// Verbs of the collection.
    pub verbs: Vec<String>,
    /// The subresources, as discovery lists them.
    pub subresources: Vec<Subresource>,
    /// Its schema.
    pub schema: Schema,
}

/// One subresource of a built-in type: `pods/eviction` takes an `Eviction` of `policy/v1`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subresource {
    /// Its name, as `eviction`.
    pub name: String,
    /// API group of what it takes; empty for the type's own.
    pub group: String,
    /// Version of what it takes; empty for the type's own.
    pub version: String,
    /// Kind of what it takes.
    pub kind: String,
    /// What can be done with it.
    pub verbs: Vec<String>,
}

/// All built-in types.
#[derive(Debug, Default)]
pub struct Catalog {
    builtins: Vec<Arc<Builtin>>,
    places: BTreeMap<(String, String, String), usize>,
    meta: Map<String, Value>,
}

impl Catalog {
    /// The types of the Kubernetes version that this crate speaks.
    pub fn builtin() -> Arc<Self> {
        BUILTIN.clone()
    }

    /// All types, in the order of discovery: the core group, then groups by priority, and their versions by preference.
    pub fn types(&self) -> &[Arc<Builtin>] {
        &self.builtins
    }

    /// The type served at a path.
    pub fn find(&self, group: &str, version: &str, plural: &str) -> Option<&Arc<Builtin>> {
        let place = (group.to_owned(), version.to_owned(), plural.to_owned());
        self.builtins.get(*self.places.get(&place)?)
    }

    /// The definitions that a custom type's metadata needs.
    pub(crate) const fn meta(&self) -> &Map<String, Value> {
        &self.meta
    }
}

/// The schemas of the data file by their names, as it has them.
pub(crate) fn schemas() -> Map<String, Value> {
    match document()
        .as_object_mut()
        .and_then(|document| document.remove("schemas"))
    {
        Some(Value::Object(schemas)) => schemas,
        _ => Map::new(),
    }
}

fn document() -> Value {
    unpacked(FILE)
}

/// A packed JSON document of this crate's own.
pub(crate) fn unpacked(file: &[u8]) -> Value {
    let mut bytes = Vec::new();
    match flate2::read::GzDecoder::new(file).read_to_end(&mut bytes) {
        Ok(_) => serde_json::from_slice(&bytes).unwrap_or_default(),
        Err(_) => Value::Null,
    }
}

/// The data file is this crate's own; what does not hold together in it leaves types out, and the tests count them.
fn read() -> Catalog {
    let document = document();
    let defaults: Map<String, Value> = serde_json::from_str(DEFAULTS).unwrap_or_default();
    let empty = Map::new();
    let schemas = document["schemas"].as_object().unwrap_or(&empty);
    let mut compiler = Compiler::new(true, schemas, &defaults);
    let mut found = Vec::new();
    for group in list(&document["groups"]) {
        for version in list(&group["versions"]) {
            for entry in list(&version["resources"]) {
                let name = entry["schema"].as_str().unwrap_or_default();
                if let Ok(root) = compiler.definition(name) {
                    found.push((resource(&group["group"], &version["version"], entry), entry, root));
                }
            }
        }
    }
    let arena = Arc::new(compiler.finish());
    let mut catalog = Catalog::default();
    for (resource, entry, root) in found {
        let place = (
            resource.group.to_string(),
            resource.version.to_string(),
            resource.plural.to_string(),
        );
        catalog.places.insert(place, catalog.builtins.len());
        catalog.builtins.push(Arc::new(Builtin {
            resource,
            singular: text(&entry["singular"]),
            short_names: texts(&entry["shortNames"]),
            categories: texts(&entry["categories"]),
            verbs: texts(&entry["verbs"]),
            subresources: list(&entry["subresources"])
                .iter()
                .map(|entry| Subresource {
                    name: text(&entry["name"]),
                    group: text(&entry["group"]),
                    version: text(&entry["version"]),
                    kind: text(&entry["kind"]),
                    verbs: texts(&entry["verbs"]),
                })
                .collect(),
            schema: Schema::new(arena.clone(), root),
        }));
    }
    catalog.meta = schemas
        .iter()
        .filter(|(name, _)| name.starts_with("io.k8s.apimachinery.pkg.apis.meta.v1."))
        .map(|(name, schema)| (name.clone(), schema.clone()))
        .collect();
    catalog
}

fn resource(group: &Value, version: &Value, entry: &Value) -> Resource {
    Resource {
        group: text(group).into(),
        version: text(version).into(),
        plural: text(&entry["plural"]).into(),
        kind: text(&entry["kind"]).into(),
        namespaced: entry["namespaced"] == true,
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn texts(value: &Value) -> Vec<String> {
    list(value).iter().map(text).collect()
}
