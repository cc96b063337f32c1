//! The form in which Gateway API and Istio are served alike: for each host a list of routes, of which the first that matches counts; for each
//! route weighted backends.
//!
//! Pure. The dialects differ in how they come to the list, not in how it is used.

use std::collections::BTreeMap;

use http::{HeaderMap, HeaderName, HeaderValue};
use regex::Regex;
use serde_json::Value;

use super::backends::Endpoint;
use super::choose::{Asked, Share, Target};
use crate::object;

/// Routes by host; `*.example.com` is a wildcard, the empty text is any host.
pub(super) type Hosts = BTreeMap<String, Vec<Route>>;

/// Some requests, and where they go.
#[derive(Clone, Debug)]
pub(super) struct Route {
    /// One of them must hold.
    pub(super) matches: Vec<Match>,
    pub(super) backends: Vec<Backend>,
}

/// A place with its part of a route's requests.
#[derive(Clone, Debug)]
pub(super) struct Backend {
    /// Relative to the sum over the route.
    pub(super) weight: u32,
    pub(super) pool: Pool,
    pub(super) edits: Edits,
}

#[derive(Clone, Debug)]
pub(super) enum Pool {
    /// Each gets the same; where there is none, requests get 503.
    Endpoints(Vec<Endpoint>),
    /// Requests get this status.
    Refused(u16),
}

/// What all must hold of a request.
#[derive(Clone, Debug, Default)]
pub(super) struct Match {
    pub(super) path: Path,
    pub(super) method: Option<Text>,
    pub(super) authority: Option<Text>,
    pub(super) headers: Vec<(String, Text)>,
    pub(super) without_headers: Vec<(String, Text)>,
    pub(super) query: Vec<(String, Text)>,
}

#[derive(Clone, Debug, Default)]
pub(super) enum Path {
    #[default]
    Any,
    /// A prefix of path elements.
    Elements(String),
    Text(Text),
}

/// What a text must be.
#[derive(Clone, Debug)]
pub(super) enum Text {
    Exact(String),
    Prefix(String),
    /// The whole text, as Envoy reads patterns; one that is no pattern matches nothing.
    Pattern(Option<Regex>),
    /// Anything.
    Present,
}

/// What is done to the headers of a request on its way to a backend, and to those of the answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edits {
    /// To the request, in this order.
    pub request: Vec<Edit>,
    /// To the answer, in this order.
    pub response: Vec<Edit>,
}

/// One change of headers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    /// It has this value and no other.
    Set(String, String),
    /// It has this value as well.
    Add(String, String),
    /// It is gone.
    Remove(String),
}

impl Edits {
    /// These, then those.
    pub(super) fn then(mut self, later: Self) -> Self {
        self.request.extend(later.request);
        self.response.extend(later.response);
        self
    }

    fn apply(edits: &[Edit], headers: &mut HeaderMap) {
        for edit in edits {
            let (Edit::Set(name, _) | Edit::Add(name, _) | Edit::Remove(name)) = edit;
            let Ok(name) = HeaderName::try_from(name) else {
                continue;
            };
            match edit {
                Edit::Remove(_) => {
                    headers.remove(name);
                }
                Edit::Set(_, value) => {
                    if let Ok(value) = HeaderValue::try_from(value) {
                        headers.insert(name, value);
                    }
                }
                Edit::Add(_, value) => {
                    if let Ok(value) = HeaderValue::try_from(value) {
                        headers.append(name, value);
                    }
                }
            }
        }
    }

    /// Edits the headers of a request.
    pub(super) fn apply_to_request(&self, headers: &mut HeaderMap) {
        Self::apply(&self.request, headers);
    }

    /// Edits the headers of an answer.
    pub(super) fn apply_to_response(&self, headers: &mut HeaderMap) {
        Self::apply(&self.response, headers);
    }
}

impl Text {
    pub(super) fn pattern(text: &str) -> Self {
        Self::Pattern(Regex::new(&format!("^(?:{text})$")).ok())
    }

    pub(super) fn holds(&self, text: &str) -> bool {
        match self {
            Self::Exact(wanted) => wanted == text,
            Self::Prefix(prefix) => text.starts_with(prefix),
            Self::Pattern(pattern) => pattern.as_ref().is_some_and(|pattern| pattern.is_match(text)),
            Self::Present => true,
        }
    }
}

impl Path {
    fn holds(&self, path: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Elements(prefix) => path
                .strip_prefix(prefix.trim_end_matches('/'))
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/')),
            Self::Text(text) => text.holds(path),
        }
    }
}

