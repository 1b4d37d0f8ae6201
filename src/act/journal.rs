//! Receipts in order, with what they replaced: what undo reads.

use alloc::{collections::BTreeMap, vec::Vec};

use super::receipt::{Receipt, ReceiptId};
use crate::decide::{answer::Former, line::Revision};
use crate::values::time::DayTick;

/// One commit: its receipt, and what it replaced.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The receipt.
    pub receipt: Receipt,
    /// The day of the commit.
    pub tick: DayTick,
    /// What was there before, for every record whose version it changed.
    pub formers: Vec<Former>,
}

/// The receipts of one collection whose retention is not over. Nothing that sync replaced is dropped before that (S20).
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Journal(BTreeMap<Revision, Entry>);

impl Journal {
    /// Adds a commit. Receipts of commits that wrote nothing are not kept.
    pub fn append(&mut self, entry: Entry) {
        if let Some(id) = &entry.receipt.id {
            self.0.insert(id.revision, entry);
        }
    }

    /// Drops the commits of `tick` and before.
    pub fn forget_until(&mut self, tick: DayTick) {
        self.0.retain(|_, entry| entry.tick > tick);
    }

    /// The commit that a receipt names.
    #[must_use]
    pub fn get(&self, id: &ReceiptId) -> Option<&Entry> {
        self.0.get(&id.revision).filter(|entry| entry.receipt.collection == id.collection)
    }

    /// The commits, oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Entry> {
        self.0.values()
    }
}
