//! A cluster that a person may watch: tidepool with tidegate in it, in one thread, on a clock that goes at the pace asked for. Used by `up`, by
//! `demo` and by the recorded session; scenarios have beds of their own.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use controller::Options;
use env::sim::{Served, SimEnv, SimNetwork};
use env::{Chance, Clock, Env, Trace};
use suites::Failure;
use tidepool::Embedded;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::embedded::{client, install};

/// How many seconds of the cluster pass in one of the person's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Speed(f64);

impl Speed {
    /// As fast as the person's own clock.
    pub(crate) const WALL: Self = Self(1.0);
    /// Beyond this, a tick of the runtime's timer is longer than a pod's start.
    const MOST: f64 = 1_000.0;

    /// This many times as fast; for constants that are known to be in range.
    pub(crate) const fn times(factor: f64) -> Self {
        Self(factor)
    }

    /// How the pace is told to the person.
    pub(crate) fn pace(self) -> String {
        if self == Self::WALL {
            "as fast as yours".to_owned()
        } else {
            format!("{self} times as fast as yours")
        }
    }

    /// The factor.
    const fn factor(self) -> f64 {
        self.0
    }
}

impl std::str::FromStr for Speed {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = text
            .parse()
            .ok()
            .filter(|speed: &f64| *speed > 0.0 && *speed <= Self::MOST);
        known.map(Self).ok_or_else(|| {
            format!(
                "write how many times faster than the clock, above 0 and up to {}",
                Self::MOST
            )
        })
    }
}

impl std::fmt::Display for Speed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// A world whose time begins now and goes at `speed`, whose network is in this process, and whose chance is `chance`. To be called inside the
/// runtime that will run it.
pub(crate) fn world(speed: Speed, chance: Chance) -> SimEnv {
    let wall = Clock::real();
    let clock = if speed == Speed::WALL {
        wall
    } else {
        Clock::counted(wall.now(), speed.factor())
    };
    let network = SimNetwork::default();
    SimEnv {
        env: Env::new(clock, chance, Arc::new(network.clone()), Trace::off()),
        network,
    }
}

/// A running cluster with a running controller.
pub(crate) struct Living {
    /// The cluster.
    pub(crate) cluster: Embedded,
    stop: oneshot::Sender<()>,
    controller: JoinHandle<()>,
    webhooks: Served,
}

impl Living {
    /// Starts the cluster, installs the controller and starts it.
    ///
    /// # Errors
    /// When the cluster refuses what is installed.
    pub(crate) async fn start(world: &SimEnv) -> Result<Self, Failure> {
        let cluster = Embedded::start(&world.env, &world.network, tidepool::Options::default()).await;
        let webhooks = install(world, &cluster).await?;
        let (stop, stopped) = oneshot::channel();
        let run = controller::run(
            world.env.clone(),
            client(cluster.transport("tidegate").service()),
            Options::new("tidegate"),
            async {
                // A dropped sender stops the controller as well.
                let _ = stopped.await;
            },
        );
        let controller = tokio::spawn(async move {
            if let Err(error) = run.await {
                tracing::error!(%error, "the controller ended");
            }
        });
        Ok(Self {
            cluster,
            stop,
            controller,
            webhooks,
        })
    }

    /// Stops the controller, then the cluster, and waits for both.
    pub(crate) async fn stop(self) {
        drop(self.stop);
        if let Err(error) = self.controller.await {
            tracing::error!(%error, "the controller did not end well");
        }
        drop(self.webhooks);
        self.cluster.stop().await;
    }
}
