//! What is read from other programs' words, and what is written for them.

use std::path::PathBuf;

use super::Source;
use super::cluster::{NODE_PORTS, with_free_ports};
use super::images::libraries;
use super::install::with_images;
use super::programs::short_hash;
use super::shell::tail;

const CONFIG: &str = include_str!("../../../../kind/cluster-offline.yaml");
const ONLINE: &str = include_str!("../../../../kind/cluster.yaml");
const ISTIO: &str = include_str!("../../../../kind/istio/istio.yaml");

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

#[test]
fn without_a_registry_no_image_of_istio_is_one_that_is_published() {
    let images = |source| -> Vec<String> {
        let text = with_images(ISTIO, source);
        text.lines()
            .filter_map(|line| line.trim().strip_prefix("image: "))
            .map(str::to_owned)
            .collect()
    };
    assert_eq!(
        images(Source::Built),
        ["tidegate.dev/istiod:e2e", "tidegate.dev/envoy:1.40.0"]
    );
    let published = images(Source::Published);
    assert!(
        published.iter().all(|image| image.starts_with("docker.io/")),
        "{published:?}"
    );
}
