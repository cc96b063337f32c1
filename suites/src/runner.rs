//! Runs one scenario on one bed: baseline, body, clean-up, invariants, and the figures for the report.
//!
//! Called by the binaries, once per scenario and bed. Every task that it starts has ended when it returns.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use env::Moment;

use crate::background::Background;
use crate::bed::SharedBed;
use crate::dialect::Target;
use crate::history::{Entry, Recorder};
use crate::inventory::Inventory;
use crate::kruise::Kruise;
use crate::ledger::Ledger;
use crate::probe::{PodBook, Probe, Tally};
use crate::scenario::{Ends, Scenario};
use crate::stage::Parts;
use crate::timeline::{self, Timeline};
use crate::{Check, Failure, Kubernetes, Question, Stage, Write, invariants, manifest, timeouts};

/// The most lost requests that a report names one by one.
const LOST_SHOWN: usize = 5;

/// How a scenario went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Every promise was kept.
    Passed,
    /// These were broken.
    Failed(Vec<Failure>),
    /// It was not run, for this reason.
    Skipped(String),
}

/// One scenario's line in the report.
#[derive(Clone, Debug)]
pub struct Report {
    /// The scenario's name.
    pub id: String,
    /// How it went.
    pub verdict: Verdict,
    /// The requests that were sent.
    pub requests: Tally,
    /// The controller's writes after the baseline, by verb and resource.
    pub writes: BTreeMap<String, u64>,
    /// The cluster's own time that it took.
    pub took: Duration,
    /// The real time that it took; set by whoever runs it.
    pub wall: Duration,
    /// What happened before a failure.
    pub timeline: Timeline,
}

impl Report {
    /// A report of a scenario that was not run.
    pub fn skipped(id: &str, why: impl Into<String>) -> Self {
        Self {
            id: id.to_owned(),
            verdict: Verdict::Skipped(why.into()),
            requests: Tally::default(),
            writes: BTreeMap::new(),
            took: Duration::ZERO,
            wall: Duration::ZERO,
            timeline: Timeline::default(),
        }
    }

    /// The sum of the controller's writes.
    pub fn writes_in_all(&self) -> u64 {
        self.writes.values().sum()
    }

    /// The broken promises.
    pub fn failures(&self) -> &[Failure] {
        match &self.verdict {
            Verdict::Failed(failures) => failures,
            Verdict::Passed | Verdict::Skipped(_) => &[],
        }
    }
}

/// Why `scenario` cannot run on `bed`, if it cannot.
pub fn cannot_run(scenario: &Scenario, features: &std::collections::BTreeSet<crate::Feature>) -> Option<String> {
    let missing: Vec<_> = scenario
        .features
        .iter()
        .filter(|feature| !features.contains(feature))
        .map(|feature| feature.id())
        .collect();
    (!missing.is_empty()).then(|| format!("needs {}", missing.join(", ")))
}

/// Runs a scenario.
pub async fn run(scenario: &Scenario, bed: SharedBed) -> Report {
    if let Some(why) = cannot_run(scenario, &bed.features()) {
        return Report::skipped(&scenario.id, why);
    }
    let begin = bed.env().clock().elapsed();
    let (stage, book) = match stage(scenario, &bed) {
        Ok(prepared) => prepared,
        Err(failure) => return failed_early(scenario, failure),
    };
    let mut failures = Vec::new();
    let entries = match play(scenario, &stage, &book, &mut failures).await {
        Ok(entries) => entries,
        Err(failure) => {
            failures.push(failure);
            Played::default()
        }
    };
    let requests = stage.0.probe.tally();
    failures.extend(lost(&requests, &stage.0.forgiven.lock()));
    let acts = stage.0.ledger.acts();
    failures.extend(invariants::judge(
        stage.dialect(),
        &entries.history,
        &acts,
        entries.since,
        bed.delivery(),
    ));
    let timeline = if failures.is_empty() {
        Timeline::default()
    } else {
        timeline::of(stage.dialect(), &entries.history, &acts, &requests)
    };
    Report {
        id: scenario.id.clone(),
        verdict: if failures.is_empty() {
            Verdict::Passed
        } else {
            Verdict::Failed(failures)
        },
        requests,
        writes: by_kind(bed.writes().get(entries.writes_before..).unwrap_or_default()),
        took: bed.env().clock().elapsed().since(begin),
        wall: Duration::ZERO,
        timeline,
    }
}

/// What a play leaves to be judged.
#[derive(Default)]
struct Played {
    history: Vec<Entry>,
    since: u64,
    writes_before: usize,
}

fn failed_early(scenario: &Scenario, failure: Failure) -> Report {
    could_not_start(&scenario.id, failure)
}

/// The report of a scenario whose bed could not be made.
pub fn could_not_start(id: &str, failure: Failure) -> Report {
    Report {
        verdict: Verdict::Failed(vec![failure]),
        ..Report::skipped(id, "")
    }
}

