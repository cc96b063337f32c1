//! Traffic of a step: leads the route to what the step wants, upwards only over evidence, and takes it away. The split itself is written by
//! the router's file in `traffic`.

use api::plan::{Route, Routing};
use kube::core::DynamicObject;
use serde_json::{Value, json};
use traffic::ingress::{CanaryIngress, IngressError, matches, weight};

use crate::capacity::Current;
use crate::draft::Draft;
use crate::meta::Meta;
use crate::view::{View, dialect, ingress_name};
use crate::{Evidence, Kind, Propagation, Target, WaitReason};

/// Where the route is, seen from what the step wants.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Position {
    /// It shows what the step wants.
    There,
    /// It shows more for the new version than the step wants, or something else at no more: the way there needs no evidence.
    Above,
    /// It shows less.
    Below,
    /// It is being deleted.
    Leaving(Target),
    /// It cannot be made to show it, and why.
    Blocked(String),
}

impl Current<'_> {
    fn wanted<T>(
        self,
        routing: &Routing,
        route: &Route,
        then: impl FnOnce(&CanaryIngress<'_>, Option<&DynamicObject>) -> Result<T, IngressError>,
    ) -> Result<T, String> {
        let name = ingress_name(routing).unwrap_or_default();
        let namespace = &self.view.world.key.namespace;
        let stable = self
            .view
            .ingress(name)
            .ok_or_else(|| format!("Ingress {namespace}/{name} is not found; create it"))?;
        let canary = api::names::canary_name(name);
        let canary_service = match routing.canary_service {
            true => api::names::canary_name(&routing.service),
            false => routing.service.clone(),
        };
        let wanted = CanaryIngress {
            stable,
            name: &canary,
            owner: &owner_reference(Kind::Rollout, self.acting.object),
            stable_service: &routing.service,
            canary_service: &canary_service,
            dialect: dialect(routing),
            route,
        };
        then(&wanted, self.view.ingress(&canary)).map_err(|error| error.to_string())
    }

    /// Where the route is.
    pub(crate) fn position(self, routing: &Routing, route: &Route) -> Position {
        let found = self.wanted(routing, route, |wanted, existing| {
            let existing = existing.map(|existing| Ok::<_, IngressError>((wanted.drift(existing)?, existing)));
            let nothing = matches!(route, Route::Weight(weight) if weight.percents() == 0);
            wanted.object()?;
            Ok(match existing.transpose()? {
                None if nothing => Position::There,
                None => Position::Below,
                Some((_, existing)) if existing.deleting() => Position::Leaving(existing.target(Kind::Ingress)),
                Some((_, existing)) if !existing.controlled_by(self.acting.object.uid()) => Position::Blocked(format!(
                    "Ingress {} exists and is not of this release; rename or delete it",
                    existing.name()
                )),
                Some((ops, _)) if ops.is_empty() => Position::There,
                Some((_, existing)) => match route {
                    Route::Weight(to)
                        if !matches(existing, wanted.dialect) && to.percents() <= weight(existing, wanted.dialect) =>
                    {
                        Position::Above
                    }
                    _ => Position::Below,
                },
            })
        });
        found.unwrap_or_else(Position::Blocked)
    }

    /// Leads the route to what the step wants; `endpoints` is what must be seen again when it goes up.
    pub(crate) fn lead(self, routing: &Routing, route: &Route, endpoints: i64, position: &Position, draft: &mut Draft) {
        let recheck = (*position == Position::Below && endpoints > 0).then(|| Evidence::EndpointsReady {
            namespace: self.view.world.key.namespace.clone(),
            service: api::names::canary_name(&routing.service),
            at_least: endpoints,
        });
        let led = self.wanted(routing, route, |wanted, existing| {
            match existing {
                None => draft.create(Kind::Ingress, wanted.object()?, recheck),
                Some(existing) => draft.patch(Kind::Ingress, existing, wanted.drift(existing)?, recheck),
            }
            Ok(())
        });
        if let Err(why) = led {
            draft.wait(WaitReason::Blocked { why });
        }
    }
}

/// Our canary Ingress of a routing, if there is one.
pub(crate) fn canary_ingress<'a>(
    view: &View<'a>,
    routing: &Routing,
    rollout: &DynamicObject,
) -> Option<&'a DynamicObject> {
    let ingress = view.ingress(&api::names::canary_name(ingress_name(routing)?))?;
    ingress.controlled_by(rollout.uid()).then_some(ingress)
}

/// Our canary Service of a routing, if there is one.
pub(crate) fn canary_service<'a>(
    view: &View<'a>,
    routing: &Routing,
    rollout: &DynamicObject,
) -> Option<&'a DynamicObject> {
    let service = view.service(&api::names::canary_name(&routing.service))?;
    service.controlled_by(rollout.uid()).then_some(service)
}

/// Sends everything to the stable side. True once nothing routes to the canary any more.
pub(crate) fn withdraw(view: &View<'_>, routing: &Routing, rollout: &DynamicObject, draft: &mut Draft) -> bool {
    match canary_ingress(view, routing, rollout) {
        None => true,
        Some(ingress) => {
            draft.delete(Kind::Ingress, ingress, Propagation::Background, None);
            false
        }
    }
}

/// The evidence that nothing routes to the canary.
pub(crate) fn withdrawn(view: &View<'_>, routing: Option<&Routing>) -> Option<Evidence> {
    let name = ingress_name(routing?)?;
    Some(Evidence::Absent(Target {
        kind: Kind::Ingress,
        namespace: view.world.key.namespace.clone(),
        name: api::names::canary_name(name),
    }))
}

/// The controller owner reference to an object.
pub(crate) fn owner_reference(kind: Kind, owner: &DynamicObject) -> Value {
    let gvk = kind.gvk();
    json!({
        "apiVersion": gvk.api_version(),
        "kind": gvk.kind,
        "name": owner.name(),
        "uid": owner.uid(),
        "controller": true,
        "blockOwnerDeletion": true,
    })
}
