//! Members of a flux configuration, as the published contracts have them: defaults, api-versions, what is secret.

use super::shape::{Field, Shape, field, since};

/// What may be written, in the order in which it is shown.
pub(crate) const FIELDS: &[Field] = &[
    field("scope", Shape::Choice(&["cluster", "namespace"], Some("cluster"))),
    field("namespace", Shape::TextOr("default")),
    field(
        "sourceKind",
        Shape::Choice(&["GitRepository", "Bucket", "AzureBlob", "OCIRepository"], Some("GitRepository")),
    ),
    field("suspend", Shape::Flag(false)),
    field("gitRepository", Shape::Object(GIT)),
    field("bucket", Shape::Object(BUCKET)),
    since("2022-07-01", "azureBlob", Shape::Object(BLOB)),
    since("2024-11-01", "ociRepository", Shape::Object(OCI)),
    field("kustomizations", Shape::Named(KUSTOMIZATION)),
    field("configurationProtectedSettings", Shape::ProtectedSettings),
    since("2023-05-01", "waitForReconciliation", Shape::Flag(false)),
    since("2023-05-01", "reconciliationWaitDuration", Shape::Text),
];

const GIT: &[Field] = &[
    field("url", Shape::Text),
    field("timeoutInSeconds", Shape::Count(Some(600))),
    field("syncIntervalInSeconds", Shape::Count(Some(600))),
    field(
        "repositoryRef",
        Shape::Object(&[
            field("branch", Shape::Text),
            field("tag", Shape::Text),
            field("semver", Shape::Text),
            field("commit", Shape::Text),
        ]),
    ),
    field("sshKnownHosts", Shape::Text),
    field("httpsUser", Shape::Text),
    field("httpsCACert", Shape::Text),
    field("localAuthRef", Shape::Text),
    since("2024-11-01", "provider", Shape::Choice(&["azure", "github", "generic"], None)),
];

const BUCKET: &[Field] = &[
    field("url", Shape::Text),
    field("bucketName", Shape::Text),
    field("insecure", Shape::Flag(true)),
    field("timeoutInSeconds", Shape::Count(Some(600))),
    field("syncIntervalInSeconds", Shape::Count(Some(600))),
    field("accessKey", Shape::Text),
    field("localAuthRef", Shape::Text),
];

const BLOB: &[Field] = &[
    field("url", Shape::Text),
    field("containerName", Shape::Text),
    field("timeoutInSeconds", Shape::Count(Some(600))),
    field("syncIntervalInSeconds", Shape::Count(Some(600))),
    field(
        "servicePrincipal",
        Shape::Object(&[
            field("clientId", Shape::Text),
            field("tenantId", Shape::Text),
            field("clientSecret", Shape::Secret),
            field("clientCertificate", Shape::Secret),
            field("clientCertificatePassword", Shape::Secret),
            field("clientCertificateSendChain", Shape::Flag(false)),
        ]),
    ),
    field("accountKey", Shape::Secret),
    field("sasToken", Shape::Secret),
    field("managedIdentity", Shape::Object(&[field("clientId", Shape::Text)])),
    field("localAuthRef", Shape::Text),
];

const OCI: &[Field] = &[
    field("url", Shape::Text),
    field("timeoutInSeconds", Shape::Count(Some(600))),
    field("syncIntervalInSeconds", Shape::Count(Some(600))),
    field(
        "repositoryRef",
        Shape::Object(&[field("tag", Shape::Text), field("semver", Shape::Text), field("digest", Shape::Text)]),
    ),
    field(
        "layerSelector",
        Shape::Object(&[
            field("mediaType", Shape::Text),
            field("operation", Shape::Choice(&["extract", "copy"], Some("extract"))),
        ]),
    ),
    field(
        "verify",
        Shape::Object(&[
            field("provider", Shape::Text),
            field("verificationConfig", Shape::SettingsOrNull),
            field("matchOidcIdentity", Shape::List(&[field("issuer", Shape::Text), field("subject", Shape::Text)])),
        ]),
    ),
    field("insecure", Shape::Flag(false)),
    field("useWorkloadIdentity", Shape::Flag(false)),
    field("serviceAccountName", Shape::Text),
    field(
        "tlsConfig",
        Shape::Object(&[
            field("clientCertificate", Shape::Secret),
            field("privateKey", Shape::Secret),
            field("caCertificate", Shape::Secret),
        ]),
    ),
    field("localAuthRef", Shape::Text),
];

const KUSTOMIZATION: &[Field] = &[
    field("path", Shape::TextOr("")),
    field("dependsOn", Shape::Texts),
    field("timeoutInSeconds", Shape::Count(Some(600))),
    field("syncIntervalInSeconds", Shape::Count(Some(600))),
    field("retryIntervalInSeconds", Shape::Count(None)),
    field("prune", Shape::Flag(false)),
    field("force", Shape::Flag(false)),
    since("2023-05-01", "wait", Shape::Flag(true)),
    since(
        "2023-05-01",
        "postBuild",
        Shape::Object(&[
            field("substitute", Shape::SettingsOrNull),
            field(
                "substituteFrom",
                Shape::List(&[
                    field("kind", Shape::Text),
                    field("name", Shape::Text),
                    field("optional", Shape::Flag(false)),
                ]),
            ),
        ]),
    ),
];
