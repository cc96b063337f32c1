//! `cargo xtask openapi`: takes the built-in types of Kubernetes from the OpenAPI and discovery files that its Go module carries, and writes them
//! as the one compressed data file that tidepool parses, their fields' numbers in protobuf as another,
//! and what they say of themselves as a third. Needs Go (to fetch the modules) and `gzip`; with `--check` it only says whether the committed files are what it would write.
//!
//! The file stays OpenAPI, trimmed: descriptions, examples and defaults that only repeat Go's zero values are dropped. Beside the schemas stand
//! the groups as discovery lists them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Map, Value, json};
use xshell::{Shell, cmd};

use crate::protobuf;

const MODULE: &str = "k8s.io/kubernetes";
const VERSION: &str = "v1.36.3";
const FILE: &str = "src/tidepool/data/kubernetes-1.36.json.gz";
const NUMBERS: &str = "src/tidepool/data/protobuf-1.36.json.gz";
const WORDS: &str = "src/tidepool/data/descriptions-1.36.json.gz";
/// Writes the data files, or with `--check` compares them.
///
/// # Errors
/// When Go, gzip or the module is missing, when a file of the module is not what it was, and on options that are not known.
pub(crate) fn run(args: &[String]) -> Result<ExitCode> {
    let check = match args {
        [] => false,
        [only] if only == "--check" => true,
        _ => bail!("cargo xtask openapi takes no option but --check"),
    };
    let shell = Shell::new().context("open a shell")?;
    let api = fetch(&shell, &format!("{MODULE}@{VERSION}"))?.join("api");
    let catalogue = catalogue(&api)?;
    let folders = protobuf::MODULES.map(|module| fetch(&shell, module));
    let folders: Vec<PathBuf> = folders.into_iter().collect::<Result<_>>()?;
    let messages = protobuf::messages(&folders, |name| is_sent(name, &catalogue["schemas"]))?;
    let files = [
        (FILE, serde_json::to_string(&catalogue)),
        (NUMBERS, serde_json::to_string(&messages)),
        (
            WORDS,
            serde_json::to_string(&descriptions(&api.join("openapi-spec/v3"))?),
        ),
    ];
    let mut code = ExitCode::SUCCESS;
    for (file, text) in files {
        let text = text.with_context(|| format!("write {file} as JSON"))?;
        if check {
            if !compare(&shell, file, &text)? {
                code = ExitCode::FAILURE;
            }
        } else {
            pack(&shell, file, &text)?;
        }
    }
    Ok(code)
}

/// Whether a request can hold such a message: versions that are not served have none, and nobody sends lists.
fn is_sent(name: &str, schemas: &Value) -> bool {
    let stable = !name.contains("alpha") && !name.contains("beta");
    let is_list = name.ends_with("List") && schemas[name]["x-kubernetes-group-version-kind"].is_array();
    stable && !is_list
}

fn compare(shell: &Shell, file: &str, text: &str) -> Result<bool> {
    let path = crate::tidy::root().join(file);
    // Compared after unpacking: another gzip may pack the same text differently.
    let committed = cmd!(shell, "gzip -dc {path}")
        .quiet()
        .read()
        .context("unpack the committed file")?;
    let same = committed == text;
    let verdict = if same {
        "is up to date with"
    } else {
        "differs, run cargo xtask openapi, from what is in"
    };
    crate::say(&format!("{file} {verdict} {MODULE} {VERSION}"));
    Ok(same)
}

fn pack(shell: &Shell, file: &str, text: &str) -> Result<()> {
    let path = crate::tidy::root().join(file);
    let packed = cmd!(shell, "gzip -9nc")
        .quiet()
        .stdin(text)
        .output()
        .context("pack with gzip")?
        .stdout;
    shell
        .write_file(&path, &packed)
        .with_context(|| format!("write {file}"))?;
    crate::say(&format!("{file}: {} bytes, {} unpacked", packed.len(), text.len()));
    Ok(())
}

