//! The real network: reqwest over sockets, without redirects or proxies.
//!
//! Used by [`Env::real`](crate::Env::real) for everything but the API server, which `kube::Client` reaches by itself.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::future::BoxFuture;
use http::{Request, Uri};
use http_body_util::BodyExt;

use crate::{Body, BoxError, Dial, DialError, HttpService, read_all};

/// The most that a request of ours may weigh: queries and probes are small.
const LARGEST_REQUEST: usize = 16 << 20;

/// How many sets of roots are remembered with their clients; somebody who uses more gets new connections.
const MOST_ROOTS: usize = 16;

/// Sockets, opened when something is sent.
#[derive(Debug)]
pub(crate) struct Sockets {
    /// One client for each set of roots to trust; the empty one stands for the system's.
    clients: parking_lot::Mutex<BTreeMap<Vec<u8>, reqwest::Client>>,
}

impl Sockets {
    pub(crate) fn new() -> Self {
        Self {
            clients: parking_lot::Mutex::default(),
        }
    }

    /// Built on first use, since it needs a crypto provider that `main` installs.
    fn client(&self, roots: &[u8]) -> Result<reqwest::Client, reqwest::Error> {
        let mut clients = self.clients.lock();
        if let Some(client) = clients.get(roots) {
            return Ok(client.clone());
        }
        let mut builder = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy();
        if !roots.is_empty() {
            builder = builder.tls_certs_only(reqwest::Certificate::from_pem_bundle(roots)?);
        }
        let client = builder.build()?;
        if clients.len() >= MOST_ROOTS {
            clients.clear();
        }
        clients.insert(roots.to_vec(), client.clone());
        Ok(client)
    }

    fn service(&self, authority: &str, roots: &[u8]) -> Result<HttpService, DialError> {
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
        let client = self.client(roots).map_err(|error| match roots {
            [] => DialError::Unreachable {
                authority: authority.to_owned(),
            },
            _ => DialError::Roots {
                authority: authority.to_owned(),
                cause: error.to_string(),
            },
        })?;
        let base = Arc::new(base);
        Ok(HttpService::new(move |request| {
            send(client.clone(), base.clone(), request)
        }))
    }
}

impl Dial for Sockets {
    fn dial<'a>(
        &'a self,
        authority: &'a str,
        roots: Option<&'a [u8]>,
    ) -> BoxFuture<'a, Result<HttpService, DialError>> {
        Box::pin(async move { self.service(authority, roots.unwrap_or_default()) })
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
