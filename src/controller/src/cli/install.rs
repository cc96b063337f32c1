//! Installing: the namespace, custom resource definitions and webhook configurations (by server-side apply), or only the address and the
//! authority of the webhooks into what is there; and the certificate that replicas share.

use anyhow::Context;
use api::names::{FIELD_MANAGER, webhook};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use controller::explain;
use controller::install::{Endpoint, objects};
use controller::serve::Certificate;
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::{Namespace, Secret};
use kube::api::{Api, DynamicObject, ObjectMeta, Patch, PatchParams, PostParams};
use kube::core::{ApiResource, GroupVersionKind};
use serde_json::{Value, json};
use tracing::{info, warn};

/// The webhooks behind their Service in `namespace`.
pub(super) fn through_service(namespace: &str) -> Endpoint {
    Endpoint::Service {
        namespace: namespace.to_owned(),
        name: webhook::SERVICE.to_owned(),
        port: 443,
    }
}

/// The webhooks at `url`, whose port 0 stands for the one that was bound.
pub(super) fn at_url(url: &str, bound: u16) -> anyhow::Result<Endpoint> {
    let parsed: http::Uri = url
        .parse()
        .with_context(|| format!("--webhook-url {url}: not a URL; write https://host:port"))?;
    let (Some("https"), Some(host)) = (parsed.scheme_str(), parsed.host()) else {
        anyhow::bail!("--webhook-url {url}: API servers call webhooks over https only; write https://host:port");
    };
    let path = parsed.path().trim_end_matches('/');
    Ok(Endpoint::Url(match parsed.port_u16() {
        Some(0) => format!("https://{host}:{bound}{path}"),
        Some(port) => format!("https://{host}:{port}{path}"),
        None => format!("https://{host}{path}"),
    }))
}

/// The names that the webhooks' certificate must be for.
pub(super) fn names(endpoint: &Endpoint) -> anyhow::Result<Vec<String>> {
    match endpoint {
        Endpoint::Service { namespace, name, .. } => Ok(vec![
            format!("{name}.{namespace}.svc"),
            format!("{name}.{namespace}.svc.cluster.local"),
            format!("{name}.{namespace}"),
            name.clone(),
        ]),
        Endpoint::Url(url) => {
            let parsed: http::Uri = url.parse().with_context(|| format!("read the URL {url}"))?;
            let host = parsed.host().unwrap_or_default();
            Ok(vec![host.trim_matches(['[', ']']).to_owned()])
        }
    }
}

fn api(client: &kube::Client, object: &Value) -> anyhow::Result<(Api<DynamicObject>, String)> {
    let text = |field: &str| object[field].as_str().unwrap_or_default();
    let (group, version) = text("apiVersion").split_once('/').unwrap_or(("", text("apiVersion")));
    let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, text("kind")));
    let name = object
        .pointer("/metadata/name")
        .and_then(Value::as_str)
        .context("an object to install has no name")?;
    Ok((Api::all_with(client.clone(), &resource), name.to_owned()))
}

/// Makes the namespace that the controller lives in, unless it is there.
pub(super) async fn namespace(client: &kube::Client, name: &str) -> anyhow::Result<()> {
    let namespaces: Api<Namespace> = Api::all(client.clone());
    let wanted = Namespace {
        metadata: ObjectMeta {
            name: Some(name.to_owned()),
            ..ObjectMeta::default()
        },
        ..Namespace::default()
    };
    let made = match namespaces.get_opt(name).await {
        Ok(None) => namespaces.create(&PostParams::default(), &wanted).await.map(|_| ()),
        found => found.map(|_| ()),
    };
    match made {
        // Another replica was faster.
        Err(kube::Error::Api(status)) if status.code == 409 => Ok(()),
        made => made.map_err(|error| failed(&format!("install Namespace {name}"), &error)),
    }
}

/// What was being done, what came of it, and what to do about it.
fn failed(doing: &str, error: &kube::Error) -> anyhow::Error {
    let said = explain(error);
    match error {
        kube::Error::Api(status) if status.code == 403 => anyhow::anyhow!(
            "{doing}: {said}; give this user the rights that `tidegate manifests` lists, or install as somebody who may"
        ),
        kube::Error::Api(status) if status.code == 404 && status.message.contains("namespaces") => {
            anyhow::anyhow!("{doing}: {said}; create the namespace, or run once with --install")
        }
        _ => anyhow::anyhow!("{doing}: {said}"),
    }
}

