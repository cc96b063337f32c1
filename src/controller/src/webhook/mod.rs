//! Admission and conversion as one HTTP service: stateless, served by every replica, over TLS in the binary and in memory in simulation.
//!
//! This file is the HTTP part: paths, limits, malformed input. What a review answers is in `mutate`, `validate` and `convert`, and the rules
//! behind those are in `rollout` and `api`.

mod convert;
mod mutate;
mod review;
mod templates;
#[cfg(test)]
mod tests;
mod validate;

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use env::{Body, Env, HttpService, full};
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::BodyExt;
use serde_json::{Value, json};

use crate::telemetry::Telemetry;
use api::names::webhook::{
    CONVERT_PATH as CONVERT, MUTATE_DEPLOYMENT_PATH as MUTATE_DEPLOYMENT,
    VALIDATE_ANALYSIS_TEMPLATE_PATH as VALIDATE_ANALYSIS_TEMPLATE, VALIDATE_ROLLOUT_PATH as VALIDATE_ROLLOUT,
};

/// The most that an admission review may weigh: an object and its predecessor at the most that an API server takes, and their envelope.
const LARGEST_ADMISSION: usize = 7 << 20;
/// The most that a conversion review may weigh. It carries whole lists, so it is allowed more.
const LARGEST_CONVERSION: usize = 32 << 20;

/// How long the live reads behind an answer may take. The API server gives up on a webhook after 10 seconds; an answer that says why is
/// worth more.
const READ_LIMIT: Duration = Duration::from_secs(8);

/// The webhook server: mutates workloads, validates rollouts and analysis templates, converts between API versions. It keeps nothing between requests; `client` is
/// for live reads of rollouts and ReplicaSets in the namespace of the object that is reviewed.
pub fn webhooks(env: &Env, client: kube::Client) -> HttpService {
    measured_webhooks(env, client, Telemetry::default())
}

/// [`webhooks`], counting into `telemetry`.
pub fn measured_webhooks(env: &Env, client: kube::Client, telemetry: Telemetry) -> HttpService {
    let env = env.clone();
    HttpService::new(move |request| {
        let (env, client, telemetry) = (env.clone(), client.clone(), telemetry.clone());
        async move { Ok(answer(&env, client, &telemetry, request).await) }
    })
}

/// Why a request is no review that could be answered.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error(
        "{path}: nothing here; webhooks are at {MUTATE_DEPLOYMENT}, {VALIDATE_ROLLOUT}, {VALIDATE_ANALYSIS_TEMPLATE} and {CONVERT}"
    )]
    Path { path: String },
    #[error("{method} {path}: use POST with a review as JSON")]
    Method { method: Method, path: String },
    #[error("{path}: body is longer than {limit} bytes; send a smaller object or fewer of them")]
    TooLarge { path: String, limit: usize },
    #[error("{path}: body broke off: {cause}")]
    Broken { path: String, cause: env::BoxError },
    #[error("{path}: body is not JSON: {cause}")]
    NotJson { path: String, cause: serde_json::Error },
    #[error("{path}: body is no review: {cause}")]
    NoReview { path: String, cause: review::Malformed },
}

impl Refusal {
    fn status(&self) -> StatusCode {
        match self {
            Self::Path { .. } => StatusCode::NOT_FOUND,
            Self::Method { .. } => StatusCode::METHOD_NOT_ALLOWED,
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Broken { .. } | Self::NotJson { .. } | Self::NoReview { .. } => StatusCode::BAD_REQUEST,
        }
    }
}

async fn answer(env: &Env, client: kube::Client, telemetry: &Telemetry, request: Request<Body>) -> Response<Body> {
    let path = request.uri().path().to_owned();
    match review(env, client, request).await {
        Ok((answer, outcome)) => {
            telemetry.reviewed(&path, outcome);
            response(StatusCode::OK, "application/json", answer.to_string())
        }
        Err(refusal) => {
            // Counted under one name: a path is whatever somebody sends.
            telemetry.reviewed("refused", refusal.status().as_str());
            tracing::warn!(%refusal, "webhook request refused");
            response(refusal.status(), "text/plain; charset=utf-8", refusal.to_string())
        }
    }
}

/// The answer to a review, and the word that it is counted under.
async fn review(env: &Env, client: kube::Client, request: Request<Body>) -> Result<(Value, &'static str), Refusal> {
    let path = request.uri().path().to_owned();
    let limit = match path.as_str() {
        MUTATE_DEPLOYMENT | VALIDATE_ROLLOUT | VALIDATE_ANALYSIS_TEMPLATE => LARGEST_ADMISSION,
        CONVERT => LARGEST_CONVERSION,
        _ => return Err(Refusal::Path { path }),
    };
    if request.method() != Method::POST {
        return Err(Refusal::Method {
            method: request.method().clone(),
            path,
        });
    }
    let body = read(&path, request, limit).await?;
    let review: Value = serde_json::from_slice(&body).map_err(|cause| Refusal::NotJson {
        path: path.clone(),
        cause,
    })?;
    drop(body);
    let malformed = |cause| Refusal::NoReview {
        path: path.clone(),
        cause,
    };
    if path == CONVERT {
        return convert::answer(review).map_err(malformed);
    }
    let request = review::Admission::parse(review).map_err(malformed)?;
    let verdict = match path.as_str() {
        MUTATE_DEPLOYMENT => mutate::deployment(env, client, &request).await,
        VALIDATE_ANALYSIS_TEMPLATE => validate::analysis_template(&request),
        _ => validate::rollout(env, client, &request).await,
    };
    Ok((verdict.answer(&request), verdict.outcome()))
}

/// The body, in memory of at most `limit` bytes. A length that is announced and too long is refused before anything is read.
async fn read(path: &str, request: Request<Body>, limit: usize) -> Result<Bytes, Refusal> {
    let too_large = || Refusal::TooLarge {
        path: path.to_owned(),
        limit,
    };
    let announced = request
        .headers()
        .get(header::CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| usize::try_from(length).map_or(true, |length| length > limit)) {
        return Err(too_large());
    }
    let mut body = request.into_body();
    let mut read = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = match frame {
            Ok(frame) => frame,
            Err(cause) => {
                return Err(Refusal::Broken {
                    path: path.to_owned(),
                    cause,
                });
            }
        };
        let Ok(data) = frame.into_data() else { continue };
        if read.len().saturating_add(data.len()) > limit {
            return Err(too_large());
        }
        read.extend_from_slice(&data);
    }
    Ok(read.freeze())
}

fn response(status: StatusCode, kind: &'static str, body: String) -> Response<Body> {
    let mut response = Response::new(full(body));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

/// A `Status` of a failure, as an API server shows it to whoever made the request.
fn failure(code: u16, reason: &str, message: &str) -> Value {
    json!({ "status": "Failure", "code": code, "reason": reason, "message": message })
}
