//! HTTP over sockets: the one place where a service of ours meets hyper and TLS. Used by the binary only; simulation calls services directly.

mod certificate;
#[cfg(test)]
mod tests;

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use env::{Env, HttpService, full};
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tracing::debug;

pub use certificate::{Certificate, CertificateError};

/// The most connections at a time of one listener: bounds the memory of whoever sends large bodies.
const CONNECTIONS: usize = 128;
/// How long a client may take to shake hands, and to send the head of a request.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a connection may go on after the server was asked to stop.
const GRACE: Duration = Duration::from_secs(5);

/// A bound socket.
#[derive(Debug)]
pub struct Listener {
    listener: TcpListener,
    address: SocketAddr,
}

/// An address could not be bound.
#[derive(Debug, thiserror::Error)]
#[error("listen on {address} for {purpose}: {cause}; choose another address")]
pub struct BindError {
    address: SocketAddr,
    purpose: &'static str,
    cause: io::Error,
}

impl Listener {
    /// Binds `address`; port 0 takes one that is free. `purpose` is for the error's text.
    ///
    /// # Errors
    /// When the address is taken or not ours.
    pub async fn bind(address: SocketAddr, purpose: &'static str) -> Result<Self, BindError> {
        let failed = |cause| BindError {
            address,
            purpose,
            cause,
        };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Self { listener, address })
    }

    /// The address with the port that was taken.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

/// Serves `service` until `stop` resolves; over TLS when there is a certificate. Every connection has ended when it returns.
pub async fn serve(
    env: Env,
    listener: Listener,
    certificate: Option<Certificate>,
    service: HttpService,
    stop: impl Future<Output = ()> + Send,
) {
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    let (closing, closed) = env::watch::channel(());
    let mut connections = JoinSet::new();
    let mut stop = pin!(stop);
    loop {
        let next = async {
            let permit = room.clone().acquire_owned().await;
            (permit, listener.listener.accept().await)
        };
        let (permit, accepted) = tokio::select! {
            biased;
            () = &mut stop => break,
            Some(_) = connections.join_next(), if !connections.is_empty() => continue,
            next = next => next,
        };
        let socket = match accepted {
            Ok((socket, _)) => socket,
            Err(error) => {
                // Out of file descriptors, most likely: give connections time to end.
                debug!(%error, "accept a connection");
                env.sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        // Asked for each connection, since a certificate may be renewed.
        let acceptor = certificate
            .as_ref()
            .map(|certificate| TlsAcceptor::from(certificate.server_config()));
        let (env, service, mut closed) = (env.clone(), service.clone(), closed.clone());
        connections.spawn(async move {
            let closed = async move {
                // The sender only ever goes away.
                while closed.changed().await.is_ok() {}
            };
            match acceptor {
                None => connection(&env, socket, service, closed).await,
                Some(acceptor) => match env.clock().timeout(PATIENCE, acceptor.accept(socket)).await {
                    Ok(Ok(stream)) => connection(&env, stream, service, closed).await,
                    Ok(Err(error)) => debug!(%error, "TLS handshake"),
                    Err(elapsed) => debug!(%elapsed, "TLS handshake"),
                },
            }
            drop(permit);
        });
    }
    drop((closing, closed));
    let rest = async { while connections.join_next().await.is_some() {} };
    if env.clock().timeout(GRACE, rest).await.is_err() {
        debug!("connections were still open when the server stopped");
    }
    connections.shutdown().await;
}

async fn connection<S>(env: &Env, stream: S, service: HttpService, closed: impl Future<Output = ()> + Send)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let answer = service_fn(move |request: Request<Incoming>| {
        let service = service.clone();
        let request = request.map(|body| body.map_err(Into::into).boxed_unsync());
        async move {
            Ok::<_, Infallible>(service.send(request).await.unwrap_or_else(|error| {
                let mut response = Response::new(full(error.to_string()));
                *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
                response
            }))
        }
    });
    let mut serving = pin!(
        hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(PATIENCE)
            .serve_connection(TokioIo::new(stream), answer)
    );
    let ended = tokio::select! {
        biased;
        ended = serving.as_mut() => ended,
        () = closed => {
            serving.as_mut().graceful_shutdown();
            match env.clock().timeout(GRACE, serving).await {
                Ok(ended) => ended,
                Err(env::Elapsed) => Ok(()),
            }
        }
    };
    if let Err(error) = ended {
        debug!(%error, "connection ended");
    }
}
