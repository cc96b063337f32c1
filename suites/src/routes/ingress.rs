//! Ingresses: the new version has one of its own, whose annotation is its weight.

use serde_json::Value;

use super::{Behind, Shown};
use crate::object::text;

const WEIGHT: &str = "/metadata/annotations/nginx.ingress.kubernetes.io~1canary-weight";

pub(super) fn shown(canary: &Value) -> Shown {
    let service = text(canary, "/spec/rules/0/http/paths/0/backend/service/name");
    Shown {
        weight: text(canary, WEIGHT).parse().unwrap_or_default(),
        canary: Some(Behind::service(service)).filter(|_| !service.is_empty()),
    }
}
