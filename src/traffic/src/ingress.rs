//! Ingresses in the nginx dialect: a canary Ingress beside the stable one, told by annotations which requests are its own.

use std::collections::BTreeMap;
use std::time::Duration;

use api::parts::HeaderModifier;
use api::plan::Route;
use api::v1beta1::{PathMatch, RouteMatch};
use kube::core::DynamicObject;
use serde_json::{Value, json};

use crate::router::{Edit, Position, RouteError, RouteKind, RouteName, Router, Routes, Sides, Wanted};
use crate::service::copied;
use crate::{Op, owned_by};

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

/// Whom a step speaks to.
const TO: &str = "an Ingress";

/// The longest that ingress-nginx was measured to take: a write soon after another one waits for the next of 0.3 readings a second, and for a
/// poll after that. Its Ingresses do not tell when it has followed.
const SLOWEST: Duration = Duration::from_millis(4_500);

/// Ingresses as a router: `<name>-canary` beside the user's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ingresses {
    /// Name of the user's Ingress.
    pub name: String,
    /// Whose annotations are written.
    pub dialect: Dialect,
}

impl Ingresses {
    fn stable(&self) -> RouteName {
        RouteName::new(RouteKind::Ingress, &self.name)
    }

    fn canary(&self) -> RouteName {
        RouteName::new(RouteKind::Ingress, api::names::canary_name(&self.name))
    }

    fn read<'a>(&self, routes: &Routes<'a>, namespace: &str) -> Result<&'a DynamicObject, RouteError> {
        routes.get(&self.stable()).ok_or_else(|| RouteError::Missing {
            kind: RouteKind::Ingress,
            namespace: namespace.into(),
            name: self.name.clone(),
            field: "ingress.name",
        })
    }
}

impl Router for Ingresses {
    fn objects(&self) -> Vec<RouteName> {
        vec![self.stable(), self.canary()]
    }

    fn sayable(&self, route: &Route, header_modifier: Option<&HeaderModifier>) -> Result<(), RouteError> {
        if header_modifier.is_some() {
            return Err(RouteError::NoHeaderModifier { to: TO });
        }
        sayable(route)
    }

    fn usable(&self, routes: &Routes<'_>, sides: Sides<'_>) -> Result<(), RouteError> {
        leads_to(self.read(routes, sides.namespace)?, sides.stable_service)?;
        let canary = self.canary();
        match routes.get(&canary) {
            Some(found) if !owned_by(found, sides.owner_uid()) => Err(RouteError::Foreign {
                kind: canary.kind,
                namespace: sides.namespace.into(),
                name: canary.name,
            }),
            _ => Ok(()),
        }
    }

    fn lead(&self, routes: &Routes<'_>, wanted: Wanted<'_>) -> Result<Position, RouteError> {
        let sides = wanted.sides;
        let name = self.canary();
        let canary = CanaryIngress {
            stable: self.read(routes, sides.namespace)?,
            name: &name.name,
            owner: sides.owner,
            stable_service: sides.stable_service,
            canary_service: sides.canary_service,
            dialect: self.dialect,
            route: wanted.route,
        };
        let object = canary.object()?;
        let Some(existing) = routes.get(&name) else {
            let nothing = matches!(wanted.route, Route::Weight(weight) if weight.percents() == 0);
            let create = Edit::Create {
                kind: RouteKind::Ingress,
                object,
            };
            return Ok(match nothing {
                true => Position::There,
                false => Position::Below(vec![create]),
            });
        };
        self.usable(routes, sides)?;
        if existing.metadata.deletion_timestamp.is_some() {
            return Ok(Position::Leaving(name));
        }
        let ops = canary.drift(existing)?;
        if ops.is_empty() {
            return Ok(Position::There);
        }
        let lower = matches!(wanted.route, Route::Weight(to)
            if !matches(existing, self.dialect) && to.percents() <= weight(existing, self.dialect));
        let edits = vec![Edit::Patch { name, ops }];
        Ok(match lower {
            true => Position::Above(edits),
            false => Position::Below(edits),
        })
    }

    fn withdraw(&self, routes: &Routes<'_>, sides: Sides<'_>) -> Vec<Edit> {
        let name = self.canary();
        let ours = routes.get(&name).filter(|found| owned_by(found, sides.owner_uid()));
        ours.map(|_| Edit::Delete { name }).into_iter().collect()
    }

    fn slowest(&self) -> Duration {
        SLOWEST
    }
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
    pub fn object(&self) -> Result<Value, RouteError> {
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
    pub fn drift(&self, existing: &DynamicObject) -> Result<Vec<Op>, RouteError> {
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
    fn annotations(&self) -> Result<BTreeMap<String, String>, RouteError> {
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
    fn spec(&self) -> Result<Value, RouteError> {
        let stable = self.stable.data.get("spec");
        let rules = stable.and_then(|spec| spec.get("rules")).and_then(Value::as_array);
        let rules: Vec<Value> = rules.into_iter().flatten().filter_map(|rule| self.rule(rule)).collect();
        if rules.is_empty() {
            return Err(no_path(self.stable, self.stable_service));
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
pub fn sayable(route: &Route) -> Result<(), RouteError> {
    match route {
        Route::Weight(_) => Ok(()),
        Route::Matches(matches) => header_annotations("", matches).map(|_| ()),
    }
}

fn no_path(ingress: &DynamicObject, service: &str) -> RouteError {
    RouteError::NoWay {
        object: RouteName::new(RouteKind::Ingress, ingress.metadata.name.clone().unwrap_or_default()),
        place: "path",
        service: service.into(),
    }
}

/// Whether an Ingress has a path that leads to a Service.
///
/// # Errors
/// [`RouteError::NoWay`] when it has none.
pub fn leads_to(ingress: &DynamicObject, service: &str) -> Result<(), RouteError> {
    let rules = ingress.data.pointer("/spec/rules").and_then(Value::as_array);
    let paths = rules
        .into_iter()
        .flatten()
        .filter_map(|rule| rule.pointer("/http/paths")?.as_array());
    let mut paths = paths.flatten();
    match paths.any(|path| path.pointer("/backend/service/name").and_then(Value::as_str) == Some(service)) {
        true => Ok(()),
        false => Err(no_path(ingress, service)),
    }
}

/// The annotations that select by header or cookie. The dialect has room for one of each, and a request that fits either is the canary's: what
/// asks for more would quietly reach more requests, or fewer, than asked.
fn header_annotations(canary: &str, matches: &[RouteMatch]) -> Result<BTreeMap<String, String>, RouteError> {
    let mut annotations = BTreeMap::new();
    for (index, wanted) in matches.iter().enumerate() {
        let unsayable = |why| RouteError::Unsayable { index, to: TO, why };
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
