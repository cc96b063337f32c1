//! Apply: sends the writes of a plan, in order, and stops at the first that does not go through.
//!
//! No rule about rollouts is here. Every write carries the uid and resourceVersion that it was decided on; those that check again read their
//! evidence from the API server first. What comes back says what the caches must show before the key is decided on anew.

use std::collections::BTreeMap;
use std::time::Duration;

use env::Env;
use env::watch;
use kube::api::{Api, DeleteParams, DynamicObject, ListParams, Patch, PatchParams, PostParams, Preconditions};
use rollout::{Action, Evidence, Guard, Kind, Object, Op, Propagation, Read, Target, Write};
use serde_json::{Value, json};

use super::awaited::{Awaited, Sight};
use super::cache::version;
use super::served::served;
use crate::explain::explain;
use crate::lease::Standing;
use crate::telemetry::Telemetry;

/// How long one request may take. A lost answer counts as a failure; the guards make the repeated write harmless.
const REQUEST_LIMIT: Duration = Duration::from_secs(10);

/// Why the rest of a plan was not sent.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Stop {
    /// Somebody else wrote first: the object changed, is gone, or is there already. Ordinary; decide again.
    #[error("{target} changed since it was read: {cause}")]
    Outdated { target: Target, cause: String },
    /// What the write rests on is no longer so. Ordinary; decide again.
    #[error("{target}: what the write rests on no longer holds")]
    EvidenceGone { target: Target },
    /// This replica may not write any more.
    #[error("{target}: not written, this replica does not lead")]
    NotLeading { target: Target },
    /// No answer came in time.
    #[error("{target}: no answer from the API server within {} s; trying again", REQUEST_LIMIT.as_secs())]
    NoAnswer { target: Target },
    /// The API server refused, or could not be reached.
    #[error("write {target}: {}", explain(cause))]
    Failed {
        target: Target,
        #[source]
        cause: kube::Error,
    },
    /// The plan holds something that is no object; a defect of ours.
    #[error("write {target}: the planned object cannot be sent: {cause}")]
    Unsendable {
        target: Target,
        #[source]
        cause: serde_json::Error,
    },
}

impl Stop {
    /// The word that it is counted under.
    pub(crate) fn category(&self) -> &'static str {
        match self {
            Self::Outdated { .. } => "outdated",
            Self::EvidenceGone { .. } => "evidence",
            Self::NotLeading { .. } => "not-leading",
            Self::NoAnswer { .. } => "no-answer",
            Self::Failed {
                cause: kube::Error::Api(_),
                ..
            } => "refused",
            Self::Failed { .. } => "unreachable",
            Self::Unsendable { .. } => "defect",
        }
    }

    /// What a person has to know of a write that will be refused as long as nobody does something about it: what, where, what to do. A
    /// server that is busy, away or behind is none of it.
    pub(crate) fn refusal(&self) -> Option<String> {
        let status = match self {
            Self::Failed {
                cause: kube::Error::Api(status),
                ..
            } => status,
            Self::Unsendable { .. } => return Some(format!("{self}; this is a defect of the controller, report it")),
            _ => return None,
        };
        if !(400..500).contains(&status.code) || matches!(status.code, 408 | 429) {
            return None;
        }
        // Authorisers say `cannot <verb> resource`; what admission refuses has other words.
        let advice = match status.code {
            401 => "the controller's credentials are not accepted, renew them",
            403 if status.message.contains(" cannot ") => {
                "give the controller's account this right, `tidegate manifests` lists what it needs"
            }
            403 => "a policy of the cluster forbids it, change the policy or what the Rollout asks for",
            422 => "the API server finds it invalid, correct the Rollout or the object that it is made from",
            _ => "see the API server's words",
        };
        Some(format!("{self}; {advice}; it is tried again by itself"))
    }

    /// Whether the API server gave no answer at all.
    pub(crate) fn is_unanswered(&self) -> bool {
        match self {
            Self::NoAnswer { .. } => true,
            Self::Failed { cause, .. } => !matches!(cause, kube::Error::Api(_)),
            Self::Outdated { .. } | Self::EvidenceGone { .. } | Self::NotLeading { .. } | Self::Unsendable { .. } => {
                false
            }
        }
    }

    /// Whether it is part of the ordinary course: the world moved on between reading and writing.
    pub(crate) fn is_ordinary(&self) -> bool {
        matches!(
            self,
            Self::Outdated { .. } | Self::EvidenceGone { .. } | Self::NotLeading { .. }
        )
    }
}

/// What became of a plan's writes.
#[derive(Debug)]
pub(crate) struct Applied {
    /// What the caches must show of the writes that went through.
    pub(crate) awaited: Vec<Awaited>,
    /// Why the rest was not sent; nothing when all of it was.
    pub(crate) stop: Option<Stop>,
}

