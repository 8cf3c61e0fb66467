//! Lists that have to find room. No item hides the others: one that is too long is said in fewer words, and one that has
//! no room in any words lets those after it have theirs.

use super::budget::Room;
use super::page::Place;

/// An item of a list in one form or in several: each says more than the one before it, and needs more room.
pub(super) struct Item {
    pub(super) forms: Vec<String>,
    /// How many of the first forms are what the list is there for: they may take all the room that is left.
    pub(super) essential: usize,
}

impl Item {
    /// One that gives way like everything else. `shorter` is said instead when it is too long to stand among others.
    pub(super) fn bounded(text: String, shorter: impl FnOnce() -> String) -> Self {
        let text = if text.len() > LONGEST { shorter() } else { text };
        Self { forms: vec![text], essential: 0 }
    }

    /// One that is short.
    pub(super) fn short(text: String) -> Self {
        Self { forms: vec![text], essential: 0 }
    }

    /// One that does not give way: `essential` is what is said of it as long as there is room at all, `longer` what is said
    /// where there is more.
    pub(super) fn essential(essential: Vec<String>, longer: Vec<String>) -> Self {
        let count = essential.len();
        Self { forms: essential.into_iter().chain(longer).collect(), essential: count }
    }
}

/// The longest item that stands beside others, in bytes.
const LONGEST: usize = 3000;

/// The end of a list, by how many of how many items are shown.
pub(super) type Tail = Box<dyn Fn(usize, usize) -> String>;

/// A list that is to find room.
pub(super) struct List {
    pub(super) place: Place,
    /// It takes one of so many equal parts of the room that is left, beside what is essential in it.
    pub(super) parts: usize,
    pub(super) head: String,
    pub(super) items: Vec<Item>,
    /// What ends it.
    pub(super) tail: Tail,
}

impl List {
    /// Head and tail, with the longest that the tail can be.
    pub(super) fn frame(&self) -> Room {
        let all = self.items.len();
        Room::for_text(&self.head).and(Room::for_text(&(self.tail)(all.saturating_sub(1), all)))
    }

    /// What its essential forms need.
    pub(super) fn essence(&self) -> Room {
        let forms = self.items.iter().filter_map(|item| item.forms.get(item.essential.checked_sub(1)?));
        forms.fold(self.frame(), |room, form| room.and(Room::for_text(form)))
    }

    /// Which form of each item is shown, in `room`. Bare names come first, then what else is essential, then as much as
    /// a part of the room takes: a little of every item before more of the first.
    pub(super) fn chosen(&self, room: Room, parts: usize) -> Vec<Option<usize>> {
        let nothing = vec![None; self.items.len()];
        let Some(left) = room.without(self.frame()) else { return nothing };
        let mut fitting = Fitting { items: &self.items, left, chosen: nothing };
        // What cannot be said whole leaves something for what comes after it.
        let kept = if room.without(self.essence()).is_some() { Room::default() } else { left.part(4) };
        let most = |count: fn(&Item) -> usize| self.items.iter().map(count).max().unwrap_or(0);
        for form in 0..most(|item| item.essential) {
            let kept = if form == 0 { Room::default() } else { kept };
            fitting.lengthen(form, kept, |item| form < item.essential);
        }
        let kept = fitting.left.without(fitting.left.part(parts)).unwrap_or_default();
        for form in 0..most(|item| item.forms.len()) {
            fitting.lengthen(form, kept, |item| form >= item.essential);
        }
        fitting.chosen
    }
}

struct Fitting<'i> {
    items: &'i [Item],
    left: Room,
    chosen: Vec<Option<usize>>,
}

impl Fitting<'_> {
    /// Gives every item for which `is_meant` this form, as far as `kept` stays free.
    fn lengthen(&mut self, form: usize, kept: Room, is_meant: impl Fn(&Item) -> bool) {
        for (item, chosen) in self.items.iter().zip(&mut self.chosen) {
            // An item that has no room for its name has none for more.
            let Some(text) = item.forms.get(form).filter(|_| is_meant(item) && (form == 0 || chosen.is_some())) else {
                continue;
            };
            let before = chosen.and_then(|before| item.forms.get(before)).map_or("", String::as_str);
            let free = self.left.and(Room::for_text(before));
            if let Some(left) = free.without(Room::for_text(text))
                && left.without(kept).is_some()
            {
                self.left = left;
                *chosen = Some(form);
            }
        }
    }
}
