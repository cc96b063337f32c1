//! What containers wrote: the last lines of each, for `kubectl logs`.
//!
//! The kubelet's containers write, the API server reads. Bounded by [`KEPT`] lines for each container; a pod's lines go with the pod.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use env::watch;
use jiff::Timestamp;
use parking_lot::Mutex;

/// How many lines of one container are kept.
const KEPT: usize = 1_000;
/// The longest line, in bytes.
const LONGEST: usize = 1_024;

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Its number among the container's lines, from 1.
    pub number: u64,
    /// When it was written.
    pub at: Timestamp,
    /// The text, without a line break.
    pub text: String,
}

/// Uid of the pod and name of the container.
type Writer = (String, String);

/// The lines of all containers of one cluster. Clones are the same lines.
#[derive(Clone, Debug)]
pub struct Logs {
    lines: Arc<Mutex<BTreeMap<Writer, VecDeque<Line>>>>,
    moved: watch::Sender<()>,
}

impl Default for Logs {
    fn default() -> Self {
        Self {
            lines: Arc::default(),
            moved: watch::Sender::new(()),
        }
    }
}

impl Logs {
    /// Adds a line to a container's.
    pub fn write(&self, uid: &str, container: &str, at: Timestamp, text: &str) {
        let mut end = text.len().min(LONGEST);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let mut all = self.lines.lock();
        let lines = all.entry((uid.to_owned(), container.to_owned())).or_default();
        let number = lines.back().map_or(0, |line| line.number) + 1;
        lines.push_back(Line {
            number,
            at,
            text: text[..end].to_owned(),
        });
        if lines.len() > KEPT {
            lines.pop_front();
        }
        drop(all);
        self.tell();
    }

    /// A container's lines, oldest first.
    pub fn read(&self, uid: &str, container: &str) -> Vec<Line> {
        let all = self.lines.lock();
        let lines = all.get(&(uid.to_owned(), container.to_owned()));
        lines.into_iter().flatten().cloned().collect()
    }

    /// Forgets a pod's lines; whoever follows them has seen the end.
    pub fn forget(&self, uid: &str) {
        self.lines.lock().retain(|(writer, _), _| writer != uid);
        self.tell();
    }

    /// The lines of a container after the one with the number `after`, as they come.
    pub fn follow(&self, uid: &str, container: &str, after: u64, closing: watch::Receiver<bool>) -> Following {
        Following {
            logs: self.clone(),
            writer: (uid.to_owned(), container.to_owned()),
            after,
            ready: VecDeque::new(),
            moved: self.moved.subscribe(),
            closing,
        }
    }

    fn tell(&self) {
        self.moved.send_replace(());
    }
}

/// Lines to come. Cancelling [`Following::next`] loses nothing.
#[derive(Debug)]
pub struct Following {
    logs: Logs,
    writer: Writer,
    after: u64,
    ready: VecDeque<Line>,
    moved: watch::Receiver<()>,
    closing: watch::Receiver<bool>,
}

impl Following {
    /// The next line; none when the pod is gone.
    pub async fn next(&mut self) -> Option<Line> {
        loop {
            if let Some(line) = self.ready.pop_front() {
                self.after = line.number;
                return Some(line);
            }
            if *self.closing.borrow() {
                return None;
            }
            self.moved.mark_unchanged();
            {
                let all = self.logs.lines.lock();
                let lines = all.get(&self.writer)?;
                let new = lines.iter().filter(|line| line.number > self.after);
                self.ready.extend(new.cloned());
            }
            if !self.ready.is_empty() {
                continue;
            }
            tokio::select! {
                biased;
                moved = self.moved.changed() => moved.ok()?,
                _ = self.closing.changed() => return None,
            }
        }
    }
}
