//! The way in: a kubeconfig for one API server, one user and a token. JSON, which every reader of kubeconfigs takes. Used by
//! [`super::control_plane`].

use serde_json::{Value, json};

/// The document.
pub(super) fn document(server: &str, authority: &str, token: &str) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "local", "cluster": {"server": server, "certificate-authority": authority}}],
        "users": [{"name": "admin", "user": {"token": token}}],
        "contexts": [{"name": "local", "context": {"cluster": "local", "user": "admin"}}],
        "current-context": "local",
    })
}
