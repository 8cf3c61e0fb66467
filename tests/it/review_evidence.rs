//! What is gathered of a pull request on GitHub before its plan is applied: by the requests of its REST API, in order.

use std::sync::Arc;

use arcflux::model::{Marker, Secret, Target};
use arcflux::review::{
    BaseChange, Evidence, ForgeClient, ForgeError, ForgeKind, Intended, Opinion, comment_digest, evidence, objections,
};
use serde_json::{Value, json};

use crate::scripted::{Reply, Script, VirtualClock};

const API: &str = "https://api.github.com";
const CHECK: &str = "arcflux/plan (prod)";
const BOT: &str = "github-actions[bot]";
const REPOSITORY: &str = "/repos/contoso/gitops";

fn digest(byte: &str) -> String {
    format!("sha256:{}", byte.repeat(32))
}

fn marker() -> Marker {
    Marker {
        target: "prod".parse().unwrap(),
        digest: Some(digest("0f").parse().unwrap()),
        head: Some("aa".repeat(20).parse().unwrap()),
        base: Some("bb".repeat(20).parse().unwrap()),
        ..Marker::default()
    }
}

fn pull_request(merged_as: Option<&str>) -> Value {
    json!({
        "number": 7, "state": if merged_as.is_some() { "closed" } else { "open" }, "merged": merged_as.is_some(),
        // Of an open pull request, this is a merge that was only tried.
        "merge_commit_sha": merged_as.unwrap_or("0000000000000000000000000000000000000000"),
        "user": {"login": "ann"}, "head": {"sha": "aa".repeat(20)},
        "base": {"sha": "bb".repeat(20), "ref": "release/1", "repo": {"default_branch": "release/1"}},
    })
}

fn text(marker: &Marker) -> String {
    format!("{}\nplan", marker.render())
}

fn comment(id: u64, author: &str, marker: &Marker, at: &str) -> Value {
    json!({"id": id, "user": {"login": author}, "body": text(marker), "updated_at": at})
}

/// What is found against applying the plan that was posted.
fn codes(evidence: &Evidence) -> Vec<&'static str> {
    let digest = digest("0f").parse().unwrap();
    let intended = Intended { digest: &digest, check: CHECK, commit: None, branch: None };
    objections(evidence, intended).iter().map(|one| one.code).collect()
}

fn commit(byte: &str, people: [Option<&str>; 2]) -> Value {
    let [author, committer] = people.map(|login| login.map_or(Value::Null, |login| json!({"login": login})));
    json!({"sha": byte.repeat(20), "author": author, "committer": committer})
}

fn review(login: &str, state: &str, at: &str) -> Value {
    json!({"user": {"login": login, "type": "User"}, "state": state, "commit_id": "aa".repeat(20), "submitted_at": at})
}

async fn gathered(exchanges: Vec<(String, Reply)>) -> Result<Option<arcflux::review::Evidence>, ForgeError> {
    let lines: Vec<String> = exchanges.iter().map(|(line, _)| line.clone()).collect();
    let replies = exchanges.into_iter().map(|(_, reply)| reply);
    let script = Script::new(lines.iter().map(String::as_str).zip(replies));
    let token = Secret::new("ghs_token".to_owned());
    let client = ForgeClient::new(script.clone(), VirtualClock::new(), ForgeKind::GitHub, API, "contoso/gitops", token);
    let target: Target = "prod".parse().unwrap();
    let gathered = evidence(&client.unwrap(), 7, &target, CHECK).await;
    script.finished();
    gathered
}

fn get(path: &str) -> String {
    format!("GET {API}{REPOSITORY}{path}")
}

/// The requests up to the reviews.
fn begin(merged_as: Option<&str>, reviews: Vec<Value>) -> Vec<(String, Reply)> {
    begin_with(
        merged_as,
        reviews,
        vec![commit("ac", [Some("Dora"), None]), commit("aa", [Some("ann"), Some("web-flow")])],
    )
}

fn begin_with(merged_as: Option<&str>, reviews: Vec<Value>, commits: Vec<Value>) -> Vec<(String, Reply)> {
    let head = "aa".repeat(20);
    let ours = comment(20, BOT, &marker(), "2026-11-24T09:00:00Z");
    let older = comment(10, BOT, &Marker { digest: None, closed: true, ..marker() }, "2026-11-24T08:00:00Z");
    let forged = comment(30, "mallory", &Marker { head: None, ..marker() }, "2026-11-24T09:30:00Z");
    let other = comment(40, BOT, &Marker { target: "test".parse().unwrap(), ..marker() }, "2026-11-24T09:00:00Z");
    let summary = format!("Digest: `{}`\n\nComment: `{}`", digest("0f"), comment_digest(&text(&marker())));
    let run = |app: &str, byte: &str| {
        json!({
            "name": CHECK, "app": {"slug": app}, "external_id": digest(byte), "head_sha": "aa".repeat(20),
            "status": "completed", "conclusion": "success", "output": {"summary": summary},
        })
    };
    vec![
        (format!("POST {API}/graphql"), Reply::json(200, &json!({"data": {"viewer": {"login": BOT}}}))),
        (get("/pulls/7"), Reply::json(200, &pull_request(merged_as))),
        (get("/issues/7/comments?per_page=100"), Reply::json(200, &json!([older, ours, forged, other]))),
        (
            get(&format!("/commits/{head}/check-runs?check_name=arcflux%2Fplan+%28prod%29&filter=latest&per_page=100")),
            Reply::json(
                200,
                &json!({"total_count": 2, "check_runs": [run("github-actions", "0f"), run("other", "ee")]}),
            ),
        ),
        (get("/pulls/7/commits?per_page=100"), Reply::json(200, &Value::from(commits))),
        (get("/pulls/7/reviews?per_page=100"), Reply::json(200, &Value::from(reviews))),
    ]
}

