//! What never gives way in a comment: why a plan cannot be applied, and what is lost by it. Each is named as long as there
//! is room at all; how much is said beside the names depends on the room.

use std::collections::BTreeMap;

use super::super::groups::{self, Group};
use super::super::rows::Resource;
use super::super::style::bounded;
use super::changes::place;
use super::inert::{beginning, code, sentence_within};
use super::list::{Item, List};
use super::page::Place;
use super::sections::{LeftOut, about, left_out};
use crate::model::Address;
use crate::plan::{Action, Consequence, Refusal};

/// How much is said of each thing, in characters of its sentences: from the least to the most.
const LENGTHS: [usize; 3] = [100, 300, usize::MAX];

/// More names than this stand folded.
const UNFOLDED: usize = 10;

/// Why the plan cannot be applied, when it cannot: the same sentence once.
pub(super) fn refusals(refusals: &[Refusal]) -> Option<List> {
    let mut groups: Vec<(&Refusal, Vec<&Address>)> = Vec::new();
    let mut seen: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for refusal in refusals {
        match seen.get(&(refusal.message.as_str(), refusal.hint.as_str())).and_then(|place| groups.get_mut(*place)) {
            Some((_, addresses)) => addresses.extend(&refusal.address),
            None => {
                seen.insert((&refusal.message, &refusal.hint), groups.len());
                groups.push((refusal, refusal.address.iter().collect()));
            }
        }
    }
    let item = |(Refusal { code: name, message, hint, .. }, addresses): &(&Refusal, Vec<&Address>)| {
        let names = Names::of(addresses, |address| code(&address.to_string()));
        let bare = |most: usize| format!("> - {}: {}\n{}", names.lead(most), code(name), names.fold(most));
        let told = LENGTHS.map(|most| {
            let (why, hint) = (sentence_within(message, most), sentence_within(hint, most));
            format!("> - {}: {why}\n>   - Hint: {hint}\n{}", names.lead(usize::MAX), names.fold(usize::MAX))
        });
        Item::essential(names.growing(0).into_iter().map(bare).collect(), told.into())
    };
    let items: Vec<Item> = groups.iter().map(item).collect();
    let head = "> [!CAUTION]\n> **This plan cannot be applied as it is.**\n>\n".to_owned();
    (!items.is_empty()).then(|| quoted(Place::Refused, 2, head, items))
}

/// What is deleted, replaced or pruned, and what that means.
pub(super) struct Losses<'r, 'a> {
    pub(super) list: List,
    groups: Vec<Group<'r, 'a>>,
}

impl<'r, 'a> Losses<'r, 'a> {
    /// Of the resources of a plan, where something is lost.
    pub(super) fn of(resources: &'r [Resource<'a>]) -> Option<Self> {
        let losing: Vec<&Resource<'_>> = resources
            .iter()
            .filter(|one| goes(one.action) || one.effects.iter().any(Consequence::is_destructive))
            .collect();
        if losing.is_empty() {
            return None;
        }
        let mut groups = groups::of(losing.iter().copied());
        groups.sort_by_key(|group| weight(group.first));
        let items = groups.iter().map(item).collect();
        let head = format!("> [!WARNING]\n> **Destructive: {}.**\n>\n", summary(&losing));
        Some(Self { list: quoted(Place::Destroyed, 3, head, items), groups })
    }

    /// The first of each group of which every name was said in a list of its own; `said` tells of which all was said.
    pub(super) fn named(&self, said: &[bool]) -> Vec<&'r Address> {
        let groups = self.groups.iter().zip(said).filter(|(group, said)| **said && group.count() > UNFOLDED);
        groups.map(|(group, _)| group.first.address).collect()
    }
}

fn goes(action: Action) -> bool {
    action == Action::Delete || action == Action::Replace
}

/// What loses most comes first.
fn weight(resource: &Resource<'_>) -> u8 {
    match (goes(resource.action), resource.destroys()) {
        (true, _) => 0,
        (false, true) => 1,
        (false, false) => 2,
    }
}

