//! Secret values, and text in which none of them is left. A server may echo in an error what it was sent; nothing that it says may reach status,
//! events or logs but as [`Masked`]. Pure. Used by every provider, and by whoever shows what they say.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use analysis::value::Value;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// What stands in the place of a secret, as in Argo Rollouts.
const MASK: &str = "*****";

/// Of a text that was cut, an end that is at least so long a beginning of a secret is taken for one.
const LEAST_BEGINNING: usize = 4;

/// Values that nobody may see, in all the forms in which they travel. Cheap to clone.
#[derive(Clone, Default)]
pub struct Secrets(Arc<BTreeSet<String>>);

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secrets({})", self.0.len())
    }
}

impl Secrets {
    /// The given values, also as they look in JSON, in a URL, in base64, and without white space around them. Empty ones count for nothing.
    pub fn new<T: AsRef<str>>(values: impl IntoIterator<Item = T>) -> Self {
        Self(Arc::new(
            values.into_iter().flat_map(|value| forms(value.as_ref())).collect(),
        ))
    }

    /// These and the given ones.
    #[must_use]
    pub fn and<T: AsRef<str>>(&self, values: impl IntoIterator<Item = T>) -> Self {
        let more = Self::new(values);
        Self(Arc::new(self.0.union(&more.0).cloned().collect()))
    }

    /// The text without them.
    pub fn mask(&self, text: &str) -> Masked {
        Masked(self.replace(text, self.covered(text)))
    }

    /// The text without them, when it was cut from a longer one: its end may be the beginning of a secret.
    pub fn mask_cut(&self, text: &str) -> Masked {
        let mut covered = self.covered(text);
        for form in &*self.0 {
            let beginnings = form.char_indices().map(|(end, _)| end).rev();
            let cut = beginnings.take_while(|end| *end >= LEAST_BEGINNING);
            covered.extend(
                cut.filter_map(|end| form.get(..end))
                    .find(|beginning| text.ends_with(beginning))
                    .map(|beginning| (text.len() - beginning.len(), text.len())),
            );
        }
        Masked(self.replace(text, covered))
    }

    /// A measured value without them, so that conditions, their messages and status can use it freely. A number that is a secret to the digit becomes text.
    #[must_use]
    pub fn mask_value(&self, value: Value) -> Value {
        let text = |text: &str| self.mask(text).0;
        match value {
            Value::String(said) => Value::String(text(&said)),
            Value::List(items) => Value::List(items.into_iter().map(|item| self.mask_value(item)).collect()),
            Value::Map(fields) => Value::Map(
                fields
                    .into_iter()
                    .map(|(name, value)| (text(&name), self.mask_value(value)))
                    .collect(),
            ),
            Value::Int(_) | Value::Float(_) if self.0.contains(&value.to_string()) => Value::String(MASK.to_owned()),
            other => other,
        }
    }

    /// Where secrets stand in a text, as byte ranges; they may overlap.
    fn covered(&self, text: &str) -> Vec<(usize, usize)> {
        let found = |form: &'_ String| -> Vec<(usize, usize)> {
            text.match_indices(form.as_str())
                .map(|(start, found)| (start, start + found.len()))
                .collect()
        };
        self.0.iter().flat_map(found).collect()
    }

    fn replace(&self, text: &str, mut covered: Vec<(usize, usize)>) -> String {
        covered.sort_unstable();
        let mut masked = String::with_capacity(text.len());
        let mut written = 0;
        let mut covered = covered.into_iter().peekable();
        while let Some((start, mut end)) = covered.next() {
            // Secrets that overlap or touch are one, or their lengths could be read from the masks.
            while let Some((_, further)) = covered.next_if(|(next, _)| *next <= end) {
                end = end.max(further);
            }
            masked.push_str(text.get(written..start).unwrap_or_default());
            masked.push_str(MASK);
            written = end;
        }
        masked.push_str(text.get(written..).unwrap_or_default());
        masked
    }
}

/// The forms in which a value may come back.
fn forms(value: &str) -> Vec<String> {
    let mut forms = Vec::new();
    for value in [value, value.trim()] {
        if value.is_empty() {
            continue;
        }
        let quoted = serde_json::Value::from(value).to_string();
        forms.extend([
            quoted.get(1..quoted.len() - 1).unwrap_or_default().to_owned(),
            percent_encoded(value),
            percent_encoded(value).replace("%20", "+"),
            STANDARD.encode(value),
            value.to_owned(),
        ]);
    }
    forms
}

/// A value as it stands in the query of a URL: everything but letters, digits and `-._~` by its bytes.
pub(super) fn percent_encoded(value: &str) -> String {
    let mut encoded = String::with_capacity(value.len());
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

/// Text that was masked: safe to show. Made by [`Secrets`] alone.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Masked(String);

impl Masked {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text, but no more than `most` characters of it, with a sign where it was cut.
    #[must_use]
    pub fn shortened(mut self, most: usize) -> Self {
        if let Some((cut, _)) = self.0.char_indices().nth(most) {
            self.0.truncate(cut);
            self.0.push('…');
        }
        self
    }
}

impl fmt::Display for Masked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
