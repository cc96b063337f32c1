//! Who asks: what goes into the authorization header, and what no template may write into a request.

use std::time::Duration;

use env::sim::run;
use env::{HttpService, Trace, full};
use http::Response;
use parking_lot::Mutex;
use rstest::rstest;
use std::sync::Arc;

use super::{Class, measure, one, prometheus, told};
use crate::metrics::{Credentials, Manner};

/// What a measurement came to, and the headers that the server saw, without those that every request has.
fn asked(manner: Manner) -> (Result<String, (Class, String)>, Vec<String>) {
    run(1, Trace::off(), |world| async move {
        let seen: Arc<Mutex<Vec<String>>> = Arc::default();
        let writes = seen.clone();
        let service = HttpService::new(move |request: http::Request<env::Body>| {
            let headers = request.headers().iter();
            let shown = headers.map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value.as_bytes())));
            writes.lock().extend(shown);
            async { Ok(Response::new(full(one("1")))) }
        });
        let _served = world.network.serve("prometheus:9090", service);
        let query = crate::metrics::prometheus::Prometheus {
            manner,
            ..prometheus("http://prometheus:9090")
        };
        let came = told(measure(&query, &world.env).await);
        let mut seen = std::mem::take(&mut *seen.lock());
        seen.retain(|line| !line.starts_with("accept") && !line.starts_with("content-type"));
        (came, seen)
    })
}

fn manner(headers: &[(&str, &str)], credentials: Credentials) -> Manner {
    let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    Manner {
        headers: headers.iter().map(own).collect(),
        credentials,
        ..Manner::within(Duration::from_secs(30))
    }
}

fn basic(user: &str, password: &str) -> Credentials {
    Credentials::Basic {
        user: user.to_owned(),
        password: password.to_owned(),
    }
}

#[rstest]
#[case::nobody(&[], Credentials::None, &[])]
#[case::headers(&[("X-Scope-OrgID", "team-a"), ("x-extra", "1")], Credentials::None, &["x-scope-orgid: team-a", "x-extra: 1"])]
#[case::bearer(&[], Credentials::Bearer("tok.en".to_owned()), &["authorization: Bearer tok.en"])]
#[case::bearer_from_a_file(&[], Credentials::Bearer("tok.en\n".to_owned()), &["authorization: Bearer tok.en"])]
#[case::basic(&[], basic("Aladdin", "open sesame"), &["authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="])]
#[case::basic_from_files(&[], basic("Aladdin\n", "open sesame\n"), &["authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="])]
#[case::written_by_hand(&[("Authorization", "ApiKey x")], Credentials::None, &["authorization: ApiKey x"])]
fn the_server_sees_who_asks(
    #[case] headers: &[(&str, &str)],
    #[case] credentials: Credentials,
    #[case] expected: &[&str],
) {
    let (came, seen) = asked(manner(headers, credentials));
    assert_eq!(came, Ok("[1]".to_owned()));
    assert_eq!(seen, expected);
}

#[rstest]
#[case::both(
    &[("Authorization", "x")],
    Credentials::Bearer("tok.en".to_owned()),
    "there is an authorization header and an authentication; write one of them"
)]
#[case::name(&[("a b", "x")], Credentials::None, "\"a b\" is not the name of a header")]
#[case::of_the_connection(
    &[("Transfer-Encoding", "chunked")],
    Credentials::None,
    "header transfer-encoding belongs to the connection; leave it out"
)]
#[case::line_break(
    &[("x", "1\r\ny: 2")],
    Credentials::None,
    "a header's value holds a line break or another character that cannot be sent"
)]
#[case::line_break_in_a_token(
    &[],
    Credentials::Bearer("a\r\nb".to_owned()),
    "a header's value holds a line break or another character that cannot be sent"
)]
fn what_cannot_be_a_header_is_not_sent(
    #[case] headers: &[(&str, &str)],
    #[case] credentials: Credentials,
    #[case] expected: &str,
) {
    let (came, seen) = asked(manner(headers, credentials));
    assert_eq!(
        came,
        Err((
            Class::Misconfigured,
            format!("query http://prometheus:9090: {expected}")
        ))
    );
    assert_eq!(seen, Vec::<String>::new());
}
