//! How an answer is printed: a sentence, a name, or the object as kubectl would show it.

use std::io::Write;

use serde::Serialize;
use serde_json::{Value, json};

use crate::Failure;
use crate::args::{DryRun, Output};
use crate::target::Target;

/// Prints one answer in the form that was asked for.
pub(crate) fn print(
    out: &mut dyn Write,
    output: Option<Output>,
    target: &Target,
    said: &str,
    object: &impl Serialize,
) -> Result<(), Failure> {
    match output {
        None => writeln!(out, "{target} {said}")?,
        Some(Output::Name) => writeln!(out, "{}", target.typed())?,
        Some(Output::Json) => json_text(out, &shown(object)?)?,
        Some(Output::Yaml) => yaml_text(out, &shown(object)?)?,
    }
    Ok(())
}

/// Prints several objects as one `List`.
pub(crate) fn print_list(
    out: &mut dyn Write,
    output: Output,
    objects: &[(Target, impl Serialize)],
) -> Result<(), Failure> {
    let items = objects.iter().map(|(_, object)| shown(object));
    let list = json!({
        "apiVersion": "v1", "kind": "List", "metadata": { "resourceVersion": "" },
        "items": items.collect::<Result<Vec<Value>, Failure>>()?,
    });
    match output {
        Output::Json => json_text(out, &list),
        Output::Yaml => yaml_text(out, &list),
        Output::Name => {
            for (target, _) in objects {
                writeln!(out, "{}", target.typed())?;
            }
            Ok(())
        }
    }
}

/// What was done, or would have been.
pub(crate) fn marked(said: &str, dry_run: DryRun) -> String {
    match dry_run {
        DryRun::None => said.to_owned(),
        DryRun::Client => format!("{said} (dry run)"),
        DryRun::Server => format!("{said} (server dry run)"),
    }
}

/// The object without the server's notes on who set which field, which kubectl leaves out, too.
fn shown(object: &impl Serialize) -> Result<Value, Failure> {
    let mut value = serde_json::to_value(object).map_err(unprintable)?;
    if let Some(metadata) = value.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("managedFields");
    }
    Ok(value)
}

fn json_text(out: &mut dyn Write, value: &Value) -> Result<(), Failure> {
    let mut text = Vec::new();
    let four = serde_json::ser::PrettyFormatter::with_indent(b"    ");
    let mut serializer = serde_json::Serializer::with_formatter(&mut text, four);
    serde::Serialize::serialize(value, &mut serializer).map_err(unprintable)?;
    text.push(b'\n');
    Ok(out.write_all(&text)?)
}

fn yaml_text(out: &mut dyn Write, value: &Value) -> Result<(), Failure> {
    Ok(write!(out, "{}", serde_yaml::to_string(value).map_err(unprintable)?)?)
}

fn unprintable(error: impl std::fmt::Display) -> Failure {
    Failure(format!("cannot print it: {error}"))
}
