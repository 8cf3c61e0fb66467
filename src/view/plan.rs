//! A plan, in every format.

use super::markdown::{self, Context};
use super::{Format, Style, html, json, mermaid, plan_text};
use crate::plan::Plan;

/// The whole plan as a document that ends with a line feed. `style` is for text alone.
#[must_use]
pub fn render(plan: &Plan, format: Format, style: &Style) -> String {
    match format {
        Format::Text => plan_text::render(plan, *style),
        Format::Json => json::pretty(plan),
        Format::Mermaid => mermaid::plan(plan),
        Format::Markdown => markdown::plan(plan, &Context::default()),
        Format::Html => html::plan(plan),
    }
}
