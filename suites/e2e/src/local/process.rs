//! One child process of the control plane: its log, whether it still runs, and its certain end. Used by [`super::control_plane`].

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use parking_lot::Mutex;

use super::error::LocalError;
use super::namespace;

/// How often a keeper looks whether its child still runs.
const LOOK: Duration = Duration::from_millis(50);
/// How many lines of the log an error shows.
const TAIL: usize = 15;

/// A child, kept by a thread of its own. The kernel kills a child when the *thread* that made it ends, so the thread lives exactly as long as the
/// child should; when this whole process dies, in whatever way, so does the child.
#[derive(Debug)]
pub(super) struct Process {
    name: &'static str,
    log: PathBuf,
    ended: Arc<Mutex<Option<String>>>,
    stop: Option<Sender<()>>,
    keeper: Option<JoinHandle<()>>,
}

impl Process {
    /// Starts a program whose output goes to `<name>.log` in `folder`.
    pub(super) fn start(
        name: &'static str,
        program: &Path,
        arguments: Vec<String>,
        folder: &Path,
    ) -> Result<Self, LocalError> {
        let log = folder.join(format!("{name}.log"));
        let output = File::create(&log).map_err(LocalError::io("create", &log))?;
        let errors = output.try_clone().map_err(LocalError::io("open again", &log))?;
        let mut command = Command::new(namespace::program("setpriv", "util-linux")?);
        command
            .args(["--pdeathsig", "KILL", "--"])
            .arg(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors);
        // A group of its own: Ctrl-C in the terminal asks us to stop, and we stop the children when their users are done.
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let ended = Arc::new(Mutex::new(None));
        let (stop, stopped) = channel();
        let (started, starting) = channel();
        let seen = ended.clone();
        let keeper = std::thread::Builder::new()
            .name(format!("keeper of {name}"))
            .spawn(move || keep(command, &started, &stopped, &seen))
            .map_err(LocalError::io("start a thread for", program))?;
        match starting.recv() {
            Ok(Ok(())) => {}
            Ok(Err(source)) => return Err(LocalError::io("start", program)(source)),
            Err(_) => {
                return Err(LocalError::io("start", program)(std::io::Error::other(
                    "its thread ended",
                )));
            }
        }
        Ok(Self {
            name,
            log,
            ended,
            stop: Some(stop),
            keeper: Some(keeper),
        })
    }

    /// Ok while it runs.
    pub(super) fn check(&self) -> Result<(), LocalError> {
        match self.ended.lock().clone() {
            None => Ok(()),
            Some(status) => Err(LocalError::Ended {
                program: self.name,
                status,
                log: self.log_tail(),
            }),
        }
    }

    /// The last lines it wrote.
    pub(super) fn log_tail(&self) -> String {
        let text = std::fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(TAIL)..].join("\n")
    }
}

impl Drop for Process {
    /// Ends it at once: its data dies with it, so there is nothing to save.
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(keeper) = self.keeper.take() {
            // A keeper that panicked has let its child die already.
            drop(keeper.join());
        }
    }
}

/// The keeper's life: start the child, watch it, end it when told to or when nobody can tell any more.
fn keep(
    mut command: Command,
    started: &Sender<std::io::Result<()>>,
    stopped: &Receiver<()>,
    ended: &Mutex<Option<String>>,
) {
    let mut child: Child = match command.spawn() {
        Ok(child) => child,
        Err(error) => {
            drop(started.send(Err(error)));
            return;
        }
    };
    drop(started.send(Ok(())));
    loop {
        match stopped.recv_timeout(LOOK) {
            Err(RecvTimeoutError::Timeout) => {}
            Ok(()) | Err(RecvTimeoutError::Disconnected) => {
                // It may have ended by itself just now; either way it is gone after the wait.
                drop(child.kill());
                drop(child.wait());
                return;
            }
        }
        if let Ok(Some(status)) = child.try_wait() {
            *ended.lock() = Some(status.to_string());
        }
    }
}
