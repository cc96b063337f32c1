//! The story: an application behind an ingress, a rule for its releases, one release that is approved and one that is taken back.
//!
//! Everything is done through the API and seen through it; the split is counted from answers, and "nothing is left" from two inventories.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, anyhow, bail};
use env::Moment;
use env::sim::SimEnv;
use kubectl_tidegate::Connect;
use serde_json::{Value, json};
use suites::dialect::{Dialect, Ending, Observation, Phase, StepState, Target};
use suites::inventory::Inventory;
use suites::kruise::Kruise;
use suites::object::{number, text};
use suites::{Kubernetes, PodBook, Probe, Question, manifest};

use super::person::Person;
use super::screen::Screen;
use super::traffic::Traffic;
use crate::embedded::client;
use crate::living::{Living, Speed};

const HOST: &str = "echoserver.example.com";
const FIRST: &str = "cilium/echoserver:1.10.2";
const SECOND: &str = "cilium/echoserver:1.10.3";
const THIRD: &str = "cilium/echoserver:1.10.4";
const DEPLOYMENT: &str = include_str!("../../../../fixtures/article/deployment.yaml");
const SERVICE: &str = include_str!("../../../../fixtures/article/service.yaml");
const INGRESS: &str = include_str!("../../../../fixtures/article/ingress.yaml");
const ROLLOUT: &str = include_str!("../../../../fixtures/article/rollout.yaml");

/// How often the world is looked at.
const LOOK: Duration = Duration::from_millis(100);
/// Nothing in the story takes longer.
const PATIENCE: Duration = Duration::from_secs(120);
const WEIGHT: &str = "/metadata/annotations/nginx.ingress.kubernetes.io~1canary-weight";

/// Tells it, and says whether all went as told.
///
/// # Errors
/// When the cluster refuses something, or the release does not get where it must.
pub(super) async fn tell(
    world: &SimEnv,
    living: &Living,
    speed: Speed,
    person: Person,
    screen: &mut Screen<'_>,
) -> Result<ExitCode> {
    screen.say(&format!(
        "\
A release, step by step, as the article tells it. A Kubernetes, its gateway
and the controller live in this process, and nothing outlives it. Their clock
runs {}.",
        speed.pace()
    ))?;
    let mut story = Story::new(world, living);
    let told = story.acts(living, person, screen).await;
    screen.close();
    told
}

struct Story {
    world: SimEnv,
    kubernetes: Kubernetes,
    dialect: Kruise,
    /// What was shown of each object when it was looked at last.
    shown: BTreeMap<String, String>,
    /// When the last command was given.
    since: Moment,
}

impl Story {
    fn new(world: &SimEnv, living: &Living) -> Self {
        let kubernetes = Kubernetes::new(client(living.cluster.api()));
        let named = || "echoserver".to_owned();
        let target = Target {
            namespace: "default".to_owned(),
            workload: named(),
            rollout: "rollouts-demo".to_owned(),
            service: named(),
            ingress: named(),
        };
        Self {
            world: world.clone(),
            dialect: Kruise::new(kubernetes.clone(), target),
            kubernetes,
            shown: BTreeMap::new(),
            since: Moment::default(),
        }
    }

