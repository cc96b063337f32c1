//! A running control plane: etcd, kube-apiserver, kube-controller-manager, and a client. Used by the runner; needs [`super::prepare`] first.

use std::path::{Path, PathBuf};

use env::Env;
use k8s_openapi::api::core::v1::ServiceAccount;
use kube::config::{KubeConfigOptions, Kubeconfig};
use tempfile::TempDir;

use super::certificates::Certificates;
use super::error::LocalError;
use super::kubeconfig;
use super::namespace::{self, SERVICE_NETWORK};
use super::process::{Process, free_ports, wait_for};
use super::program::Program;
use super::tools::{Machine, Tools};

/// Controllers that judge real machines, which fake nodes are not: they would evict the pods of nodes whose leases nobody renews.
const CONTROLLERS: &str = "*,-node-lifecycle-controller,-taint-eviction-controller,-node-ipam-controller,-node-route-controller,\
                           -service-lb-controller,-cloud-node-lifecycle-controller";

/// Three processes and the way in. Dropping it ends them and removes their files.
pub(crate) struct ControlPlane {
    // Fields are dropped in this order: whoever depends on another ends first.
    controller_manager: Process,
    api_server: Process,
    etcd: Process,
    client: kube::Client,
    access: Access,
    folder: TempDir,
}

/// How a child process reaches the API server with every right.
#[derive(Clone, Debug)]
pub(super) struct Access {
    /// The server's address, as `https://127.0.0.1:41234`.
    pub(super) server: String,
    /// The file of the certificate that vouches for it.
    pub(super) authority: String,
    /// A token.
    pub(super) token: String,
    /// A file with all of that.
    pub(super) kubeconfig: PathBuf,
}

impl ControlPlane {
    /// Starts the three and waits until the API server serves and controllers act. A rustls crypto provider must be installed.
    ///
    /// # Errors
    /// What did not start, with the end of its log.
    pub(crate) async fn start(env: &Env, tools: &Tools) -> Result<Self, LocalError> {
        let machine = Machine::of_this_process()?;
        let place = namespace::folder(&machine);
        let folder = tempfile::Builder::new()
            .prefix("control-plane-")
            .tempdir_in(&place)
            .map_err(LocalError::io("create a folder in", &place))?;
        let path = folder.path().to_path_buf();
        let files = Files::write(&path, &env.chance("control-plane/token").uuid())?;
        let ports = Ports::free()?;

        let etcd = Process::start("etcd", &tools.path(Program::Etcd), etcd_arguments(&path, &ports), &path)?;
        let api_server = Process::start(
            "kube-apiserver",
            &tools.path(Program::ApiServer),
            api_server_arguments(&files, &ports),
            &path,
        )?;
        let kubeconfig = path.join("kubeconfig");
        let server = format!("https://127.0.0.1:{}", ports.api_server);
        let document = kubeconfig::document(&server, &files.authority, &files.token);
        write(&kubeconfig, &format!("{document:#}\n"))?;
        let client = client(&kubeconfig).await?;

        wait_for(env, "the API server", &[&etcd, &api_server], || ready(client.clone())).await?;
        let controller_manager = Process::start(
            "kube-controller-manager",
            &tools.path(Program::ControllerManager),
            controller_manager_arguments(&files, &kubeconfig, &ports),
            &path,
        )?;
        let processes = [&etcd, &api_server, &controller_manager];
        wait_for(env, "the controller manager", &processes, || acts(client.clone())).await?;
        Ok(Self {
            controller_manager,
            api_server,
            etcd,
            client,
            access: Access {
                server,
                authority: files.authority,
                token: files.token,
                kubeconfig,
            },
            folder,
        })
    }

    /// A client with every right.
    pub(crate) fn client(&self) -> kube::Client {
        self.client.clone()
    }

    /// A client that is taken for somebody else.
    ///
    /// # Errors
    /// When the kubeconfig cannot be read.
    pub(super) async fn client_as(&self, user: &str, groups: &[&str]) -> Result<kube::Client, LocalError> {
        let mut config = config(&self.access.kubeconfig).await?;
        config.auth_info.impersonate = Some(user.to_owned());
        config.auth_info.impersonate_groups = Some(groups.iter().map(|group| (*group).to_owned()).collect());
        kube::Client::try_from(config).map_err(|error| LocalError::Client(error.into()))
    }

    /// A kubeconfig file with every right. It exists, and its server answers, only inside the namespace.
    pub(crate) fn kubeconfig(&self) -> &Path {
        &self.access.kubeconfig
    }

    /// How a child process reaches the API server.
    pub(super) fn access(&self) -> &Access {
        &self.access
    }

    /// The folder of the processes' files, which goes with them.
    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Whether everything still runs.
    ///
    /// # Errors
    /// Which process ended, with the end of its log.
    pub(crate) fn check(&self) -> Result<(), LocalError> {
        self.etcd.check()?;
        self.api_server.check()?;
        self.controller_manager.check()
    }
}

