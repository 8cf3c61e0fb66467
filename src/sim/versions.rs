//! Which api-versions each resource type has, and which of its fields each version shows.
//!
//! The lists are those that the published contracts, the providers' own `resourceTypes[].apiVersions` and their
//! `api-supported-versions` headers name.

use super::answer::{self, Answer};

/// Flux configurations. Of the newest preview only the name is known; it is taken to be as the version before it.
pub(crate) const FLUX: &[&str] = &[
    "2026-07-01-preview",
    "2025-04-01",
    "2024-11-01",
    "2024-04-01-preview",
    "2023-05-01",
    "2022-11-01",
    "2022-07-01",
    "2022-03-01",
    "2022-01-01-preview",
];

/// Extensions.
pub(crate) const EXTENSIONS: &[&str] = &[
    "2025-03-01",
    "2024-11-01",
    "2023-05-01",
    "2022-11-01",
    "2022-07-01",
    "2022-04-02-preview",
    "2022-03-01",
    "2021-09-01",
];

/// Flux v1 configurations.
pub(crate) const SOURCE_CONTROL: &[&str] = &[
    "2023-05-01",
    "2022-11-01",
    "2022-07-01",
    "2022-03-01",
    "2021-03-01",
    "2020-10-01-preview",
    "2020-07-01-preview",
    "2019-11-01-preview",
];

/// Connected clusters.
pub(crate) const CONNECTED_CLUSTERS: &[&str] = &[
    "2026-05-01",
    "2026-02-01-preview",
    "2025-08-01-preview",
    "2024-12-01-preview",
    "2024-07-15-preview",
    "2024-07-01-preview",
    "2024-06-01-preview",
    "2024-02-01-preview",
    "2024-01-01",
    "2023-11-01-preview",
    "2022-10-01-preview",
    "2022-05-01-preview",
    "2021-10-01",
    "2021-04-01-preview",
    "2021-03-01",
];

/// Providers, resource groups and subscriptions: ARM's own resources.
pub(crate) const RESOURCES: &[&str] = &[
    "2025-04-01",
    "2025-03-01",
    "2024-11-01",
    "2024-07-01",
    "2024-03-01",
    "2023-07-01",
    "2022-12-01",
    "2022-09-01",
    "2021-04-01",
    "2021-01-01",
    "2020-10-01",
    "2020-06-01",
    "2020-01-01",
    "2019-11-01",
    "2019-10-01",
    "2019-06-01",
    "2019-05-01",
    "2018-05-01",
    "2016-06-01",
    "2016-02-01",
];

/// What the shared operation status route says that it supports.
const OPERATION_STATUS: &[&str] = &[
    "2019-11-01-Preview",
    "2021-05-01-preview",
    "2021-06-01-preview",
    "2021-09-01",
    "2021-11-01-preview",
    "2022-01-01-preview",
    "2022-03-01",
    "2022-04-02-preview",
    "2022-07-01",
    "2022-11-01",
    "2023-05-01",
    "2024-04-01-preview",
    "2024-11-01",
    "2025-03-01",
    "2025-04-01",
];

/// Value of `api-supported-versions` on an operation's status.
pub(crate) fn supported_by_operations() -> String {
    OPERATION_STATUS.join(", ")
}

/// Value of `api-supported-versions` on a resource: the versions that the code serving `version` shares with it, which
/// since 2023 is `version` and the stable ones after it.
pub(crate) fn supported_beside(known: &[&str], version: &str) -> String {
    let mut beside: Vec<&str> =
        known.iter().copied().filter(|other| !is_preview(other) && at_least(other, version)).collect();
    if !beside.iter().any(|other| other.eq_ignore_ascii_case(version)) {
        beside.push(version);
    }
    beside.sort_unstable();
    beside.join(", ")
}

/// Checks `version` against the list of a provider's type.
///
/// # Errors
///
/// The 400 that ARM answers.
pub(crate) fn check(version: &str, resource_type: &str, known: &[&str]) -> Result<(), Answer> {
    if known.iter().any(|other| other.eq_ignore_ascii_case(version)) {
        Ok(())
    } else {
        Err(answer::unknown_api_version(resource_type, "", version, known))
    }
}

/// Checks that `version` looks like one. AKS publishes a version a month, and the simulator knows no difference
/// between them.
///
/// # Errors
///
/// The 400 that ARM answers.
pub(crate) fn check_shape(version: &str, resource_type: &str) -> Result<(), Answer> {
    let date = version.strip_suffix("-preview").unwrap_or(version);
    let digits = |part: &str, length: usize| part.len() == length && part.bytes().all(|byte| byte.is_ascii_digit());
    let mut parts = date.split('-');
    let shaped = parts.next().is_some_and(|part| digits(part, 4))
        && parts.next().is_some_and(|part| digits(part, 2))
        && parts.next().is_some_and(|part| digits(part, 2))
        && parts.next().is_none();
    if shaped { Ok(()) } else { Err(answer::unknown_api_version(resource_type, "", version, &["2025-08-01"])) }
}

/// Whether `version` is that of `since` or a later one. Versions are dates.
pub(crate) fn at_least(version: &str, since: &str) -> bool {
    date(version) >= date(since)
}

fn date(version: &str) -> &str {
    version.get(..10).unwrap_or(version)
}

fn is_preview(version: &str) -> bool {
    version.len() > 10
}
