//! Explanations: they say of every field what a plan says, and where its wanted value came from.

use std::collections::BTreeSet;
use std::path::Path;

use arcflux::graph;
use arcflux::model::{FieldPath, LiveState, Reading, Source};
use arcflux::plan::{self, EqualBy, Explanation, FieldStory, FieldVerdict, Reference, SpecText, Target, WantedFrom};
use arcflux::spec::{self, Desired, Inputs};
use arcflux::view::{self, Style};
use serde_json::{Value, json};

use crate::edits::EDITS;
use crate::simulated::World;
use crate::{snapshots, world};

const UNKNOWN_TEXT: SpecText<'static> = SpecText { file: "arcflux.yaml", masked: "" };

/// The paths of the values in a body that has only one side.
fn leaves(path: &FieldPath, value: &Value, found: &mut Vec<FieldPath>) {
    match value {
        Value::Object(object) => object.iter().for_each(|(key, value)| leaves(&path.key(key), value, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            found.push(path.clone());
        }
    }
}

/// For every resource, the fields that are explained as changing are exactly those that a plan changes.
#[track_caller]
pub(crate) fn assert_agreement(desired: &Desired, live: &LiveState) {
    let graph = graph::build(desired).unwrap();
    let plan = plan::make(&graph, live, &desired.expanded, &world::options()).unwrap();
    for change in &plan.resource_changes {
        let target = Target { address: change.address.clone(), kustomization: None };
        let explained = plan::explain(desired, &graph, live, &target, None, UNKNOWN_TEXT).unwrap();
        assert_eq!((explained.actions, explained.action_reason), (change.change.actions, change.action_reason));
        let changing: Vec<&FieldPath> =
            explained.fields.iter().filter(|story| story.verdict.is_change()).map(|story| &story.path).collect();
        for path in &changing {
            assert!(change.fields.iter().any(|field| path.starts_with(&field.path)), "{} {path}", change.address);
        }
        for field in &change.fields {
            let mut planned = Vec::new();
            [&field.before, &field.after]
                .into_iter()
                .flatten()
                .for_each(|side| leaves(&field.path, side, &mut planned));
            for path in planned {
                // What no rule knows is one field, whatever is in it.
                assert!(changing.iter().any(|known| path.starts_with(known)), "{} {path}", change.address);
            }
        }
        let replacing: BTreeSet<&FieldPath> = explained
            .fields
            .iter()
            .filter(|story| story.verdict == FieldVerdict::ForcesReplacement)
            .map(|story| &story.path)
            .collect();
        if change.address.to_string().contains("/flux/") {
            assert_eq!(replacing, change.change.replace_paths.iter().collect(), "{}", change.address);
        }
    }
}

#[test]
fn explanations_agree_with_plans_whatever_is_edited_by_hand() {
    let mut desired = world::quickstart();
    world::configuration(&mut desired).kustomizations.get_mut("app").unwrap().post_build =
        Some(serde_json::from_value(json!({"substitute": {"REGION": "north"}, "substituteFrom": []})).unwrap());
    let live = world::converged(&desired);
    assert_agreement(&desired, &world::bare(&desired));
    assert_agreement(&desired, &live);
    let mut paths = Vec::new();
    let id = world::configuration_id(&desired);
    leaves(&FieldPath::default(), live.body(&id).unwrap(), &mut paths);
    for path in &paths {
        for value in [json!("other"), json!(7), json!(false), Value::Null, json!([]), json!({"x": 1})] {
            let mut live = live.clone();
            world::edit_configuration(&desired, &mut live, |body| path.set(body, value.clone()));
            assert_agreement(&desired, &live);
        }
        let mut live = live.clone();
        world::edit_configuration(&desired, &mut live, |body| {
            path.remove(body);
        });
        assert_agreement(&desired, &live);
    }
    let mut ignoring = desired.clone();
    world::configuration(&mut ignoring).ignore = [
        "scope",
        "gitRepository.url",
        "gitRepository.repositoryRef.*",
        "kustomizations.*.wait",
        "kustomizations.app.*",
    ]
    .map(|pattern| pattern.parse().unwrap())
    .to_vec();
    for edit in EDITS {
        let mut edited = desired.clone();
        edit.make(world::configuration(&mut edited));
        assert_agreement(&edited, &live);
        assert_agreement(&desired, &world::converged(&edited));
        assert_agreement(&ignoring, &world::converged(&edited));
    }
}

#[test]
fn explanations_of_extensions_agree_with_plans() {
    let desired = world::quickstart();
    for edit in [
        |body: &mut Value| body["properties"]["configurationSettings"]["multiTenancy.enforce"] = json!("true"),
        |body: &mut Value| body["properties"]["configurationSettings"] = json!({"other": "1"}),
        |body: &mut Value| body["properties"]["provisioningState"] = json!("Failed"),
        |body: &mut Value| body["properties"]["releaseTrain"] = json!("Preview"),
        |body: &mut Value| body["properties"]["news"] = json!({"of": ["the", "service"]}),
        |body: &mut Value| body["properties"]["scope"] = json!({"cluster": {"releaseNamespace": "elsewhere"}}),
    ] {
        let mut live = world::converged(&desired);
        world::edit_extension(&desired, &mut live, edit);
        assert_agreement(&desired, &live);
        let mut fixed = desired.clone();
        fixed.clusters[0].extension.scope =
            serde_json::from_value(json!({"cluster": {"releaseNamespace": "flux-system"}})).unwrap();
        fixed.clusters[0].extension.release_train = Some("stable".to_owned());
        assert_agreement(&fixed, &live);
    }
}

/// The texts under `specs/`, by file name.
fn specs() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("specs");
    let mut found = Vec::new();
    for directory in [root.clone(), root.join("gallery")] {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "yaml") {
                found.push((path.display().to_string(), std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    found.sort();
    assert!(found.len() > 20);
    found
}

/// A spec with its text, explained against a live state.
struct Explained {
    desired: Desired,
    masked: String,
    live: LiveState,
}

impl Explained {
    fn of(text: &str, live: LiveState) -> Self {
        let inputs = Inputs {
            environment: [("REGION".to_owned(), "north".to_owned())].into(),
            allowed: ["REGION".to_owned()].into(),
        };
        let outcome = spec::load(&Source { name: "arcflux.yaml".to_owned(), text: text.to_owned() }, &inputs);
        let desired = outcome.desired.unwrap_or_else(|| panic!("{:#?}", outcome.diagnostics));
        Self { desired, masked: outcome.masked, live }
    }

    /// Nothing is there but what must be.
    fn bare(text: &str) -> Self {
        let mut explained = Self::of(text, LiveState::empty("2026-11-22T08:00:00Z".parse().unwrap()));
        explained.live = world::bare(&explained.desired);
        explained
    }

    /// Everything is there as it is wanted.
    fn converged(text: &str) -> Self {
        let mut explained = Self::bare(text);
        explained.live = world::converged(&explained.desired);
        explained
    }

    fn try_explain(&self, address: &str, field: Option<&str>) -> Result<Explanation, String> {
        let graph = graph::build(&self.desired).unwrap();
        let target = plan::locate(&graph, address).map_err(|error| format!("{error}; {}", error.hint))?;
        let text = SpecText { file: "arcflux.yaml", masked: &self.masked };
        plan::explain(&self.desired, &graph, &self.live, &target, field, text).map_err(|error| match error {
            plan::ExplainError::Plan(error) => format!("{error}; {}", error.hint),
            plan::ExplainError::Unknown(error) => format!("{error}; {}", error.hint),
        })
    }

    #[track_caller]
    fn explain(&self, address: &str, field: Option<&str>) -> Explanation {
        self.try_explain(address, field).unwrap()
    }

    /// The one field that is named.
    #[track_caller]
    fn field(&self, address: &str, field: &str) -> FieldStory {
        let explanation = self.explain(address, Some(field));
        assert_eq!(explanation.fields.len(), 1, "{:#?}", explanation.fields);
        explanation.fields.into_iter().next().unwrap()
    }
}

#[tokio::test]
async fn explanations_of_every_spec_agree_with_plans_and_know_where_each_value_came_from() {
    for (name, text) in specs() {
        let world = World::of(&text);
        let desired = crate::simulated::desired(&text);
        let graph = graph::build(&desired).unwrap();
        assert_agreement(&desired, &world.live(&graph).await);
        world.converge(&text).await;
        let live = world.live(&graph).await;
        assert_agreement(&desired, &live);
        let mut moved = live.clone();
        for reading in moved.readings.values_mut() {
            let Reading::Present(body) = reading else { continue };
            if let Some(source) = body.pointer_mut("/properties/gitRepository") {
                source["url"] = json!("https://example.com/elsewhere");
                source["repositoryRef"] = json!({"tag": "v1"});
            }
            if let Some(kustomizations) = body.pointer_mut("/properties/kustomizations") {
                kustomizations["found"] = json!({"path": "./found", "prune": true, "odd": {"a": 1}});
            }
        }
        assert_agreement(&desired, &moved);
        for node in graph.nodes() {
            let target = Target { address: node.address.clone(), kustomization: None };
            let explained = plan::explain(&desired, &graph, &live, &target, None, UNKNOWN_TEXT).unwrap();
            for story in &explained.fields {
                // Every value that is wanted stands somewhere, or has a reason of its own.
                let has_a_reason = match &story.wanted_from {
                    WantedFrom::Arcflux { why } => !why.contains("belongs to what the spec says"),
                    WantedFrom::Secret { at, .. } | WantedFrom::Derived { at, .. } => at.is_some(),
                    WantedFrom::Nothing => story.wanted.is_none(),
                    WantedFrom::Written { .. }
                    | WantedFrom::FormatDefault { .. }
                    | WantedFrom::ApiDefault
                    | WantedFrom::ShortForm { .. }
                    | WantedFrom::Live => true,
                };
                assert!(has_a_reason, "{name}: {} {} {:?}", node.address, story.path, story.wanted_from);
            }
        }
    }
}

const SPEC: &str = "apiVersion: arcflux/v1
subscription: 3f0c1c5e-8a53-4b0e-9d6f-2f9a4f1e7b20
resourceGroup: rg-${values.region}
clusters:
  store-001:
    values: {region: north, prune: true}
  store-002:
    values: {region: south, prune: false}
extension:
  multiTenancy: false
repo:
  url: https://github.com/contoso/gitops
  branch: ${env:REGION}
  interval: 5m
  httpsUser: git
  httpsKey: {env: GIT_TOKEN}
kustomizations:
  app:
    path: ./clusters/${cluster.name}/in/${cluster.resourceGroup}
    prune: ${values.prune}
    postBuild:
      substitute:
        API_TOKEN: hunter2
";

const FLUX: &str = "rg-north/store-001/flux/flux-system";

fn line_of(reference: &Reference) -> Option<u32> {
    reference.at.as_ref().map(|at| at.line)
}

#[test]
fn a_written_value_is_told_with_its_line_and_the_short_form_it_is_in() {
    let explained = Explained::converged(SPEC);
    let story = explained.field(FLUX, "gitRepository.url");
    let WantedFrom::Written { at, key, short_form: true, references } = story.wanted_from else { panic!("{story:#?}") };
    assert_eq!((at.line, at.column, key.to_string().as_str()), (12, 8, "repo.url"));
    assert_eq!(at.text.as_deref(), Some("  url: https://github.com/contoso/gitops"));
    assert!(references.is_empty());
}

#[test]
fn references_are_followed_for_the_cluster_that_is_asked_about() {
    for (address, values) in [(FLUX, 6), ("rg-south/store-002/flux/flux-system", 8)] {
        let explained = Explained::converged(SPEC);
        let story = explained.field(address, "kustomizations.app.prune");
        let WantedFrom::Written { at, references, .. } = story.wanted_from else { panic!() };
        assert_eq!(at.line, 20);
        assert_eq!(references.iter().map(line_of).collect::<Vec<_>>(), [Some(values)]);
        assert_eq!(story.wanted, Some(json!(values == 6)));

        let story = explained.field(address, "kustomizations.app.path");
        let WantedFrom::Written { references, .. } = story.wanted_from else { panic!() };
        let names: Vec<&str> = references.iter().map(|one| one.reference.as_str()).collect();
        assert_eq!(names, ["${cluster.name}", "${cluster.resourceGroup}"]);
        assert_eq!(line_of(&references[0]), Some(values - 1));
        assert!(references[0].how.as_ref().unwrap().contains("key"));
        assert_eq!((line_of(&references[1]), line_of(&references[1].references[0])), (Some(3), Some(values)));
    }
}

#[test]
fn of_an_environment_variable_only_the_name_is_told() {
    let story = Explained::converged(SPEC).field(FLUX, "gitRepository.branch");
    assert_eq!(story.spec_word.as_ref().map(ToString::to_string).as_deref(), Some("gitRepository.branch"));
    let WantedFrom::Written { references, .. } = story.wanted_from else { panic!() };
    assert_eq!(references[0].reference, "${env:REGION}");
    assert_eq!(references[0].at, None);
}

#[test]
fn defaults_say_whose_they_are() {
    let explained = Explained::converged(SPEC);
    let story = explained.field(FLUX, "kustomizations.app.interval");
    assert_eq!(story.path.to_string(), "properties.kustomizations.app.syncIntervalInSeconds");
    let WantedFrom::FormatDefault { below, api_default } = story.wanted_from else { panic!() };
    assert_eq!((below.line, api_default), (18, Some(json!(600))));
    assert!(matches!(explained.field(FLUX, "namespace").wanted_from, WantedFrom::ShortForm { .. }));
    assert!(matches!(explained.field(FLUX, "sourceKind").wanted_from, WantedFrom::Derived { .. }));
    let extension = "rg-north/store-001/extension";
    assert!(matches!(explained.field(extension, "extensionType").wanted_from, WantedFrom::Arcflux { .. }));
    let story = explained.field(extension, "multiTenancy");
    assert_eq!(story.path.to_string(), r#"properties.configurationSettings["multiTenancy.enforce"]"#);
    let WantedFrom::Written { at, .. } = story.wanted_from else { panic!() };
    assert_eq!(at.line, 10);
    let created = Explained::bare(SPEC).field(extension, "identity.type");
    assert!(matches!(created.wanted_from, WantedFrom::Arcflux { .. }));
    assert_eq!(created.verdict, FieldVerdict::NotLive);
    let provider = explained.field("provider/Microsoft.Kubernetes", "registrationState");
    assert!(matches!(provider.wanted_from, WantedFrom::Derived { .. }));
}

#[test]
fn a_field_has_every_name_that_people_know_it_by() {
    let explained = Explained::converged(SPEC);
    for name in [
        "kustomizations.app.syncIntervalInSeconds",
        "properties.kustomizations.app.syncIntervalInSeconds",
        "kustomizations.app.interval",
    ] {
        assert_eq!(explained.field(FLUX, name).path.to_string(), "properties.kustomizations.app.syncIntervalInSeconds");
    }
    assert_eq!(explained.field(&format!("{FLUX}#app"), "interval").wanted, Some(json!(600)));
    let extension = "rg-north/store-001/extension";
    for name in [r#"configurationSettings["multiTenancy.enforce"]"#, "configurationSettings.multiTenancy.enforce"] {
        assert_eq!(explained.field(extension, name).wanted, Some(json!("false")));
    }
    let below = explained.explain(FLUX, Some("kustomizations.app.postBuild"));
    assert_eq!(below.fields.len(), 1);
    // What could be said, and is not.
    let absent = explained.field(FLUX, "kustomizations.app.retryInterval");
    assert_eq!((absent.verdict, absent.wanted, absent.live), (FieldVerdict::Equal, None, None));
    let absent = explained.field(extension, r#"configurationSettings["source-controller.enabled"]"#);
    assert_eq!((absent.verdict, absent.wanted), (FieldVerdict::Equal, None));
}

#[test]
fn a_name_that_names_nothing_is_answered_with_what_may_have_been_meant() {
    let explained = Explained::converged(SPEC);
    for (address, field, answer) in [
        ("rg-north/store-01/flux/flux-system", None, "did you mean `rg-north/store-001/flux/flux-system`?"),
        ("RG-north/store-001/flux/flux-system#app", None, "did you mean `rg-north/store-001/flux/flux-system#app`?"),
        ("zebra", None, "arcflux graph"),
        ("", None, "arcflux graph"),
        ("rg-north/store-001/extension#app", None, "ask for `rg-north/store-001/extension` itself"),
        ("rg-north/store-001/flux/flux-system#ap", None, "did you mean `app`?"),
        (FLUX, Some("kustomizations.app.prun"), "did you mean `kustomizations.app.prune`?"),
        (FLUX, Some("kustomizations.ap.prune"), "did you mean `kustomizations.app.prune`?"),
        (FLUX, Some("gitRepository.intervall"), "did you mean `gitRepository.interval`?"),
        (FLUX, Some(""), "shows all of its fields"),
        (FLUX, Some("[["), "shows all of its fields"),
        ("rg-north/store-001/flux/flux-system#app", Some("prun"), "did you mean `prune`?"),
    ] {
        let error = explained.try_explain(address, field).unwrap_err();
        assert!(error.contains(answer), "{address} {field:?}: {error}");
    }
}

#[test]
fn each_verdict_has_its_rule() {
    let explained = Explained::converged(SPEC);
    let edited = |path: &str, value: Value| {
        let mut live = explained.live.clone();
        for reading in live.readings.values_mut() {
            if let Reading::Present(body) = reading
                && body.pointer("/properties/kustomizations").is_some()
            {
                path.parse::<FieldPath>().unwrap().set(body, value.clone());
            }
        }
        Explained { live, masked: explained.masked.clone(), desired: explained.desired.clone() }
    };
    for (path, value, verdict, equal_by, habit) in [
        ("scope", json!("Cluster"), FieldVerdict::EqualByRule, Some(EqualBy::Case), "immutable_word"),
        ("scope", json!("namespace"), FieldVerdict::ForcesReplacement, None, "immutable_word"),
        ("suspend", Value::Null, FieldVerdict::EqualByRule, Some(EqualBy::Default), "default"),
        ("suspend", json!(true), FieldVerdict::Differs, None, "default"),
        ("gitRepository.timeoutInSeconds", json!(600.0), FieldVerdict::EqualByRule, Some(EqualBy::Number), "default"),
        ("gitRepository.httpsUser", Value::Null, FieldVerdict::NotLive, None, "text"),
        ("gitRepository.localAuthRef", json!("x"), FieldVerdict::NotInSpec, None, "text"),
        ("gitRepository.news", json!("x"), FieldVerdict::Unknown, None, "no_rule"),
        ("provisioningState", json!("Failed"), FieldVerdict::ReadOnly, None, "read_only"),
        ("kustomizations.old.path", json!("./old"), FieldVerdict::NotInSpec, None, "default"),
        ("configurationProtectedSettings.httpsKey", json!("leak"), FieldVerdict::WriteOnly, None, "secrets"),
        ("kustomizations.app.dependsOn", json!([]), FieldVerdict::Equal, None, "set"),
    ] {
        let explained = edited(&format!("properties.{path}"), value);
        let story = explained.field(FLUX, path);
        assert_eq!((story.verdict, story.equal_by, story.rule.habit.name()), (verdict, equal_by, habit), "{path}");
    }
    let extension = Explained::converged(SPEC).field("rg-north/store-001/extension", "releaseTrain");
    assert_eq!((extension.verdict, extension.wanted_from), (FieldVerdict::Kept, WantedFrom::Live));
}

#[test]
fn no_secret_is_in_an_explanation() {
    let mut explained = Explained::converged(
        &SPEC.replace("values: {region: north,", "values: {registry-token: hunter3, region: north,"),
    );
    for reading in explained.live.readings.values_mut() {
        if let Reading::Present(body) = reading
            && body.pointer("/properties/kustomizations").is_some()
        {
            body["properties"]["configurationProtectedSettings"] = json!({"httpsKey": "hunter4", "other": "hunter5"});
            body["properties"]["kustomizations"]["app"]["postBuild"]["substitute"]["API_TOKEN"] = json!("hunter6");
        }
    }
    for field in [None, Some("kustomizations.app.postBuild"), Some("configurationProtectedSettings")] {
        let explanation = explained.explain(FLUX, field);
        for shown in [view::explain::render_json(&explanation), view::explain::render_text(&explanation, &Style::PLAIN)]
        {
            assert!(!shown.contains("hunter"), "{shown}");
        }
    }
    let secret = explained.field(FLUX, "gitRepository.httpsKey");
    assert_eq!((secret.wanted, secret.live), (None, None));
    let WantedFrom::Secret { secret, at } = secret.wanted_from else { panic!() };
    assert_eq!((secret.to_string().as_str(), at.unwrap().line), ("env:GIT_TOKEN", 16));
}

/// The live state of `SPEC` after somebody worked on it by hand.
fn worked_on() -> Explained {
    let mut explained = Explained::converged(SPEC);
    for reading in explained.live.readings.values_mut() {
        if let Reading::Present(body) = reading
            && body.pointer("/properties/kustomizations").is_some()
        {
            let properties = &mut body["properties"];
            properties["scope"] = json!("namespace");
            properties["gitRepository"]["provider"] = json!("generic");
            properties["gitRepository"]["news"] = json!({"a": "\u{1b}[31m\u{202e}"});
            properties["kustomizations"]["app"]["prune"] = json!(false);
            properties["kustomizations"]["old\n"] = json!({"path": format!("./{}", "x".repeat(300)), "prune": true});
            properties["configurationProtectedSettings"] = json!({"httpsKey": ""});
        }
    }
    explained
}

#[test]
fn an_explanation_reads_like_this() {
    let explained = worked_on();
    let narrow = Style { colour: false, width: 60 };
    let table = explained.explain(FLUX, None);
    snapshots::check("explain-table", &view::explain::render_text(&table, &Style::PLAIN));
    for (name, field) in [
        ("explain-drift", "kustomizations.app.prune"),
        ("explain-reference", "kustomizations.app.path"),
        ("explain-immutable", "scope"),
        ("explain-secret", "gitRepository.httpsKey"),
        ("explain-unknown", "gitRepository.news"),
        ("explain-removed", r#"kustomizations["old\n"]"#),
        ("explain-default", "gitRepository.provider"),
    ] {
        let explanation = explained.explain(FLUX, Some(field));
        snapshots::check(name, &view::explain::render_text(&explanation, &Style::PLAIN));
    }
    let reference = explained.explain(FLUX, Some("kustomizations.app.path"));
    snapshots::check("explain-reference-60", &view::explain::render_text(&reference, &narrow));
    snapshots::check("explain-reference-json", &view::explain::render_json(&reference));
}

#[test]
fn nothing_in_an_explanation_acts_on_a_terminal() {
    let explained = worked_on();
    for field in [None, Some("gitRepository"), Some("kustomizations")] {
        let explanation = explained.explain(FLUX, field);
        let text = view::explain::render_text(&explanation, &Style::PLAIN);
        assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text}");
        let json = view::explain::render_json(&explanation);
        assert!(!json.contains(['\u{1b}', '\u{202e}']));
    }
}
