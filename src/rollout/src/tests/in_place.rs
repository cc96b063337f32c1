//! A release behind a route that is edited in place: what is written, what the gateway reports, and who else writes the route meanwhile.

use jiff::SignedDuration;
use rstest::rstest;
use serde_json::{Value, json};

use super::front::{Front, weight};
use super::model::Model;
use super::walkthrough::{approve, healthy, healthy_behind, hour, inventory, state, status, two_steps};
use crate::Kind;

#[rstest]
fn the_route_is_edited_in_place_and_put_back(
    #[values(Front::Reported, Front::GrpcRoute, Front::VirtualService)] front: Front,
) {
    let mut model = healthy_behind(front, two_steps());
    let before = inventory(&model);
    model.set_image("v2");
    model.run(SignedDuration::from_millis(3_500));
    assert_eq!(weight(&model), 5, "the weight is written within 3.5 s of the change");
    model.run(hour());
    assert_eq!(state(&model), "Progressing 1 StepPaused weight 5");
    for step in ["Progressing 2 StepPaused weight 50", "Healthy 2 Completed weight 0"] {
        approve(&mut model);
        model.run(hour());
        assert_eq!(state(&model), step);
    }
    assert_eq!(inventory(&model), before);
    let patched = format!("patch {} echoserver ", front.kind());
    let routed: Vec<&str> = model
        .log
        .iter()
        .filter_map(|line| line.strip_prefix(&patched))
        .collect();
    assert_eq!(routed.len(), 3, "two steps and the way back: {routed:?}");
}

#[rstest]
fn a_step_is_reached_a_grace_after_the_gateway_reports_and_not_before(
    #[values(Front::Reported, Front::GrpcRoute)] front: Front,
) {
    let mut model = healthy_behind(front, two_steps());
    model.front = Front::HttpRoute;
    model.set_image("v2");
    model.run(hour());
    assert_eq!(state(&model), "Progressing 1 StepUpgrade weight 5");
    let message = status(&model)["message"].clone();
    assert_eq!(
        message,
        format!(
            "Rollout is in step(1/2), and route traffic to new version: {} echoserver: its controller has taken in generation 1 of 2",
            front.kind()
        )
    );
    model.front = front;
    model.run(SignedDuration::from_millis(2_900));
    assert_eq!(state(&model), "Progressing 1 StepTrafficRouting weight 5");
    model.run(SignedDuration::from_secs(1));
    assert_eq!(state(&model), "Progressing 1 StepPaused weight 5");
}

#[rstest]
fn the_canary_stays_until_the_gateway_reports_that_nobody_is_led_there(
    #[values(Front::Reported, Front::GrpcRoute)] front: Front,
) {
    let mut model = healthy_behind(front, two_steps());
    model.set_image("v2");
    model.run(hour());
    model.front = Front::HttpRoute;
    model.set_image("v1");
    model.run(hour());
    assert_eq!(weight(&model), 0);
    let canaries = |model: &Model| {
        let names = model.objects.keys().filter(|(kind, _)| *kind == Kind::Deployment);
        names.count() - 1
    };
    assert_eq!(canaries(&model), 1, "it still gets requests");
    model.front = front;
    model.run(hour());
    assert_eq!(canaries(&model), 0);
    assert_eq!(state(&model), "Healthy 1 Completed weight 0");
}

#[rstest]
fn a_weight_that_somebody_takes_back_is_written_again_and_the_original_is_still_known(
    #[values(Front::Reported, Front::GrpcRoute, Front::VirtualService)] front: Front,
) {
    let [rules, _, backends] = front.fields();
    let mut model = healthy_behind(front, two_steps());
    let before = inventory(&model);
    model.set_image("v2");
    model.run(hour());
    model.edit(front.kind(), "echoserver", |route| {
        route["spec"][rules] = front.pristine()
    });
    model.run(hour());
    assert_eq!(state(&model), "Progressing 1 StepPaused weight 5");
    model.edit(front.kind(), "echoserver", |route| {
        route["spec"][rules][0][backends] = json!([front.backend("echoserver", Some(8))]);
    });
    model.run(hour());
    assert_eq!(state(&model), "Progressing 1 StepPaused weight 5");
    model.set_image("v1");
    model.run(hour());
    let mut left = inventory(&model);
    for (_, _, object) in left.iter_mut().filter(|(kind, _, _)| *kind == front.kind()) {
        assert_eq!(
            object[0][rules][0][backends][0]["weight"], 8,
            "what the owner wrote last"
        );
        object[0][rules][0][backends][0]["weight"] = json!(37);
    }
    assert_eq!(left, before);
}

