//! What the metric server of a cluster answers while a scenario runs. The article's address is served; what a query says does not matter, only that
//! one came. Said by scenarios through [`crate::Bed::metrics`], played by the binaries.

/// The authority that templates in `fixtures/` name.
pub const AUTHORITY: &str = "prometheus.example.com:9090";

/// The address by which a template asks for a real metric server that scrapes the gateway.
pub const SCRAPES: &str = "http://scrapes-the-gateway.example.com:9090";

/// The share of requests that were answered without an error of the server, as a real metric server is asked for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// Where it is.
    pub address: String,
    /// The query.
    pub query: String,
}

/// The address that they name.
pub fn address() -> String {
    format!("http://{AUTHORITY}")
}

/// How every query is answered.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Answers {
    /// By one series of this value.
    Value(f64),
    /// By the share of requests of the last five minutes that the gateway answered without an error of the server; by no number when there were none.
    Measured,
    /// By no series.
    Nothing,
    /// By a value that is no number.
    NotANumber,
    /// By an error: 500.
    Failing,
    /// Never.
    Silent,
    /// By something that is no answer of a Prometheus.
    Malformed,
}
