//! The dependency graph of a plan as a picture in the page.

use std::collections::{BTreeMap, BTreeSet};

use maud::{Markup, html};

use super::anchors::Anchors;
use super::layout::{Layout, Point, Sizes, columns, layered};
use super::{NEW_LINE, words};
use crate::kinds::Kind;
use crate::model::Address;
use crate::plan::Plan;
use crate::view::picture::{self, Fate, Node};
use crate::view::value;

/// How many boxes are drawn. More than that, and nobody reads them.
const MOST: usize = 60;
/// The longest address in a box, in characters; of a longer one its end, which tells more.
const LONGEST: usize = 29;
/// The width of four characters of the monospaced font of labels, and what is left and right of them, in pixels.
const FOUR_CHARACTERS: i32 = 29;
const PADDING: i32 = 12;
/// Around the picture, so that the frames of boxes and what shows the focus are whole.
const MARGIN: i32 = 6;

/// One box.
struct Drawn {
    kind: Kind,
    fate: Fate,
    /// What it stands for, as it fits.
    label: String,
    /// The same in full, for who cannot see the picture.
    title: String,
    /// Where on the page it is told.
    target: Option<String>,
}

/// The picture, and what is to be said of it; nothing where a plan has fewer than two resources.
pub(super) fn section(plan: &Plan, anchors: &Anchors<'_>) -> Option<Markup> {
    let nodes = picture::of(plan);
    if nodes.len() < 2 {
        return None;
    }
    let edges = edges(&nodes);
    let (drawn, edges, aside) = if nodes.len() <= MOST {
        (nodes.iter().map(|node| single(node, anchors)).collect(), edges, None)
    } else {
        let (drawn, edges, aside) = grouped(&nodes, &edges, anchors);
        (drawn, edges, Some(aside))
    };
    Some(html! {
        p.quiet {
            "Arrows go from what comes first to what needs it; arrows that follow from others are left out."
            @if let Some(aside) = aside { " " (aside) }
        }
        div.scroll.graph tabindex="0" role="group" aria-label="Dependency graph" { (svg(&drawn, &edges)) }
    })
}

