//! One child process of the run: its log, whether it still runs, and its certain end. Used by [`super::control_plane`] and [`super::proxy`].

use std::fs::File;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use env::Env;
use parking_lot::Mutex;

use super::error::LocalError;
use super::namespace;

/// How often a keeper looks whether its child still runs.
const LOOK: Duration = Duration::from_millis(50);
/// How many lines of the log an error shows.
const TAIL: usize = 15;

/// How long each program may take to come up on a busy machine; a few seconds are usual.
const READY_WITHIN: Duration = Duration::from_secs(90);
/// How often readiness is asked for.
const ASK: Duration = Duration::from_millis(50);

/// What a program is started with.
#[derive(Clone, Debug, Default)]
pub(super) struct Invocation {
    /// Its arguments.
    pub(super) arguments: Vec<String>,
    /// What is set in its environment, beside what this process has.
    pub(super) environment: Vec<(&'static str, String)>,
}

impl From<Vec<String>> for Invocation {
    fn from(arguments: Vec<String>) -> Self {
        Self {
            arguments,
            environment: Vec::new(),
        }
    }
}

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
        invocation: impl Into<Invocation>,
        folder: &Path,
    ) -> Result<Self, LocalError> {
        let Invocation { arguments, environment } = invocation.into();
        let log = folder.join(format!("{name}.log"));
        let output = File::create(&log).map_err(LocalError::io("create", &log))?;
        let errors = output.try_clone().map_err(LocalError::io("open again", &log))?;
        let mut command = Command::new(namespace::program("setpriv", "util-linux")?);
        command
            .args(["--pdeathsig", "KILL", "--"])
            .arg(program)
            .args(arguments)
            .envs(environment)
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
        match lines.as_slice() {
            [] => "(it logged nothing)".to_owned(),
            lines => lines[lines.len().saturating_sub(TAIL)..].join("\n"),
        }
    }
}

/// Asks until the answer is yes.
///
/// # Errors
/// When the time is up, with the end of the last process's log; or when one of the processes has ended.
pub(super) async fn wait_for<F>(
    env: &Env,
    what: &'static str,
    processes: &[&Process],
    ask: impl Fn() -> F,
) -> Result<(), LocalError>
where
    F: Future<Output = bool>,
{
    let asking = async {
        loop {
            for process in processes {
                process.check()?;
            }
            if ask().await {
                return Ok(());
            }
            env.sleep(ASK).await;
        }
    };
    match env.clock().timeout(READY_WITHIN, asking).await {
        Ok(outcome) => outcome,
        Err(env::Elapsed) => Err(LocalError::NotReady {
            what,
            within: READY_WITHIN,
            log: processes.last().map(|process| process.log_tail()).unwrap_or_default(),
        }),
    }
}

/// Ports on loopback that nobody listens on. The namespace is the run's own, so nobody takes them in between.
pub(super) fn free_ports<const N: usize>() -> Result<[u16; N], LocalError> {
    let mut ports = [0; N];
    // Held together, so that no two are the same.
    let mut held = Vec::with_capacity(N);
    for port in &mut ports {
        let listener =
            TcpListener::bind(("127.0.0.1", 0)).map_err(LocalError::io("find a free port on", "127.0.0.1"))?;
        let address = listener
            .local_addr()
            .map_err(LocalError::io("read the port on", "127.0.0.1"))?;
        *port = address.port();
        held.push(listener);
    }
    Ok(ports)
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
