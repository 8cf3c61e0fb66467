//! Plans on pull requests through the binary, as far as nobody is asked: what a job keeps of them, and what is refused.
//! What is asked of forges is tested in `review`, and against GitHub's own description in `tests/witness/github.sh`.

use std::io::{Read as _, Write as _};

use serde_json::Value;

use crate::binary::Place;

/// A job of Azure Pipelines for pull request 7, without a token.
fn azure_pipelines(place: Place) -> Place {
    let directory = place.path("").display().to_string();
    place
        .with("TF_BUILD", "True")
        .with("SYSTEM_COLLECTIONURI", "https://dev.azure.com/contoso/")
        .with("SYSTEM_TEAMPROJECT", "Edge")
        .with("BUILD_REPOSITORY_PROVIDER", "TfsGit")
        .with("BUILD_REPOSITORY_ID", "4a8b")
        .with("SYSTEM_PULLREQUEST_PULLREQUESTID", "7")
        .with("SYSTEM_ACCESSTOKEN", "$(System.AccessToken)")
        .with("AGENT_TEMPDIRECTORY", &directory)
}

#[test]
fn azure_pipelines_gets_summary_and_outputs_and_the_plan_stays_as_it_is() {
    let place = azure_pipelines(Place::quickstart());
    let plain = place.sim(&["plan", "--detailed-exitcode"]).ends_with(2);
    let told = place.sim(&["plan", "--detailed-exitcode", "--comment", "--target", "prod"]).ends_with(2);
    assert_eq!(told.out, plain.out);
    let digest = plain.digest();
    let commands: Vec<&str> = told.err.lines().filter(|line| line.starts_with("##vso[")).collect();
    assert!(commands[0].starts_with("##vso[task.uploadsummary]") && commands[0].ends_with("arcflux plan prod.md"));
    assert!(commands.contains(&"##vso[task.setvariable variable=changes;isOutput=true]true"));
    assert!(commands.contains(&format!("##vso[task.setvariable variable=digest;isOutput=true]{digest}").as_str()));
    assert!(place.read("arcflux plan prod.md").contains(&digest));
    let warnings: Vec<&str> = told.err.lines().filter(|line| line.starts_with("warning: the pull request")).collect();
    assert_eq!(warnings.len(), 1, "{}", told.err);
    assert!(warnings[0].contains("no token in SYSTEM_ACCESSTOKEN"), "{}", told.err);
}

#[test]
fn gitlab_gets_files() {
    let place = Place::quickstart()
        .with("GITLAB_CI", "true")
        .with("CI_API_V4_URL", "https://gitlab.contoso.com/api/v4")
        .with("CI_PROJECT_ID", "12")
        .with("CI_MERGE_REQUEST_IID", "7");
    let digest = place.sim(&["plan", "--out", "plan.json"]).ends_with(0).digest();
    let arguments = ["comment", "plan.json", "--summary", "plan.md", "--outputs", "arcflux.env"];
    place.run(&arguments).ends_with(0).says("no token in GITLAB_TOKEN");
    let outputs = place.read("arcflux.env");
    assert_eq!(
        outputs,
        format!(
            "ARCFLUX_CHANGES=true\nARCFLUX_ADD=3\nARCFLUX_CHANGE=0\nARCFLUX_DESTROY=0\nARCFLUX_REPLACE=0\n\
             ARCFLUX_DIGEST={digest}\nARCFLUX_REFUSED=false\n"
        )
    );
    assert!(place.read("plan.md").starts_with("<!-- arcflux:plan:v1 "));
}

#[test]
fn a_plan_that_is_refused_or_was_not_made_ends_as_it_does_and_is_told() {
    let place = azure_pipelines(Place::quickstart());
    place.sim(&["apply", "--auto-approve"]).ends_with(0);
    let text = place.read("arcflux.yaml");
    let app = text.find("  app:").unwrap();
    place.write("arcflux.yaml", &text[..app]);
    let refused = place.sim(&["plan", "--comment"]).ends_with(3);
    assert!(refused.err.contains("variable=refused;isOutput=true]true"), "{}", refused.err);
    place.write("arcflux.yaml", "apiVersion: arcflux/v1\nkustomisations: {}\n");
    place.sim(&["plan", "--comment"]).ends_with(1).says("arcflux.yaml is not valid");
    let summary = place.read("arcflux plan default.md");
    assert!(summary.contains("kustomisations"), "{summary}");
}

