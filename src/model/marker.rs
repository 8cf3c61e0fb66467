//! The hidden first line of a comment: what a program needs to find the comment again, and to know which plan it shows.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use super::{CommitId, Digest, Target};

/// What the first line of a comment says to programs. It binds nothing: whoever may edit a comment may edit it, too.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Marker {
    /// What the plan is for: a pull request has one comment for each target.
    pub target: Target,
    /// The digest of the plan; absent where no plan could be made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
    /// The digest of the spec in its long form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spec: Option<Digest>,
    /// The commit that was planned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<CommitId>,
    /// The commit that it is to be merged into.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<CommitId>,
    /// Whether the comment does not show the whole plan, for want of room.
    pub truncated: bool,
    /// Whether the comment asks for nothing any more: nothing would change, it was applied, or another took its place.
    pub closed: bool,
}

const START: &str = "<!-- arcflux:plan:v1 ";
const END: &str = " -->";

impl Marker {
    /// The line, without a line feed: an HTML comment that holds JSON. Whatever the values are, it is one line of ASCII
    /// that neither ends the comment early (`-->`, `--!>`) nor holds a mention, a reference or a link.
    #[must_use]
    pub fn render(&self) -> String {
        // Strings, booleans and their names are all there is: nothing of that can fail.
        let json = serde_json::to_string(self).unwrap_or_default();
        let mut out = START.to_owned();
        for character in json.chars() {
            match character {
                'a'..='z' | 'A'..='Z' | '0'..='9' | '{' | '}' | '"' | ':' | ',' | '.' | '/' | '_' | ' ' | '\\' => {
                    out.push(character);
                }
                '-' if !out.ends_with('-') => out.push('-'),
                // All of these stand within strings, where JSON takes an escape for every character.
                other => {
                    let mut units = [0; 2];
                    for unit in other.encode_utf16(&mut units) {
                        // Writing into a String cannot fail.
                        let _ = write!(out, "\\u{unit:04x}");
                    }
                }
            }
        }
        out.push_str(END);
        out
    }

    /// Reads such a line. Only what [`Marker::render`] writes is taken: no other order, spelling or key.
    #[must_use]
    pub fn parse(line: &str) -> Option<Self> {
        let json = line.strip_prefix(START)?.strip_suffix(END)?;
        let marker: Self = serde_json::from_str(json).ok()?;
        (marker.render() == line).then_some(marker)
    }

    /// Whether another comment took the place of this one: it asks for nothing, and is about no plan.
    #[must_use]
    pub fn is_superseded(&self) -> bool {
        self.closed && self.digest.is_none()
    }

    /// The marker of a comment with this text, whichever line ends its forge gives it.
    #[must_use]
    pub fn of_comment(text: &str) -> Option<Self> {
        text.lines().next().and_then(Self::parse)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn marker(target: &str) -> Marker {
        Marker { target: target.parse().unwrap(), ..Marker::default() }
    }

    #[test]
    fn the_line_is_as_documented() {
        let digest: Digest = format!("sha256:{}", "0f".repeat(32)).parse().unwrap();
        let marker = Marker {
            digest: Some(digest),
            head: Some("ab".repeat(20).parse().unwrap()),
            truncated: true,
            ..marker("specs/stores-eu.yaml")
        };
        assert_eq!(
            marker.render(),
            format!(
                r#"<!-- arcflux:plan:v1 {{"target":"specs/stores-eu.yaml","digest":"sha256:{}","head":"{}","truncated":true,"closed":false}} -->"#,
                "0f".repeat(32),
                "ab".repeat(20)
            )
        );
        assert_eq!(Marker::of_comment(&format!("{}\r\nmore", marker.render())), Some(marker));
    }

    #[test]
    fn nothing_ends_the_comment_early() {
        for hostile in ["-->", "--!>", "<!--", "a--b", "----", "x\"}-->", "@team #1 <img>", "\u{10ffff}é`"] {
            let line = marker(hostile).render();
            assert_eq!(Marker::parse(&line), Some(marker(hostile)), "{line}");
            let inner = line.strip_prefix("<!--").and_then(|rest| rest.strip_suffix("-->")).unwrap();
            assert!(!inner.contains("--") && !inner.contains(['<', '>', '@', '#', '`', '\n']), "{line}");
        }
    }

    #[test]
    fn only_its_own_form_is_read() {
        let line = marker("prod").render();
        for other in [
            "".to_owned(),
            "<!-- arcflux:plan:v1 -->".to_owned(),
            format!(" {line}"),
            format!("{line} "),
            line.replace("v1", "v2"),
            line.replace("{", "{ "),
            line.replace("\"closed\":false", "\"closed\":false,\"more\":1"),
            line.replace("\"closed\":false", "\"closed\":false,\"closed\":false"),
            line.replace("\"closed\":false", "\"closed\":null"),
            line.replace("prod", "pr\\u006fd"),
            line.replace("prod", ""),
        ] {
            assert_eq!(Marker::parse(&other), None, "{other}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(
            target in "\\PC{1,100}",
            digest in proptest::option::of("[0-9a-f]{64}"),
            commits in proptest::collection::vec(proptest::option::of("[0-9a-f]{40}|[0-9a-f]{64}"), 2),
            flags in any::<(bool, bool)>(),
        ) {
            let Ok(target) = target.trim().parse::<Target>() else { return Ok(()) };
            let commit = |at: usize| commits[at].as_ref().map(|text| text.parse().unwrap());
            let digest = digest.map(|hex| format!("sha256:{hex}").parse::<Digest>().unwrap());
            let marker = Marker {
                target, digest: digest.clone(), spec: digest, head: commit(0), base: commit(1),
                truncated: flags.0, closed: flags.1,
            };
            let line = marker.render();
            prop_assert!(line.is_ascii() && !line.contains('\n'));
            prop_assert_eq!(Marker::parse(&line), Some(marker));
        }

        #[test]
        fn no_line_is_too_odd_to_be_refused(line in "(<!-- arcflux:plan:v1 )?.{0,80}( -->)?") {
            let _ = Marker::parse(&line);
        }
    }
}
