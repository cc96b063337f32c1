//! What a Rollout is bound to: the workload and the routes that the release under way began with. Stored in an annotation of the Rollout, so that
//! an edit that names another workload or other routes does not lose sight of what has to be given back. Read by the world's selections and by
//! the rules; written by [`crate::adopt`].

use api::names::{DEFAULT_GRACE_SECONDS, annotation};
use api::parts::ObjectReference;
use api::plan::{Router, Routing};
use kube::core::DynamicObject;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::meta::Meta;

/// The objects of the user's that a Rollout touches.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Binding {
    /// The workload; none when the Rollout names none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) workload_ref: Option<ObjectReference>,
    /// The stable Service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) service: Option<String>,
    /// The stable Ingress.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ingress: Option<String>,
}

impl Binding {
    /// What a Rollout (stored form, `v1beta1`) is bound to: what is stored, or else what it asks for.
    pub(crate) fn of(rollout: &DynamicObject) -> Self {
        Self::stored(rollout).unwrap_or_else(|| Self::asked(rollout))
    }

    /// What is stored. What cannot be read counts as nothing.
    pub(crate) fn stored(rollout: &DynamicObject) -> Option<Self> {
        serde_json::from_str(rollout.annotation(annotation::BOUND_TO)?).ok()
    }

    /// What the spec asks for. Whatever is missing or malformed asks for nothing.
    pub(crate) fn asked(rollout: &DynamicObject) -> Self {
        let workload = rollout.data.pointer("/spec/workloadRef").cloned();
        let workload: Option<ObjectReference> = workload.and_then(|workload| serde_json::from_value(workload).ok());
        let routing = ["canary", "blueGreen"].into_iter().find_map(|strategy| {
            let pointer = format!("/spec/strategy/{strategy}/trafficRoutings/0");
            rollout.data.pointer(&pointer)
        });
        let text = |pointer: &str| {
            let text = routing
                .and_then(|routing| routing.pointer(pointer))
                .and_then(Value::as_str);
            text.filter(|text| !text.is_empty()).map(str::to_owned)
        };
        Self {
            workload_ref: workload.filter(|workload| !workload.kind.is_empty() && !workload.name.is_empty()),
            service: text("/service"),
            ingress: text("/ingress/name"),
        }
    }

    /// As the annotation's value.
    pub(crate) fn to_text(&self) -> String {
        serde_json::json!(self).to_string()
    }

    /// Whether the routes are the same.
    pub(crate) fn same_routes(&self, other: &Self) -> bool {
        (&self.service, &self.ingress) == (&other.service, &other.ingress)
    }

    /// The routing that is bound. `asked` is the plan's: taken whole where it is the same, and for its grace where it is not.
    pub(crate) fn routing(&self, asked: Option<&Routing>) -> Option<Routing> {
        let same = |asked: &&Routing| {
            Some(&asked.service) == self.service.as_ref() && crate::view::ingress_name(asked) == self.ingress.as_deref()
        };
        if let Some(asked) = asked.filter(same) {
            return Some(asked.clone());
        }
        let router = self.ingress.as_ref().map(|ingress| Router::Ingress {
            class: "nginx".to_owned(),
            name: ingress.clone(),
        });
        Some(Routing {
            service: self.service.clone()?,
            grace_seconds: asked.map_or(DEFAULT_GRACE_SECONDS, |asked| asked.grace_seconds),
            routers: router.into_iter().collect(),
            canary_service: true,
        })
    }
}