fn permission(login: &str, permission: &str) -> (String, Reply) {
    (get(&format!("/collaborators/{login}/permission")), Reply::json(200, &json!({"permission": permission})))
}

fn comparison(to: &str, status: &str, files: &[&str]) -> (String, Reply) {
    let files: Vec<Value> = files.iter().map(|name| json!({"filename": name})).collect();
    let path = format!("/compare/{}...{to}", "bb".repeat(20));
    (get(&path), Reply::json(200, &json!({"status": status, "files": files})))
}

#[tokio::test]
async fn what_was_reviewed_has_nothing_against_it() {
    let mut exchanges = begin(None, vec![review("bob", "APPROVED", "2026-11-24T10:00:00Z")]);
    exchanges.push(permission("bob", "write"));
    exchanges.push(comparison("release%2F1", "ahead", &["docs/other.md"]));
    exchanges.push((get("/pulls/7/files?per_page=100"), Reply::json(200, &json!([{"filename": "arcflux.yaml"}]))));
    let evidence = gathered(exchanges).await.unwrap().unwrap();
    let [ours] = evidence.comments.as_slice() else { panic!("{:?}", evidence.comments) };
    assert_eq!(ours.marker, marker());
    assert_eq!(evidence.base, BaseChange::Files(Vec::new()));
    assert_eq!(codes(&evidence), [""; 0]);
}

#[tokio::test]
async fn the_last_word_of_a_reviewer_counts_and_only_of_those_who_may_write() {
    let reviews = vec![
        review("bob", "APPROVED", "2026-11-24T10:00:00Z"),
        review("eve", "APPROVED", "2026-11-24T10:00:00Z"),
        review("dan", "CHANGES_REQUESTED", "2026-11-24T10:00:00Z"),
        review("Bob", "CHANGES_REQUESTED", "2026-11-24T11:00:00Z"),
        review("bob", "COMMENTED", "2026-11-24T12:00:00Z"),
        review("dan", "DISMISSED", "2026-11-24T12:00:00Z"),
    ];
    let mut exchanges = begin(None, reviews);
    exchanges.push(permission("Bob", "maintain"));
    exchanges.push((get("/collaborators/eve/permission"), Reply::json(404, &json!({"message": "Not Found"}))));
    exchanges.push(comparison("release%2F1", "identical", &[]));
    let evidence = gathered(exchanges).await.unwrap().unwrap();
    let words: Vec<_> =
        evidence.reviews.iter().map(|one| (one.reviewer.as_str(), one.opinion, one.may_write)).collect();
    assert_eq!(
        words,
        [
            ("Bob", Opinion::RequestsChanges, true),
            ("dan", Opinion::Dismissed, false),
            ("eve", Opinion::Approves, false)
        ]
    );
    assert_eq!(codes(&evidence), ["not_approved", "changes_requested"]);
}

#[tokio::test]
async fn who_wrote_or_pushed_a_part_of_it_approves_nothing_and_neither_does_a_program() {
    let bot = json!({
        "user": {"login": "helper", "type": "Bot"}, "state": "APPROVED", "commit_id": "aa".repeat(20),
        "submitted_at": "2026-11-24T10:00:00Z",
    });
    let reviews = vec![bot, review("dora", "APPROVED", "2026-11-24T10:00:00Z")];
    let mut exchanges = begin(None, reviews);
    exchanges.extend([permission("dora", "write"), permission("helper", "write")]);
    exchanges.push(comparison("release%2F1", "identical", &[]));
    let evidence = gathered(exchanges).await.unwrap().unwrap();
    assert_eq!(evidence.contributors, Some(["Dora", "ann"].map(str::to_owned).into()));
    assert_eq!(codes(&evidence), ["not_approved"]);
}

