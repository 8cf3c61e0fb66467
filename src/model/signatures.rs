//! Values that sign a URL, wherever a text holds one: whoever has them has what the URL leads to.

use std::ops::Range;

use super::without_accounts;

/// What stands in place of such a value.
const MASK: &str = "***";

/// Query parameters that sign, or that let in: of storage (`sig`), of ARM's asynchronous operations (`t`, `c`, `s`, `h`,
/// `../shared/facts/arm-contracts.md` §7.4), of AWS, of Google, of sign-ins, and of services of all kinds. In lower case.
const SIGNING: &[&str] = &[
    "sig",
    "signature",
    "t",
    "c",
    "s",
    "h",
    "x-amz-signature",
    "x-amz-credential",
    "x-amz-security-token",
    "x-goog-signature",
    "x-goog-credential",
    "token",
    "access_token",
    "id_token",
    "refresh_token",
    "sas_token",
    "private_token",
    "auth",
    "authorization",
    "code",
    "key",
    "api_key",
    "api-key",
    "apikey",
    "subscription-key",
    "secret",
    "client_secret",
    "password",
    "pwd",
];

/// `text` with the values masked that sign the URLs in it.
#[must_use]
pub fn without_signatures(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut at = 0;
    for Range { start, end } in signatures(text) {
        shown.push_str(&text[at..start]);
        shown.push_str(MASK);
        at = end;
    }
    shown.push_str(&text[at..]);
    shown
}

/// `text`, which somebody else wrote, without accounts and signatures in its URLs.
#[must_use]
pub fn without_url_secrets(text: &str) -> String {
    without_signatures(&without_accounts(text))
}

/// Where the values stand, in order.
fn signatures(text: &str) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    for (scheme_end, _) in text.match_indices("://") {
        let url_end = end_of_url(text, scheme_end);
        let Some(query) = text[scheme_end..url_end].find(['?', '#']) else { continue };
        let mut at = scheme_end + query + 1;
        // A URL in the query of another one was gone through with it.
        if found.last().is_some_and(|last| at <= last.end) {
            continue;
        }
        while at < url_end {
            let (length, separator) = end_of_pair(&text[at..url_end]);
            let pair = &text[at..at + length];
            if let Some((name, value)) = pair.split_once('=') {
                // HTML writes an ampersand as `&amp;`, which ends with one of the separators.
                if SIGNING.iter().any(|signing| signing.eq_ignore_ascii_case(name)) && !value.is_empty() {
                    let start = at + name.len() + 1;
                    found.push(start..start + value.len());
                }
            }
            at += length + separator;
        }
    }
    found.sort_by_key(|range| range.start);
    found.dedup_by(|later, earlier| later.start < earlier.end);
    found
}

/// An ampersand as JSON may have it.
const ESCAPED_AMPERSAND: &str = "\\u0026";

/// How long the first pair of a query is, and what separates it from the next.
fn end_of_pair(query: &str) -> (usize, usize) {
    let plain = query.find(['&', ';', '?', '#']).map(|at| (at, 1));
    let escaped = query.find(ESCAPED_AMPERSAND).map(|at| (at, ESCAPED_AMPERSAND.len()));
    plain.into_iter().chain(escaped).min().unwrap_or((query.len(), 0))
}

/// Where a URL in a text ends: at what cannot stand in one.
fn end_of_url(text: &str, scheme_end: usize) -> usize {
    let url = &text[scheme_end..];
    let ends = |(at, character): &(usize, char)| {
        character.is_whitespace()
            || character.is_control()
            || ['"', '<', '>', '`', ')', ']', '}'].contains(character)
            || (*character == '\\' && !url[*at..].starts_with(ESCAPED_AMPERSAND))
    };
    url.char_indices().find(ends).map_or(text.len(), |(length, _)| scheme_end + length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_signs_a_url_is_masked_and_nothing_else() {
        for (text, shown) in [
            (
                "see https://x.blob.core.windows.net/a?sv=2024&se=2026-01-01&sp=r&sig=AbC%2B%3D for more",
                "see https://x.blob.core.windows.net/a?sv=2024&se=2026-01-01&sp=r&sig=*** for more",
            ),
            (
                "https://management.azure.com/x/operationStatuses/7?api-version=2025-04-01&t=63&c=MIIH&s=Sig&h=Hash",
                "https://management.azure.com/x/operationStatuses/7?api-version=2025-04-01&t=***&c=***&s=***&h=***",
            ),
            ("\"https://a/x?SIG=one\"; (https://b/y?token=two)", "\"https://a/x?SIG=***\"; (https://b/y?token=***)"),
            ("https://a/x?X-Amz-Expires=60&X-Amz-Signature=ff", "https://a/x?X-Amz-Expires=60&X-Amz-Signature=***"),
            ("https://a/x#access_token=one", "https://a/x#access_token=***"),
            ("https://a/x?v=1&amp;sig=one", "https://a/x?v=1&amp;sig=***"),
            (r"https://a/x?v=1\u0026sig=one", r"https://a/x?v=1\u0026sig=***"),
            ("https://a/x?sig=one?sig=two", "https://a/x?sig=***?sig=***"),
            ("https://a/x?next=https://b/y?sig=one", "https://a/x?next=https://b/y?sig=***"),
        ] {
            assert_eq!(without_signatures(text), shown);
        }
        for text in [
            "https://a/x?api-version=1&sp=r",
            "sig=one",
            "https://a/x?sig=",
            "https://a/x",
            "://",
            "a=b&sig",
            "",
            "ü://é?ö=ä",
        ] {
            assert_eq!(without_signatures(text), text);
        }
    }
}
