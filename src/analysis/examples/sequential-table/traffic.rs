//! Simulated requests: what both arms of a release count in each slice, drawn from one seeded generator. Used by [`super::play`].

use analysis::sequential::slice::{Arm, Slice};
use fastrand::Rng;

/// Seconds of a slice.
pub(crate) const SECONDS: u32 = 15;

/// A part of the time in which errors of both arms are at another rate.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outage {
    /// The first slice of it.
    pub(crate) from: u32,
    /// The first slice after it.
    pub(crate) until: u32,
    /// The rate of errors meanwhile.
    pub(crate) rate: f64,
}

/// One situation, played many times.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Case {
    /// As the table calls it.
    pub(crate) name: &'static str,
    /// Slices of a run.
    pub(crate) slices: u32,
    /// Requests of the canary in a slice.
    pub(crate) canary: u64,
    /// Requests of stable in a slice.
    pub(crate) stable: u64,
    /// Rates of errors, canary and stable.
    pub(crate) rates: [f64; 2],
    /// A shared outage.
    pub(crate) outage: Option<Outage>,
    /// Correlation of the errors of an arm within a slice, from 0 on.
    pub(crate) correlation: f64,
}

impl Case {
    /// What slice number `index` counts.
    pub(crate) fn slice(&self, index: u32, rng: &mut Rng) -> Slice {
        let outage = self
            .outage
            .filter(|outage| (outage.from..outage.until).contains(&index));
        let mut arm = |total: u64, rate: f64| {
            let rate = outage.map_or(rate, |outage| outage.rate);
            let rate = if self.correlation > 0.0 {
                beta(rate, self.correlation, rng)
            } else {
                rate
            };
            Arm::new(total, binomial(total, rate, rng)).unwrap_or_default()
        };
        Slice {
            canary: arm(self.canary, self.rates[0]),
            stable: arm(self.stable, self.rates[1]),
        }
    }
}

/// From 0 (exclusive) to 1.
fn uniform(rng: &mut Rng) -> f64 {
    1.0 - rng.f64()
}

/// Successes of `trials`, by the gaps between them.
fn binomial(trials: u64, rate: f64, rng: &mut Rng) -> u64 {
    if rate <= 0.0 {
        return 0;
    }
    let ln_miss = (-rate).ln_1p();
    let (mut at, mut successes) = (0.0, 0);
    loop {
        at += 1.0 + (uniform(rng).ln() / ln_miss).floor();
        if at > trials as f64 {
            return successes;
        }
        successes += 1;
    }
}

/// A rate around `mean` such that draws with one rate are correlated by `correlation`.
fn beta(mean: f64, correlation: f64, rng: &mut Rng) -> f64 {
    let size = 1.0 / correlation - 1.0;
    let (one, other) = (gamma(mean * size, rng), gamma((1.0 - mean) * size, rng));
    (one / (one + other)).min(1.0 - f64::EPSILON)
}

/// By Marsaglia and Tsang 2000; a shape below 1 by way of one above.
fn gamma(shape: f64, rng: &mut Rng) -> f64 {
    if shape < 1.0 {
        return gamma(shape + 1.0, rng) * uniform(rng).powf(1.0 / shape);
    }
    let d = shape - 1.0 / 3.0;
    let c = 1.0 / (9.0 * d).sqrt();
    loop {
        let normal = (-2.0 * uniform(rng).ln()).sqrt() * (std::f64::consts::TAU * rng.f64()).cos();
        let v = (1.0 + c * normal).powi(3);
        if v > 0.0 && uniform(rng).ln() < 0.5 * normal * normal + d - d * v + d * v.ln() {
            return d * v;
        }
    }
}
