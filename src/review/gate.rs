//! Whether what is about to be applied is what was reviewed: from the evidence, purely. Nothing a pull request can write
//! into its own files decides anything here.

use std::fmt;

use super::approval::of_reviews;
use super::evidence::{BaseChange, Check, Evidence, PlanComment};
use crate::model::{Digest, one_line};

/// How many names are told of a list.
const NAMED: usize = 5;

/// What is about to be applied, and where.
#[derive(Debug, Clone, Copy)]
pub struct Intended<'a> {
    /// The plan, as it is now.
    pub digest: &'a Digest,
    /// What its check run is called.
    pub check: &'a str,
    /// The commit that the job is about, where there is a job that tells.
    pub commit: Option<&'a str>,
    /// The branch that the job is about, where it is about one.
    pub branch: Option<&'a str>,
}

/// Something that stands against applying.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Objection {
    /// A stable name: `digest_differs`.
    pub code: &'static str,
    /// What it is, with what differs.
    pub message: String,
}

impl fmt::Display for Objection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// Everything that stands against applying what is intended: empty when it was reviewed.
#[must_use]
pub fn objections(evidence: &Evidence, intended: Intended<'_>) -> Vec<Objection> {
    let mut found = Vec::new();
    let mut object = |code: &'static str, message: String| found.push(Objection { code, message: one_line(&message) });
    of_place(evidence, intended, &mut object);
    of_checks(evidence, intended, &mut object);
    match evidence.comments.as_slice() {
        [] => {
            let Evidence { pull_request, me, .. } = evidence;
            object("no_comment", format!("#{} has no comment of {me} with this plan", pull_request.number));
        }
        [comment] => of_comment(comment, evidence, intended, &mut object),
        several => object(
            "several_comments",
            format!(
                "#{} has {} comments of {} with a plan for this target: which of them was read cannot be known",
                evidence.pull_request.number,
                several.len(),
                evidence.me
            ),
        ),
    }
    of_reviews(evidence, &mut object);
    of_base(evidence, &mut object);
    found
}

/// The pull request is the one that brings what the job is about, into the branch that counts.
fn of_place(evidence: &Evidence, intended: Intended<'_>, object: &mut impl FnMut(&'static str, String)) {
    let pull_request = &evidence.pull_request;
    let number = pull_request.number;
    let merged_as = pull_request.merged_as.as_deref();
    if !pull_request.is_open && merged_as.is_none() {
        object("closed", format!("#{number} was closed without being merged"));
    }
    if let Some(commit) = intended.commit {
        let is_same = |other: &str| other.eq_ignore_ascii_case(commit);
        if !is_same(&pull_request.head) && !merged_as.is_some_and(is_same) {
            let brought = match merged_as {
                Some(merged_as) => format!("was merged as {}", short(merged_as)),
                None => format!("is not merged, and its head is {}", short(&pull_request.head)),
            };
            object("other_commit", format!("this job is about {}, and #{number} {brought}", short(commit)));
        }
    }
    let into = pull_request.base_branch.as_deref();
    let (expected, whose) = match intended.branch {
        Some(branch) => (Some(branch), "this job is about"),
        None => (pull_request.default_branch.as_deref(), "the default branch is"),
    };
    if into.is_none() || into != expected {
        let told = |branch: Option<&str>| branch.map_or("not known".to_owned(), |name| format!("`{name}`"));
        object("other_branch", format!("#{number} goes into {}, and {whose} {}", told(into), told(expected)));
    }
}

fn of_checks(evidence: &Evidence, intended: Intended<'_>, object: &mut impl FnMut(&'static str, String)) {
    let Evidence { pull_request, me, checks, .. } = evidence;
    let (name, head) = (intended.check, short(&pull_request.head));
    let mut has_one = false;
    for run in checks.iter().filter(|run| is_app(me, &run.app)) {
        has_one = true;
        if !run.head.eq_ignore_ascii_case(&pull_request.head) {
            object("check_elsewhere", format!("the check run `{name}` is on {}, and not on {head}", short(&run.head)));
        }
        match run.conclusion.as_deref() {
            Some("success" | "neutral" | "action_required") => {}
            Some(other) => object("check_failed", format!("the check run `{name}` on {head} came to `{other}`")),
            None => object("check_failed", format!("the check run `{name}` on {head} is not completed")),
        }
        match &run.digest {
            Some(reviewed) if reviewed == intended.digest => {}
            Some(reviewed) => object(
                "digest_differs",
                format!("the plan is {} now, and the check run `{name}` on {head} has {reviewed}", intended.digest),
            ),
            None => object("digest_missing", format!("the check run `{name}` on {head} carries no digest")),
        }
    }
    if !has_one {
        object("no_check", format!("the head of #{}, {head}, has no check run `{name}` of {me}", pull_request.number));
    }
}