/// Sends requests for one process.
#[derive(Clone)]
pub(crate) struct Writer {
    pub(crate) env: Env,
    pub(crate) client: kube::Client,
    pub(crate) standing: watch::Receiver<Standing>,
    pub(crate) telemetry: Telemetry,
    /// In which version kinds are served, where it is known; elsewhere the preferred one is tried.
    pub(crate) versions: BTreeMap<Kind, &'static str>,
}

impl Writer {
    /// Sends `writes` in order.
    pub(crate) async fn apply(&self, writes: Vec<Write>) -> Applied {
        let mut awaited = Vec::new();
        for write in writes {
            match self.one(&write).await {
                Ok(sight) => awaited.extend(sight.map(|sight| Awaited {
                    kind: write.target.kind,
                    sight,
                })),
                Err(stop) => {
                    return Applied {
                        awaited,
                        stop: Some(stop),
                    };
                }
            }
        }
        Applied { awaited, stop: None }
    }

    async fn one(&self, write: &Write) -> Result<Option<Sight>, Stop> {
        let target = &write.target;
        if let Some(evidence) = &write.recheck
            && !self.within(target, self.still_holds(evidence)).await?
        {
            return Err(Stop::EvidenceGone { target: target.clone() });
        }
        // Asked last, so that a slow check cannot carry a write beyond the lease.
        if !self.standing.borrow().may_write(self.env.clock().elapsed()) {
            return Err(Stop::NotLeading { target: target.clone() });
        }
        let api = self.api(target.kind, &target.namespace);
        let name = target.name.as_str();
        let manager = Some(api::names::FIELD_MANAGER.to_owned());
        match &write.action {
            Action::Create { object } => {
                let object: DynamicObject =
                    serde_json::from_value(object.clone()).map_err(|cause| Stop::Unsendable {
                        target: target.clone(),
                        cause,
                    })?;
                let params = PostParams {
                    field_manager: manager,
                    ..PostParams::default()
                };
                let created = self.within(target, api.create(&params, &object)).await?;
                self.telemetry.wrote(&kind_name(target.kind), "create");
                Ok(version(&created).map(Sight::Version))
            }
            Action::Patch { guard, ops } => {
                let patch = self.patch(target, guard, ops.iter().map(operation).collect())?;
                let params = PatchParams {
                    field_manager: manager,
                    ..PatchParams::default()
                };
                let sent = self.within(target, api.patch(name, &params, &patch)).await;
                let patched = self.or_outdated(&api, target, guard, sent).await?;
                self.telemetry.wrote(&kind_name(target.kind), "patch");
                Ok(sight_of(target, &patched))
            }
            Action::Status { guard, status } => {
                let whole = json!({ "op": "add", "path": "/status", "value": status });
                let patch = self.patch(target, guard, vec![whole])?;
                let params = PatchParams {
                    field_manager: manager,
                    ..PatchParams::default()
                };
                let sent = self.within(target, api.patch_status(name, &params, &patch)).await;
                let patched = self.or_outdated(&api, target, guard, sent).await?;
                self.telemetry.wrote(&kind_name(target.kind), "status");
                Ok(sight_of(target, &patched))
            }
            Action::Delete { guard, propagation } => {
                let params = DeleteParams {
                    preconditions: Some(Preconditions {
                        uid: Some(guard.uid.clone()),
                        resource_version: Some(guard.resource_version.clone()),
                    }),
                    ..match propagation {
                        Propagation::Background => DeleteParams::background(),
                        Propagation::Foreground => DeleteParams::foreground(),
                    }
                };
                self.within(target, api.delete(name, &params)).await?;
                self.telemetry.wrote(&kind_name(target.kind), "delete");
                Ok(Some(Sight::Leaving {
                    place: (target.namespace.clone(), target.name.clone()),
                    uid: guard.uid.clone(),
                }))
            }
        }
    }

    /// Reads the evidence from the API server, not from the caches, and judges it.
    async fn still_holds(&self, evidence: &Evidence) -> Result<bool, kube::Error> {
        let mut fresh: Vec<(Kind, Object)> = Vec::new();
        for read in evidence.reads() {
            match read {
                Read::Get(target) => {
                    let found = self.read(&target).await?;
                    fresh.extend(found.map(|object| (target.kind, Object::new(object))));
                }
                Read::List {
                    kind,
                    namespace,
                    selector,
                } => {
                    let api = self.api(kind, &namespace);
                    let found = api.list(&ListParams::default().labels(&selector)).await?;
                    fresh.extend(found.items.into_iter().map(|object| (kind, Object::new(object))));
                }
            }
        }
        Ok(evidence.still_holds(&fresh))
    }

