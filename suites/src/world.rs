//! The world at one revision: the objects that a scenario watches, by name.
//!
//! Pure. Built by replaying a history, or from a few reads; dialects read observations from it.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use crate::ObjectRef;
use crate::object::{condition_is_true, text};
use crate::routes::Behind;

/// Objects by name.
#[derive(Clone, Debug, Default)]
pub struct World(BTreeMap<(String, String), Arc<Value>>);

impl World {
    /// Puts an object in, in place of what had its kind and name.
    pub fn put(&mut self, object: Arc<Value>) {
        let name = ObjectRef::of(&object);
        self.0.insert((name.kind, name.name), object);
    }

    /// Takes an object out.
    pub fn remove(&mut self, name: &ObjectRef) {
        self.0.remove(&(name.kind.clone(), name.name.clone()));
    }

    /// The object of a kind and name.
    pub fn get(&self, kind: &str, name: &str) -> Option<&Value> {
        self.0.get(&(kind.to_owned(), name.to_owned())).map(|object| &**object)
    }

    /// All objects of a kind, in order of name.
    pub fn list<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Value> {
        self.0
            .range((kind.to_owned(), String::new())..)
            .take_while(move |((found, _), _)| found == kind)
            .map(|(_, object)| &**object)
    }

    /// The names of the pods that a Service, or a subset of it, selects and that can be routed to: ready, and not on their way out.
    pub fn ready_behind(&self, behind: &Behind) -> Vec<&str> {
        let service = self.get("Service", &behind.service);
        let Some(selector) = service.and_then(|service| service.pointer("/spec/selector")) else {
            return Vec::new();
        };
        let subset = behind.subset.as_deref().map(|name| self.subset(&behind.service, name));
        let selectors = match subset {
            None => vec![selector],
            Some(Some(labels)) => vec![selector, labels],
            Some(None) => return Vec::new(),
        };
        self.list("Pod")
            .filter(|pod| {
                let labels = &pod["metadata"]["labels"];
                let mut wanted = selectors.iter().filter_map(|one| one.as_object()).flatten();
                wanted.all(|(key, value)| labels.get(key) == Some(value))
            })
            .filter(|pod| pod.pointer("/metadata/deletionTimestamp").is_none() && condition_is_true(pod, "Ready"))
            .map(|pod| text(pod, "/metadata/name"))
            .collect()
    }

    /// The labels of the pods in a subset of a Service, as a DestinationRule says.
    fn subset(&self, service: &str, name: &str) -> Option<&Value> {
        let rules = self.list("DestinationRule");
        let of_service = rules.filter(|rule| text(rule, "/spec/host").split('.').next() == Some(service));
        let mut subsets = of_service.flat_map(|rule| rule["spec"]["subsets"].as_array().into_iter().flatten());
        subsets.find(|subset| subset["name"] == name)?.get("labels")
    }
}
