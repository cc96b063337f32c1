//! What the controller logs while a test runs, as a person with the default settings reads it. The simulated runtime has one thread, so that a
//! subscriber of this thread sees all of it and nothing of other tests.

use std::io;
use std::sync::Arc;

use parking_lot::Mutex;
use tracing::subscriber::DefaultGuard;

/// The lines so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.0.lock().extend_from_slice(text);
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Log {
    /// Keeps what is logged on this thread until the guard is dropped.
    pub(crate) fn keep() -> (Self, DefaultGuard) {
        let log = Self::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_env_filter("info,kube=off,kube_client=off,kube_runtime=off")
            .without_time()
            .with_target(false)
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .finish();
        (log, tracing::subscriber::set_default(subscriber))
    }

    /// The warnings and errors so far.
    pub(crate) fn troubles(&self) -> Vec<String> {
        let told = |line: &String| line.contains("WARN") || line.contains("ERROR");
        self.lines().into_iter().filter(told).collect()
    }

    /// All lines so far.
    pub(crate) fn lines(&self) -> Vec<String> {
        // Fields are written with their quotes escaped.
        let text = String::from_utf8_lossy(&self.0.lock()).replace("\\\"", "\"");
        text.lines().map(|line| line.trim().to_owned()).collect()
    }
}
