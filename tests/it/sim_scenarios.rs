//! What goes wrong, by name, and what the simulated Flux finds in bound repositories.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use arcflux::sim::{Found, GitReference, Repositories, Scenario, Settings, Simulator};
use serde_json::{Value, json};

use crate::sim_fixture::{
    CLUSTER, Read, condition, configuration, extension_target, flux_target, get, register, send, settings, with_flux,
};

const NAME: &str = "flux-system";

fn under(scenario: Scenario) -> Simulator {
    with_flux(Settings { scenario: Some(scenario), ..settings() })
}

fn created(sim: &Simulator) -> Read {
    send(sim, "PUT", &flux_target(NAME), Some(&configuration()))
}

fn read_after(sim: &Simulator, seconds: u64) -> Read {
    sim.advance(Duration::from_secs(seconds));
    get(sim, &flux_target(NAME))
}

#[test]
fn names_are_read_as_they_are_written() {
    for scenario in Scenario::ALL {
        assert_eq!(Scenario::from_str(&scenario.to_string()), Ok(scenario));
        assert!(!scenario.description().is_empty());
    }
    let error = Scenario::from_str("wrong-brunch").expect_err("no such scenario");
    assert!(error.to_string().contains("wrong-branch"), "{error}");
}

#[test]
fn wrong_branch() {
    let sim = under(Scenario::WrongBranch);
    created(&sim);
    let read = read_after(&sim, 200);
    assert_eq!(read.property("provisioningState"), "Succeeded");
    assert_eq!(read.property("complianceState"), "Non-Compliant");
    let ready = condition(&read, NAME, "Ready");
    assert_eq!(ready["reason"], "GitOperationFailed");
    assert!(ready["message"].to_string().contains("couldn't find remote ref \\\"refs/heads/main\\\""), "{ready}");
    assert_eq!(condition(&read, "flux-system-infrastructure", "Ready")["reason"], "ArtifactFailed");
    assert_eq!(read.property("sourceSyncedCommitId"), &Value::Null);
}

#[test]
fn authentication_failed() {
    let sim = under(Scenario::AuthenticationFailed);
    created(&sim);
    let read = read_after(&sim, 200);
    assert!(condition(&read, NAME, "Ready")["message"].to_string().contains("authentication required"));
}

#[test]
fn compliant_after_a_while() {
    let sim = under(Scenario::CompliantAfterAWhile);
    created(&sim);
    let early = read_after(&sim, 200);
    assert_eq!(early.property("complianceState"), "Non-Compliant");
    assert_eq!(condition(&early, "flux-system-infrastructure", "Reconciling")["reason"], "Progressing");
    assert_eq!(condition(&early, "flux-system-infrastructure", "Ready")["status"], "Unknown");
    assert_eq!(read_after(&sim, 300).property("complianceState"), "Compliant");
}

#[test]
fn stale_statuses() {
    let sim = under(Scenario::StaleStatuses);
    created(&sim);
    for _ in 0..3 {
        let read = read_after(&sim, 3600);
        assert_eq!(read.property("complianceState"), "Compliant");
        assert!(read.property("statusUpdatedAt").as_str() < read.at("/systemData/lastModifiedAt").as_str());
    }
}

#[test]
fn two_revisions() {
    let sim = under(Scenario::TwoRevisions);
    created(&sim);
    let read = read_after(&sim, 200);
    assert_eq!(read.property("complianceState"), "Compliant");
    let old = &condition(&read, "flux-system-infrastructure", "Ready")["message"];
    let new = &condition(&read, "flux-system-app", "Ready")["message"];
    assert_ne!(old, new);
    assert!(new.to_string().contains(read.property("sourceSyncedCommitId").as_str().expect("a revision")));
}

#[test]
fn agent_offline() {
    let sim = Simulator::in_memory(Settings { scenario: Some(Scenario::AgentOffline), ..settings() });
    register(&sim, "Microsoft.KubernetesConfiguration");
    assert_eq!(get(&sim, &format!("{CLUSTER}?api-version=2026-05-01")).property("connectivityStatus"), "Offline");
    let body = json!({"properties": {"extensionType": "microsoft.flux"}});
    send(&sim, "PUT", &extension_target("flux"), Some(&body));
    sim.advance(Duration::from_secs(86_400));
    assert_eq!(get(&sim, &extension_target("flux")).property("provisioningState"), "Creating");
}

#[test]
fn extension_install_failed() {
    let sim = Simulator::in_memory(Settings { scenario: Some(Scenario::ExtensionInstallFailed), ..settings() });
    register(&sim, "Microsoft.KubernetesConfiguration");
    let body = json!({"properties": {"extensionType": "microsoft.flux"}});
    let created = send(&sim, "PUT", &extension_target("flux"), Some(&body));
    let operation = created.header("azure-asyncoperation").expect("an operation").to_owned();
    sim.advance(Duration::from_secs(100));
    let ended = get(&sim, &operation);
    assert_eq!((ended.status, ended.text("/status")), (200, "Failed"));
    assert_eq!(ended.text("/error/code"), "ExtensionOperationFailed");
    let extension = get(&sim, &extension_target("flux"));
    assert_eq!(extension.property("provisioningState"), "Failed");
    assert_eq!(extension.property("statuses")[0]["code"], "InstallationFailed");
}

