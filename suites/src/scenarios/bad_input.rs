//! Bad input: refused with one clear error that says what and where, and nothing is changed.

use std::time::Duration;

use crate::dialect::Phase;
use crate::scenario::{BEAT, Ends, Scenario, Scope};
use crate::{Check, Failure, Feature, Stage};

use super::{ARTICLE, DEPLOYMENT, INGRESS, SERVICE, STABLE, body};

const MISSING_WORKLOAD: &str = include_str!("../../../fixtures/bad/missing-workload.yaml");

/// A manifest, and words that the refusal must hold: where it is wrong, and what is there.
#[derive(Clone, Copy)]
struct Bad {
    id: &'static str,
    manifest: &'static str,
    words: &'static [&'static str],
    beside: &'static [&'static str],
}

const BAD: [Bad; 7] = [
    Bad {
        id: "bad-weight",
        manifest: include_str!("../../../fixtures/bad/weight-400.yaml"),
        words: &["steps[0]", "400"],
        beside: &[],
    },
    Bad {
        id: "bad-replicas",
        manifest: include_str!("../../../fixtures/bad/replicas-abc.yaml"),
        words: &["steps[0]", "replicas", "abc"],
        beside: &[],
    },
    Bad {
        id: "bad-order-of-steps",
        manifest: include_str!("../../../fixtures/bad/steps-out-of-order.yaml"),
        words: &["steps[1]"],
        beside: &[],
    },
    Bad {
        id: "bad-second-rollout",
        manifest: include_str!("../../../fixtures/bad/second-rollout.yaml"),
        words: &["rollouts-demo"],
        beside: &[ARTICLE],
    },
    Bad {
        id: "bad-router",
        manifest: include_str!("../../../fixtures/bad/unknown-router.yaml"),
        words: &["carrier-pigeon"],
        beside: &[],
    },
    Bad {
        id: "bad-empty-plan",
        manifest: include_str!("../../../fixtures/bad/no-steps.yaml"),
        words: &["steps"],
        beside: &[],
    },
    Bad {
        id: "bad-manifest",
        manifest: include_str!("../../../fixtures/bad/malformed.yaml"),
        words: &["spec.strategy.canary.steps", "array"],
        beside: &[],
    },
];

pub(super) fn all() -> Vec<Scenario> {
    let mut all: Vec<_> = BAD.into_iter().map(refused).collect();
    all.push(Scenario {
        id: "bad-missing-workload".to_owned(),
        requirement: "issue, Bad input: a Rollout that names a missing workload; contract C100",
        features: &[Feature::IngressNginx],
        scope: Scope::Namespace,
        manifests: vec![DEPLOYMENT, SERVICE, INGRESS],
        ends: Ends::Clean,
        beat: BEAT,
        run: body(missing_workload),
    });
    all
}

fn refused(bad: Bad) -> Scenario {
    let mut manifests = vec![DEPLOYMENT, SERVICE, INGRESS];
    manifests.extend(bad.beside);
    Scenario {
        id: bad.id.to_owned(),
        requirement: "issue, Bad input: one clear error, and nothing is changed; contract C.2",
        features: &[Feature::IngressNginx, Feature::Admission],
        scope: Scope::Namespace,
        manifests,
        ends: Ends::Untouched,
        beat: BEAT,
        run: body(move |stage| is_refused(stage, bad.manifest, bad.words)),
    }
}

async fn is_refused(stage: Stage, manifest: &str, words: &[&str]) -> Result<(), Failure> {
    let refusal = stage.is_refused(manifest).await?;
    let missing: Vec<_> = words.iter().filter(|word| !refusal.message.contains(*word)).collect();
    if !matches!(refusal.code, 400 | 403 | 422) || !missing.is_empty() {
        return Err(Failure::new(
            Check::Refusal,
            format!(
                "refused with {} {:?}; a clear error is a 4xx that says {missing:?}",
                refusal.code, refusal.message
            ),
        ));
    }
    stage.all_answers_come_from(STABLE).await
}

async fn missing_workload(stage: Stage) -> Result<(), Failure> {
    stage.apply(MISSING_WORKLOAD).await?;
    let said = |message: &str| message.contains("nobody") || message.contains("Workload Not Found");
    stage
        .until_seen("it says what is missing", Duration::from_secs(30), |seen| {
            seen.phase == Phase::Initial && said(&seen.message)
        })
        .await?;
    stage
        .holds_seen("it waits", Duration::from_secs(60), |seen| seen.phase == Phase::Initial)
        .await?;
    stage.delete_rollout().await?;
    stage
        .until_seen("the rollout is gone", Duration::from_secs(30), |seen| {
            seen.phase == Phase::Absent
        })
        .await
        .map(drop)
}
