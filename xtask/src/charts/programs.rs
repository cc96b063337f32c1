//! helm and kubeconform as they are called here: what each is asked, and what it said when it refuses. Used by `charts`.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Context, Result, bail};

/// Where kubeconform finds the schemas, below the folder of the run.
pub(super) const SCHEMAS: &str = "schemas";
/// The Kubernetes that charts are rendered for and schemas are of.
const KUBERNETES: &str = "1.36.3";

/// What a program answers: its output, or why it refuses.
pub(super) type Answer = std::result::Result<String, String>;

/// Both programs.
#[derive(Debug)]
pub(super) struct Programs {
    helm: PathBuf,
    kubeconform: PathBuf,
    /// The folder of the run.
    work: PathBuf,
}

impl Programs {
    /// Finds both, or builds them from the pinned modules.
    ///
    /// # Errors
    /// What is missing, as `e2e tools` says it.
    pub(super) fn find(work: &Path) -> Result<Self> {
        let e2e = crate::hand_over::build("e2e")?;
        let told = Command::new(&e2e)
            .args(["tools", "helm", "kubeconform"])
            .stderr(std::process::Stdio::inherit())
            .output()
            .with_context(|| format!("start {}", e2e.display()))?;
        if !told.status.success() {
            bail!("there is no helm or no kubeconform; the reason is above");
        }
        let told = String::from_utf8_lossy(&told.stdout).into_owned();
        let path = |name: &str| {
            let line = told.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
            line.map(PathBuf::from)
                .with_context(|| format!("e2e tools does not say where {name} is"))
        };
        Ok(Self {
            helm: path("helm")?,
            kubeconform: path("kubeconform")?,
            work: work.to_path_buf(),
        })
    }

    /// `helm lint --strict`.
    pub(super) fn lint(&self, chart: &Path) -> Result<Answer> {
        let mut helm = self.helm();
        helm.args(["lint", "--strict", "--quiet"]).arg(chart);
        answer(helm)
    }

    /// `helm template` into a namespace, with further options.
    pub(super) fn template(&self, chart: &Path, namespace: &str, options: &[&str]) -> Result<Answer> {
        let mut helm = self.helm();
        helm.args(["template", "tidegate"])
            .arg(chart)
            .args(["--namespace", namespace, "--kube-version", KUBERNETES])
            .args(options);
        answer(helm)
    }

    /// Holds files against the schemas; fields that no schema knows are refused.
    pub(super) fn conform(&self, files: &[PathBuf]) -> Result<Answer> {
        let schemas = self.work.join(SCHEMAS);
        let mut kubeconform = Command::new(&self.kubeconform);
        kubeconform
            .args([
                "-strict",
                "-summary",
                "-kubernetes-version",
                KUBERNETES,
                "-schema-location",
            ])
            .arg(schemas.join("{{.Group}}-{{.ResourceKind}}-{{.ResourceAPIVersion}}.json"))
            .args(files);
        answer(kubeconform)
    }

    /// helm with nothing of this machine's user: neither plugins nor repositories nor a cluster.
    fn helm(&self) -> Command {
        let mut helm = Command::new(&self.helm);
        for name in ["HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME"] {
            helm.env(name, self.work.join("helm"));
        }
        helm.env("KUBECONFIG", "/dev/null");
        helm
    }
}

fn answer(mut command: Command) -> Result<Answer> {
    let program = command.get_program().to_owned();
    let Output { status, stdout, stderr } = command
        .output()
        .with_context(|| format!("start {}", program.display()))?;
    let said = String::from_utf8_lossy(&stdout);
    if status.success() {
        return Ok(Ok(said.into_owned()));
    }
    let said = format!("{said}{}", String::from_utf8_lossy(&stderr));
    Ok(Err(said.trim().to_owned()))
}
