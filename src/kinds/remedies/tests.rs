use std::collections::BTreeSet;

use super::*;

/// Recorded and documented symptoms: the row of `../shared/facts/domain.md` §3.1 (or where else it is from), reason or
/// code, message, and the row of the catalogue that must be found.
const SEEN: &[(&str, &str, &str, &str)] = &[
    // Recorded: azure-service-operator, FluxConfiguration_20241101_CRUD.
    (
        "S1",
        "ReconciliationFailed",
        "Deployment/arc-k8s-demo namespace not specified: the server could not find the requested resource",
        "namespace_not_named",
    ),
    (
        "S2",
        "ReconciliationFailed",
        "ConfigMap/apps/x dry-run failed: namespaces \"apps\" not found",
        "namespace_missing",
    ),
    (
        "S3",
        "ArtifactFailed",
        "kustomization path not found: stat /tmp/kustomization-1/apps: no such file or directory",
        "path_not_found",
    ),
    (
        "S4",
        "BuildFailed",
        "kustomize build failed: accumulating resources from 'x.yaml': must build at directory: not found",
        "build_failed",
    ),
    ("S4", "BuildFailed", "MalformedYAMLError: yaml: line 3: did not find expected key", "build_failed"),
    (
        "S5",
        "BuildFailed",
        "post build failed for 'cm': variable substitution failed: variable not set (strict mode): \"REGION\"",
        "variable_not_set",
    ),
    ("S6", "DependencyNotReady", "dependency 'flux-system/flux-system-infra' is not ready", "dependency_not_ready"),
    ("S6", "DependencyNotReady", "dependency 'flux-system/c-infra' revision is not up to date", "dependency_not_ready"),
    (
        "S7",
        "AccessDenied",
        "can't access 'GitRepository/flux-system/flux-system', cross-namespace references have been blocked",
        "reference_across_namespaces",
    ),
    ("S8", "ReconciliationFailed", "serviceaccounts \"flux-applier\" not found", "service_account_missing"),
    (
        "S8",
        "ReconciliationFailed",
        "users \"system:serviceaccount:apps:flux-applier\" is forbidden: User \"x\" cannot impersonate resource \"users\"",
        "service_account_missing",
    ),
    (
        "S9",
        "ReconciliationFailed",
        "ClusterRole/reader dry-run failed (Forbidden): clusterroles is forbidden",
        "not_allowed_in_cluster",
    ),
    (
        "S9",
        "ReconciliationFailed",
        "User \"system:serviceaccount:apps:flux-applier\" cannot create resource \"namespaces\" in API group \"\" at the cluster scope",
        "not_allowed_in_cluster",
    ),
    (
        "S10",
        "ReconciliationFailed",
        "Job/apps/migrate dry-run failed (Invalid): Job.batch \"migrate\" is invalid: spec.template: field is immutable",
        "field_immutable",
    ),
    (
        "S11",
        "ReconciliationFailed",
        "Certificate/apps/web dry-run failed: no matches for kind \"Certificate\" in version \"cert-manager.io/v1\"",
        "kind_not_known",
    ),
    (
        "S11",
        "ReconciliationFailed",
        "no matches for kind \"HelmRepository\" in version \"source.toolkit.fluxcd.io/v1beta1\"",
        "flux_api_removed",
    ),
    (
        "S11",
        "ReconciliationFailed",
        "no matches for kind \"HelmRelease\" in version \"helm.toolkit.fluxcd.io/v2beta1\"",
        "flux_api_removed",
    ),
    (
        "S12",
        "HealthCheckFailed",
        "health check failed after 10m0s: timeout waiting for: [Deployment/apps/web status: 'InProgress']",
        "not_healthy_in_time",
    ),
    ("S12", "HealthCheckFailed", "", "not_healthy_in_time"),
    (
        "S13",
        "InstallFailed",
        "Helm install failed for release apps/web with chart web@1.0.0: context deadline exceeded",
        "helm_timed_out",
    ),
    ("S13", "InstallFailed", "Helm install failed: timed out waiting for the condition", "helm_timed_out"),
    (
        "S14",
        "GitOperationFailed",
        "failed to checkout and determine revision: unable to clone 'https://github.com/contoso/gitops': authentication required",
        "credentials_refused",
    ),
    (
        "S14",
        "GitOperationFailed",
        "unable to clone 'https://x/y': unexpected client error: unexpected requesting status code: 401",
        "credentials_refused",
    ),
    (
        "S14",
        "GitOperationFailed",
        "authentication required: Invalid username or token. Password authentication is not supported.",
        "credentials_refused",
    ),
    (
        "S15",
        "GitOperationFailed",
        "unable to list remote for 'ssh://git@ghes/x': ssh: handshake failed: knownhosts: key mismatch",
        "host_key_not_known",
    ),
    ("S15", "GitOperationFailed", "ssh: handshake failed: knownhosts: key is unknown", "host_key_not_known"),
    (
        "S16",
        "GitOperationFailed",
        "ssh: handshake failed: ssh: unable to authenticate, attempted methods [none publickey], no supported methods remain",
        "deploy_key_not_known",
    ),
    (
        "S17",
        "GitOperationFailed",
        "unable to clone 'https://x/y': couldn't find remote ref \"refs/heads/master\"",
        "ref_not_found",
    ),
    ("S17", "GitOperationFailed", "unable to clone 'https://x/y': reference not found", "ref_not_found"),
    (
        "S18",
        "URLInvalid",
        "parse \"git@host:org/repo\": first path segment in URL cannot contain colon",
        "url_not_supported",
    ),
    ("S18", "GitOperationFailed", "transport scheme 'ftp' is not supported", "url_not_supported"),
    (
        "S19",
        "GitOperationFailed",
        "Get \"https://git.contoso.local/x\": tls: failed to verify certificate: x509: certificate signed by unknown authority",
        "authority_not_known",
    ),
    (
        "S20",
        "GitOperationFailed",
        "unable to clone 'ssh://git@h/x': dial tcp 10.1.2.3:22: i/o timeout",
        "server_unreachable",
    ),
    (
        "S20",
        "GitOperationFailed",
        "dial tcp: lookup git.contoso.local on 10.0.0.10:53: no such host",
        "server_unreachable",
    ),
    ("S20", "GitOperationFailed", "dial tcp 10.1.2.3:443: connect: connection refused", "server_unreachable"),
    (
        "S21",
        "AuthenticationFailed",
        "failed to get secret 'flux-system/repo-secret': secrets \"repo-secret\" not found",
        "secret_missing",
    ),
    ("S21", "AuthenticationFailed", "secret 'repo-secret' not found", "secret_missing"),
    (
        "S22",
        "InvalidProviderConfiguration",
        "secretRef with github app data must be specified when provider is set to github",
        "provider_does_not_fit",
    ),
    ("S23", "nothing_reported", "", "nothing_reported"),
    (
        "S24",
        "ExtensionCreationFailed",
        "error: Unable to get the status from the local CRD with the error : {Error : Retry for given duration didn't get any results with err {status not populated}}",
        "agent_cannot_report",
    ),
    (
        "S25",
        "ExtensionCreationFailed",
        "Error: {failed to install chart: Helm installation failed : Timed out waiting for the resource to come to a ready/completed state: resource: flux-system/fluxconfig-agent. 0 out of 1 expected pods are ready}",
        "installation_timed_out",
    ),
    ("S25", "ExtensionCreationFailed", "", "installation_timed_out"),
    (
        "S26",
        "ExtensionOperationFailed",
        "Error: {failed to install chart from path [] for release [flux]: release flux failed, and has been uninstalled due to atomic being set: Get \"https://10.0.0.1:443/api\": dial tcp 10.0.0.1:443: connect: connection refused}",
        "api_server_unreachable",
    ),
    (
        "S27",
        "ReconciliationFailed",
        "Pod/x dry-run failed: admission webhook \"validation.gatekeeper.sh\" denied the request: container <app> has no resource limits",
        "admission_denied",
    ),
    (
        "S28",
        "ExtensionOperationFailed",
        "Error: {failed to install chart: cannot re-use a name that is still in use}",
        "name_in_use",
    ),
    (
        "S28",
        "ExtensionOperationFailed",
        "rendered manifests contain a resource that already exists. Unable to continue with install: CustomResourceDefinition \"x\" exists and cannot be imported into the current release: invalid ownership metadata",
        "name_in_use",
    ),
    (
        "S29",
        "ExtensionOperationFailed",
        "Unable to render the Helm chart with the requested config settings: error calling index: AZURE_TENANT_ID: index of untyped nil",
        "extension_version_broken",
    ),
    (
        "S30",
        "ReconciliationFailed",
        "admission webhook \"vault.hashicorp.com\" does not support dry run",
        "webhook_without_dry_run",
    ),
    ("S31", "cluster_offline", "", "cluster_offline"),
    ("S32", "cluster_expired", "", "cluster_expired"),
    ("S33", "cluster_never_connected", "", "cluster_never_connected"),
    ("S33", "Agent_State_Timeout", "the agents did not come up in time", "cluster_never_connected"),
    (
        "S34",
        "MissingSubscriptionRegistration",
        "The subscription is not registered to use namespace 'Microsoft.KubernetesConfiguration'. See https://aka.ms/rps-not-found for how to register subscriptions.",
        "provider_not_registered",
    ),
    (
        "S35",
        "AuthorizationFailed",
        "The client 'x' with object id 'y' does not have authorization to perform action 'Microsoft.KubernetesConfiguration/fluxConfigurations/write' over scope 's' or the scope is invalid.",
        "not_authorised",
    ),
    ("S35", "LinkedAuthorizationFailed", "", "not_authorised"),
    ("S36", "EtagMismatch", "", "operation_in_flight"),
    (
        "S36",
        "UpdateFailed",
        "Update failed for this resource, as there is a conflicting operation in progress. Please try after sometime.",
        "operation_in_flight",
    ),
    ("S36", "Conflict", "Another operation is in progress", "operation_in_flight"),
    (
        "S37",
        "ValidationFailed",
        "Invalid source kind match. Config with specified source kind 'GitRepository' must contain corresponding body specified in the properties.",
        "source_not_sent",
    ),
    (
        "S38",
        "",
        "Operation cannot be fulfilled on extensionconfigs.clusterconfig.azure.com \"flux\": the object has been modified; please apply your changes to the latest version and try again",
        "changed_meanwhile",
    ),
    (
        "S39",
        "",
        "secrets is forbidden: User \"jo\" cannot list resource \"secrets\" in API group \"\" in the namespace \"flux-system\"",
        "kubectl_not_allowed",
    ),
    (
        "S39",
        "",
        "Overage claim (users with more than 200 group membership) is currently not supported",
        "kubectl_not_allowed",
    ),
    (
        "S40",
        "",
        "The current context in the kubeconfig file does not correspond to the connected cluster resource specified",
        "wrong_context",
    ),
    ("S41", "", "source-controller was terminated: OOMKilled", "out_of_memory"),
    (
        "S42",
        "BuildFailed",
        "kustomize build failed: secret.yaml is SOPS encrypted, configuring decryption is required for this secret to be reconciled",
        "encrypted_with_sops",
    ),
    (
        "S43",
        "SubscriptionRequestsThrottled",
        "Number of requests exceeded the limit. Please try again after '6' seconds.",
        "throttled",
    ),
    ("S43", "", "429 Too Many Requests", "throttled"),
    ("S44", "", "Flux v1 configurations already exist on the cluster", "flux_v1_present"),
    ("S44", "flux_v1_present", "", "flux_v1_present"),
    // Flux's own texts for what the table of the facts does not have.
    (
        "Flux",
        "ReconciliationFailed",
        "substitute from 'Secret/region' error: secrets \"region\" not found",
        "substitute_source_missing",
    ),
    (
        "Flux",
        "ReconciliationFailed",
        "failed calling webhook \"x\": Post \"https://x.svc\": dial tcp 10.0.0.7:443: connect: connection refused",
        "webhook_unreachable",
    ),
    ("Flux", "ReconciliationFailed", "Pod \"x\" is forbidden: exceeded quota: small", "quota_exceeded"),
    (
        "Flux",
        "InstallFailed",
        "could not resolve Secret chart values reference 'apps/values' with key 'values.yaml': secrets \"values\" not found",
        "helm_values_missing",
    ),
    ("Flux", "RetriesExceeded", "Failed to install after 3 attempt(s)", "helm_gave_up"),
    (
        "Flux",
        "InstallFailed",
        "Helm install failed for release apps/web: execution error at (web/templates/x.yaml:3): host is required",
        "helm_failed",
    ),
    ("Flux", "ArtifactFailed", "Source artifact not found, retrying in 30s", "artifact_not_ready"),
    ("Flux", "BucketOperationFailed", "failed to get the objects of 'x': access denied", "bucket_refuses_credentials"),
    (
        "Flux",
        "OCIArtifactPullFailed",
        "failed to pull artifact from 'oci://x': UNAUTHORIZED: authentication required",
        "registry_refuses_credentials",
    ),
    // Codes of ARM, and states of clusters, beside those of the table.
    ("ARM", "RequestDisallowedByPolicy", "Resource 'flux' was disallowed by policy.", "forbidden_by_policy"),
    (
        "ARM",
        "ScopeLocked",
        "The scope 's' cannot perform write operation because following scope(s) are locked",
        "locked",
    ),
    ("ARM", "cluster_agent_not_installed", "", "cluster_agent_not_installed"),
    ("ARM", "cluster_stopped", "", "cluster_stopped"),
];