impl Match {
    /// Whether every request matches.
    pub(super) fn is_everything(&self) -> bool {
        let any_path = match &self.path {
            Path::Any => true,
            Path::Elements(prefix) | Path::Text(Text::Prefix(prefix)) => prefix == "/",
            Path::Text(_) => false,
        };
        let asks = [&self.headers, &self.without_headers, &self.query];
        any_path && self.method.is_none() && self.authority.is_none() && asks.iter().all(|pairs| pairs.is_empty())
    }

    fn holds(&self, asked: Asked<'_>) -> bool {
        let (path, query) = asked.path.split_once('?').unwrap_or((asked.path, ""));
        let is = |wanted: &Option<Text>, text: &str| wanted.as_ref().is_none_or(|wanted| wanted.holds(text));
        let header = |(name, wanted): &(String, Text)| asked.header(name).is_some_and(|value| wanted.holds(value));
        let parameter = |(name, wanted): &(String, Text)| {
            query
                .split('&')
                .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
                .find(|(key, _)| key == name)
                .is_some_and(|(_, value)| wanted.holds(value))
        };
        self.path.holds(path)
            && is(&self.method, asked.method)
            && is(&self.authority, asked.host)
            && self.headers.iter().all(header)
            && !self.without_headers.iter().any(header)
            && self.query.iter().all(parameter)
    }
}

impl Route {
    /// Where its requests go; the probabilities add up to 1.
    pub(super) fn shares(&self) -> Vec<Share> {
        let total: f64 = self.backends.iter().map(|backend| f64::from(backend.weight)).sum();
        let mut shares = Vec::new();
        for backend in self.backends.iter().filter(|backend| backend.weight > 0) {
            let share = f64::from(backend.weight) / total;
            let refused = |status| Share {
                target: Target::Refused(status),
                probability: share,
            };
            match &backend.pool {
                Pool::Refused(status) => shares.push(refused(*status)),
                Pool::Endpoints(endpoints) if endpoints.is_empty() => shares.push(refused(503)),
                Pool::Endpoints(endpoints) => shares.extend(Share::even(endpoints, share, &backend.edits)),
            }
        }
        shares
    }
}

/// What is known for a host: under itself, else under the longest wildcard, else under no host.
pub(super) fn of_host<'a, T>(hosts: &'a BTreeMap<String, T>, host: &str) -> Option<&'a T> {
    if let Some(known) = hosts.get(host) {
        return Some(known);
    }
    let mut rest = host;
    while let Some((_, parent)) = rest.split_once('.') {
        if let Some(known) = hosts.get(&format!("*.{parent}")) {
            return Some(known);
        }
        rest = parent;
    }
    hosts.get("")
}

/// The host that two patterns have in common; none when they have none. The empty text is any host.
pub(super) fn common_host<'a>(one: &'a str, other: &'a str) -> Option<&'a str> {
    let is_under = |host: &str, pattern: &str| {
        pattern
            .strip_prefix('*')
            .is_some_and(|suffix| host.len() > suffix.len() && host.ends_with(suffix))
    };
    if other.is_empty() || one == other || is_under(one, other) {
        Some(one)
    } else if one.is_empty() || is_under(other, one) {
        Some(other)
    } else {
        None
    }
}

/// The first route of those known for the host that matches. None when the host is unknown; an empty answer when no route matches.
pub(super) fn route(hosts: &Hosts, asked: Asked<'_>) -> Option<Option<Vec<Share>>> {
    let routes = of_host(hosts, asked.host)?;
    let matched = routes
        .iter()
        .find(|route| route.matches.iter().any(|one| one.holds(asked)));
    Some(matched.map(Route::shares))
}

/// The edits that a filter or a `headers` block asks for, where headers to set and to add are lists of name and value.
pub(super) fn listed_edits(block: &Value) -> Vec<Edit> {
    let pairs = |key: &'static str, edit: fn(String, String) -> Edit| {
        object::items(block, &[key]).iter().map(move |pair| {
            let (name, value) = (object::text(pair, &["name"]), object::text(pair, &["value"]));
            edit(name.to_owned(), value.to_owned())
        })
    };
    let removed = object::items(block, &["remove"]).iter().filter_map(Value::as_str);
    pairs("set", Edit::Set)
        .chain(pairs("add", Edit::Add))
        .chain(removed.map(|name| Edit::Remove(name.to_owned())))
        .collect()
}
