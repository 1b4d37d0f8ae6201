//! A store in memory whose ledger can go missing.

use std::{cell::Cell, convert::Infallible, rc::Rc};

use holdfast::act::{
    memory::MemoryStore,
    plan::Batch,
    store::{CommitError, Store},
};
use holdfast::decide::slice::{ReadSet, Slice};

/// Which ledger can not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Missing {
    #[default]
    Nothing,
    Collection,
    Account,
}

/// The store of every replica in a scenario.
#[derive(Debug)]
pub struct Shelf {
    memory: MemoryStore,
    missing: Rc<Cell<Missing>>,
}

impl Shelf {
    pub fn new(memory: MemoryStore) -> Self {
        Self { memory, missing: Rc::default() }
    }

    /// A copy of what is stored, as a backup or a restart reads it.
    pub fn copy(&self) -> MemoryStore {
        self.memory.clone()
    }

    /// From now on this ledger can not be read.
    pub fn lose(&self, missing: Missing) {
        self.missing.set(missing);
    }
}

impl Store for Shelf {
    type Error = Infallible;

    fn read(&self, set: &ReadSet) -> Result<Slice, Infallible> {
        let mut slice = self.memory.read(set)?;
        match (self.missing.get(), &mut slice.account) {
            (Missing::Collection, _) => slice.ledger = None,
            (Missing::Account, Some(account)) => account.ledger = None,
            (Missing::Nothing | Missing::Account, _) => {}
        }
        Ok(slice)
    }

    fn commit(&mut self, batch: Batch) -> Result<(), CommitError<Infallible>> {
        self.memory.commit(batch)
    }
}
