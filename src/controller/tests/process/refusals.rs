//! What is wrong before anything runs: one line that says what, where and what to do, and an exit code.

use std::net::TcpListener;
use std::path::Path;

use env::Env;
use rcgen::{CertificateParams, KeyPair};
use rstest::rstest;

use crate::bed::{Tidegate, file, real};

fn kubeconfig(server: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: here\nclusters:\n- name: c\n  cluster:\n    server: {server}\nusers:\n- name: u\n  user:\n    token: t\ncontexts:\n- name: here\n  context:\n    cluster: c\n    user: u\n"
    )
}

/// A port at which nobody listens.
fn closed() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").to_string()
}

/// The one line that the process ends with.
async fn refused(env: &Env, arguments: &[&str]) -> String {
    let (status, text) = Tidegate::run(arguments).ended(env).await;
    assert_eq!(status.code(), Some(1), "{text}");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 1, "{text}");
    lines[0]
        .strip_prefix("tidegate: ")
        .expect("it says who speaks")
        .to_owned()
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

#[tokio::test]
async fn an_api_server_that_does_not_answer_is_named_once() {
    let env = real();
    let closed = closed();
    let path = file(&env, "config", kubeconfig(&format!("https://{closed}")));
    let line = refused(&env, &["--kubeconfig", &text(&path)]).await;
    assert!(
        line.starts_with(&format!("connect to the API server https://{closed}: ")),
        "{line}"
    );
    assert!(line.contains("Connection refused"), "{line}");
    assert!(
        line.ends_with("check --kubeconfig and --context, and that the API server runs"),
        "{line}"
    );
}

#[rstest]
#[case::no_yaml("clusters: [", "read the kubeconfig ", "give the file of a cluster to --kubeconfig")]
#[case::something_else("just words", "read the kubeconfig ", "give the file of a cluster to --kubeconfig")]
#[case::nothing_in_it("apiVersion: v1\nkind: Config\n", "use the kubeconfig ", "see `kubectl config view")]
#[tokio::test]
async fn a_kubeconfig_that_is_none_is_named_with_what_is_wrong(
    #[case] content: &str,
    #[case] doing: &str,
    #[case] advice: &str,
) {
    let env = real();
    let path = text(&file(&env, "config", content));
    let line = refused(&env, &["--kubeconfig", &path]).await;
    assert!(line.starts_with(&format!("{doing}{path}: ")), "{line}");
    assert!(line.contains(advice), "{line}");
}

#[tokio::test]
async fn a_kubeconfig_or_a_context_that_is_not_there_is_named() {
    let env = real();
    let line = refused(&env, &["--kubeconfig", "/nowhere/config"]).await;
    assert!(
        line.starts_with("read the kubeconfig /nowhere/config: ") && line.contains("No such file"),
        "{line}"
    );
    let path = text(&file(&env, "config", kubeconfig("https://127.0.0.1:1")));
    let line = refused(&env, &["--kubeconfig", &path, "--context", "elsewhere"]).await;
    assert!(line.contains(&path) && line.contains("elsewhere"), "{line}");
}

#[rstest]
#[case("--webhook-bind", "webhooks")]
#[case("--metrics-bind", "metrics")]
#[case("--health-bind", "probes")]
#[tokio::test]
async fn a_port_that_is_taken_is_named_with_what_it_is_for(#[case] option: &str, #[case] purpose: &str) {
    let env = real();
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    let line = refused(&env, &[option, &address]).await;
    assert!(
        line.starts_with(&format!("listen on {address} for {purpose}: ")) && line.contains("in use"),
        "{line}"
    );
    assert_eq!(line.matches("in use").count(), 1, "said once: {line}");
}

#[tokio::test]
async fn certificate_files_that_are_missing_or_no_pem_are_named() {
    let env = real();
    let line = refused(
        &env,
        &["--tls-cert", "/nowhere/tls.crt", "--tls-key", "/nowhere/tls.key"],
    )
    .await;
    assert!(line.starts_with("read /nowhere/tls.crt: No such file"), "{line}");
    let (chain, key) = (
        text(&file(&env, "tls.crt", "words")),
        text(&file(&env, "tls.key", "words")),
    );
    let line = refused(&env, &["--tls-cert", &chain, "--tls-key", &key]).await;
    assert!(line.contains("PEM"), "{line}");
}

/// A certificate for `name` with its key, valid in the given years.
fn certificate(name: &str, from: i32, to: i32) -> (String, String) {
    let key = KeyPair::generate().expect("a key");
    let mut params = CertificateParams::new(vec![name.to_owned()]).expect("a name");
    params.not_before = rcgen::date_time_ymd(from, 1, 1);
    params.not_after = rcgen::date_time_ymd(to, 1, 1);
    let certificate = params.self_signed(&key).expect("signed");
    (certificate.pem(), key.serialize_pem())
}

#[rstest]
#[case::expired("127.0.0.1", 2000, 2001, "expired")]
#[case::not_valid_yet("127.0.0.1", 2500, 2501, "not valid yet")]
#[case::of_somebody_else("elsewhere.example", 2000, 2501, "not valid for name")]
#[tokio::test]
async fn a_certificate_that_no_api_server_would_trust_is_refused(
    #[case] name: &str,
    #[case] from: i32,
    #[case] to: i32,
    #[case] cause: &str,
) {
    let env = real();
    let (chain, key) = certificate(name, from, to);
    let (chain, key) = (text(&file(&env, "tls.crt", chain)), text(&file(&env, "tls.key", key)));
    let url = "https://127.0.0.1:0";
    let line = refused(&env, &["--tls-cert", &chain, "--tls-key", &key, "--webhook-url", url]).await;
    assert!(
        line.starts_with("the webhooks' certificate is not good for 127.0.0.1: ") && line.contains(cause),
        "{line}"
    );
}

#[tokio::test]
async fn a_key_of_another_certificate_is_refused() {
    let env = real();
    let (chain, _) = certificate("127.0.0.1", 2000, 2501);
    let (_, key) = certificate("127.0.0.1", 2000, 2501);
    let (chain, key) = (text(&file(&env, "tls.crt", chain)), text(&file(&env, "tls.key", key)));
    let line = refused(&env, &["--tls-cert", &chain, "--tls-key", &key]).await;
    assert!(line.starts_with("the certificate cannot be used: "), "{line}");
}

#[rstest]
#[case(
    "http://127.0.0.1:0",
    "API servers call webhooks over https only; write https://host:port"
)]
#[case("not a url", "not a URL; write https://host:port")]
#[tokio::test]
async fn a_webhook_url_that_no_api_server_can_call_is_refused(#[case] url: &str, #[case] cause: &str) {
    let env = real();
    let line = refused(&env, &["--webhook-url", url]).await;
    assert!(line.starts_with(&format!("--webhook-url {url}: {cause}")), "{line}");
}
