//! Writes that are refused for good: what a person is told, how often, and that it is over when it is over.

use std::time::Duration;

use env::Trace;
use env::sim::run;
use serde_json::{Value, json};

use super::running::{DEPLOYMENTS, PATCH_ECHO, PATCH_WEB, ROLLOUTS, Running, mark_both};

const STATUS: &str = "PATCH /apis/rollouts.kruise.io/v1beta1/namespaces/ns/rollouts/demo/status";
const MINUTE: Duration = Duration::from_secs(60);

fn stalled(running: &Running) -> Value {
    let rollout = running.server.object(ROLLOUTS, "ns/demo");
    rollout["status"]["conditions"][0].clone()
}

#[test]
fn it_is_said_once_by_condition_and_event_and_taken_back_when_it_is_over() {
    run(1, Trace::off(), |world| async move {
        let running = Running::start(&world.env, mark_both);
        let no = Some(403);
        // The write, the condition (let through), and the write again and again.
        running.server.answer_writes([no, None, no, no, no, no, no, no, no]);
        let message = "write Deployment ns/echo: 403 Forbidden: scripted; a policy of the cluster forbids it, \
                       change the policy or what the Rollout asks for; it is tried again by itself";
        let event = format!("EVENT {message:?}");
        let writes = running.writes_within(Duration::from_millis(500)).await;
        assert_eq!(writes[..3], [PATCH_ECHO, STATUS, &event]);
        assert!(writes[3..].iter().all(|write| write == PATCH_ECHO), "{writes:?}");
        let condition = stalled(&running);
        assert_eq!(condition["type"], "Stalled");
        assert_eq!(condition["status"], "True");
        assert_eq!(condition["reason"], "WriteRefused");
        assert_eq!(condition["message"], message);
        let writes = running.writes_within(MINUTE).await;
        assert_eq!(writes[writes.len() - 3..], [PATCH_ECHO, PATCH_WEB, STATUS]);
        assert_eq!(
            running.server.object(ROLLOUTS, "ns/demo")["status"]["conditions"],
            Value::Null
        );
        running.end().await;
    });
}

#[test]
fn a_restart_neither_forgets_the_condition_nor_writes_it_again() {
    run(1, Trace::off(), |world| async move {
        let running = Running::start(&world.env, mark_both);
        running.server.answer_writes([Some(422), None]);
        running.server.answer_writes([Some(422); 1000]);
        running.writes_within(MINUTE).await;
        let before = stalled(&running);
        let server = running.server.clone();
        running.end().await;
        let running = Running::on(server, &world.env, mark_both);
        let writes = running.writes_within(MINUTE).await;
        assert!(!writes.iter().any(|write| write == STATUS), "{writes:?}");
        assert_eq!(stalled(&running), before);
        running.end().await;
    });
}

#[test]
fn tries_become_rare_and_a_server_that_is_only_busy_is_nobodys_concern() {
    run(1, Trace::off(), |world| async move {
        let running = Running::start(&world.env, mark_both);
        running
            .server
            .answer_writes([Some(503), Some(429), Some(500)].into_iter().cycle().take(3000));
        running.writes_within(MINUTE).await;
        let writes = running.writes_within(10 * MINUTE).await;
        assert!(
            (15..=50).contains(&writes.len()),
            "{} tries in ten minutes",
            writes.len()
        );
        assert!(writes.iter().all(|write| write == PATCH_ECHO), "{writes:?}");
        assert_eq!(stalled(&running), Value::Null);
        // A change of the world is a reason to try at once.
        let echo =
            json!({ "metadata": { "namespace": "ns", "name": "echo", "annotations": {} }, "spec": { "replicas": 7 } });
        running.server.put(DEPLOYMENTS, echo);
        assert!(!running.writes_within(Duration::from_secs(1)).await.is_empty());
        running.end().await;
    });
}
