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
    off("properties.suspend"),
    plain("properties.gitRepository.url"),
    ten_minutes("properties.gitRepository.timeoutInSeconds"),
    ten_minutes("properties.gitRepository.syncIntervalInSeconds"),
    text("properties.gitRepository.repositoryRef.branch"),
    text("properties.gitRepository.repositoryRef.tag"),
    text("properties.gitRepository.repositoryRef.semver"),
    text("properties.gitRepository.repositoryRef.commit"),
    Rule { path: "properties.gitRepository.sshKnownHosts", habit: Habit::Base64Text },
    text("properties.gitRepository.httpsUser"),
    Rule { path: "properties.gitRepository.httpsCACert", habit: Habit::Base64Text },
    text("properties.gitRepository.localAuthRef"),
    // Sent as `Generic`, returned as `generic`; hidden by api-versions up to 2023-05-01.
    Rule { path: "properties.gitRepository.provider", habit: Habit::Word(Some("Generic")) },
    plain("properties.bucket.url"),
    plain("properties.bucket.bucketName"),
    // The service's default is the unsafe one; the body always says which is wanted.
    Rule { path: "properties.bucket.insecure", habit: Habit::Default(Scalar::Bool(true)) },
    ten_minutes("properties.bucket.timeoutInSeconds"),
    ten_minutes("properties.bucket.syncIntervalInSeconds"),
    text("properties.bucket.accessKey"),
    text("properties.bucket.localAuthRef"),
    plain("properties.azureBlob.url"),
    plain("properties.azureBlob.containerName"),
    ten_minutes("properties.azureBlob.timeoutInSeconds"),
    ten_minutes("properties.azureBlob.syncIntervalInSeconds"),
    Rule { path: "properties.azureBlob.servicePrincipal.clientId", habit: Habit::Word(None) },
    Rule { path: "properties.azureBlob.servicePrincipal.tenantId", habit: Habit::Word(None) },
    secret("properties.azureBlob.servicePrincipal.clientSecret"),
    secret("properties.azureBlob.servicePrincipal.clientCertificate"),
    secret("properties.azureBlob.servicePrincipal.clientCertificatePassword"),
    off("properties.azureBlob.servicePrincipal.clientCertificateSendChain"),
    secret("properties.azureBlob.accountKey"),
    secret("properties.azureBlob.sasToken"),
    Rule { path: "properties.azureBlob.managedIdentity.clientId", habit: Habit::Word(None) },
    text("properties.azureBlob.localAuthRef"),
    plain("properties.ociRepository.url"),
    ten_minutes("properties.ociRepository.timeoutInSeconds"),
    ten_minutes("properties.ociRepository.syncIntervalInSeconds"),
    text("properties.ociRepository.repositoryRef.tag"),
    text("properties.ociRepository.repositoryRef.semver"),
    text("properties.ociRepository.repositoryRef.digest"),
    text("properties.ociRepository.layerSelector.mediaType"),
    Rule { path: "properties.ociRepository.layerSelector.operation", habit: Habit::Word(Some("extract")) },
    Rule { path: "properties.ociRepository.verify.provider", habit: Habit::Word(None) },
    plain("properties.ociRepository.verify.verificationConfig.*"),
    Rule { path: "properties.ociRepository.verify.matchOidcIdentity", habit: Habit::Set },
    plain("properties.ociRepository.verify.matchOidcIdentity.*.issuer"),
    plain("properties.ociRepository.verify.matchOidcIdentity.*.subject"),
    off("properties.ociRepository.insecure"),
    off("properties.ociRepository.useWorkloadIdentity"),
    text("properties.ociRepository.serviceAccountName"),
    secret("properties.ociRepository.tlsConfig"),
    text("properties.ociRepository.localAuthRef"),
    read_only("properties.kustomizations.*.name"),
    Rule { path: "properties.kustomizations.*.path", habit: Habit::Default(Scalar::Text("")) },
    Rule { path: "properties.kustomizations.*.dependsOn", habit: Habit::Set },
    ten_minutes("properties.kustomizations.*.timeoutInSeconds"),
    ten_minutes("properties.kustomizations.*.syncIntervalInSeconds"),
    plain("properties.kustomizations.*.retryIntervalInSeconds"),
    off("properties.kustomizations.*.prune"),
    off("properties.kustomizations.*.force"),
    // Hidden by api-versions before 2023-05-01.
    Rule { path: "properties.kustomizations.*.wait", habit: Habit::Default(Scalar::Bool(true)) },
    plain("properties.kustomizations.*.postBuild.substitute.*"),
    plain("properties.kustomizations.*.postBuild.substituteFrom"),
    plain("properties.kustomizations.*.postBuild.substituteFrom.*.kind"),
    plain("properties.kustomizations.*.postBuild.substituteFrom.*.name"),
    off("properties.kustomizations.*.postBuild.substituteFrom.*.optional"),
    secret("properties.configurationProtectedSettings"),
    off("properties.waitForReconciliation"),
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

const fn text(path: &'static str) -> Rule {
    Rule { path, habit: Habit::Text }
}

const fn read_only(path: &'static str) -> Rule {
    Rule { path, habit: Habit::ReadOnly }
}

const fn secret(path: &'static str) -> Rule {
    Rule { path, habit: Habit::Secrets }
}

const fn off(path: &'static str) -> Rule {
    Rule { path, habit: Habit::Default(Scalar::Bool(false)) }
}

const fn ten_minutes(path: &'static str) -> Rule {
    Rule { path, habit: Habit::Default(Scalar::Int(600)) }
}

/// Whether ARM holds this text in base64 (`sshKnownHosts` and `httpsCACert` of a git source;
/// `../shared/facts/az-cli-behaviour.md` §1.5).
#[must_use]
pub fn is_base64_text(path: &FieldPath) -> bool {
    RULES.iter().any(|rule| matches!(rule.habit, Habit::Base64Text) && rule.names(path))
}
