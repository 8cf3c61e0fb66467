//! The row of a kind's table that names a field, in words.

use serde::Serialize;
use serde_json::Value;

use crate::kinds::Kind;
use crate::model::{Habit, Rule, Scalar};

/// The rule that classified a field.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct RuleStory {
    /// The row of the kind's table that names the field; `*` stands for any key. Absent where none does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub row: Option<String>,
    /// What the service does to the field.
    pub habit: HabitName,
    /// What absence means, where that is documented.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default: Option<Value>,
    /// The habit as a sentence.
    pub meaning: String,
}

/// What the service does to a field. The names are stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HabitName {
    /// Compared as it stands.
    Plain,
    /// A text; an empty one means absence.
    Text,
    /// Absence means a value.
    Default,
    /// The service's own.
    ReadOnly,
    /// Letter case does not matter.
    Word,
    /// Letter case does not matter, and it cannot change.
    ImmutableWord,
    /// It cannot change.
    Immutable,
    /// Never shown.
    Secrets,
    /// Order does not matter.
    Set,
    /// Base64 of a text.
    Base64Text,
    /// An ISO 8601 duration.
    Duration,
    /// Kept unless the spec names it.
    KeepFound,
    /// Kept unless the spec names it; letter case does not matter.
    KeepFoundWord,
    /// Kept unless the spec names it; it cannot change.
    KeepFoundImmutable,
    /// No row names it.
    NoRule,
    /// The state of a registration.
    Registration,
    /// What a reference points to.
    Reference,
}

impl HabitName {
    /// The stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Text => "text",
            Self::Default => "default",
            Self::ReadOnly => "read_only",
            Self::Word => "word",
            Self::ImmutableWord => "immutable_word",
            Self::Immutable => "immutable",
            Self::Secrets => "secrets",
            Self::Set => "set",
            Self::Base64Text => "base64_text",
            Self::Duration => "duration",
            Self::KeepFound => "keep_found",
            Self::KeepFoundWord => "keep_found_word",
            Self::KeepFoundImmutable => "keep_found_immutable",
            Self::NoRule => "no_rule",
            Self::Registration => "registration",
            Self::Reference => "reference",
        }
    }
}

impl RuleStory {
    /// The rule that classifies a field of a resource of this kind, in words.
    pub(super) fn of(kind: Kind, rule: Option<&Rule>) -> Self {
        let without_row = |habit, meaning: &str| Self { row: None, habit, default: None, meaning: meaning.to_owned() };
        match kind {
            Kind::ProviderRegistration => without_row(
                HabitName::Registration,
                "a registration is asked for once; letter case does not matter, and one that is under way is waited for",
            ),
            Kind::ConnectedCluster | Kind::ManagedCluster => {
                without_row(HabitName::Reference, "the cluster is a reference: it must exist, and is never written")
            }
            Kind::ResourceGroup | Kind::Extension | Kind::FluxConfiguration => match rule {
                Some(rule) => Self::of_row(rule),
                None => without_row(
                    HabitName::NoRule,
                    "no rule names the field: it is kept as it is found, listed, and never compared",
                ),
            },
        }
    }

    fn of_row(rule: &Rule) -> Self {
        let (habit, meaning) = words(rule.habit);
        let default = rule.habit.default().map(Scalar::to_json);
        let absence = default.as_ref().map(|default| format!("; absence means {default}")).unwrap_or_default();
        Self { row: Some(rule.path.to_owned()), habit, default, meaning: format!("{meaning}{absence}") }
    }
}

fn words(habit: Habit) -> (HabitName, &'static str) {
    match habit {
        Habit::Plain => (HabitName::Plain, "compared as it stands"),
        Habit::Text => (HabitName::Text, "compared as it stands; an empty text means absence"),
        Habit::Default(_) => (HabitName::Default, "compared as it stands"),
        Habit::ReadOnly => (HabitName::ReadOnly, "the service's own: never sent, never compared"),
        Habit::Word(_) => (HabitName::Word, "a word whose letter case the service changes: compared without it"),
        Habit::ImmutableWord(_) => (
            HabitName::ImmutableWord,
            "a word whose letter case the service changes: compared without it; it cannot change after creation",
        ),
        Habit::Immutable(_) => (HabitName::Immutable, "compared as it stands; it cannot change after creation"),
        Habit::Secrets => (HabitName::Secrets, "a secret: accepted, never shown again, so it cannot be compared"),
        Habit::Set => (HabitName::Set, "a list in which order does not matter"),
        Habit::Base64Text => (
            HabitName::Base64Text,
            "base64 of a text: the texts are compared, without white space at their ends and whatever their line ends",
        ),
        Habit::Duration => (HabitName::Duration, "an ISO 8601 duration: the lengths are compared"),
        Habit::KeepFound => (HabitName::KeepFound, "kept as it is found, unless the spec names it"),
        Habit::KeepFoundWord => (
            HabitName::KeepFoundWord,
            "kept as it is found, unless the spec names it; a word that is compared without letter case",
        ),
        Habit::KeepFoundImmutable => (
            HabitName::KeepFoundImmutable,
            "kept as it is found, unless the spec names it; it cannot change after creation",
        ),
    }
}
