//! The built-in types as the machinery wants them, from the catalogue.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::types::{Scale, TypeInfo, Types};
use crate::schema::{Builtin as Described, Catalog};
use crate::table;

/// The catalogue's stable types.
#[derive(Debug)]
pub struct Builtin {
    types: Vec<Arc<TypeInfo>>,
    places: BTreeMap<(String, String, String), usize>,
}

impl Builtin {
    /// The types of a catalogue, without versions that a server does not serve unless it is told to: alpha and beta ones.
    pub fn new(catalog: &Catalog) -> Self {
        let (mut types, mut places) = (Vec::new(), BTreeMap::new());
        let mut stored = BTreeMap::new();
        for described in catalog.types() {
            let resource = &described.resource;
            if resource.version.contains("alpha") || resource.version.contains("beta") {
                continue;
            }
            // The preferred version comes first, and is the one that is stored.
            let storage_version = stored
                .entry(resource.storage())
                .or_insert_with(|| resource.version.to_string())
                .clone();
            let place = (
                resource.group.to_string(),
                resource.version.to_string(),
                resource.plural.to_string(),
            );
            places.insert(place, types.len());
            types.push(Arc::new(info(described, storage_version)));
        }
        Self { types, places }
    }
}

fn info(described: &Described, storage_version: String) -> TypeInfo {
    let has = |name: &str| {
        described
            .subresources
            .iter()
            .any(|subresource| subresource.name == name)
    };
    TypeInfo {
        resource: described.resource.clone(),
        singular: described.singular.clone(),
        short_names: described.short_names.clone(),
        categories: described.categories.clone(),
        storage_version,
        status: has("status"),
        scale: has("scale").then(|| Scale {
            spec: "spec.replicas".to_owned(),
            status: "status.replicas".to_owned(),
            selector: Some("spec.selector".to_owned()),
        }),
        subresources: described
            .subresources
            .iter()
            .filter(|subresource| !["status", "scale"].contains(&subresource.name.as_str()))
            .cloned()
            .collect(),
        verbs: described.verbs.clone(),
        schema: described.schema.clone(),
        columns: table::builtin::columns(&described.resource).into(),
        custom: false,
    }
}

impl Types for Builtin {
    fn find(&self, group: &str, version: &str, plural: &str) -> Option<Arc<TypeInfo>> {
        let place = (group.to_owned(), version.to_owned(), plural.to_owned());
        self.types.get(*self.places.get(&place)?).cloned()
    }

    fn all(&self) -> Vec<Arc<TypeInfo>> {
        self.types.clone()
    }
}
