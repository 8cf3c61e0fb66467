//! Whether somebody approved who may: whose an approval is, of which commit, and when. Pure.

use super::evidence::{Evidence, Opinion, Review};
use super::gate::{listed, short};

/// What stands against applying by the reviews.
pub(super) fn of_reviews(evidence: &Evidence, object: &mut impl FnMut(&'static str, String)) {
    let Evidence { pull_request, contributors, reviews, .. } = evidence;
    let number = pull_request.number;
    if contributors.is_none() {
        object(
            "contributors_unknown",
            format!("whose the commits of #{number} are is not known of its head, or not of all of them"),
        );
    }
    let approvals = reviews.iter().filter(|review| review.opinion == Opinion::Approves);
    let judged: Vec<Option<String>> = approvals.map(|review| shortcoming(review, evidence)).collect();
    if !judged.contains(&None) {
        let shortcomings: Vec<String> = judged.into_iter().flatten().collect();
        let why = match shortcomings.as_slice() {
            [] => String::new(),
            some => format!(": {}", listed(some)),
        };
        let head = short(&pull_request.head);
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
}

/// Why an approval does not count, if it does not.
fn shortcoming(review: &Review, evidence: &Evidence) -> Option<String> {
    let Evidence { pull_request, me, comments, contributors, .. } = evidence;
    let reviewer = &review.reviewer;
    let is_reviewer = |login: &String| login.eq_ignore_ascii_case(reviewer);
    let edited_at = comments.iter().map(|comment| comment.edited_at).max();
    if review.is_bot || is_reviewer(me) {
        Some(format!("{reviewer} is a program"))
    } else if pull_request.author.as_ref().is_none_or(is_reviewer) {
        Some(format!("{reviewer} cannot approve their own"))
    } else if contributors.iter().flatten().any(is_reviewer) {
        Some(format!("{reviewer} wrote or committed a part of it"))
    } else if !review.may_write {
        Some(format!("{reviewer} may not write to the repository"))
    } else if !review.commit.eq_ignore_ascii_case(&pull_request.head) {
        Some(format!("{reviewer} approved {}", short(&review.commit)))
    } else {
        edited_at.filter(|edited_at| review.at <= *edited_at).map(|edited_at| {
            format!("{reviewer} approved at {}, and the comment was edited at {edited_at}, after that", review.at)
        })
    }
}
