//! In which version the API server serves a kind that a cluster may do without.
//!
//! Asked of discovery, which every account may read, and not found out by trying: a refusal and an absence stay apart, and an answer of 404 to
//! a request says neither whether the version or the object is missing. Used by the feeds, and by evidence that was not found.

use kube::Client;
use rollout::Kind;

/// The first of [`Kind::versions`] in which the API server serves `kind`; `None` when it serves none of them.
pub(crate) async fn served(client: &Client, kind: Kind) -> Result<Option<&'static str>, kube::Error> {
    let groups = client.list_api_groups().await?;
    let Some(group) = groups.groups.iter().find(|group| group.name == kind.group()) else {
        return Ok(None);
    };
    for version in kind.versions() {
        if !group.versions.iter().any(|served| served.version == *version) {
            continue;
        }
        let resources = match client
            .list_api_group_resources(&format!("{}/{version}", kind.group()))
            .await
        {
            // It has gone since the groups were listed.
            Err(kube::Error::Api(status)) if status.is_not_found() => continue,
            answered => answered?.resources,
        };
        if resources.iter().any(|resource| resource.name == kind.plural()) {
            return Ok(Some(version));
        }
    }
    Ok(None)
}
