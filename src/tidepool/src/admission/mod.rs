//! Admission: what may still change or refuse a write after it was decoded.

use serde_json::Value;

use crate::server::types::TypeInfo;
use crate::server::{Request, Server};
use crate::status::Status;

/// What a write does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// An object is made.
    Create,
    /// An object is replaced.
    Update,
    /// An object is removed.
    Delete,
}

/// One write, as admission sees it.
#[derive(Debug)]
pub struct Attributes<'a> {
    /// What it does.
    pub operation: Operation,
    /// The request.
    pub request: &'a Request,
    /// The type in the request's version.
    pub kind: &'a TypeInfo,
    /// The object's name.
    pub name: &'a str,
    /// What the client is to be told.
    pub warnings: Vec<String>,
}

impl<'a> Attributes<'a> {
    /// The attributes of one write.
    pub fn new(operation: Operation, request: &'a Request, kind: &'a TypeInfo, name: &'a str) -> Self {
        Self {
            operation,
            request,
            kind,
            name,
            warnings: Vec::new(),
        }
    }
}

/// The admission chain of one server.
#[derive(Clone, Debug, Default)]
pub struct Admission {}

impl Admission {
    /// Lets everything change the new value that wants to.
    #[expect(clippy::unused_async, reason = "webhooks are asked here")]
    pub async fn mutate(
        &self,
        server: &Server,
        attributes: &mut Attributes<'_>,
        old: Option<&Value>,
        new: &mut Value,
    ) -> Result<(), Status> {
        let _ = (server, attributes, old, new);
        Ok(())
    }

    /// Lets everything refuse the write that wants to. `new` is none when an object is deleted.
    #[expect(clippy::unused_async, reason = "webhooks are asked here")]
    pub async fn validate(
        &self,
        server: &Server,
        attributes: &mut Attributes<'_>,
        old: Option<&Value>,
        new: Option<&Value>,
    ) -> Result<(), Status> {
        let _ = (server, attributes, old, new);
        Ok(())
    }
}
