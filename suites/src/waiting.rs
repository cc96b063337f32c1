//! The two waits of a scenario: until something is so, and as long as it stays so. There is no sleep and no advancing of clocks.
//!
//! Both look again whenever the cluster changes, and at a beat for what is no object.

use std::future::Future;
use std::time::Duration;

use env::Env;

use crate::bed::Changes;
use crate::dialect::{Ending, Observation, Phase, StepState};
use crate::timeouts;
use crate::{Check, Failure, Stage};

/// The longest time between two looks of `until`.
const BEAT: Duration = Duration::from_millis(500);

/// How often at least `holds` looks while nothing changes, in parts of its whole time.
const LOOKS: u32 = 60;

/// What a look saw: there, or not yet, with a word on how it is instead.
pub type Look<T> = Result<Result<T, String>, Failure>;

/// Looks until `condition` gives a value. A look takes time, and what began before the deadline says nothing of how it is then: only a look that
/// begins at the deadline or later says that it came too late.
async fn looked<T, F>(
    env: &Env,
    mut changes: Changes,
    what: &str,
    within: Duration,
    condition: impl Fn() -> F,
) -> Result<T, Failure>
where
    F: Future<Output = Look<T>>,
{
    let clock = env.clock();
    let deadline = clock.elapsed().after(within);
    loop {
        let begun = clock.elapsed();
        let seen = match condition().await? {
            Ok(value) => return Ok(value),
            Err(seen) => seen,
        };
        if deadline.since(begun).is_zero() {
            return Err(Failure::new(
                Check::Until,
                format!("{what}: not within {within:?}; {seen}"),
            ));
        }
        changes.next(deadline.since(clock.elapsed()).min(BEAT)).await;
    }
}

impl Stage {
    /// Waits until `condition` gives a value, looking again at every change.
    ///
    /// # Errors
    /// When `within` has passed, with what was seen last; or when `condition` fails.
    pub async fn until<T, F>(&self, what: &str, within: Duration, condition: impl Fn() -> F) -> Result<T, Failure>
    where
        F: Future<Output = Look<T>>,
    {
        looked(self.bed().env(), self.bed().changes(), what, within, condition).await
    }

    /// Waits until the release shows what `condition` asks for.
    ///
    /// # Errors
    /// When `within` has passed, with what it showed last.
    pub async fn until_seen(
        &self,
        what: &str,
        within: Duration,
        condition: impl Fn(&Observation) -> bool,
    ) -> Result<Observation, Failure> {
        let condition = &condition;
        self.until(what, within, || async move {
            let seen = self.observe().await?;
            Ok(if condition(&seen) {
                Ok(seen)
            } else {
                Err(seen.to_string())
            })
        })
        .await
    }

    /// Waits until the release stands at the gate of `step`.
    ///
    /// # Errors
    /// When it does not get there in time.
    pub async fn until_paused_at(&self, step: u32) -> Result<Observation, Failure> {
        self.until_seen(&format!("paused at step {step}"), timeouts::STEP, |seen| {
            seen.waits_at(step)
        })
        .await
    }

    /// Approves the gate at which the release waits, and waits until that is taken.
    ///
    /// # Errors
    /// When the approval is refused, or the release still stands there after `within`.
    pub async fn approve_within(&self, within: Duration) -> Result<(), Failure> {
        let seen = self.observe().await?;
        self.approve_as_seen(&seen).await?;
        self.until_seen("the release goes on", within, |now| {
            now.phase != Phase::Progressing
                || now.revision != seen.revision
                || now.step != seen.step
                || now.state == StepState::Completed
        })
        .await
        .map(drop)
        .map_err(|failure| {
            let step = seen.step;
            Failure::new(
                Check::Approval,
                format!("step {step} was approved: {}", failure.message),
            )
        })
    }

    /// Waits until the release has ended as `ending` says; `pauses` is what the plan waits for by itself on the way.
    ///
    /// # Errors
    /// When it does not end so in time.
    pub async fn until_ended(&self, ending: Ending, pauses: Duration) -> Result<Observation, Failure> {
        self.until_seen(
            &format!("ended: {ending:?}"),
            timeouts::FINISH.saturating_add(pauses),
            |seen| seen.phase == Phase::Healthy && seen.ending == Some(ending),
        )
        .await
    }

    /// Watches that `condition` stays true for `time`, or for what that is on this cluster.
    ///
    /// # Errors
    /// As soon as it is not.
    pub async fn holds<F>(&self, what: &str, time: Duration, condition: impl Fn() -> F) -> Result<(), Failure>
    where
        F: Future<Output = Look<()>>,
    {
        let clock = self.bed().env().clock().clone();
        let time = self.bed().pause(time);
        let begin = clock.elapsed();
        let end = begin.after(time);
        let mut changes = self.bed().changes();
        loop {
            if let Err(seen) = condition().await? {
                return Err(Failure::new(
                    Check::Holds,
                    format!("{what}: no longer after {:?}; {seen}", clock.elapsed().since(begin)),
                ));
            }
            let left = end.since(clock.elapsed());
            if left.is_zero() {
                return Ok(());
            }
            changes.next(left.min((time / LOOKS).max(BEAT))).await;
        }
    }

    /// Watches that the controller, with nothing to do, writes nothing for `time`.
    ///
    /// # Errors
    /// With the first thing that it wrote.
    pub async fn is_quiet(&self, time: Duration) -> Result<(), Failure> {
        let before = self.bed().writes().len();
        self.holds("the controller is quiet", time, || async {
            let writes = self.bed().writes();
            Ok(match writes.get(before..) {
                None | Some([]) => Ok(()),
                Some([first, ..]) => Err(format!("it wrote: {} {} {}", first.verb, first.resource, first.name)),
            })
        })
        .await
        .map_err(|failure| Failure::new(Check::Idle, failure.message))
    }

    /// Watches that the release keeps showing what `condition` asks for.
    ///
    /// # Errors
    /// As soon as it does not.
    pub async fn holds_seen(
        &self,
        what: &str,
        time: Duration,
        condition: impl Fn(&Observation) -> bool,
    ) -> Result<(), Failure> {
        let condition = &condition;
        self.holds(what, time, || async move {
            let seen = self.observe().await?;
            Ok(if condition(&seen) {
                Ok(())
            } else {
                Err(seen.to_string())
            })
        })
        .await
    }
}

#[cfg(test)]
mod tests;
