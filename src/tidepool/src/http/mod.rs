//! HTTP as a codec around the server: paths, negotiation, encoding, watch streams.
//!
//! One function from a request to a response; the same for a client in this process and for one behind TLS.

mod decode;
mod discovery;
mod json;
mod negotiate;
mod openapi;
mod path;
mod protobuf;
mod respond;
pub mod serve;
#[cfg(test)]
mod tests;
mod wire;
pub mod yaml;

use env::{Body, BoxError, HttpService};
use http::header::{ACCEPT, CONTENT_TYPE, USER_AGENT};
use http::{Method, Request, Response, StatusCode};
use serde_json::Value;

use crate::server::refusal::Cause;
use crate::server::request::{Request as ApiRequest, User, Verb};
use crate::server::{PatchKind, Server};
use crate::status::Status;
use path::Path;
pub(crate) use path::ResourcePath;

/// The longest name of a field manager, in letters.
const LONGEST_MANAGER: usize = 128;

/// What a path below `/api` or `/apis` names; none for any other path.
pub(crate) fn resource_path(path: &str) -> Option<ResourcePath> {
    match path::parse(path) {
        Path::Resource(path) => Some(path),
        Path::Other(_) => None,
    }
}

/// The API of `server` for everybody whose requests carry no [`User`] as an extension; those act as `fallback`.
pub fn service(server: Server, fallback: User) -> HttpService {
    HttpService::new(move |request| {
        let (server, fallback) = (server.clone(), fallback.clone());
        async move { answer(&server, fallback, request).await }
    })
}

async fn answer(server: &Server, fallback: User, request: Request<Body>) -> Result<Response<Body>, BoxError> {
    let header = request
        .headers()
        .get(ACCEPT)
        .and_then(|accept| accept.to_str().ok())
        .unwrap_or_default();
    let accepted = negotiate::accept(header);
    let (text, form) = match &accepted {
        Ok(accepted) => *accepted,
        Err(status) => return respond::status(negotiate::Text::Json, status),
    };
    match path::parse(request.uri().path()) {
        Path::Other(segments) => discovery::answer(server, &segments, text, form),
        Path::Resource(path) => {
            let query = path::query(request.uri().query().unwrap_or_default());
            let form = match form.asked(&query) {
                Ok(form) => form,
                Err(status) => return respond::status(text, &status),
            };
            let request = match decoded(server, path, fallback, request).await {
                Ok(request) => request,
                Err(status) => return respond::status(text, &status),
            };
            match server.call(request).await {
                Ok(answered) => respond::answered(server, answered, text, form).await,
                Err(status) => respond::status(text, &status),
            }
        }
    }
}

async fn decoded(
    server: &Server,
    path: ResourcePath,
    fallback: User,
    request: Request<Body>,
) -> Result<ApiRequest, Status> {
    let (parts, body) = request.into_parts();
    let query = path::query(parts.uri.query().unwrap_or_default());
    let mut options = path::options(&query)?;
    let header = |name| {
        let value: Option<&http::HeaderValue> = parts.headers.get(name);
        value.and_then(|value| value.to_str().ok()).unwrap_or_default()
    };
    if options.field_manager.is_empty() {
        // As Kubernetes does: the program's name, which is the user agent up to its first slash.
        let agent = header(USER_AGENT);
        options.field_manager = agent
            .split('/')
            .next()
            .unwrap_or_default()
            .chars()
            .filter(|letter| !letter.is_control())
            .take(LONGEST_MANAGER)
            .collect();
    }
    let mut bytes = Vec::new();
    if [Method::POST, Method::PUT, Method::PATCH, Method::DELETE].contains(&parts.method) {
        bytes = decode::read(body).await?;
    }
    let content_type = header(CONTENT_TYPE);
    let kind = server
        .types()
        .find(&path.group, &path.version, &path.plural)
        .map_or_else(|| "object".to_owned(), |kind| kind.resource.kind.to_string());
    let mut value = Value::Null;
    let verb = match parts.method {
        Method::GET | Method::HEAD if path.watch || path::is_set(&query, "watch") => Verb::Watch,
        Method::GET | Method::HEAD if path.name.is_empty() => Verb::List,
        Method::GET | Method::HEAD => Verb::Get,
        Method::POST => {
            value = decode::value(&bytes, content_type, &kind)?;
            Verb::Create
        }
        Method::PUT => {
            value = decode::value(&bytes, content_type, &kind)?;
            Verb::Update
        }
        Method::PATCH => {
            let (kind, patch) = decode::patch(&bytes, content_type)?;
            value = patch;
            let given = query.get("fieldManager").is_some_and(|manager| !manager.is_empty());
            let cause = match kind {
                PatchKind::Apply if !given => Some(Cause::required("fieldManager", "is required for apply patch")),
                PatchKind::Apply => None,
                _ => query
                    .contains_key("force")
                    .then(|| Cause::forbidden("force", "may not be specified for non-apply patch")),
            };
            if let Some(cause) = cause {
                return Err(Status::invalid_kind("meta.k8s.io", "PatchOptions", "", &[cause]));
            }
            Verb::Patch(kind)
        }
        Method::DELETE => {
            let body = decode::value(&bytes, content_type, "DeleteOptions")?;
            path::delete_options(&body, &mut options);
            if path.name.is_empty() {
                Verb::DeleteCollection
            } else {
                Verb::Delete
            }
        }
        _ => return Err(Status::method_not_allowed()),
    };
    Ok(ApiRequest {
        verb,
        group: path.group,
        version: path.version,
        plural: path.plural,
        subresource: path.subresource,
        namespace: path.namespace,
        name: path.name,
        options,
        body: value,
        user: parts.extensions.get::<User>().cloned().unwrap_or(fallback),
    })
}

fn plain(
    code: StatusCode,
    media_type: &'static str,
    text: impl Into<bytes::Bytes>,
) -> Result<Response<Body>, BoxError> {
    Ok(Response::builder()
        .status(code)
        .header(CONTENT_TYPE, media_type)
        .body(env::full(text))?)
}
