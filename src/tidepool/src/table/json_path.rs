//! JSONPath as Kubernetes' definitions use it: fields, indexes, `*`, `..`, and filters such as `[?(@.type=="Ready")]`.
//!
//! Pure. Only the first value that a path finds is wanted; a path is at most as deep as [`DEEPEST`] and never loops.

use serde_json::Value;

/// The most steps in one path.
const DEEPEST: usize = 64;

/// A path that was read.
#[derive(Clone, Debug, PartialEq)]
pub struct JsonPath(Vec<Step>);

#[derive(Clone, Debug, PartialEq)]
enum Step {
    Field(String),
    /// Negative from the end.
    Index(i64),
    Every,
    /// The value and everything below it.
    Below,
    Filter(JsonPath, Option<(Compare, Value)>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Compare {
    Equal,
    Unequal,
    Less,
    AtMost,
    More,
    AtLeast,
}

impl JsonPath {
    /// Reads a path without braces, as `.status.conditions[?(@.type=="Ready")].status`.
    ///
    /// # Errors
    /// A sentence that says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut rest = text;
        let mut steps = Vec::new();
        while !rest.is_empty() {
            if steps.len() >= DEEPEST {
                return Err(format!("more than {DEEPEST} steps"));
            }
            rest = if let Some(after) = rest.strip_prefix("..") {
                // Each such step multiplies the work by the size of the object.
                if steps.contains(&Step::Below) {
                    return Err("more than one recursive descent".to_owned());
                }
                steps.push(Step::Below);
                if after.starts_with('[') {
                    after
                } else {
                    field(after, &mut steps)?
                }
            } else if let Some(after) = rest.strip_prefix('.') {
                if after.is_empty() || after.starts_with('[') {
                    after
                } else {
                    field(after, &mut steps)?
                }
            } else if let Some(after) = rest.strip_prefix('[') {
                let end = closing(after)?;
                steps.push(bracket(after[..end].trim())?);
                &after[end + 1..]
            } else {
                return Err(format!(
                    "unrecognized character in action: {:?}",
                    rest.chars().next().unwrap_or(' ')
                ));
            };
        }
        Ok(Self(steps))
    }

    /// The first value that it finds.
    pub fn first<'a>(&self, value: &'a Value) -> Option<&'a Value> {
        walk(&self.0, value)
    }
}

/// A field's name up to the next dot or bracket; a backslash takes the next character as it is.
fn field<'a>(text: &'a str, steps: &mut Vec<Step>) -> Result<&'a str, String> {
    let mut name = String::new();
    let mut letters = text.char_indices();
    let mut end = text.len();
    while let Some((place, letter)) = letters.next() {
        match letter {
            '\\' => name.extend(letters.next().map(|(_, letter)| letter)),
            '.' | '[' => {
                end = place;
                break;
            }
            letter if letter.is_whitespace() || "{}()|&".contains(letter) => {
                return Err(format!("unrecognized character in action: {letter:?}"));
            }
            letter => name.push(letter),
        }
    }
    steps.push(if name == "*" { Step::Every } else { Step::Field(name) });
    Ok(&text[end..])
}

/// Where the bracket that was opened before `text` is closed.
fn closing(text: &str) -> Result<usize, String> {
    let (mut depth, mut quote) = (0, None);
    for (place, letter) in text.char_indices() {
        match (quote, letter) {
            (Some(open), letter) if letter == open => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(letter),
            (None, '[') => depth += 1,
            (None, ']') if depth == 0 => return Ok(place),
            (None, ']') => depth -= 1,
            _ => {}
        }
    }
    Err("unterminated array".to_owned())
}

fn bracket(text: &str) -> Result<Step, String> {
    if text == "*" {
        return Ok(Step::Every);
    }
    if let Some(filter) = text.strip_prefix("?(").and_then(|rest| rest.strip_suffix(')')) {
        return read_filter(filter.trim());
    }
    if let Some(name) = quoted(text) {
        return Ok(Step::Field(name.to_owned()));
    }
    match text.parse() {
        Ok(index) => Ok(Step::Index(index)),
        Err(_) => Err(format!("invalid array index {text}")),
    }
}

