//! One table of Prometheus' answers, played twice: by wiremock over sockets in real time, and by a service in this process on virtual time.

use env::sim::run;
use env::{HttpService, Trace, full};
use http::Response;
use wiremock::matchers::path;
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::{Class, measure, prometheus, real, told};

/// An answer, and what is made of it: the value as it is shown, or the class and the end of the text after the query's address.
struct Case {
    name: &'static str,
    status: u16,
    headers: &'static [(&'static str, &'static str)],
    body: String,
    expected: Result<&'static str, (Class, &'static str)>,
}

fn case(name: &'static str, body: &str, expected: Result<&'static str, (Class, &'static str)>) -> Case {
    Case {
        name,
        status: 200,
        headers: &[("content-type", "application/json")],
        body: body.to_owned(),
        expected,
    }
}

fn data(name: &'static str, kind: &str, result: &str, expected: Result<&'static str, (Class, &'static str)>) -> Case {
    let body = format!(r#"{{"status":"success","data":{{"resultType":"{kind}","result":{result}}}}}"#);
    case(name, &body, expected)
}

fn failed(
    name: &'static str,
    status: u16,
    headers: &'static [(&'static str, &'static str)],
    body: &str,
    class: Class,
    text: &'static str,
) -> Case {
    Case {
        status,
        headers,
        ..case(name, body, Err((class, text)))
    }
}

const NOT_PROMETHEUS: &str = "does the address lead to a server of Prometheus' API?";
const HISTOGRAM: &str = "the answer holds native histograms, which are no numbers; let the query make numbers of them, as histogram_quantile() or \
                         histogram_fraction() do";

fn values() -> Vec<Case> {
    vec![
        data(
            "one",
            "vector",
            r#"[{"metric":{},"value":[1893456000,"0.95"]}]"#,
            Ok("[0.95]"),
        ),
        data(
            "several-in-the-servers-order",
            "vector",
            r#"[{"metric":{"pod":"b"},"value":[1893456000.5,"11"]},{"metric":{"pod":"a"},"value":[1893456000.5,"10"]}]"#,
            Ok("[11,10]"),
        ),
        data("empty", "vector", "[]", Ok("[]")),
        data("empty-matrix", "matrix", "[]", Ok("[]")),
        data("null", "vector", "null", Ok("[]")),
        data(
            "nan",
            "vector",
            r#"[{"metric":{},"value":[1893456000,"NaN"]}]"#,
            Ok("[NaN]"),
        ),
        data(
            "infinite",
            "vector",
            r#"[{"metric":{},"value":[1893456000,"+Inf"]},{"metric":{},"value":[1893456000,"-Inf"]}]"#,
            Ok("[+Inf,-Inf]"),
        ),
        data(
            "exponent",
            "vector",
            r#"[{"metric":{},"value":[1893456000,"1.5e-07"]}]"#,
            Ok("[0.00000015]"),
        ),
        data(
            "large",
            "scalar",
            r#"[1893456000,"1e+21"]"#,
            Ok("1000000000000000000000"),
        ),
        data("scalar", "scalar", r#"[1893456000,"1.5"]"#, Ok("1.5")),
        data("scalar-nan", "scalar", r#"[1893456000,"NaN"]"#, Ok("NaN")),
        data(
            "matrix-flattened",
            "matrix",
            r#"[{"metric":{"pod":"a"},"values":[[1893455940,"1"],[1893456000,"2"]]},{"metric":{"pod":"b"},"values":[[1893456000,"3"]]}]"#,
            Ok("[1,2,3]"),
        ),
        case(
            "unknown-fields",
            r#"{"status":"success","stats":{"n":1},"data":{"resultType":"scalar","result":[0,"1"],"more":[]},"infos":["x"]}"#,
            Ok("1"),
        ),
    ]
}

fn unusable() -> Vec<Case> {
    use Class::{HistogramRefused, Malformed, NotNumeric, QueryRefused};
    vec![
        data(
            "string",
            "string",
            r#"[1893456000,"text"]"#,
            Err((
                NotNumeric,
                "Prometheus metric type not supported: the answer is a string; write a query that gives numbers",
            )),
        ),
        data(
            "histogram",
            "vector",
            r#"[{"metric":{},"histogram":[1893456000,{"count":"3","sum":"1.5","buckets":[[0,"0","1","3"]]}]}]"#,
            Err((HistogramRefused, HISTOGRAM)),
        ),
        data(
            "histograms-beside-numbers",
            "matrix",
            r#"[{"metric":{},"values":[[1893456000,"1"]],"histograms":[[1893456000,{"count":"3"}]]}]"#,
            Err((HistogramRefused, HISTOGRAM)),
        ),
        data(
            "too-large-for-a-float",
            "scalar",
            r#"[1893456000,"1e400"]"#,
            Err((Malformed, "the answer cannot be read: \"1e400\" is not a number")),
        ),
        data(
            "number-without-quotes",
            "scalar",
            "[1893456000,1]",
            Err((
                Malformed,
                "the answer cannot be read: scalar: invalid type: integer `1`, expected a string at line 1 column 13",
            )),
        ),
        data(
            "word",
            "vector",
            r#"[{"metric":{},"value":[1893456000,"many"]}]"#,
            Err((Malformed, "the answer cannot be read: \"many\" is not a number")),
        ),
        data(
            "no-value",
            "vector",
            r#"[{"metric":{}}]"#,
            Err((
                Malformed,
                "the answer cannot be read: a series has neither a value nor values",
            )),
        ),
        case(
            "truncated",
            r#"{"status":"success","data":{"resultType":"vector","resu"#,
            Err((
                Malformed,
                "the answer cannot be read: it ends in the middle of its JSON",
            )),
        ),
        case("nothing", "", Err((Malformed, NOT_PROMETHEUS))),
        case("another-json", r#"{"ok":true}"#, Err((Malformed, NOT_PROMETHEUS))),
        case("a-list", "[1,2]", Err((Malformed, NOT_PROMETHEUS))),
        case(
            "success-that-fails",
            r#"{"status":"error","errorType":"execution","error":"expanding series: context canceled"}"#,
            Err((
                QueryRefused,
                "refused with 200: execution: expanding series: context canceled; correct the query, the same one will be refused again",
            )),
        ),
        case(
            "neither-success-nor-error",
            r#"{"status":"maybe"}"#,
            Err((
                Malformed,
                "the answer cannot be read: its status is \"maybe\" and it does not say why",
            )),
        ),
        Case {
            headers: &[("content-type", "text/html")],
            ..case(
                "html",
                "<html><body>Sign in</body></html>",
                Err((
                    Malformed,
                    "the answer cannot be read: it is text/html and not Prometheus' JSON (expected value at line 1 column 1): \
                     <html><body>Sign in</body></html>; does the address lead to a server of Prometheus' API?",
                )),
            )
        },
        case(
            "warnings",
            r#"{"status":"success","warnings":["2 of 3 stores did not answer","x"],"data":{"resultType":"scalar","result":[0,"1"]}}"#,
            Ok("1, 2 of 3 stores did not answer, x"),
        ),
        case(
            "partial",
            r#"{"status":"success","isPartial":true,"data":{"resultType":"scalar","result":[0,"1"]}}"#,
            Ok("1, the server says that its answer is partial"),
        ),
    ]
}

fn refusals() -> Vec<Case> {
    use Class::{QueryRefused, Redirect, ServerError};
    const ERROR: &str =
        r#"{"status":"error","errorType":"bad_data","error":"1:4: parse error: unexpected end of input"}"#;
    vec![
        failed(
            "400",
            400,
            &[],
            ERROR,
            QueryRefused,
            "refused with 400: bad_data: 1:4: parse error: unexpected end of input; correct the query, the same one will be refused again",
        ),
        failed(
            "422",
            422,
            &[],
            r#"{"status":"error","errorType":"execution","error":"many-to-many matching not allowed"}"#,
            QueryRefused,
            "refused with 422: execution: many-to-many matching not allowed; correct the query, the same one will be refused again",
        ),
        failed(
            "401",
            401,
            &[],
            "",
            QueryRefused,
            "refused with 401: it says nothing; check the metric's authentication",
        ),
        failed(
            "404",
            404,
            &[],
            "404 page not found\n",
            QueryRefused,
            "refused with 404: 404 page not found; check the address and its path",
        ),
        failed(
            "429",
            429,
            &[("retry-after", "7")],
            "slow down",
            ServerError,
            "the server cannot answer now, 429: slow down",
        ),
        failed(
            "500",
            500,
            &[],
            "oops",
            ServerError,
            "the server cannot answer now, 500: oops",
        ),
        failed(
            "503",
            503,
            &[],
            r#"{"status":"error","errorType":"timeout","error":"query timed out in expression evaluation"}"#,
            ServerError,
            "the server cannot answer now, 503: timeout: query timed out in expression evaluation",
        ),
        failed(
            "redirect",
            302,
            &[("location", "https://login.example.com/?next=1")],
            "",
            Redirect,
            "the answer leads elsewhere (302 to https://login.example.com/?next=1), and that is not followed; give the address that answers by \
             itself",
        ),
        failed(
            "redirect-to-nowhere",
            307,
            &[],
            "",
            Redirect,
            "the answer leads elsewhere (307 to nowhere), and that is not followed; give the address that answers by itself",
        ),
    ]
}

fn cases() -> Vec<Case> {
    [values(), unusable(), refusals()].into_iter().flatten().collect()
}

/// The differences between what is expected and what came, a line each.
fn check(case: &Case, came: &Result<String, (Class, String)>) -> Option<String> {
    let fits = match (&case.expected, came) {
        (Ok(expected), Ok(came)) => expected == came,
        (Err((class, text)), Err((came, message))) => class == came && message.ends_with(text),
        _ => false,
    };
    (!fits).then(|| format!("{}: expected {:?}, came {came:?}", case.name, case.expected))
}

#[tokio::test]
async fn every_answer_over_sockets() {
    let server = MockServer::start().await;
    for case in cases() {
        let headers = case.headers.iter().filter(|(name, _)| *name != "content-type");
        let kind = case.headers.iter().find(|(name, _)| *name == "content-type");
        let answer = ResponseTemplate::new(case.status).set_body_raw(case.body, kind.map_or("", |(_, kind)| kind));
        let answer = headers.fold(answer, |answer, (name, value)| answer.insert_header(*name, *value));
        Mock::given(path(format!("/{}/api/v1/query", case.name)))
            .respond_with(answer)
            .mount(&server)
            .await;
    }
    let env = real();
    let mut wrong = Vec::new();
    for case in cases() {
        let query = prometheus(&format!("{}/{}", server.uri(), case.name));
        let came = told(measure(&query, &env).await);
        wrong.extend(check(&case, &came));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_answer_in_this_process() {
    let wrong = run(1, Trace::off(), |world| async move {
        let mut wrong = Vec::new();
        for case in cases() {
            let (status, headers, body) = (case.status, case.headers, case.body.clone());
            let service = HttpService::new(move |_| {
                let answer = headers
                    .iter()
                    .fold(Response::builder().status(status), |answer, (name, value)| {
                        answer.header(*name, *value)
                    })
                    .body(full(body.clone()));
                async move { Ok(answer?) }
            });
            let _served = world.network.serve("prometheus:9090", service);
            let came = told(measure(&prometheus("http://prometheus:9090"), &world.env).await);
            wrong.extend(check(&case, &came));
        }
        wrong
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
