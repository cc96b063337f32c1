//! The trace: one JSON line for each thing that a run did, in the order in which it did them.
//!
//! Lines carry virtual time, so that two runs of one seed are equal byte for byte. Written to by tidepool (writes, deliveries, routed requests)
//! and by the controller (decisions); read by people after a failure and by the test that compares two processes.

use std::sync::Arc;

use parking_lot::Mutex;
use serde_json::{Map, Value, json};

use crate::Moment;

/// One line of a trace.
#[derive(Clone, Debug, PartialEq)]
pub struct TraceRecord {
    /// When, in the environment's own time.
    pub at: Moment,
    /// What kind of thing: `write`, `deliver`, `route`, `decide`, …
    pub what: &'static str,
    /// The rest of the line.
    pub fields: Map<String, Value>,
}

impl TraceRecord {
    /// The line as it is written to a file, without its end.
    pub fn to_line(&self) -> String {
        let mut line = Map::new();
        line.insert("at".to_owned(), json!(self.at.0.as_micros().to_string()));
        line.insert("what".to_owned(), json!(self.what));
        line.extend(self.fields.clone());
        Value::Object(line).to_string()
    }
}

/// Where trace lines go. Off by default, and then free.
#[derive(Clone, Default)]
pub struct Trace(Option<Arc<Mutex<Vec<TraceRecord>>>>);

impl std::fmt::Debug for Trace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.0.is_some() { "Trace(on)" } else { "Trace(off)" })
    }
}

impl Trace {
    /// Records nothing.
    pub fn off() -> Self {
        Self(None)
    }

    /// Keeps every line in memory until [`Trace::take`].
    pub fn in_memory() -> Self {
        Self(Some(Arc::default()))
    }

    /// Whether lines are kept.
    pub fn is_on(&self) -> bool {
        self.0.is_some()
    }

    pub(crate) fn record(&self, at: Moment, what: &'static str, fields: impl FnOnce() -> Value) {
        let Some(lines) = &self.0 else { return };
        let fields = match fields() {
            Value::Object(fields) => fields,
            other => Map::from_iter([("value".to_owned(), other)]),
        };
        lines.lock().push(TraceRecord { at, what, fields });
    }

    /// What was recorded since the last call.
    pub fn take(&self) -> Vec<TraceRecord> {
        self.0
            .as_ref()
            .map(|lines| std::mem::take(&mut *lines.lock()))
            .unwrap_or_default()
    }
}
