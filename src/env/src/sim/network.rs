//! The table of services that stands for the network in simulation.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::future::BoxFuture;
use parking_lot::Mutex;

use crate::{Dial, DialError, HttpService, Trust};

type Table = Arc<Mutex<BTreeMap<String, (u64, HttpService)>>>;

/// A network in this process: authorities and the services behind them. Clones are the same network.
#[derive(Clone, Debug, Default)]
pub struct SimNetwork {
    table: Table,
}

impl SimNetwork {
    /// Puts `service` behind `authority` until the returned value is dropped. A second service at one authority takes its place.
    #[must_use = "the service is gone as soon as this is dropped"]
    pub fn serve(&self, authority: impl Into<String>, service: HttpService) -> Served {
        let authority = authority.into();
        let mut table = self.table.lock();
        let turn = table.get(&authority).map_or(0, |(turn, _)| turn + 1);
        table.insert(authority.clone(), (turn, service));
        Served {
            table: self.table.clone(),
            authority,
            turn,
        }
    }
}

impl Dial for SimNetwork {
    fn dial<'a>(&'a self, authority: &'a str, _: Trust<'a>) -> BoxFuture<'a, Result<HttpService, DialError>> {
        let bare = authority
            .split_once("://")
            .map_or(authority, |(_, rest)| rest)
            .trim_end_matches('/');
        let found = self.table.lock().get(bare).map(|(_, service)| service.clone());
        Box::pin(async move {
            found.ok_or_else(|| DialError::Refused {
                authority: authority.to_owned(),
            })
        })
    }
}

/// A place in the table; dropping it takes the service away.
#[derive(Debug)]
pub struct Served {
    table: Table,
    authority: String,
    turn: u64,
}

impl Served {
    /// The authority that it serves.
    pub fn authority(&self) -> &str {
        &self.authority
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let mut table = self.table.lock();
        if table.get(&self.authority).is_some_and(|(turn, _)| *turn == self.turn) {
            table.remove(&self.authority);
        }
    }
}
