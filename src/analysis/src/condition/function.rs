//! Which functions a condition may call: their names, how many arguments they take and of which kinds, which argument is a closure, and what they
//! return. One row each. The parser and the check read it; what the functions do is under `builtin`.

use super::kind::Kinds;

/// A function of the language, or one that Argo adds to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    Abs,
    All,
    Any,
    AsFloat,
    AsInt,
    Ceil,
    Concat,
    Count,
    Date,
    Default,
    Duration,
    Filter,
    Find,
    FindIndex,
    FindLast,
    FindLastIndex,
    First,
    Flatten,
    Float,
    Floor,
    FromJson,
    Get,
    GroupBy,
    HasPrefix,
    HasSuffix,
    IndexOf,
    Int,
    IsInf,
    IsNan,
    IsNil,
    Join,
    Keys,
    Last,
    LastIndexOf,
    Len,
    Lower,
    Map,
    Max,
    Mean,
    Median,
    Min,
    None,
    Now,
    One,
    Reduce,
    Replace,
    Reverse,
    Round,
    Sort,
    SortBy,
    Split,
    String,
    Sum,
    Take,
    ToJson,
    Trim,
    TrimPrefix,
    TrimSuffix,
    Type,
    Uniq,
    Upper,
    Values,
}

/// What a closure must return.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Body {
    /// True or false.
    Predicate,
    /// Anything; what it is used for is checked when it is known.
    Projection,
}

/// How a function is called.
#[derive(Clone, Copy, Debug)]
pub(super) struct Signature {
    pub(super) function: Function,
    pub(super) name: &'static str,
    pub(super) least: usize,
    pub(super) most: usize,
    /// The kinds of each argument; the last one counts for all that follow.
    takes: &'static [Kinds],
    /// Set when the second argument is a closure.
    pub(super) body: Option<Body>,
    pub(super) returns: Kinds,
}

/// As many arguments as fit.
const MANY: usize = usize::MAX;

const ANY: Kinds = Kinds::ANY;
const BOOL: Kinds = Kinds::BOOL;
const INT: Kinds = Kinds::INT;
const FLOAT: Kinds = Kinds::FLOAT;
const NUMBER: Kinds = Kinds::NUMBER;
const TEXT: Kinds = Kinds::TEXT;
const LIST: Kinds = Kinds::LIST;
const MAP: Kinds = Kinds::MAP;
const READABLE: Kinds = NUMBER.or(TEXT);
const MEASURABLE: Kinds = NUMBER.or(LIST);
const MAYBE_LIST: Kinds = LIST.or(Kinds::NIL);

const fn plain(
    function: Function,
    name: &'static str,
    (least, most): (usize, usize),
    takes: &'static [Kinds],
    returns: Kinds,
) -> Signature {
    Signature {
        function,
        name,
        least,
        most,
        takes,
        body: None,
        returns,
    }
}

const fn closure(
    function: Function,
    name: &'static str,
    (least, most): (usize, usize),
    body: Body,
    returns: Kinds,
) -> Signature {
    Signature {
        function,
        name,
        least,
        most,
        takes: &[LIST, ANY],
        body: Some(body),
        returns,
    }
}

