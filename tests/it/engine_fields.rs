//! Every field of the API, from a spec to ARM and back: what is declared converges, planning again finds nothing to do,
//! and one changed value is one line.

use arcflux::kinds::Encoding;
use arcflux::model::SecretRef;
use arcflux::plan::{Options, Plan, SecretGrant, SecretPolicy, Step};
use arcflux::sim;

use crate::simulated::{World, fields, options};

/// A spec for one Arc-connected cluster.
fn spec(configurations: &str) -> String {
    format!(
        "apiVersion: arcflux/v1
subscription: 3f0c1c5e-8a53-4b0e-9d6f-2f9a4f1e7b20
resourceGroup: rg-edge
cluster:
  name: store-001
{configurations}"
    )
}

/// Brings `before` about, then asks for `before` with one text replaced: the plan that makes the difference, which
/// must converge.
async fn edited(before: &str, from: &str, to: &str) -> (World, Plan) {
    let world = World::of(before);
    world.converge(before).await;
    let after = before.replacen(from, to, 1);
    assert_ne!(after, before, "{from}");
    let plan = world.converge(&after).await;
    (world, plan)
}

async fn assert_one_line(before: &str, from: &str, to: &str, field: &str) {
    let (_, plan) = edited(before, from, to).await;
    assert_eq!(fields(&plan), [field], "{from} -> {to}");
}

fn consequences(plan: &Plan) -> Vec<&str> {
    let all = plan.resource_changes.iter().flat_map(|change| &change.consequences);
    all.map(|consequence| consequence.code.as_str()).collect()
}

const BEHAVIOUR: &str = "configurations:
  apps:
    namespace: apps
    suspend: false
    waitForReconciliation: true
    reconciliationWaitDuration: 30m
    gitRepository:
      url: https://github.com/contoso/gitops
      branch: main
    kustomizations:
      app:
        path: ./apps
        postBuild:
          substitute:
            REGION: north
          substituteFrom:
            - kind: ConfigMap
              name: cluster-values
            - kind: Secret
              name: cluster-secrets
              optional: true
";

#[tokio::test]
async fn how_a_configuration_behaves_is_one_line_each() {
    let substitutes = "kustomizations.app.postBuild.substituteFrom";
    for (from, to, field) in [
        ("waitForReconciliation: true", "waitForReconciliation: false", "waitForReconciliation"),
        ("reconciliationWaitDuration: 30m", "reconciliationWaitDuration: 31m", "reconciliationWaitDuration"),
        ("name: cluster-values", "name: other-values", substitutes),
        ("kind: ConfigMap", "kind: Secret", substitutes),
        ("optional: true", "optional: false", substitutes),
        ("REGION: north", "REGION: south", "kustomizations.app.postBuild.substitute.REGION"),
    ] {
        assert_one_line(&spec(BEHAVIOUR), from, to, field).await;
    }
}

#[tokio::test]
async fn a_wait_of_the_same_length_is_no_difference() {
    let world = World::of(&spec(BEHAVIOUR));
    world.converge(&spec(BEHAVIOUR)).await;
    assert!(!world.plan(&spec(BEHAVIOUR).replace("30m", "1800s")).await.has_changes());
}

#[tokio::test]
async fn a_suspended_configuration_is_not_waited_for_and_wakes_up_again() {
    let suspended = spec(BEHAVIOUR).replace("suspend: false", "suspend: true");
    let (world, plan) = edited(&spec(BEHAVIOUR), "suspend: false", "suspend: true").await;
    assert_eq!(fields(&plan), ["suspend"]);
    assert_eq!(consequences(&plan), ["suspend"]);
    let id = plan.resource_changes.last().unwrap().id.to_string();
    let (_, live) = world.curl("GET", &format!("{id}?api-version=2025-04-01"), &serde_json::Value::Null);
    assert_eq!(live["properties"]["complianceState"], "Suspended");
    let plan = world.converge(&suspended.replace("suspend: true", "suspend: false")).await;
    assert_eq!(fields(&plan), ["suspend"]);
    assert_eq!(consequences(&plan), ["resume"]);
}

#[tokio::test]
async fn arm_gives_up_waiting_for_flux_after_the_duration() {
    let text = spec(BEHAVIOUR).replace("reconciliationWaitDuration: 30m", "reconciliationWaitDuration: 2m");
    let scenario = Some(sim::Scenario::CompliantAfterAWhile);
    let world = World::with(&text, sim::Settings { scenario, ..sim::Settings::default() });
    let report = world.apply(&world.plan(&text).await).await;
    assert!(!report.converged(), "{report:#?}");
}

const BUCKET: &str = "configurations:
  apps:
    bucket:
      url: https://minio.contoso.com
      bucketName: gitops
      interval: 5m
      timeout: 1m
      accessKey: reader
      bucketSecretKey: {env: BUCKET_SECRET}
    kustomizations: {app: {path: ./apps}}
