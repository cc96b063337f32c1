//! What is known of an API server that does not answer, and of kinds whose feed fails: so that one outage is one line of the log, whatever it
//! stops, and nothing is listed anew that is being tried again anyway.
//!
//! It is told what time it is, and has no effect but lines of the log. Used by the driver's loop only. A watch that is back says so only when something happens, so that an outage
//! also counts as over when nothing has failed for a while.

use std::collections::BTreeMap;

use env::Moment;
use rollout::Kind;
use tracing::{debug, info, warn};

use super::backoff::FORGOTTEN;
use super::cache::{Delivery, Failure};

/// How the way to the API server is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Way {
    /// Nothing has failed.
    #[default]
    Whole,
    /// Requests get no answer; the last that is known of did not at this moment.
    Lost(Moment),
    /// They do again, since this moment. Others may still find out that they did not.
    Back(Moment),
}

/// The failures of late.
#[derive(Debug, Default)]
pub(super) struct Outage {
    way: Way,
    /// When the feed of a kind last failed, unless it has delivered since.
    failing: BTreeMap<Kind, Moment>,
}

impl Outage {
    /// Takes in what a delivery says of the way to the API server.
    pub(super) fn hear(&mut self, kind: Kind, delivery: &Delivery, now: Moment) {
        match delivery {
            Delivery::Failed(failure) => {
                self.failing.insert(kind, now);
                if let Failure::Unanswered(error) = failure {
                    self.unanswered(error, now);
                }
            }
            Delivery::Unreadable { .. } => {
                self.failing.insert(kind, now);
            }
            Delivery::Replaced { .. } | Delivery::Applied(_) | Delivery::Deleted(_) | Delivery::Unserved { .. } => {
                // What was on its way before it failed proves nothing.
                if self.failing.remove(&kind).is_some() && matches!(self.way, Way::Lost(_)) {
                    info!("the API server answers again");
                    self.way = Way::Back(now);
                }
            }
        }
    }

    /// A request got no answer at `now`: told when an outage begins with it.
    pub(super) fn unanswered(&mut self, error: &str, now: Moment) {
        let goes_on = match self.way {
            Way::Whole => false,
            Way::Lost(at) | Way::Back(at) => now.since(at) <= FORGOTTEN,
        };
        if goes_on {
            debug!(error, "the API server still does not answer");
        } else {
            warn!(
                error,
                "the API server does not answer, trying again; releases stay where they are"
            );
        }
        self.way = Way::Lost(now);
    }

    /// Whether the feed of `kind` is trying again after a failure.
    pub(super) fn is_failing(&self, kind: Kind, now: Moment) -> bool {
        let last = self.failing.get(&kind);
        last.is_some_and(|last| now.since(*last) <= FORGOTTEN)
    }
}
