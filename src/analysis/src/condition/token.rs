//! Cuts a condition's text into numbers, strings, names and signs, each with its byte offset. Only the parser uses it.

use super::error::Problem;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    Int(i64),
    Float(f64),
    Text(String),
    Name(String),
    /// `#`, `#acc`, `#index`: what follows the sign.
    Pointer(String),
    Sign(&'static str),
    End,
}

impl Token {
    /// The token in a message.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Int(number) => number.to_string(),
            Self::Float(number) => number.to_string(),
            Self::Text(text) => format!("{text:?}"),
            Self::Name(name) => name.clone(),
            Self::Pointer(name) => format!("#{name}"),
            Self::Sign(sign) => (*sign).to_owned(),
            Self::End => "the end".to_owned(),
        }
    }
}

/// Signs that begin like others stand before them.
const SIGNS: &[&str] = &[
    "**", "??", "?.", "..", "&&", "||", "==", "!=", "<=", ">=", "+", "-", "*", "/", "%", "^", "<", ">", "!", "?", ":",
    ".", ",", "(", ")", "[", "]", "{", "}", "|", ";", "=",
];

/// All tokens with their offsets, the last one [`Token::End`]; or the first thing that is none, with its offset.
pub(super) fn tokens(text: &str) -> Result<Vec<(usize, Token)>, (usize, Problem)> {
    let mut lexer = Lexer { text, at: 0 };
    let mut found = Vec::new();
    loop {
        lexer.skip_blanks()?;
        let at = lexer.at;
        let token = lexer.next()?;
        let last = token == Token::End;
        found.push((at, token));
        if last {
            return Ok(found);
        }
    }
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
}

type Lexed<T> = Result<T, (usize, Problem)>;

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn second(&self) -> Option<char> {
        self.rest().chars().nth(1)
    }

    fn take_while(&mut self, mut belongs: impl FnMut(char) -> bool) -> &'a str {
        let rest = self.rest();
        let length = rest.find(|c: char| !belongs(c)).unwrap_or(rest.len());
        self.at += length;
        rest.get(..length).unwrap_or_default()
    }

    fn skip_blanks(&mut self) -> Lexed<()> {
        loop {
            self.take_while(char::is_whitespace);
            let at = self.at;
            if self.rest().starts_with("//") {
                self.take_while(|c| c != '\n');
            } else if let Some(comment) = self.rest().strip_prefix("/*") {
                let unclosed = Problem::Unclosed {
                    what: "the comment",
                    end: '/',
                };
                let length = comment.find("*/").ok_or((at, unclosed))?;
                self.at += length + "/**/".len();
            } else {
                return Ok(());
            }
        }
    }

    fn next(&mut self) -> Lexed<Token> {
        match self.peek() {
            None => Ok(Token::End),
            Some(quote @ ('"' | '\'')) => self.string(quote),
            Some('`') => self.raw_string(),
            Some('#') => {
                self.at += 1;
                Ok(Token::Pointer(self.take_while(in_name).to_owned()))
            }
            Some(first) if first.is_ascii_digit() => self.number(),
            Some('.') if self.second().is_some_and(|c| c.is_ascii_digit()) => self.number(),
            Some(first) if first.is_alphabetic() || first == '_' || first == '$' => {
                Ok(Token::Name(self.take_while(in_name).to_owned()))
            }
            Some(first) => self.sign().ok_or((self.at, Problem::Character(first))),
        }
    }

    fn sign(&mut self) -> Option<Token> {
        let rest = self.rest();
        let sign = SIGNS.iter().find(|sign| rest.starts_with(**sign))?;
        // `a ?.5 : 1` is a question, not a member.
        let sign = match rest.strip_prefix("?.") {
            Some(after) if after.starts_with(|c: char| c.is_ascii_digit()) => "?",
            _ => sign,
        };
        self.at += sign.len();
        Some(Token::Sign(sign))
    }

    fn number(&mut self) -> Lexed<Token> {
        let start = self.at;
        let mut float = false;
        for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] {
            if self.rest().starts_with(prefix) {
                self.at += prefix.len();
                let digits = self.take_while(in_name).replace('_', "");
                return i64::from_str_radix(&digits, radix)
                    .map(Token::Int)
                    .map_err(|_| self.not_a_number(start));
            }
        }
        let digit = |c: char| c.is_ascii_digit() || c == '_';
        self.take_while(digit);
        // `1..3` is a range, `x[1].y` a member.
        if self.peek() == Some('.') && self.second().is_some_and(|c| c.is_ascii_digit()) {
            float = true;
            self.at += 1;
            self.take_while(digit);
        }
        if matches!(self.peek(), Some('e' | 'E')) {
            float = true;
            self.at += 1;
            if matches!(self.peek(), Some('+' | '-')) {
                self.at += 1;
            }
            self.take_while(digit);
        }
        if self.peek().is_some_and(in_name) {
            self.take_while(in_name);
            return Err(self.not_a_number(start));
        }
        let text = self.text.get(start..self.at).unwrap_or_default().replace('_', "");
        let token = if float {
            text.parse()
                .ok()
                .filter(|number: &f64| number.is_finite())
                .map(Token::Float)
        } else {
            text.parse().ok().map(Token::Int)
        };
        token.ok_or_else(|| self.not_a_number(start))
    }

    fn not_a_number(&self, start: usize) -> (usize, Problem) {
        let text = self.text.get(start..self.at).unwrap_or_default();
        (start, Problem::Number { text: text.to_owned() })
    }

    fn string(&mut self, quote: char) -> Lexed<Token> {
        let start = self.at;
        let unclosed = || {
            let what = "the string";
            (start, Problem::Unclosed { what, end: quote })
        };
        let mut text = String::new();
        self.at += 1;
        loop {
            let at = self.at;
            let character = self.peek().ok_or_else(unclosed)?;
            self.at += character.len_utf8();
            match character {
                end if end == quote => return Ok(Token::Text(text)),
                '\n' => return Err(unclosed()),
                '\\' => {
                    let escape = self.peek().ok_or_else(unclosed)?;
                    self.at += escape.len_utf8();
                    text.push(self.escaped(escape).ok_or((at, Problem::Escape(escape)))?);
                }
                other => text.push(other),
            }
        }
    }

    /// The character that an escape stands for; the digits of `\x41`, `\u0041` and `\U00000041` are read on.
    fn escaped(&mut self, escape: char) -> Option<char> {
        let digits = match escape {
            'n' => return Some('\n'),
            't' => return Some('\t'),
            'r' => return Some('\r'),
            '\\' | '"' | '\'' | '`' => return Some(escape),
            'x' => 2,
            'u' => 4,
            'U' => 8,
            _ => return None,
        };
        let code = self.rest().get(..digits)?;
        self.at += digits;
        // The conversion alone would take a sign.
        let code = code.bytes().all(|c| c.is_ascii_hexdigit()).then_some(code)?;
        char::from_u32(u32::from_str_radix(code, 16).ok()?)
    }

    fn raw_string(&mut self) -> Lexed<Token> {
        let start = self.at;
        self.at += 1;
        let text = self.take_while(|c| c != '`');
        if self.peek().is_none() {
            let what = "the string";
            return Err((start, Problem::Unclosed { what, end: '`' }));
        }
        self.at += 1;
        Ok(Token::Text(text.to_owned()))
    }
}

fn in_name(character: char) -> bool {
    character.is_alphanumeric() || character == '_' || character == '$'
}
