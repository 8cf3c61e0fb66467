//! The shared words: values that every stage speaks in. Pure data with small functions; no I/O, no Azure client.

mod accounts;
mod address;
mod diagnostic;
mod duration;
mod field_path;
mod field_pattern;
mod format_version;
mod glob;
mod hidden;
mod limit;
mod live_state;
mod resource_id;
mod rules;
mod secret;
mod span;
mod suggest;
mod text_form;
mod usage;

pub use accounts::{accounts, without_accounts};
pub use address::{Address, AddressError, Part};
pub use diagnostic::{Code, Diagnostic, Severity};
pub use duration::{Seconds, SecondsError, iso8601_seconds};
pub use field_path::{FieldPath, FieldPathError, Segment};
pub use field_pattern::{FieldPattern, FieldPatternError};
pub use format_version::understands;
pub use glob::Glob;
pub use hidden::{is_hidden, one_line, push_visible};
pub use limit::{Limit, LimitError};
pub use live_state::{Listing, LiveState, Missing, Read, ReadMethod, Reading};
pub use resource_id::{ResourceId, ResourceIdError};
pub use rules::{Habit, Rule, Rules, Scalar, leads_to_a_rule, rule_of};
pub use secret::{Secret, SecretRef, tells_of_a_secret};
pub use span::{Source, Span};
pub use suggest::{MOST_COMPARED, did_you_mean, did_you_mean_or_list, nearest};
pub(crate) use text_form::text_form;
pub use usage::Usage;
