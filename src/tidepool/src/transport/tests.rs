//! What a process sees when its way is cut, and what the cluster has afterwards.

use std::time::Duration;

use env::sim::{self, SimEnv};
use env::{Env, Trace};
use futures::StreamExt as _;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{Api, PostParams, WatchParams};
use rstest::rstest;
use serde_json::json;

use super::{Cut, Write};
use crate::{Embedded, Options};

fn config(name: &str) -> ConfigMap {
    serde_json::from_value(json!({ "metadata": { "name": name } })).expect("config map")
}

/// Waits for `work`, but not for ever.
async fn patiently<T>(env: &Env, work: impl Future<Output = T>) -> Option<T> {
    env.clock().timeout(Duration::from_secs(60), work).await.ok()
}

#[rstest]
#[case::before(Cut::BeforeCommit, false, false)]
#[case::after(Cut::AfterCommit, true, false)]
#[case::answer(Cut::LoseAnswer, true, true)]
fn a_cut_comes_at_the_chosen_write(#[case] cut: Cut, #[case] committed: bool, #[case] lives: bool) {
    sim::run(1, Trace::off(), |SimEnv { env, network }| async move {
        let cluster = Embedded::start(&env, &network, Options::default()).await;
        let transport = cluster.transport("controller");
        transport.cut_at(2, cut);
        let near: Api<ConfigMap> = Api::default_namespaced(kube::Client::new(transport.service(), "default"));
        let far: Api<ConfigMap> = Api::default_namespaced(kube::Client::new(cluster.api(), "default"));
        let mut events = Box::pin(near.watch(&WatchParams::default(), "0").await.expect("watch"));
        near.create(&PostParams::default(), &config("a")).await.expect("first");
        events.next().await.expect("event").expect("event");
        let second = patiently(&env, near.create(&PostParams::default(), &config("b"))).await;
        assert_eq!(second.map(|answer| answer.is_err()), lives.then_some(true));
        assert_eq!(far.get_opt("b").await.expect("get").is_some(), committed);
        assert_eq!(transport.is_dead(), !lives);
        far.create(&PostParams::default(), &config("c"))
            .await
            .expect("from elsewhere");
        assert_eq!(patiently(&env, events.next()).await.is_some(), lives);
        assert_eq!(patiently(&env, near.get_opt("a")).await.is_some(), lives);
        let names: Vec<(usize, &str, String)> = transport
            .writes()
            .into_iter()
            .map(|Write { n, verb, name, .. }| (n, verb, name))
            .collect();
        assert_eq!(names, [(1, "create", "a".to_owned()), (2, "create", "b".to_owned())]);
    });
}
