//! The resources that are written: one entry each, and what finds them among thousands.

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::anchors::{self, Anchors};
use super::{NEW_LINE, address, fields, prose, symbol, words};
use crate::model::{Address, Part};
use crate::plan::{Action, Change, Consequence, Plan};
use crate::view::picture::Fate;
use crate::view::rows::Resource;
use crate::view::value;

/// So many changes are shown unfolded.
const MOST_OPEN: usize = 12;
/// From so many changes on there is something to look for.
const WORTH_FILTERING: usize = 4;
/// How many destructive changes are named at the top.
const MOST_NAMED: usize = 8;

pub(super) fn section(plan: &Plan, resources: &[Resource<'_>], anchors: &Anchors<'_>) -> Markup {
    let needs: BTreeMap<&Address, &[Address]> =
        plan.resource_changes.iter().map(|Change { address, needs, .. }| (address, needs.as_slice())).collect();
    let clusters = Clusters::of(resources);
    let is_open = resources.len() <= MOST_OPEN;
    html! {
        @if resources.len() >= WORTH_FILTERING { (filter(resources, &clusters)) }
        p #none-found hidden { "No change is like that." }
        div.changes.many[!is_open] {
            @for (place, resource) in resources.iter().enumerate() {
                (NEW_LINE)
                (entry(place, resource, needs.get(resource.address).copied().unwrap_or_default(), &clusters, anchors, is_open))
            }
        }
    }
}

/// Names of clusters, in order, by the number that stands for each on the page.
struct Clusters(BTreeMap<String, usize>);

impl Clusters {
    fn of(resources: &[Resource<'_>]) -> Self {
        let mut names: BTreeMap<String, usize> =
            resources.iter().filter_map(|one| cluster(one.address)).map(|name| (name, 0)).collect();
        for (place, number) in names.values_mut().enumerate() {
            *number = place + 1;
        }
        Self(names)
    }

    /// The number of the cluster that something lies on; 0 for what lies on none.
    fn number(&self, address: &Address) -> usize {
        cluster(address).and_then(|name| self.0.get(&name).copied()).unwrap_or(0)
    }
}

/// The cluster that something lies on, or is.
fn cluster(address: &Address) -> Option<String> {
    match address {
        Address::Provider { .. } | Address::ResourceGroup { .. } => None,
        Address::Cluster { subscription, resource_group, cluster, part: _ } => Some(
            Address::Cluster {
                subscription: subscription.clone(),
                resource_group: resource_group.clone(),
                cluster: cluster.clone(),
                part: Part::Itself,
            }
            .to_string(),
        ),
    }
}

/// What works with a script alone is shown by it.
fn filter(resources: &[Resource<'_>], clusters: &Clusters) -> Markup {
    let count = |fate: Fate| resources.iter().filter(|one| Fate::from(one.action) == fate).count();
    let actions = [Fate::Create, Fate::Update, Fate::Replace, Fate::Delete].map(|fate| (fate, count(fate)));
    let destroying = resources.iter().filter(|one| one.destroys()).count();
    html! {
        div #filter role="search" aria-label="Filter the changes" hidden {
            div.inputs {
                label { span { "Text" } input #filter-text type="search" autocomplete="off" spellcheck="false"; }
                @if clusters.0.len() > 1 {
                    label {
                        span { "Cluster" }
                        select #filter-cluster {
                            option value="" { "all " (clusters.0.len()) }
                            @if resources.iter().any(|one| cluster(one.address).is_none()) { option value="0" { "on no cluster" } }
                            @for (name, number) in &clusters.0 { (NEW_LINE) option value=(number) { (value::name(name)) } }
                        }
                    }
                }
            }
            fieldset {
                legend { "Action" }
                @for (fate, count) in actions.into_iter().filter(|(_, count)| *count > 0) {
                    label {
                        input type="checkbox" name="action" value=(words(fate).class) checked;
                        span.badge.(words(fate).class) { (symbol(fate)) (words(fate).does) } " " span.count { (count) }
                    }
                }
                @if destroying > 0 {
                    label { input #filter-destroys type="checkbox"; span { "only what destroys" } " " span.count { (destroying) } }
                }
            }
            div.buttons {
                p #filter-result role="status" { (resources.len()) " changes" }
                button #filter-reset type="button" hidden { "Show all" }
                button #unfold type="button" { "Unfold" }
                button #fold type="button" { "Fold" }
            }
        }
    }
}

fn entry(
    place: usize,
    resource: &Resource<'_>,
    needs: &[Address],
    clusters: &Clusters,
    anchors: &Anchors<'_>,
    is_open: bool,
) -> Markup {
    let Resource { address: about, action, verb, because, noun, name, api_version, fields, unchanged, effects } =
        resource;
    let fate = Fate::from(*action);
    let destroys = resource.destroys();
    html! {
        details.change.(words(fate).class) data-action=(words(fate).class) data-cluster=(clusters.number(about))
            data-destroys[destroys] open[is_open] {
            summary {
                span.badge { (symbol(fate)) (words(fate).does) }
                " " h3 { (address(about)) }
                " " span.quiet.gist { (gist(resource)) }
            }
            (NEW_LINE)
            div.body id=(anchors::change(place)) {
                p {
                    (noun) " " code { (value::quoted(name)) } " " (verb)
                    @if let Some(because) = because { ", because " (prose(because)) }
                    ". "
                    span.quiet { "API version " (value::name(api_version)) "." }
                }
                @if !effects.is_empty() {
                    (NEW_LINE)
                    div.banner.(if destroys { "delete" } else { "update" }) {
                        p { strong { "What it means" } }
                        ul { @for effect in *effects { li { (prose(&effect.message)) } } }
                    }
                }
                (NEW_LINE)
                @if resource.is_sent_as_it_is() {
                    p { "It is sent again as it is." }
                } @else if !fields.is_empty() {
                    (fields::table(fields, fields::PLANNED, matches!(fate, Fate::Update | Fate::Replace)))
                }
                (NEW_LINE)
                @match unchanged {
                    0 => {},
                    1 => p.quiet { "1 attribute stays as it is." },
                    many => p.quiet { (many) " attributes stay as they are." },
                }
                @if !needs.is_empty() {
                    p.quiet { "Comes after " @for (place, one) in needs.iter().enumerate() { @if place > 0 { ", " } (anchors.link(one)) } "." }
                }
            }
        }
    }
}

/// What is in an entry, for who has not opened it.
fn gist(resource: &Resource<'_>) -> String {
    let fields = counted(resource.fields.len(), "field", "fields");
    let effects = counted(resource.effects.len(), "effect", "effects");
    let parts = [Some(resource.noun.to_owned()), fields, effects];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// How many of something there are, where there are any.
fn counted(count: usize, one: &str, many: &str) -> Option<String> {
    match count {
        0 => None,
        1 => Some(format!("1 {one}")),
        count => Some(format!("{count} {many}")),
    }
}

/// What is to be told of a change that destroys something: of a resource that goes, everything.
fn told<'a>(resource: &Resource<'a>) -> impl Iterator<Item = &'a Consequence> {
    let goes = matches!(resource.action, Action::Delete | Action::Replace);
    resource.effects.iter().filter(move |effect| goes || effect.destroys())
}

/// What is lost by the plan: the resources that go, and the changes that take something out of a cluster.
pub(super) fn destroying(resources: &[Resource<'_>], places: &[usize]) -> Markup {
    let found = places.iter().filter_map(|place| Some((*place, resources.get(*place)?)));
    let count = |actions: &[Action]| found.clone().filter(|(_, one)| actions.contains(&one.action)).count();
    let (deleted, replaced) = (count(&[Action::Delete]), count(&[Action::Replace]));
    let pruning = places.len() - deleted - replaced;
    let losses: Vec<String> = [
        counted(deleted, "resource is destroyed", "resources are destroyed"),
        counted(replaced, "resource is destroyed and created again", "resources are destroyed and created again"),
        counted(pruning, "change deletes something in a cluster", "changes delete something in a cluster"),
    ]
    .into_iter()
    .flatten()
    .collect();
    let more = places.len().saturating_sub(MOST_NAMED);
    html! {
        div.banner.delete {
            p { strong { (losses.join("; ")) "." } }
            ul {
                @for (place, resource) in found.take(MOST_NAMED) {
                    (NEW_LINE)
                    li {
                        a href={ "#" (anchors::change(place)) } { (address(resource.address)) } " " (resource.verb)
                        @for effect in told(resource) { "; " (prose(&effect.message)) }
                    }
                }
            }
            @if more > 0 { p { "And " (more) " more; the filter of the changes finds them by “only what destroys”." } }
        }
    }
}
