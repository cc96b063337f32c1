//! What these tests stand on: the binary as a child process, what it logs, what it answers, and one way to wait.

use std::future::Future;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use env::{Env, read_all};
use http::Request;
use parking_lot::Mutex;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// How long anything may take that ought to be done at once: generous, since the machine may be busy.
pub(crate) const SOON: Duration = Duration::from_secs(30);

/// Looks until `look` sees something, and no longer than `within`.
pub(crate) async fn until<T, F>(env: &Env, what: &str, within: Duration, look: impl Fn() -> F) -> T
where
    F: Future<Output = Result<T, String>>,
{
    let deadline = env.clock().elapsed().after(within);
    loop {
        let seen = match look().await {
            Ok(value) => return value,
            Err(seen) => seen,
        };
        assert!(
            env.clock().elapsed() < deadline,
            "{what}: not within {within:?}; {seen}"
        );
        env.sleep(Duration::from_millis(20)).await;
    }
}

/// The real environment, with the TLS provider that a process needs.
pub(crate) fn real() -> Env {
    // It is there already when another test of this process was first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Env::real()
}

/// A file of this test run.
pub(crate) fn file(env: &Env, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(env.chance("folder").uuid());
    std::fs::create_dir_all(&folder).expect("a folder");
    let path = folder.join(name);
    std::fs::write(&path, text).expect("a file");
    path
}

/// A connection to `address` over TLS that trusts `roots`, a bundle as in webhook configurations.
pub(crate) async fn over_tls(address: &str, roots: &str) -> TlsStream<TcpStream> {
    let pem = STANDARD.decode(roots).expect("base64");
    let mut store = rustls::RootCertStore::empty();
    store.add_parsable_certificates(CertificateDer::pem_slice_iter(&pem).flatten());
    let config = rustls::ClientConfig::builder()
        .with_root_certificates(store)
        .with_no_client_auth();
    let name = ServerName::try_from("127.0.0.1").expect("a name");
    let socket = TcpStream::connect(address).await.expect("it listens");
    let connector = TlsConnector::from(Arc::new(config));
    connector.connect(name, socket).await.expect("it is trusted")
}

/// `tidegate run` as a child; killed when it is dropped.
pub(crate) struct Tidegate {
    child: Child,
    lines: Arc<Mutex<Vec<String>>>,
    reader: Option<JoinHandle<()>>,
}

impl Drop for Tidegate {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Tidegate {
    /// Starts it on free ports of the loopback interface.
    pub(crate) fn run(arguments: &[&str]) -> Self {
        let free = "127.0.0.1:0";
        let binds = ["--webhook-bind", free, "--metrics-bind", free, "--health-bind", free];
        // What a test gives itself is not given twice.
        let binds = binds.chunks(2).filter(|bind| !arguments.contains(&bind[0])).flatten();
        let mut child = Command::new(env!("CARGO_BIN_EXE_tidegate"))
            .arg("run")
            .args(binds)
            .args(arguments)
            .env_remove("RUST_LOG")
            .env_remove("KUBECONFIG")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        let lines = Arc::new(Mutex::new(Vec::new()));
        let (stderr, written) = (child.stderr.take().expect("piped"), lines.clone());
        let reader = std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                written.lock().push(line);
            }
        });
        Self {
            child,
            lines,
            reader: Some(reader),
        }
    }

    /// Sends it a signal, by the signal's short name.
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill")
            .args([format!("-{name}"), self.child.id().to_string()])
            .status()
            .expect("kill is there");
        assert!(sent.success());
    }

    /// The most memory that it has had, in bytes; nothing where the system does not tell.
    pub(crate) fn peak_memory(&self) -> usize {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<usize>().ok());
        kilobytes.unwrap_or_default() << 10
    }

    /// What it has logged so far.
    pub(crate) fn log(&self) -> String {
        self.lines.lock().join("\n")
    }

    /// Waits until it has ended; how, and everything that it wrote to standard error.
    pub(crate) async fn ended(mut self, env: &Env) -> (ExitStatus, String) {
        let child = Mutex::new(&mut self.child);
        let status = until(env, "the end of the process", SOON, || {
            let ended = child.lock().try_wait().expect("it is ours");
            std::future::ready(ended.ok_or_else(|| "it runs".to_owned()))
        })
        .await;
        if let Some(reader) = self.reader.take() {
            reader.join().expect("no panic");
        }
        (status, self.log())
    }

    /// An address from the line that says where it serves.
    pub(crate) async fn address(&self, env: &Env, of: &str) -> String {
        let label = format!("{of}=");
        until(env, "its addresses", SOON, || {
            let log = self.log();
            let served = log.lines().find(|line| line.contains(" serving "));
            let found = served
                .and_then(|line| line.split(' ').find_map(|word| word.strip_prefix(label.as_str())))
                .map(str::to_owned);
            std::future::ready(found.ok_or(log))
        })
        .await
    }

    /// The answer of its own HTTP servers.
    pub(crate) async fn get(&self, env: &Env, server: &str, path: &str) -> (u16, String) {
        let address = self.address(env, server).await;
        let service = env.dial(&address).await.expect("an address");
        let request = Request::get(path).body(env::empty()).expect("a request");
        let response = match service.send(request).await {
            Ok(response) => response,
            Err(error) => panic!("no answer to {path}: {error:?}\n{}", self.log()),
        };
        let status = response.status().as_u16();
        let body = read_all(response.into_body(), 1 << 20).await.expect("a body");
        (status, String::from_utf8(body.to_vec()).expect("text"))
    }
}
