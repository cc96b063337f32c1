//! Deletion: preconditions, grace, finalizers, propagation.

use env::HttpService;
use rstest::rstest;
use serde_json::{Value, json};

use super::{raw, with_cluster};

const JSON: &str = "application/json";
const PODS: &str = "/api/v1/namespaces/default/pods";
const MAPS: &str = "/api/v1/namespaces/default/configmaps";

async fn create(api: &HttpService, path: &str, body: &Value) -> Value {
    let (code, made) = raw(api, "POST", path, JSON, body.to_string()).await;
    assert_eq!(code, 201, "{made}");
    made
}

fn pod(node: &str) -> Value {
    json!({
        "metadata": { "name": "p" },
        "spec": { "nodeName": node, "terminationGracePeriodSeconds": 20, "containers": [{ "name": "c", "image": "i" }] },
    })
}

#[rstest]
#[case::its_own("n", "{}", Some(20))]
#[case::asked_for("n", r#"{"gracePeriodSeconds":5}"#, Some(5))]
#[case::none("n", r#"{"gracePeriodSeconds":0}"#, None)]
#[case::never_ran("", "{}", None)]
fn a_pod_ends_in_two_steps(#[case] node: &'static str, #[case] options: &'static str, #[case] grace: Option<i64>) {
    with_cluster(move |cluster| async move {
        let api = cluster.api();
        create(&api, PODS, &pod(node)).await;
        let (code, answer) = raw(&api, "DELETE", &format!("{PODS}/p"), JSON, options).await;
        assert_eq!((code, &answer["kind"]), (200, &json!("Pod")));
        let (code, left) = raw(&api, "GET", &format!("{PODS}/p"), JSON, "").await;
        match grace {
            None => assert_eq!(code, 404),
            Some(grace) => {
                assert_eq!(left["metadata"]["deletionGracePeriodSeconds"], grace);
                raw(
                    &api,
                    "DELETE",
                    &format!("{PODS}/p"),
                    JSON,
                    r#"{"gracePeriodSeconds":0}"#,
                )
                .await;
                assert_eq!(raw(&api, "GET", &format!("{PODS}/p"), JSON, "").await.0, 404);
            }
        }
    });
}

#[rstest]
#[case::uid(json!({ "preconditions": { "uid": "other" } }), "Precondition failed: UID in precondition: other")]
#[case::version(json!({ "preconditions": { "resourceVersion": "1" } }), "Precondition failed: ResourceVersion in precondition: 1")]
fn a_precondition_that_does_not_hold_is_a_conflict(#[case] options: Value, #[case] message: &'static str) {
    with_cluster(move |cluster| async move {
        let api = cluster.api();
        create(&api, MAPS, &json!({ "metadata": { "name": "a" } })).await;
        let (code, status) = raw(&api, "DELETE", &format!("{MAPS}/a"), JSON, options.to_string()).await;
        assert_eq!((code, &status["reason"]), (409, &json!("Conflict")));
        assert!(
            status["message"].as_str().is_some_and(|text| text.contains(message)),
            "{status}"
        );
    });
}

#[test]
fn a_finalizer_holds_an_object_until_it_is_taken_off() {
    with_cluster(|cluster| async move {
        let api = cluster.api();
        create(
            &api,
            MAPS,
            &json!({ "metadata": { "name": "a", "finalizers": ["x/y"] } }),
        )
        .await;
        let (code, marked) = raw(&api, "DELETE", &format!("{MAPS}/a"), JSON, "").await;
        assert_eq!(code, 200);
        assert!(marked["metadata"]["deletionTimestamp"].is_string());
        let more = json!({ "metadata": { "finalizers": ["x/y", "x/z"] } }).to_string();
        let (code, refused) = raw(
            &api,
            "PATCH",
            &format!("{MAPS}/a"),
            "application/merge-patch+json",
            more,
        )
        .await;
        assert_eq!(code, 422);
        assert_eq!(
            refused["message"],
            r#"ConfigMap "a" is invalid: metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"x/z"}"#
        );
        let free = json!({ "metadata": { "finalizers": null } }).to_string();
        raw(
            &api,
            "PATCH",
            &format!("{MAPS}/a"),
            "application/merge-patch+json",
            free,
        )
        .await;
        assert_eq!(raw(&api, "GET", &format!("{MAPS}/a"), JSON, "").await.0, 404);
    });
}

#[rstest]
#[case::foreground("Foreground", "foregroundDeletion")]
#[case::orphan("Orphan", "orphan")]
fn propagation_leaves_a_finalizer_for_the_collector(#[case] policy: &'static str, #[case] finalizer: &'static str) {
    with_cluster(move |cluster| async move {
        let api = cluster.api();
        create(&api, MAPS, &json!({ "metadata": { "name": "a" } })).await;
        let (_, marked) = raw(
            &api,
            "DELETE",
            &format!("{MAPS}/a?propagationPolicy={policy}"),
            JSON,
            "",
        )
        .await;
        assert_eq!(marked["metadata"]["finalizers"], json!([finalizer]));
    });
}

#[test]
fn a_collection_is_deleted_by_selector() {
    with_cluster(|cluster| async move {
        let api = cluster.api();
        for (name, label) in [("a", "x"), ("b", "y"), ("c", "x")] {
            create(
                &api,
                MAPS,
                &json!({ "metadata": { "name": name, "labels": { "l": label } } }),
            )
            .await;
        }
        let (code, list) = raw(&api, "DELETE", &format!("{MAPS}?labelSelector=l%3Dx"), JSON, "").await;
        assert_eq!((code, list["items"].as_array().map(Vec::len)), (200, Some(2)));
        let (_, left) = raw(&api, "GET", MAPS, JSON, "").await;
        assert_eq!(left["items"][0]["metadata"]["name"], "b");
    });
}
