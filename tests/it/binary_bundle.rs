//! Bundles through the binary: made, shown and applied on the other side; refused when they are not what was made, or the
//! world is not what it was.

use arcflux::bundle::{Bundle, BundleError};
use arcflux::model::Digest;
use serde_json::{Value, json};

use crate::binary::Place;

/// What somebody does to a bundle.
type Edit = fn(&mut Value);

/// The quickstart with its bundle made, nothing applied, and the digest that was printed.
fn bundled() -> (Place, String) {
    let place = Place::quickstart();
    let ran = place.sim(&["bundle", "--out", "bundle.json"]).ends_with(0).says("Wrote the bundle to bundle.json");
    let digest = ran.out.trim_end().to_owned();
    assert!(digest.parse::<Digest>().is_ok(), "{digest}");
    (place, digest)
}

fn json_of(place: &Place) -> Value {
    serde_json::from_str(&place.read("bundle.json")).unwrap()
}

/// Lists the parts anew, as somebody would who wants an edit to pass.
fn listed_anew(bundle: &mut Value) {
    for part in ["plan", "requests", "snapshot"] {
        bundle["parts"][part] = json!(Digest::of(&bundle[part]));
    }
}

#[test]
fn a_bundle_is_shown_and_applied_on_the_other_side() {
    let (place, digest) = bundled();
    std::fs::remove_file(place.path("arcflux.yaml")).unwrap();
    let shown = place.run(&["show", "bundle.json"]).ends_with(0).says(&format!("A bundle with the digest {digest}"));
    shown.shows("Plan: 3 to add").shows("Requests that change something, in order: POST /subscriptions/");
    let json = place.run(&["show", "bundle.json", "--format", "json"]).ends_with(0);
    assert_eq!(serde_json::from_str::<Value>(&json.out).unwrap()["digest"], json_of(&place)["plan"]["digest"]);
    let applied = place.sim(&["apply", "bundle.json", "--expect", &digest, "--verbose"]).ends_with(0);
    // What is sent is what the bundle says, in its order.
    let sent: Vec<(&str, &str)> = applied
        .err
        .lines()
        .filter_map(|line| line.split_once(" https://sim.arcflux.invalid"))
        .filter(|(method, _)| ["POST", "PUT", "PATCH", "DELETE"].contains(method))
        .map(|(method, rest)| (method, rest.split(' ').next().unwrap()))
        .collect();
    let bundle = json_of(&place);
    let text = |request: &'static str, value: &Value| value[request].as_str().unwrap().to_owned();
    let requests = bundle["requests"].as_array().unwrap();
    let expected: Vec<(String, String)> =
        requests.iter().map(|request| (text("method", request), text("url", request))).collect();
    assert_eq!(sent.iter().map(|(one, other)| ((*one).to_owned(), (*other).to_owned())).collect::<Vec<_>>(), expected);
    applied.shows("Apply complete! Resources: 3 added, 0 changed, 0 destroyed.");
    // It is done: the remainder of the plan is empty.
    place.sim(&["apply", "bundle.json", "--expect", &digest]).ends_with(0).shows("No changes.");
}

#[test]
fn the_same_live_state_gives_the_same_bytes() {
    let place = Place::quickstart();
    place.sim(&["snapshot", "--out", "live.json"]).ends_with(0);
    let make = |out: &str| place.run(&["bundle", "--live", "live.json", "--out", out]).ends_with(0).out;
    assert_eq!(make("one.json"), make("two.json"));
    assert_eq!(place.read("one.json"), place.read("two.json"));
    place.run(&["bundle", "--live", "live.json", "--out", "arcflux.yaml"]).ends_with(64).says("write over the spec");
    place.run(&["bundle", "--live", "live.json", "--out", "-"]).ends_with(64).says("standard output is for the digest");
}

