//! The values of secret arguments, for as long as a measurement takes. They go into a metric's provider and nowhere else: this type does not show them,
//! and takes them out of every text that may hold one.

use std::collections::BTreeMap;
use std::fmt;

use api::v1alpha1::Metric;

use super::arguments::{self, ArgumentError};

/// What stands in the place of a secret value.
const MASK: &str = "*****";

/// Values of secret arguments by the arguments' names, and other values that no text may show.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secrets {
    values: BTreeMap<String, String>,
    hidden: Vec<String>,
}

impl Secrets {
    /// The values, by the names of the arguments.
    pub fn of(values: BTreeMap<String, String>) -> Self {
        Self {
            values,
            hidden: Vec::new(),
        }
    }

    /// Hides one more value, such as a password of a provider.
    pub fn hide(&mut self, value: impl Into<String>) {
        self.hidden.push(value.into());
    }

    /// The metric as it is to be measured.
    ///
    /// # Errors
    /// A reference that has no value.
    pub fn fill(&self, metric: &Metric) -> Result<Metric, ArgumentError> {
        arguments::fill(metric, &self.values, &[])
    }

    /// The text without any of the values: as they are, as they stand inside of JSON, and as they stand inside of a URL.
    pub fn mask(&self, text: &str) -> String {
        let mut forms: Vec<String> = Vec::new();
        for value in self.values.values().chain(&self.hidden) {
            let trimmed = value.trim();
            if trimmed.is_empty() {
                continue;
            }
            let json = serde_json::Value::from(trimmed).to_string();
            let json = json.strip_prefix('"').and_then(|json| json.strip_suffix('"'));
            forms.extend(json.map(str::to_owned));
            forms.extend([value.clone(), trimmed.to_owned(), escaped(trimmed)]);
        }
        // The longest first: one value may be the beginning of another.
        forms.sort_by_key(|form| std::cmp::Reverse(form.len()));
        forms.dedup();
        forms
            .iter()
            .fold(text.to_owned(), |text, form| text.replace(form.as_str(), MASK))
    }
}

/// Shows how many there are.
impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secrets({})", self.values.len() + self.hidden.len())
    }
}

/// As a URL's query holds it.
fn escaped(value: &str) -> String {
    let mut escaped = String::with_capacity(value.len());
    for byte in value.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => escaped.push(char::from(byte)),
            _ => escaped.push_str(&format!("%{byte:02X}")),
        }
    }
    escaped
}
