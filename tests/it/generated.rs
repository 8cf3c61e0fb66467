//! Specs of every kind of source, made up.

use std::collections::BTreeMap;

use arcflux::kinds::extension::{AutoUpgradeMode, ExtensionSpec};
use arcflux::kinds::flux_configuration::{
    AzureBlobSpec, BucketSpec, ConfigurationSpec, GitRepositorySpec, KustomizationSpec, OciRepositorySpec,
    PostBuildSpec, Provider, SubstituteFromSpec, SubstituteKind,
};
use arcflux::model::{Seconds, SecretRef};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

fn seconds() -> impl Strategy<Value = Seconds> {
    select(vec![1, 59, 600, 3600, Seconds::MAX]).prop_map(|seconds| Seconds::new(seconds).unwrap())
}

fn kustomization() -> impl Strategy<Value = KustomizationSpec> {
    let substitutions = prop::collection::btree_map("[A-Z]{1,3}", "[ -~]{0,8}", 0..3);
    let substitutes = prop::sample::subsequence(vec![("one", false), ("two", true), ("three", false)], 0..=3);
    (
        select(vec!["", ".", "./apps", "clusters/a b/ü"]),
        prop::sample::subsequence(vec!["a", "b", "c", "d"], 0..=4),
        (seconds(), seconds(), prop::option::of(seconds())),
        any::<(bool, bool, bool)>(),
        prop::option::of((substitutions, substitutes)),
    )
        .prop_map(|(path, depends_on, (interval, timeout, retry_interval), (prune, force, wait), substitute)| {
            KustomizationSpec {
                path: path.to_owned(),
                depends_on: depends_on.into_iter().map(str::to_owned).collect(),
                interval,
                timeout,
                retry_interval,
                prune,
                force,
                wait,
                post_build: substitute.map(|(substitute, from)| PostBuildSpec {
                    substitute,
                    substitute_from: from.into_iter().map(substitute_from).collect(),
                }),
            }
        })
}

fn substitute_from((name, optional): (&str, bool)) -> SubstituteFromSpec {
    let kind = if optional { SubstituteKind::Secret } else { SubstituteKind::ConfigMap };
    SubstituteFromSpec { kind, name: name.to_owned(), optional }
}

/// How a source signs in: user, secrets and trust that go together.
#[derive(Debug, Clone, Copy)]
enum SignIn {
    Not,
    User,
    Key,
    Cluster,
}

fn git() -> impl Strategy<Value = GitRepositorySpec> {
    (
        select(vec![SignIn::Not, SignIn::User, SignIn::Key, SignIn::Cluster]),
        select(vec![("main", None), ("v1", Some("c".repeat(40)))]),
        (seconds(), seconds()),
        select(vec![Provider::Generic, Provider::Azure, Provider::GitHub]),
        any::<bool>(),
    )
        .prop_map(|(sign_in, (branch, commit), (interval, timeout), provider, trust)| {
            let is_ssh = matches!(sign_in, SignIn::Key);
            let secret = || SecretRef::Env("GIT".to_owned());
            let given = |is_given: bool, text: &str| is_given.then(|| text.to_owned());
            GitRepositorySpec {
                url: if is_ssh { "ssh://git@example.com/r" } else { "https://example.com/r" }.to_owned(),
                branch: Some(branch.to_owned()),
                tag: None,
                semver: None,
                commit,
                interval,
                timeout,
                provider,
                https_user: given(matches!(sign_in, SignIn::User), "git"),
                https_key: matches!(sign_in, SignIn::User).then(secret),
                ssh_private_key: is_ssh.then(secret),
                ssh_known_hosts: given(is_ssh && trust, "example.com ssh-ed25519 AAAA\n"),
                https_ca_cert: given(!is_ssh && trust, "-----BEGIN CERTIFICATE-----\n"),
                local_auth_ref: given(matches!(sign_in, SignIn::Cluster), "in-cluster"),
            }
        })
}

fn bucket() -> impl Strategy<Value = BucketSpec> {
    (any::<[bool; 3]>(), seconds(), seconds()).prop_map(|([insecure, key, auth], interval, timeout)| BucketSpec {
        url: "https://s3.example.com".to_owned(),
        bucket_name: "gitops".to_owned(),
        insecure,
        interval,
        timeout,
        access_key: key.then(|| "reader".to_owned()),
        bucket_secret_key: key.then(|| SecretRef::Env("S3".to_owned())),
        local_auth_ref: (auth && !key).then(|| "in-cluster".to_owned()),
    })
}

const GUID: &str = "0f6d2c1b-7a3e-4c58-9b1d-2e5f8a7c6d40";

/// A made-up value, read as a spec is.
fn read<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

fn blob() -> impl Strategy<Value = AzureBlobSpec> {
    let sign_in = select(vec![
        json!({"servicePrincipal": {"clientId": GUID, "tenantId": GUID, "clientSecret": {"env": "SP"}}}),
        json!({"servicePrincipal": {
            "clientId": GUID, "tenantId": GUID, "clientCertificate": {"file": "sp"}, "clientCertificateSendChain": true,
        }}),
        json!({"managedIdentity": {"clientId": GUID}}),
        json!({"accountKey": {"env": "KEY"}}),
        json!({"sasToken": {"env": "SAS"}}),
        json!({"localAuthRef": "in-cluster"}),
    ]);
    (sign_in, seconds(), seconds()).prop_map(|(mut spec, interval, timeout)| {
        json_patch::merge(&mut spec, &json!({"url": "https://x.blob.core.windows.net", "containerName": "c"}));
        AzureBlobSpec { interval, timeout, ..read(spec) }
    })
}