#[test]
fn only_the_expected_bundle_is_applied() {
    let (place, digest) = bundled();
    let before = place.read(".arcflux/sim.json");
    let without = place.sim(&["apply", "bundle.json", "--auto-approve"]).ends_with(3);
    without.says("nothing says which one is to be applied").says("carried another way than the file");
    let other = format!("sha256:{}", "0".repeat(64));
    let refused = place.sim(&["apply", "bundle.json", "--expect", &other]).ends_with(3);
    refused.says(&format!("bundle.json has the digest {digest}, not {other}; nothing was written"));
    let plan = json_of(&place)["plan"]["digest"].as_str().unwrap().to_owned();
    place.sim(&["apply", "bundle.json", "--expect", &plan]).ends_with(3).says("that is the digest of the plan in it");
    assert_eq!(place.read(".arcflux/sim.json"), before);
}

#[test]
fn a_bundle_of_a_world_that_moved_is_refused() {
    let (place, digest) = bundled();
    let edited = place.read("arcflux.yaml").replace("retail/ApplicationRegistrations", "retail/Applications");
    place.write("other.yaml", &edited);
    place.sim(&["apply", "-f", "other.yaml", "--auto-approve"]).ends_with(0);
    let refused = place.sim(&["apply", "bundle.json", "--expect", &digest]).ends_with(3);
    refused.says("bundle.json is not what would be done now; nothing was written");
}

/// The part that an edit is in is named, whether or not the list of parts was made anew.
#[test]
fn an_edited_bundle_is_refused_by_its_part() {
    let (place, digest) = bundled();
    let original = json_of(&place);
    let edits: [(&str, &str, Edit); 8] = [
        ("plan", "plan", |bundle| {
            bundle["plan"]["spec"]["configurations"]["flux-system"]["kustomizations"]["app"]["path"] = json!("./evil");
        }),
        ("plan", "plan", |bundle| {
            let changes = bundle["plan"]["resource_changes"].as_array_mut().unwrap();
            let extension = changes.iter_mut().find(|change| change["type"] == "extension").unwrap();
            assert_ne!(extension["consequences"].take(), json!([]));
            extension["consequences"] = json!([]);
        }),
        ("plan", "plan", |bundle| {
            let change = bundle["plan"]["resource_changes"].as_array_mut().unwrap().last_mut().unwrap();
            change["fields"] = json!([]);
        }),
        ("plan", "plan", |bundle| bundle["plan"]["estimate"]["writes"] = json!(0)),
        ("requests", "requests", |bundle| bundle["requests"][1]["body"] = json!({})),
        ("requests", "requests", |bundle| {
            bundle["requests"].as_array_mut().unwrap().pop();
        }),
        ("snapshot", "plan", |bundle| {
            let reads = bundle["snapshot"]["reads"].as_array_mut().unwrap();
            let group = reads.iter_mut().find(|read| read["id"].as_str().unwrap().ends_with("/store-001")).unwrap();
            group["answer"] = json!("missing");
        }),
        ("snapshot", "snapshot", |bundle| bundle["snapshot"]["origin"] = json!("https://management.azure.com")),
    ];
    for (part, blamed, edit) in edits {
        let mut bundle = original.clone();
        edit(&mut bundle);
        assert!(matches!(Bundle::from_json(bundle.clone()), Err(BundleError::Edited { part: found }) if found == part));
        place.write("bundle.json", &bundle.to_string());
        for command in [&["show", "bundle.json"][..], &["apply", "bundle.json", "--expect", &digest, "--cloud", "sim"]]
        {
            place
                .run(command)
                .ends_with(3)
                .says(&format!("its part `{part}` is not the one that the bundle was made of"));
        }
        listed_anew(&mut bundle);
        place.write("bundle.json", &bundle.to_string());
        let shown = place.run(&["show", "bundle.json"]).ends_with(3);
        shown.says(&format!("its part `{blamed}` is not what follows from the rest of it"));
    }
}

