//! What can be wrong with a condition: before anything is measured ([`ParseError`]), and with a value at hand ([`EvalError`]). Both say where.
//! Admission shows the first, the status of a measurement the second.

use super::position::Position;

/// A condition that is refused as it is written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{position}: {problem}")]
pub struct ParseError {
    /// Where the text goes wrong.
    pub position: Position,
    /// What is wrong there, and what to write instead.
    pub problem: Problem,
}

/// What is wrong with a text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// More bytes than a condition may have.
    #[error("the condition has {length} bytes; at most {limit} are read")]
    TooLong {
        /// Bytes of the text.
        length: usize,
        /// Bytes that are allowed.
        limit: usize,
    },
    /// More levels than a condition may have.
    #[error("the condition is nested too deeply; split it, or use all() or any() instead of a long chain")]
    TooDeep,
    /// A word or sign that does not belong there.
    #[error("expected {expected}, but got {found}")]
    Unexpected {
        /// What the text has.
        found: String,
        /// What could stand there.
        expected: String,
    },
    /// A character that the language does not know.
    #[error("{0:?} means nothing in a condition")]
    Character(char),
    /// A number that no int or float holds, or that is cut short.
    #[error("{text} is not a number; write 12, 0.5, 1e-3 or 0x2A")]
    Number {
        /// The text.
        text: String,
    },
    /// A string or comment without its end.
    #[error("{what} is not closed; end it with {end}")]
    Unclosed {
        /// What was opened.
        what: &'static str,
        /// How it ends.
        end: char,
    },
    /// A backslash before something that it does not change.
    #[error("\\{0} is no escape; write \\\\ for a backslash, or use `…` for text without escapes")]
    Escape(char),
    /// A name that is not in scope.
    #[error("unknown name {name}; the measured value is called result{}", hint(.similar))]
    UnknownName {
        /// The name.
        name: String,
        /// A name that resembles it.
        similar: Option<String>,
    },
    /// A function that does not exist.
    #[error("unknown function {name}(){}", hint(.similar))]
    UnknownFunction {
        /// The name.
        name: String,
        /// A function that resembles it.
        similar: Option<String>,
    },
    /// A function with too few or too many arguments.
    #[error("{name}() takes {takes}, but got {got}")]
    Arguments {
        /// The function.
        name: &'static str,
        /// How many it takes, in words.
        takes: String,
        /// How many there are.
        got: usize,
    },
    /// A `let` name that means something else already.
    #[error("{name} already has a meaning; choose another name")]
    Taken {
        /// The name.
        name: String,
    },
    /// `#` outside a closure, or `#acc` outside reduce.
    #[error("{pointer} has no meaning here; it names an element inside {inside}")]
    Pointer {
        /// As written.
        pointer: String,
        /// Where it means something.
        inside: &'static str,
    },
    /// `a ?? b > c`, which most read otherwise than it binds.
    #[error("?? beside {operator} is hard to read; put the ?? part in parentheses")]
    MixedCoalesce {
        /// The operator after it.
        operator: &'static str,
    },
    /// A regular expression that cannot be compiled, or that would be too large.
    #[error("the pattern of matches cannot be used: {reason}")]
    Pattern {
        /// What the compiler says, on one line.
        reason: String,
    },
    /// Kinds that can never go together.
    #[error(transparent)]
    Mismatch(#[from] Mismatch),
    /// The whole is not a yes or a no.
    #[error("expected bool, but got {got}; compare it with something")]
    NotBool {
        /// Go's name of the type.
        got: String,
    },
}

fn hint(similar: &Option<String>) -> String {
    similar
        .as_ref()
        .map(|name| format!("; did you mean {name}?"))
        .unwrap_or_default()
}

/// An operator, function or access that does not take what it is given, by Go's names of types.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    /// Two operands.
    #[error("invalid operation: {left} {operator} {right}")]
    Operands {
        /// As written.
        operator: &'static str,
        /// Type of the left operand.
        left: String,
        /// Type of the right operand.
        right: String,
    },
    /// One operand.
    #[error("invalid operation: {sign} {operand}")]
    Operand {
        /// As written.
        sign: &'static str,
        /// Type of the operand.
        operand: String,
    },
    /// An argument of a function.
    #[error("{function}() takes {takes}, but got {got}")]
    Argument {
        /// The function.
        function: &'static str,
        /// Types that it takes there.
        takes: String,
        /// Type that it got.
        got: String,
    },
    /// A closure that does not answer yes or no.
    #[error("{function}() needs a closure that is true or false, but it is {got}")]
    Closure {
        /// The function that calls it.
        function: &'static str,
        /// Type that the closure returned.
        got: String,
    },
    /// Brackets or a dot after something that has nothing inside.
    #[error("cannot take {key} from {from}")]
    Member {
        /// Type of what stands in the brackets.
        key: String,
        /// Type of what stands before them.
        from: String,
    },
    /// A slice of something that is no list and no text, or with bounds that are no ints.
    #[error("cannot slice {from} by {bound}")]
    Slice {
        /// Type of what is sliced.
        from: String,
        /// Type of the bound.
        bound: String,
    },
    /// A question that is neither true nor false.
    #[error("the condition before ? must be bool, but is {got}")]
    Question {
        /// Its type.
        got: String,
    },
    /// A name of a field that is no text.
    #[error("a map's keys must be string, but this is {got}")]
    Key {
        /// Its type.
        got: String,
    },
}

/// A condition that could not be answered for the value at hand. The measurement is an Error, never a success.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{position}: {fault}")]
pub struct EvalError {
    /// The expression that failed.
    pub position: Position,
    /// What went wrong.
    pub fault: Fault,
}

/// What went wrong with a value at hand.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// An element that is not there.
    #[error("index out of range: {index} (array length is {length}); guard it with len(…) > 0")]
    OutOfRange {
        /// As asked for, negative ones counted from the end.
        index: i64,
        /// Elements there are.
        length: usize,
    },
    /// Types that do not go together.
    #[error(transparent)]
    Mismatch(#[from] Mismatch),
    /// An int beyond 64 bits.
    #[error("{operation} overflows a 64-bit integer")]
    Overflow {
        /// What was computed.
        operation: &'static str,
    },
    /// `%` by zero; `/` by zero is infinite.
    #[error("division by zero: %")]
    RemainderByZero,
    /// Text that does not hold what a function reads from it.
    #[error("{function}(): cannot read {text:?}; {advice}")]
    Unreadable {
        /// The function.
        function: &'static str,
        /// The text, shortened.
        text: String,
        /// What would be readable.
        advice: &'static str,
    },
    /// A pattern that was made at run time and cannot be used.
    #[error("the pattern of matches cannot be used: {reason}")]
    Pattern {
        /// What the compiler says, on one line.
        reason: String,
    },
    /// An argument of the right type that a function cannot use.
    #[error("{function}(): {problem}")]
    Unusable {
        /// The function.
        function: &'static str,
        /// Why.
        problem: &'static str,
    },
    /// More work than one measurement is worth.
    #[error(
        "the condition needs more than {limit} steps; ask the provider for fewer samples, or aggregate in the query"
    )]
    TooLong {
        /// Steps that are allowed.
        limit: u32,
    },
    /// Lists in lists beyond what is kept.
    #[error("the value is nested more than {limit} levels deep")]
    TooDeep {
        /// Levels that are allowed.
        limit: usize,
    },
    /// The answer is not a yes or a no.
    #[error("expected bool, but got {got}")]
    NotBool {
        /// Go's name of the type.
        got: &'static str,
    },
}
