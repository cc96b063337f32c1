//! What happens beside a release: another route to the same Service, and pods of the new version that go one after the other.

use std::time::Duration;

use crate::dialect::{Ending, Phase};
use crate::scenario::{BEAT, Ends, Scenario, Scope};
use crate::{Failure, Feature, Stage, timeouts};

use super::{DEPLOYMENT, FOUR_GATES, INGRESS, NEXT, ROUTED, SERVICE, body, release, release_to};

const SECOND: &str = include_str!("../../../fixtures/echoserver/second-ingress.yaml");
const TO_ALL: &str = include_str!("../../../fixtures/rollouts/to-all.yaml");

pub(super) fn all() -> Vec<Scenario> {
    vec![
        Scenario {
            id: "second-route".to_owned(),
            requirement: "another route to the same Service loses nothing, and follows no further than its gateway makes it",
            features: ROUTED,
            scope: Scope::Namespace,
            manifests: vec![DEPLOYMENT, SERVICE, INGRESS, SECOND, TO_ALL],
            ends: Ends::Clean,
            beat: BEAT,
            run: body(second_route),
        },
        release(
            "pods-replaced-at-the-gate",
            "pods of the new version that go one by one lose nothing, and the weight stays",
            FOUR_GATES,
            replaced,
        ),
    ]
}

async fn second_route(stage: Stage) -> Result<(), Failure> {
    let mut second = stage.question().clone();
    second.host = stage.bed().host("second.example.com");
    // Some gateways ask which Service a route leads to, and split every way to it.
    let apart = stage.bed().features().contains(&Feature::RoutesApart);
    release_to(&stage, NEXT, 1).await?;
    stage.weight_is(20).await?;
    stage.share_becomes(&second, NEXT, if apart { 0 } else { 20 }).await?;
    stage.approve().await?;
    let second_asked = &second;
    stage
        .until(
            "ended, asked by the second route all the way",
            timeouts::FINISH,
            || async {
                // The ledger holds what became of it.
                let _ = stage.0.probe.ask(second_asked).await;
                let seen = stage.observe().await?;
                Ok(
                    if seen.phase == Phase::Healthy && seen.ending == Some(Ending::Completed) {
                        Ok(())
                    } else {
                        Err(seen.to_string())
                    },
                )
            },
        )
        .await?;
    stage.all_answers_come_from(NEXT).await?;
    stage.share_becomes(&second, NEXT, 100).await
}

async fn replaced(stage: Stage) -> Result<(), Failure> {
    release_to(&stage, NEXT, 2).await?;
    stage.weight_is(40).await?;
    for pod in stage.pods_that_run(NEXT).await? {
        stage.end_pod(&pod).await?;
        stage
            .until(
                "two pods of the new version are ready again",
                timeouts::STEP,
                || async {
                    let others = stage.pods_that_run(NEXT).await?;
                    let ready = stage.ready_pods(NEXT).await?;
                    Ok(if ready == 2 && !others.contains(&pod) {
                        Ok(())
                    } else {
                        Err(format!("{ready} are"))
                    })
                },
            )
            .await?;
        // The gateway must know the newcomer before its neighbour goes.
        stage
            .holds_seen(
                "the gate is shut and the weight stays",
                Duration::from_secs(10),
                |seen| seen.waits_at(2) && seen.weight == 40,
            )
            .await?;
    }
    stage.weight_is(40).await?;
    stage.jump(4).await?;
    stage.until_paused_at(4).await?;
    stage.approve().await?;
    stage.until_ended(Ending::Completed, Duration::ZERO).await?;
    stage.all_answers_come_from(NEXT).await
}
