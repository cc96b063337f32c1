//! Making an AnalysisRun: the templates as one, frozen, with the Rollout's arguments; under a name that is computed, so that a create whose answer
//! was lost finds its own object.

use analysis::run::arguments::{Asked, given, merge};
use analysis::run::flatten;
use api::names::label;
use api::plan::{Analysis, Stage};
use api::v1alpha1::{AnalysisRunSpec, AnalysisTemplateSpec, TemplateRef};
use api::v1beta1::CanaryStatus;
use serde_json::{Value, json};

use crate::Kind;
use crate::meta::Meta;
use crate::traffic_step::owner_reference;
use crate::view::{Acting, View};

/// What a run is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// The gate of a step, from 1.
    Step(i32),
    /// All along.
    Background,
}

impl Place {
    /// The word of Argo Rollouts' label `rollout-type`.
    fn word(self, acting: &Acting<'_>) -> &'static str {
        let spec = acting.spec.as_ref().ok();
        match self {
            Self::Background => "Background",
            Self::Step(index) => match spec.and_then(|spec| spec.step(index)).map(|step| step.stage) {
                Some(Stage::BeforePromotion) => "PrePromotion",
                Some(Stage::AfterPromotion { .. }) => "PostPromotion",
                Some(Stage::Own) | None => "Step",
            },
        }
    }

    /// The name of its first run: of the Rollout, the revision, and the place.
    fn first(self, rollout: &str, revision: &str) -> String {
        // A run's name is a label value of its Jobs.
        let rollout: String = rollout.chars().take(40).collect();
        match self {
            Self::Step(index) => format!("{rollout}-{revision}-{index}"),
            Self::Background => format!("{rollout}-{revision}"),
        }
    }

    /// Whether `name` is one of its runs.
    pub(super) fn owns(self, name: &str, rollout: &str, revision: &str) -> bool {
        self.attempt(name, rollout, revision).is_some()
    }

    /// Which of its runs `name` is, from 0.
    fn attempt(self, name: &str, rollout: &str, revision: &str) -> Option<u32> {
        match name.strip_prefix(&self.first(rollout, revision))? {
            "" => Some(0),
            rest => rest.strip_prefix('.')?.parse().ok(),
        }
    }

    /// The name of the run after all that there were: `before` and those that still exist. The same revision may have been here in an earlier
    /// release or before a jump, and a verdict of then says nothing about now.
    pub(super) fn after(self, before: Option<&str>, view: &View<'_>, rollout: &str, revision: &str) -> String {
        let first = self.first(rollout, revision);
        let existing = view.world.of_kind(Kind::AnalysisRun).iter().map(|run| run.name());
        let attempts = existing
            .chain(before)
            .filter_map(|name| self.attempt(name, rollout, revision));
        match attempts.max() {
            None => first,
            Some(last) => format!("{first}.{}", last.saturating_add(1)),
        }
    }
}

/// The AnalysisRun `name`.
///
/// # Errors
/// Why there cannot be one, and what to do.
pub(super) fn object(
    view: &View<'_>,
    acting: &Acting<'_>,
    analysis: &Analysis,
    sub: &CanaryStatus,
    place: Place,
    name: &str,
) -> Result<Value, String> {
    let spec = spec(view, acting, analysis, sub)?;
    let mut labels = json!({ "rollout-type": place.word(acting) });
    if !sub.common.pod_template_hash.is_empty() {
        labels[label::POD_TEMPLATE_HASH] = json!(sub.common.pod_template_hash);
    }
    if let Place::Step(index) = place {
        labels["step-index"] = json!(index.to_string());
    }
    Ok(json!({
        "apiVersion": format!("{}/{}", Kind::AnalysisRun.group(), Kind::AnalysisRun.preferred()),
        "kind": Kind::AnalysisRun.name(),
        "metadata": {
            "name": name,
            "namespace": view.world.key.namespace,
            "labels": labels,
            "ownerReferences": [owner_reference(Kind::Rollout, acting.object)],
        },
        "spec": spec,
    }))
}

fn spec(
    view: &View<'_>,
    acting: &Acting<'_>,
    analysis: &Analysis,
    sub: &CanaryStatus,
) -> Result<AnalysisRunSpec, String> {
    let mut known: Vec<(TemplateRef, AnalysisTemplateSpec)> = Vec::new();
    for (kind, cluster_scope) in [(Kind::AnalysisTemplate, false), (Kind::ClusterAnalysisTemplate, true)] {
        for object in view.world.of_kind(kind) {
            let reference = TemplateRef {
                template_name: object.name().to_owned(),
                cluster_scope: Some(cluster_scope),
            };
            let spec = object.data.get("spec").cloned().unwrap_or_default();
            let spec = serde_json::from_value(spec)
                .map_err(|error| format!("{kind} {} cannot be read: {error}; correct it", object.name()))?;
            known.push((reference, spec));
        }
    }
    let lookup = |asked: &TemplateRef| {
        let found = known.iter().find(|(known, _)| {
            known.template_name == asked.template_name
                && (known.cluster_scope == Some(true)) == (asked.cluster_scope == Some(true))
        });
        found.map(|(_, spec)| spec)
    };
    let flat = flatten(&analysis.templates, lookup).map_err(|error| error.to_string())?;
    let rollout = serde_json::to_value(acting.object).unwrap_or_default();
    let asked = Asked {
        rollout: &rollout,
        stable: sub.common.stable_revision.as_deref(),
        latest: Some(sub.common.pod_template_hash.as_str()),
    };
    let given = given(&analysis.args, asked).map_err(|error| error.to_string())?;
    let args = merge(&flat.args, &given).map_err(|error| error.to_string())?;
    let both = |templates: Vec<_>, own: &[_]| templates.into_iter().chain(own.iter().cloned()).collect::<Vec<_>>();
    let dry_run = both(flat.dry_run, &analysis.dry_run);
    let kept: Vec<_> = flat
        .measurement_retention
        .into_iter()
        .chain(analysis.measurement_retention.iter().cloned())
        .collect();
    Ok(AnalysisRunSpec {
        args: (!args.is_empty()).then_some(args),
        metrics: Some(flat.metrics),
        dry_run: (!dry_run.is_empty()).then_some(dry_run),
        measurement_retention: (!kept.is_empty()).then_some(kept),
        ttl_strategy: analysis.ttl,
        semantics: Some(flat.semantics),
        ..AnalysisRunSpec::default()
    })
}
