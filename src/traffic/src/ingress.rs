//! Ingresses in the nginx dialect: a canary Ingress beside the stable one, told by annotations which requests are its own.

use std::collections::BTreeMap;

use api::plan::Route;
use api::v1beta1::{PathMatch, RouteMatch};
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
    #[error("matches[{index}] cannot be said to an Ingress: {why}")]
    Unsayable {
        /// Which of the step's matches, from 0.
        index: usize,
        /// What cannot be said, and what to do.
        why: &'static str,
    },
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
        for field in ["ingressClassName", "tls"] {
            let pointer = format!("/spec/{field}");
            if wanted.get(field).is_none() && existing.data.pointer(&pointer).is_some() {
                ops.push(Op::remove(pointer));
            }
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

/// Whether the dialect has words for a route.
///
/// # Errors
/// The match that it has none for, and what to do.
pub fn sayable(route: &Route) -> Result<(), IngressError> {
    match route {
        Route::Weight(_) => Ok(()),
        Route::Matches(matches) => header_annotations("", matches).map(|_| ()),
    }
}

/// Whether an Ingress has a path that leads to a Service.
///
/// # Errors
/// [`IngressError::NoPath`] when it has none.
pub fn leads_to(ingress: &DynamicObject, service: &str) -> Result<(), IngressError> {
    let rules = ingress.data.pointer("/spec/rules").and_then(Value::as_array);
    let paths = rules
        .into_iter()
        .flatten()
        .filter_map(|rule| rule.pointer("/http/paths")?.as_array());
    let mut paths = paths.flatten();
    match paths.any(|path| path.pointer("/backend/service/name").and_then(Value::as_str) == Some(service)) {
        true => Ok(()),
        false => Err(IngressError::NoPath {
            ingress: ingress.metadata.name.clone().unwrap_or_default(),
            service: service.into(),
        }),
    }
}

/// The annotations that select by header or cookie. The dialect has room for one of each, and a request that fits either is the canary's: what
/// asks for more would quietly reach more requests, or fewer, than asked.
fn header_annotations(canary: &str, matches: &[RouteMatch]) -> Result<BTreeMap<String, String>, IngressError> {
    let mut annotations = BTreeMap::new();
    for (index, wanted) in matches.iter().enumerate() {
        let unsayable = |why| IngressError::Unsayable { index, why };
        if wanted.query_params.as_ref().is_some_and(|params| !params.is_empty()) {
            return Err(unsayable("it cannot select by query parameters; remove queryParams"));
        }
        if !wanted.path.as_ref().is_none_or(any_path) {
            return Err(unsayable("its paths are the stable Ingress's; remove path"));
        }
        let header = match wanted.headers.as_deref().unwrap_or_default() {
            [header] => header,
            [] => {
                return Err(unsayable(
                    "it has no headers, and would be all requests; add a header, or use traffic",
                ));
            }
            _ => return Err(unsayable("only one header can be asked for at a time; keep one")),
        };
        let pattern = header.match_type.as_deref() == Some("RegularExpression");
        if header.name == "canary-by-cookie" {
            if pattern {
                return Err(unsayable("a cookie is known by its name; use type Exact"));
            }
            if annotations
                .insert(format!("{canary}-by-cookie"), header.value.clone())
                .is_some()
            {
                return Err(unsayable("only one cookie can be asked for; keep one"));
            }
            continue;
        }
        if annotations
            .insert(format!("{canary}-by-header"), header.name.clone())
            .is_some()
        {
            return Err(unsayable(
                "only one header can be asked for; keep one, or say all its values in one regular expression",
            ));
        }
        let kind = if pattern { "pattern" } else { "value" };
        annotations.insert(format!("{canary}-by-header-{kind}"), header.value.clone());
    }
    Ok(annotations)
}

/// Whether a path is what the API server fills in when none is written.
fn any_path(path: &PathMatch) -> bool {
    matches!(path.match_type.as_deref(), None | Some("PathPrefix")) && matches!(path.value.as_deref(), None | Some("/"))
}

/// Percent of the requests that an existing canary Ingress asks for, rounded down; 0 when it names no weight.
pub fn weight(existing: &DynamicObject, dialect: Dialect) -> i32 {
    let annotations = existing.metadata.annotations.as_ref();
    let number = |key: &str| -> Option<i64> {
        let text = annotations?.get(&format!("{}{key}", dialect.prefix()))?;
        text.parse().ok().filter(|number| *number >= 0)
    };
    let total = number("canary-weight-total").filter(|total| *total > 0).unwrap_or(100);
    let share = number("canary-weight").unwrap_or(0).min(total).saturating_mul(100) / total;
    i32::try_from(share).unwrap_or(100)
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
