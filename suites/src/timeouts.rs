//! How long a conformant controller may take: every wait of the suite, in one table.
//!
//! Generous against slow clusters; on virtual time they cost nothing.

use std::time::Duration;

/// Workload and rollout exist and serve.
pub const BASELINE: Duration = Duration::from_secs(120);

/// From a new image, an approval or a jump to the next pause, without timed pauses in between.
pub const STEP: Duration = Duration::from_secs(120);

/// From the last gate, a rollback, a deletion or a disabling to the end.
pub const FINISH: Duration = Duration::from_secs(180);

/// From an approval to the first sign that it was taken.
pub const APPROVAL: Duration = Duration::from_secs(5);

/// From the end of a release until everything of it is gone.
pub const CLEAN: Duration = Duration::from_secs(60);

/// How long a controller with nothing to do is watched.
pub const IDLE: Duration = Duration::from_secs(120);
