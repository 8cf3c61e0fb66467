//! Whether what is about to be applied is what was reviewed: from the evidence, purely. Nothing a pull request can write
//! into its own files decides anything here.

use std::fmt;

use super::evidence::{BaseChange, Evidence, Opinion, Review};
use crate::model::{Digest, one_line};

/// How many names are told of a list.
const NAMED: usize = 5;

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

/// Everything that stands against applying the plan with this digest: empty when it was reviewed. `check` is what the
/// check run is called.
#[must_use]
pub fn objections(evidence: &Evidence, digest: &Digest, check: &str) -> Vec<Objection> {
    let mut found = Vec::new();
    let mut object = |code: &'static str, message: String| found.push(Objection { code, message: one_line(&message) });
    let Evidence { pull_request, me, comment, checks, reviews, base } = evidence;
    let number = pull_request.number;
    if !pull_request.is_open && pull_request.merged_as.is_none() {
        object("closed", format!("#{number} was closed without being merged"));
    }

    let from_us = checks.iter().filter(|run| is_app(me, &run.app)).collect::<Vec<_>>();
    match from_us.as_slice() {
        [] => object(
            "no_check",
            format!("the head of #{number}, {}, has no check run `{check}` of {me}", short(&pull_request.head)),
        ),
        runs => {
            for run in runs {
                match &run.digest {
                    Some(reviewed) if reviewed == digest => {}
                    Some(reviewed) => object(
                        "digest_differs",
                        format!(
                            "the plan is {digest} now, and the check run `{check}` on {} has {reviewed}",
                            short(&pull_request.head)
                        ),
                    ),
                    None => object(
                        "digest_missing",
                        format!("the check run `{check}` on {} carries no digest", short(&pull_request.head)),
                    ),
                }
            }
        }
    }

    match comment {
        None => object("no_comment", format!("#{number} has no comment of {me} with this plan")),
        Some(comment) => {
            if comment.marker.digest.as_ref() != Some(digest) {
                let shown = comment.marker.digest.as_ref().map_or("none".to_owned(), ToString::to_string);
                object("comment_differs", format!("the plan is {digest} now, and the comment shows {shown}"));
            }
            match &comment.marker.head {
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
        }
    }

    let edited_at = comment.as_ref().map(|comment| comment.edited_at);
    let is_other = |review: &&Review| {
        let is_author = pull_request.author.as_ref().is_none_or(|author| author.eq_ignore_ascii_case(&review.reviewer));
        !is_author && !review.reviewer.eq_ignore_ascii_case(me)
    };
    let mut shortcomings = Vec::new();
    let mut is_approved = false;
    for review in reviews.iter().filter(|review| review.opinion == Opinion::Approves) {
        let reviewer = &review.reviewer;
        if !is_other(&review) {
            shortcomings.push(format!("{reviewer} cannot approve their own"));
        } else if !review.may_write {
            shortcomings.push(format!("{reviewer} may not write to the repository"));
        } else if !review.commit.eq_ignore_ascii_case(&pull_request.head) {
            shortcomings.push(format!("{reviewer} approved {}", short(&review.commit)));
        } else if let Some(edited_at) = edited_at.filter(|edited_at| review.at <= *edited_at) {
            shortcomings.push(format!(
                "{reviewer} approved at {}, and the comment was edited at {edited_at}, after that",
                review.at
            ));
        } else {
            is_approved = true;
        }
    }
    if !is_approved {
        let head = short(&pull_request.head);
        let why = match shortcomings.as_slice() {
            [] => String::new(),
            some => format!(": {}", listed(some)),
        };
        object("not_approved", format!("nobody but the author has approved the plan on {head}{why}"));
    }
    let against: Vec<String> = reviews
        .iter()
        .filter(|review| review.opinion == Opinion::RequestsChanges && review.may_write)
        .map(|review| review.reviewer.clone())
        .collect();
    if !against.is_empty() {
        object("changes_requested", format!("changes are requested by {}", listed(&against)));
    }

    match base {
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
            format!(
                "the branch that #{number} is merged into has changed more files since the plan than can be compared"
            ),
        ),
        BaseChange::Rewritten => {
            object("base_moved", format!("the branch that #{number} is merged into was rewritten since the plan"));
        }
        BaseChange::Unknown => {
            object("base_unknown", "the comment does not say what the plan was compared with".to_owned());
        }
    }
    found
}

/// Whether the one that writes as `login` is the app with this short name: apps write as `NAME[bot]`.
fn is_app(login: &str, slug: &str) -> bool {
    login.strip_suffix("[bot]").is_some_and(|name| name.eq_ignore_ascii_case(slug))
}

/// A commit as people name it.
fn short(sha: &str) -> &str {
    sha.get(..12).unwrap_or(sha)
}

