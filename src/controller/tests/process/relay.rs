//! The way between a process and its API server, which can be cut: then nobody listens, and connections that were open are broken.

use std::net::SocketAddr;

use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinSet};

/// Carries bytes from an address of its own to `to`, while it is not cut.
pub(crate) struct Relay {
    to: SocketAddr,
    at: SocketAddr,
    carrying: AbortHandle,
}

impl Relay {
    pub(crate) async fn start(to: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let at = listener.local_addr().expect("an address");
        let carrying = tokio::spawn(carry(listener, to)).abort_handle();
        Self { to, at, carrying }
    }

    /// Where it listens.
    pub(crate) fn at(&self) -> SocketAddr {
        self.at
    }

    pub(crate) fn cut(&self) {
        self.carrying.abort();
    }

    /// Listens again, at the same address.
    pub(crate) async fn mend(&mut self) {
        let listener = TcpListener::bind(self.at).await.expect("the port is still free");
        self.carrying = tokio::spawn(carry(listener, self.to)).abort_handle();
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.cut();
    }
}

async fn carry(listener: TcpListener, to: SocketAddr) {
    // They end with this task.
    let mut connections = JoinSet::new();
    loop {
        let (mut near, _) = listener.accept().await.expect("it listens");
        connections.spawn(async move {
            let mut far = TcpStream::connect(to).await.expect("the API server is there");
            // Either side may hang up as it likes.
            let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
        });
        while connections.try_join_next().is_some() {}
    }
}
