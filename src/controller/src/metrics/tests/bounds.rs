//! How much of an answer is taken in: bytes, series, numbers, warnings, characters.

use env::sim::run;
use env::{HttpService, Trace, full};
use http::Response;
use rstest::rstest;

use super::{Class, measure, measured, prometheus, told};
use crate::metrics::{Measured, Reading, Trouble};

fn answered(body: String) -> Result<Reading, Trouble> {
    run(1, Trace::off(), |world| async move {
        let service = HttpService::new(move |_| {
            let body = body.clone();
            async move { Ok(Response::new(full(body))) }
        });
        let _served = world.network.serve("prometheus:9090", service);
        let query = prometheus("http://prometheus:9090");
        measure(&query, &world.env).await
    })
}

fn data(kind: &str, items: &str) -> String {
    format!(r#"{{"status":"success","data":{{"resultType":"{kind}","result":[{items}]}}}}"#)
}

fn vector(series: usize) -> String {
    data("vector", &vec![r#"{"metric":{},"value":[0,"1"]}"#; series].join(","))
}

fn matrix(series: usize, numbers: usize) -> String {
    let values = vec![r#"[0,"1"]"#; numbers].join(",");
    data(
        "matrix",
        &vec![format!(r#"{{"metric":{{}},"values":[{values}]}}"#); series].join(","),
    )
}

#[rstest]
#[case::series(vector(11_001), None)]
#[case::more_series(
    vector(11_002),
    Some("the answer has more than 11001 series; let the query aggregate")
)]
#[case::points(matrix(1, 11_001), None)]
#[case::more_points(
    matrix(1, 11_002),
    Some("the answer has more than 50000 numbers; let the query aggregate")
)]
#[case::numbers(matrix(5, 10_000), None)]
#[case::more_numbers(
    matrix(5, 10_001),
    Some("the answer has more than 50000 numbers; let the query aggregate")
)]
#[case::bytes(" ".repeat((8 << 20) + 1), Some("the answer has more than 8388608 bytes; let the query aggregate"))]
fn more_than_a_condition_can_use_is_refused(#[case] body: String, #[case] expected: Option<&str>) {
    let came = told(answered(body)).err();
    let came = came.as_ref().map(|(class, text)| (*class, text.as_str()));
    let expected = expected.map(|text| format!("query http://prometheus:9090: {text}"));
    assert_eq!(came, expected.as_deref().map(|text| (Class::TooLarge, text)));
}

#[test]
fn labels_and_warnings_are_short() {
    let long = "w".repeat(1000);
    let warnings = vec![format!("\"{long}\""); 20].join(",");
    let labels = format!(r#"{{"pod":"{long}"}}"#);
    let items = vec![format!(r#"{{"metric":{labels},"value":[0,"0.123456789"]}}"#); 1000].join(",");
    let body = format!(
        r#"{{"status":"success","warnings":[{warnings}],"data":{{"resultType":"vector","result":[{items}]}}}}"#
    );
    let Measured { series, warnings, .. } = measured(answered(body));
    assert_eq!(series[0].labels["pod"].as_str().chars().count(), 301);
    assert_eq!(warnings.len(), 10);
    assert_eq!(warnings[0].as_str().chars().count(), 301);
}
