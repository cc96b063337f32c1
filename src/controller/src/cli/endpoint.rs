//! Where the API server finds the webhooks, as the command line says it, and the names that their certificate must be for.

use anyhow::Context;
use api::names::webhook;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use controller::install::Endpoint;

/// The webhooks behind their Service in `namespace`.
pub(super) fn through_service(namespace: &str) -> Endpoint {
    Endpoint::Service {
        namespace: namespace.to_owned(),
        name: webhook::SERVICE.to_owned(),
        port: 443,
    }
}

/// The webhooks at `url`, whose port 0 stands for the one that was bound.
pub(super) fn at_url(url: &str, bound: u16) -> anyhow::Result<Endpoint> {
    let parsed: http::Uri = url
        .parse()
        .with_context(|| format!("--webhook-url {url}: not a URL; write https://host:port"))?;
    let (Some("https"), Some(host)) = (parsed.scheme_str(), parsed.host()) else {
        anyhow::bail!("--webhook-url {url}: API servers call webhooks over https only; write https://host:port");
    };
    let path = parsed.path().trim_end_matches('/');
    Ok(Endpoint::Url(match parsed.port_u16() {
        Some(0) => format!("https://{host}:{bound}{path}"),
        Some(port) => format!("https://{host}:{port}{path}"),
        None => format!("https://{host}{path}"),
    }))
}

/// The names that the webhooks' certificate must be for.
pub(super) fn names(endpoint: &Endpoint) -> anyhow::Result<Vec<String>> {
    match endpoint {
        Endpoint::Service { namespace, name, .. } => Ok(vec![
            format!("{name}.{namespace}.svc"),
            format!("{name}.{namespace}.svc.cluster.local"),
            format!("{name}.{namespace}"),
            name.clone(),
        ]),
        Endpoint::Url(url) => {
            let parsed: http::Uri = url.parse().with_context(|| format!("read the URL {url}"))?;
            let host = parsed.host().unwrap_or_default();
            Ok(vec![host.trim_matches(['[', ']']).to_owned()])
        }
    }
}

/// The authority's text as it is stored, for logs.
pub(super) fn fingerprint(authority: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    STANDARD.encode(&Sha256::digest(authority)[..9])
}
