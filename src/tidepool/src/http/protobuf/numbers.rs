//! The numbers of the built-in types' fields in protobuf, from the data file that `cargo xtask openapi` makes; and the objects that are read by them.
//!
//! Kubernetes' protobuf is its Go types in another dress: what JSON inlines is a message of its own, times and quantities are messages, and fields
//! that JSON would leave out are sent with their zero values. Pure: bytes in, the JSON tree out. Unpacked when somebody sends such a body.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::wire::{self, Wire};

const FILE: &[u8] = include_bytes!("../../../data/protobuf-1.36.json.gz");
/// How deep messages may nest; Kubernetes' own do not come near it but for schemas.
const DEEPEST: usize = 100;

const META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.";
const EXTENSIONS: &str = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.";

/// The field of a message that JSON writes as a list.
const UNNAMED: &str = "-";

/// What never changes is read once; it holds neither time, chance nor order.
static MESSAGES: LazyLock<BTreeMap<String, Message>> = LazyLock::new(messages);

type Message = BTreeMap<u32, Field>;

#[derive(Debug)]
struct Field {
    /// As in JSON; none when the message's fields are the outer one's.
    name: Option<String>,
    form: Form,
    /// Whether a zero value counts.
    pointer: bool,
    kind: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    One,
    List,
    Map,
}

fn messages() -> BTreeMap<String, Message> {
    let mut bytes = Vec::new();
    let read = flate2::read::GzDecoder::new(FILE).read_to_end(&mut bytes);
    let document: BTreeMap<String, BTreeMap<u32, String>> = match read {
        Ok(_) => serde_json::from_slice(&bytes).unwrap_or_default(),
        Err(_) => BTreeMap::new(),
    };
    let fields = |fields: BTreeMap<u32, String>| {
        fields
            .into_iter()
            .filter_map(|(number, text)| Some((number, field(&text)?)))
            .collect()
    };
    document.into_iter().map(|(name, of)| (name, fields(of))).collect()
}

/// A field as the file writes it: `name type`, the type marked `[]`, `{}` or `*`, an inlined field named `~`, one without a name in JSON `-`.
fn field(text: &str) -> Option<Field> {
    let (name, kind) = text.split_once(' ')?;
    let (pointer, kind) = kind.strip_prefix('*').map_or((false, kind), |kind| (true, kind));
    let (form, kind) = match (kind.strip_prefix("[]"), kind.strip_prefix("{}")) {
        (Some(kind), _) => (Form::List, kind),
        (_, Some(kind)) => (Form::Map, kind),
        _ => (Form::One, kind),
    };
    Some(Field {
        name: (name != "~").then(|| name.to_owned()),
        form,
        pointer,
        kind: kind.to_owned(),
    })
}

/// Reads a message by the name of its OpenAPI schema.
///
/// # Errors
/// A sentence that says what cannot be read.
pub(super) fn read(name: &str, bytes: &[u8]) -> Result<Value, String> {
    message(name, bytes, 0)
}

fn message(name: &str, bytes: &[u8], depth: usize) -> Result<Value, String> {
    if depth > DEEPEST {
        return Err("messages are nested too deeply".to_owned());
    }
    if let Some(special) = special(name, bytes, depth)? {
        return Ok(special);
    }
    let fields = MESSAGES
        .get(name)
        .ok_or_else(|| format!("{name} has no protobuf form here"))?;
    let mut found = Map::new();
    for entry in wire::fields(bytes) {
        let (number, wire) = entry?;
        // What a newer client sends and nobody here knows is left out, as upstream does.
        if let Some(field) = fields.get(&number) {
            put(&mut found, field, wire, depth)?;
        }
    }
    // A list that Go gives a name of its own, as the values of `extra`.
    if fields.values().any(|field| field.name.as_deref() == Some(UNNAMED)) {
        return Ok(found.remove(UNNAMED).unwrap_or_else(|| json!([])));
    }
    Ok(Value::Object(found))
}

fn put(found: &mut Map<String, Value>, field: &Field, wire: Wire<'_>, depth: usize) -> Result<(), String> {
    match (field.form, &field.name) {
        (Form::One, None) => {
            if let Value::Object(inner) = one(&field.kind, wire, depth)? {
                found.extend(inner);
            }
        }
        (Form::One, Some(name)) => {
            let value = one(&field.kind, wire, depth)?;
            if field.pointer || !is_zero(&value) {
                found.insert(name.clone(), value);
            }
        }
        (Form::List, name) => {
            let list = found
                .entry(name.clone().unwrap_or_default())
                .or_insert_with(|| json!([]));
            let values = match (wire, field.kind.as_str()) {
                // Numbers may come all at once.
                (Wire::Bytes(packed), "int32" | "int64") => {
                    wire::packed(packed)?.into_iter().map(|number| json!(number)).collect()
                }
                (wire, kind) => vec![one(kind, wire, depth)?],
            };
            if let Some(list) = list.as_array_mut() {
                list.extend(values);
            }
        }
        (Form::Map, name) => {
            let (mut key, mut value) = (String::new(), None);
            for entry in wire::fields(wire.bytes()?) {
                match entry? {
                    (1, wire) => key = wire.text()?,
                    (2, wire) => value = Some(one(&field.kind, wire, depth)?),
                    _ => {}
                }
            }
            // A value that is empty is not sent.
            let value = match value {
                Some(value) => value,
                None if field.kind == "string" || field.kind == "bytes" => json!(""),
                None => one(&field.kind, Wire::Bytes(&[]), depth)?,
            };
            let map = found
                .entry(name.clone().unwrap_or_default())
                .or_insert_with(|| json!({}));
            if let Some(map) = map.as_object_mut() {
                map.insert(key, value);
            }
        }
    }
    Ok(())
}

