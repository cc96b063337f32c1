//! A verdict as somebody meets it who reads logs, Events and runs: said once, with its numbers. And a Secret that the process may not read.

use std::time::Duration;

use controller::LeaderElection;
use env::HttpService;
use http::Response;
use kube::api::ListParams;
use serde_json::{Value, json};

use crate::forbidden::{Installed, with_controller};
use crate::gate::cannot;
use crate::person::FOUR_STEPS;

/// Where the metric server is.
pub(crate) const METRICS: &str = "prometheus:9090";

/// A metric server that finds every version bad; asked for `warned`, good, and warns of its own answer.
pub(crate) fn bad_rate() -> HttpService {
    HttpService::new(|request: http::Request<env::Body>| async {
        let asked = env::read_all(request.into_body(), 1 << 10).await?;
        let is_warned = String::from_utf8_lossy(&asked).contains("query=warned");
        let (value, warnings) = if is_warned {
            ("1", json!(["2 of 3 stores did not answer"]))
        } else {
            ("0.2", json!([]))
        };
        let result = json!([{ "metric": {}, "value": [0, value] }]);
        let data = json!({ "resultType": "vector", "result": result });
        let body = json!({ "status": "success", "warnings": warnings, "data": data });
        Ok(Response::new(env::full(body.to_string())))
    })
}

impl Installed {
    /// Begins a release whose first step is judged by the success rate, with these fields besides.
    async fn judged_release(&self, block: Value, template: Value) {
        let mut spec = json!({ "metrics": [{
            "name": "success-rate", "interval": "10s", "count": 3, "failureLimit": 1, "successCondition": "result[0] >= 0.95",
            "provider": { "prometheus": { "address": "http://prometheus:9090", "query": "up" } },
        }] });
        json_patch::merge(&mut spec, &template);
        self.person
            .create(json!({
                "apiVersion": "rollouts.kruise.io/v1alpha1", "kind": "AnalysisTemplate",
                "metadata": { "name": "rate" }, "spec": spec,
            }))
            .await;
        let mut analysis = json!({ "templates": [{ "templateName": "rate" }] });
        json_patch::merge(&mut analysis, &block);
        let mut rollout: Value = serde_yaml::from_str(FOUR_STEPS).expect("YAML");
        rollout["spec"]["strategy"]["canary"]["steps"][0]["analysis"] = analysis;
        self.person.article(&rollout.to_string()).await;
        self.person.image("1.10.3").await;
    }

    /// The statuses of all runs.
    async fn runs(&self) -> Vec<Value> {
        let runs = self.person.api("rollouts.kruise.io/v1alpha1", "AnalysisRun");
        let listed = runs.list(&ListParams::default()).await.expect("a list");
        listed.items.into_iter().map(|run| run.data["status"].clone()).collect()
    }

    async fn until_state(&self, wanted: &str) {
        self.person
            .until(wanted, |status| status["canaryStatus"]["currentStepState"] == wanted)
            .await;
    }
}

#[test]
fn a_verdict_is_said_once_with_its_numbers() {
    with_controller(LeaderElection::Off, |installed| async move {
        installed
            .judged_release(json!({ "onFailure": "Rollback" }), json!({}))
            .await;
        installed.until_state("StepAborted").await;
        installed.person.env.sleep(Duration::from_secs(600)).await;
        let numbers = "Metric \"success-rate\" assessed Failed due to failed (2) > failureLimit (1)";
        let lines = installed.log.lines();
        let said: Vec<&String> = lines.iter().filter(|line| line.contains(numbers)).collect();
        assert_eq!(said.len(), 1, "{said:#?}");
        let events = installed.events("Aborted").await;
        assert!(
            matches!(events.as_slice(), [only] if only.contains(numbers) && only.ends_with("the release is rolled back")),
            "{events:#?}"
        );
    });
}

#[test]
fn an_answer_that_its_server_warns_of_is_neither_good_nor_an_error() {
    with_controller(LeaderElection::Off, |installed| async move {
        let template = json!({ "metrics": [{
            "name": "success-rate", "interval": "10s", "count": 3, "successCondition": "result[0] >= 0.95",
            "provider": { "prometheus": { "address": "http://prometheus:9090", "query": "warned" } },
        }] });
        installed.judged_release(json!({}), template).await;
        installed.until_state("StepPaused").await;
        let status = installed.person.status().await;
        assert_eq!(
            status["canaryStatus"]["currentStepAnalysis"]["phase"], "Inconclusive",
            "{status:#}"
        );
        let [run] = installed.runs().await.try_into().expect("one run");
        assert!(
            run.to_string()
                .contains("the answer may be wrong: 2 of 3 stores did not answer"),
            "{run:#}"
        );
    });
}

#[test]
fn a_secret_that_may_not_be_read_is_an_error_that_names_the_right() {
    with_controller(LeaderElection::Off, |installed| async move {
        installed.gate.withhold(("get", "secrets"));
        let token = json!({ "valueFrom": { "secretKeyRef": { "name": "token", "key": "value" } } });
        let mut argument = token.clone();
        argument["name"] = json!("token");
        let template = json!({ "args": [argument], "metrics": [{
            "name": "success-rate", "interval": "10s", "count": 3, "successCondition": "result[0] >= 0.95",
            "provider": { "prometheus": {
                "address": "http://prometheus:9090", "query": "up",
                "headers": [{ "key": "x-token", "value": "{{args.token}}" }],
            } },
        }] });
        installed.judged_release(json!({}), template).await;
        installed.until_state("StepPaused").await;
        let [run] = installed.runs().await.try_into().expect("one run");
        let status = run.to_string().replace("\\\"", "\"");
        assert_eq!(run["phase"], "Error", "{status}");
        assert!(status.contains(&cannot("get", "secrets")), "{status}");
        let said = installed.person.status().await["message"].to_string();
        assert!(said.contains("could not measure"), "{said}");
    });
}
