//! `run --cluster kind` on machines that cannot have a kind cluster, or have half of one: what a person reads, and that nothing was begun.

use crate::bed::Machine;

const RUN: [&str; 5] = ["run", "--cluster", "kind", "--scenario", "walkthrough"];
/// A Docker that answers.
const DOCKER: &str = "echo 29.1.0";
/// A kubectl of the pinned version, whose cluster does not answer.
const KUBECTL: &str = r#"case "$1" in
version) echo "Client Version: v1.36.3" ;;
*) echo "Unable to connect to the server: dial tcp 127.0.0.1:6443: connect: connection refused" >&2; exit 1 ;;
esac"#;

/// A kind that knows one cluster, of which `kubeconfig` is what its kubeconfig comes to.
fn kind(kubeconfig: &str) -> String {
    format!(
        r#"case "$1 $2" in
"get clusters") echo tidegate-e2e ;;
"get kubeconfig") {kubeconfig} ;;
*) echo "unexpected: $*" >&2; exit 1 ;;
esac"#
    )
}

fn nothing_was_begun(machine: &Machine) {
    let begun = ["create", "load", "build", "delete", "apply"];
    let calls = machine.calls();
    assert!(
        !calls.iter().any(|call| begun.iter().any(|verb| call.contains(verb))),
        "{calls:#?}"
    );
    assert!(machine.left().is_empty(), "{:#?}", machine.left());
}

#[test]
fn without_docker_it_says_what_to_install() {
    let machine = Machine::new();
    let ended = machine.e2e(&RUN);
    assert_eq!(
        ended.error(),
        "--cluster kind needs Docker, and there is no docker on PATH: install it (Debian: apt-get install docker.io)"
    );
    nothing_was_begun(&machine);
}

#[test]
fn a_docker_that_does_not_run_is_to_be_started() {
    let said = "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?";
    let machine = Machine::new().has("docker", &format!("echo '{said}' >&2; exit 1"));
    let ended = machine.e2e(&RUN);
    let advice = "--cluster kind needs a Docker that answers: start it (systemctl start docker; on a machine without an init system: \
                  kind/offline/dockerd.sh start): ";
    assert_eq!(
        ended.error(),
        format!("{advice}ask Docker for its version: docker ended with exit status: 1\n{said}")
    );
    nothing_was_begun(&machine);
}

#[test]
fn a_cluster_that_was_left_is_not_touched_unasked() {
    let machine = Machine::new()
        .has("docker", DOCKER)
        .has("kubectl", KUBECTL)
        .has("kind", &kind("exit 1"));
    let ended = machine.e2e(&RUN);
    let error = ended.error();
    assert!(
        error.starts_with("a kind cluster tidegate-e2e exists already: --reuse takes it, and "),
        "{error}"
    );
    assert!(
        error.ends_with("/kind delete cluster --name tidegate-e2e removes it"),
        "{error}"
    );
    nothing_was_begun(&machine);
}

#[test]
fn half_a_cluster_is_not_taken_again() {
    let without_node =
        "echo 'ERROR: could not locate any control plane nodes for cluster named tidegate-e2e' >&2; exit 1";
    for (kubeconfig, cause) in [
        (without_node, "could not locate any control plane nodes"),
        ("echo 'apiVersion: v1'", "connection refused"),
    ] {
        let machine = Machine::new()
            .has("docker", DOCKER)
            .has("kubectl", KUBECTL)
            .has("kind", &kind(kubeconfig));
        let ended = machine.e2e(&[&RUN[..], &["--reuse"]].concat());
        let error = ended.error();
        assert!(
            error.starts_with("the kind cluster tidegate-e2e exists only by half; take it away with: "),
            "{error}"
        );
        assert!(error.contains("/kind delete cluster --name tidegate-e2e: "), "{error}");
        assert!(error.contains(cause), "{error}");
        nothing_was_begun(&machine);
    }
}
