//! Where on the page a resource is told.

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::address;
use crate::model::Address;
use crate::view::rows::Rows;

/// The ids of what is on the page: counted, never made of a name.
pub(super) struct Anchors<'a>(BTreeMap<&'a Address, String>);

impl<'a> Anchors<'a> {
    pub(super) fn of_rows(rows: &Rows<'a>) -> Self {
        let changes = rows.resources.iter().enumerate().map(|(place, one)| (one.address, change(place)));
        let waits = rows.waits.iter().enumerate().map(|(place, one)| (one.address, wait(place)));
        let deferred = rows.deferred.iter().enumerate().map(|(place, one)| (&one.address, self::deferred(place)));
        let mut ids = BTreeMap::new();
        for (address, id) in changes.chain(waits).chain(deferred) {
            ids.entry(address).or_insert(id);
        }
        Self(ids)
    }

    pub(super) fn of(&self, address: &Address) -> Option<&str> {
        self.0.get(address).map(String::as_str)
    }

    /// The address, and where it is told, a link there.
    pub(super) fn link(&self, to: &Address) -> Markup {
        html! {
            @match self.of(to) {
                Some(id) => a href={ "#" (id) } { (address(to)) },
                None => (address(to)),
            }
        }
    }
}

pub(super) fn change(place: usize) -> String {
    format!("change-{}", place + 1)
}

pub(super) fn wait(place: usize) -> String {
    format!("wait-{}", place + 1)
}

pub(super) fn deferred(place: usize) -> String {
    format!("deferred-{}", place + 1)
}
