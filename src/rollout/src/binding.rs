//! What a Rollout is bound to: the workload and the routes that the release under way began with. Stored in an annotation of the Rollout, so that
//! an edit that names another workload or other routes does not lose sight of what has to be given back. Read by the world's selections and by
//! the rules; written by [`crate::adopt`].

use api::names::annotation;
use api::parts::{GatewayRouting, IngressRouting, ObjectReference};
use api::plan::Routing;
use api::v1beta1::TrafficRoutingRef;
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
    /// The Ingress in front of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ingress: Option<IngressRouting>,
    /// The Gateway API route in front of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) gateway: Option<GatewayRouting>,
    /// Other objects in front of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) custom_network_refs: Option<Vec<ObjectReference>>,
    /// The release makes no Service for the new version.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) one_service: bool,
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
        let strategy = ["canary", "blueGreen"].into_iter().find_map(|strategy| {
            let strategy = rollout.data.pointer(&format!("/spec/strategy/{strategy}"))?;
            strategy
                .pointer("/trafficRoutings/0")
                .map(|routing| (strategy, routing))
        });
        let routing = strategy.and_then(|(_, routing)| TrafficRoutingRef::deserialize(routing).ok());
        let routing = routing.unwrap_or_default();
        let one_service = strategy.and_then(|(strategy, _)| strategy.get("disableGenerateCanaryService"));
        Self {
            workload_ref: workload.filter(|workload| !workload.kind.is_empty() && !workload.name.is_empty()),
            service: Some(routing.service).filter(|service| !service.is_empty()),
            ingress: routing.ingress,
            gateway: routing.gateway,
            custom_network_refs: routing.custom_network_refs,
            one_service: one_service == Some(&Value::Bool(true)),
        }
    }

    /// As the annotation's value.
    pub(crate) fn to_text(&self) -> String {
        serde_json::json!(self).to_string()
    }

    /// Whether the routes are the same.
    pub(crate) fn same_routes(&self, other: &Self) -> bool {
        let other = Self {
            workload_ref: self.workload_ref.clone(),
            ..other.clone()
        };
        *self == other
    }

    /// The routing that is bound, with the grace that the plan `asked` for, if any.
    pub(crate) fn routing(&self, asked: Option<&Routing>) -> Option<Routing> {
        let bound = TrafficRoutingRef {
            service: self.service.clone()?,
            grace_period_seconds: asked.map(|asked| asked.grace_seconds),
            ingress: self.ingress.clone(),
            gateway: self.gateway.clone(),
            custom_network_refs: self.custom_network_refs.clone(),
        };
        Some(Routing::of(&bound, !self.one_service))
    }
}
