//! Notes of a plan as they are read: the same sentence once, and which of them somebody should look at.

use std::collections::BTreeMap;

use crate::model::{Address, Severity};
use crate::plan::Note;

/// What is only worth knowing: it asks nobody to do anything. Every other note is a warning, also one that a later
/// version of arcflux has put into a saved plan.
const INFORMATION: [&str; 7] = [
    "adopted_name",
    "ignored_fields",
    "kept_as_found",
    "operation_in_flight",
    "stored_secret_kept",
    "unknown_field",
    "version_moved_on",
];

/// Notes with the same sentence.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Group<'a> {
    /// Their stable name.
    pub(super) code: &'a str,
    /// The sentence.
    pub(super) message: &'a str,
    /// [`Severity::Warning`] where somebody should look; `None` where it is only worth knowing.
    pub(super) severity: Option<Severity>,
    /// What they are about, in the order of the plan; never empty.
    pub(super) addresses: Vec<&'a Address>,
}

/// Notes by their sentence, in order of the first of each: a fleet says the same of many resources.
pub(super) fn grouped(notes: &[Note]) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for Note { code, address, message } in notes {
        match seen.get(message.as_str()).and_then(|place| groups.get_mut(*place)) {
            Some(group) => group.addresses.push(address),
            None => {
                seen.insert(message, groups.len());
                let severity = (!INFORMATION.contains(&code.as_str())).then_some(Severity::Warning);
                groups.push(Group { code, message, severity, addresses: vec![address] });
            }
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_sentence_is_said_once_and_unknown_codes_are_warnings() {
        let note = |code: &str, address: &str, message: &str| Note {
            code: code.to_owned(),
            address: address.parse().unwrap(),
            message: message.to_owned(),
        };
        let notes =
            [note("unknown_field", "g/a", "x"), note("new_in_2.0", "g/a", "y"), note("unknown_field", "g/b", "x")];
        let groups = grouped(&notes);
        let told: Vec<_> = groups.iter().map(|one| (one.message, one.severity, one.addresses.len())).collect();
        assert_eq!(told, [("x", None, 2), ("y", Some(Severity::Warning), 1)]);
    }
}
