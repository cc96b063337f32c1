//! The server over real sockets, on ports that the system chooses.

use std::sync::Arc;

use env::{Env, HttpService, full};
use http::Response;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio_rustls::TlsConnector;

use super::{Certificate, Listener, serve};

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";

fn hello() -> HttpService {
    HttpService::new(|_| async { Ok(Response::new(full("hello"))) })
}

async fn listener() -> Listener {
    Listener::bind("127.0.0.1:0".parse().expect("an address"), "a test")
        .await
        .expect("a free port")
}

#[tokio::test]
async fn a_client_that_trusts_the_made_authority_is_answered_over_tls() {
    let certificate = Certificate::make(&["webhooks.tidegate.svc".to_owned()]).expect("made");
    let mut roots = rustls::RootCertStore::empty();
    let authority = CertificateDer::from_pem_slice(certificate.authority()).expect("PEM");
    roots.add(authority).expect("an authority");
    let listener = listener().await;
    let address = listener.address();
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = tokio::spawn(serve(Env::real(), listener, Some(certificate), hello(), async {
        let _ = stopped.await;
    }));

    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("webhooks.tidegate.svc").expect("a name");
    let socket = TcpStream::connect(address).await.expect("it listens");
    let mut stream = TlsConnector::from(Arc::new(config))
        .connect(name, socket)
        .await
        .expect("it is trusted");
    stream.write_all(REQUEST).await.expect("sent");
    let mut answer = Vec::new();
    stream
        .read_to_end(&mut answer)
        .await
        .expect("an answer and an orderly end");
    assert!(answer.ends_with(b"hello"));
    stop.send(()).expect("it runs");
    serving.await.expect("no panic");
}

#[tokio::test]
async fn it_ends_although_a_client_holds_its_connection() {
    let listener = listener().await;
    let address = listener.address();
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = tokio::spawn(serve(Env::real(), listener, None, hello(), async {
        let _ = stopped.await;
    }));
    let _idle = TcpStream::connect(address).await.expect("it listens");
    stop.send(()).expect("it runs");
    serving.await.expect("no panic");
}

#[tokio::test]
async fn an_address_that_is_taken_is_named() {
    let first = listener().await;
    let error = Listener::bind(first.address(), "webhooks").await.expect_err("taken");
    let text = error.to_string();
    assert!(
        text.starts_with(&format!("listen on {} for webhooks: ", first.address())),
        "{text}"
    );
}
