//! The command line of `tidegate`: what can be asked, and who answers.

mod cluster;
mod endpoint;
mod process;

use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use anyhow::Context;
use api::names::webhook;
use clap::{Args, Parser, ValueEnum};
use controller::install::{Choices, chart};
use serde_json::Value;

/// Progressive delivery for Kubernetes, by the API of OpenKruise Rollouts.
#[derive(Debug, Parser)]
#[command(name = "tidegate", version, about)]
pub(crate) enum Command {
    /// Run the controllers, the webhooks, the metrics and the probes.
    Run(Box<Run>),
    /// Print the custom resource definitions as YAML.
    Crds(Crds),
    /// Print all that an installation consists of as YAML, from the namespace to the controller's Deployment; or write that and a Helm chart.
    Manifests(Manifests),
}

/// Which cluster.
#[derive(Debug, Args)]
pub(crate) struct Cluster {
    /// The kubeconfig; without it, the usual places, and inside of a cluster its own account.
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
    /// The kubeconfig's context; without it, the current one.
    #[arg(long, value_name = "NAME")]
    context: Option<String>,
}

/// Options of `tidegate run`.
#[derive(Debug, Args)]
pub(crate) struct Run {
    #[command(flatten)]
    cluster: Cluster,
    /// The namespace that the controller lives in: its lease, its certificate and its Service.
    #[arg(long, env = "POD_NAMESPACE", default_value = "tidegate")]
    namespace: String,
    /// Agree by a lease on which replica writes.
    #[arg(long)]
    leader_elect: bool,
    /// How many seconds a replica that died holds the lease before another one may write.
    #[arg(long, value_name = "SECONDS", default_value_t = 15, value_parser = clap::value_parser!(u64).range(3..=3600))]
    lease_duration: u64,
    /// How many workloads are reconciled at the same time.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=256))]
    workers: u16,
    /// Where the webhooks are served, over TLS.
    #[arg(long, value_name = "ADDRESS", default_value_t = everywhere(webhook::PORT))]
    webhook_bind: SocketAddr,
    /// How the API server reaches the webhooks from outside of the cluster; without it, through the Service. Port 0 stands for the port of
    /// --webhook-bind.
    #[arg(long, value_name = "URL")]
    webhook_url: Option<String>,
    /// Where `/metrics` is served.
    #[arg(long, value_name = "ADDRESS", default_value_t = everywhere(8080))]
    metrics_bind: SocketAddr,
    /// Where `/healthz` and `/readyz` are served.
    #[arg(long, value_name = "ADDRESS", default_value_t = everywhere(8081))]
    health_bind: SocketAddr,
    /// The webhooks' certificate chain; without it one is made, and shared by the replicas through a Secret.
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// The key of `--tls-cert`.
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Apply the custom resource definitions and webhook configurations first.
    #[arg(long)]
    install: bool,
    /// How log lines look.
    #[arg(long, value_enum, default_value_t = LogFormat::Text)]
    log_format: LogFormat,
}

/// Options of `tidegate crds`.
#[derive(Debug, Args)]
pub(crate) struct Crds {
    /// The namespace of the Service that converts between versions.
    #[arg(long, default_value = "tidegate")]
    namespace: String,
}

/// Options of `tidegate manifests`.
#[derive(Debug, Args)]
pub(crate) struct Manifests {
    /// The namespace that the controller is to live in.
    #[arg(long, default_value = "tidegate")]
    namespace: String,
    /// The controller's image.
    #[arg(long)]
    image: Option<String>,
    /// Write `install.yaml` and the Helm chart `tidegate` into this folder, with the defaults, instead of printing.
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["namespace", "image"])]
    out: Option<PathBuf>,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

fn everywhere(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::UNSPECIFIED, port))
}

/// Does what the command says; prints to `out`.
pub(crate) fn execute(command: Command, out: &mut impl Write) -> anyhow::Result<()> {
    match command {
        Command::Crds(crds) => {
            let objects = controller::install::objects(&endpoint::through_service(&crds.namespace), &[]);
            let definitions = objects
                .into_iter()
                .filter(|object| object["kind"] == "CustomResourceDefinition");
            print(definitions, out)
        }
        Command::Manifests(Manifests { out: Some(folder), .. }) => write_files(&folder),
        Command::Manifests(Manifests { namespace, image, .. }) => {
            let mut choices = Choices::default();
            if let Some(image) = image {
                choices.image = Value::String(image);
            }
            print(chart::everything(&namespace, &choices), out)
        }
        Command::Run(run) => process::run(*run),
    }
}

fn write_files(folder: &Path) -> anyhow::Result<()> {
    for chart::File { path, text } in chart::files().context("write the manifests")? {
        let file = folder.join(path);
        let parent = file.parent().unwrap_or(folder);
        std::fs::create_dir_all(parent).with_context(|| format!("make the folder {}", parent.display()))?;
        std::fs::write(&file, text).with_context(|| format!("write {}", file.display()))?;
    }
    Ok(())
}

fn print(objects: impl IntoIterator<Item = Value>, out: &mut impl Write) -> anyhow::Result<()> {
    for object in objects {
        let yaml = serde_yaml::to_string(&object).context("print a manifest")?;
        write!(out, "---\n{yaml}").context("print to standard output")?;
    }
    Ok(())
}
