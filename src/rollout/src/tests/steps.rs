//! What a step may ask for: pods alone, a weight, a header; and what it says when it does not come about.

use jiff::SignedDuration;
use rstest::rstest;
use serde_json::{Value, json};

use super::front::weight;
use super::model::Model;
use super::walkthrough::{approve, healthy, hour, inventory, state, status, two_steps};
use crate::Kind;

fn released(steps: Value) -> Model {
    let mut model = healthy(steps);
    model.set_image("v2");
    model.run(hour());
    model
}

fn canary(model: &Model) -> &Value {
    let mut deployments = model
        .objects
        .iter()
        .filter(|((kind, name), _)| *kind == Kind::Deployment && name != "echoserver");
    deployments.next().unwrap().1
}

fn selector(model: &Model) -> &Value {
    &model.get(Kind::Service, "echoserver").unwrap()["spec"]["selector"]
}

#[test]
fn a_step_of_pods_alone_routes_nothing_and_leaves_the_service_open() {
    let mut model = healthy(json!([
        {"replicas": 1, "pause": {}},
        {"replicas": 2, "traffic": "20%", "pause": {}},
        {"replicas": "60%", "pause": {}},
    ]));
    let before = inventory(&model);
    model.set_image("v2");
    model.run(hour());
    assert_eq!(state(&model), "Progressing 1 StepPaused weight 0");
    assert_eq!(selector(&model), &json!({"app": "echoserver"}));
    approve(&mut model);
    model.run(hour());
    assert_eq!(state(&model), "Progressing 2 StepPaused weight 20");
    assert!(selector(&model).get("pod-template-hash").is_some());
    approve(&mut model);
    model.run(hour());
    assert_eq!(state(&model), "Progressing 3 StepPaused weight 0");
    assert_eq!(model.get(Kind::Ingress, "echoserver-canary"), None);
    assert_eq!(selector(&model), &json!({"app": "echoserver"}));
    assert_eq!(canary(&model)["spec"]["replicas"], 3);
    approve(&mut model);
    model.run(hour());
    assert_eq!(inventory(&model), before);
}

#[test]
fn a_rollout_without_routes_walks_pods_alone_whatever_its_steps_say_of_traffic() {
    let mut model = Model::new(two_steps());
    model.edit(Kind::Rollout, "rollouts-demo", |rollout| {
        rollout["spec"]["strategy"]["canary"]["trafficRoutings"] = json!([]);
    });
    model.run(hour());
    let before = inventory(&model);
    model.set_image("v2");
    model.run(SignedDuration::ZERO);
    assert_eq!(
        state(&model),
        "Progressing 1 StepPaused weight 0",
        "nothing has to settle"
    );
    approve(&mut model);
    model.run(hour());
    assert_eq!(canary(&model)["spec"]["replicas"], 3);
    approve(&mut model);
    model.run(hour());
    assert_eq!(inventory(&model), before);
}

#[test]
fn headers_then_weight_then_headers() {
    let header = json!([{"headers": [{"name": "user", "value": "me"}]}]);
    let mut model = released(json!([
        {"replicas": 1, "matches": header, "pause": {}},
        {"replicas": 2, "traffic": "20%", "pause": {}},
        {"replicas": 3, "matches": header, "traffic": "50%", "pause": {}},
    ]));
    let said = |model: &Model| {
        let ingress = model.get(Kind::Ingress, "echoserver-canary").unwrap();
        let annotations = ingress["metadata"]["annotations"].as_object().unwrap();
        let said = annotations
            .iter()
            .map(|(key, value)| format!("{}={}", key.rsplit('/').next().unwrap(), value.as_str().unwrap()));
        said.collect::<Vec<_>>().join(" ")
    };
    assert_eq!(
        said(&model),
        "canary=true canary-by-header=user canary-by-header-value=me"
    );
    approve(&mut model);
    model.run(hour());
    assert_eq!(said(&model), "canary=true canary-weight=20");
    approve(&mut model);
    model.run(hour());
    assert_eq!(
        said(&model),
        "canary=true canary-by-header=user canary-by-header-value=me"
    );
}

