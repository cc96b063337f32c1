//! A story in the making: the cluster that it happens in, and the verbs that both of them use. `walkthrough` and `judged` are what is told.
//!
//! Everything is done through the API and seen through it; the split is counted from answers, and "nothing is left" from two inventories.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Result, anyhow, bail};
use env::Moment;
use env::sim::SimEnv;
use kubectl_tidegate::Connect;
use serde_json::json;
use suites::dialect::{Dialect, Target};
use suites::inventory::Inventory;
use suites::kruise::Kruise;
use suites::routes::Family;
use suites::{Kubernetes, Question, manifest};

use super::judged::Judge;
use super::screen::Screen;
use super::traffic::Traffic;
use crate::embedded::client;
use crate::living::Living;

const HOST: &str = "echoserver.example.com";
/// What serves before any release.
pub(super) const FIRST: &str = "cilium/echoserver:1.10.2";
pub(super) const DEPLOYMENT: &str = include_str!("../../../../fixtures/article/deployment.yaml");
pub(super) const SERVICE: &str = include_str!("../../../../fixtures/article/service.yaml");
pub(super) const INGRESS: &str = include_str!("../../../../fixtures/article/ingress.yaml");

/// How closely a story looks, and for how long.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// How often the world is looked at.
    pub(super) look: Duration,
    /// Nothing in the story takes longer.
    pub(super) patience: Duration,
}

impl Pace {
    /// Of a story whose steps wait for a person.
    pub(super) const WALKED: Self = Self {
        look: Duration::from_millis(100),
        patience: Duration::from_secs(120),
    };
    /// Of a story whose steps wait for measurements five minutes apart.
    pub(super) const JUDGED: Self = Self {
        look: Duration::from_secs(1),
        patience: Duration::from_secs(45 * 60),
    };
}

/// What clients ask the gateway for.
pub(super) fn question() -> Question {
    Question {
        host: HOST.to_owned(),
        path: "/".to_owned(),
        headers: Vec::new(),
    }
}

pub(super) struct Story<'a> {
    pub(super) world: SimEnv,
    pub(super) living: &'a Living,
    pub(super) pace: Pace,
    /// Who measures, where a release is judged.
    pub(super) judge: Option<Judge>,
    pub(super) kubernetes: Kubernetes,
    pub(super) dialect: Kruise,
    /// What was shown of each object when it was looked at last.
    pub(super) shown: BTreeMap<String, String>,
    /// When the last command was given.
    pub(super) since: Moment,
}

impl<'a> Story<'a> {
    pub(super) fn new(world: &SimEnv, living: &'a Living, pace: Pace) -> Self {
        let kubernetes = Kubernetes::new(client(living.cluster.api()));
        let named = || "echoserver".to_owned();
        let target = Target {
            namespace: "default".to_owned(),
            workload: named(),
            rollout: "rollouts-demo".to_owned(),
            service: named(),
            route: named(),
        };
        Self {
            world: world.clone(),
            living,
            pace,
            judge: None,
            dialect: Kruise::new(kubernetes.clone(), target, Family::Ingress),
            kubernetes,
            shown: BTreeMap::new(),
            since: Moment::default(),
        }
    }

    pub(super) fn command(&mut self, screen: &mut Screen<'_>, text: &str) -> Result<()> {
        self.since = self.world.env.clock().elapsed();
        Ok(screen.command(text)?)
    }

    pub(super) async fn create(&self, manifest: &str) -> Result<()> {
        let documents = manifest::documents(manifest, &manifest::AsWritten).map_err(|error| anyhow!(error))?;
        for document in documents {
            self.kubernetes.create(&document).await?;
        }
        Ok(())
    }

    /// Runs the plugin's own program and gives what it printed.
    pub(super) async fn plugin(&self, line: &str) -> Result<String> {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let code = kubectl_tidegate::run(
            &self.world.env,
            Connect::Ready(self.kubernetes.client().clone()),
            line.split(' ').map(str::to_owned),
            &mut out,
            &mut err,
        )
        .await;
        if code != kubectl_tidegate::exit::DONE {
            bail!("{line} ended with {code}: {}", String::from_utf8_lossy(&err).trim());
        }
        Ok(String::from_utf8_lossy(&out).into_owned())
    }

    /// Whether all objects of all kinds are as they were before the release, but for the workload's image.
    pub(super) async fn is_clean(
        &self,
        expected: &mut Inventory,
        image: &str,
        traffic: &Traffic,
        screen: &mut Screen<'_>,
    ) -> Result<bool> {
        let workload = self.dialect.target().workload();
        expected.set(&workload, "/spec/template/spec/containers/0/image", json!(image));
        let found = Inventory::take(&self.kubernetes, None).await?;
        screen.show(&traffic.lately(), self.rate(), "All objects of all kinds are compared.");
        let differences = expected.compare(&found, &workload);
        if differences.is_empty() {
            screen.say(&format!(
                "Nothing is left behind: {} objects, all kinds, equal to those before the\nrelease, field by field, but for the image.",
                found.count()
            ))?;
        }
        for difference in &differences {
            screen.wrong(&format!("left behind: {difference}"))?;
        }
        Ok(differences.is_empty())
    }
}
