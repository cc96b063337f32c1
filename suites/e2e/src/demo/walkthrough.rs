//! The article's walkthrough: an application behind an ingress, a rule for its releases, one release that is approved and one that is taken back.

use std::process::ExitCode;

use anyhow::Result;
use env::sim::SimEnv;
use suites::dialect::{Dialect, Ending, Phase};
use suites::inventory::Inventory;
use suites::{PodBook, Probe};

use super::person::Person;
use super::screen::Screen;
use super::story::{DEPLOYMENT, FIRST, INGRESS, Pace, SERVICE, Story, question};
use super::traffic::{self, Traffic};
use crate::living::{Living, Speed};

const SECOND: &str = "cilium/echoserver:1.10.3";
const THIRD: &str = "cilium/echoserver:1.10.4";
const ROLLOUT: &str = include_str!("../../../../fixtures/article/rollout.yaml");

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
    let mut story = Story::new(world, living, Pace::WALKED);
    let told = story.walkthrough(person, screen).await;
    screen.close();
    told
}

impl Story<'_> {
    async fn walkthrough(&mut self, person: Person, screen: &mut Screen<'_>) -> Result<ExitCode> {
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
            self.living.cluster.gateway(),
            self.kubernetes.clone(),
            "default",
            PodBook::default(),
        );
        let question = question();
        self.until_open(&probe, &question, screen).await?;
        let traffic = Traffic::start(self.world.env.clone(), probe, question, traffic::BEAT);
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

    /// Keeps the bar moving while the person makes up their mind.
    async fn decide(&self, person: Person, traffic: &Traffic, screen: &Screen<'_>) -> Result<()> {
        let show = async {
            loop {
                screen.show(&traffic.lately(), None, "The gate is shut.");
                self.world.env.sleep(self.pace.look).await;
            }
        };
        tokio::select! {
            biased;
            decided = person.decides(&self.world.env) => decided,
            () = show => Ok(()),
        }
    }
}
