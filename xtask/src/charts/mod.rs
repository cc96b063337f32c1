//! `cargo xtask charts`: looks at the Helm chart and at `install.yaml` with helm and kubeconform, without the network. Helm renders the chart by
//! its defaults and with each value changed, and what changes must be what was asked for; by the defaults the chart is `install.yaml`, object by
//! object. kubeconform holds every rendering against schemas made from tidepool's catalogue of Kubernetes' types. At the end the chart is broken
//! on purpose, once for each kind of check, and that check has to see it. Used by `main`; the programs come from `e2e tools`.

mod cases;
mod objects;
mod programs;
mod schemas;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail, ensure};
use xshell::{Shell, cmd};

use cases::{BREAKAGES, Breakage, Expected, REFUSALS, RENDERINGS, Rendering};
use objects::Objects;
use programs::Programs;

/// The types of Kubernetes that manifests are held against.
const CATALOGUE: &str = "src/tidepool/data/kubernetes-1.36.json.gz";

/// What of a chart is looked at, and what a finding is found by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Check {
    /// `helm lint --strict`.
    Lint,
    /// The renderings against what each is to be.
    Rendering,
    /// Values that are to be refused.
    Refusal,
    /// kubeconform.
    Schema,
}

/// Something that is wrong with a chart.
#[derive(Clone, Debug)]
struct Finding {
    check: Check,
    text: String,
}

impl Finding {
    fn new(check: Check, text: impl Into<String>) -> Self {
        let text = text.into();
        Self { check, text }
    }
}

/// What everything is looked at with.
struct Bench {
    programs: Programs,
    /// A folder that only this run uses.
    work: PathBuf,
    installed: Objects,
}

/// Looks at everything and prints what was looked at.
///
/// # Errors
/// When a program is missing or a file cannot be read. What is wrong with the chart is printed and makes the exit code.
pub(crate) fn run(args: &[String]) -> Result<ExitCode> {
    ensure!(args.is_empty(), "cargo xtask charts takes no options, not {args:?}");
    let root = crate::tidy::root();
    let work = root.join("target/charts");
    // What an earlier run left is of no use.
    drop(std::fs::remove_dir_all(&work));
    std::fs::create_dir_all(&work).with_context(|| format!("create the folder {}", work.display()))?;
    let schemas = write_schemas(&root, &work)?;
    let programs = Programs::find(&work)?;
    let install = root.join("charts/install.yaml");
    let bench = Bench {
        programs,
        installed: objects::read(&text(&install)?).context("read charts/install.yaml")?,
        work,
    };
    let mut findings = bench.chart(&root.join("charts/tidegate"), "tidegate")?;
    findings.extend(bench.conforms(&[install])?);
    let mut lines: Vec<String> = findings
        .iter()
        .map(|finding| format!("error: {:?}: {}", finding.check, finding.text))
        .collect();
    // A broken chart cannot show that the checks see what is broken on purpose.
    if findings.is_empty() {
        lines.extend(bench.blind(&root.join("charts/tidegate"))?);
    }
    let verdict = if lines.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    };
    lines.push(format!(
        "charts: {} renderings and install.yaml fit {schemas} schemas, {} wrong values are refused, {} broken charts are seen; {} errors",
        RENDERINGS.len(),
        REFUSALS.len(),
        BREAKAGES.len(),
        lines.len()
    ));
    crate::say(&lines.join("\n"));
    Ok(verdict)
}

impl Bench {
    /// Everything that is wrong with the chart in `folder`. `label` keeps what is written for it apart.
    fn chart(&self, folder: &Path, label: &str) -> Result<Vec<Finding>> {
        let mut findings = Vec::new();
        if let Err(said) = self.programs.lint(folder)? {
            findings.push(Finding::new(Check::Lint, said));
        }
        let mut rendered = Vec::new();
        for rendering in RENDERINGS {
            match self.programs.template(folder, rendering.namespace, rendering.set)? {
                Ok(text) => {
                    if let Some(finding) = self.differs(rendering, &text) {
                        findings.push(finding);
                    }
                    let file = self.work.join(format!("{label}-{}.yaml", rendering.name));
                    std::fs::write(&file, text).with_context(|| format!("write {}", file.display()))?;
                    rendered.push(file);
                }
                Err(said) => findings.push(Finding::new(Check::Rendering, format!("{}: {said}", rendering.name))),
            }
        }
        for refusal in REFUSALS {
            let said = match self.programs.template(folder, cases::NAMESPACE, refusal.options)? {
                Err(said) if said.contains(refusal.because) => continue,
                Err(said) => format!("is refused, but not because of {:?}: {said}", refusal.because),
                Ok(_) => "is rendered, and was to be refused".to_owned(),
            };
            findings.push(Finding::new(
                Check::Refusal,
                format!("{} {said}", refusal.options.join(" ")),
            ));
        }
        findings.extend(self.conforms(&rendered)?);
        Ok(findings)
    }

