//! Whoever looks at each slice and may stop the release: the sequential test, and two habits that it is compared with. Used by [`super::play`].

use std::collections::VecDeque;

use analysis::sequential::design::Design;
use analysis::sequential::evidence::{Evidence, Verdict};
use analysis::sequential::slice::Slice;

/// One way of judging.
pub(crate) trait Judge {
    /// What it says after one more slice.
    fn look(&mut self, slice: &Slice) -> Verdict;
}

/// The product's test.
pub(crate) struct Sequential {
    design: Design,
    evidence: Evidence,
}

impl Sequential {
    pub(crate) fn by(design: Design) -> Self {
        Self {
            design,
            evidence: Evidence::begin(&design),
        }
    }
}

impl Judge for Sequential {
    fn look(&mut self, slice: &Slice) -> Verdict {
        if let Ok(next) = self.evidence.update(&self.design, slice) {
            self.evidence = next;
        }
        self.evidence.verdict(&self.design)
    }
}

/// A z-test of two proportions on all counts so far, at 1 % on one side, made anew after every slice.
#[derive(Default)]
pub(crate) struct PeekedZ {
    canary: [f64; 2],
    stable: [f64; 2],
}

/// The quantile of the normal distribution at 99 %.
const ONE_PERCENT: f64 = 2.326_347_874;

impl Judge for PeekedZ {
    fn look(&mut self, slice: &Slice) -> Verdict {
        for (sums, arm) in [(&mut self.canary, slice.canary), (&mut self.stable, slice.stable)] {
            sums[0] += arm.total() as f64;
            sums[1] += arm.errors() as f64;
        }
        let ([n, errors], [m, others]) = (self.canary, self.stable);
        let pooled = (errors + others) / (n + m);
        let deviation = (pooled * (1.0 - pooled) * (1.0 / n + 1.0 / m)).sqrt();
        if deviation > 0.0 && (errors / n - others / m) / deviation > ONE_PERCENT {
            Verdict::Fail
        } else {
            Verdict::Undecided
        }
    }
}

/// A fixed bound: at least 95 % success over the last five minutes, measured each minute; the fourth bad measurement fails.
#[derive(Default)]
pub(crate) struct Threshold {
    window: VecDeque<Slice>,
    looks: u32,
    bad: u32,
}

impl Judge for Threshold {
    fn look(&mut self, slice: &Slice) -> Verdict {
        self.window.push_back(*slice);
        if self.window.len() > 20 {
            self.window.pop_front();
        }
        self.looks += 1;
        if self.looks.is_multiple_of(4) {
            let total: u64 = self.window.iter().map(|slice| slice.canary.total()).sum();
            let errors: u64 = self.window.iter().map(|slice| slice.canary.errors()).sum();
            self.bad += u32::from(errors * 20 > total);
        }
        if self.bad > 3 {
            Verdict::Fail
        } else {
            Verdict::Undecided
        }
    }
}
