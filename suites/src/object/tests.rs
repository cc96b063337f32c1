//! Two objects are told apart field by field.

use serde_json::json;

use super::differences;

#[test]
fn every_departing_field_is_named_once() {
    let expected = json!({"spec": {"replicas": 5, "paused": false, "list": [1, {"a": 1}]}, "same": 1});
    let found = json!({"spec": {"replicas": 5, "list": [1, {"a": 2}], "extra/one": true}, "same": 1});
    assert_eq!(
        differences(&expected, &found),
        [
            "/spec/extra~1one: expected nothing, is true",
            "/spec/list/1/a: expected 1, is 2",
            "/spec/paused: expected false, is gone",
        ]
    );
    assert!(differences(&expected, &expected).is_empty());
}
