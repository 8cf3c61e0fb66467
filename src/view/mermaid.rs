//! Mermaid flowcharts (`flowchart LR`), which forges and editors draw.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::picture::{self, Fate, Node};
use super::value;
use crate::model::Address;
use crate::plan::Plan;

/// A flowchart that grows by nodes and then by edges between them.
pub(super) struct Flowchart {
    out: String,
    ids: BTreeMap<Address, usize>,
}

impl Flowchart {
    pub(super) fn new() -> Self {
        Self { out: "flowchart LR\n".to_owned(), ids: BTreeMap::new() }
    }

    /// Adds a box. `class` is one of [`CLASSES`].
    pub(super) fn node(&mut self, address: &Address, text: &str, class: &str) {
        let id = self.ids.len();
        self.ids.insert(address.clone(), id);
        // Writing into a String cannot fail.
        let _ = writeln!(self.out, "  n{id}[\"{}\"]:::{class}", label(text));
    }

    /// Adds an arrow from what comes first to what needs it, when both are drawn.
    pub(super) fn edge(&mut self, first: &Address, then: &Address) {
        if let (Some(first), Some(then)) = (self.ids.get(first), self.ids.get(then)) {
            let _ = writeln!(self.out, "  n{first} --> n{then}");
        }
    }

    pub(super) fn finish(mut self) -> String {
        for (name, style) in CLASSES {
            if self.out.contains(&format!(":::{name}\n")) {
                let _ = writeln!(self.out, "  classDef {name} {style}");
            }
        }
        self.out
    }
}

/// The looks of boxes, by what happens to a resource; readable on light and on dark pages.
const CLASSES: [(&str, &str); 6] = [
    ("create", "fill:#1a7f37,stroke:#116329,color:#ffffff"),
    ("update", "fill:#bf8700,stroke:#7d4e00,color:#ffffff"),
    ("replace", "fill:#8250df,stroke:#6639ba,color:#ffffff"),
    ("delete", "fill:#cf222e,stroke:#a40e26,color:#ffffff"),
    ("wait", "fill:#0969da,stroke:#0550ae,color:#ffffff"),
    ("same", "fill:#6e7781,stroke:#57606a,color:#ffffff"),
];

pub(super) fn plan(plan: &Plan) -> String {
    let mut chart = Flowchart::new();
    let nodes = picture::of(plan);
    for Node { address, fate, .. } in &nodes {
        // No sign before it: some versions of Mermaid take `+ ` and `- ` for lists, and draw an error in their place.
        let text = match fate {
            Fate::Same => address.to_string(),
            Fate::Deferred => format!("{address} (deferred)"),
            Fate::Create | Fate::Update | Fate::Replace | Fate::Delete | Fate::Wait => {
                format!("{address} ({})", class(*fate))
            }
        };
        chart.node(address, &text, class(*fate));
    }
    for Node { address, needs, .. } in &nodes {
        for needed in *needs {
            chart.edge(needed, address);
        }
    }
    chart.finish()
}

fn class(fate: Fate) -> &'static str {
    match fate {
        Fate::Create => "create",
        Fate::Update => "update",
        Fate::Replace => "replace",
        Fate::Delete => "delete",
        Fate::Wait | Fate::Deferred => "wait",
        Fate::Same => "same",
    }
}

/// A text inside the quotes of a label. Mermaid reads `#…;` as a character, and HTML and Markdown inside labels.
fn label(text: &str) -> String {
    let mut out = String::new();
    for character in value::name(text).chars() {
        match character {
            '"' | '#' | '&' | '<' | '>' | '`' => {
                let _ = write!(out, "#{};", u32::from(character));
            }
            plain => out.push(plain),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_cannot_leave_its_quotes() {
        assert_eq!(label("a\"]; click n0 \"x"), "a#34;]; click n0 #34;x");
        assert_eq!(label("<img>\n`b`"), r"#60;img#62;\n#96;b#96;");
        assert_eq!(label("rg-edge/store-001/flux/flux-system"), "rg-edge/store-001/flux/flux-system");
    }
}
