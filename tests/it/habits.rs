//! Whatever a spec says, what the service makes of it is no difference: a model of its habits, as the recordings show
//! them, thrown at generated specs. And whatever one field is changed to, that field shows.

use std::collections::BTreeMap;

use arcflux::kinds::flux_configuration::{
    self, ConfigurationSpec, GitRepositorySpec, KustomizationSpec, PostBuildSpec, Presence, Provider, Scope,
};
use arcflux::model::{Reading, Seconds, SecretRef, Segment};
use arcflux::plan::Plan;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

use crate::edits::EDITS;
use crate::simulated::fields;
use crate::{explain, world};

/// What the service does to a body on one occasion.
#[derive(Debug, Clone)]
struct Habits {
    /// Answers null where nothing was sent; else leaves the key out, as older api-versions do.
    nulls: bool,
    /// Leaves out what the caller could have known: the documented defaults.
    hides_defaults: bool,
    /// Writes words in lower case.
    lower_case: bool,
    /// Turns the order of lists and of the keys of maps around.
    turns_around: bool,
    /// Writes whole numbers as `600.0`.
    fractions: bool,
    /// Shows the keys of protected settings.
    echoes: bool,
}

impl Habits {
    /// The body of a GET after a PUT of `sent`.
    fn answer(&self, name: &str, sent: &Value, secrets: &[String]) -> Value {
        let mut properties = sent["properties"].clone();
        let echoed: Map<String, Value> =
            secrets.iter().filter(|_| self.echoes).map(|key| (key.clone(), json!(""))).collect();
        properties["configurationProtectedSettings"] = Value::Object(echoed);
        self.reword(&mut properties, &["sourceKind", "scope"]);
        let source = &mut properties["gitRepository"];
        self.reword(source, &["provider"]);
        self.without_defaults(source, &[("timeoutInSeconds", json!(600)), ("syncIntervalInSeconds", json!(600))]);
        self.with_nulls(source, &["sshKnownHosts", "httpsUser", "httpsCACert", "localAuthRef"]);
        self.with_nulls(&mut source["repositoryRef"], &["branch", "tag", "semver", "commit"]);
        if let Some(kustomizations) = properties["kustomizations"].as_object_mut() {
            for (name, kustomization) in kustomizations {
                kustomization["name"] = json!(name);
                self.without_defaults(
                    kustomization,
                    &[("path", json!("")), ("prune", json!(false)), ("force", json!(false)), ("wait", json!(true))],
                );
                self.with_nulls(kustomization, &["dependsOn", "retryIntervalInSeconds", "postBuild"]);
            }
        }
        self.with_nulls(&mut properties, &["bucket", "azureBlob", "ociRepository", "reconciliationWaitDuration"]);
        for (key, value) in [
            ("provisioningState", json!("Succeeded")),
            ("complianceState", json!("Non-Compliant")),
            ("repositoryPublicKey", json!("")),
            ("sourceSyncedCommitId", json!("main@sha1:53fa7285e937c6a01d616b8ecffa4afa864a09f0")),
            ("sourceUpdatedAt", json!("2026-01-01T00:00:10+00:00")),
            ("statusUpdatedAt", json!("2026-01-01T00:00:20+00:00")),
            ("errorMessage", json!("")),
            ("waitForReconciliation", json!(false)),
            ("statuses", json!([{"name": name, "kind": "GitRepository", "statusConditions": null}])),
        ] {
            properties[key] = value;
        }
        let times = json!({"createdBy": null, "lastModifiedAt": "2026-01-01T00:00:00+00:00"});
        self.respelled(&json!({
            "id": format!("/Subscriptions/x/fluxConfigurations/{name}"), "name": name,
            "type": "Microsoft.KubernetesConfiguration/fluxConfigurations", "systemData": times,
            "properties": properties,
        }))
    }

    fn reword(&self, object: &mut Value, keys: &[&str]) {
        for key in keys.iter().filter(|_| self.lower_case) {
            object[*key] = json!(object[*key].as_str().unwrap().to_ascii_lowercase());
        }
    }

    fn without_defaults(&self, object: &mut Value, defaults: &[(&str, Value)]) {
        for (key, value) in defaults.iter().filter(|_| self.hides_defaults) {
            if object[*key] == *value {
                object.as_object_mut().unwrap().remove(*key);
            }
        }
    }

    fn with_nulls(&self, object: &mut Value, keys: &[&str]) {
        for key in keys.iter().filter(|_| self.nulls) {
            object.as_object_mut().unwrap().entry(*key).or_insert(Value::Null);
        }
    }

