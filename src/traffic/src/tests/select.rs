//! Which router serves what a plan names.

use api::parts::ObjectReference;
use api::plan;
use rstest::rstest;

use crate::{RouteKind, RouteName, Routes, Sides, routers};

fn named(api_version: &str, kind: &str) -> plan::Router {
    plan::Router::Custom(vec![ObjectReference {
        api_version: api_version.into(),
        kind: kind.into(),
        name: "web".into(),
    }])
}

/// Whoever names a route gets the same router, and is told of the field that is wrong.
#[rstest]
#[case::a_field(plan::Router::HttpRoute { name: "web".into() }, RouteKind::HttpRoute, "gateway.httpRouteName")]
#[case::the_other_field(plan::Router::GrpcRoute { name: "web".into() }, RouteKind::GrpcRoute, "gateway.grpcRouteName")]
#[case::a_custom_object(
    named("gateway.networking.k8s.io/v1", "HTTPRoute"),
    RouteKind::HttpRoute,
    "customNetworkRefs"
)]
#[case::an_older_version(
    named("gateway.networking.k8s.io/v1beta1", "HTTPRoute"),
    RouteKind::HttpRoute,
    "customNetworkRefs"
)]
#[case::another_kind(
    named("gateway.networking.k8s.io/v1", "GRPCRoute"),
    RouteKind::GrpcRoute,
    "customNetworkRefs"
)]
fn a_gateway_route_is_served_however_it_is_named(
    #[case] router: plan::Router,
    #[case] kind: RouteKind,
    #[case] field: &str,
) {
    let routers = routers(&[router]).unwrap();
    let [router] = routers.as_slice() else {
        panic!("one router: {routers:?}");
    };
    assert_eq!(router.objects(), [RouteName::new(kind, "web")]);
    let owner = super::owner();
    let sides = Sides {
        namespace: "shop",
        stable_service: "web",
        canary_service: "web-canary",
        owner: &owner,
    };
    assert_eq!(
        router.usable(&Routes::default(), sides).unwrap_err().to_string(),
        format!("{kind} shop/web is not found; create it, or correct trafficRoutings[0].{field}")
    );
}

#[rstest]
#[case::of_another_group("example.com/v1", "HTTPRoute")]
#[case::of_another_kind("gateway.networking.k8s.io/v1", "TCPRoute")]
fn what_is_not_known_is_not_served(#[case] api_version: &str, #[case] kind: &str) {
    let why = routers(&[named(api_version, kind)]).unwrap_err().to_string();
    assert_eq!(
        why,
        format!("trafficRoutings[0].customNetworkRefs: {kind} is not served yet")
    );
}
