//! The command line of `e2e`: what may be asked for, in clap's words. Only `main` and the subcommands read it.

use std::path::PathBuf;
use std::str::FromStr;

use clap::{Parser, Subcommand, ValueEnum};
use suites::routes::Door;
use tidepool::Cut;

use crate::compare::Compare;
use crate::current::GatewayUrl;
use crate::demo::Demo;
use crate::gateway::Gateway;
use crate::gateway_table::GatewayTable;
use crate::session::Session;
use crate::up::Up;

#[derive(Debug, Parser)]
#[command(
    name = "e2e",
    about = "Runs tidegate's scenarios and judges them by measured traffic and proven clean-up"
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run scenarios on a cluster and report.
    Run(Box<Run>),
    /// Keep an embedded cluster with the controller in it, for kubectl, kubectl-kruise and curl, until Ctrl-C.
    Up(Up),
    /// A release told step by step, with a live bar of the measured split: the article's walkthrough, or one that is judged by metrics.
    Demo(Demo),
    /// Run the recorded session of kubectl against an embedded cluster, and compare what it prints with the golden file.
    KubectlSession(Session),
    /// Play the gateway cases (weights, headers, paths, empty Services, pods that go) on each gateway, and print what each one did.
    GatewayTable(GatewayTable),
    /// Compare the JSON reports of several runs: fails when a scenario's verdict is not the same on every cluster and gateway.
    Compare(Compare),
    /// Kill or halt processes of `--cluster local` in the middle of a release: the run ends with the reason or goes on, and nothing is left.
    BadDay,
    /// Find or build the programs of `--cluster local` and kubectl, and print where each one is.
    Tools {
        /// Only these; helm and kubeconform are known as well.
        names: Vec<String>,
    },
    /// Start the control plane of `--cluster local` and run a command beside it, with KUBECONFIG set; without one, wait for Ctrl-C.
    ControlPlane {
        /// The command and its arguments.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        command: Vec<String>,
    },
}

/// Which cluster the scenarios run on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Cluster {
    /// A Kubernetes in this process, on virtual time.
    Embedded,
    /// A real etcd, kube-apiserver and kube-controller-manager as child processes, with simulated nodes and gateway, in real time.
    Local,
    /// A cluster of kind in Docker, made for this run, with real gateways and the controller's image, in real time.
    Kind,
    /// The cluster of the kubeconfig's current context, with the controller and the gateway that are in it, in real time.
    Current,
}

impl Cluster {
    /// The name under which reports and `suites/expectations.yaml` know it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Embedded => "embedded",
            Self::Local => "local",
            Self::Kind => "kind",
            Self::Current => "current",
        }
    }
}

/// What to run, and where the results go.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Run {
    /// The cluster.
    #[arg(long, value_enum, default_value = "embedded")]
    pub(crate) cluster: Cluster,
    /// Only scenarios whose name matches; `*` stands for any text, `?` for one character.
    #[arg(long, value_name = "GLOB", default_value = "*")]
    pub(crate) scenario: String,
    /// The gateways, one after the other, separated by commas; without it, those that belong to the cluster.
    #[arg(long, value_enum, value_delimiter = ',', value_name = "NAMES")]
    pub(crate) gateway: Vec<Gateway>,
    /// The seed of everything that is left to chance: one seed is one run, byte for byte.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// How many scenarios run at the same time; as many as there are processors when left out.
    #[arg(long, value_name = "N")]
    pub(crate) jobs: Option<usize>,
    /// Write each scenario's trace into this folder, one JSON line per event.
    #[arg(long, value_name = "DIR")]
    pub(crate) trace: Option<PathBuf>,
    /// Write a `JUnit` report.
    #[arg(long, value_name = "FILE")]
    pub(crate) junit: Option<PathBuf>,
    /// Write a report: Markdown, or JSON when the name ends in `.json`.
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
    /// Kill the controller before and after each of its writes in this scenario, and lose each answer.
    #[arg(long, value_name = "SCENARIO", conflicts_with_all = ["scenario", "list", "junit", "report"])]
    pub(crate) crash: Option<String>,
    /// With --crash: only this write, as `17:before-commit`, `17:after-commit` or `17:lose-answer`.
    #[arg(long, value_name = "WRITE:HOW", requires = "crash")]
    pub(crate) cut: Option<Blow>,
    /// With --cluster kind: do without image registries; everything is built from package registries.
    #[arg(long)]
    pub(crate) offline: bool,
    /// With --cluster kind: leave the cluster when the run ends.
    #[arg(long)]
    pub(crate) keep: bool,
    /// With --cluster kind: take the cluster that an earlier run left.
    #[arg(long)]
    pub(crate) reuse: bool,
    /// With --cluster kind: put a real Prometheus into the cluster that scrapes the gateways, and play the scenario that it judges.
    #[arg(long)]
    pub(crate) prometheus: bool,
    /// With --cluster current: where the gateway answers; without it, where the cluster says.
    #[arg(long, value_name = "URL")]
    pub(crate) gateway_url: Option<GatewayUrl>,
    /// With --cluster current: the Gateway that routes are bound to, unless they are Ingresses; `gateways/door` without it.
    #[arg(long, value_name = "NAMESPACE/NAME", value_parser = door)]
    pub(crate) door: Option<Door>,
    /// With --cluster current: play there although the name of the context looks like production.
    #[arg(long)]
    pub(crate) context_is_safe: bool,
    /// Only name the scenarios.
    #[arg(long)]
    pub(crate) list: bool,
}

impl Run {
    /// The gateways to play on.
    pub(crate) fn gateways(&self) -> Vec<Gateway> {
        match self.cluster {
            _ if !self.gateway.is_empty() => self.gateway.clone(),
            Cluster::Embedded => vec![Gateway::Ingress, Gateway::HttpRoute, Gateway::VirtualService],
            Cluster::Local | Cluster::Current => vec![Gateway::Ingress],
            Cluster::Kind => vec![Gateway::Ingress, Gateway::Istio, Gateway::IstioHttpRoute],
        }
    }
}

/// A Gateway's namespace and name.
fn door(text: &str) -> Result<Door, String> {
    match text.split_once('/') {
        Some((namespace, name)) if !namespace.is_empty() && !name.is_empty() && !name.contains('/') => Ok(Door {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        }),
        _ => Err(format!(
            "{text:?} is not a Gateway's namespace and name, as in gateways/door"
        )),
    }
}

/// One of the controller's writes, counted from 1, and what happens at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Blow {
    pub(crate) write: usize,
    pub(crate) how: Cut,
}

/// All that can happen at a write, with the words for it.
pub(crate) const CUTS: [(Cut, &str); 3] = [
    (Cut::BeforeCommit, "before-commit"),
    (Cut::AfterCommit, "after-commit"),
    (Cut::LoseAnswer, "lose-answer"),
];

impl std::fmt::Display for Blow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let word = CUTS
            .iter()
            .find(|(cut, _)| *cut == self.how)
            .map_or("", |(_, word)| word);
        write!(f, "{}:{word}", self.write)
    }
}

impl FromStr for Blow {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected = || format!("{text:?} is not a write and what happens at it, as in 17:after-commit");
        let (write, word) = text.split_once(':').ok_or_else(expected)?;
        let write = write.parse().ok().filter(|write| *write > 0).ok_or_else(expected)?;
        let (how, _) = CUTS.iter().find(|(_, known)| *known == word).ok_or_else(expected)?;
        Ok(Self { write, how: *how })
    }
}
