//! The templates that a Rollout names, read live for its validation: those of its namespace and of the cluster, and those that they take in. One that is
//! not there is left out.

use std::collections::VecDeque;

use analysis::admission::blocks::{Templates, scoped};
use api::v1alpha1::{AnalysisTemplate, AnalysisTemplateSpec, ClusterAnalysisTemplate, TemplateRef};
use env::Env;
use kube::api::{Api, DynamicObject};
use kube::core::{ApiResource, GroupVersionKind};

use super::READ_LIMIT;
use crate::explain::explain;

/// The most templates that are read for one Rollout; more than that are refused when a run is made of them.
const MOST: usize = 100;

/// Reads what `refs` name and what those take in.
///
/// # Errors
/// Which template could not be read, and why.
pub(super) async fn read(
    env: &Env,
    client: &kube::Client,
    namespace: &str,
    refs: Vec<TemplateRef>,
) -> Result<Templates, String> {
    let reading = walk(client, namespace, refs);
    match env.clock().timeout(READ_LIMIT, reading).await {
        Ok(read) => read,
        Err(elapsed) => Err(format!(
            "read the analysis templates of namespace {namespace}: {elapsed}; try again"
        )),
    }
}

async fn walk(client: &kube::Client, namespace: &str, refs: Vec<TemplateRef>) -> Result<Templates, String> {
    let mut found = Templates::new();
    let mut wanted: VecDeque<TemplateRef> = refs.into();
    while let Some(reference) = wanted.pop_front() {
        if found.contains_key(&reference) || found.len() == MOST {
            continue;
        }
        if let Some(spec) = one(client, namespace, &reference).await? {
            wanted.extend(spec.templates.iter().flatten().map(scoped));
            found.insert(reference, spec);
        }
    }
    Ok(found)
}

async fn one(
    client: &kube::Client,
    namespace: &str,
    reference: &TemplateRef,
) -> Result<Option<AnalysisTemplateSpec>, String> {
    let name = &reference.template_name;
    let wide = reference.cluster_scope == Some(true);
    let kind = if wide {
        ClusterAnalysisTemplate::KIND
    } else {
        AnalysisTemplate::KIND
    };
    let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(api::names::GROUP, api::names::V1ALPHA1, kind));
    let objects: Api<DynamicObject> = if wide {
        Api::all_with(client.clone(), &resource)
    } else {
        Api::namespaced_with(client.clone(), namespace, &resource)
    };
    let read = objects.get_opt(name).await;
    let read = read.map_err(|error| format!("read {kind} {name}: {}; try again", explain(&error)))?;
    // One that cannot be read as a template was stored past the schema; the run that needs it says so.
    Ok(read
        .and_then(|object| object.try_parse::<AnalysisTemplate>().ok())
        .map(|template| template.spec))
}
