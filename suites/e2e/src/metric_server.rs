//! A metric server that answers as the scenario says, or from what the gateway has answered. In an embedded cluster it is a service in the simulated
//! network; where the cluster is real, one wiremock stands before those of all scenarios. Used by the beds.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use env::{Env, HttpService, Moment};
use http::{Response, StatusCode};
use parking_lot::Mutex;
use serde_json::{Value, json};
use suites::metrics::Answers;

/// Requests of this time are counted, as by the article's query; less where time is made short.
pub(crate) const WINDOW: Duration = Duration::from_secs(300);

struct State {
    answers: Answers,
    queries: usize,
    /// When a request was answered, and whether without an error of the server.
    seen: VecDeque<(Moment, bool)>,
}

/// The server and what it knows. Cheap to clone.
#[derive(Clone)]
pub(crate) struct MetricServer {
    env: Env,
    window: Duration,
    state: Arc<Mutex<State>>,
}

impl MetricServer {
    /// One that counts the requests of the last `window`.
    pub(crate) fn new(env: &Env, window: Duration) -> Self {
        Self {
            env: env.clone(),
            window,
            state: Arc::new(Mutex::new(State {
                answers: Answers::Measured,
                queries: 0,
                seen: VecDeque::new(),
            })),
        }
    }

    /// What answers its queries.
    pub(crate) fn service(&self) -> HttpService {
        let known = self.clone();
        HttpService::new(move |_request| {
            let reply = known.reply();
            async move {
                match reply {
                    Some(reply) => Ok(reply.map(env::full)),
                    None => std::future::pending().await,
                }
            }
        })
    }

    /// How it answers from now on.
    pub(crate) fn answer(&self, answers: Answers) {
        self.state.lock().answers = answers;
    }

    /// How many queries it has had.
    pub(crate) fn queries(&self) -> usize {
        self.state.lock().queries
    }

    /// The gateway, with its answers counted.
    pub(crate) fn watching(&self, gateway: HttpService) -> HttpService {
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

    /// What a query is answered with; nothing when it waits for ever.
    pub(crate) fn reply(&self) -> Option<Response<String>> {
        let answers = {
            let mut state = self.state.lock();
            state.queries += 1;
            state.answers
        };
        Some(match answers {
            Answers::Value(value) => vector(&self.env, Some(value)),
            Answers::Measured => vector(&self.env, Some(self.share())),
            Answers::Nothing => vector(&self.env, None),
            Answers::NotANumber => vector(&self.env, Some(f64::NAN)),
            Answers::Failing => response(StatusCode::INTERNAL_SERVER_ERROR, "out of memory".to_owned()),
            Answers::Silent => return None,
            Answers::Malformed => response(StatusCode::OK, "<html>maintenance</html>".to_owned()),
        })
    }

    /// The share of requests that the gateway answered without an error, as it is told to whoever asks by [`Answers::Measured`]; nothing when there
    /// were none.
    pub(crate) fn measured(&self) -> Option<f64> {
        Some(self.share()).filter(|share| share.is_finite())
    }

    /// The share of good answers; not a number when there were none, as 0/0 is in Prometheus.
    fn share(&self) -> f64 {
        let now = self.env.clock().elapsed();
        let mut state = self.state.lock();
        while state.seen.front().is_some_and(|(at, _)| now.since(*at) > self.window) {
            state.seen.pop_front();
        }
        let good = state.seen.iter().filter(|(_, good)| *good).count();
        good as f64 / state.seen.len() as f64
    }
}

fn vector(env: &Env, value: Option<f64>) -> Response<String> {
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

fn response(status: StatusCode, body: String) -> Response<String> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response
}