fn found(reason: &str, message: &str) -> &'static str {
    symptom(reason, message).map_or("none", |row| row.id)
}

#[test]
fn every_symptom_that_was_seen_has_its_row() {
    for (from, reason, message, id) in SEEN {
        assert_eq!(found(reason, message), *id, "{from}: {reason}: {message}");
    }
}

#[test]
fn every_row_of_the_facts_and_of_the_catalogue_is_seen() {
    let from: BTreeSet<&str> = SEEN.iter().map(|(from, ..)| *from).collect();
    for number in 1..=44 {
        assert!(from.contains(format!("S{number}").as_str()), "S{number}");
    }
    // That a row is found for its own symptom says that no earlier row hides it.
    let seen: BTreeSet<&str> = SEEN.iter().map(|(.., id)| *id).collect();
    let rows: Vec<&str> = CATALOGUE.iter().map(|row| row.id).collect();
    assert_eq!(seen, rows.iter().copied().collect::<BTreeSet<_>>());
    assert_eq!(seen.len(), rows.len(), "an id stands twice");
}

/// A sign that an earlier row has too could never decide.
#[test]
fn no_sign_is_hidden_by_an_earlier_row() {
    for row in CATALOGUE {
        for sign in row.signs {
            let (reason, message) = match sign {
                Sign::Says(words) => ("", words.replace('*', " x ")),
                Sign::Both(reason, words) => (*reason, words.replace('*', " x ")),
                Sign::Reason(reason) => (*reason, String::new()),
            };
            assert_eq!(found(reason, &message), row.id, "{sign:?}");
        }
    }
}

