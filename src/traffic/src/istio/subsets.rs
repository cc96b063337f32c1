//! The subsets by which the versions behind one Service are told apart: their names, and a DestinationRule as the router that makes them.
//!
//! For a destination without a subset they are `stable` and `canary`; for one that its owner leads to a subset of his own, that one's name with
//! `--stable` and `--canary` after it, so that its traffic policy stays. They select pods by the label of their revision. All else in the object
//! is left as it is. Used through [`crate::routers`].

use std::collections::BTreeSet;
use std::time::Duration;

use api::parts::HeaderModifier;
use api::plan::Route;
use kube::core::DynamicObject;
use serde_json::{Value, json};

use super::{SLOWEST, destinations, present, status};
use crate::Op;
use crate::router::{
    Edit, Observed, Position, Revisions, RouteError, RouteKind, RouteName, Router, Routes, Sides, Wanted,
};

/// The subset of the stable revision's pods.
pub(super) const STABLE: &str = "stable";
/// The subset of the new revision's pods.
pub(super) const CANARY: &str = "canary";

/// The name of our subset of `version` for requests that go to the owner's subset `of`, or to none when it is empty.
pub(super) fn name(of: &str, version: &str) -> String {
    match of {
        "" => version.to_owned(),
        of => format!("{of}--{version}"),
    }
}

/// The owner's subset that a subset of ours of `version` stands for; nothing when it is not such a one.
pub(super) fn base<'a>(name: &'a str, version: &str) -> Option<&'a str> {
    match name == version {
        true => Some(""),
        false => name.strip_suffix(version)?.strip_suffix("--"),
    }
}

/// The owner's subset behind any name.
fn owners(name: &str) -> &str {
    base(name, STABLE).or(base(name, CANARY)).unwrap_or(name)
}

fn is_ours(subset: &Value) -> bool {
    let name = subset.get("name").and_then(Value::as_str).unwrap_or_default();
    base(name, STABLE).or(base(name, CANARY)).is_some()
}

/// One DestinationRule as a router.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DestinationRule {
    /// Name of the user's DestinationRule.
    pub name: String,
    /// The VirtualServices that lead requests to its subsets.
    pub services: Vec<String>,
}

impl DestinationRule {
    fn address(&self) -> RouteName {
        RouteName::new(RouteKind::DestinationRule, &self.name)
    }

    /// The owner's subsets that requests for the Service are led to.
    fn used(&self, routes: &Routes<'_>, sides: Sides<'_>) -> BTreeSet<String> {
        let mut used = BTreeSet::from([String::new()]);
        for service in &self.services {
            let Some(object) = routes.get(&RouteName::new(RouteKind::VirtualService, service)) else {
                continue;
            };
            let rules = present(object).into_iter().flat_map(|(_, rules)| rules);
            let ours = rules
                .flat_map(destinations::of)
                .filter(|one| destinations::service(one, sides.namespace) == Some(sides.stable_service));
            used.extend(ours.map(|one| owners(destinations::subset(one)).to_owned()));
        }
        used
    }
}

fn subsets(object: &DynamicObject) -> &[Value] {
    let subsets = object.data.pointer("/spec/subsets").and_then(Value::as_array);
    subsets.map(Vec::as_slice).unwrap_or_default()
}

/// Our subset of `version` for the owner's subset `of`: its traffic policy is kept, and its labels where they are those of pods that are there
/// already.
fn made(own: &[Value], of: &str, version: &str, key: &str, hash: &str) -> Value {
    let is_base = |subset: &&Value| subset.get("name").and_then(Value::as_str) == Some(of);
    let mut subset = own.iter().find(is_base).cloned().unwrap_or_else(|| json!({}));
    let before = subset.get("labels").filter(|_| version == STABLE).cloned();
    let mut labels = before.unwrap_or_else(|| json!({}));
    labels[key] = json!(hash);
    subset["labels"] = labels;
    subset["name"] = json!(name(of, version));
    subset
}

impl Router for DestinationRule {
    fn objects(&self) -> Vec<RouteName> {
        vec![self.address()]
    }

