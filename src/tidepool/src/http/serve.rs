//! Services behind sockets: the API over TLS with a certificate of its own, and anything else over plain TCP. Always on loopback.
//!
//! For `up` and for a person with kubectl. Clients prove themselves by a bearer token; the kubeconfig text holds it and the certificate.

use std::net::{Ipv4Addr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;

use env::{Body, BoxError, HttpService};
use futures::future::BoxFuture;
use http::header::AUTHORIZATION;
use http::{Request, Response};
use http_body_util::BodyExt;
use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use super::negotiate::Text;
use super::respond;
use crate::status::Status;

/// Why something could not be served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// No port could be had.
    #[error("listen on {} ({})", place(*port), remedy(*port))]
    Listen {
        /// The port that was asked for; 0 is any free one.
        port: u16,
        /// What the system says.
        source: std::io::Error,
    },
    /// No certificate could be made.
    #[error("make a certificate for 127.0.0.1: {0}")]
    Certificate(#[from] rcgen::Error),
    /// The certificate was made but is not taken.
    #[error("use the certificate for 127.0.0.1: {0}")]
    Tls(#[from] rustls::Error),
}

fn place(port: u16) -> String {
    match port {
        0 => "a free port of 127.0.0.1".to_owned(),
        port => format!("127.0.0.1:{port}"),
    }
}

const fn remedy(port: u16) -> &'static str {
    match port {
        0 => "check the limits on sockets of this machine",
        _ => "choose another port, or 0 for any free one",
    }
}

/// A service behind a socket, until this is dropped or stopped.
#[derive(Debug)]
pub struct Serving {
    address: SocketAddr,
    tasks: JoinSet<()>,
}

impl Serving {
    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Closes the listener and every connection.
    pub async fn stop(mut self) {
        self.tasks.shutdown().await;
    }
}

/// Certificate and key for 127.0.0.1 and localhost.
#[derive(Debug)]
pub struct Identity {
    /// The certificate as PEM text; it is its own authority.
    pub certificate: String,
    acceptor: Arc<rustls::ServerConfig>,
}

impl Identity {
    /// A new one.
    ///
    /// # Errors
    /// When the crypto library refuses.
    pub fn generate() -> Result<Self, ServeError> {
        let key = rcgen::KeyPair::generate()?;
        let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        let mut params = rcgen::CertificateParams::new(names)?;
        params.distinguished_name.push(rcgen::DnType::CommonName, "tidepool");
        let certificate = params.self_signed(&key)?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let mut config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], private)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self {
            certificate: certificate.pem(),
            acceptor: Arc::new(config),
        })
    }
}

/// The service for those who send the right bearer token, `Unauthorized` for everybody else.
pub fn guarded(service: HttpService, token: String) -> HttpService {
    HttpService::new(move |request: Request<Body>| {
        let service = service.clone();
        let header = request.headers().get(AUTHORIZATION);
        let allowed = header
            .and_then(|header| header.to_str().ok())
            .and_then(|header| header.strip_prefix("Bearer "))
            .is_some_and(|given| given == token);
        async move {
            if allowed {
                service.send(request).await
            } else {
                respond::status(Text::Json, &Status::unauthorized())
            }
        }
    })
}

async fn listen(port: u16) -> Result<(TcpListener, SocketAddr), ServeError> {
    let failed = |source| ServeError::Listen { port, source };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok((listener, address))
}

/// Serves over TLS on a port of 127.0.0.1; 0 is any free one.
///
/// # Errors
/// [`ServeError::Listen`].
pub async fn over_tls(service: HttpService, identity: &Identity, port: u16) -> Result<Serving, ServeError> {
    let (listener, address) = listen(port).await?;
    let acceptor = TlsAcceptor::from(identity.acceptor.clone());
    let handle = move |stream| {
        let (acceptor, service) = (acceptor.clone(), service.clone());
        async move {
            if let Ok(stream) = acceptor.accept(stream).await {
                connection(stream, service, std::future::pending()).await;
            }
        }
    };
    let mut tasks = JoinSet::new();
    tasks.spawn(accept(listener, handle, std::future::pending()));
    Ok(Serving { address, tasks })
}

/// Serves without TLS on a port of 127.0.0.1; 0 is any free one.
///
/// # Errors
/// [`ServeError::Listen`].
pub async fn over_tcp(service: HttpService, port: u16) -> Result<Serving, ServeError> {
    let (listener, address) = listen(port).await?;
    let handle = move |stream| connection(stream, service.clone(), std::future::pending());
    let mut tasks = JoinSet::new();
    tasks.spawn(accept(listener, handle, std::future::pending()));
    Ok(Serving { address, tasks })
}

/// Takes connections until `closed`, then waits for those that it has.
pub(crate) async fn accept<F>(
    listener: TcpListener,
    handle: impl Fn(TcpStream) -> F + Send,
    closed: impl Future<Output = ()> + Send,
) where
    F: Future<Output = ()> + Send + 'static,
{
    let mut connections = JoinSet::new();
    let mut closed = pin!(closed);
    loop {
        tokio::select! {
            biased;
            () = &mut closed => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(handle(stream));
                }
                // A connection that broke before it was taken is nobody's. Without files to be had none can be taken, until one of ours ends.
                Err(error) => {
                    tracing::debug!(%error, "a connection could not be taken");
                    tokio::select! {
                        biased;
                        () = &mut closed => break,
                        Some(_) = connections.join_next() => {}
                        () = tokio::task::yield_now(), if connections.is_empty() => {}
                    }
                }
            },
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

/// Answers the requests of one connection; once `closed`, the one that is being answered is the last.
pub(crate) async fn connection<S>(stream: S, service: HttpService, closed: impl Future<Output = ()> + Send)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let answer = service_fn(move |request: Request<Incoming>| served(service.clone(), request));
    let mut connection = pin!(http1::Builder::new().serve_connection(TokioIo::new(stream), answer));
    let ended = tokio::select! {
        biased;
        ended = connection.as_mut() => ended,
        () = closed => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "connection ended");
    }
}

type Answer = Response<UnsyncBoxBody<bytes::Bytes, std::io::Error>>;

/// One request over a connection. Errors are of a type of their own, because hyper's bounds do not take boxed ones.
fn served(service: HttpService, request: Request<Incoming>) -> BoxFuture<'static, Result<Answer, std::io::Error>> {
    Box::pin(async move {
        let request = request.map(|body| body.map_err(|error| -> BoxError { Box::new(error) }).boxed_unsync());
        match service.send(request).await {
            Ok(response) => Ok(response.map(|body| body.map_err(other).boxed_unsync())),
            Err(error) => Err(other(error)),
        }
    })
}

fn other(error: BoxError) -> std::io::Error {
    std::io::Error::other(error)
}

/// The kubeconfig of an API server.
pub fn kubeconfig(server: SocketAddr, identity: &Identity, token: &str) -> String {
    use base64::Engine as _;
    let authority = base64::engine::general_purpose::STANDARD.encode(&identity.certificate);
    format!(
        "apiVersion: v1\nkind: Config\nclusters:\n- name: tidepool\n  cluster:\n    server: https://{server}\n    certificate-authority-data: {authority}\nusers:\n- name: tidepool\n  user:\n    token: {token}\ncontexts:\n- name: tidepool\n  context:\n    cluster: tidepool\n    user: tidepool\n    namespace: default\ncurrent-context: tidepool\n"
    )
}
