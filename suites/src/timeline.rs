//! What happened around a failure: acts of the person, steps and weights of the release, writes, lost requests, in order.
//!
//! Pure. Printed by the binaries below a failed scenario.

use std::collections::BTreeMap;

use env::Moment;

use crate::dialect::{Committed, Dialect};
use crate::history::Entry;
use crate::ledger::Act;
use crate::object::text;
use crate::probe::Tally;
use crate::{ObjectRef, World};

/// The most lines of a timeline: the last ones before the end.
const LINES: usize = 60;

/// Lines of text, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Timeline(pub Vec<String>);

/// Tells a history.
pub(crate) fn of(dialect: &dyn Dialect, entries: &[Entry], acts: &[(Committed, Act)], requests: &Tally) -> Timeline {
    let mut world = World::default();
    let mut told: Vec<(Moment, String)> = Vec::new();
    let mut before = String::new();
    let acts: BTreeMap<u64, &Act> = acts.iter().map(|(at, act)| (at.0, act)).collect();
    for entry in entries {
        entry.apply(&mut world);
        if let Some(act) = acts.get(&entry.revision) {
            told.push((entry.at, format!("person: {act:?}")));
        }
        told.push((entry.at, wrote(entry)));
        let seen = dialect.read(&world).to_string();
        if seen != before {
            told.push((entry.at, format!("release: {seen}")));
            before = seen;
        }
    }
    for lost in &requests.lost {
        told.push((lost.at, format!("request lost: {}", lost.why)));
    }
    told.sort_by_key(|(at, _)| *at);
    let skipped = told.len().saturating_sub(LINES);
    Timeline(
        told.into_iter()
            .skip(skipped)
            .map(|(at, line)| format!("{:>10.3} s  {line}", at.0.as_secs_f64()))
            .collect(),
    )
}

fn wrote(entry: &Entry) -> String {
    let name = ObjectRef::of(&entry.object);
    if name.kind == "Event" {
        return format!(
            "event: {} {}: {}",
            text(&entry.object, "/involvedObject/name"),
            text(&entry.object, "/reason"),
            text(&entry.object, "/message")
        );
    }
    let what = if entry.gone {
        "gone"
    } else if entry.object.pointer("/metadata/deletionTimestamp").is_some() {
        "ending"
    } else {
        "written"
    };
    format!("{} {}: {what} (revision {})", name.kind, name.name, entry.revision)
}
