//! Counting answers: which counts a share admits.
//!
//! Pure. The test is exact (binomial), not an approximation: with n requests and a share p, a count outside [`admitted`] has a probability of
//! at most α. A split that is more even than chance always passes, since a round robin is no fault.

use std::ops::RangeInclusive;

/// The chance of a false alarm for one look.
pub const ALPHA: f64 = 1e-6;

/// The least number of requests for one look.
pub const REQUESTS: u64 = 1_000;

/// The counts that `n` requests admit when each goes to the new version with probability `share`: at most α/2 lies on either side.
pub fn admitted(n: u64, share: f64, alpha: f64) -> RangeInclusive<u64> {
    if share <= 0.0 {
        return 0..=0;
    }
    if share >= 1.0 {
        return n..=n;
    }
    let probabilities = probabilities(n, share);
    let mut below = 0.0;
    let mut least = 0;
    for (count, probability) in (0..).zip(&probabilities) {
        below += probability;
        if below > alpha / 2.0 {
            least = count;
            break;
        }
    }
    let mut above = 0.0;
    let mut most = n;
    for (count, probability) in (0..=n).rev().zip(probabilities.iter().rev()) {
        above += probability;
        if above > alpha / 2.0 {
            most = count;
            break;
        }
    }
    // A share above zero of which nothing was seen is a fault, whatever chance says.
    least.max(1)..=most
}

/// The probability of each count from 0 to `n`.
fn probabilities(n: u64, share: f64) -> Vec<f64> {
    let (hit, miss) = (share.ln(), (1.0 - share).ln());
    let mut factorials = vec![0.0];
    let mut sum = 0.0;
    for i in 1..=n {
        sum += float(i).ln();
        factorials.push(sum);
    }
    let of = |i: u64| {
        factorials
            .get(usize::try_from(i).unwrap_or(usize::MAX))
            .copied()
            .unwrap_or(0.0)
    };
    (0..=n)
        .map(|k| (of(n) - of(k) - of(n - k) + float(k) * hit + float(n - k) * miss).exp())
        .collect()
}

/// Counts stay far below 2^53, where a float still holds every whole number.
#[expect(
    clippy::cast_precision_loss,
    reason = "counts are far below the first whole number that a float cannot hold"
)]
fn float(count: u64) -> f64 {
    count as f64
}

/// What `count` of `n` says about an expected `share`.
///
/// # Errors
/// The sentence for a report, when the count is outside what chance admits.
pub fn judge(count: u64, n: u64, share: f64) -> Result<(), String> {
    let admitted = admitted(n, share, ALPHA);
    if admitted.contains(&count) {
        return Ok(());
    }
    Err(format!(
        "{count} of {n} answers came from the new version; a share of {:.1} % admits {} to {} (α = {ALPHA:e})",
        share * 100.0,
        admitted.start(),
        admitted.end()
    ))
}

#[cfg(test)]
mod tests;
