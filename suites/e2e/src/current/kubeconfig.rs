//! The cluster that the kubeconfig's current context names: refused when it looks like production, else a way to its API. Used by [`super`].

use anyhow::{Context, Result, bail};
use kube::config::{KubeConfigOptions, Kubeconfig};

use super::name::production_word;

/// What may be done to a cluster whose name says that it is production's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Caution {
    /// Nothing.
    Refuse,
    /// What is done to others: a person said that it is safe.
    Trust,
}

/// The way to the cluster of the current context.
///
/// # Errors
/// When there is no such context, or it looks like production.
pub(super) async fn client(caution: Caution) -> Result<(String, kube::Client)> {
    let kubeconfig = Kubeconfig::read().context(
        "--cluster current plays on the cluster of the kubeconfig's current context: set KUBECONFIG to a file that can be read",
    )?;
    let context = current(&kubeconfig)?;
    if caution == Caution::Refuse {
        refuse_production(&kubeconfig, &context)?;
    }
    let config = kube::Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default())
        .await
        .with_context(|| format!("read the context {context:?} of the kubeconfig"))?;
    let client =
        kube::Client::try_from(config).with_context(|| format!("make a client for the context {context:?}"))?;
    Ok((context, client))
}

/// The current context's name.
pub(super) fn current(kubeconfig: &Kubeconfig) -> Result<String> {
    let named = kubeconfig.current_context.clone().filter(|name| !name.is_empty());
    named.context("the kubeconfig has no current context: choose one with kubectl config use-context")
}

/// Looks at the names of the context and of the cluster behind it.
///
/// # Errors
/// When one looks like production.
pub(super) fn refuse_production(kubeconfig: &Kubeconfig, context: &str) -> Result<()> {
    let of_this_name = kubeconfig.contexts.iter().find(|named| named.name == context);
    let cluster = of_this_name
        .and_then(|named| named.context.as_ref())
        .map_or("", |context| context.cluster.as_str());
    for (what, name) in [("context", context), ("cluster of the context", cluster)] {
        if let Some(word) = production_word(name) {
            bail!(
                "the {what} {name:?} looks like production (the word {word:?}), and scenarios make namespaces, pods and routes there: choose another \
                 with kubectl config use-context, or add --context-is-safe"
            );
        }
    }
    Ok(())
}
