//! The rows of the habit table, with their sources below `../shared/facts`: which values of a live field say what the
//! spec says, and which are its nearest neighbours that do not.

use arcflux::kinds::Kind;
use serde_json::{Value, json};

/// A spec, and all that the service adds to what it asks for.
pub(crate) struct Base {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) api_version: &'static str,
    pub(crate) spec: Value,
    /// What the service adds.
    added: Value,
}

impl Base {
    /// The answer to a GET after `sent`.
    pub(crate) fn answer(&self, sent: &Value) -> Value {
        fn add(body: &mut Value, added: &Value) {
            match (body, added) {
                (Value::Object(body), Value::Object(added)) => {
                    for (key, value) in added {
                        add(body.entry(key.clone()).or_insert(Value::Null), value);
                    }
                }
                (body, added) => *body = added.clone(),
            }
        }
        let mut body = sent.clone();
        add(&mut body, &self.added);
        body
    }
}

/// One field: at which live values nothing differs, and at which it does.
pub(crate) struct Row {
    pub(crate) source: &'static str,
    pub(crate) base: &'static str,
    pub(crate) path: &'static str,
    /// Values that say what the spec says. `null` stands for an absent key, too.
    pub(crate) same: Vec<Value>,
    /// Values that do not.
    pub(crate) other: Vec<Value>,
    /// The line at which the others show, where it is not the field itself.
    pub(crate) line: Option<&'static str>,
    /// Values that say what the spec says, and something below the field that nobody knows.
    pub(crate) strange: Vec<(Value, &'static str)>,
    /// Whether what is found stays in the body: an update that sends everything must send it.
    pub(crate) kept: bool,
}

fn row(source: &'static str, base: &'static str, path: &'static str, same: Value, other: Value) -> Row {
    let list = |value: Value| value.as_array().cloned().unwrap_or_default();
    Row { source, base, path, same: list(same), other: list(other), line: None, strange: Vec::new(), kept: false }
}

impl Row {
    fn shown_at(self, line: &'static str) -> Self {
        Self { line: Some(line), ..self }
    }

    fn kept(self) -> Self {
        Self { kept: true, ..self }
    }

