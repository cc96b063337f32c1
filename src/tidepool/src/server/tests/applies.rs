//! Server-side apply and the record of owners, through the server.

use rstest::rstest;
use serde_json::{Value, json};

use super::{raw, with_cluster};

const WEB: &str = "/apis/apps/v1/namespaces/default/deployments/web";
const APPLY: &str = "application/apply-patch+yaml";
const MERGE: &str = "application/merge-patch+json";

fn web(replicas: u32) -> String {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": "web" },
        "spec": {
            "replicas": replicas,
            "selector": { "matchLabels": { "app": "web" } },
            "template": {
                "metadata": { "labels": { "app": "web" } },
                "spec": { "containers": [{ "name": "a", "image": "a:1" }] },
            },
        },
    })
    .to_string()
}

fn owners(value: &Value) -> Vec<String> {
    let entries = value["metadata"]["managedFields"].as_array().into_iter().flatten();
    entries
        .map(|entry| {
            let text = |field: &str| entry[field].as_str().unwrap_or_default().to_owned();
            format!("{} {} {}", text("manager"), text("operation"), text("subresource"))
                .trim_end()
                .to_owned()
        })
        .collect()
}

#[test]
fn what_is_applied_is_made_shared_and_taken_by_force() {
    with_cluster(|cluster| async move {
        let api = cluster.api();
        let mine = format!("{WEB}?fieldManager=me");
        let (code, made) = raw(&api, "PATCH", &mine, APPLY, web(0)).await;
        assert_eq!(code, 201, "{made}");
        assert_eq!(owners(&made), ["me Apply"]);
        let (code, same) = raw(&api, "PATCH", &mine, APPLY, web(0)).await;
        assert_eq!(
            (code, &same["metadata"]["resourceVersion"]),
            (200, &made["metadata"]["resourceVersion"])
        );
        let scaled = r#"{"spec":{"replicas":1}}"#;
        let (code, _) = raw(
            &api,
            "PATCH",
            &format!("{WEB}?fieldManager=kubectl-edit"),
            MERGE,
            scaled,
        )
        .await;
        assert_eq!(code, 200);
        let (code, refused) = raw(&api, "PATCH", &mine, APPLY, web(2)).await;
        assert_eq!((code, refused["reason"].as_str()), (409, Some("Conflict")));
        assert_eq!(
            refused["message"],
            r#"Apply failed with 1 conflict: conflict with "kubectl-edit" using apps/v1: .spec.replicas"#
        );
        assert_eq!(
            refused["details"]["causes"],
            json!([{
                "reason": "FieldManagerConflict", "message": r#"conflict with "kubectl-edit" using apps/v1"#,
                "field": ".spec.replicas",
            }])
        );
        let (code, forced) = raw(&api, "PATCH", &format!("{mine}&force=true"), APPLY, web(2)).await;
        assert_eq!((code, forced["spec"]["replicas"].as_i64()), (200, Some(2)));
        assert!(
            !owners(&forced).contains(&"kubectl-edit Update".to_owned()),
            "{:?}",
            owners(&forced)
        );
    });
}

#[test]
fn every_write_is_recorded_under_its_name_and_path() {
    with_cluster(|cluster| async move {
        let api = cluster.api();
        let collection = "/apis/apps/v1/namespaces/default/deployments?fieldManager=maker";
        raw(&api, "POST", collection, "application/json", web(0)).await;
        let scale = format!("{WEB}/scale?fieldManager=scaler");
        raw(&api, "PATCH", &scale, MERGE, r#"{"spec":{"replicas":1}}"#).await;
        let status = format!("{WEB}/status?fieldManager=watcher");
        raw(&api, "PATCH", &status, MERGE, r#"{"status":{"collisionCount":7}}"#).await;
        let (_, read) = raw(&api, "GET", WEB, "application/json", "").await;
        let found = owners(&read);
        for owner in ["maker Update", "scaler Update scale", "watcher Update status"] {
            assert!(found.contains(&owner.to_owned()), "{owner} is missing in {found:?}");
        }
    });
}

#[rstest]
#[case::no_manager(
    "",
    APPLY,
    r#"{"apiVersion":"apps/v1","kind":"Deployment"}"#,
    422,
    r#"PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch"#
)]
#[case::forced_merge(
    "?force=true",
    MERGE,
    "{}",
    422,
    r#"PatchOptions.meta.k8s.io "" is invalid: force: Forbidden: may not be specified for non-apply patch"#
)]
#[case::another_kind(
    "?fieldManager=me",
    APPLY,
    r#"{"apiVersion":"v1","kind":"Pod"}"#,
    400,
    "invalid object type: /v1, Kind=Pod"
)]
#[case::owners(
    "?fieldManager=me",
    APPLY,
    r#"{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"managedFields":[]}}"#,
    400,
    "metadata.managedFields must be nil"
)]
#[case::unknown_field(
    "?fieldManager=me",
    APPLY,
    "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\n  namespace: default\nspec:\n  foo: 1\n",
    500,
    "failed to create typed patch object (default/web; apps/v1, Kind=Deployment): .spec.foo: field not declared in schema"
)]
fn a_configuration_is_refused(
    #[case] query: &'static str,
    #[case] content_type: &'static str,
    #[case] body: &'static str,
    #[case] code: u16,
    #[case] message: &'static str,
) {
    with_cluster(move |cluster| async move {
        let (status, value) = raw(&cluster.api(), "PATCH", &format!("{WEB}{query}"), content_type, body).await;
        assert_eq!((status, value["message"].as_str()), (code, Some(message)), "{value}");
    });
}

#[rstest]
#[case::another_name(json!({ "name": "other" }), "the name of the object (other) does not match the name on the URL (web)")]
#[case::no_name(json!({ "generateName": "web-" }), "the name of the object (web based on URL) was undeterminable: name must be provided")]
#[case::another_namespace(
    json!({ "name": "web", "namespace": "kube-system" }),
    "the namespace of the provided object does not match the namespace sent on the request"
)]
fn a_configuration_of_something_else_is_refused(
    #[case] metadata: Value,
    #[case] why: &str,
    #[values(false, true)] there: bool,
) {
    let why = why.to_owned();
    with_cluster(|cluster| async move {
        let api = cluster.api();
        let mine = format!("{WEB}?fieldManager=me");
        if there {
            assert_eq!(raw(&api, "PATCH", &mine, APPLY, web(0)).await.0, 201);
        }
        let mut config: Value = serde_json::from_str(&web(1)).expect("JSON");
        config["metadata"] = metadata.clone();
        let (code, answer) = raw(&api, "PATCH", &mine, APPLY, config.to_string()).await;
        if there && metadata.get("generateName").is_some() {
            // The object that is there has a name.
            assert_eq!(code, 200, "{answer}");
        } else {
            assert_eq!((code, &answer["message"]), (400, &json!(why)));
        }
    });
}
