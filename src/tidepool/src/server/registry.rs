//! The types of one cluster: the built-in ones, and those of the CustomResourceDefinitions in its store.
//!
//! Definitions are read when somebody asks, and what was read is kept until the definition's next version; so a type is there as soon as the
//! definition is, and gone with it.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;
use serde_json::Value;

use super::types::{Scale, TypeInfo, Types};
use crate::object;
use crate::resource::{Resource, StorageName};
use crate::schema::Schema;
use crate::store::{Place, Store, Stored};
use crate::table;

/// Group and plural of definitions.
const DEFINITIONS: (&str, &str) = ("apiextensions.k8s.io", "customresourcedefinitions");

/// What can be done with custom resources.
const VERBS: [&str; 8] = [
    "delete",
    "deletecollection",
    "get",
    "list",
    "patch",
    "create",
    "update",
    "watch",
];

type Read = BTreeMap<String, (u64, Vec<Arc<TypeInfo>>)>;

/// Built-in and defined types.
#[derive(Debug)]
pub struct Registry {
    builtin: Arc<dyn Types>,
    store: Store,
    read: Mutex<Read>,
}

impl Registry {
    /// The types of the cluster in `store`.
    pub fn new(builtin: Arc<dyn Types>, store: Store) -> Self {
        Self {
            builtin,
            store,
            read: Mutex::default(),
        }
    }

    fn defined(&self, definition: &Stored) -> Vec<Arc<TypeInfo>> {
        let name = object::name(&definition.value).to_owned();
        let mut read = self.read.lock();
        if let Some((version, types)) = read.get(&name)
            && *version == definition.version
        {
            return types.clone();
        }
        let types: Vec<Arc<TypeInfo>> = types_of(&definition.value).into_iter().map(Arc::new).collect();
        read.insert(name, (definition.version, types.clone()));
        types
    }
}

/// The store's collection of definitions.
pub(super) fn definitions() -> StorageName {
    StorageName {
        group: DEFINITIONS.0.to_owned(),
        plural: DEFINITIONS.1.to_owned(),
    }
}

/// Where the definition of a collection is.
pub(super) fn definition_of(storage: &StorageName) -> Place {
    Place {
        storage: definitions(),
        namespace: String::new(),
        name: storage.to_string(),
    }
}

impl Types for Registry {
    fn find(&self, group: &str, version: &str, plural: &str) -> Option<Arc<TypeInfo>> {
        let place = definition_of(&StorageName {
            group: group.to_owned(),
            plural: plural.to_owned(),
        });
        self.builtin.find(group, version, plural).or_else(|| {
            let definition = self.store.get(&place)?;
            let mut types = self.defined(&definition).into_iter();
            types.find(|kind| kind.resource.version == version)
        })
    }

    fn all(&self) -> Vec<Arc<TypeInfo>> {
        let mut all = self.builtin.all();
        for definition in self.store.list(&definitions(), None).1 {
            all.extend(self.defined(&definition));
        }
        all
    }
}

/// The served versions that a definition defines.
fn types_of(definition: &Value) -> Vec<TypeInfo> {
    let spec = &definition["spec"];
    let names = &spec["names"];
    let versions = object::items(spec, &["versions"]);
    let stored = versions.iter().find(|version| version["storage"] == true);
    let texts = |value: &Value| -> Vec<String> {
        let items = value.as_array().into_iter().flatten();
        items.filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let kind = object::text(names, &["kind"]);
    let singular = names["singular"]
        .as_str()
        .map_or_else(|| kind.to_lowercase(), str::to_owned);
    versions
        .iter()
        .filter(|version| version["served"] == true)
        .filter_map(|version| {
            // A definition whose schema cannot be compiled is refused when it is written.
            let schema = Schema::custom(&version["schema"]["openAPIV3Schema"]).ok()?;
            Some(TypeInfo {
                resource: Resource {
                    group: object::text(spec, &["group"]).to_owned().into(),
                    version: object::text(version, &["name"]).to_owned().into(),
                    plural: object::text(names, &["plural"]).to_owned().into(),
                    kind: kind.to_owned().into(),
                    namespaced: spec["scope"] == "Namespaced",
                },
                singular: singular.clone(),
                short_names: texts(&names["shortNames"]),
                categories: texts(&names["categories"]),
                storage_version: stored
                    .map(|stored| object::text(stored, &["name"]))
                    .unwrap_or_default()
                    .to_owned(),
                status: version["subresources"]["status"].is_object(),
                scale: scale(&version["subresources"]["scale"]),
                subresources: Vec::new(),
                custom: true,
                verbs: VERBS.map(str::to_owned).to_vec(),
                schema,
                columns: table::custom::columns(version),
            })
        })
        .collect()
}

fn scale(scale: &Value) -> Option<Scale> {
    let path = |field: &str| {
        scale[field]
            .as_str()
            .map(|path| path.trim_start_matches('.').to_owned())
    };
    Some(Scale {
        spec: path("specReplicasPath")?,
        status: path("statusReplicasPath")?,
        selector: path("labelSelectorPath"),
    })
}
