//! One measurement of an AnalysisRun, from the request to the answer: the Secrets that it needs are read, the metric is filled in, its provider is
//! asked, and what comes back carries no secret. Used by the driver, and by the command line for a measurement by hand.

use std::collections::BTreeMap;

use analysis::run::{Fault, MeasureRequest, Measured, Outcome, Work};
use analysis::sequential::counters;
use analysis::value::Value;
use api::v1alpha1::{AnalysisPhase, Comparison, Counters, Metric, Provider as Written, SecretKeyRef};
use k8s_openapi::api::core::v1::Secret;
use kube::Api;

use super::job::{Job, Stage, manifest};
use super::resolve::{self, Values};
use super::{Cause, Measured as Reading, Network, Provider, Secrets, Trouble, Verdict};
use crate::explain::explain;

/// The run that something is measured for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// Its namespace, which its Secrets and Jobs are in.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its uid.
    pub uid: String,
}

/// Why there is no value.
enum Failure {
    Provider(Trouble),
    Wrong(String),
}

impl From<Trouble> for Failure {
    fn from(trouble: Trouble) -> Self {
        Self::Provider(trouble)
    }
}

/// What came of one request; everything in it is masked.
#[derive(Default)]
struct Found {
    warnings: Vec<String>,
    samples: Option<f64>,
    about: BTreeMap<String, String>,
}

/// Takes one measurement, or goes on with one that takes longer.
pub async fn measure(client: &kube::Client, network: &Network, run: &Run, request: &MeasureRequest) -> Measured {
    let started_at = network.env().now();
    let mut found = Found::default();
    let outcome = match take(client, network, run, request, &mut found).await {
        Ok(outcome) => outcome,
        Err(Failure::Wrong(message)) => Outcome::Error {
            fault: Fault::Template,
            message,
        },
        Err(Failure::Provider(trouble)) => Outcome::Error {
            fault: match trouble.class().cause() {
                Cause::Server => Fault::Unavailable,
                Cause::Template => Fault::Refused,
                Cause::Answer => Fault::Unreadable,
            },
            message: trouble.message().to_string(),
        },
    };
    Measured {
        metric: request.metric.name.clone(),
        ordinal: request.ordinal,
        started_at,
        outcome,
        warnings: found.warnings,
        samples: found.samples,
        metadata: BTreeMap::new(),
        about: found.about,
    }
}

async fn take(
    client: &kube::Client,
    network: &Network,
    run: &Run,
    request: &MeasureRequest,
    found: &mut Found,
) -> Result<Outcome, Failure> {
    let mut wanted: Vec<SecretKeyRef> = request.secrets.values().cloned().collect();
    wanted.extend(resolve::needed(&request.metric.provider));
    let values = read(client, network, &run.namespace, &wanted).await?;
    let secrets = Secrets::new(values.values());
    let arguments = request.secrets.iter();
    let arguments = arguments.filter_map(|(name, place)| Some((name.clone(), values.get(place)?.clone())));
    let filled = analysis::run::Secrets::of(arguments.collect());
    let metric = filled
        .fill(&request.metric)
        .map_err(|error| Failure::Wrong(secrets.mask(&error.to_string()).to_string()))?;
    if let Some(query) = &request
        .metric
        .provider
        .prometheus
        .as_ref()
        .and_then(|asks| asks.query.clone())
    {
        // As it stands in the run: without the values of Secrets.
        found.about.insert("ResolvedPrometheusQuery".to_owned(), query.clone());
    }
    if let Work::Stop(_) = &request.work {
        if let Some(job) = job(client, run, &metric, request) {
            job.remove(network, &secrets).await?;
        }
        return Ok(Outcome::Stopped);
    }
    let asking = Asking {
        network,
        metric: &metric,
        values: &values,
        secrets: &secrets,
    };
    asking.guard(found).await?;
    if let Some(comparison) = &metric.comparison {
        return asking.counts(comparison, found).await;
    }
    let provider = provider(client, run, &metric, request, &values)?;
    let reading = provider.measure(network, &secrets).await?;
    Ok(match reading {
        super::Reading::Measured(reading) => {
            found.warnings.extend(reading.warnings.iter().map(ToString::to_string));
            Outcome::Value(reading.value)
        }
        super::Reading::Running { again_in, .. } => Outcome::Unfinished {
            resume_at: network.env().now() + jiff::SignedDuration::try_from(again_in).unwrap_or_default(),
        },
        super::Reading::Decided { verdict, message } => Outcome::Verdict {
            phase: match verdict {
                Verdict::Successful => AnalysisPhase::Successful,
                Verdict::Failed => AnalysisPhase::Failed,
                Verdict::Inconclusive => AnalysisPhase::Inconclusive,
            },
            message: message.to_string(),
        },
    })
}

