//! What a spec made from live resources needs beside them: names for secrets that ARM does not show, and remarks about
//! what a reader of the spec would miss.

use std::collections::BTreeSet;

use crate::model::SecretRef;

/// A secret that has to be there before a change can be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingSecret {
    /// The name of the environment variable that the spec reads it from.
    pub name: String,
    /// The configuration that needs it; `None` for the extension.
    pub configuration: Option<String>,
    /// The key of the spec that refers to it: `gitRepository.httpsKey`.
    pub field: String,
    /// The URL that it signs in to; `None` for settings of the extension.
    pub destination: Option<String>,
}

/// Something about what was found that the spec does not say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// The configuration that it is about; `None` for the extension.
    pub configuration: Option<String>,
    /// The sentence.
    pub message: String,
}

/// A spec made from a live resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adopted<T> {
    /// What the spec says.
    pub spec: T,
    /// The secrets that it refers to.
    pub secrets: Vec<MissingSecret>,
    /// What it does not say.
    pub remarks: Vec<Remark>,
}

/// Names given to secrets, each once in a spec.
#[derive(Debug, Clone, Default)]
pub struct SecretNames(BTreeSet<String>);

impl SecretNames {
    /// A name made of `parts` that no other secret has: capitals, digits and underscores, as shells take it.
    fn give(&mut self, parts: [&str; 2]) -> String {
        let joined = parts.map(capitals).join("_");
        let name = if joined.starts_with(|first: char| first.is_ascii_digit()) { format!("_{joined}") } else { joined };
        let others = (2_u32..).map(|number| format!("{name}_{number}"));
        let unique = std::iter::once(name.clone()).chain(others).find(|one| !self.0.contains(one)).unwrap_or(name);
        self.0.insert(unique.clone());
        unique
    }
}

/// `httpsKey` is `HTTPS_KEY`, `flux-system` is `FLUX_SYSTEM`.
fn capitals(text: &str) -> String {
    let mut capitals = String::new();
    let mut was_small = false;
    for character in text.chars() {
        if was_small && character.is_ascii_uppercase() {
            capitals.push('_');
        }
        was_small = character.is_ascii_lowercase() || character.is_ascii_digit();
        capitals.push(if character.is_ascii_alphanumeric() { character.to_ascii_uppercase() } else { '_' });
    }
    capitals
}

/// Collects what comes up while one resource is read.
pub(super) struct Adopting<'a> {
    name: &'a str,
    configuration: Option<String>,
    names: &'a mut SecretNames,
    secrets: Vec<MissingSecret>,
    remarks: Vec<Remark>,
}

impl<'a> Adopting<'a> {
    /// Begins with the flux configuration of this name.
    pub(super) fn configuration(name: &'a str, names: &'a mut SecretNames) -> Self {
        Self { name, configuration: Some(name.to_owned()), names, secrets: Vec::new(), remarks: Vec::new() }
    }

    /// Begins with the extension of this name.
    pub(super) fn extension(name: &'a str, names: &'a mut SecretNames) -> Self {
        Self { name, configuration: None, names, secrets: Vec::new(), remarks: Vec::new() }
    }

    /// A reference to the secret that belongs under `key` of `parent`, and may go to `destination`.
    pub(super) fn reference(&mut self, parent: &str, key: &str, destination: Option<&str>) -> SecretRef {
        let name = self.names.give([self.name, key]);
        self.secrets.push(MissingSecret {
            name: name.clone(),
            configuration: self.configuration.clone(),
            field: format!("{parent}.{key}"),
            destination: destination.map(str::to_owned),
        });
        SecretRef::Env(name)
    }

    /// Something that the spec does not say.
    pub(super) fn remark(&mut self, message: impl Into<String>) {
        self.remarks.push(Remark { configuration: self.configuration.clone(), message: message.into() });
    }

    /// What came of it.
    pub(super) fn adopted<T>(self, spec: T) -> Adopted<T> {
        Adopted { spec, secrets: self.secrets, remarks: self.remarks }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_what_shells_take_and_given_once() {
        let mut names = SecretNames::default();
        assert_eq!(names.give(["flux-system", "httpsKey"]), "FLUX_SYSTEM_HTTPS_KEY");
        assert_eq!(names.give(["flux.system", "httpsKey"]), "FLUX_SYSTEM_HTTPS_KEY_2");
        assert_eq!(names.give(["1st", "sshPrivateKey"]), "_1ST_SSH_PRIVATE_KEY");
        assert_eq!(names.give(["flux", "a b/ü\u{202e}"]), "FLUX_A_B___");
    }
}
