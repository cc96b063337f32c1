//! The files of an installation: one `install.yaml` for kubectl, and a Helm chart, both from the same objects.
//!
//! The chart's template is those objects as YAML with a placeholder wherever a value is chosen; each placeholder then becomes Helm's expression
//! for it. Pure; used by `tidegate manifests` and by the test that holds the committed files against it.

use api::names::webhook;
use serde_json::{Value, json};

use super::deployment::{Choices, resources, workload};
use super::{Endpoint, objects, surroundings};

/// The namespace of `install.yaml`.
pub const NAMESPACE: &str = "tidegate";

/// Placeholders, and what Helm computes in their places. No placeholder begins with another one.
const EXPRESSIONS: [(&str, &str); 9] = [
    ("chosen-namespace", "{{ .Release.Namespace }}"),
    (
        "chosen-image",
        "\"{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}\"",
    ),
    ("chosen-pull-policy", "{{ .Values.image.pullPolicy }}"),
    ("chosen-replicas", "{{ .Values.replicas }}"),
    ("chosen-workers", "{{ .Values.workers }}"),
    ("chosen-log-format", "{{ .Values.logFormat }}"),
    ("chosen-resources", "{{ toJson .Values.resources }}"),
    ("chosen-node-selector", "{{ toJson .Values.nodeSelector }}"),
    ("chosen-tolerations", "{{ toJson .Values.tolerations }}"),
];

/// What Helm renders as two opening braces.
const ESCAPED: &str = "{{ \"{{\" }}";

/// One file of the installation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Its path below the folder of all.
    pub path: &'static str,
    /// What it holds.
    pub text: String,
}

/// Everything that an installation into `namespace` consists of, in the order in which it is to be applied. Definitions come late and the
/// controller last, so that it finds everything at its first start.
pub fn everything(namespace: &str, choices: &Choices) -> Vec<Value> {
    let endpoint = Endpoint::Service {
        namespace: namespace.to_owned(),
        name: webhook::SERVICE.to_owned(),
        port: 443,
    };
    let mut all = surroundings(namespace);
    for object in all.iter_mut().filter(|object| object["kind"] == "Namespace") {
        // The pods ask for nothing that the strictest level forbids.
        object["metadata"]["labels"] = json!({ "pod-security.kubernetes.io/enforce": "restricted" });
    }
    all.extend(objects(&endpoint, &[]));
    all.extend(workload(namespace, choices));
    all
}

/// Objects as one YAML text.
///
/// # Errors
/// When an object cannot be written as YAML, which no object of this crate is.
pub fn yaml(objects: &[Value]) -> Result<String, serde_yaml::Error> {
    let mut text = String::new();
    for object in objects {
        text.push_str("---\n");
        text.push_str(&serde_yaml::to_string(object)?);
    }
    Ok(text)
}

/// `install.yaml` and the chart.
///
/// # Errors
/// As [`yaml`].
pub fn files() -> Result<Vec<File>, serde_yaml::Error> {
    Ok(vec![
        File {
            path: "install.yaml",
            text: yaml(&everything(NAMESPACE, &Choices::default()))?,
        },
        File {
            path: "tidegate/Chart.yaml",
            text: serde_yaml::to_string(&chart())?,
        },
        File {
            path: "tidegate/values.yaml",
            text: serde_yaml::to_string(&values())?,
        },
        File {
            path: "tidegate/values.schema.json",
            text: format!("{:#}\n", schema()),
        },
        File {
            path: "tidegate/templates/tidegate.yaml",
            text: template()?,
        },
    ])
}

fn chart() -> Value {
    json!({
        "apiVersion": "v2",
        "name": "tidegate",
        "description": "Progressive delivery for Kubernetes, by the API of OpenKruise Rollouts. Not affiliated with OpenKruise.",
        "type": "application",
        "version": env!("CARGO_PKG_VERSION"),
        "appVersion": env!("CARGO_PKG_VERSION"),
        "kubeVersion": ">=1.28.0-0",
    })
}

/// The chart's values: [`Choices::default`] under Helm's names.
fn values() -> Value {
    let defaults = Choices::default();
    let image = defaults.image.as_str().unwrap_or_default();
    let (repository, _) = image.rsplit_once(':').unwrap_or((image, ""));
    json!({
        "image": { "repository": repository, "tag": "", "pullPolicy": defaults.pull_policy },
        "replicas": defaults.replicas,
        "workers": defaults.workers.parse::<u16>().unwrap_or(1),
        "logFormat": defaults.log_format,
        "resources": resources(),
        "nodeSelector": defaults.node_selector,
        "tolerations": defaults.tolerations,
    })
}

fn schema() -> Value {
    let number = |description: &str, least: u32, most: u32| json!({ "type": "integer", "minimum": least, "maximum": most, "description": description });
    let one_of = |description: &str, values: &[&str]| json!({ "enum": values, "description": description });
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "tidegate",
        "type": "object",
        "additionalProperties": false,
        "required": ["image", "replicas", "workers", "logFormat", "resources"],
        "properties": {
            "image": {
                "type": "object",
                "additionalProperties": false,
                "required": ["repository"],
                "properties": {
                    "repository": { "type": "string", "minLength": 1, "description": "The image without its tag" },
                    "tag": { "type": "string", "description": "The tag; the chart's appVersion when it is empty" },
                    "pullPolicy": one_of("When the image is pulled", &["Always", "IfNotPresent", "Never"]),
                },
            },
            "replicas": number("Replicas; all answer webhooks, one writes", 1, 16),
            "workers": number("Workloads that are reconciled at the same time", 1, 256),
            "logFormat": one_of("How log lines look", &["text", "json"]),
            "resources": { "type": "object", "description": "Requests and limits of the container" },
            "nodeSelector": { "type": "object", "additionalProperties": { "type": "string" }, "description": "Labels that nodes must have" },
            "tolerations": { "type": "array", "items": { "type": "object" }, "description": "Taints that are tolerated" },
            "global": { "type": "object", "description": "Values of a chart that this one is part of" },
        },
    })
}

/// The objects with Helm's expressions. Helm makes the namespace itself; and it leaves the definitions behind, since taking one away takes all
/// of its Rollouts away.
fn template() -> Result<String, serde_yaml::Error> {
    let choices = Choices {
        image: json!("chosen-image"),
        pull_policy: json!("chosen-pull-policy"),
        replicas: json!("chosen-replicas"),
        workers: "chosen-workers".to_owned(),
        log_format: "chosen-log-format".to_owned(),
        resources: json!("chosen-resources"),
        node_selector: json!("chosen-node-selector"),
        tolerations: json!("chosen-tolerations"),
    };
    let objects: Vec<Value> = everything("chosen-namespace", &choices)
        .into_iter()
        .filter(|object| object["kind"] != "Namespace")
        .map(|mut object| {
            if object["kind"] == "CustomResourceDefinition" {
                object["metadata"]["annotations"] = json!({ "helm.sh/resource-policy": "keep" });
            }
            object
        })
        .collect();
    // What looks like an expression in a description is none.
    let mut text = yaml(&objects)?.replace("{{", ESCAPED);
    for (placeholder, expression) in EXPRESSIONS {
        text = text.replace(placeholder, expression);
    }
    Ok(text)
}