const SIGNATURES: &[Signature] = &[
    plain(Function::Abs, "abs", (1, 1), &[NUMBER], NUMBER),
    closure(Function::All, "all", (2, 2), Body::Predicate, BOOL),
    closure(Function::Any, "any", (2, 2), Body::Predicate, BOOL),
    plain(Function::AsFloat, "asFloat", (1, 1), &[READABLE], FLOAT),
    plain(Function::AsInt, "asInt", (1, 1), &[READABLE], INT),
    plain(Function::Ceil, "ceil", (1, 1), &[NUMBER], FLOAT),
    plain(Function::Concat, "concat", (1, MANY), &[LIST], LIST),
    closure(Function::Count, "count", (1, 2), Body::Predicate, INT),
    plain(Function::Date, "date", (1, 1), &[TEXT], Kinds::TIME),
    plain(Function::Default, "default", (2, 2), &[ANY], ANY),
    plain(Function::Duration, "duration", (1, 1), &[TEXT], Kinds::DURATION),
    closure(Function::Filter, "filter", (2, 2), Body::Predicate, LIST),
    closure(Function::Find, "find", (2, 2), Body::Predicate, ANY),
    closure(Function::FindIndex, "findIndex", (2, 2), Body::Predicate, INT),
    closure(Function::FindLast, "findLast", (2, 2), Body::Predicate, ANY),
    closure(Function::FindLastIndex, "findLastIndex", (2, 2), Body::Predicate, INT),
    plain(Function::First, "first", (1, 1), &[MAYBE_LIST], ANY),
    plain(Function::Flatten, "flatten", (1, 1), &[LIST], LIST),
    plain(Function::Float, "float", (1, 1), &[READABLE], FLOAT),
    plain(Function::Floor, "floor", (1, 1), &[NUMBER], FLOAT),
    plain(Function::FromJson, "fromJSON", (1, 1), &[TEXT], ANY),
    plain(Function::Get, "get", (2, 2), &[ANY], ANY),
    closure(Function::GroupBy, "groupBy", (2, 2), Body::Projection, MAP),
    plain(Function::HasPrefix, "hasPrefix", (2, 2), &[TEXT], BOOL),
    plain(Function::HasSuffix, "hasSuffix", (2, 2), &[TEXT], BOOL),
    plain(Function::IndexOf, "indexOf", (2, 2), &[TEXT], INT),
    plain(Function::Int, "int", (1, 1), &[READABLE], INT),
    plain(Function::IsInf, "isInf", (1, 1), &[NUMBER], BOOL),
    plain(Function::IsNan, "isNaN", (1, 1), &[NUMBER], BOOL),
    plain(Function::IsNil, "isNil", (1, 1), &[ANY], BOOL),
    plain(Function::Join, "join", (1, 2), &[LIST, TEXT], TEXT),
    plain(Function::Keys, "keys", (1, 1), &[MAP], LIST),
    plain(Function::Last, "last", (1, 1), &[MAYBE_LIST], ANY),
    plain(Function::LastIndexOf, "lastIndexOf", (2, 2), &[TEXT], INT),
    plain(Function::Len, "len", (1, 1), &[LIST.or(MAP).or(TEXT)], INT),
    plain(Function::Lower, "lower", (1, 1), &[TEXT], TEXT),
    closure(Function::Map, "map", (2, 2), Body::Projection, LIST),
    plain(Function::Max, "max", (1, MANY), &[MEASURABLE], NUMBER.or(Kinds::NIL)),
    plain(Function::Mean, "mean", (1, MANY), &[MEASURABLE], FLOAT),
    plain(Function::Median, "median", (1, MANY), &[MEASURABLE], FLOAT),
    plain(Function::Min, "min", (1, MANY), &[MEASURABLE], NUMBER.or(Kinds::NIL)),
    closure(Function::None, "none", (2, 2), Body::Predicate, BOOL),
    plain(Function::Now, "now", (0, 0), &[], Kinds::TIME),
    closure(Function::One, "one", (2, 2), Body::Predicate, BOOL),
    closure(Function::Reduce, "reduce", (2, 3), Body::Projection, ANY),
    plain(Function::Replace, "replace", (3, 3), &[TEXT], TEXT),
    plain(Function::Reverse, "reverse", (1, 1), &[LIST], LIST),
    plain(Function::Round, "round", (1, 1), &[NUMBER], FLOAT),
    plain(Function::Sort, "sort", (1, 2), &[LIST, TEXT], LIST),
    closure(Function::SortBy, "sortBy", (2, 3), Body::Projection, LIST),
    plain(Function::Split, "split", (2, 3), &[TEXT, TEXT, INT], LIST),
    plain(Function::String, "string", (1, 1), &[ANY], TEXT),
    closure(Function::Sum, "sum", (1, 2), Body::Projection, NUMBER),
    plain(Function::Take, "take", (2, 2), &[LIST, INT], LIST),
    plain(Function::ToJson, "toJSON", (1, 1), &[ANY], TEXT),
    plain(Function::Trim, "trim", (1, 2), &[TEXT], TEXT),
    plain(Function::TrimPrefix, "trimPrefix", (2, 2), &[TEXT], TEXT),
    plain(Function::TrimSuffix, "trimSuffix", (2, 2), &[TEXT], TEXT),
    plain(Function::Type, "type", (1, 1), &[ANY], TEXT),
    plain(Function::Uniq, "uniq", (1, 1), &[LIST], LIST),
    plain(Function::Upper, "upper", (1, 1), &[TEXT], TEXT),
    plain(Function::Values, "values", (1, 1), &[MAP], LIST),
];

impl Signature {
    /// The function of that name.
    pub(super) fn named(name: &str) -> Option<&'static Self> {
        SIGNATURES.iter().find(|signature| signature.name == name)
    }

    /// How a function is called.
    pub(super) fn of(function: Function) -> Option<&'static Self> {
        SIGNATURES.iter().find(|signature| signature.function == function)
    }

    /// The kinds that an argument, counted from zero, may have.
    pub(super) fn takes(&self, argument: usize) -> Kinds {
        self.takes
            .get(argument)
            .or(self.takes.last())
            .copied()
            .unwrap_or(Kinds::ANY)
    }

    /// How many arguments, in words.
    pub(super) fn arguments(&self) -> String {
        match (self.least, self.most) {
            (1, 1) => "1 argument".to_owned(),
            (least, MANY) => format!("{least} or more arguments"),
            (least, most) if least == most => format!("{least} arguments"),
            (least, most) => format!("{least} to {most} arguments"),
        }
    }
}

/// All names, to suggest one.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    SIGNATURES.iter().map(|signature| signature.name)
}
