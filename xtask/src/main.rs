//! `cargo xtask`: the repository's own commands. This package stays small so that it compiles in seconds; whatever needs the
//! product is the binary `e2e`, which is built here and then takes this process over.

mod charts;
mod hand_over;
mod image;
mod manifests;
mod openapi;
mod protobuf;
mod tidy;

use std::process::ExitCode;

use anyhow::{Result, bail};

const USAGE: &str = "\
cargo xtask <command>

  e2e [options]    run the scenarios and report (cargo xtask e2e --help)
  demo [--yes]     a release told step by step, with a live bar of the measured split (--bad-release: one that is stopped; --html FILE: a page)
  up [--speed N]   the embedded cluster with the controller in it, for kubectl, kubectl-kruise and curl
  kubectl-session  run fixtures/kubectl-session.sh against the embedded cluster and compare (--update takes its output)
  gateway-table    play the gateway cases on each gateway and print what each one did
  compare          compare JSON reports of several runs: one verdict per scenario everywhere, or it fails
  bad-day          kill or halt processes of --cluster local in the middle of a release: an end with the reason, or none
  tools [NAME..]   find or build the programs of --cluster local and kubectl (or these; also helm, kubeconform); print where each one is
  control-plane    start the control plane of --cluster local for one command, or until Ctrl-C
  image            the controller's image as an archive for docker load, without Docker (--out FILE, --profile NAME)
  manifests        install.yaml and the Helm chart, from the controller's sources into charts/ (--out FOLDER)
  charts           look at the chart and install.yaml with helm and kubeconform, and at whether a broken chart is seen
  tidy             the rules that no compiler checks
  openapi          take the built-in types of Kubernetes into tidepool's data file again (--check only compares)
";

fn main() -> Result<ExitCode> {
    let mut args = std::env::args().skip(1);
    let command = args.next();
    let rest: Vec<String> = args.collect();
    match command.as_deref() {
        Some("e2e") => {
            let image = image::wanted_by(&rest).then(image::archived).transpose()?;
            hand_over::to_e2e("run", &rest, image.as_deref())
        }
        Some(
            verb @ ("demo" | "up" | "kubectl-session" | "gateway-table" | "compare" | "bad-day" | "tools"
            | "control-plane"),
        ) => hand_over::to_e2e(verb, &rest, None),
        Some("image") => image::run(&rest),
        Some("manifests") => manifests::run(&rest),
        Some("charts") => charts::run(&rest),
        Some("tidy") => tidy::run(),
        Some("openapi") => openapi::run(&rest),
        None | Some("help" | "--help" | "-h") => {
            say(USAGE);
            Ok(ExitCode::SUCCESS)
        }
        Some(other) => bail!("there is no command {other:?}\n\n{USAGE}"),
    }
}

/// Prints one text for the person who called; the only place of this package that writes to standard output.
#[expect(clippy::print_stdout, reason = "a command line tool answers on standard output")]
fn say(text: &str) {
    println!("{}", text.trim_end());
}
