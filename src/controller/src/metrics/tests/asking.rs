//! What is sent: the form and its times, by POST and by GET, with headers; and what is refused before anything is sent.

use std::time::Duration;

use env::Trace;
use env::sim::run;
use rstest::rstest;

use super::{Class, Heard, measure, measured, one, prometheus, told};
use crate::metrics::prometheus::{Prometheus, Range};

fn range(start: &str, end: &str, step: u64) -> Option<Range> {
    Some(Range {
        start: start.to_owned(),
        end: end.to_owned(),
        step: Duration::from_millis(step),
    })
}

/// What a server hears of a query.
fn heard(query: Prometheus, answer: impl Fn(&str) -> (u16, String) + Clone + Send + Sync + 'static) -> Vec<String> {
    run(1, Trace::off(), |world| async move {
        let heard = Heard::default();
        let _served = world.network.serve("prometheus:9090", heard.service(answer));
        world.env.sleep(Duration::from_millis(1500)).await;
        measured(measure(&query, &world.env).await);
        let heard = heard.take().into_iter();
        heard
            .map(|(method, target, body)| format!("{method} {target} {body}"))
            .collect()
    })
}

#[rstest]
#[case::instant(
    "http://prometheus:9090",
    "sum(rate(x{a=\"b\"}[5m])) > 1 + é",
    None,
    "POST /api/v1/query query=sum%28rate%28x%7Ba%3D%22b%22%7D%5B5m%5D%29%29%20%3E%201%20%2B%20%C3%A9&time=1893456001.5"
)]
#[case::below_a_path(
    "http://prometheus:9090/select/0/prometheus/",
    "up",
    None,
    "POST /select/0/prometheus/api/v1/query query=up&time=1893456001.5"
)]
#[case::with_a_query(
    "http://prometheus:9090?tenant=a",
    "up",
    None,
    "POST /api/v1/query?tenant=a query=up&time=1893456001.5"
)]
#[case::range(
    "http://prometheus:9090",
    "up",
    range("now() - duration(\"1h\")", "now()", 90_500),
    "POST /api/v1/query_range end=1893456001.5&query=up&start=1893452401.5&step=90.5"
)]
fn the_form_is_posted(
    #[case] address: &str,
    #[case] query: &str,
    #[case] range: Option<Range>,
    #[case] expected: &str,
) {
    let asked = Prometheus {
        query: query.to_owned(),
        range,
        ..prometheus(address)
    };
    assert_eq!(heard(asked, |_| (200, one("1"))), [expected]);
}

#[rstest]
#[case::forbidden(403)]
#[case::not_allowed(405)]
#[case::not_implemented(501)]
fn where_post_is_not_served_get_is_asked(#[case] status: u16) {
    let answer = move |method: &str| match method {
        "GET" => (200, one("1")),
        _ => (status, "no".to_owned()),
    };
    let heard = heard(prometheus("http://prometheus:9090/?tenant=a"), answer);
    assert_eq!(
        heard,
        [
            "POST /api/v1/query?tenant=a query=up&time=1893456001.5",
            "GET /api/v1/query?tenant=a&query=up&time=1893456001.5 "
        ]
    );
}

#[rstest]
#[case::empty("", None, "\"\" is not an address; write it as http://prometheus.example.com:9090")]
#[case::no_scheme(
    "prometheus:9090",
    None,
    "\"prometheus:9090\" is not an address; write it as http://prometheus.example.com:9090"
)]
#[case::another_scheme(
    "ftp://prometheus",
    None,
    "\"ftp://prometheus\" is not an address; write it as http://prometheus.example.com:9090"
)]
#[case::blank(
    "http://prome theus",
    None,
    "\"http://prome theus\" is not an address; write it as http://prometheus.example.com:9090"
)]
#[case::no_host(
    "http://:9090",
    None,
    "\"http://:9090\" is not an address; write it as http://prometheus.example.com:9090"
)]
#[case::password(
    "http://me:you@prometheus",
    None,
    "the address holds a user or a password; write it without them and use the metric's authentication"
)]
#[case::backwards(
    "http://prometheus:9090",
    range("now()", "now() - duration(\"1m\")", 1000),
    "rangeQuery: it ends, at 2029-12-31T23:59:00Z, before it starts, at 2030-01-01T00:00:00Z"
)]
#[case::no_step(
    "http://prometheus:9090",
    range("now()", "now()", 0),
    "rangeQuery: step is zero; write how much time is between two points, as 1m"
)]
#[case::too_many_points(
    "http://prometheus:9090",
    range("now() - duration(\"1000h\")", "now()", 1000),
    "rangeQuery: it asks for more than 11000 points; make the step longer or the range shorter"
)]
#[case::no_time(
    "http://prometheus:9090",
    range("yesterday", "now()", 1000),
    "rangeQuery.start: \"yesterday\": \"yesterday\" is not expected; write it as now() - duration(\"1h\")"
)]
fn what_cannot_be_asked_is_not_sent(#[case] address: &str, #[case] range: Option<Range>, #[case] expected: &str) {
    let (came, heard) = run(1, Trace::off(), |world| async move {
        let heard = Heard::default();
        let _served = world
            .network
            .serve("prometheus:9090", heard.service(|_| (200, one("1"))));
        let query = Prometheus {
            range,
            ..prometheus(address)
        };
        (told(measure(&query, &world.env).await), heard.take())
    });
    let address = address.replace("me:you@", "*****@");
    assert_eq!(
        came,
        Err((Class::Misconfigured, format!("query {address}: {expected}")))
    );
    assert_eq!(heard, []);
}

#[test]
fn an_address_where_nobody_listens_is_told() {
    let came = run(1, Trace::off(), |world| async move {
        told(measure(&prometheus("http://prometheus:9090"), &world.env).await)
    });
    let text = "query http://prometheus:9090: no answer: dial http://prometheus:9090: connection refused; check that the address is right and \
                that something listens there; check that the server is up and that the address and its certificate are right";
    assert_eq!(came, Err((Class::Transport, text.to_owned())));
}

#[test]
fn labels_and_warnings_are_kept_beside_the_value() {
    let body = r#"{"status":"success","warnings":["w"],"infos":["i"],"data":{"resultType":"matrix","result":[
        {"metric":{"pod":"a"},"values":[[1893455000,"1"],[1893455060,"2"]]},{"metric":{"pod":"b"},"values":[[1893455060,"3"]]}]}}"#;
    let measured = run(1, Trace::off(), |world| async move {
        let _served = world.network.serve(
            "prometheus:9090",
            Heard::default().service(move |_| (200, body.to_owned())),
        );
        let query = Prometheus {
            range: range("now() - duration(\"1h\")", "now()", 60_000),
            ..prometheus("http://prometheus:9090")
        };
        measured(measure(&query, &world.env).await)
    });
    let series: Vec<_> = measured
        .series
        .iter()
        .map(|series| (series.labels["pod"].to_string(), series.numbers))
        .collect();
    assert_eq!(series, [("a".to_owned(), 2), ("b".to_owned(), 1)]);
    assert_eq!(
        measured.warnings.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["w"]
    );
}