#[tokio::test]
async fn a_newer_comment_of_ours_hides_nothing_whatever_it_says_of_itself() {
    for forged in [marker(), Marker { digest: None, closed: true, ..marker() }] {
        let mut exchanges = begin(None, vec![review("bob", "APPROVED", "2026-11-24T10:00:00Z")]);
        let ours = comment(20, BOT, &marker(), "2026-11-24T11:00:00Z");
        exchanges[2].1 = Reply::json(200, &json!([ours, comment(21, BOT, &forged, "2026-11-24T08:00:00Z")]));
        exchanges.push(permission("bob", "write"));
        exchanges.push(comparison("release%2F1", "identical", &[]));
        assert_eq!(codes(&gathered(exchanges).await.unwrap().unwrap()), ["several_comments", "not_approved"]);
    }
}

#[tokio::test]
async fn whose_the_commits_are_must_be_known_of_the_head_and_of_all() {
    let known = commit("aa", [Some("ann"), None]);
    let many = std::iter::repeat_n(commit("ac", [None, None]), 249).chain([known.clone()]).collect();
    for (commits, is_known) in [
        (vec![commit("ac", [None, None]), known], true),
        (vec![commit("ac", [Some("ann"), None]), commit("aa", [None, Some("web-flow")])], false),
        (vec![commit("ac", [Some("ann"), None])], false),
        (many, false),
    ] {
        let mut exchanges = begin_with(None, Vec::new(), commits);
        exchanges.push(comparison("release%2F1", "identical", &[]));
        let evidence = gathered(exchanges).await.unwrap().unwrap();
        assert_eq!(evidence.contributors.is_some(), is_known);
        assert_eq!(codes(&evidence).contains(&"contributors_unknown"), !is_known);
    }
}

#[tokio::test]
async fn more_files_than_github_lists_may_hide_one_that_both_changed() {
    let mut exchanges = begin(None, vec![review("bob", "APPROVED", "2026-11-24T10:00:00Z")]);
    exchanges.push(permission("bob", "write"));
    exchanges.push(comparison("release%2F1", "ahead", &["zz.yaml"]));
    let files: Vec<Value> = (0..3000).map(|number| json!({"filename": format!("{number}.yaml")})).collect();
    exchanges.push((get("/pulls/7/files?per_page=100"), Reply::json(200, &json!(files))));
    let evidence = gathered(exchanges).await.unwrap().unwrap();
    assert_eq!(evidence.base, BaseChange::TooMuch);
    assert_eq!(codes(&evidence), ["base_moved"]);
}

#[tokio::test]
async fn a_next_page_that_cannot_be_read_is_not_passed_over() {
    for link in
        ["<https://api.github.com/next>; rel=\"next", "next", "<https://a/1>; rel=next, <https://a/2>; rel=next"]
    {
        let mut exchanges = begin(None, Vec::new());
        let (line, reply) = exchanges.pop().unwrap();
        exchanges.push((line, reply.header("link", link)));
        assert!(matches!(gathered(exchanges).await, Err(ForgeError::BadLink { .. })), "{link}");
    }
}

#[tokio::test]
async fn what_it_was_merged_into_is_what_came_before_the_merge() {
    let merge = "cc".repeat(20);
    let mut exchanges = begin(Some(&merge), Vec::new());
    let parents = json!({"parents": [{"sha": "dd".repeat(20)}, {"sha": "aa".repeat(20)}]});
    exchanges.push((get(&format!("/commits/{merge}")), Reply::json(200, &parents)));
    exchanges.push(comparison(&"dd".repeat(20), "ahead", &["old.yaml", "new.yaml"]));
    let renamed = json!([{"filename": "newer.yaml", "previous_filename": "old.yaml"}]);
    exchanges.push((get("/pulls/7/files?per_page=100"), Reply::json(200, &renamed)));
    let evidence = gathered(exchanges).await.unwrap().unwrap();
    assert_eq!(evidence.base, BaseChange::Files(vec!["old.yaml".to_owned()]));
}

#[tokio::test]
async fn a_base_that_was_rewritten_or_changed_beyond_counting_is_told() {
    for (status, count, expected) in [("diverged", 0, BaseChange::Rewritten), ("ahead", 300, BaseChange::TooMuch)] {
        let names: Vec<String> = (0..count).map(|number| format!("{number}.yaml")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut exchanges = begin(None, Vec::new());
        exchanges.push(comparison("release%2F1", status, &names));
        assert_eq!(gathered(exchanges).await.unwrap().unwrap().base, expected);
    }
}

#[tokio::test]
async fn other_forges_do_not_tell_enough() {
    let script = Script::new([]);
    let token = Secret::new("t".to_owned());
    for (kind, repository) in [(ForgeKind::GitLab, "contoso/gitops"), (ForgeKind::AzureDevOps, "edge/gitops")] {
        let client =
            ForgeClient::new(Arc::clone(&script) as _, VirtualClock::new(), kind, API, repository, token.clone())
                .unwrap();
        assert_eq!(evidence(&client, 7, &"prod".parse().unwrap(), CHECK).await.unwrap(), None);
    }
}