#[rstest]
#[case::all_of_them(json!("100%"), "Healthy 1 Completed weight 0")]
#[case::nearly_all(json!("99%"), "Progressing 1 StepPaused weight 100")]
#[case::as_a_number(json!(5), "Progressing 1 StepPaused weight 100")]
fn only_a_last_step_of_100_percent_ends_by_itself(#[case] replicas: Value, #[case] ends: &str) {
    let model = released(json!([{"replicas": replicas, "traffic": "100%", "pause": {}}]));
    assert_eq!(state(&model), ends);
}

#[test]
fn a_pause_of_nothing_is_none() {
    let model = released(json!([
        {"replicas": 1, "traffic": "5%", "pause": {"duration": 0}},
        {"replicas": 2, "traffic": "50%", "pause": {}},
    ]));
    assert_eq!(state(&model), "Progressing 2 StepPaused weight 50");
}

#[rstest]
#[case::not_said(Value::Null, 3)]
#[case::none(json!(0), 3)]
#[case::longer(json!(7), 7)]
fn the_grace_is_waited_before_and_after_the_weight(#[case] seconds: Value, #[case] grace: i64) {
    let mut model = Model::new(two_steps());
    model.edit(Kind::Rollout, "rollouts-demo", |rollout| {
        rollout["spec"]["strategy"]["canary"]["trafficRoutings"][0]["gracePeriodSeconds"] = seconds;
    });
    model.run(hour());
    model.set_image("v2");
    let almost = SignedDuration::from_millis(grace * 1000 - 1);
    model.run(almost);
    assert_eq!(weight(&model), 0, "the routers see the pods first");
    model.run(SignedDuration::from_millis(1));
    assert_eq!(weight(&model), 5);
    model.run(almost);
    assert_eq!(
        state(&model),
        "Progressing 1 StepTrafficRouting weight 5",
        "the routers follow"
    );
    model.run(SignedDuration::from_millis(1));
    assert_eq!(state(&model), "Progressing 1 StepPaused weight 5");
}

#[test]
fn less_traffic_is_not_kept_waiting_by_pods_that_do_not_come() {
    let mut model = released(two_steps());
    approve(&mut model);
    model.run(hour());
    assert_eq!(state(&model), "Progressing 2 StepPaused weight 50");
    model.bad_image = Some("v2");
    model.edit(Kind::Rollout, "rollouts-demo", |rollout| {
        rollout["status"]["canaryStatus"]["nextStepIndex"] = json!(1);
    });
    model.run(hour());
    assert_eq!(
        state(&model),
        "Progressing 1 StepUpgrade weight 0",
        "none of them is ready"
    );
}

#[test]
fn labels_and_annotations_go_to_the_canarys_pods_alone() {
    let mut model = Model::new(two_steps());
    model.edit(Kind::Rollout, "rollouts-demo", |rollout| {
        rollout["spec"]["strategy"]["canary"]["patchPodTemplateMetadata"] =
            json!({"labels": {"track": "canary"}, "annotations": {"note": "new"}});
    });
    model.run(hour());
    model.set_image("v2");
    model.run(hour());
    assert_eq!(state(&model), "Progressing 1 StepPaused weight 5");
    let metadata = &canary(&model)["spec"]["template"]["metadata"];
    let id = &status(&model)["canaryStatus"]["observedRolloutID"];
    let labels = json!({"app": "echoserver", "track": "canary", "rollouts.kruise.io/rollout-id": id});
    assert_eq!(metadata["labels"], labels);
    assert_eq!(metadata["annotations"], json!({"note": "new"}));
    let stable = &model.get(Kind::Deployment, "echoserver").unwrap()["spec"]["template"]["metadata"];
    assert_eq!(stable["labels"], json!({"app": "echoserver"}));
    let release = &model.get(Kind::BatchRelease, "rollouts-demo").unwrap()["spec"]["releasePlan"];
    assert_eq!(release["patchPodTemplateMetadata"]["labels"]["track"], "canary");
}

