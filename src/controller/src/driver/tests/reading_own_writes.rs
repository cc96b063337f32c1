//! What a key must have seen before it is decided on again.

use std::time::Duration;

use env::Moment;
use rollout::{Key, Kind};
use serde_json::json;

use super::object;
use crate::driver::awaited::{Awaited, Ledger, PATIENCE, Sight};
use crate::driver::cache::{Caches, Delivery};

fn service(version: u64, extra: &serde_json::Value) -> kube::core::DynamicObject {
    let mut metadata = json!({ "namespace": "ns", "name": "web", "uid": "u1", "resourceVersion": version.to_string() });
    if let (Some(metadata), Some(extra)) = (metadata.as_object_mut(), extra.as_object()) {
        metadata.extend(extra.clone());
    }
    object(json!({ "apiVersion": "v1", "kind": "Service", "metadata": metadata }))
}

fn place() -> (String, String) {
    ("ns".to_owned(), "web".to_owned())
}

fn seconds(seconds: u64) -> Moment {
    Moment(Duration::from_secs(seconds))
}

fn ledger(sight: Sight) -> (Ledger, Key) {
    let key = Key::deployment("ns", "web");
    let mut ledger = Ledger::default();
    let awaited = Awaited {
        kind: Kind::Service,
        sight,
    };
    ledger.wait(&key, vec![awaited], seconds(1));
    (ledger, key)
}

#[test]
fn a_write_is_awaited_until_its_version_or_a_newer_one_of_its_kind_is_delivered() {
    let (mut ledger, key) = ledger(Sight::Version(7));
    let mut caches = Caches::new();
    caches.take(Kind::Service, Delivery::Applied(service(6, &json!({}))));
    assert!(ledger.waits(&key, &caches));
    assert!(ledger.delivered(Kind::Service, None, &caches).is_empty());
    caches.take(
        Kind::Service,
        Delivery::Applied(service(8, &json!({ "name": "other", "uid": "u2" }))),
    );
    assert_eq!(
        ledger.delivered(Kind::Service, None, &caches),
        std::slice::from_ref(&key)
    );
    assert!(!ledger.waits(&key, &caches));
}

#[test]
fn a_delete_is_awaited_until_the_object_is_gone_or_going() {
    let leaving = || {
        ledger(Sight::Leaving {
            place: place(),
            uid: "u1".to_owned(),
        })
    };
    let mut caches = Caches::new();
    caches.take(Kind::Service, Delivery::Applied(service(6, &json!({}))));
    let (mut ledger, key) = leaving();
    assert!(ledger.waits(&key, &caches));
    let going = json!({ "deletionTimestamp": "2030-01-01T00:00:00Z", "finalizers": ["x"] });
    caches.take(Kind::Service, Delivery::Applied(service(7, &going)));
    assert!(!ledger.waits(&key, &caches));

    let (mut ledger, key) = leaving();
    caches.take(
        Kind::Service,
        Delivery::Applied(service(9, &json!({ "uid": "made anew" }))),
    );
    assert!(!ledger.waits(&key, &caches));
}

#[test]
fn the_last_finalizer_is_awaited_until_the_object_is_gone() {
    let (mut ledger, key) = ledger(Sight::Gone {
        place: place(),
        uid: "u1".to_owned(),
    });
    let mut caches = Caches::new();
    let going = json!({ "deletionTimestamp": "2030-01-01T00:00:00Z" });
    caches.take(Kind::Service, Delivery::Applied(service(7, &going)));
    assert!(ledger.waits(&key, &caches));
    caches.take(Kind::Service, Delivery::Deleted(service(8, &going)));
    assert!(!ledger.waits(&key, &caches));
}

#[test]
fn a_watch_that_stays_behind_is_listed_anew_and_the_list_answers() {
    let (mut ledger, key) = ledger(Sight::Version(7));
    let mut caches = Caches::new();
    assert_eq!(ledger.overdue(seconds(2)), []);
    let deadline = ledger.deadline().expect("something is awaited");
    assert_eq!(deadline, seconds(1).after(PATIENCE));
    assert_eq!(ledger.overdue(deadline), [Kind::Service]);
    assert_eq!(ledger.overdue(deadline), [], "asked for once");
    let list = Delivery::Replaced {
        objects: Vec::new(),
        began: deadline,
        version: "v1",
    };
    let began = list.began();
    caches.take(Kind::Service, list);
    assert_eq!(ledger.delivered(Kind::Service, began, &caches), [key]);
    assert_eq!(ledger.deadline(), None);
}

#[test]
fn a_list_that_began_before_the_write_answers_nothing() {
    let (mut ledger, key) = ledger(Sight::Version(7));
    let caches = Caches::new();
    assert!(
        ledger
            .delivered(Kind::Service, Some(Moment::default()), &caches)
            .is_empty()
    );
    assert!(ledger.waits(&key, &caches));
}
