//! What a git server answers to somebody who asks for its references (`git-http-protocol`, "Smart Server Response").

use std::collections::BTreeSet;

/// The query of a client that wants to fetch.
pub(super) const DISCOVERY: &str = "/info/refs?service=git-upload-pack";

/// The media type of the answer.
pub(super) const ADVERTISEMENT: &str = "application/x-git-upload-pack-advertisement";

/// The names of the references in an advertisement; `None` when it is none.
pub(super) fn references(body: &[u8]) -> Option<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    let mut rest = body;
    while !rest.is_empty() {
        let length = std::str::from_utf8(rest.get(..4)?).ok()?;
        let length = usize::from_str_radix(length, 16).ok()?;
        // 0000 ends a section; 1 to 3 are other marks.
        let (line, after) =
            if length < 4 { (&[][..], rest.get(4..)?) } else { (rest.get(4..length)?, rest.get(length..)?) };
        rest = after;
        // The first reference is followed by what the server can do.
        let line = line.split(|byte| *byte == 0).next().unwrap_or_default();
        let text = String::from_utf8_lossy(line);
        if let Some((_, name)) = text.trim_end().split_once(' ')
            && !text.starts_with('#')
        {
            names.insert(name.to_owned());
        }
    }
    Some(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> String {
        format!("{:04x}{text}", text.len() + 4)
    }

    #[test]
    fn references_are_read_from_an_advertisement() {
        let commit = "5f0c1d2e3b4a59687766554433221100ffeeddcc";
        let body = [
            line("# service=git-upload-pack\n"),
            "0000".to_owned(),
            line(&format!("{commit} HEAD\0multi_ack symref=HEAD:refs/heads/main\n")),
            line(&format!("{commit} refs/heads/main\n")),
            line(&format!("{commit} refs/tags/v1.0.0")),
            "0000".to_owned(),
        ]
        .concat();
        let names = references(body.as_bytes()).unwrap();
        assert_eq!(Vec::from_iter(names), ["HEAD", "refs/heads/main", "refs/tags/v1.0.0"]);
        for other in ["<html>", "zzzz", "00ffshort", "000"] {
            assert_eq!(references(other.as_bytes()), None, "{other}");
        }
        assert_eq!(references(b""), Some(BTreeSet::new()));
    }
}
