//! The CustomResourceDefinitions: names, versions, printer columns, schemas. The installer applies them, `fixtures/crds` holds them for review.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, WebhookClientConfig,
};
use serde_json::{Value, json};

use crate::names::GROUP;
use crate::{schema, v1alpha1, v1beta1};

/// All definitions, without a conversion webhook: what a reader of the schema needs. An API server needs [`crds_with_conversion`].
pub fn crds() -> Vec<CustomResourceDefinition> {
    definitions(None)
}

/// All definitions, with the webhook that converts the kinds of two versions. `client_config` says where it is: a Service or a URL, and the CA
/// bundle.
pub fn crds_with_conversion(client_config: &WebhookClientConfig) -> Vec<CustomResourceDefinition> {
    let conversion = json!({
        "strategy": "Webhook",
        "webhook": { "clientConfig": client_config, "conversionReviewVersions": ["v1", "v1beta1"] },
    });
    definitions(Some(&conversion))
}

fn definitions(conversion: Option<&Value>) -> Vec<CustomResourceDefinition> {
    let converted = conversion.cloned().unwrap_or_else(|| json!({ "strategy": "None" }));
    let single = json!({ "strategy": "None" });
    [
        definition(
            "Rollout",
            "Namespaced",
            &converted,
            &json!([rollout_alpha(), rollout_beta()]),
        ),
        definition(
            "BatchRelease",
            "Namespaced",
            &converted,
            &json!([batch_release_alpha(), batch_release_beta()]),
        ),
        called(
            definition("AnalysisTemplate", "Namespaced", &single, &json!([analysis()])),
            "at",
        ),
        called(
            definition("ClusterAnalysisTemplate", "Cluster", &single, &json!([analysis()])),
            "cat",
        ),
        called(
            definition("AnalysisRun", "Namespaced", &single, &json!([analysis_run()])),
            "ar",
        ),
    ]
    .into_iter()
    // The values above are definitions by construction, as the tests show.
    .filter_map(|value| serde_json::from_value(value).ok())
    .collect()
}

fn definition(kind: &str, scope: &str, conversion: &Value, versions: &Value) -> Value {
    let singular = kind.to_lowercase();
    let plural = format!("{singular}s");
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": { "name": format!("{plural}.{GROUP}") },
        "spec": {
            "group": GROUP,
            "scope": scope,
            "names": { "kind": kind, "listKind": format!("{kind}List"), "plural": plural, "singular": singular },
            "conversion": conversion,
            "versions": versions,
        },
    })
}

/// The definition, with a short name for its kind.
fn called(mut definition: Value, short: &str) -> Value {
    definition["spec"]["names"]["shortNames"] = json!([short]);
    definition
}

fn version(name: &str, stored: bool, columns: &Value, schema: &Value) -> Value {
    let mut version = json!({
        "name": name,
        "served": true,
        "storage": stored,
        "schema": { "openAPIV3Schema": schema },
        "additionalPrinterColumns": columns,
    });
    if version.pointer("/schema/openAPIV3Schema/properties/status").is_some() {
        version["subresources"] = json!({ "status": {} });
    }
    version
}

fn column(name: &str, kind: &str, path: &str, description: &str) -> Value {
    json!({ "name": name, "type": kind, "jsonPath": path, "description": description })
}

fn age() -> Value {
    json!({ "name": "AGE", "type": "date", "jsonPath": ".metadata.creationTimestamp" })
}

fn rollout_columns(step: &str) -> Value {
    json!([
        column("STATUS", "string", ".status.phase", "Where the rollout is"),
        column(
            "CANARY_STEP",
            "integer",
            &format!("{step}.currentStepIndex"),
            "The current step"
        ),
        column(
            "CANARY_STATE",
            "string",
            &format!("{step}.currentStepState"),
            "Where the current step is"
        ),
        column("MESSAGE", "string", ".status.message", "What is going on"),
        age(),
    ])
}

const ROLLOUT: &str =
    "Leads each new version of one workload through steps, with traffic and approvals, and cleans up after it.";
const BATCH_RELEASE: &str = "Releases a workload's new version in batches of pods.";
const ANALYSIS: &str = "What is measured during a release, and what counts as good.";
const ANALYSIS_RUN: &str = "Measures metrics and judges them.";

