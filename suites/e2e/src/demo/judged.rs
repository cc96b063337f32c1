//! A release that is judged by metrics all along, of a good version or of a bad one. Nothing in it is scripted: what the gateway answered is what the
//! metric server says, the analysis reads that, and what the Rollout does then is what is told and recorded.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};
use env::sim::{Served, SimEnv};
use suites::dialect::{Dialect, Ending, Observation, Phase, StepState};
use suites::inventory::Inventory;
use suites::{PodBook, Probe, Question, metrics, scenarios};

use super::record::{Record, Requests};
use super::recorder::{Recorder, Sources};
use super::screen::{Rate, Screen};
use super::story::{DEPLOYMENT, FIRST, INGRESS, Pace, SERVICE, Story, question};
use super::traffic::Traffic;
use crate::living::Living;
use crate::metric_server::{self, MetricServer};

/// The analysis that judges.
pub(super) const TEMPLATE: &str = include_str!("../../../../fixtures/article/analysis-template.yaml");
/// The steps, and what a verdict does.
pub(super) const ROLLOUT: &str = include_str!("../../../../fixtures/demo/rollout.yaml");

/// Five requests a second.
const BEAT: Duration = Duration::from_millis(200);
/// When the person looks in: after two measurements with the new version in them.
const THOUGHT_OVER: Duration = Duration::from_secs(11 * 60);
/// How long the world is watched after the release was taken back: until the metric server has forgotten the bad answers, and a while.
const AFTERWARDS: Duration = Duration::from_secs(6 * 60);
/// How long the world is watched after the end.
const EPILOGUE: Duration = Duration::from_secs(90);

/// Which version is released.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Quality {
    /// One that answers as it should.
    Good,
    /// One that answers every request with an error.
    Bad,
}

impl Quality {
    const fn image(self) -> &'static str {
        match self {
            Self::Good => scenarios::NEXT,
            Self::Bad => scenarios::FAULTY,
        }
    }
}

/// Who measures, and who writes down what is seen.
pub(super) struct Judge {
    metrics: MetricServer,
    question: Question,
    recorder: Option<Recorder>,
    /// How many requests were sent, and how many of them failed, before the record begins.
    before: (u64, u64),
    _asked: Served,
}

/// Tells it; gives what was recorded, and whether all went as told.
///
/// # Errors
/// When the cluster refuses something, or the release does not get where it must.
pub(super) async fn tell(
    world: &SimEnv,
    living: &Living,
    pace: &str,
    quality: Quality,
    screen: &mut Screen<'_>,
) -> Result<(Record, ExitCode)> {
    screen.say(&format!(
        "\
A release that is judged by metrics. A Kubernetes, its gateway, a metric server
and the controller live in this process, and nothing outlives it. {pace}"
    ))?;
    let mut story = Story::new(world, living, Pace::JUDGED);
    let told = story.judged(quality, screen).await;
    screen.close();
    told
}

