//! The compiled form of schemas: an arena of nodes, since types refer to themselves, and a cursor that walks it beside a value.

use std::collections::BTreeMap;

use regex::Regex;
use serde_json::Value;

/// The nodes of one set of types.
#[derive(Debug, Default)]
pub(crate) struct Arena {
    pub(crate) nodes: Vec<Node>,
    /// Whether values are decoded into Go structs (built-in types), or stay trees (custom types).
    pub(crate) go: bool,
}

/// One type.
#[derive(Debug, Default)]
pub(crate) struct Node {
    pub(crate) kind: Kind,
    /// Name of the definition, for Go's messages; empty for nameless ones.
    pub(crate) name: String,
    pub(crate) nullable: bool,
    pub(crate) default: Option<Value>,
    pub(crate) checks: Option<Box<Checks>>,
    /// Defaults that depend on other fields.
    pub(crate) rules: Vec<Rule>,
    /// Whether completing can change anything at or below this node.
    pub(crate) completes: bool,
    /// Whether two versions of a struct or map merge as one value, and not field by field.
    pub(crate) atomic: bool,
}

/// What values look like.
#[derive(Debug, Default)]
pub(crate) enum Kind {
    /// Anything at all, kept as it is.
    #[default]
    Any,
    Text(TextForm),
    /// A whole number of so many bits.
    Integer(u8),
    Number,
    Boolean,
    IntOrString,
    /// A number with a unit, written as text or as a number.
    Quantity,
    List {
        items: usize,
        list: ListKind,
    },
    Map {
        values: usize,
    },
    Struct {
        fields: BTreeMap<String, Field>,
        required: Vec<String>,
        /// Whether unknown fields are kept.
        open: bool,
        /// The schema of fields that are not named.
        rest: Option<usize>,
    },
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum TextForm {
    #[default]
    Plain,
    Time,
    Bytes,
    Other(&'static str),
}

/// How two versions of a list merge.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum ListKind {
    /// As one value.
    #[default]
    Atomic,
    /// As a set of scalars.
    Set,
    /// By the value of these fields of the items.
    Map(Vec<String>),
}

/// A field of a struct: its type, and what the field itself adds.
#[derive(Debug, Default)]
pub(crate) struct Field {
    pub(crate) node: usize,
    pub(crate) default: Option<Value>,
    /// Strategic merge: items are merged by this field; empty for scalars.
    pub(crate) merge: Option<String>,
    /// Strategic merge: the value replaces.
    pub(crate) replace: bool,
    /// Whether the value merges as one, where the field says otherwise than its type.
    pub(crate) atomic: Option<bool>,
}

/// Checks of a value beyond its type.
#[derive(Debug, Default)]
pub(crate) struct Checks {
    pub(crate) choices: Vec<Value>,
    pub(crate) pattern: Option<(String, Regex)>,
    pub(crate) minimum: Option<(f64, bool)>,
    pub(crate) maximum: Option<(f64, bool)>,
    pub(crate) multiple_of: Option<f64>,
    /// Least and most characters, items or properties.
    pub(crate) length: (Option<u64>, Option<u64>),
    pub(crate) all_of: Vec<usize>,
    pub(crate) any_of: Vec<usize>,
    pub(crate) one_of: Vec<usize>,
    pub(crate) not: Option<usize>,
    pub(crate) unique: bool,
    /// Fields that a part without a type asks for, as the parts of `oneOf` do.
    pub(crate) required: Vec<String>,
}

/// Defaults under conditions.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) when: Vec<(Vec<String>, Test)>,
    /// Filled in deeply.
    pub(crate) set: Value,
    /// Fields that take the value of another when they have none: to, from.
    pub(crate) copy: Vec<(String, String)>,
}

/// A condition on one field.
#[derive(Debug)]
pub(crate) enum Test {
    Absent,
    Present,
    Among(Vec<Value>),
    Like(Regex),
}

/// A place in a schema. Copies are the same place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cursor<'a> {
    pub(crate) arena: &'a Arena,
    id: usize,
    field: Option<&'a Field>,
}

impl<'a> Cursor<'a> {
    pub(crate) const fn new(arena: &'a Arena, id: usize) -> Self {
        Self { arena, id, field: None }
    }

    pub(crate) fn node(self) -> &'a Node {
        &self.arena.nodes[self.id]
    }

    pub(crate) fn kind(self) -> &'a Kind {
        &self.node().kind
    }

    pub(crate) const fn field_of(self) -> Option<&'a Field> {
        self.field
    }

    pub(crate) const fn at(self, id: usize) -> Self {
        Self::new(self.arena, id)
    }

    /// A named field, or the value of a map.
    pub(crate) fn child(self, name: &str) -> Option<Self> {
        match self.kind() {
            Kind::Struct { fields, rest, .. } => fields
                .get(name)
                .map(|field| self.through(field))
                .or_else(|| rest.map(|rest| self.at(rest))),
            Kind::Map { values, .. } => Some(self.at(*values)),
            _ => None,
        }
    }

    pub(crate) const fn through(self, field: &'a Field) -> Self {
        Self {
            arena: self.arena,
            id: field.node,
            field: Some(field),
        }
    }

    /// The items of a list.
    pub(crate) fn items(self) -> Option<Self> {
        match self.kind() {
            Kind::List { items, .. } => Some(self.at(*items)),
            _ => None,
        }
    }

    /// The default of a field, its own or its type's.
    pub(crate) fn default(self) -> Option<&'a Value> {
        self.field
            .and_then(|field| field.default.as_ref())
            .or(self.node().default.as_ref())
    }
}
