//! What a package installs, and what tools read: codes, completions, the manual page, SARIF.

use arcflux::spec::codes::TABLE;
use serde_json::Value;

use crate::binary::Place;

#[test]
fn every_code_is_listed_and_explained() {
    let place = Place::empty();
    let list = place.run(&["explain-code"]).ends_with(0);
    for row in TABLE {
        assert!(list.out.contains(&format!("{} ", row.code)), "{}", row.code);
    }
    let one = place.run(&["explain-code", "af041"]).ends_with(0);
    assert!(one.out.contains(TABLE.iter().find(|row| row.code.0 == 41).unwrap().explanation));
    place.run(&["explain-code", "AF999"]).ends_with(64);
}

#[test]
fn completions_and_manual_page_name_the_commands() {
    let place = Place::empty();
    for shell in ["bash", "zsh", "fish", "powershell"] {
        let script = place.run(&["completions", shell]).ends_with(0);
        assert!(script.out.contains("validate") && script.out.contains("detailed-exitcode"), "{shell}");
    }
    let page = place.run(&["man"]).ends_with(0);
    assert!(page.out.contains(".TH arcflux"));
}

#[test]
fn sarif_has_one_result_for_each_problem() {
    let place = Place::empty();
    place.write("arcflux.yaml", "apiVersion: arcflux/v1\nsubscripton: x\n");
    let outcome = place.run(&["validate", "--format", "sarif"]).ends_with(1);
    let sarif: Value = serde_json::from_str(&outcome.out).unwrap();
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    assert!(
        results.iter().any(|result| result["ruleId"] == "AF010"
            && result["locations"][0]["physicalLocation"]["region"]["startLine"] == 2)
    );
    let json = place.run(&["validate", "--format", "json"]);
    let problems: Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(results.len(), problems.as_array().unwrap().len());
}
