//! ConversionReview v1: any number of objects from one version of our kinds to another, by [`api::convert`] on raw JSON.
//!
//! What a version cannot hold and what must stay as it was is the business of `api`; here is the envelope, and that a failure fails the
//! whole review with a text that says which object and why.

use serde_json::{Value, json};

use super::failure;
use super::review::{Malformed, expect_version, part};

/// The review that answers `review`, and the word that it is counted under.
pub(super) fn answer(mut review: Value) -> Result<(Value, &'static str), Malformed> {
    expect_version(&review, "apiextensions.k8s.io/v1")?;
    let mut request = part(&mut review, "request")?;
    let Value::String(uid) = part(&mut request, "uid").unwrap_or_default() else {
        return Err(Malformed::Missing { field: "request.uid" });
    };
    let Value::String(to) = part(&mut request, "desiredAPIVersion").unwrap_or_default() else {
        return Err(Malformed::Missing {
            field: "request.desiredAPIVersion",
        });
    };
    let Value::Array(objects) = part(&mut request, "objects").unwrap_or_default() else {
        return Err(Malformed::Missing {
            field: "request.objects",
        });
    };
    let converted: Result<Vec<Value>, _> = objects
        .iter()
        .map(|object| api::convert::convert(object, &to))
        .collect();
    let (response, outcome) = match converted {
        Ok(objects) => (
            json!({ "uid": uid, "result": { "status": "Success" }, "convertedObjects": objects }),
            "converted",
        ),
        Err(error) => (
            json!({ "uid": uid, "result": failure(422, "Invalid", &error.to_string()), "convertedObjects": [] }),
            "failed",
        ),
    };
    let answer = json!({ "apiVersion": "apiextensions.k8s.io/v1", "kind": "ConversionReview", "response": response });
    Ok((answer, outcome))
}
