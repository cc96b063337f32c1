//! Whether clusters agree: the verdicts of several JSON reports, scenario by scenario, over every cluster and gateway that was played on. A
//! scenario that passes in one place and fails in another, or that one place never played and does not say why, is a difference.
//!
//! Pure: from the reports' texts to a [`Comparison`]. Used by the runner's `compare`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Deserialize;

/// Why a report cannot be compared.
#[derive(Debug, thiserror::Error)]
pub enum CompareError {
    /// It is no JSON report.
    #[error("read {name}: {said}; write it by `cargo xtask e2e --report FILE.json`")]
    Unreadable {
        /// The report's name.
        name: String,
        /// What the reader said.
        said: serde_json::Error,
    },
    /// Two reports tell of one place.
    #[error("{name} tells of {place}, and so does a report before it; compare one run with another")]
    Twice {
        /// The report's name.
        name: String,
        /// The place.
        place: String,
    },
    /// One place agrees with itself.
    #[error("only {place} was played on; compare two clusters or gateways")]
    Alone {
        /// The place.
        place: String,
    },
}

#[derive(Deserialize)]
struct Read {
    cluster: String,
    scenarios: Vec<ReadScenario>,
}

#[derive(Deserialize)]
struct ReadScenario {
    id: String,
    result: Verdict,
    #[serde(default)]
    why: Vec<String>,
}

/// What a place said of a scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Verdict {
    Passed,
    Failed,
    Skipped,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Cell {
    verdict: Verdict,
    why: Vec<String>,
}

/// One scenario on which places do not agree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The scenario.
    pub scenario: String,
    /// What each place says, by the place's name; a place is a cluster, or a cluster and a gateway as `local@istio`.
    pub said: BTreeMap<String, String>,
}

/// What the reports say together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// The places, as `embedded` and `local@istio`.
    pub places: Vec<String>,
    /// How many scenarios at least two places played to the same verdict.
    pub agreed: usize,
    /// Where a scenario was skipped, with the reason: `scenario on place: why`.
    pub skipped: Vec<String>,
    /// Where they do not agree.
    pub differences: Vec<Difference>,
}

/// Compares reports, each with the name that errors know it by.
///
/// # Errors
/// When a text is no report, or there are no two places in them.
pub fn compare(reports: &[(String, String)]) -> Result<Comparison, CompareError> {
    let mut places: BTreeMap<String, BTreeMap<String, Cell>> = BTreeMap::new();
    for (name, text) in reports {
        let mut its: BTreeMap<String, BTreeMap<String, Cell>> = BTreeMap::new();
        for (place, scenario, cell) in read(name, text)? {
            its.entry(place).or_default().insert(scenario, cell);
        }
        for (place, cells) in its {
            if places.contains_key(&place) {
                let name = name.clone();
                return Err(CompareError::Twice { name, place });
            }
            places.insert(place, cells);
        }
    }
    if places.len() < 2 {
        let place = places.keys().next().cloned().unwrap_or_else(|| "nothing".to_owned());
        return Err(CompareError::Alone { place });
    }
    Ok(judge(&places))
}

/// Every scenario of a report: the place, its name there, and what became of it.
fn read(name: &str, text: &str) -> Result<Vec<(String, String, Cell)>, CompareError> {
    let report: Read = serde_json::from_str(text).map_err(|said| CompareError::Unreadable {
        name: name.to_owned(),
        said,
    })?;
    let cells = report.scenarios.into_iter().map(|scenario| {
        let (id, place) = match scenario.id.split_once('@') {
            Some((id, gateway)) => (id.to_owned(), format!("{}@{gateway}", report.cluster)),
            None => (scenario.id, report.cluster.clone()),
        };
        let (verdict, why) = (scenario.result, scenario.why);
        (place, id, Cell { verdict, why })
    });
    Ok(cells.collect())
}

fn judge(places: &BTreeMap<String, BTreeMap<String, Cell>>) -> Comparison {
    let scenarios: BTreeSet<&String> = places.values().flat_map(BTreeMap::keys).collect();
    let mut comparison = Comparison {
        places: places.keys().cloned().collect(),
        agreed: 0,
        skipped: Vec::new(),
        differences: Vec::new(),
    };
    for scenario in scenarios {
        let cells = places.iter().map(|(place, cells)| (place, cells.get(scenario)));
        let cells: Vec<(&String, Option<&Cell>)> = cells.collect();
        let played: Vec<Verdict> = cells
            .iter()
            .filter_map(|(_, cell)| cell.map(|cell| cell.verdict))
            .filter(|verdict| *verdict != Verdict::Skipped)
            .collect();
        for (place, cell) in &cells {
            if let Some(cell) = cell.filter(|cell| cell.verdict == Verdict::Skipped) {
                let line = format!("{scenario} on {place}: {}", cell.why.join("; "));
                comparison.skipped.push(line);
            }
        }
        let alike = played.windows(2).all(|pair| pair.first() == pair.last());
        if cells.iter().any(|(_, cell)| cell.is_none()) || !alike {
            comparison.differences.push(Difference {
                scenario: scenario.clone(),
                said: cells
                    .into_iter()
                    .map(|(place, cell)| (place.clone(), said(cell)))
                    .collect(),
            });
        } else if played.len() > 1 {
            comparison.agreed += 1;
        }
    }
    comparison
}

fn said(cell: Option<&Cell>) -> String {
    match cell {
        None => "never played, without a reason".to_owned(),
        Some(cell) => match cell.verdict {
            Verdict::Passed => "passed".to_owned(),
            Verdict::Failed => format!("failed: {}", cell.why.join("; ")),
            Verdict::Skipped => format!("skipped: {}", cell.why.join("; ")),
        },
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for difference in &self.differences {
            writeln!(f, "{}:", difference.scenario)?;
            for (place, said) in &difference.said {
                writeln!(f, "    {place}: {said}")?;
            }
        }
        for line in &self.skipped {
            writeln!(f, "skipped {line}")?;
        }
        write!(
            f,
            "compared {}: {} scenarios alike, {} different, {} skipped",
            self.places.join(", "),
            self.agreed,
            self.differences.len(),
            self.skipped.len()
        )
    }
}
