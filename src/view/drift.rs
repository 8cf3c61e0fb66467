//! What was changed outside of arcflux, in every format.

use super::mermaid::Flowchart;
use super::plan_text::Text;
use super::rows::{Drifted, declared_to_live, last_changed};
use super::style::Tone;
use super::{Format, Style, html, json, markdown};
use crate::plan::{Drift, DriftKind, DriftReport};

/// The drift as a document that ends with a line feed. `style` is for text alone.
#[must_use]
pub fn render(report: &DriftReport, format: Format, style: &Style) -> String {
    match format {
        Format::Text => text(report, *style),
        Format::Json => json::pretty(report),
        Format::Mermaid => mermaid(report),
        Format::Markdown => {
            let drifted: Vec<Drifted<'_>> = report.drifted.iter().map(row).collect();
            markdown::drift(&drifted, &report.unmanaged, &verdict(report))
        }
        Format::Html => html::report("arcflux drift", &text(report, Style::PLAIN)),
    }
}

fn text(report: &DriftReport, style: Style) -> String {
    let DriftReport { origin: _, drifted, ignored: _, unmanaged } = report;
    let mut text = Text { out: String::new(), style };
    for drift in drifted {
        text.drifted(&row(drift));
    }
    if !unmanaged.is_empty() {
        text.list("Not declared:", unmanaged.iter().map(|one| (one.address.to_string(), "")));
    }
    let tone = if drifted.is_empty() { Tone::Good } else { Tone::Bad };
    text.line(&style.paint(tone, &verdict(report)));
    text.out
}

/// What it comes down to.
fn verdict(report: &DriftReport) -> String {
    let ignored = match report.ignored {
        0 => String::new(),
        1 => " 1 field differs and is ignored.".to_owned(),
        many => format!(" {many} fields differ and are ignored."),
    };
    let sentence = match report.drifted.len() {
        0 => "No drift. Your clusters are as declared.".to_owned(),
        1 => "Drift: 1 object is not as declared.".to_owned(),
        many => format!("Drift: {many} objects are not as declared."),
    };
    format!("{sentence}{ignored}")
}

fn row(drift: &Drift) -> Drifted<'_> {
    Drifted {
        address: &drift.address,
        verb: verb(drift.drift),
        noun: drift.kind.noun(),
        name: drift.id.name(),
        fields: drift.fields.iter().flat_map(declared_to_live).collect(),
        modified: drift.modified.as_ref().map(last_changed),
    }
}

fn verb(kind: DriftKind) -> &'static str {
    match kind {
        DriftKind::Missing => "is missing",
        DriftKind::Changed => "was changed",
        DriftKind::Unexpected => "exists, and must not",
    }
}

fn mermaid(report: &DriftReport) -> String {
    let mut chart = Flowchart::new();
    for drift in &report.drifted {
        let class = match drift.drift {
            DriftKind::Missing => "delete",
            DriftKind::Changed => "update",
            DriftKind::Unexpected => "create",
        };
        chart.node(&drift.address, &format!("{} {}", drift.address, verb(drift.drift)), class);
    }
    chart.finish()
}
