//! The second half of `cargo xtask openapi`: the numbers of the built-in types' fields in protobuf, which kubectl writes its typed requests in.
//!
//! Names and types come from the modules' `generated.proto`; whether a field is a pointer, inlined, and how JSON names it, from the tags in their Go
//! sources. The result is `{message: {number: "name type"}}`, where a type may be marked `[]` (a list), `{}` (a map from text) or `*` (a pointer
//! to what may be zero and counts all the same), an inlined field is named `~`, and one that JSON does not name `-`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

/// The modules, in the versions that belong to the one the OpenAPI files are taken from.
pub(crate) const MODULES: [&str; 3] = [
    "k8s.io/api@v0.36.3",
    "k8s.io/apimachinery@v0.36.3",
    "k8s.io/apiextensions-apiserver@v0.36.3",
];

/// The message that JSON writes as a number or a text, so that it may be zero.
const INT_OR_STRING: &str = "io.k8s.apimachinery.pkg.util.intstr.IntOrString";

/// Fields by their numbers, as text.
pub(crate) type Messages = BTreeMap<String, BTreeMap<u32, String>>;

/// Reads every package in the folders whose messages `wanted` asks for.
///
/// # Errors
/// When a file cannot be read, or far less is found than there should be.
pub(crate) fn messages(folders: &[PathBuf], wanted: impl Fn(&str) -> bool) -> Result<Messages> {
    let mut messages = Messages::new();
    for folder in folders {
        for package in packages(folder)? {
            let proto = std::fs::read_to_string(package.join("generated.proto"))
                .with_context(|| format!("read the proto file of {}", package.display()))?;
            let tags = tags(&package)?;
            for (message, fields) in fields(&proto) {
                if wanted(&message) {
                    messages.insert(message.clone(), named(&message, fields, &tags));
                }
            }
        }
    }
    ensure!(
        messages.len() > 300,
        "the modules' proto files hold far less than expected"
    );
    Ok(messages)
}

/// The folders below `folder` that hold a `generated.proto`.
fn packages(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        let entries = std::fs::read_dir(&folder).with_context(|| format!("list {}", folder.display()))?;
        for entry in entries {
            let path = entry.with_context(|| format!("list {}", folder.display()))?.path();
            if path.is_dir() {
                open.push(path);
            } else if path.ends_with("generated.proto") {
                found.push(folder.clone());
            }
        }
    }
    found.sort();
    Ok(found)
}

/// One field of a message: its number, its name in the proto file, its type.
type Field = (u32, String, String);

/// The messages of a proto file. Each declaration has a line of its own, which is how the generator writes them.
fn fields(proto: &str) -> Vec<(String, Vec<Field>)> {
    let mut package = String::new();
    let mut messages: Vec<(String, Vec<Field>)> = Vec::new();
    for line in proto.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix("package ") {
            package = reversed(name.trim_end_matches(';'));
        } else if let Some(name) = line.strip_prefix("message ") {
            let name = name.trim_end_matches('{').trim();
            messages.push((format!("{package}.{name}"), Vec::new()));
        } else if let (Some((_, fields)), Some(field)) = (messages.last_mut(), field(line, &package)) {
            fields.push(field);
        }
    }
    messages
}

fn field(line: &str, package: &str) -> Option<Field> {
    let (declared, number) = line.strip_suffix(';')?.split_once('=')?;
    let number = number.trim().parse().ok()?;
    let (kind, name) = declared.trim().rsplit_once(' ')?;
    let kind = if let Some(kind) = kind.strip_prefix("repeated ") {
        format!("[]{}", typed(kind, package))
    } else if let Some(pair) = kind.strip_prefix("map<") {
        let (_, value) = pair.trim_end_matches('>').split_once(',')?;
        format!("{{}}{}", typed(value.trim(), package))
    } else {
        typed(kind.strip_prefix("optional ")?, package)
    };
    Some((number, name.to_owned(), kind))
}

/// A scalar as it is; a message by the name that the OpenAPI files give it.
fn typed(kind: &str, package: &str) -> String {
    match kind.strip_prefix('.') {
        Some(full) => reversed(full),
        None if kind.starts_with(char::is_lowercase) => kind.to_owned(),
        None => format!("{package}.{kind}"),
    }
}

/// `io.k8s.api` for `k8s.io.api`.
fn reversed(name: &str) -> String {
    match name.strip_prefix("k8s.io.") {
        // A dash cannot be in a proto package's name.
        Some(rest) => format!(
            "io.k8s.{}",
            rest.replace("apiextensions_apiserver", "apiextensions-apiserver")
        ),
        None => name.to_owned(),
    }
}

/// What the Go sources say of a field: its name in JSON (`~` when it is inlined), and whether it is a pointer.
type Tags = BTreeMap<(String, u32), (String, bool)>;

fn tags(package: &Path) -> Result<Tags> {
    let mut tags = Tags::new();
    let entries = std::fs::read_dir(package).with_context(|| format!("list {}", package.display()))?;
    for entry in entries {
        let path = entry.with_context(|| format!("list {}", package.display()))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let is_source = name.ends_with(".go") && !name.ends_with("_test.go") && !name.contains("generated");
        if !is_source {
            continue;
        }
        let text = std::fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
        let mut current = String::new();
        for line in text.lines().map(str::trim) {
            if let Some(name) = line
                .strip_prefix("type ")
                .and_then(|rest| rest.strip_suffix(" struct {"))
            {
                name.clone_into(&mut current);
            } else if let Some((number, tag)) = tag(line) {
                tags.insert((current.clone(), number), tag);
            }
        }
    }
    Ok(tags)
}

fn tag(line: &str) -> Option<(u32, (String, bool))> {
    let (declared, tag) = line.split_once('`')?;
    let part = |key: &str| tag.split_once(key).and_then(|(_, rest)| rest.split('"').next());
    let number = part("protobuf:\"")?.split(',').nth(1)?.parse().ok()?;
    let json = part("json:\"")?;
    let name = if json.contains(",inline") {
        "~"
    } else {
        json.split(',').next()?
    };
    let pointer = declared
        .split_whitespace()
        .nth(1)
        .is_some_and(|kind| kind.starts_with('*'));
    Some((number, (name.to_owned(), pointer)))
}

fn named(message: &str, fields: Vec<Field>, tags: &Tags) -> BTreeMap<u32, String> {
    let short = message.rsplit('.').next().unwrap_or_default();
    let is_only = fields.len() == 1;
    fields
        .into_iter()
        .map(|(number, name, kind)| {
            let (name, pointer) = match tags.get(&(short.to_owned(), number)) {
                Some((json, pointer)) => (json.clone(), *pointer),
                // Go has a list by a name of its own where the proto file has a message around it.
                None if is_only => ("-".to_owned(), false),
                None => (name, false),
            };
            let is_scalar = kind.starts_with(char::is_lowercase) && !kind.contains('.');
            let mark = if pointer && (is_scalar || kind == INT_OR_STRING) {
                "*"
            } else {
                ""
            };
            (number, format!("{name} {mark}{kind}"))
        })
        .collect()
}
