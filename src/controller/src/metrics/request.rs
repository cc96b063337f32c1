//! What the HTTP providers have in common: who asks, whose certificates are believed, which headers go along, and how long an answer may take. All
//! of it is resolved: no reference to a Secret is left. Pure.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use env::Trust;
use http::header::{AUTHORIZATION, CONNECTION, CONTENT_LENGTH, TE, TRAILER, TRANSFER_ENCODING, UPGRADE};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::secrets::Secrets;
use super::trouble::Fault;

/// Who asks.
#[derive(Clone, Default, PartialEq, Eq)]
pub enum Credentials {
    /// Nobody in particular.
    #[default]
    None,
    /// A user and a password (RFC 7617).
    Basic {
        /// The user.
        user: String,
        /// The password.
        password: String,
    },
    /// A token (RFC 6750).
    Bearer(String),
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Basic { .. } => "Basic",
            Self::Bearer(_) => "Bearer",
        })
    }
}

/// Whose certificates are believed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Certificates {
    /// Those that the system's roots vouch for.
    #[default]
    System,
    /// Only those that these roots vouch for, as PEM.
    Roots(Vec<u8>),
    /// Everybody's.
    Anybody,
}

/// How a server is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manner {
    /// Headers as the template has them.
    pub headers: Vec<(String, String)>,
    /// Who asks.
    pub credentials: Credentials,
    /// Whose certificates are believed.
    pub certificates: Certificates,
    /// How long the whole answer may take.
    pub timeout: Duration,
}

impl Manner {
    /// Nothing but a time limit.
    pub fn within(timeout: Duration) -> Self {
        Self {
            headers: Vec::new(),
            credentials: Credentials::None,
            certificates: Certificates::System,
            timeout,
        }
    }

    pub(super) fn trust(&self) -> Trust<'_> {
        match &self.certificates {
            Certificates::System => Trust::System,
            Certificates::Roots(roots) => Trust::Roots(roots),
            Certificates::Anybody => Trust::Anybody,
        }
    }

    /// `secrets` and those in the credentials.
    pub(super) fn secrets(&self, secrets: &Secrets) -> Secrets {
        match &self.credentials {
            Credentials::None => secrets.clone(),
            Credentials::Basic { user, password } => {
                let both = pair(user, password);
                secrets.and([user, password, &both])
            }
            Credentials::Bearer(token) => secrets.and([token]),
        }
    }

    /// The headers of a request.
    pub(super) fn headers(&self) -> Result<HeaderMap, Fault> {
        let mut headers = HeaderMap::new();
        for (name, value) in &self.headers {
            let name = header_name(name)?;
            headers.append(name, header_value(value)?);
        }
        let authorization = match &self.credentials {
            Credentials::None => return Ok(headers),
            Credentials::Bearer(token) => format!("Bearer {}", token.trim()),
            Credentials::Basic { user, password } => format!("Basic {}", STANDARD.encode(pair(user, password))),
        };
        let mut value = header_value(&authorization)?;
        value.set_sensitive(true);
        if headers.insert(AUTHORIZATION, value).is_some() {
            return Err(Fault::Misconfigured(
                "there is an authorization header and an authentication; write one of them".to_owned(),
            ));
        }
        Ok(headers)
    }
}

/// What basic authentication encodes. A Secret made from a file ends with the file's last newline, which is no part of a password.
fn pair(user: &str, password: &str) -> String {
    let line = |text: &str| text.trim_end_matches(['\r', '\n']).to_owned();
    format!("{}:{}", line(user), line(password))
}

/// Headers that belong to the connection are not a template's to write.
fn header_name(text: &str) -> Result<HeaderName, Fault> {
    let name: HeaderName = text
        .trim()
        .parse()
        .map_err(|_| Fault::Misconfigured(format!("\"{text}\" is not the name of a header")))?;
    if [CONNECTION, CONTENT_LENGTH, TE, TRAILER, TRANSFER_ENCODING, UPGRADE].contains(&name) {
        return Err(Fault::Misconfigured(format!(
            "header {name} belongs to the connection; leave it out"
        )));
    }
    Ok(name)
}

fn header_value(text: &str) -> Result<HeaderValue, Fault> {
    HeaderValue::from_str(text).map_err(|_| {
        Fault::Misconfigured("a header's value holds a line break or another character that cannot be sent".to_owned())
    })
}
