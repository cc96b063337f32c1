//! Plays every case on one bed: objects first, then time to follow, then requests.

use std::time::Duration;

use serde_json::{Value, json};

use super::way::Place;
use super::{Ask, Case, Cell, Play, all, ask};
use crate::object::{number, text};
use crate::routes::Family;
use crate::scenarios::{NEXT, STABLE};
use crate::{Bed, Check, Failure, Kubernetes, ObjectRef, PatchKind, timeouts};

/// How often something is looked at, and how far apart the requests of a measurement in time are.
const BEAT: Duration = Duration::from_millis(20);
/// How many answers in a row say that the gateway has followed.
const IN_A_ROW: u32 = 60;
/// How long a gateway may take at most to follow.
const PATIENCE: Duration = Duration::from_secs(15);
/// The lines between one word and the next for how long a gateway took, in seconds.
const WITHIN: [u64; 3] = [1, 5, 10];

/// Plays all cases that the bed's family of routes can say; one cell for each row.
///
/// # Errors
/// When the cluster refuses an object, or its pods do not come.
pub async fn run(bed: &dyn Bed) -> Result<Vec<Cell>, Failure> {
    let table = Table {
        bed,
        kubernetes: Kubernetes::new(bed.person()),
    };
    let cases: Vec<Case> = all()
        .into_iter()
        .filter(|case| case.families.contains(&bed.family()))
        .collect();
    for (name, image) in [("old", STABLE), ("new", NEXT)] {
        table.pods(name, image, 0).await?;
    }
    for case in &cases {
        table.furnish(case).await?;
    }
    for case in &cases {
        table.until_routed(case).await;
    }
    bed.env().sleep(bed.gateway_lag() + Duration::from_secs(1)).await;
    let mut cells = Vec::new();
    for case in &cases {
        match &case.play {
            Play::Ask(asks) => {
                for ask in asks {
                    cells.push(Cell::of(case, ask.label, table.split(case, ask).await));
                }
            }
            Play::Move { writes } => cells.push(Cell::of(case, "", table.moved(case, *writes).await?)),
            Play::Delete { drain } => cells.push(Cell::of(case, "", table.deleted(case, *drain).await?)),
        }
    }
    Ok(cells)
}

impl Cell {
    fn of(case: &Case, label: &str, seen: String) -> Self {
        let row = if label.is_empty() {
            case.id.to_owned()
        } else {
            format!("{}: {label}", case.id)
        };
        Self {
            row,
            about: case.about,
            seen,
        }
    }
}

struct Table<'a> {
    bed: &'a dyn Bed,
    kubernetes: Kubernetes,
}

