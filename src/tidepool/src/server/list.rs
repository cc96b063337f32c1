//! Get and list: snapshots, selected and cut into pages that agree with each other.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use serde_json::{Value, json};

use super::refusal::Cause;
use super::request::{Answer, Answered, Page, Request};
use super::select::{Fields, Labels, Selector};
use super::{Server, Target};
use crate::object;
use crate::status::Status;
use crate::store::Stored;

/// How long a reader waits for a revision that has not been written yet.
const PATIENCE: Duration = Duration::from_secs(3);

impl Server {
    pub(super) async fn get(&self, request: &Request, target: &Target) -> Result<Answered, Status> {
        if let Some(revision) = revision(&request.options.resource_version)? {
            self.wait_for(revision).await?;
        }
        let object = self
            .store()
            .get(&target.place)
            .ok_or_else(|| Status::not_found(&target.place.storage, &target.place.name))?;
        Ok(Answered::object(&target.kind, object))
    }

    pub(super) async fn list(&self, request: &Request, target: &Target) -> Result<Answered, Status> {
        let options = &request.options;
        let selector = self.selector(request, target)?;
        let asked = revision(&options.resource_version)?;
        check_match(request, asked)?;
        let token = if options.continue_from.is_empty() {
            None
        } else {
            if asked.is_some_and(|revision| revision != 0) {
                return Err(Status::bad_request(
                    "specifying resource version is not allowed when using continue",
                ));
            }
            Some(Token::read(&options.continue_from)?)
        };
        let exact = options.resource_version_match == "Exact"
            || (options.resource_version_match.is_empty() && options.limit > 0 && asked.is_some_and(|at| at > 0));
        let (revision, objects) = match (&token, asked) {
            (Some(token), _) if token.revision > 0 => {
                self.at(target, token.revision).map_err(|_| self.too_old(token))?
            }
            (None, Some(asked)) if exact => {
                self.wait_for(asked).await?;
                self.at(target, asked)
                    .map_err(|()| Status::expired("The resourceVersion for the provided list is too old."))?
            }
            (_, asked) => {
                self.wait_for(asked.unwrap_or(0)).await?;
                let namespace = (!target.place.namespace.is_empty()).then_some(target.place.namespace.as_str());
                self.store().list(&target.place.storage, namespace)
            }
        };
        let start = token.map(|token| token.start);
        let mut rest = objects.into_iter().filter(|object| {
            start.as_ref().is_none_or(|start| key(object) > *start) && selector.matches(&object.value)
        });
        let limit = if options.limit == 0 { usize::MAX } else { options.limit };
        let items: Vec<Arc<Stored>> = rest.by_ref().take(limit).collect();
        let left = rest.count();
        let continue_from = match items.last() {
            Some(last) if left > 0 => Token {
                revision,
                start: key(last),
            }
            .write(),
            _ => String::new(),
        };
        Ok(Answered::from(Answer::List {
            kind: target.kind.clone(),
            page: Page {
                revision,
                items,
                continue_from,
                remaining: (left > 0 && selector.is_empty()).then_some(left),
            },
        }))
    }

    /// The collection as it was at a revision, rebuilt backwards from the log.
    fn at(&self, target: &Target, revision: u64) -> Result<(u64, Vec<Arc<Stored>>), ()> {
        let namespace = (!target.place.namespace.is_empty()).then_some(target.place.namespace.as_str());
        let (now, objects) = self.store().list(&target.place.storage, namespace);
        let entries = self
            .store()
            .since(revision, Some(&target.place.storage))
            .map_err(|_| ())?;
        let mut state: BTreeMap<(String, String), Arc<Stored>> =
            objects.into_iter().map(|object| (key(&object), object)).collect();
        for entry in entries.into_iter().rev().filter(|entry| entry.revision <= now) {
            if namespace.is_some_and(|namespace| namespace != entry.place.namespace) {
                continue;
            }
            let key = (entry.place.namespace, entry.place.name);
            match entry.before {
                Some(before) => state.insert(key, before),
                None => state.remove(&key),
            };
        }
        Ok((revision, state.into_values().collect()))
    }

    fn too_old(&self, token: &Token) -> Status {
        let fresh = Token {
            revision: 0,
            start: token.start.clone(),
        };
        let mut status = Status::expired(
            "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.",
        );
        status.details = json!({ "continue": fresh.write() });
        status
    }

