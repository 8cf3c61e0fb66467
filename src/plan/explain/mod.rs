//! Why each field of one resource is compared as it is: spec line → where the wanted value came from → live value → the
//! rule that classified the difference.
//!
//! Which fields differ is not found out here: it is what [`super::decide`] decided, so that an explanation and a plan can
//! never disagree.

mod causes;
mod names;
mod rule;
mod source;
mod stories;
mod subject;

use serde::Serialize;
use serde_json::Value;

use super::{Action, Reason};
use crate::kinds::Kind;
use crate::model::{Address, FieldPath, ResourceId, SecretRef};

pub use causes::{Cause, causes};
pub use names::{Target, UnknownName, locate};
pub use rule::{HabitName, RuleStory};
pub use stories::{ExplainError, explain};

/// Why the fields of one resource are compared as they are.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct Explanation {
    /// The resource.
    pub address: Address,
    /// The kustomization that was asked about, when it was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kustomization: Option<String>,
    /// The fields that were asked about, as they were asked for; absent when it was all of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// Its ARM id.
    pub id: ResourceId,
    /// Its kind.
    #[serde(rename = "type")]
    pub kind: Kind,
    /// The api-version that it was read with.
    pub api_version: String,
    /// What a plan does about it.
    pub actions: Action,
    /// Why.
    pub action_reason: Reason,
    /// The file that the places are in.
    pub file: String,
    /// The fields: first those that a plan changes, then those that are compared, then the others.
    pub fields: Vec<FieldStory>,
}

/// Everything about one field.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct FieldStory {
    /// The field, from the top of the ARM body: as in `fields` of a plan.
    pub path: FieldPath,
    /// What the spec calls it, from the top of the resource's description.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spec_word: Option<FieldPath>,
    /// What it comes down to.
    pub verdict: FieldVerdict,
    /// Why values that are written differently are the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub equal_by: Option<EqualBy>,
    /// The verdict as a sentence.
    pub because: String,
    /// The wanted value; absent where nothing is wanted, and of secrets. Values that look like secrets are masked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wanted: Option<Value>,
    /// Where the wanted value came from.
    pub wanted_from: WantedFrom,
    /// The live value, as ARM shows it; absent where it shows none. Values that look like secrets are masked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub live: Option<Value>,
    /// What classified the difference.
    pub rule: RuleStory,
}

/// What the comparison of one field comes down to. The names are stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FieldVerdict {
    /// A plan changes it, and it cannot change in place.
    ForcesReplacement,
    /// Both sides have it, and a plan changes it.
    Differs,
    /// Only the live side has it, and a plan removes it.
    NotInSpec,
    /// Only the spec has it, and a plan adds it.
    NotLive,
    /// It is live as it is wanted.
    Equal,
    /// The two are written differently and mean the same.
    EqualByRule,
    /// The two differ, and the spec says to ignore that.
    Ignored,
    /// The spec does not name it, and it stays as it is found.
    Kept,
    /// No rule names it: it stays as it is found.
    Unknown,
    /// A secret: sent, never shown, so it cannot be compared.
    WriteOnly,
    /// The live side may not be read.
    Unread,
    /// The service's own: never sent, never compared.
    ReadOnly,
}

impl FieldVerdict {
    /// Whether a plan changes the field.
    #[must_use]
    pub const fn is_change(self) -> bool {
        match self {
            Self::ForcesReplacement | Self::Differs | Self::NotInSpec | Self::NotLive => true,
            Self::Equal
            | Self::EqualByRule
            | Self::Ignored
            | Self::Kept
            | Self::Unknown
            | Self::WriteOnly
            | Self::Unread
            | Self::ReadOnly => false,
        }
    }

    /// The stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ForcesReplacement => "forces_replacement",
            Self::Differs => "differs",
            Self::NotInSpec => "not_in_spec",
            Self::NotLive => "not_live",
            Self::Equal => "equal",
            Self::EqualByRule => "equal_by_rule",
            Self::Ignored => "ignored",
            Self::Kept => "kept",
            Self::Unknown => "unknown",
            Self::WriteOnly => "write_only",
            Self::Unread => "unread",
            Self::ReadOnly => "read_only",
        }
    }
}

/// Why values that are written differently are the same. The names are stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EqualBy {
    /// Letter case.
    Case,
    /// The order of a list.
    Order,
    /// What stands in the items of a list.
    Items,
    /// One side says nothing, which means the default.
    Default,
    /// White space at the ends of an encoded text, or its line ends.
    Encoding,
    /// Two ways to write one length of time.
    Duration,
    /// Two ways to write one number.
    Number,
    /// What is wanted is under way.
    UnderWay,
}

impl EqualBy {
    /// The stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Case => "case",
            Self::Order => "order",
            Self::Items => "items",
            Self::Default => "default",
            Self::Encoding => "encoding",
            Self::Duration => "duration",
            Self::Number => "number",
            Self::UnderWay => "under_way",
        }
    }
}

/// Where a wanted value came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum WantedFrom {
    /// It is written in the spec.
    Written {
        /// Where.
        at: Location,
        /// The key as it is written, from the top of the spec.
        key: FieldPath,
        /// Whether the key is short for something in the configuration `flux-system`.
        short_form: bool,
        /// What was put in for the references in it.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        references: Vec<Reference>,
    },
    /// It is not written: the default of the format.
    FormatDefault {
        /// The key that it is a default below.
        below: Location,
        /// What the API takes where it is sent nothing, where that is documented.
        #[serde(skip_serializing_if = "Option::is_none")]
        api_default: Option<Value>,
    },
    /// It is not written, and not sent: the documented default of the API.
    ApiDefault,
    /// `repo` and `kustomizations` are short for it.
    ShortForm {
        /// The first of the two keys.
        at: Location,
    },
    /// It follows from something else in the spec.
    Derived {
        /// How.
        how: String,
        /// From where.
        #[serde(skip_serializing_if = "Option::is_none")]
        at: Option<Location>,
        /// What was put in for the references there.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        references: Vec<Reference>,
    },
    /// arcflux adds it, whatever the spec says.
    Arcflux {
        /// Why.
        why: String,
    },
    /// The spec says where the secret is read.
    Secret {
        /// What is read.
        secret: SecretRef,
        /// Where the spec says so.
        #[serde(skip_serializing_if = "Option::is_none")]
        at: Option<Location>,
    },
    /// It is kept from the live side.
    Live,
    /// Nothing is wanted.
    Nothing,
}

/// A place in the spec.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Location {
    /// The line, from 1.
    pub line: u32,
    /// The column in characters, from 1.
    pub column: u32,
    /// The line as it is written, with stars for secrets; absent where the field looks like a secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// A reference, and what was put in for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Reference {
    /// As it is written: `${values.region}`.
    pub reference: String,
    /// Where the value stands; absent for environment variables, whose values are not told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Location>,
    /// How the value follows from what stands there, where it is not the value itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub how: Option<String>,
    /// What was put in for the references in the value itself.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub references: Vec<Reference>,
}

/// The text of the spec, for the lines that are shown.
#[derive(Debug, Clone, Copy)]
pub struct SpecText<'a> {
    /// The name of the file.
    pub file: &'a str,
    /// The text, with stars for everything that must not be shown.
    pub masked: &'a str,
}
