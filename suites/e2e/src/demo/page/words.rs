//! What a page says of a release in sentences: its title, what happened in short, and a few numbers. Pure; used by `page`.

use super::markup::{clock, count, duration};
use crate::demo::record::{Outcome, Record, percent};

/// What is under the picture.
pub(super) const CAPTION: &str = "One axis of time, from the change of the image. The split is what the gateway does, not what was asked of it. \
    Numbers above the picture are those of the decisions below.";

/// What the release was, in a few words.
pub(super) const fn title(record: &Record) -> &'static str {
    match record.outcome {
        Some(Outcome::Completed) => "A good release goes through",
        Some(Outcome::RolledBack) => "A bad release is taken back",
        None => "A release",
    }
}

/// What happened, in three sentences.
pub(super) fn lead(record: &Record) -> String {
    let mut sentences = vec![format!(
        "Version {} was released where version {} served.",
        record.new, record.old
    )];
    let asked = record
        .threshold
        .map(|least| format!("; at least {} is asked for", percent(least)));
    let asked = asked.unwrap_or_default();
    if let Some((_, lowest)) = record.lowest_rate() {
        let most = percent(record.most_weight());
        sentences.push(match record.threshold {
            Some(least) if lowest < least => {
                format!(
                    "With {most} of the requests on it, the success rate fell to {}{asked}.",
                    percent(lowest)
                )
            }
            _ => format!(
                "With up to {most} of the requests on it, the success rate was never below {}{asked}.",
                percent(lowest)
            ),
        });
    }
    let ended = record.split_ended().map(duration);
    match (record.outcome, ended) {
        (Some(Outcome::Completed), Some(at)) => {
            sentences.push(format!("After {at} the new version took over."));
        }
        (Some(Outcome::RolledBack), Some(at)) => sentences.push(format!(
            "After {at} the analysis had seen enough and led every request back to the old version; nobody had to be there."
        )),
        _ => {}
    }
    sentences.join(" ")
}

/// A few numbers with their names.
pub(super) fn facts(record: &Record) -> Vec<(&'static str, String)> {
    let mut facts = vec![(
        "Outcome",
        match record.outcome {
            Some(Outcome::Completed) => "Complete".to_owned(),
            Some(Outcome::RolledBack) => "Taken back".to_owned(),
            None => "Under way".to_owned(),
        },
    )];
    if let Some(ended) = record.split_ended() {
        facts.push(("On trial for", duration(ended)));
    }
    facts.push(("Most traffic on trial", percent(record.most_weight())));
    if let Some((_, lowest)) = record.lowest_rate() {
        facts.push(("Lowest success rate", percent(lowest)));
    }
    let requests = record.requests;
    facts.push((
        "Failed requests",
        format!("{} of {}", count(requests.failed), count(requests.sent)),
    ));
    facts
}

/// The picture in sentences, for those who do not see it.
pub(super) fn description(record: &Record) -> String {
    let mut sentences = vec![format!("From 0:00 to {} minutes.", clock(record.lasted()))];
    let mut before = None;
    for look in &record.looks {
        if before != Some(look.weight) {
            sentences.push(format!(
                "From {}: {} of the requests to the new version, {} ready pods of the old version and {} of the new.",
                clock(look.at),
                percent(look.weight),
                look.old,
                look.new
            ));
        }
        before = Some(look.weight);
    }
    if let Some((at, lowest)) = record.lowest_rate() {
        sentences.push(format!(
            "The success rate is lowest at {}: {}.",
            clock(at),
            percent(lowest)
        ));
    }
    if let Some(least) = record.threshold {
        sentences.push(format!("A measurement below {} is bad.", percent(least)));
    }
    sentences.push("The decisions are in the table below.".to_owned());
    sentences.join(" ")
}
