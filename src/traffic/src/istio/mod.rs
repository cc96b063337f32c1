//! Istio's VirtualService as a router: the user's object is edited in place, and led back to what it was.
//!
//! A weight becomes weights of the stable destination and of a canary destination beside it, in http, tls and tcp rules. Where the stable one is the
//! only one, it is given what the canary leaves of a hundred; beside other people's destinations its own share is divided and theirs are not
//! touched. Selected requests get http rules of their own before each rule that leads to the stable Service. Every such rule is split, also one
//! that has a `match`, which upstream's script leaves out: it is what Ingresses and HTTPRoutes do, and nobody expects half of the requests to stay
//! behind. What upstream stores is the whole spec, once for all rollouts; here it is the weights for each stable Service, so that a second rollout
//! on the object does not bring back what the first one changed. Follows contract §5.7. Used through [`crate::routers`].

mod destinations;
mod headers;
mod matches;
mod rules;
mod status;
mod subsets;

use std::time::Duration;

use api::parts::HeaderModifier;
use api::plan::Route;
use kube::core::DynamicObject;
use serde_json::Value;

use self::rules::{Pristine, Section, Sections, Split};
pub use self::subsets::DestinationRule;
use crate::Op;
use crate::originals::Originals;
use crate::router::{Edit, Observed, Position, RouteError, RouteKind, RouteName, Router, Routes, Sides, Wanted};

/// istiod waits until changes have been quiet for 100 ms before it tells the proxies, but in a burst of them no longer than ten seconds by default;
/// one more for telling them.
const SLOWEST: Duration = Duration::from_secs(11);

/// One VirtualService as a router.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VirtualService {
    /// Name of the user's VirtualService.
    pub name: String,
}

impl VirtualService {
    fn address(&self) -> RouteName {
        RouteName::new(RouteKind::VirtualService, &self.name)
    }

    fn read<'a>(&self, routes: &Routes<'a>, namespace: &str) -> Result<&'a DynamicObject, RouteError> {
        routes.get(&self.address()).ok_or_else(|| RouteError::Missing {
            kind: RouteKind::VirtualService,
            namespace: namespace.into(),
            name: self.name.clone(),
            field: "customNetworkRefs",
        })
    }

    fn edit(&self, object: &DynamicObject, sections: Sections, mut ops: Vec<Op>) -> Vec<Edit> {
        let before = present(object);
        for ((section, rules), (_, present)) in sections.into_iter().zip(before) {
            if rules != present {
                ops.push(Op::set(format!("/spec/{}", section.field()), Value::Array(rules)));
            }
        }
        match ops.is_empty() {
            true => Vec::new(),
            false => vec![Edit::Patch {
                name: self.address(),
                ops,
            }],
        }
    }
}

/// The lists of rules that an object has.
fn present(object: &DynamicObject) -> Vec<(Section, &[Value])> {
    let rules = |section: Section| {
        let spec = object.data.get("spec")?;
        Some((section, spec.get(section.field())?.as_array()?.as_slice()))
    };
    Section::ALL.into_iter().filter_map(rules).collect()
}

fn pristine(object: &DynamicObject, sides: Sides<'_>) -> Pristine {
    let recorded = Originals::of(object).of_service(sides.stable_service);
    Pristine::of(present(object), recorded, sides)
}

impl Router for VirtualService {
    fn objects(&self) -> Vec<RouteName> {
        vec![self.address()]
    }

    fn sayable(&self, route: &Route, _: Option<&HeaderModifier>) -> Result<(), RouteError> {
        let Route::Matches(wanted) = route else { return Ok(()) };
        for (index, wanted) in wanted.iter().enumerate() {
            let path = wanted.path.as_ref().is_some_and(|path| !matches::any_path(path));
            let headers = wanted.headers.as_ref().is_some_and(|all| !all.is_empty());
            let parameters = wanted.query_params.as_ref().is_some_and(|all| !all.is_empty());
            if !path && !headers && !parameters {
                return Err(RouteError::Unsayable {
                    index,
                    to: "a VirtualService",
                    why: "it would be all requests; add a header, a query parameter or a path, or use traffic",
                });
            }
        }
        Ok(())
    }

    fn splits_one_service(&self) -> bool {
        true
    }

    fn leads_to_canary(&self, routes: &Routes<'_>, sides: Sides<'_>) -> bool {
        if !sides.share_a_service() {
            return !self.withdraw(routes, sides).is_empty();
        }
        let rules = routes.get(&self.address()).map(present).unwrap_or_default();
        let mut all = rules
            .into_iter()
            .flat_map(|(_, rules)| rules)
            .flat_map(destinations::of);
        all.any(|one| destinations::is_canary(one, sides))
    }

    fn tells_apart(&self, routes: &Routes<'_>, sides: Sides<'_>) -> bool {
        let rules = routes.get(&self.address()).map(present).unwrap_or_default();
        let mut rules = rules.into_iter().flat_map(|(_, rules)| rules);
        rules.all(|rule| {
            destinations::stable_share(rule, sides) == 0
                || destinations::of(rule)
                    .iter()
                    .all(|one| destinations::pinned(one, sides) == *one)
        })
    }

    fn usable(&self, routes: &Routes<'_>, sides: Sides<'_>) -> Result<(), RouteError> {
        let object = self.read(routes, sides.namespace)?;
        pristine(object, sides).usable(sides, &self.address())
    }

    fn lead(&self, routes: &Routes<'_>, wanted: Wanted<'_>) -> Result<Position, RouteError> {
        let sides = wanted.sides;
        let object = self.read(routes, sides.namespace)?;
        let name = self.address();
        let pristine = pristine(object, sides);
        pristine.usable(sides, &name)?;
        let (sections, record) = pristine.split(Split {
            sides,
            route: wanted.route,
            modifier: wanted.header_modifier,
            name: &name,
        })?;
        let edits = self.edit(
            object,
            sections,
            Originals::record(object, sides.stable_service, record),
        );
        if edits.is_empty() {
            return Ok(Position::There);
        }
        let lower = match wanted.route {
            Route::Weight(to) if to.percents() == 0 => true,
            Route::Weight(to) => pristine.shown.iter().all(|shown| i64::from(to.percents()) <= *shown),
            Route::Matches(_) => false,
        };
        Ok(match lower {
            true => Position::Above(edits),
            false => Position::Below(edits),
        })
    }

    fn withdraw(&self, routes: &Routes<'_>, sides: Sides<'_>) -> Vec<Edit> {
        let Some(object) = routes.get(&self.address()) else {
            return Vec::new();
        };
        let ops = Originals::record(object, sides.stable_service, Vec::new());
        self.edit(object, pristine(object, sides).sections, ops)
    }

    fn observed(&self, routes: &Routes<'_>) -> Observed {
        let object = routes.get(&self.address());
        object.map_or(Observed::Untold, |object| status::observed(object, &self.address()))
    }

    fn slowest(&self) -> Duration {
        SLOWEST
    }
}
