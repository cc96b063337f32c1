//! A machine without certificates of its own, as a container image made from nothing is: servers are reached all the same.
//!
//! Where the system keeps its certificates is read from this process's environment, so that the test runs itself again in another one.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::process::Command;
use std::thread;

use env::Env;
use http_body_util::BodyExt as _;

/// Set in the process that has no certificates.
const ALONE: &str = "TIDEGATE_TEST_WITHOUT_ROOTS";

#[test]
fn servers_are_reached_where_the_system_has_no_certificates() {
    if std::env::var_os(ALONE).is_none() {
        let this = std::env::current_exe().expect("this test's own file");
        let output = Command::new(this)
            .args(["--exact", "servers_are_reached_where_the_system_has_no_certificates"])
            .env(ALONE, "1")
            .env("SSL_CERT_FILE", "/nowhere/certificates.pem")
            .env("SSL_CERT_DIR", "/nowhere")
            .output()
            .expect("the test runs itself");
        assert!(
            output.status.success(),
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        return;
    }
    rustls::crypto::ring::default_provider()
        .install_default()
        .expect("nobody has installed one");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("its address");
    let server = thread::spawn(move || {
        let (mut socket, _) = listener.accept().expect("a connection");
        let mut request = [0; 1024];
        let _ = socket.read(&mut request).expect("a request");
        socket
            .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nup")
            .expect("the answer is taken");
    });
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let env = Env::real();
        let plain = env
            .dial(&format!("http://{address}"))
            .await
            .expect("plain HTTP needs no certificates");
        let request = http::Request::get("/").body(env::empty()).expect("a request");
        let answer = plain.send(request).await.expect("an answer");
        let body = answer.into_body().collect().await.expect("a body").to_bytes();
        assert_eq!(body, "up");
        env.dial("https://metrics.example.com")
            .await
            .expect("the authorities that browsers trust are known without the system");
    });
    server.join().expect("the server ends");
}
