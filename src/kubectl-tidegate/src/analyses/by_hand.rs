//! `analysis run`: the metrics of a template, measured once from here by the providers and judged by the rules of the controller. Nothing is written;
//! a cluster is asked for Secrets, and for templates that the file names and does not hold.

use std::io::Write;

use analysis::run::{Conditions, MeasureRequest, Measured, Outcome, PreparedMetric, Work, advance, prepare};
use analysis::sequential::counters::Reading;
use api::v1alpha1::{
    AnalysisPhase, AnalysisRunStatus, AnalysisTemplate, AnalysisTemplateSpec, ClusterAnalysisTemplate, Measurement,
    Metric,
};
use controller::metrics::{Network, Run, measure as ask, resolve};
use env::Env;
use kube::{Api, Client};

use super::template::{self, Known, Missing};
use crate::args::{ByHand, Connection};
use crate::connect::{self, Connect};
use crate::{Failure, exit, runs};

/// How many templates are fetched: as many as a run may take in.
const MOST_FETCHED: usize = 200;
/// The largest file that is read, in bytes; the API server takes no larger object.
const LARGEST: u64 = 3 << 20;

/// Measures and prints; the exit code says what came of it.
pub(super) async fn measure(
    env: &Env,
    connect: Connect,
    connection: &Connection,
    asked: &ByHand,
    out: &mut dyn Write,
) -> Result<u8, Failure> {
    let (refs, mut known) = template::read(&text(asked)?)?;
    let mut cluster = Cluster::Unasked { connect, connection };
    let spec = loop {
        match template::run_of(&refs, &known, &asked.arguments)? {
            Ok(spec) => break spec,
            Err(missing) if known.len() < MOST_FETCHED => {
                fetch(&mut known, missing, &mut cluster).await?;
            }
            Err(Missing { name, .. }) => {
                return Err(Failure(format!(
                    "more than {MOST_FETCHED} templates are taken in, the last one by name {name}"
                )));
            }
        }
    };
    let prepared = prepare(&spec, &Conditions).map_err(|error| Failure(error.to_string()))?;
    let chosen = choose(&prepared.metrics, &asked.metrics)?;
    let network = Network::new(env.clone());
    let mut measured = Vec::new();
    for metric in &chosen {
        let needs_secrets = !metric.secrets.is_empty() || !resolve::needed(&metric.metric.provider).is_empty();
        let (client, namespace) = match needs_secrets {
            true => cluster.reached().await?,
            false => (nowhere(), String::new()),
        };
        let run = Run {
            namespace,
            name: "by-hand".to_owned(),
            uid: String::new(),
        };
        let request = MeasureRequest {
            metric: metric.metric.clone(),
            ordinal: 1,
            secrets: metric.secrets.clone(),
            work: Work::Start,
        };
        measured.push(ask(&client, &network, &run, &request).await);
    }
    let step = advance(&spec, &AnalysisRunStatus::default(), env.now(), &measured, &Conditions);
    let mut worst = AnalysisPhase::Successful;
    for (metric, measured) in chosen.iter().zip(&measured) {
        let judged = judged(metric, measured, &step.status);
        for line in report(metric, measured, &judged) {
            writeln!(out, "{line}")?;
        }
        if !metric.dry_run && badness(&judged.phase) > badness(&worst) {
            worst = judged.phase;
        }
    }
    Ok(match worst {
        AnalysisPhase::Successful => exit::DONE,
        AnalysisPhase::Failed => exit::BAD,
        AnalysisPhase::Error => exit::UNMEASURED,
        _ => exit::INCONCLUSIVE,
    })
}

fn text(asked: &ByHand) -> Result<String, Failure> {
    use std::io::Read as _;

    let path = &asked.filename;
    let unread = |error: std::io::Error| Failure(format!("{} cannot be read: {error}", path.display()));
    let mut text = String::new();
    let read = match path.as_os_str() == "-" {
        true => std::io::stdin().take(LARGEST + 1).read_to_string(&mut text),
        false => std::fs::File::open(path)
            .map_err(unread)?
            .take(LARGEST + 1)
            .read_to_string(&mut text),
    };
    match read.map_err(unread)? {
        bytes if u64::try_from(bytes).unwrap_or(u64::MAX) > LARGEST => Err(Failure(format!(
            "{} is larger than {LARGEST} bytes; is it a template?",
            path.display()
        ))),
        _ => Ok(text),
    }
}

/// The cluster, reached when something is first wanted of it.
enum Cluster<'a> {
    Unasked {
        connect: Connect,
        connection: &'a Connection,
    },
    Reached {
        client: Client,
        namespace: String,
    },
}

impl Cluster<'_> {
    async fn reached(&mut self) -> Result<(Client, String), Failure> {
        if let Self::Unasked { connect, connection } = self {
            let connect = std::mem::replace(connect, Connect::FromKubeconfig);
            let (client, default_namespace) = connect::client(connect, connection).await?;
            let namespace = connection.namespace.clone().unwrap_or(default_namespace);
            *self = Self::Reached { client, namespace };
        }
        match self {
            Self::Reached { client, namespace } => Ok((client.clone(), namespace.clone())),
            Self::Unasked { .. } => Err(Failure("cannot reach the cluster".to_owned())),
        }
    }
}

