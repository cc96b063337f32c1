//! Manifests: YAML documents made ready for one cluster, in its namespace, with its hosts and with pauses of its length.
//!
//! Pure. Used by stages; the manifests themselves are files under `fixtures/`.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::object::text;
use crate::{Bed, metrics};

/// Where documents are to be: what of a manifest is another's in each cluster.
pub trait Setting {
    /// The namespace.
    fn namespace(&self) -> &str;

    /// The name under which the gateway knows a host.
    fn host(&self, written: &str) -> String;

    /// How long a pause, or the time between two measurements, is.
    fn pause(&self, asked: Duration) -> Duration;

    /// Where the metric server is.
    fn metric_server(&self) -> String;

    /// What a real one that scrapes the gateway is asked, where there is one.
    fn measured(&self) -> Option<metrics::Query> {
        None
    }
}

/// Everything as it is written, in namespace `default`.
#[derive(Clone, Copy, Debug)]
pub struct AsWritten;

impl Setting for AsWritten {
    fn namespace(&self) -> &str {
        "default"
    }

    fn host(&self, written: &str) -> String {
        written.to_owned()
    }

    fn pause(&self, asked: Duration) -> Duration {
        asked
    }

    fn metric_server(&self) -> String {
        metrics::address()
    }
}

impl Setting for dyn Bed {
    fn namespace(&self) -> &str {
        Bed::namespace(self)
    }

    fn host(&self, written: &str) -> String {
        Bed::host(self, written)
    }

    fn pause(&self, asked: Duration) -> Duration {
        Bed::pause(self, asked)
    }

    fn metric_server(&self) -> String {
        Bed::metric_server(self)
    }

    fn measured(&self) -> Option<metrics::Query> {
        Bed::measured(self)
    }
}

/// The documents of `manifest`, as they are in a setting.
///
/// # Errors
/// The sentence for a report, when the manifest is no YAML.
pub fn documents(manifest: &str, setting: &(impl Setting + ?Sized)) -> Result<Vec<Value>, String> {
    let mut documents = Vec::new();
    for document in serde_yaml::Deserializer::from_str(manifest) {
        let mut object = Value::deserialize(document).map_err(|error| format!("read a manifest: {error}"))?;
        if object.is_null() {
            continue;
        }
        if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.insert("namespace".to_owned(), json!(setting.namespace()));
        }
        for rule in items(&mut object, "/spec/rules") {
            if let Some(known) = rule.get_mut("host")
                && let Some(written) = known.as_str()
            {
                *known = json!(setting.host(written));
            }
        }
        for step in items(&mut object, "/spec/strategy/canary/steps") {
            if let Some(duration) = step.pointer_mut("/pause/duration")
                && let Some(asked) = duration.as_u64()
            {
                *duration = json!(setting.pause(Duration::from_secs(asked)).as_secs());
            }
        }
        if let Some(bake) = object.pointer_mut("/spec/strategy/canary/postPromotionAnalysis/duration")
            && let Some(asked) = bake.as_u64()
        {
            *bake = json!(setting.pause(Duration::from_secs(asked)).as_secs());
        }
        for metric in items(&mut object, "/spec/metrics") {
            measure_in(metric, setting);
        }
        documents.push(object);
    }
    Ok(documents)
}

/// A metric of a template: asked for where the metric server is, as often as time passes there.
fn measure_in(metric: &mut Value, setting: &(impl Setting + ?Sized)) {
    if let Some(interval) = metric.get_mut("interval")
        && let Some(Ok(asked)) = interval.as_str().map(str::parse::<jiff::SignedDuration>)
    {
        *interval = json!(format!("{}s", setting.pause(asked.unsigned_abs()).as_secs()));
    }
    let Some(prometheus) = metric.pointer_mut("/provider/prometheus") else {
        return;
    };
    if prometheus["address"] == metrics::address() {
        prometheus["address"] = json!(setting.metric_server());
    } else if prometheus["address"] == metrics::SCRAPES
        && let Some(metrics::Query { address, query }) = setting.measured()
    {
        prometheus["address"] = json!(address);
        prometheus["query"] = json!(query);
    }
}

fn items<'a>(object: &'a mut Value, list: &str) -> impl Iterator<Item = &'a mut Value> {
    object
        .pointer_mut(list)
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
}

/// The Host and the path that an Ingress document is the first to route.
pub fn route(documents: &[Value]) -> Option<(String, String)> {
    documents
        .iter()
        .find(|object| text(object, "/kind") == "Ingress")
        .map(|ingress| {
            (
                text(ingress, "/spec/rules/0/host").to_owned(),
                text(ingress, "/spec/rules/0/http/paths/0/path").to_owned(),
            )
        })
}

/// The name of the first document of a kind.
pub fn name_of(documents: &[Value], kind: &str) -> Option<String> {
    documents
        .iter()
        .find(|object| text(object, "/kind") == kind)
        .map(|object| text(object, "/metadata/name").to_owned())
}