fn rollout_alpha() -> Value {
    let spec = schema::of::<v1alpha1::RolloutSpec>();
    let status = schema::of::<v1alpha1::RolloutStatus>();
    version(
        "v1alpha1",
        false,
        &rollout_columns(".status.canaryStatus"),
        &schema::object(ROLLOUT, spec, Some(status)),
    )
}

fn rollout_beta() -> Value {
    let mut spec = schema::of::<v1beta1::RolloutSpec>();
    for strategy in ["canary", "blueGreen"] {
        let value = format!(
            "/properties/strategy/properties/{strategy}/properties/steps/items/properties/matches/items/properties/path"
        );
        if let Some(path) = spec.pointer_mut(&value) {
            path["x-kubernetes-validations"] = path_rules();
        }
    }
    let status = schema::of::<v1beta1::RolloutStatus>();
    version(
        "v1beta1",
        true,
        &rollout_columns(".status"),
        &schema::object(ROLLOUT, spec, Some(status)),
    )
}

fn batch_release_columns(workload: &str) -> Value {
    json!([
        column("KIND", "string", &format!("{workload}.kind"), "Kind of the workload"),
        column("PHASE", "string", ".status.phase", "Where the release is"),
        column(
            "BATCH",
            "integer",
            ".status.canaryStatus.currentBatch",
            "The current batch, from 0"
        ),
        column(
            "BATCH-STATE",
            "string",
            ".status.canaryStatus.batchState",
            "Where the current batch is"
        ),
        age(),
    ])
}

fn batch_release_alpha() -> Value {
    let spec = schema::of::<v1alpha1::BatchReleaseSpec>();
    let status = schema::of::<v1beta1::BatchReleaseStatus>();
    let columns = batch_release_columns(".spec.targetReference.workloadRef");
    version(
        "v1alpha1",
        false,
        &columns,
        &schema::object(BATCH_RELEASE, spec, Some(status)),
    )
}

fn batch_release_beta() -> Value {
    let spec = schema::of::<v1beta1::BatchReleaseSpec>();
    let status = schema::of::<v1beta1::BatchReleaseStatus>();
    version(
        "v1beta1",
        true,
        &batch_release_columns(".spec.workloadRef"),
        &schema::object(BATCH_RELEASE, spec, Some(status)),
    )
}

fn analysis() -> Value {
    let spec = schema::of::<v1alpha1::AnalysisTemplateSpec>();
    version("v1alpha1", true, &json!([age()]), &schema::object(ANALYSIS, spec, None))
}

fn analysis_run() -> Value {
    let spec = schema::of::<v1alpha1::AnalysisRunSpec>();
    let status = schema::of::<v1alpha1::AnalysisRunStatus>();
    let columns = json!([column("STATUS", "string", ".status.phase", "Where the run is"), age()]);
    version(
        "v1alpha1",
        true,
        &columns,
        &schema::object(ANALYSIS_RUN, spec, Some(status)),
    )
}

/// What Gateway API demands of a path match; a path that breaks these would be refused only when the route is written.
fn path_rules() -> Value {
    let exact_or_prefix = "(self.type in ['Exact','PathPrefix'])";
    let mut rules = vec![json!({
        "message": "value must be an absolute path and start with '/' when type one of ['Exact', 'PathPrefix']",
        "rule": format!("{exact_or_prefix} ? self.value.startsWith('/') : true"),
    })];
    for part in ["//", "/./", "/../", "%2f", "%2F", "#"] {
        rules.push(json!({
            "message": format!("must not contain '{part}' when type one of ['Exact', 'PathPrefix']"),
            "rule": format!("{exact_or_prefix} ? !self.value.contains('{part}') : true"),
        }));
    }
    for end in ["/..", "/."] {
        rules.push(json!({
            "message": format!("must not end with '{end}' when type one of ['Exact', 'PathPrefix']"),
            "rule": format!("{exact_or_prefix} ? !self.value.endsWith('{end}') : true"),
        }));
    }
    rules.push(json!({
        "message": "type must be one of ['Exact', 'PathPrefix', 'RegularExpression']",
        "rule": "self.type in ['Exact','PathPrefix'] || self.type == 'RegularExpression'",
    }));
    rules.push(json!({
        "message": "must only contain valid characters for types ['Exact', 'PathPrefix']",
        "rule": format!("{exact_or_prefix} ? self.value.matches(r\"\"\"^(?:[-A-Za-z0-9/._~!$&'()*+,;=:@]|[%][0-9a-fA-F]{{2}})+$\"\"\") : true"),
    }));
    Value::Array(rules)
}
