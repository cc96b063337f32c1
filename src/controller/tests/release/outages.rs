//! The controller's way to the API server fails or is slow while a release is under way; the release goes on, and nothing is done twice.

use std::sync::Arc;
use std::time::Duration;

use controller::{Options, run, webhooks};
use env::sim::{self, SimEnv};
use env::{Body, BoxError, Env, HttpService, Moment, Trace, watch};
use futures::StreamExt;
use http::{Request, Response};
use http_body_util::{BodyExt, StreamBody};
use tidepool::Embedded;
use tokio::sync::oneshot;

use crate::log::Log;
use crate::person::{AUTHORITY, ONE_STEP, Person, endpoint, paused};

/// How the way is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Open,
    /// Connections are refused, and those that were open are broken.
    Away,
    /// Every request takes this long to arrive.
    Slow(Duration),
}

/// A way to an API server that can be disturbed.
#[derive(Clone)]
struct Line {
    env: Env,
    inner: HttpService,
    way: Arc<watch::Sender<Way>>,
}

fn reset() -> BoxError {
    "connection reset by peer".into()
}

async fn until_away(way: &mut watch::Receiver<Way>) {
    // A line that is gone does not go away any more.
    if way.wait_for(|way| *way == Way::Away).await.is_err() {
        std::future::pending::<()>().await;
    }
}

impl Line {
    fn new(env: &Env, inner: HttpService) -> Self {
        Self {
            env: env.clone(),
            inner,
            way: Arc::new(watch::channel(Way::Open).0),
        }
    }

    fn set(&self, way: Way) {
        self.way.send_replace(way);
    }

    fn service(&self) -> HttpService {
        let line = self.clone();
        HttpService::new(move |request| {
            let line = line.clone();
            async move { line.send(request).await }
        })
    }

    async fn send(&self, request: Request<Body>) -> Result<Response<Body>, BoxError> {
        let mut way = self.way.subscribe();
        let now = *way.borrow_and_update();
        match now {
            Way::Open => {}
            Way::Away => return Err("connection refused".into()),
            Way::Slow(delay) => self.env.sleep(delay).await,
        }
        let response = tokio::select! {
            biased;
            () = until_away(&mut way) => return Err(reset()),
            response = self.inner.send(request) => response?,
        };
        Ok(response.map(|body| {
            let frames = futures::stream::unfold(Some((body, way)), |state| async move {
                let (mut body, mut way) = state?;
                tokio::select! {
                    biased;
                    () = until_away(&mut way) => Some((Err(reset()), None)),
                    frame = body.frame() => Some((frame?, Some((body, way)))),
                }
            });
            StreamBody::new(frames.boxed()).boxed_unsync()
        }))
    }
}

/// What disturbs a release.
#[derive(Clone, Copy, Debug)]
enum Trouble {
    Nothing,
    /// The API server is away for ten seconds, this long after the new image.
    Away {
        after: Duration,
    },
    /// Every request takes this long, all the time.
    Slow(Duration),
    /// The API server forgets its history every second.
    Forgets,
}

/// What is left at the end, and how long the release took from the new image to its pause and from the approval to its end.
struct Seen {
    left: Vec<String>,
    /// Writes that the API server accepted and whose answer arrived, Events left out.
    accepted: u64,
    /// Writes that were sent.
    sent: usize,
    to_pause: Duration,
    to_end: Duration,
}