fn of_comment(
    comment: &PlanComment,
    evidence: &Evidence,
    intended: Intended<'_>,
    object: &mut impl FnMut(&'static str, String),
) {
    let Evidence { pull_request, me, checks, .. } = evidence;
    let number = pull_request.number;
    let PlanComment { marker, edited_at, digest } = comment;
    if marker.digest.as_ref() != Some(intended.digest) {
        let shown = marker.digest.as_ref().map_or("none".to_owned(), ToString::to_string);
        object("comment_differs", format!("the plan is {} now, and the comment shows {shown}", intended.digest));
    }
    match &marker.head {
        Some(head) if head.to_string().eq_ignore_ascii_case(&pull_request.head) => {}
        Some(head) => object(
            "head_moved",
            format!(
                "the plan was made for {}, and the head of #{number} is {} now",
                short(&head.to_string()),
                short(&pull_request.head)
            ),
        ),
        None => object("head_unknown", "the comment does not say which commit was planned".to_owned()),
    }
    // Who only pushes or comments cannot change what a check run says; who may write to the repository can edit a comment.
    let of_plan = |run: &&Check| is_app(me, &run.app) && run.digest.as_ref() == Some(intended.digest);
    let posted: Vec<&Digest> = checks.iter().filter(of_plan).filter_map(|run| run.comment.as_ref()).collect();
    if !posted.contains(&digest) {
        let why = match posted.is_empty() {
            true => format!("no check run `{}` tells the text that was posted with it", intended.check),
            false => format!("its text is not what was posted with the check run: it was edited, last at {edited_at}"),
        };
        object("comment_edited", format!("the comment on #{number} cannot be trusted: {why}"));
    }
}

fn of_base(evidence: &Evidence, object: &mut impl FnMut(&'static str, String)) {
    let number = evidence.pull_request.number;
    match &evidence.base {
        BaseChange::Files(files) if files.is_empty() => {}
        BaseChange::Files(files) => object(
            "base_moved",
            format!(
                "the branch that #{number} is merged into has changed the same files since the plan: {}",
                listed(files)
            ),
        ),
        BaseChange::TooMuch => object(
            "base_moved",
            format!("#{number}, or the branch that it is merged into, has changed more files than can be compared"),
        ),
        BaseChange::Rewritten => {
            object("base_moved", format!("the branch that #{number} is merged into was rewritten since the plan"));
        }
        BaseChange::Unknown => {
            object("base_unknown", "the comment does not say what the plan was compared with".to_owned());
        }
    }
}

/// Whether the one that writes as `login` is the app with this short name: apps write as `NAME[bot]`.
fn is_app(login: &str, slug: &str) -> bool {
    login.strip_suffix("[bot]").is_some_and(|name| name.eq_ignore_ascii_case(slug))
}

/// A commit as people name it.
pub(super) fn short(sha: &str) -> &str {
    sha.get(..12).unwrap_or(sha)
}

/// The first names of a list, and how many more there are.
pub(super) fn listed(names: &[String]) -> String {
    let mut shown: Vec<&str> = names.iter().take(NAMED).map(String::as_str).collect();
    let more = format!("and {} more", names.len().saturating_sub(NAMED));
    if names.len() > NAMED {
        shown.push(&more);
    }
    shown.join(", ")
}

#[cfg(test)]
mod tests {
    use super::super::evidence::{Opinion, Review};
    use super::super::forge::PullRequest;
    use super::*;
    use crate::model::Marker;

    const CHECK: &str = "arcflux/plan (prod)";

    fn digest(byte: &str) -> Digest {
        format!("sha256:{}", byte.repeat(32)).parse().unwrap()
    }

    fn check(app: &str) -> Check {
        Check {
            app: app.to_owned(),
            head: "aa".repeat(20),
            conclusion: Some("success".to_owned()),
            digest: Some(digest("0f")),
            comment: Some(digest("c0")),
        }
    }

    /// What is found against the plan with this digest, on a job that tells nothing.
    fn found(evidence: &Evidence, byte: &str) -> Vec<Objection> {
        objections(evidence, Intended { digest: &digest(byte), check: CHECK, commit: None, branch: None })
    }

    fn approval(reviewer: &str) -> Review {
        Review {
            reviewer: reviewer.to_owned(),
            is_bot: false,
            opinion: Opinion::Approves,
            commit: "aa".repeat(20),
            at: "2026-11-24T10:00:00Z".parse().unwrap(),
            may_write: true,
        }
    }

    /// Everything as it should be.
    fn reviewed() -> Evidence {
        let marker = Marker {
            target: "prod".parse().unwrap(),
            digest: Some(digest("0f")),
            head: Some("aa".repeat(20).parse().unwrap()),
            base: Some("bb".repeat(20).parse().unwrap()),
            ..Marker::default()
        };
        Evidence {
            pull_request: PullRequest {
                number: 7,
                head: "aa".repeat(20),
                base: Some("bb".repeat(20)),
                author: Some("ann".to_owned()),
                is_open: true,
                base_branch: Some("main".to_owned()),
                default_branch: Some("main".to_owned()),
                merged_as: None,
            },
            me: "github-actions[bot]".to_owned(),
            comments: vec![PlanComment {
                marker,
                edited_at: "2026-11-24T09:00:00Z".parse().unwrap(),
                digest: digest("c0"),
            }],
            checks: vec![check("github-actions")],
            contributors: Some(["ann", "carol"].map(str::to_owned).into()),
            reviews: vec![approval("bob")],
            base: BaseChange::Files(Vec::new()),
        }
    }

    #[test]
    fn nothing_stands_against_what_was_reviewed() {
        assert_eq!(found(&reviewed(), "0f"), []);
        let mut merged = reviewed();
        (merged.pull_request.is_open, merged.pull_request.merged_as) = (false, Some("cc".repeat(20)));
        assert_eq!(found(&merged, "0f"), []);
        // The checks of others are no concern of ours, and neither is what they say of themselves.
        let mut busy = reviewed();
        busy.checks.push(Check { digest: Some(digest("ee")), conclusion: None, ..check("mallory") });
        busy.reviews.push(Review { opinion: Opinion::RequestsChanges, may_write: false, ..approval("passer-by") });
        busy.reviews.push(Review { opinion: Opinion::Dismissed, ..approval("carl") });
        assert_eq!(found(&busy, "0f"), []);
    }

    #[test]
    fn whatever_differs_stands_against_it() {
        type Edit = fn(&mut Evidence);
        let table: [(&str, Edit); 38] = [
            ("closed", |e| e.pull_request.is_open = false),
            ("no_check", |e| e.checks.clear()),
            ("no_check", |e| e.checks[0].app = "mallory".to_owned()),
            // A person's token is no app's: whoever can push can make such a check.
            ("no_check", |e| e.me = "github-actions".to_owned()),
            ("digest_differs", |e| e.checks[0].digest = Some(digest("ee"))),
            ("digest_differs", |e| {
                e.checks.push(Check { digest: Some(digest("ee")), ..check("github-actions") });
            }),
            ("digest_missing", |e| e.checks[0].digest = None),
            ("no_comment", |e| e.comments.clear()),
            ("comment_differs", |e| e.comments[0].marker.digest = Some(digest("ee"))),
            ("comment_differs", |e| e.comments[0].marker.digest = None),
            ("head_moved", |e| e.comments[0].marker.head = Some("dd".repeat(20).parse().unwrap())),
            ("head_unknown", |e| e.comments[0].marker.head = None),
            ("not_approved", |e| e.reviews.clear()),
            ("not_approved", |e| e.reviews[0].reviewer = "Ann".to_owned()),
            ("not_approved", |e| e.reviews[0].reviewer = "github-actions[bot]".to_owned()),
            ("not_approved", |e| e.reviews[0].may_write = false),
            ("not_approved", |e| e.reviews[0].commit = "dd".repeat(20)),
            ("not_approved", |e| e.comments[0].edited_at = e.reviews[0].at),
            ("not_approved", |e| e.reviews[0].reviewer = "Carol".to_owned()),
            ("not_approved", |e| e.reviews[0].is_bot = true),
            ("contributors_unknown", |e| e.contributors = None),
            ("several_comments", |e| e.comments.push(e.comments[0].clone())),
            ("not_approved", |e| {
                let at = e.reviews[0].at;
                e.comments.push(PlanComment { edited_at: at, ..e.comments[0].clone() });
            }),
            ("comment_edited", |e| e.comments[0].digest = digest("ed")),
            ("comment_edited", |e| e.checks[0].comment = None),
            // What somebody else's check says of it counts for nothing, and neither does that of another plan.
            ("comment_edited", |e| {
                e.checks[0].comment = None;
                e.checks.push(check("mallory"));
                e.checks.push(Check { digest: Some(digest("ee")), ..check("github-actions") });
            }),
            ("check_failed", |e| e.checks[0].conclusion = Some("failure".to_owned())),
            ("check_failed", |e| e.checks[0].conclusion = None),
            ("check_elsewhere", |e| e.checks[0].head = "dd".repeat(20)),
            ("other_branch", |e| e.pull_request.base_branch = Some("sandbox".to_owned())),
            ("other_branch", |e| e.pull_request.base_branch = None),
            ("other_branch", |e| e.pull_request.default_branch = None),
            ("base_moved", |e| e.base = BaseChange::TooMuch),
            ("base_unknown", |e| e.base = BaseChange::Unknown),
            // Nobody knows whose it is: then every approval may be the author's own.
            ("not_approved", |e| e.pull_request.author = None),
            ("changes_requested", |e| {
                e.reviews.push(Review { opinion: Opinion::RequestsChanges, ..approval("carl") });
            }),
            ("base_moved", |e| e.base = BaseChange::Files(vec!["arcflux.yaml".to_owned()])),
            ("base_moved", |e| e.base = BaseChange::Rewritten),
        ];
        for (code, edit) in table {
            let mut evidence = reviewed();
            edit(&mut evidence);
            let found: Vec<&str> = found(&evidence, "0f").iter().map(|one| one.code).collect();
            assert!(found.contains(&code), "{code}: {found:?}");
        }
        let moved: Vec<_> = found(&reviewed(), "ee").into_iter().map(|one| one.code).collect();
        assert_eq!(moved, ["digest_differs", "comment_differs", "comment_edited"]);
    }

    #[test]
    fn the_job_says_which_commit_and_branch_it_is_about() {
        let codes = |evidence: &Evidence, commit: Option<&str>, branch: Option<&str>| -> Vec<&'static str> {
            let digest = digest("0f");
            let intended = Intended { digest: &digest, check: CHECK, commit, branch };
            objections(evidence, intended).into_iter().map(|one| one.code).collect()
        };
        let (head, merge, other) = ("aa".repeat(20), "cc".repeat(20), "dd".repeat(20));
        let open = reviewed();
        assert_eq!(codes(&open, Some(&head), None), [""; 0]);
        assert_eq!(codes(&open, Some(&merge), None), ["other_commit"]);
        let mut merged = reviewed();
        (merged.pull_request.is_open, merged.pull_request.merged_as) = (false, Some(merge.clone()));
        assert_eq!(codes(&merged, Some(&merge.to_uppercase()), Some("main")), [""; 0]);
        assert_eq!(codes(&merged, Some(&head), None), [""; 0]);
        assert_eq!(codes(&merged, Some(&other), Some("main")), ["other_commit"]);
        assert_eq!(codes(&merged, Some(&merge), Some("release/1")), ["other_branch"]);
        // A job on another branch than the default one says which.
        merged.pull_request.base_branch = Some("release/1".to_owned());
        assert_eq!(codes(&merged, Some(&merge), Some("release/1")), [""; 0]);
        assert_eq!(codes(&merged, Some(&merge), None), ["other_branch"]);
    }

    #[test]
    fn an_objection_says_what_differs() {
        let mut evidence = reviewed();
        evidence.base = BaseChange::Files((0..9).map(|number| format!("specs/{number}.yaml")).collect());
        evidence.reviews[0].at = "2026-11-24T08:00:00Z".parse().unwrap();
        evidence.checks[0].digest = Some(digest("ee"));
        let said = found(&evidence, "0f").iter().map(ToString::to_string).collect::<Vec<_>>();
        let said = said.join("\n");
        for part in [
            &digest("ee").to_string(),
            &digest("0f").to_string(),
            "specs/4.yaml, and 4 more",
            "bob approved at 2026-11-24T08:00:00Z",
        ] {
            assert!(said.contains(part), "{part}: {said}");
        }
        assert!(!said.contains("specs/5.yaml"), "{said}");
    }

    #[test]
    fn names_of_files_and_people_are_told_on_one_line() {
        let mut evidence = reviewed();
        evidence.base = BaseChange::Files(vec!["a\n::error::b\u{1b}[2J".to_owned()]);
        let said = found(&evidence, "0f")[0].to_string();
        assert!(!said.contains(['\n', '\u{1b}']), "{said}");
    }
}
