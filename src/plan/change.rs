//! One resource's part of a plan.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use super::{Step, sensitive};
use crate::diff::{FieldChange, clean, compare};
use crate::kinds::{Kind, shown_path};
use crate::model::{Address, Digest, FieldPath, ResourceId, SecretRef};

/// What happens to one resource.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// Its name for people.
    pub address: Address,
    /// Its ARM id.
    pub id: ResourceId,
    /// Its kind.
    #[serde(rename = "type")]
    pub kind: Kind,
    /// The api-version that it was read with and is written with.
    pub api_version: String,
    /// What changes, as whole bodies.
    pub change: Delta,
    /// Why.
    pub action_reason: Reason,
    /// What changes, field by field. Values that look like secrets are masked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldChange>,
    /// What differs and is left as it is live, because the spec says `ignore`. `after` is what the spec says. Values that
    /// look like secrets are masked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ignored: Vec<FieldChange>,
    /// What was changed outside of arcflux since the base: `before` is what the base says, `after` is live. Only where
    /// there is a base. Values that look like secrets are masked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub drift: Vec<FieldChange>,
    /// When it was last changed, and by whom, where something differs and Azure says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modified: Option<Modified>,
    /// How many values stay as they are.
    pub unchanged: usize,
    /// The secrets that would be sent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<SecretWrite>,
    /// What it means for the cluster.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub consequences: Vec<Consequence>,
    /// What must be done before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<Address>,
    /// The cluster that it is, or lies on: writes on one cluster go one at a time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<ResourceId>,
    /// What apply does, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<Step>,
    /// What must still be true just before the first write.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub precondition: Option<Precondition>,
    /// The digest of this change alone: what a saved plan is held against.
    pub fingerprint: String,
}

impl Change {
    /// Whether it writes to Azure.
    #[must_use]
    pub fn writes(&self) -> bool {
        self.steps.iter().any(Step::writes)
    }
}

/// A change as whole bodies, in the comparable shape. Values that look like secrets are masked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Delta {
    /// What is done.
    pub actions: Action,
    /// The live body; null where there is none.
    pub before: Value,
    /// The wanted body; null where there is none.
    pub after: Value,
    /// The fields that cannot change in place.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub replace_paths: Vec<FieldPath>,
}

/// What is done to a resource. Written as Terraform's list of actions: `["update"]`, `["delete", "create"]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// Nothing is written.
    NoOp,
    /// Only read: a reference to something that must exist.
    Read,
    /// Created.
    Create,
    /// Updated in place.
    Update,
    /// Deleted and created again.
    Replace,
    /// Deleted.
    Delete,
}

impl Action {
    const ALL: [Self; 6] = [Self::NoOp, Self::Read, Self::Create, Self::Update, Self::Replace, Self::Delete];

    /// Terraform's symbol for it; empty where nothing is written.
    #[must_use]
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::NoOp => "",
            Self::Read => "<=",
            Self::Create => "+",
            Self::Update => "~",
            Self::Replace => "-/+",
            Self::Delete => "-",
        }
    }

    const fn words(self) -> &'static [&'static str] {
        match self {
            Self::NoOp => &["no-op"],
            Self::Read => &["read"],
            Self::Create => &["create"],
            Self::Update => &["update"],
            Self::Replace => &["delete", "create"],
            Self::Delete => &["delete"],
        }
    }
}

impl Serialize for Action {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.words().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Action {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let words = Vec::<String>::deserialize(deserializer)?;
        Self::ALL
            .into_iter()
            .find(|action| action.words() == words)
            .ok_or_else(|| serde::de::Error::custom(format!("unknown actions {words:?}")))
    }
}

impl schemars::JsonSchema for Action {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Actions".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "enum": Self::ALL.map(Self::words) })
    }
}

/// Why an action is planned. The names are stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// It is live just as the spec says.
    Unchanged,
    /// It is a reference: it must exist, and does.
    Reference,
    /// It does not exist.
    NotFound,
    /// Fields differ.
    FieldsDiffer,
    /// Fields differ that cannot change in place.
    ImmutableFieldsDiffer,
    /// It is as the spec says, and its secrets are to be sent again.
    SecretsResent,
    /// The provider is not registered.
    NotRegistered,
    /// The provider is being registered.
    Registering,
    /// An operation that somebody else started is still going on.
    OperationInFlight,
    /// The last operation on it failed.
    ProvisioningFailed,
    /// It is as the spec says, but Flux has not reconciled it.
    NotCompliant,
    /// The cluster does not talk to Azure.
    ClusterNotReady,
    /// Its removal was asked for.
    DestroyRequested,
    /// The spec says that it must not be there.
    AbsentInSpec,
    /// The base had it, and the spec does not.
    DroppedSinceBase,
    /// The spec does not name it, and says that such are deleted.
    Unmanaged,
}

impl Reason {
    /// The reason as a clause: `because …`.
    #[must_use]
    pub const fn clause(self) -> &'static str {
        match self {
            Self::Unchanged => "it is as the spec says",
            Self::Reference => "it exists",
            Self::NotFound => "it does not exist",
            Self::FieldsDiffer => "fields differ",
            Self::ImmutableFieldsDiffer => "fields differ that cannot change in place",
            Self::SecretsResent => "its secrets are to be sent again",
            Self::NotRegistered => "it is not registered",
            Self::Registering => "its registration has not ended",
            Self::OperationInFlight => "an operation on it has not ended",
            Self::ProvisioningFailed => "the last operation on it failed",
            Self::NotCompliant => "Flux has not reconciled it",
            Self::ClusterNotReady => "the cluster does not talk to Azure",
            Self::DestroyRequested => "its removal was asked for",
            Self::AbsentInSpec => "the spec says `state: absent`",
            Self::DroppedSinceBase => "the base has it, and the spec does not",
            Self::Unmanaged => "the spec does not name it, and says `unmanaged: delete`",
        }
    }
}

