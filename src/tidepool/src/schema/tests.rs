//! The catalogue read whole, and defaults, shape and validation as a client sees them.

use rstest::rstest;
use serde_json::{Value, json};

use super::{Catalog, Schema};

fn schema(group: &str, version: &str, plural: &str) -> Schema {
    Catalog::builtin().find(group, version, plural).unwrap().schema.clone()
}

fn deployment() -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": "web" },
        "spec": {
            "selector": { "matchLabels": { "app": "web" } },
            "template": {
                "metadata": { "labels": { "app": "web" } },
                "spec": { "containers": [{ "name": "web", "image": "web:1", "ports": [{ "containerPort": 80 }] }] },
            },
        },
    })
}

#[test]
fn every_type_of_the_module_is_there() {
    let catalog = Catalog::builtin();
    assert!(catalog.types().len() > 90, "{}", catalog.types().len());
    assert_eq!(catalog.types()[0].resource.group, "");
    let pods = catalog.find("", "v1", "pods").unwrap();
    assert_eq!(pods.short_names, ["po"]);
    assert!(pods.subresources.iter().any(|subresource| subresource.name == "status") && pods.resource.namespaced);
}

#[test]
fn a_deployment_is_completed_as_the_real_server_does() {
    let mut value = deployment();
    let schema = schema("apps", "v1", "deployments");
    schema.complete(&mut value);
    let once = value.clone();
    schema.complete(&mut value);
    assert_eq!(value, once);
    assert_eq!(schema.validate(&value), []);
    assert_eq!(
        value["spec"]["strategy"],
        json!({ "type": "RollingUpdate", "rollingUpdate": { "maxSurge": "25%", "maxUnavailable": "25%" } })
    );
    assert_eq!(
        value["spec"]["template"]["spec"],
        json!({
            "containers": [{
                "name": "web", "image": "web:1", "imagePullPolicy": "IfNotPresent",
                "ports": [{ "containerPort": 80, "protocol": "TCP" }], "resources": {},
                "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File",
            }],
            "dnsPolicy": "ClusterFirst", "restartPolicy": "Always", "schedulerName": "default-scheduler",
            "securityContext": {}, "terminationGracePeriodSeconds": 30,
        })
    );
    assert_eq!(value["spec"]["replicas"], 1);
}

#[rstest]
#[case("web", "Always")]
#[case("reg:5000/web", "Always")]
#[case("web:latest", "Always")]
#[case("reg:5000/web:2", "IfNotPresent")]
#[case("web@sha256:00", "IfNotPresent")]
fn images_are_pulled_by_their_tag(#[case] image: &str, #[case] policy: &str) {
    let mut value = deployment();
    value["spec"]["template"]["spec"]["containers"][0]["image"] = json!(image);
    schema("apps", "v1", "deployments").complete(&mut value);
    assert_eq!(
        value["spec"]["template"]["spec"]["containers"][0]["imagePullPolicy"],
        policy
    );
}

#[rstest]
#[case("/spec/replicas", json!("three"), "json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32")]
#[case("/spec/template/spec/containers", json!({}), "json: cannot unmarshal object into Go struct field PodSpec.spec.template.spec.containers of type []v1.Container")]
fn what_go_cannot_decode_is_told_in_its_words(#[case] at: &str, #[case] wrong: Value, #[case] text: &str) {
    let mut value = deployment();
    value["spec"]["replicas"] = json!(1);
    *value.pointer_mut(at).unwrap() = wrong;
    let schema = schema("apps", "v1", "deployments");
    assert_eq!(schema.decode_error(&value).unwrap(), text);
}

#[test]
fn unknown_fields_are_named_and_dropped() {
    let mut value = deployment();
    value["spec"]["foo"] = json!(1);
    value["spec"]["template"]["spec"]["containers"][0]["bar"] = json!(1);
    let schema = schema("apps", "v1", "deployments");
    assert_eq!(
        schema.unknown_fields(&value),
        ["spec.foo", "spec.template.spec.containers[0].bar"]
    );
    schema.prune(&mut value);
    assert_eq!(value, deployment());
}

