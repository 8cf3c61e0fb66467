//! The fields that a spec calls something else than ARM does. Everything else has one name on both sides.

use super::Kind;
use crate::model::{FieldPath, Segment};

/// One field with two names; `*` stands for any key, the same on both sides.
struct Word {
    /// The path from the top of the ARM body.
    arm: &'static [&'static str],
    /// The path from the top of the resource's description in the long form of a spec.
    spec: &'static [&'static str],
}

const fn word(arm: &'static [&'static str], spec: &'static [&'static str]) -> Word {
    Word { arm, spec }
}

/// The source members carry seconds (`../shared/facts/arm-contracts.md` §1.4), a spec durations; the revision of a git
/// or OCI source is an object of its own in ARM; two sources have their secrets beside them
/// (`../shared/facts/az-cli-behaviour.md` §1.5).
const FLUX_CONFIGURATION: &[Word] = &[
    word(&["properties", "gitRepository", "syncIntervalInSeconds"], &["gitRepository", "interval"]),
    word(&["properties", "gitRepository", "timeoutInSeconds"], &["gitRepository", "timeout"]),
    word(&["properties", "gitRepository", "repositoryRef", "branch"], &["gitRepository", "branch"]),
    word(&["properties", "gitRepository", "repositoryRef", "tag"], &["gitRepository", "tag"]),
    word(&["properties", "gitRepository", "repositoryRef", "semver"], &["gitRepository", "semver"]),
    word(&["properties", "gitRepository", "repositoryRef", "commit"], &["gitRepository", "commit"]),
    word(&["properties", "configurationProtectedSettings", "httpsKey"], &["gitRepository", "httpsKey"]),
    word(&["properties", "configurationProtectedSettings", "sshPrivateKey"], &["gitRepository", "sshPrivateKey"]),
    word(&["properties", "bucket", "syncIntervalInSeconds"], &["bucket", "interval"]),
    word(&["properties", "bucket", "timeoutInSeconds"], &["bucket", "timeout"]),
    word(&["properties", "configurationProtectedSettings", "bucketSecretKey"], &["bucket", "bucketSecretKey"]),
    word(&["properties", "azureBlob", "syncIntervalInSeconds"], &["azureBlob", "interval"]),
    word(&["properties", "azureBlob", "timeoutInSeconds"], &["azureBlob", "timeout"]),
    word(&["properties", "ociRepository", "syncIntervalInSeconds"], &["ociRepository", "interval"]),
    word(&["properties", "ociRepository", "timeoutInSeconds"], &["ociRepository", "timeout"]),
    word(&["properties", "ociRepository", "repositoryRef", "tag"], &["ociRepository", "tag"]),
    word(&["properties", "ociRepository", "repositoryRef", "semver"], &["ociRepository", "semver"]),
    word(&["properties", "ociRepository", "repositoryRef", "digest"], &["ociRepository", "digest"]),
    word(&["properties", "kustomizations", "*", "syncIntervalInSeconds"], &["kustomizations", "*", "interval"]),
    word(&["properties", "kustomizations", "*", "timeoutInSeconds"], &["kustomizations", "*", "timeout"]),
    word(&["properties", "kustomizations", "*", "retryIntervalInSeconds"], &["kustomizations", "*", "retryInterval"]),
];

const EXTENSION: &[Word] =
    &[word(&["properties", "configurationSettings", super::extension::MULTI_TENANCY], &["multiTenancy"])];

const fn words(kind: Kind) -> &'static [Word] {
    match kind {
        Kind::FluxConfiguration => FLUX_CONFIGURATION,
        Kind::Extension => EXTENSION,
        Kind::ProviderRegistration | Kind::ResourceGroup | Kind::ConnectedCluster | Kind::ManagedCluster => &[],
    }
}

/// Where the description of a resource in the long form of a spec may say what ARM has at `path`: the spec's own word,
/// where there is one, before ARM's.
#[must_use]
pub fn spec_paths(kind: Kind, path: &FieldPath) -> Vec<FieldPath> {
    let own = words(kind).iter().find_map(|word| word.spec_path(path));
    own.into_iter().chain([super::shown_path(path)]).collect()
}

/// The ARM paths of the fields that a spec has its own word for and that are not below a name that an author chose.
pub fn renamed(kind: Kind) -> impl Iterator<Item = FieldPath> {
    words(kind).iter().filter(|word| !word.arm.contains(&"*")).map(|word| FieldPath::of(word.arm.iter().copied()))
}

impl Word {
    fn spec_path(&self, path: &FieldPath) -> Option<FieldPath> {
        let steps: Vec<&str> = path
            .segments()
            .iter()
            .map(|segment| match segment {
                Segment::Key(key) => Some(key.as_str()),
                Segment::Index(_) => None,
            })
            .collect::<Option<_>>()?;
        let is_it = steps.len() == self.arm.len()
            && steps.iter().zip(self.arm).all(|(step, wanted)| *wanted == "*" || step == wanted);
        let mut names = steps.iter().zip(self.arm).filter(|(_, wanted)| **wanted == "*").map(|(step, _)| *step);
        is_it.then(|| {
            FieldPath::of(self.spec.iter().map(|step| if *step == "*" { names.next().unwrap_or("*") } else { step }))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_has_the_word_of_the_spec_before_that_of_arm() {
        let words = |kind, path: FieldPath| -> Vec<String> {
            spec_paths(kind, &path).iter().map(ToString::to_string).collect()
        };
        let seconds = FieldPath::dotted("properties.kustomizations").key("a.b").key("syncIntervalInSeconds");
        assert_eq!(
            words(Kind::FluxConfiguration, seconds),
            [r#"kustomizations["a.b"].interval"#, r#"kustomizations["a.b"].syncIntervalInSeconds"#]
        );
        assert_eq!(words(Kind::FluxConfiguration, FieldPath::dotted("properties.bucket.url")), ["bucket.url"]);
        let setting = FieldPath::dotted("properties.configurationSettings").key("multiTenancy.enforce");
        assert_eq!(words(Kind::Extension, setting)[0], "multiTenancy");
    }

    #[test]
    fn every_renamed_field_has_a_rule() {
        for kind in Kind::ALL {
            for word in words(kind) {
                let path = FieldPath::of(word.arm.iter().copied());
                let above = FieldPath::of(word.arm[..word.arm.len() - 1].iter().copied());
                let named = |rule: &crate::model::Rule| rule.names(&path) || rule.names(&above);
                assert!(kind.rules().iter().any(named), "{path}");
            }
        }
    }
}
