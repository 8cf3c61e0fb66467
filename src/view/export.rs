//! What a spec made from a live cluster does not say by itself.

use super::Style;
use super::style::Tone;
use crate::kinds::Kind;
use crate::kinds::adoption::{MissingSecret, Remark};
use crate::plan::{Action, Change, Export, LeftOut, Refusal};

/// The report that goes beside the spec. Ends with a line feed.
#[must_use]
pub fn render(export: &Export, style: &Style) -> String {
    let Export { text: _, configurations, left_out, secrets, remarks, plan } = export;
    let count = match configurations {
        1 => "1 configuration".to_owned(),
        count => format!("{count} configurations"),
    };
    let all = if left_out.is_empty() { "" } else { "; it is not complete" };
    let mut out = style.sentence("", "", &format!("The spec has {count} of the cluster{all}."));
    let mut section = |tone: Tone, heading: &str, items: Vec<String>| {
        if !items.is_empty() {
            out.push_str(&style.paint(tone, heading));
            out.push('\n');
            out.extend(items.iter().map(|item| style.sentence("  - ", "    ", item)));
        }
    };
    section(
        Tone::Bad,
        "Left out, because a spec cannot say it:",
        left_out.iter().map(|LeftOut { name, why }| format!("{name}: {why}")).collect(),
    );
    section(
        Tone::Heading,
        "Secrets to supply before a change can be sent; Azure never shows them:",
        secrets.iter().map(secret).collect(),
    );
    section(
        Tone::Heading,
        "To know beside it:",
        remarks
            .iter()
            .map(|Remark { configuration, message }| {
                format!("{}: {message}", configuration.as_deref().unwrap_or("the extension"))
            })
            .collect(),
    );
    let changes = plan.resource_changes.iter().filter_map(change);
    let refusals = plan.refusals.iter().map(refused);
    let notes = plan.notes.iter().map(|note| format!("{}: {}", note.address, note.message));
    section(Tone::Heading, "What a plan of it says:", changes.chain(refusals).chain(notes).collect());
    out
}

fn refused(Refusal { code: _, address, message, hint: _ }: &Refusal) -> String {
    let of = address.as_ref().map(|address| format!("{address}: ")).unwrap_or_default();
    format!("{of}refused: {message}")
}

fn secret(secret: &MissingSecret) -> String {
    let MissingSecret { name, configuration, field, destination } = secret;
    let of = configuration.as_deref().unwrap_or("the extension");
    let to = destination.as_deref().map(|url| format!(", for {url}")).unwrap_or_default();
    format!("{name}: {field} of {of}{to}")
}

fn change(change: &Change) -> Option<String> {
    let what = match change.change.actions {
        Action::Create if change.kind == Kind::ProviderRegistration => "will be registered",
        Action::Create => "will be created",
        Action::Update => "will be sent again",
        Action::Replace => "will be replaced",
        Action::Delete => "will be destroyed",
        Action::NoOp | Action::Read => return None,
    };
    Some(format!("{}: {what}", change.address))
}
