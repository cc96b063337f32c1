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
use serde_json::json;
use suites::dialect::{Dialect, Ending, Phase, Target};
use suites::inventory::Inventory;
use suites::kruise::Kruise;
use suites::routes::Family;
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
pub(super) const LOOK: Duration = Duration::from_millis(100);
/// Nothing in the story takes longer.
pub(super) const PATIENCE: Duration = Duration::from_secs(120);

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

pub(super) struct Story {
    pub(super) world: SimEnv,
    pub(super) kubernetes: Kubernetes,
    pub(super) dialect: Kruise,
    /// What was shown of each object when it was looked at last.
    pub(super) shown: BTreeMap<String, String>,
    /// When the last command was given.
    pub(super) since: Moment,
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
            route: named(),
        };
        Self {
            world: world.clone(),
            dialect: Kruise::new(kubernetes.clone(), target, Family::Ingress),
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
        let documents = manifest::documents(manifest, &manifest::AsWritten).map_err(|error| anyhow!(error))?;
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
}
