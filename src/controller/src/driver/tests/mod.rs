//! The driver's parts as values, and the whole of it over a scripted API server.

mod api_server;
mod clocks;
mod driving;
mod kinds;
mod queue;
mod reading_own_writes;
mod refused;
mod relation;
mod running;

use kube::core::DynamicObject;
use serde_json::Value;

fn object(value: Value) -> DynamicObject {
    serde_json::from_value(value).expect("an object")
}