#[test]
fn words_that_only_look_like_a_symptom_have_no_row() {
    for (reason, message) in [
        ("ReconciliationFailed", "Secret/apps/token dry-run failed: Secret \"token\" is invalid: data: Too long"),
        ("ReconciliationFailed", "ConfigMap/apps/reference is invalid"),
        ("", "the connection was reset by the peer"),
        ("ReconciliationFailed", "namespace apps is terminating"),
        ("GitOperationFailed", "unable to clone 'https://github.com/contoso/namespaces': EOF"),
        ("Odd", "something new"),
        ("", ""),
        ("Succeeded", "stored artifact for revision 'main@sha1:401'"),
    ] {
        assert_eq!(found(reason, message), "none", "{reason}: {message}");
    }
}

#[test]
fn a_reason_of_another_kind_does_not_lend_its_words() {
    assert_eq!(found("ReconciliationFailed", "access denied"), "none");
    assert_eq!(found("BucketOperationFailed", "Access Denied."), "bucket_refuses_credentials");
}

/// What only passes must not stop a rollout, and what stays must not be waited for until the deadline.
#[test]
fn what_waiting_helps_with() {
    use Prospect::{Terminal, Transient, WaitsForAnother};
    for (id, prospect) in [
        ("credentials_refused", Terminal),
        ("deploy_key_not_known", Terminal),
        ("host_key_not_known", Terminal),
        ("authority_not_known", Terminal),
        ("bucket_refuses_credentials", Terminal),
        ("registry_refuses_credentials", Terminal),
        ("secret_missing", Terminal),
        ("provider_does_not_fit", Terminal),
        ("url_not_supported", Terminal),
        ("ref_not_found", Terminal),
        ("path_not_found", Terminal),
        ("build_failed", Terminal),
        ("variable_not_set", Terminal),
        ("encrypted_with_sops", Terminal),
        ("namespace_not_named", Terminal),
        ("field_immutable", Terminal),
        ("flux_api_removed", Terminal),
        ("reference_across_namespaces", Terminal),
        ("service_account_missing", Terminal),
        ("not_allowed_in_cluster", Terminal),
        ("admission_denied", Terminal),
        ("webhook_without_dry_run", Terminal),
        ("helm_gave_up", Terminal),
        ("not_healthy_in_time", Transient),
        ("helm_timed_out", Transient),
        ("helm_failed", Transient),
        ("helm_values_missing", Transient),
        ("kind_not_known", Transient),
        ("namespace_missing", Transient),
        ("substitute_source_missing", Transient),
        ("server_unreachable", Transient),
        ("webhook_unreachable", Transient),
        ("quota_exceeded", Transient),
        ("changed_meanwhile", Transient),
        ("nothing_reported", Transient),
        ("cluster_offline", Transient),
        ("cluster_expired", Terminal),
        ("dependency_not_ready", WaitsForAnother),
        ("artifact_not_ready", WaitsForAnother),
    ] {
        let row = CATALOGUE.iter().find(|row| row.id == id);
        assert_eq!(row.map(|row| row.prospect), Some(prospect), "{id}");
    }
    assert_eq!(prospect("ReconciliationFailed", "something new"), Transient);
}

#[test]
fn advice_is_a_clause_of_one_line() {
    for Symptom { id, cause, advice, .. } in CATALOGUE {
        for text in [cause, advice] {
            assert!(!text.is_empty() && !text.ends_with('.') && !text.contains('\n'), "{id}: {text}");
        }
    }
}
