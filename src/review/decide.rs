//! What to do about the comment, from the comments that are there. Pure.

use serde_json::Value;

use super::forge::{Comment, CommentId};
use crate::model::Digest;

/// What is wanted.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// The text.
    pub body: &'a str,
    /// What an older comment of ours becomes that this one stands for. Its first line must be no marker that is looked for, so
    /// that it is not found again. Not the forge's own way of hiding a comment: GitHub's lists do not tell what is hidden,
    /// and the others have no such way; this is one request on each, can be seen to be done, and edits keep the old text.
    pub superseded: &'a str,
    /// Whether a comment is made where there is none: "no changes" is not worth one.
    pub create: bool,
    /// Whether a comment with the first text need not become the second, because they differ only in which run wrote them:
    /// an edit takes the approvals of a comment away. Line ends and white space at the end are set aside before.
    pub is_same: fn(&str, &str) -> bool,
}

/// What to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Write {
    /// Nothing: the comment says that already, or there is none and none is needed.
    Nothing,
    /// A new comment.
    Create,
    /// The text into this one.
    Update(CommentId),
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// What to write.
    pub write: Write,
    /// The text that is left where nothing is written.
    pub left: Option<String>,
    /// Older comments of ours that the newest one stands for.
    pub fold: Vec<CommentId>,
    /// Who else has written comments that begin with our marker. They are left alone, and must not be believed.
    pub impostors: Vec<String>,
}

/// Decides. Ours is a comment whose first line `is_marker` recognises and that `me` wrote: anybody can write a marker. Of
/// several, the newest one is kept. What is `gone` was deleted since the comments were listed.
#[must_use]
pub fn decide(
    seen: &[Comment],
    me: &str,
    is_marker: impl Fn(&str) -> bool,
    gone: &[CommentId],
    wanted: Wanted<'_>,
) -> Decision {
    let marked = |comment: &&Comment| is_marker(comment.body.lines().next().unwrap_or_default());
    let (mut ours, theirs): (Vec<&Comment>, Vec<&Comment>) = seen
        .iter()
        .filter(marked)
        .filter(|comment| !gone.contains(&comment.id))
        .partition(|comment| !me.is_empty() && comment.author.eq_ignore_ascii_case(me));
    ours.sort_by_key(|comment| comment.id);
    let newest = ours.pop();
    let write = match newest {
        None if wanted.create => Write::Create,
        Some(comment) if !stays(&comment.body, wanted) => Write::Update(comment.id),
        None | Some(_) => Write::Nothing,
    };
    Decision {
        write,
        left: newest.filter(|_| write == Write::Nothing).map(|comment| comment.body.clone()),
        fold: ours.iter().map(|comment| comment.id).collect(),
        impostors: theirs.iter().map(|comment| comment.author.clone()).collect(),
    }
}

/// Whether a comment with this text says what is wanted. Forges may change line ends, and trim.
fn stays(body: &str, wanted: Wanted<'_>) -> bool {
    let plain = |text: &str| text.trim_end().lines().collect::<Vec<_>>().join("\n");
    let (body, wanted_body) = (plain(body), plain(wanted.body));
    body == wanted_body || (wanted.is_same)(&body, &wanted_body)
}

/// What tells the text of a comment from every other: the same for two texts that differ only in what forges may change.
#[must_use]
pub fn comment_digest(body: &str) -> Digest {
    Digest::of(&body.trim_end().lines().collect::<Value>())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ME: &str = "github-actions[bot]";
    const MARKER: &str = "<!-- m prod -->";

    fn comment(id: u64, author: &str, body: &str) -> Comment {
        Comment {
            id: CommentId { thread: 0, comment: id },
            author: author.to_owned(),
            body: body.to_owned(),
            edited_at: None,
        }
    }

    fn wanted(body: &str) -> Wanted<'_> {
        Wanted { body, superseded: "", create: true, is_same: |_, _| false }
    }

    fn decided(seen: &[Comment], gone: &[u64], create: bool) -> (Write, Vec<u64>, usize) {
        let gone: Vec<CommentId> = gone.iter().map(|id| CommentId { thread: 0, comment: *id }).collect();
        let body = "<!-- m prod -->\nnew\n";
        let decision = decide(seen, ME, |line| line == MARKER, &gone, Wanted { create, ..wanted(body) });
        (decision.write, decision.fold.iter().map(|id| id.comment).collect(), decision.impostors.len())
    }

    #[test]
    fn the_table() {
        let update = |id| Write::Update(CommentId { thread: 0, comment: id });
        let old = "<!-- m prod -->\nold";
        let new = "<!-- m prod -->\nnew";
        for (what, seen, create, expected) in [
            ("nothing there", vec![], true, (Write::Create, vec![], 0)),
            ("nothing there, and nothing to say", vec![], false, (Write::Nothing, vec![], 0)),
            ("ours, older text", vec![comment(1, ME, old)], true, (update(1), vec![], 0)),
            ("ours, older text, nothing to say", vec![comment(1, ME, old)], false, (update(1), vec![], 0)),
            ("ours, same text", vec![comment(1, ME, new)], true, (Write::Nothing, vec![], 0)),
            (
                "ours, same text, other line ends",
                vec![comment(1, ME, &new.replace('\n', "\r\n"))],
                true,
                (Write::Nothing, vec![], 0),
            ),
            ("another's marker", vec![comment(1, "mallory", old)], true, (Write::Create, vec![], 1)),
            ("another's marker, same text", vec![comment(1, "mallory", new)], true, (Write::Create, vec![], 1)),
            ("nobody's marker", vec![comment(1, "", old)], true, (Write::Create, vec![], 1)),
            ("another target", vec![comment(1, ME, "<!-- m dev -->\nold")], true, (Write::Create, vec![], 0)),
            ("a quoted marker", vec![comment(1, ME, &format!("> {MARKER}\nwhy?"))], true, (Write::Create, vec![], 0)),
            ("a later marker", vec![comment(1, ME, &format!("see:\n{MARKER}"))], true, (Write::Create, vec![], 0)),
            ("superseded", vec![comment(1, ME, "<!-- m superseded -->")], true, (Write::Create, vec![], 0)),
            (
                "duplicates, in any order",
                vec![comment(30, ME, old), comment(4, ME, old), comment(200, ME, old)],
                true,
                (update(200), vec![4, 30], 0),
            ),
            (
                "duplicates, the newest with that text",
                vec![comment(1, ME, new), comment(2, ME, new)],
                true,
                (Write::Nothing, vec![1], 0),
            ),
        ] {
            assert_eq!(decided(&seen, &[], create), expected, "{what}");
        }
        let seen = [comment(1, ME, old), comment(2, ME, old)];
        assert_eq!(decided(&seen, &[2], true), (update(1), vec![], 0));
        assert_eq!(decided(&seen, &[1, 2], true), (Write::Create, vec![], 0));
        assert_eq!(decided(&seen, &[1, 2], false), (Write::Nothing, vec![], 0));
    }

    #[test]
    fn who_is_nobody_owns_nothing() {
        let seen = [comment(1, "", MARKER)];
        let decision = decide(&seen, "", |line| line == MARKER, &[], wanted("new"));
        assert_eq!((decision.write, decision.fold.len(), decision.impostors.len()), (Write::Create, 0, 1));
    }
}