fn listed(names: &[String]) -> String {
    let mut shown: Vec<&str> = names.iter().take(NAMED).map(String::as_str).collect();
    let more = format!("and {} more", names.len().saturating_sub(NAMED));
    if names.len() > NAMED {
        shown.push(&more);
    }
    shown.join(", ")
}

#[cfg(test)]
mod tests {
    use super::super::evidence::{Check, PlanComment};
    use super::super::forge::PullRequest;
    use super::*;
    use crate::model::Marker;

    const CHECK: &str = "arcflux/plan (prod)";

    fn digest(byte: &str) -> Digest {
        format!("sha256:{}", byte.repeat(32)).parse().unwrap()
    }

    fn approval(reviewer: &str) -> Review {
        Review {
            reviewer: reviewer.to_owned(),
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
                merged_as: None,
            },
            me: "github-actions[bot]".to_owned(),
            comment: Some(PlanComment { marker, edited_at: "2026-11-24T09:00:00Z".parse().unwrap() }),
            checks: vec![Check { app: "github-actions".to_owned(), digest: Some(digest("0f")) }],
            reviews: vec![approval("bob")],
            base: BaseChange::Files(Vec::new()),
        }
    }

    #[test]
    fn nothing_stands_against_what_was_reviewed() {
        assert_eq!(objections(&reviewed(), &digest("0f"), CHECK), []);
        let mut merged = reviewed();
        (merged.pull_request.is_open, merged.pull_request.merged_as) = (false, Some("cc".repeat(20)));
        assert_eq!(objections(&merged, &digest("0f"), CHECK), []);
        // The checks of others are no concern of ours, and neither is what they say of themselves.
        let mut busy = reviewed();
        busy.checks.push(Check { app: "mallory".to_owned(), digest: Some(digest("ee")) });
        busy.reviews.push(Review { opinion: Opinion::RequestsChanges, may_write: false, ..approval("passer-by") });
        busy.reviews.push(Review { opinion: Opinion::Dismissed, ..approval("carl") });
        assert_eq!(objections(&busy, &digest("0f"), CHECK), []);
    }

    #[test]
    fn whatever_differs_stands_against_it() {
        type Edit = fn(&mut Evidence);
        let table: [(&str, Edit); 22] = [
            ("closed", |e| e.pull_request.is_open = false),
            ("no_check", |e| e.checks.clear()),
            ("no_check", |e| e.checks[0].app = "mallory".to_owned()),
            // A person's token is no app's: whoever can push can make such a check.
            ("no_check", |e| e.me = "github-actions".to_owned()),
            ("digest_differs", |e| e.checks[0].digest = Some(digest("ee"))),
            ("digest_differs", |e| {
                e.checks.push(Check { app: "github-actions".to_owned(), digest: Some(digest("ee")) });
            }),
            ("digest_missing", |e| e.checks[0].digest = None),
            ("no_comment", |e| e.comment = None),
            ("comment_differs", |e| e.comment.as_mut().unwrap().marker.digest = Some(digest("ee"))),
            ("comment_differs", |e| e.comment.as_mut().unwrap().marker.digest = None),
            ("head_moved", |e| e.comment.as_mut().unwrap().marker.head = Some("dd".repeat(20).parse().unwrap())),
            ("head_unknown", |e| e.comment.as_mut().unwrap().marker.head = None),
            ("not_approved", |e| e.reviews.clear()),
            ("not_approved", |e| e.reviews[0].reviewer = "Ann".to_owned()),
            ("not_approved", |e| e.reviews[0].reviewer = "github-actions[bot]".to_owned()),
            ("not_approved", |e| e.reviews[0].may_write = false),
            ("not_approved", |e| e.reviews[0].commit = "dd".repeat(20)),
            ("not_approved", |e| e.comment.as_mut().unwrap().edited_at = e.reviews[0].at),
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
            let found: Vec<&str> = objections(&evidence, &digest("0f"), CHECK).iter().map(|one| one.code).collect();
            assert!(found.contains(&code), "{code}: {found:?}");
        }
        let moved: Vec<_> = objections(&reviewed(), &digest("ee"), CHECK).into_iter().map(|one| one.code).collect();
        assert_eq!(moved, ["digest_differs", "comment_differs"]);
    }

    #[test]
    fn an_objection_says_what_differs() {
        let mut evidence = reviewed();
        evidence.base = BaseChange::Files((0..9).map(|number| format!("specs/{number}.yaml")).collect());
        evidence.reviews[0].at = "2026-11-24T08:00:00Z".parse().unwrap();
        evidence.checks[0].digest = Some(digest("ee"));
        let said = objections(&evidence, &digest("0f"), CHECK).iter().map(ToString::to_string).collect::<Vec<_>>();
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
        let said = objections(&evidence, &digest("0f"), CHECK)[0].to_string();
        assert!(!said.contains(['\n', '\u{1b}']), "{said}");
    }
}