fn is_zero(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(value) => !value,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(_) | Value::Object(_) => false,
    }
}

fn one(kind: &str, wire: Wire<'_>, depth: usize) -> Result<Value, String> {
    Ok(match kind {
        "string" => json!(wire.text()?),
        "bytes" => json!(STANDARD.encode(wire.bytes()?)),
        "bool" => json!(wire.number()? != 0),
        "int32" | "int64" | "uint32" | "uint64" => json!(wire.number()?),
        "double" => json!(f64::from_bits(wire.eight()?)),
        name => message(name, wire.bytes()?, depth + 1)?,
    })
}

/// The value of a field of a message by its number; none when it is not there.
fn part(bytes: &[u8], number: u32) -> Result<Option<Wire<'_>>, String> {
    let mut found = None;
    for entry in wire::fields(bytes) {
        let (at, wire) = entry?;
        if at == number {
            found = Some(wire);
        }
    }
    Ok(found)
}

fn number(bytes: &[u8], at: u32) -> Result<i64, String> {
    part(bytes, at)?.map_or(Ok(0), Wire::number)
}

/// The messages that are something else in JSON than their fields.
fn special(name: &str, bytes: &[u8], depth: usize) -> Result<Option<Value>, String> {
    if let Some(short) = name.strip_prefix(META) {
        return Ok(match short {
            "Time" | "MicroTime" if bytes.is_empty() => Some(Value::Null),
            "Time" | "MicroTime" => Some(time(number(bytes, 1)?, number(bytes, 2)?, short == "MicroTime")),
            "Duration" => Some(json!(format!("{}ns", number(bytes, 1)?))),
            "FieldsV1" => Some(raw(bytes)?),
            _ => None,
        });
    }
    if let Some(short) = name.strip_prefix(EXTENSIONS) {
        return choice(short, bytes, depth);
    }
    Ok(match name {
        "io.k8s.apimachinery.pkg.api.resource.Quantity" => match part(bytes, 1)? {
            Some(wire) => Some(json!(wire.text()?)),
            None => Some(json!("0")),
        },
        "io.k8s.apimachinery.pkg.util.intstr.IntOrString" => Some(match number(bytes, 1)? {
            0 => json!(number(bytes, 2)?),
            _ => match part(bytes, 3)? {
                Some(wire) => json!(wire.text()?),
                None => json!(""),
            },
        }),
        "io.k8s.apimachinery.pkg.runtime.RawExtension" => Some(raw(bytes)?),
        _ => None,
    })
}

/// Schemas that are one of two things.
fn choice(short: &str, bytes: &[u8], depth: usize) -> Result<Option<Value>, String> {
    let schema = |wire: Wire<'_>| message(&format!("{EXTENSIONS}JSONSchemaProps"), wire.bytes()?, depth + 1);
    let (first, second) = (part(bytes, 1)?, part(bytes, 2)?);
    Ok(match short {
        "JSON" => Some(raw(bytes)?),
        "JSONSchemaPropsOrBool" => Some(match second {
            Some(wire) => schema(wire)?,
            None => json!(number(bytes, 1)? != 0),
        }),
        "JSONSchemaPropsOrArray" | "JSONSchemaPropsOrStringArray" => Some(match first {
            Some(wire) => schema(wire)?,
            None => {
                let mut all = Vec::new();
                for entry in wire::fields(bytes) {
                    match entry? {
                        (2, wire) if short.ends_with("StringArray") => all.push(json!(wire.text()?)),
                        (2, wire) => all.push(schema(wire)?),
                        _ => {}
                    }
                }
                Value::Array(all)
            }
        }),
        _ => None,
    })
}

/// JSON that travels as bytes.
fn raw(bytes: &[u8]) -> Result<Value, String> {
    match part(bytes, 1)? {
        Some(wire) => serde_json::from_slice(wire.bytes()?).map_err(|error| error.to_string()),
        None => Ok(Value::Null),
    }
}

fn time(seconds: i64, nanoseconds: i64, micro: bool) -> Value {
    let nanoseconds = i32::try_from(nanoseconds).unwrap_or(0);
    match jiff::Timestamp::new(seconds, nanoseconds) {
        Ok(time) if micro => json!(time.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string()),
        Ok(time) => json!(time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()),
        Err(_) => Value::Null,
    }
}