#[test]
fn where_to_comment_is_a_question_of_the_command_line() {
    let place = Place::quickstart();
    place.sim(&["plan", "--out", "plan.json"]).ends_with(0);
    let github: [&str; 4] = ["--forge", "github", "--pull-request", "7"];
    place.run(&["comment", "plan.json"]).ends_with(64).says("cannot tell which forge is meant");
    place.sim(&["plan", "--comment"]).ends_with(64).says("--forge github");
    place.sim(&["plan", "--pull-request", "7"]).ends_with(64).says("`--comment` is not given");
    place.run(&[&["comment", "plan.json"], &github[..]].concat()).ends_with(64).says("give `--repository NAME`");
    let azure = ["comment", "plan.json", "--forge", "azure-devops", "--repository", "Edge/gitops"];
    place.run(&azure).ends_with(64).says("give `--api URL`");

    let place = place.with("GITHUB_TOKEN", "S3CRET");
    let named = |option: &str, value: &str| {
        let fixed = ["--repository", "contoso/gitops", "--api", "http://127.0.0.1:1"];
        let rest: Vec<&str> = fixed.chunks(2).filter(|pair| pair[0] != option).flatten().copied().collect();
        place.run(&[&["comment", "plan.json", option, value], &github[..], &rest].concat())
    };
    named("--api", "http://git.contoso.com").ends_with(64).says("plain http to another machine");
    named("--api", "https://user:pass@git.contoso.com").ends_with(64).says("***@git.contoso.com");
    named("--repository", "contoso").ends_with(64).says("write OWNER/NAME");
    named("--repository", "../gitops").ends_with(64).says("write OWNER/NAME");
    // Nobody listens there: that is no question of what a token may do.
    let unanswered = named("--target", "prod").ends_with(1).says("the comment was not written").says("no response");
    assert!(!unanswered.err.contains("S3CRET"));
    named("--token-env", "UNSET").ends_with(0).says("no token in UNSET");
}

/// A workflow of GitHub for pull request 7; nobody listens where its forge should be.
fn workflow(place: Place) -> Place {
    place
        .with("GITHUB_ACTIONS", "true")
        .with("GITHUB_API_URL", "http://127.0.0.1:1")
        .with("GITHUB_REPOSITORY", "contoso/gitops")
        .with("GITHUB_REF", "refs/pull/7/merge")
        .with("GITHUB_TOKEN", "S3CRET")
}

#[test]
fn whatever_the_environment_says_wrongly_of_the_pull_request_the_plan_is_made() {
    let long = "x".repeat(101);
    for (name, value, why) in [
        ("GITHUB_TOKEN", "S3\nCRET", "the token is malformed"),
        ("GITHUB_API_URL", "http://git.contoso.com/api/v3", "plain http to another machine"),
        ("GITHUB_REPOSITORY", "", "give `--repository NAME`"),
        ("GITHUB_REPOSITORY", "contoso", "write OWNER/NAME"),
        ("ARCFLUX_TARGET", &long, "ARCFLUX_TARGET cannot be used"),
    ] {
        let place = workflow(Place::quickstart()).with(name, value);
        let planned = place.sim(&["plan", "--comment", "--detailed-exitcode"]).ends_with(2).shows("Plan: 3 to add");
        let said = planned.err.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(said.contains("warning: the pull request does not show all of it") && said.contains(why), "{said}");
        assert!(!planned.err.contains("CRET"), "{}", planned.err);
        // What is to be applied, though, was reviewed, or is not applied.
        place.sim(&["apply", "--reviewed"]).ends_with(3).says("it cannot be known whether the plan was reviewed");
    }
    let azure = azure_pipelines(Place::quickstart()).with("SYSTEM_COLLECTIONURI", "");
    azure.sim(&["plan", "--comment"]).ends_with(0).says("give `--api URL`");
    // No target is the default one.
    let place = azure_pipelines(Place::quickstart()).with("ARCFLUX_TARGET", "");
    place.sim(&["plan", "--comment"]).ends_with(0);
    assert!(place.path("arcflux plan default.md").exists());
    // What is said on the command line is a mistake of whoever said it.
    place.sim(&["plan", "--comment", "--target", &long]).ends_with(64);
}