#[rstest]
#[case::a_revision(json!({}), None)]
#[case::a_label(json!({"labels": {"rollouts.kruise.io/rollout-id": "r-2026.11"}}), Some("r-2026.11"))]
#[case::an_annotation(json!({"annotations": {"rollouts.kruise.io/rollout-id": "r7"}}), Some("r7"))]
#[case::no_label_value(json!({"annotations": {"rollouts.kruise.io/rollout-id": "not a label"}}), Some("not a label"))]
fn the_id_of_the_release_is_on_its_pods_where_it_can_be(#[case] metadata: Value, #[case] id: Option<&str>) {
    let mut model = healthy(two_steps());
    let refused = model.update_workload(|workload| {
        json_patch::merge(&mut workload["metadata"], &metadata);
        workload["spec"]["template"]["spec"]["containers"][0]["image"] = json!("v2");
    });
    assert_eq!(refused, None);
    model.run(hour());
    assert_eq!(state(&model), "Progressing 1 StepPaused weight 5");
    let observed = status(&model)["canaryStatus"]["observedRolloutID"].clone();
    assert_eq!(
        observed,
        id.map_or(status(&model)["canaryStatus"]["canaryRevision"].clone(), |id| json!(id))
    );
    let labelled = canary(&model)["spec"]["template"]["metadata"]["labels"].get("rollouts.kruise.io/rollout-id");
    assert_eq!(labelled, Some(&observed).filter(|_| id != Some("not a label")));
}

#[test]
fn a_canary_that_is_lost_while_it_grows_is_made_again_after_its_route_is_gone() {
    let mut model = released(two_steps());
    model.log.clear();
    model.bad_image = Some("v2");
    approve(&mut model);
    model.run(SignedDuration::from_secs(20));
    assert_eq!(state(&model), "Progressing 2 StepUpgrade weight 0");
    let name = canary(&model)["metadata"]["name"].as_str().unwrap().to_owned();
    model.delete(Kind::Deployment, &name, crate::Propagation::Background);
    model.run(hour());
    let ends = |line: &&String| line.contains("Ingress") || line.ends_with(&format!("{name} -0"));
    let order: Vec<&String> = model.log.iter().filter(ends).collect();
    assert_eq!(order[0], "delete Ingress echoserver-canary");
    assert_eq!(order[1], &format!("patch Deployment {name} -0"));
    model.bad_image = None;
    model.run(hour());
    assert_eq!(state(&model), "Progressing 2 StepPaused weight 50");
}

#[rstest]
#[case::and_no_more(None)]
#[case::with_another_version(Some("v3"))]
fn enabled_again_before_everything_is_given_back(#[case] image: Option<&str>) {
    let mut model = released(two_steps());
    let disable = |model: &mut Model, disabled: bool| {
        model.edit(Kind::Rollout, "rollouts-demo", |rollout| {
            rollout["spec"]["disabled"] = json!(disabled)
        });
    };
    disable(&mut model, true);
    let plan = model.plan();
    assert!(plan.writes.iter().all(|write| model.apply(write)));
    assert_eq!(status(&model)["phase"], "Disabling");
    disable(&mut model, false);
    if let Some(image) = image {
        model.set_image(image);
    }
    model.run(hour());
    match image {
        None => {
            assert_eq!(state(&model), "Healthy 1 Completed weight 0");
            assert_eq!(
                model
                    .objects
                    .keys()
                    .filter(|(kind, _)| *kind == Kind::Deployment)
                    .count(),
                1
            );
            assert_eq!(selector(&model), &json!({"app": "echoserver"}));
        }
        Some(_) => assert_eq!(state(&model), "Progressing 1 StepPaused weight 5"),
    }
}

#[test]
fn pods_that_do_not_come_are_told_of_in_the_condition_until_they_do() {
    let mut model = healthy(two_steps());
    model.bad_image = Some("v2");
    model.set_image("v2");
    model.run(SignedDuration::from_secs(60));
    let name = canary(&model)["metadata"]["name"].as_str().unwrap().to_owned();
    model.complaint = Some("ReplicaSet \"x\" has timed out progressing.");
    model.run(hour());
    let message = format!(
        "Rollout is in step(1/2), and upgrade workload to new version: 0 of 1 new pods are available; Deployment {name}: ReplicaSet \"x\" has timed out progressing."
    );
    assert_eq!(status(&model)["message"], message);
    let condition = status(&model)["conditions"][0].clone();
    assert_eq!(
        (&condition["type"], &condition["reason"]),
        (&json!("Progressing"), &json!("InRolling"))
    );
    assert_eq!(condition["message"], message);
    model.bad_image = None;
    model.complaint = None;
    model.run(hour());
    assert_eq!(state(&model), "Progressing 1 StepPaused weight 5");
    assert_eq!(status(&model)["conditions"][0]["message"], "Rollout is in Progressing");
}