fn summary(losing: &[&Resource<'_>]) -> String {
    let count = |action: Action| losing.iter().filter(|one| one.action == action).count();
    let parts = [(count(Action::Delete), "destroyed"), (count(Action::Replace), "replaced")];
    let mut parts: Vec<String> =
        parts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
    match losing.iter().filter(|one| !goes(one.action)).count() {
        0 => {}
        1 => parts.push("1 change deletes workloads".to_owned()),
        many => parts.push(format!("{many} changes delete workloads")),
    }
    parts.join(", ")
}

fn item(group: &Group<'_, '_>) -> Item {
    let Resource { action, verb, effects, .. } = group.first;
    let members: Vec<&Address> = group.members().map(|one| one.address).collect();
    let names = Names::of(&members, |address| code(&place(address)));
    let told: Vec<&Consequence> = effects.iter().filter(|effect| goes(*action) || effect.is_destructive()).collect();
    let losing: Vec<&str> = told.iter().flat_map(|effect| effect.losing()).collect();
    let bare = |most: usize| {
        let what = match (losing.as_slice(), told.first()) {
            ([], Some(effect)) if most > 0 => format!(": {}", sentence_within(&effect.message, LENGTHS[0])),
            ([], _) => ".".to_owned(),
            (_, _) if most == 0 => ".".to_owned(),
            (losing, _) => format!("; the workloads of {} go", some(losing, most, |name| code(name))),
        };
        format!("> - {} {verb}{what}\n{}", names.lead(most), names.fold(most))
    };
    let longer = LENGTHS.map(|most| {
        let effects: String = told.iter().map(|effect| format!(">   - {}\n", effect_within(effect, most))).collect();
        let end = if effects.is_empty() { "." } else { ":" };
        format!("> - {} {verb}{end}\n{effects}{}", names.lead(usize::MAX), names.fold(usize::MAX))
    });
    let essential = std::iter::once(0).chain(names.growing(losing.len().max(1)));
    Item::essential(essential.map(bare).collect(), longer.into())
}

/// What an effect means, in so many characters: also then all kustomizations are named that lose their workloads.
fn effect_within(effect: &Consequence, most: usize) -> String {
    let shown = bounded(&beginning(&effect.message, most));
    let names = effect.losing_beyond(&shown);
    if names.is_empty() {
        return sentence_within(&effect.message, most);
    }
    format!("{}: {}", some(&names, usize::MAX, |name| code(name)), sentence_within(&effect.message, most))
}

/// The first names, and how many more.
fn some<T>(names: &[T], most: usize, shown: impl Fn(&T) -> String) -> String {
    let first: Vec<String> = names.iter().take(most.max(1)).map(shown).collect();
    match names.len().saturating_sub(first.len()) {
        0 => first.join(", "),
        more => format!("{} and {more} more", first.join(", ")),
    }
}

/// The names of what an item is about.
struct Names {
    /// As an item begins.
    first: String,
    /// As they stand in a row: all of them, or none where `first` says all there is.
    all: Vec<String>,
    /// As they stand folded.
    folded: Vec<String>,
}

impl Names {
    fn of(addresses: &[&Address], short: impl Fn(&Address) -> String) -> Self {
        let is_long = addresses.len() > UNFOLDED;
        Self {
            first: about(addresses),
            all: if is_long { Vec::new() } else { addresses.iter().map(|one| code(&one.to_string())).collect() },
            folded: if is_long { addresses.iter().map(|one| short(one)).collect() } else { Vec::new() },
        }
    }

    /// How many names are said, from form to form: twice as many each time, until all are, and also `others` beside them.
    fn growing(&self, others: usize) -> Vec<usize> {
        let all = self.all.len().max(self.folded.len()).max(others).max(1);
        let doubled = std::iter::successors(Some(1_usize), |most| most.checked_mul(2));
        doubled.take_while(|most| *most < all).chain([all]).collect()
    }

    /// The beginning of an item.
    fn lead(&self, most: usize) -> String {
        if self.all.is_empty() { self.first.clone() } else { some(&self.all, most, Clone::clone) }
    }

    /// All of them folded, where they are too many for its beginning.
    fn fold(&self, most: usize) -> String {
        if self.folded.is_empty() || most == 0 {
            return String::new();
        }
        let shown: Vec<&str> = self.folded.iter().take(most).map(String::as_str).collect();
        let left = left_out(shown.len(), self.folded.len(), LeftOut::InQuote);
        let title = format!("> <details><summary>All {} of them</summary>\n>\n", self.folded.len());
        format!("{title}> {}\n{left}>\n> </details>\n>\n", shown.join(", "))
    }
}

/// A list in a block of quotes.
pub(super) fn quoted(place: Place, parts: usize, head: String, items: Vec<Item>) -> List {
    let tail = |shown, all| format!("{}\n", left_out(shown, all, LeftOut::InQuote));
    List { place, parts, head, items, tail: Box::new(tail) }
}
