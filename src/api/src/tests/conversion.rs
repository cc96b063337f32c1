//! There and back is the identity, for whatever the schemas allow.

use proptest::collection::{btree_map, vec};
use proptest::option::of;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::convert::convert;

const ALPHA: &str = "rollouts.kruise.io/v1alpha1";
const BETA: &str = "rollouts.kruise.io/v1beta1";

/// An object of optional fields: those that are null are left out.
fn object(fields: Vec<(&'static str, Option<Value>)>) -> Value {
    fields
        .into_iter()
        .filter_map(|(name, value)| value.map(|value| (name.to_owned(), value)))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

fn quantity() -> impl Strategy<Value = Value> {
    prop_oneof![
        (-3..300i32).prop_map(Value::from),
        (0..130i32).prop_map(|p| format!("{p}%").into()),
        "[a-z%0-9]{0,4}".prop_map(Value::from)
    ]
}

fn reference() -> impl Strategy<Value = Value> {
    (
        "(apps/v1|apps.kruise.io/v1alpha1)",
        "(Deployment|CloneSet)",
        "[a-z]{0,3}",
    )
        .prop_map(|(version, kind, name)| json!({ "apiVersion": version, "kind": kind, "name": name }))
}

fn place() -> impl Strategy<Value = Value> {
    of(reference()).prop_map(|workload| object(vec![("workloadRef", workload)]))
}

fn flag() -> impl Strategy<Value = Option<Value>> {
    of(any::<bool>().prop_map(Value::from))
}

fn pause() -> impl Strategy<Value = Value> {
    (of(0..900i32), flag())
        .prop_map(|(seconds, until)| object(vec![("duration", seconds.map(Value::from)), ("untilAnalysis", until)]))
}

fn analysis() -> impl Strategy<Value = Value> {
    let action = || of("(Pause|Rollback|Continue)");
    let number = || of(-1..9i32);
    let source = prop_oneof![
        Just(json!({ "name": "a", "value": "v" })),
        Just(json!({ "name": "b", "valueFrom": { "secretKeyRef": { "name": "s", "key": "k" } } })),
        Just(json!({ "name": "c", "valueFrom": { "podTemplateHashValue": "Stable" } })),
        Just(json!({ "name": "d", "valueFrom": { "fieldRef": { "fieldPath": "metadata.name" } } })),
    ];
    let templates = vec(
        flag().prop_map(|wide| object(vec![("templateName", Some("t".into())), ("clusterScope", wide)])),
        0..3,
    );
    (
        of(templates),
        of(vec(source, 0..3)),
        (action(), action()),
        (number(), number(), number()),
    )
        .prop_map(|(templates, args, (failure, error), (step, duration, kept))| {
            object(vec![
                ("templates", templates.map(Value::from)),
                ("args", args.map(Value::from)),
                ("startingStep", step.map(Value::from)),
                ("duration", duration.map(Value::from)),
                ("dryRun", step.map(|_| json!([{ "metricName": "m" }]))),
                (
                    "measurementRetention",
                    duration.map(|limit| json!([{ "metricName": "m", "limit": limit }])),
                ),
                ("onFailure", failure.map(Value::from)),
                ("onError", error.map(Value::from)),
                ("successfulRunHistoryLimit", kept.map(Value::from)),
                ("ttlStrategy", kept.map(|kept| json!({ "secondsAfterFailure": kept }))),
            ])
        })
}

fn matches(beta: bool) -> impl Strategy<Value = Value> {
    let header = of(vec(Just(json!({ "name": "user", "value": "me" })), 0..2).prop_map(Value::from));
    let path = of(Just(json!({ "value": "/x" })));
    vec(
        (header, path)
            .prop_map(move |(headers, path)| object(vec![("headers", headers), ("path", path.filter(|_| beta))])),
        0..3,
    )
    .prop_map(Value::from)
}

fn step(beta: bool) -> impl Strategy<Value = Value> {
    let share = if beta {
        prop_oneof![
            (0..130i32).prop_map(|p| format!("{p}%").into()),
            "[0-9%a]{0,4}".prop_map(Value::from)
        ]
        .boxed()
    } else {
        (-5..400i32).prop_map(Value::from).boxed()
    };
    (
        of(share),
        of(quantity()),
        of(pause()),
        of(matches(beta)),
        of(analysis()),
    )
        .prop_map(move |(share, replicas, pause, matches, analysis)| {
            let name = if beta { "traffic" } else { "weight" };
            object(vec![
                (name, share),
                ("replicas", replicas),
                ("pause", pause),
                ("matches", matches),
                ("analysis", analysis),
            ])
        })
}

fn routing(beta: bool) -> impl Strategy<Value = Value> {
    let gateway = prop_oneof![
        Just(json!({ "httpRouteName": "web" })),
        Just(json!({ "grpcRouteName": "web" }))
    ];
    let ingress = Just(json!({ "name": "web" }));
    (of(Just("nginx")), of(0..9i32), of(ingress), of(gateway)).prop_map(move |(kind, grace, ingress, gateway)| {
        let kind = kind.filter(|_| !beta).map(Value::from);
        object(vec![
            ("service", Some("s".into())),
            ("type", kind),
            ("gracePeriodSeconds", grace.map(Value::from)),
            ("ingress", ingress),
            ("gateway", gateway),
        ])
    })
}

fn strategy(beta: bool) -> impl Strategy<Value = Value> {
    let lists = (
        of(vec(step(beta), 0..4).prop_map(Value::from)),
        of(vec(routing(beta), 0..3).prop_map(Value::from)),
    );
    let patch = of(btree_map("[a-z]", "[a-z]", 0..2).prop_map(|labels| json!({ "labels": labels })));
    let analyses = (of(analysis()), of(analysis()), of(analysis()));
    (lists, of(quantity()), flag(), flag(), of("[a-z]{0,2}"), patch, analyses).prop_map(
        move |((steps, routings), threshold, extra, no_service, reference, patch, (along, before, after))| {
            object(vec![
                ("steps", steps),
                ("trafficRoutings", routings),
                ("failureThreshold", threshold),
                ("disableGenerateCanaryService", no_service),
                ("enableExtraWorkloadForCanary", extra.filter(|_| beta)),
                ("trafficRoutingRef", reference.filter(|_| beta).map(Value::from)),
                ("patchPodTemplateMetadata", patch),
                ("analysis", along),
                ("prePromotionAnalysis", before),
                ("postPromotionAnalysis", after),
            ])
        },
    )
}

fn sub_status(revision: &'static str, prefix: &'static str) -> impl Strategy<Value = Value> {
    (of(1..5i32), -1..5i32, "(StepPaused|Completed||Strange)").prop_map(move |(index, next, state)| {
        let mut status = json!({
            "podTemplateHash": "h", "nextStepIndex": next, "finalisingStep": "", "currentStepState": state, revision: "r",
        });
        status[format!("{prefix}Replicas")] = 1.into();
        status[format!("{prefix}ReadyReplicas")] = 1.into();
        if let Some(index) = index {
            status["currentStepIndex"] = index.into();
            status["currentStepAnalysis"] = json!({ "name": "run", "phase": "Running", "message": "so far" });
        }
        status
    })
}

fn status(beta: bool) -> impl Strategy<Value = Value> {
    let subs = (
        of(sub_status("canaryRevision", "canary")),
        of(sub_status("updatedRevision", "updated")),
    );
    (
        subs,
        of("(Healthy|Progressing|New)"),
        of(Just("text")),
        0..5i32,
        "(StepPaused|StepReady|)",
    )
        .prop_map(move |((canary, blue_green), phase, message, index, state)| {
            object(vec![
                ("canaryStatus", canary),
                ("blueGreenStatus", blue_green.filter(|_| beta)),
                ("phase", phase.map(Value::from)),
                ("message", message.map(Value::from)),
                ("currentStepIndex", Some(index.into()).filter(|_| beta)),
                ("currentStepState", Some(state.into()).filter(|_| beta)),
            ])
        })
}

fn metadata() -> impl Strategy<Value = Value> {
    let styles = of("(canary|Canary|partition|PARTITION|odd|)");
    (styles, of("[a-z]{0,2}"), any::<bool>()).prop_map(|(style, routing, other)| {
        let mut metadata = json!({ "name": "demo", "futureField": { "kept": true }, "creationTimestamp": null });
        let annotations = object(vec![
            ("rollouts.kruise.io/rolling-style", style.map(Value::from)),
            ("rollouts.kruise.io/trafficrouting", routing.map(Value::from)),
            ("team", other.then(|| "a".into())),
        ]);
        if annotations != json!({}) {
            metadata["annotations"] = annotations;
        }
        metadata
    })
}

fn alpha() -> impl Strategy<Value = Value> {
    let spec = (
        of(place()),
        of(place()),
        flag(),
        of(strategy(false)),
        flag(),
        of(Just("id")),
    );
    (metadata(), spec, of(status(false))).prop_map(
        |(metadata, (object_ref, misplaced, paused, canary, disabled, id), status)| {
            let strategy = object(vec![("objectRef", misplaced), ("paused", paused), ("canary", canary)]);
            let id = id.map(Value::from);
            let spec = object(vec![
                ("objectRef", object_ref),
                ("strategy", Some(strategy)),
                ("disabled", disabled),
                ("rolloutID", id),
            ]);
            object(vec![
                ("apiVersion", Some(ALPHA.into())),
                ("kind", Some("Rollout".into())),
                ("metadata", Some(metadata)),
                ("spec", Some(spec)),
                ("status", status),
            ])
        },
    )
}

fn beta() -> impl Strategy<Value = Value> {
    let spec = (reference(), flag(), of(strategy(true)), of(strategy(true)), flag());
    (metadata(), spec, of(status(true))).prop_map(
        |(metadata, (workload, paused, canary, blue_green, disabled), status)| {
            let blue_green = blue_green.map(|mut strategy| {
                for field in ["enableExtraWorkloadForCanary", "patchPodTemplateMetadata"] {
                    strategy.as_object_mut().unwrap().remove(field);
                }
                strategy
            });
            let strategy = object(vec![("paused", paused), ("canary", canary), ("blueGreen", blue_green)]);
            let spec = object(vec![
                ("workloadRef", Some(workload)),
                ("strategy", Some(strategy)),
                ("disabled", disabled),
            ]);
            object(vec![
                ("apiVersion", Some(BETA.into())),
                ("kind", Some("Rollout".into())),
                ("metadata", Some(metadata)),
                ("spec", Some(spec)),
                ("status", status),
            ])
        },
    )
}

proptest! {
    #[test]
    fn alpha_to_beta_to_alpha_is_the_identity(written in alpha()) {
        let stored = convert(&written, BETA).unwrap();
        prop_assert_eq!(convert(&stored, ALPHA).unwrap(), written, "stored as {}", stored);
    }

    #[test]
    fn beta_to_alpha_to_beta_is_the_identity(stored in beta()) {
        let seen = convert(&stored, ALPHA).unwrap();
        prop_assert_eq!(convert(&seen, BETA).unwrap(), stored, "seen as {}", seen);
    }

    #[test]
    fn a_batch_release_survives_both_ways(style in "(Canary|Partition|BlueGreen|)", annotated in of("(canary|Partition|bluegreen|odd)")) {
        let mut release = json!({
            "apiVersion": BETA, "kind": "BatchRelease", "metadata": { "name": "demo" },
            "spec": { "releasePlan": { "batches": [{ "canaryReplicas": "20%" }], "enableExtraWorkloadForCanary": true } },
            "status": { "canaryStatus": { "currentBatch": 0 }, "message": "kept" },
        });
        if !style.is_empty() {
            release["spec"]["releasePlan"]["rollingStyle"] = style.into();
        }
        if let Some(annotated) = annotated {
            release["metadata"]["annotations"] = json!({ "rollouts.kruise.io/rolling-style": annotated });
        }
        let seen = convert(&release, ALPHA).unwrap();
        prop_assert_eq!(convert(&seen, BETA).unwrap(), release.clone());
        let mut written = release;
        written["apiVersion"] = ALPHA.into();
        written["spec"]["targetReference"] = json!({ "workloadRef": { "apiVersion": "apps/v1", "kind": "Deployment", "name": "e" } });
        let stored = convert(&written, BETA).unwrap();
        prop_assert_eq!(convert(&stored, ALPHA).unwrap(), written);
    }
}

#[test]
fn what_was_kept_is_no_longer_used_after_an_edit() {
    let written = json!({
        "apiVersion": ALPHA, "kind": "Rollout", "metadata": { "name": "demo" },
        "spec": {
            "objectRef": { "workloadRef": { "apiVersion": "apps/v1", "kind": "Deployment", "name": "e" } },
            "strategy": { "canary": { "steps": [{ "weight": 5 }, { "weight": 40 }] } },
        },
    });
    let mut stored = convert(&written, BETA).unwrap();
    stored["spec"]["strategy"]["canary"]["steps"][1]["replicas"] = 3.into();
    let seen = convert(&stored, ALPHA).unwrap();
    assert_eq!(
        seen["spec"]["strategy"]["canary"]["steps"],
        json!([{ "weight": 5 }, { "weight": 40, "replicas": 3 }])
    );
}

#[test]
fn a_blue_green_rollout_written_back_through_v1alpha1_is_not_destroyed() {
    let stored = json!({
        "apiVersion": BETA, "kind": "Rollout", "metadata": { "name": "demo" },
        "spec": {
            "workloadRef": { "apiVersion": "apps/v1", "kind": "Deployment", "name": "e" },
            "strategy": { "blueGreen": { "steps": [{ "replicas": "100%", "traffic": "0%" }] } },
        },
    });
    let mut seen = convert(&stored, ALPHA).unwrap();
    seen["spec"]["disabled"] = true.into();
    let mut expected = stored;
    expected["spec"]["disabled"] = true.into();
    assert_eq!(convert(&seen, BETA).unwrap(), expected);
}

#[test]
fn what_is_not_ours_is_refused_in_words() {
    let error = convert(&json!({ "apiVersion": ALPHA, "kind": "Pod" }), BETA).unwrap_err();
    insta::assert_snapshot!(error, @"cannot convert Pod of rollouts.kruise.io/v1alpha1 to rollouts.kruise.io/v1beta1: only Rollout and BatchRelease of rollouts.kruise.io/v1alpha1 and rollouts.kruise.io/v1beta1 have two versions");
    let broken = json!({ "apiVersion": ALPHA, "kind": "Rollout", "metadata": { "name": "demo" }, "spec": { "strategy": { "canary": 7 } } });
    insta::assert_snapshot!(convert(&broken, BETA).unwrap_err(), @r#"cannot convert Rollout "demo" to rollouts.kruise.io/v1beta1: invalid type: integer `7`, expected struct CanaryStrategy; correct the field in the stored object"#);
    let empty = json!({ "apiVersion": ALPHA, "kind": "Rollout", "metadata": { "name": "demo" } });
    assert!(convert(&empty, BETA).is_ok());
}
