//! An authoriser before the embedded API server, which has none of its own: one right can be withheld and given back, and every request that is
//! refused for want of it is counted. Its words are those of the real one.

use std::sync::Arc;

use env::HttpService;
use http::{Response, StatusCode};
use parking_lot::Mutex;
use serde_json::json;

use crate::needed::needed;

/// A verb and a resource, as roles name them.
pub(crate) type Right = (&'static str, &'static str);

/// The right that is withheld, and how often it was asked for since.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gate(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    withheld: Option<Right>,
    refused: usize,
}

impl Gate {
    pub(crate) fn withhold(&self, right: Right) {
        *self.0.lock() = State {
            withheld: Some(right),
            refused: 0,
        };
    }

    pub(crate) fn give_back(&self) {
        self.0.lock().withheld = None;
    }

    /// How many requests were refused since the right was withheld.
    pub(crate) fn refused(&self) -> usize {
        self.0.lock().refused
    }

    /// The API behind `api`, as far as the gate lets through.
    pub(crate) fn before(&self, api: HttpService) -> HttpService {
        let gate = self.clone();
        HttpService::new(move |request| {
            let watch = request.uri().query().is_some_and(|query| query.contains("watch=true"));
            let needs = needed(request.method(), request.uri().path(), watch);
            let words = needs.and_then(|(_, group, resource, name, verb)| gate.judge(&group, &resource, &name, verb));
            let api = api.clone();
            async move {
                let Some(words) = words else {
                    return api.send(request).await;
                };
                let status = json!({
                    "kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 403, "reason": "Forbidden",
                    "message": words,
                });
                let mut response = Response::new(env::full(status.to_string()));
                *response.status_mut() = StatusCode::FORBIDDEN;
                Ok(response)
            }
        })
    }

    /// What is said to a request that is refused.
    fn judge(&self, group: &str, resource: &str, name: &str, verb: &str) -> Option<String> {
        let mut state = self.0.lock();
        if state.withheld.is_none_or(|right| right != (verb, resource)) {
            return None;
        }
        state.refused += 1;
        let object = if name.is_empty() {
            String::new()
        } else {
            format!(" {name:?}")
        };
        let plural = resource.split('/').next().unwrap_or(resource);
        let dotted = if group.is_empty() {
            plural.to_owned()
        } else {
            format!("{plural}.{group}")
        };
        Some(format!(
            "{dotted}{object} is forbidden: User \"system:serviceaccount:tidegate:tidegate\" {} in API group \"{group}\"",
            cannot(verb, resource),
        ))
    }
}

/// What an authoriser says that somebody cannot do.
pub(crate) fn cannot(verb: &str, resource: &str) -> String {
    format!("cannot {verb} resource \"{resource}\"")
}
