//! What a watcher sees, and when it is told to begin anew.

use std::time::Duration;

use env::HttpService;
use http::Request;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};

use super::{raw, with_cluster};
use crate::Embedded;

const MAPS: &str = "/api/v1/namespaces/default/configmaps";
const JSON: &str = "application/json";

/// The lines of a watch, one at a time.
struct Lines {
    body: env::Body,
}

impl Lines {
    async fn open(api: &HttpService, query: &str) -> Self {
        let request = Request::get(format!("{MAPS}?watch=1{query}"))
            .body(env::empty())
            .expect("request");
        let response = api.send(request).await.expect("answer");
        assert_eq!(response.status(), 200);
        Self {
            body: response.into_body(),
        }
    }

    /// Type and name of the next event, or its code when it is an error; none at the end.
    async fn next(&mut self) -> Option<(String, String)> {
        let event = self.whole().await?;
        let object = &event["object"];
        let what = object["metadata"]["name"]
            .as_str()
            .map_or_else(|| object["code"].to_string(), str::to_owned);
        Some((event["type"].as_str().unwrap_or_default().to_owned(), what))
    }

    async fn whole(&mut self) -> Option<Value> {
        let frame = self.body.frame().await?.expect("frame");
        Some(serde_json::from_slice(frame.data_ref().expect("data")).expect("JSON"))
    }
}

async fn write(api: &HttpService, name: &str, label: &str) -> Value {
    let body = json!({ "metadata": { "name": name, "labels": { "l": label } } }).to_string();
    let (code, made) = raw(api, "POST", MAPS, JSON, body.clone()).await;
    if code == 409 {
        return raw(api, "PUT", &format!("{MAPS}/{name}"), JSON, body).await.1;
    }
    made
}

fn event(kind: &str, name: &str) -> Option<(String, String)> {
    Some((kind.to_owned(), name.to_owned()))
}

#[test]
fn an_object_that_leaves_the_selection_is_deleted_and_one_that_enters_is_added() {
    with_cluster(|cluster| async move {
        let api = cluster.api();
        write(&api, "a", "yes").await;
        let mut lines = Lines::open(&api, "&labelSelector=l%3Dyes").await;
        assert_eq!(lines.next().await, event("ADDED", "a"));
        write(&api, "b", "no").await;
        write(&api, "a", "no").await;
        assert_eq!(lines.next().await, event("DELETED", "a"));
        write(&api, "b", "yes").await;
        assert_eq!(lines.next().await, event("ADDED", "b"));
        raw(&api, "DELETE", &format!("{MAPS}/b"), JSON, "").await;
        assert_eq!(lines.next().await, event("DELETED", "b"));
    });
}

#[test]
fn a_watch_from_a_revision_goes_on_after_it() {
    with_cluster(|cluster| async move {
        let api = cluster.api();
        let first = write(&api, "a", "1").await;
        write(&api, "b", "1").await;
        let from = first["metadata"]["resourceVersion"]
            .as_str()
            .expect("version")
            .to_owned();
        let mut lines = Lines::open(&api, &format!("&resourceVersion={from}")).await;
        assert_eq!(lines.next().await, event("ADDED", "b"));
    });
}

#[test]
fn a_watch_from_a_compacted_revision_is_told_that_it_is_gone() {
    with_cluster(|cluster| async move {
        let api = cluster.api();
        write(&api, "a", "1").await;
        write(&api, "b", "1").await;
        let revision = *cluster.changes().borrow();
        cluster.compact();
        let mut lines = Lines::open(&api, "&resourceVersion=1").await;
        let whole = lines.whole().await.expect("event");
        assert_eq!(whole["object"]["code"], 410);
        assert_eq!(whole["object"]["reason"], "Expired");
        assert_eq!(
            whole["object"]["message"],
            format!("too old resource version: 1 ({revision})")
        );
        assert_eq!(lines.next().await, None);
    });
}

#[test]
fn a_streaming_list_ends_with_a_bookmark_that_says_so() {
    with_cluster(|cluster| async move {
        let api = cluster.api();
        write(&api, "a", "1").await;
        let query =
            "&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&timeoutSeconds=90";
        let mut lines = Lines::open(&api, query).await;
        assert_eq!(lines.next().await, event("ADDED", "a"));
        let end = lines.whole().await.expect("bookmark");
        assert_eq!(end["type"], "BOOKMARK");
        assert_eq!(
            end["object"]["metadata"]["annotations"]["k8s.io/initial-events-end"],
            "true"
        );
        let later = lines.whole().await.expect("bookmark");
        assert_eq!(
            (later["type"].as_str(), &later["object"]["metadata"]["annotations"]),
            (Some("BOOKMARK"), &Value::Null)
        );
        assert_eq!(lines.next().await, None);
        assert_eq!(cluster.cluster().env().clock().elapsed().0, Duration::from_secs(90));
    });
}

#[test]
fn a_watch_ends_with_the_cluster() {
    with_cluster(|cluster: Embedded| async move {
        let mut lines = Lines::open(&cluster.api(), "").await;
        cluster.stop().await;
        assert_eq!(lines.next().await, None);
    });
}
