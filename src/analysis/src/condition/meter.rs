//! Counts the work of one evaluation, which bounds its time and, since whatever is built is counted too, its memory. Everything that loops asks it.

use super::error::Fault;

/// Bytes of text that count as one step.
const BYTES_PER_STEP: usize = 16;

#[derive(Debug)]
pub(super) struct Meter {
    limit: u32,
    left: u32,
}

impl Meter {
    pub(super) fn new(limit: u32) -> Self {
        Self { limit, left: limit }
    }

    /// Counts steps before they are made.
    pub(super) fn spend(&mut self, steps: usize) -> Result<(), Fault> {
        let left = u32::try_from(steps).ok().and_then(|steps| self.left.checked_sub(steps));
        self.left = left.ok_or(Fault::TooLong { limit: self.limit })?;
        Ok(())
    }

    /// Counts text that is read or made.
    pub(super) fn spend_text(&mut self, bytes: usize) -> Result<(), Fault> {
        self.spend(bytes / BYTES_PER_STEP)
    }
}
