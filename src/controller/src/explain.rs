//! What a failed request comes down to, in one line for a person. Used in logs, in answers of the webhooks and in the binary's last line.

use std::error::Error;

/// The API server's own words when it answered, else the innermost cause, which is where connection errors say what happened.
pub fn explain(error: &kube::Error) -> String {
    match error {
        kube::Error::Api(status) => format!("{} {}: {}", status.code, status.reason, status.message),
        error => innermost(error),
    }
}

/// An error with its innermost cause.
pub fn innermost(error: &dyn Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    let (outer, inner) = (error.to_string(), innermost.to_string());
    if outer.contains(&inner) {
        outer
    } else {
        format!("{outer}: {inner}")
    }
}

/// The same for a watch.
pub(crate) fn explain_watch(error: &kube::runtime::watcher::Error) -> String {
    use kube::runtime::watcher::Error as Watch;
    match error {
        Watch::InitialListFailed(error) => format!("list: {}", explain(error)),
        Watch::WatchStartFailed(error) | Watch::WatchFailed(error) => format!("watch: {}", explain(error)),
        Watch::WatchError(status) => format!("watch: {} {}: {}", status.code, status.reason, status.message),
        Watch::NoResourceVersion => error.to_string(),
    }
}
