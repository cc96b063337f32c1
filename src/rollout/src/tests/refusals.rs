//! Rollouts that ask for what cannot be done: each is told so in its status, and nothing of the user's is touched.

use rstest::rstest;
use serde_json::{Value, json};

use super::model::Model;
use super::walkthrough::{hour, status, two_steps};
use crate::Kind;

fn rollout(patch: &Value) -> Model {
    let mut model = Model::new(two_steps());
    model.edit(Kind::Rollout, "rollouts-demo", |rollout| {
        json_patch::merge(&mut rollout["spec"], patch)
    });
    model
}

fn canary(patch: &Value) -> Value {
    json!({"strategy": {"canary": patch}})
}

#[rstest]
#[case::no_workload(json!({"workloadRef": {"apiVersion": "", "kind": "", "name": ""}}), "spec.workloadRef names no workload; give apiVersion, kind and name")]
#[case::in_place(canary(&json!({"enableExtraWorkloadForCanary": false})), "releasing a Deployment in place (partition) is not served yet; set spec.strategy.canary.enableExtraWorkloadForCanary: true")]
#[case::in_place_by_default(canary(&json!({"enableExtraWorkloadForCanary": null})), "releasing a Deployment in place (partition) is not served yet; set spec.strategy.canary.enableExtraWorkloadForCanary: true")]
#[case::another_kind(json!({"workloadRef": {"apiVersion": "apps.kruise.io/v1alpha1", "kind": "CloneSet", "name": "echoserver"}}), "releasing a CloneSet of apps.kruise.io/v1alpha1 is not served yet; only canary releases of an apps/v1 Deployment are")]
#[case::blue_green(json!({"strategy": {"canary": null, "blueGreen": {"steps": [{"replicas": 1}]}}}), "spec.strategy.blueGreen is not served yet; use spec.strategy.canary with enableExtraWorkloadForCanary: true")]
#[case::scripts(canary(&json!({"trafficRoutings": [{"service": "echoserver", "customNetworkRefs": [{"apiVersion": "apisix.apache.org/v2", "kind": "ApisixRoute", "name": "web"}]}]})), "trafficRoutings[0].customNetworkRefs: ApisixRoute is not served yet")]
#[case::one_of_two(canary(&json!({"trafficRoutings": [{"service": "echoserver", "ingress": {"name": "echoserver"}, "customNetworkRefs": [{"apiVersion": "apisix.apache.org/v2", "kind": "ApisixRoute", "name": "web"}]}]})), "trafficRoutings[0].customNetworkRefs: ApisixRoute is not served yet")]
#[case::class(canary(&json!({"trafficRoutings": [{"service": "echoserver", "ingress": {"name": "echoserver", "classType": "aliyun-alb"}}]})), "trafficRoutings[0].ingress.classType aliyun-alb is not served yet; nginx and higress are")]
#[case::no_canary_service(canary(&json!({"disableGenerateCanaryService": true})), "disableGenerateCanaryService leaves the routes with nothing to split traffic between; remove it, or name a VirtualService and a DestinationRule in customNetworkRefs")]
#[case::traffic_routing(canary(&json!({"trafficRoutingRef": "shared"})), "TrafficRouting shared cannot be used: TrafficRoutings are not served yet; remove the reference, and name the Ingress in trafficRoutings")]
#[case::modifier(canary(&json!({"steps": [{"replicas": 1, "traffic": "5%", "requestHeaderModifier": {"set": [{"name": "a", "value": "b"}]}}]})), "steps[0].requestHeaderModifier cannot be said to an Ingress; remove it")]
#[case::query(canary(&json!({"steps": [{"replicas": 1}, {"replicas": 1, "matches": [{"queryParams": [{"name": "a", "value": "b"}]}]}]})), "steps[1].matches[0] cannot be said to an Ingress: it cannot select by query parameters; remove queryParams")]
#[case::weight(canary(&json!({"steps": [{"replicas": 1, "traffic": "400%"}]})), "spec.strategy.canary.steps[0].traffic: Invalid value: \"400%\": 400% is not a share of traffic; write 0% to 100%")]
#[case::no_steps(canary(&json!({"steps": []})), "spec.strategy.canary.steps: Required value: a release needs at least one step")]
fn what_cannot_be_done_is_said_and_nothing_is_changed(#[case] patch: Value, #[case] says: &str) {
    let mut model = rollout(&patch);
    let before: Vec<_> = model
        .objects
        .clone()
        .into_iter()
        .filter(|((kind, _), _)| *kind != Kind::Rollout)
        .collect();
    model.run(hour());
    assert_eq!(status(&model)["message"], says);
    assert_eq!(status(&model)["phase"], "Initial");
    assert_eq!(status(&model)["observedGeneration"], 2);
    assert_eq!(model.log.len(), 2, "taken over, and told: {:?}", model.log);
    for ((kind, name), object) in before {
        assert_eq!(model.get(kind, &name).unwrap()["spec"], object["spec"], "{kind} {name}");
    }
    let writes = model.log.len();
    model.run(hour());
    assert_eq!(model.log.len(), writes, "told once");
}

#[test]
fn a_correction_is_followed() {
    let mut model = rollout(&canary(&json!({"enableExtraWorkloadForCanary": false})));
    model.run(hour());
    model.edit(Kind::Rollout, "rollouts-demo", |rollout| {
        rollout["spec"]["strategy"]["canary"]["enableExtraWorkloadForCanary"] = json!(true);
    });
    model.run(hour());
    assert_eq!(status(&model)["phase"], "Healthy");
    assert_eq!(status(&model)["observedGeneration"], 3);
}

#[test]
fn one_that_cannot_lead_can_still_be_disabled_and_deleted() {
    let mut model = rollout(&canary(&json!({"enableExtraWorkloadForCanary": false})));
    model.run(hour());
    model.edit(Kind::Rollout, "rollouts-demo", |rollout| {
        rollout["spec"]["disabled"] = json!(true)
    });
    model.run(hour());
    assert_eq!(status(&model)["phase"], "Disabled");
    assert_eq!(
        model.update_workload(|workload| workload["spec"]["template"]["spec"]["x"] = json!(1)),
        None
    );
    model.delete(Kind::Rollout, "rollouts-demo", crate::Propagation::Background);
    model.run(hour());
    assert_eq!(model.get(Kind::Rollout, "rollouts-demo"), None);
}

#[test]
fn labels_that_the_canarys_own_selector_would_not_find_are_named_before_the_first_pod() {
    let mut model = rollout(&canary(
        &json!({"patchPodTemplateMetadata": {"labels": {"app": "other"}}}),
    ));
    model.run(hour());
    model.set_image("v2");
    model.run(hour());
    assert_eq!(
        status(&model)["message"],
        "patchPodTemplateMetadata.labels[app] contradicts the selector of Deployment/default/echoserver; leave it out"
    );
    assert_eq!(status(&model)["conditions"][0]["reason"], "Initializing");
}

#[test]
fn an_ingress_without_a_path_to_the_service_is_named_before_the_first_pod() {
    let mut model = rollout(&json!({}));
    model.edit(Kind::Ingress, "echoserver", |ingress| {
        ingress["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"]["name"] = json!("other");
    });
    model.run(hour());
    model.set_image("v2");
    model.run(hour());
    assert_eq!(
        status(&model)["message"],
        "Ingress echoserver has no path to Service echoserver; add one, or correct trafficRoutings[0]"
    );
}
