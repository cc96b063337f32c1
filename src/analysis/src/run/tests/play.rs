//! Plays a run: answers from a script to whatever is due, time jumps to the next moment, and the status goes through JSON between any two steps, as it
//! does through an API server and a new process.

use std::collections::{BTreeMap, VecDeque};

use api::v1alpha1::{AnalysisPhase, AnalysisRunSpec, AnalysisRunStatus, MetricResult};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value as Json, json};

use crate::run::{Conditions, Fault, MeasureRequest, Measured, Outcome, Step, Work, advance};
use crate::value::Value;

/// Steps after which a run counts as endless.
const PATIENCE: usize = 400;

/// One answer of a script.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Answer {
    /// A vector.
    Vector(Vec<f64>),
    /// A scalar.
    Scalar(f64),
    /// The metric server is down.
    Down,
    /// Takes this many seconds more.
    Later(i64),
    /// A verdict of the provider's own.
    Says(AnalysisPhase),
}

/// A run under way.
#[derive(Clone, Debug)]
pub(super) struct Play {
    pub(super) spec: AnalysisRunSpec,
    pub(super) status: AnalysisRunStatus,
    pub(super) now: Timestamp,
    pub(super) begun: Timestamp,
    script: BTreeMap<String, VecDeque<Answer>>,
    /// Seconds from the begin, metric and what was asked for, of every request that was answered.
    pub(super) asked: Vec<(i64, String, &'static str)>,
    pub(super) last: Option<Step>,
}

impl Play {
    /// A run of this spec, whose metrics are answered by letters: `P` passes (1), `F` fails (0), `I` is neither (0.5), `E` is an outage, `N` is NaN,
    /// `-` no data. After its last letter a metric is answered by that letter again.
    pub(super) fn of(spec: Json, letters: &[(&str, &str)]) -> Self {
        let now = "2026-01-01T00:00:00Z".parse().unwrap();
        let answers = |letters: &str| letters.chars().map(letter).collect();
        Self {
            spec: serde_json::from_value(spec).unwrap(),
            status: AnalysisRunStatus::default(),
            now,
            begun: now,
            script: letters
                .iter()
                .map(|(metric, letters)| ((*metric).to_owned(), answers(letters)))
                .collect(),
            asked: Vec::new(),
            last: None,
        }
    }

    pub(super) fn answers(&mut self, metric: &str, answers: Vec<Answer>) {
        self.script.insert(metric.to_owned(), answers.into());
    }

    /// One step with these answers.
    pub(super) fn step(&mut self, arrived: &[Measured]) -> Step {
        let step = advance(&self.spec, &self.status, self.now, arrived, &Conditions);
        let stored = serde_json::to_string(&step.status).unwrap();
        self.status = serde_json::from_str(&stored).unwrap();
        self.last = Some(step.clone());
        step
    }

    /// Answers to everything that is due.
    pub(super) fn answer(&mut self, due: &[MeasureRequest]) -> Vec<Measured> {
        due.iter().map(|request| self.answer_one(request)).collect()
    }

    fn answer_one(&mut self, request: &MeasureRequest) -> Measured {
        let name = request.metric.name.clone();
        let work = match &request.work {
            Work::Start => "start",
            Work::Resume(_) => "resume",
            Work::Stop(_) => "stop",
        };
        self.asked
            .push(((self.now - self.begun).get_seconds(), name.clone(), work));
        let script = self
            .script
            .get_mut(&name)
            .unwrap_or_else(|| panic!("nobody answers {name}"));
        let answer = if script.len() > 1 {
            script.pop_front()
        } else {
            script.front().cloned()
        };
        let outcome = match (work, answer.expect("an answer")) {
            ("stop", _) => Outcome::Stopped,
            (_, Answer::Vector(values)) => Outcome::Value(Value::List(values.into_iter().map(Value::Float).collect())),
            (_, Answer::Scalar(value)) => Outcome::Value(Value::Float(value)),
            (_, Answer::Down) => Outcome::Error {
                fault: Fault::Unavailable,
                message: "connection refused".to_owned(),
            },
            (_, Answer::Later(seconds)) => Outcome::Unfinished {
                resume_at: self.now + SignedDuration::from_secs(seconds),
            },
            (_, Answer::Says(phase)) => Outcome::Verdict {
                phase,
                message: "it says so".to_owned(),
            },
        };
        measured(&name, request.ordinal, self.now, outcome)
    }

    /// To its end.
    pub(super) fn until_the_end(mut self) -> Self {
        let mut arrived = Vec::new();
        for _ in 0..PATIENCE {
            let step = self.step(&arrived);
            if step.status.phase.is_final() {
                return self;
            }
            arrived = self.answer(&step.due);
            if arrived.is_empty() {
                self.now = step.next.expect("something to wait for").max(self.now);
            }
        }
        panic!("it does not end: {:#?}", self.status)
    }

    /// So many seconds on, whatever happens on the way.
    pub(super) fn until(mut self, seconds: i64) -> Self {
        let end = self.begun + SignedDuration::from_secs(seconds);
        let mut arrived = Vec::new();
        for _ in 0..PATIENCE {
            let step = self.step(&arrived);
            arrived = self.answer(&step.due);
            if arrived.is_empty() {
                match step.next {
                    Some(next) if next <= end => self.now = next.max(self.now),
                    _ => {
                        self.now = end;
                        return self;
                    }
                }
            }
        }
        panic!("it does not come to rest: {:#?}", self.status)
    }

    pub(super) fn result(&self, metric: &str) -> MetricResult {
        let mut results = self.status.metric_results.iter().flatten();
        results
            .find(|result| result.name == metric)
            .cloned()
            .unwrap_or_else(|| panic!("no result of {metric}"))
    }

    /// Phase and message of the run.
    pub(super) fn said(&self) -> (String, String) {
        (
            self.status.phase.to_string(),
            self.status.message.clone().unwrap_or_default(),
        )
    }
}

fn letter(letter: char) -> Answer {
    match letter {
        'P' => Answer::Vector(vec![1.0]),
        'F' => Answer::Vector(vec![0.0]),
        'I' => Answer::Vector(vec![0.5]),
        'N' => Answer::Vector(vec![f64::NAN]),
        '-' => Answer::Vector(vec![]),
        'E' => Answer::Down,
        other => panic!("{other} is no answer"),
    }
}

pub(super) fn measured(metric: &str, ordinal: i32, at: Timestamp, outcome: Outcome) -> Measured {
    Measured {
        metric: metric.to_owned(),
        ordinal,
        started_at: at,
        outcome,
        warnings: Vec::new(),
        samples: None,
        metadata: BTreeMap::new(),
        about: BTreeMap::new(),
    }
}

/// A metric that is good at 1, with `patch` put over it.
pub(super) fn metric(name: &str, patch: &Json) -> Json {
    let mut metric = json!({
        "name": name,
        "successCondition": "result[0] >= 1",
        "provider": { "prometheus": { "address": "http://prometheus:9090", "query": "up" } },
    });
    for (field, value) in patch.as_object().unwrap() {
        match value {
            Json::Null => metric.as_object_mut().unwrap().remove(field),
            value => metric.as_object_mut().unwrap().insert(field.clone(), value.clone()),
        };
    }
    metric
}

/// A metric that is bad at 0, good at 1 and neither between them.
pub(super) fn both(patch: &Json) -> Json {
    let mut patch = patch.clone();
    patch["failureCondition"] = "result[0] <= 0".into();
    patch
}
