//! The rules for where a measurement comes from: one provider, that this version serves, with an address that is one.

use super::attachment::secret_key;
use super::parts::json_of;
use crate::field_error::FieldError;
use crate::go_duration;
use crate::v1alpha1::{Authentication, Metric, MinSamples, Prometheus, SecretSource, Web, number};

/// Everything that is wrong with a metric's provider.
pub(super) fn provider(path: &str, metric: &Metric, errors: &mut Vec<FieldError>) {
    let provider = &metric.provider;
    let path = format!("{path}.provider");
    let served = [
        provider.prometheus.is_some(),
        provider.web.is_some(),
        provider.job.is_some(),
    ];
    let given = served.into_iter().filter(|given| *given).count();
    if let Some(name) = provider.other.keys().next() {
        errors.push(FieldError::invalid(
            format!("{path}.{name}"),
            name.as_str(),
            "this provider is not served; give prometheus, web or job",
        ));
    } else if given != 1 {
        errors.push(FieldError::invalid(
            &path,
            json_of(provider),
            "give exactly one of prometheus, web and job",
        ));
    }
    let prometheus_only = [
        ("comparison", metric.comparison.is_some()),
        ("minSamples", metric.min_samples.is_some()),
    ];
    for (field, _) in prometheus_only
        .into_iter()
        .filter(|(_, given)| *given && provider.prometheus.is_none())
    {
        errors.push(FieldError::forbidden(
            path.replace(".provider", &format!(".{field}")),
            "its queries go to a Prometheus server, and the metric names none; give provider.prometheus",
        ));
    }
    if let Some(samples) = &metric.min_samples {
        min_samples(&path.replace(".provider", ".minSamples"), samples, errors);
    }
    if let Some(prometheus) = &provider.prometheus {
        from_prometheus(
            &format!("{path}.prometheus"),
            prometheus,
            metric.comparison.is_some(),
            errors,
        );
    }
    if let Some(web) = &provider.web {
        from_web(&format!("{path}.web"), web, errors);
    }
    if provider
        .job
        .as_ref()
        .is_some_and(|job| job.spec.pointer("/template/spec").is_none())
    {
        errors.push(FieldError::required(
            format!("{path}.job.spec.template.spec"),
            "give the pod of the Job, as batch/v1 has it",
        ));
    }
}

fn min_samples(path: &str, samples: &MinSamples, errors: &mut Vec<FieldError>) {
    if samples.query.trim().is_empty() {
        errors.push(FieldError::required(
            format!("{path}.query"),
            "give a query that counts the new version's requests",
        ));
    }
    let argued = json_of(&samples.at_least).to_string().contains("{{");
    if !argued && number(&samples.at_least).is_none_or(|least| least < 1) {
        errors.push(FieldError::invalid(
            format!("{path}.atLeast"),
            json_of(&samples.at_least),
            "write a whole number, 1 or more",
        ));
    }
}

fn from_prometheus(path: &str, prometheus: &Prometheus, compares: bool, errors: &mut Vec<FieldError>) {
    url(
        &format!("{path}.address"),
        prometheus.address.as_deref().unwrap_or_default(),
        errors,
    );
    match (prometheus.query.as_deref().unwrap_or_default().trim(), compares) {
        ("", false) => errors.push(FieldError::required(format!("{path}.query"), "give a query in PromQL")),
        ("", true) | (_, false) => {}
        (_, true) => errors.push(FieldError::forbidden(
            format!("{path}.query"),
            "a comparison has queries of its own; leave the query or the comparison out",
        )),
    }
    if let Some(range) = &prometheus.range_query {
        for (field, text) in [("start", &range.start), ("end", &range.end)] {
            if text.trim().is_empty() {
                errors.push(FieldError::required(
                    format!("{path}.rangeQuery.{field}"),
                    "give a time, as in now() - duration(\"1h\")",
                ));
            }
        }
        let positive = go_duration::parse(&range.step).map(|step| !step.is_zero());
        if !range.step.contains("{{") && positive != Ok(true) {
            errors.push(FieldError::invalid(
                format!("{path}.rangeQuery.step"),
                range.step.as_str(),
                positive
                    .err()
                    .map_or("a step takes time; write 30s or so".to_owned(), |error| {
                        error.to_string()
                    }),
            ));
        }
    }
    seconds(&format!("{path}.timeout"), prometheus.timeout, errors);
    whom(
        path,
        prometheus.insecure,
        prometheus.ca_from.as_ref(),
        prometheus.authentication.as_ref(),
        errors,
    );
}