";

const BLOB: &str = "configurations:
  apps:
    azureBlob:
      url: https://contoso.blob.core.windows.net
      containerName: manifests
      interval: 5m
      timeout: 1m
      accountKey: {env: ACCOUNT_KEY}
    kustomizations: {app: {path: ./apps}}
";

const PRINCIPAL: &str = "configurations:
  apps:
    azureBlob:
      url: https://contoso.blob.core.windows.net
      containerName: manifests
      servicePrincipal:
        clientId: 0f6d2c1b-7a3e-4c58-9b1d-2e5f8a7c6d40
        tenantId: 7d0b1f5a-93c4-4a52-8f0e-61c2b7a4d9e3
        clientCertificate: {file: sp.pem}
        clientCertificatePassword: {env: SP_PASSWORD}
        clientCertificateSendChain: true
    kustomizations: {app: {path: ./apps}}
";

const OCI: &str = "configurations:
  apps:
    ociRepository:
      url: oci://ghcr.io/contoso/manifests
      tag: v1
      interval: 5m
      timeout: 1m
      layerSelector: {mediaType: application/x-tar, operation: copy}
      verify:
        provider: cosign
        verificationConfig: {cosign.pub: LS0tLS0K}
        matchOidcIdentity:
          - {issuer: one, subject: a}
          - {issuer: two, subject: b}
      insecure: false
      useWorkloadIdentity: true
      serviceAccountName: puller
      tlsConfig:
        clientCertificate: {file: client.pem}
        privateKey: {file: client.key}
        caCertificate: {file: ca.pem}
    kustomizations: {app: {path: ./apps}}
";

const GIT: &str = "configurations:
  apps:
    gitRepository:
      url: https://github.com/contoso/gitops
      branch: main
      httpsUser: reader
      httpsKey: {env: GIT_TOKEN}
    kustomizations: {app: {path: ./apps}}
";

#[tokio::test]
async fn each_field_of_a_bucket_is_one_line() {
    for (from, to, field) in [
        ("bucketName: gitops", "bucketName: other", "bucket.bucketName"),
        ("interval: 5m", "interval: 6m", "bucket.syncIntervalInSeconds"),
        ("timeout: 1m", "timeout: 2m", "bucket.timeoutInSeconds"),
        ("accessKey: reader", "accessKey: writer", "bucket.accessKey"),
    ] {
        assert_one_line(&spec(BUCKET), from, to, field).await;
    }
}

#[tokio::test]
async fn each_field_of_a_blob_container_is_one_line() {
    for (before, from, to, field) in [
        (BLOB, "containerName: manifests", "containerName: other", "azureBlob.containerName"),
        (BLOB, "interval: 5m", "interval: 6m", "azureBlob.syncIntervalInSeconds"),
        (BLOB, "timeout: 1m", "timeout: 2m", "azureBlob.timeoutInSeconds"),
        (PRINCIPAL, "0f6d2c1b", "1f6d2c1b", "azureBlob.servicePrincipal.clientId"),
        (PRINCIPAL, "7d0b1f5a", "8d0b1f5a", "azureBlob.servicePrincipal.tenantId"),
        (PRINCIPAL, "Chain: true", "Chain: false", "azureBlob.servicePrincipal.clientCertificateSendChain"),
    ] {
        assert_one_line(&spec(before), from, to, field).await;
    }
}

#[tokio::test]
async fn each_field_of_an_oci_repository_is_one_line() {
    for (from, to, field) in [
        ("tag: v1", "tag: v2", "ociRepository.repositoryRef.tag"),
        ("interval: 5m", "interval: 6m", "ociRepository.syncIntervalInSeconds"),
        ("timeout: 1m", "timeout: 2m", "ociRepository.timeoutInSeconds"),
        ("application/x-tar", "application/x-gzip", "ociRepository.layerSelector.mediaType"),
        ("operation: copy", "operation: extract", "ociRepository.layerSelector.operation"),
        ("provider: cosign", "provider: notation", "ociRepository.verify.provider"),
        ("LS0tLS0K", "LS0tLS0L", "ociRepository.verify.verificationConfig[\"cosign.pub\"]"),
        ("issuer: two", "issuer: three", "ociRepository.verify.matchOidcIdentity"),
        ("serviceAccountName: puller", "serviceAccountName: other", "ociRepository.serviceAccountName"),
        ("useWorkloadIdentity: true", "useWorkloadIdentity: false", "ociRepository.useWorkloadIdentity"),
    ] {
        assert_one_line(&spec(OCI), from, to, field).await;
    }
}

