//! What an apply takes, as a sentence.

use crate::model::Metered;
use crate::plan::Estimate;

/// Less than this is not worth a word, in seconds.
const WORTH_TELLING: u64 = 10;

/// `An apply takes about 3 min and sends at least 2 writes and 7 reads.`
pub(super) fn sentence(estimate: &Estimate) -> String {
    let Estimate { seconds, throttled_seconds, reads, writes, deletes } = *estimate;
    let limits = match throttled_seconds {
        0..WORTH_TELLING => String::new(),
        some => {
            let per_second = |metered: Metered| metered.allowance().refill_per_second;
            format!(
                " ({} of it because Azure takes only {} writes and {} reads a second)",
                rounded(some),
                per_second(Metered::Writes),
                per_second(Metered::Reads)
            )
        }
    };
    let counts: Vec<String> = [(writes, "write", "writes"), (deletes, "delete", "deletes"), (reads, "read", "reads")]
        .into_iter()
        .filter(|(count, ..)| *count > 0)
        .map(|(count, one, many)| format!("{count} {}", if count == 1 { one } else { many }))
        .collect();
    let counts = match counts.as_slice() {
        [] => "nothing".to_owned(),
        [one] => one.clone(),
        [some @ .., last] => format!("{} and {last}", some.join(", ")),
    };
    format!("An apply takes about {}{limits} and sends at least {counts}.", rounded(seconds))
}

/// Usual lengths are not known to the second.
fn rounded(seconds: u64) -> String {
    match seconds {
        0..90 => format!("{} s", seconds.div_ceil(10).max(1) * 10),
        _ => format!("{} min", seconds.saturating_add(30) / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_it_takes_in_round_numbers() {
        let told = |seconds, throttled_seconds, reads, writes, deletes| {
            sentence(&Estimate { seconds, throttled_seconds, reads, writes, deletes })
        };
        assert_eq!(told(3, 0, 1, 0, 0), "An apply takes about 10 s and sends at least 1 read.");
        assert_eq!(told(89, 9, 2, 1, 0), "An apply takes about 90 s and sends at least 1 write and 2 reads.");
        assert_eq!(told(90, 0, 0, 0, 1), "An apply takes about 2 min and sends at least 1 delete.");
        assert_eq!(
            told(700, 301, 9000, 3000, 20),
            "An apply takes about 12 min (5 min of it because Azure takes only 10 writes and 25 reads a second) and sends \
             at least 3000 writes, 20 deletes and 9000 reads."
        );
    }
}