    async fn acts(&mut self, living: &Living, person: Person, screen: &mut Screen<'_>) -> Result<ExitCode> {
        screen.heading("1  An application behind an ingress")?;
        self.command(
            screen,
            "kubectl apply -f deployment.yaml -f service.yaml -f ingress.yaml",
        )?;
        for manifest in [DEPLOYMENT, SERVICE, INGRESS] {
            self.create(manifest).await?;
        }
        let probe = Probe::new(
            self.world.env.clone(),
            living.cluster.gateway(),
            self.kubernetes.clone(),
            "default",
            PodBook::default(),
        );
        let question = Question {
            host: HOST.to_owned(),
            path: "/".to_owned(),
            headers: Vec::new(),
        };
        self.until_open(&probe, &question, screen).await?;
        let traffic = Traffic::start(self.world.env.clone(), probe, question);
        screen.say(&format!(
            "Five pods of {FIRST} answer. From here on the gateway gets\n50 requests a second, and each answer says which version gave it."
        ))?;
        let told = self.releases(&traffic, person, screen).await;
        let tally = traffic.stop().await;
        let is_clean = told?;

        screen.close();
        screen.heading("In all")?;
        let answered: u64 = tally.answered.values().sum();
        screen.say(&format!(
            "{} requests sent, {answered} answered, {} lost.",
            tally.sent,
            tally.lost.len()
        ))?;
        for lost in tally.lost.iter().take(5) {
            screen.wrong(&format!("lost: {}", lost.why))?;
        }
        screen.say(
            "\
Simulated: the cluster, its pods, its gateway and their time; the controller
is the real one. Next: `cargo xtask up` for kubectl and curl, `cargo xtask e2e`
for all the cases.",
        )?;
        Ok(if is_clean && tally.lost.is_empty() {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }

    /// The rule, the release that is approved, and the one that is taken back; whether nothing was left behind.
    async fn releases(&mut self, traffic: &Traffic, person: Person, screen: &mut Screen<'_>) -> Result<bool> {
        screen.heading("2  A rule for its releases")?;
        self.command(screen, "kubectl apply -f rollout.yaml")?;
        self.create(ROLLOUT).await?;
        self.until("the Rollout is healthy", traffic, screen, |seen| {
            seen.phase == Phase::Healthy
        })
        .await?;
        screen.say("One step: one pod of a new version, 5 % of the requests; then a person decides.")?;
        screen.measured(&traffic.count(200).await)?;
        let mut expected = Inventory::take(&self.kubernetes, None).await?;

        screen.heading("3  A new version")?;
        self.command(
            screen,
            &format!("kubectl set image deployment/echoserver echoserver={SECOND}"),
        )?;
        self.dialect.release(SECOND).await?;
        self.until_gate(traffic, screen).await?;
        self.until_followed(SECOND, traffic, screen).await?;
        screen.say("The Deployment itself stands still: five pods of the old version, as before.\nMeasured by asking, not believed:")?;
        screen.measured(&traffic.count(1_000).await)?;

        screen.heading("4  A person decides")?;
        let approve = "kubectl-kruise rollout approve rollout/rollouts-demo -n default";
        match person {
            Person::AtTheKeyboard => screen.say(&format!(
                "Nothing more happens until somebody approves, however long it takes.\nPress Enter for: {approve}"
            ))?,
            Person::GoesOn => {
                screen.say("Nothing more happens until somebody approves. Nobody does for five seconds:")?
            }
        }
        self.decide(person, traffic, screen).await?;
        if person == Person::AtTheKeyboard {
            screen.entered();
        }
        let split = traffic.lately();
        screen.measured(&split)?;
        self.command(screen, approve)?;
        let said = self.plugin(approve).await?;
        screen.say(&said)?;

        screen.heading("5  Promotion")?;
        self.until_ended(Ending::Completed, traffic, screen).await?;
        screen.measured(&traffic.count(200).await)?;
        let mut is_clean = self.is_clean(&mut expected, SECOND, traffic, screen).await?;

        screen.heading("6  Another version, taken back")?;
        self.command(
            screen,
            &format!("kubectl set image deployment/echoserver echoserver={THIRD}"),
        )?;
        self.dialect.release(THIRD).await?;
        self.until_gate(traffic, screen).await?;
        self.until_followed(THIRD, traffic, screen).await?;
        screen.measured(&traffic.count(1_000).await)?;
        screen.say("Suppose that it is no good. The old image is put back; that is all it takes:")?;
        self.command(
            screen,
            &format!("kubectl set image deployment/echoserver echoserver={SECOND}"),
        )?;
        self.dialect.roll_back(SECOND).await?;
        self.until_ended(Ending::RolledBack, traffic, screen).await?;
        screen.measured(&traffic.count(200).await)?;
        is_clean &= self.is_clean(&mut expected, SECOND, traffic, screen).await?;
        Ok(is_clean)
    }

    fn command(&mut self, screen: &mut Screen<'_>, text: &str) -> Result<()> {
        self.since = self.world.env.clock().elapsed();
        Ok(screen.command(text)?)
    }

    async fn create(&self, manifest: &str) -> Result<()> {
        let documents =
            manifest::documents(manifest, "default", &str::to_owned, &|asked| asked).map_err(|error| anyhow!(error))?;
        for document in documents {
            self.kubernetes.create(&document).await?;
        }
        Ok(())
    }

    /// Runs the plugin's own program and gives what it printed.
    async fn plugin(&self, line: &str) -> Result<String> {
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

    async fn until_open(&mut self, probe: &Probe, question: &Question, screen: &mut Screen<'_>) -> Result<()> {
        while self.elapsed() < PATIENCE {
            self.look(screen).await?;
            let workload = self.kubernetes.get(&self.dialect.target().workload()).await?;
            let is_complete = workload.is_some_and(|workload| number(&workload, "/status/availableReplicas") == 5);
            if is_complete && probe.try_once(question).await.is_ok() {
                return Ok(());
            }
            self.world.env.sleep(LOOK).await;
        }
        bail!("the application did not answer within two minutes")
    }

    async fn until_gate(&mut self, traffic: &Traffic, screen: &mut Screen<'_>) -> Result<Observation> {
        self.until("the release waits for approval", traffic, screen, |seen| {
            seen.phase == Phase::Progressing && seen.state == StepState::Paused
        })
        .await
    }

    /// The gateway reads its cluster every few seconds, as ingress-nginx does: until somebody was answered by the new image, nothing is measured.
    async fn until_followed(&self, image: &str, traffic: &Traffic, screen: &Screen<'_>) -> Result<()> {
        let version = image.rsplit_once(':').map_or(image, |(_, version)| version);
        while self.elapsed() < PATIENCE {
            let lately = traffic.lately();
            screen.show(&lately, "the gateway is about to follow");
            if lately.answered.contains_key(version) {
                return Ok(());
            }
            self.world.env.sleep(LOOK).await;
        }
        bail!("{image} answered nobody within two minutes, although the release is at its step")
    }

    async fn until_ended(&mut self, ending: Ending, traffic: &Traffic, screen: &mut Screen<'_>) -> Result<()> {
        let is_over = |seen: &Observation| seen.phase == Phase::Healthy && seen.ending == Some(ending);
        let seen = self.until("the release is over", traffic, screen, is_over).await?;
        let at = self.elapsed().as_secs_f64();
        screen.seen(at, &format!("= Rollout    rollouts-demo: {}", seen.message))?;
        Ok(())
    }

    /// Shows what happens until the release is so.
    async fn until(
        &mut self,
        what: &str,
        traffic: &Traffic,
        screen: &mut Screen<'_>,
        is_so: impl Fn(&Observation) -> bool,
    ) -> Result<Observation> {
        loop {
            self.look(screen).await?;
            let seen = self.dialect.observe().await?;
            screen.show(&traffic.lately(), &seen.message);
            if is_so(&seen) {
                // What came between the two reads is part of it.
                self.look(screen).await?;
                return Ok(seen);
            }
            if self.elapsed() >= PATIENCE {
                bail!("{what}: not so within two minutes; the Rollout says: {}", seen.message);
            }
            self.world.env.sleep(LOOK).await;
        }
    }

    /// Keeps the bar moving while the person makes up their mind.
    async fn decide(&self, person: Person, traffic: &Traffic, screen: &Screen<'_>) -> Result<()> {
        let show = async {
            loop {
                screen.show(&traffic.lately(), "The gate is shut.");
                self.world.env.sleep(LOOK).await;
            }
        };
        tokio::select! {
            biased;
            decided = person.decides(&self.world.env) => decided,
            () = show => Ok(()),
        }
    }

    /// Whether all objects of all kinds are as they were before the release, but for the workload's image.
    async fn is_clean(
        &self,
        expected: &mut Inventory,
        image: &str,
        traffic: &Traffic,
        screen: &mut Screen<'_>,
    ) -> Result<bool> {
        let workload = self.dialect.target().workload();
        expected.set(&workload, "/spec/template/spec/containers/0/image", json!(image));
        let found = Inventory::take(&self.kubernetes, None).await?;
        screen.show(&traffic.lately(), "All objects of all kinds are compared.");
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

    fn elapsed(&self) -> Duration {
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
                let version = image.rsplit_once(':').map_or(image, |(_, version)| version);
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
            "Ingress" if name != target.ingress => format!("{} % of the requests", text(object, WEIGHT)),
            _ => String::new(),
        }
    }
}
