//! Everything that was read for a plan, kept to plan from later: the format of the file, and what it answers.
//!
//! ARM's words are kept as they were, except the values of secret fields: those are blank. What this module must not
//! know: files, and who reads them.

mod answers;
mod secrets;

pub use answers::Unanswered;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::kinds::Kind;
use crate::model::{ContextReading, Listing, LiveState, Missing, Read, ReadMethod, Reading, ResourceId, understands};

/// The version of the snapshot format: a new minor adds, a new major breaks.
pub const FORMAT_VERSION: &str = "1.0";

/// What ARM said, where and when.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Snapshot {
    /// The version of this format.
    pub format_version: String,
    /// The version of arcflux that took the snapshot.
    pub arcflux_version: String,
    /// The ARM endpoint that was read: scheme, host and port.
    pub origin: String,
    /// The name of the Azure cloud, where the endpoint is that of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cloud: Option<String>,
    /// The tenant that the reader was signed in to, where the token told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// When the reads were sent.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub as_of: Timestamp,
    /// Every read with its answer, ordered by id.
    pub reads: Vec<Answered>,
    /// What looking at clusters themselves gave, ordered by id.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contexts: Vec<Looked>,
}

/// What looking at a cluster itself gave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Looked {
    /// The connected cluster that it is, or is to be.
    pub id: ResourceId,
    /// The context of the kubeconfig that reached it.
    pub context: String,
    /// What was seen.
    pub reading: ContextReading,
}

/// One read with its answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Answered {
    /// The resource, or the collection below a resource.
    pub id: ResourceId,
    /// Whether one resource was read, or a collection.
    pub method: Method,
    /// The api-version that was asked with.
    pub api_version: String,
    /// What ARM answered.
    pub answer: Answer,
}

/// Whether one resource was read, or a collection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// One resource.
    Get,
    /// A collection, all pages of it.
    List,
}

/// What ARM answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// The body of the resource.
    Present(serde_json::Map<String, Value>),
    /// The items of the collection.
    Items(Vec<Value>),
    /// 404: it does not exist; everything above it does.
    Missing,
    /// 404: something above it does not exist. ARM's sentence.
    ParentMissing(String),
    /// 403: the reader may not read it. ARM's sentence.
    Denied(String),
}

/// Why a document is not a snapshot to plan from.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// It is of a format that this version does not read.
    #[error("it has the snapshot format `{0}`, and this arcflux understands {FORMAT_VERSION}")]
    Format(String),
    /// It is not what the format says.
    #[error("{0}")]
    Garbled(#[from] serde_json::Error),
    /// A collection is answered as one resource, or one resource as a collection.
    #[error("the answer to {} {id} is not one to {}", method.verb(), method.verb())]
    Unfit {
        /// How it was read.
        method: Method,
        /// What was read.
        id: ResourceId,
    },
    /// One read has two answers.
    #[error("{} {id} is in it twice", method.verb())]
    Twice {
        /// How it was read.
        method: Method,
        /// What was read.
        id: ResourceId,
    },
}

impl Method {
    /// The word for it in messages.
    #[must_use]
    pub const fn verb(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::List => "LIST",
        }
    }
}

impl From<ReadMethod> for Method {
    fn from(method: ReadMethod) -> Self {
        match method {
            ReadMethod::Get => Self::Get,
            ReadMethod::List | ReadMethod::ListIfSupported => Self::List,
        }
    }
}

