//! From an answer to a response: the version and form that were asked for, as JSON or YAML, whole or as a stream.

use std::sync::Arc;

use bytes::Bytes;
use env::{Body, BoxError};
use futures::stream;
use http::header::{CONTENT_TYPE, WARNING};
use http::{Response, StatusCode};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use serde_json::{Value, json};

use super::negotiate::{Form, Text};
use super::plain;
use super::wire::Wire;
use crate::apply::record;
use crate::logs::Following;
use crate::server::log::shown;
use crate::server::request::{Answer, Answered, Page};
use crate::server::watch::{Event, WatchStream};
use crate::server::{Server, TypeInfo};
use crate::status::Status;
use crate::store::{Change, Stored};
use crate::table::{builtin, partial, table};

pub(super) fn status(text: Text, status: &Status) -> Result<Response<Body>, BoxError> {
    let code = StatusCode::from_u16(status.code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = value(code, text, &status.to_json())?;
    if let Some(seconds) = status.details["retryAfterSeconds"].as_u64() {
        response
            .headers_mut()
            .insert(http::header::RETRY_AFTER, http::HeaderValue::from(seconds));
    }
    Ok(response)
}

pub(super) fn value(code: StatusCode, text: Text, value: &Value) -> Result<Response<Body>, BoxError> {
    let bytes = match text {
        Text::Json => serde_json::to_vec(value)?,
        Text::Yaml => serde_yaml::to_string(value)?.into_bytes(),
    };
    plain(code, text.media_type(), bytes)
}

/// Objects, whose records of owners are packed.
fn objects(code: StatusCode, text: Text, wire: Wire<'_>) -> Result<Response<Body>, BoxError> {
    let json = serde_json::to_vec(&wire)?;
    match text {
        Text::Json => plain(code, text.media_type(), json),
        Text::Yaml => value(code, text, &serde_json::from_slice(&json)?),
    }
}

pub(super) async fn answered(
    server: &Server,
    answered: Answered,
    text: Text,
    form: Form,
) -> Result<Response<Body>, BoxError> {
    let code = |created: bool| if created { StatusCode::CREATED } else { StatusCode::OK };
    let mut response = match answered.answer {
        Answer::Object { kind, object, created } => match one(server, &kind, &object, form, true).await {
            Ok(object) => objects(code(created), text, Wire::Object(&object))?,
            Err(refused) => status(text, &refused)?,
        },
        Answer::List { kind, page } => match list(server, &kind, &page, form).await {
            Ok(list) => objects(StatusCode::OK, text, Wire::List(&list))?,
            Err(refused) => status(text, &refused)?,
        },
        Answer::Other { object, created } => value(code(created), text, &view(server, object, form))?,
        Answer::Text(log) => plain(StatusCode::OK, "text/plain", log)?,
        Answer::Follow {
            first,
            rest,
            timestamps,
        } => follow(first, *rest, timestamps)?,
        Answer::Watch { kind, stream } => watch(kind, *stream, form)?,
    };
    for warning in answered.warnings {
        let quoted = warning.replace('\\', "\\\\").replace('"', "\\\"");
        if let Ok(header) = http::HeaderValue::from_str(&format!("299 - \"{quoted}\"")) {
            response.headers_mut().append(WARNING, header);
        }
    }
    Ok(response)
}

/// A view of an object in a form. One that is not printed in its own way, as the Status of a success, stays as it is.
fn view(server: &Server, object: Value, form: Form) -> Value {
    match (form, builtin::columns_of_view(&object)) {
        (Form::Table(include), Some(columns)) => {
            let mut table = table(columns, &[&object], server.env().now(), include, true);
            table["metadata"] = json!({ "resourceVersion": object["metadata"]["resourceVersion"] });
            table
        }
        _ => object,
    }
}

/// One object in a form. `columns` says whether a table carries its column definitions.
async fn one(server: &Server, kind: &TypeInfo, object: &Stored, form: Form, columns: bool) -> Result<Value, Status> {
    let mut whole = server
        .convert(kind, object.value.clone(), &kind.resource.version)
        .await?;
    if matches!(form, Form::Table(_)) {
        record::unpack(&mut whole);
    }
    Ok(match form {
        Form::Whole | Form::Discovery => whole,
        Form::Partial => partial(&whole),
        Form::Table(include) => {
            let mut table = table(&kind.columns, &[&whole], server.env().now(), include, columns);
            table["metadata"] = json!({ "resourceVersion": object.version.to_string() });
            table
        }
    })
}

async fn list(server: &Server, kind: &TypeInfo, page: &Page, form: Form) -> Result<Value, Status> {
    let stored = page.items.iter().map(|item| item.value.clone()).collect();
    let mut items = server.convert_all(kind, stored, &kind.resource.version).await?;
    if matches!(form, Form::Table(_)) {
        items.iter_mut().for_each(record::unpack);
    }
    let mut metadata = json!({ "resourceVersion": page.revision.to_string() });
    if !page.continue_from.is_empty() {
        metadata["continue"] = json!(page.continue_from);
    }
    if let Some(remaining) = page.remaining {
        metadata["remainingItemCount"] = json!(remaining);
    }
    Ok(match form {
        Form::Table(include) => {
            let items: Vec<&Value> = items.iter().collect();
            let mut table = table(&kind.columns, &items, server.env().now(), include, true);
            table["metadata"] = metadata;
            table
        }
        Form::Partial => json!({
            "kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1", "metadata": metadata,
            "items": items.iter().map(partial).collect::<Vec<_>>(),
        }),
        Form::Whole | Form::Discovery => {
            if !kind.custom {
                // Typed lists of the built-in kinds say kind and version once.
                for item in items.iter_mut().filter_map(Value::as_object_mut) {
                    item.remove("kind");
                    item.remove("apiVersion");
                }
            }
            json!({
                "kind": format!("{}List", kind.resource.kind), "apiVersion": kind.resource.api_version(),
                "metadata": metadata, "items": items,
            })
        }
    })
}

/// A log as a body that ends when its pod does.
fn follow(first: Vec<String>, rest: Following, timestamps: bool) -> Result<Response<Body>, BoxError> {
    let lines = stream::unfold((first.into_iter(), rest), move |(mut first, mut rest)| async move {
        let line = match first.next() {
            Some(line) => line,
            None => shown(&rest.next().await?, timestamps),
        };
        let data: Result<Frame<Bytes>, BoxError> = Ok(Frame::data(Bytes::from(line)));
        Some((data, (first, rest)))
    });
    Ok(Response::builder()
        .status(StatusCode::OK)
        .header(CONTENT_TYPE, "text/plain")
        .body(BodyExt::boxed_unsync(StreamBody::new(lines)))?)
}

/// A watch as a body that ends when the watch does.
fn watch(kind: Arc<TypeInfo>, stream: WatchStream, form: Form) -> Result<Response<Body>, BoxError> {
    let state = (kind, stream, true);
    let frames = stream::unfold(state, move |(kind, mut events, first)| async move {
        let event = events.next().await?;
        let server = events.server().clone();
        let line = frame(&server, &kind, &event, form, first).await;
        let data = serde_json::to_vec(&Wire::Event(&line)).map_err(BoxError::from);
        let data = data.map(|mut bytes| {
            bytes.push(b'\n');
            Frame::data(Bytes::from(bytes))
        });
        let still_first = first && !matches!(event, Event::Changed(..));
        Some((data, (kind, events, still_first)))
    });
    Ok(Response::builder()
        .status(StatusCode::OK)
        .header(CONTENT_TYPE, Text::Json.media_type())
        .body(BodyExt::boxed_unsync(StreamBody::new(frames)))?)
}

async fn frame(server: &Server, kind: &TypeInfo, event: &Event, form: Form, first: bool) -> Value {
    match event {
        Event::Changed(change, stored) => match one(server, kind, stored, form, first).await {
            Ok(object) => json!({ "type": name(*change), "object": object }),
            Err(status) => json!({ "type": "ERROR", "object": status.to_json() }),
        },
        Event::Bookmark { revision, initial_end } => {
            let mut metadata = json!({ "resourceVersion": revision.to_string(), "creationTimestamp": null });
            if *initial_end {
                metadata["annotations"] = json!({ "k8s.io/initial-events-end": "true" });
            }
            let object = match form {
                Form::Whole | Form::Discovery => {
                    json!({ "kind": kind.resource.kind, "apiVersion": kind.resource.api_version(), "metadata": metadata })
                }
                Form::Partial => {
                    json!({ "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": metadata })
                }
                Form::Table(_) => json!({
                    "kind": "Table", "apiVersion": "meta.k8s.io/v1",
                    "metadata": { "resourceVersion": revision.to_string() }, "columnDefinitions": null,
                    "rows": [{ "cells": null, "object": {
                        "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": metadata,
                    } }],
                }),
            };
            json!({ "type": "BOOKMARK", "object": object })
        }
        Event::Failed(status) => json!({ "type": "ERROR", "object": status.to_json() }),
    }
}

const fn name(change: Change) -> &'static str {
    match change {
        Change::Added => "ADDED",
        Change::Modified => "MODIFIED",
        Change::Deleted => "DELETED",
    }
}