impl Table<'_> {
    fn host(&self, first: &str) -> String {
        self.bed.host(&format!("{first}.example.com"))
    }

    fn place(&self, case: &'static str) -> Place {
        let hosts: std::collections::BTreeMap<String, String> = [case.to_owned(), format!("{case}-other")]
            .into_iter()
            .map(|first| (first.clone(), self.host(&first)))
            .collect();
        Place {
            family: self.bed.family(),
            door: self.bed.door(),
            namespace: self.bed.namespace().to_owned(),
            case,
            host: Box::new(move |first| hosts.get(first).cloned().unwrap_or_else(|| first.to_owned())),
        }
    }

    async fn create(&self, object: &Value) -> Result<(), Failure> {
        self.kubernetes.create(object).await.map(drop).map_err(Failure::from)
    }

    /// Two pods of an image that go on answering for so many seconds when they are told to end.
    async fn pods(&self, name: &str, image: &str, drain: u32) -> Result<(), Failure> {
        let labels = json!({ "app": name });
        let deployment = json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": name, "namespace": self.bed.namespace()},
            "spec": {
                "replicas": 2, "selector": {"matchLabels": labels},
                "template": {
                    "metadata": {"labels": labels, "annotations": {"tidepool.dev/drain-seconds": drain.to_string()}},
                    "spec": {"containers": [{"name": "echo", "image": image, "ports": [{"containerPort": 8080}]}]},
                },
            },
        });
        self.create(&deployment).await?;
        let named = ObjectRef::of(&deployment);
        let deadline = self.bed.env().clock().elapsed().after(timeouts::BASELINE);
        loop {
            let found = self.kubernetes.get(&named).await?.unwrap_or_default();
            if number(&found, "/status/availableReplicas") == 2 {
                return Ok(());
            }
            if deadline.since(self.bed.env().clock().elapsed()).is_zero() {
                let within = timeouts::BASELINE;
                return Err(Failure::new(
                    Check::Cluster,
                    format!(
                        "the pods of {named} are not available within {within:?}; without them no gateway can be asked"
                    ),
                ));
            }
            self.bed.env().sleep(BEAT).await;
        }
    }

    /// The Services and routes of a case. Each has Services of its own: a gateway may tell canaries apart by the stable Service alone.
    async fn furnish(&self, case: &Case) -> Result<(), Failure> {
        let place = self.place(case.id);
        let leaving = leaving(case);
        let mut behind = vec![("old", "old"), ("new", "new"), ("empty", "nobody")];
        if let Play::Delete { drain } = case.play {
            self.pods(&leaving, STABLE, drain).await?;
            behind.push(("leaving", &leaving));
        }
        for (service, app) in behind {
            let service = json!({
                "apiVersion": "v1", "kind": "Service",
                "metadata": {"name": place.service(service), "namespace": place.namespace},
                "spec": {"selector": {"app": app}, "ports": [{"name": "http", "port": 80, "targetPort": 8080}]},
            });
            self.create(&service).await?;
        }
        for route in (case.routes)(&place) {
            self.create(&route).await?;
        }
        Ok(())
    }

    /// Waits until the gateway knows the case's host. One that never does is told by its answers.
    async fn until_routed(&self, case: &Case) {
        let env = self.bed.env();
        let deadline = env.clock().elapsed().after(PATIENCE);
        let (gateway, host) = (self.bed.gateway(), self.host(case.id));
        while ["404", "no answer"].contains(&ask::send(&gateway, &host, "/", &[]).await.as_str())
            && !deadline.since(env.clock().elapsed()).is_zero()
        {
            env.sleep(BEAT).await;
        }
    }

    async fn split(&self, case: &Case, asked: &Ask) -> String {
        let host = self.host(asked.host.unwrap_or(case.id));
        ask::split(&self.bed.gateway(), &host, asked.path, asked.headers).await
    }

    /// Moves all traffic to the new version and says how soon all answers come from it, and whether one was lost.
    async fn moved(&self, case: &Case, writes: u32) -> Result<String, Failure> {
        let env = self.bed.env();
        let route = self.place(case.id);
        for write in 1..=writes {
            let (name, patch) = weight(&route, 100 * write / writes);
            self.kubernetes.patch(&name, None, PatchKind::Json, &patch).await?;
        }
        let begin = env.clock().elapsed();
        let (gateway, host) = (self.bed.gateway(), self.host(case.id));
        let (mut in_a_row, mut since, mut lost) = (0, begin, false);
        while in_a_row < IN_A_ROW && env.clock().elapsed().since(begin) < PATIENCE {
            let at = env.clock().elapsed();
            let outcome = ask::send(&gateway, &host, "/", &[]).await;
            lost |= !ask::is_answer(&outcome);
            match outcome.as_str() {
                "new" if in_a_row > 0 => in_a_row += 1,
                "new" => (in_a_row, since) = (1, at),
                _ => in_a_row = 0,
            }
            env.sleep(BEAT).await;
        }
        let took = since.since(begin);
        let within = WITHIN.into_iter().find(|seconds| took <= Duration::from_secs(*seconds));
        let followed = match within {
            Some(seconds) if in_a_row >= IN_A_ROW => format!("followed within {seconds} s"),
            _ => format!("not followed within {PATIENCE:?}"),
        };
        Ok(format!("{followed}, {}", losses(lost)))
    }

    /// Deletes a pod and says whether a request was lost.
    async fn deleted(&self, case: &Case, drain: u32) -> Result<String, Failure> {
        let env = self.bed.env();
        let pods = self.kubernetes.resource("v1", "Pod").await?;
        let leaving = leaving(case);
        let found = self.kubernetes.list(&pods, Some(self.bed.namespace())).await?;
        let Some(pod) = found.iter().find(|pod| text(pod, "/metadata/labels/app") == leaving) else {
            return Err(Failure::new(
                Check::Cluster,
                format!("no pod of {leaving} is there to be deleted"),
            ));
        };
        let (gateway, host) = (self.bed.gateway(), self.host(case.id));
        self.kubernetes.delete(&ObjectRef::of(pod)).await?;
        let time = Duration::from_secs(u64::from(drain)) + self.bed.gateway_lag() + Duration::from_secs(2);
        let end = env.clock().elapsed().after(time);
        let mut lost = false;
        while !end.since(env.clock().elapsed()).is_zero() {
            lost |= !ask::is_answer(&ask::send(&gateway, &host, "/", &[]).await);
            env.sleep(BEAT).await;
        }
        Ok(losses(lost).to_owned())
    }
}

fn losses(lost: bool) -> &'static str {
    if lost { "some are lost" } else { "none is lost" }
}

/// The Deployment of a case whose pod is deleted.
fn leaving(case: &Case) -> String {
    format!("leaving-{}", case.id)
}

/// The write that gives the new version so many percent, of a case whose routes split between two.
fn weight(place: &Place, percent: u32) -> (ObjectRef, Value) {
    let (api_version, kind) = place.family.kind();
    let named =
        |rank: &str| ObjectRef::namespaced(api_version, kind, &place.namespace, &format!("{}-{rank}", place.case));
    match place.family {
        Family::Ingress => {
            let weight = "/metadata/annotations/nginx.ingress.kubernetes.io~1canary-weight";
            let patch = json!([{"op": "replace", "path": weight, "value": percent.to_string()}]);
            (named("a-0"), patch)
        }
        Family::HttpRoute => (named("a"), weights("/spec/rules/0/backendRefs", percent)),
        Family::VirtualService => (named("a"), weights("/spec/http/0/route", percent)),
    }
}

fn weights(list: &str, percent: u32) -> Value {
    json!([
        {"op": "replace", "path": format!("{list}/0/weight"), "value": 100 - percent},
        {"op": "replace", "path": format!("{list}/1/weight"), "value": percent},
    ])
}
