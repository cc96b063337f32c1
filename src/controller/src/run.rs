//! The life of one controller process: lease and driver, from start to stop. Called by the binary and by the embedded suites.

use std::future::Future;

use env::Env;
use env::watch;
use tokio::task::JoinSet;

use crate::driver::{self, Ended};
use crate::lease::{self, Candidate, Standing};
use crate::{LeaderElection, Options};

/// Why the controllers could not go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// Another replica has taken the lease, or it could not be renewed; nothing is written any more. Run again to stand for election again.
    #[error("lease {namespace}/{name} was lost; stopped writing until this replica leads again")]
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
    let LeaderElection::Lease {
        name,
        duration,
        renew_every,
    } = options.leader_election.clone()
    else {
        let (_alone, standing) = watch::channel(Standing::ALONE);
        options.telemetry.leading(true);
        driver::drive(env, client, options, rollout::plan, standing, stop).await;
        return Ok(());
    };
    let candidate = Candidate {
        namespace: options.namespace.clone(),
        name,
        identity: options.identity.clone(),
        duration,
        renew_every,
        telemetry: options.telemetry.clone(),
    };
    let (publish, standing) = watch::channel(Standing::Waiting);
    let mut campaign = JoinSet::new();
    campaign.spawn(lease::campaign(env.clone(), client.clone(), candidate.clone(), publish));
    let ended = driver::drive(env.clone(), client.clone(), options, rollout::plan, standing, stop).await;
    campaign.shutdown().await;
    match ended {
        Ended::Stopped => {
            lease::release(&env, client, &candidate).await;
            Ok(())
        }
        Ended::LeaseLost => Err(RunError::LeaseLost {
            namespace: candidate.namespace,
            name: candidate.name,
        }),
    }
}
