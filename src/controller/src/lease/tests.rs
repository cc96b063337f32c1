//! Elections on a virtual clock: one writer at a time, whatever the network does.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use env::sim::run;
use env::watch;
use env::{Env, HttpService, Trace, full, read_all};
use http::{Method, Request, Response, StatusCode};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::{Candidate, Standing, campaign, release};
use crate::telemetry::Telemetry;

/// One Lease behind HTTP, with optimistic concurrency.
#[derive(Clone, Default)]
struct Leases(Arc<Mutex<(u64, Option<Value>)>>);

impl Leases {
    /// A client whose network can be cut.
    fn client(&self, cut: Arc<AtomicBool>) -> kube::Client {
        let leases = self.clone();
        let service = HttpService::new(move |request| {
            let (leases, cut) = (leases.clone(), cut.clone());
            async move {
                if cut.load(Ordering::Relaxed) {
                    std::future::pending::<()>().await;
                }
                leases.answer(request).await
            }
        });
        kube::Client::new(service, "default")
    }

    async fn answer(&self, request: Request<env::Body>) -> Result<Response<env::Body>, env::BoxError> {
        let method = request.method().clone();
        let body = read_all(request.into_body(), 1 << 16).await?;
        let mut state = self.0.lock();
        let (code, body) = match (method, state.1.clone()) {
            (Method::GET, Some(lease)) => (200, lease),
            (Method::GET, None) => (404, json!({ "reason": "NotFound", "code": 404 })),
            (Method::POST, Some(_)) => (409, json!({ "reason": "AlreadyExists", "code": 409 })),
            (_, before) => {
                let mut lease: Value = serde_json::from_slice(&body)?;
                let version = |lease: &Value| lease["metadata"]["resourceVersion"].clone();
                if before.is_some_and(|before| version(&before) != version(&lease)) {
                    (409, json!({ "reason": "Conflict", "code": 409 }))
                } else {
                    state.0 += 1;
                    lease["metadata"]["resourceVersion"] = json!(state.0.to_string());
                    state.1 = Some(lease.clone());
                    (200, lease)
                }
            }
        };
        let mut body = body;
        if code >= 400 {
            body["kind"] = json!("Status");
            body["status"] = json!("Failure");
            body["message"] = json!("scripted");
        }
        let mut response = Response::new(full(body.to_string()));
        *response.status_mut() = StatusCode::from_u16(code)?;
        Ok(response)
    }

    fn holder(&self) -> String {
        let state = self.0.lock();
        let lease = state.1.as_ref().expect("a lease");
        lease["spec"]["holderIdentity"].as_str().unwrap_or_default().to_owned()
    }
}

struct Replica {
    standing: watch::Receiver<Standing>,
    cut: Arc<AtomicBool>,
    client: kube::Client,
    candidate: Candidate,
    task: JoinHandle<()>,
}

fn replica(env: &Env, leases: &Leases, identity: &str) -> Replica {
    let (publish, standing) = watch::channel(Standing::Waiting);
    let cut = Arc::new(AtomicBool::new(false));
    let candidate = Candidate {
        namespace: "tidegate".to_owned(),
        name: "lease".to_owned(),
        identity: identity.to_owned(),
        duration: Duration::from_secs(15),
        renew_every: Duration::from_secs(2),
        telemetry: Telemetry::default(),
    };
    let client = leases.client(cut.clone());
    let task = tokio::spawn(campaign(env.clone(), client.clone(), candidate.clone(), publish));
    Replica {
        standing,
        cut,
        client,
        candidate,
        task,
    }
}

impl Replica {
    fn may_write(&self, env: &Env) -> bool {
        self.standing.borrow().may_write(env.clock().elapsed())
    }
}

#[test]
fn of_two_replicas_one_leads_and_goes_on_leading() {
    run(1, Trace::off(), |world| async move {
        let leases = Leases::default();
        let (a, b) = (replica(&world.env, &leases, "a"), replica(&world.env, &leases, "b"));
        for _ in 0..100 {
            world.env.sleep(Duration::from_secs(3)).await;
            assert!(a.may_write(&world.env) && !b.may_write(&world.env));
        }
        assert_eq!(leases.holder(), "a");
    });
}

#[test]
fn a_leader_that_is_cut_off_stops_before_another_can_start() {
    run(1, Trace::off(), |world| async move {
        let leases = Leases::default();
        let (a, b) = (replica(&world.env, &leases, "a"), replica(&world.env, &leases, "b"));
        world.env.sleep(Duration::from_secs(30)).await;
        a.cut.store(true, Ordering::Relaxed);
        let mut nobody = 0;
        for _ in 0..300 {
            world.env.sleep(Duration::from_millis(100)).await;
            assert!(!(a.may_write(&world.env) && b.may_write(&world.env)), "two writers");
            nobody += u32::from(!a.may_write(&world.env) && !b.may_write(&world.env));
        }
        assert!(nobody > 10, "there is time between the two: {nobody}");
        assert!(b.may_write(&world.env));
        assert_eq!(*a.standing.borrow(), Standing::Lost);
        a.task.await.expect("its campaign is over");
    });
}

#[test]
fn a_lease_that_is_given_back_is_taken_at_once() {
    run(1, Trace::off(), |world| async move {
        let leases = Leases::default();
        let (a, b) = (replica(&world.env, &leases, "a"), replica(&world.env, &leases, "b"));
        world.env.sleep(Duration::from_secs(5)).await;
        a.task.abort();
        release(&world.env, a.client.clone(), &a.candidate).await;
        assert_eq!(leases.holder(), "");
        world.env.sleep(Duration::from_secs(3)).await;
        assert!(b.may_write(&world.env));
    });
}

#[test]
fn a_lease_of_a_dead_replica_is_taken_when_it_has_been_seen_unchanged_for_its_time() {
    run(1, Trace::off(), |world| async move {
        let leases = Leases::default();
        let a = replica(&world.env, &leases, "a");
        world.env.sleep(Duration::from_secs(5)).await;
        a.task.abort();
        let b = replica(&world.env, &leases, "b");
        world.env.sleep(Duration::from_secs(14)).await;
        assert!(!b.may_write(&world.env));
        world.env.sleep(Duration::from_secs(4)).await;
        assert!(b.may_write(&world.env));
        assert_eq!(
            leases.0.lock().1.as_ref().expect("a lease")["spec"]["leaseTransitions"],
            2
        );
    });
}
