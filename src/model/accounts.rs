//! User names and passwords inside URLs, wherever a text holds one.

use std::ops::Range;

/// What stands in place of an account.
const MASK: &str = "***";

/// Where accounts stand in the URLs of `text`. A user name alone, as in `ssh://git@host`, is no secret; over https a
/// token can stand in its place.
#[must_use]
pub fn accounts(text: &str) -> Vec<Range<usize>> {
    text.match_indices("://").filter_map(|(at, _)| account(text, at)).collect()
}

fn account(text: &str, scheme_end: usize) -> Option<Range<usize>> {
    let start = scheme_end + "://".len();
    let rest = text[start..].split(['\r', '\n']).next()?;
    let authority = rest.split(['/', '?', '#', ' ', '\t', '"', '\'', '<', '>']).next()?;
    let end = match authority.rfind('@') {
        Some(end) => end,
        // What follows the colon is no port: a password with a character that ends the authority for machines.
        None if authority.split_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_err()) => rest.rfind('@')?,
        None => return None,
    };
    let account = &rest[..end];
    let is_user_of_ssh = text[..scheme_end].ends_with("ssh") && !account.contains(':');
    (!is_user_of_ssh && !account.is_empty()).then(|| start..start + end)
}

/// `text` with every account in its URLs masked.
#[must_use]
pub fn without_accounts(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut at = 0;
    for Range { start, end } in accounts(text) {
        // A URL inside the account of another one is gone with it.
        if start >= at {
            shown.push_str(&text[at..start]);
            shown.push_str(MASK);
            at = end;
        }
    }
    shown.push_str(&text[at..]);
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_are_masked_and_nothing_else() {
        for (text, shown) in [
            ("https://user:pa@github.com/x", "https://***@github.com/x"),
            ("https://token@github.com/x", "https://***@github.com/x"),
            ("ssh://git:pa@host/x", "ssh://***@host/x"),
            ("clone 'https://u:p@h/x': no, https://v@h", "clone 'https://***@h/x': no, https://***@h"),
            ("https://user:pa/ss@github.com/x", "https://***@github.com/x"),
            ("https://user:p w@github.com/x", "https://***@github.com/x"),
            ("https://user:p#?w@github.com/x\nb@c", "https://***@github.com/x\nb@c"),
            ("https://a:b://c:d@e", "https://***@e"),
            ("https://ü:p@h", "https://***@h"),
        ] {
            assert_eq!(without_accounts(text), shown);
        }
        for text in [
            "ssh://git@host/x",
            "https://host:8443/a@b",
            "https://host/path/@scope/name",
            "https://host",
            "://",
            "https://",
            "a@b",
            "",
        ] {
            assert_eq!(without_accounts(text), text);
        }
    }
}
