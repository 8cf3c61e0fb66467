//! Plans, reports and graphs → text that people and programs read: peers behind one signature.
//!
//! Views compute no difference: they read what the plan says. Each escapes values at its own edge, since any of them can
//! have been written by somebody who wants to be read as something else. What views must not know: files, streams,
//! terminals, clocks.

pub mod apply;
pub mod bundle;
pub mod checkup;
pub mod diagnostics;
pub mod drift;
pub mod export;
pub mod explain;
pub mod graph;
pub mod manifests;
pub mod markdown;
pub mod outputs;
pub mod plan;
pub mod problem;
pub mod rows;
pub mod sarif;
pub mod schema;
pub mod snapshot;
pub mod status;

mod escape;
mod estimate;
mod field_lines;
mod groups;
mod html;
mod json;
mod lines;
mod mermaid;
mod notes;
mod picture;
mod plan_text;
mod style;
mod value;

pub use style::Style;

/// What a plan or a status is rendered as.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Format {
    /// For people at a terminal or reading a log.
    #[default]
    Text,
    /// The published format: one JSON document, indented.
    Json,
    /// A Mermaid flowchart, which forges draw.
    Mermaid,
    /// A comment of a pull request.
    Markdown,
    /// A page for a browser.
    Html,
}

impl Format {
    /// Every format, in the order in which they are shown.
    pub const ALL: [Self; 5] = [Self::Text, Self::Json, Self::Mermaid, Self::Markdown, Self::Html];

    /// Its name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
            Self::Mermaid => "mermaid",
            Self::Markdown => "markdown",
            Self::Html => "html",
        }
    }
}
