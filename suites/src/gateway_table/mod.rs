//! The gateway table: one list of cases, played on any gateway, so that gateways can be compared cell by cell.
//!
//! No rollout takes part: routes are written as a person would write them, requests are sent, and what came back is put into words. What a
//! controller may rely on is only what is the same in every column. Used by the binaries; needs a [`Bed`](crate::Bed).

mod ask;
mod cases;
mod play;
mod print;
#[cfg(test)]
mod tests;
mod way;

pub use play::run;
pub use print::{Column, differences, markdown};

use serde_json::Value;

use crate::routes::Family;
use way::Place;

/// One case: objects, and what is asked of the gateway once it has followed.
struct Case {
    /// Its name; the first part of its host.
    id: &'static str,
    /// What is being found out.
    about: &'static str,
    /// The families of routes that can say it.
    families: &'static [Family],
    /// Its routes.
    routes: fn(&Place) -> Vec<Value>,
    /// What is done and measured.
    play: Play,
}

/// What is done once the routes are there.
enum Play {
    /// Nothing: these requests are sent.
    Ask(Vec<Ask>),
    /// All traffic is moved from the old version to the new one, in so many writes one right after the other.
    Move {
        /// How many.
        writes: u32,
    },
    /// A pod that goes on answering for so many seconds after it was told to end is deleted while requests are sent.
    Delete {
        /// Seconds.
        drain: u32,
    },
}

/// One kind of request.
struct Ask {
    /// What tells it from the case's others.
    label: &'static str,
    /// The first part of the host, where it is not the case's own.
    host: Option<&'static str>,
    path: &'static str,
    headers: &'static [(&'static str, &'static str)],
}

/// A row of the table in one column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    /// The case, and what tells its request from the others.
    pub row: String,
    /// What the row is about.
    pub about: &'static str,
    /// What was seen, in words that are the same when it was the same.
    pub seen: String,
}

/// Every case, in the order of the table.
fn all() -> Vec<Case> {
    cases::all()
}
