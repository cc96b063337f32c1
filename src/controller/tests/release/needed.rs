//! What a request must be allowed, read from its method and path as an authoriser reads it. Used by the tests of rights.

use controller::install::Scope;
use http::Method;

/// Scope, group, resource with its subresource, name where it matters, verb.
pub(crate) type Used = (Scope, String, String, String, &'static str);

/// What a request needs; nothing for discovery, which every account may read.
pub(crate) fn needed(method: &Method, path: &str, watch: bool) -> Option<Used> {
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    let (group, rest) = match parts.as_slice() {
        ["api", _, rest @ ..] => ("", rest),
        ["apis", group, _, rest @ ..] => (*group, rest),
        _ => return None,
    };
    if rest.is_empty() {
        return None;
    }
    let (namespace, rest) = match rest {
        ["namespaces", namespace, rest @ ..] if !rest.is_empty() => (*namespace, rest),
        rest => ("", rest),
    };
    let (resource, name, view) = match rest {
        [resource] => (*resource, "", ""),
        [resource, name] => (*resource, *name, ""),
        [resource, name, view] => (*resource, *name, *view),
        _ => panic!("{path}"),
    };
    let verb = match (method.as_str(), name, watch) {
        ("GET", "", true) => "watch",
        ("GET", "", false) => "list",
        ("GET", _, _) => "get",
        ("POST", _, _) => "create",
        ("PUT", _, _) => "update",
        ("PATCH", _, _) => "patch",
        ("DELETE", _, _) => "delete",
        _ => panic!("{method} {path}"),
    };
    let resource = if view.is_empty() {
        resource.to_owned()
    } else {
        format!("{resource}/{view}")
    };
    let scope = if namespace == "tidegate" {
        Scope::Own
    } else {
        Scope::Cluster
    };
    Some((scope, group.to_owned(), resource, name.to_owned(), verb))
}
