//! A driver that runs on a virtual clock over the scripted API server, and made-up rules for it to follow.

use std::time::Duration;

use env::watch;
use rollout::{Action, Guard, Kind, Object, Op, Plan, Target, World, Write};
use serde_json::json;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::api_server::ApiServer;
use crate::Options;
use crate::driver::{Decide, Ended, drive};
use crate::lease::Standing;
use crate::telemetry::Telemetry;

pub(super) const DEPLOYMENTS: &str = "/apis/apps/v1/deployments";
pub(super) const ROLLOUTS: &str = "/apis/rollouts.kruise.io/v1beta1/rollouts";
pub(super) const SERVICES: &str = "/api/v1/services";

/// A running driver.
pub(super) struct Running {
    pub(super) server: ApiServer,
    pub(super) env: env::Env,
    pub(super) telemetry: Telemetry,
    stop: oneshot::Sender<()>,
    pub(super) standing: watch::Sender<Standing>,
    pub(super) task: JoinHandle<Ended>,
}

impl Running {
    /// Drives a cluster with one Rollout, its Deployment `echo` and its Service `web` by `decide`.
    pub(super) fn start(env: &env::Env, decide: Decide) -> Self {
        let server = ApiServer::new();
        server.put(
            DEPLOYMENTS,
            json!({ "metadata": { "namespace": "ns", "name": "echo", "annotations": {} }, "spec": { "replicas": 1 } }),
        );
        server.put(
            SERVICES,
            json!({ "metadata": { "namespace": "ns", "name": "web", "annotations": {} } }),
        );
        server.put(
            ROLLOUTS,
            json!({
                "metadata": { "namespace": "ns", "name": "demo" },
                "spec": {
                    "workloadRef": { "apiVersion": "apps/v1", "kind": "Deployment", "name": "echo" },
                    "strategy": { "canary": { "trafficRoutings": [{ "service": "web" }] } },
                },
            }),
        );
        Self::on(server, env, decide)
    }

    /// Drives what `server` holds by `decide`.
    pub(super) fn on(server: ApiServer, env: &env::Env, decide: Decide) -> Self {
        let client = kube::Client::new(server.service(), "default");
        let (stop, stopped) = oneshot::channel();
        let (standing, standings) = watch::channel(Standing::ALONE);
        let options = Options::new("test");
        let telemetry = options.telemetry.clone();
        let driving = drive(env.clone(), client, options, decide, standings, async move {
            // An error means that the test is over.
            let _ = stopped.await;
        });
        Self {
            server,
            env: env.clone(),
            telemetry,
            stop,
            standing,
            task: tokio::spawn(driving),
        }
    }

    /// Lets everything happen that happens within `duration`, and says what was written.
    pub(super) async fn writes_within(&self, duration: Duration) -> Vec<String> {
        self.env.sleep(duration).await;
        self.server
            .requests()
            .into_iter()
            .filter(|request| !request.starts_with("GET"))
            .collect()
    }

    pub(super) async fn end(self) -> Ended {
        self.stop.send(()).expect("it runs");
        self.task.await.expect("no panic")
    }
}

fn find(world: &World, kind: Kind, name: &str) -> Option<Object> {
    world
        .of_kind(kind)
        .iter()
        .find(|object| object.metadata.name.as_deref() == Some(name))
        .cloned()
}

pub(super) fn target(kind: Kind, name: &str) -> Target {
    Target {
        kind,
        namespace: "ns".to_owned(),
        name: name.to_owned(),
    }
}

fn guard(object: &Object) -> Guard {
    Guard {
        uid: object.metadata.uid.clone().expect("a uid"),
        resource_version: object.metadata.resource_version.clone().expect("a version"),
    }
}

pub(super) fn mark(world: &World, kind: Kind, name: &str, value: &str) -> Option<Write> {
    let object = find(world, kind, name)?;
    let annotations = object.metadata.annotations.clone().unwrap_or_default();
    (annotations.get("mark").map(String::as_str) != Some(value)).then(|| Write {
        target: target(kind, name),
        action: Action::Patch {
            guard: guard(&object),
            ops: vec![Op::Add {
                path: "/metadata/annotations/mark".to_owned(),
                value: json!(value),
            }],
        },
        recheck: None,
    })
}

pub(super) fn plan(rule: &'static str, writes: impl IntoIterator<Item = Write>) -> Plan {
    Plan {
        writes: writes.into_iter().collect(),
        rule,
        message: format!("by {rule}"),
        ..Plan::default()
    }
}

/// Marks the Deployment, then the Service.
pub(super) fn mark_both(world: &World) -> Plan {
    plan(
        "mark",
        [
            mark(world, Kind::Deployment, "echo", "1"),
            mark(world, Kind::Service, "web", "1"),
        ]
        .into_iter()
        .flatten(),
    )
}

pub(super) const PATCH_ECHO: &str = "PATCH /apis/apps/v1/namespaces/ns/deployments/echo";
pub(super) const PATCH_WEB: &str = "PATCH /api/v1/namespaces/ns/services/web";
