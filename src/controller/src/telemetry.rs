//! What a process tells about itself: counters in Prometheus' text format, and whether it is alive and ready.
//!
//! A cheap handle that the driver writes to and one HTTP service reads. Nothing here is read back by any decision.

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use env::{HttpService, full};
use http::{Method, Response, StatusCode, header};
use parking_lot::Mutex;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct WriteLabels {
    kind: String,
    verb: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct KindLabel {
    kind: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CategoryLabel {
    category: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReviewLabels {
    path: String,
    outcome: String,
}

/// The measurements of one process. Clones are the same measurements.
#[derive(Clone)]
pub struct Telemetry(Arc<Inner>);

struct Inner {
    registry: Mutex<Registry>,
    reconciles: Counter,
    writes: Family<WriteLabels, Counter>,
    errors: Family<CategoryLabel, Counter>,
    watch_failures: Family<KindLabel, Counter>,
    served: Family<KindLabel, Gauge<i64, AtomicI64>>,
    reviews: Family<ReviewLabels, Counter>,
    depth: Gauge<i64, AtomicI64>,
    leading: Gauge<i64, AtomicI64>,
    passed: Gauge<i64, AtomicI64>,
    unfit: Mutex<Option<String>>,
    synced: AtomicBool,
}

impl std::fmt::Debug for Telemetry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Telemetry")
    }
}

impl Default for Telemetry {
    fn default() -> Self {
        let inner = Inner {
            registry: Mutex::default(),
            reconciles: Counter::default(),
            writes: Family::default(),
            errors: Family::default(),
            watch_failures: Family::default(),
            served: Family::default(),
            reviews: Family::default(),
            depth: Gauge::default(),
            leading: Gauge::default(),
            passed: Gauge::default(),
            unfit: Mutex::default(),
            synced: AtomicBool::new(false),
        };
        {
            let mut registry = inner.registry.lock();
            let registry = registry.sub_registry_with_prefix("tidegate");
            registry.register("reconciles", "Decisions made", inner.reconciles.clone());
            registry.register(
                "writes",
                "Writes that the API server accepted, by kind and verb",
                inner.writes.clone(),
            );
            registry.register("errors", "Failed reconciles, by category", inner.errors.clone());
            registry.register(
                "watch_failures",
                "Failed lists and watches, by kind",
                inner.watch_failures.clone(),
            );
            registry.register(
                "kind_served",
                "Whether the API server serves a kind: 1 or 0",
                inner.served.clone(),
            );
            registry.register(
                "reviews",
                "Admission and conversion reviews, by path and outcome",
                inner.reviews.clone(),
            );
            registry.register(
                "queue_depth",
                "Workloads that are due and not being reconciled",
                inner.depth.clone(),
            );
            registry.register(
                "leading",
                "Whether this replica may write: 1 or 0",
                inner.leading.clone(),
            );
            registry.register(
                "preflight",
                "Whether the installed definitions keep every field of this version: 1 or 0",
                inner.passed.clone(),
            );
        }
        Self(Arc::new(inner))
    }
}

impl Telemetry {
    pub(crate) fn reconciled(&self) {
        self.0.reconciles.inc();
    }

    pub(crate) fn wrote(&self, kind: &str, verb: &str) {
        self.0
            .writes
            .get_or_create(&WriteLabels {
                kind: kind.to_owned(),
                verb: verb.to_owned(),
            })
            .inc();
    }

    pub(crate) fn failed(&self, category: &str) {
        self.0
            .errors
            .get_or_create(&CategoryLabel {
                category: category.to_owned(),
            })
            .inc();
    }

    pub(crate) fn watch_failed(&self, kind: &str) {
        self.0
            .watch_failures
            .get_or_create(&KindLabel { kind: kind.to_owned() })
            .inc();
    }

    pub(crate) fn serves(&self, kind: &str, served: bool) {
        self.0
            .served
            .get_or_create(&KindLabel { kind: kind.to_owned() })
            .set(i64::from(served));
    }

    pub(crate) fn reviewed(&self, path: &str, outcome: &str) {
        self.0
            .reviews
            .get_or_create(&ReviewLabels {
                path: path.to_owned(),
                outcome: outcome.to_owned(),
            })
            .inc();
    }

    pub(crate) fn depth(&self, keys: usize) {
        self.0.depth.set(i64::try_from(keys).unwrap_or(i64::MAX));
    }

    pub(crate) fn leading(&self, leads: bool) {
        self.0.leading.set(i64::from(leads));
    }

    /// What the preflight found: why the cluster is not fit for this version, or nothing.
    pub(crate) fn preflight(&self, unfit: Option<String>) {
        self.0.passed.set(i64::from(unfit.is_none()));
        *self.0.unfit.lock() = unfit;
    }

    pub(crate) fn set_synced(&self) {
        self.0.synced.store(true, Ordering::Relaxed);
    }

    /// Whether every cache has had its first list.
    pub fn synced(&self) -> bool {
        self.0.synced.load(Ordering::Relaxed)
    }

    /// Everything measured, as OpenMetrics text.
    pub fn text(&self) -> String {
        let mut text = String::new();
        match prometheus_client::encoding::text::encode(&mut text, &self.0.registry.lock()) {
            Ok(()) => text,
            Err(std::fmt::Error) => String::new(),
        }
    }

    /// `/metrics`, `/healthz` (the process answers) and `/readyz` (the caches are filled).
    pub fn service(&self) -> HttpService {
        let telemetry = self.clone();
        HttpService::new(move |request| {
            let answer = telemetry.answer(request.method(), request.uri().path());
            async move { Ok(answer) }
        })
    }

    fn answer(&self, method: &Method, path: &str) -> Response<env::Body> {
        let unready = || match &*self.0.unfit.lock() {
            Some(reason) => format!("not ready: {reason}"),
            None => "not ready: the first lists from the API server are not complete".to_owned(),
        };
        const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
        let (status, kind, text) = match (method, path) {
            (&Method::GET | &Method::HEAD, "/metrics") => (StatusCode::OK, OPEN_METRICS, self.text()),
            (&Method::GET | &Method::HEAD, "/healthz") => (StatusCode::OK, "text/plain", "ok".to_owned()),
            (&Method::GET | &Method::HEAD, "/readyz") if self.synced() => {
                (StatusCode::OK, "text/plain", "ok".to_owned())
            }
            (&Method::GET | &Method::HEAD, "/readyz") => (StatusCode::SERVICE_UNAVAILABLE, "text/plain", unready()),
            (_, "/metrics" | "/healthz" | "/readyz") => (
                StatusCode::METHOD_NOT_ALLOWED,
                "text/plain",
                format!("{method} {path}: use GET"),
            ),
            _ => (
                StatusCode::NOT_FOUND,
                "text/plain",
                format!("{path}: nothing here; there are /metrics, /healthz and /readyz"),
            ),
        };
        let mut response = Response::new(full(text));
        *response.status_mut() = status;
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, http::HeaderValue::from_static(kind));
        response
    }
}