    fn respelled(&self, value: &Value) -> Value {
        match value {
            Value::Object(object) => {
                let mut entries: Vec<(String, Value)> =
                    object.iter().map(|(key, value)| (key.clone(), self.respelled(value))).collect();
                if self.turns_around {
                    entries.reverse();
                }
                Value::Object(entries.into_iter().collect())
            }
            Value::Array(items) => {
                let mut items: Vec<Value> = items.iter().map(|item| self.respelled(item)).collect();
                if self.turns_around {
                    items.reverse();
                }
                Value::Array(items)
            }
            Value::Number(number) if self.fractions => json!(number.as_f64()),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
        }
    }
}

fn habits() -> impl Strategy<Value = Habits> {
    (any::<[bool; 6]>()).prop_map(|[nulls, hides_defaults, lower_case, turns_around, fractions, echoes]| Habits {
        nulls,
        hides_defaults,
        lower_case,
        turns_around,
        fractions,
        echoes,
    })
}

fn seconds() -> impl Strategy<Value = Seconds> {
    select(vec![1, 59, 600, 3600, Seconds::MAX]).prop_map(|seconds| Seconds::new(seconds).unwrap())
}

fn kustomization() -> impl Strategy<Value = KustomizationSpec> {
    let substitutions = prop::collection::btree_map("[A-Z]{1,3}", "[ -~]{0,8}", 0..3);
    (
        select(vec!["", ".", "./apps", "clusters/a b/ü"]),
        prop::sample::subsequence(vec!["a", "b", "c", "d"], 0..=4),
        (seconds(), seconds(), prop::option::of(seconds())),
        any::<(bool, bool, bool)>(),
        prop::option::of(substitutions),
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
                post_build: substitute.map(|substitute| PostBuildSpec { substitute, substitute_from: Vec::new() }),
            }
        })
}

/// How a source signs in: user, secrets and trust that go together.
#[derive(Debug, Clone, Copy)]
enum SignIn {
    Not,
    User,
    Key,
    Cluster,
}

fn source() -> impl Strategy<Value = GitRepositorySpec> {
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

fn configuration() -> impl Strategy<Value = ConfigurationSpec> {
    let names = prop::sample::subsequence(vec!["a", "b", "c", "d"], 1..=4);
    let kustomizations = (names, prop::collection::vec(kustomization(), 4)).prop_map(|(names, bodies)| {
        names.into_iter().map(str::to_owned).zip(bodies).collect::<BTreeMap<String, KustomizationSpec>>()
    });
    (select(vec!["default", "flux-system"]), select(vec![Scope::Cluster, Scope::Namespace]), source(), kustomizations)
        .prop_map(|(namespace, scope, git_repository, kustomizations)| ConfigurationSpec {
            namespace: namespace.to_owned(),
            scope,
            depends_on: Vec::new(),
            state: Presence::Present,
            protect: false,
            ignore: Vec::new(),
            allow: Vec::new(),
            suspend: false,
            wait_for_reconciliation: false,
            reconciliation_wait_duration: None,
            bucket: None,
            azure_blob: None,
            oci_repository: None,
            git_repository: Some(git_repository),
            kustomizations,
        })
}

/// Plans `wanted` where the service has made what it makes of `written`.
fn plan(wanted: &ConfigurationSpec, written: &ConfigurationSpec, habits: &Habits) -> Plan {
    let mut desired = world::quickstart();
    *world::configuration(&mut desired) = written.clone();
    let mut live = world::converged(&desired);
    let sent = flux_configuration::body(written);
    let secrets: Vec<String> = sent
        .holes
        .iter()
        .filter_map(|hole| match hole.path.segments().last()? {
            Segment::Key(key) => Some(key.clone()),
            Segment::Index(_) => None,
        })
        .collect();
    let body = habits.answer("flux-system", &sent.json, &secrets);
    let id = world::configuration_id(&desired);
    live.readings.insert(id, Reading::Present(body));
    *world::configuration(&mut desired) = wanted.clone();
    explain::assert_agreement(&desired, &live);
    world::plan(&desired, &live, &world::options())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_the_service_does_to_a_configuration_is_no_difference(spec in configuration(), habits in habits()) {
        let plan = plan(&spec, &spec, &habits);
        prop_assert_eq!(fields(&plan), [""; 0]);
        prop_assert!(!plan.has_changes());
        let unknown: Vec<_> = plan.notes.iter().filter(|note| note.code == "unknown_field").collect();
        prop_assert!(unknown.is_empty(), "{:?}", unknown);
    }

    #[test]
    fn one_changed_field_is_one_difference_whatever_the_service_does(
        spec in configuration(),
        habits in habits(),
        edit in prop::sample::select((0..EDITS.len()).collect::<Vec<_>>()),
    ) {
        let mut changed = spec.clone();
        let path = EDITS[edit].make(&mut changed);
        prop_assert_eq!(fields(&plan(&changed, &spec, &habits)), [path]);
    }
}