    /// Reads one object, if it is there. A version that is not served any more answers like an object that is not there: for a kind that may
    /// come and go, what is not found is looked for again in the version that is served now.
    async fn read(&self, target: &Target) -> Result<Option<DynamicObject>, kube::Error> {
        let asked = self.version(target.kind);
        let found = self
            .api_in(target.kind, asked, &target.namespace)
            .get_opt(&target.name)
            .await?;
        if found.is_some() || !target.kind.optional() {
            return Ok(found);
        }
        match served(&self.client, target.kind).await? {
            Some(version) if version != asked => {
                let api = self.api_in(target.kind, version, &target.namespace);
                api.get_opt(&target.name).await
            }
            Some(_) | None => Ok(None),
        }
    }

    fn version(&self, kind: Kind) -> &'static str {
        self.versions.get(&kind).copied().unwrap_or(kind.preferred())
    }

    fn api(&self, kind: Kind, namespace: &str) -> Api<DynamicObject> {
        self.api_in(kind, self.version(kind), namespace)
    }

    fn api_in(&self, kind: Kind, version: &str, namespace: &str) -> Api<DynamicObject> {
        Api::namespaced_with(self.client.clone(), namespace, &kind.api_resource_in(version))
    }

    /// A JSON Patch that changes nothing unless the object still is what was decided on.
    fn patch(&self, target: &Target, guard: &Guard, ops: Vec<Value>) -> Result<Patch<()>, Stop> {
        let mut all = vec![
            json!({ "op": "test", "path": "/metadata/uid", "value": guard.uid }),
            json!({ "op": "test", "path": "/metadata/resourceVersion", "value": guard.resource_version }),
        ];
        all.extend(ops);
        serde_json::from_value(Value::Array(all))
            .map(Patch::Json)
            .map_err(|cause| Stop::Unsendable {
                target: target.clone(),
                cause,
            })
    }

    /// A `test` that fails and an object that the schema refuses have one status code, 422: only a look at the object tells which it was.
    async fn or_outdated(
        &self,
        api: &Api<DynamicObject>,
        target: &Target,
        guard: &Guard,
        sent: Result<DynamicObject, Stop>,
    ) -> Result<DynamicObject, Stop> {
        match sent {
            Err(Stop::Failed {
                cause: kube::Error::Api(status),
                target: refused,
            }) if status.code == 422 => {
                let now = self.within(target, api.get_opt(&target.name)).await?;
                let same = now.is_some_and(|now| {
                    now.metadata.uid.as_ref() == Some(&guard.uid)
                        && now.metadata.resource_version.as_ref() == Some(&guard.resource_version)
                });
                if same {
                    Err(Stop::Failed {
                        target: refused,
                        cause: kube::Error::Api(status),
                    })
                } else {
                    Err(Stop::Outdated {
                        target: refused,
                        cause: "it is at another version".to_owned(),
                    })
                }
            }
            sent => sent,
        }
    }

    async fn within<T>(
        &self,
        target: &Target,
        request: impl Future<Output = Result<T, kube::Error>>,
    ) -> Result<T, Stop> {
        let target = || target.clone();
        match self.env.clock().timeout(REQUEST_LIMIT, request).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(kube::Error::Api(status))) if matches!(status.code, 404 | 409 | 412) => Err(Stop::Outdated {
                target: target(),
                cause: status.message,
            }),
            Ok(Err(cause)) => Err(Stop::Failed {
                target: target(),
                cause,
            }),
            Err(env::Elapsed) => Err(Stop::NoAnswer { target: target() }),
        }
    }
}

fn kind_name(kind: Kind) -> String {
    kind.to_string()
}

fn operation(op: &Op) -> Value {
    match op {
        Op::Add { path, value } => json!({ "op": "add", "path": path, "value": value }),
        Op::Replace { path, value } => json!({ "op": "replace", "path": path, "value": value }),
        Op::Remove { path } => json!({ "op": "remove", "path": path }),
    }
}

/// What the cache must show after a patch. One that takes the last finalizer off an object on its way out ends in its absence.
fn sight_of(target: &Target, patched: &DynamicObject) -> Option<Sight> {
    let metadata = &patched.metadata;
    if metadata.deletion_timestamp.is_some() && metadata.finalizers.as_ref().is_none_or(Vec::is_empty) {
        return Some(Sight::Gone {
            place: (target.namespace.clone(), target.name.clone()),
            uid: metadata.uid.clone().unwrap_or_default(),
        });
    }
    version(patched).map(Sight::Version)
}
