//! Where a rollout's traffic is split.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::parts::{GatewayRouting, IngressRouting, ObjectReference};

/// A Service and the routes in front of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TrafficRoutingRef {
    /// The stable Service.
    pub service: String,
    /// Seconds that a router is given to take in a change.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = 3))]
    pub grace_period_seconds: Option<i32>,
    /// An Ingress in front of the Service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ingress: Option<IngressRouting>,
    /// A Gateway API route in front of the Service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gateway: Option<GatewayRouting>,
    /// Other objects in front of the Service, each edited by a script for its kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom_network_refs: Option<Vec<ObjectReference>>,
}
