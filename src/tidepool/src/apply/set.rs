//! Sets of fields, as `fieldsV1` writes them: a tree whose edges are `f:name`, `k:{"key":"value"}` and `v:"item"`. Pure; the other modules here
//! compute with these.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Map, Value};

/// The edge that says of its own node that it is a member, where there is more below it.
const SELF: &str = ".";

/// A set of fields.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct FieldSet(BTreeMap<String, Branch>);

/// What a set says of one field or item.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Branch {
    member: bool,
    below: FieldSet,
}

impl Branch {
    fn is_empty(&self) -> bool {
        !self.member && self.below.is_empty()
    }
}

/// The edge of a named field.
pub(crate) fn field(name: &str) -> String {
    format!("f:{name}")
}

impl FieldSet {
    /// The set of the given paths of field names.
    pub(crate) fn of_fields(paths: &[&[&str]]) -> Self {
        let mut set = Self::default();
        for path in paths {
            let edges: Vec<String> = path.iter().map(|name| field(name)).collect();
            set.insert(edges.iter().map(String::as_str));
        }
        set
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Makes a path a member.
    pub(crate) fn insert<'a>(&mut self, path: impl IntoIterator<Item = &'a str>) {
        let mut path = path.into_iter();
        let Some(first) = path.next() else { return };
        if !self.0.contains_key(first) {
            self.0.insert(first.to_owned(), Branch::default());
        }
        let Some(mut branch) = self.0.get_mut(first) else {
            return;
        };
        for edge in path {
            branch = branch.below.0.entry(edge.to_owned()).or_default();
        }
        branch.member = true;
    }

    /// Whether the edge itself is a member.
    pub(crate) fn has(&self, edge: &str) -> bool {
        self.0.get(edge).is_some_and(|branch| branch.member)
    }

    /// What is below an edge; none when nothing is.
    pub(crate) fn below(&self, edge: &str) -> Option<&Self> {
        self.0
            .get(edge)
            .map(|branch| &branch.below)
            .filter(|below| !below.is_empty())
    }

    /// The members of either.
    pub(crate) fn union(mut self, other: &Self) -> Self {
        self.add(other);
        self
    }

    fn add(&mut self, other: &Self) {
        for (edge, branch) in &other.0 {
            match self.0.get_mut(edge) {
                None => {
                    self.0.insert(edge.clone(), branch.clone());
                }
                Some(own) => {
                    own.member |= branch.member;
                    own.below.add(&branch.below);
                }
            }
        }
    }

    /// The members that are not members of the other. What is below a member of the other stays.
    pub(crate) fn difference(mut self, other: &Self) -> Self {
        self.subtract(other);
        self
    }

    fn subtract(&mut self, other: &Self) {
        if other.is_empty() {
            return;
        }
        self.0.retain(|edge, branch| {
            if let Some(taken) = other.0.get(edge) {
                branch.member &= !taken.member;
                branch.below.subtract(&taken.below);
            }
            !branch.is_empty()
        });
    }

    /// The members of both.
    pub(crate) fn intersection(&self, other: &Self) -> Self {
        let common = self.0.iter().filter_map(|(edge, branch)| {
            let theirs = other.0.get(edge)?;
            let branch = Branch {
                member: branch.member && theirs.member,
                below: branch.below.intersection(&theirs.below),
            };
            (!branch.is_empty()).then(|| (edge.clone(), branch))
        });
        Self(common.collect())
    }

    /// Without the members of the other and everything below them.
    pub(crate) fn without(mut self, other: &Self) -> Self {
        self.cut(other);
        self
    }

    fn cut(&mut self, other: &Self) {
        if other.is_empty() {
            return;
        }
        self.0.retain(|edge, branch| {
            let Some(taken) = other.0.get(edge) else { return true };
            if taken.member {
                return false;
            }
            branch.below.cut(&taken.below);
            !branch.is_empty()
        });
    }

    /// The set in which every branch is what `change` makes of it: from its edge, whether it is a member, and what is below.
    pub(crate) fn map(&self, mut change: impl FnMut(&str, bool, &Self) -> (bool, Self)) -> Self {
        let changed = self.0.iter().map(|(edge, branch)| {
            let (member, below) = change(edge, branch.member, &branch.below);
            (edge.clone(), Branch { member, below })
        });
        Self(changed.filter(|(_, branch)| !branch.is_empty()).collect())
    }

    /// The paths of all members in words, as `.spec.containers[name="a"].image`: those of one level before those below it.
    pub(crate) fn paths(&self) -> Vec<String> {
        let mut paths = Vec::new();
        self.walk("", &mut paths);
        paths
    }

    fn walk(&self, prefix: &str, paths: &mut Vec<String>) {
        let members = self.0.iter().filter(|(_, branch)| branch.member);
        paths.extend(members.map(|(edge, _)| format!("{prefix}{}", words(edge))));
        for (edge, branch) in &self.0 {
            if !branch.below.is_empty() {
                branch.below.walk(&format!("{prefix}{}", words(edge)), paths);
            }
        }
    }
}

impl Serialize for FieldSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Below(self, false).serialize(serializer)
    }
}

/// What stands below an edge, and whether the edge is a member beside that.
struct Below<'a>(&'a FieldSet, bool);

impl Serialize for Below<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(set, member) = *self;
        let mut map = serializer.serialize_map(None)?;
        if member && !set.is_empty() {
            map.serialize_entry(SELF, &Map::new())?;
        }
        for (edge, branch) in &set.0 {
            map.serialize_entry(edge, &Below(&branch.below, branch.member))?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for FieldSet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Branch::deserialize(deserializer)?.below)
    }
}

impl<'de> Deserialize<'de> for Branch {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Reading)
    }
}

struct Reading;

impl<'de> Visitor<'de> for Reading {
    type Value = Branch;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a tree of fields")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Branch, A::Error> {
        let mut branch = Branch::default();
        while let Some(edge) = map.next_key::<String>()? {
            let below: Branch = map.next_value()?;
            if edge == SELF {
                branch.member = true;
            } else if ["f:", "k:", "v:", "i:"].iter().any(|prefix| edge.starts_with(prefix)) {
                branch.below.0.insert(edge, below);
            } else {
                return Err(de::Error::custom(format!("missing colon in path element {edge:?}")));
            }
        }
        branch.member |= branch.below.is_empty();
        Ok(branch)
    }
}

/// An edge as messages write it: `.name`, `[key="value"]`, `[="item"]`.
pub(super) fn words(edge: &str) -> String {
    let (kind, rest) = edge.split_at(edge.len().min(2));
    match kind {
        "k:" => {
            let keys: Map<String, Value> = serde_json::from_str(rest).unwrap_or_default();
            let pairs: Vec<String> = keys.iter().map(|(key, value)| format!("{key}={value}")).collect();
            format!("[{}]", pairs.join(","))
        }
        "v:" => format!("[={rest}]"),
        "i:" => format!("[{rest}]"),
        _ => format!(".{rest}"),
    }
}
