//! What is read from other programs' words, and what is written for them.

use std::path::PathBuf;

use anyhow::anyhow;
use env::Env;
use rstest::rstest;

use super::Source;
use super::cluster::{NODE_PORTS, both, is_among, with_free_ports};
use super::images::{CONTROLLER, libraries, loaded};
use super::install::with_images;
use super::programs::short_hash;
use super::shell::{Shell, command, tail};
use crate::folder::Folder;
use crate::interrupt::Interrupt;

const CONFIG: &str = include_str!("../../../../kind/cluster-offline.yaml");
const ONLINE: &str = include_str!("../../../../kind/cluster.yaml");
const INSTALL: &str = include_str!("../../../../charts/install.yaml");
const ISTIO: &str = include_str!("../../../../kind/istio/istio.yaml");
const INGRESS_NGINX: &str = include_str!("../../../../kind/ingress-nginx/ingress-nginx.yaml");
const TRAEFIK: &str = include_str!("../../../../kind/traefik/traefik.yaml");
const PROMETHEUS: &str = include_str!("../../../../kind/prometheus/prometheus.yaml");

#[test]
fn every_port_of_the_node_gets_a_free_port_of_the_machine() {
    for written in [CONFIG, ONLINE] {
        let config = with_free_ports(written).unwrap();
        for port in NODE_PORTS {
            assert!(
                written.contains(&format!("containerPort: {port}, hostPort: {port},")),
                "{port} is mapped"
            );
            assert!(
                config.contains(&format!("containerPort: {port}, hostPort: ")),
                "{config}"
            );
            assert!(!config.contains(&format!("hostPort: {port}")), "{config}");
        }
    }
}

#[test]
fn reads_what_ldd_says() {
    let said = "\tlinux-vdso.so.1 (0x00007ffc)\n\tlibm.so.6 => /lib/x86_64-linux-gnu/libm.so.6 (0x00007f3)\n\t/lib64/ld-linux-x86-64.so.2 (0x00007f4)\n";
    assert_eq!(
        libraries(said),
        ["/lib/x86_64-linux-gnu/libm.so.6", "/lib64/ld-linux-x86-64.so.2"].map(PathBuf::from)
    );
    assert_eq!(libraries("\tnot a dynamic executable\n"), Vec::<PathBuf>::new());
}

#[test]
fn a_hash_tells_texts_and_their_borders_apart() {
    let hash = |texts: &[&str]| short_hash(texts.iter().map(|text| text.as_bytes().to_vec()));
    assert_eq!(hash(&["a", "b"]), hash(&["a", "b"]));
    assert_ne!(hash(&["a", "b"]), hash(&["ab", ""]));
}

#[test]
fn an_error_shows_the_end_of_what_was_said() {
    let long: String = (1..=40).map(|line| format!("line {line}\n")).collect();
    let end = tail(&long);
    assert!(end.starts_with("line 26\n"), "{end}");
    assert!(end.ends_with("line 40"), "{end}");
}

#[rstest]
#[case::istio(ISTIO, &["tidegate.dev/istiod:e2e", "tidegate.dev/envoy:1.40.0"])]
#[case::prometheus(PROMETHEUS, &["tidegate.dev/prometheus:e2e"])]
fn without_a_registry_no_image_is_one_that_is_published(#[case] manifest: &str, #[case] built: &[&str]) {
    let images = |source| -> Vec<String> {
        let text = with_images(manifest, source);
        text.lines()
            .filter_map(|line| line.trim().strip_prefix("image: "))
            .map(str::to_owned)
            .collect()
    };
    assert_eq!(images(Source::Built), built);
    let published = images(Source::Published);
    assert!(
        published.iter().all(|image| image.starts_with("docker.io/")),
        "{published:?}"
    );
}

#[test]
fn the_image_that_is_loaded_is_the_one_that_the_installation_asks_for() {
    assert!(INSTALL.contains(&format!("image: {CONTROLLER}\n")));
    assert_eq!(loaded(&format!("Loaded image: {CONTROLLER}\n")), Some(CONTROLLER));
    assert_eq!(loaded("open archive.tar: no such file\n"), None);
}

#[test]
fn a_cluster_is_known_by_its_whole_name() {
    assert!(is_among("kind\ntidegate-e2e\n"));
    assert!(!is_among("tidegate-e2e-mine\n"));
    assert!(!is_among(""));
}

#[test]
fn what_failed_first_and_what_is_left_are_both_said() {
    let fails = |said: &str| anyhow!("{said}");
    assert_eq!(both(Ok(7), Ok(())).unwrap(), 7);
    assert_eq!(both::<()>(Err(fails("a")), Ok(())).unwrap_err().to_string(), "a");
    assert_eq!(both(Ok(7), Err(fails("b"))).unwrap_err().to_string(), "b");
    let said = both::<()>(Err(fails("a")), Err(fails("b"))).unwrap_err().to_string();
    assert_eq!(said, "a\nand then: b");
}

/// A program that has started another one, which holds a file until it is told to end.
#[tokio::test]
async fn ctrl_c_ends_a_command_and_what_it_started() {
    let env = Env::real();
    let interrupt = Interrupt::default();
    let shell = Shell::new(&env, &interrupt);
    let folder = Folder::make().unwrap();
    let held = folder.path().join("held");
    let script = "(trap 'rm \"$0\"; exit' TERM; touch \"$0\"; sleep 600 & wait) & wait";
    let mut holds = command("sh", ["-c", script]);
    holds.arg(&held);
    let person = async {
        while !held.exists() {
            tokio::task::yield_now().await;
        }
        interrupt.wish();
    };
    let (ran, ()) = tokio::join!(shell.run("hold a file", holds), person);
    assert_eq!(ran.unwrap_err().to_string(), "interrupted: hold a file");
    assert!(
        !held.exists(),
        "the one that held the file was killed before it could let go"
    );
    let later = shell.run("start more", command("true", [""; 0])).await;
    assert_eq!(later.unwrap_err().to_string(), "interrupted: start more");
}

#[test]
fn prometheus_and_what_it_scrapes_are_where_their_manifests_say() {
    let asked = super::install::PROMETHEUS;
    let address = |manifest: &str, of: &str| {
        let documents = suites::manifest::documents(manifest, &suites::manifest::AsWritten).unwrap_or_default();
        let service = documents
            .into_iter()
            .find(|object| object["kind"] == "Service" && object["metadata"]["name"] == of);
        let service = service.unwrap_or_default();
        format!(
            "{}:{}",
            service["spec"]["clusterIP"].as_str().unwrap_or_default(),
            service["spec"]["ports"][0]["port"]
        )
    };
    assert_eq!(format!("http://{}", address(PROMETHEUS, "prometheus")), asked);
    for (manifest, of) in [
        (INGRESS_NGINX, "ingress-nginx-metrics"),
        (TRAEFIK, "traefik-metrics"),
        (ISTIO, "istio-ingressgateway-metrics"),
    ] {
        let target = format!("targets: [\"{}\"]", address(manifest, of));
        assert!(PROMETHEUS.contains(&target), "{target}");
    }
}
