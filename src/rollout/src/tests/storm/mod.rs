//! Whatever people do in whatever order, wherever the controller is cut off: what must hold at every single write, and that every release can
//! be ended clean.

mod watched;

use jiff::SignedDuration;
use proptest::prelude::*;
use serde_json::{Value, json};

use self::watched::Watched;
use super::front::Front;
use super::walkthrough::{hour, status};
use crate::{Action, Kind, Propagation, Wake, Write};

/// Something that a person, or the cluster, does.
#[derive(Clone, Debug)]
enum Event {
    Approve,
    Hold(bool),
    Jump(i64),
    Image(&'static str),
    BadImage(Option<&'static str>),
    Scale(i64),
    Disable(bool),
    Traffic(usize, i64),
    /// One of the objects that we made is deleted.
    Lose(Kind),
    /// A GitOps tool writes the rules of the route again, or some of them.
    Rewrite(usize),
    Wait(i64),
    /// The controller is cut off after so many writes of its next plan, and started again.
    Cut(usize),
}

fn event() -> impl Strategy<Value = Event> {
    let image = prop_oneof![Just("v1"), Just("v2"), Just("v3")];
    let ours = prop_oneof![
        Just(Kind::Ingress),
        Just(Kind::Service),
        Just(Kind::Deployment),
        Just(Kind::BatchRelease)
    ];
    prop_oneof![
        5 => Just(Event::Approve),
        4 => (1i64..20).prop_map(Event::Wait),
        4 => (0usize..4).prop_map(Event::Cut),
        3 => image.prop_map(Event::Image),
        1 => any::<bool>().prop_map(Event::Hold),
        1 => (-1i64..6).prop_map(Event::Jump),
        1 => prop_oneof![Just(None), Just(Some("v2")), Just(Some("v3"))].prop_map(Event::BadImage),
        1 => (0i64..9).prop_map(Event::Scale),
        1 => any::<bool>().prop_map(Event::Disable),
        1 => (0usize..4, 1i64..100).prop_map(|(step, share)| Event::Traffic(step, share)),
        1 => ours.prop_map(Event::Lose),
        1 => (1usize..4).prop_map(Event::Rewrite),
    ]
}

fn steps() -> impl Strategy<Value = Vec<Value>> {
    let pause = prop_oneof![
        Just(json!({})),
        Just(json!({"duration": 0})),
        Just(json!({"duration": 7}))
    ];
    let step = (1i64..40, proptest::option::weighted(0.8, 1i64..=120), pause);
    proptest::collection::vec(step, 1..5).prop_map(|steps| {
        let mut percents = 0;
        let steps = steps.into_iter().map(|(more, share, pause)| {
            percents = (percents + more).min(100);
            let mut step = json!({"replicas": format!("{percents}%"), "pause": pause});
            match share {
                Some(share) if share <= 100 => step["traffic"] = json!(format!("{share}%")),
                Some(_) => step["matches"] = json!([{"headers": [{"name": "user", "value": "beta"}]}]),
                None => {}
            }
            step
        });
        steps.collect()
    })
}

/// A release whose next plan writes the first route, and that write.
fn about_to_route() -> (Watched, Write) {
    let steps = json!([{"replicas": 1, "traffic": "5%", "pause": {}}, {"replicas": 2, "traffic": "50%", "pause": {}}]);
    let mut watched = Watched::new(steps.as_array().unwrap());
    watched.happen(&Event::Image("v2"));
    for _ in 0..100 {
        watched.model.play();
        let plan = watched.model.plan();
        if let Some(route) = plan.writes.iter().find(|write| write.target.kind == Kind::Ingress) {
            return (watched, route.clone());
        }
        for write in &plan.writes {
            watched.apply(write);
        }
        if let (true, Wake::At(moment)) = (plan.writes.is_empty(), plan.wake) {
            watched.model.now = moment;
        }
    }
    panic!("no route");
}

#[test]
#[should_panic(expected = "15% written in a step of 5%")]
fn ten_points_more_are_seen() {
    let (mut watched, mut route) = about_to_route();
    if let Action::Create { object } = &mut route.action {
        object["metadata"]["annotations"]["nginx.ingress.kubernetes.io/canary-weight"] = json!("15");
    }
    watched.apply(&route);
}

#[test]
#[should_panic(expected = "the routers had no time to see the pods")]
fn a_grace_that_is_dropped_is_seen() {
    let (mut watched, route) = about_to_route();
    watched.model.now -= SignedDuration::from_millis(1);
    watched.apply(&route);
}

#[test]
#[should_panic(expected = "a route to a Service without ready pods")]
fn a_route_to_nobody_is_seen() {
    let (mut watched, mut route) = about_to_route();
    watched.model.bad_image = Some("v2");
    watched.model.play();
    assert!(!watched.apply(&route), "the evidence is read again");
    route.recheck = None;
    watched.apply(&route);
}

#[test]
#[should_panic(expected = "then")]
fn a_step_that_nobody_opened_is_seen() {
    let (mut watched, _) = about_to_route();
    watched.run(hour());
    let mut next = status(&watched.model);
    next["canaryStatus"]["currentStepIndex"] = json!(2);
    next["canaryStatus"]["nextStepIndex"] = json!(-1);
    watched.gate(&status(&watched.model), &next);
}

/// The routes are written again while the step settles, and the controller is cut off right after it.
#[test]
fn a_grace_that_is_cut_off_begins_anew() {
    let steps = json!([{"replicas": 1, "traffic": "5%", "pause": {}}]);
    let mut watched = Watched::behind(Front::HttpRoute, steps.as_array().unwrap());
    watched.happen(&Event::Image("v2"));
    watched.run(SignedDuration::from_millis(5_000));
    assert_eq!(
        status(&watched.model)["canaryStatus"]["currentStepState"],
        "StepTrafficRouting"
    );
    for event in [Event::Rewrite(3), Event::Cut(1), Event::Cut(1), Event::Wait(10)] {
        watched.happen(&event);
    }
    assert_eq!(status(&watched.model)["canaryStatus"]["currentStepState"], "StepPaused");
}

proptest! {
    #![proptest_config(ProptestConfig::default())]

    #[test]
    fn every_write_is_safe_and_every_release_can_be_ended(
        steps in steps(),
        events in proptest::collection::vec(event(), 1..24),
        delete in any::<bool>(),
        front in prop::sample::select(Front::ALL.to_vec()),
    ) {
        let mut watched = Watched::behind(front, &steps);
        watched.happen(&Event::Image("v2"));
        for event in &events {
            watched.happen(event);
        }
        if delete {
            watched.model.delete(Kind::Rollout, "rollouts-demo", Propagation::Background);
            watched.model.run(hour());
            prop_assert_eq!(watched.model.get(Kind::Rollout, "rollouts-demo"), None);
        } else {
            watched.finish();
            let writes = watched.model.log.len();
            watched.run(hour());
            prop_assert_eq!(watched.model.log.len(), writes, "idle means no writes");
        }
        watched.is_clean();
    }
}
