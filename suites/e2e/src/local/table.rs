//! Plays the suite's gateway cases on a local cluster behind one gateway. Needs [`super::prepare`] first; used by `gateway-table`.

use std::sync::Arc;

use anyhow::{Context, Result, anyhow};
use env::{Chance, Env};
use suites::gateway_table::{self, Cell};

use crate::gateway::Gateway;

use super::Tools;
use super::bed::LocalBed;
use super::ground::Ground;

/// The namespace in which the cases are played.
const NAMESPACE: &str = "gateway-table";

/// What that gateway does in every case.
///
/// # Errors
/// When there is no cluster to be had, a part of it ended on the way, or it refuses a case's objects.
pub(crate) fn table(tools: &Tools, gateway: Gateway, seed: u64) -> Result<Vec<Cell>> {
    // A second installation is refused, and then there is one already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("start a runtime")?;
    runtime.block_on(async {
        let env = Env::real().with_chance(Chance::from_seed(seed));
        let ground = Arc::new(Ground::start(&env, tools, gateway).await?);
        let bed = LocalBed::make(ground.clone(), NAMESPACE).await?;
        let cells = gateway_table::run(&bed).await;
        drop(bed);
        // A part that has ended says more than what was missed because of it.
        let outcome = ground.check();
        if let Some(ground) = Arc::into_inner(ground) {
            ground.stop().await;
        }
        outcome?;
        cells.map_err(|failure| anyhow!("play the gateway cases: {failure}"))
    })
}
