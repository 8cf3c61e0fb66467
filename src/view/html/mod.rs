//! A plan as one page that needs nothing else: no network, no file beside it, no storage, and no script to be read.
//!
//! Everything that comes from a value is text: the templates escape it, names of elements, attributes, ids and links are
//! ours. Should something slip through all the same, the page's own security policy lets nothing run and nothing be
//! fetched but the one style and the one script that are written into it. Equal plans make equal bytes.

mod anchors;
mod change;
mod fields;
mod graph;
mod layout;
mod sections;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use self::anchors::Anchors;
use super::picture::Fate;
use super::rows::Rows;
use super::style::unwrapped;
use super::{notes, value};
use crate::model::Address;
use crate::plan::{Counts, Mode, Plan};

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// Between blocks, so that the page's source can be read and compared.
const NEW_LINE: PreEscaped<&str> = PreEscaped("\n");

/// What happens to a resource, for the style and in words.
#[derive(Debug, Clone, Copy)]
struct Words {
    /// The class of what shows it.
    class: &'static str,
    /// What is done.
    does: &'static str,
}

const fn words(fate: Fate) -> Words {
    let (class, does) = match fate {
        Fate::Create => ("create", "create"),
        Fate::Update => ("update", "update"),
        Fate::Replace => ("replace", "replace"),
        Fate::Delete => ("delete", "destroy"),
        Fate::Wait => ("wait", "wait"),
        Fate::Deferred => ("deferred", "deferred"),
        Fate::Same => ("same", "no change"),
    };
    Words { class, does }
}

/// A part of the page with a heading.
struct Section {
    id: &'static str,
    title: &'static str,
    /// How much is in it.
    count: usize,
    content: Markup,
}

/// The whole plan.
pub(super) fn plan(plan: &Plan) -> String {
    let rows = Rows::of(plan);
    let anchors = Anchors::of_rows(&rows);
    let Rows { drifted, resources, waits, refusals, notes: noted, deferred, unmanaged, summary, estimate, digest } =
        &rows;
    let spec_warnings = plan.spec_source.as_ref().map_or(&[][..], |source| &source.warnings);
    let notes = notes::grouped(noted);
    let has_warnings = notes.iter().any(|group| group.severity.is_some());
    let destroying: Vec<usize> = (0..resources.len()).filter(|place| resources[*place].destroys()).collect();
    let section = |id, title, count, content: &dyn Fn() -> Markup| {
        (count > 0).then(|| Section { id, title, count, content: content() })
    };
    let sections = [
        section("refused", "Refused", refusals.len(), &|| sections::refused(refusals, &anchors)),
        section("spec", "Warnings about the spec", spec_warnings.len(), &|| sections::spec_warnings(spec_warnings)),
        section("destroyed", "Destructive", destroying.len(), &|| change::destroying(resources, &destroying)),
        section(
            "notes",
            if has_warnings { "Warnings and notes" } else { "Notes" },
            notes.len() + plan.ages.len(),
            &|| sections::notes(&notes, &plan.ages, &anchors),
        ),
        section("drift", "Drift", drifted.len(), &|| sections::drift(drifted, &anchors)),
        section("changes", "Changes", resources.len(), &|| change::section(plan, resources, &anchors)),
        section("waits", "Waits", waits.len(), &|| sections::waits(waits, resources.is_empty())),
        section("deferred", "Deferred", deferred.len(), &|| sections::deferred(deferred)),
        section("unmanaged", "Not in the specification", unmanaged.len(), &|| sections::unmanaged(unmanaged)),
        graph::section(plan, &anchors).map(|content| Section {
            id: "graph",
            title: "Dependencies",
            count: plan.resource_changes.len(),
            content,
        }),
    ];
    let main = html! {
        section.summary aria-labelledby="summary" {
            @match plan.mode {
                Mode::Apply => p.over { "arcflux plan" },
                Mode::Destroy => p.over { "arcflux plan, to destroy" },
            }
            h1 #summary { (summary) }
            @if !refusals.is_empty() { p.banner.delete { strong { "This plan cannot be applied as it is." } " See " a href="#refused" { "Refused" } "." } }
            (NEW_LINE)
            (tiles(plan.counts(), waits.len(), deferred.len()))
            @if let Some(estimate) = estimate { p { (prose(estimate)) } }
            (NEW_LINE)
            (facts(plan, digest))
            (NEW_LINE)
            nav aria-label="On this page" {
                ul {
                    @for Section { id, title, count, content: _ } in sections.iter().flatten() {
                        li { a href={ "#" (id) } { (title) " " span.count { (count) } } }
                    }
                }
            }
        }
        @for Section { id, title, count, content } in sections.iter().flatten() {
            (NEW_LINE)
            section id=(id) aria-labelledby={ (id) "-title" } {
                h2 id={ (id) "-title" } { (title) " " span.count { (count) } }
                (NEW_LINE)
                (content)
            }
        }
    };
    let footer = html! {
        "Made by arcflux " (value::name(&plan.arcflux_version)) ". Plan format " (value::name(&plan.format_version)) "."
    };
    page(summary, &main, &footer)
}

