//! A comment while it is put together: pieces find room in the order of their weight, and stand in the order in which
//! they are read.

use std::collections::BTreeMap;

use super::Budget;
use super::budget::Room;
use super::list::{Item, List};

/// Where a piece stands, in the order in which a comment is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    /// The headline.
    Head,
    /// What failed, or was not begun.
    Failed,
    /// What else there is to say of a run.
    Run,
    /// The beginning of what is folded.
    Opening,
    /// Why the plan cannot be applied.
    Refused,
    /// What is lost.
    Destroyed,
    /// What somebody should look at.
    Warnings,
    /// What was changed outside.
    Drifted,
    /// The changes with one action.
    Changes(usize, Row),
    /// What is waited for.
    Waits,
    /// What is left for another time.
    Deferred,
    /// What is worth knowing.
    Notes,
    /// What the spec does not name.
    Unmanaged,
    /// The picture.
    Graph,
    /// What an apply takes.
    Estimate,
    /// The end of what is folded.
    Closing,
    /// How to apply, and what the plan binds to.
    Foot,
}

/// Where a piece stands among the changes with one action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Row {
    /// The table.
    Table,
    /// What changes in detail, for one change after the other.
    Detail(usize, Detail),
    /// What of it has found no room.
    LeftOut,
}

/// A part of what changes in detail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Detail {
    /// The fields.
    Fields,
    /// The names of all clusters.
    Names,
    /// The end.
    End,
}

/// A comment while it is put together.
pub(super) struct Page {
    room: Room,
    /// What room is kept for.
    held: Room,
    pieces: BTreeMap<Place, String>,
    is_whole: bool,
}

impl Page {
    /// An empty one, with room kept for `reserved`, which is added by whoever takes the page.
    pub(super) fn new(budget: Budget, reserved: &str) -> Self {
        let mut room = Room::of(budget);
        let is_whole = room.take(reserved);
        Self { room, held: Room::default(), pieces: BTreeMap::new(), is_whole }
    }

    /// Adds a piece, where there is room for it.
    pub(super) fn put(&mut self, place: Place, text: &str) -> bool {
        let fits = self.room.take(text);
        if fits {
            self.pieces.entry(place).or_default().push_str(text);
        }
        self.is_whole &= fits;
        fits
    }

    /// Adds pieces that need each other, where there is room for all of them.
    pub(super) fn put_all(&mut self, pieces: &[(Place, &str)]) -> bool {
        let mut room = self.room;
        let fits = pieces.iter().all(|(_, text)| room.take(text));
        self.is_whole &= fits;
        fits && pieces.iter().all(|(place, text)| self.put(*place, text))
    }

    /// Keeps room for a piece that may come later.
    pub(super) fn hold(&mut self, text: &str) {
        self.keep(Room::for_text(text));
    }

    /// Keeps room for what a list is there for, in at most half of what is left.
    pub(super) fn hold_for(&mut self, list: &List) {
        self.keep(list.essence().at_most(self.room.part(2)));
    }

    /// Keeps room for what a list says at least: what it is about, and how much of it there is.
    pub(super) fn hold_for_frame(&mut self, list: &List) {
        self.keep(list.frame());
    }

    fn keep(&mut self, room: Room) {
        if let Some(left) = self.room.without(room) {
            self.room = left;
            self.held = self.held.and(room);
        }
    }

    /// Gives back all the room that was kept.
    pub(super) fn release(&mut self) {
        self.room = self.room.and(std::mem::take(&mut self.held));
    }

    /// Adds the items of a list that find room, each in the longest form that does. Tells of which all was said that must
    /// be.
    pub(super) fn list(&mut self, list: &List) -> Vec<bool> {
        let List { place, parts, head, items, tail } = list;
        let chosen = list.chosen(self.room, *parts);
        let said = |(item, form): (&Item, &Option<usize>)| form.is_some_and(|form| form + 1 >= item.essential.max(1));
        let shown: Vec<&str> =
            items.iter().zip(&chosen).filter_map(|(item, form)| Some(item.forms.get((*form)?)?.as_str())).collect();
        let text = format!("{head}{}{}", shown.concat(), tail(shown.len(), items.len()));
        self.is_whole &=
            items.iter().zip(&chosen).all(|(item, form)| form.is_some_and(|form| form + 1 == item.forms.len()));
        self.put(*place, &text);
        items.iter().zip(&chosen).map(said).collect()
    }

    /// How many of the first lines find room in what is left, beside `frame`.
    pub(super) fn fit(&self, frame: &str, lines: &[String]) -> usize {
        let mut room = self.room;
        if !room.take(frame) {
            return 0;
        }
        lines.iter().take_while(|line| room.take(line)).count()
    }

    /// Whether all of `texts` find room in what is left.
    pub(super) fn has_room_for<'t>(&self, texts: impl Iterator<Item = &'t str>) -> bool {
        let mut room = self.room;
        texts.into_iter().all(|text| room.take(text))
    }

    /// Whether there is something at a place.
    pub(super) fn has(&self, place: Place) -> bool {
        self.pieces.contains_key(&place)
    }

    /// Something has found no room, or not all of it.
    pub(super) fn lacks(&mut self) {
        self.is_whole = false;
    }

    /// Everything in order, and whether that is all there was.
    pub(super) fn finish(self) -> (String, bool) {
        (self.pieces.into_values().collect(), self.is_whole)
    }
}
