//! Edits in the middle of a release that pull its objects from under it: other routes, another workload, a plan that cannot be led.

use rstest::rstest;
use serde_json::{Value, json};

use super::front::weight;
use super::model::Model;
use super::walkthrough::{approve, healthy, hour, inventory, state, status, two_steps};
use crate::{Kind, Propagation};

fn paused() -> Model {
    let mut model = healthy(two_steps());
    let copy = |model: &mut Model, kind, name: &str| {
        let mut object = model.get(kind, "echoserver").unwrap().clone();
        object["metadata"] = json!({"name": name});
        model.insert(kind, object);
    };
    copy(&mut model, Kind::Service, "front");
    copy(&mut model, Kind::Ingress, "front");
    copy(&mut model, Kind::Deployment, "second");
    model.edit(Kind::Deployment, "second", |second| {
        second["spec"]["template"]["metadata"]["labels"] = json!({"app": "second"});
    });
    model.edit(Kind::Ingress, "front", |ingress| {
        ingress["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"]["name"] = json!("front");
    });
    model.set_image("v2");
    model.run(hour());
    assert_eq!(state(&model), "Progressing 1 StepPaused weight 5");
    model
}

fn spec(model: &mut Model, patch: &Value) {
    model.edit(Kind::Rollout, "rollouts-demo", |rollout| {
        json_patch::merge(&mut rollout["spec"], patch)
    });
}

fn routes(routings: &Value) -> Value {
    json!({"strategy": {"canary": {"trafficRoutings": routings}}})
}

fn front_weight(model: &Model) -> Value {
    let ingress = model.get(Kind::Ingress, "front-canary");
    ingress.map_or(Value::Null, |ingress| {
        ingress["metadata"]["annotations"]["nginx.ingress.kubernetes.io/canary-weight"].clone()
    })
}

fn narrowed(model: &Model, service: &str) -> bool {
    model.get(Kind::Service, service).unwrap()["spec"]["selector"]
        .get("pod-template-hash")
        .is_some()
}

#[test]
fn other_routes_take_the_place_of_those_before() {
    let mut model = paused();
    model.log.clear();
    spec(
        &mut model,
        &routes(&json!([{"service": "front", "ingress": {"name": "front"}}])),
    );
    model.run(hour());
    assert_eq!(model.log[0], "delete Ingress echoserver-canary", "the route goes first");
    assert!(!narrowed(&model, "echoserver"));
    assert_eq!(model.get(Kind::Service, "echoserver-canary"), None);
    assert!(narrowed(&model, "front"));
    assert_eq!(front_weight(&model), "5");
    assert_eq!(status(&model)["canaryStatus"]["currentStepState"], "StepPaused");
    approve(&mut model);
    model.run(hour());
    assert_eq!(front_weight(&model), "50");
    approve(&mut model);
    model.run(hour());
    assert_eq!(status(&model)["phase"], "Healthy");
    assert!(!narrowed(&model, "front"));
    assert_eq!(model.get(Kind::Ingress, "front-canary"), None);
}

#[test]
fn another_ingress_before_the_same_service_keeps_the_service_narrow() {
    let mut model = paused();
    let mut second = model.get(Kind::Ingress, "echoserver").unwrap().clone();
    second["metadata"] = json!({"name": "front"});
    model.delete(Kind::Ingress, "front", Propagation::Background);
    model.insert(Kind::Ingress, second);
    model.log.clear();
    spec(
        &mut model,
        &routes(&json!([{"service": "echoserver", "ingress": {"name": "front"}}])),
    );
    model.run(hour());
    assert_eq!(weight(&model), 0);
    assert_eq!(front_weight(&model), "5");
    assert!(
        !model.log.iter().any(|line| line.contains("Service")),
        "{:#?}",
        model.log
    );
}

#[test]
fn routes_that_are_taken_out_leave_nothing() {
    let mut model = paused();
    spec(&mut model, &routes(&Value::Null));
    model.run(hour());
    assert_eq!(state(&model), "Progressing 1 StepPaused weight 0");
    assert_eq!(model.get(Kind::Ingress, "echoserver-canary"), None);
    assert_eq!(model.get(Kind::Service, "echoserver-canary"), None);
    assert!(!narrowed(&model, "echoserver"));
}

#[rstest]
#[case::deleted("delete")]
#[case::disabled("disable")]
#[case::rolled_back("roll back")]
fn a_release_whose_routes_were_just_changed_is_given_back_whole(#[case] end: &str) {
    let mut model = paused();
    spec(
        &mut model,
        &routes(&json!([{"service": "front", "ingress": {"name": "front"}}])),
    );
    match end {
        "delete" => model.delete(Kind::Rollout, "rollouts-demo", Propagation::Background),
        "disable" => spec(&mut model, &json!({"disabled": true})),
        _ => model.set_image("v1"),
    }
    model.run(hour());
    assert!(!narrowed(&model, "echoserver"));
    for kind in [Kind::Ingress, Kind::Service] {
        assert_eq!(model.get(kind, "echoserver-canary"), None, "{kind}");
    }
    let workload = model.get(Kind::Deployment, "echoserver").unwrap();
    assert_eq!(workload["spec"].get("paused"), None);
}

