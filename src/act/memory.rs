//! The reference store: everything in memory, every index in O(log n).

mod collection;
#[cfg(feature = "testing")]
mod damage;
mod ranks;
mod rows;
mod saved;

use alloc::collections::BTreeMap;
use core::convert::Infallible;

use super::{
    journal::Journal,
    plan::Batch,
    store::{CommitError, Store},
};
use crate::decide::{
    ledger::{FirstSeen, Ledger},
    row::Row,
    slice::{Account, AccountHead, ReadSet, Slice},
};
use crate::values::id::CollectionId;
use collection::Collection;
use ranks::Ranks;

/// A store in memory, for tests, examples and small hosts. Cloning it is a backup; by serde it becomes a file and is read
/// back as it was.
///
/// ```
/// use holdfast::{act::{memory::MemoryStore, store::Store}, decide::slice::ReadSet, values::id::CollectionId};
/// let store = MemoryStore::device();
/// let slice = store.read(&ReadSet::head(CollectionId::new("people")?))?;
/// assert_eq!(slice.head.revision.0, 0);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct MemoryStore {
    collections: BTreeMap<CollectionId, Collection>,
    account: Option<AccountState>,
    generation: u64,
}

#[derive(Debug, Clone, Default)]
struct AccountState {
    head: AccountHead,
    ranks: Ranks,
    ledger: Ledger,
    /// The place that the next new record will take, over all collections.
    next_place: FirstSeen,
}

impl MemoryStore {
    /// An empty store of a device: it also keeps the ledger of the whole account.
    #[must_use]
    pub fn device() -> Self {
        Self { collections: BTreeMap::new(), account: Some(AccountState::default()), generation: 0 }
    }

    /// An empty store of a server: each collection stands alone.
    #[must_use]
    pub const fn server() -> Self {
        Self { collections: BTreeMap::new(), account: None, generation: 0 }
    }

    /// Says that this store was restored from a backup, or may have been: each collection begins another lineage before it
    /// answers again (S7). To say it too often costs each device one more request; to forget it is noticed by the devices.
    pub const fn restored(&mut self) {
        self.generation = self.generation.saturating_add(1);
    }

    /// The collections that it holds.
    pub fn collections(&self) -> impl Iterator<Item = &CollectionId> {
        self.collections.keys()
    }

    /// The receipts of a collection, while their retention lasts.
    #[must_use]
    pub fn journal(&self, collection: &CollectionId) -> Option<&Journal> {
        self.collections.get(collection).map(|held| &held.journal)
    }
}

impl Store for MemoryStore {
    type Error = Infallible;

    fn read(&self, set: &ReadSet) -> Result<Slice, Infallible> {
        let mut slice = match self.collections.get(&set.collection) {
            Some(collection) => collection.read(set),
            None => Slice::empty(set.collection.clone()),
        };
        slice.generation = self.generation;
        if let Some(account) = &self.account {
            slice.account = Some(Account { head: account.head.clone(), ledger: Some(account.ledger.clone()) });
            slice.next_place = account.next_place;
        }
        for (collection, record) in &set.moved {
            let row = self.collections.get(collection).and_then(|held| held.rows.get(record));
            slice.moved.extend(row.map(|row| ((collection.clone(), record.clone()), Row::clone(row))));
        }
        Ok(slice)
    }

    fn commit(&mut self, batch: Batch) -> Result<(), CommitError<Infallible>> {
        let moved = |expected, found| {
            let collection = batch.collection.clone();
            (expected != found).then_some(CommitError::Moved { collection, expected, found })
        };
        let found = self.collections.get(&batch.collection).map(|held| held.head.revision).unwrap_or_default();
        let account = self.account.as_ref().map(|account| account.head.revision);
        let expected_account = batch.account.as_ref().map(|(revision, _)| *revision);
        let stale = moved(batch.expects, found)
            .or_else(|| moved(expected_account.unwrap_or_default(), account.unwrap_or_default()));
        if let Some(stale) = stale {
            return Err(stale);
        }
        // Nothing below can fail.
        let collection = self.collections.entry(batch.collection.clone()).or_default();
        let ranks = self.account.as_mut().map(|account| {
            let seen = batch.rows.iter().filter(|row| row.first_seen != FirstSeen::NEVER);
            let places = seen.map(|row| FirstSeen(row.first_seen.0.saturating_add(1)));
            account.next_place = places.fold(account.next_place, FirstSeen::max);
            if let Some((_, head)) = &batch.account {
                account.head = head.clone();
            }
            &mut account.ranks
        });
        collection.commit(batch, ranks);
        if let Some(account) = &mut self.account {
            account.note_ledger();
        }
        Ok(())
    }
}

impl AccountState {
    fn note_ledger(&mut self) {
        if let Some(ledger) = self.ranks.news(FirstSeen) {
            self.ledger = ledger;
        }
    }
}

/// What a row counts for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Marks {
    base: bool,
    visible: bool,
    spent: bool,
    unauthored: bool,
}

impl Marks {
    fn of(row: Option<&Row>) -> Self {
        row.map_or_else(Self::default, |row| Self {
            base: row.is_in_base(),
            visible: row.version.is_alive(),
            spent: row.is_spent(),
            unauthored: row.is_spent_unauthored(),
        })
    }
}
