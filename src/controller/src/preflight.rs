//! Whether the cluster stores what this version writes: whose definitions are installed, and which fields they would drop without a word.
//!
//! [`judge`] is pure; [`pass`] asks the API server until everything is as it must be, and keeps the process from being ready until then. Used by
//! the binary before the controllers start.

#[cfg(test)]
mod tests;

use std::fmt;
use std::time::Duration;

use env::Env;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::Api;
use serde_json::Value;
use tracing::{error, info};

use crate::explain::explain;
use crate::telemetry::Telemetry;

/// How often a cluster that is not as it must be is looked at again.
const AGAIN: Duration = Duration::from_secs(5);
/// How many lost fields are named; the rest are counted.
const NAMED: usize = 3;

/// Who made an installed definition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Maker {
    /// Made by the generator that OpenKruise uses.
    OpenKruise,
    /// Anybody else, most likely another version of tidegate.
    Another,
}

impl fmt::Display for Maker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OpenKruise => "OpenKruise's",
            Self::Another => "another version's",
        })
    }
}

/// What is wrong with one definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// It is not there.
    Missing {
        /// The definition.
        definition: String,
    },
    /// A version of it is not there or not served.
    NotServed {
        /// The definition.
        definition: String,
        /// Whose it is.
        maker: Maker,
        /// The version.
        version: String,
    },
    /// The API server would drop fields of ours.
    Drops {
        /// The definition.
        definition: String,
        /// Whose it is.
        maker: Maker,
        /// The version.
        version: String,
        /// The fields, by their paths.
        fields: Vec<String>,
    },
    /// The API server does not say.
    Unread {
        /// The definition.
        definition: String,
        /// What it says instead.
        said: String,
    },
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const TAKE_OVER: &str = "apply the definitions that `tidegate crds` prints, or run once with --install";
        match self {
            Self::Missing { definition } => write!(f, "{definition} is not installed; {TAKE_OVER}"),
            Self::NotServed {
                definition,
                maker,
                version,
            } => write!(f, "{definition} is {maker} and does not serve {version}; {TAKE_OVER}"),
            Self::Drops {
                definition,
                maker,
                version,
                fields,
            } => {
                let named = fields[..fields.len().min(NAMED)].join(", ");
                let more = match fields.len().saturating_sub(NAMED) {
                    0 => String::new(),
                    more => format!(" and {more} more"),
                };
                write!(
                    f,
                    "{definition} is {maker}: its {version} would drop {named}{more}; {TAKE_OVER}"
                )
            }
            Self::Unread { definition, said } => write!(
                f,
                "cannot read {definition}: {said}; give this account the rights that `tidegate manifests` lists"
            ),
        }
    }
}

/// Compares an installed definition with the one that this version was written for.
pub fn judge(wanted: &CustomResourceDefinition, installed: Option<&CustomResourceDefinition>) -> Vec<Finding> {
    let definition = wanted.metadata.name.clone().unwrap_or_default();
    let Some(installed) = installed else {
        return vec![Finding::Missing { definition }];
    };
    let generated = |key: &String| key == "controller-gen.kubebuilder.io/version";
    let maker = if installed
        .metadata
        .annotations
        .iter()
        .flatten()
        .any(|(key, _)| generated(key))
    {
        Maker::OpenKruise
    } else {
        Maker::Another
    };
    let mut findings = Vec::new();
    for version in &wanted.spec.versions {
        let there = installed
            .spec
            .versions
            .iter()
            .find(|there| there.name == version.name && there.served);
        let Some(there) = there else {
            findings.push(Finding::NotServed {
                definition: definition.clone(),
                maker,
                version: version.name.clone(),
            });
            continue;
        };
        let schema = |schema| serde_json::to_value(schema).unwrap_or_default();
        let root = |validation: Value| validation.get("openAPIV3Schema").cloned().unwrap_or_default();
        let mut fields = Vec::new();
        dropped(
            &root(schema(&version.schema)),
            &root(schema(&there.schema)),
            "",
            &mut fields,
        );
        if !fields.is_empty() {
            findings.push(Finding::Drops {
                definition: definition.clone(),
                maker,
                version: version.name.clone(),
                fields,
            });
        }
    }
    findings
}

/// Notes every field that `wanted` describes and a server with the schema `installed` would prune.
fn dropped(wanted: &Value, installed: &Value, at: &str, fields: &mut Vec<String>) {
    let keeps_all = |schema: &Value| schema["x-kubernetes-preserve-unknown-fields"] == true;
    if keeps_all(installed) {
        return;
    }
    if keeps_all(wanted) {
        fields.push(format!("{at}.*"));
        return;
    }
    for (name, schema) in wanted["properties"].as_object().into_iter().flatten() {
        // Every object has these, whatever its schema says.
        if at.is_empty() && ["apiVersion", "kind", "metadata"].contains(&name.as_str()) {
            continue;
        }
        let path = if at.is_empty() {
            name.clone()
        } else {
            format!("{at}.{name}")
        };
        match installed["properties"]
            .get(name)
            .or_else(|| installed.get("additionalProperties"))
        {
            Some(Value::Bool(true)) => {}
            None | Some(Value::Bool(false)) => fields.push(path),
            Some(there) => dropped(schema, there, &path, fields),
        }
    }
    for (below, mark) in [("items", "[]"), ("additionalProperties", ".*")] {
        let Some(schema @ Value::Object(_)) = wanted.get(below) else {
            continue;
        };
        match installed.get(below) {
            Some(Value::Bool(true)) => {}
            Some(there @ Value::Object(_)) => dropped(schema, there, &format!("{at}{mark}"), fields),
            _ => fields.push(format!("{at}{mark}")),
        }
    }
}

/// Reads the definitions and says what is wrong with them.
pub async fn look(client: &kube::Client) -> Vec<Finding> {
    let api: Api<CustomResourceDefinition> = Api::all(client.clone());
    let mut findings = Vec::new();
    for wanted in api::crds() {
        let name = wanted.metadata.name.clone().unwrap_or_default();
        match api.get_opt(&name).await {
            Ok(installed) => findings.extend(judge(&wanted, installed.as_ref())),
            Err(failure) => findings.push(Finding::Unread {
                definition: name,
                said: explain(&failure),
            }),
        }
    }
    findings
}

/// Returns once the cluster stores everything that this version writes. Until then the process is not ready, and says why.
pub async fn pass(env: &Env, client: &kube::Client, telemetry: &Telemetry) {
    let mut said = String::new();
    loop {
        let findings = look(client).await;
        if findings.is_empty() {
            if !said.is_empty() {
                info!("preflight: the installed definitions serve everything that this version writes");
            }
            telemetry.preflight(None);
            return;
        }
        let lines: Vec<String> = findings.iter().map(Finding::to_string).collect();
        let reason = lines.join("\n");
        if reason != said {
            for line in &lines {
                error!("preflight: {line}");
            }
            said.clone_from(&reason);
        }
        telemetry.preflight(Some(reason));
        env.sleep(AGAIN).await;
    }
}
