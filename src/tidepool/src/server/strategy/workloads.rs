//! Workloads: a selector that selects the pods of the template and stays as it is, and pods with containers.

use serde_json::{Value, json};

use super::{PLAIN, Preparing, Strategy};
use crate::object;
use crate::server::refusal::Cause;
use crate::server::select::{Labels, unreadable};

/// A kind with a selector and a template of pods.
pub(super) const STRATEGY: Strategy = Strategy {
    generation: true,
    check: &[check],
    ..PLAIN
};

fn check(preparing: &Preparing<'_>, workload: &Value) -> Vec<Cause> {
    if !preparing.subresource.is_empty() {
        return Vec::new();
    }
    let mut causes = Vec::new();
    let selector = &workload["spec"]["selector"];
    let template = &workload["spec"]["template"];
    if selector.is_null() {
        causes.push(Cause::required("spec.selector", ""));
    } else {
        match Labels::from_object(selector) {
            Err(why) => causes.push(unreadable(selector, "spec.selector", &why)),
            Ok(labels) if labels.is_empty() => {
                let why = "empty selector is invalid for deployment";
                causes.push(Cause::invalid("spec.selector", selector, why));
            }
            Ok(labels) if !labels.matches(template) => {
                let why = "`selector` does not match template `labels`";
                let given = &template["metadata"]["labels"];
                causes.push(Cause::invalid("spec.template.metadata.labels", given, why));
            }
            Ok(_) => {}
        }
    }
    causes.extend(containers(&template["spec"], "spec.template.spec"));
    if preparing.old.is_some_and(|old| old["spec"]["selector"] != *selector) {
        causes.push(Cause::invalid("spec.selector", selector, "field is immutable"));
    }
    causes
}

/// What is wrong with the containers of a pod's specification at `path`.
pub(super) fn containers(spec: &Value, path: &str) -> Vec<Cause> {
    let containers = object::items(spec, &["containers"]);
    if containers.is_empty() {
        return vec![Cause::required(format!("{path}.containers"), "")];
    }
    let mut causes = Vec::new();
    let mut names: Vec<&str> = Vec::new();
    for (index, container) in containers.iter().enumerate() {
        let path = format!("{path}.containers[{index}]");
        let name = object::name_of_part(container);
        if name.is_empty() {
            causes.push(Cause::required(format!("{path}.name"), ""));
        } else if names.contains(&name) {
            causes.push(Cause {
                reason: "FieldValueDuplicate",
                field: format!("{path}.name"),
                message: format!("Duplicate value: {}", json!(name)),
            });
        }
        names.push(name);
        if object::text(container, &["image"]).is_empty() {
            causes.push(Cause::required(format!("{path}.image"), ""));
        }
    }
    causes
}
