//! What holds of apply, whatever is applied.

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::{deployments, without_empty, writer};
use crate::apply::compare::compare;
use crate::apply::form::Place;
use crate::apply::owners::Owners;
use crate::apply::{apply, record, update};

/// A configuration out of fields of every form: scalars, maps, atomic maps, keyed lists, sets. `tag` keeps two writers apart.
fn config(tag: &'static str) -> impl Strategy<Value = Value> {
    let labels = btree_map("[a-c]", "[x-z]", 0..3);
    let containers = vec(("[a-c]", proptest::option::of("[x-z]:[1-2]"), any::<bool>()), 0..3);
    let finalizers = btree_map("[a-c]", Just(()), 0..3);
    (labels, containers, finalizers, any::<bool>()).prop_map(move |(labels, containers, finalizers, bare)| {
        let labels: Map<String, Value> = labels
            .into_iter()
            .map(|(key, value)| (format!("{tag}{key}"), json!(value)))
            .collect();
        let mut seen = Vec::new();
        let mut items = Vec::new();
        for (name, image, tty) in containers {
            if seen.contains(&name) {
                continue;
            }
            let mut item = json!({ "name": format!("{tag}{name}") });
            if let Some(image) = image {
                item["image"] = json!(image);
            }
            if tty {
                item["env"] = json!([{ "name": "E", "value": "1" }]);
            }
            seen.push(name);
            items.push(item);
        }
        let mut config =
            json!({ "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": "web", "namespace": "n" } });
        if !labels.is_empty() {
            config["metadata"]["labels"] = Value::Object(labels);
        }
        if !finalizers.is_empty() {
            config["metadata"]["finalizers"] = finalizers.keys().map(|name| json!(format!("{tag}{name}"))).collect();
        }
        if !bare {
            config["spec"] = json!({ "template": { "spec": { "containers": items } } });
        }
        config
    })
}

fn start() -> Value {
    let mut live = json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": { "name": "web", "namespace": "n", "labels": { "own": "1" } },
        "spec": { "replicas": 3, "template": { "spec": { "containers": [{ "name": "base", "image": "base:1" }] } } },
    });
    update(&deployments(), &writer("base"), None, &mut live);
    live
}

fn entry(value: &Value, name: &str) -> Value {
    let list = record::list(record::of(value));
    let entries = list.as_array().into_iter().flatten();
    entries
        .filter(|entry| entry["manager"] == name)
        .map(|entry| entry["fieldsV1"].clone())
        .collect()
}

/// The value without the record of owners.
fn bare(value: &Value) -> Value {
    let mut value = value.clone();
    record::take(&mut value);
    value
}

/// The same, and without what is empty.
fn content(value: &Value) -> Value {
    without_empty(&bare(value))
}

proptest! {
    #[test]
    fn twice_is_once(config in config("a")) {
        let schema = deployments();
        let once = apply(&schema, &writer("a"), Some(&start()), &config, false).expect("no conflict");
        let twice = apply(&schema, &writer("a"), Some(&once), &config, false).expect("no conflict");
        prop_assert_eq!(once, twice);
    }

    #[test]
    fn writers_without_overlap_do_not_meet(first in config("a"), second in config("b")) {
        let schema = deployments();
        let live = apply(&schema, &writer("a"), Some(&start()), &first, false).expect("no conflict");
        let live = apply(&schema, &writer("b"), Some(&live), &second, false).expect("no conflict");
        let again = apply(&schema, &writer("a"), Some(&live), &first, false).expect("no conflict");
        prop_assert_eq!(content(&live), content(&again));
    }

    #[test]
    fn force_always_succeeds_and_owns_what_it_applies(first in config(""), second in config("")) {
        let schema = deployments();
        let live = apply(&schema, &writer("a"), Some(&start()), &first, true).expect("forced");
        let forced = apply(&schema, &writer("b"), Some(&live), &second, true).expect("forced");
        // Nothing that it applies is a conflict afterwards, and nothing that it changed is still somebody else's.
        prop_assert!(apply(&schema, &writer("b"), Some(&forced), &second, false).is_ok());
        let written = compare(Place::Known(schema.cursor()), &bare(&live), &bare(&forced)).written;
        let owners = Owners::read(record::of(&forced)).expect("owners");
        for owner in owners.0.iter().filter(|owner| owner.name != "b") {
            prop_assert!(owner.fields.intersection(&written).is_empty(), "{}", owner.name);
        }
    }

    #[test]
    fn nothing_left_of_one_leaves_the_other(first in config("a"), second in config("b")) {
        let schema = deployments();
        let nothing = json!({ "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": "web", "namespace": "n" } });
        let alone = apply(&schema, &writer("b"), Some(&start()), &second, false).expect("no conflict");
        let both = apply(&schema, &writer("a"), Some(&start()), &first, false).expect("no conflict");
        let both = apply(&schema, &writer("b"), Some(&both), &second, false).expect("no conflict");
        let left = apply(&schema, &writer("a"), Some(&both), &nothing, false).expect("no conflict");
        prop_assert_eq!(content(&left), content(&alone));
        prop_assert_eq!(entry(&left, "a"), json!([]));
        prop_assert_eq!(entry(&left, "b"), entry(&alone, "b"));
    }
}
