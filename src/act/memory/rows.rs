//! Rows by record id.

use alloc::{
    boxed::Box,
    collections::{BTreeMap, btree_map::Entry},
};
use core::{mem, ops::Bound};

use crate::decide::{reconcile::Span, row::Row};
use crate::values::id::RecordId;

/// The rows of a collection, ascending by id. They are boxed, so that the nodes of the tree stay small.
#[derive(Debug, Clone, Default)]
pub(super) struct Rows(BTreeMap<Key, Box<Row>>);

/// An id behind its first bytes. They order as the id does, and stand in the nodes of the tree: a search leaves a node
/// only where they are alike.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    start: u128,
    id: RecordId,
}

impl Key {
    fn of(id: &RecordId) -> Self {
        let mut start = [0; 16];
        start.iter_mut().zip(id.as_str().bytes()).for_each(|(to, byte)| *to = byte);
        Self { start: u128::from_be_bytes(start), id: id.clone() }
    }
}

impl Rows {
    pub(super) fn get(&self, id: &RecordId) -> Option<&Row> {
        self.0.get(&Key::of(id)).map(|row| &**row)
    }

    /// All of them, ascending by id.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Row> {
        self.0.values().map(|row| &**row)
    }

    /// Puts a row in its place, and says which one was there.
    pub(super) fn put(&mut self, row: Row) -> (Option<Row>, &Row) {
        match self.0.entry(Key::of(&row.record)) {
            Entry::Vacant(place) => (None, place.insert(Box::new(row))),
            Entry::Occupied(place) => {
                let place = place.into_mut();
                (Some(mem::replace(&mut **place, row)), place)
            }
        }
    }

    /// The ids behind `after`, ascending; all of them if it is `None`.
    pub(super) fn ids_after(&self, after: Option<&RecordId>) -> impl Iterator<Item = &RecordId> {
        let start = after.map_or(Bound::Unbounded, |id| Bound::Excluded(Key::of(id)));
        self.0.range((start, Bound::Unbounded)).map(|(key, _)| &key.id)
    }

    /// The rows of a range, ascending by id.
    pub(super) fn within<'r>(&'r self, span: &'r Span) -> impl Iterator<Item = &'r Row> {
        let start = span.after.as_ref().map_or(Bound::Unbounded, |id| Bound::Excluded(Key::of(id)));
        let rows = self.0.range((start, Bound::Unbounded)).map(|(_, row)| &**row);
        rows.take_while(|row| span.until.as_ref().is_none_or(|until| row.record <= *until))
    }
}
