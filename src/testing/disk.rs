//! A store that can go down around a commit, and tells what was committed.

use alloc::vec::Vec;

use crate::act::{
    memory::MemoryStore,
    plan::Batch,
    store::{CommitError, Store},
};
use crate::decide::{
    row::Row,
    slice::{Head, Query, ReadSet, Slice},
};
use crate::values::id::CollectionId;

/// When the host goes down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Crash {
    /// The batch is lost.
    Before,
    /// The batch is durable, and nobody was told.
    After,
}

/// The host went down.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the host went down")]
pub(crate) struct Down;

/// What one commit did.
#[derive(Debug, Clone)]
pub(crate) struct Commit {
    pub(crate) collection: CollectionId,
    pub(crate) before: Head,
    pub(crate) after: Head,
    pub(crate) rows: Vec<(Option<Row>, Row)>,
    /// The rows that went with the collection, where it was left.
    pub(crate) left: Vec<Row>,
}

/// A store in memory behind a host that goes down.
#[derive(Debug, Clone)]
pub(crate) struct Disk {
    pub(crate) store: MemoryStore,
    /// Around the next commit.
    pub(crate) crash: Option<Crash>,
    /// Since it was asked last.
    pub(crate) commits: Vec<Commit>,
    /// It has gone down.
    pub(crate) is_down: bool,
}

impl Disk {
    pub(crate) const fn new(store: MemoryStore) -> Self {
        Self { store, crash: None, commits: Vec::new(), is_down: false }
    }

    pub(crate) fn slice(&self, set: &ReadSet) -> Slice {
        let Ok(slice) = self.store.read(set);
        slice
    }

    pub(crate) fn head(&self, collection: &CollectionId) -> Head {
        self.slice(&ReadSet::head(collection.clone())).head
    }

    pub(crate) fn rows(&self, collection: &CollectionId) -> Vec<Row> {
        let all = ReadSet::head(collection.clone()).with_query(Query::ALL);
        self.slice(&all).rows.into_values().collect()
    }
}

impl Store for Disk {
    type Error = Down;

    fn read(&self, set: &ReadSet) -> Result<Slice, Down> {
        Ok(self.slice(set))
    }

    fn commit(&mut self, batch: Batch) -> Result<(), CommitError<Down>> {
        let crash = self.crash.take();
        self.is_down |= crash.is_some();
        if crash == Some(Crash::Before) {
            return Err(CommitError::Store(Down));
        }
        let records = batch.rows.iter().map(|row| row.record.clone());
        let before = self.slice(&ReadSet::head(batch.collection.clone()).with_records(records));
        let left = if batch.leaves { self.rows(&batch.collection) } else { Vec::new() };
        let after = batch.rows.iter().map(|row| (before.rows.get(&row.record).cloned(), row.clone()));
        let commit = Commit {
            collection: batch.collection.clone(),
            before: before.head.clone(),
            after: batch.head.clone(),
            rows: after.collect(),
            left,
        };
        match self.store.commit(batch) {
            Ok(()) => self.commits.push(commit),
            Err(CommitError::Moved { collection, expected, found }) => {
                return Err(CommitError::Moved { collection, expected, found });
            }
            Err(CommitError::Store(never)) => match never {},
        }
        if crash.is_some() { Err(CommitError::Store(Down)) } else { Ok(()) }
    }
}
