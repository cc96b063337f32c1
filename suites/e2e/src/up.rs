//! `e2e up`: the embedded cluster behind sockets of this machine, for a person with kubectl and curl, until a signal ends it.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};
use env::Chance;
use tidepool::Ports;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

use crate::folder::Folder;
use crate::living::{self, Living, Speed};

/// How the cluster is kept.
#[derive(Debug, clap::Args)]
pub(crate) struct Up {
    /// How many times faster than the clock the cluster lives; its pauses, delays and leases with it.
    #[arg(long, value_name = "N", default_value_t = Speed::WALL, allow_negative_numbers = true)]
    speed: Speed,
    /// The port of 127.0.0.1 for the API; any free one without it.
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    api_port: u16,
    /// The port of 127.0.0.1 for the gateway; any free one without it.
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    gateway_port: u16,
}

/// Starts the cluster, says how to reach it, and stays.
///
/// # Errors
/// When a port is taken, or the kubeconfig cannot be written.
pub(crate) fn up(options: &Up, out: &mut impl Write) -> Result<ExitCode> {
    log_to_stderr();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("start the runtime")?;
    runtime.block_on(keep(options, out))
}

/// Warnings of the cluster and the controller; `RUST_LOG` asks for more.
pub(crate) fn log_to_stderr() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn"));
    // A subscriber that was set before is just as good.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_target(false)
        .with_writer(std::io::stderr)
        .try_init();
}

async fn keep(options: &Up, out: &mut impl Write) -> Result<ExitCode> {
    // Signals are caught from here on, so that none can come before what it has to remove.
    let mut interrupt = signal(SignalKind::interrupt()).context("wait for SIGINT")?;
    let mut terminate = signal(SignalKind::terminate()).context("wait for SIGTERM")?;
    let mut hang_up = signal(SignalKind::hangup()).context("wait for SIGHUP")?;
    let folder = Folder::make()?;
    let world = living::world(options.speed, Chance::from_system());
    let living = Living::start(&world).await?;
    let ports = Ports {
        api: options.api_port,
        gateway: options.gateway_port,
    };
    let served = living.cluster.serve(ports).await?;
    let kubeconfig = folder.write("kubeconfig", &served.kubeconfig)?;
    let gateway = format!("http://{}", served.gateway());
    let told = tell(options.speed, &kubeconfig, &gateway, out);
    if told.is_ok() {
        tokio::select! {
            biased;
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hang_up.recv() => {}
        }
    }
    served.stop().await;
    living.stop().await;
    told.context("say where the cluster is")?;
    drop(folder);
    // A terminal that hung up takes no more lines.
    let _ = writeln!(out, "\nStopped; the cluster and its kubeconfig are gone.");
    Ok(ExitCode::SUCCESS)
}

fn tell(speed: Speed, kubeconfig: &Path, gateway: &str, out: &mut impl Write) -> std::io::Result<()> {
    let pace = speed.pace();
    let programs = std::env::current_exe().ok();
    let programs = programs
        .as_deref()
        .and_then(Path::parent)
        .unwrap_or(Path::new("target/debug"));
    writeln!(
        out,
        "\
A Kubernetes in this process, with three nodes, an ingress-nginx gateway and tidegate. Its clock runs {pace}.
It ends with Ctrl-C. In another terminal:

  export KUBECONFIG={kubeconfig}
  export GATEWAY={gateway}
  export PATH=\"{programs}:$PATH\"

The article's release, from the root of this repository:

  kubectl apply -f fixtures/article/deployment.yaml -f fixtures/article/service.yaml \\
    -f fixtures/article/ingress.yaml -f fixtures/article/rollout.yaml
  kubectl set image deployment/echoserver echoserver=cilium/echoserver:1.10.3
  kubectl-kruise rollout status rollout/rollouts-demo -n default --until-paused

  for i in $(seq 200); do curl -s -H 'Host: echoserver.example.com' $GATEWAY; echo; done \\
    | grep -o '\"version\":\"[^\"]*\"' | sort | uniq -c

  kubectl-kruise rollout approve rollout/rollouts-demo -n default
  kubectl-kruise rollout status rollout/rollouts-demo -n default
",
        kubeconfig = kubeconfig.display(),
        programs = programs.display(),
    )?;
    out.flush()
}
