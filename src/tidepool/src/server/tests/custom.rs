//! Types that a definition makes, and their conversion.

use env::HttpService;
use env::Trace;
use env::sim::{self, SimEnv};
use serde_json::{Value, json};

use super::raw;
use crate::{Embedded, Options};

const JSON: &str = "application/json";

/// A webhook that moves `spec.old` to `spec.new` on the way to v2, and back, and forgets the metadata that it does not know.
fn converter() -> HttpService {
    HttpService::new(|request| async move {
        let bytes = env::read_all(request.into_body(), 1 << 20).await?;
        let review: Value = serde_json::from_slice(&bytes)?;
        let wanted = &review["request"]["desiredAPIVersion"];
        let (from, to) = if *wanted == "example.com/v2" {
            ("old", "new")
        } else {
            ("new", "old")
        };
        let objects = review["request"]["objects"].as_array().into_iter().flatten().cloned();
        let converted: Vec<Value> = objects
            .map(|mut object| {
                object["apiVersion"] = wanted.clone();
                if let Some(metadata) = object["metadata"].as_object_mut() {
                    metadata.remove("managedFields");
                    metadata.remove("finalizers");
                }
                let value = object["spec"][from].take();
                object["spec"] = json!({ to: value });
                object
            })
            .collect();
        let answer = json!({
            "kind": "ConversionReview", "apiVersion": review["apiVersion"],
            "response": {
                "uid": review["request"]["uid"], "result": { "status": "Success" }, "convertedObjects": converted,
            },
        });
        Ok(http::Response::new(env::full(answer.to_string())))
    })
}

fn definition() -> Value {
    let version = |name: &str, storage: bool| {
        json!({
            "name": name, "served": true, "storage": storage, "subresources": { "status": {} },
            "schema": { "openAPIV3Schema": { "type": "object", "x-kubernetes-preserve-unknown-fields": true } },
        })
    };
    json!({
        "metadata": { "name": "things.example.com" },
        "spec": {
            "group": "example.com", "scope": "Namespaced", "names": { "plural": "things", "kind": "Thing" },
            "versions": [version("v1", false), version("v2", true)],
            "conversion": { "strategy": "Webhook", "webhook": {
                "conversionReviewVersions": ["v1"],
                "clientConfig": { "service": { "namespace": "hooks", "name": "convert", "path": "/convert" } },
            } },
        },
    })
}

#[test]
fn an_object_is_written_in_one_version_and_read_in_another() {
    sim::run(1, Trace::off(), |SimEnv { env, network }| async move {
        let cluster = Embedded::start(&env, &network, Options::default()).await;
        let api = cluster.api();
        let definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
        let (code, made) = raw(&api, "POST", definitions, JSON, definition().to_string()).await;
        assert_eq!(code, 201, "{made}");
        assert_eq!(made["status"]["conditions"][1]["type"], "Established");
        let old = "/apis/example.com/v1/namespaces/default/things";
        let new = "/apis/example.com/v2/namespaces/default/things";
        let metadata = json!({ "name": "a", "finalizers": ["example.com/held"] });
        let thing = json!({ "metadata": metadata, "spec": { "old": 1 }, "status": { "ignored": true } });
        let (code, failed) = raw(&api, "POST", old, JSON, thing.to_string()).await;
        assert_eq!(code, 500);
        let message = failed["message"].as_str().unwrap_or_default();
        assert!(
            message.starts_with("conversion webhook for example.com/v1, Kind=Thing failed: Post"),
            "{message}"
        );
        let served = network.serve("convert.hooks.svc:443", converter());
        let (code, made) = raw(&api, "POST", old, JSON, thing.to_string()).await;
        assert_eq!((code, &made["spec"]), (201, &json!({ "old": 1 })), "{made}");
        assert_eq!(made["status"], Value::Null);
        let (_, read) = raw(&api, "GET", &format!("{new}/a"), JSON, "").await;
        assert_eq!(read["spec"], json!({ "new": 1 }));
        let patch = json!({ "spec": { "old": 2 } }).to_string();
        raw(
            &api,
            "PATCH",
            &format!("{old}/a"),
            "application/merge-patch+json",
            patch,
        )
        .await;
        let (_, list) = raw(&api, "GET", new, JSON, "").await;
        assert_eq!(list["items"][0]["spec"], json!({ "new": 2 }));
        let metadata = &list["items"][0]["metadata"];
        assert_eq!(metadata["generation"], 2);
        assert_eq!(metadata["finalizers"], json!(["example.com/held"]));
        assert_eq!(metadata["managedFields"][0]["operation"], "Update", "{metadata}");
        let free = json!({ "metadata": { "finalizers": null } }).to_string();
        raw(&api, "PATCH", &format!("{old}/a"), "application/merge-patch+json", free).await;
        let (code, _) = raw(&api, "DELETE", &format!("{definitions}/things.example.com"), JSON, "").await;
        assert_eq!(code, 200);
        env.sleep(std::time::Duration::from_secs(1)).await;
        assert_eq!(raw(&api, "GET", new, JSON, "").await.0, 404);
        drop(served);
        cluster.stop().await;
    });
}

#[test]
fn who_applies_a_status_claims_nothing_else() {
    sim::run(1, Trace::off(), |SimEnv { env, network }| async move {
        let cluster = Embedded::start(&env, &network, Options::default()).await;
        let api = cluster.api();
        let mut definition = definition();
        definition["spec"]["conversion"] = json!({ "strategy": "None" });
        let definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
        raw(&api, "POST", definitions, JSON, definition.to_string()).await;
        let thing = "/apis/example.com/v2/namespaces/default/things/a";
        let config = |label: &str| {
            let metadata = json!({ "name": "a", "labels": { "a": label } });
            json!({ "apiVersion": "example.com/v2", "kind": "Thing", "metadata": metadata, "status": { "seen": true } })
                .to_string()
        };
        let apply = "application/apply-patch+yaml";
        let (code, made) = raw(
            &api,
            "PATCH",
            &format!("{thing}?fieldManager=maker"),
            apply,
            config("b"),
        )
        .await;
        assert_eq!(code, 201, "{made}");
        let path = format!("{thing}/status?fieldManager=seer");
        let (code, seen) = raw(&api, "PATCH", &path, apply, config("c")).await;
        assert_eq!((code, &seen["status"]), (200, &json!({ "seen": true })), "{seen}");
        assert_eq!(seen["metadata"]["labels"], json!({ "a": "b" }));
        let entries = seen["metadata"]["managedFields"].as_array().expect("owners");
        let seer = entries
            .iter()
            .find(|entry| entry["manager"] == "seer")
            .expect("an entry");
        assert_eq!(seer["fieldsV1"], json!({ "f:status": { ".": {}, "f:seen": {} } }));
        cluster.stop().await;
    });
}