impl Story<'_> {
    async fn judged(&mut self, quality: Quality, screen: &mut Screen<'_>) -> Result<(Record, ExitCode)> {
        screen.heading("1  An application behind an ingress")?;
        self.command(
            screen,
            "kubectl apply -f deployment.yaml -f service.yaml -f ingress.yaml",
        )?;
        for manifest in [DEPLOYMENT, SERVICE, INGRESS] {
            self.create(manifest).await?;
        }
        let metrics = MetricServer::new(&self.world.env, metric_server::WINDOW);
        let probe = Probe::new(
            self.world.env.clone(),
            metrics.watching(self.living.cluster.gateway()),
            self.kubernetes.clone(),
            "default",
            PodBook::default(),
        );
        self.judge = Some(Judge {
            _asked: self.world.network.serve(metrics::AUTHORITY, metrics.service()),
            metrics,
            question: question(),
            recorder: None,
            before: (0, 0),
        });
        self.until_open(&probe, &question(), screen).await?;
        let traffic = Traffic::start(self.world.env.clone(), probe, question(), BEAT);
        screen.say(&format!(
            "Five pods of {FIRST} answer five requests a second. The metric\nserver counts what the gateway answered in the last five minutes."
        ))?;
        let told = self.release_judged(quality, &traffic, screen).await;
        let ((sent, failed), is_clean) = (traffic.so_far(), told?);
        let _ = traffic.stop().await;

        screen.close();
        screen.heading("In all")?;
        screen.say(&format!("{sent} requests sent, {failed} of them failed."))?;
        screen.say(
            "\
Simulated: the cluster, its pods, its gateway, its metric server and their
time; the controller is the real one.",
        )?;
        let judge = self
            .judge
            .take()
            .context("nobody judged; this is a defect of the demo")?;
        let recorder = judge
            .recorder
            .context("nothing was recorded; this is a defect of the demo")?;
        let record = recorder.finish(Requests {
            sent: sent - judge.before.0,
            failed: failed - judge.before.1,
        });
        let as_told = is_clean && (quality == Quality::Bad || failed == 0);
        Ok((record, if as_told { ExitCode::SUCCESS } else { ExitCode::FAILURE }))
    }

    /// The rule and the release; whether nothing was left behind.
    async fn release_judged(&mut self, quality: Quality, traffic: &Traffic, screen: &mut Screen<'_>) -> Result<bool> {
        screen.heading("2  A rule for its releases, and what judges them")?;
        self.command(screen, "kubectl apply -f analysis-template.yaml -f rollout.yaml")?;
        for manifest in [TEMPLATE, ROLLOUT] {
            self.create(manifest).await?;
        }
        self.until("the Rollout is healthy", traffic, screen, |seen| {
            seen.phase == Phase::Healthy
        })
        .await?;
        screen.say(
            "\
Two steps: one pod and 20 % of the requests until a person approves, then three
pods and 60 % for ten minutes. Every five minutes the success rate is measured;
below 95 % a measurement is bad, and the fourth bad one takes the release back.",
        )?;
        self.pass(metric_server::WINDOW, traffic, screen).await?;
        let mut expected = Inventory::take(&self.kubernetes, None).await?;

        let image = quality.image();
        screen.heading("3  A new version")?;
        if let Some(judge) = &mut self.judge {
            judge.before = traffic.so_far();
        }
        self.order_image(image, None, screen).await?;
        self.until_gate(traffic, screen).await?;
        self.until_given(traffic, screen).await?;
        let serves = match quality {
            Quality::Good => {
                self.good(traffic, screen).await?;
                image
            }
            Quality::Bad => {
                self.bad(traffic, screen).await?;
                FIRST
            }
        };
        let is_clean = self.is_clean(&mut expected, serves, traffic, screen).await?;
        self.pass(EPILOGUE, traffic, screen).await?;
        Ok(is_clean)
    }

    async fn good(&mut self, traffic: &Traffic, screen: &mut Screen<'_>) -> Result<()> {
        screen.heading("4  A person decides")?;
        screen.say("The step waits for a person, who lets two measurements pass first.")?;
        self.pass(THOUGHT_OVER, traffic, screen).await?;
        let approve = "kubectl-kruise rollout approve rollout/rollouts-demo -n default";
        self.command(screen, approve)?;
        self.note_person("The release goes on", approve);
        let said = self.plugin(approve).await?;
        screen.say(&said)?;
        screen.heading("5  The rest goes by itself")?;
        self.until_ended(Ending::Completed, traffic, screen).await?;
        screen.measured(&traffic.count(200).await)?;
        Ok(())
    }

    async fn bad(&mut self, traffic: &Traffic, screen: &mut Screen<'_>) -> Result<()> {
        screen.heading("4  The success rate falls")?;
        screen.say("The step waits for a person. None comes; nobody has to.")?;
        let seen = self
            .until("the release is taken back", traffic, screen, |seen| {
                seen.state == StepState::TakenBack
            })
            .await?;
        let at = self.elapsed().as_secs_f64();
        screen.seen(at, &format!("= Rollout    rollouts-demo: {}", seen.message))?;
        screen.heading("5  The traffic goes back")?;
        self.until("no request is led to the new version", traffic, screen, |seen| {
            seen.weight == 0
        })
        .await?;
        screen.say("Nothing starts again by itself. The metric server forgets the bad answers:")?;
        self.pass(AFTERWARDS, traffic, screen).await?;
        screen.measured(&traffic.lately())?;
        screen.say("The workload still names the bad version, and stands still. The old image is\nput back; that ends the release:")?;
        self.order_image(FIRST, Some("The old image is put back"), screen)
            .await?;
        self.until_ended(Ending::RolledBack, traffic, screen).await?;
        screen.measured(&traffic.count(200).await)?;
        Ok(())
    }

    /// Gives the workload an image, as kubectl does. Without `why` it is the release that is told, and the record begins.
    async fn order_image(&mut self, image: &str, why: Option<&str>, screen: &mut Screen<'_>) -> Result<()> {
        let command = format!("kubectl set image deployment/echoserver echoserver={image}");
        self.command(screen, &command)?;
        match why {
            Some(why) => self.note_person(why, &command),
            None => {
                let before = self.dialect.observe().await?;
                if let Some(judge) = &mut self.judge {
                    judge.recorder = Some(Recorder::begin(&self.world.env, FIRST, image, &command, before));
                }
            }
        }
        self.dialect.release(image).await?;
        Ok(())
    }

    /// Lets time go by, and looks on.
    async fn pass(&mut self, time: Duration, traffic: &Traffic, screen: &mut Screen<'_>) -> Result<()> {
        let end = self.world.env.clock().elapsed().after(time);
        let env = self.world.env.clone();
        self.until("time goes by", traffic, screen, |_| env.clock().elapsed() >= end)
            .await
            .map(drop)
    }

    /// The gateway reads its cluster every few seconds, as ingress-nginx does.
    async fn until_given(&mut self, traffic: &Traffic, screen: &mut Screen<'_>) -> Result<()> {
        loop {
            let seen = self.dialect.observe().await?;
            self.record(&seen, screen).await?;
            screen.show(&traffic.lately(), self.rate(), "the gateway is about to follow");
            let recorder = self.judge.as_ref().and_then(|judge| judge.recorder.as_ref());
            let look = recorder.and_then(|recorder| recorder.record().looks.last().copied());
            if look.is_none_or(|look| look.weight > 0.0) {
                return Ok(());
            }
            self.world.env.sleep(self.pace.look).await;
        }
    }

    fn note_person(&mut self, what: &str, command: &str) {
        let env = &self.world.env;
        if let Some(recorder) = self.judge.as_mut().and_then(|judge| judge.recorder.as_mut()) {
            recorder.person(env, what, command);
        }
    }

    /// Writes down what is seen, once a release is recorded, and says what was measured since.
    pub(super) async fn record(&mut self, seen: &Observation, screen: &mut Screen<'_>) -> Result<()> {
        let at = self.elapsed().as_secs_f64();
        let Some(judge) = &mut self.judge else { return Ok(()) };
        let Some(recorder) = &mut judge.recorder else {
            return Ok(());
        };
        let sources = Sources {
            env: &self.world.env,
            kubernetes: &self.kubernetes,
            cluster: &self.living.cluster,
            metrics: &judge.metrics,
            question: &judge.question,
        };
        for line in recorder.look(&sources, seen).await? {
            screen.seen(at, &line)?;
        }
        Ok(())
    }

    /// What is measured now, where a release is judged.
    pub(super) fn rate(&self) -> Option<Rate> {
        let judge = self.judge.as_ref()?;
        Some(Rate {
            measured: judge.metrics.measured(),
            least: judge.recorder.as_ref().and_then(|recorder| recorder.record().threshold),
        })
    }
}
