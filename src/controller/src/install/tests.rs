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
    CustomResourceDefinition analysisruns.rollouts.kruise.io
    MutatingWebhookConfiguration kruise-rollout-mutating-webhook-configuration
    ValidatingWebhookConfiguration kruise-rollout-validating-webhook-configuration
    ");
}

#[test]
fn every_webhook_is_limited_to_what_it_is_for_and_has_no_side_effects() {
    for configuration in &installed()[5..] {
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
    let config = &objects[5]["webhooks"][0]["clientConfig"];
    assert_eq!(
        *config,
        serde_json::json!({ "url": "https://10.0.0.1:9876/mutate-apps-v1-deployment" }),
        "without an authority until there is one"
    );
}

mod files {
    //! The committed manifests are what this version renders, and hold what a careful cluster asks of them.

    use std::path::Path;

    use serde_json::{Value, json};

    use crate::install::{Choices, chart};

    #[test]
    fn the_committed_files_are_those_of_this_version() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../charts");
        for chart::File { path, text } in chart::files().expect("rendered") {
            let committed = std::fs::read_to_string(folder.join(path)).unwrap_or_default();
            assert!(committed == text, "charts/{path} is stale: run `cargo xtask manifests`");
        }
    }

    #[test]
    fn the_chart_with_its_defaults_is_what_kubectl_applies() {
        let files = chart::files().expect("rendered");
        let text = |path: &str| {
            files
                .iter()
                .find(|file| file.path == path)
                .expect("a file")
                .text
                .clone()
        };
        let template = text("tidegate/templates/tidegate.yaml");
        assert!(!template.contains("chosen-"), "a placeholder is left");
        let choices = Choices::default();
        // What Helm would put there, without Helm.
        let rendered = [
            ("{{ \"{{\" }}", "two-braces".to_owned()),
            ("{{ .Release.Namespace }}", "tidegate".to_owned()),
            (
                "{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}",
                choices.image.as_str().expect("a name").to_owned(),
            ),
            ("{{ .Values.image.pullPolicy }}", "IfNotPresent".to_owned()),
            ("{{ .Values.replicas }}", choices.replicas.to_string()),
            ("{{ .Values.workers }}", choices.workers.clone()),
            ("{{ .Values.logFormat }}", choices.log_format.clone()),
            ("{{ toJson .Values.resources }}", choices.resources.to_string()),
            ("{{ toJson .Values.nodeSelector }}", choices.node_selector.to_string()),
            ("{{ toJson .Values.tolerations }}", choices.tolerations.to_string()),
        ]
        .iter()
        .fold(template, |text, (expression, value)| text.replace(expression, value));
        assert!(!rendered.contains("{{"), "an expression that no value answers");
        let parse = |text: &str| -> Vec<Value> {
            serde_yaml::Deserializer::from_str(text)
                .map(|document| serde::Deserialize::deserialize(document).expect("YAML"))
                .filter(|object: &Value| object["kind"] != "Namespace")
                .map(|mut object| {
                    if object["kind"] == "CustomResourceDefinition" {
                        object["metadata"]
                            .as_object_mut()
                            .expect("metadata")
                            .remove("annotations");
                    }
                    object
                })
                .collect()
        };
        let rendered = rendered.replace("two-braces", "{{");
        assert_eq!(parse(&rendered), parse(&text("install.yaml")));
    }

    #[test]
    fn every_value_is_in_the_schema_and_the_schema_names_no_other() {
        let files = chart::files().expect("rendered");
        let text = |path: &str| {
            files
                .iter()
                .find(|file| file.path == path)
                .expect("a file")
                .text
                .clone()
        };
        let values: Value = serde_yaml::from_str(&text("tidegate/values.yaml")).expect("YAML");
        let schema: Value = serde_json::from_str(&text("tidegate/values.schema.json")).expect("JSON");
        let keys = |value: &Value| -> Vec<String> {
            let map = value.as_object().expect("a map");
            map.keys().filter(|key| *key != "global").cloned().collect()
        };
        assert_eq!(keys(&values), keys(&schema["properties"]));
        assert_eq!(
            keys(&values["image"]),
            keys(&schema["properties"]["image"]["properties"])
        );
    }

    #[test]
    fn the_pods_pass_the_strictest_level_of_pod_security() {
        let [deployment, _] = crate::install::workload("tidegate", &Choices::default());
        let pod = &deployment["spec"]["template"]["spec"];
        assert_eq!(pod["securityContext"]["runAsNonRoot"], true);
        assert_eq!(pod["securityContext"]["seccompProfile"]["type"], "RuntimeDefault");
        let container = &pod["containers"][0]["securityContext"];
        assert_eq!(
            *container,
            json!({
                "allowPrivilegeEscalation": false,
                "readOnlyRootFilesystem": true,
                "capabilities": { "drop": ["ALL"] },
            })
        );
    }
}
