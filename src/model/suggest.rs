//! Did you mean …?

/// No key is nearly as long: what is longer, in bytes, is not compared, since comparing takes its time.
const LONGEST_SLIP: usize = 64;

/// How many words a slip is compared with at most.
pub const MOST_COMPARED: usize = 500;

/// The nearest of `known` to what was written, as a hint.
#[must_use]
pub fn did_you_mean(written: &str, known: &[&str]) -> Option<String> {
    nearest(written, known).map(|word| format!("did you mean `{word}`?"))
}

/// The nearest of `known`, or all of them, as a hint.
#[must_use]
pub fn did_you_mean_or_list(written: &str, known: &[&str]) -> String {
    did_you_mean(written, known).unwrap_or_else(|| {
        let words: Vec<String> = known.iter().map(|word| format!("`{word}`")).collect();
        match words.split_last() {
            None => "there is nothing to choose from".to_owned(),
            Some((only, [])) => format!("there is only {only}"),
            Some((last, rest)) => format!("choose from {} and {last}", rest.join(", ")),
        }
    })
}

/// The nearest of `known` to what was written, letter case aside.
#[must_use]
pub fn nearest<'a>(written: &str, known: &[&'a str]) -> Option<&'a str> {
    if let Some(same) = known.iter().find(|word| word.eq_ignore_ascii_case(written)) {
        return Some(same);
    }
    if written.len() > LONGEST_SLIP {
        return None;
    }
    similar::get_close_matches(written, known, 1, 0.7).into_iter().next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_words_are_suggested_and_far_ones_are_not() {
        let known = ["kustomizations", "configurations", "prune"];
        assert_eq!(did_you_mean("kustomisations", &known).as_deref(), Some("did you mean `kustomizations`?"));
        assert_eq!(did_you_mean("PRUNE", &known).as_deref(), Some("did you mean `prune`?"));
        assert_eq!(did_you_mean("zebra", &known), None);
    }
}
