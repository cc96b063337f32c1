//! Analysis, pure. Before an AnalysisTemplate is accepted: does every `{{args.name}}` in it refer to an argument that it declares, and can its
//! [conditions](condition) be answered? For each measurement: what its [value](value) says by them, as a [verdict](verdict); and what counts say
//! of a canary [against stable](sequential). Nothing calls it yet: no Rollout is judged by metrics.

pub mod condition;
pub mod semantics;
pub mod sequential;
pub mod value;
pub mod verdict;

use std::collections::BTreeSet;

/// A reference in a template that cannot be filled in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadReference {
    /// No argument has that name.
    #[error("{{{{args.{name}}}}} refers to an argument that is not declared; add {name} to spec.args")]
    Undeclared {
        /// The name that is referred to.
        name: String,
    },
    /// Opening braces without closing ones.
    #[error("\"{start}\" opens a reference that is never closed; write {{{{args.name}}}}")]
    Unclosed {
        /// What follows the opening braces, up to twenty characters.
        start: String,
    },
}

/// Checks every reference in `text` (a query, a condition, a URL) against the declared names. Each mistake is reported once, in order.
pub fn check_references(text: &str, declared: &[&str]) -> Vec<BadReference> {
    let declared: BTreeSet<&str> = declared.iter().copied().collect();
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((_, opened)) = rest.split_once("{{") {
        let Some((inside, after)) = opened.split_once("}}") else {
            let start = opened.chars().take(20).collect();
            found.push(BadReference::Unclosed { start });
            return found;
        };
        let name = inside.trim().strip_prefix("args.");
        if let Some(name) = name.filter(|name| !declared.contains(name)) {
            let bad = BadReference::Undeclared { name: name.into() };
            if !found.contains(&bad) {
                found.push(bad);
            }
        }
        rest = after;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::check_references;

    #[rstest::rstest]
    #[case::none("up == 1", &[], "")]
    #[case::declared("rate({service=\"{{args.service-name}}\"}[5m])", &["service-name"], "")]
    #[case::spaces("{{ args.a }}", &["a"], "")]
    #[case::twice("{{args.a}} {{args.a}}", &[], "{{args.a}} refers to an argument that is not declared; add a to spec.args")]
    #[case::unclosed("x {{args.a", &["a"], "\"args.a\" opens a reference that is never closed; write {{args.name}}")]
    fn says_what_cannot_be_filled_in(#[case] text: &str, #[case] declared: &[&str], #[case] expected: &str) {
        let found: Vec<String> = check_references(text, declared)
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(found.join("\n"), expected);
    }
}