/// The folder of the module, downloaded if it is not there yet.
fn fetch(shell: &Shell, module: &str) -> Result<PathBuf> {
    let answer = cmd!(shell, "go mod download -json {module}")
        .env("GOTOOLCHAIN", "local")
        .quiet()
        .read()
        .with_context(|| format!("download {module} with Go; is Go installed?"))?;
    let answer: Value = serde_json::from_str(&answer).context("read what go mod download says")?;
    let folder = answer["Dir"].as_str().context("go mod download names no folder")?;
    Ok(PathBuf::from(folder))
}

fn read(path: &Path) -> Result<Value> {
    let text = std::fs::read(path).with_context(|| format!("read {}", path.display()))?;
    serde_json::from_slice(&text).with_context(|| format!("parse {}", path.display()))
}

/// Everything tidepool wants to know: `{version, groups, schemas}`.
fn catalogue(api: &Path) -> Result<Value> {
    let schemas = schemas(&api.join("openapi-spec/v3"))?;
    let mut groups = vec![core_group(&read(&api.join("discovery/api__v1.json"))?)?];
    let aggregated = read(&api.join("discovery/aggregated_v2.json"))?;
    for group in list(&aggregated, "items") {
        groups.push(group_of(group));
    }
    for group in &mut groups {
        name_schemas(group, &schemas);
    }
    let stored = groups.iter().flat_map(|group| list(group, "versions")).count();
    ensure!(
        stored > 20 && schemas.len() > 500,
        "the module's files hold far less than expected"
    );
    Ok(json!({ "version": VERSION, "groups": groups, "schemas": schemas }))
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().map(Vec::as_slice).unwrap_or_default()
}

/// What the definitions of stable versions say of themselves (under the empty name) and of their fields, in Kubernetes' own words.
fn descriptions(folder: &Path) -> Result<BTreeMap<String, BTreeMap<String, String>>> {
    let mut descriptions = BTreeMap::new();
    for file in files(folder)? {
        let document = read(&file)?;
        let found = document.pointer("/components/schemas").and_then(Value::as_object);
        for (name, schema) in found.into_iter().flatten() {
            if !name.contains("alpha") && !name.contains("beta") {
                descriptions.insert(name.clone(), described(schema));
            }
        }
    }
    Ok(descriptions)
}

fn described(schema: &Value) -> BTreeMap<String, String> {
    let text = |name: &str, of: &Value| Some((name.to_owned(), of["description"].as_str()?.to_owned()));
    let fields = schema["properties"].as_object().into_iter().flatten();
    let fields = fields.filter_map(|(name, field)| text(name, field));
    text("", schema).into_iter().chain(fields).collect()
}

fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .with_context(|| format!("list {}", folder.display()))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    files.sort();
    Ok(files)
}

/// The definitions of all files, which repeat each other's; trimmed.
fn schemas(folder: &Path) -> Result<BTreeMap<String, Value>> {
    let mut schemas = BTreeMap::new();
    for file in files(folder)? {
        let document = read(&file)?;
        let Some(found) = document.pointer("/components/schemas").and_then(Value::as_object) else {
            continue;
        };
        for (name, schema) in found {
            schemas.entry(name.clone()).or_insert_with(|| trimmed(schema));
        }
    }
    for schema in schemas.values_mut() {
        // DeleteOptions and the like list every group there is.
        if list(schema, "x-kubernetes-group-version-kind").len() > 1
            && let Some(schema) = schema.as_object_mut()
        {
            schema.remove("x-kubernetes-group-version-kind");
        }
    }
    Ok(schemas)
}

/// A schema without what no machine reads. A default is kept when it says more than Go's zero value does.
fn trimmed(schema: &Value) -> Value {
    let Some(schema) = schema.as_object() else {
        return schema.clone();
    };
    let mut kept = Map::new();
    for (key, value) in schema {
        let value = match key.as_str() {
            "description" | "x-kubernetes-unions" | "uniqueItems" => continue,
            "default" if trivial(value, schema.contains_key("allOf")) => continue,
            "properties" => Value::Object(
                value
                    .as_object()
                    .into_iter()
                    .flatten()
                    .map(|(name, schema)| (name.clone(), trimmed(schema)))
                    .collect(),
            ),
            "items" | "additionalProperties" | "not" => trimmed(value),
            "allOf" | "anyOf" | "oneOf" => value.as_array().into_iter().flatten().map(trimmed).collect(),
            _ => value.clone(),
        };
        kept.insert(key.clone(), value);
    }
    Value::Object(kept)
}

