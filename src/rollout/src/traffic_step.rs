//! Traffic of a step: leads the routes to what the step wants, upwards only over evidence, and takes them away. What each kind of route object
//! looks like is the routers' business, in `traffic`; here all routers of a routing are one split.

use api::names::label;
use api::plan::{Route, Routing, Step};
use api::v1beta1::CanaryStatus;
use jiff::SignedDuration;
use kube::core::DynamicObject;
use serde_json::{Value, json};
use traffic::{Edit, Observed, RouteError, RouteName, Router, Routes, Sides, Wanted};

use crate::draft::Draft;
use crate::evidence::Unrouted;
use crate::meta::Meta;
use crate::view::View;
use crate::{Evidence, Kind, Propagation, Target, WaitReason};

/// Where the routes are, seen from what the step wants.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Position {
    /// They show what the step wants, and the implementation has taken it in, as far as it tells.
    There,
    /// They show what the step wants, and the implementation says that it has not taken it in yet.
    Unseen(String),
    /// They show more for the new version than the step wants, or something else at no more: the way there needs no evidence.
    Above(Vec<Edit>),
    /// They show less.
    Below(Vec<Edit>),
    /// An object of ours is being deleted.
    Leaving(Target),
    /// They cannot be made to show it, and why.
    Blocked(String),
}

/// The routes of a routing as they are, and for whom they are split.
#[derive(Debug)]
pub(crate) struct Split<'a> {
    view: &'a View<'a>,
    routing: &'a Routing,
    routers: Vec<Box<dyn Router>>,
    routes: Routes<'a>,
    owner: Value,
    canary_service: String,
}

impl<'a> Split<'a> {
    /// The split of a routing on behalf of a Rollout.
    pub(crate) fn of(view: &'a View<'a>, routing: &'a Routing, rollout: &DynamicObject) -> Self {
        // A plan whose routers are not all served does not get as far as here.
        let routers = traffic::routers(&routing.routers).unwrap_or_default();
        let mut routes = Routes::default();
        for name in routers.iter().flat_map(|router| router.objects()) {
            if let Some(object) = view.named(Kind::of_route(name.kind), &name.name) {
                routes.add(name.kind, object);
            }
        }
        Self {
            view,
            routing,
            routers,
            routes,
            owner: owner_reference(Kind::Rollout, rollout),
            canary_service: canary_service_name(routing),
        }
    }

