//! Whether a definition's additional columns can be shown.

use serde_json::{Value, json};

use crate::object;
use crate::server::refusal::Cause;
use crate::table::json_path::JsonPath;

const TYPES: [&str; 5] = ["boolean", "date", "integer", "number", "string"];

/// Adds what is wrong with the columns of the version at `path`.
pub(super) fn check(version: &Value, path: &str, causes: &mut Vec<Cause>) {
    for (index, column) in object::items(version, &["additionalPrinterColumns"]).iter().enumerate() {
        let path = format!("{path}.additionalPrinterColumns[{index}]");
        if object::text(column, &["name"]).is_empty() {
            causes.push(Cause::required(format!("{path}.name"), ""));
        }
        match object::text(column, &["type"]) {
            "" => causes.push(Cause::required(
                format!("{path}.type"),
                &format!("must be one of {}", TYPES.join(",")),
            )),
            kind if TYPES.contains(&kind) => {}
            kind => causes.push(Cause::invalid(
                format!("{path}.type"),
                &json!(kind),
                &format!("must be one of {}", TYPES.join(",")),
            )),
        }
        let text = object::text(column, &["jsonPath"]);
        let field = format!("{path}.jsonPath");
        if text.is_empty() {
            causes.push(Cause::required(field, "JSONPath is required"));
        } else if !text.starts_with('.') {
            causes.push(Cause::invalid(
                field,
                &json!(text),
                "must be a simple json path starting with .",
            ));
        } else if let Err(why) = JsonPath::parse(text) {
            causes.push(Cause::invalid(
                field,
                &json!(text),
                &format!("is an invalid path: {why}"),
            ));
        }
    }
}
