//! The record of owners inside the server: one text where clients see a list, since it is copied with every object and read by few. Packed
//! where an object comes in, unpacked where one goes out; pure.

use serde_json::Value;

use crate::object;

/// The field of the metadata that holds the record.
pub(crate) const FIELD: &str = "managedFields";

/// The record of an object, packed or not; null when there is none.
pub(crate) fn of(value: &Value) -> &Value {
    object::at(value, &["metadata", FIELD])
}

/// Takes the record out of an object, packed; null when there is none.
pub(crate) fn take(value: &mut Value) -> Value {
    let record = value
        .get_mut("metadata")
        .and_then(Value::as_object_mut)
        .and_then(|metadata| metadata.remove(FIELD));
    match record {
        Some(list @ Value::Array(_)) => Value::String(list.to_string()),
        Some(record) => record,
        None => Value::Null,
    }
}

/// Puts a record into an object; null takes it out.
pub(crate) fn put(record: Value, value: &mut Value) {
    if record.is_null() {
        take(value);
    } else {
        object::entry(value, &["metadata"]).insert(FIELD.to_owned(), record);
    }
}

/// Makes a text of the record that a client sent.
pub(crate) fn pack(value: &mut Value) {
    if of(value).is_array() {
        let record = take(value);
        put(record, value);
    }
}

/// The packed record of an object, as JSON text that may stand in place of the list.
pub(crate) fn text(value: &Value) -> Option<&str> {
    of(value).as_str()
}

/// Makes the list of it that clients see.
pub(crate) fn unpack(value: &mut Value) {
    if of(value).is_string() {
        let list = list(&take(value));
        put(list, value);
    }
}

/// The record as a list.
pub(crate) fn list(record: &Value) -> Value {
    match record {
        Value::String(text) => serde_json::from_str(text).unwrap_or_default(),
        record => record.clone(),
    }
}

/// Whether there is nothing in a packed record.
pub(crate) fn is_empty(record: &Value) -> bool {
    record.as_str().is_none_or(|text| text == "[]")
}

/// Whether a packed record is one empty entry, by which clients throw the record away.
pub(crate) fn is_reset(record: &Value) -> bool {
    record == "[{}]"
}
