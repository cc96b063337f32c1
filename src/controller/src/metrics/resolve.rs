//! From what a template says to providers that can measure: Secrets filled in, times and limits read, defaults put in. Arguments have been filled in
//! before. Pure: whoever measures reads the Secrets that [`needed`] names, right before it does, and keeps them nowhere.

use std::collections::BTreeMap;
use std::time::Duration;

use api::v1alpha1::{Authentication, ProviderHeader, SecretKeyRef, SecretSource};
use serde_json::Value;

use super::job::manifest::{self, Measurement};
use super::prometheus::{self, Prometheus, Range};
use super::trouble::Fault;
use super::web::{self, Payload, Sent, Web};
use super::{Certificates, Credentials, Manner, Secrets, Trouble};

/// Values of Secrets.
pub type Values = BTreeMap<SecretKeyRef, String>;

/// Which Secrets a provider needs beside those of arguments.
pub fn needed(provider: &api::v1alpha1::Provider) -> Vec<SecretKeyRef> {
    let prometheus = provider.prometheus.iter().map(|it| (&it.ca_from, &it.authentication));
    let web = provider.web.iter().map(|it| (&it.ca_from, &it.authentication));
    let sources = prometheus.chain(web).flat_map(|(ca, authentication)| {
        let authentication = authentication.iter();
        let basic = authentication.clone().filter_map(|it| it.basic.as_ref());
        let basic = basic.flat_map(|basic| [&basic.username, &basic.password]);
        ca.iter()
            .chain(authentication.filter_map(|it| it.bearer.as_ref()))
            .chain(basic)
    });
    sources.map(|source| source.secret_key_ref.clone()).collect()
}

/// The query of a Prometheus provider: its own, or `query` in its place, as a comparison or a traffic guard has them.
///
/// # Errors
/// When a Secret is missing, or something is written that cannot be.
pub fn prometheus(
    asks: &api::v1alpha1::Prometheus,
    query: Option<&str>,
    values: &Values,
) -> Result<Prometheus, Trouble> {
    let read = || -> Result<Prometheus, Fault> {
        let range = asks.range_query.as_ref().filter(|_| query.is_none());
        let range = range.map(|range| -> Result<Range, Fault> {
            Ok(Range {
                start: range.start.clone(),
                end: range.end.clone(),
                step: api::go_duration::parse(&range.step)
                    .map_err(|error| Fault::Misconfigured(format!("rangeQuery.step: {error}")))?,
            })
        });
        Ok(Prometheus {
            address: asks.address.clone().unwrap_or_default(),
            query: query.or(asks.query.as_deref()).unwrap_or_default().to_owned(),
            range: range.transpose()?,
            manner: Manner {
                headers: headers(asks.headers.as_deref()),
                credentials: credentials(asks.authentication.as_ref(), values)?,
                certificates: certificates(asks.insecure, asks.ca_from.as_ref(), values)?,
                timeout: limit("timeout", asks.timeout, prometheus::TIMEOUT)?,
            },
        })
    };
    read().map_err(|fault| fault.about("Prometheus metric", &Secrets::default()))
}

