//! What the service does to each field of a flux configuration, as data.

use crate::model::{FieldPath, Habit, Rule, Rules, Scalar};

/// What the service does to each field (`../shared/facts/az-cli-behaviour.md` §5, `../shared/facts/arm-contracts.md`
/// §1.3–§1.5 and §10).
pub const RULES: Rules = &[
    read_only("id"),
    read_only("name"),
    read_only("type"),
    read_only("systemData"),
    Rule { path: "properties.scope", habit: Habit::ImmutableWord(Some("cluster")) },
    Rule { path: "properties.namespace", habit: Habit::Immutable(Some("default")) },
    Rule { path: "properties.sourceKind", habit: Habit::Word(Some("GitRepository")) },
    Rule { path: "properties.suspend", habit: Habit::Default(Scalar::Bool(false)) },
    plain("properties.gitRepository.url"),
    ten_minutes("properties.gitRepository.timeoutInSeconds"),
    ten_minutes("properties.gitRepository.syncIntervalInSeconds"),
    plain("properties.gitRepository.repositoryRef.branch"),
    plain("properties.gitRepository.repositoryRef.tag"),
    plain("properties.gitRepository.repositoryRef.semver"),
    plain("properties.gitRepository.repositoryRef.commit"),
    Rule { path: "properties.gitRepository.sshKnownHosts", habit: Habit::Base64Text },
    plain("properties.gitRepository.httpsUser"),
    Rule { path: "properties.gitRepository.httpsCACert", habit: Habit::Base64Text },
    plain("properties.gitRepository.localAuthRef"),
    // Sent as `Generic`, returned as `generic`; hidden by api-versions up to 2023-05-01.
    Rule { path: "properties.gitRepository.provider", habit: Habit::Word(Some("Generic")) },
    // The other sources: the spec cannot say them yet, so finding one is a difference.
    plain("properties.bucket"),
    plain("properties.azureBlob"),
    plain("properties.ociRepository"),
    read_only("properties.kustomizations.*.name"),
    Rule { path: "properties.kustomizations.*.path", habit: Habit::Default(Scalar::Text("")) },
    Rule { path: "properties.kustomizations.*.dependsOn", habit: Habit::Set },
    ten_minutes("properties.kustomizations.*.timeoutInSeconds"),
    ten_minutes("properties.kustomizations.*.syncIntervalInSeconds"),
    plain("properties.kustomizations.*.retryIntervalInSeconds"),
    Rule { path: "properties.kustomizations.*.prune", habit: Habit::Default(Scalar::Bool(false)) },
    Rule { path: "properties.kustomizations.*.force", habit: Habit::Default(Scalar::Bool(false)) },
    // Hidden by api-versions before 2023-05-01.
    Rule { path: "properties.kustomizations.*.wait", habit: Habit::Default(Scalar::Bool(true)) },
    plain("properties.kustomizations.*.postBuild.substitute.*"),
    plain("properties.kustomizations.*.postBuild.substituteFrom"),
    Rule { path: "properties.configurationProtectedSettings", habit: Habit::Secrets },
    Rule { path: "properties.waitForReconciliation", habit: Habit::Default(Scalar::Bool(false)) },
    Rule { path: "properties.reconciliationWaitDuration", habit: Habit::Duration },
    read_only("properties.statuses"),
    read_only("properties.repositoryPublicKey"),
    read_only("properties.sourceSyncedCommitId"),
    read_only("properties.sourceUpdatedAt"),
    read_only("properties.statusUpdatedAt"),
    read_only("properties.complianceState"),
    read_only("properties.provisioningState"),
    read_only("properties.errorMessage"),
];

const fn plain(path: &'static str) -> Rule {
    Rule { path, habit: Habit::Plain }
}

const fn read_only(path: &'static str) -> Rule {
    Rule { path, habit: Habit::ReadOnly }
}

const fn ten_minutes(path: &'static str) -> Rule {
    Rule { path, habit: Habit::Default(Scalar::Int(600)) }
}

/// Whether ARM holds this text in base64 ([`GitRepositorySpec::ssh_known_hosts`], [`GitRepositorySpec::https_ca_cert`];
/// `../shared/facts/az-cli-behaviour.md` §1.5).
#[must_use]
pub fn is_base64_text(path: &FieldPath) -> bool {
    RULES.iter().any(|rule| matches!(rule.habit, Habit::Base64Text) && rule.names(path))
}