/// From what comes first to what needs it, by place. In a plan everything stands after what it needs; a file that says
/// otherwise loses that arrow.
fn edges(nodes: &[Node<'_>]) -> BTreeSet<(usize, usize)> {
    let places: BTreeMap<&Address, usize> =
        nodes.iter().enumerate().map(|(place, node)| (node.address, place)).collect();
    let needed = nodes.iter().enumerate().flat_map(|(place, node)| node.needs.iter().map(move |needs| (needs, place)));
    needed.filter_map(|(needs, place)| Some((*places.get(needs)?, place))).filter(|(from, to)| from < to).collect()
}

fn single(node: &Node<'_>, anchors: &Anchors<'_>) -> Drawn {
    let Node { address, kind, fate, needs: _ } = node;
    let title = value::name(&address.to_string());
    Drawn {
        kind: *kind,
        fate: *fate,
        label: ending(&title),
        title,
        target: anchors.of(address).map(|id| format!("#{id}")),
    }
}

/// A fleet as one box for all that are alike: in kind, in what happens to them, and in the column that they would stand in.
fn grouped(
    nodes: &[Node<'_>],
    edges: &BTreeSet<(usize, usize)>,
    anchors: &Anchors<'_>,
) -> (Vec<Drawn>, BTreeSet<(usize, usize)>, String) {
    let mut groups: BTreeMap<(usize, Kind, Fate), Vec<usize>> = BTreeMap::new();
    for (place, column) in columns(nodes.len(), edges).into_iter().enumerate() {
        groups.entry((column, nodes[place].kind, nodes[place].fate)).or_default().push(place);
    }
    let mut group_of: BTreeMap<usize, usize> = BTreeMap::new();
    let mut drawn = Vec::new();
    let mut left_out = 0;
    for ((_, kind, fate), members) in &groups {
        if drawn.len() == MOST {
            left_out += members.len();
            continue;
        }
        group_of.extend(members.iter().map(|member| (*member, drawn.len())));
        drawn.push(match members.as_slice() {
            [one] => single(&nodes[*one], anchors),
            [first, ..] => Drawn {
                label: format!("{} resources", members.len()),
                title: format!(
                    "{} resources, the first of them {}",
                    members.len(),
                    single(&nodes[*first], anchors).title
                ),
                target: anchors.of(nodes[*first].address).map(|id| format!("#{id}")),
                kind: *kind,
                fate: *fate,
            },
            [] => continue,
        });
    }
    let between = edges.iter().filter_map(|(from, to)| Some((*group_of.get(from)?, *group_of.get(to)?)));
    let edges = between.filter(|(from, to)| from != to).collect();
    let mut aside = format!(
        "{} resources are too many to draw one by one: a box stands for all that are of one kind, have the same done to \
         them, and stand equally far from the beginning. It leads to the first of them.",
        nodes.len()
    );
    match left_out {
        0 => {}
        1 => aside.push_str(" The last one did not fit, and is left out."),
        some => aside.push_str(&format!(" The last {some} of them did not fit, and are left out.")),
    }
    (drawn, edges, aside)
}

/// The end of a long label.
fn ending(label: &str) -> String {
    let length = label.chars().count();
    if length <= LONGEST {
        return label.to_owned();
    }
    let end: String = label.chars().skip(length + 1 - LONGEST).collect();
    format!("…{end}")
}

/// What stands above the label: `+ create · fluxConfiguration`.
fn heading(drawn: &Drawn) -> String {
    format!("{} {} · {}", drawn.fate.symbol(), words(drawn.fate).does, drawn.kind.noun()).trim_start().to_owned()
}

fn svg(drawn: &[Drawn], edges: &BTreeSet<(usize, usize)>) -> Markup {
    let longest = drawn.iter().flat_map(|one| [one.label.chars().count(), heading(one).chars().count()]).max();
    let longest = longest.and_then(|longest| i32::try_from(longest).ok()).unwrap_or(0);
    let sizes = Sizes { width: longest * FOUR_CHARACTERS / 4 + 2 * PADDING, height: 44, across: 40, down: 14 };
    let Layout { boxes, arrows, width, height } = layered(drawn.len(), edges, sizes);
    let (width, height) = (width + 2 * MARGIN, height + 2 * MARGIN);
    html! {
        svg viewBox={ (-MARGIN) " " (-MARGIN) " " (width) " " (height) } width=(width) height=(height)
            role="group" aria-labelledby="picture-title" {
            title #picture-title { "What depends on what" }
            defs {
                marker #arrow viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" orient="auto" {
                    path d="M0 0L8 4L0 8z" {}
                }
            }
            @for arrow in &arrows { path.arrow d=(curve(arrow)) marker-end="url(#arrow)" {} }
            @for (one, corner) in drawn.iter().zip(&boxes) {
                (NEW_LINE)
                @match &one.target {
                    Some(target) => a.node.(words(one.fate).class) href=(target) { (inside(one, *corner, sizes)) },
                    None => g.node.(words(one.fate).class) { (inside(one, *corner, sizes)) },
                }
            }
        }
    }
}

fn inside(drawn: &Drawn, corner: Point, sizes: Sizes) -> Markup {
    let Point { x, y } = corner;
    html! {
        title { (drawn.title) }
        rect x=(x) y=(y) width=(sizes.width) height=(sizes.height) rx="6" {}
        text.heading x=(x + PADDING) y=(y + 18) { (heading(drawn)) }
        text x=(x + PADDING) y=(y + 35) { (drawn.label) }
    }
}

/// A line through the points, bent where it leaves and enters a column.
fn curve(points: &[Point]) -> String {
    let mut path = String::new();
    for (position, point) in points.iter().enumerate() {
        let Point { x, y } = *point;
        match position.checked_sub(1).and_then(|before| points.get(before)) {
            None => path.push_str(&format!("M{x} {y}")),
            Some(before) if position % 2 == 1 => {
                let middle = (before.x + x) / 2;
                path.push_str(&format!("C{middle} {} {middle} {y} {x} {y}", before.y));
            }
            Some(_) => path.push_str(&format!("H{x}")),
        }
    }
    path
}
