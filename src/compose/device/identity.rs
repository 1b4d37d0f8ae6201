//! Who this device is: the id of its installation, and what the store wrote under another one.

use alloc::vec::Vec;

use super::Device;
use crate::act::{
    apply::apply,
    plan::Plan,
    receipt::Receipt,
    store::{CommitError, Store},
};
use crate::decide::{
    draft::Draft,
    slice::{Query, ReadSet},
    takeover::TakeOverError,
};
use crate::values::id::{CollectionId, ReplicaId};

/// Why a store's writes are not taken over. Nothing was changed in that collection.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TakeOverFailed<E> {
    /// They can not be.
    #[error(transparent)]
    TakeOver(#[from] TakeOverError),
    /// The store could not be read.
    #[error("the store could not be read; nothing was changed; try again")]
    Read(#[source] E),
    /// The store could not be written.
    #[error(transparent)]
    Commit(#[from] CommitError<E>),
}

impl<S: Store> Device<S> {
    /// Under which replica id this store has written in a collection; `None` if it has not.
    ///
    /// # Errors
    /// The store's, if it can not be read.
    pub fn author(&self, collection: &CollectionId) -> Result<Option<ReplicaId>, S::Error> {
        let head = self.store.read(&ReadSet::head(collection.clone()))?.head;
        Ok(head.author.map(|author| author.replica))
    }

    /// Makes what this store has written under another id this device's own: in one commit, without a change of what is shown.
    ///
    /// Two installations must never write under one id: two different writes would have one name, and one of them would be
    /// taken for the other (S5). So the host keeps the id of an installation where no backup reaches: a restored or copied
    /// store then meets a device with another id, refuses to be written
    /// ([`WriteError::AnotherAuthor`](crate::decide::author::WriteError::AnotherAuthor)), and is taken over, collection by
    /// collection, before anything else. A device that learns of a
    /// [`Conflict`](crate::decide::authorship::Conflict) takes a new id by [`rotate`](Self::rotate).
    ///
    /// What the server is known to have keeps its name. All other writes get this device's id, under the same counters and with
    /// the same contents; where the former installation has sent them meanwhile, both stand side by side, and equal
    /// values show as one. Questions about such records lapse, and are asked again where they still stand. Does nothing where
    /// there is nothing to take over.
    ///
    /// ```
    /// use holdfast::*;
    /// # #[derive(serde::Serialize)] struct Person { name: &'static str }
    /// let people = CollectionId::new("people")?;
    /// # let write = Write::create(people.clone(), RecordId::new("grace")?, &Person { name: "Grace" }, &Shape::new(), Cause::User)?;
    /// # let at = Timestamp::from_micros(1);
    /// let [old, new] = [ReplicaId::from_entropy(1)?, ReplicaId::from_entropy(2)?]; // at random, one for each installation
    /// let mut phone = Device::new(MemoryStore::device(), old, Guard::default());
    /// phone.write(&write, at)?;
    /// let backup = phone.store().clone();
    /// // The new phone starts from the backup. Its id was not in it.
    /// let mut phone = Device::new(backup, new, Guard::default());
    /// assert_eq!(phone.author(&people)?, Some(old));
    /// phone.take_over(&people)?;
    /// assert_eq!(phone.author(&people)?, Some(new));
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`TakeOverFailed`]; nothing was changed.
    pub fn take_over(&mut self, collection: &CollectionId) -> Result<Option<Receipt>, TakeOverFailed<S::Error>> {
        let Some(draft) = self.takeover(collection, self.replica)? else { return Ok(None) };
        Ok(Some(apply(Plan::new(self.guard.review_own(draft)), &mut self.store)?))
    }

    fn takeover(&self, collection: &CollectionId, by: ReplicaId) -> Result<Option<Draft>, TakeOverFailed<S::Error>> {
        let read = |query| self.store.read(&ReadSet::head(collection.clone()).with_query(query));
        let mut slice = read(Query::Pending { after: None, limit: usize::MAX }).map_err(TakeOverFailed::Read)?;
        let failed = read(Query::Failed { limit: usize::MAX }).map_err(TakeOverFailed::Read)?;
        slice.rows.extend(failed.rows);
        Ok(Draft::of_takeover(slice, by)?)
    }

    /// Neither the id that is known to be in use elsewhere, which would change nothing, nor one that was used here.
    fn may_rotate(&self, collection: &CollectionId, to: ReplicaId) -> Result<(), TakeOverFailed<S::Error>> {
        let head = self.store.read(&ReadSet::head(collection.clone())).map_err(TakeOverFailed::Read)?.head;
        let conflict = head.server.and_then(|server| server.conflict);
        if conflict.is_some_and(|conflict| conflict.replica == to) {
            return Err(TakeOverError::UsedBefore { collection: collection.clone(), found: to }.into());
        }
        self.takeover(collection, to).map(drop)
    }

    /// Takes a new id, and takes over what was written under the old one in these collections: all that the store has.
    ///
    /// The host keeps the new id first, where it kept the old one. If the store fails half-way, or this is cut off, the rest is
    /// taken over later: collections that are done stay done.
    ///
    /// # Errors
    /// [`TakeOverFailed`] of the first collection that fails. Where the id was used before in any of them, nothing was changed
    /// in all of them, and the device keeps the id that it had. Where the store fails, that collection is as it was, and
    /// [`replica`](Self::replica) tells whether the device has the new id.
    pub fn rotate<'c>(
        &mut self,
        to: ReplicaId,
        collections: impl IntoIterator<Item = &'c CollectionId>,
    ) -> Result<Vec<Receipt>, TakeOverFailed<S::Error>> {
        let collections: Vec<&CollectionId> = collections.into_iter().collect();
        collections.iter().try_for_each(|collection| self.may_rotate(collection, to))?;
        self.replica = to;
        let receipts = collections.into_iter().map(|collection| self.take_over(collection));
        receipts.filter_map(Result::transpose).collect()
    }
}