#[test]
fn operation_stuck() {
    let sim = under(Scenario::OperationStuck);
    let operation = created(&sim).header("azure-asyncoperation").expect("an operation").to_owned();
    sim.advance(Duration::from_secs(86_400));
    assert_eq!(get(&sim, &operation).text("/status"), "Creating");
}

/// Repositories by URL; each has one branch, `main`, and the paths named.
struct Fake(BTreeMap<&'static str, Vec<&'static str>>);

impl Repositories for Fake {
    fn find(&self, url: &str, reference: &GitReference, path: &str) -> Found {
        let Some(paths) = self.0.get(url) else { return Found::Unbound };
        if *reference != GitReference::Branch("main".to_owned()) {
            return Found::RepositoryMissingRef;
        }
        if path.is_empty() || paths.contains(&path) {
            Found::Present { commit: "0123456789abcdef0123456789abcdef01234567".to_owned() }
        } else {
            Found::PathMissing
        }
    }
}

fn bound(paths: &[&'static str]) -> Simulator {
    let fake = Fake(BTreeMap::from([("https://github.com/o/r", paths.to_vec())]));
    with_flux(Settings { repositories: Some(Arc::new(fake)), ..settings() })
}

#[test]
fn a_bound_repository_gives_its_commit() {
    let sim = bound(&["./infra", "./app"]);
    created(&sim);
    let read = read_after(&sim, 200);
    assert_eq!(read.property("complianceState"), "Compliant");
    assert_eq!(read.property("sourceSyncedCommitId"), "main@sha1:0123456789abcdef0123456789abcdef01234567");
}

#[test]
fn a_path_that_is_not_there_fails_and_holds_up_what_depends_on_it() {
    let sim = bound(&["./app"]);
    created(&sim);
    let read = read_after(&sim, 200);
    assert_eq!(read.property("complianceState"), "Non-Compliant");
    let ready = condition(&read, "flux-system-infrastructure", "Ready");
    assert_eq!((&ready["status"], &ready["reason"]), (&json!("False"), &json!("ArtifactFailed")));
    let message = ready["message"].as_str().unwrap_or_default();
    assert!(message.starts_with("kustomization path not found: stat /tmp/kustomization-"), "{message}");
    assert!(message.ends_with("/infra: no such file or directory"), "{message}");
    let held = condition(&read, "flux-system-app", "Ready");
    assert_eq!(held["reason"], "DependencyNotReady");
    assert_eq!(held["message"], "dependency 'flux-system/flux-system-infrastructure' is not ready");
}

#[test]
fn a_reference_that_is_not_there_fails_the_source() {
    let sim = bound(&[]);
    let mut body = configuration();
    body["properties"]["gitRepository"]["repositoryRef"] = json!({"tag": "v9"});
    send(&sim, "PUT", &flux_target(NAME), Some(&body));
    let read = read_after(&sim, 200);
    assert!(condition(&read, NAME, "Ready")["message"].to_string().contains("refs/tags/v9"));
}

#[test]
fn revisions_have_the_form_of_their_reference() {
    let commit = "89abcdef0123456789abcdef0123456789abcdef";
    let form = |reference: GitReference| reference.revision(commit);
    assert_eq!(form(GitReference::Branch("main".into())), format!("main@sha1:{commit}"));
    assert_eq!(form(GitReference::Tag("v1".into())), format!("v1@sha1:{commit}"));
    let pinned =
        |branch: Option<&str>| GitReference::Commit { branch: branch.map(str::to_owned), commit: commit.to_owned() };
    assert_eq!(form(pinned(Some("main"))), format!("main@sha1:{commit}"));
    assert_eq!(form(pinned(None)), format!("sha1:{commit}"));
    let sim = with_flux(settings());
    let mut body = configuration();
    body["properties"]["gitRepository"]["repositoryRef"] = json!({"branch": "main", "commit": commit});
    send(&sim, "PUT", &flux_target(NAME), Some(&body));
    assert_eq!(read_after(&sim, 200).property("sourceSyncedCommitId"), &json!(format!("main@sha1:{commit}")));
}

#[test]
fn a_stored_ssh_key_that_a_put_omits_is_nobodys_deploy_key() {
    let sim = with_flux(settings());
    let mut body = configuration();
    body["properties"]["gitRepository"]["url"] = json!("ssh://git@github.com/o/r");
    let mut with_key = body.clone();
    with_key["properties"]["configurationProtectedSettings"] = json!({"sshPrivateKey": "a2V5"});
    send(&sim, "PUT", &flux_target(NAME), Some(&with_key));
    assert_eq!(read_after(&sim, 200).property("complianceState"), "Compliant");
    send(&sim, "PUT", &flux_target(NAME), Some(&body));
    let lost = read_after(&sim, 200);
    assert_eq!(lost.property("complianceState"), "Non-Compliant");
    assert!(lost.property("repositoryPublicKey").as_str().is_some_and(|key| key.starts_with("ssh-rsa ")));
    send(&sim, "PUT", &flux_target(NAME), Some(&with_key));
    assert_eq!(read_after(&sim, 200).property("complianceState"), "Compliant");
}