async fn fetch(known: &mut Known, missing: Missing, cluster: &mut Cluster<'_>) -> Result<(), Failure> {
    let Missing { of_cluster, name } = missing;
    let (client, namespace) = cluster.reached().await?;
    let fetched: Result<AnalysisTemplateSpec, kube::Error> = match of_cluster {
        true => Api::<ClusterAnalysisTemplate>::all(client)
            .get(&name)
            .await
            .map(|found| found.spec),
        false => Api::<AnalysisTemplate>::namespaced(client, &namespace)
            .get(&name)
            .await
            .map(|found| found.spec),
    };
    let spec = fetched.map_err(|error| {
        connect::failure(
            &format!("template {name}, which is not in the file, cannot be read from the cluster"),
            &error,
        )
    })?;
    known.insert((of_cluster, name), spec);
    Ok(())
}

/// A client for what asks no cluster.
pub(super) fn nowhere() -> Client {
    let refused = tower::service_fn(|_: http::Request<kube::client::Body>| async {
        Err::<http::Response<kube::client::Body>, _>("no cluster is asked here")
    });
    Client::new(refused, "default")
}

/// The metrics that are to be measured, all of them Prometheus' or a web service's.
fn choose<'a>(metrics: &'a [PreparedMetric], names: &[String]) -> Result<Vec<&'a PreparedMetric>, Failure> {
    let known: Vec<&str> = metrics.iter().map(|metric| metric.metric.name.as_str()).collect();
    if let Some(unknown) = names.iter().find(|name| !known.contains(&name.as_str())) {
        return Err(Failure(format!(
            "there is no metric {unknown}; the metrics are: {}",
            known.join(", ")
        )));
    }
    let chosen: Vec<&PreparedMetric> = metrics
        .iter()
        .filter(|metric| names.is_empty() || names.contains(&metric.metric.name))
        .collect();
    match chosen.iter().find(|metric| metric.metric.provider.job.is_some()) {
        Some(job) => Err(Failure(format!(
            "metric {} is measured by a Job, which only the controller makes; choose others with --metric",
            job.metric.name
        ))),
        None => Ok(chosen),
    }
}

/// What a measurement came to. The first look at a comparison's counters decides nothing, whatever they are.
fn judged(metric: &PreparedMetric, measured: &Measured, status: &AnalysisRunStatus) -> Measurement {
    let results = status.metric_results.iter().flatten();
    let mut results = results.filter(|result| result.name == metric.metric.name);
    let last = results.next().and_then(|result| result.measurements.as_ref()?.last());
    let last = last.cloned().unwrap_or_default();
    match &measured.outcome {
        Outcome::Counted(counts) => Measurement {
            phase: AnalysisPhase::Inconclusive,
            value: Some(counted(counts)),
            message: Some("a comparison is decided by what these counters grow by; one look tells nothing".to_owned()),
            metadata: None,
            ..last
        },
        _ => last,
    }
}

fn counted(reading: &Reading) -> String {
    let sum = |series: &std::collections::BTreeMap<String, f64>| series.values().sum::<f64>();
    format!(
        "canary {} errors of {}, stable {} errors of {}",
        sum(&reading.canary.errors),
        sum(&reading.canary.total),
        sum(&reading.stable.errors),
        sum(&reading.stable.total)
    )
}

/// Value, verdict and why.
fn report(metric: &PreparedMetric, measured: &Measured, judged: &Measurement) -> Vec<String> {
    let mut head = format!("{}: {}", metric.metric.name, judged.phase);
    if metric.dry_run {
        head.push_str(" (dry run, decides nothing)");
    }
    let mut lines = vec![head];
    let mut say = |line: String| lines.push(format!("  {line}"));
    if let Some(value) = &judged.value {
        say(format!("value {}", runs::clean(value)));
    }
    if let Some(samples) = measured.samples {
        say(format!("the new version had {samples} requests"));
    }
    for line in runs::wanted(&metric.metric) {
        say(line);
    }
    let reason = judged.metadata.as_ref().and_then(|about| about.get("reason"));
    let whose = reason
        .filter(|_| judged.phase == AnalysisPhase::Error)
        .and_then(|reason| runs::whose(reason));
    let message = judged.message.as_deref().map(runs::clean);
    match (
        whose,
        message.or_else(|| why(&metric.metric, &judged.phase).map(str::to_owned)),
    ) {
        (Some(whose), Some(message)) => say(format!("{whose}: {message}")),
        (Some(line), None) => say(line.to_owned()),
        (None, Some(message)) => say(message),
        (None, None) => {}
    }
    for warning in &measured.warnings {
        say(format!("warning: {}", runs::clean(warning)));
    }
    lines
}

/// Which conditions made a verdict that says nothing itself; see `analysis::verdict`.
fn why(metric: &Metric, phase: &AnalysisPhase) -> Option<&'static str> {
    let given = |text: &Option<String>| text.as_deref().is_some_and(|text| !text.is_empty());
    let conditions = (given(&metric.success_condition), given(&metric.failure_condition));
    match (phase, conditions) {
        (AnalysisPhase::Successful, (true, true)) => Some("successCondition holds and failureCondition does not"),
        (AnalysisPhase::Successful, (true, false)) => Some("successCondition holds"),
        (AnalysisPhase::Successful, (false, true)) => Some("failureCondition does not hold"),
        (AnalysisPhase::Failed, (true, false)) => Some("successCondition does not hold"),
        (AnalysisPhase::Failed, (_, true)) => Some("failureCondition holds"),
        (AnalysisPhase::Inconclusive, (true, true)) => Some("neither successCondition nor failureCondition holds"),
        _ => None,
    }
}

/// The worse, the more; as a run weighs its metrics.
fn badness(phase: &AnalysisPhase) -> u8 {
    match phase {
        AnalysisPhase::Successful => 0,
        AnalysisPhase::Error => 2,
        AnalysisPhase::Failed => 3,
        _ => 1,
    }
}