#[tokio::test]
async fn another_kind_of_source_replaces_the_one_there_is() {
    let kinds = [("gitRepository", GIT), ("bucket", BUCKET), ("azureBlob", BLOB), ("ociRepository", OCI)];
    for (old, before) in kinds {
        for (new, after) in kinds.into_iter().filter(|(new, _)| *new != old) {
            let world = World::of(&spec(before));
            world.converge(&spec(before)).await;
            let plan = world.plan(&spec(after)).await;
            // An identity of the cluster is led to another server, which has to be allowed.
            let options = Options { allow_auth_hosts: vec!["ghcr.io".to_owned()], ..options() };
            assert_eq!(plan.refusals.is_empty(), new != "ociRepository", "{old} -> {new}: {:?}", plan.refusals);
            let plan = world.converge_with(&spec(after), &options).await;
            let mut changed = fields(&plan);
            changed.sort();
            let mut expected = [old.to_owned(), new.to_owned(), "sourceKind".to_owned()];
            expected.sort();
            assert_eq!(changed, expected);
            assert_eq!(consequences(&plan), ["source_change"]);
        }
    }
}

#[tokio::test]
async fn a_secret_is_sent_with_every_put_and_encoded_as_arm_wants_it() {
    let tls = ["clientCertificate", "privateKey", "caCertificate"];
    let tls = tls.map(|key| (format!("properties.ociRepository.tlsConfig.{key}"), Encoding::Base64));
    let bucket = "properties.configurationProtectedSettings.bucketSecretKey".to_owned();
    for (before, expected) in [
        (BUCKET, vec![(bucket, Encoding::Base64)]),
        (BLOB, vec![("properties.azureBlob.accountKey".to_owned(), Encoding::Raw)]),
        (
            PRINCIPAL,
            vec![
                ("properties.azureBlob.servicePrincipal.clientCertificate".to_owned(), Encoding::Base64),
                ("properties.azureBlob.servicePrincipal.clientCertificatePassword".to_owned(), Encoding::Raw),
            ],
        ),
        (OCI, tls.to_vec()),
    ] {
        let (_, plan) = edited(&spec(before), "path: ./apps", "path: ./next").await;
        assert_eq!(fields(&plan), ["kustomizations.app.path"]);
        let holes = plan.resource_changes.last().unwrap().steps.iter().flat_map(Step::holes);
        let sent: Vec<(String, Encoding)> = holes.map(|hole| (hole.path.to_string(), hole.encoding)).collect();
        assert_eq!(sent, expected);
    }
}