fn quoted(text: &str) -> Option<&str> {
    ['\'', '"']
        .into_iter()
        .find_map(|quote| text.strip_prefix(quote)?.strip_suffix(quote))
}

fn read_filter(text: &str) -> Result<Step, String> {
    let operators = [
        ("==", Compare::Equal),
        ("!=", Compare::Unequal),
        ("<=", Compare::AtMost),
        (">=", Compare::AtLeast),
        ("<", Compare::Less),
        (">", Compare::More),
    ];
    let found = operators
        .iter()
        .filter_map(|(sign, compare)| Some((text.find(sign)?, *sign, *compare)))
        .min_by_key(|(place, sign, _)| (*place, std::cmp::Reverse(sign.len())));
    let (left, against) = match found {
        None => (text, None),
        Some((place, sign, compare)) => {
            let right = text[place + sign.len()..].trim();
            let value = match quoted(right) {
                Some(word) => Value::String(word.to_owned()),
                None => serde_json::from_str(right).map_err(|_| format!("cannot compare with {right}"))?,
            };
            (text[..place].trim(), Some((compare, value)))
        }
    };
    let path = left
        .strip_prefix('@')
        .ok_or_else(|| format!("a filter begins with @, not with {left:?}"))?;
    // A filter within a filter would let a short text nest without end.
    if path.contains("?(") {
        return Err("a filter within a filter".to_owned());
    }
    Ok(Step::Filter(JsonPath::parse(path)?, against))
}

fn walk<'a>(steps: &[Step], value: &'a Value) -> Option<&'a Value> {
    let Some((step, rest)) = steps.split_first() else {
        return Some(value);
    };
    match step {
        Step::Field(name) => walk(rest, value.get(name)?),
        Step::Index(index) => {
            let items = value.as_array()?;
            let from_end = usize::try_from(index.unsigned_abs()).ok()?;
            let place = if *index < 0 {
                items.len().checked_sub(from_end)?
            } else {
                from_end
            };
            walk(rest, items.get(place)?)
        }
        Step::Every => children(value).into_iter().find_map(|child| walk(rest, child)),
        Step::Below => {
            let here = walk(rest, value);
            here.or_else(|| children(value).into_iter().find_map(|child| walk(steps, child)))
        }
        Step::Filter(path, against) => children(value)
            .into_iter()
            .filter(|item| holds(path, against.as_ref(), item))
            .find_map(|item| walk(rest, item)),
    }
}

fn children(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(items) => items.iter().collect(),
        Value::Object(fields) => fields.values().collect(),
        _ => Vec::new(),
    }
}

fn holds(path: &JsonPath, against: Option<&(Compare, Value)>, item: &Value) -> bool {
    let found = path.first(item);
    let Some((compare, wanted)) = against else {
        return found.is_some();
    };
    let Some(found) = found else { return false };
    let order = match (found, wanted) {
        (Value::Number(found), Value::Number(wanted)) => found.as_f64().partial_cmp(&wanted.as_f64()),
        (Value::String(found), Value::String(wanted)) => Some(found.cmp(wanted)),
        (found, wanted) => (found == wanted).then_some(std::cmp::Ordering::Equal),
    };
    match compare {
        Compare::Equal => order.is_some_and(std::cmp::Ordering::is_eq),
        Compare::Unequal => !order.is_some_and(std::cmp::Ordering::is_eq),
        Compare::Less => order.is_some_and(std::cmp::Ordering::is_lt),
        Compare::AtMost => order.is_some_and(std::cmp::Ordering::is_le),
        Compare::More => order.is_some_and(std::cmp::Ordering::is_gt),
        Compare::AtLeast => order.is_some_and(std::cmp::Ordering::is_ge),
    }
}
