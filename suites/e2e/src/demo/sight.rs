//! What the story sees: every object that comes, goes or changes, and the moments that it waits for.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Result, bail};
use serde_json::Value;
use suites::dialect::{Dialect, Ending, Observation, Phase, StepState};
use suites::object::{number, text};
use suites::{Probe, Question};

use super::recorder::version;
use super::screen::Screen;
use super::story::Story;
use super::traffic::Traffic;

const WEIGHT: &str = "/metadata/annotations/nginx.ingress.kubernetes.io~1canary-weight";

impl Story<'_> {
    pub(super) async fn until_open(
        &mut self,
        probe: &Probe,
        question: &Question,
        screen: &mut Screen<'_>,
    ) -> Result<()> {
        while self.elapsed() < self.pace.patience {
            self.look(screen).await?;
            let workload = self.kubernetes.get(&self.dialect.target().workload()).await?;
            let is_complete = workload.is_some_and(|workload| number(&workload, "/status/availableReplicas") == 5);
            if is_complete && probe.try_once(question).await.is_ok() {
                return Ok(());
            }
            self.world.env.sleep(self.pace.look).await;
        }
        bail!("the application did not answer within {}", self.patience())
    }

    pub(super) async fn until_gate(&mut self, traffic: &Traffic, screen: &mut Screen<'_>) -> Result<Observation> {
        self.until("the release waits for approval", traffic, screen, |seen| {
            seen.phase == Phase::Progressing && seen.state == StepState::Paused
        })
        .await
    }

    /// The gateway reads its cluster every few seconds, as ingress-nginx does: until somebody was answered by the new image, nothing is measured.
    pub(super) async fn until_followed(&self, image: &str, traffic: &Traffic, screen: &Screen<'_>) -> Result<()> {
        let version = version(image);
        while self.elapsed() < self.pace.patience {
            let lately = traffic.lately();
            screen.show(&lately, self.rate(), "the gateway is about to follow");
            if lately.answered.contains_key(version) {
                return Ok(());
            }
            self.world.env.sleep(self.pace.look).await;
        }
        bail!(
            "{image} answered nobody within {}, although the release is at its step",
            self.patience()
        )
    }

    pub(super) async fn until_ended(
        &mut self,
        ending: Ending,
        traffic: &Traffic,
        screen: &mut Screen<'_>,
    ) -> Result<()> {
        let is_over = |seen: &Observation| seen.phase == Phase::Healthy && seen.ending == Some(ending);
        let seen = self.until("the release is over", traffic, screen, is_over).await?;
        let at = self.elapsed().as_secs_f64();
        screen.seen(at, &format!("= Rollout    rollouts-demo: {}", seen.message))?;
        Ok(())
    }

    /// Shows what happens until the release is so.
    pub(super) async fn until(
        &mut self,
        what: &str,
        traffic: &Traffic,
        screen: &mut Screen<'_>,
        is_so: impl Fn(&Observation) -> bool,
    ) -> Result<Observation> {
        loop {
            self.look(screen).await?;
            let seen = self.dialect.observe().await?;
            self.record(&seen, screen).await?;
            screen.show(&traffic.lately(), self.rate(), &seen.message);
            if is_so(&seen) {
                // What came between the two reads is part of it.
                self.look(screen).await?;
                return Ok(seen);
            }
            if self.elapsed() >= self.pace.patience {
                bail!(
                    "{what}: not so within {}; the Rollout says: {}",
                    self.patience(),
                    seen.message
                );
            }
            self.world.env.sleep(self.pace.look).await;
        }
    }

    fn patience(&self) -> String {
        format!("{} minutes", self.pace.patience.as_secs() / 60)
    }

    pub(super) fn elapsed(&self) -> Duration {
        self.world.env.clock().elapsed().since(self.since)
    }

    /// Shows what came, went and changed since the last look.
    async fn look(&mut self, screen: &mut Screen<'_>) -> Result<()> {
        let mut now = BTreeMap::new();
        for (api_version, kind) in [
            ("apps/v1", "Deployment"),
            ("v1", "Service"),
            ("networking.k8s.io/v1", "Ingress"),
        ] {
            let resource = self.kubernetes.resource(api_version, kind).await?;
            for object in self.kubernetes.list(&resource, Some("default")).await? {
                let name = text(&object, "/metadata/name");
                let key = format!("{kind:<10} {name}");
                now.insert(key, self.detail(kind, name, &object));
            }
        }
        let at = self.elapsed().as_secs_f64();
        for (object, detail) in &now {
            let sign = match self.shown.get(object) {
                None => "+",
                Some(before) if before != detail => "~",
                Some(_) => continue,
            };
            let line = format!("{sign} {object}  {detail}");
            screen.seen(at, &line)?;
        }
        for object in self.shown.keys().filter(|object| !now.contains_key(*object)) {
            screen.seen(at, &format!("- {object}"))?;
        }
        self.shown = now;
        Ok(())
    }

    /// What is worth telling of an object.
    fn detail(&self, kind: &str, name: &str, object: &Value) -> String {
        let target = self.dialect.target();
        match kind {
            "Deployment" => {
                let image = text(object, "/spec/template/spec/containers/0/image");
                let version = version(image);
                let count = |what: &str| number(object, &format!("/status/{what}"));
                if name == target.workload {
                    let updated = count("updatedReplicas");
                    format!(
                        "wants {version}: {updated} of {} pods have it",
                        number(object, "/spec/replicas")
                    )
                } else {
                    let ready = count("availableReplicas");
                    format!(
                        "{version}, {ready} of {} pods available",
                        number(object, "/spec/replicas")
                    )
                }
            }
            "Ingress" if name != target.route => format!("{} % of the requests", text(object, WEIGHT)),
            _ => String::new(),
        }
    }
}
