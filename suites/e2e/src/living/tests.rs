//! The pace that a person may ask for, and the plugin as a person types it against a living cluster, on virtual time.

use std::fmt::Write as _;

use env::sim::SimEnv;
use kubectl_tidegate::Connect;
use rstest::rstest;
use serde_json::json;
use suites::{Kubernetes, ObjectRef, PatchKind, manifest};

use super::{Living, Speed};
use crate::embedded::client;

#[rstest]
#[case("1", true)]
#[case("0.5", true)]
#[case("1000", true)]
#[case("0", false)]
#[case("-1", false)]
#[case("nan", false)]
#[case("inf", false)]
#[case("1001", false)]
#[case("fast", false)]
fn speeds(#[case] text: &str, #[case] is_taken: bool) {
    let speed: Result<Speed, String> = text.parse();
    assert_eq!(speed.is_ok(), is_taken, "{speed:?}");
    if let Err(says) = speed {
        assert_eq!(
            says,
            "write how many times faster than the clock, above 0 and up to 1000"
        );
    }
}

/// Somebody at a terminal, and all that it has shown.
struct Terminal {
    world: SimEnv,
    kubernetes: Kubernetes,
    shown: String,
}

impl Terminal {
    async fn types(&mut self, line: &str) {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let code = kubectl_tidegate::run(
            &self.world.env,
            Connect::Ready(self.kubernetes.client().clone()),
            std::iter::once("kubectl-kruise")
                .chain(line.split(' '))
                .map(str::to_owned),
            &mut out,
            &mut err,
        )
        .await;
        let told = [out, err].map(|bytes| String::from_utf8(bytes).expect("it is text"));
        let _ = writeln!(self.shown, "$ {line}\n{}({code})", told.concat());
    }

    async fn sets_image(&mut self, version: &str) {
        let image = format!("cilium/echoserver:{version}");
        let _ = writeln!(self.shown, "= image {version}");
        let patch = json!([{ "op": "replace", "path": "/spec/template/spec/containers/0/image", "value": image }]);
        let workload = ObjectRef::namespaced("apps/v1", "Deployment", "default", "echoserver");
        let patched = self.kubernetes.patch(&workload, None, PatchKind::Json, &patch).await;
        patched.expect("the image is set");
    }
}

