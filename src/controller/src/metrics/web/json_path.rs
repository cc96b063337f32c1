//! JSONPaths as Argo Rollouts takes them, in kubectl's spelling (`{$.data.ok}`, `{.items[0].my-name}`), as paths of RFC 9535. Pure.
//!
//! A path comes from a template and an answer from a server, so that what both together may cost is bounded here: one value is asked for, by a path
//! that cannot multiply its work.

use serde_json_path::JsonPath;

/// The longest path, in bytes.
const LONGEST: usize = 1024;

/// Reads a path.
///
/// # Errors
/// A sentence that says what is wrong with it.
pub(super) fn parse(text: &str) -> Result<JsonPath, String> {
    if text.len() > LONGEST {
        return Err(format!("it is longer than {LONGEST} bytes"));
    }
    let text = text.trim();
    if text.contains("}{") {
        return Err("it is more than one path; write one, as {$.data.value}".to_owned());
    }
    let bare = match text.strip_prefix('{') {
        Some(opened) => opened
            .strip_suffix('}')
            .ok_or("it opens a brace and does not close it")?
            .trim(),
        None => text,
    };
    let bare = bare.strip_prefix('$').unwrap_or(bare);
    let translated = translate(bare)?;
    JsonPath::parse(&translated).map_err(|error| error.to_string())
}

/// The path with its names in RFC 9535's spelling: one that is more than letters, digits and underscores stands in brackets there.
fn translate(bare: &str) -> Result<String, String> {
    let mut path = "$".to_owned();
    let mut rest = bare;
    let mut descents = 0_usize;
    while let Some(first) = rest.chars().next() {
        match first {
            '.' => {
                let below = rest.starts_with("..");
                let after = rest.trim_start_matches('.');
                descents += usize::from(below);
                path.push_str(if below { ".." } else { "" });
                let (name, after) = name(after);
                match name.as_str() {
                    "" if below || after.starts_with('[') => {}
                    "" if path == "$" && after.is_empty() => {}
                    "" => return Err("a name is missing after a point".to_owned()),
                    "*" => path.push_str(if below { "*" } else { ".*" }),
                    name => path.push_str(&format!("[{}]", serde_json::Value::from(name))),
                }
                rest = after;
            }
            '[' => {
                let (bracket, after) = bracket(rest)?;
                path.push_str(bracket);
                rest = after;
            }
            other => {
                return Err(format!(
                    "\"{other}\" is not expected; write one path, as {{$.data.value}}"
                ));
            }
        }
    }
    if descents > 1 {
        return Err("more than one .. in a path".to_owned());
    }
    Ok(path)
}

/// The name that a text begins with; a backslash takes the next character as it is.
fn name(text: &str) -> (String, &str) {
    let mut name = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '.' | '[' => return (name, text.get(at..).unwrap_or_default()),
            '\\' => name.extend(characters.next().map(|(_, escaped)| escaped)),
            _ => name.push(character),
        }
    }
    (name, "")
}

/// The brackets that a text begins with, as far as they are closed, with everything in them.
fn bracket(text: &str) -> Result<(&str, &str), String> {
    let mut quote = None;
    let mut open = 0_usize;
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match (quote, character) {
            (Some(_), '\\') => drop(characters.next()),
            (Some(opened), _) if character == opened => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(character),
            (None, '[') => open += 1,
            (None, ']') => {
                open = open.saturating_sub(1);
                if open == 0 {
                    return Ok(text.split_at(at + 1));
                }
            }
            (None, ',') => return Err("several names or indexes in one bracket; write one".to_owned()),
            (None, '$') => return Err("$ in a filter; compare with what is below @".to_owned()),
            (None, '.') if text.get(at..).is_some_and(|rest| rest.starts_with("..")) => {
                return Err(".. in a filter; name the field".to_owned());
            }
            (None, _) => {}
        }
    }
    Err("a bracket is not closed".to_owned())
}
