//! `up` with a port that somebody else has: it says which one, and leaves no kubeconfig.

use std::net::TcpListener;

use rstest::rstest;

use crate::bed::Machine;

#[rstest]
#[case("--api-port")]
#[case("--gateway-port")]
fn a_port_that_is_taken_is_named(#[case] option: &str) {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").port().to_string();
    let machine = Machine::new();
    let ended = machine.e2e(&["up", option, &port]);
    let error = ended.error();
    assert!(
        error.contains(&format!("127.0.0.1:{port}")) && error.contains("in use"),
        "{error}"
    );
    assert_eq!(error.lines().count(), 1, "{error}");
    assert!(machine.left().is_empty(), "{:#?}", machine.left());
}
