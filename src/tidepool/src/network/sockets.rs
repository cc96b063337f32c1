//! Real listeners: each address of a pod is a TCP socket of its own, so that any program on the machine reaches the pod.
//!
//! The addresses must belong to the machine. In a network namespace of the run's own, `ip route add local 10.244.0.0/16 dev lo` makes every
//! address of the pods' network bindable; all of 127.0.0.0/8 is so everywhere on Linux. Needs a runtime with I/O.

use std::net::SocketAddr;

use env::{HttpService, watch};
use futures::future::BoxFuture;
use parking_lot::Mutex;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::{ListenError, Listening, PodNetwork};
use crate::http::serve::{accept, connection};

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
            let ends = ended(closed.clone());
            let handle = move |stream| connection(stream, service.clone(), ended(closed.clone()));
            tasks.spawn(accept(listener, handle, ends));
            let socket: Box<dyn Listening> = Box::new(Socket { _open: open });
            Ok(socket)
        })
    }
}

/// Waits until the sender is gone.
async fn ended(mut open: watch::Receiver<()>) {
    while open.changed().await.is_ok() {}
}