/// A report that is no plan: its text, as it stands on a terminal.
pub(super) fn report(title: &str, text: &str) -> String {
    let main = html! {
        section.summary aria-labelledby="summary" {
            h1 #summary { (title) }
            pre.scroll tabindex="0" role="group" aria-label="Report" { (text) }
        }
    };
    page(title, &main, &html! { (title) })
}

/// The document around what is told.
fn page(title: &str, main: &Markup, footer: &Markup) -> String {
    let document = html! {
        (DOCTYPE)
        html lang="en" {
            (NEW_LINE)
            head {
                meta charset="utf-8";
                (NEW_LINE)
                meta http-equiv="Content-Security-Policy" content=(policy());
                (NEW_LINE)
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="referrer" content="no-referrer";
                (NEW_LINE)
                title { (title) " · arcflux" }
                (NEW_LINE)
                style { (PreEscaped(STYLE)) }
            }
            (NEW_LINE)
            body {
                a.skip href="#main" { "Skip to the plan" }
                (NEW_LINE)
                header.bar {
                    p.brand { "arcflux" }
                    fieldset.theme {
                        legend { "Colours" }
                        @for (theme, is_chosen) in [("auto", true), ("light", false), ("dark", false)] {
                            label { input id={ "theme-" (theme) } type="radio" name="theme" checked[is_chosen]; span { (theme) } }
                        }
                    }
                }
                (NEW_LINE)
                main #main tabindex="-1" { (main) }
                (NEW_LINE)
                footer { p { (footer) } }
                (NEW_LINE)
                script { (PreEscaped(SCRIPT)) }
                (NEW_LINE)
            }
        }
        (NEW_LINE)
    };
    document.into_string()
}

/// Nothing is fetched, embedded, sent or run but the style and the script of the page, by their hashes; and the script may
/// make no markup out of text.
fn policy() -> String {
    let hash = |text: &str| format!("'sha256-{}'", STANDARD.encode(digest(&SHA256, text.as_bytes())));
    format!(
        "default-src 'none'; style-src {}; script-src {}; base-uri 'none'; form-action 'none'; \
         require-trusted-types-for 'script'; trusted-types 'none'",
        hash(STYLE),
        hash(SCRIPT)
    )
}

fn tiles(counts: Counts, waits: usize, deferred: usize) -> Markup {
    let Counts { create, update, delete, replace } = counts;
    let always = [(Fate::Create, create), (Fate::Update, update), (Fate::Replace, replace), (Fate::Delete, delete)];
    let sometimes = [(Fate::Wait, waits), (Fate::Deferred, deferred)].into_iter().filter(|(_, count)| *count > 0);
    html! {
        ul.tiles {
            @for (fate, count) in always.into_iter().chain(sometimes) {
                li.(words(fate).class).none[count == 0] {
                    span.number { (count) } " " span.badge { (symbol(fate)) (words(fate).does) }
                }
            }
        }
    }
}

/// The symbol of what happens, which the word after it says too.
fn symbol(fate: Fate) -> Markup {
    html! { @if !fate.symbol().is_empty() { span aria-hidden="true" { (fate.symbol()) } " " } }
}

fn facts(plan: &Plan, digest: &str) -> Markup {
    html! {
        dl.facts {
            @if let Some(source) = &plan.spec_source {
                dt { "Spec" } dd { code { (value::name(&source.file)) } }
                @if let Some(base) = &source.base { dt { "Compared with" } dd { code { (value::name(base)) } } }
            }
            dt { "Azure" } dd { code { (value::name(&plan.origin)) } }
            @if let Some(tenant) = &plan.tenant { dt { "Tenant" } dd { code { (value::name(tenant)) } } }
            @if let Some(read) = plan.timestamp { dt { "Read at" } dd { (format!("{read:.0}")) } }
            dt { "Digest" } dd { code { (digest) } }
        }
    }
}

/// An address as a reader meets it.
fn address(address: &Address) -> Markup {
    html! { code.address { (address_like(&address.to_string())) } }
}

/// Something made of names and slashes or dots: inert, bounded, and broken into lines where it has parts.
fn address_like(text: &str) -> Markup {
    let text = value::name(text);
    html! {
        @for (place, part) in text.split_inclusive(['/', '.']).enumerate() {
            @if place > 0 { wbr; }
            (part)
        }
    }
}

/// A sentence, inert and bounded. What it quotes in backticks is set as code.
fn prose(text: &str) -> Markup {
    let text = unwrapped(text);
    let parts: Vec<&str> = text.split('`').collect();
    html! {
        @if parts.len() % 2 == 1 {
            @for (place, part) in parts.iter().enumerate() {
                @if place % 2 == 1 { code { (part) } } @else { (part) }
            }
        } @else { (text) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn style_and_script_cannot_end_themselves() {
        for text in [STYLE, SCRIPT] {
            let lower = text.to_ascii_lowercase();
            assert!(!lower.contains("</") && !lower.contains("<!--"), "it ends its element");
            assert!(!lower.contains("url(") && !lower.contains("@import"), "it fetches something");
        }
    }

    #[test]
    fn what_a_sentence_quotes_is_code() {
        assert_eq!(prose("say `--x <y>` or not").into_string(), "say <code>--x &lt;y&gt;</code> or not");
        assert_eq!(prose("one ` alone").into_string(), "one ` alone");
    }
}
