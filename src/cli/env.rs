//! The only place that reads the environment.

use std::collections::BTreeMap;

/// The environment, as it was when the process started.
#[derive(Clone, Default)]
pub struct Environment(BTreeMap<String, String>);

impl Environment {
    /// The environment of this process. Variables that are not UTF-8 are left out.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the place that the ban points to")]
    pub fn of_process() -> Self {
        let text = |value: std::ffi::OsString| value.into_string().ok();
        Self(std::env::vars_os().filter_map(|(name, value)| Some((text(name)?, text(value)?))).collect())
    }

    /// An environment with these variables.
    #[cfg(test)]
    pub(super) fn of(variables: &[(&str, &str)]) -> Self {
        Self(variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    /// The value of a variable.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Every variable.
    pub fn all(&self) -> impl Iterator<Item = (std::ffi::OsString, std::ffi::OsString)> {
        self.0.iter().map(|(name, value)| (name.into(), value.into()))
    }

    /// Whether a variable is set and not empty: how `NO_COLOR` and `CI` are meant.
    #[must_use]
    pub fn is_set(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| !value.is_empty())
    }
}
