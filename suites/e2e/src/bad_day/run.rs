//! A run of `--cluster local` as a child process, seen from outside by what the kernel tells of it. Used by [`super`].

use std::fmt;
use std::fs::{read_dir, read_to_string};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use env::Env;

/// How long a run may take until a release is under way; programs that are missing are built before.
const UNDER_WAY_WITHIN: Duration = Duration::from_secs(600);
/// How often it is looked.
const LOOK: Duration = Duration::from_millis(50);
/// The scenario: its workload has five pods, and a sixth one while a release is under way.
const SCENARIO: (&str, usize) = ("walkthrough", 5);
/// The beginning of pods' addresses, 10.244, as the kernel writes it.
const PODS: &str = "F40A";
/// The kernel's number of the state in which a socket listens.
const LISTENS: &str = "0A";

/// A run that has been started. Dropping it ends it, and with it everything that it started.
pub(super) struct Run {
    env: Env,
    child: std::process::Child,
    output: tempfile::TempDir,
}

/// How a run ended.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) code: Option<i32>,
    pub(super) printed: String,
    pub(super) errors: String,
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.printed, self.errors)
    }
}

impl Run {
    pub(super) fn start(env: &Env, gateway: &str) -> Result<Self> {
        let output = tempfile::tempdir().context("make a folder for what a run says")?;
        let file = |name: &str| {
            let path = output.path().join(name);
            std::fs::File::create(&path).with_context(|| format!("make {}", path.display()))
        };
        let this = std::env::current_exe().context("find this program")?;
        let child = Command::new(this)
            .args([
                "run",
                "--cluster",
                "local",
                "--gateway",
                gateway,
                "--scenario",
                SCENARIO.0,
            ])
            .stdin(Stdio::null())
            .stdout(file("printed")?)
            .stderr(file("errors")?)
            .spawn()
            .context("start a run")?;
        Ok(Self {
            env: env.clone(),
            child,
            output,
        })
    }

    /// Waits until the new version has a pod, and gives out the process of that program.
    pub(super) async fn release_is_under_way(&mut self, program: &str) -> Result<Process> {
        let deadline = self.env.clock().elapsed().after(UNDER_WAY_WITHIN);
        loop {
            let sockets = read_to_string(format!("/proc/{}/net/tcp", self.child.id())).unwrap_or_default();
            if listening_pods(&sockets) > SCENARIO.1
                && let Some(found) = self.children().into_iter().find(|child| child.name == program)
            {
                return Ok(found);
            }
            if self.child.try_wait().context("look at a run")?.is_some() {
                bail!("the run ended before a release was under way\n{}", self.said(None)?);
            }
            ensure!(
                self.env.clock().elapsed() < deadline,
                "no release was under way\n{}",
                self.said(None)?
            );
            self.env.sleep(LOOK).await;
        }
    }

    /// The processes that the run has started and that still run.
    pub(super) fn children(&self) -> Vec<Process> {
        let Ok(threads) = read_dir(format!("/proc/{}/task", self.child.id())) else {
            return Vec::new();
        };
        threads
            .flatten()
            .map(|thread| read_to_string(thread.path().join("children")).unwrap_or_default())
            .flat_map(|list| list.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
            .filter_map(|id| Process::of(&id))
            .collect()
    }

    /// Waits for its end.
    pub(super) async fn ended_within(mut self, limit: Duration) -> Result<Ended> {
        let deadline = self.env.clock().elapsed().after(limit);
        loop {
            if let Some(status) = self.child.try_wait().context("look at a run")? {
                return self.said(status.code());
            }
            ensure!(
                self.env.clock().elapsed() < deadline,
                "the run did not end within {} s\n{}",
                limit.as_secs(),
                self.said(None)?
            );
            self.env.sleep(LOOK).await;
        }
    }

    fn said(&self, code: Option<i32>) -> Result<Ended> {
        let text = |name: &str| {
            let bytes = std::fs::read(self.output.path().join(name)).context("read what a run says")?;
            Ok::<_, anyhow::Error>(String::from_utf8_lossy(&bytes).into_owned())
        };
        Ok(Ended {
            code,
            printed: text("printed")?,
            errors: text("errors")?,
        })
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        // It may have ended by itself; the kernel ends what it started.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A process of the run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Process {
    id: String,
    name: String,
}

impl fmt::Display for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (process {})", self.name, self.id)
    }
}

impl Process {
    fn of(id: &str) -> Option<Self> {
        let name = read_to_string(format!("/proc/{id}/comm")).ok()?;
        Some(Self {
            id: id.to_owned(),
            name: name.trim().to_owned(),
        })
    }

    /// Whether it still runs. One that has ended and whose parent does not ask about it does not.
    pub(super) fn runs(&self) -> bool {
        let stat = read_to_string(format!("/proc/{}/stat", self.id)).unwrap_or_default();
        Self::of(&self.id).as_ref() == Some(self) && !stat.contains(") Z")
    }

    /// Sends it a signal, by the signal's short name.
    pub(super) fn signal(&self, name: &str) -> Result<()> {
        let doing = || format!("send {name} to {self}");
        let kill = Command::new("sh")
            .args(["-c", "kill -s \"$1\" \"$2\"", "sh", name, &self.id])
            .status();
        let sent = kill.with_context(doing)?;
        ensure!(sent.success(), "{}: {sent}", doing());
        Ok(())
    }
}

/// How many pods listen, by the kernel's table of sockets.
fn listening_pods(sockets: &str) -> usize {
    let fields = sockets.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let mut addresses: Vec<String> = fields
        .filter(|fields| fields.get(3) == Some(&LISTENS))
        .filter_map(|fields| Some(fields.get(1)?.split_once(':')?.0.to_owned()))
        // The kernel writes the bytes of an address backwards.
        .filter(|address| address.ends_with(PODS))
        .collect();
    addresses.sort();
    addresses.dedup();
    addresses.len()
}

#[cfg(test)]
mod tests {
    use super::listening_pods;

    #[test]
    fn counts_the_addresses_of_pods_that_listen() {
        let sockets = "\
  sl  local_address rem_address   st tx_queue rx_queue
   0: 0100007F:9C41 00000000:0000 0A 00000000:00000000
   1: 0201F40A:0050 00000000:0000 0A 00000000:00000000
   2: 0201F40A:1F90 00000000:0000 0A 00000000:00000000
   3: 0301F40A:0050 00000000:0000 0A 00000000:00000000
   4: 0401F40A:0050 0100007F:9C42 01 00000000:00000000
";
        assert_eq!(listening_pods(sockets), 2);
        assert_eq!(listening_pods(""), 0);
    }
}