impl Snapshot {
    /// Keeps the answers that `live` holds to `reads`, without the values of secrets.
    #[must_use]
    pub fn take(
        origin: &str,
        cloud: Option<&str>,
        tenant: Option<&str>,
        (reads, contexts): (&[Read], &[(&ResourceId, &str)]),
        live: &LiveState,
    ) -> Self {
        let mut contexts: Vec<Looked> = contexts.iter().filter_map(|(id, context)| looked(id, context, live)).collect();
        contexts.sort_by(|one, other| one.id.cmp(&other.id));
        let mut answered: Vec<Answered> = reads.iter().filter_map(|read| answered(read, live)).collect();
        answered.sort_by(|one, other| (&one.id, one.method).cmp(&(&other.id, other.method)));
        Self {
            format_version: FORMAT_VERSION.to_owned(),
            arcflux_version: env!("CARGO_PKG_VERSION").to_owned(),
            origin: origin.to_owned(),
            cloud: cloud.map(str::to_owned),
            tenant: tenant.map(str::to_owned),
            as_of: live.as_of,
            reads: answered,
            contexts,
        }
    }

    /// The api-version that resources of a kind were read with, if any were.
    #[must_use]
    pub fn api_version(&self, kind: Kind) -> Option<&str> {
        let is_of = |read: &&Answered| match (read.id.resource_type(), read.id.segment_after("providers")) {
            (Some(full), _) => Kind::of_type(&full) == Some(kind),
            (None, Some(_)) => kind == Kind::ProviderRegistration,
            (None, None) => kind == Kind::ResourceGroup,
        };
        self.reads.iter().find(is_of).map(|read| read.api_version.as_str())
    }

    /// Reads a document of this format.
    ///
    /// # Errors
    ///
    /// [`SnapshotError`] when it is of another format, or says what no ARM could have said.
    pub fn from_json(document: Value) -> Result<Self, SnapshotError> {
        let version = document.get("format_version").and_then(Value::as_str).unwrap_or_default();
        if !understands(FORMAT_VERSION, version) {
            return Err(SnapshotError::Format(version.to_owned()));
        }
        let mut snapshot: Self = serde_json::from_value(document)?;
        snapshot.reads.sort_by(|one, other| (&one.id, one.method).cmp(&(&other.id, other.method)));
        for Answered { id, method, api_version: _, answer } in &snapshot.reads {
            let fits = match answer {
                Answer::Present(_) => *method == Method::Get,
                Answer::Items(_) => *method == Method::List,
                Answer::Missing | Answer::ParentMissing(_) | Answer::Denied(_) => true,
            };
            if !fits {
                return Err(SnapshotError::Unfit { method: *method, id: id.clone() });
            }
        }
        let twice = snapshot.reads.windows(2).find_map(|pair| match pair {
            [one, other] if one.id == other.id && one.method == other.method => Some(one),
            _ => None,
        });
        match twice {
            Some(Answered { id, method, .. }) => Err(SnapshotError::Twice { method: *method, id: id.clone() }),
            None => Ok(snapshot),
        }
    }
}

fn looked(id: &ResourceId, context: &str, live: &LiveState) -> Option<Looked> {
    let reading = live.contexts.get(id)?.clone();
    Some(Looked { id: id.clone(), context: context.to_owned(), reading })
}

fn answered(read: &Read, live: &LiveState) -> Option<Answered> {
    let mut answer = match read.method {
        ReadMethod::Get => match live.readings.get(&read.id)? {
            Reading::Present(Value::Object(body)) => Answer::Present(body.clone()),
            // `arm` takes nothing but an object for a resource.
            Reading::Present(_) => return None,
            Reading::Missing(missing) => of_missing(missing),
            Reading::Denied(sentence) => Answer::Denied(sentence.clone()),
        },
        ReadMethod::List | ReadMethod::ListIfSupported => match live.listings.get(&read.id)? {
            Listing::Items(items) => Answer::Items(items.clone()),
            Listing::Missing(missing) => of_missing(missing),
            Listing::Denied(sentence) => Answer::Denied(sentence.clone()),
        },
    };
    secrets::blank(&read.id, &mut answer);
    Some(Answered { id: read.id.clone(), method: read.method.into(), api_version: read.api_version.clone(), answer })
}

fn of_missing(missing: &Missing) -> Answer {
    match missing {
        Missing::Itself => Answer::Missing,
        Missing::Parent(sentence) => Answer::ParentMissing(sentence.clone()),
    }
}
