//! Leader election: one `coordination.k8s.io/v1` Lease, on the environment's clock.
//!
//! A task campaigns and publishes until when this replica may write; the driver asks before every write. The holder gives up on its own two
//! thirds into a lease that it could not renew, long before another replica, which waits for the whole of it, may take it. The lease's times
//! are for people: others judge by how long they themselves have seen it unchanged, so clocks need not agree.

#[cfg(test)]
mod tests;

use std::time::Duration;

use env::watch;
use env::{Env, Moment};
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use kube::api::{Api, ObjectMeta, PostParams};
use tracing::{debug, info, warn};

use crate::explain::explain;
use crate::telemetry::Telemetry;

/// Whether this replica may write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Another replica leads, or nobody does yet.
    Waiting,
    /// This replica may write until then.
    Leading { until: Moment },
    /// This replica led, and may not write any more.
    Lost,
}

impl Standing {
    /// The standing of a process that is alone.
    pub(crate) const ALONE: Self = Self::Leading {
        until: Moment(Duration::MAX),
    };

    /// Whether a write may be sent at `now`.
    pub(crate) fn may_write(self, now: Moment) -> bool {
        matches!(self, Self::Leading { until } if now < until)
    }
}

/// One replica's part in an election.
#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) identity: String,
    pub(crate) duration: Duration,
    pub(crate) renew_every: Duration,
    pub(crate) telemetry: Telemetry,
}

/// What was last seen of the lease, and since when it looks like that.
#[derive(Debug)]
struct Sighting {
    version: Option<String>,
    since: Moment,
}

/// Campaigns until the lease, once held, is lost. The standing is published; the task ends with [`Standing::Lost`].
pub(crate) async fn campaign(env: Env, client: kube::Client, candidate: Candidate, standing: watch::Sender<Standing>) {
    let leases: Api<Lease> = Api::namespaced(client, &candidate.namespace);
    let mut sighting = Sighting {
        version: None,
        since: env.clock().elapsed(),
    };
    let mut failed = false;
    loop {
        let asked = env.clock().elapsed();
        let until = match *standing.borrow() {
            Standing::Leading { until } => Some(until),
            Standing::Waiting | Standing::Lost => None,
        };
        // A request that hangs must outlive neither the term that it is to renew nor the time for another try.
        let patience = candidate.duration / 3;
        let limit = until.map_or(patience, |until| until.since(asked).min(patience));
        let turn = env
            .clock()
            .timeout(limit, turn(&env, &leases, &candidate, &mut sighting))
            .await;
        match turn {
            Ok(Ok(true)) => {
                if until.is_none() {
                    info!(lease = candidate.name, identity = candidate.identity, "leading");
                }
                candidate.telemetry.leading(true);
                standing.send_replace(Standing::Leading {
                    until: asked.after(candidate.duration * 2 / 3),
                });
                failed = false;
            }
            Ok(Ok(false)) if until.is_some() => {
                warn!(lease = candidate.name, "another replica has taken the lease");
                candidate.telemetry.leading(false);
                standing.send_replace(Standing::Lost);
                return;
            }
            Ok(Ok(false)) => failed = false,
            Ok(Err(error)) => {
                if !matches!(error, kube::Error::Api(_)) {
                    // That nobody answers is told by the driver, for everything together.
                    debug!(lease = candidate.name, %error, "no answer about the lease");
                } else if !failed {
                    warn!(
                        lease = candidate.name,
                        error = explain(&error),
                        "could not read or renew the lease, trying again{}",
                        advice(&error)
                    );
                }
                failed = true;
            }
            Err(elapsed) => debug!(lease = candidate.name, %elapsed, "no answer about the lease"),
        }
        if let Some(until) = until
            && failed_for_good(&env, until, *standing.borrow())
        {
            warn!(lease = candidate.name, "the lease could not be renewed in time");
            candidate.telemetry.leading(false);
            standing.send_replace(Standing::Lost);
            return;
        }
        // Who leads and gets no answer has little time left, and an API server that comes back ought to be met in it.
        let pause = match *standing.borrow() {
            Standing::Leading { .. } if failed => candidate.renew_every / 4,
            Standing::Leading { .. } | Standing::Waiting | Standing::Lost => candidate.renew_every,
        };
        env.sleep(pause).await;
    }
}

