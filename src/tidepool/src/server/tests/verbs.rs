//! Every verb on one kind.

use futures::StreamExt as _;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams, PostParams, WatchEvent, WatchParams};
use serde_json::json;

use super::{client, with_cluster};

fn config(name: &str, value: &str) -> ConfigMap {
    serde_json::from_value(json!({ "metadata": { "name": name }, "data": { "key": value } })).expect("config map")
}

#[test]
fn a_client_makes_changes_and_removes_an_object() {
    with_cluster(|cluster| async move {
        let maps: Api<ConfigMap> = Api::default_namespaced(client(&cluster));
        let made = maps
            .create(&PostParams::default(), &config("a", "1"))
            .await
            .expect("create");
        assert!(made.metadata.uid.is_some() && made.metadata.creation_timestamp.is_some());
        let twice = maps
            .create(&PostParams::default(), &config("a", "1"))
            .await
            .expect_err("twice");
        assert!(
            twice
                .to_string()
                .contains("configmaps \"a\" already exists: AlreadyExists"),
            "{twice}"
        );
        let patch = json!({ "data": { "other": "2" } });
        let patched = maps
            .patch("a", &PatchParams::default(), &Patch::Merge(&patch))
            .await
            .expect("patch");
        assert_eq!(patched.data.map(|data| data.len()), Some(2));
        let stale = maps
            .replace("a", &PostParams::default(), &made)
            .await
            .expect_err("stale");
        assert!(stale.to_string().contains("the object has been modified"), "{stale}");
        assert_eq!(maps.list(&ListParams::default()).await.expect("list").items.len(), 1);
        maps.delete("a", &DeleteParams::default()).await.expect("delete");
        assert!(maps.get_opt("a").await.expect("get").is_none());
    });
}

#[test]
fn a_watch_begins_with_what_there_is_and_goes_on_with_what_happens() {
    with_cluster(|cluster| async move {
        let maps: Api<ConfigMap> = Api::default_namespaced(client(&cluster));
        maps.create(&PostParams::default(), &config("a", "1"))
            .await
            .expect("create");
        let mut events = Box::pin(maps.watch(&WatchParams::default(), "0").await.expect("watch"));
        let first = events.next().await.expect("event").expect("event");
        assert!(matches!(&first, WatchEvent::Added(map) if map.metadata.name.as_deref() == Some("a")));
        maps.delete("a", &DeleteParams::default()).await.expect("delete");
        let second = events.next().await.expect("event").expect("event");
        assert!(matches!(&second, WatchEvent::Deleted(map) if map.metadata.name.as_deref() == Some("a")));
    });
}
