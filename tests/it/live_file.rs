//! Live states in files: what `arcflux snapshot` keeps is what a plan needs, and a plan from it is the plan over the
//! network.

use arcflux::graph;
use arcflux::model::{LiveState, Reading};
use arcflux::plan::{self, Plan};
use arcflux::snapshot::{Answer, Snapshot, SnapshotError, Unanswered};
use arcflux::spec::Desired;
use proptest::prelude::{Just, Strategy, any, prop_oneof, proptest};
use serde_json::{Map, Value, json};

use crate::binary::Place;
use crate::{world, world::options};

const TENANT: &str = "7d0b1f5a-93c4-4a52-8f0e-61c2b7a4d9e3";

fn taken(desired: &Desired, live: &LiveState) -> Snapshot {
    Snapshot::take(&options().origin, Some("public"), Some(TENANT), (&world::graph(desired).reads(), &[]), live)
}

fn read_back(snapshot: &Snapshot) -> Snapshot {
    Snapshot::from_json(serde_json::to_value(snapshot).unwrap()).unwrap()
}

/// The quickstart applied on the simulator, and its live state in `live.json`.
fn recorded() -> Place {
    let place = Place::quickstart();
    place.sim(&["apply", "--auto-approve"]).ends_with(0);
    place.sim(&["snapshot", "--out", "live.json"]).ends_with(0).says("Saved the live state to live.json");
    place
}

fn edit(place: &Place, edit: impl FnOnce(&mut Value)) {
    let mut live: Value = serde_json::from_str(&place.read("live.json")).unwrap();
    edit(&mut live);
    place.write("live.json", &format!("{live:#}"));
}

/// The read whose id ends so.
fn read<'a>(live: &'a mut Value, end: &str) -> &'a mut Value {
    let reads = live["reads"].as_array_mut().unwrap();
    reads.iter_mut().find(|read| read["id"].as_str().unwrap().ends_with(end)).unwrap()
}

fn drop_read(live: &mut Value, end: &str) {
    live["reads"].as_array_mut().unwrap().retain(|read| !read["id"].as_str().unwrap().ends_with(end));
}

#[test]
fn what_was_read_comes_back_as_it_was() {
    let desired = world::quickstart();
    let mut denied = world::bare(&desired);
    let id = world::configuration_id(&desired);
    denied.readings.insert(id, Reading::Denied("no".to_owned()));
    for live in [world::bare(&desired), world::converged(&desired), denied] {
        let snapshot = read_back(&taken(&desired, &live));
        assert_eq!(snapshot.live_state(&world::graph(&desired).reads(), &[]).unwrap(), live);
    }
}

#[test]
fn a_plan_offline_is_the_plan_over_the_network_down_to_its_digest() {
    let place = recorded();
    for edit in [None, Some(("retail/ApplicationRegistrations", "retail/Next")), Some(("prune: true", "prune: false"))]
    {
        if let Some((from, to)) = edit {
            place.write("arcflux.yaml", &place.read("arcflux.yaml").replace(from, to));
        }
        for more in [&["plan"][..], &["plan", "--format", "json"], &["plan", "--destroy"]] {
            let online = place.sim(more).ends_with(0);
            let offline = place.run(&[more, &["--live", "live.json"]].concat()).ends_with(0);
            assert_eq!(online.out, offline.out);
            assert!(
                offline.err.starts_with("Read 8 resources and lists from live.json, which was read from https://sim")
            );
        }
    }
    // It is applied as it was saved.
    place.run(&["plan", "--live", "live.json", "--out", "plan.json"]).ends_with(0);
    place.sim(&["apply", "plan.json"]).ends_with(0);
    place.sim(&["plan", "--detailed-exitcode"]).ends_with(0);
}

#[test]
fn a_snapshot_can_be_piped() {
    let place = recorded();
    let out = place.sim(&["snapshot"]).ends_with(0).out;
    place.run_with_input(&["plan", "--live", "-"], &out).ends_with(0).shows("No changes.");
}

#[test]
fn the_file_says_where_it_was_read_and_nothing_else_may() {
    let place = recorded();
    for option in [
        &["--cloud", "public"][..],
        &["--arm-endpoint", "https://h"],
        &["--auth", "az-cli"],
        &["--ca-bundle", "ca.pem"],
        &["--sim-state", "s.json"],
        &["--sim-pace", "2"],
        &["--sim-empty"],
        &["--sim-scenario", "operation-stuck"],
        &["--repo", "https://h/r=."],
    ] {
        let ran = place.run(&[&["plan", "--live", "live.json"], option].concat()).ends_with(64);
        ran.says(&format!("the argument '{}' cannot be used with '--live <FILE>'", option[0]));
    }
    // Variables are set for every command.
    let place =
        place.with("ARCFLUX_CLOUD", "usgov").with("ARCFLUX_ARM_ENDPOINT", "https://h").with("ARCFLUX_AUTH", "az-cli");
    place.run(&["plan", "--live", "live.json"]).ends_with(0).shows("No changes.");
    place.run(&["apply", "--live", "live.json"]).ends_with(64);
    place.run(&["drift", "--live", "live.json"]).ends_with(0);
}

