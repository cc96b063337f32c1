//! A real Prometheus that scrapes a real proxy, for the scenario whose release it judges. A child process of the run, on a port of its own. Used by
//! [`super::ground`].

use env::Env;

use super::error::LocalError;
use super::process::{Process, free_ports};
use super::program::Program;
use super::proxy::{Endpoint, answers};
use super::{ControlPlane, Tools};
use crate::gateway::{DataPlane, Gateway};
use crate::scraped::{Proxy, Scraped};

/// Rates are taken over so long, so that a version that begins to answer with errors is seen in a moment.
const WINDOW: &str = "5s";

/// One that runs. Dropping it ends it.
#[derive(Debug)]
pub(super) struct Prometheus {
    process: Process,
    port: u16,
}

impl Prometheus {
    /// Starts it and waits until it answers.
    ///
    /// # Errors
    /// Why it does not, with the end of its log.
    pub(super) async fn start(
        env: &Env,
        plane: &ControlPlane,
        tools: &Tools,
        endpoint: Endpoint,
    ) -> Result<Self, LocalError> {
        let [port] = free_ports()?;
        let folder = plane.folder();
        let file = folder.join("prometheus.yml");
        let configuration = format!(
            "global: {{scrape_interval: 1s}}\nscrape_configs:\n- job_name: proxy\n  metrics_path: {}\n  static_configs: [{{targets: ['127.0.0.1:{}']}}]\n",
            endpoint.path, endpoint.port
        );
        std::fs::write(&file, configuration).map_err(LocalError::io("write", &file))?;
        let arguments = vec![
            format!("--config.file={}", file.display()),
            format!("--storage.tsdb.path={}", folder.join("prometheus").display()),
            format!("--web.listen-address=127.0.0.1:{port}"),
            "--log.level=warn".to_owned(),
        ];
        let process = Process::start("prometheus", &tools.path(Program::Prometheus), arguments, folder)?;
        answers(env, "Prometheus", &[&process], port, "/-/ready").await?;
        Ok(Self { process, port })
    }

    /// What it knows of the gateway's proxy; nothing of tidepool's own gateway, which it does not scrape.
    pub(super) fn scraped(&self, gateway: Gateway) -> Option<Scraped> {
        let proxy = match gateway.data_plane() {
            DataPlane::Tidepool => return None,
            DataPlane::Traefik => Proxy::Traefik,
            DataPlane::Istio => Proxy::Envoy,
        };
        Some(Scraped {
            address: format!("http://127.0.0.1:{}", self.port),
            proxy,
            window: WINDOW,
        })
    }

    /// Whether it still runs.
    ///
    /// # Errors
    /// That it ended, with the end of its log.
    pub(super) fn check(&self) -> Result<(), LocalError> {
        self.process.check()
    }
}