#[rstest]
fn no_weight_stays_on_a_service_that_nobody_is_behind(
    #[values(Front::Reported, Front::GrpcRoute, Front::VirtualService)] front: Front,
) {
    let mut model = healthy_behind(front, two_steps());
    model.set_image("v2");
    model.run(hour());
    model.bad_image = Some("v2");
    model.run(hour());
    assert_eq!(state(&model), "Progressing 1 StepPaused weight 0");
    model.bad_image = None;
    model.run(hour());
    assert_eq!(state(&model), "Progressing 1 StepPaused weight 5");
}

#[test]
fn a_step_that_the_route_cannot_show_is_told_before_the_first_pod() {
    let mut model = healthy_behind(
        Front::HttpRoute,
        json!([{"traffic": "50%", "replicas": 1, "pause": {}}, {"traffic": "55%", "replicas": 3, "pause": {}}]),
    );
    model.edit(Kind::HttpRoute, "echoserver", |route| {
        route["spec"]["rules"][1]["backendRefs"][1]["weight"] = json!(10);
    });
    model.set_image("v2");
    model.run(hour());
    insta::assert_snapshot!(status(&model)["message"].as_str().unwrap(), @"steps[1]: HTTPRoute echoserver cannot be split: spec.rules[1] gives Service echoserver the weight 10 beside other backends, and 55% of that is not whole; multiply all weights of the rule by 100");
    let deployments = model.objects.keys().filter(|(kind, _)| *kind == Kind::Deployment);
    assert_eq!(deployments.count(), 1);
    model.edit(Kind::HttpRoute, "echoserver", |route| {
        route["spec"]["rules"] = Front::HttpRoute.pristine()
    });
    model.run(hour());
    assert_eq!(state(&model), "Progressing 1 StepPaused weight 50");
}

/// An HTTPRoute in front of the Service that an Ingress is in front of, and the Rollout led over to it.
fn move_to_a_route(model: &mut Model) {
    let spec = json!({"parentRefs": [{"name": "door"}], "rules": Front::HttpRoute.pristine()});
    model.insert(
        Kind::HttpRoute,
        json!({"metadata": {"name": "echoserver"}, "spec": spec}),
    );
    model.edit(Kind::Rollout, "rollouts-demo", |rollout| {
        rollout["spec"]["strategy"]["canary"]["trafficRoutings"][0] =
            json!({"service": "echoserver", "gracePeriodSeconds": 3, "gateway": {"httpRouteName": "echoserver"}});
    });
    model.run(hour());
}

#[test]
fn between_two_releases_a_rollout_moves_from_an_ingress_to_a_route() {
    let mut model = healthy(two_steps());
    model.set_image("v2");
    for step in [
        "Progressing 1 StepPaused weight 5",
        "Progressing 2 StepPaused weight 50",
    ] {
        model.run(hour());
        assert_eq!(state(&model), step);
        approve(&mut model);
    }
    model.run(hour());
    move_to_a_route(&mut model);
    let before = inventory(&model);
    model.set_image("v3");
    model.run(hour());
    assert_eq!(state(&model), "Progressing 1 StepPaused weight 5");
    assert_eq!(model.get(Kind::Ingress, "echoserver-canary"), None);
    model.set_image("v2");
    model.run(hour());
    assert_eq!(inventory(&model), before);
}

#[test]
fn in_the_middle_of_a_release_the_ingress_is_given_back_and_the_route_led_instead() {
    let mut model = healthy(two_steps());
    model.set_image("v2");
    model.run(hour());
    assert!(model.get(Kind::Ingress, "echoserver-canary").is_some());
    move_to_a_route(&mut model);
    assert_eq!(model.get(Kind::Ingress, "echoserver-canary"), None);
    assert_eq!(weight(&model), 5);
    model.set_image("v1");
    model.run(hour());
    assert_eq!(state(&model), "Healthy 1 Completed weight 0");
    let route = model.get(Kind::HttpRoute, "echoserver").unwrap();
    assert_eq!(route["spec"]["rules"], Front::HttpRoute.pristine());
}