    /// How a rendering is not what it is to be.
    fn differs(&self, rendering: &Rendering, text: &str) -> Option<Finding> {
        let wrong = |said: String| Some(Finding::new(Check::Rendering, format!("{}: {said}", rendering.name)));
        let rendered = match objects::read(text) {
            Ok(rendered) => rendered,
            Err(error) => return wrong(format!("{error:#}")),
        };
        let wanted = objects::installed_by_helm(&self.installed);
        let (found, wanted) = match rendering.expected {
            Expected::Changes(changes) => (objects::differences(&wanted, &rendered), changes.to_vec()),
            Expected::Namespace(namespace) => {
                let moved = objects::moved(&wanted, cases::NAMESPACE, namespace);
                (objects::differences(&moved, &rendered), Vec::new())
            }
        };
        if found == wanted {
            return None;
        }
        let missing = wanted
            .iter()
            .filter(|line| !found.iter().any(|other| other == *line))
            .map(|line| format!("expected {line}"));
        let more = found
            .iter()
            .filter(|line| !wanted.contains(&line.as_str()))
            .map(|line| format!("found {line}"));
        wrong(missing.chain(more).collect::<Vec<_>>().join("\n  "))
    }

    fn conforms(&self, files: &[PathBuf]) -> Result<Vec<Finding>> {
        let said = self.programs.conform(files)?;
        Ok(said
            .err()
            .map(|said| Finding::new(Check::Schema, said))
            .into_iter()
            .collect())
    }

    /// The breakages that no check, or another one than is named, sees.
    fn blind(&self, chart: &Path) -> Result<Vec<String>> {
        let shell = Shell::new().context("open a shell")?;
        let mut lines = Vec::new();
        for Breakage {
            name,
            file,
            from,
            to,
            seen_by,
        } in BREAKAGES
        {
            let copy = self.work.join(name).join("tidegate");
            let folder = self.work.join(name);
            shell
                .create_dir(&folder)
                .context("create a folder for a broken chart")?;
            cmd!(shell, "cp -R {chart} {copy}")
                .quiet()
                .run()
                .context("copy the chart")?;
            let file = copy.join(file);
            let whole = text(&file)?;
            if !whole.contains(from) {
                bail!(
                    "{} no longer holds {from:?}, by which {name} breaks it: mend the list in xtask/src/charts/cases.rs",
                    file.display()
                );
            }
            std::fs::write(&file, whole.replacen(from, to, 1)).with_context(|| format!("write {}", file.display()))?;
            let findings = self.chart(&copy, name)?;
            if !findings.iter().any(|finding| finding.check == *seen_by) {
                lines.push(format!(
                    "error: {name}: {seen_by:?} does not see it; found was {findings:?}"
                ));
            }
        }
        Ok(lines)
    }
}

/// Writes the schemas for kubeconform below `work`, and says how many they are.
fn write_schemas(root: &Path, work: &Path) -> Result<usize> {
    let shell = Shell::new().context("open a shell")?;
    let packed = root.join(CATALOGUE);
    let catalogue = cmd!(shell, "gzip -dc {packed}")
        .quiet()
        .read()
        .context("unpack the types of Kubernetes")?;
    let catalogue = serde_json::from_str(&catalogue).context("parse the types of Kubernetes")?;
    let files = schemas::of(&catalogue);
    let folder = work.join(programs::SCHEMAS);
    shell.create_dir(&folder).context("create the folder of schemas")?;
    for (name, schema) in &files {
        shell
            .write_file(folder.join(name), schema.to_string())
            .with_context(|| format!("write the schema {name}"))?;
    }
    Ok(files.len())
}

fn text(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("read {}", path.display()))
}
