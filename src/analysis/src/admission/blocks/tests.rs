//! What a Rollout is refused for, with the templates that it names.

use api::field_error::aggregate;
use api::v1beta1::RolloutStrategy;
use rstest::rstest;
use serde_json::{Value, json};

use super::{Templates, references, strategy};

fn template(name: &str, metric: &Value) -> (String, Value) {
    let provider = json!({ "prometheus": { "address": "http://a", "query": "q" } });
    let mut whole = json!({ "name": name, "successCondition": "true", "provider": provider });
    whole
        .as_object_mut()
        .unwrap()
        .extend(metric.as_object().unwrap().clone());
    (name.to_owned(), json!({ "metrics": [whole] }))
}

/// `once` ends, `endless` does not, `asks` has an argument without a value, `round` takes itself in.
fn templates() -> Templates {
    let all = [
        template("once", &json!({})),
        template("counted", &json!({ "interval": "1s", "count": "{{args.n}}" })),
        template("row", &json!({ "interval": "1s", "consecutiveSuccessLimit": 3 })),
        template("endless", &json!({ "interval": "1s" })),
        template("endlessToo", &json!({ "interval": "1s", "count": 0 })),
        ("asks".to_owned(), json!({ "args": [{ "name": "service" }] })),
        (
            "round".to_owned(),
            json!({ "templates": [{ "templateName": "round" }] }),
        ),
    ];
    all.into_iter()
        .map(|(name, spec)| {
            let reference = json!({ "templateName": name, "clusterScope": false });
            (
                serde_json::from_value(reference).unwrap(),
                serde_json::from_value(spec).unwrap(),
            )
        })
        .collect()
}

/// A canary strategy with `field` and a step with a gate, both of these templates.
fn with(field: &str, block: &Value) -> RolloutStrategy {
    serde_json::from_value(json!({ "canary": { field: block, "steps": [] } })).unwrap()
}

fn gated(block: &Value) -> RolloutStrategy {
    serde_json::from_value(
        json!({ "blueGreen": { "steps": [{ "replicas": 1 }, { "replicas": 2, "analysis": block }] } }),
    )
    .unwrap()
}

fn by(names: &[&str]) -> Value {
    let refs: Vec<Value> = names.iter().map(|name| json!({ "templateName": name })).collect();
    json!({ "templates": refs })
}

fn and(names: &[&str], more: &Value) -> Value {
    let mut block = by(names);
    block.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    block
}

#[rstest]
#[case::ends(gated(&by(&["once", "row"])), "")]
#[case::counted_by_an_argument(gated(&by(&["counted"])), "")]
#[case::endless_gate(gated(&by(&["endless"])), "spec.strategy.blueGreen.steps[1].analysis.templates: Invalid value: \"endless\": metric endless has an interval and no count")]
#[case::count_of_zero(gated(&by(&["endlessToo"])), "metric endlessToo has an interval and no count")]
#[case::all_along(with("analysis", &by(&["endless"])), "")]
#[case::endless_before_promotion(with("prePromotionAnalysis", &by(&["endless"])), "spec.strategy.canary.prePromotionAnalysis.templates")]
#[case::endless_after_promotion(with("postPromotionAnalysis", &by(&["endless"])), "spec.strategy.canary.postPromotionAnalysis.templates")]
#[case::for_a_time_after_promotion(with("postPromotionAnalysis", &and(&["endless"], &json!({ "duration": 60 }))), "")]
#[case::not_there_yet(gated(&by(&["later", "endless"])), "")]
#[case::round(gated(&by(&["round"])), "steps[1].analysis.templates: Invalid value: \"round\": template 'round' takes itself in")]
#[case::without_an_argument(gated(&by(&["asks", "once"])), "steps[1].analysis.args: Invalid value: \"\": args.service was not resolved")]
#[case::with_an_argument(gated(&and(&["asks", "once"], &json!({ "args": [{ "name": "service", "valueFrom": { "podTemplateHashValue": "Latest" } }] }))), "")]
#[case::dry_run(gated(&and(&["once"], &json!({ "dryRun": [{ "metricName": "once" }] }))), "")]
#[case::dry_run_of_nothing(gated(&and(&["once"], &json!({ "dryRun": [{ "metricName": "other" }] }))), "steps[1].analysis.dryRun: Invalid value")]
#[case::kept_of_nothing(gated(&and(&["once"], &json!({ "measurementRetention": [{ "metricName": "other", "limit": 1 }] }))), "steps[1].analysis.measurementRetention: Invalid value")]
fn a_strategy_is_judged_with_its_templates(#[case] rollout: RolloutStrategy, #[case] says: &str) {
    let errors = strategy(&rollout, &templates());
    let verdict = if errors.is_empty() {
        String::new()
    } else {
        aggregate(&errors)
    };
    assert!(
        verdict.contains(says) && verdict.is_empty() == says.is_empty(),
        "{verdict}"
    );
}

#[test]
fn every_reference_is_found_with_its_scope() {
    let block = json!({ "templates": [{ "templateName": "a" }, { "templateName": "b", "clusterScope": true }] });
    let found: Vec<(String, Option<bool>)> = references(&gated(&block))
        .into_iter()
        .map(|reference| (reference.template_name, reference.cluster_scope))
        .collect();
    assert_eq!(found, [("a".to_owned(), Some(false)), ("b".to_owned(), Some(true))]);
}
