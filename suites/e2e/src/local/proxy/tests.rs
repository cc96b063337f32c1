//! What a proxy needs before it starts.

use std::net::TcpListener;

use super::free;

#[test]
fn a_port_that_is_taken_is_named_with_who_needs_it() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let said = free("envoy", ("127.0.0.1", port)).unwrap_err().to_string();
    assert!(
        said.starts_with(&format!(
            "envoy must listen on 127.0.0.1:{port} and cannot: Address already in use"
        )),
        "{said}"
    );
    assert!(said.ends_with("; end what listens there and try again"), "{said}");
    free("envoy", ("127.0.0.1", 0)).unwrap();
}
