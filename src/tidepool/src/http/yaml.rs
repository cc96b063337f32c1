//! YAML bodies: one document, into a JSON tree, with aliases refused before they are expanded.
//!
//! The only module of this crate that reads YAML text. serde_yaml bounds the depth of nesting, but aliases multiply what they name; nothing
//! that a Kubernetes client sends needs one in a request body, so a body with more than a few is refused by its text.

use serde_json::Value;

/// How many aliases one body may hold.
const MOST_ALIASES: usize = 64;
/// The longest body that may hold any, in bytes: what aliases make of it is at most a hundred times as much.
const LONGEST_WITH_ALIASES: usize = 16 << 10;

/// Reads one YAML document.
///
/// # Errors
/// A sentence that says what cannot be read.
pub fn read(text: &str) -> Result<Value, String> {
    // JSON is YAML without aliases, whatever stars its texts hold; kubectl applies in it.
    if let Ok(value) = serde_json::from_str(text) {
        return Ok(value);
    }
    let aliases = text
        .split(|letter: char| letter.is_whitespace() || "[]{},".contains(letter))
        .filter(|word| word.len() > 1 && word.starts_with('*'))
        .count();
    if aliases > MOST_ALIASES || (aliases > 0 && text.len() > LONGEST_WITH_ALIASES) {
        return Err("yaml: document contains excessive aliasing".to_owned());
    }
    serde_yaml::from_str(text).map_err(|error| format!("yaml: {error}"))
}
