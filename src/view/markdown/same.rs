//! Whether two comments say the same of the same plan, whichever run wrote them.

/// How the parts of a comment begin that tell of the run that wrote it. No value can be written so.
const OF_A_RUN: [&str; 4] = [
    "Live state read at `",
    "[Run](<",
    "[Whole plan](<",
    "**Not everything has room in a comment: see the [whole plan](<",
];

/// Whether two comments differ in nothing but which run wrote them and when it read the live state: in digits, in those
/// parts of it. An address on another server is another address, and everything else, down to the
/// marker in the first line, must be the same: nobody can hide a change of a comment in what is set aside.
#[must_use]
pub fn says_the_same(one: &str, other: &str) -> bool {
    let (one, other): (Vec<&str>, Vec<&str>) = (one.trim_end().lines().collect(), other.trim_end().lines().collect());
    one.len() == other.len() && one.iter().zip(&other).all(|(one, other)| is_same_line(one, other))
}

fn is_same_line(one: &str, other: &str) -> bool {
    let (one, other): (Vec<&str>, Vec<&str>) = (one.split(" · ").collect(), other.split(" · ").collect());
    one.len() == other.len() && one.iter().zip(&other).all(|(one, other)| is_same_part(one, other))
}

fn is_same_part(one: &str, other: &str) -> bool {
    let is_of_a_run = OF_A_RUN.iter().any(|label| one.starts_with(label) && other.starts_with(label));
    one == other || is_of_a_run && without_digits(one) == without_digits(other)
}

/// The text with one mark for each run of digits.
fn without_digits(text: &str) -> String {
    let mut out = String::new();
    for character in text.chars() {
        let shown = if character.is_ascii_digit() { '0' } else { character };
        if shown != '0' || !out.ends_with('0') {
            out.push(shown);
        }
    }
    out
}
