//! Kinds that are questions: their create is answered and nothing is stored.
//!
//! Everybody who gets in may do everything, so the answer to every question about permissions is yes.

use serde_json::{Value, json};

use super::{PLAIN, Strategy};
use crate::server::User;

/// Fills the answer into the status of a question.
pub type Answering = fn(&User, &mut Value);

/// Group, plural, answer.
pub(super) const QUESTIONS: &[(&str, &str, Answering)] = &[
    ("authorization.k8s.io", "selfsubjectaccessreviews", allowed),
    ("authorization.k8s.io", "subjectaccessreviews", allowed),
    ("authorization.k8s.io", "localsubjectaccessreviews", allowed),
    ("authorization.k8s.io", "selfsubjectrulesreviews", rules),
    ("authentication.k8s.io", "selfsubjectreviews", oneself),
    ("authentication.k8s.io", "tokenreviews", token),
];

pub(super) const fn strategy(answering: Answering) -> Strategy {
    Strategy {
        answering: Some(answering),
        ..PLAIN
    }
}

fn allowed(_: &User, review: &mut Value) {
    review["status"] = json!({ "allowed": true });
}

fn rules(_: &User, review: &mut Value) {
    review["status"] = json!({
        "incomplete": false,
        "resourceRules": [{ "verbs": ["*"], "apiGroups": ["*"], "resources": ["*"] }],
        "nonResourceRules": [{ "verbs": ["*"], "nonResourceURLs": ["*"] }],
    });
}

fn oneself(user: &User, review: &mut Value) {
    review["status"] = json!({ "userInfo": { "username": user.name, "groups": user.groups } });
}

fn token(_: &User, review: &mut Value) {
    review["status"] = json!({ "authenticated": false, "error": "tokens are not told apart here" });
}