fn release(trouble: Trouble) -> Seen {
    sim::run(7, Trace::off(), |world: SimEnv| async move {
        let env = world.env.clone();
        let cluster = Embedded::start(&env, &world.network, tidepool::Options::default()).await;
        let transport = cluster.transport("tidegate");
        let line = Line::new(&env, transport.service());
        let person = Person {
            env: env.clone(),
            client: kube::Client::new(cluster.api(), "default"),
        };
        let _served = world.network.serve(AUTHORITY, webhooks(&env, person.client.clone()));
        person.install(&endpoint()).await;
        if let Trouble::Slow(delay) = trouble {
            line.set(Way::Slow(delay));
        }
        let (stop, stopped) = oneshot::channel::<()>();
        let client = kube::Client::new(line.service(), "default");
        let options = Options::new("controller-0");
        let telemetry = options.telemetry.clone();
        let running = tokio::spawn(run(env.clone(), client, options, async {
            // A sender that is gone ends it as well.
            let _ = stopped.await;
        }));
        person.article(ONE_STEP).await;

        let start = env.clock().elapsed();
        let since = |moment: Moment| env.clock().elapsed().since(moment);
        person.image("1.10.3").await;
        let disturbing = async {
            match trouble {
                Trouble::Nothing | Trouble::Slow(_) => {}
                Trouble::Away { after } => {
                    env.sleep(after).await;
                    line.set(Way::Away);
                    env.sleep(Duration::from_secs(10)).await;
                    line.set(Way::Open);
                }
                Trouble::Forgets => loop {
                    env.sleep(Duration::from_secs(1)).await;
                    cluster.compact();
                },
            }
            std::future::pending::<()>().await;
        };
        let releasing = async {
            person.until("pause", paused).await;
            let to_pause = since(start);
            let approved = env.clock().elapsed();
            person.approve_all().await;
            (to_pause, since(approved))
        };
        let (to_pause, to_end) = tokio::select! {
            biased;
            seen = releasing => seen,
            () = disturbing => unreachable!("it never ends"),
        };
        line.set(Way::Open);
        env.sleep(Duration::from_secs(60)).await;
        stop.send(()).expect("it runs");
        running.await.expect("no panic").expect("an orderly end");
        let mut left = Vec::new();
        for (version, kind) in [
            ("apps/v1", "Deployment"),
            ("v1", "Service"),
            ("networking.k8s.io/v1", "Ingress"),
            ("rollouts.kruise.io/v1beta1", "BatchRelease"),
        ] {
            let found = person.api(version, kind).list(&kube::api::ListParams::default()).await;
            left.extend(found.expect("a list").items.into_iter().map(|object| {
                let paused = &object.data["spec"]["paused"];
                format!("{kind} {} {paused}", object.metadata.name.unwrap_or_default())
            }));
        }
        let sent = transport
            .writes()
            .iter()
            .filter(|write| write.resource != "events")
            .count();
        let accepted = telemetry
            .text()
            .lines()
            .filter(|line| line.starts_with("tidegate_writes_total"))
            .filter_map(|line| line.rsplit_once(' ')?.1.parse::<u64>().ok())
            .sum();
        cluster.stop().await;
        Seen {
            left,
            accepted,
            sent,
            to_pause,
            to_end,
        }
    })
}

const CLEAN: [&str; 3] = [
    "Deployment echoserver null",
    "Service echoserver null",
    "Ingress echoserver null",
];
/// How long a controller may take to notice that the API server is back: the longest delay between two tries after ten seconds of them, twice.
const NOTICE: Duration = Duration::from_secs(15);

#[test]
fn an_api_server_that_goes_away_for_ten_seconds_costs_time_and_nothing_else() {
    let calm = release(Trouble::Nothing);
    assert_eq!(calm.left, CLEAN);
    for after in [0, 300, 700, 1_500, 3_000, 5_000, 8_000].map(Duration::from_millis) {
        let (log, _keeping) = Log::keep();
        let troubled = release(Trouble::Away { after });
        let told = log.troubles();
        assert!(
            matches!(told.as_slice(), [one] if one.contains("the API server does not answer")),
            "{after:?}: {told:#?}"
        );
        let lines = log.lines();
        let back = lines
            .iter()
            .filter(|line| line.contains("the API server answers again"));
        assert_eq!(back.count(), 1, "{after:?}: {lines:#?}");
        assert_eq!(troubled.left, CLEAN, "{after:?}");
        let away = Duration::from_secs(10) + NOTICE;
        let (pause, end) = (troubled.to_pause, troubled.to_end);
        assert!(pause <= calm.to_pause + away, "{after:?}: {pause:?}");
        assert!(end <= calm.to_end + away, "{after:?}: {end:?}");
        no_more_than(&troubled, &calm);
    }
}

/// A write whose answer was lost is found done and not repeated; one that was decided on an older version is refused, and costs a request. A
/// status may be written for a state that passed by unseen in calm, so that it is bounds that are held here.
fn no_more_than(troubled: &Seen, calm: &Seen) {
    let (more, less) = (troubled.accepted, calm.accepted);
    assert!(more <= less + less / 3, "{more} writes instead of {less}");
    let (more, less) = (troubled.sent, calm.sent);
    assert!(more <= less + less / 2, "{more} requests to write instead of {less}");
}

#[test]
fn an_api_server_that_takes_three_seconds_for_everything_is_waited_for() {
    let calm = release(Trouble::Nothing);
    let slow = release(Trouble::Slow(Duration::from_secs(3)));
    assert_eq!(slow.left, CLEAN);
    no_more_than(&slow, &calm);
}

#[test]
fn a_history_that_is_forgotten_again_and_again_is_listed_anew() {
    let calm = release(Trouble::Nothing);
    let forgotten = release(Trouble::Forgets);
    assert_eq!(forgotten.left, CLEAN);
    assert_eq!(forgotten.sent, calm.sent);
    assert!(
        forgotten.to_end <= calm.to_end + Duration::from_secs(5),
        "{:?}",
        forgotten.to_end
    );
}
