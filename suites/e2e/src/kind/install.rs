//! What runs in the cluster: the gateways and the controller. Used by [`super`].

use std::path::Path;

use anyhow::{Context, Result};
use controller::install::{self, Endpoint};
use serde_json::{Value, json};
use suites::ObjectRef;

use super::cluster::KindCluster;
use super::images;
use super::shell::Shell;
use crate::folder::Folder;

/// Where the controller lives.
const HOME: &str = "tidegate";

/// The controller's Deployment.
pub(super) fn deployment() -> ObjectRef {
    ObjectRef::namespaced("apps/v1", "Deployment", HOME, "tidegate")
}

/// Installs the gateway of the nginx dialect.
///
/// # Errors
/// What kubectl said.
pub(super) async fn traefik(shell: &Shell, cluster: &KindCluster, root: &Path) -> Result<()> {
    let install = async {
        apply(shell, cluster, &root.join("kind/traefik/traefik.yaml")).await?;
        ready(shell, cluster, "traefik", "traefik").await
    };
    shell.step("Traefik", install).await
}

/// Installs the controller from its image.
///
/// # Errors
/// What kubectl said.
pub(super) async fn controller(shell: &Shell, cluster: &KindCluster) -> Result<()> {
    let install = async {
        let folder = Folder::make()?;
        let mut text = String::new();
        for object in controller_objects() {
            text.push_str("---\n");
            text.push_str(&serde_yaml::to_string(&object).context("write the controller's manifests")?);
        }
        let file = folder.write("tidegate.yaml", &text)?;
        apply(shell, cluster, &file).await?;
        // The image may be another one under the same name.
        let restart = ["--namespace", HOME, "rollout", "restart", "deployment/tidegate"];
        cluster.kubectl(shell, "start the controller", &restart).await?;
        ready(shell, cluster, HOME, "tidegate").await
    };
    shell.step("tidegate", install).await
}

fn controller_objects() -> Vec<Value> {
    let through = Endpoint::Service {
        namespace: HOME.to_owned(),
        name: "kruise-rollout-webhook-service".to_owned(),
        port: 443,
    };
    let labels = json!({ "app.kubernetes.io/name": "tidegate" });
    let mut objects = install::surroundings(HOME);
    objects.extend(
        install::objects(&through, &[])
            .into_iter()
            .filter(|object| object["kind"] == "CustomResourceDefinition"),
    );
    objects.push(json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
        "metadata": { "name": "tidegate-installs-itself" },
        "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin" },
        "subjects": [{ "kind": "ServiceAccount", "name": "tidegate", "namespace": HOME }],
    }));
    objects.push(json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": { "name": "tidegate", "namespace": HOME },
        "spec": {
            "replicas": 1,
            "selector": { "matchLabels": labels },
            "template": {
                "metadata": { "labels": labels },
                "spec": {
                    "serviceAccountName": "tidegate",
                    "containers": [{
                        "name": "tidegate",
                        "image": images::CONTROLLER,
                        "imagePullPolicy": "Never",
                        "args": ["run", "--install", "--leader-elect"],
                        "readinessProbe": { "httpGet": { "path": "/readyz", "port": 8081 }, "periodSeconds": 1 },
                    }],
                },
            },
        },
    }));
    objects
}

async fn apply(shell: &Shell, cluster: &KindCluster, file: &Path) -> Result<()> {
    let file_name = file.display().to_string();
    let apply = ["apply", "--server-side", "--force-conflicts", "--filename", &file_name];
    cluster.kubectl(shell, "install", &apply).await.map(drop)
}

async fn ready(shell: &Shell, cluster: &KindCluster, namespace: &str, deployment: &str) -> Result<()> {
    let deployment = format!("deployment/{deployment}");
    let wait = [
        "--namespace",
        namespace,
        "rollout",
        "status",
        &deployment,
        "--timeout=120s",
    ];
    let waited = cluster.kubectl(shell, &format!("wait for {deployment}"), &wait).await;
    if let Err(error) = waited {
        let logs = ["--namespace", namespace, "logs", &deployment, "--tail=15"];
        let said = cluster.kubectl(shell, "read its log", &logs).await.unwrap_or_default();
        return Err(error.context(format!("{deployment} does not get ready; the end of its log:\n{said}")));
    }
    Ok(())
}