    fn with_stranger(self, value: Value, below: &'static str) -> Self {
        let mut strange = self.strange;
        strange.push((value, below));
        Self { strange, ..self }
    }
}

/// Fields that cannot change after creation (`../shared/facts/domain.md` §1.5, `../shared/facts/arm-contracts.md` §0.9).
pub(crate) const FIXED: [&str; 9] = [
    "scope",
    "namespace",
    "extensionType",
    "scope.cluster.releaseNamespace",
    "plan.name",
    "plan.publisher",
    "plan.product",
    "plan.promotionCode",
    "plan.version",
];

/// Broken rules that do what the rule does, with the reason.
pub(crate) const EQUIVALENT: &[(&str, &str)] = &[
    ("identity.type -> Some(KeepFoundImmutable)", NEVER_SAID),
    ("identity.type -> Some(KeepFoundWord)", NEVER_SAID),
    ("managedBy -> Some(KeepFoundImmutable)", NEVER_SAID),
    ("managedBy -> Some(KeepFoundWord)", NEVER_SAID),
    ("properties.scope.namespace -> Some(KeepFoundImmutable)", NEVER_SAID),
    ("properties.scope.namespace -> Some(KeepFoundWord)", NEVER_SAID),
    ("properties.autoUpgradeMinorVersion -> Some(KeepFoundWord)", "a boolean has no letter case"),
    ("properties.kustomizations.*.postBuild.substituteFrom.*.kind -> Some(KeepFound)", ITEMS),
    ("properties.kustomizations.*.postBuild.substituteFrom.*.name -> Some(KeepFound)", ITEMS),
    ("properties.ociRepository.verify.matchOidcIdentity.*.issuer -> Some(KeepFound)", ITEMS),
    ("properties.ociRepository.verify.matchOidcIdentity.*.subject -> Some(KeepFound)", ITEMS),
];

const NEVER_SAID: &str = "no spec says it, so it never differs";
const ITEMS: &str = "an item of a list is compared as a whole";

const GUID: &str = "0f6d2c1b-7a3e-4c58-9b1d-2e5f8a7c6d40";
const CA: &str = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
const SYSTEM: &str = r#"{"createdBy": null, "createdByType": null, "createdAt": "2026-03-20T01:02:03.0000000+00:00"}"#;

fn base64(text: &str) -> String {
    use ::base64::Engine as _;
    ::base64::engine::general_purpose::STANDARD.encode(text)
}

pub(crate) fn bases() -> Vec<Base> {
    let system: Value = serde_json::from_str(SYSTEM).unwrap();
    let reported = json!({
        "id": "/subscriptions/x/Providers/y", "name": "apps", "type": "Microsoft.KubernetesConfiguration/fluxConfigurations",
        "systemData": system,
        "properties": {
            "bucket": null, "azureBlob": null, "ociRepository": null, "gitRepository": null,
            "configurationProtectedSettings": {"httpsKey": ""},
            "statuses": [{"name": "apps", "namespace": "default", "kind": "GitRepository", "statusConditions": null}],
            "repositoryPublicKey": "ssh-rsa AAAA", "sourceSyncedCommitId": "main@sha1:53fa", "sourceUpdatedAt": "2026-01-01T00:00:00Z",
            "statusUpdatedAt": "2026-01-01T00:00:00Z", "complianceState": "Non-Compliant",
            "provisioningState": "Succeeded", "errorMessage": "none",
        },
    });
    let flux = |name: &'static str, api_version: &'static str, spec: Value, source: &str, at: Value| {
        let mut added = reported.clone();
        let properties = added["properties"].as_object_mut().unwrap();
        properties.remove(source);
        if !at.is_null() {
            properties.insert(source.to_owned(), at);
        }
        Base { name, kind: Kind::FluxConfiguration, api_version, spec, added }
    };
    let apps = json!({"app": {"path": "./apps", "prune": true}});
    vec![
        flux(
            "bare",
            "2025-04-01",
            json!({
                "gitRepository": {"url": "https://git.example.com/r"},
                "kustomizations": {"app": {}},
            }),
            "gitRepository",
            json!({"sshKnownHosts": null, "localAuthRef": null, "repositoryRef": {"tag": null}}),
        ),
        flux(
            "old",
            "2022-03-01",
            json!({"gitRepository": {"url": "https://git.example.com/r", "branch": "main"}, "kustomizations": {"app": {}}}),
            "gitRepository",
            Value::Null,
        ),
        flux(
            "git",
            "2025-04-01",
            json!({
                "namespace": "apps", "scope": "namespace", "suspend": true, "waitForReconciliation": true,
                "reconciliationWaitDuration": "5m",
                "gitRepository": {
                    "url": "https://git.example.com/r", "branch": "main", "tag": "v1", "semver": "1.x",
                    "commit": "c0ffee", "interval": "5m", "timeout": "1m", "provider": "Azure", "httpsUser": "git",
                    "sshKnownHosts": "example.com ssh-ed25519 AAAA\n", "httpsCACert": CA, "localAuthRef": "creds",
                },
                "kustomizations": {
                    "app": {
                        "path": "./apps", "dependsOn": ["a", "b"], "interval": "5m", "timeout": "1m",
                        "retryInterval": "30s", "prune": true, "force": true, "wait": false,
                        "postBuild": {
                            "substitute": {"REGION": "north", "EMPTY": ""},
                            "substituteFrom": [
                                {"kind": "ConfigMap", "name": "values"}, {"kind": "Secret", "name": "more", "optional": true},
                            ],
                        },
                    },
                    "a": {}, "b": {},
                },
            }),
            "gitRepository",
            Value::Null,
        ),
        flux(
            "bucket",
            "2025-04-01",
            json!({
                "bucket": {"url": "https://s3.example.com", "bucketName": "b", "accessKey": "me", "localAuthRef": "creds"},
                "kustomizations": apps,
            }),
            "bucket",
            Value::Null,
        ),
        flux(
            "blob",
            "2025-04-01",
            json!({
                "azureBlob": {
                    "url": "https://x.blob.core.windows.net", "containerName": "c", "localAuthRef": "creds",
                    "servicePrincipal": {"clientId": GUID, "tenantId": GUID},
                    "managedIdentity": {"clientId": GUID},
                },
                "kustomizations": apps,
            }),
            "azureBlob",
            json!({
                "accountKey": "", "sasToken": "",
                "servicePrincipal": {"clientSecret": "", "clientCertificate": "", "clientCertificatePassword": ""},
            }),
        ),
        flux(
            "oci",
            "2025-04-01",
            json!({
                "ociRepository": {
                    "url": "oci://ghcr.io/x", "tag": "v1", "semver": "1.x", "digest": "sha256:0", "serviceAccountName": "sa",
                    "localAuthRef": "creds", "useWorkloadIdentity": true,
                    "layerSelector": {"mediaType": "a/b", "operation": "extract"},
                    "verify": {
                        "provider": "cosign", "verificationConfig": {"cosign.pub": "LS0t", "other.pub": "LS0u"},
                        "matchOidcIdentity": [{"issuer": "i", "subject": "s"}, {"issuer": "j", "subject": "t"}],
                    },
                },
                "kustomizations": apps,
            }),
            "ociRepository",
            json!({"tlsConfig": {"clientCertificate": "", "privateKey": null}}),
        ),
        flux(
            "plain oci",
            "2025-04-01",
            json!({"ociRepository": {"url": "oci://ghcr.io/x"}, "kustomizations": apps}),
            "ociRepository",
            Value::Null,
        ),
        extension("silent", json!({"name": "flux"}), &system),
        extension(
            "extension",
            json!({
                "name": "flux", "multiTenancy": false, "configurationSettings": {"a.b": "1"}, "version": "1.18.5-rc1",
                "releaseTrain": "Stable", "autoUpgradeMode": "compatible", "autoUpgradeMinorVersion": false,
                "scope": {"cluster": {"releaseNamespace": "flux-system"}},
                "plan": {"name": "n", "publisher": "p", "product": "q", "promotionCode": "c", "version": "v"},
            }),
            &system,
        ),
        Base {
            name: "group",
            kind: Kind::ResourceGroup,
            api_version: "2024-03-01",
            spec: json!({"name": "rg-edge", "location": "westeurope", "tags": {"owner": "edge", "empty": ""}}),
            added: json!({
                "id": "/subscriptions/x/resourceGroups/RG-Edge", "name": "RG-Edge", "type": "Microsoft.Resources/resourceGroups",
                "location": "westeurope", "managedBy": "somebody", "tags": {"other": "kept"},
                "properties": {"provisioningState": "Succeeded"},
            }),
        },
    ]
}

/// The live extension has everything, whether the spec speaks of it or not.
fn extension(name: &'static str, spec: Value, system: &Value) -> Base {
    let silent = json!({
        "plan": {"name": "n", "publisher": "p", "product": "q", "promotionCode": "c", "version": "v"},
        "properties": {
            "autoUpgradeMode": "compatible", "autoUpgradeMinorVersion": false, "releaseTrain": "Stable", "version": "1.18.5-rc1",
            "scope": {"cluster": {"releaseNamespace": "flux-system"}, "namespace": {"targetNamespace": "x"}},
        },
    });
    let mut added = json!({
        "id": "/subscriptions/x/Providers/y", "name": "flux", "type": "Microsoft.KubernetesConfiguration/extensions",
        "systemData": system, "identity": {"type": "SystemAssigned", "principalId": GUID, "tenantId": GUID},
        "managedBy": "/subscriptions/x",
        "properties": {
            "configurationSettings": {"foreign": "kept"}, "configurationProtectedSettings": {"token": ""},
            "currentVersion": "1.19.5", "provisioningState": "Succeeded",
            "statuses": [{"code": "InstallationFailed", "time": null}], "errorInfo": {"code": "x"},
            "customLocationSettings": {"a": "b"}, "packageUri": "oci://x", "aksAssignedIdentity": {"type": null, "principalId": GUID},
            "isSystemExtension": false, "managementDetails": {"a": 1}, "additionalDetails": {"a": 1},
            "extensionState": "Ready", "installState": "Installed",
        },
    });
    json_patch::merge(&mut added, &silent);
    Base { name, kind: Kind::Extension, api_version: "2025-03-01", spec, added }
}

pub(crate) fn rows() -> Vec<Row> {
    [common(), git(), kustomizations(), bucket(), blob(), oci(), whole_extension(), group()]
        .into_iter()
        .flatten()
        .collect()
}

const AZ: &str = "az-cli-behaviour.md §5";
const TABLE: &str = "domain.md §1.6; az-cli-behaviour.md §5";
const SHAPE: &str = "arm-contracts.md §1.3";
const SOURCES: &str = "arm-contracts.md §1.4";
const FLUX: &str = "arm-contracts.md §1.5";
const CASING: &str = "az-cli-behaviour.md §5 (general casing)";
const NULLS: &str = "arm-contracts.md §0.7";
const SECRET: &str = "arm-contracts.md §0.8";

fn common() -> Vec<Row> {
    vec![
        row(CASING, "bare", "id", json!(["/Subscriptions/X/providers/Y", null]), json!([])),
        row("arm-contracts.md §1.3 (a name is tolerated)", "bare", "name", json!(["APPS"]), json!([])),
        row(CASING, "bare", "type", json!(["microsoft.kubernetesconfiguration/fluxconfigurations"]), json!([])),
        row(
            "arm-contracts.md §10 (createdBy is null)",
            "bare",
            "systemData",
            json!([null, {"createdBy": "me"}]),
            json!([]),
        ),
        row(TABLE, "bare", "properties.scope", json!([null, "cluster", "Cluster", ""]), json!(["namespace"])),
        row("domain.md §1.5", "git", "properties.scope", json!(["Namespace"]), json!([null, "cluster", true])),
        row(SHAPE, "bare", "properties.namespace", json!([null, "default", ""]), json!(["Default", "apps"])),
        row("domain.md §1.5", "git", "properties.namespace", json!(["apps"]), json!(["APPS", null])),
        row(SHAPE, "bare", "properties.sourceKind", json!([null, "GitRepository", "gitrepository"]), json!(["Bucket"])),
        row(SHAPE, "bucket", "properties.sourceKind", json!(["bucket"]), json!([null, "GitRepository"])),
        row(TABLE, "bare", "properties.suspend", json!([null, false]), json!([true, "false", 0])),
        row(TABLE, "git", "properties.suspend", json!([true]), json!([null, false, "true"])),
        row(
            NULLS,
            "bare",
            "properties.bucket",
            json!([null, {}, {"url": null, "insecure": null}, {"insecure": true}, {"accessKey": ""}, {"localAuthRef": ""}]),
            json!([{"url": "https://s3"}, {"bucketName": "b"}, {"accessKey": "me"}, {"localAuthRef": "creds"}, {"insecure": false}]),
        ),
        row(
            NULLS,
            "bare",
            "properties.azureBlob",
            json!([null, {}, {"timeoutInSeconds": 600}, {"localAuthRef": ""}, {"servicePrincipal": {"clientId": ""}}]),
            json!([
                {"url": "https://b"}, {"containerName": "c"}, {"localAuthRef": "creds"}, {"timeoutInSeconds": 60},
                {"servicePrincipal": {"clientId": "x"}}, {"servicePrincipal": {"tenantId": "x"}}, {"managedIdentity": {"clientId": "x"}},
            ]),
        ),
        row(
            NULLS,
            "bare",
            "properties.ociRepository",
            json!([
                null, {}, {"insecure": false}, {"repositoryRef": {"tag": "", "semver": "", "digest": ""}}, {"localAuthRef": ""},
                {"serviceAccountName": ""}, {"layerSelector": {"mediaType": ""}},
            ]),
            json!([
                {"url": "oci://x"}, {"localAuthRef": "creds"}, {"serviceAccountName": "sa"}, {"repositoryRef": {"tag": "v1"}},
                {"repositoryRef": {"semver": "1.x"}}, {"repositoryRef": {"digest": "sha256:0"}},
                {"verify": {"verificationConfig": {"cosign.pub": ""}}}, {"verify": {"matchOidcIdentity": [{"issuer": ""}]}},
            ]),
        ),
        row(NULLS, "oci", "properties.gitRepository", json!([null, {}]), json!([{"url": "https://git.example.com"}])),
        row(
            SECRET,
            "bare",
            "properties.configurationProtectedSettings",
            json!([null, {}, {"sshPrivateKey": ""}]),
            json!([]),
        ),
        row(TABLE, "bare", "properties.waitForReconciliation", json!([null, false]), json!([true])),
        row(TABLE, "git", "properties.waitForReconciliation", json!([true]), json!([null, false])),
        row(TABLE, "bare", "properties.reconciliationWaitDuration", json!([null, ""]), json!(["PT5M"])),
        row(
            "domain.md §1.6 (PT5M is PT300S)",
            "git",
            "properties.reconciliationWaitDuration",
            json!(["PT5M", "PT300S", "pt5m", "P0DT5M"]),
            json!([null, "PT5M1S", "PT300.5S", "0:05:00", "5m", "P5M", 300]),
        ),
        row(AZ, "bare", "properties.statuses", json!([null, [], [{"kind": "HelmRelease"}]]), json!([])),
        row(TABLE, "bare", "properties.repositoryPublicKey", json!([null, "", "ssh-rsa BBBB"]), json!([])),
        row(AZ, "bare", "properties.sourceSyncedCommitId", json!([null, "main/53fa"]), json!([])),
        row("domain.md §1.6 (read-only)", "bare", "properties.sourceUpdatedAt", json!([null, "2027-01-01"]), json!([])),
        row("domain.md §1.6 (read-only)", "bare", "properties.statusUpdatedAt", json!([null, "2027-01-01"]), json!([])),
        row(
            "arm-contracts.md §10",
            "bare",
            "properties.complianceState",
            json!([null, "Unknown", "Compliant"]),
            json!([]),
        ),
        row(SHAPE, "bare", "properties.provisioningState", json!(["Creating", "Failed"]), json!([])),
        row(TABLE, "bare", "properties.errorMessage", json!([null, "", "broken"]), json!([])),
    ]
}

fn git() -> Vec<Row> {
    let lines_broken = |text: &str| {
        let encoded = base64(text);
        let (head, tail) = encoded.split_at(20);
        format!("{head}\r\n{tail}\n")
    };
    let hosts = "example.com ssh-ed25519 AAAA\n";
    let unpadded = base64(hosts).trim_end_matches('=').to_owned();
    vec![
        row(
            "az-cli-behaviour.md §5 (url is echoed); domain.md §1.6 (a slash is not equal)",
            "bare",
            "properties.gitRepository.url",
            json!([]),
            json!(["https://git.example.com/r/", "https://git.example.com/R", "https://git.example.com/r.git", ""]),
        ),
        row(
            TABLE,
            "bare",
            "properties.gitRepository.timeoutInSeconds",
            json!([null, 600, 600.0]),
            json!([601, "600", 600.5]),
        ),
        row(TABLE, "git", "properties.gitRepository.timeoutInSeconds", json!([60, 60.0]), json!([null, 600])),
        row(TABLE, "bare", "properties.gitRepository.syncIntervalInSeconds", json!([null, 600]), json!([300])),
        row(TABLE, "git", "properties.gitRepository.syncIntervalInSeconds", json!([300]), json!([null])),
        row(
            NULLS,
            "bare",
            "properties.gitRepository.repositoryRef",
            json!([null, {}, {"branch": ""}]),
            json!([{"branch": "main"}]),
        ),
        row(
            AZ,
            "git",
            "properties.gitRepository.repositoryRef.branch",
            json!(["main"]),
            json!(["Main", null, "main "]),
        ),
        row(AZ, "git", "properties.gitRepository.repositoryRef.tag", json!(["v1"]), json!(["V1", null])),
        row(AZ, "git", "properties.gitRepository.repositoryRef.semver", json!(["1.x"]), json!(["1.X", null])),
        row(AZ, "git", "properties.gitRepository.repositoryRef.commit", json!(["c0ffee"]), json!(["C0FFEE", null])),
        row(TABLE, "old", "properties.gitRepository.repositoryRef.branch", json!([]), json!(["", null]))
            .shown_at("gitRepository.repositoryRef"),
        row(TABLE, "old", "properties.gitRepository.repositoryRef.tag", json!([null, ""]), json!(["v1"])),
        row(TABLE, "old", "properties.gitRepository.repositoryRef.semver", json!([null, ""]), json!(["1.x"])),
        row(TABLE, "old", "properties.gitRepository.repositoryRef.commit", json!([null, ""]), json!(["c0ffee"])),
        row(TABLE, "bare", "properties.gitRepository.sshKnownHosts", json!([null, ""]), json!([base64(hosts)])),
        row(
            "arm-contracts.md §1.4 (base64); az-cli-behaviour.md §1.5",
            "git",
            "properties.gitRepository.sshKnownHosts",
            json!([base64(hosts), base64(hosts.trim()), unpadded, lines_broken(hosts)]),
            json!([
                null,
                base64("example.com ssh-ed25519 AAAB\n"),
                base64("Example.com ssh-ed25519 AAAA\n"),
                hosts,
                "%%%"
            ]),
        ),
        row(TABLE, "bare", "properties.gitRepository.httpsUser", json!([null, ""]), json!(["git"])),
        row(AZ, "git", "properties.gitRepository.httpsUser", json!(["git"]), json!(["Git", null])),
        row(TABLE, "bare", "properties.gitRepository.httpsCACert", json!([null, ""]), json!([base64(CA)])),
        row(
            "arm-contracts.md §1.4 (base64); az-cli-behaviour.md §1.5",
            "git",
            "properties.gitRepository.httpsCACert",
            json!([base64(CA.trim()), base64(&CA.replace('\n', "\r\n")), lines_broken(CA)]),
            json!([base64(&CA.replace("MIIB", "MIIC")), base64(&CA.replace('\n', " ")), CA]),
        ),
        row(TABLE, "bare", "properties.gitRepository.localAuthRef", json!([null, ""]), json!(["creds"])),
        row(AZ, "git", "properties.gitRepository.localAuthRef", json!(["creds"]), json!(["Creds", null])),
        row(
            "arm-contracts.md §10 (Generic comes back as generic); az-cli-behaviour.md §5 (absent up to 2023-05-01)",
            "bare",
            "properties.gitRepository.provider",
            json!([null, "Generic", "generic", ""]),
            json!(["Azure", "GitHub"]),
        ),
        row(
            "az-cli-behaviour.md §5 (absent up to 2023-05-01)",
            "old",
            "properties.gitRepository.provider",
            json!([null]),
            json!([]),
        ),
        row(
            "arm-contracts.md §10",
            "git",
            "properties.gitRepository.provider",
            json!(["azure", "AZURE"]),
            json!([null, "Generic"]),
        ),
    ]
}

fn kustomizations() -> Vec<Row> {
    vec![
        row(
            "az-cli-behaviour.md §5 (a map); arm-contracts.md §1.5 ({} is valid, defaults filled)",
            "bare",
            "properties.kustomizations.app",
            json!([{}, {"path": "", "prune": false, "wait": true, "dependsOn": null, "postBuild": null}]),
            json!([null]),
        )
        .shown_at("kustomizations"),
        row(FLUX, "bare", "properties.kustomizations", json!([]), json!([null, {}])),
        row(FLUX, "bare", "properties.kustomizations.other", json!([null]), json!([{}, {"path": "./x"}])),
        row(TABLE, "bare", "properties.kustomizations.app.name", json!([null, "app", "APP"]), json!([])),
        row(TABLE, "bare", "properties.kustomizations.app.path", json!([null, ""]), json!(["./apps", ".", "./"])),
        row(
            "az-cli-behaviour.md §5 (./infra stays ./infra)",
            "git",
            "properties.kustomizations.app.path",
            json!(["./apps"]),
            json!(["apps", "./apps/", "./Apps", null]),
        ),
        row("domain.md §1.6 (people send [] too)", "bare", "properties.kustomizations.app.dependsOn", json!([null, []]), json!([["a"]])),
        row(
            "az-cli-behaviour.md §5 (order is echoed); Flux starts when all are ready (domain.md §1.3)",
            "git",
            "properties.kustomizations.app.dependsOn",
            json!([["a", "b"], ["b", "a"], ["a", "b", "a"]]),
            json!([["a"], ["a", "b", "c"], ["A", "b"], null, "a,b"]),
        ),
        row(TABLE, "bare", "properties.kustomizations.app.timeoutInSeconds", json!([null, 600]), json!([60])),
        row(TABLE, "git", "properties.kustomizations.app.timeoutInSeconds", json!([60, 60.0]), json!([null, "60"])),
        row(TABLE, "bare", "properties.kustomizations.app.syncIntervalInSeconds", json!([null, 600]), json!([60])),
        row(TABLE, "git", "properties.kustomizations.app.syncIntervalInSeconds", json!([300]), json!([null])),
        row(
            "domain.md §1.6 (null, whatever the documents claim)",
            "bare",
            "properties.kustomizations.app.retryIntervalInSeconds",
            json!([null]),
            json!([600, 0, ""]),
        ),
        row(AZ, "git", "properties.kustomizations.app.retryIntervalInSeconds", json!([30, 30.0]), json!([null, 31, "30"])),
        row(TABLE, "bare", "properties.kustomizations.app.prune", json!([null, false]), json!([true, "false"])),
        row(TABLE, "git", "properties.kustomizations.app.prune", json!([true]), json!([null, "true"])),
        row(TABLE, "bare", "properties.kustomizations.app.force", json!([null, false]), json!([true])),
        row(TABLE, "git", "properties.kustomizations.app.force", json!([true]), json!([null])),
        row("domain.md §1.6 (true); only ≥2023-05-01: az-cli-behaviour.md §5", "bare", "properties.kustomizations.app.wait", json!([null, true]), json!([false])),
        row("az-cli-behaviour.md §5 (only ≥2023-05-01)", "old", "properties.kustomizations.app.wait", json!([null]), json!([])),
        row(TABLE, "git", "properties.kustomizations.app.wait", json!([false]), json!([null, true])),
        row(
            TABLE,
            "bare",
            "properties.kustomizations.app.postBuild",
            json!([null, {}, {"substitute": {}}, {"substitute": null, "substituteFrom": null}, {"substituteFrom": []}]),
            json!([{"substitute": {"A": ""}}, {"substituteFrom": [{"kind": "Secret", "name": "more"}]}]),
        ),
        row("az-cli-behaviour.md §5 (only ≥2023-05-01)", "old", "properties.kustomizations.app.postBuild", json!([null]), json!([])),
        row(
            "arm-contracts.md §1.5 (a map of texts)",
            "git",
            "properties.kustomizations.app.postBuild.substitute.REGION",
            json!(["north"]),
            json!(["North", "", "nörth", "no\u{308}rth", null]),
        ),
        row(FLUX, "git", "properties.kustomizations.app.postBuild.substitute.EMPTY", json!([""]), json!([null, " "])),
        row(FLUX, "git", "properties.kustomizations.app.postBuild.substitute.OTHER", json!([null]), json!(["", "x"])),
        row(
            "domain.md §1.6 (optional is false); arm-contracts.md §1.5",
            "git",
            "properties.kustomizations.app.postBuild.substituteFrom",
            json!([
                [{"kind": "ConfigMap", "name": "values"}, {"kind": "Secret", "name": "more", "optional": true}],
                [{"name": "values", "optional": null, "kind": "ConfigMap"}, {"optional": true, "name": "more", "kind": "Secret"}],
            ]),
            json!([
                [{"kind": "Secret", "name": "more", "optional": true}, {"kind": "ConfigMap", "name": "values"}],
                [{"kind": "ConfigMap", "name": "values"}, {"kind": "Secret", "name": "more"}],
                [{"kind": "configmap", "name": "values"}, {"kind": "Secret", "name": "more", "optional": true}],
                [{"kind": "ConfigMap", "name": "values"}, {"kind": "Secret", "name": "More", "optional": true}],
                [{"kind": "ConfigMap", "name": "values"}],
                [{"kind": "ConfigMap", "name": "values"}, {"kind": "Secret", "name": "more", "optional": "true"}],
                [{"kind": "ConfigMap", "name": "values"}, {"kind": "Secret", "name": "more", "optional": true}, null],
                null,
            ]),
        )
        .with_stranger(
            json!([{"kind": "ConfigMap", "name": "values"}, {"kind": "Secret", "name": "more", "optional": true, "new": 1}]),
            "[1].new",
        ),
    ]
}

fn bucket() -> Vec<Row> {
    vec![
        row(SOURCES, "bucket", "properties.bucket", json!([]), json!([null, {}])),
        row(
            SOURCES,
            "bucket",
            "properties.bucket.url",
            json!([]),
            json!(["https://s3.example.com/", "https://S3.example.com", ""]),
        ),
        row(SOURCES, "bucket", "properties.bucket.bucketName", json!(["b"]), json!(["B", "", null])),
        row(
            "domain.md §1.6 (true where nothing was sent)",
            "bucket",
            "properties.bucket.insecure",
            json!([false]),
            json!([null, true, "false"]),
        ),
        row(SOURCES, "bucket", "properties.bucket.timeoutInSeconds", json!([null, 600]), json!([60])),
        row(SOURCES, "bucket", "properties.bucket.syncIntervalInSeconds", json!([null, 600]), json!([60])),
        row(SOURCES, "bucket", "properties.bucket.accessKey", json!(["me"]), json!(["Me", null, ""])),
        row(SOURCES, "bucket", "properties.bucket.localAuthRef", json!(["creds"]), json!(["Creds", null, ""])),
    ]
}

fn blob() -> Vec<Row> {
    let guids = json!([GUID, GUID.to_ascii_uppercase()]);
    vec![
        row(SOURCES, "blob", "properties.azureBlob", json!([]), json!([null])),
        row(SOURCES, "blob", "properties.azureBlob.url", json!([]), json!(["https://X.blob.core.windows.net", ""])),
        row(SOURCES, "blob", "properties.azureBlob.containerName", json!(["c"]), json!(["C", null])),
        row(TABLE, "blob", "properties.azureBlob.timeoutInSeconds", json!([null, 600]), json!([60])),
        row(TABLE, "blob", "properties.azureBlob.syncIntervalInSeconds", json!([null, 600]), json!([60])),
        row(SOURCES, "blob", "properties.azureBlob.servicePrincipal.clientId", guids.clone(), json!(["0f6d", null])),
        row(SOURCES, "blob", "properties.azureBlob.servicePrincipal.tenantId", guids.clone(), json!(["0f6d", null])),
        row(SECRET, "blob", "properties.azureBlob.servicePrincipal.clientSecret", json!([null, "", "***"]), json!([])),
        row(
            SECRET,
            "blob",
            "properties.azureBlob.servicePrincipal.clientCertificate",
            json!([null, "", "***"]),
            json!([]),
        ),
        row(
            SECRET,
            "blob",
            "properties.azureBlob.servicePrincipal.clientCertificatePassword",
            json!([null, "", "***"]),
            json!([]),
        ),
        row(
            SOURCES,
            "blob",
            "properties.azureBlob.servicePrincipal.clientCertificateSendChain",
            json!([null, false]),
            json!([true]),
        ),
        row(SECRET, "blob", "properties.azureBlob.accountKey", json!([null, "", "***"]), json!([])),
        row(SECRET, "blob", "properties.azureBlob.sasToken", json!([null, "", "***"]), json!([])),
        row(SOURCES, "blob", "properties.azureBlob.managedIdentity.clientId", guids, json!(["0f6d"])),
        row(SOURCES, "blob", "properties.azureBlob.managedIdentity", json!([]), json!([null, {"clientId": null}])),
        row(SOURCES, "blob", "properties.azureBlob.localAuthRef", json!(["creds"]), json!(["Creds", null, ""])),
    ]
}

fn oci() -> Vec<Row> {
    let identity = |issuer: &str, subject: &str| json!({"issuer": issuer, "subject": subject});
    vec![
        row(SOURCES, "oci", "properties.ociRepository.url", json!([]), json!(["oci://ghcr.io/X", ""])),
        row(SOURCES, "oci", "properties.ociRepository.timeoutInSeconds", json!([null, 600]), json!([60])),
        row(SOURCES, "oci", "properties.ociRepository.syncIntervalInSeconds", json!([null, 600]), json!([60])),
        row(
            SOURCES,
            "plain oci",
            "properties.ociRepository.repositoryRef",
            json!([null, {}, {"tag": null}]),
            json!([{"tag": "latest"}]),
        ),
        row(SOURCES, "oci", "properties.ociRepository.repositoryRef.tag", json!(["v1"]), json!(["V1", null, ""])),
        row(SOURCES, "oci", "properties.ociRepository.repositoryRef.semver", json!(["1.x"]), json!(["1.X", null, ""])),
        row(
            SOURCES,
            "oci",
            "properties.ociRepository.repositoryRef.digest",
            json!(["sha256:0"]),
            json!(["SHA256:0", null, ""]),
        ),
        row(
            SOURCES,
            "plain oci",
            "properties.ociRepository.layerSelector",
            json!([null, {}, {"mediaType": null, "operation": null}, {"mediaType": null, "operation": "extract"}]),
            json!([{"operation": "copy"}, {"mediaType": "a/b"}]),
        ),
        row(
            SOURCES,
            "oci",
            "properties.ociRepository.layerSelector.mediaType",
            json!(["a/b"]),
            json!(["A/b", null, ""]),
        ),
        row(
            SOURCES,
            "oci",
            "properties.ociRepository.layerSelector.operation",
            json!([null, "Extract", ""]),
            json!(["copy"]),
        ),
        row(
            NULLS,
            "plain oci",
            "properties.ociRepository.verify",
            json!([null, {}, {"provider": null}]),
            json!([{"provider": "cosign"}]),
        ),
        row(
            SOURCES,
            "oci",
            "properties.ociRepository.verify.provider",
            json!(["cosign", "Cosign"]),
            json!([null, "notation", ""]),
        ),
        row(
            SOURCES,
            "oci",
            r#"properties.ociRepository.verify.verificationConfig["cosign.pub"]"#,
            json!(["LS0t"]),
            json!(["ls0t", "LS0t\n", null, ""]),
        ),
        row(
            "arm-contracts.md §1.4; one identity that matches is enough, so order says nothing",
            "oci",
            "properties.ociRepository.verify.matchOidcIdentity",
            json!([
                [identity("i", "s"), identity("j", "t")],
                [identity("j", "t"), identity("i", "s")],
                [{"subject": "s", "issuer": "i"}, identity("j", "t")],
            ]),
            json!([
                [identity("i", "t"), identity("j", "s")],
                [identity("i", "s")],
                [identity("I", "s"), identity("j", "t")],
                null
            ]),
        )
        .with_stranger(json!([identity("j", "t"), {"issuer": "i", "subject": "s", "new": {"a": null}}]), "[0].new"),
        row(SOURCES, "oci", "properties.ociRepository.insecure", json!([null, false]), json!([true])),
        row(
            SOURCES,
            "oci",
            "properties.ociRepository.useWorkloadIdentity",
            json!([true]),
            json!([null, false, "true"]),
        ),
        row(SOURCES, "plain oci", "properties.ociRepository.useWorkloadIdentity", json!([null, false]), json!([true])),
        row(SOURCES, "oci", "properties.ociRepository.serviceAccountName", json!(["sa"]), json!(["SA", null, ""])),
        row(SECRET, "oci", "properties.ociRepository.tlsConfig", json!([null, {}, {"caCertificate": ""}]), json!([])),
        row(SOURCES, "oci", "properties.ociRepository.localAuthRef", json!(["creds"]), json!(["Creds", null, ""])),
    ]
}

const EXTENSIONS: &str = "az-cli-behaviour.md §5 (extensions); arm-contracts.md §2.3";

fn whole_extension() -> Vec<Row> {
    let owned = |path: &'static str, same: Value| row(EXTENSIONS, "extension", path, same, json!([]));
    let said = |path: &'static str, same: Value, other: Value| row(EXTENSIONS, "extension", path, same, other);
    let silent = |path: &'static str, same: Value| row(EXTENSIONS, "silent", path, same, json!([]));
    vec![
        row(CASING, "extension", "id", json!(["/Subscriptions/X", null]), json!([])),
        owned("name", json!(["Flux"])),
        owned("type", json!(["microsoft.kubernetesconfiguration/extensions"])),
        owned("systemData", json!([null, {"createdBy": null}])),
        row(
            "az-cli-behaviour.md §5 (dropped on AKS since 2026)",
            "extension",
            "identity",
            json!([null, {}]),
            json!([]),
        ),
        owned("identity.type", json!([null, "SystemAssigned", "UserAssigned"])).kept(),
        owned("identity.principalId", json!([null, "x"])),
        owned("identity.tenantId", json!([null, "x"])),
        said("plan.name", json!(["n"]), json!(["N", "m"])),
        said("plan.publisher", json!(["p"]), json!(["P"])),
        said("plan.product", json!(["q"]), json!(["Q"])),
        said("plan.promotionCode", json!(["c"]), json!(["C", null])),
        said("plan.version", json!(["v"]), json!(["V", null])),
        silent(
            "plan",
            json!([null, {"name": "x"}, {"publisher": "x"}, {"product": "x"}, {"promotionCode": "x"}, {"version": "x"}]),
        ),
        owned("managedBy", json!([null, "x"])),
        said("properties.extensionType", json!(["microsoft.flux", "Microsoft.Flux"]), json!(["microsoft.dapr"])),
        said("properties.autoUpgradeMode", json!(["compatible", "Compatible"]), json!(["none", null])),
        silent("properties.autoUpgradeMode", json!([null, "none"])).kept(),
        said("properties.autoUpgradeMinorVersion", json!([false]), json!([true, null, "false"])),
        silent("properties.autoUpgradeMinorVersion", json!([null, true, false])),
        said("properties.releaseTrain", json!(["Stable", "stable"]), json!(["preview", null])),
        silent("properties.releaseTrain", json!([null, "stable", "preview"])),
        said("properties.version", json!(["1.18.5-rc1"]), json!(["1.18.6", "1.18.5-RC1", null])),
        silent("properties.version", json!([null, "1.0.0", ""])).kept(),
        said(
            "properties.scope.cluster.releaseNamespace",
            json!(["flux-system"]),
            json!(["Flux-system", "kube-system"]),
        ),
        silent("properties.scope", json!([null, {"cluster": {"releaseNamespace": "kube-system"}}, {"cluster": {}}])),
        silent("properties.scope.namespace", json!([null, {"targetNamespace": "y"}])).kept(),
        said(
            r#"properties.configurationSettings["multiTenancy.enforce"]"#,
            json!(["false"]),
            json!(["true", null, "False", false]),
        ),
        said(r#"properties.configurationSettings["a.b"]"#, json!(["1"]), json!(["2", "", 1, null])),
        said("properties.configurationSettings.foreign", json!([null, "", "other"]), json!([])).kept(),
        silent("properties.configurationSettings", json!([null, {}, {"x": "y"}])),
        row(SECRET, "extension", "properties.configurationProtectedSettings", json!([null, {}, {"k": ""}]), json!([])),
        owned("properties.currentVersion", json!([null, "1.20.0"])),
        owned("properties.provisioningState", json!(["Succeeded"])),
        owned("properties.statuses", json!([null, [], [{"code": "x"}]])),
        owned("properties.errorInfo", json!([null, {"a": "b"}])),
        owned("properties.customLocationSettings", json!([null, {"a": "b"}])),
        owned("properties.packageUri", json!([null, "x"])),
        owned("properties.aksAssignedIdentity", json!([null, {"type": null}])),
        owned("properties.isSystemExtension", json!([null, false])),
        owned("properties.managementDetails", json!([null, {"a": "b"}])),
        owned("properties.additionalDetails", json!([null, {"a": "b"}])),
        owned("properties.extensionState", json!([null, "Ready"])),
        row(
            "arm-contracts.md §2.1 (seen at 2022-03-01)",
            "extension",
            "properties.installState",
            json!([null, "x"]),
            json!([]),
        ),
    ]
}

const GROUPS: &str = "arm-contracts.md §5";

fn group() -> Vec<Row> {
    let owned = |path: &'static str, same: Value| row(GROUPS, "group", path, same, json!([]));
    vec![
        owned("id", json!([null, "/subscriptions/X/resourcegroups/rg-edge"])),
        owned("name", json!(["rg-edge"])),
        owned("type", json!([null, "microsoft.resources/resourcegroups"])),
        owned("location", json!(["westeurope", "West Europe", "northeurope"])),
        owned("managedBy", json!([null, "other"])).kept(),
        row(GROUPS, "group", "tags.owner", json!(["edge"]), json!(["Edge", null, ""])),
        row(GROUPS, "group", "tags.empty", json!([""]), json!([null, " "])),
        owned("tags.other", json!([null, "", "x"])).kept(),
        row(GROUPS, "group", "tags", json!([]), json!([null, {}])),
        owned("properties", json!([null, {"provisioningState": "Deleting"}])),
    ]
}
