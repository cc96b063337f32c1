//! Addresses of metric servers as templates write them: what is dialed, and what path is asked for there. Pure.

use http::Uri;

/// A URL that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address {
    /// What the dialer is asked for: `https://prometheus.example.com:9090`.
    pub(super) server: String,
    /// The path, with its leading slash.
    pub(super) path: String,
    /// What follows the question mark.
    pub(super) query: Option<String>,
}

/// What stands before the @ of a URL, where nothing ought to stand: a user and a password.
pub(super) fn credentials(text: &str) -> Option<&str> {
    let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next()?;
    authority.rsplit_once('@').map(|(written, _)| written)
}

impl Address {
    /// Reads a URL.
    ///
    /// # Errors
    /// A sentence that says what is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let form = || format!("\"{text}\" is not an address; write it as http://prometheus.example.com:9090");
        let uri: Uri = text.parse().map_err(|_| form())?;
        let (Some(scheme @ ("http" | "https")), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(form());
        };
        if authority.host().is_empty() {
            return Err(form());
        }
        if authority.as_str().contains('@') {
            return Err(
                "the address holds a user or a password; write it without them and use the metric's authentication"
                    .to_owned(),
            );
        }
        Ok(Self {
            server: format!("{scheme}://{authority}"),
            path: uri.path().to_owned(),
            query: uri.query().map(str::to_owned),
        })
    }

    /// The path and query of a request, with `more` appended to the query.
    pub(super) fn target(&self, more: &str) -> String {
        let parts = [self.query.as_deref().unwrap_or_default(), more];
        let query: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        match query.as_slice() {
            [] => self.path.clone(),
            parts => format!("{}?{}", self.path, parts.join("&")),
        }
    }

    /// The same server, asked for a path below this one.
    pub(super) fn below(&self, path: &str) -> Self {
        Self {
            path: format!("{}/{path}", self.path.trim_end_matches('/')),
            ..self.clone()
        }
    }
}
