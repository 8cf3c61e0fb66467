//! What Azure does to the values of one resource kind, as data. `kinds` fills the tables in, `diff` applies them.

use serde_json::Value;

use super::{FieldPath, Segment};

/// One row: a field and what is known about it.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// The field, dotted from the top of the body; `*` stands for any key or element.
    pub path: &'static str,
    /// What Azure does to it.
    pub habit: Habit,
}

/// What Azure does to a field. `null`, and an empty object or array left over, mean "absent" in every field: the
/// service writes `null` where nothing was sent (`../shared/facts/az-cli-behaviour.md` §5).
#[derive(Debug, Clone, Copy)]
pub enum Habit {
    /// Compared as it stands.
    Plain,
    /// A text, compared as it stands; an empty one means absent.
    Text,
    /// Absent means this value.
    Default(Scalar),
    /// Owned by the service: never sent, never compared.
    ReadOnly,
    /// A word whose letter case the service changes; absent means the value, where one is given.
    Word(Option<&'static str>),
    /// As [`Habit::Word`], and it cannot change after creation.
    ImmutableWord(Option<&'static str>),
    /// Cannot change after creation; absent means the value, where one is given.
    Immutable(Option<&'static str>),
    /// A secret, or a map of secrets: accepted, never returned; the keys of a map may come back with empty values.
    Secrets,
    /// A list in which order does not matter.
    Set,
    /// Base64 of a text. Texts that differ in white space at their ends, or in the kind of their line ends, are the same:
    /// some clients encode a file with its last line end, some without, and some on Windows.
    Base64Text,
    /// An ISO 8601 duration. Texts that stand for the same length are the same.
    Duration,
    /// Whatever is found is kept, unless the spec says something about it.
    KeepFound,
    /// As [`Habit::KeepFound`], of a word whose letter case the service changes.
    KeepFoundWord,
    /// As [`Habit::KeepFound`], and it cannot change after creation.
    KeepFoundImmutable,
}

impl Habit {
    /// Whether what is found is kept where the spec says nothing.
    #[must_use]
    pub const fn keeps_found(self) -> bool {
        match self {
            Self::KeepFound | Self::KeepFoundWord | Self::KeepFoundImmutable => true,
            Self::Plain
            | Self::Text
            | Self::Default(_)
            | Self::ReadOnly
            | Self::Word(_)
            | Self::ImmutableWord(_)
            | Self::Immutable(_)
            | Self::Secrets
            | Self::Set
            | Self::Base64Text
            | Self::Duration => false,
        }
    }

    /// Whether an empty text means absent: of a name, a word or a duration it says nothing, as Flux reads it. In a map
    /// of the user's own it is a value.
    #[must_use]
    pub const fn empty_is_absent(self) -> bool {
        match self {
            Self::Text
            | Self::Word(_)
            | Self::ImmutableWord(_)
            | Self::Immutable(_)
            | Self::Base64Text
            | Self::Duration
            | Self::KeepFoundWord => true,
            Self::Plain
            | Self::Default(_)
            | Self::ReadOnly
            | Self::Secrets
            | Self::Set
            | Self::KeepFound
            | Self::KeepFoundImmutable => false,
        }
    }

    /// What its absence means.
    #[must_use]
    pub const fn default(self) -> Option<Scalar> {
        match self {
            Self::Default(value) => Some(value),
            Self::Word(Some(word)) | Self::ImmutableWord(Some(word)) | Self::Immutable(Some(word)) => {
                Some(Scalar::Text(word))
            }
            Self::Plain
            | Self::Text
            | Self::ReadOnly
            | Self::Word(None)
            | Self::ImmutableWord(None)
            | Self::Immutable(None)
            | Self::Secrets
            | Self::Set
            | Self::Base64Text
            | Self::Duration
            | Self::KeepFound
            | Self::KeepFoundWord
            | Self::KeepFoundImmutable => None,
        }
    }

    /// Whether it cannot change after creation.
    #[must_use]
    pub const fn is_immutable(self) -> bool {
        match self {
            Self::ImmutableWord(_) | Self::Immutable(_) | Self::KeepFoundImmutable => true,
            Self::Plain
            | Self::Text
            | Self::Default(_)
            | Self::ReadOnly
            | Self::Word(_)
            | Self::Secrets
            | Self::Set
            | Self::Base64Text
            | Self::Duration
            | Self::KeepFound
            | Self::KeepFoundWord => false,
        }
    }
}

/// A default value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scalar {
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(u32),
    /// A text.
    Text(&'static str),
}

impl Scalar {
    /// The value as JSON.
    #[must_use]
    pub fn to_json(self) -> Value {
        match self {
            Self::Bool(value) => Value::from(value),
            Self::Int(value) => Value::from(value),
            Self::Text(value) => Value::from(value),
        }
    }
}

/// The table of one kind. A live field that no row names is unknown: it is kept, listed, and never compared.
pub type Rules = &'static [Rule];

impl Rule {
    /// The steps of the pattern.
    pub fn segments(&self) -> impl Iterator<Item = &'static str> {
        self.path.split('.')
    }

    /// Whether the pattern names exactly this field.
    #[must_use]
    pub fn names(&self, path: &FieldPath) -> bool {
        let mut pattern = self.segments();
        let mut steps = path.segments().iter();
        loop {
            match (pattern.next(), steps.next()) {
                (None, None) => return true,
                (Some("*"), Some(_)) => {}
                (Some(wanted), Some(Segment::Key(key))) if wanted == key => {}
                _ => return false,
            }
        }
    }
}

/// The rule that names `path`: of two about one field the first one counts.
#[must_use]
pub fn rule_of(rules: Rules, path: &FieldPath) -> Option<&'static Rule> {
    rules.iter().find(|rule| rule.names(path))
}

/// Whether a rule names something below `path`.
#[must_use]
pub fn leads_to_a_rule(rules: Rules, path: &FieldPath) -> bool {
    rules.iter().any(|rule| {
        let mut pattern = rule.segments();
        let mut steps = path.segments().iter();
        let is_on_the_way = steps.all(|step| match (pattern.next(), step) {
            (Some("*"), _) => true,
            (Some(wanted), Segment::Key(key)) => wanted == key,
            (Some(_), Segment::Index(_)) | (None, _) => false,
        });
        is_on_the_way && pattern.next().is_some()
    })
}
