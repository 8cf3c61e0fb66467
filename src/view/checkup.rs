//! What `arcflux doctor` found, as text and as JSON.

use super::style::Tone;
use super::{Style, json};
use crate::plan::{Check, Checkup, Standing};

/// As text that ends with a line feed.
#[must_use]
pub fn render_text(checkup: &Checkup, style: &Style) -> String {
    let width = checkup.checks.iter().map(|check| check.check.name().len()).max().unwrap_or(0);
    let mut out = String::new();
    for check in &checkup.checks {
        lines(&mut out, check, width, *style);
    }
    let counted = |standing: Standing, one: &str| match checkup.count(standing) {
        1 => format!("1 {one}"),
        many => format!("{many} {one}s"),
    };
    let sentence = format!(
        "Doctor: {}, {}, {} ok.",
        counted(Standing::Problem, "problem"),
        counted(Standing::Warning, "warning"),
        checkup.count(Standing::Ok)
    );
    out.push('\n');
    out.push_str(&style.paint(if checkup.ok { Tone::Good } else { Tone::Bad }, &sentence));
    out.push('\n');
    out
}

/// As JSON, as `schemas/doctor.schema.json` describes it.
#[must_use]
pub fn render_json(checkup: &Checkup) -> String {
    json::pretty(checkup)
}

fn lines(out: &mut String, check: &Check, width: usize, style: Style) {
    let (tone, word) = match check.standing {
        Standing::Ok => (Tone::Good, "ok     "),
        Standing::Warning => (Tone::Change, "warning"),
        Standing::Problem => (Tone::Bad, "problem"),
    };
    let name = check.check.name();
    let subject = check.subject.as_ref().map(|subject| format!("{subject}: ")).unwrap_or_default();
    let margin = " ".repeat(word.len() + width + 4);
    // Wrapped by what is seen: colour has no width.
    let sentence = style.sentence(&margin, &margin, &format!("{subject}{}", check.why));
    out.push_str(&format!("{}  {name:width$}  {}", style.paint(tone, word), sentence.trim_start()));
    if let Some(mend) = &check.mend {
        let label = format!("{margin}to mend it: ");
        out.push_str(&style.sentence(&label, &margin, mend));
    }
}
