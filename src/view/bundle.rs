//! Bundles: what is sent, beside the plan.

use super::style::Tone;
use super::{Style, escape};
use crate::bundle::{Bundle, ExpectedRequest};

/// The requests of a bundle, a line each, under a heading; empty where nothing is sent. Their bodies are in the bundle.
#[must_use]
pub fn requests(bundle: &Bundle, style: &Style) -> String {
    if bundle.requests.is_empty() {
        return String::new();
    }
    let mut out = format!("\n{}\n", style.paint(Tone::Heading, "Requests that change something, in order:"));
    for ExpectedRequest { method, url, body: _, when } in &bundle.requests {
        let condition = if when.is_some() { " (where it is needed)" } else { "" };
        out.push_str(&format!("  {} {}{condition}\n", escape::line(method), escape::line(url)));
    }
    out
}
