//! Keeps what a namespace holds when a scenario failed in it: every object, and what its containers wrote. Used by [`super::play`] and by `kind`
//! for the controller and the gateways.

use std::path::Path;

use anyhow::{Context, Result};
use http::Request;
use serde_json::Value;
use suites::Kubernetes;

/// Writes `objects.yaml` and one log per container into `folder`.
///
/// # Errors
/// When the cluster does not answer, or a file cannot be written.
pub(crate) async fn namespace(kubernetes: &Kubernetes, namespace: &str, folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder).with_context(|| format!("make the folder {}", folder.display()))?;
    let mut objects = String::new();
    for resource in kubernetes.all_resources().await? {
        if !resource.namespaced || resource.kind == "Secret" {
            continue;
        }
        // A kind that refuses to be listed is no reason to keep nothing of the others.
        let Ok(found) = kubernetes.list(&resource, Some(namespace)).await else {
            continue;
        };
        for object in &found {
            objects.push_str("---\n");
            objects.push_str(&serde_yaml::to_string(object).context("write an object")?);
            if resource.kind == "Pod" {
                logs(kubernetes, namespace, object, folder).await?;
            }
        }
    }
    write(&folder.join("objects.yaml"), &objects)
}

async fn logs(kubernetes: &Kubernetes, namespace: &str, pod: &Value, folder: &Path) -> Result<()> {
    let name = pod["metadata"]["name"].as_str().unwrap_or_default();
    let containers = pod["spec"]["containers"].as_array();
    for container in containers.into_iter().flatten() {
        let container = container["name"].as_str().unwrap_or_default();
        let path = format!("/api/v1/namespaces/{namespace}/pods/{name}/log?container={container}&tailLines=2000");
        let request = Request::get(path).body(Vec::new()).context("ask for a log")?;
        // A container that never ran has none.
        if let Ok(log) = kubernetes.client().request_text(request).await
            && !log.is_empty()
        {
            write(&folder.join(format!("{name}.{container}.log")), &log)?;
        }
    }
    Ok(())
}

fn write(file: &Path, text: &str) -> Result<()> {
    std::fs::write(file, text).with_context(|| format!("write {}", file.display()))
}
