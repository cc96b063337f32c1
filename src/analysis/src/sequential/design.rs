//! What a sequential test is asked: how often it may be wrong, what counts as worse, and when it may answer. Fixed before the first slice. Built from a
//! metric's `sequential` block; read by [`super::evidence`].

use std::num::NonZeroU32;

/// The FAIL mixture's odds ratios, in units of the null ratio.
const WORSE: [f64; 7] = [1.25, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0];
/// The PASS mixture's odds ratios, in units of the harm ratio.
const BETTER: [f64; 6] = [0.125, 0.25, 0.375, 0.5, 0.625, 0.75];

/// How errors may depend on each other. Chosen beforehand: a choice after looking voids the guarantees.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Errors of one slice are independent within an arm; the arms may be of any size.
    #[default]
    Exact,
    /// Errors of one arm may come in bursts; the arms must be of equal size and alike. It can fail a canary, and never passes one.
    Robust,
}

/// The numbers of a design, not yet checked. The defaults are those of the documentation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// How often a canary that is no worse may fail, over all looks together: 0 < alpha < 1. Default 0.01.
    pub alpha: f64,
    /// How often a canary that is worse by the harm ratio may pass, over all looks together: 0 < beta < 1. Default 0.05.
    pub beta: f64,
    /// ψ₀: odds ratios up to this one are no reason to fail. Default 1.
    pub null_ratio: f64,
    /// ψ₁: odds ratios from this one on are never to pass, but with probability beta. Default 2.
    pub harm_ratio: f64,
    /// p₀: a canary whose rate of errors is at most this is not bad, whatever the ratio: 0 < bound < 1. None by default.
    pub absolute_bound: Option<f64>,
    /// Requests that the canary must have served before it can pass. It may fail before. Default 100.
    pub min_samples: u64,
    /// Requests of the canary after which a test without a verdict is inconclusive. None by default.
    pub max_samples: Option<u64>,
    /// How errors may depend on each other.
    pub mode: Mode,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            alpha: 0.01,
            beta: 0.05,
            null_ratio: 1.0,
            harm_ratio: 2.0,
            absolute_bound: None,
            min_samples: 100,
            max_samples: None,
            mode: Mode::Exact,
        }
    }
}

/// Why settings make no test.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum BadDesign {
    /// Alpha, beta or the bound.
    #[error("{name} is {value}; it must be more than 0 and less than 1")]
    NoProbability {
        /// The field, as it is written in a template.
        name: &'static str,
        /// What it says.
        value: f64,
    },
    /// A ratio that is none.
    #[error("{name} is {value}; an odds ratio is a positive number, at most 1000")]
    NoRatio {
        /// The field, as it is written in a template.
        name: &'static str,
        /// What it says.
        value: f64,
    },
    /// Nothing between what is fine and what is harm.
    #[error("nullRatio {null} must be less than harmRatio {harm}: a canary between the two may do either")]
    RatiosOutOfOrder {
        /// nullRatio.
        null: f64,
        /// harmRatio.
        harm: f64,
    },
    /// The cap comes before the least.
    #[error("maxSamples {most} must not be less than minSamples {least}, or nothing could ever pass")]
    SamplesOutOfOrder {
        /// minSamples.
        least: u64,
        /// maxSamples.
        most: u64,
    },
}

/// A design that makes sense.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Design {
    settings: Settings,
}

impl Design {
    /// Checks the settings.
    ///
    /// # Errors
    /// The first number that makes no sense, by the name of its field.
    pub fn new(settings: Settings) -> Result<Self, BadDesign> {
        for (name, value) in [
            ("alpha", Some(settings.alpha)),
            ("beta", Some(settings.beta)),
            ("absoluteBound", settings.absolute_bound),
        ] {
            if let Some(value) = value.filter(|value| !(*value > 0.0 && *value < 1.0)) {
                return Err(BadDesign::NoProbability { name, value });
            }
        }
        let (null, harm) = (settings.null_ratio, settings.harm_ratio);
        for (name, value) in [("nullRatio", null), ("harmRatio", harm)] {
            if !(1e-3..=1e3).contains(&value) {
                return Err(BadDesign::NoRatio { name, value });
            }
        }
        if null >= harm {
            return Err(BadDesign::RatiosOutOfOrder { null, harm });
        }
        let least = settings.min_samples;
        if let Some(most) = settings.max_samples.filter(|most| *most < least) {
            return Err(BadDesign::SamplesOutOfOrder { least, most });
        }
        Ok(Self { settings })
    }

    /// The same test as one of `metrics` of which any may fail the canary: each gets its part of alpha (Bonferroni), so that all together fail one that
    /// is no worse no more often than alpha. Passing needs no such part, since all must pass.
    #[must_use]
    pub fn one_of(self, metrics: NonZeroU32) -> Self {
        let alpha = self.settings.alpha / f64::from(metrics.get());
        Self {
            settings: Settings { alpha, ..self.settings },
        }
    }

    /// The numbers.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// ln 1/α: evidence for FAIL from here on.
    pub fn ln_fail_at(&self) -> f64 {
        -self.settings.alpha.ln()
    }

    /// ln 1/β: evidence for PASS from here on.
    pub fn ln_pass_at(&self) -> f64 {
        -self.settings.beta.ln()
    }

    /// The odds ratios that FAIL is mixed from, all above ψ₀.
    pub(crate) fn worse(&self) -> [f64; 7] {
        WORSE.map(|factor| factor * self.settings.null_ratio)
    }

    /// The odds ratios that PASS is mixed from, all below ψ₁.
    pub(crate) fn better(&self) -> [f64; 6] {
        BETTER.map(|factor| factor * self.settings.harm_ratio)
    }
}
