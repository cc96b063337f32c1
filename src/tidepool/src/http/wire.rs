//! Writing objects without unpacking the record of their owners: its text goes into the body as it is, since it is JSON already.

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::apply::record;

/// Something that holds objects, by where it holds them.
#[derive(Clone, Copy, Debug)]
pub(super) enum Wire<'a> {
    /// It is one.
    Object(&'a Value),
    /// They are its items.
    List(&'a Value),
    /// One is its `object`, as in a watch.
    Event(&'a Value),
}

impl Serialize for Wire<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (Self::Object(value) | Self::List(value) | Self::Event(value)) = *self;
        let Value::Object(map) = value else {
            return value.serialize(serializer);
        };
        let text = record::text(value).and_then(|text| RawValue::from_string(text.to_owned()).ok());
        let mut written = serializer.serialize_map(Some(map.len()))?;
        for (key, value) in map {
            match (self, key.as_str(), &text) {
                (Self::Object(_), "metadata", Some(text)) => written.serialize_entry(key, &Metadata(value, text))?,
                (Self::List(_), "items", _) => {
                    let items = value.as_array().into_iter().flatten();
                    written.serialize_entry(key, &items.map(Wire::Object).collect::<Vec<_>>())?;
                }
                (Self::Event(_), "object", _) => written.serialize_entry(key, &Wire::Object(value))?,
                _ => written.serialize_entry(key, value)?,
            }
        }
        written.end()
    }
}

/// The metadata of an object whose record is this text.
struct Metadata<'a>(&'a Value, &'a RawValue);

impl Serialize for Metadata<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let map = self.0.as_object();
        let mut written = serializer.serialize_map(map.map(serde_json::Map::len))?;
        for (key, value) in map.into_iter().flatten() {
            if key == record::FIELD {
                written.serialize_entry(key, self.1)?;
            } else {
                written.serialize_entry(key, value)?;
            }
        }
        written.end()
    }
}
