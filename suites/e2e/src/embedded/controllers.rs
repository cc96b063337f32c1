//! The controller processes of one bed, one after the other: each has its own way to the API server, which can be cut, and its own identity.
//!
//! One task supervises them. It starts the next when one has died, as a Deployment of one replica would, and kills one when it is told to. The
//! local bed runs its controllers by it, too.

use std::sync::Arc;
use std::time::Duration;

use controller::{LeaderElection, Options};
use env::{Env, HttpService};
use parking_lot::Mutex;
use suites::{Check, Failure};
use tidepool::transport::Write;
use tidepool::{Cut, Transport};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

use crate::jobs;

/// What lies between a controller process and its API server; it is told which process it is, counted from 1.
pub(crate) type Layer = Arc<dyn Fn(usize, HttpService) -> HttpService + Send + Sync>;

/// How long a container takes to start again after its process has died.
const START: Duration = Duration::from_secs(1);

/// One write of one controller process, and what happens at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Strike {
    /// The process, counted from 1.
    pub(crate) process: usize,
    /// Its write, counted from 1, all of them.
    pub(crate) write: usize,
    /// What happens.
    pub(crate) how: Cut,
}

/// How the controller processes of a bed are run.
#[derive(Clone)]
pub(crate) struct Care {
    /// Whether they hold a lease.
    pub(crate) leader_election: LeaderElection,
    /// What happens to one of them.
    pub(crate) strike: Option<Strike>,
    /// What lies between them and the API server.
    pub(crate) layer: Option<Layer>,
}

impl Default for Care {
    fn default() -> Self {
        Self {
            leader_election: LeaderElection::Off,
            strike: None,
            layer: None,
        }
    }
}

enum Order {
    Restart(oneshot::Sender<()>),
    Stop(oneshot::Sender<()>),
}

/// What the supervisor leaves behind for others to read.
#[derive(Debug, Default)]
struct Past {
    processes: Vec<Transport>,
    panics: Vec<String>,
}

/// The controllers of a bed.
pub(crate) struct Controllers {
    orders: mpsc::Sender<Order>,
    past: Arc<Mutex<Past>>,
    supervisor: JoinSet<()>,
}

impl Controllers {
    /// Starts the first process; `connect` gives each, by its identity, its way to the API server.
    pub(crate) fn start(env: Env, connect: impl Fn(&str) -> Transport + Send + 'static, care: Care) -> Self {
        let (orders, received) = mpsc::channel(1);
        let past = Arc::<Mutex<Past>>::default();
        let mut supervisor = JoinSet::new();
        supervisor.spawn(supervise(env, connect, care, past.clone(), received));
        Self {
            orders,
            past,
            supervisor,
        }
    }

    /// Kills the process that runs and starts another.
    ///
    /// # Errors
    /// When nobody supervises them any more.
    pub(crate) async fn restart(&self) -> Result<(), Failure> {
        let (done, restarted) = oneshot::channel();
        let gone = || Failure::new(Check::Cluster, "nobody supervises the controller any more");
        self.orders.send(Order::Restart(done)).await.map_err(|_| gone())?;
        restarted.await.map_err(|_| gone())
    }

    /// Kills the process that runs and starts none.
    pub(crate) async fn stop(mut self) {
        let (done, stopped) = oneshot::channel();
        if self.orders.send(Order::Stop(done)).await.is_ok() {
            // The supervisor may have ended by itself, which is as good.
            let _ = stopped.await;
        }
        while self.supervisor.join_next().await.is_some() {}
    }

    /// The writes of each process, all of them.
    pub(crate) fn writes(&self) -> Vec<Vec<Write>> {
        self.past.lock().processes.iter().map(Transport::writes).collect()
    }

    /// With which words controllers have panicked.
    pub(crate) fn panics(&self) -> Vec<String> {
        self.past.lock().panics.clone()
    }
}

async fn supervise(
    env: Env,
    connect: impl Fn(&str) -> Transport,
    care: Care,
    past: Arc<Mutex<Past>>,
    mut orders: mpsc::Receiver<Order>,
) {
    for number in 1.. {
        let identity = format!("tidegate-{number}");
        let transport = connect(&identity);
        if let Some(strike) = care.strike.filter(|strike| strike.process == number) {
            transport.cut_at(strike.write, strike.how);
        }
        past.lock().processes.push(transport.clone());
        let mut process = JoinSet::new();
        process.spawn(run(&env, &transport, &care, number, identity));
        let order = tokio::select! {
            biased;
            order = orders.recv() => Some(order),
            () = transport.died() => None,
            Some(ended) = process.join_next() => {
                if let Err(error) = ended && let Ok(panic) = error.try_into_panic() {
                    past.lock().panics.push(jobs::said(&*panic));
                }
                None
            }
        };
        // As a crash does: its network is gone first, then the process.
        transport.kill();
        process.shutdown().await;
        match order {
            // Whoever waits for an answer may have gone; the order is carried out all the same.
            Some(Some(Order::Restart(done))) => drop(done.send(())),
            Some(Some(Order::Stop(done))) => {
                let _ = done.send(());
                return;
            }
            Some(None) => return,
            None => env.sleep(START).await,
        }
    }
}

/// One process from its start to its end.
fn run(
    env: &Env,
    transport: &Transport,
    care: &Care,
    number: usize,
    identity: String,
) -> impl Future<Output = ()> + Send + 'static {
    let service = match &care.layer {
        Some(layer) => layer(number, transport.service()),
        None => transport.service(),
    };
    let mut options = Options::new(identity);
    options.leader_election = care.leader_election.clone();
    let run = controller::run(env.clone(), super::client(service), options, std::future::pending());
    async move {
        if let Err(error) = run.await {
            tracing::error!(%error, "the controller ended");
        }
    }
}
