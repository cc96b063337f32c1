//! The kinds of values that a condition computes with, and sets of them: what is known about an expression before anything is measured. The check
//! works on sets; the evaluator asks the same rules about the two kinds at hand, so that both agree on what an operator takes.

use super::ast::Operator;

/// One kind of value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Nil,
    Bool,
    Int,
    Float,
    Text,
    List,
    Map,
    Time,
    Duration,
}

impl Kind {
    const ALL: [Self; 9] = [
        Self::Nil,
        Self::Bool,
        Self::Int,
        Self::Float,
        Self::Text,
        Self::List,
        Self::Map,
        Self::Time,
        Self::Duration,
    ];

    /// As Go names the type.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Nil => "<nil>",
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Float => "float64",
            Self::Text => "string",
            Self::List => "[]interface {}",
            Self::Map => "map[string]interface {}",
            Self::Time => "time.Time",
            Self::Duration => "time.Duration",
        }
    }

    fn is_number(self) -> bool {
        matches!(self, Self::Int | Self::Float)
    }

    /// What an operator makes of two kinds; none when it does not take them. `??` takes anything and is the caller's.
    pub(super) fn of_operation(operator: Operator, left: Self, right: Self) -> Option<Self> {
        use Kind::{Bool, Duration, Float, Int, List, Map, Nil, Text, Time};
        let numbers = left.is_number() && right.is_number();
        let number = if left == Int && right == Int { Int } else { Float };
        match operator {
            Operator::And | Operator::Or => (left == Bool && right == Bool).then_some(Bool),
            Operator::Equal | Operator::Unequal => {
                (numbers || left == right || left == Nil || right == Nil).then_some(Bool)
            }
            Operator::Less | Operator::LessOrEqual | Operator::Greater | Operator::GreaterOrEqual => {
                (numbers || (left == right && matches!(left, Text | Time | Duration))).then_some(Bool)
            }
            Operator::In => (matches!(right, List | Nil) || (left == Text && right == Map)).then_some(Bool),
            Operator::Matches | Operator::Contains | Operator::StartsWith | Operator::EndsWith => {
                (left == Text && right == Text).then_some(Bool)
            }
            Operator::Range => (left == Int && right == Int).then_some(List),
            Operator::Add => match (left, right) {
                _ if numbers => Some(number),
                (Text, Text) => Some(Text),
                (Time, Duration) | (Duration, Time) => Some(Time),
                (Duration, Duration) => Some(Duration),
                _ => None,
            },
            Operator::Subtract => match (left, right) {
                _ if numbers => Some(number),
                (Time, Duration) => Some(Time),
                (Time, Time) | (Duration, Duration) => Some(Duration),
                _ => None,
            },
            Operator::Multiply => numbers.then_some(number),
            Operator::Divide | Operator::Power => numbers.then_some(Float),
            Operator::Remainder => (left == Int && right == Int).then_some(Int),
            Operator::Coalesce => None,
        }
    }
}

/// A set of kinds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kinds(u16);

impl Kinds {
    pub(super) const NONE: Self = Self(0);
    pub(super) const ANY: Self = Self((1 << Kind::ALL.len()) - 1);
    pub(super) const NIL: Self = Self::one(Kind::Nil);
    pub(super) const BOOL: Self = Self::one(Kind::Bool);
    pub(super) const INT: Self = Self::one(Kind::Int);
    pub(super) const FLOAT: Self = Self::one(Kind::Float);
    pub(super) const NUMBER: Self = Self::INT.or(Self::FLOAT);
    pub(super) const TEXT: Self = Self::one(Kind::Text);
    pub(super) const LIST: Self = Self::one(Kind::List);
    pub(super) const MAP: Self = Self::one(Kind::Map);
    pub(super) const TIME: Self = Self::one(Kind::Time);
    pub(super) const DURATION: Self = Self::one(Kind::Duration);

    pub(super) const fn one(kind: Kind) -> Self {
        Self(1 << kind as u16)
    }

    pub(super) const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(super) const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub(super) const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    pub(super) const fn is_none(self) -> bool {
        self.0 == 0
    }

    pub(super) fn iter(self) -> impl Iterator<Item = Kind> {
        Kind::ALL
            .into_iter()
            .filter(move |kind| !self.and(Self::one(*kind)).is_none())
    }

    /// The kinds' names: `int`, `int or float64`.
    pub(super) fn names(self) -> String {
        let names: Vec<&str> = self.iter().map(Kind::name).collect();
        names.join(" or ")
    }
}
