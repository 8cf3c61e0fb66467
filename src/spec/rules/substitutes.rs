//! Rules about the values that Flux puts into manifests (`../shared/facts/domain.md` §4.13).

use super::super::codes;
use super::super::node::Node;
use super::super::report::Report;

pub(super) fn check(kustomization: &Node, report: &mut Report) {
    let values = kustomization.get("postBuild").and_then(|post_build| post_build.get("substitute"));
    for entry in values.into_iter().flat_map(Node::entries) {
        if let Some(text) = entry.node.text()
            && has_stray_dollar(text)
        {
            report.add_once(
                codes::STRAY_DOLLAR
                    .at(entry.node.span, format!("the value of `{}` has a `$` that begins no `${{NAME}}`", entry.key))
                    .with_hint("write `$$` for the sign itself"),
            );
        }
    }
}

/// Whether a `$` stands that is neither doubled nor the start of `${NAME}` (with what Flux's substitution takes after
/// the name: a default, a part, a replacement).
fn has_stray_dollar(text: &str) -> bool {
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            rest = after;
        } else {
            let name = rest.strip_prefix('{').and_then(|inner| inner.split_once('}'));
            let Some((name, after)) = name else { return true };
            if !name.starts_with(|first: char| first.is_ascii_alphabetic() || "_#".contains(first)) {
                return true;
            }
            rest = after;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dollar_begins_a_reference_or_is_doubled() {
        for fine in ["", "5", "${A}", "a ${A:=b} c", "$$5", "$${A}", "${#A}"] {
            assert!(!has_stray_dollar(fine), "{fine}");
        }
        for stray in ["$", "5$", "$A", "$(date)", "${A", "${1}", "$$$"] {
            assert!(has_stray_dollar(stray), "{stray}");
        }
    }
}
