//! Many runs of one case, and when each judge first said what. Used by the table and by the tests.

use analysis::sequential::evidence::Verdict;
use fastrand::Rng;

use super::judges::Judge;
use super::traffic::{Case, SECONDS};

/// When a judge first said Fail and first said Pass, in slices, run by run.
#[derive(Debug, Default)]
pub(crate) struct Record {
    runs: usize,
    fails: Vec<u32>,
    passes: Vec<u32>,
}

/// Some of the runs, and after how many seconds they were decided.
#[derive(Debug)]
pub(crate) struct Share<'a> {
    runs: usize,
    after: &'a [u32],
}

impl Record {
    pub(crate) fn fails(&self) -> Share<'_> {
        Share {
            runs: self.runs,
            after: &self.fails,
        }
    }

    pub(crate) fn passes(&self) -> Share<'_> {
        Share {
            runs: self.runs,
            after: &self.passes,
        }
    }
}

impl Share<'_> {
    /// Percent of all runs.
    pub(crate) fn percent(&self) -> f64 {
        100.0 * self.after.len() as f64 / self.runs as f64
    }

    /// Minutes within which `part` of all runs were decided; none when fewer were.
    pub(crate) fn minutes(&self, part: f64) -> Option<f64> {
        let mut sorted = self.after.to_vec();
        sorted.sort_unstable();
        let rank = (part * self.runs as f64).ceil() as usize;
        let slices = sorted.get(rank.max(1) - 1)?;
        Some(f64::from(slices * SECONDS) / 60.0)
    }
}

/// Plays `case` so many times from one seed, before one judge of each kind. A judge that has said Fail is not asked any more.
pub(crate) fn play<const N: usize>(
    case: &Case,
    runs: usize,
    seed: u64,
    judges: impl Fn() -> [Box<dyn Judge>; N],
) -> [Record; N] {
    let mut rng = Rng::with_seed(seed);
    let mut records: [Record; N] = std::array::from_fn(|_| Record {
        runs,
        ..Record::default()
    });
    for _ in 0..runs {
        let mut judges = judges();
        let mut said = [(None, None); N];
        for index in 0..case.slices {
            let slice = case.slice(index, &mut rng);
            for (judge, (fail, pass)) in judges.iter_mut().zip(&mut said) {
                if fail.is_some() {
                    continue;
                }
                match judge.look(&slice) {
                    Verdict::Fail => *fail = Some(index + 1),
                    Verdict::Pass => *pass = pass.or(Some(index + 1)),
                    Verdict::Undecided | Verdict::Inconclusive => {}
                }
            }
        }
        for (record, (fail, pass)) in records.iter_mut().zip(said) {
            record.fails.extend(fail);
            record.passes.extend(pass);
        }
    }
    records
}
