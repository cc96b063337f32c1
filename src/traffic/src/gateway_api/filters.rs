//! Changes to the headers of the canary's requests, as a filter of its rule or of its backend.

use api::parts::{Header, HeaderModifier};
use serde_json::{Map, Value, json};

const TYPE: &str = "RequestHeaderModifier";
const CHANGES: &str = "requestHeaderModifier";

/// Adds a change of request headers to a rule or a backend. There may be one such filter only, so that one that is there is widened: as if its
/// change came first, and the step's second.
pub(super) fn add(holder: &mut Value, modifier: &HeaderModifier) {
    let lists = [&modifier.set, &modifier.add].map(|list| list.as_deref().unwrap_or_default());
    let removed = modifier.remove.as_deref().unwrap_or_default();
    if lists.iter().all(|list| list.is_empty()) && removed.is_empty() {
        return;
    }
    let Some(fields) = holder.as_object_mut() else { return };
    let filters = fields.entry("filters").or_insert_with(|| json!([]));
    let Some(filters) = filters.as_array_mut() else { return };
    let same = |filter: &&mut Value| filter.get("type").and_then(Value::as_str) == Some(TYPE);
    match filters.iter_mut().find(same).and_then(Value::as_object_mut) {
        Some(filter) => {
            let before = filter.get(CHANGES).cloned().unwrap_or_default();
            filter.insert(CHANGES.to_owned(), widened(&before, modifier));
        }
        None => filters.push(json!({"type": TYPE, CHANGES: widened(&json!({}), modifier)})),
    }
}

/// What one filter does to the headers; each name is in one place.
struct Changes {
    set: Vec<Header>,
    add: Vec<Header>,
    remove: Vec<String>,
}

fn widened(before: &Value, modifier: &HeaderModifier) -> Value {
    let before: HeaderModifier = serde_json::from_value(before.clone()).unwrap_or_default();
    let mut changes = Changes {
        set: before.set.unwrap_or_default(),
        add: before.add.unwrap_or_default(),
        remove: before.remove.unwrap_or_default(),
    };
    for name in modifier.remove.iter().flatten() {
        changes.remove(name);
    }
    for header in modifier.set.iter().flatten() {
        changes.set(header.clone());
    }
    for header in modifier.add.iter().flatten() {
        changes.add(header.clone());
    }
    changes.written()
}

impl Changes {
    fn forget(&mut self, name: &str) {
        self.set.retain(|header| !header.name.eq_ignore_ascii_case(name));
        self.add.retain(|header| !header.name.eq_ignore_ascii_case(name));
        self.remove.retain(|removed| !removed.eq_ignore_ascii_case(name));
    }

    fn remove(&mut self, name: &str) {
        self.forget(name);
        self.remove.push(name.to_owned());
    }

    fn set(&mut self, header: Header) {
        self.forget(&header.name);
        self.set.push(header);
    }

    /// Appends to what the filter gives the header already; after a removal that is all of it.
    fn add(&mut self, header: Header) {
        let same = |present: &&mut Header| present.name.eq_ignore_ascii_case(&header.name);
        let mut given = self.set.iter_mut().chain(self.add.iter_mut());
        if let Some(present) = given.find(same) {
            present.value = format!("{},{}", present.value, header.value);
            return;
        }
        let removed = |removed: &String| removed.eq_ignore_ascii_case(&header.name);
        match self.remove.iter().any(removed) {
            true => self.set(header),
            false => self.add.push(header),
        }
    }

    fn written(&self) -> Value {
        let mut written = Map::new();
        let lists = [
            ("set", json!(self.set)),
            ("add", json!(self.add)),
            ("remove", json!(self.remove)),
        ];
        for (field, list) in lists {
            if list != json!([]) {
                written.insert(field.to_owned(), list);
            }
        }
        Value::Object(written)
    }
}