/// Whether the API server says of itself that it is ready.
async fn ready(client: kube::Client) -> bool {
    let Ok(request) = http::Request::get("/readyz").body(Vec::new()) else {
        return false;
    };
    client.request_text(request).await.is_ok_and(|answer| answer == "ok")
}

/// Whether controllers act: one of them gives each namespace an account.
async fn acts(client: kube::Client) -> bool {
    kube::Api::<ServiceAccount>::namespaced(client, "default")
        .get("default")
        .await
        .is_ok()
}

async fn client(kubeconfig: &Path) -> Result<kube::Client, LocalError> {
    let config = config(kubeconfig).await?;
    kube::Client::try_from(config).map_err(|error| LocalError::Client(error.into()))
}

async fn config(kubeconfig: &Path) -> Result<kube::Config, LocalError> {
    let read = Kubeconfig::read_from(kubeconfig).map_err(|error| LocalError::Client(error.into()))?;
    kube::Config::from_custom_kubeconfig(read, &KubeConfigOptions::default())
        .await
        .map_err(|error| LocalError::Client(error.into()))
}

/// The files that processes are pointed to.
struct Files {
    authority: String,
    certificate: String,
    key: String,
    token_key: String,
    token_public_key: String,
    tokens: String,
    token: String,
}

impl Files {
    fn write(folder: &Path, token: &str) -> Result<Self, LocalError> {
        let pem = Certificates::new()?;
        let place = |name: &str, contents: &str| {
            let file = folder.join(name);
            write(&file, contents).map(|()| file.display().to_string())
        };
        Ok(Self {
            authority: place("authority.crt", &pem.authority)?,
            certificate: place("serving.crt", &pem.certificate)?,
            key: place("serving.key", &pem.key)?,
            token_key: place("tokens.key", &pem.token_key)?,
            token_public_key: place("tokens.pub", &pem.token_public_key)?,
            tokens: place("tokens.csv", &format!("{token},admin,admin,\"system:masters\"\n"))?,
            token: token.to_owned(),
        })
    }
}

fn write(file: &Path, contents: &str) -> Result<(), LocalError> {
    std::fs::write(file, contents).map_err(LocalError::io("write", file))
}

/// Ports on loopback.
struct Ports {
    etcd: u16,
    etcd_peer: u16,
    api_server: u16,
    controller_manager: u16,
}

impl Ports {
    fn free() -> Result<Self, LocalError> {
        let [etcd, etcd_peer, api_server, controller_manager] = free_ports()?;
        Ok(Self {
            etcd,
            etcd_peer,
            api_server,
            controller_manager,
        })
    }
}

fn etcd_arguments(folder: &Path, ports: &Ports) -> Vec<String> {
    let client = format!("http://127.0.0.1:{}", ports.etcd);
    let peer = format!("http://127.0.0.1:{}", ports.etcd_peer);
    vec![
        format!("--data-dir={}", folder.join("etcd").display()),
        format!("--listen-client-urls={client}"),
        format!("--advertise-client-urls={client}"),
        format!("--listen-peer-urls={peer}"),
        format!("--initial-advertise-peer-urls={peer}"),
        format!("--initial-cluster=default={peer}"),
        "--unsafe-no-fsync".to_owned(),
        "--log-level=warn".to_owned(),
    ]
}

fn api_server_arguments(files: &Files, ports: &Ports) -> Vec<String> {
    vec![
        format!("--etcd-servers=http://127.0.0.1:{}", ports.etcd),
        "--bind-address=127.0.0.1".to_owned(),
        format!("--secure-port={}", ports.api_server),
        // An address that is not loopback must be named; nobody is told of it, since nothing reconciles it into endpoints.
        "--advertise-address=10.244.255.254".to_owned(),
        "--endpoint-reconciler-type=none".to_owned(),
        format!("--tls-cert-file={}", files.certificate),
        format!("--tls-private-key-file={}", files.key),
        format!("--token-auth-file={}", files.tokens),
        "--authorization-mode=RBAC".to_owned(),
        // Pods here mount no tokens.
        "--disable-admission-plugins=ServiceAccount".to_owned(),
        format!("--service-cluster-ip-range={SERVICE_NETWORK}"),
        "--service-account-issuer=https://kubernetes.default.svc".to_owned(),
        format!("--service-account-signing-key-file={}", files.token_key),
        format!("--service-account-key-file={}", files.token_public_key),
    ]
}

fn controller_manager_arguments(files: &Files, kubeconfig: &Path, ports: &Ports) -> Vec<String> {
    vec![
        format!("--kubeconfig={}", kubeconfig.display()),
        "--bind-address=127.0.0.1".to_owned(),
        format!("--secure-port={}", ports.controller_manager),
        format!("--tls-cert-file={}", files.certificate),
        format!("--tls-private-key-file={}", files.key),
        "--leader-elect=false".to_owned(),
        format!("--controllers={CONTROLLERS}"),
        // Its default of 20 requests a second would be what every figure measures.
        "--kube-api-qps=1000".to_owned(),
        "--kube-api-burst=2000".to_owned(),
    ]
}
