//! Prometheus' answers as values. Pure. A scalar is a float, a vector a list of floats, a matrix all floats of all series in one list, in the
//! server's order, as in Argo Rollouts; the labels are kept beside them. Different from there: native histograms are refused and not read as 0, and
//! numbers that are too large for a float are refused and not read as infinite.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use analysis::value::Value;
use serde::de::{IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::metrics::network::Answer;
use crate::metrics::trouble::Fault;
use crate::metrics::{Measured, Secrets, Series};

/// The most series, and the most numbers of one series, of an answer.
const MOST_ITEMS: usize = 11_001;
/// The most numbers of an answer.
const MOST_NUMBERS: usize = 50_000;
/// The most warnings that are kept.
const MOST_WARNINGS: usize = 10;
/// The most characters of a warning or a label that are kept.
const MOST_CHARACTERS: usize = 300;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope<'a> {
    status: String,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    error_type: Option<String>,
    error: Option<String>,
    warnings: Option<Vec<String>>,
    /// VictoriaMetrics' word for an answer that some of its storage did not take part in.
    is_partial: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Data<'a> {
    result_type: String,
    #[serde(borrow)]
    result: Option<&'a RawValue>,
}

/// A number with its time, in seconds. The number is a text.
#[derive(Deserialize)]
struct Point(IgnoredAny, String);

#[derive(Deserialize)]
struct Item {
    #[serde(default)]
    metric: BTreeMap<String, String>,
    value: Option<Point>,
    values: Option<Bounded<Point>>,
    histogram: Option<IgnoredAny>,
    histograms: Option<Bounded<IgnoredAny>>,
}

/// Reads an answer whose status says success.
pub(super) fn read(answer: &Answer, secrets: &Secrets) -> Result<Measured, Fault> {
    let envelope: Envelope<'_> = serde_json::from_slice(&answer.body).map_err(|error| {
        let words = answer.words(secrets);
        Fault::Malformed(if error.is_eof() && !answer.body.is_empty() {
            "it ends in the middle of its JSON".to_owned()
        } else {
            format!(
                "it is {} and not Prometheus' JSON ({error}): {words}; does the address lead to a server of Prometheus' API?",
                answer.content_type()
            )
        })
    })?;
    if envelope.status != "success" {
        let excuse = said(envelope.error_type, envelope.error);
        return Err(match excuse {
            Some(words) => Fault::QueryRefused {
                status: answer.status.as_u16(),
                words,
            },
            None => Fault::Malformed(format!("its status is \"{}\" and it does not say why", envelope.status)),
        });
    }
    let data = envelope.data.map_or("null", RawValue::get);
    let data: Data<'_> = part("data", data)?;
    let items = data.result.map_or("[]", RawValue::get);
    let mut measured = match data.result_type.as_str() {
        "scalar" => scalar(&part("scalar", items)?, secrets)?,
        "vector" | "matrix" => list(part("result", items)?, secrets)?,
        other => return Err(Fault::NotNumeric(other.to_owned())),
    };
    let partial = (envelope.is_partial == Some(true)).then(|| "the server says that its answer is partial".to_owned());
    // Ours first, so that no number of warnings hides it.
    let warnings = partial.into_iter().chain(envelope.warnings.into_iter().flatten());
    measured.warnings = warnings
        .take(MOST_WARNINGS)
        .map(|text| secrets.mask(&text).shortened(MOST_CHARACTERS))
        .collect();
    Ok(measured)
}

/// What an answer that is no success says of the reason, if it speaks Prometheus' language.
pub(super) fn excuse(body: &[u8]) -> Option<String> {
    let envelope: Envelope<'_> = serde_json::from_slice(body).ok()?;
    said(envelope.error_type, envelope.error)
}

fn said(kind: Option<String>, words: Option<String>) -> Option<String> {
    let said: Vec<String> = [kind, words]
        .into_iter()
        .flatten()
        .filter(|text| !text.is_empty())
        .collect();
    (!said.is_empty()).then(|| said.join(": "))
}

fn part<'a, T: Deserialize<'a>>(what: &str, text: &'a str) -> Result<T, Fault> {
    serde_json::from_str(text).map_err(|error| Fault::Malformed(format!("{what}: {error}")))
}

fn scalar(point: &Point, secrets: &Secrets) -> Result<Measured, Fault> {
    Ok(Measured::new(Value::Float(number(&point.1)?), secrets))
}

fn list(items: Bounded<Item>, secrets: &Secrets) -> Result<Measured, Fault> {
    let too_many = || Fault::TooLarge(format!("{MOST_NUMBERS} numbers"));
    let mut numbers = Vec::new();
    let mut series = Vec::new();
    for item in items
        .whole()
        .ok_or_else(|| Fault::TooLarge(format!("{MOST_ITEMS} series")))?
    {
        if item.histogram.is_some() || item.histograms.is_some_and(|histograms| histograms.seen > 0) {
            return Err(Fault::HistogramRefused);
        }
        let points = match (item.value, item.values) {
            (Some(point), None) => vec![point],
            (None, Some(points)) => points.whole().ok_or_else(too_many)?,
            (None, None) | (Some(_), Some(_)) => {
                return Err(Fault::Malformed("a series has neither a value nor values".to_owned()));
            }
        };
        for Point(_, text) in &points {
            numbers.push(Value::Float(number(text)?));
        }
        if numbers.len() > MOST_NUMBERS {
            return Err(too_many());
        }
        let masked = |text: &String| secrets.mask(text).shortened(MOST_CHARACTERS);
        let labels = item.metric.iter();
        series.push(Series {
            labels: labels
                .map(|(name, value)| (masked(name).to_string(), masked(value)))
                .collect(),
            numbers: points.len(),
        });
    }
    Ok(Measured {
        series,
        ..Measured::new(Value::List(numbers), secrets)
    })
}

fn number(text: &str) -> Result<f64, Fault> {
    analysis::value::parse_float(text).ok_or_else(|| Fault::Malformed(format!("\"{text}\" is not a number")))
}

/// A list of which no more than [`MOST_ITEMS`] are kept.
struct Bounded<T> {
    kept: Vec<T>,
    seen: usize,
}

impl<T> Bounded<T> {
    /// All of them, if all were kept.
    fn whole(self) -> Option<Vec<T>> {
        (self.seen == self.kept.len()).then_some(self.kept)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Bounded<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Items<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Items<T> {
            type Value = Bounded<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
                let mut kept = Vec::new();
                while kept.len() < MOST_ITEMS {
                    match items.next_element()? {
                        Some(item) => kept.push(item),
                        None => break,
                    }
                }
                let mut seen = kept.len();
                while items.next_element::<IgnoredAny>()?.is_some() {
                    seen += 1;
                }
                Ok(Bounded { kept, seen })
            }
        }

        deserializer.deserialize_seq(Items(PhantomData))
    }
}