#[test]
fn a_pull_request_that_cannot_be_read_is_told() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let api = format!("http://{}", listener.local_addr().unwrap());
    // Everything has moved, whatever it is. The thread ends with the test.
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.read(&mut [0; 65536]);
            let _ = stream.write_all(b"HTTP/1.1 301 Moved\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        }
    });
    let place = workflow(Place::quickstart()).with("GITHUB_API_URL", &api);
    let planned = place.sim(&["plan", "--comment"]).ends_with(0).shows("Plan: 3 to add");
    let said = planned.err.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("GitHub answered GET /repos/contoso/gitops/pulls/7 with 301"), "{said}");
    assert!(said.contains("No check: which commit was planned is not known."), "{said}");
}

#[test]
fn only_what_was_planned_and_applied_is_told() {
    let place = azure_pipelines(Place::quickstart());
    place.sim(&["plan", "--out", "plan.json"]).ends_with(0);
    place.sim(&["apply", "plan.json", "--report", "report.json"]).ends_with(0);
    place.run(&["comment", "plan.json", "--outcome", "report.json"]).ends_with(0);
    assert!(place.read("arcflux plan default.md").contains("3 added"));

    let report = place.read("report.json");
    let mut other: Value = serde_json::from_str(&report).unwrap();
    other["plan"]["origin"] = Value::from("https://management.azure.com");
    place.write("other.json", &other.to_string());
    place.run(&["comment", "plan.json", "--outcome", "other.json"]).ends_with(3).says("the report of another plan");
    other["format_version"] = Value::from("9.0");
    place.write("other.json", &other.to_string());
    place.run(&["comment", "plan.json", "--outcome", "other.json"]).ends_with(3).says("report format `9.0`");
    let mut edited: Value = serde_json::from_str(&place.read("plan.json")).unwrap();
    edited["digest"] = Value::from(format!("sha256:{}", "0".repeat(64)));
    place.write("edited.json", &edited.to_string());
    place.run(&["comment", "edited.json"]).ends_with(3).says("it was edited");
}

#[test]
fn the_report_of_another_plan_is_not_told() {
    let place = azure_pipelines(Place::quickstart());
    let planned = place.sim(&["plan", "--out", "plan.json"]).ends_with(0).digest();
    place.write("arcflux.yaml", &place.read("arcflux.yaml").replace("retail/", "wholesale/"));
    let other = place.sim(&["plan", "--out", "other.json"]).ends_with(0).digest();
    place.sim(&["apply", "plan.json", "--report", "report.json"]).ends_with(0);
    let told = place.run(&["comment", "other.json", "--outcome", "report.json"]).ends_with(3);
    told.says(&planned).says(&other).says("the report of another plan");
    assert!(!place.path("arcflux plan default.md").exists());
    // What is left of a saved plan has another digest than the whole, and is of it: here nothing is.
    place.sim(&["apply", "plan.json", "--report", "again.json"]).ends_with(0);
    place.run(&["comment", "plan.json", "--outcome", "again.json"]).ends_with(0);
    place.run(&["comment", "other.json", "--outcome", "again.json"]).ends_with(3).says(&planned);
    assert!(place.read("arcflux plan default.md").contains(&planned));
}

#[test]
fn nothing_is_written_over_what_is_read_or_over_one_another() {
    let place = azure_pipelines(Place::quickstart());
    place.sim(&["plan", "--out", "plan.json"]).ends_with(0);
    place.sim(&["apply", "plan.json", "--report", "report.json"]).ends_with(0);
    let kept = ["arcflux.yaml", "plan.json", "report.json"].map(|name| (name, place.read(name)));
    for (arguments, said) in [
        ("plan --cloud sim --comment --summary arcflux.yaml", "`--summary arcflux.yaml` would write over the spec"),
        ("plan --cloud sim --comment --outputs ./arcflux.yaml", "would write over the spec"),
        ("plan --cloud sim --sarif arcflux.yaml", "would write over the spec"),
        ("plan --cloud sim --comment --out y --summary ./y", "`--out` and `--summary` both name ./y"),
        ("plan --cloud sim --comment --summary y --outputs y", "`--summary` and `--outputs` both name y"),
        ("plan --cloud sim --out y --sarif y", "both name y"),
        ("comment plan.json --summary plan.json", "would write over the saved plan"),
        ("comment plan.json --outcome report.json --outputs report.json", "would write over the report"),
        ("comment plan.json --summary z --outputs z", "both name z"),
    ] {
        place.run(&arguments.split(' ').collect::<Vec<_>>()).ends_with(64).says(said);
        for (name, text) in &kept {
            assert!(place.read(name) == *text, "{name}: {arguments}");
        }
        assert!(!place.path("y").exists() && !place.path("z").exists(), "{arguments}");
    }
    place.sim(&["plan", "--out", "/dev/null", "--sarif", "/dev/null"]).ends_with(0);
}