#[test]
fn scopes_bound_what_is_planned_from_a_file_too() {
    let place = recorded().with("ARCFLUX_SCOPE", "/subscriptions/*/resourceGroups/rg-other*");
    place.run(&["plan", "--live", "live.json"]).ends_with(3).says("resource ids outside `--scope`");
}

#[test]
fn the_tenant_of_the_spec_is_a_guard_here_too_and_the_tenant_read_goes_into_the_plan() {
    let place = recorded();
    edit(&place, |live| {
        live["origin"] = json!("https://management.azure.com");
        live["cloud"] = json!("public");
        live["tenant"] = json!(TENANT);
    });
    let spec = place.read("arcflux.yaml");
    let plan = |place: &Place| -> Plan {
        serde_json::from_str(&place.run(&["plan", "--live", "live.json", "--format", "json"]).ends_with(0).out).unwrap()
    };
    assert_eq!(plan(&place).tenant.as_deref(), Some(TENANT));
    place.write("arcflux.yaml", &format!("{spec}tenant: {}\n", TENANT.to_ascii_uppercase()));
    assert_eq!(plan(&place).tenant.as_deref(), Some(TENANT));
    place.write("arcflux.yaml", &format!("{spec}tenant: 11111111-2222-3333-4444-555555555555\n"));
    let refused = place.run(&["plan", "--live", "live.json"]).ends_with(3);
    refused.says("the spec is for the tenant 11111111-2222-3333-4444-555555555555, and live.json was read in 7d0b1f5a");
}

#[test]
fn what_a_plan_needs_and_a_file_lacks_is_named() {
    let place = recorded();
    edit(&place, |live| {
        drop_read(live, "/resourceGroups/rg-edge");
        read(live, "/connectedClusters/store-001")["api_version"] = json!("2024-01-01");
    });
    let ran = place.run(&["plan", "--live", "live.json"]).ends_with(1);
    ran.says("live.json does not hold everything that this spec needs")
        .says("GET /subscriptions/3f0c1c5e-8a53-4b0e-9d6f-2f9a4f1e7b20/resourceGroups/rg-edge is not in it")
        .says("is in it with the api-version 2024-01-01, and this spec is planned with 2026-05-01")
        .says("take it again for this spec: `arcflux snapshot -f SPEC --out FILE`");
}

#[test]
fn a_configuration_that_was_not_read_by_its_name_is_looked_up_in_the_list() {
    let place = recorded();
    // The list holds it; lists show no conditions, so what Flux has made of it is not known.
    edit(&place, |live| drop_read(live, "/fluxConfigurations/flux-system"));
    place.run(&["plan", "--live", "live.json", "--detailed-exitcode"]).ends_with(0).shows("Nothing to write.");
    // The list does not hold it.
    edit(&place, |live| read(live, "/fluxConfigurations")["answer"]["items"] = json!([]));
    place.run(&["plan", "--live", "live.json"]).ends_with(0).shows("Plan: 1 to add");
    // The list may not be read either, or was read with another version.
    let desired = world::quickstart();
    let reads = world::graph(&desired).reads();
    let mut snapshot = taken(&desired, &world::converged(&desired));
    snapshot.reads.retain(|read| !read.id.as_str().ends_with("/flux-system"));
    let list = snapshot.reads.iter_mut().find(|read| read.id.as_str().ends_with("/fluxConfigurations")).unwrap();
    list.answer = Answer::Denied("no".to_owned());
    let live = snapshot.live_state(&reads, &[]).unwrap();
    assert_eq!(live.readings[&world::configuration_id(&desired)], Reading::Denied("no".to_owned()));
    let list = snapshot.reads.iter_mut().find(|read| read.id.as_str().ends_with("/fluxConfigurations")).unwrap();
    list.api_version = "2024-11-01".to_owned();
    let unanswered = snapshot.live_state(&reads, &[]).unwrap_err();
    assert!(matches!(&unanswered[..], [Unanswered::OtherVersion { .. }, Unanswered::NotRead { .. }]), "{unanswered:?}");
}

#[test]
fn echoed_secrets_do_not_go_into_the_file_and_the_plan_is_the_same() {
    let mut desired = world::quickstart();
    let mut live = world::converged(&desired);
    world::edit_configuration(&desired, &mut live, |body| {
        body["properties"]["gitRepository"]["httpsUser"] = json!("git");
        body["properties"]["configurationProtectedSettings"] = json!({"httpsKey": "hunter2", "other": "hunter2"});
    });
    world::edit_extension(&desired, &mut live, |body| {
        body["properties"]["configurationProtectedSettings"] = json!({"token": "hunter2"});
    });
    world::configuration(&mut desired).suspend = true;
    let snapshot = read_back(&taken(&desired, &live));
    let text = arcflux::view::snapshot::render(&snapshot);
    assert!(
        !text.contains("hunter2") && text.contains("\"httpsKey\": \"\"") && text.contains("\"token\": \"\""),
        "{text}"
    );
    let graph = graph::build(&desired).unwrap();
    let planned = |live: &LiveState| plan::make(&graph, live, &desired.expanded, &options()).unwrap();
    let offline = planned(&snapshot.live_state(&graph.reads(), &graph.contexts()).unwrap());
    assert_eq!(offline, planned(&live));
    assert!(offline.has_changes());
}

