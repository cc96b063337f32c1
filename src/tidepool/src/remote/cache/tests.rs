//! What two hands write in whatever order, and what is there afterwards.

use serde_json::{Value, json};

use super::Cache;
use crate::resource::{PODS, Resource};
use crate::store::Place;

fn pod(uid: &str, version: u64) -> Value {
    let metadata = json!({ "namespace": "default", "name": "a", "uid": uid, "resourceVersion": version.to_string() });
    json!({ "apiVersion": "v1", "kind": "Pod", "metadata": metadata })
}

/// A cache of pods that a feed follows.
fn of_pods() -> Cache {
    let cache = Cache::new(vec![PODS]);
    cache.want(&PODS);
    cache
}

fn version(cache: &Cache) -> Option<u64> {
    let place = Place {
        storage: PODS.storage(),
        namespace: "default".to_owned(),
        name: "a".to_owned(),
    };
    cache.store().get(&place).map(|pod| pod.version)
}

#[test]
fn an_answer_that_comes_after_the_end_does_not_bring_the_object_back() {
    let cache = of_pods();
    cache.applied(&PODS, pod("1", 5));
    cache.deleted(&PODS, pod("1", 7));
    cache.written(&PODS, pod("1", 6));
    assert_eq!(version(&cache), None);
}

#[test]
fn an_end_that_the_watch_told_first_is_not_remembered() {
    let cache = of_pods();
    cache.applied(&PODS, pod("1", 5));
    cache.deleted(&PODS, pod("1", 7));
    cache.removed(&PODS, "default", "a", "1");
    assert_eq!(cache.marked(&PODS), 0);
}

#[test]
fn writes_outside_of_a_list_leave_no_mark() {
    let cache = of_pods();
    cache.list_begins(&PODS);
    cache.listed(&PODS, Vec::new());
    cache.written(&PODS, pod("1", 5));
    assert_eq!(version(&cache), Some(5));
    assert_eq!(cache.marked(&PODS), 0);
}

#[test]
fn what_is_written_during_a_list_outlives_it() {
    let cache = of_pods();
    cache.list_begins(&PODS);
    cache.written(&PODS, pod("1", 5));
    cache.listed(&PODS, Vec::new());
    assert_eq!(version(&cache), Some(5));
}

#[test]
fn lists_that_end_at_once_are_all_known_to_have_ended() {
    let kinds: Vec<Resource> = (0..50)
        .map(|number| Resource {
            plural: format!("things{number}").into(),
            ..PODS.clone()
        })
        .collect();
    let cache = Cache::new(kinds.clone());
    std::thread::scope(|scope| {
        for kind in &kinds {
            scope.spawn(|| {
                cache.want(kind);
                cache.list_begins(kind);
                cache.listed(kind, Vec::new());
            });
        }
    });
    assert_eq!(cache.filled().borrow().len(), 50);
    assert_eq!(cache.wanted().borrow().len(), 50);
}