#[test]
fn markdown_is_for_the_target_that_is_named() {
    let place = Place::quickstart();
    let shown = place.sim(&["plan", "--format", "markdown", "--target", "prod"]).ends_with(0);
    assert!(shown.out.contains("\"target\":\"prod\"") && shown.out.contains("plan for `prod`"), "{}", shown.out);
    let place = place.with("ARCFLUX_TARGET", "stage");
    let shown = place.sim(&["plan", "--format", "markdown"]).ends_with(0);
    assert!(shown.out.contains("plan for `stage`"), "{}", shown.out);
    place.sim(&["plan", "--outputs", "f"]).ends_with(64).says("`--outputs` goes with `--comment`");
}

#[test]
fn the_command_that_a_comment_names_applies_the_plan() {
    let place = Place::quickstart();
    place.write("edge's spec.yaml", &place.read("arcflux.yaml"));
    let arguments = "--workloads keep --wait none --max-delete 50% --only rg-edge/* --format markdown";
    let options = [&["plan", "-f", "edge's spec.yaml"][..], &arguments.split(' ').collect::<Vec<_>>()].concat();
    let shown = place.sim(&options).ends_with(0);
    let command = shown.out.lines().find(|line| line.starts_with("arcflux apply ")).unwrap();
    let expected =
        r"arcflux apply -f 'edge'\''s spec.yaml' --only 'rg-edge/*' --wait none --workloads keep --max-delete 50%";
    assert_eq!(command.split(" --expect ").next(), Some(expected));
    let digest = command.split(" --expect ").nth(1).unwrap();
    let apply = ["apply", "-f", "edge's spec.yaml", "--only", "rg-edge/*", "--wait", "none", "--workloads", "keep"];
    let rest = ["--max-delete", "50%", "--expect", digest, "--auto-approve"];
    place.sim(&[&apply[..], &rest].concat()).ends_with(0);
}

#[test]
fn what_a_command_line_can_tell_is_told_before_azure_is_read() {
    let place = Place::quickstart();
    let reviewed = |more: &[&str]| {
        let told = place.sim(&[&["apply", "--reviewed"], more].concat());
        assert!(!told.err.contains("Read "), "{}", told.err);
        told
    };
    reviewed(&[]).ends_with(64).says("--forge github");
    let gitlab = ["--forge", "gitlab", "--repository", "1", "--pull-request", "7"];
    reviewed(&gitlab).ends_with(3).says("GitLab does not tell who approved which commit");
    reviewed(&["--forge", "github", "--repository", "o/r"]).ends_with(64).says("give `--pull-request N`");
    place.sim(&["plan", "--out", "plan.json"]).ends_with(0);
    let script = ["comment", "plan.json", "--artifact-url", "javascript:alert(1)"];
    place.run(&script).ends_with(64).says("leads to no page");
    let place = place.with("GITHUB_TOKEN", "S3CRET");
    let nowhere = ["comment", "plan.json", "--forge", "github", "--repository", "o/r", "--api", "http://127.0.0.1:1"];
    place.run(&nowhere).ends_with(0).says("`--pull-request N` names one");
}

#[test]
fn warnings_of_the_spec_reach_the_reviewer() {
    let place = azure_pipelines(Place::quickstart());
    let spec = place.read("arcflux.yaml").replace("./clusters/store-001/retail", "./clusters/store-009/retail");
    place.write("arcflux.yaml", &spec);
    let line = 1 + spec.lines().position(|line| line.contains("store-009")).unwrap();
    let arguments = ["plan", "--comment", "--out", "plan.json", "--sarif", "plan.sarif", "--format", "html"];
    let planned = place.sim(&arguments).ends_with(0).says("AF066");
    let summary = place.read("arcflux plan default.md");
    assert!(summary.contains("`AF066`") && summary.contains(&format!("Line {line} of the spec")), "{summary}");
    assert!(planned.out.contains("AF066"), "the page has no word of it");
    let sarif: Value = serde_json::from_str(&place.read("plan.sarif")).unwrap();
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    let found = results.iter().find(|result| result["ruleId"] == "AF066").unwrap();
    assert_eq!(found["locations"][0]["physicalLocation"]["region"]["startLine"], line);
    let rule = usize::try_from(found["ruleIndex"].as_u64().unwrap()).unwrap();
    assert_eq!(sarif["runs"][0]["tool"]["driver"]["rules"][rule]["id"], "AF066");
    // A saved plan holds them, and binds to none of them.
    place.run(&["show", "plan.json", "--format", "markdown"]).ends_with(0).shows("AF066");
    place.sim(&["apply", "plan.json"]).ends_with(0);
}

