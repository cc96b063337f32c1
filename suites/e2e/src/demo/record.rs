//! A release as it was seen: what the new version was given, what ran, what was measured, and what was decided when and why. Values only; `recorder`
//! fills one in, `page` draws it.

use std::time::Duration;

/// One release, from the change of the image until a while after its end.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Record {
    /// The version that served before.
    pub(super) old: String,
    /// The version that was released.
    pub(super) new: String,
    /// The world at regular moments, the oldest first.
    pub(super) looks: Vec<Look>,
    /// What a measurement must be to be good, as the template says it.
    pub(super) condition: String,
    /// The share of requests that this condition asks for, where it asks for a share.
    pub(super) threshold: Option<f64>,
    /// What the analysis measured, the oldest first.
    pub(super) measurements: Vec<Measurement>,
    /// What was decided, the oldest first.
    pub(super) decisions: Vec<Decision>,
    /// What became of the requests.
    pub(super) requests: Requests,
    /// How it ended, once it has.
    pub(super) outcome: Option<Outcome>,
}

/// The world at one moment. Times are counted from the change of the image.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Look {
    /// When.
    pub(super) at: Duration,
    /// The part of the requests that the gateway gives to the new version, from 0 to 1.
    pub(super) weight: f64,
    /// Ready pods of the old version.
    pub(super) old: usize,
    /// Ready pods of the new version.
    pub(super) new: usize,
    /// The success rate that the metric server tells, from 0 to 1; nothing when there were no requests.
    pub(super) rate: Option<f64>,
}

/// One measurement of the analysis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Measurement {
    /// When its verdict was seen.
    pub(super) at: Duration,
    /// What was measured; nothing when that is no number.
    pub(super) value: Option<f64>,
    /// What it means.
    pub(super) verdict: Verdict,
}

/// What a measurement means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// As it is wanted.
    Good,
    /// Not as it is wanted.
    Bad,
    /// Neither, or not measured.
    Unknown,
}

/// Something that was decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Decision {
    /// When it was seen.
    pub(super) at: Duration,
    /// Who decided.
    pub(super) by: By,
    /// What.
    pub(super) what: String,
    /// Why, in the words of the object or the command that it comes from.
    pub(super) why: String,
}

/// Who decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    /// Somebody with a terminal.
    Person,
    /// The plan of the Rollout, carried out by the controller.
    Plan,
    /// The analysis that the Rollout asks for.
    Analysis,
}

impl By {
    /// The word for it.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Person => "Person",
            Self::Plan => "Plan",
            Self::Analysis => "Analysis",
        }
    }
}

/// Requests by what became of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Requests {
    /// Sent since the change of the image.
    pub(super) sent: u64,
    /// Answered with an error, or not at all.
    pub(super) failed: u64,
}

/// How a release ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The new version took over.
    Completed,
    /// The old version serves again.
    RolledBack,
}

impl Record {
    /// Until when the world was looked at.
    pub(super) fn lasted(&self) -> Duration {
        self.looks.last().map(|look| look.at).unwrap_or_default()
    }

    /// When the release stopped dividing the requests between the two versions, once it had begun to.
    pub(super) fn split_ended(&self) -> Option<Duration> {
        let is_split = |look: &&Look| look.weight > 0.0 && look.weight < 1.0;
        let mut split = self.looks.iter().skip_while(|look| !is_split(look));
        split.find(|look| !is_split(look)).map(|look| look.at)
    }

    /// The largest part of the requests that the new version was given until then.
    pub(super) fn most_weight(&self) -> f64 {
        let end = self.split_ended().unwrap_or(Duration::MAX);
        let until = self.looks.iter().take_while(|look| look.at < end);
        until.map(|look| look.weight).fold(0.0, f64::max)
    }

    /// The lowest success rate, and when it was first so low.
    pub(super) fn lowest_rate(&self) -> Option<(Duration, f64)> {
        let rates = self.looks.iter().filter_map(|look| Some((look.at, look.rate?)));
        rates.reduce(|least, rate| if rate.1 < least.1 { rate } else { least })
    }
}

/// The number that a condition of the form `result[0] >= 0.95` compares with.
pub(super) fn threshold(condition: &str) -> Option<f64> {
    let (_, after) = condition.split_once(">=").or_else(|| condition.split_once('>'))?;
    after.trim().parse().ok().filter(|number| (0.0..=1.0).contains(number))
}

/// A share in percent, with one digit where it is not whole.
pub(super) fn percent(share: f64) -> String {
    let shown = format!("{:.1}", share * 100.0);
    format!("{} %", shown.strip_suffix(".0").unwrap_or(&shown))
}
