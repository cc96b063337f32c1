//! What a container writes with.

use env::Clock;

use crate::cluster::Cluster;
use crate::logs::Logs;

/// The log of one container.
#[derive(Clone, Debug)]
pub(super) struct Pen {
    logs: Logs,
    clock: Clock,
    uid: String,
    container: String,
}

impl Pen {
    pub(super) fn new(cluster: &dyn Cluster, uid: &str, container: &str) -> Self {
        Self {
            logs: cluster.logs(),
            clock: cluster.env().clock().clone(),
            uid: uid.to_owned(),
            container: container.to_owned(),
        }
    }

    pub(super) fn write(&self, line: &str) {
        self.logs.write(&self.uid, &self.container, self.clock.now(), line);
    }
}
