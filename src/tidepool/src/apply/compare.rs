//! What differs between two values of one type, as sets of fields. Pure.

use serde_json::Value;

use super::FieldSet;
use super::form::{Form, Place, indexed, is_empty};
use super::set::field;

/// What became of the fields of a value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Comparison {
    /// Fields that are there in both, with another value, or only in the second.
    pub(super) written: FieldSet,
    /// Fields that are there only in the first.
    pub(super) removed: FieldSet,
}

impl Comparison {
    /// Without fields that the writer cannot write, and what is below them.
    pub(super) fn without(self, reset: &FieldSet) -> Self {
        Self {
            written: self.written.without(reset),
            removed: self.removed.without(reset),
        }
    }
}

/// Compares two values.
pub(super) fn compare(place: Place<'_>, before: &Value, after: &Value) -> Comparison {
    let mut walk = Walk::default();
    walk.compare(place, Some(before), Some(after));
    walk.found
}

#[derive(Debug, Default)]
struct Walk {
    path: Vec<String>,
    found: Comparison,
}

impl Walk {
    fn written(&mut self) {
        self.found.written.insert(self.path.iter().map(String::as_str));
    }

    fn removed(&mut self) {
        self.found.removed.insert(self.path.iter().map(String::as_str));
    }

    fn below(&mut self, edge: String, place: Place<'_>, before: Option<&Value>, after: Option<&Value>) {
        // What is equal has nothing to say, and most is.
        if before == after {
            return;
        }
        self.path.push(edge);
        self.compare(place, before, after);
        self.path.pop();
    }

    fn leaf(&mut self, before: Option<&Value>, after: Option<&Value>) {
        match (before, after) {
            (Some(before), Some(after)) if before == after => {}
            (_, Some(_)) => self.written(),
            (_, None) => self.removed(),
        }
    }

    fn compare(&mut self, place: Place<'_>, before: Option<&Value>, after: Option<&Value>) {
        let Some(shown) = after.filter(|after| !after.is_null()).or(before).or(after) else {
            return;
        };
        let form = place.form(shown);
        if matches!(form, Form::Leaf) || (is_empty(before) && is_empty(after)) {
            // A free part that was a map and is one no more loses what was in it.
            if matches!(before.map(|before| place.form(before)), Some(Form::Fields)) && after.is_some() {
                self.fields(place, before, None);
            }
            self.leaf(before, after);
            return;
        }
        match form {
            Form::Fields => self.fields(place, before, after),
            Form::Items(keys) => self.items(place.items(), keys, before, after),
            Form::Leaf => {}
        }
        match (before, after) {
            (None, _) => self.written(),
            (_, None) => self.removed(),
            // A free part that was no map and is one now is another value, too.
            (Some(before), Some(_)) if matches!(form, Form::Fields) && !before.is_object() && !before.is_null() => {
                self.written();
            }
            _ => {}
        }
    }

    fn fields(&mut self, place: Place<'_>, before: Option<&Value>, after: Option<&Value>) {
        let before = before.and_then(Value::as_object);
        let after = after.and_then(Value::as_object);
        for (name, value) in before.into_iter().flatten() {
            let now = after.and_then(|after| after.get(name));
            if now != Some(value) {
                self.below(field(name), place.child(name).0, Some(value), now);
            }
        }
        for (name, value) in after.into_iter().flatten() {
            if before.is_none_or(|before| !before.contains_key(name)) {
                self.below(field(name), place.child(name).0, None, Some(value));
            }
        }
    }

    fn items<'v>(&mut self, items: Place<'_>, keys: &[String], before: Option<&'v Value>, after: Option<&'v Value>) {
        let before = indexed(items, keys, before);
        let after = indexed(items, keys, after);
        let all = |list: &[(String, &'v Value)], edge: &str| -> Vec<&'v Value> {
            let same = list.iter().filter(|(other, _)| other == edge);
            same.map(|(_, item)| *item).collect()
        };
        let mut seen: Vec<&str> = Vec::new();
        for (edge, _) in before.iter().chain(&after) {
            if seen.contains(&edge.as_str()) {
                continue;
            }
            seen.push(edge);
            let (old, new) = (all(&before, edge), all(&after, edge));
            if old.len() <= 1 && new.len() <= 1 {
                self.below(edge.clone(), items, old.first().copied(), new.first().copied());
                continue;
            }
            // Items that cannot be told apart count as one value.
            if old != new {
                if old.len() == 1 {
                    self.below(edge.clone(), items, old.first().copied(), None);
                }
                if new.len() == 1 {
                    self.below(edge.clone(), items, None, new.first().copied());
                }
                self.path.push(edge.clone());
                if new.len() > 1 {
                    self.written();
                } else {
                    self.removed();
                }
                self.path.pop();
            }
        }
    }
}
