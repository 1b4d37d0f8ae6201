//! Receipts in order, with what they replaced: what undo reads.

use alloc::{collections::BTreeMap, vec::Vec};

use serde::{Deserialize, Serialize};

use super::receipt::Receipt;
use crate::decide::{line::Revision, row::Former};
use crate::values::{id::RecordId, time::DayTick};

/// One commit: its receipt, and what it replaced.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// The receipt.
    pub receipt: Receipt,
    /// The day of the commit.
    pub tick: DayTick,
    /// What was there before, for every record whose version it changed.
    pub formers: Vec<Former>,
}

/// The receipts of one collection whose retention is not over. Nothing that sync replaced is dropped before that (S20).
///
/// ```
/// use holdfast::*;
/// # use std::collections::BTreeMap;
/// # let people = CollectionId::new("people")?;
/// # let id = RecordId::new("grace")?;
/// # let grace = |phone| BTreeMap::from([("name", "Grace"), ("phone", phone)]);
/// # let create = Write::create(people.clone(), id.clone(), &grace("1"), &Shape::new(), Cause::User)?;
/// # let at = Timestamp::from_micros;
/// # let mut device = Device::new(MemoryStore::device(), ReplicaId::from_entropy(1)?, Guard::default());
/// # device.write(&create, at(1))?;
/// let receipt = device.write(&Write::delete(people.clone(), id.clone(), Cause::User), at(2))?;
/// let name = receipt.id.expect("something was written");
/// assert_eq!(device.store().journal(&people).expect("a journal").iter().count(), 2);
///
/// device.undo(&name, "Ada", at(3))?;
/// assert_eq!(device.records(&people, None, 100)?, [id]);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Journal(BTreeMap<Revision, Entry>);

impl Entry {
    /// What it replaced of a record.
    #[must_use]
    pub fn former(&self, record: &RecordId) -> Option<&Former> {
        // A plan lists records in ascending order; where it does not, the record is looked for.
        let found = self.formers.binary_search_by(|former| former.record.cmp(record));
        found.ok().and_then(|at| self.formers.get(at)).or_else(|| self.formers.iter().find(|f| f.record == *record))
    }
}

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

    /// The commit that led to a revision.
    #[must_use]
    pub fn at(&self, revision: Revision) -> Option<&Entry> {
        self.0.get(&revision)
    }

    /// The commits, oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Entry> {
        self.0.values()
    }
}