fn stage(scenario: &Scenario, bed: &SharedBed) -> Result<(Stage, PodBook), Failure> {
    let mut documents = Vec::new();
    for manifest in &scenario.manifests {
        documents
            .extend(manifest::documents(manifest, &**bed).map_err(|message| Failure::new(Check::Cluster, message))?);
    }
    let name = |kind: &str| manifest::name_of(&documents, kind);
    let needed = |kind: &str| {
        name(kind).ok_or_else(|| Failure::new(Check::Cluster, format!("scenario {} brings no {kind}", scenario.id)))
    };
    let (host, path) = manifest::route(&documents).unwrap_or_default();
    let target = Target {
        namespace: bed.namespace().to_owned(),
        workload: needed("Deployment")?,
        rollout: name("Rollout").unwrap_or_else(|| "rollouts-demo".to_owned()),
        service: needed("Service")?,
        route: routed_ingress(&documents).map_or_else(|| needed("Ingress"), Ok)?,
    };
    let kubernetes = Kubernetes::new(bed.person());
    let book = PodBook::default();
    let probe = Probe::new(
        bed.env().clone(),
        bed.gateway(),
        kubernetes.clone(),
        bed.namespace(),
        book.clone(),
    );
    let parts = Parts {
        bed: bed.clone(),
        dialect: Box::new(Kruise::new(kubernetes.clone(), target, bed.family())),
        kubernetes,
        probe,
        question: Question {
            host,
            path,
            headers: Vec::new(),
        },
        ledger: Ledger::default(),
        expected: Arc::default(),
        forgiven: parking_lot::Mutex::default(),
        image: parking_lot::Mutex::default(),
    };
    Ok((Stage(Arc::new(parts)), book))
}

/// The Ingress that the Rollout names, which need not be there.
fn routed_ingress(documents: &[serde_json::Value]) -> Option<String> {
    documents.iter().find_map(|object| {
        object
            .pointer("/spec/strategy/canary/trafficRoutings/0/ingress/name")
            .and_then(serde_json::Value::as_str)
            .map(str::to_owned)
    })
}

/// From nothing to the end; what went wrong on the way is put into `failures`, so that the history is there to be judged in any case.
async fn play(
    scenario: &Scenario,
    stage: &Stage,
    book: &PodBook,
    failures: &mut Vec<Failure>,
) -> Result<Played, Failure> {
    let bed = stage.bed().clone();
    let mut has_rollout = false;
    for manifest in &scenario.manifests {
        stage.apply(manifest).await?;
        has_rollout |= manifest::name_of(&stage.documents(manifest)?, "Rollout").is_some();
    }
    stage.settle(has_rollout).await?;
    let namespace = (!bed.is_exclusive()).then(|| bed.namespace());
    let before = Inventory::take(stage.kubernetes(), namespace).await?;
    *stage.0.expected.lock() = before;
    let recorder = Recorder::start(
        bed.env(),
        stage.kubernetes(),
        bed.namespace(),
        &stage.dialect().kinds(),
        book,
    )
    .await?;
    let history = recorder.history();
    let since = history.entries().last().map(|entry| entry.revision).unwrap_or_default();
    let writes_before = bed.writes().len();
    let background = Background::start(
        stage.0.probe.clone(),
        stage.question().clone(),
        bed.changes(),
        scenario.beat,
    );

    if let Err(failure) = (scenario.run)(stage.clone()).await {
        failures.push(failure);
    } else {
        failures.extend(is_clean(scenario, stage, namespace).await);
        if let Err(failure) = stage.is_quiet(timeouts::IDLE).await {
            failures.push(failure);
        }
    }
    background.finish().await;
    Ok(Played {
        history: recorder.finish().await,
        since,
        writes_before,
    })
}

/// Waits until the cluster holds exactly what is expected; what it holds instead when it does not come to that.
async fn is_clean(scenario: &Scenario, stage: &Stage, namespace: Option<&str>) -> Vec<Failure> {
    let workload = stage.dialect().target().workload();
    let compare = || async {
        let found = Inventory::take(stage.kubernetes(), namespace).await?;
        Ok::<_, Failure>(stage.0.expected.lock().compare(&found, &workload))
    };
    let within = match scenario.ends {
        Ends::Clean => timeouts::CLEAN,
        Ends::Untouched => Duration::ZERO,
    };
    let settled = stage
        .until("everything is clean", within, || async {
            let left = compare().await?;
            Ok(if left.is_empty() {
                Ok(())
            } else {
                Err(format!("{} differences", left.len()))
            })
        })
        .await;
    match settled {
        Ok(()) => Vec::new(),
        Err(failure) => match compare().await {
            Ok(left) if !left.is_empty() => left,
            Ok(_) => vec![failure],
            Err(failure) => vec![failure],
        },
    }
}

/// What was lost outside of the times that are `forgiven`.
fn lost(requests: &Tally, forgiven: &[(Moment, Moment)]) -> Option<Failure> {
    let is_forgiven = |at: Moment| forgiven.iter().any(|(from, until)| (*from..=*until).contains(&at));
    let lost: Vec<_> = requests.lost.iter().filter(|lost| !is_forgiven(lost.at)).collect();
    if lost.is_empty() {
        return None;
    }
    let shown: Vec<_> = lost
        .iter()
        .take(LOST_SHOWN)
        .map(|lost| format!("at {:.3} s {}", lost.at.0.as_secs_f64(), lost.why))
        .collect();
    Some(Failure::new(
        Check::LostRequest,
        format!(
            "{} of {} requests were lost: {}",
            lost.len(),
            requests.sent,
            shown.join("; ")
        ),
    ))
}

fn by_kind(writes: &[Write]) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for write in writes {
        *counts.entry(format!("{} {}", write.verb, write.resource)).or_default() += 1;
    }
    counts
}
