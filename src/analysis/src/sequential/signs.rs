//! The robust mode: in each slice one bet on which arm has the higher rate of errors. Pure; [`super::evidence`] holds it where a template says that errors
//! come in bursts (one bad pod, retries), which break the exact test, since it takes every error for new evidence.
//!
//! Two arms of equal size and kind that are equally good are exchangeable, however the errors of an arm hang together: each is the worse one as often as the
//! other. So with a stake λ that is fixed before the slice, `K ← K (1 + λ sign(e_c/n_c − e_s/n_s))` is a supermartingale while the canary is not worse,
//! and K reaches 1/α with probability α at most (Ville). λ is the edge that the bets so far show, at most 0.9; ties and slices without requests in an arm
//! are no bet. (Sign betting: Waudby-Smith and Ramdas 2024, arXiv 2010.09686.)
//!
//! Counts are seldom equal to the last request, and of two slightly unequal arms the rates differ where the errors do not. So the larger arm is thinned to
//! the size of the other, at random, and the bet is on the expectation of the sign, which the hypergeometric distribution gives without drawing lots.
//! Arms of really different size are refused: a large arm averages its bursts, and is no twin of a small one.

use serde::{Deserialize, Serialize};

use super::decimal;
use super::hypergeometric::Table;
use super::slice::{Arm, Slice};

/// How much smaller one arm may be than the other, as a part of the larger one, beside chance.
pub const TOLERANCE: f64 = 0.2;
/// Chance, in standard deviations of the difference when each request goes to either arm by a fair coin.
const CHANCE: f64 = 4.0;
/// The largest stake: a wrong bet must leave something.
const LARGEST_STAKE: f64 = 0.9;

/// The arms are not of equal size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{canary} requests of the canary and {stable} of its baseline are not of equal size; the robust mode needs a baseline with as many pods and as \
     much traffic as the canary"
)]
pub struct UnequalArms {
    /// Requests of the canary.
    pub canary: u64,
    /// Requests of the baseline.
    pub stable: u64,
}

/// What the bets have come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Signs {
    /// ln K.
    #[serde(with = "decimal")]
    ln_wealth: f64,
    /// Slices in which the canary was worse.
    #[serde(with = "decimal")]
    worse: f64,
    /// Slices in which it was better.
    #[serde(with = "decimal")]
    better: f64,
}

impl Signs {
    /// After one more slice.
    ///
    /// # Errors
    /// The arms differ by more than [`TOLERANCE`] and by more than chance makes of equal ones.
    pub fn and(&self, slice: &Slice) -> Result<Self, UnequalArms> {
        let Slice { canary, stable } = *slice;
        if !alike(canary, stable) {
            return Err(UnequalArms {
                canary: canary.total(),
                stable: stable.total(),
            });
        }
        let sign = sign(canary, stable);
        Ok(Self {
            ln_wealth: self.ln_wealth + (self.stake() * sign).ln_1p(),
            worse: self.worse + sign.max(0.0),
            better: self.better + (-sign).max(0.0),
        })
    }

    /// ln K.
    pub fn ln(&self) -> f64 {
        self.ln_wealth
    }

    /// λ of the next bet: the edge of the canary being worse, by Laplace's rule with one bet won beforehand; nothing is staked on it being better.
    fn stake(&self) -> f64 {
        let rate = (self.worse + 2.0) / (self.worse + self.better + 3.0);
        (2.0 * rate - 1.0).clamp(0.0, LARGEST_STAKE)
    }
}

fn alike(canary: Arm, stable: Arm) -> bool {
    let (canary, stable) = (canary.total() as f64, stable.total() as f64);
    let allowed = TOLERANCE * canary.max(stable) + CHANCE * (canary + stable).sqrt();
    (canary - stable).abs() <= allowed
}

/// The expected sign of the difference of rates, canary less stable, after the larger arm has been thinned; 0 without requests in an arm.
fn sign(canary: Arm, stable: Arm) -> f64 {
    if canary.total() == 0 || stable.total() == 0 {
        0.0
    } else if canary.total() >= stable.total() {
        thinned(canary, stable.total()).lean(stable.errors())
    } else {
        -thinned(stable, canary.total()).lean(canary.errors())
    }
}

/// How many of the arm's errors stay when only `size` of its requests do.
fn thinned(arm: Arm, size: u64) -> Table {
    Table::new(size, arm.total() - size, arm.errors())
}
