//! Answers that take too long, on virtual time: exactly as long as the limit, and not a moment longer.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use env::sim::{SimEnv, run};
use env::{Body, Env, HttpService, Trace, empty, full};
use futures::{StreamExt, stream};
use http::Response;
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};

use super::{Class, measure, one, prometheus, told};
use crate::metrics::{Manner, Network, Provider, Secrets};

/// A server that answers well after so many seconds.
fn slow(env: &Env, seconds: u64) -> HttpService {
    let env = env.clone();
    HttpService::new(move |_| {
        let env = env.clone();
        async move {
            env.sleep(Duration::from_secs(seconds)).await;
            Ok(Response::new(full(one("1"))))
        }
    })
}

fn elapsed(world: &SimEnv) -> u64 {
    world.env.clock().elapsed().0.as_secs()
}

#[test]
fn an_answer_in_time_counts_and_a_late_one_is_the_servers_trouble() {
    run(1, Trace::off(), |world| async move {
        let query = prometheus("http://prometheus:9090");
        let served = world.network.serve("prometheus:9090", slow(&world.env, 29));
        assert_eq!(told(measure(&query, &world.env).await), Ok("[1]".to_owned()));
        assert_eq!(elapsed(&world), 29);
        drop(served);

        let _served = world.network.serve("prometheus:9090", slow(&world.env, 31));
        let text =
            "query http://prometheus:9090: no whole answer within 30 s; is the server up, and the query cheap enough?";
        assert_eq!(
            told(measure(&query, &world.env).await),
            Err((Class::Timeout, text.to_owned()))
        );
        assert_eq!(elapsed(&world), 29 + 30);
    });
}

#[test]
fn an_answer_that_never_ends_is_cut_by_time() {
    run(1, Trace::off(), |world| async move {
        let env = world.env.clone();
        let service = HttpService::new(move |_| {
            let env = env.clone();
            let drops = stream::unfold(env, |env| async move {
                env.sleep(Duration::from_secs(1)).await;
                Some((Ok::<_, env::BoxError>(Frame::data(" ".into())), env))
            });
            let body: Body = StreamBody::new(drops.boxed()).boxed_unsync();
            async move { Ok(Response::new(body)) }
        });
        let _served = world.network.serve("prometheus:9090", service);
        let came = told(measure(&prometheus("http://prometheus:9090"), &world.env).await);
        assert_eq!(came.expect_err("no end").0, Class::Timeout);
        assert_eq!(elapsed(&world), 30);
    });
}

#[test]
fn post_and_get_share_one_limit() {
    run(1, Trace::off(), |world| async move {
        let env = world.env.clone();
        let service = HttpService::new(move |request: http::Request<Body>| {
            let env = env.clone();
            async move {
                env.sleep(Duration::from_secs(20)).await;
                let refused = Response::builder().status(405).body(empty())?;
                Ok(if request.method() == "POST" {
                    refused
                } else {
                    Response::new(full(one("1")))
                })
            }
        });
        let _served = world.network.serve("prometheus:9090", service);
        let came = told(measure(&prometheus("http://prometheus:9090"), &world.env).await);
        assert_eq!(came.expect_err("too late").0, Class::Timeout);
        assert_eq!(elapsed(&world), 30);
    });
}

/// A server that counts how many requests it has at once, each for ten seconds.
#[derive(Clone, Default)]
struct Crowd {
    now: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
}

impl Crowd {
    fn service(&self, env: &Env) -> HttpService {
        let (crowd, env) = (self.clone(), env.clone());
        HttpService::new(move |_| {
            let (crowd, env) = (crowd.clone(), env.clone());
            async move {
                let now = crowd.now.fetch_add(1, Ordering::Relaxed) + 1;
                crowd.most.fetch_max(now, Ordering::Relaxed);
                env.sleep(Duration::from_secs(10)).await;
                crowd.now.fetch_sub(1, Ordering::Relaxed);
                Ok(Response::new(full(one("1"))))
            }
        })
    }
}

#[test]
fn a_busy_server_makes_its_own_requests_wait_and_no_others() {
    run(1, Trace::off(), |world| async move {
        let (busy, calm) = (Crowd::default(), Crowd::default());
        let _busy = world.network.serve("busy:9090", busy.service(&world.env));
        let _calm = world.network.serve("calm:9090", calm.service(&world.env));
        let network = Network::new(world.env.clone());
        let secrets = Secrets::default();
        let many = prometheus("http://busy:9090");
        let other = prometheus("http://calm:9090");
        let crowd = futures::future::join_all((0..10).map(|_| many.measure(&network, &secrets)));
        let single = async {
            let came = told(other.measure(&network, &secrets).await);
            (came, elapsed(&world))
        };
        let (crowd, (single, after)) = futures::future::join(crowd, single).await;
        assert!(crowd.into_iter().all(|came| told(came) == Ok("[1]".to_owned())));
        assert_eq!((single, after), (Ok("[1]".to_owned()), 10));
        // Ten requests, four at once, ten seconds each; none counts its waiting as the server's slowness.
        assert_eq!((busy.most.load(Ordering::Relaxed), elapsed(&world)), (4, 30));
    });
}

#[test]
fn many_servers_share_the_places_there_are() {
    run(1, Trace::off(), |world| async move {
        let crowd = Crowd::default();
        let names: Vec<String> = (0..20).map(|n| format!("prometheus-{n}:9090")).collect();
        let _served: Vec<_> = names
            .iter()
            .map(|name| world.network.serve(name.as_str(), crowd.service(&world.env)))
            .collect();
        let network = Network::new(world.env.clone());
        let secrets = Secrets::default();
        let queries: Vec<_> = names.iter().map(|name| prometheus(&format!("http://{name}"))).collect();
        futures::future::join_all(queries.iter().map(|query| query.measure(&network, &secrets))).await;
        assert_eq!(crowd.most.load(Ordering::Relaxed), 12);
    });
}

#[test]
fn a_measurement_that_is_dropped_gives_its_place_back() {
    run(1, Trace::off(), |world| async move {
        let _served = world.network.serve("prometheus:9090", slow(&world.env, 3600));
        let network = Network::new(world.env.clone());
        let secrets = Secrets::default();
        let mut query = prometheus("http://prometheus:9090");
        query.manner = Manner::within(Duration::from_secs(7200));
        let held = futures::future::join_all((0..4).map(|_| query.measure(&network, &secrets)));
        let given_up = world.env.clock().timeout(Duration::from_secs(5), held).await;
        assert!(given_up.is_err());
        assert_eq!(told(query.measure(&network, &secrets).await), Ok("[1]".to_owned()));
        assert_eq!(elapsed(&world), 3605);
    });
}
