//! Which fields of a configuration a spec may leave as they are found.

use super::super::{ENVELOPE, shown_path};
use super::RULES;
use crate::model::{FieldPath, FieldPattern, Habit, Segment};

/// Why a field cannot be ignored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotIgnorable {
    /// There is no such field. Holds the fields that there are, with the names of the pattern where they fit.
    Unknown(Vec<String>),
    /// Azure owns it: it is never compared.
    ReadOnly,
    /// It is a secret: it cannot be compared.
    Secret,
    /// It says which source there is, and a body of two minds is refused.
    SourceKind,
    /// A group of fields, each of which can be ignored by its own name.
    Group,
}

/// Whether `pattern`, which has the names that a plan shows, may be ignored: a field, one entry of a map whose names
/// are the user's, or a kustomization that the spec does not name.
///
/// # Errors
///
/// [`NotIgnorable`] says why not.
pub fn ignorable(pattern: &FieldPattern) -> Result<(), NotIgnorable> {
    let steps: Vec<&str> = pattern.segments().iter().map(Segment::key).collect();
    if matches!(steps.as_slice(), ["kustomizations", _]) {
        return Ok(());
    }
    let fits = |names: &[&str]| names.iter().zip(&steps).all(|(name, step)| *name == "*" || name == step);
    let mut is_group = false;
    for rule in RULES {
        let names = field(rule.path);
        if names.len() < steps.len() || !fits(&names) {
            continue;
        }
        if names.len() > steps.len() {
            is_group = true;
            continue;
        }
        return match rule.habit {
            Habit::ReadOnly => Err(NotIgnorable::ReadOnly),
            Habit::Secrets => Err(NotIgnorable::Secret),
            _ if steps == ["sourceKind"] => Err(NotIgnorable::SourceKind),
            _ => Ok(()),
        };
    }
    Err(if is_group { NotIgnorable::Group } else { NotIgnorable::Unknown(known(&steps)) })
}

/// The names of a rule's field, as a plan shows them.
fn field(path: &'static str) -> Vec<&'static str> {
    path.strip_prefix(ENVELOPE).and_then(|rest| rest.strip_prefix('.')).unwrap_or(path).split('.').collect()
}

/// Every field that can be ignored; where a rule has a star, the name that `steps` has there.
fn known(steps: &[&str]) -> Vec<String> {
    let may_be_ignored = |habit: Habit| !matches!(habit, Habit::ReadOnly | Habit::Secrets);
    RULES
        .iter()
        .filter(|rule| may_be_ignored(rule.habit))
        .map(|rule| {
            let names = field(rule.path);
            let named = names.iter().enumerate().map(|(place, name)| match (*name, steps.get(place)) {
                ("*", Some(step)) if !step.is_empty() => *step,
                (name, _) => name,
            });
            shown_path(&FieldPath::of(named)).to_string()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(pattern: &str) -> Result<(), NotIgnorable> {
        ignorable(&pattern.parse().unwrap())
    }

    #[test]
    fn fields_and_whole_kustomizations_can_be_ignored() {
        for pattern in [
            "suspend",
            "scope",
            "gitRepository.repositoryRef.branch",
            "kustomizations.app.prune",
            "kustomizations.*.prune",
            "kustomizations.by-hand",
            "kustomizations.app.postBuild.substitute.REGION",
            "kustomizations[\"a.b\"].path",
        ] {
            assert_eq!(judged(pattern), Ok(()), "{pattern}");
        }
    }

    #[test]
    fn groups_read_only_fields_secrets_and_slips_cannot() {
        assert_eq!(judged("kustomizations"), Err(NotIgnorable::Group));
        assert_eq!(judged("gitRepository"), Err(NotIgnorable::Group));
        assert_eq!(judged("statuses"), Err(NotIgnorable::ReadOnly));
        assert_eq!(judged("configurationProtectedSettings"), Err(NotIgnorable::Secret));
        assert_eq!(judged("sourceKind"), Err(NotIgnorable::SourceKind));
        let Err(NotIgnorable::Unknown(known)) = judged("kustomizations.app.prun") else { panic!() };
        assert!(known.contains(&"kustomizations.app.prune".to_owned()));
        assert!(matches!(judged("kustomizations.app.prune.x"), Err(NotIgnorable::Unknown(_))));
    }
}