    /// Waits until `revision` has been written, but not for long.
    pub(super) async fn wait_for(&self, revision: u64) -> Result<(), Status> {
        if self.store().revision() >= revision {
            return Ok(());
        }
        let mut changes = self.store().changes();
        let written = changes.wait_for(|now| *now >= revision);
        match self.env().clock().timeout(PATIENCE, written).await {
            Ok(_) => Ok(()),
            Err(_) => Err(Status::too_large_revision(revision, self.store().revision())),
        }
    }

    /// What the query selects; refused when it names a field that the kind does not offer.
    pub(super) fn selector(&self, request: &Request, target: &Target) -> Result<Selector, Status> {
        let labels = Labels::parse(&request.options.label_selector).map_err(|why| {
            Status::bad_request(
                format!("unable to parse requirement: {why}").replace("unable to parse requirement: unable", "unable"),
            )
        })?;
        let fields = Fields::parse(&request.options.field_selector).map_err(Status::bad_request)?;
        let offered = self.strategy(&target.kind).fields;
        for path in fields.paths() {
            let known = ["metadata.name", "metadata.namespace"].contains(&path) || offered.contains(&path);
            if !known {
                return Err(Status::bad_request(if offered.is_empty() && !target.kind.custom {
                    format!("\"{path}\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\"")
                } else {
                    format!("field label not supported: {path}")
                }));
            }
        }
        let fields = if target.place.name.is_empty() {
            fields
        } else {
            fields.and(Fields::name(&target.place.name))
        };
        Ok(Selector { labels, fields })
    }
}

/// The number in a `resourceVersion`; none when it is empty.
pub(super) fn revision(text: &str) -> Result<Option<u64>, Status> {
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| {
        let cause = Cause::invalid(
            "resourceVersion",
            &json!(text),
            &format!("strconv.ParseUint: parsing {text:?}: invalid syntax"),
        );
        let mut status = Status::invalid_kind("meta.k8s.io", "ListOptions", "", &[cause]);
        status.code = 400;
        status.reason = "BadRequest";
        status
    })
}

fn check_match(request: &Request, asked: Option<u64>) -> Result<(), Status> {
    let options = &request.options;
    let refuse = |cause: Cause| Err(Status::invalid_kind("meta.k8s.io", "ListOptions", "", &[cause]));
    match options.resource_version_match.as_str() {
        "" => Ok(()),
        "Exact" | "NotOlderThan" if asked.is_none() => refuse(Cause::forbidden(
            "resourceVersionMatch",
            "resourceVersionMatch is forbidden unless resourceVersion is provided",
        )),
        "Exact" if asked == Some(0) => refuse(Cause::forbidden(
            "resourceVersionMatch",
            "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"",
        )),
        "Exact" | "NotOlderThan" => Ok(()),
        other => refuse(Cause {
            reason: "FieldValueNotSupported",
            field: "resourceVersionMatch".to_owned(),
            message: format!("Unsupported value: {other:?}: supported values: \"Exact\", \"NotOlderThan\""),
        }),
    }
}

fn key(object: &Stored) -> (String, String) {
    (
        object::namespace(&object.value).to_owned(),
        object::name(&object.value).to_owned(),
    )
}

/// Where a next page begins: after `start`, at `revision` (0 means now).
struct Token {
    revision: u64,
    start: (String, String),
}

impl Token {
    fn write(&self) -> String {
        let token = json!({ "v": "meta.k8s.io/v1", "rv": self.revision, "start": [self.start.0, self.start.1] });
        BASE64.encode(token.to_string())
    }

    fn read(text: &str) -> Result<Self, Status> {
        let malformed = || Status::bad_request("continue key is not valid: the token cannot be read");
        let bytes = BASE64.decode(text).map_err(|_| malformed())?;
        let token: Value = serde_json::from_slice(&bytes).map_err(|_| malformed())?;
        match (
            token["rv"].as_u64(),
            token["start"][0].as_str(),
            token["start"][1].as_str(),
        ) {
            (Some(revision), Some(namespace), Some(name)) => Ok(Self {
                revision,
                start: (namespace.to_owned(), name.to_owned()),
            }),
            _ => Err(malformed()),
        }
    }
}
