//! The `Link` header (RFC 8288 §3), in which GitHub and GitLab name the next page of a list. What is not of its grammar is
//! an error: a page that is overlooked may be the one with the objection.

use ::http::HeaderMap;
use ::http::header::LINK;

/// A header that cannot be read, or names more than one next page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BadLink;

/// What the links of an answer name as the next page.
pub(super) fn next_page(headers: &HeaderMap) -> Result<Option<String>, BadLink> {
    let mut next = None;
    for value in headers.get_all(LINK) {
        let mut rest = value.to_str().map_err(|_| BadLink)?;
        loop {
            // A list may have empty members (RFC 9110 §5.6.1).
            rest = rest.trim_start_matches([' ', '\t', ',']);
            if rest.is_empty() {
                break;
            }
            let (target, is_next, after) = link_value(rest).ok_or(BadLink)?;
            if is_next && next.replace(target).is_some_and(|earlier| earlier != target) {
                return Err(BadLink);
            }
            rest = after;
        }
    }
    Ok(next.map(str::to_owned))
}

/// One link: its target, whether it is the next page, and what comes after it.
fn link_value(text: &str) -> Option<(&str, bool, &str)> {
    let (target, mut rest) = text.strip_prefix('<')?.split_once('>')?;
    if target.contains(['<', '"', ' ', '\t']) {
        return None;
    }
    let mut relation: Option<String> = None;
    loop {
        rest = white_space(rest);
        if rest.is_empty() || rest.starts_with(',') {
            let is_next = relation.is_some_and(|types| types.split(' ').any(|one| one.eq_ignore_ascii_case("next")));
            return Some((target, is_next, rest));
        }
        rest = white_space(rest.strip_prefix(';')?);
        if rest.is_empty() || rest.starts_with([';', ',']) {
            continue;
        }
        let (name, after) = token(rest)?;
        rest = white_space(after);
        let mut value = String::new();
        if let Some(given) = rest.strip_prefix('=') {
            (value, rest) = parameter_value(white_space(given))?;
        }
        // Of several, the first one counts.
        if name.eq_ignore_ascii_case("rel") && relation.is_none() {
            relation = Some(value);
        }
    }
}

/// A token, or a string in quotes.
fn parameter_value(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else { return token(text).map(|(value, rest)| (value.to_owned(), rest)) };
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((value, &quoted[at + 1..])),
            '\\' => value.push(characters.next()?.1),
            other => value.push(other),
        }
    }
    None
}

/// A token (RFC 9110 §5.6.2).
fn token(text: &str) -> Option<(&str, &str)> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    let end = text.find(|c| !is_part(c)).unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}

fn white_space(text: &str) -> &str {
    text.trim_start_matches([' ', '\t'])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(links: &[&str]) -> Result<Option<String>, BadLink> {
        let mut headers = HeaderMap::new();
        for link in links {
            headers.append(LINK, link.parse().unwrap());
        }
        next_page(&headers)
    }

    #[test]
    fn the_next_page_is_the_one_that_says_so() {
        let all =
            r#"<https://a/1?page=1>; rel="prev", <https://a/1?page=3>; rel="next", <https://a/1?page=9>; rel="last""#;
        for (links, expected) in [
            (&[all][..], Some("https://a/1?page=3")),
            (&["<https://a/2>;rel=next"], Some("https://a/2")),
            (&["<https://a/2>; rel=\"next last\""], Some("https://a/2")),
            (&["<https://a/2>; rel=\"last next\" "], Some("https://a/2")),
            (&["<https://a/2>; REL = NEXT ;title=\"x, \\\"<b>; rel=prev\"; hidden"], Some("https://a/2")),
            (&["<https://a/?list=1,2>; rel=\"next\""], Some("https://a/?list=1,2")),
            (&["<https://a/?a;b=>; rel=last, <https://a/?list=1,2>; rel=next"], Some("https://a/?list=1,2")),
            (&["<https://a/1>; rel=\"prev\"", "<https://a/3>; rel=\"next\""], Some("https://a/3")),
            (&["<https://a/2>; rel=next", "<https://a/2>; rel=next"], Some("https://a/2")),
            (&["<https://a/1>; rel=last; rel=next"], None),
            (&["<https://a/1>; rel=\"nextish\""], None),
            (&["<https://a/1>; title=\"rel=next\"", ", ,"], None),
            (&[""], None),
            (&[], None),
        ] {
            assert_eq!(next(links), Ok(expected.map(str::to_owned)), "{links:?}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_not_passed_over() {
        for links in [
            &["https://a; rel=next"][..],
            &["<https://a"],
            &["<https://a>; rel=\"next"],
            &["<https://a>; rel="],
            &["<https://a> rel=next"],
            &["<https://a>; rel=next <https://b>"],
            &["<https://a b>; rel=next"],
            &["<https://a/1>; rel=next, <https://a/2>; rel=next"],
            &["<https://a/1>; rel=next", "<https://a/2>; rel=next"],
            &["<https://a/1>; rel=last", "nonsense"],
        ] {
            assert_eq!(next(links), Err(BadLink), "{links:?}");
        }
        let mut headers = HeaderMap::new();
        headers.insert(LINK, ::http::HeaderValue::from_bytes(b"<https://a/\xe9>; rel=next").unwrap());
        assert_eq!(next_page(&headers), Err(BadLink));
    }
}
