//! What these tests stand on: a machine of which each test says what is on it, and what `e2e` ends with there.

use std::fs::{Permissions, create_dir, read_dir, read_to_string, write};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// A machine with nothing on it but a shell's own programs, a folder for temporary files and one for the cache.
pub(crate) struct Machine(TempDir);

/// How a process ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) printed: String,
    pub(crate) errors: String,
}

impl Machine {
    pub(crate) fn new() -> Self {
        let machine = Self(tempfile::tempdir().expect("a folder"));
        for folder in ["bin", "tmp", "home"] {
            create_dir(machine.path(folder)).expect("a folder");
        }
        machine
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Where a file of this name is, in the home of whoever works there.
    pub(crate) fn file(&self, name: &str) -> String {
        self.path("home").join(name).display().to_string()
    }

    /// Puts a program on PATH: lines of a shell script, in which every call is noted first.
    pub(crate) fn has(self, program: &str, script: &str) -> Self {
        let calls = self.path("calls").display().to_string();
        let text = format!("#!/bin/sh\necho \"{program} $*\" >>'{calls}'\n{script}\n");
        let file = self.path("bin").join(program);
        write(&file, text).expect("a script");
        std::fs::set_permissions(&file, Permissions::from_mode(0o755)).expect("it may be run");
        self
    }

    /// The calls of the programs on PATH, in their order.
    pub(crate) fn calls(&self) -> Vec<String> {
        let text = read_to_string(self.path("calls")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// What is left in the folder for temporary files.
    pub(crate) fn left(&self) -> Vec<PathBuf> {
        let entries = read_dir(self.path("tmp")).expect("a folder");
        entries.map(|entry| entry.expect("an entry").path()).collect()
    }

    /// Runs `e2e` to its end.
    pub(crate) fn e2e(&self, arguments: &[&str]) -> Ended {
        let output = Command::new(env!("CARGO_BIN_EXE_e2e"))
            .args(arguments)
            .env_clear()
            .env("PATH", self.path("bin"))
            .env("HOME", self.path("home"))
            .env("TMPDIR", self.path("tmp"))
            .stdin(Stdio::null())
            .output()
            .expect("it starts");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
        Ended {
            code: output.status.code(),
            printed: text(output.stdout),
            errors: text(output.stderr),
        }
    }
}

impl Ended {
    /// The error that a person reads, when it is the only thing that was said and the process failed.
    pub(crate) fn error(&self) -> &str {
        assert_eq!((self.code, self.printed.as_str()), (Some(1), ""), "{self:#?}");
        assert_eq!(self.errors.matches("error: ").count(), 1, "{}", self.errors);
        let (_, error) = self.errors.split_once("error: ").expect("an error");
        error.trim_end()
    }
}