#[test]
fn what_is_no_snapshot_is_told_apart() {
    let place = recorded();
    let original = place.read("live.json");
    type Edit = fn(&mut Value);
    let edits: [(i32, &str, Edit); 8] = [
        (3, "it has the snapshot format `1.1`, and this arcflux understands 1.0", |live| {
            live["format_version"] = json!("1.1");
        }),
        (3, "it has the snapshot format ``", |live| {
            live["format_version"] = json!(1);
        }),
        (1, "unknown field `more`", |live| {
            live["more"] = json!(1);
        }),
        (1, "is not an ARM resource id", |live| {
            live["reads"][0]["id"] = json!("/a/../b");
        }),
        (1, "the answer to LIST", |live| {
            let present = live["reads"][0]["answer"].clone();
            read(live, "/extensions")["answer"] = present;
        }),
        (1, "is in it twice", |live| {
            let again = live["reads"][0].clone();
            live["reads"].as_array_mut().unwrap().push(again);
        }),
        (1, "`https://h/path` is not the address of a server", |live| {
            live["origin"] = json!("https://h/path");
        }),
        (1, "is not the endpoint of the cloud that it names", |live| {
            live["cloud"] = json!("public");
        }),
    ];
    for (code, why, edited) in edits {
        place.write("live.json", &original);
        edit(&place, edited);
        place.run(&["plan", "--live", "live.json"]).ends_with(code).says(why);
    }
    for (text, why) in [("", "EOF while parsing"), ("\u{0}", "expected value"), ("[1]", "snapshot format ``")] {
        place.write("live.json", text);
        let ran = place.run(&["plan", "--live", "live.json"]).says(why);
        assert!(matches!(ran.code, Some(1 | 3)) && ran.out.is_empty());
    }
    place.run(&["plan", "--live", "nowhere.json"]).ends_with(1).says("cannot read nowhere.json");
}

/// Any JSON, of the words of the format among others.
fn any_json() -> impl Strategy<Value = Value> {
    let words = prop_oneof![
        Just("get".to_owned()),
        Just("list".to_owned()),
        Just("missing".to_owned()),
        Just("flux-system".to_owned()),
        Just("2025-04-01".to_owned()),
        "\\PC{0,8}",
    ];
    let keys = prop_oneof![
        Just("present".to_owned()),
        Just("items".to_owned()),
        Just("denied".to_owned()),
        Just("name".to_owned()),
        Just("properties".to_owned()),
        Just("kustomizations".to_owned()),
        Just("configurationProtectedSettings".to_owned()),
        "\\PC{0,8}",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        words.prop_map(Value::from)
    ];
    leaf.prop_recursive(4, 24, 4, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((keys.clone(), inner), 0..4).prop_map(|pairs| Value::from(Map::from_iter(pairs))),
        ]
    })
}

proptest! {
    /// A file that somebody tampered with anywhere gives a plan, or an error: never a panic.
    #[test]
    fn hostile_files_never_panic(at in any::<proptest::sample::Index>(), put in any_json()) {
        let desired = world::quickstart();
        let mut document = serde_json::to_value(taken(&desired, &world::converged(&desired))).unwrap();
        let mut pointers = Vec::new();
        pointers_of(&document, String::new(), &mut pointers);
        *document.pointer_mut(at.get(&pointers[..]).as_str()).unwrap() = put;
        let graph = world::graph(&desired);
        match Snapshot::from_json(document) {
            Ok(snapshot) => if let Ok(live) = snapshot.live_state(&graph.reads(), &graph.contexts()) {
                let _planned = plan::make(&graph, &live, &desired.expanded, &options());
            },
            Err(error @ (SnapshotError::Format(_) | SnapshotError::Garbled(_) | SnapshotError::Unfit { .. } | SnapshotError::Twice { .. })) => {
                assert!(!error.to_string().is_empty());
            }
        }
    }
}

fn pointers_of(value: &Value, at: String, found: &mut Vec<String>) {
    let children: Vec<(String, &Value)> = match value {
        Value::Object(object) => {
            object.iter().map(|(key, value)| (key.replace('~', "~0").replace('/', "~1"), value)).collect()
        }
        Value::Array(items) => items.iter().enumerate().map(|(index, value)| (index.to_string(), value)).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    };
    for (key, child) in children {
        pointers_of(child, format!("{at}/{key}"), found);
    }
    found.push(at);
}
