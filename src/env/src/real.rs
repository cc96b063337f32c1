//! The real network: reqwest over sockets, without redirects or proxies.
//!
//! Used by [`Env::real`](crate::Env::real) for everything but the API server, which `kube::Client` reaches by itself.

use std::sync::Arc;

use futures::future::BoxFuture;
use http::{Request, Uri};
use http_body_util::BodyExt;

use crate::{Body, BoxError, Dial, DialError, HttpService, read_all};

/// The most that a request of ours may weigh: queries and probes are small.
const LARGEST_REQUEST: usize = 16 << 20;

/// Sockets, opened when something is sent.
#[derive(Debug)]
pub(crate) struct Sockets {
    client: parking_lot::Mutex<Option<reqwest::Client>>,
}

impl Sockets {
    pub(crate) fn new() -> Self {
        Self {
            client: parking_lot::Mutex::new(None),
        }
    }

    /// One client for the process, built on first use, since it needs a crypto provider that `main` installs.
    fn client(&self) -> Result<reqwest::Client, reqwest::Error> {
        let mut slot = self.client.lock();
        if let Some(client) = slot.as_ref() {
            return Ok(client.clone());
        }
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()?;
        *slot = Some(client.clone());
        Ok(client)
    }
}

impl Dial for Sockets {
    fn dial<'a>(&'a self, authority: &'a str) -> BoxFuture<'a, Result<HttpService, DialError>> {
        Box::pin(async move {
            let malformed = || DialError::Malformed {
                authority: authority.to_owned(),
            };
            let base = if authority.contains("://") {
                authority.to_owned()
            } else {
                format!("http://{authority}")
            };
            let base: Uri = base.parse().map_err(|_| malformed())?;
            if base.host().is_none_or(str::is_empty) || !matches!(base.scheme_str(), Some("http" | "https")) {
                return Err(malformed());
            }
            let client = self.client().map_err(|_| DialError::Unreachable {
                authority: authority.to_owned(),
            })?;
            let base = Arc::new(base);
            Ok(HttpService::new(move |request| {
                send(client.clone(), base.clone(), request)
            }))
        })
    }
}

async fn send(
    client: reqwest::Client,
    base: Arc<Uri>,
    request: Request<Body>,
) -> Result<http::Response<Body>, BoxError> {
    let (mut parts, body) = request.into_parts();
    let mut uri = parts.uri.into_parts();
    uri.scheme = base.scheme().cloned();
    uri.authority = base.authority().cloned();
    parts.uri = Uri::from_parts(uri)?;
    let body = read_all(body, LARGEST_REQUEST).await?;
    let request = reqwest::Request::try_from(Request::from_parts(parts, body))?;
    let response: http::Response<reqwest::Body> = client.execute(request).await?.into();
    Ok(response.map(|body| body.map_err(Into::into).boxed_unsync()))
}