#[rstest]
#[case::with_a_weight_after_them(json!({"traffic": "50%", "replicas": 3, "pause": {}}), 50)]
#[case::with_nothing_after_them(json!({"replicas": 3, "pause": {}}), 0)]
fn selected_requests_have_a_rule_for_as_long_as_the_step_lasts(#[case] next: Value, #[case] shows: i64) {
    let selected = json!({"matches": [{"headers": [{"name": "user", "value": "beta"}]}], "replicas": 1, "pause": {},
        "requestHeaderModifier": {"set": [{"name": "x-version", "value": "new"}]}});
    let mut model = healthy_behind(Front::Reported, json!([selected, next]));
    let before = inventory(&model);
    model.set_image("v2");
    model.run(hour());
    let rules = model.get(Kind::HttpRoute, "echoserver").unwrap()["spec"]["rules"].clone();
    let pristine = Front::HttpRoute.pristine();
    assert_eq!(
        [&rules[1], &rules[3], &rules[4]],
        [&pristine[0], &pristine[1], &pristine[2]]
    );
    assert_eq!(
        rules[0],
        json!({
            "matches": [{"path": {"type": "PathPrefix", "value": "/"}, "headers": [{"type": "Exact", "name": "user", "value": "beta"}]}],
            "filters": [{"type": "RequestHeaderModifier", "requestHeaderModifier": {"set": [{"name": "x-version", "value": "new"}]}}],
            "backendRefs": [{"name": "echoserver-canary", "port": 80, "weight": 1}],
        })
    );
    assert_eq!(rules[2]["matches"][0]["path"]["value"], "/both");
    approve(&mut model);
    model.run(hour());
    assert_eq!(state(&model), format!("Progressing 2 StepPaused weight {shows}"));
    let rules = model.get(Kind::HttpRoute, "echoserver").unwrap()["spec"]["rules"].clone();
    assert_eq!(rules.as_array().unwrap().len(), 3);
    approve(&mut model);
    model.run(hour());
    assert_eq!(inventory(&model), before);
}

/// Another Rollout leads the Service that shares a rule with the echoserver.
#[rstest]
fn two_rollouts_on_one_route_end_one_after_the_other(
    #[values(Front::Reported, Front::GrpcRoute, Front::VirtualService)] front: Front,
) {
    let mut model = healthy_behind(front, two_steps());
    let copy = |model: &mut Model, kind: Kind, from: &str, to: &str, change: &dyn Fn(&mut Value)| {
        let mut object = model.get(kind, from).unwrap().clone();
        object["metadata"] = json!({"name": to});
        object["status"] = Value::Null;
        change(&mut object);
        model.insert(kind, object);
    };
    copy(&mut model, Kind::Service, "echoserver", "other", &|service| {
        service["spec"]["selector"] = json!({"app": "other"})
    });
    copy(&mut model, Kind::Deployment, "echoserver", "other", &|workload| {
        workload["spec"]["selector"]["matchLabels"] = json!({"app": "other"});
        workload["spec"]["template"]["metadata"]["labels"] = json!({"app": "other"});
    });
    copy(&mut model, Kind::Rollout, "rollouts-demo", "other-demo", &|rollout| {
        rollout["spec"]["workloadRef"]["name"] = json!("other");
        rollout["spec"]["strategy"]["canary"]["trafficRoutings"][0]["service"] = json!("other");
    });
    model.run(hour());
    let before = inventory(&model);
    for name in ["echoserver", "other"] {
        model.set_image_of(name, "v2");
        model.run(hour());
    }
    let weights = |model: &Model| -> Vec<i64> {
        let [.., backends] = front.fields();
        let backends = front.rules(model).unwrap()[1][backends].as_array().unwrap().iter();
        backends.map(|backend| backend["weight"].as_i64().unwrap()).collect()
    };
    assert_eq!(weights(&model), [475, 25, 475, 25]);
    model.set_image_of("other", "v1");
    model.run(hour());
    assert_eq!(weights(&model), [500, 475, 25]);
    model.set_image_of("echoserver", "v1");
    model.run(hour());
    assert_eq!(inventory(&model), before);
}

#[rstest]
fn a_route_that_goes_while_the_step_pauses_is_told_of_at_once_and_led_again_when_it_is_back(
    #[values(Front::Ingress, Front::Reported, Front::GrpcRoute, Front::VirtualService)] front: Front,
) {
    let mut model = healthy_behind(front, two_steps());
    model.set_image("v2");
    model.run(hour());
    let paused = status(&model)["message"].clone();
    let route = model.get(front.kind(), "echoserver").unwrap().clone();
    model.delete(front.kind(), "echoserver", crate::Propagation::Background);
    model.run(hour());
    let now = status(&model);
    assert_eq!(now["currentStepState"], "StepPaused");
    let said = format!(
        "Rollout is in step(1/2), and you need manually confirm to enter the next step, but its traffic cannot be routed: {} default/echoserver is not found",
        front.kind()
    );
    assert!(
        now["message"].as_str().unwrap().starts_with(&said),
        "{}",
        now["message"]
    );
    assert_eq!(now["conditions"][0]["message"], now["message"]);
    model.insert(
        front.kind(),
        json!({"metadata": {"name": "echoserver"}, "spec": route["spec"]}),
    );
    model.run(hour());
    assert_eq!(status(&model)["message"], paused);
    assert_eq!(status(&model)["conditions"][0]["message"], "Rollout is in Progressing");
    assert_eq!(state(&model), "Progressing 1 StepPaused weight 5");
}
