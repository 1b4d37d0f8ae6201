//! What a database must be able to do: two methods, and no verb that destroys.

use super::plan::Batch;
use crate::decide::{
    line::Revision,
    slice::{ReadSet, Slice},
};
use crate::values::id::CollectionId;

/// A database that holds replicas. Reading and committing are all it does; deciding is elsewhere.
///
/// # Contract
/// - [`read`](Self::read) answers from one consistent moment. Of a collection that it does not hold it answers
///   [`Slice::empty`] (with the account's part, on a device).
/// - [`commit`](Self::commit) writes all of a batch or nothing, and only if the collection is at the revision that the
///   batch expects. Data, counters, ledger, lines, journal and the taken positions of peers move together.
/// - The ledger is computed from the rows that were committed: [`Row::is_in_base`](crate::decide::row::Row::is_in_base),
///   [`Row::is_spent`](crate::decide::row::Row::is_spent), and prefixes of 8, 16, 32 .. of the base in first-seen order, as
///   long as they are smaller than the base. Rows at [`FirstSeen::NEVER`](crate::decide::ledger::FirstSeen::NEVER) are in
///   no base. A store that can not vouch for it answers `None`.
///
/// ```
/// use core::{cell::Cell, convert::Infallible};
/// use holdfast::{MemoryStore, Store, act::{plan::Batch, store::CommitError}, decide::slice::{ReadSet, Slice}};
///
/// /// Counts what reaches the database.
/// struct Counting {
///     inner: MemoryStore,
///     reads: Cell<u32>,
///     commits: u32,
/// }
///
/// impl Store for Counting {
///     type Error = Infallible;
///
///     fn read(&self, set: &ReadSet) -> Result<Slice, Infallible> {
///         self.reads.set(self.reads.get() + 1);
///         self.inner.read(set)
///     }
///
///     fn commit(&mut self, batch: Batch) -> Result<(), CommitError<Infallible>> {
///         self.commits += 1;
///         self.inner.commit(batch)
///     }
/// }
///
/// # use holdfast::*;
/// # let people = CollectionId::new("people")?;
/// let store = Counting { inner: MemoryStore::device(), reads: Cell::new(0), commits: 0 };
/// let mut device = Device::new(store, ReplicaId::from_entropy(1)?, Guard::default());
/// let none = Write::delete_many(people, Vec::new(), Cause::User);
/// device.write(&none, Timestamp::from_micros(1))?;
/// assert_eq!((device.store().reads.get(), device.store().commits), (1, 0)); // nothing to do writes nothing
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
pub trait Store {
    /// What the database itself can fail with.
    type Error: core::error::Error;

    /// What was asked for, from one moment.
    ///
    /// # Errors
    /// The database's own. Nothing was changed.
    fn read(&self, set: &ReadSet) -> Result<Slice, Self::Error>;

    /// All of the batch, or nothing.
    ///
    /// # Errors
    /// [`CommitError`]; nothing was changed.
    fn commit(&mut self, batch: Batch) -> Result<(), CommitError<Self::Error>>;
}

impl<S: Store + ?Sized> Store for &mut S {
    type Error = S::Error;

    fn read(&self, set: &ReadSet) -> Result<Slice, Self::Error> {
        (**self).read(set)
    }

    fn commit(&mut self, batch: Batch) -> Result<(), CommitError<Self::Error>> {
        (**self).commit(batch)
    }
}

/// Why a batch was not committed. Nothing was changed; read again, and draft again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CommitError<E> {
    /// Somebody else has committed since the slice was read.
    #[error("expected '{collection}' at revision {}, found {}; nothing was changed; read and draft again", expected.0, found.0)]
    Moved {
        /// The collection.
        collection: CollectionId,
        /// The revision of the slice.
        expected: Revision,
        /// The revision now.
        found: Revision,
    },
    /// The database failed.
    #[error(transparent)]
    Store(E),
}
