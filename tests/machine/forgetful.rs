//! A store in memory whose ledger can be lost.

use std::{cell::RefCell, collections::BTreeSet, convert::Infallible};

use holdfast::{
    act::{
        journal::Entry,
        memory::MemoryStore,
        plan::Batch,
        receipt::ReceiptId,
        store::{CommitError, Store},
    },
    decide::{
        row::Former,
        slice::{ReadSet, Slice},
    },
    values::id::CollectionId,
};

/// [`MemoryStore`], until told to lose a collection's ledger: then it says so until the next commit, which notes it.
pub(crate) struct Forgetful {
    store: MemoryStore,
    lost: RefCell<BTreeSet<CollectionId>>,
}

impl Forgetful {
    pub(crate) fn device() -> Self {
        Self { store: MemoryStore::device(), lost: RefCell::default() }
    }

    pub(crate) fn server() -> Self {
        Self { store: MemoryStore::server(), lost: RefCell::default() }
    }

    pub(crate) fn lose_ledger(&self, collection: CollectionId) {
        self.lost.borrow_mut().insert(collection);
    }

    /// The n-th last commit that changed what some record is.
    pub(crate) fn nth_last_change(&self, collection: &CollectionId, nth: usize) -> Option<ReceiptId> {
        let changed = |entry: &&Entry| {
            let before = |former: &Former| former.before.as_ref().map(|v| v.digest());
            entry.formers.iter().any(|former| before(former) != Some(former.after))
        };
        self.store.journal(collection)?.iter().rev().filter(changed).nth(nth)?.receipt.id.clone()
    }
}

impl Store for Forgetful {
    type Error = Infallible;

    fn read(&self, set: &ReadSet) -> Result<Slice, Infallible> {
        let mut slice = self.store.read(set)?;
        slice.head.is_ledger_lost |= self.lost.borrow().contains(&set.collection);
        Ok(slice)
    }

    fn commit(&mut self, batch: Batch) -> Result<(), CommitError<Infallible>> {
        self.lost.borrow_mut().remove(&batch.collection);
        self.store.commit(batch)
    }
}