/// The values of Secrets; those that are not there are left out, and told of by whoever needs them.
async fn read(
    client: &kube::Client,
    network: &Network,
    namespace: &str,
    wanted: &[SecretKeyRef],
) -> Result<Values, Failure> {
    let mut values = Values::new();
    let api: Api<Secret> = Api::namespaced(client.clone(), namespace);
    for place in wanted {
        if values.contains_key(place) {
            continue;
        }
        let reading = network
            .env()
            .clock()
            .timeout(super::job::REQUEST_LIMIT, api.get_opt(&place.name))
            .await;
        let secret = match reading {
            Ok(Ok(secret)) => secret,
            Ok(Err(error)) => {
                return Err(Failure::Wrong(format!(
                    "read Secret {namespace}/{}: {}",
                    place.name,
                    explain(&error)
                )));
            }
            Err(env::Elapsed) => {
                return Err(Failure::Wrong(format!(
                    "read Secret {namespace}/{}: the API server does not answer",
                    place.name
                )));
            }
        };
        let value = secret.and_then(|secret| secret.data?.remove(&place.key));
        let text = value.map(|bytes| String::from_utf8(bytes.0));
        match text {
            Some(Ok(text)) => {
                values.insert(place.clone(), text);
            }
            Some(Err(_)) => {
                return Err(Failure::Wrong(format!(
                    "key {} of Secret {namespace}/{} is no text; store it as UTF-8",
                    place.key, place.name
                )));
            }
            None => {
                return Err(Failure::Wrong(format!(
                    "there is no key {} in a Secret {namespace}/{}; create it, or correct the reference",
                    place.key, place.name
                )));
            }
        }
    }
    Ok(values)
}

fn job(client: &kube::Client, run: &Run, metric: &Metric, request: &MeasureRequest) -> Option<Job> {
    let asks = metric.provider.job.as_ref()?;
    let of = manifest::Measurement {
        namespace: &run.namespace,
        run: &run.name,
        uid: &run.uid,
        metric: &metric.name,
        number: u32::try_from(request.ordinal).unwrap_or(0),
    };
    Some(Job {
        client: client.clone(),
        manifest: resolve::job(asks, of),
        stage: match request.work {
            Work::Start => Stage::Begin,
            Work::Resume(_) | Work::Stop(_) => Stage::Begun,
        },
    })
}

fn provider(
    client: &kube::Client,
    run: &Run,
    metric: &Metric,
    request: &MeasureRequest,
    values: &Values,
) -> Result<Box<dyn Provider>, Failure> {
    let Written { prometheus, web, .. } = &metric.provider;
    if let Some(asks) = prometheus {
        return Ok(Box::new(resolve::prometheus(asks, None, values)?));
    }
    if let Some(asks) = web {
        return Ok(Box::new(resolve::web(asks, values)?));
    }
    match job(client, run, metric, request) {
        Some(job) => Ok(Box::new(job)),
        None => Err(Failure::Wrong(format!(
            "metric '{}' has no provider that is served; give prometheus, web or job",
            metric.name
        ))),
    }
}

/// What queries beside the metric's own need.
#[derive(Clone, Copy)]
struct Asking<'a> {
    network: &'a Network,
    metric: &'a Metric,
    values: &'a Values,
    secrets: &'a Secrets,
}

impl Asking<'_> {
    /// How many requests the new version had, when the metric asks for a least number of them.
    async fn guard(self, found: &mut Found) -> Result<(), Failure> {
        let Some(guard) = &self.metric.min_samples else {
            return Ok(());
        };
        let counted = self.query(&guard.query, found).await?;
        found.samples = match &counted.value {
            Value::Float(number) => Some(*number),
            Value::Int(number) => Some(*number as f64),
            Value::List(items) => {
                let numbers = items.iter().map(|item| match item {
                    Value::Float(number) if number.is_finite() => *number,
                    _ => 0.0,
                });
                Some(numbers.sum())
            }
            _ => None,
        };
        Ok(())
    }

    /// The counters of both versions, each series by its labels.
    async fn counts(self, comparison: &Comparison, found: &mut Found) -> Result<Outcome, Failure> {
        Ok(Outcome::Counted(counters::Reading {
            canary: self.arm(&comparison.canary, found).await?,
            stable: self.arm(&comparison.stable, found).await?,
        }))
    }

    async fn arm(self, counters: &Counters, found: &mut Found) -> Result<counters::ArmReading, Failure> {
        // Errors are read first: a request between the two reads may then be missing among them, but never be an error without a request.
        let errors = series(&self.query(&counters.errors, found).await?);
        let total = series(&self.query(&counters.total, found).await?);
        Ok(counters::ArmReading { total, errors })
    }

    async fn query(self, query: &str, found: &mut Found) -> Result<Reading, Failure> {
        let Some(asks) = &self.metric.provider.prometheus else {
            return Err(Failure::Wrong(format!(
                "metric '{}' has queries of its own, which only provider.prometheus can answer",
                self.metric.name
            )));
        };
        let provider = resolve::prometheus(asks, Some(query), self.values)?;
        match provider.measure(self.network, self.secrets).await? {
            super::Reading::Measured(reading) => {
                found.warnings.extend(reading.warnings.iter().map(ToString::to_string));
                Ok(reading)
            }
            super::Reading::Running { message, .. } | super::Reading::Decided { message, .. } => {
                Err(Failure::Wrong(message.to_string()))
            }
        }
    }
}

/// The numbers of an answer by their labels.
fn series(reading: &Reading) -> BTreeMap<String, f64> {
    let items: &[Value] = match &reading.value {
        Value::List(items) => items,
        single => std::slice::from_ref(single),
    };
    let mut numbers = items.iter();
    let mut found = BTreeMap::new();
    let labelled = reading.series.iter().flat_map(|series| {
        let labels = series.labels.iter().map(|(name, value)| format!("{name}={value}"));
        let labels = labels.collect::<Vec<_>>().join(",");
        std::iter::repeat_n(labels, series.numbers)
    });
    for (labels, number) in labelled.zip(&mut numbers) {
        if let Value::Float(number) = number {
            found.insert(labels, *number);
        }
    }
    // A scalar has no series.
    for number in numbers {
        if let Value::Float(number) = number {
            found.insert(String::new(), *number);
        }
    }
    found
}
