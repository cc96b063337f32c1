//! Lists: pages that agree with each other, selectors, forms.

use env::HttpService;
use http::Request;
use rstest::rstest;
use serde_json::{Value, json};

use super::{raw, with_cluster};

const MAPS: &str = "/api/v1/namespaces/default/configmaps";
const JSON: &str = "application/json";

async fn fill(api: &HttpService, names: &[&str]) {
    for name in names {
        let body = json!({ "metadata": { "name": name, "labels": { "n": name, "all": "yes" } } }).to_string();
        assert_eq!(raw(api, "POST", MAPS, JSON, body).await.0, 201);
    }
}

fn names(list: &Value) -> Vec<&str> {
    let items = list["items"].as_array().into_iter().flatten();
    items.filter_map(|item| item["metadata"]["name"].as_str()).collect()
}

#[test]
fn pages_show_the_collection_as_it_was_when_the_first_was_read() {
    with_cluster(|cluster| async move {
        let api = cluster.api();
        fill(&api, &["a", "b", "c"]).await;
        let (_, first) = raw(&api, "GET", &format!("{MAPS}?limit=2"), JSON, "").await;
        assert_eq!(
            (names(&first), &first["metadata"]["remainingItemCount"]),
            (vec!["a", "b"], &json!(1))
        );
        fill(&api, &["bb"]).await;
        raw(&api, "DELETE", &format!("{MAPS}/c"), JSON, "").await;
        let token = first["metadata"]["continue"].as_str().expect("continue").to_owned();
        let (_, second) = raw(&api, "GET", &format!("{MAPS}?limit=2&continue={token}"), JSON, "").await;
        assert_eq!(names(&second), ["c"]);
        assert_eq!(
            second["metadata"]["resourceVersion"],
            first["metadata"]["resourceVersion"]
        );
        cluster.compact();
        let (code, gone) = raw(&api, "GET", &format!("{MAPS}?limit=2&continue={token}"), JSON, "").await;
        assert_eq!((code, &gone["reason"]), (410, &json!("Expired")));
    });
}

#[rstest]
#[case::equal("labelSelector=n%3Da", &["a"])]
#[case::unequal("labelSelector=n!%3Da", &["b", "c"])]
#[case::set("labelSelector=n+in+(a,b),all", &["a", "b"])]
#[case::not_in("labelSelector=n+notin+(a,b)", &["c"])]
#[case::absent("labelSelector=!n", &[])]
#[case::name("fieldSelector=metadata.name%3Db", &["b"])]
#[case::other_names("fieldSelector=metadata.name!%3Db", &["a", "c"])]
fn a_selector_selects(#[case] query: &'static str, #[case] expected: &'static [&'static str]) {
    with_cluster(move |cluster| async move {
        let api = cluster.api();
        fill(&api, &["a", "b", "c"]).await;
        let (code, list) = raw(&api, "GET", &format!("{MAPS}?{query}"), JSON, "").await;
        assert_eq!(code, 200, "{list}");
        assert_eq!(names(&list), expected);
    });
}

#[rstest]
#[case::partial(
    "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1",
    200,
    "PartialObjectMetadataList"
)]
#[case::table("application/json;as=Table;v=v1;g=meta.k8s.io,application/json", 200, "Table")]
#[case::fallback("application/vnd.kubernetes.protobuf,application/json", 200, "ConfigMapList")]
#[case::unknown("application/vnd.kubernetes.protobuf", 406, "Status")]
fn a_client_gets_the_form_it_takes(#[case] accept: &'static str, #[case] code: u16, #[case] kind: &'static str) {
    with_cluster(move |cluster| async move {
        let api = cluster.api();
        fill(&api, &["a"]).await;
        let request = Request::get(MAPS)
            .header("accept", accept)
            .body(env::empty())
            .expect("request");
        let response = api.send(request).await.expect("answer");
        assert_eq!(response.status().as_u16(), code);
        let bytes = env::read_all(response.into_body(), 1 << 20).await.expect("body");
        let value: Value = serde_json::from_slice(&bytes).expect("JSON");
        assert_eq!(value["kind"], kind);
    });
}

#[test]
fn a_revision_that_is_yet_to_come_is_waited_for_but_not_for_long() {
    with_cluster(|cluster| async move {
        let api = cluster.api();
        let (code, status) = raw(
            &api,
            "GET",
            &format!("{MAPS}?resourceVersion=1000&resourceVersionMatch=NotOlderThan"),
            JSON,
            "",
        )
        .await;
        assert_eq!((code, &status["reason"]), (504, &json!("Timeout")));
        assert_eq!(cluster.cluster().env().clock().elapsed().0.as_secs(), 3);
    });
}
