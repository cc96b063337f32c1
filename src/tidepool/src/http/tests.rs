//! The API behind a real socket.

use std::sync::Arc;

use env::sim::SimNetwork;
use env::{Chance, Clock, Env, Trace};
use k8s_openapi::api::core::v1::Namespace;
use kube::api::{Api, ListParams};
use rstest::rstest;
use serde_json::json;

use super::yaml;
use crate::{Embedded, Options, Ports};

#[test]
fn a_client_with_the_kubeconfig_gets_in_and_another_one_does_not() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("runtime");
    runtime.block_on(async {
        let network = SimNetwork::default();
        let env = Env::new(
            Clock::real(),
            Chance::from_seed(1),
            Arc::new(network.clone()),
            Trace::off(),
        );
        let cluster = Embedded::start(&env, &network, Options::default()).await;
        let served = cluster.serve(Ports::default()).await.expect("serve");
        for (token, allowed) in [(None, true), (Some("token: wrong"), false)] {
            let mut text = served.kubeconfig.clone();
            if let Some(token) = token {
                text = text
                    .lines()
                    .map(|line| {
                        if line.contains("token:") {
                            format!("    {token}\n")
                        } else {
                            format!("{line}\n")
                        }
                    })
                    .collect();
            }
            let file = kube::config::Kubeconfig::from_yaml(&text).expect("kubeconfig");
            let config = kube::Config::from_custom_kubeconfig(file, &kube::config::KubeConfigOptions::default())
                .await
                .expect("config");
            let client = kube::Client::try_from(config).expect("client");
            let listed = Api::<Namespace>::all(client).list(&ListParams::default()).await;
            assert_eq!(listed.is_ok(), allowed, "{listed:?}");
        }
        served.stop().await;
        cluster.stop().await;
    });
}

/// A schema's pattern that reads like an alias when it is taken apart at commas and brackets, in a body of 20 KiB.
fn pattern() -> serde_json::Value {
    json!({ "pattern": "^(\\+|-)?(([0-9]+(\\.[0-9]*)?)|, *)$", "description": "a".repeat(20 << 10) })
}

#[rstest]
#[case::apply_in_json(pattern().to_string(), Ok(pattern()))]
#[case::a_few_aliases("a: &a 1\nb: *a\n".to_owned(), Ok(json!({ "a": 1, "b": 1 })))]
#[case::many_aliases(format!("a: &a 1\nb: [{}]\n", "*a, ".repeat(65)), Err("yaml: document contains excessive aliasing"))]
#[case::long_with_aliases(format!("a: &a {}\nb: *a\n", "x".repeat(20 << 10)), Err("yaml: document contains excessive aliasing"))]
fn a_body_in_yaml(#[case] text: String, #[case] read: Result<serde_json::Value, &str>) {
    assert_eq!(yaml::read(&text), read.map_err(str::to_owned));
}
