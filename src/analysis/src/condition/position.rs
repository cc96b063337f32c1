//! Where in a condition something is, for messages: line and column from one, in characters. Used by both kinds of errors.

use std::fmt;

/// A place in a condition's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// From one.
    pub line: usize,
    /// From one, in characters.
    pub column: usize,
}

impl Position {
    /// The place of a byte offset; one past the end, or inside a character, counts as the next place before it.
    pub(super) fn of(text: &str, offset: usize) -> Self {
        let mut place = Self { line: 1, column: 1 };
        for (at, character) in text.char_indices() {
            if at >= offset {
                break;
            }
            if character == '\n' {
                place = Self {
                    line: place.line + 1,
                    column: 1,
                };
            } else {
                place.column += 1;
            }
        }
        place
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}
