//! The parts of the page beside the changes: lists of what a reviewer should know.

use maud::{Markup, html};

use super::anchors::{self, Anchors};
use super::{NEW_LINE, address, fields, prose};
use crate::model::Severity;
use crate::plan::{Age, DeferredChange, Refusal, SpecWarning, Unmanaged};
use crate::view::notes::Group;
use crate::view::rows::{Drifted, Waiting, would};
use crate::view::value;

/// How many addresses of one list are shown before the rest is folded.
const MOST_ADDRESSES: usize = 20;

pub(super) fn refused(refusals: &[Refusal], anchors: &Anchors<'_>) -> Markup {
    html! {
        @for Refusal { code, address, message, hint } in refusals {
            (NEW_LINE)
            div.banner.delete {
                p {
                    strong { @match address { Some(address) => (anchors.link(address)), None => "The plan" } }
                    " " span.tag { (value::name(code)) }
                }
                p { (prose(message)) }
                p { strong { "What to do: " } (prose(hint)) }
            }
        }
    }
}

pub(super) fn spec_warnings(warnings: &[SpecWarning]) -> Markup {
    html! {
        ul.notes {
            @for SpecWarning { code, message, hint, line } in warnings {
                (NEW_LINE)
                li {
                    p {
                        span.badge.update { "warning" } " " (prose(message)) " " span.tag { (value::name(code)) }
                    }
                    @if let Some(hint) = hint { p { strong { "What to do: " } (prose(hint)) } }
                    @if let Some(line) = line { p.about { "Line " (line) } }
                }
            }
        }
    }
}

pub(super) fn notes(groups: &[Group<'_>], ages: &[Age], anchors: &Anchors<'_>) -> Markup {
    html! {
        @if !groups.is_empty() {
            ul.notes {
                // Warnings first; each kind in the order of the plan.
                @for group in groups.iter().filter(|group| group.severity.is_some()) { (note(group, anchors)) }
                @for group in groups.iter().filter(|group| group.severity.is_none()) { (note(group, anchors)) }
            }
        }
        @if !ages.is_empty() {
            h3 { "When the live state was read" }
            ul.list {
                @for age in ages { (NEW_LINE) li { (anchors.link(&age.address)) ": " (prose(&age.message)) } }
            }
        }
    }
}

fn note(group: &Group<'_>, anchors: &Anchors<'_>) -> Markup {
    let Group { code, message, severity, addresses } = group;
    let (class, word) = match severity {
        Some(Severity::Error) => ("delete", "error"),
        Some(Severity::Warning) => ("update", "warning"),
        None => ("same", "note"),
    };
    let (shown, rest) = addresses.split_at(addresses.len().min(MOST_ADDRESSES));
    html! {
        (NEW_LINE)
        li {
            p { span.badge.(class) { (word) } " " (prose(message)) " " span.tag { (value::name(code)) } }
            p.about {
                @for (place, one) in shown.iter().enumerate() { @if place > 0 { ", " } (anchors.link(one)) }
                @if !rest.is_empty() { " and " (rest.len()) " more" }
            }
            @if !rest.is_empty() {
                details {
                    summary { "All " (addresses.len()) }
                    p.about { @for (place, one) in addresses.iter().enumerate() { @if place > 0 { ", " } (anchors.link(one)) } }
                }
            }
        }
    }
}

pub(super) fn drift(drifted: &[Drifted<'_>], anchors: &Anchors<'_>) -> Markup {
    html! {
        p { "Changed outside of arcflux since the base:" }
        @for Drifted { address, verb, noun, name, fields, modified } in drifted {
            (NEW_LINE)
            article.card {
                h3 { (anchors.link(address)) " " (verb) }
                p.quiet {
                    (noun) " " (value::quoted(name))
                    @if let Some(modified) = modified { ", " (prose(modified)) }
                }
                (fields::table(fields, fields::DRIFTED, true))
            }
        }
    }
}

pub(super) fn unmanaged(unmanaged: &[Unmanaged]) -> Markup {
    html! {
        p { "Live on the clusters, named by nothing in the specification, and left alone:" }
        ul.list {
            @for Unmanaged { address: one, id: _ } in unmanaged { (NEW_LINE) li { (address(one)) } }
        }
    }
}

pub(super) fn waits(waits: &[Waiting<'_>], is_all: bool) -> Markup {
    html! {
        p { @if is_all { "Nothing is written, but an apply waits until:" } @else { "An apply also waits until:" } }
        ul.list {
            @for (place, Waiting { address: one, until }) in waits.iter().enumerate() {
                (NEW_LINE)
                li id=(anchors::wait(place)) { (address(one)) " " (until) }
            }
        }
    }
}

pub(super) fn deferred(deferred: &[DeferredChange]) -> Markup {
    html! {
        p { "Left until the cluster talks to Azure again:" }
        ul.list {
            @for (place, one) in deferred.iter().enumerate() {
                (NEW_LINE)
                li id=(anchors::deferred(place)) { (address(&one.address)) " " (would(one.actions)) ": " (prose(&one.message)) }
            }
        }
    }
}
