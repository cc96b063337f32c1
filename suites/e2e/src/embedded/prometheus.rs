//! The metric server of an embedded cluster: a service in the simulated network that answers as the scenario says, or from what the gateway has
//! answered. Used by the embedded bed.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use env::sim::{Served, SimEnv};
use env::{Env, HttpService, Moment};
use http::{Response, StatusCode};
use parking_lot::Mutex;
use serde_json::{Value, json};
use suites::metrics::{AUTHORITY, Answers};

/// Requests of this time are counted, as by the article's query.
const WINDOW: Duration = Duration::from_secs(300);

struct State {
    answers: Answers,
    queries: usize,
    /// When a request was answered, and whether without an error of the server.
    seen: VecDeque<(Moment, bool)>,
}

/// The server and what it knows.
pub(super) struct Prometheus {
    env: Env,
    state: Arc<Mutex<State>>,
    _served: Served,
}

impl Prometheus {
    pub(super) fn start(world: &SimEnv) -> Self {
        let state = Arc::new(Mutex::new(State {
            answers: Answers::Measured,
            queries: 0,
            seen: VecDeque::new(),
        }));
        let (env, known) = (world.env.clone(), state.clone());
        let service = HttpService::new(move |_request| {
            let (env, known) = (env.clone(), known.clone());
            async move { Ok(answer(&env, &known).await) }
        });
        Self {
            env: world.env.clone(),
            _served: world.network.serve(AUTHORITY, service),
            state,
        }
    }

    pub(super) fn answer(&self, answers: Answers) {
        self.state.lock().answers = answers;
    }

    pub(super) fn queries(&self) -> usize {
        self.state.lock().queries
    }

    /// The gateway, with its answers counted.
    pub(super) fn watching(&self, gateway: HttpService) -> HttpService {
        let (env, state) = (self.env.clone(), self.state.clone());
        HttpService::new(move |request| {
            let (env, state, gateway) = (env.clone(), state.clone(), gateway.clone());
            async move {
                let answered = gateway.send(request).await;
                let good = answered
                    .as_ref()
                    .is_ok_and(|response| !response.status().is_server_error());
                state.lock().seen.push_back((env.clock().elapsed(), good));
                answered
            }
        })
    }
}

async fn answer(env: &Env, state: &Mutex<State>) -> Response<env::Body> {
    let answers = {
        let mut state = state.lock();
        state.queries += 1;
        state.answers
    };
    match answers {
        Answers::Value(value) => vector(env, Some(value)),
        Answers::Measured => vector(env, Some(share(env, state))),
        Answers::Nothing => vector(env, None),
        Answers::NotANumber => vector(env, Some(f64::NAN)),
        Answers::Failing => response(StatusCode::INTERNAL_SERVER_ERROR, "out of memory".to_owned()),
        Answers::Silent => std::future::pending().await,
        Answers::Malformed => response(StatusCode::OK, "<html>maintenance</html>".to_owned()),
    }
}

/// The share of good answers; not a number when there were none, as 0/0 is in Prometheus.
fn share(env: &Env, state: &Mutex<State>) -> f64 {
    let now = env.clock().elapsed();
    let mut state = state.lock();
    while state.seen.front().is_some_and(|(at, _)| now.since(*at) > WINDOW) {
        state.seen.pop_front();
    }
    let good = state.seen.iter().filter(|(_, good)| *good).count();
    good as f64 / state.seen.len() as f64
}

fn vector(env: &Env, value: Option<f64>) -> Response<env::Body> {
    let at = env.now().as_millisecond() as f64 / 1000.0;
    let text = |value: f64| {
        if value.is_nan() {
            "NaN".to_owned()
        } else {
            value.to_string()
        }
    };
    let result: Vec<Value> = value
        .map(|value| json!({"metric": {}, "value": [at, text(value)]}))
        .into_iter()
        .collect();
    let body = json!({"status": "success", "data": {"resultType": "vector", "result": result}});
    response(StatusCode::OK, body.to_string())
}

fn response(status: StatusCode, body: String) -> Response<env::Body> {
    let mut response = Response::new(env::full(body));
    *response.status_mut() = status;
    response
}