fn from_web(path: &str, web: &Web, errors: &mut Vec<FieldError>) {
    url(&format!("{path}.url"), &web.url, errors);
    let method = web
        .method
        .as_deref()
        .filter(|method| !method.is_empty())
        .unwrap_or("GET");
    if !["GET", "POST", "PUT"].contains(&method) {
        errors.push(FieldError::invalid(
            format!("{path}.method"),
            method,
            "write GET, POST or PUT",
        ));
    }
    let bodies = [("body", web.body.is_some()), ("jsonBody", web.json_body.is_some())];
    if web.body.is_some() && web.json_body.is_some() {
        errors.push(FieldError::forbidden(
            format!("{path}.jsonBody"),
            "there is a body already; keep one",
        ));
    }
    for (field, _) in bodies.into_iter().filter(|(_, given)| *given && method == "GET") {
        errors.push(FieldError::forbidden(
            format!("{path}.{field}"),
            "a GET has no body; write method: POST, or leave the body out",
        ));
    }
    seconds(&format!("{path}.timeoutSeconds"), web.timeout_seconds, errors);
    whom(
        path,
        web.insecure,
        web.ca_from.as_ref(),
        web.authentication.as_ref(),
        errors,
    );
}

/// An address is one of HTTP, whatever arguments make of the rest.
fn url(path: &str, text: &str, errors: &mut Vec<FieldError>) {
    if text.is_empty() {
        errors.push(FieldError::required(
            path,
            "give the URL, as in http://prometheus.monitoring:9090",
        ));
        return;
    }
    if text.contains("{{") {
        return;
    }
    let parsed = text.parse::<http::Uri>().ok();
    let good = parsed.is_some_and(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some_and(|host| !host.is_empty())
    });
    if !good {
        errors.push(FieldError::invalid(
            path,
            text,
            "this is no URL; write http:// or https://, a host, and a port where it is not the usual one",
        ));
    } else if text
        .split(['/', '?', '#'])
        .nth(2)
        .is_some_and(|authority| authority.contains('@'))
    {
        errors.push(FieldError::invalid(
            path,
            text,
            "a URL here holds no user and no password, since everybody may read it; give authentication.basic",
        ));
    }
}

fn seconds(path: &str, given: Option<i64>, errors: &mut Vec<FieldError>) {
    if let Some(given) = given.filter(|given| !(0..=3600).contains(given)) {
        errors.push(FieldError::invalid(
            path,
            given,
            "write seconds, 0 to 3600; 0 is the usual time",
        ));
    }
}

fn whom(
    path: &str,
    insecure: Option<bool>,
    authority: Option<&SecretSource>,
    authentication: Option<&Authentication>,
    errors: &mut Vec<FieldError>,
) {
    if let Some(authority) = authority {
        secret_key(
            &format!("{path}.caFrom.secretKeyRef"),
            &authority.secret_key_ref,
            errors,
        );
        if insecure == Some(true) {
            errors.push(FieldError::forbidden(
                format!("{path}.caFrom"),
                "insecure accepts any certificate; leave one of the two out",
            ));
        }
    }
    let Some(authentication) = authentication else { return };
    let path = format!("{path}.authentication");
    if let Some(name) = authentication.other.keys().next() {
        errors.push(FieldError::invalid(
            format!("{path}.{name}"),
            name.as_str(),
            "this way to authenticate is not served; give basic or bearer",
        ));
    }
    if authentication.basic.is_some() && authentication.bearer.is_some() {
        errors.push(FieldError::forbidden(
            format!("{path}.bearer"),
            "there is basic already; keep one",
        ));
    }
    if let Some(basic) = &authentication.basic {
        for (field, source) in [("username", &basic.username), ("password", &basic.password)] {
            secret_key(
                &format!("{path}.basic.{field}.secretKeyRef"),
                &source.secret_key_ref,
                errors,
            );
        }
    }
    if let Some(bearer) = &authentication.bearer {
        secret_key(&format!("{path}.bearer.secretKeyRef"), &bearer.secret_key_ref, errors);
    }
}
