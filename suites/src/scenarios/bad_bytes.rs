//! Bodies that are no object at all: broken JSON, YAML that explodes, a hundred megabytes. One clear error, and nothing is changed.

use crate::scenario::{BEAT, Ends, Scenario, Scope};
use crate::{Check, Failure, Feature, Stage};

use super::{DEPLOYMENT, INGRESS, SERVICE, STABLE, body};

/// A body, and how it must be refused.
#[derive(Clone, Copy)]
struct Sent {
    id: &'static str,
    media_type: &'static str,
    bytes: fn() -> Vec<u8>,
    /// 0 stands for a connection that the server closes before the body has ended.
    codes: &'static [u16],
    word: &'static str,
}

const SENT: [Sent; 3] = [
    Sent {
        id: "bad-json",
        media_type: "application/json",
        bytes: broken_json,
        codes: &[400],
        word: "json",
    },
    Sent {
        id: "bad-yaml-that-explodes",
        media_type: "application/yaml",
        bytes: exploding_yaml,
        codes: &[400, 413],
        word: "yaml",
    },
    Sent {
        id: "bad-body-of-100-mb",
        media_type: "application/json",
        bytes: hundred_megabytes,
        codes: &[413, 0],
        word: "",
    },
];

pub(super) fn all() -> Vec<Scenario> {
    SENT.into_iter()
        .map(|sent| Scenario {
            id: sent.id.to_owned(),
            requirement: "issue, Bad input: one clear error within bounded memory, and nothing is changed",
            features: &[Feature::IngressNginx],
            scope: Scope::Namespace,
            manifests: vec![DEPLOYMENT, SERVICE, INGRESS],
            ends: Ends::Untouched,
            beat: BEAT,
            run: body(move |stage| is_refused(stage, sent)),
        })
        .collect()
}

async fn is_refused(stage: Stage, sent: Sent) -> Result<(), Failure> {
    let kubernetes = stage.kubernetes();
    let rollouts = kubernetes.resource("rollouts.kruise.io/v1beta1", "Rollout").await?;
    let path = rollouts.path(Some(stage.bed().namespace()));
    let answer = kubernetes.post(&path, sent.media_type, (sent.bytes)()).await;
    match answer {
        Err(refusal) if sent.codes.contains(&refusal.code) && refusal.message.to_lowercase().contains(sent.word) => {}
        answer => {
            return Err(Failure::new(
                Check::Refusal,
                format!(
                    "{}: a clear error is {:?} and says {:?}; the answer is {answer:?}",
                    sent.id, sent.codes, sent.word
                ),
            ));
        }
    }
    stage.all_answers_come_from(STABLE).await
}

fn broken_json() -> Vec<u8> {
    br#"{"apiVersion": "rollouts.kruise.io/v1beta1", "kind": "Rollout", "metadata": {"name": "#.to_vec()
}

/// Nine lines, each naming the one before nine times: 9⁹ words when written out.
fn exploding_yaml() -> Vec<u8> {
    let names = ["a", "b", "c", "d", "e", "f", "g", "h", "i"];
    let mut text =
        "apiVersion: rollouts.kruise.io/v1beta1\nkind: Rollout\nmetadata: {name: explodes}\nspec:\n".to_owned();
    let mut item = "tide".to_owned();
    for name in names {
        text.push_str(&format!("  {name}: &{name} [{}]\n", [item.as_str(); 9].join(", ")));
        item = format!("*{name}");
    }
    text.into_bytes()
}

fn hundred_megabytes() -> Vec<u8> {
    vec![b' '; 100 << 20]
}