    fn sides(&self) -> Sides<'_> {
        Sides {
            namespace: &self.view.world.key.namespace,
            stable_service: &self.routing.service,
            canary_service: &self.canary_service,
            owner: &self.owner,
        }
    }

    /// Why nothing can be split, if it cannot.
    pub(crate) fn unusable(&self) -> Option<String> {
        let mut unusable = self
            .routers
            .iter()
            .filter_map(|router| router.usable(&self.routes, self.sides()).err());
        unusable.next().map(|error| self.explained(&error))
    }

    /// An error in words. An object that does not exist is one thing, a kind that the cluster does not know is another: the advice differs.
    fn explained(&self, error: &RouteError) -> String {
        match error {
            RouteError::Missing {
                kind,
                namespace,
                name,
                field,
            } if !self.view.world.serves(Kind::of_route(*kind)) => format!(
                "{kind} {namespace}/{name} cannot exist: the cluster does not serve {}.{}; install their definitions, or correct trafficRoutings[0].{field}",
                Kind::of_route(*kind).plural(),
                Kind::of_route(*kind).group(),
            ),
            error => error.to_string(),
        }
    }

    /// Why one of these steps could not be shown by the routes as they are: told before the first pod, not in the middle of the release.
    pub(crate) fn unshowable(&self, steps: &[Step]) -> Option<String> {
        steps.iter().enumerate().find_map(|(index, step)| {
            let wanted = self.wanted(step, step.route.as_ref()?, "", "");
            let mut errors = self
                .routers
                .iter()
                .filter_map(|router| router.lead(&self.routes, wanted).err());
            errors.next().map(|error| format!("steps[{index}]: {error}"))
        })
    }

    /// Where the routes are.
    pub(crate) fn position(&self, step: &Step, route: &Route, sub: &CanaryStatus) -> Position {
        let stable = sub.common.stable_revision.as_deref().unwrap_or_default();
        let canary = self.view.canary_pod_hash().unwrap_or_default();
        self.together(self.wanted(step, route, stable, canary))
            .unwrap_or_else(|error| Position::Blocked(error.to_string()))
    }

    fn wanted<'b>(&'b self, step: &'b Step, route: &'b Route, stable: &'b str, canary: &'b str) -> Wanted<'b> {
        Wanted {
            sides: self.sides(),
            revisions: self.revisions(stable, canary),
            route,
            header_modifier: step.header_modifier.as_ref(),
        }
    }

    fn revisions<'b>(&self, stable: &'b str, canary: &'b str) -> traffic::Revisions<'b> {
        traffic::Revisions {
            key: label::POD_TEMPLATE_HASH,
            stable,
            canary,
        }
    }

    /// All routers as one: up as soon as one of them has to go up.
    fn together(&self, wanted: Wanted<'_>) -> Result<Position, RouteError> {
        let (mut edits, mut up) = (Vec::new(), false);
        for router in &self.routers {
            match router.lead(&self.routes, wanted)? {
                traffic::Position::There => {}
                traffic::Position::Above(more) => edits.extend(more),
                traffic::Position::Below(more) => {
                    up = true;
                    edits.extend(more);
                }
                traffic::Position::Leaving(name) => return Ok(Position::Leaving(self.target(&name))),
            }
        }
        if up {
            return Ok(Position::Below(edits));
        }
        if !edits.is_empty() {
            return Ok(Position::Above(edits));
        }
        Ok(match self.observed() {
            Observed::Untold | Observed::Current => Position::There,
            Observed::Behind { why } => Position::Unseen(why),
            Observed::Refused { why } => Position::Blocked(why),
        })
    }

    /// What the implementations are known to have taken in of the routes as they are: the worst of all.
    pub(crate) fn observed(&self) -> Observed {
        let told = self.routers.iter().map(|router| router.observed(&self.routes));
        let severity = |told: &Observed| match told {
            Observed::Current => 0,
            Observed::Untold => 1,
            Observed::Behind { .. } => 2,
            Observed::Refused { .. } => 3,
        };
        told.max_by_key(severity).unwrap_or(Observed::Untold)
    }

    /// How long capacity has to stay after traffic left it: the grace, and where nobody tells what the data plane has taken in, the longest that
    /// it is known to take. A grace of zero is the user's word that nothing has to be waited for.
    pub(crate) fn farewell(&self) -> SignedDuration {
        let grace = self.routing.closing_grace();
        let slowest = match self.observed() {
            Observed::Current => std::time::Duration::ZERO,
            _ => self
                .routers
                .iter()
                .map(|router| router.slowest())
                .max()
                .unwrap_or_default(),
        };
        let wanted = if grace.is_zero() { grace } else { grace.max(slowest) };
        SignedDuration::try_from(wanted).unwrap_or(SignedDuration::ZERO)
    }

    /// Sends edits; `recheck` is what must be seen again before those that lead up.
    pub(crate) fn send(&self, edits: Vec<Edit>, recheck: Option<&Evidence>, draft: &mut Draft) {
        for edit in edits {
            match edit {
                Edit::Create { kind, object } => draft.create(Kind::of_route(kind), object, recheck.cloned()),
                Edit::Patch { name, ops } => {
                    if let Some(object) = self.routes.get(&name) {
                        draft.patch(Kind::of_route(name.kind), object, ops, recheck.cloned());
                    }
                }
                Edit::Delete { name } => {
                    if let Some(object) = self.routes.get(&name) {
                        let kind = Kind::of_route(name.kind);
                        draft.delete(kind, object, Propagation::Background, recheck.cloned());
                    }
                }
            }
        }
    }

    fn way_back(&self) -> Vec<Edit> {
        let sides = self.sides();
        self.routers
            .iter()
            .flat_map(|router| router.withdraw(&self.routes, sides))
            .collect()
    }

    /// Whether the routes lead to nobody. Most gateways lose such requests; Traefik does in the nginx dialect, too, while the last pods drain.
    pub(crate) fn leads_to_nobody(&self) -> bool {
        let somebody = match self.routing.canary_service {
            true => {
                let service = self.view.service(&self.canary_service);
                service.is_some_and(|service| self.view.endpoints(service) > 0)
            }
            false => self.view.canary().is_some_and(|canary| canary.available_replicas > 0),
        };
        !somebody && self.leads_to_canary()
    }

    /// Whether any request is led to the new version.
    pub(crate) fn leads_to_canary(&self) -> bool {
        let sides = self.sides();
        self.routers
            .iter()
            .any(|router| router.leads_to_canary(&self.routes, sides))
    }

    /// The edits that have to be in force before requests can be split: where one Service has both versions, the subsets that tell them apart.
    pub(crate) fn preparations(&self, sub: &CanaryStatus, canary: &str) -> Vec<Edit> {
        let stable = sub.common.stable_revision.as_deref().unwrap_or_default();
        let revisions = self.revisions(stable, canary);
        let edits = self
            .routers
            .iter()
            .map(|router| router.prepare(&self.routes, self.sides(), revisions));
        edits.flatten().collect()
    }

    /// The edits that take those away again, once the data plane sends nobody there.
    pub(crate) fn clearances(&self) -> Vec<Edit> {
        let sides = self.sides();
        let edits = self.routers.iter().map(|router| router.clear(&self.routes, sides));
        edits.flatten().collect()
    }

    /// The edits that send every request to the stable revision's pods. With a Service of its own for the new version that is what the routes
    /// were before; with one for both they go on telling the two apart.
    fn way_to_stable(&self) -> Vec<Edit> {
        if self.routing.canary_service {
            return self.way_back();
        }
        let nothing = Route::Weight(api::quantity::Weight::NONE);
        let position = self.together(Wanted {
            sides: self.sides(),
            revisions: self.revisions("", ""),
            route: &nothing,
            header_modifier: None,
        });
        match position {
            Ok(Position::Above(edits) | Position::Below(edits)) => edits,
            Ok(_) => Vec::new(),
            Err(_) => self.way_back(),
        }
    }

    /// Sends everything to the stable revision's pods. True once nothing is led to the new version's and the implementations know it, as far as
    /// they tell.
    pub(crate) fn leave(&self, draft: &mut Draft) -> bool {
        self.edited(self.way_to_stable(), None, draft)
    }

    /// Whether the stable revision's pods alone get what is not the new version's.
    pub(crate) fn is_apart(&self) -> bool {
        let sides = self.sides();
        self.routers
            .iter()
            .all(|router| router.tells_apart(&self.routes, sides))
    }

    /// Whether anything of the release is left on the routes.
    pub(crate) fn routed(&self) -> bool {
        !self.way_back().is_empty()
    }

    /// Sends everything to the stable side. True once nothing of the release is left on the routes and the implementations know it, as far as
    /// they tell.
    pub(crate) fn withdraw(&self, draft: &mut Draft) -> bool {
        self.withdraw_over(None, draft)
    }

    /// The same, over evidence that the stable side can take it.
    pub(crate) fn withdraw_over(&self, recheck: Option<&Evidence>, draft: &mut Draft) -> bool {
        self.edited(self.way_back(), recheck, draft)
    }

    fn edited(&self, edits: Vec<Edit>, recheck: Option<&Evidence>, draft: &mut Draft) -> bool {
        if !edits.is_empty() {
            self.send(edits, recheck, draft);
            return false;
        }
        match self.observed() {
            Observed::Behind { why } => {
                draft.wait(WaitReason::Routes { why });
                false
            }
            Observed::Untold | Observed::Current | Observed::Refused { .. } => true,
        }
    }

    /// Whether somebody tells when the data plane has taken in a change.
    pub(crate) fn is_told(&self) -> bool {
        self.observed() != Observed::Untold
    }

    fn target(&self, name: &RouteName) -> Target {
        Target {
            kind: Kind::of_route(name.kind),
            namespace: self.view.world.key.namespace.clone(),
            name: name.name.clone(),
        }
    }

    /// The evidence that nothing of the release is left on the routes.
    pub(crate) fn withdrawn(&self) -> Evidence {
        Evidence::Unrouted(Box::new(Unrouted {
            routers: self.routing.routers.clone(),
            namespace: self.view.world.key.namespace.clone(),
            stable_service: self.routing.service.clone(),
            canary_service: self.canary_service.clone(),
            owner: self.owner.clone(),
        }))
    }
}

/// The Service of the new version: one of its own, or the stable one where the release makes none.
pub(crate) fn canary_service_name(routing: &Routing) -> String {
    match routing.canary_service {
        true => api::names::canary_name(&routing.service),
        false => routing.service.clone(),
    }
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