const EXTENSION: &str = "extension:
  name: flux
  multiTenancy: false
  version: 1.18.5
  autoUpgradeMode: none
  scope: {cluster: {releaseNamespace: flux-system}}
  plan: {name: flux, publisher: microsoft, product: flux}
  configurationSettings: {helm-controller.detectDrift: \"true\"}
  configurationProtectedSettings: {registry.password: {env: REGISTRY_PASSWORD}}
configurations:
  apps:
    gitRepository: {url: \"https://github.com/contoso/gitops\", branch: main}
    kustomizations: {app: {path: ./apps}}
";

#[tokio::test]
async fn each_field_of_the_extension_is_one_line() {
    for (from, to, field) in [
        ("version: 1.18.5", "version: 1.19.0", "version"),
        ("detectDrift: \"true\"", "detectDrift: \"false\"", "configurationSettings[\"helm-controller.detectDrift\"]"),
        ("multiTenancy: false", "multiTenancy: true", "configurationSettings[\"multiTenancy.enforce\"]"),
    ] {
        assert_one_line(&spec(EXTENSION), from, to, field).await;
    }
    let upgrading =
        spec(EXTENSION).replace("  version: 1.18.5\n  autoUpgradeMode: none\n", "  autoUpgradeMode: patch\n");
    assert_one_line(&upgrading, "autoUpgradeMode: patch", "autoUpgradeMode: compatible", "autoUpgradeMode").await;
    assert_one_line(
        &upgrading,
        "autoUpgradeMode: patch",
        "autoUpgradeMode: patch\n  releaseTrain: Preview",
        "releaseTrain",
    )
    .await;
}

#[tokio::test]
async fn another_version_is_installed_in_place() {
    let (_, plan) = edited(&spec(EXTENSION), "version: 1.18.5", "version: 1.19.0").await;
    assert_eq!(consequences(&plan), ["version_change", "controllers_restart"]);
    let writes = plan.resource_changes.iter().flat_map(|change| &change.steps).filter(|step| step.writes());
    assert!(writes.into_iter().all(|step| matches!(step, Step::Patch { .. })));
}

#[tokio::test]
async fn what_the_spec_says_nothing_of_stays_as_it_is_found() {
    let world = World::of(&spec(EXTENSION));
    world.converge(&spec(EXTENSION)).await;
    let silent = spec(EXTENSION.split_once("configurations:").unwrap().1);
    let silent = silent.replace("name: store-001\n", "name: store-001\nconfigurations:");
    let plan = world.plan(&silent).await;
    assert!(!plan.has_changes(), "{:?}", fields(&plan));
    let kept = plan.notes.iter().find(|note| note.code == "kept_as_found").unwrap();
    for name in ["version", "autoUpgradeMode", "detectDrift", "multiTenancy.enforce"] {
        assert!(kept.message.contains(name), "{}", kept.message);
    }
}

#[tokio::test]
async fn what_is_fixed_at_creation_is_refused() {
    let world = World::of(&spec(EXTENSION));
    world.converge(&spec(EXTENSION)).await;
    for (from, to) in [("releaseNamespace: flux-system", "releaseNamespace: flux"), ("product: flux", "product: other")]
    {
        let plan = world.plan(&spec(EXTENSION).replace(from, to)).await;
        assert_eq!(plan.refusals[0].code, "extension_is_fixed", "{to}");
    }
}

#[tokio::test]
async fn protected_settings_are_sent_when_one_is_missing_and_never_emptied() {
    for (name, quirks) in sim::Quirks::all_variants() {
        let text = spec(EXTENSION);
        let world = World::with(&text, sim::Settings { quirks, ..sim::Settings::default() });
        world.converge(&text).await;
        let secret = |name: &str| format!("registry.password: {{env: REGISTRY_PASSWORD}}, {name}: {{file: {name}}}");
        let more = text.replace("registry.password: {env: REGISTRY_PASSWORD}", &secret("token"));
        let plan = world.converge(&more).await;
        let sent = plan.resource_changes.iter().flat_map(|change| &change.secrets).count();
        assert_eq!(sent, 2, "{name}: all are sent, whether the service merges or replaces");
        // A setting that changes leaves them alone.
        let plan = world.converge(&more.replace("detectDrift: \"true\"", "detectDrift: \"false\"")).await;
        assert!(plan.resource_changes.iter().all(|change| change.secrets.is_empty()), "{name}");
        // Others that somebody else has set cannot be read, so nothing may take their place.
        let fewer = text.replace("registry.password: {env: REGISTRY_PASSWORD}", "another: {env: ANOTHER}");
        let plan = world.plan(&fewer).await;
        assert_eq!(plan.refusals[0].code, "protected_settings_would_be_lost", "{name}");
    }
}

#[tokio::test]
async fn a_protected_setting_goes_only_where_it_is_allowed_to() {
    let world = World::of(&spec(EXTENSION));
    let granted = |destination: &str| {
        let secret = SecretRef::Env("REGISTRY_PASSWORD".to_owned());
        let grant = SecretGrant { secret, destination: destination.to_owned() };
        Options { secrets: SecretPolicy::Granted(vec![grant]), ..options() }
    };
    let plan = world.try_plan(&spec(EXTENSION), &granted("https://github.com")).await.unwrap();
    assert_eq!(plan.refusals[0].code, "secret_not_allowed");
    let plan = world.try_plan(&spec(EXTENSION), &granted("rg-edge/store-001/extension")).await.unwrap();
    assert_eq!(plan.refusals, []);
}

#[tokio::test]
async fn pinned_api_versions_are_used_for_every_read_and_write() {
    let pins = "apiVersions:
  fluxConfigurations: 2022-11-01
  extensions: 2022-07-01
  connectedClusters: 2021-10-01
  resourceGroups: 2021-04-01
  providers: 2020-10-01
";
    let text = format!("{pins}{}", spec(GIT));
    let world = World::of(&text);
    let plan = world.converge(&text).await;
    assert!(plan.resource_changes.iter().all(|change| pins.contains(&change.api_version)));
    let requests = world.sim.requests();
    for logged in &requests {
        let (path, query) = logged.target.split_once('?').unwrap();
        // The service's own status URLs have their own spelling.
        let version = query.to_lowercase();
        let version = version.split("api-version=").nth(1).unwrap().split('&').next().unwrap();
        let pinned = [
            ("/fluxConfigurations", "2022-11-01"),
            ("/extensions", "2022-07-01"),
            ("/sourceControlConfigurations", "2022-03-01"),
            ("/connectedClusters/", "2021-10-01"),
            ("/resourceGroups/", "2021-04-01"),
            ("", "2020-10-01"),
        ];
        let (_, wanted) = pinned.into_iter().find(|(part, _)| path.contains(part)).unwrap();
        assert_eq!(version, wanted, "{path}");
    }
    // What the version does not show is no difference, and what it has is one line.
    let edited = text.replace("branch: main", "branch: next");
    assert_eq!(fields(&world.converge(&edited).await), ["gitRepository.repositoryRef.branch"]);
}
