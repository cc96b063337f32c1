//! Real listeners: each address of a pod is a TCP socket of its own, so that any program on the machine reaches the pod.
//!
//! The addresses must belong to the machine. In a network namespace of the run's own, `ip route add local 10.244.0.0/16 dev lo` makes every
//! address of the pods' network bindable; all of 127.0.0.0/8 is so everywhere on Linux. Needs a runtime with I/O.

use std::net::SocketAddr;
use std::pin::pin;

use env::{HttpService, watch};
use futures::future::BoxFuture;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::{ListenError, Listening, PodNetwork};
use crate::http::serve::served;

/// A network of sockets. It owns the tasks behind them.
#[derive(Debug, Default)]
pub struct SocketNetwork {
    tasks: Mutex<JoinSet<()>>,
}

impl SocketNetwork {
    /// Closes every listener and every connection.
    pub async fn stop(&self) {
        let mut tasks = std::mem::take(&mut *self.tasks.lock());
        tasks.shutdown().await;
    }
}

/// One listener. Dropping it closes the socket; requests that are being answered are answered, then their connections are closed.
#[derive(Debug)]
struct Socket {
    _open: watch::Sender<()>,
}

impl Listening for Socket {}

impl PodNetwork for SocketNetwork {
    fn listen<'a>(
        &'a self,
        authority: &'a str,
        service: HttpService,
    ) -> BoxFuture<'a, Result<Box<dyn Listening>, ListenError>> {
        Box::pin(async move {
            let address: SocketAddr = authority.parse().map_err(|_| ListenError::Malformed {
                authority: authority.to_owned(),
            })?;
            let listener = TcpListener::bind(address).await.map_err(|source| ListenError::Bind {
                authority: authority.to_owned(),
                source,
            })?;
            let (open, closed) = watch::channel(());
            let mut tasks = self.tasks.lock();
            while tasks.try_join_next().is_some() {}
            tasks.spawn(accept(listener, service, closed));
            let socket: Box<dyn Listening> = Box::new(Socket { _open: open });
            Ok(socket)
        })
    }
}

async fn accept(listener: TcpListener, service: HttpService, mut closed: watch::Receiver<()>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            biased;
            _ = closed.changed() => break,
            accepted = listener.accept() => {
                // A connection that broke before it was taken is nobody's; the listener goes on.
                if let Ok((stream, _)) = accepted {
                    connections.spawn(connection(stream, service.clone(), closed.clone()));
                }
                while connections.try_join_next().is_some() {}
            }
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

async fn connection(stream: TcpStream, service: HttpService, mut closed: watch::Receiver<()>) {
    let answer = service_fn(move |request: hyper::Request<Incoming>| served(service.clone(), request));
    let mut connection = pin!(http1::Builder::new().serve_connection(TokioIo::new(stream), answer));
    let ended = tokio::select! {
        biased;
        ended = connection.as_mut() => ended,
        _ = closed.changed() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "connection to a pod ended");
    }
}
