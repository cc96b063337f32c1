//! Prometheus' answers as values. Pure. A scalar is a float, a vector a list of floats, a matrix all floats of all series in one list, in the
//! server's order, as in Argo Rollouts; the labels are kept beside them. Different from there: native histograms are refused and not read as 0, and
//! numbers that are too large for a float are refused and not read as infinite.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use analysis::value::Value;
use serde::de::{IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::Asked;
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
    infos: Option<Vec<String>>,
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
struct Point(f64, String);

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
pub(super) fn read(answer: &Answer, asked: Asked, secrets: &Secrets) -> Result<Measured, Fault> {
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
        "scalar" => scalar(&part("scalar", items)?, asked, secrets)?,
        "vector" | "matrix" => list(part("result", items)?, asked, secrets)?,
        other => return Err(Fault::NotNumeric(other.to_owned())),
    };
    let partial = (envelope.is_partial == Some(true)).then(|| "the server says that its answer is partial".to_owned());
    let kept = |texts: Vec<String>| {
        let texts = texts.into_iter().take(MOST_WARNINGS);
        texts
            .map(|text| secrets.mask(&text).shortened(MOST_CHARACTERS))
            .collect()
    };
    measured.warnings = kept(envelope.warnings.into_iter().flatten().chain(partial).collect());
    measured.infos = kept(envelope.infos.unwrap_or_default());
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

fn scalar(point: &Point, asked: Asked, secrets: &Secrets) -> Result<Measured, Fault> {
    Ok(Measured {
        stale: stale(point.0, asked),
        ..Measured::new(Value::Float(number(&point.1)?), secrets)
    })
}

fn list(items: Bounded<Item>, asked: Asked, secrets: &Secrets) -> Result<Measured, Fault> {
    let too_many = || Fault::TooLarge(format!("{MOST_NUMBERS} numbers"));
    let mut newest: Option<f64> = None;
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
        for Point(at, text) in &points {
            newest = Some(newest.map_or(*at, |newest| newest.max(*at)));
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
        stale: newest.and_then(|newest| stale(newest, asked)),
        ..Measured::new(Value::List(numbers), secrets)
    })
}

fn number(text: &str) -> Result<f64, Fault> {
    analysis::value::parse_float(text).ok_or_else(|| Fault::Malformed(format!("\"{text}\" is not a number")))
}

/// How much too old a number is.
fn stale(newest: f64, asked: Asked) -> Option<Duration> {
    let (at, bound) = asked.newest();
    let age = Duration::try_from_secs_f64(at - newest).ok()?;
    (age > bound).then_some(age)
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