/// Whether a default says no more than Go's zero value. An empty object stays where it stands for a struct, which Go always writes out.
fn trivial(default: &Value, refers: bool) -> bool {
    match default {
        Value::Null => true,
        Value::Bool(value) => !value,
        Value::Number(value) => value.as_f64() == Some(0.0),
        Value::String(value) => value.is_empty(),
        Value::Array(value) => value.is_empty(),
        Value::Object(value) => value.is_empty() && !refers,
    }
}

/// The core group, which is listed the old way: subresources beside resources, as `pods/status`.
fn core_group(listed: &Value) -> Result<Value> {
    let (subresources, resources): (Vec<&Value>, Vec<&Value>) = list(listed, "resources")
        .iter()
        .partition(|entry| entry["name"].as_str().unwrap_or_default().contains('/'));
    let mut made: Vec<Value> = Vec::new();
    for entry in resources {
        made.push(resource(
            entry,
            "name",
            "singularName",
            &entry["kind"],
            entry["namespaced"] == true,
        ));
    }
    for entry in subresources {
        let (parent, name) = entry["name"]
            .as_str()
            .and_then(|name| name.split_once('/'))
            .context("a subresource's name")?;
        let found = subresource(entry, name, &entry["group"], &entry["version"], &entry["kind"]);
        // A subresource without a resource of its own (as serviceaccounts/token has one, this has not) belongs to nothing here.
        let Some(parent) = made.iter_mut().find(|resource| resource["plural"] == parent) else {
            continue;
        };
        if let Some(subresources) = parent["subresources"].as_array_mut() {
            subresources.push(found);
        }
    }
    Ok(json!({ "group": "", "versions": [{ "version": "v1", "resources": made }] }))
}

/// A group as aggregated discovery lists it.
fn group_of(group: &Value) -> Value {
    let versions: Vec<Value> = list(group, "versions")
        .iter()
        .map(|version| {
            let resources: Vec<Value> = list(version, "resources")
                .iter()
                .map(|entry| {
                    let kind = &entry["responseKind"]["kind"];
                    let mut made = resource(
                        entry,
                        "resource",
                        "singularResource",
                        kind,
                        entry["scope"] == "Namespaced",
                    );
                    made["subresources"] = list(entry, "subresources")
                        .iter()
                        .map(|entry| {
                            let name = entry["subresource"].as_str().unwrap_or_default();
                            let kind = &entry["responseKind"];
                            subresource(entry, name, &kind["group"], &kind["version"], &kind["kind"])
                        })
                        .collect();
                    made
                })
                .collect();
            json!({ "version": version["version"], "resources": resources })
        })
        .collect();
    json!({ "group": group["metadata"]["name"], "versions": versions })
}

fn resource(entry: &Value, plural: &str, singular: &str, kind: &Value, namespaced: bool) -> Value {
    json!({
        "plural": entry[plural], "singular": entry[singular], "kind": kind, "namespaced": namespaced,
        "shortNames": list(entry, "shortNames"), "categories": list(entry, "categories"), "verbs": entry["verbs"],
        "subresources": [],
    })
}

/// Empty group and version mean the resource's own.
fn subresource(entry: &Value, name: &str, group: &Value, version: &Value, kind: &Value) -> Value {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    json!({ "name": name, "group": text(group), "version": text(version), "kind": kind, "verbs": entry["verbs"] })
}

/// Gives each resource the name of the schema that declares its group, version and kind.
fn name_schemas(group: &mut Value, schemas: &BTreeMap<String, Value>) {
    let name = group["group"].clone();
    for version in group["versions"].as_array_mut().into_iter().flatten() {
        let number = version["version"].clone();
        for resource in version["resources"].as_array_mut().into_iter().flatten() {
            let wanted = json!([{ "group": name, "version": number, "kind": resource["kind"] }]);
            let found = schemas
                .iter()
                .find(|(_, schema)| schema["x-kubernetes-group-version-kind"] == wanted);
            if let Some((schema, _)) = found {
                resource["schema"] = json!(schema);
            }
        }
    }
}
