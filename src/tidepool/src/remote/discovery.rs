//! What a remote API server serves, as collections.

use std::borrow::Cow;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::APIResource;

use super::refusal;
use crate::resource::Resource;
use crate::status::Status;

/// Every collection that can be listed, watched and deleted from: the preferred versions of all groups first, then the others.
pub(super) async fn read(client: &kube::Client) -> Result<Vec<Resource>, Status> {
    let core = client.list_core_api_resources("v1").await.map_err(refusal::status)?;
    let mut preferred = collections("", "v1", &core.resources);
    let mut others = Vec::new();
    let groups = client.list_api_groups().await.map_err(refusal::status)?;
    for group in groups.groups {
        let first = group.preferred_version.as_ref().or(group.versions.first());
        let first = first.map(|version| version.version.clone()).unwrap_or_default();
        for version in &group.versions {
            // An aggregated API whose server is away must not hide the others.
            let Ok(list) = client.list_api_group_resources(&version.group_version).await else {
                tracing::warn!(
                    group = version.group_version,
                    "an API group does not say what it serves"
                );
                continue;
            };
            let found = collections(&group.name, &version.version, &list.resources);
            if version.version == first {
                preferred.extend(found);
            } else {
                others.extend(found);
            }
        }
    }
    preferred.extend(others);
    Ok(preferred)
}

fn collections(group: &str, version: &str, resources: &[APIResource]) -> Vec<Resource> {
    let usable = |resource: &&APIResource| {
        let may = |verb: &str| resource.verbs.iter().any(|known| known == verb);
        !resource.name.contains('/') && may("list") && may("watch") && may("delete")
    };
    let owned = |text: &str| Cow::Owned(text.to_owned());
    resources
        .iter()
        .filter(usable)
        .map(|resource| Resource {
            group: owned(group),
            version: owned(version),
            plural: owned(&resource.name),
            kind: owned(&resource.kind),
            namespaced: resource.namespaced,
        })
        .collect()
}
