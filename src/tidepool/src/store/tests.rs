//! What readers, writers and watchers rely on.

use serde_json::json;

use super::{Change, Compacted, Place, Refused, Store};
use crate::resource::PODS;

fn place(namespace: &str, name: &str) -> Place {
    Place {
        storage: PODS.storage(),
        namespace: namespace.to_owned(),
        name: name.to_owned(),
    }
}

fn pod(name: &str) -> serde_json::Value {
    json!({ "metadata": { "name": name, "uid": format!("uid-{name}") } })
}

#[test]
fn an_object_has_the_version_of_the_write_that_made_it() {
    let store = Store::default();
    store.create(&place("a", "x"), pod("x")).expect("new");
    let y = store.create(&place("a", "y"), pod("y")).expect("new");
    assert_eq!(
        (y.version, y.value["metadata"]["resourceVersion"].as_str()),
        (2, Some("2"))
    );
    assert_eq!(store.revision(), 2);
}

#[test]
fn a_write_on_an_old_version_changes_nothing() {
    let store = Store::default();
    let seen = store.create(&place("a", "x"), pod("x")).expect("new").version;
    store.replace(&place("a", "x"), seen, pod("x")).expect("current");
    assert_eq!(store.replace(&place("a", "x"), seen, pod("x")), Err(Refused::Stale));
    assert_eq!(store.remove(&place("a", "x"), seen), Err(Refused::Stale));
    assert_eq!(store.create(&place("a", "x"), pod("x")), Err(Refused::Exists));
    assert_eq!(store.remove(&place("a", "z"), seen), Err(Refused::Missing));
    assert_eq!(store.revision(), 2);
}

#[test]
fn a_list_is_one_namespace_in_the_order_of_names() {
    let store = Store::default();
    for (namespace, name) in [("b", "x"), ("a", "z"), ("a", "y"), ("ab", "x")] {
        store.create(&place(namespace, name), pod(name)).expect("new");
    }
    let names = |namespace| -> Vec<String> {
        store
            .list(&PODS.storage(), namespace)
            .1
            .iter()
            .map(|pod| pod.uid.clone())
            .collect()
    };
    assert_eq!(names(Some("a")), ["uid-y", "uid-z"]);
    assert_eq!(names(None), ["uid-y", "uid-z", "uid-x", "uid-x"]);
}

#[test]
fn a_watcher_sees_every_change_once_and_in_order() {
    let store = Store::default();
    let x = store.create(&place("a", "x"), pod("x")).expect("new");
    let x = store.replace(&place("a", "x"), x.version, pod("x")).expect("current");
    store.remove(&place("a", "x"), x.version).expect("current");
    let seen: Vec<_> = store
        .since(1, Some(&PODS.storage()))
        .expect("kept")
        .iter()
        .map(|entry| {
            (
                entry.change,
                entry.object.version,
                entry.before.as_ref().map(|before| before.version),
            )
        })
        .collect();
    assert_eq!(seen, [(Change::Modified, 2, Some(1)), (Change::Deleted, 3, Some(2))]);
}

#[test]
fn a_cursor_from_before_a_compaction_is_refused() {
    let store = Store::default();
    for name in ["x", "y", "z"] {
        store.create(&place("a", name), pod(name)).expect("new");
    }
    store.compact(2);
    assert_eq!(store.since(1, None).expect_err("compacted"), Compacted { oldest: 2 });
    assert_eq!(store.since(2, None).expect("kept").len(), 1);
}