/// What a change means for the cluster, saying no more than ARM knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Consequence {
    /// A stable name: `garbage_collection`, `outage`…
    pub code: String,
    /// The sentence.
    pub message: String,
}

impl Consequence {
    /// What takes something out of a cluster, or out of Azure, beside deletions themselves.
    const DESTRUCTIVE: [&str; 4] = ["flux_removed", "garbage_collection", "outage", "source_change"];

    /// Whether something is lost by it.
    #[must_use]
    pub fn is_destructive(&self) -> bool {
        Self::DESTRUCTIVE.contains(&self.code.as_str())
    }

    /// What comes before the objects that ARM knows of, in a sentence that lists them.
    pub(super) const KNOWN_OBJECTS: &'static str = "; ARM knows ";

    /// What comes before the name of a kustomization whose workloads are deleted, and between it and the rest.
    pub(super) const PRUNES: [&'static str; 2] = ["prune is on for ", ": "];

    /// What stands before and after the names of kustomizations whose workloads are deleted and applied again.
    pub(super) const OUTAGE: [&'static str; 2] = ["what ", " deployed is deleted with the configuration"];

    /// What stands between names.
    pub(super) const BETWEEN: &'static str = ", ";

    /// The kustomizations that lose their workloads by it, where the sentence names them.
    #[must_use]
    pub fn losing(&self) -> Vec<&str> {
        let [before, after] = match self.code.as_str() {
            "garbage_collection" => Self::PRUNES,
            "outage" => Self::OUTAGE,
            _ => return Vec::new(),
        };
        let names = self.message.strip_prefix(before).and_then(|rest| rest.split_once(after));
        names.map(|(names, _)| names.split(Self::BETWEEN).collect()).unwrap_or_default()
    }

    /// The same, where one of them is missing from what is shown of the sentence.
    #[must_use]
    pub fn losing_beyond(&self, shown: &str) -> Vec<&str> {
        let names = self.losing();
        if names.iter().all(|name| shown.contains(name)) { Vec::new() } else { names }
    }

    /// What takes something out of a cluster.
    const DESTROYS: [&str; 3] = ["flux_removed", "garbage_collection", "outage"];

    /// Whether something is taken out of the cluster by it.
    #[must_use]
    pub fn destroys(&self) -> bool {
        Self::DESTROYS.contains(&self.code.as_str())
    }

    /// The sentence without the objects that ARM knows of: statuses move all the time, and a plan with them does not.
    pub(super) fn lasting(&self) -> (&str, &str) {
        let lasting = self.message.rsplit_once(Self::KNOWN_OBJECTS).map_or(self.message.as_str(), |(before, _)| before);
        (&self.code, lasting)
    }
}

/// When a resource was last changed, and by whom, as ARM's `systemData` has it. `Microsoft.KubernetesConfiguration` keeps
/// times and no authors (`../shared/facts/arm-contracts.md` §10).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Modified {
    /// The time, in ARM's words.
    pub at: String,
    /// Who did it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

impl Modified {
    /// What ARM says of a live resource.
    #[must_use]
    pub fn of(live: &Value) -> Option<Self> {
        let text = |key: &str| live.pointer(&format!("/systemData/{key}")).and_then(Value::as_str).map(str::to_owned);
        Some(Self { at: text("lastModifiedAt")?, by: text("lastModifiedBy") })
    }
}

/// A secret that a change sends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SecretWrite {
    /// The field.
    pub path: FieldPath,
    /// Where the value is read.
    pub secret: SecretRef,
    /// Why it is sent.
    pub because: String,
}

/// What a write builds on. Apply reads the resource again just before and refuses when this no longer holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, tag = "expect", rename_all = "snake_case")]
pub enum Precondition {
    /// The resource does not exist.
    Absent,
    /// The live body, in the comparable shape, is this one.
    Unchanged {
        /// The body. Values that look like secrets are masked.
        live: Value,
        /// The SHA-256 of the body's canonical JSON (RFC 8785), in hexadecimal.
        sha256: String,
    },
}

impl Precondition {
    /// What is different now, in one clause; `None` when the precondition holds. `live` is the body as read, or `None`
    /// when the resource does not exist.
    #[must_use]
    pub fn violation(&self, kind: Kind, live: Option<&Value>) -> Option<String> {
        match (self, live) {
            (Self::Absent, None) => None,
            (Self::Absent, Some(_)) => Some("it exists now".to_owned()),
            (Self::Unchanged { .. }, None) => Some("it does not exist any more".to_owned()),
            (Self::Unchanged { live: then, sha256 }, Some(live)) => {
                let now = clean(kind.rules(), live);
                if Digest::of(&now).hex() == sha256 {
                    return None;
                }
                let fields: Vec<String> = compare(then, &sensitive::masked(&now))
                    .iter()
                    .map(|field| shown_path(&field.path).to_string())
                    .collect();
                let modified = Modified::of(live);
                let who = modified.as_ref().and_then(|modified| modified.by.as_ref());
                let who = who.map(|by| format!(" by {by}")).unwrap_or_default();
                let when = modified.map(|modified| format!(" at {}", modified.at)).unwrap_or_default();
                Some(match fields.as_slice() {
                    [] => format!("a value that is not shown changed{when}{who}"),
                    fields => format!("changed{when}{who}: {}", fields.join(", ")),
                })
            }
        }
    }
}