#[rstest]
#[case::none(Value::Null, false)]
#[case::one(json!(1), true)]
#[case::no_share(json!("0%"), false)]
#[case::a_share_rounded_up(json!("20%"), true)]
#[case::nonsense(json!(-3), false)]
fn as_many_pods_may_be_unready_as_the_rollout_says(#[case] threshold: Value, #[case] goes_on: bool) {
    let mut model = Model::new(json!([{"replicas": 2, "traffic": "5%", "pause": {}}]));
    model.edit(Kind::Rollout, "rollouts-demo", |rollout| {
        rollout["spec"]["strategy"]["canary"]["failureThreshold"] = threshold;
    });
    model.run(hour());
    model.set_image("v2");
    model.unready_pods = 1;
    model.run(hour());
    let expected = if goes_on {
        "Progressing 1 StepPaused weight 5"
    } else {
        "Progressing 1 StepUpgrade weight 0"
    };
    assert_eq!(state(&model), expected);
}

#[test]
fn a_workload_without_pods_holds_the_release_and_goes_on_when_it_has_some() {
    let mut model = released(two_steps());
    let scale = |model: &mut Model, replicas: i64| {
        model.edit(Kind::Deployment, "echoserver", |object| {
            object["spec"]["replicas"] = json!(replicas)
        });
        model.run(hour());
    };
    scale(&mut model, 0);
    assert_eq!(state(&model), "Progressing 1 StepPaused weight 5");
    scale(&mut model, 4);
    approve(&mut model);
    model.run(hour());
    assert_eq!(state(&model), "Progressing 2 StepPaused weight 50");
    assert_eq!(canary(&model)["spec"]["replicas"], 2);
    scale(&mut model, 0);
    model.set_image("v1");
    model.run(hour());
    assert_eq!(
        state(&model),
        "Healthy 2 Completed weight 0",
        "a rollback without pods is still one"
    );
    assert_eq!(status(&model)["conditions"][1]["status"], "False");
}

#[test]
fn a_rollout_of_a_workload_without_pods_is_healthy_at_once() {
    let mut model = Model::new(two_steps());
    model.edit(Kind::Deployment, "echoserver", |object| {
        object["spec"]["replicas"] = json!(0)
    });
    model.run(hour());
    assert_eq!(status(&model)["phase"], "Healthy");
    model.set_image("v2");
    model.run(hour());
    assert_eq!(status(&model)["phase"], "Healthy", "nothing to release step by step");
}

#[test]
fn a_stable_service_that_goes_in_the_middle_is_named_and_narrowed_again_when_it_is_back() {
    let mut model = released(two_steps());
    let service = model.get(Kind::Service, "echoserver").unwrap().clone();
    model.delete(Kind::Service, "echoserver", crate::Propagation::Background);
    approve(&mut model);
    model.run(hour());
    assert_eq!(state(&model), "Progressing 2 StepUpgrade weight 5");
    let message = status(&model)["message"].as_str().unwrap().to_owned();
    assert_eq!(
        message,
        "Rollout is in step(2/2), and its traffic cannot be routed: Service default/echoserver is not found; create it, or correct trafficRoutings[0].service"
    );
    let mut again = service;
    again["spec"]["selector"] = json!({"app": "echoserver"});
    model.insert(Kind::Service, again);
    model.run(hour());
    assert_eq!(state(&model), "Progressing 2 StepPaused weight 50");
    assert!(selector(&model).get("pod-template-hash").is_some());
}

#[test]
fn scaling_while_nothing_is_released_is_noted_and_nothing_else() {
    let mut model = healthy(two_steps());
    model.edit(Kind::Deployment, "echoserver", |object| {
        object["spec"]["replicas"] = json!(9)
    });
    model.run(hour());
    let generation = model.get(Kind::Deployment, "echoserver").unwrap()["metadata"]["generation"].clone();
    assert_eq!(status(&model)["canaryStatus"]["observedWorkloadGeneration"], generation);
    assert_eq!(model.log.len(), 1, "{:?}", model.log);
}