#[test]
fn a_missing_name_is_required() {
    let mut value = deployment();
    value["spec"]["template"]["spec"]["containers"][0] = json!({ "image": "web" });
    let errors = schema("apps", "v1", "deployments").validate(&value);
    assert_eq!(
        errors[0].to_string(),
        "spec.template.spec.containers[0].name: Required value"
    );
}

fn custom() -> Schema {
    let open = json!({
        "type": "object",
        "properties": { "spec": {
            "type": "object", "required": ["mode"],
            "properties": {
                "mode": { "type": "string", "enum": ["a", "b"], "default": "a" },
                "weight": { "type": "integer", "minimum": 0, "maximum": 100 },
                "replicas": { "x-kubernetes-int-or-string": true },
                "steps": { "type": "array", "maxItems": 2, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"],
                    "items": { "type": "object", "required": ["name"], "properties": { "name": { "type": "string", "pattern": "^[a-z]+$" } } } },
                "free": { "type": "object", "x-kubernetes-preserve-unknown-fields": true },
            },
        } },
    });
    Schema::custom(&open).unwrap()
}

#[rstest]
#[case(json!({ "weight": "x" }), "spec.weight: Invalid value: \"string\": spec.weight in body must be of type integer: \"string\"")]
#[case(json!({ "weight": 400 }), "spec.weight: Invalid value: 400: spec.weight in body should be less than or equal to 100")]
#[case(json!({ "mode": "c" }), "spec.mode: Unsupported value: \"c\": supported values: \"a\", \"b\"")]
#[case(json!({ "replicas": true }), "spec.replicas: Invalid value: \"boolean\": spec.replicas in body must be of type integer,string: \"boolean\"")]
#[case(json!({ "steps": [{ "name": "a" }, { "name": "a" }] }), "spec.steps[1]: Duplicate value: {\"name\":\"a\"}")]
#[case(json!({ "steps": [{ "name": "A" }] }), "spec.steps[0].name: Invalid value: \"A\": spec.steps[0].name in body should match '^[a-z]+$'")]
#[case(json!({ "steps": [{}] }), "spec.steps[0].name: Required value")]
fn custom_values_are_refused_in_the_real_words(#[case] spec: Value, #[case] text: &str) {
    let mut value = json!({ "apiVersion": "x/v1", "kind": "X", "metadata": { "name": "x" }, "spec": spec });
    let schema = custom();
    schema.complete(&mut value);
    let errors: Vec<String> = schema.validate(&value).iter().map(ToString::to_string).collect();
    assert_eq!(errors, [text]);
}

/// As Istio writes it: one of two, or neither.
#[rstest]
#[case::neither(json!({}), true)]
#[case::one(json!({ "exact": "/" }), true)]
#[case::the_other(json!({ "prefix": "/" }), true)]
#[case::both(json!({ "exact": "/", "prefix": "/" }), false)]
fn one_of_several_fields_may_be_there(#[case] path: Value, #[case] fits: bool) {
    let either = [json!({ "required": ["exact"] }), json!({ "required": ["prefix"] })];
    let open = json!({
        "type": "object",
        "properties": { "spec": { "type": "object",
            "properties": { "exact": { "type": "string" }, "prefix": { "type": "string" } },
            "oneOf": [{ "not": { "anyOf": either } }, either[0], either[1]],
        } },
    });
    let value = json!({ "metadata": { "name": "x" }, "spec": path });
    assert_eq!(Schema::custom(&open).unwrap().validate(&value).is_empty(), fits);
}

#[test]
fn custom_values_are_pruned_and_completed() {
    let mut value =
        json!({ "metadata": { "name": "x", "odd": 1 }, "spec": { "free": { "any": 1 }, "odd": 1 }, "odd": 1 });
    custom().prune(&mut value);
    custom().complete(&mut value);
    assert_eq!(
        value,
        json!({ "metadata": { "name": "x" }, "spec": { "free": { "any": 1 }, "mode": "a" } })
    );
}