#[test]
fn every_verb_of_the_plugin_against_a_release() {
    let shown = env::sim::run(1, env::Trace::off(), |world| async move {
        let living = Living::start(&world).await.expect("the cluster starts");
        let kubernetes = Kubernetes::new(client(living.cluster.api()));
        for text in [
            include_str!("../../../../fixtures/article/deployment.yaml"),
            include_str!("../../../../fixtures/article/service.yaml"),
            include_str!("../../../../fixtures/article/ingress.yaml"),
            include_str!("../../../../fixtures/article/rollout.yaml"),
        ] {
            for object in manifest::documents(text, &manifest::AsWritten).expect("it is a manifest") {
                kubernetes.create(&object).await.expect("it is taken");
            }
        }
        let mut terminal = Terminal {
            world,
            kubernetes,
            shown: String::new(),
        };
        terminal
            .types("rollout status rollout/rollouts-demo --timeout 60s")
            .await;
        terminal.types("rollout approve rollout/rollouts-demo -n default").await;
        terminal.types("rollout jump rollout/rollouts-demo --to-step 1").await;
        terminal.types("rollout undo rollout/rollouts-demo").await;
        terminal.sets_image("1.10.3").await;
        terminal
            .types("rollout status rollout/rollouts-demo --timeout 1s")
            .await;
        terminal
            .types("-n default rollout status rollouts --until-paused")
            .await;
        terminal
            .types("rollout status rollout/rollouts-demo --watch=false -o name")
            .await;
        terminal
            .types("rollout pause rollout/rollouts-demo --dry-run=server")
            .await;
        terminal.types("rollout pause rollout/rollouts-demo").await;
        terminal.types("rollout pause rollout/rollouts-demo").await;
        terminal.types("rollout resume rollout/rollouts-demo").await;
        terminal.types("rollout approve rollout/rollouts-demo --step 2").await;
        terminal.types("rollout approve rollout/rollouts-demo --dry-run").await;
        terminal
            .types("rollout approve rollout rollouts-demo other -o name")
            .await;
        terminal.types("rollout status rollout/rollouts-demo").await;
        terminal.sets_image("1.10.4").await;
        terminal
            .types("rollout status rollout/rollouts-demo --until-paused")
            .await;
        terminal.types("rollout undo rollout/rollouts-demo").await;
        terminal.types("rollout status rollout/rollouts-demo").await;
        terminal.types("rollout get rollouts -A").await;
        terminal.types("rollout get rollouts -l app=none").await;
        terminal.types("rollout get rollouts -n elsewhere").await;
        terminal.types("rollout get deployments/echoserver").await;
        living.stop().await;
        terminal.shown
    });
    let mut settings = insta::Settings::clone_current();
    settings.add_filter("revision [a-z0-9]{8,10}\\b", "revision HASH");
    let _filters = settings.bind_to_scope();
    insta::assert_snapshot!(shown, @r#"
$ rollout status rollout/rollouts-demo --timeout 60s
rollout.rollouts.kruise.io/rollouts-demo Healthy: workload deployment is completed
(0)
$ rollout approve rollout/rollouts-demo -n default
error: rollout.rollouts.kruise.io/rollouts-demo does not allow to approve, because current canary state is not 'StepPaused': it is at step 1/1 (Completed) of revision HASH
(1)
$ rollout jump rollout/rollouts-demo --to-step 1
error: rollout.rollouts.kruise.io/rollouts-demo has no release under way, so there is no step to jump from
(1)
$ rollout undo rollout/rollouts-demo
rollout.rollouts.kruise.io/rollouts-demo skipped rollback (current template already matches revision HASH)
(0)
= image 1.10.3
$ rollout status rollout/rollouts-demo --timeout 1s
rollout.rollouts.kruise.io/rollouts-demo Progressing, step 1/1 (StepUpgrade) of revision HASH: Rollout is in step(1/1), and upgrade workload to new version
error: rollout.rollouts.kruise.io/rollouts-demo timed out waiting for the release to end
(4)
$ -n default rollout status rollouts --until-paused
rollout.rollouts.kruise.io/rollouts-demo Progressing, step 1/1 (StepUpgrade) of revision HASH: Rollout is in step(1/1), and upgrade workload to new version
rollout.rollouts.kruise.io/rollouts-demo Progressing, step 1/1 (StepTrafficRouting) of revision HASH: Rollout is in step(1/1), and route traffic to new version
rollout.rollouts.kruise.io/rollouts-demo Progressing, step 1/1 (StepPaused) of revision HASH: Rollout is in step(1/1), and you need manually confirm to enter the next step
(2)
$ rollout status rollout/rollouts-demo --watch=false -o name
rollout.rollouts.kruise.io/rollouts-demo
(2)
$ rollout pause rollout/rollouts-demo --dry-run=server
rollout.rollouts.kruise.io/rollouts-demo paused (server dry run)
(0)
$ rollout pause rollout/rollouts-demo
rollout.rollouts.kruise.io/rollouts-demo paused
(0)
$ rollout pause rollout/rollouts-demo
error: rollout.rollouts.kruise.io/rollouts-demo is already paused
(1)
$ rollout resume rollout/rollouts-demo
rollout.rollouts.kruise.io/rollouts-demo resumed
(0)
$ rollout approve rollout/rollouts-demo --step 2
error: rollout.rollouts.kruise.io/rollouts-demo is not at step 2 but at step 1/1 (StepPaused) of revision HASH; nothing was approved, look again
(1)
$ rollout approve rollout/rollouts-demo --dry-run
rollout.rollouts.kruise.io/rollouts-demo approved (dry run)
(0)
$ rollout approve rollout rollouts-demo other -o name
rollout.rollouts.kruise.io/rollouts-demo
error: rollout.rollouts.kruise.io/other cannot be read: rollouts.rollouts.kruise.io "other" not found
(1)
$ rollout status rollout/rollouts-demo
rollout.rollouts.kruise.io/rollouts-demo Progressing, step 1/1 (Completed) of revision HASH: Rollout has been completed and some closing work is being done
rollout.rollouts.kruise.io/rollouts-demo Healthy: Rollout progressing has been completed
(0)
= image 1.10.4
$ rollout status rollout/rollouts-demo --until-paused
rollout.rollouts.kruise.io/rollouts-demo Progressing, step 1/1 (StepUpgrade) of revision HASH: Rollout is in step(1/1), and upgrade workload to new version
rollout.rollouts.kruise.io/rollouts-demo Progressing, step 1/1 (StepTrafficRouting) of revision HASH: Rollout is in step(1/1), and route traffic to new version
rollout.rollouts.kruise.io/rollouts-demo Progressing, step 1/1 (StepPaused) of revision HASH: Rollout is in step(1/1), and you need manually confirm to enter the next step
(2)
$ rollout undo rollout/rollouts-demo
rollout.rollouts.kruise.io/rollouts-demo rolled back
(0)
$ rollout status rollout/rollouts-demo
rollout.rollouts.kruise.io/rollouts-demo Progressing, step 1/1 (StepPaused) of revision HASH: The workload has been rolled back and the rollout process will be canceled
rollout.rollouts.kruise.io/rollouts-demo Healthy: Rollout progressing has been canceled
(3)
$ rollout get rollouts -A
default rollout.rollouts.kruise.io/rollouts-demo Healthy: Rollout progressing has been canceled
(0)
$ rollout get rollouts -l app=none
No resources found in default namespace.
(0)
$ rollout get rollouts -n elsewhere
No resources found in elsewhere namespace.
(0)
$ rollout get deployments/echoserver
error: "deployments" is not a Rollout of rollouts.kruise.io; write rollout/echoserver
(1)
"#);
}