/// Whatever is changed in it, in whatever way: it is not the expected bundle any more.
#[test]
fn every_value_of_a_bundle_is_bound() {
    fn pointers(value: &Value, at: &str, found: &mut Vec<String>) {
        match value {
            Value::Object(members) => members.iter().for_each(|(key, value)| {
                pointers(value, &format!("{at}/{}", key.replace('~', "~0").replace('/', "~1")), found);
            }),
            Value::Array(items) => {
                items.iter().enumerate().for_each(|(index, item)| pointers(item, &format!("{at}/{index}"), found));
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => found.push(at.to_owned()),
        }
    }
    let (place, digest) = bundled();
    let original = json_of(&place);
    assert_eq!(Bundle::from_json(original.clone()).unwrap().digest().to_string(), digest);
    let mut all = Vec::new();
    pointers(&original, "", &mut all);
    assert!(all.len() > 100, "{}", all.len());
    for (index, pointer) in all.iter().enumerate() {
        let mut bundle = original.clone();
        *bundle.pointer_mut(pointer).unwrap() = json!("edited");
        assert!(Bundle::from_json(bundle.clone()).is_err(), "{pointer}");
        // Planning again takes a moment.
        if index % 7 == 0 {
            listed_anew(&mut bundle);
            let passed = Bundle::from_json(bundle).ok().filter(|bundle| bundle.digest().to_string() == digest);
            assert_eq!(passed, None, "{pointer}");
        }
    }
}

#[test]
fn no_secret_is_in_a_bundle() {
    let place = Place::quickstart().with("GIT_TOKEN", "hunter2-hunter2");
    let spec = place.read("arcflux.yaml");
    let spec = spec.replace("  branch: main", "  branch: main\n  httpsUser: git\n  httpsKey: {env: GIT_TOKEN}\n ");
    place.write("arcflux.yaml", &spec);
    let secret = "env:GIT_TOKEN@https://github.com";
    place.sim(&["bundle", "--out", "bundle.json", "--allow-secret", secret]).ends_with(0);
    let text = place.read("bundle.json");
    assert!(text.contains("(secret env:GIT_TOKEN)"), "{text}");
    assert!(!text.contains("hunter2") && !text.contains("aHVudGVyMi"));
    // For a real Azure each secret is allowed by whoever applies; that it is not allowed here keeps nobody from reviewing.
    place.sim(&["snapshot", "--out", "live.json"]).ends_with(0);
    let live = place.read("live.json").replace("https://sim.arcflux.invalid", "https://management.azure.com");
    place.write("live.json", &live);
    let allowed = ["bundle", "--live", "live.json", "--out", "one.json", "--allow-secret", secret];
    place.run(&allowed).ends_with(0);
    let ran = place.run(&["bundle", "--live", "live.json", "--out", "two.json"]).ends_with(0);
    ran.says("is allowed by whoever applies: `--allow-secret`");
    for bundle in ["one.json", "two.json"] {
        place.run(&["show", bundle]).ends_with(0).shows("(write-only, sent from env:GIT_TOKEN)");
    }
}

#[test]
fn what_is_no_bundle_is_told() {
    let (place, digest) = bundled();
    place.run(&["comment", "bundle.json"]).ends_with(64).says("bundle.json is a bundle, and this takes a saved plan");
    for (text, code, why) in [
        (r#"{"bundle_version": "9.0"}"#, 3, "it has the bundle format `9.0`"),
        (r#"{"bundle_version": "1.0"}"#, 1, "it is not a bundle"),
        (r#"{"bundle_version": ["#, 1, "is not a saved plan"),
    ] {
        place.write("bundle.json", text);
        place.sim(&["apply", "bundle.json", "--expect", &digest]).ends_with(code).says(why);
    }
    // A plan that cannot be applied is not carried across.
    let spec = place.read("arcflux.yaml");
    place.sim(&["apply", "--auto-approve"]).ends_with(0);
    let without = spec.split("  app:\n").next().unwrap();
    place.write("arcflux.yaml", without);
    let refused = place.sim(&["bundle", "--out", "new.json"]).ends_with(3);
    refused.says("the plan is refused, so there is nothing to carry across");
    assert!(!place.path("new.json").exists());
}
