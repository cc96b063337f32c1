//! `e2e gateway-table`: plays the suite's gateway cases and prints what each gateway did, side by side. No rollout takes part.

use std::io::Write;
use std::process::ExitCode;

use anyhow::{Context, Result, anyhow, bail};
use env::Trace;
use suites::gateway_table::{Cell, Column, differences, markdown, run};

use crate::args::Cluster;
use crate::embedded::{Care, EmbeddedBed};
use crate::gateway::{DataPlane, Gateway};
use crate::local;

/// What to compare.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct GatewayTable {
    /// The cluster.
    #[arg(long, value_enum, default_value = "embedded")]
    cluster: Cluster,
    /// The gateways, one column each, separated by commas; those with a real proxy need --cluster local.
    #[arg(
        long,
        value_enum,
        value_delimiter = ',',
        value_name = "NAMES",
        default_value = "ingress"
    )]
    gateway: Vec<Gateway>,
    /// The seed of everything that is left to chance.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// Plays the cases and prints the table.
///
/// # Errors
/// When a cluster does not start or refuses a case's objects.
pub(crate) fn gateway_table(options: &GatewayTable, out: &mut dyn Write) -> Result<ExitCode> {
    let columns = match options.cluster {
        Cluster::Embedded => columns(options, |gateway| on_embedded(gateway, options.seed))?,
        Cluster::Local => {
            // Before any thread and any file: this process goes on in namespaces of its own.
            let tools = local::prepare(&options.gateway, &mut std::io::stderr())?;
            columns(options, |gateway| local::table(&tools, gateway, options.seed))?
        }
        Cluster::Kind | Cluster::Current => bail!("the gateway cases are played on --cluster embedded or local"),
    };
    write!(out, "{}", markdown(&columns)).context("print the table")?;
    writeln!(out, "\n{} rows differ", differences(&columns).len()).context("print the table")?;
    Ok(ExitCode::SUCCESS)
}

fn columns(options: &GatewayTable, play: impl Fn(Gateway) -> Result<Vec<Cell>>) -> Result<Vec<Column>> {
    let column = |gateway: &Gateway| {
        let name = gateway.name();
        let cells = play(*gateway).with_context(|| format!("compare the gateway {name}"))?;
        let gateway = name.to_owned();
        Ok(Column { gateway, cells })
    };
    options.gateway.iter().map(column).collect()
}

fn on_embedded(gateway: Gateway, seed: u64) -> Result<Vec<Cell>> {
    if gateway.data_plane() != DataPlane::Tidepool {
        bail!("--gateway {} is a real proxy and needs --cluster local", gateway.name());
    }
    env::sim::run(seed, Trace::off(), |world| async move {
        let bed = EmbeddedBed::start(&world, Care::default(), gateway.family()).await;
        let bed = bed.map_err(|failure| anyhow!("start the embedded cluster: {failure}"))?;
        let cells = run(&bed).await;
        bed.stop().await;
        cells.map_err(|failure| anyhow!("play the gateway cases: {failure}"))
    })
}
