//! What to do about what Flux, the extension's installer and ARM say: the symptoms that people meet, each with its cause,
//! a remedy, and whether waiting helps. The rows are data, in [`CATALOGUE`].

mod catalogue;

pub use catalogue::{CATALOGUE, SILENT_INSTALLATION};

/// One row of the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Symptom {
    /// Its stable name.
    pub id: &'static str,
    /// What it is known by. One of these is enough.
    pub signs: &'static [Sign],
    /// Whether it passes by itself.
    pub prospect: Prospect,
    /// Why it happens, as a clause.
    pub cause: &'static str,
    /// What to do, addressed to somebody who knows az, kubectl and flux.
    pub advice: &'static str,
}

/// What a symptom is known by. Cases do not matter; a `*` in words stands for anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// The message has these words.
    Says(&'static str),
    /// The message has these words, and the reason or code is this one.
    Both(&'static str, &'static str),
    /// The reason of Flux, the code of ARM, or a name of ours, whatever the message says. Words of a message tell more,
    /// so they go before any of these.
    Reason(&'static str),
}

/// What becomes of a failure when nobody does anything (`../shared/facts/domain.md` §3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prospect {
    /// It stays: somebody has to change something.
    Terminal,
    /// It may pass: what it needs is on its way, or is tried again.
    Transient,
    /// It is the effect of something else, which is to blame or still under way.
    WaitsForAnother,
}

impl Symptom {
    /// The remedy and the cause, as one clause.
    #[must_use]
    pub fn hint(&self) -> String {
        format!("{}; {}", self.advice, self.cause)
    }
}

/// The row of the catalogue for this reason (or code) and message. Words of the message decide before the reason alone
/// does, and earlier rows before later ones.
#[must_use]
pub fn symptom(reason: &str, message: &str) -> Option<&'static Symptom> {
    let message = message.to_lowercase();
    let shows = |sign: &Sign| match sign {
        Sign::Says(words) => says(&message, words),
        Sign::Both(own, words) => own.eq_ignore_ascii_case(reason) && says(&message, words),
        Sign::Reason(_) => false,
    };
    let is_reason = |sign: &Sign| match sign {
        Sign::Reason(own) => own.eq_ignore_ascii_case(reason),
        Sign::Says(_) | Sign::Both(..) => false,
    };
    let by_words = CATALOGUE.iter().find(|row| row.signs.iter().any(shows));
    by_words.or_else(|| CATALOGUE.iter().find(|row| row.signs.iter().any(is_reason)))
}

/// What to do about a failure with this reason (or code) and message, and why it happens, where that is known.
#[must_use]
pub fn remedy(reason: &str, message: &str) -> Option<String> {
    symptom(reason, message).map(Symptom::hint)
}

/// What becomes of a failure with this reason and message. What is not known may pass: a wrong "it failed" stops a rollout
/// that was going well, a wait ends at its deadline.
#[must_use]
pub fn prospect(reason: &str, message: &str) -> Prospect {
    symptom(reason, message).map_or(Prospect::Transient, |row| row.prospect)
}

/// Whether `message`, in lower case, has the parts of `words` in their order.
fn says(message: &str, words: &str) -> bool {
    let mut rest = message;
    words.split('*').all(|part| match rest.find(&part.to_ascii_lowercase()) {
        Some(at) => {
            rest = &rest[at + part.len()..];
            true
        }
        None => false,
    })
}

#[cfg(test)]
mod tests;