/// What to do about a request that failed, where it is known.
fn advice(error: &kube::Error) -> &'static str {
    match error {
        kube::Error::Api(status) if status.code == 403 => {
            "; give the controller's account the rights that `tidegate manifests` lists"
        }
        _ => "",
    }
}

fn failed_for_good(env: &Env, until: Moment, standing: Standing) -> bool {
    standing == (Standing::Leading { until }) && env.clock().elapsed() >= until
}

/// One look at the lease, and the write that follows from it. True when this replica holds it afterwards.
async fn turn(
    env: &Env,
    leases: &Api<Lease>,
    candidate: &Candidate,
    sighting: &mut Sighting,
) -> Result<bool, kube::Error> {
    let Some(mut lease) = leases.get_opt(&candidate.name).await? else {
        let lease = Lease {
            metadata: ObjectMeta {
                name: Some(candidate.name.clone()),
                namespace: Some(candidate.namespace.clone()),
                ..ObjectMeta::default()
            },
            spec: Some(held(env, candidate, None)),
        };
        return won(leases.create(&PostParams::default(), &lease).await);
    };
    let now = env.clock().elapsed();
    if sighting.version != lease.metadata.resource_version {
        *sighting = Sighting {
            version: lease.metadata.resource_version.clone(),
            since: now,
        };
    }
    let spec = lease.spec.as_ref();
    let holder = spec
        .and_then(|spec| spec.holder_identity.as_deref())
        .unwrap_or_default();
    let lasts = spec
        .and_then(|spec| spec.lease_duration_seconds)
        .and_then(|seconds| u64::try_from(seconds).ok())
        .map_or(candidate.duration, Duration::from_secs);
    if !holder.is_empty() && holder != candidate.identity && now.since(sighting.since) < lasts {
        return Ok(false);
    }
    lease.spec = Some(held(env, candidate, lease.spec.as_ref()));
    // The resourceVersion that was read goes along: of two replicas that find the lease expired, one gets it.
    won(leases.replace(&candidate.name, &PostParams::default(), &lease).await)
}

/// The lease as `candidate` holds it, following on `before`.
fn held(env: &Env, candidate: &Candidate, before: Option<&LeaseSpec>) -> LeaseSpec {
    let now = MicroTime(env.now());
    let before = before.cloned().unwrap_or_default();
    let renewal = before.holder_identity.as_deref() == Some(&candidate.identity);
    LeaseSpec {
        holder_identity: Some(candidate.identity.clone()),
        lease_duration_seconds: Some(i32::try_from(candidate.duration.as_secs()).unwrap_or(i32::MAX)),
        renew_time: Some(now.clone()),
        acquire_time: if renewal { before.acquire_time } else { Some(now) },
        lease_transitions: Some(before.lease_transitions.unwrap_or_default() + i32::from(!renewal)),
        ..LeaseSpec::default()
    }
}

/// A write that lost against another replica's is an answer and not an error.
fn won(written: Result<Lease, kube::Error>) -> Result<bool, kube::Error> {
    match written {
        Ok(_) => Ok(true),
        Err(kube::Error::Api(status)) if status.code == 409 => Ok(false),
        Err(error) => Err(error),
    }
}

/// Gives the lease back, so that another replica need not wait for it to expire. Best effort.
pub(crate) async fn release(env: &Env, client: kube::Client, candidate: &Candidate) {
    let leases: Api<Lease> = Api::namespaced(client, &candidate.namespace);
    let given_back = env.clock().timeout(candidate.renew_every, async {
        let Some(mut lease) = leases.get_opt(&candidate.name).await? else {
            return Ok(());
        };
        match &mut lease.spec {
            Some(spec) if spec.holder_identity.as_deref() == Some(&candidate.identity) => {
                spec.holder_identity = Some(String::new());
                spec.renew_time = Some(MicroTime(env.now()));
            }
            _ => return Ok(()),
        }
        leases.replace(&candidate.name, &PostParams::default(), &lease).await?;
        Ok::<(), kube::Error>(())
    });
    match given_back.await {
        Ok(Ok(())) => debug!(lease = candidate.name, "lease given back"),
        Ok(Err(error)) => debug!(lease = candidate.name, %error, "lease not given back"),
        Err(elapsed) => debug!(lease = candidate.name, %elapsed, "lease not given back"),
    }
}