/// The request of a web provider.
///
/// # Errors
/// When a Secret is missing, or something is written that cannot be.
pub fn web(asks: &api::v1alpha1::Web, values: &Values) -> Result<Web, Trouble> {
    let read = || -> Result<Web, Fault> {
        let payload = match (&asks.body, &asks.json_body) {
            (None, None) => Payload::Empty,
            (Some(text), None) => Payload::Text(text.clone()),
            (None, Some(json)) => Payload::Json(json.clone()),
            (Some(_), Some(_)) => {
                return Err(Fault::Misconfigured(
                    "there are a body and a jsonBody; keep one".to_owned(),
                ));
            }
        };
        let body = match (asks.method.as_deref().unwrap_or_default(), payload) {
            ("" | "GET", Payload::Empty) => Sent::Get,
            ("POST", payload) => Sent::Post(payload),
            ("PUT", payload) => Sent::Put(payload),
            ("" | "GET", _) => {
                return Err(Fault::Misconfigured(
                    "a GET has no body; write method: POST, or leave the body out".to_owned(),
                ));
            }
            (other, _) => {
                return Err(Fault::Misconfigured(format!(
                    "method \"{other}\": write GET, POST or PUT"
                )));
            }
        };
        Ok(Web {
            url: asks.url.clone(),
            body,
            json_path: asks.json_path.clone().unwrap_or_default(),
            manner: Manner {
                headers: headers(asks.headers.as_deref()),
                credentials: credentials(asks.authentication.as_ref(), values)?,
                certificates: certificates(asks.insecure, asks.ca_from.as_ref(), values)?,
                timeout: limit("timeoutSeconds", asks.timeout_seconds, web::TIMEOUT)?,
            },
        })
    };
    read().map_err(|fault| fault.about("web metric", &Secrets::default()))
}

/// The Job of a job provider.
pub fn job(asks: &api::v1alpha1::Job, of: Measurement<'_>) -> Value {
    let metadata = asks.metadata.clone().unwrap_or_default();
    let (labels, annotations) = (
        metadata.labels.unwrap_or_default(),
        metadata.annotations.unwrap_or_default(),
    );
    manifest::job(of, &labels, &annotations, &asks.spec)
}

fn headers(headers: Option<&[ProviderHeader]>) -> Vec<(String, String)> {
    let headers = headers.unwrap_or_default().iter();
    headers
        .map(|header| (header.key.clone(), header.value.clone()))
        .collect()
}

fn credentials(authentication: Option<&Authentication>, values: &Values) -> Result<Credentials, Fault> {
    let Some(authentication) = authentication else {
        return Ok(Credentials::None);
    };
    if let Some(way) = authentication.other.keys().next() {
        return Err(Fault::Misconfigured(format!(
            "authentication.{way} is not served; write basic or bearer"
        )));
    }
    match (&authentication.basic, &authentication.bearer) {
        (None, None) => Ok(Credentials::None),
        (Some(basic), None) => Ok(Credentials::Basic {
            user: value(&basic.username, values)?.to_owned(),
            password: value(&basic.password, values)?.to_owned(),
        }),
        (None, Some(token)) => Ok(Credentials::Bearer(value(token, values)?.to_owned())),
        (Some(_), Some(_)) => Err(Fault::Misconfigured(
            "authentication has basic and bearer; keep one".to_owned(),
        )),
    }
}

fn certificates(insecure: Option<bool>, ca: Option<&SecretSource>, values: &Values) -> Result<Certificates, Fault> {
    match (insecure, ca) {
        (Some(true), None) => Ok(Certificates::Anybody),
        (Some(true), Some(_)) => Err(Fault::Misconfigured(
            "there are insecure and caFrom; keep one".to_owned(),
        )),
        (_, Some(source)) => Ok(Certificates::Roots(value(source, values)?.as_bytes().to_vec())),
        (_, None) => Ok(Certificates::System),
    }
}

fn value<'a>(source: &SecretSource, values: &'a Values) -> Result<&'a str, Fault> {
    let SecretKeyRef { name, key } = &source.secret_key_ref;
    values.get(&source.secret_key_ref).map(String::as_str).ok_or_else(|| {
        Fault::Misconfigured(format!(
            "there is no key {key} in a Secret {name} of the run's namespace; create it, or correct the reference"
        ))
    })
}

/// Seconds as Argo Rollouts reads them: none or zero is the default.
fn limit(field: &str, seconds: Option<i64>, default: Duration) -> Result<Duration, Fault> {
    match seconds {
        None | Some(0) => Ok(default),
        Some(seconds) => u64::try_from(seconds)
            .map(Duration::from_secs)
            .map_err(|_| Fault::Misconfigured(format!("{field} is below zero; write seconds, or leave it out"))),
    }
}
