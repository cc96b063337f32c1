//! A request to the API server and its answer, as values: HTTP is a codec around these, the embedded cluster makes them directly.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::log::LogOptions;
use super::types::TypeInfo;
use super::watch::WatchStream;
use crate::cluster::DeleteOptions;
use crate::logs::Following;
use crate::resource::Resource;
use crate::store::Stored;

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// Read one object.
    Get,
    /// Read a collection.
    List,
    /// Follow a collection.
    Watch,
    /// Make an object.
    Create,
    /// Replace an object.
    Update,
    /// Change parts of an object.
    Patch(PatchKind),
    /// Remove an object.
    Delete,
    /// Remove the objects of a collection.
    DeleteCollection,
}

impl Verb {
    /// The verb as RBAC rules, traces and metrics name it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::List => "list",
            Self::Watch => "watch",
            Self::Create => "create",
            Self::Update => "update",
            Self::Patch(_) => "patch",
            Self::Delete => "delete",
            Self::DeleteCollection => "deletecollection",
        }
    }
}

/// How a patch's body is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PatchKind {
    /// RFC 6902.
    Json,
    /// RFC 7386.
    Merge,
    /// Kubernetes' strategic merge.
    Strategic,
    /// Server-side apply.
    Apply,
}

/// What becomes of fields that the schema does not know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FieldValidation {
    /// Dropped in silence.
    Ignore,
    /// Dropped, and the answer warns.
    #[default]
    Warn,
    /// The request is refused.
    Strict,
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The user's name.
    pub name: String,
    /// The groups it is in.
    pub groups: Vec<String>,
}

impl User {
    /// A user who may do everything.
    pub fn named(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            groups: vec!["system:masters".to_owned(), "system:authenticated".to_owned()],
        }
    }
}

/// The query of a request.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Options {
    /// `resourceVersion`; empty means the newest.
    pub resource_version: String,
    /// `resourceVersionMatch`.
    pub resource_version_match: String,
    /// `limit`; 0 means all.
    pub limit: usize,
    /// `continue`.
    pub continue_from: String,
    /// `labelSelector`.
    pub label_selector: String,
    /// `fieldSelector`.
    pub field_selector: String,
    /// `timeoutSeconds`.
    pub timeout: Option<Duration>,
    /// `allowWatchBookmarks`.
    pub bookmarks: bool,
    /// `sendInitialEvents`.
    pub send_initial_events: Option<bool>,
    /// `dryRun=All`.
    pub dry_run: bool,
    /// `fieldManager`; empty when none was given.
    pub field_manager: String,
    /// `fieldValidation`.
    pub field_validation: FieldValidation,
    /// `force` of server-side apply.
    pub force: bool,
    /// How to delete.
    pub delete: DeleteOptions,
    /// Which lines of a log.
    pub log: LogOptions,
}

/// One request.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// What is to be done.
    pub verb: Verb,
    /// API group; empty for the core group.
    pub group: String,
    /// API version.
    pub version: String,
    /// Plural name.
    pub plural: String,
    /// Subresource; empty when there is none.
    pub subresource: String,
    /// Namespace; empty for all namespaces, and where the type has none.
    pub namespace: String,
    /// Name; empty for collections.
    pub name: String,
    /// Query.
    pub options: Options,
    /// Body; null when there is none.
    pub body: Value,
    /// Who asks.
    pub user: User,
}

impl Request {
    /// A request of the server itself about `resource`, without name, options or body.
    pub fn new(verb: Verb, resource: &Resource, user: User) -> Self {
        Self {
            verb,
            group: resource.group.to_string(),
            version: resource.version.to_string(),
            plural: resource.plural.to_string(),
            subresource: String::new(),
            namespace: String::new(),
            name: String::new(),
            options: Options {
                field_manager: "kube-apiserver".to_owned(),
                ..Options::default()
            },
            body: Value::Null,
            user,
        }
    }

    /// The request's path in HTTP, without its query.
    pub fn path(&self) -> String {
        let mut path = if self.group.is_empty() {
            format!("/api/{}", self.version)
        } else {
            format!("/apis/{}/{}", self.group, self.version)
        };
        if !self.namespace.is_empty() {
            path.push_str("/namespaces/");
            path.push_str(&self.namespace);
        }
        for part in [&self.plural, &self.name, &self.subresource] {
            if !part.is_empty() {
                path.push('/');
                path.push_str(part);
            }
        }
        path
    }
}

/// A page of a collection, in storage form.
#[derive(Clone, Debug)]
pub struct Page {
    /// The revision at which the collection was so.
    pub revision: u64,
    /// Its objects in the order of namespace and name.
    pub items: Vec<Arc<Stored>>,
    /// Where the next page begins; empty when this is the last.
    pub continue_from: String,
    /// How many objects are left, where that is known.
    pub remaining: Option<usize>,
}

/// What a request is answered with. Objects are in storage form; [`super::Server::convert`] renders them in the version that was asked for.
#[derive(Debug)]
pub enum Answer {
    /// An object of the type.
    Object {
        /// Its type in the version that was asked for.
        kind: Arc<TypeInfo>,
        /// The object.
        object: Arc<Stored>,
        /// Whether this request made it.
        created: bool,
    },
    /// A page of a collection.
    List {
        /// The type in the version that was asked for.
        kind: Arc<TypeInfo>,
        /// The page.
        page: Page,
    },
    /// Events to come.
    Watch {
        /// The type in the version that was asked for.
        kind: Arc<TypeInfo>,
        /// The events.
        stream: Box<WatchStream>,
    },
    /// An object of another kind than the collection's: a Scale, a Status of success.
    Other {
        /// The object as it goes over the wire.
        object: Value,
        /// Whether this request made something.
        created: bool,
    },
    /// Text, as of a log.
    Text(String),
    /// A log that goes on.
    Follow {
        /// What there is already, each line with its end.
        first: Vec<String>,
        /// The lines to come.
        rest: Box<Following>,
        /// Whether lines begin with their times.
        timestamps: bool,
    },
}

/// An answer and what the client is to be told beside it.
#[derive(Debug)]
pub struct Answered {
    /// The answer.
    pub answer: Answer,
    /// Texts of `Warning` headers.
    pub warnings: Vec<String>,
}
