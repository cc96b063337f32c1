//! What is installed: names, order, and that no webhook concerns what is not ours.

use serde_json::Value;

use super::{Endpoint, objects};

fn installed() -> Vec<Value> {
    objects(
        &Endpoint::Service {
            namespace: "tidegate".to_owned(),
            name: "kruise-rollout-webhook-service".to_owned(),
            port: 443,
        },
        b"PEM",
    )
}

#[test]
fn definitions_come_before_configurations() {
    let names: Vec<String> = installed()
        .iter()
        .map(|object| format!("{} {}", object["kind"], object["metadata"]["name"]).replace('"', ""))
        .collect();
    insta::assert_snapshot!(names.join("\n"), @r"
    CustomResourceDefinition rollouts.rollouts.kruise.io
    CustomResourceDefinition batchreleases.rollouts.kruise.io
    CustomResourceDefinition analysistemplates.rollouts.kruise.io
    CustomResourceDefinition clusteranalysistemplates.rollouts.kruise.io
    MutatingWebhookConfiguration kruise-rollout-mutating-webhook-configuration
    ValidatingWebhookConfiguration kruise-rollout-validating-webhook-configuration
    ");
}

#[test]
fn every_webhook_is_limited_to_what_it_is_for_and_has_no_side_effects() {
    for configuration in &installed()[4..] {
        for webhook in configuration["webhooks"].as_array().expect("webhooks") {
            let ours = webhook["rules"][0]["apiGroups"] == serde_json::json!(["rollouts.kruise.io"]);
            assert!(ours || webhook["objectSelector"]["matchExpressions"][0]["operator"] == "Exists");
            assert_eq!(webhook["sideEffects"], "None");
            assert_eq!(webhook["admissionReviewVersions"], serde_json::json!(["v1"]));
            assert_eq!(webhook["clientConfig"]["caBundle"], "UEVN");
        }
    }
}

#[test]
fn both_kinds_of_two_versions_are_converted_by_the_webhook() {
    for definition in &installed()[..2] {
        assert_eq!(
            definition["spec"]["conversion"]["webhook"]["clientConfig"]["service"]["path"],
            "/convert"
        );
    }
}

#[test]
fn a_url_takes_the_place_of_the_service() {
    let objects = objects(&Endpoint::Url("https://10.0.0.1:9876".to_owned()), b"");
    let config = &objects[4]["webhooks"][0]["clientConfig"];
    assert_eq!(
        *config,
        serde_json::json!({ "url": "https://10.0.0.1:9876/mutate-apps-v1-deployment" }),
        "without an authority until there is one"
    );
}
