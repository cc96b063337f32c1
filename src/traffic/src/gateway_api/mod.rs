//! Routes of the Gateway API (HTTPRoute, GRPCRoute) as a router: the user's route is edited in place, and led back to what it was.
//!
//! A weight becomes weights of the stable backend and of a canary backend beside it. Where the stable backend is the only one, it is given what the
//! canary leaves of a hundred; beside other people's backends its own share is divided and theirs are not touched. Selected requests get a rule of
//! their own before each rule that leads to the stable Service: a clone of it, narrowed by the step's matches. Follows contract §5.6, with its
//! defects mended; see docs/ARCHITECTURE.md. Used through [`crate::routers`].

mod backends;
mod filters;
mod limits;
mod matches;
mod rules;
mod status;

use std::time::Duration;

use api::parts::HeaderModifier;
use api::plan::Route;
use api::v1beta1::PathMatch;
use kube::core::DynamicObject;
use serde_json::{Value, json};

use self::rules::{Pristine, Split};
use crate::Op;
use crate::originals::Originals;
use crate::router::{Edit, Observed, Position, RouteError, RouteKind, RouteName, Router, Routes, Sides, Wanted};

/// The longest that an implementation which reports nothing is given: implementations that report have been seen to take up to two seconds in a
/// burst of changes; this is twice that, and one.
const SLOWEST: Duration = Duration::from_secs(5);

/// Which kind of route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RouteType {
    /// HTTPRoute.
    Http,
    /// GRPCRoute.
    Grpc,
}

impl RouteType {
    const fn kind(self) -> RouteKind {
        match self {
            Self::Http => RouteKind::HttpRoute,
            Self::Grpc => RouteKind::GrpcRoute,
        }
    }

    const fn said(self) -> &'static str {
        match self {
            Self::Http => "an HTTPRoute",
            Self::Grpc => "a GRPCRoute",
        }
    }

    /// The match that every request meets, as the API server fills it in.
    fn everything(self) -> Value {
        match self {
            Self::Http => json!({"path": {"type": "PathPrefix", "value": "/"}}),
            Self::Grpc => json!({}),
        }
    }
}

/// One route as a router.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatewayRoute {
    /// Which kind.
    pub route_type: RouteType,
    /// Name of the user's route.
    pub name: String,
    /// The field of the Rollout that names it.
    pub field: &'static str,
}

impl GatewayRoute {
    fn address(&self) -> RouteName {
        RouteName::new(self.route_type.kind(), &self.name)
    }

    fn read<'a>(&self, routes: &Routes<'a>, namespace: &str) -> Result<&'a DynamicObject, RouteError> {
        routes.get(&self.address()).ok_or_else(|| RouteError::Missing {
            kind: self.route_type.kind(),
            namespace: namespace.into(),
            name: self.name.clone(),
            field: self.field,
        })
    }

    fn edit(&self, route: &DynamicObject, rules: Vec<Value>, mut ops: Vec<Op>) -> Vec<Edit> {
        if present(route) != rules {
            ops.push(Op::set("/spec/rules", Value::Array(rules)));
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

/// Whether a path is one that the API takes: only a regular expression may begin with anything.
fn is_absolute(path: &PathMatch) -> bool {
    path.match_type.as_deref() == Some("RegularExpression")
        || path.value.as_deref().is_none_or(|value| value.starts_with('/'))
}

fn present(route: &DynamicObject) -> &[Value] {
    let rules = route.data.pointer("/spec/rules").and_then(Value::as_array);
    rules.map(Vec::as_slice).unwrap_or_default()
}

fn pristine(route: &DynamicObject, sides: Sides<'_>) -> Pristine {
    let recorded = Originals::of(route).of_service(sides.stable_service);
    Pristine::of(present(route), recorded, sides)
}

impl Router for GatewayRoute {
    fn objects(&self) -> Vec<RouteName> {
        vec![self.address()]
    }

    fn sayable(&self, route: &Route, _: Option<&HeaderModifier>) -> Result<(), RouteError> {
        let Route::Matches(wanted) = route else { return Ok(()) };
        for (index, wanted) in wanted.iter().enumerate() {
            let to = self.route_type.said();
            let unsayable = |why| RouteError::Unsayable { index, to, why };
            let path = wanted.path.as_ref().filter(|path| !matches::any_path(path));
            let headers = wanted.headers.as_ref().is_some_and(|all| !all.is_empty());
            let parameters = wanted.query_params.as_ref().is_some_and(|all| !all.is_empty());
            if self.route_type == RouteType::Grpc && (path.is_some() || parameters) {
                return Err(unsayable("it selects by headers alone; remove path and queryParams"));
            }
            if path.is_none() && !headers && !parameters {
                return Err(unsayable(match self.route_type {
                    RouteType::Http => {
                        "it would be all requests; add a header, a query parameter or a path, or use traffic"
                    }
                    RouteType::Grpc => "it would be all requests; add a header, or use traffic",
                }));
            }
            if path.is_some_and(|path| !is_absolute(path)) {
                return Err(unsayable("its paths begin with /; correct path.value"));
            }
        }
        Ok(())
    }

    fn usable(&self, routes: &Routes<'_>, sides: Sides<'_>) -> Result<(), RouteError> {
        let route = self.read(routes, sides.namespace)?;
        pristine(route, sides).usable(sides, &self.address())
    }

    fn lead(&self, routes: &Routes<'_>, wanted: Wanted<'_>) -> Result<Position, RouteError> {
        let sides = wanted.sides;
        let route = self.read(routes, sides.namespace)?;
        let name = self.address();
        let pristine = pristine(route, sides);
        pristine.usable(sides, &name)?;
        let (rules, record) = pristine.split(Split {
            route_type: self.route_type,
            sides,
            route: wanted.route,
            modifier: wanted.header_modifier,
            name: &name,
        })?;
        let edits = self.edit(route, rules, Originals::record(route, sides.stable_service, record));
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
        let Some(route) = routes.get(&self.address()) else {
            return Vec::new();
        };
        let ops = Originals::record(route, sides.stable_service, Vec::new());
        self.edit(route, pristine(route, sides).rules, ops)
    }

    fn observed(&self, routes: &Routes<'_>) -> Observed {
        let route = routes.get(&self.address());
        route.map_or(Observed::Untold, |route| status::observed(route, &self.address()))
    }

    fn slowest(&self) -> Duration {
        SLOWEST
    }
}
