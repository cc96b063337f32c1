//! Ingresses in the nginx dialect: a canary Ingress beside the stable one, told by annotations which requests are its own.

use std::collections::BTreeMap;

use api::plan::Route;
use api::v1beta1::RouteMatch;
use kube::core::DynamicObject;
use serde_json::{Value, json};

use crate::Op;
use crate::service::copied;

/// Whose annotations an Ingress controller reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// ingress-nginx, and those that read its annotations.
    Nginx,
    /// Higress: the same annotations.
    Higress,
}

impl Dialect {
    /// The dialect of `trafficRoutings[].ingress.classType`; empty means nginx.
    pub fn of(class_type: &str) -> Option<Self> {
        match class_type {
            "" | "nginx" => Some(Self::Nginx),
            "higress" => Some(Self::Higress),
            _ => None,
        }
    }

    fn prefix(self) -> &'static str {
        match self {
            Self::Nginx | Self::Higress => "nginx.ingress.kubernetes.io/",
        }
    }
}

/// Why no canary Ingress can be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IngressError {
    /// Nothing of the Ingress leads to the Service.
    #[error("Ingress {ingress} has no path to Service {service}; add one, or correct trafficRoutings[0]")]
    NoPath {
        /// The stable Ingress.
        ingress: String,
        /// The stable Service.
        service: String,
    },
    /// The step asks for what the dialect cannot say.
    #[error(
        "an Ingress can only match headers and cookies, and the step's matches have none; add headers, or use traffic"
    )]
    NoHeaders,
}

/// What the canary Ingress is made from.
#[derive(Clone, Copy, Debug)]
pub struct CanaryIngress<'a> {
    /// The user's Ingress.
    pub stable: &'a DynamicObject,
    /// Its own name.
    pub name: &'a str,
    /// Owner reference to the Rollout.
    pub owner: &'a Value,
    /// The Service whose paths are copied.
    pub stable_service: &'a str,
    /// The Service that they lead to instead.
    pub canary_service: &'a str,
    /// Whose annotations are written.
    pub dialect: Dialect,
    /// What goes to the canary.
    pub route: &'a Route,
}

