//! JSON bodies that cannot be read, told in the words of Go's parser, which people and programs know.
//!
//! Pure. Where serde_json and Go see a mistake at different places, serde_json's place is told.

use serde_json::error::Category;

/// How much of a body a refusal quotes, in bytes.
const QUOTED: usize = 30;

/// Why a body is no JSON.
pub(super) fn words(bytes: &[u8], error: &serde_json::Error) -> String {
    if error.classify() == Category::Eof {
        return "unexpected end of JSON input".to_owned();
    }
    let said = error.to_string();
    let place = match said.as_str() {
        said if said.starts_with("recursion limit") => return "exceeded max depth".to_owned(),
        said if said.starts_with("expected `:`") => "after object key",
        said if said.starts_with("expected `,` or `}`") => "after object key:value pair",
        said if said.starts_with("expected `,` or `]`") => "after array element",
        said if said.starts_with("key must be a string") => "looking for beginning of object key string",
        said if said.starts_with("trailing characters") => "after top-level value",
        said if said.starts_with("control character") => "in string literal",
        said if said.starts_with("invalid escape") => "in string escape code",
        said if said.starts_with("invalid number") => "in numeric literal",
        _ => "looking for beginning of value",
    };
    match character(bytes, error) {
        Some(letter) => format!("invalid character {letter:?} {place}"),
        None => "unexpected end of JSON input".to_owned(),
    }
}

/// The character at which the parser stopped.
fn character(bytes: &[u8], error: &serde_json::Error) -> Option<char> {
    let line = bytes.split(|byte| *byte == b'\n').nth(error.line().checked_sub(1)?)?;
    let byte = line.get(error.column().checked_sub(1)?)?;
    Some(char::from(*byte))
}

/// The beginning of a body, as a refusal quotes it.
pub(super) fn summary(bytes: &[u8]) -> String {
    let more = if bytes.len() > QUOTED { " ..." } else { "" };
    let first = &bytes[..bytes.len().min(QUOTED)];
    match first {
        [] => "<empty>".to_owned(),
        [b'{', ..] => format!("{}{more}", String::from_utf8_lossy(first)),
        other => {
            let hex: String = other.iter().map(|byte| format!("{byte:02x}")).collect();
            format!("{hex}{more}")
        }
    }
}
