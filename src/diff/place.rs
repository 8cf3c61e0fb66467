//! A place in a body, as the rules of its kind see it.

use crate::model::{Habit, Rules};

/// A place in a body, with what the rules say about it and about everything below it. A table is read once, so that
/// each step into a body is one look-up.
#[derive(Debug)]
pub(super) struct Place {
    habit: Option<Habit>,
    /// The position of the first rule that is about it or leads through it.
    rank: usize,
    /// Whether this is an entry of a map of the user's own, or an item of a list.
    is_entry: bool,
    /// Whether this is one, or lies in one.
    in_entry: bool,
    members: Vec<(&'static str, Self)>,
    /// What the rules say about any member or item that they do not name.
    any: Option<Box<Self>>,
}

/// Where no rule leads.
static UNKNOWN: Place = Place::at(usize::MAX, false, false);

impl Place {
    const fn at(rank: usize, is_entry: bool, in_entry: bool) -> Self {
        Self { habit: None, rank, is_entry, in_entry, members: Vec::new(), any: None }
    }

    /// The top of a body.
    pub(super) fn top(rules: Rules) -> Self {
        let mut top = Self::at(0, false, false);
        for (rank, rule) in rules.iter().enumerate() {
            let place = rule.segments().fold(&mut top, |place, step| place.enter(step, rank));
            // Of two rules about one field the first one counts.
            place.habit.get_or_insert(rule.habit);
        }
        top
    }

    fn enter(&mut self, step: &'static str, rank: usize) -> &mut Self {
        if step == "*" {
            return self.any.get_or_insert_with(|| Box::new(Self::at(rank, true, true)));
        }
        let position = self.members.iter().position(|(key, _)| *key == step).unwrap_or_else(|| {
            self.members.push((step, Self::at(rank, false, self.in_entry)));
            self.members.len() - 1
        });
        &mut self.members[position].1
    }

    /// The member `key` of this object.
    pub(super) fn member(&self, key: &str) -> &Self {
        let named = self.members.iter().find(|(name, _)| *name == key).map(|(_, member)| member);
        named.unwrap_or_else(|| self.item())
    }

    /// Any item of this list.
    pub(super) fn item(&self) -> &Self {
        self.any.as_deref().unwrap_or(&UNKNOWN)
    }

    /// What the service does to it, when a rule names it.
    pub(super) const fn habit(&self) -> Option<Habit> {
        self.habit
    }

    /// Whether this is an entry of a map of the user's own, or an item of a list: that it is there says something, even
    /// when it is empty.
    pub(super) const fn is_entry(&self) -> bool {
        self.is_entry
    }

    /// Whether a rule names something below it.
    pub(super) fn leads_on(&self) -> bool {
        self.any.is_some() || !self.members.is_empty()
    }

    /// Whether a rule names it or something below it.
    pub(super) fn is_known(&self) -> bool {
        self.habit.is_some() || self.leads_on()
    }

    /// Whether something below it is kept as found even when the wanted body does not have this place itself.
    pub(super) fn keeps_below(&self) -> bool {
        fn keeps(place: &Place) -> bool {
            place.habit.is_some_and(Habit::keeps_found) || below(place)
        }
        fn below(place: &Place) -> bool {
            place.members.iter().any(|(_, member)| keeps(member)) || place.any.as_deref().is_some_and(keeps)
        }
        !self.in_entry && below(self)
    }

    /// Where it stands among its like: in the order of the rules, what no rule knows at the end.
    pub(super) const fn rank(&self) -> usize {
        self.rank
    }
}
