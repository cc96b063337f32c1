//! Dialing: from an authority to an HTTP service.
//!
//! One trait with a real and a simulated implementation; a process under test gets a dialer of its own, so that its network can be cut.

use futures::future::BoxFuture;

use crate::HttpService;

/// Nothing could be reached at an authority.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DialError {
    /// Nobody listens there.
    #[error("dial {authority}: connection refused; check that the address is right and that something listens there")]
    Refused { authority: String },
    /// The text is no authority.
    #[error("dial {authority:?}: not an address; write host:port, http://host:port or https://host:port")]
    Malformed { authority: String },
    /// The certificates to trust are none.
    #[error("dial {authority}: the certificates to trust cannot be used: {cause}; give them as PEM")]
    Roots { authority: String, cause: String },
}

/// Whose certificates are believed over TLS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Trust<'a> {
    /// Those that the system's roots vouch for (or the bundle that `SSL_CERT_FILE` names); where it has none, those that browsers trust.
    #[default]
    System,
    /// Only those that these roots, as PEM, vouch for.
    Roots(&'a [u8]),
    /// Everybody's: whoever answers is believed.
    Anybody,
}

/// A way to reach authorities.
pub trait Dial: Send + Sync + std::fmt::Debug {
    /// The service behind `authority`, whose certificate is checked as `trust` says; a network without TLS has nothing to check.
    fn dial<'a>(&'a self, authority: &'a str, trust: Trust<'a>) -> BoxFuture<'a, Result<HttpService, DialError>>;
}