#[rstest]
#[case::another_router(routes(&json!([{"service": "echoserver", "customNetworkRefs": [{"apiVersion": "apisix.apache.org/v2", "kind": "ApisixRoute", "name": "web"}]}])))]
#[case::in_place(json!({"strategy": {"canary": {"enableExtraWorkloadForCanary": false}}}))]
#[case::blue_green(json!({"strategy": {"canary": null, "blueGreen": {"steps": [{"replicas": 1}]}}}))]
fn a_release_whose_plan_can_no_longer_be_led_holds_and_can_be_given_back(#[case] patch: Value) {
    let mut model = paused();
    spec(&mut model, &patch);
    model.run(hour());
    assert_eq!(state(&model), "Progressing 1 StepPaused weight 5");
    assert!(status(&model)["message"].as_str().unwrap().contains("not served yet"));
    model.delete(Kind::Rollout, "rollouts-demo", Propagation::Background);
    model.run(hour());
    assert_eq!(model.get(Kind::Rollout, "rollouts-demo"), None);
    assert_eq!(model.get(Kind::Ingress, "echoserver-canary"), None);
    assert!(!narrowed(&model, "echoserver"));
}

#[test]
fn a_rollout_that_turns_to_another_workload_gives_the_first_one_back() {
    let mut model = paused();
    model.log.clear();
    spec(&mut model, &json!({"workloadRef": {"name": "second"}}));
    model.run(hour());
    let first = model.get(Kind::Deployment, "echoserver").unwrap();
    assert_eq!(first["spec"].get("paused"), None);
    assert_eq!(first["metadata"]["annotations"], json!({}));
    assert!(!narrowed(&model, "echoserver"));
    let canaries = model
        .objects
        .keys()
        .filter(|(kind, _)| *kind == Kind::Deployment)
        .count();
    assert_eq!(canaries, 2, "the two of the user's");
    assert_eq!(model.get(Kind::BatchRelease, "rollouts-demo"), None);
    assert_eq!(status(&model)["phase"], "Healthy");
    let second = model.get(Kind::Deployment, "second").unwrap();
    assert_eq!(
        second["metadata"]["labels"]["rollouts.kruise.io/workload-type"],
        "deployment"
    );
    let revision = api::hash::template_revision(&second["spec"]["template"]);
    assert_eq!(status(&model)["canaryStatus"]["canaryRevision"], revision);
}

#[test]
fn a_healthy_rollout_that_turns_to_another_workload_forgets_the_first() {
    let mut model = healthy(two_steps());
    let before = inventory(&model);
    spec(&mut model, &json!({"workloadRef": {"name": "nobody"}}));
    model.run(hour());
    assert_eq!(status(&model)["message"], "Workload Not Found");
    assert_eq!(status(&model)["phase"], "Initial");
    spec(&mut model, &json!({"workloadRef": {"name": "echoserver"}}));
    model.run(hour());
    assert_eq!(status(&model)["phase"], "Healthy");
    assert_eq!(inventory(&model), before);
}

#[rstest]
#[case::before_the_clean_up(0)]
#[case::in_the_clean_up(1)]
fn a_third_image_at_the_very_end_walks_the_steps_too(#[case] decisions: usize) {
    let mut model = paused();
    approve(&mut model);
    model.run(hour());
    approve(&mut model);
    for _ in 0..=decisions {
        let plan = model.plan();
        for write in &plan.writes {
            model.apply(write);
        }
        model.play();
    }
    assert_eq!(status(&model)["conditions"][0]["reason"], "Finalising");
    model.set_image("v3");
    model.run(hour());
    if decisions == 0 {
        assert_eq!(state(&model), "Progressing 1 StepPaused weight 5");
        let stable = model.get(Kind::Deployment, "echoserver").unwrap();
        assert_eq!(stable["status"]["updatedReplicas"], 0, "no pod of it was made unseen");
    } else {
        assert!(matches!(
            status(&model)["phase"].as_str(),
            Some("Progressing" | "Healthy")
        ));
    }
}

#[test]
fn going_back_to_the_version_that_was_being_taken_away_is_no_approval() {
    let mut model = paused();
    model.set_image("v3");
    let plan = model.plan();
    for write in &plan.writes {
        model.apply(write);
    }
    assert_eq!(status(&model)["message"], "Workload is continuous release");
    assert_eq!(status(&model)["conditions"][0]["reason"], "Initializing");
    model.set_image("v2");
    model.run(hour());
    assert_eq!(state(&model), "Progressing 1 StepPaused weight 5");
    assert_eq!(status(&model)["canaryStatus"]["finalisingStep"], "");
    model.set_image("v3");
    model.run(hour());
    assert_eq!(state(&model), "Progressing 1 StepPaused weight 5");
}
