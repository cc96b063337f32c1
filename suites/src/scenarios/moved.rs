//! A rollout that is moved from one kind of route to another between two releases, by way of one that goes by both; and one that goes by a GRPCRoute.

use std::time::Duration;

use serde_json::{Value, json};

use crate::dialect::Ending;
use crate::object::text;
use crate::routes::Family;
use crate::scenario::Scenario;
use crate::{Check, Failure, Feature, ObjectRef, Question, Stage, timeouts};

use super::{FOUR_GATES, NEXT, STABLE, THIRD, approve_to, release, release_to};

const TO_ALL: &str = include_str!("../../../fixtures/rollouts/to-all.yaml");
const OLD: &str = include_str!("../../../fixtures/beside/old-ingress.yaml");

const GRPC: &str = "gateway.networking.k8s.io/v1";

pub(super) fn all() -> Vec<Scenario> {
    let mut moved = release(
        "moved-to-another-route",
        "issue 12 §2: one rollout moved from Ingress to another kind of route between two releases, and by both in between",
        TO_ALL,
        moved,
    );
    moved.features = &[
        Feature::IngressNginx,
        Feature::SplitInPlace,
        Feature::IngressBeside,
        Feature::RoutesApart,
    ];
    let mut grpc = release(
        "grpc-route",
        "issue 12 §1: a GRPCRoute through a whole release and a rollback",
        FOUR_GATES,
        grpc,
    );
    grpc.features = &[Feature::IngressNginx, Feature::GatewayApi];
    vec![moved, grpc]
}

/// Releases `image` by some of the two ways, and looks at both at the gate.
async fn by(stage: &Stage, image: &str, old: &Question, shares: (u32, u32)) -> Result<(), Failure> {
    release_to(stage, image, 1).await?;
    stage.share_becomes(old, image, shares.0).await?;
    stage.share_becomes(stage.question(), image, shares.1).await?;
    stage.approve().await?;
    stage.until_ended(Ending::Completed, Duration::ZERO).await?;
    stage.share_becomes(old, image, 100).await?;
    stage.all_answers_come_from(image).await
}

async fn moved(stage: Stage) -> Result<(), Failure> {
    let mut old = stage.question().clone();
    old.host = stage.bed().host("old.example.com");
    for object in stage.documents_in(Family::Ingress, OLD)? {
        stage.create(&object).await?;
    }
    let new_way =
        stage.read(&stage.dialect().rollout()).await?["spec"]["strategy"]["canary"]["trafficRoutings"][0].clone();
    let old_way = json!({"service": "echoserver", "ingress": {"name": "echoserver-old"}});
    let mut both = new_way.clone();
    both["ingress"] = old_way["ingress"].clone();

    stage.route_by(&old_way).await?;
    stage.share_becomes(&old, STABLE, 100).await?;
    by(&stage, NEXT, &old, (20, 0)).await?;
    stage.route_by(&both).await?;
    by(&stage, THIRD, &old, (20, 20)).await?;
    stage.route_by(&new_way).await?;
    by(&stage, STABLE, &old, (0, 20)).await
}

fn grpc_route(stage: &Stage, host: &str) -> Value {
    let door = stage.bed().door();
    json!({
        "apiVersion": GRPC, "kind": "GRPCRoute",
        "metadata": {"namespace": stage.bed().namespace(), "name": "echoserver"},
        "spec": {
            "parentRefs": [{"namespace": door.namespace, "name": door.name}],
            "hostnames": [host],
            "rules": [{
                "matches": [{"method": {"type": "Exact", "service": "echo.Echo", "method": "Say"}}],
                "backendRefs": [{"name": "echoserver", "port": 80}],
            }],
        },
    })
}

async fn grpc(stage: Stage) -> Result<(), Failure> {
    let mut call = stage.asking("/echo.Echo/Say");
    call.host = stage.bed().host("grpc.example.com");
    let route = stage.named(GRPC, "GRPCRoute", "echoserver");
    stage.create(&grpc_route(&stage, &call.host)).await?;
    stage
        .route_by(&json!({"service": "echoserver", "gateway": {"grpcRouteName": "echoserver"}}))
        .await?;
    let before = stage.read(&route).await?;

    stage.release(NEXT).await?;
    stage.until_paused_at(1).await?;
    gives(&stage, &route, &call, 5).await?;
    approve_to(&stage, 1, 2).await?;
    gives(&stage, &route, &call, 40).await?;
    stage.roll_back(STABLE).await?;
    stage.until_ended(Ending::RolledBack, Duration::ZERO).await?;
    is_back(&stage, &route, &before).await?;

    release_to(&stage, NEXT, 4).await?;
    gives(&stage, &route, &call, 80).await?;
    stage.approve().await?;
    stage.until_ended(Ending::Completed, Duration::ZERO).await?;
    is_back(&stage, &route, &before).await?;
    stage.all_answers_come_from(NEXT).await
}

/// The GRPCRoute gives `percent` to the new version, the HTTPRoute beside it nothing; and where calls can be counted, they say the same.
async fn gives(stage: &Stage, route: &ObjectRef, call: &Question, percent: u32) -> Result<(), Failure> {
    let shown = Family::HttpRoute.shown(&stage.read(route).await?, "echoserver");
    if shown.weight != percent {
        let message = format!(
            "{route} gives {} % to the new version; {percent} % are expected",
            shown.weight
        );
        return Err(Failure::new(Check::Weight, message));
    }
    // Real gateways speak HTTP/2 to who is called so, which the echo server does not.
    if stage.bed().features().contains(&Feature::ExactSplit) {
        stage.share_becomes(call, NEXT, percent).await?;
    }
    stage.share_becomes(stage.question(), NEXT, 0).await
}

async fn is_back(stage: &Stage, route: &ObjectRef, before: &Value) -> Result<(), Failure> {
    stage
        .until(&format!("{route} is as it was"), timeouts::CLEAN, || async {
            let now = stage.read(route).await?;
            let same = |pointer: &str| now.pointer(pointer) == before.pointer(pointer);
            Ok(
                match same("/spec") && same("/metadata/annotations") && same("/metadata/labels") {
                    true => Ok(()),
                    false => Err(format!("its generation is {}", text(&now, "/metadata/generation"))),
                },
            )
        })
        .await
}