impl CanaryIngress<'_> {
    /// The whole object, to be created with the split in force.
    pub fn object(&self) -> Result<Value, IngressError> {
        let mut metadata = json!({
            "name": self.name,
            "namespace": self.stable.metadata.namespace,
            "annotations": self.annotations()?,
            "ownerReferences": [self.owner],
        });
        if let Some(labels) = &self.stable.metadata.labels {
            metadata["labels"] = json!(labels);
        }
        Ok(json!({
            "apiVersion": "networking.k8s.io/v1",
            "kind": "Ingress",
            "metadata": metadata,
            "spec": self.spec()?,
        }))
    }

    /// The patch that leads an existing canary Ingress there; empty when it is there. Edits that the user makes to the stable Ingress in the
    /// middle of a release are followed. Annotations that others put on the canary and that mean nothing to the router are left alone.
    pub fn drift(&self, existing: &DynamicObject) -> Result<Vec<Op>, IngressError> {
        let prefix = self.dialect.prefix();
        let present = existing.metadata.annotations.as_ref();
        let mut ops = Op::map("/metadata/annotations", present, &self.annotations()?, |key| {
            key.starts_with(prefix)
        });
        let labels = self.stable.metadata.labels.clone().unwrap_or_default();
        ops.extend(Op::map(
            "/metadata/labels",
            existing.metadata.labels.as_ref(),
            &labels,
            |_| false,
        ));
        let wanted = self.spec()?;
        for (field, wanted) in wanted.as_object().into_iter().flatten() {
            if existing.data.pointer(&format!("/spec/{field}")) != Some(wanted) {
                ops.push(Op::set(format!("/spec/{field}"), wanted.clone()));
            }
        }
        if wanted.get("tls").is_none() && existing.data.pointer("/spec/tls").is_some() {
            ops.push(Op::remove("/spec/tls"));
        }
        Ok(ops)
    }

    /// The stable Ingress's annotations and the canary's own.
    fn annotations(&self) -> Result<BTreeMap<String, String>, IngressError> {
        let prefix = self.dialect.prefix();
        let canary = format!("{prefix}canary");
        let mut annotations = copied(self.stable.metadata.annotations.as_ref().unwrap_or(&BTreeMap::new()));
        // A total of its own would turn a percentage into something else.
        annotations.retain(|key, _| !key.starts_with(&canary));
        match self.route {
            Route::Matches(matches) => annotations.extend(header_annotations(&canary, matches)?),
            Route::Weight(weight) => {
                annotations.insert(format!("{canary}-weight"), weight.percents().to_string());
            }
        }
        annotations.insert(canary, "true".into());
        Ok(annotations)
    }

    /// Class and TLS of the stable Ingress, and those of its rules that lead to the stable Service.
    fn spec(&self) -> Result<Value, IngressError> {
        let stable = self.stable.data.get("spec");
        let rules = stable.and_then(|spec| spec.get("rules")).and_then(Value::as_array);
        let rules: Vec<Value> = rules.into_iter().flatten().filter_map(|rule| self.rule(rule)).collect();
        if rules.is_empty() {
            return Err(IngressError::NoPath {
                ingress: self.stable.metadata.name.clone().unwrap_or_default(),
                service: self.stable_service.into(),
            });
        }
        let mut spec = json!({ "rules": rules });
        for field in ["ingressClassName", "tls"] {
            if let Some(value) = stable.and_then(|spec| spec.get(field)) {
                spec[field] = value.clone();
            }
        }
        Ok(spec)
    }

    /// One rule with only the paths to the stable Service, led to the canary's. Backends that are no Services are not ours.
    fn rule(&self, rule: &Value) -> Option<Value> {
        let paths = rule.pointer("/http/paths").and_then(Value::as_array)?;
        let leads_to_stable =
            |path: &&Value| path.pointer("/backend/service/name").and_then(Value::as_str) == Some(self.stable_service);
        let mut kept: Vec<Value> = paths.iter().filter(leads_to_stable).cloned().collect();
        for name in kept
            .iter_mut()
            .filter_map(|path| path.pointer_mut("/backend/service/name"))
        {
            *name = json!(self.canary_service);
        }
        if kept.is_empty() {
            return None;
        }
        let mut rule = rule.clone();
        *rule.pointer_mut("/http/paths")? = Value::Array(kept);
        Some(rule)
    }
}

/// The annotations that select by header or cookie. The dialect has room for one of each; of several matches the last one counts, and of one
/// match its first header.
fn header_annotations(canary: &str, matches: &[RouteMatch]) -> Result<BTreeMap<String, String>, IngressError> {
    let mut annotations = BTreeMap::new();
    let headers = matches.iter().filter_map(|wanted| wanted.headers.as_ref()?.first());
    for header in headers {
        if header.name == "canary-by-cookie" {
            annotations.insert(format!("{canary}-by-cookie"), header.value.clone());
            continue;
        }
        let (kind, other) = match header.match_type.as_deref() {
            Some("RegularExpression") => ("pattern", "value"),
            _ => ("value", "pattern"),
        };
        annotations.insert(format!("{canary}-by-header"), header.name.clone());
        annotations.insert(format!("{canary}-by-header-{kind}"), header.value.clone());
        annotations.remove(&format!("{canary}-by-header-{other}"));
    }
    match annotations.is_empty() {
        true => Err(IngressError::NoHeaders),
        false => Ok(annotations),
    }
}

/// Percent of the requests that an existing canary Ingress asks for; 0 when it names no weight.
pub fn weight(existing: &DynamicObject, dialect: Dialect) -> i32 {
    let annotations = existing.metadata.annotations.as_ref();
    let weight = annotations.and_then(|all| all.get(&format!("{}canary-weight", dialect.prefix())));
    weight.and_then(|weight| weight.parse().ok()).unwrap_or(0)
}

/// Whether an existing canary Ingress selects requests by header or cookie.
pub fn matches(existing: &DynamicObject, dialect: Dialect) -> bool {
    let prefix = format!("{}canary-by-", dialect.prefix());
    existing
        .metadata
        .annotations
        .iter()
        .flatten()
        .any(|(key, _)| key.starts_with(&prefix))
}
