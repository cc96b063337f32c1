//! A real Prometheus that scrapes a real proxy, for the scenario whose release it judges. A child process of the run, on a port of its own. Used by
//! [`super::ground`].

use env::Env;

use super::error::LocalError;
use super::process::{Process, free_ports};
use super::program::Program;
use super::proxy::{Scraped, answers};
use super::{ControlPlane, Tools};
use crate::gateway::{DataPlane, Gateway};

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
        scraped: Scraped,
    ) -> Result<Self, LocalError> {
        let [port] = free_ports()?;
        let folder = plane.folder();
        let file = folder.join("prometheus.yml");
        let configuration = format!(
            "global: {{scrape_interval: 1s}}\nscrape_configs:\n- job_name: proxy\n  metrics_path: {}\n  static_configs: [{{targets: ['127.0.0.1:{}']}}]\n",
            scraped.path, scraped.port
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

    /// Where it is asked.
    pub(super) fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Whether it still runs.
    ///
    /// # Errors
    /// That it ended, with the end of its log.
    pub(super) fn check(&self) -> Result<(), LocalError> {
        self.process.check()
    }
}

/// The share of a namespace's requests that a gateway's proxy answered without an error of the server.
pub(super) fn success_rate(gateway: Gateway, namespace: &str) -> Option<String> {
    let (of_namespace, good) = match gateway.data_plane() {
        DataPlane::Tidepool => return None,
        DataPlane::Traefik => (
            format!("__name__=\"traefik_service_requests_total\",service=~\".*{namespace}.*\""),
            "code!~\"5..\"",
        ),
        // Envoy ends the name of a cluster at its first dot, and takes the rest of it into the name of the metric.
        DataPlane::Istio => (
            format!(
                "__name__=\"envoy_cluster_{}_svc_cluster_local__upstream_rq_xx\"",
                namespace.replace('-', "_")
            ),
            "envoy_response_code_class!=\"5\"",
        ),
    };
    Some(format!(
        "sum(rate({{{of_namespace},{good}}}[{WINDOW}])) / sum(rate({{{of_namespace}}}[{WINDOW}]))"
    ))
}