    fn sayable(&self, _: &Route, _: Option<&HeaderModifier>) -> Result<(), RouteError> {
        Ok(())
    }

    fn splits_one_service(&self) -> bool {
        true
    }

    fn makes_subsets(&self) -> bool {
        true
    }

    fn usable(&self, routes: &Routes<'_>, sides: Sides<'_>) -> Result<(), RouteError> {
        let Some(object) = routes.get(&self.address()) else {
            return Err(RouteError::Missing {
                kind: RouteKind::DestinationRule,
                namespace: sides.namespace.into(),
                name: self.name.clone(),
                field: "customNetworkRefs",
            });
        };
        if !sides.share_a_service() {
            return Ok(());
        }
        let unsplittable = |why: String| RouteError::Unsplittable {
            object: self.address(),
            why,
        };
        let host = object.data.pointer("/spec/host").and_then(Value::as_str);
        let host = host.unwrap_or_default();
        if destinations::service_of(host, sides.namespace) != Some(sides.stable_service) {
            return Err(unsplittable(format!(
                "its host is {host}, not Service {}; name the DestinationRule of that Service",
                sides.stable_service
            )));
        }
        let hash = |subset: &Value| {
            let labels = subset.get("labels").and_then(Value::as_object);
            labels.is_some_and(|labels| labels.contains_key(api::names::label::POD_TEMPLATE_HASH))
        };
        match subsets(object).iter().find(|subset| is_ours(subset) && !hash(subset)) {
            Some(subset) => Err(unsplittable(format!(
                "it has a subset {} already, and the release makes one of that name; rename it",
                subset["name"]
            ))),
            None => Ok(()),
        }
    }

    fn lead(&self, routes: &Routes<'_>, wanted: Wanted<'_>) -> Result<Position, RouteError> {
        self.usable(routes, wanted.sides).map(|()| Position::There)
    }

    fn prepare(&self, routes: &Routes<'_>, sides: Sides<'_>, revisions: Revisions<'_>) -> Vec<Edit> {
        let Some(object) = routes.get(&self.address()) else {
            return Vec::new();
        };
        if !sides.share_a_service() || self.usable(routes, sides).is_err() {
            return Vec::new();
        }
        let (mut after, ours): (Vec<Value>, Vec<Value>) =
            subsets(object).iter().cloned().partition(|subset| !is_ours(subset));
        let own = after.clone();
        for of in self.used(routes, sides) {
            for (version, hash) in [(STABLE, revisions.stable), (CANARY, revisions.canary)] {
                let known = name(&of, version);
                match hash {
                    // Not known while its pods are being made: what is there stays.
                    "" => after.extend(ours.iter().find(|subset| subset["name"] == known.as_str()).cloned()),
                    hash => after.push(made(&own, &of, version, revisions.key, hash)),
                }
            }
        }
        self.write(object, after)
    }

    fn clear(&self, routes: &Routes<'_>, sides: Sides<'_>) -> Vec<Edit> {
        let Some(object) = routes.get(&self.address()) else {
            return Vec::new();
        };
        if !sides.share_a_service() || self.usable(routes, sides).is_err() {
            return Vec::new();
        }
        self.write(
            object,
            subsets(object).iter().filter(|one| !is_ours(one)).cloned().collect(),
        )
    }

    fn withdraw(&self, _: &Routes<'_>, _: Sides<'_>) -> Vec<Edit> {
        Vec::new()
    }

    fn observed(&self, routes: &Routes<'_>) -> Observed {
        let object = routes.get(&self.address());
        object.map_or(Observed::Untold, |object| status::observed(object, &self.address()))
    }

    fn slowest(&self) -> Duration {
        SLOWEST
    }
}

impl DestinationRule {
    fn write(&self, object: &DynamicObject, after: Vec<Value>) -> Vec<Edit> {
        if subsets(object) == after.as_slice() {
            return Vec::new();
        }
        let op = match after.is_empty() {
            true => Op::remove("/spec/subsets"),
            false => Op::set("/spec/subsets", Value::Array(after)),
        };
        vec![Edit::Patch {
            name: self.address(),
            ops: vec![op],
        }]
    }
}