/// Applies everything.
pub(super) async fn apply(client: &kube::Client, endpoint: &Endpoint, authority: &[u8]) -> anyhow::Result<()> {
    for object in objects(endpoint, authority) {
        let (api, name) = api(client, &object)?;
        let params = PatchParams::apply(FIELD_MANAGER).force();
        api.patch(&name, &params, &Patch::Apply(&object))
            .await
            .map_err(|error| {
                let kind = object["kind"].as_str().unwrap_or_default();
                failed(&format!("install {kind} {name}"), &error)
            })?;
        info!(kind = object["kind"].as_str(), name, "applied");
    }
    Ok(())
}

/// Writes where the webhooks are and whom to trust into the objects that are there; says so when they are not.
pub(super) async fn point(client: &kube::Client, endpoint: &Endpoint, authority: &[u8]) -> anyhow::Result<()> {
    for object in objects(endpoint, authority) {
        let (api, name) = api(client, &object)?;
        let kind = object["kind"].as_str().unwrap_or_default();
        let patch = if kind == "CustomResourceDefinition" {
            Patch::Merge(json!({ "spec": { "conversion": object["spec"]["conversion"] } }))
        } else {
            let webhooks: Vec<Value> = object["webhooks"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|webhook| json!({ "name": webhook["name"], "clientConfig": webhook["clientConfig"] }))
                .collect();
            Patch::Strategic(json!({ "webhooks": webhooks }))
        };
        match api.patch(&name, &PatchParams::default(), &patch).await {
            Ok(_) => {}
            Err(kube::Error::Api(status)) if status.code == 404 => {
                warn!(kind, name, "not installed; run once with --install");
            }
            Err(error) => return Err(failed(&format!("point {kind} {name} at the webhooks"), &error)),
        }
    }
    Ok(())
}

/// The certificate that all replicas behind one Service share: kept in a Secret, made by whoever comes first.
pub(super) async fn shared_certificate(
    client: &kube::Client,
    namespace: &str,
    names: &[String],
) -> anyhow::Result<Certificate> {
    let secrets: Api<Secret> = Api::namespaced(client.clone(), namespace);
    let name = webhook::CERTS_SECRET;
    let doing = || format!("share the webhooks' certificate through Secret {namespace}/{name}");
    for _ in 0..3 {
        if let Some(secret) = secrets.get_opt(name).await.map_err(|error| failed(&doing(), &error))? {
            let data = secret.data.unwrap_or_default();
            let part = |key: &str| {
                data.get(key)
                    .map(|bytes| bytes.0.clone())
                    .with_context(|| format!("Secret {namespace}/{name} has no {key}; delete it to have it made anew"))
            };
            return Ok(Certificate::from_pem(
                &part("tls.crt")?,
                &part("tls.key")?,
                &part("ca.crt")?,
            )?);
        }
        let made = Certificate::make(names)?;
        let (chain, key) = made.pem();
        let entry = |text: &[u8]| ByteString(text.to_vec());
        let secret = Secret {
            metadata: ObjectMeta {
                name: Some(name.to_owned()),
                namespace: Some(namespace.to_owned()),
                ..ObjectMeta::default()
            },
            type_: Some("kubernetes.io/tls".to_owned()),
            data: Some(
                [
                    ("tls.crt".to_owned(), entry(chain)),
                    ("tls.key".to_owned(), entry(key)),
                    ("ca.crt".to_owned(), entry(made.authority())),
                ]
                .into(),
            ),
            ..Secret::default()
        };
        match secrets.create(&PostParams::default(), &secret).await {
            Ok(_) => return Ok(made),
            // Another replica was faster: take its.
            Err(kube::Error::Api(status)) if status.code == 409 => {}
            Err(error) => return Err(failed(&doing(), &error)),
        }
    }
    anyhow::bail!("{}: it appears and disappears; is something deleting it?", doing())
}

/// The authority's text as it is stored, for logs.
pub(super) fn fingerprint(authority: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    STANDARD.encode(&Sha256::digest(authority)[..9])
}
