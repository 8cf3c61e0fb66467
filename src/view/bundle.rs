//! Bundles: what is sent, beside the plan.

use serde_json::Value;

use super::style::Tone;
use super::{Style, escape};
use crate::bundle::{Bundle, ExpectedRequest};

/// The requests of a bundle, each with its body, under a heading; empty where nothing is sent.
#[must_use]
pub fn requests(bundle: &Bundle, style: &Style) -> String {
    if bundle.requests.is_empty() {
        return String::new();
    }
    let mut out = format!("\n{}\n", style.paint(Tone::Heading, "Requests that change something, in order:"));
    for ExpectedRequest { method, url, body, when } in &bundle.requests {
        let condition = if when.is_some() { " (where it is needed)" } else { "" };
        out.push_str(&format!("  {} {}{condition}\n", escape::line(method), escape::line(url)));
        if let Some(body) = body {
            push_body(&mut out, body);
        }
    }
    out
}

/// How many lines of one body are shown.
const MAX_LINES: usize = 200;

/// How many characters of one line of a body are shown.
const MAX_LENGTH: usize = 400;

fn push_body(out: &mut String, body: &Value) {
    let text = format!("{body:#}");
    let mut lines = text.lines();
    for line in lines.by_ref().take(MAX_LINES) {
        let shown: String = line.chars().take(MAX_LENGTH).collect();
        let rest = if shown.len() < line.len() { "…" } else { "" };
        out.push_str(&format!("      {}{rest}\n", escape::line(&shown)));
    }
    match lines.count() {
        0 => {}
        more => out.push_str(&format!("      … ({more} more lines, in the bundle)\n")),
    }
}
