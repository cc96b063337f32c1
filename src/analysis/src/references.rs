//! The references to arguments in a text: `{{args.name}}`, also with spaces inside. Found here by whoever checks a template before it is accepted and
//! by whoever fills a run's metrics in. Other words in double braces are left as they are, as Argo Rollouts leaves them.

use std::collections::BTreeSet;

/// A reference that cannot be filled in.
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
    let mut note = |bad: BadReference| {
        if !found.contains(&bad) {
            found.push(bad);
        }
    };
    for part in parts(text) {
        match part {
            Part::Reference { name, .. } if !declared.contains(name) => {
                note(BadReference::Undeclared { name: name.into() });
            }
            Part::Unclosed(rest) => note(BadReference::Unclosed {
                start: rest.chars().skip(2).take(20).collect(),
            }),
            Part::Text(_) | Part::Reference { .. } => {}
        }
    }
    found
}

/// A piece of a text with references.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part<'a> {
    /// As it is, braces with other words in them included.
    Text(&'a str),
    /// A reference.
    Reference {
        /// The argument's name.
        name: &'a str,
        /// As it is written.
        written: &'a str,
    },
    /// Opening braces without closing ones, and all that follows.
    Unclosed(&'a str),
}

/// A text, cut where its references begin and end.
pub(crate) fn parts(text: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find("{{") {
        let (before, opened) = rest.split_at(at);
        if !before.is_empty() {
            parts.push(Part::Text(before));
        }
        let Some(end) = opened.find("}}").map(|end| end + 2) else {
            parts.push(Part::Unclosed(opened));
            return parts;
        };
        let (written, after) = opened.split_at(end);
        let inside = written.trim_start_matches('{').trim_end_matches('}').trim();
        parts.push(
            inside
                .strip_prefix("args.")
                .map_or(Part::Text(written), |name| Part::Reference { name, written }),
        );
        rest = after;
    }
    if !rest.is_empty() {
        parts.push(Part::Text(rest));
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::check_references;

    #[rstest::rstest]
    #[case::none("up == 1", &[], "")]
    #[case::declared("rate({service=\"{{args.service-name}}\"}[5m])", &["service-name"], "")]
    #[case::spaces("{{ args.a }}", &["a"], "")]
    #[case::others("{{inputs.a}} {{ .Value }}", &[], "")]
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
