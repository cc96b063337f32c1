//! Admission: the webhooks that may still change or refuse a write after it was decoded.
//!
//! Which webhook wants which write is decided by pure functions over the stored configurations; calling one is the only effect. What a
//! webhook is sent and what it may answer is `admission.k8s.io/v1`, or `v1beta1` where it asks for that first.

mod hook;
mod review;
#[cfg(test)]
mod tests;
pub(crate) mod webhook;

use serde_json::Value;

use crate::apply::record;
use crate::server::types::TypeInfo;
use crate::server::{Request, Server};
use crate::status::Status;
use hook::{Hook, Phase};

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

impl Operation {
    /// As rules and reviews write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Create => "CREATE",
            Self::Update => "UPDATE",
            Self::Delete => "DELETE",
        }
    }
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

/// The admission chain of one server: the webhooks of the configurations in its store.
#[derive(Clone, Debug, Default)]
pub struct Admission {}

impl Admission {
    /// Lets every mutating webhook change the new value that wants to; none when an object is deleted.
    ///
    /// # Errors
    /// The status with which a webhook, or the failure to ask it, refuses the write.
    pub async fn mutate(
        &self,
        server: &Server,
        attributes: &mut Attributes<'_>,
        old: Option<&Value>,
        mut new: Option<&mut Value>,
    ) -> Result<(), Status> {
        let hooks = hook::read(server, Phase::Mutating);
        // For each webhook that was asked: what it left behind. It is asked again when another one changed that, if it wants to be.
        let mut left: Vec<(usize, Value)> = Vec::new();
        for (index, hook) in hooks.iter().enumerate() {
            let asked = self.ask(server, attributes, hook, old, new.as_deref_mut()).await?;
            if let (true, Some(new)) = (asked, new.as_deref()) {
                left.push((index, new.clone()));
            }
        }
        let Some(new) = new else { return Ok(()) };
        for (index, value) in left {
            if hooks[index].reinvoke && *new != value {
                self.ask(server, attributes, &hooks[index], old, Some(new)).await?;
            }
        }
        Ok(())
    }

    /// Lets every validating webhook refuse the write that wants to. `new` is none when an object is deleted.
    ///
    /// # Errors
    /// The status with which a webhook, or the failure to ask it, refuses the write.
    pub async fn validate(
        &self,
        server: &Server,
        attributes: &mut Attributes<'_>,
        old: Option<&Value>,
        new: Option<&Value>,
    ) -> Result<(), Status> {
        for hook in hook::read(server, Phase::Validating) {
            let mut copy = new.cloned();
            self.ask(server, attributes, &hook, old, copy.as_mut()).await?;
        }
        Ok(())
    }

    /// Asks one webhook, if it wants the write, and does what it says. The answer is whether it was asked.
    async fn ask(
        &self,
        server: &Server,
        attributes: &mut Attributes<'_>,
        hook: &Hook,
        old: Option<&Value>,
        new: Option<&mut Value>,
    ) -> Result<bool, Status> {
        let Some(kind) = hook::wanted_kind(server, hook, attributes, old, new.as_deref()) else {
            return Ok(false);
        };
        if attributes.request.options.dry_run && !hook.dry_run_safe {
            return Err(Status::bad_request(format!(
                "admission webhook {:?} does not support dry run",
                hook.name
            )));
        }
        let version = &kind.resource.version;
        let own = &attributes.kind.resource.version;
        let mut shown_old = match old {
            Some(old) => server.convert(attributes.kind, old.clone(), version).await?,
            None => Value::Null,
        };
        let mut shown_new = match new.as_deref() {
            Some(new) => server.convert(attributes.kind, new.clone(), version).await?,
            None => Value::Null,
        };
        record::unpack(&mut shown_old);
        record::unpack(&mut shown_new);
        let uid = server.review_uid();
        let review = review::request(hook, attributes, &kind, &uid, &shown_old, &shown_new);
        let answer = webhook::post(server.env(), &hook.address, hook.timeout, &review).await;
        let verdict = match answer {
            Ok(answer) => review::read(&answer, &uid),
            Err(why) => Err(format!("failed to call webhook: {why}")),
        };
        let answer = match verdict {
            Ok(answer) => answer,
            Err(why) if hook.ignores_failure => {
                tracing::warn!(webhook = %hook.name, %why, "failed calling webhook, failing open");
                return Ok(true);
            }
            Err(why) => {
                return Err(Status::internal(format!(
                    "failed calling webhook {:?}: {why}",
                    hook.name
                )));
            }
        };
        attributes.warnings.extend(answer.warnings);
        if let Some(denial) = answer.denial {
            return Err(review::denied(&hook.name, &denial));
        }
        if let (Phase::Mutating, Some(patch), Some(new)) = (hook.phase, answer.patch, new) {
            let mut changed = shown_new;
            json_patch::patch(&mut changed, &patch).map_err(|error| Status::internal(&error))?;
            record::pack(&mut changed);
            *new = server.convert(&kind, changed, own).await?;
        }
        Ok(true)
    }
}