#[test]
fn sarif_of_a_spec_that_is_not_valid_says_why_under_the_name_of_its_target() {
    let place = azure_pipelines(Place::quickstart());
    let id = |arguments: &[&str], code: i32| -> (Value, Value) {
        place.sim(&[&["plan", "--comment", "--sarif", "plan.sarif"], arguments].concat()).ends_with(code);
        let sarif: Value = serde_json::from_str(&place.read("plan.sarif")).unwrap();
        let run = &sarif["runs"][0];
        (run["automationDetails"]["id"].clone(), run["results"].clone())
    };
    assert_eq!(id(&["--target", "prod"], 0).0, "arcflux/plan/prod/");
    assert_eq!(id(&[], 0).0, "arcflux/plan/default/");
    place.write("arcflux.yaml", &place.read("arcflux.yaml").replace("branch:", "brnach:"));
    let (id, results) = id(&["--target", "prod"], 1);
    assert_eq!(id, "arcflux/plan/prod/");
    assert_eq!(results[0]["level"], "error", "{results:#}");
    assert!(results[0]["locations"][0]["physicalLocation"]["region"]["startLine"].is_u64(), "{results:#}");
}

/// The line of the spec that begins so.
fn line_of(text: &str, start: &str) -> u64 {
    1 + text.lines().position(|line| line.trim_start().starts_with(start)).unwrap() as u64
}

#[test]
fn sarif_points_at_the_line_that_causes_a_change() {
    let place = Place::quickstart();
    let results = |place: &Place, arguments: &[&str], code: i32| -> Vec<(String, Option<u64>, String)> {
        place.sim(&[&["plan", "--sarif", "plan.sarif"], arguments].concat()).ends_with(code);
        let sarif: Value = serde_json::from_str(&place.read("plan.sarif")).unwrap();
        let results = sarif["runs"][0]["results"].as_array().unwrap();
        let result = |result: &Value| {
            let place = &result["locations"][0]["physicalLocation"];
            assert_eq!(place["artifactLocation"]["uri"], "arcflux.yaml");
            let message = result["message"]["text"].as_str().unwrap().to_owned();
            (result["ruleId"].as_str().unwrap().to_owned(), place["region"]["startLine"].as_u64(), message)
        };
        results.iter().map(result).collect()
    };
    let spec = place.read("arcflux.yaml");
    let created = results(&place, &[], 0);
    assert!(created.iter().all(|(rule, line, _)| rule == "plan/create" && line.is_some()), "{created:#?}");
    assert_eq!(created[1].1, Some(line_of(&spec, "extension:")));

    place.sim(&["apply", "--auto-approve"]).ends_with(0);
    assert_eq!(results(&place, &[], 0), []);
    let edited = spec.replace("retail/ApplicationRegistrations", "retail/Next").replace("branch: main", "branch: next");
    place.write("arcflux.yaml", &edited);
    let changed = results(&place, &[], 0);
    let lines: Vec<Option<u64>> = changed.iter().map(|(_, line, _)| *line).collect();
    let path = 1 + edited.lines().position(|line| line.contains("retail/Next")).unwrap() as u64;
    assert_eq!(lines, [Some(line_of(&edited, "branch:")), Some(path)], "{changed:#?}");
    assert!(changed[1].2.contains("kustomizations.app.path"), "{changed:#?}");
    // Pruning loses something, and adding a file does not.
    let sarif: Value = serde_json::from_str(&place.read("plan.sarif")).unwrap();
    assert_eq!(sarif["runs"][0]["results"][0]["level"], "warning", "{sarif:#}");

    let app = spec.find("  app:").unwrap();
    place.write("arcflux.yaml", &spec[..app]);
    let refused = results(&place, &[], 3);
    assert!(refused.iter().any(|(rule, line, _)| rule == "plan/refused" && line.is_some()), "{refused:#?}");
}
