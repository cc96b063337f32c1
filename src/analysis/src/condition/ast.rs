//! A parsed condition: names resolved, functions known, patterns compiled. The parser makes it, the check and the evaluator walk it.

use super::function::Function;

/// An expression, where it begins, and how many levels it has, so that whoever walks it knows how deep that goes.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Node {
    /// Byte offset in the text: of the operator for binary operators, of the first character otherwise.
    pub(super) at: usize,
    pub(super) height: usize,
    pub(super) form: Form,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Form {
    Literal(Literal),
    /// The measured value.
    Result,
    /// A `let` name, by its place among those in scope.
    Local(usize),
    Pointer(Pointer),
    Let {
        value: Box<Node>,
        body: Box<Node>,
    },
    Unary(Sign, Box<Node>),
    Binary(Operator, Box<Node>, Box<Node>),
    /// `low < x < high`: neighbours are compared, each operand is evaluated once.
    Ordered(Box<Node>, Vec<(Operator, Node)>),
    /// `matches` with a pattern that is known beforehand.
    Matches(Box<Node>, Pattern),
    Conditional(Box<Node>, Box<Node>, Box<Node>),
    Member(Box<Node>, Box<Node>, Link),
    /// What a `?.` inside cuts short.
    Chain(Box<Node>),
    Slice(Box<Node>, Option<Box<Node>>, Option<Box<Node>>),
    List(Vec<Node>),
    Map(Vec<(Node, Node)>),
    Call(Function, Vec<Node>),
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Literal {
    Nil,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
}

/// What a closure sees of the element that it is asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pointer {
    Item,
    Index,
    Accumulator,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    Not,
    Minus,
    Plus,
}

/// `.` and `[`, or `?.` and `?.[`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Link {
    Plain,
    Optional,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Or,
    And,
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
    Matches,
    Contains,
    StartsWith,
    EndsWith,
    Range,
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    Power,
    Coalesce,
}

impl Operator {
    /// As it is written; of two spellings the shorter.
    pub(super) fn symbol(self) -> &'static str {
        match self {
            Self::Or => "||",
            Self::And => "&&",
            Self::Equal => "==",
            Self::Unequal => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::In => "in",
            Self::Matches => "matches",
            Self::Contains => "contains",
            Self::StartsWith => "startsWith",
            Self::EndsWith => "endsWith",
            Self::Range => "..",
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Remainder => "%",
            Self::Power => "**",
            Self::Coalesce => "??",
        }
    }

    /// How tightly it binds, as in expr-lang; the larger the tighter.
    pub(super) fn precedence(self) -> u16 {
        match self {
            Self::Or => 10,
            Self::And => 15,
            Self::Range => 25,
            Self::Add | Self::Subtract => 30,
            Self::Multiply | Self::Divide | Self::Remainder => 60,
            Self::Power => 100,
            Self::Coalesce => 500,
            _ => 20,
        }
    }

    pub(super) fn orders(self) -> bool {
        matches!(
            self,
            Self::Less | Self::LessOrEqual | Self::Greater | Self::GreaterOrEqual
        )
    }
}

/// A compiled regular expression; equal when the text is.
#[derive(Clone, Debug)]
pub(super) struct Pattern(pub(super) regex::Regex);

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_str() == other.0.as_str()
    }
}

impl Node {
    /// A node on top of its children.
    pub(super) fn new(at: usize, form: Form) -> Self {
        let height = 1 + form.children().map(|child| child.height).max().unwrap_or(0);
        Self { at, height, form }
    }
}

impl Form {
    /// Every expression directly inside.
    pub(super) fn children(&self) -> Box<dyn Iterator<Item = &Node> + '_> {
        fn of<'a, const N: usize>(nodes: [&'a Node; N]) -> Box<dyn Iterator<Item = &'a Node> + 'a> {
            Box::new(nodes.into_iter())
        }
        match self {
            Self::Literal(_) | Self::Result | Self::Local(_) | Self::Pointer(_) => of([]),
            Self::Unary(_, one) | Self::Chain(one) | Self::Matches(one, _) => of([one]),
            Self::Let { value, body } => of([value, body]),
            Self::Binary(_, left, right) | Self::Member(left, right, _) => of([left, right]),
            Self::Conditional(condition, then, otherwise) => of([condition, then, otherwise]),
            Self::Ordered(first, rest) => {
                Box::new(std::iter::once(first.as_ref()).chain(rest.iter().map(|(_, node)| node)))
            }
            Self::Slice(base, from, to) => Box::new(
                std::iter::once(base.as_ref())
                    .chain(from.as_deref())
                    .chain(to.as_deref()),
            ),
            Self::List(items) | Self::Call(_, items) => Box::new(items.iter()),
            Self::Map(fields) => Box::new(fields.iter().flat_map(|(name, value)| [name, value])),
        }
    }
}