fn oci() -> impl Strategy<Value = OciRepositorySpec> {
    let reference =
        select(vec![json!({}), json!({"tag": "v1"}), json!({"semver": "1.x"}), json!({"digest": "sha256:0"})]);
    let layer = select(vec![
        json!({}),
        json!({"layerSelector": {}}),
        json!({"layerSelector": {"mediaType": "a/b", "operation": "copy"}}),
    ]);
    let identities = json!([{"issuer": "^i$", "subject": "^s$"}, {"issuer": "^i$", "subject": "^t$"}]);
    let verify = select(vec![
        json!({}),
        json!({"verify": {"provider": "cosign", "matchOidcIdentity": identities}}),
        json!({"verify": {"provider": "notation", "verificationConfig": {"a.pub": "LS0t"}}}),
    ]);
    let sign_in = select(vec![
        json!({}),
        json!({"useWorkloadIdentity": true, "serviceAccountName": "puller"}),
        json!({"localAuthRef": "in-cluster"}),
        json!({"tlsConfig": {"clientCertificate": {"file": "c"}, "privateKey": {"file": "k"}}}),
    ]);
    (reference, layer, verify, sign_in, any::<bool>(), seconds()).prop_map(
        |(reference, layer, verify, sign_in, insecure, interval)| {
            let mut spec = json!({"url": "oci://ghcr.io/contoso/manifests", "insecure": insecure});
            [reference, layer, verify, sign_in].iter().for_each(|part| json_patch::merge(&mut spec, part));
            OciRepositorySpec { interval, ..read(spec) }
        },
    )
}

/// A configuration with a source of `kind`.
fn configuration_from(
    sources: impl Strategy<
        Value = (Option<GitRepositorySpec>, Option<BucketSpec>, Option<AzureBlobSpec>, Option<OciRepositorySpec>),
    >,
) -> impl Strategy<Value = ConfigurationSpec> {
    let names = prop::sample::subsequence(vec!["a", "b", "c", "d"], 1..=4);
    let kustomizations = (names, prop::collection::vec(kustomization(), 4)).prop_map(|(names, bodies)| {
        names.into_iter().map(str::to_owned).zip(bodies).collect::<BTreeMap<String, KustomizationSpec>>()
    });
    let behaviour = (any::<[bool; 2]>(), prop::option::of(seconds()));
    (select(vec!["default", "flux-system"]), select(vec!["cluster", "namespace"]), sources, kustomizations, behaviour)
        .prop_map(|(namespace, scope, sources, kustomizations, ([suspend, wait], duration))| {
            let (git_repository, bucket, azure_blob, oci_repository) = sources;
            ConfigurationSpec {
                suspend,
                wait_for_reconciliation: wait,
                reconciliation_wait_duration: duration,
                git_repository,
                bucket,
                azure_blob,
                oci_repository,
                kustomizations,
                ..read(json!({"namespace": namespace, "scope": scope, "kustomizations": {}}))
            }
        })
}

/// A configuration that applies from a git repository.
pub(crate) fn git_configuration() -> impl Strategy<Value = ConfigurationSpec> {
    configuration_from(git().prop_map(|git| (Some(git), None, None, None)))
}

/// A configuration with any source.
pub(crate) fn configuration() -> impl Strategy<Value = ConfigurationSpec> {
    configuration_from(prop_oneof![
        git().prop_map(|git| (Some(git), None, None, None)),
        bucket().prop_map(|bucket| (None, Some(bucket), None, None)),
        blob().prop_map(|blob| (None, None, Some(blob), None)),
        oci().prop_map(|oci| (None, None, None, Some(oci))),
    ])
}

/// An extension of which more or less is said.
pub(crate) fn extension() -> impl Strategy<Value = ExtensionSpec> {
    let settings = prop::collection::btree_map("[a-z]{1,3}(\\.[a-z]{1,2})?", "[ -~]{0,4}", 0..3);
    let upgrade =
        prop::option::of(select(vec![AutoUpgradeMode::None, AutoUpgradeMode::Patch, AutoUpgradeMode::Compatible]));
    (prop::option::of(any::<bool>()), settings, upgrade, any::<[bool; 3]>()).prop_map(
        |(multi_tenancy, configuration_settings, auto_upgrade_mode, [train, version, scope])| ExtensionSpec {
            name: "flux".to_owned(),
            multi_tenancy,
            configuration_settings,
            auto_upgrade_mode,
            release_train: train.then(|| "Preview".to_owned()),
            version: version.then(|| "1.18.5".to_owned()),
            scope: scope.then(|| read(json!({"cluster": {"releaseNamespace": "flux-system"}}))),
            ..ExtensionSpec::default()
        },
    )
}
