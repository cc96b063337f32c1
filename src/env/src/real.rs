//! The real network: reqwest over sockets, without redirects or proxies.
//!
//! Used by [`Env::real`](crate::Env::real) for everything but the API server, which `kube::Client` reaches by itself.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::future::BoxFuture;
use http::{Request, Uri};
use http_body_util::BodyExt;

use crate::{Body, BoxError, Dial, DialError, HttpService, Trust, read_all};

/// The most that a request of ours may weigh: queries and probes are small.
const LARGEST_REQUEST: usize = 16 << 20;

/// How many kinds of trust are remembered with their clients; somebody who uses more gets new connections.
const MOST_CLIENTS: usize = 16;

/// [`Trust`], to be kept.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Trusted {
    System,
    Roots(Vec<u8>),
    Anybody,
}

impl From<Trust<'_>> for Trusted {
    fn from(trust: Trust<'_>) -> Self {
        match trust {
            Trust::System => Self::System,
            Trust::Roots(roots) => Self::Roots(roots.to_vec()),
            Trust::Anybody => Self::Anybody,
        }
    }
}

/// Sockets, opened when something is sent.
#[derive(Debug)]
pub(crate) struct Sockets {
    /// One client, with its connections, for each kind of trust.
    clients: parking_lot::Mutex<BTreeMap<Trusted, reqwest::Client>>,
}

impl Sockets {
    pub(crate) fn new() -> Self {
        Self {
            clients: parking_lot::Mutex::default(),
        }
    }

    /// Built on first use, since it needs a crypto provider that `main` installs.
    fn client(&self, trust: Trust<'_>) -> Result<reqwest::Client, String> {
        let trusted = Trusted::from(trust);
        let mut clients = self.clients.lock();
        if let Some(client) = clients.get(&trusted) {
            return Ok(client.clone());
        }
        let builder = || {
            reqwest::Client::builder()
                .redirect(reqwest::redirect::Policy::none())
                .no_proxy()
        };
        let client = match trust {
            // A container made from nothing has no certificates, and then there is no client for plain HTTP either.
            Trust::System => match builder().build() {
                Ok(client) => Ok(client),
                Err(_) => builder().tls_certs_only(authorities_of_browsers()?).build(),
            },
            Trust::Roots(roots) => builder().tls_certs_only(certificates(roots)?).build(),
            Trust::Anybody => builder().tls_danger_accept_invalid_certs(true).build(),
        }
        .map_err(|error| error.to_string())?;
        if clients.len() >= MOST_CLIENTS {
            clients.clear();
        }
        clients.insert(trusted, client.clone());
        Ok(client)
    }

    fn service(&self, authority: &str, trust: Trust<'_>) -> Result<HttpService, DialError> {
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
        let client = self.client(trust).map_err(|cause| DialError::Roots {
            authority: authority.to_owned(),
            cause,
        })?;
        let base = Arc::new(base);
        Ok(HttpService::new(move |request| {
            send(client.clone(), base.clone(), request)
        }))
    }
}

impl Dial for Sockets {
    fn dial<'a>(&'a self, authority: &'a str, trust: Trust<'a>) -> BoxFuture<'a, Result<HttpService, DialError>> {
        Box::pin(async move { self.service(authority, trust) })
    }
}

/// The authorities that Mozilla's browsers trust.
fn authorities_of_browsers() -> Result<Vec<reqwest::Certificate>, String> {
    let all = webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter();
    all.map(|der| reqwest::Certificate::from_der(der).map_err(|error| error.to_string()))
        .collect()
}

/// The certificates in a PEM text; there has to be one.
fn certificates(roots: &[u8]) -> Result<Vec<reqwest::Certificate>, String> {
    let found = reqwest::Certificate::from_pem_bundle(roots).map_err(|error| error.to_string())?;
    match found.as_slice() {
        [] => Err("there is no certificate in them".to_owned()),
        _ => Ok(found),
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
    // A query may stand in the URL, and what it says is not for an error's text.
    let answered = client.execute(request).await.map_err(reqwest::Error::without_url);
    let response: http::Response<reqwest::Body> = answered?.into();
    Ok(response.map(|body| body.map_err(Into::into).boxed_unsync()))
}
