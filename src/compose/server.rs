//! A server replica: it takes in what devices push, and shows what it has. It authors nothing.

use alloc::vec::Vec;

use super::{
    converse::{self, ServeFailed},
    explain::Explanation,
    rebuild::RebuildReport,
    round::{self, RoundError},
    serve::{Call, Serving},
};
use crate::act::{receipt::Receipt, store::Store};
use crate::decide::{
    changes::{Acknowledgement, Changes},
    guard::{Guard, Inputs},
    line::{Hold, Revision},
    slice::{Query, ReadSet},
};
use crate::values::{
    id::{CollectionId, RecordId, ReplicaId},
    time::Day,
};

/// A server's replica of one account, over a store.
///
/// ```
/// use holdfast::{decide::line::Revision, *};
/// # use std::collections::BTreeMap;
/// # let people = CollectionId::new("people")?;
/// # let id = RecordId::new("grace")?;
/// # let grace = |phone| BTreeMap::from([("name", "Grace"), ("phone", phone)]);
/// # let create = Write::create(people.clone(), id.clone(), &grace("1"), &Shape::new(), Cause::User)?;
/// # let at = Timestamp::from_micros;
/// # let mut ada = Device::new(MemoryStore::device(), ReplicaId::from_entropy(1)?, Guard::default());
/// # let mut ben = Device::new(MemoryStore::device(), ReplicaId::from_entropy(2)?, Guard::default());
/// # let round = |n| Inputs::new(RoundId(n), Trust::Account);
/// # ada.write(&create, at(1))?;
/// let mut server = Server::new(MemoryStore::server(), ReplicaId::from_entropy(9)?, Guard::default());
/// let (receipt, known) = server.take_in(ada.pending(&people, 100)?, &round(1))?;
/// assert_eq!(receipt.to_string(), "people: 1 added");
/// ada.acknowledged(&known)?;
/// assert!(ada.pending(&people, 100)?.offers.is_empty());
///
/// ben.take_in(server.since(&people, Revision::default(), 100)?, &round(2))?;
/// assert_eq!(ben.records(&people, None, 100)?, [id]);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
///
/// It authors nothing: it can not write, answer or undo. A device can.
///
/// ```compile_fail
/// # use holdfast::{act::memory::MemoryStore, compose::server::Server, decide::write::Write, values::time::Timestamp};
/// fn write(server: &mut Server<MemoryStore>, write: &Write, at: Timestamp) { let _ = server.write(write, at); }
/// ```
///
/// ```compile_fail
/// # use holdfast::{act::memory::MemoryStore, compose::server::Server, decide::line::Hold, values::time::Timestamp};
/// fn consent(server: &mut Server<MemoryStore>, hold: &Hold, at: Timestamp) {
///     let _ = server.consent(&hold.collection, hold.digest, "ada", at);
/// }
/// ```
///
/// ```compile_fail
/// # use holdfast::{act::memory::MemoryStore, compose::server::Server, decide::line::Hold, values::time::Timestamp};
/// fn keep(server: &mut Server<MemoryStore>, hold: &Hold, at: Timestamp) {
///     let _ = server.keep(&hold.collection, hold.digest, "ada", at);
/// }
/// ```
///
/// ```compile_fail
/// # use holdfast::{act::{memory::MemoryStore, receipt::ReceiptId}, compose::server::Server, values::time::Timestamp};
/// fn undo(server: &mut Server<MemoryStore>, id: &ReceiptId, at: Timestamp) { let _ = server.undo(id, "ada", at); }
/// ```
///
/// ```
/// # use holdfast::{act::{memory::MemoryStore, receipt::ReceiptId}, compose::device::Device};
/// # use holdfast::{decide::{line::Hold, write::Write}, values::time::Timestamp};
/// fn write(device: &mut Device<MemoryStore>, write: &Write, at: Timestamp) { let _ = device.write(write, at); }
/// fn consent(device: &mut Device<MemoryStore>, hold: &Hold, at: Timestamp) {
///     let _ = device.consent(&hold.collection, hold.digest, "ada", at);
/// }
/// fn keep(device: &mut Device<MemoryStore>, hold: &Hold, at: Timestamp) {
///     let _ = device.keep(&hold.collection, hold.digest, "ada", at);
/// }
/// fn undo(device: &mut Device<MemoryStore>, id: &ReceiptId, at: Timestamp) { let _ = device.undo(id, "ada", at); }
/// ```
#[derive(Debug, Clone)]
pub struct Server<S> {
    store: S,
    replica: ReplicaId,
    guard: Guard,
}

impl<S: Store> Server<S> {
    /// A server replica; its store keeps each collection by itself.
    #[must_use]
    pub const fn new(store: S, replica: ReplicaId, guard: Guard) -> Self {
        Self { store, replica, guard }
    }

    /// Serves one frame of a device, as it came over the network: for each request in it, reads, decides, commits and replies.
    ///
    /// Any bytes get a reply; what can not be read is refused in words. A store that fails has no reply of its own:
    ///
    /// ```
    /// use holdfast::{compose::converse::ServeFailed, *};
    ///
    /// fn answer<S: Store>(server: &mut Server<S>, frame: &[u8], call: Call<'_>) -> Result<Vec<u8>, ServeFailed<S::Error>> {
    ///     server.serve(frame, &call).or_else(|_failed| {
    ///         let access = Access::Unavailable { retry_after_seconds: 60 }; // nothing is read for it
    ///         server.serve(frame, &Call { access, ..call })
    ///     })
    /// }
    /// ```
    ///
    /// # Errors
    /// [`ServeFailed`]: the host tells the device that it is unavailable, never that it is empty.
    pub fn serve(&mut self, frame: &[u8], call: &Call<'_>) -> Result<Vec<u8>, ServeFailed<S::Error>> {
        converse::serve(&mut self.store, frame, &Serving { server: self.replica, guard: &self.guard, call })
    }

    /// Takes in what a device pushed, and names what it now knows of it.
    ///
    /// # Errors
    /// [`RoundError`]; nothing was changed.
    pub fn take_in(
        &mut self,
        changes: Changes,
        inputs: &Inputs<'_>,
    ) -> Result<(Receipt, Acknowledgement), RoundError<S::Error>> {
        let collection = changes.collection.clone();
        let records = changes.offers.iter().map(|offer| offer.record.clone()).collect();
        let receipt = round::take_in(&mut self.store, &self.guard, changes, inputs)?;
        // It is taken in. What can not be read back now is not named, and comes again.
        let known = round::acknowledge(&self.store, self.replica, &collection, records);
        let known = known.map_or_else(|_| Vec::new(), |acknowledgement| acknowledgement.known);
        let is_refused = |record: &RecordId| receipt.refused.iter().any(|(refused, _)| refused == record);
        let known = known.into_iter().filter(|(record, _)| !is_refused(record)).collect();
        Ok((receipt, Acknowledgement { from: self.replica, collection, known }))
    }

    /// What has changed after a revision: whole commits, until there are `limit` records or more.
    ///
    /// # Errors
    /// The store's own; nothing was changed.
    pub fn since(&self, collection: &CollectionId, after: Revision, limit: usize) -> Result<Changes, S::Error> {
        let mut changes = round::show(&self.store, self.replica, collection, Query::Since { after, limit })?;
        if changes.offers.is_empty() {
            let head = self.store.read(&ReadSet::head(collection.clone()))?.head.revision;
            if after > head {
                // This store has never been there: nothing that it has is known to have been taken.
                return round::show(
                    &self.store,
                    self.replica,
                    collection,
                    Query::Since { after: Revision::default(), limit },
                );
            }
        }
        changes.upto = changes.upto.max(Some(after));
        Ok(changes)
    }

    /// Lets a day pass in a collection, see [`round::pass_day`].
    ///
    /// # Errors
    /// [`RoundError`]; nothing was changed.
    pub fn pass_day(
        &mut self,
        collection: &CollectionId,
        today: Day,
        retention_days: u64,
    ) -> Result<Receipt, RoundError<S::Error>> {
        round::pass_day(&mut self.store, &self.guard, collection, today, retention_days)
    }

    /// How a collection is rebuilt after a loss; `None` if nothing of it was ever lost.
    ///
    /// ```
    /// use holdfast::*;
    /// # use std::{collections::BTreeMap, io};
    /// # let (account, people, grace) = (AccountId::new("us")?, CollectionId::new("people")?, RecordId::new("grace")?);
    /// # let key = PositionKey::new([7; 32]);
    /// # let mut phone = Device::new(MemoryStore::device(), ReplicaId::from_entropy(1)?, Guard::default());
    /// # let empty = || Ok::<_, IdError>(Server::new(MemoryStore::server(), ReplicaId::from_entropy(9)?, Guard::default()));
    /// # let sync = |phone: &mut Device<MemoryStore>, server: &mut Server<MemoryStore>, turn: u8| {
    /// #     let random = Entropy::new(core::array::from_fn(|place| turn ^ place as u8))?;
    /// #     let mut session = DeviceSession::open(phone.opening(account.clone(), vec![people.clone()]), &random);
    /// #     phone.converse(&mut session, |request| {
    /// #         server.serve(request, &Call::new(&account, &key, random.clone())).map_err(io::Error::other)
    /// #     })?;
    /// #     Ok::<(), Box<dyn std::error::Error>>(())
    /// # };
    /// # let card = BTreeMap::from([("name", "Grace")]);
    /// # phone.write(&Write::create(people.clone(), grace, &card, &Shape::new(), Cause::User)?, Timestamp::from_micros(1))?;
    /// let mut server = empty()?;
    /// sync(&mut phone, &mut server, 1)?;
    /// assert!(server.rebuild(&people)?.is_none());
    ///
    /// let mut server = empty()?; // the disks were lost, and the key was not
    /// sync(&mut phone, &mut server, 2)?;
    /// let report = server.rebuild(&people)?.expect("a loss");
    /// assert!(report.to_string().contains("has brought 1 record, 0 deletes and 0 questions; that is all"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The store's own; nothing was changed.
    pub fn rebuild(&self, collection: &CollectionId) -> Result<Option<RebuildReport>, S::Error> {
        Ok(RebuildReport::of(&self.store.read(&ReadSet::head(collection.clone()))?))
    }

    /// The open hold of a collection, if there is one. A device answers it.
    ///
    /// # Errors
    /// The store's own; nothing was changed.
    pub fn hold(&self, collection: &CollectionId) -> Result<Option<Hold>, S::Error> {
        round::open_hold(&self.store, collection)
    }

    /// Why a record is as it is; `None` if it was never seen.
    ///
    /// # Errors
    /// The store's own; nothing was changed.
    pub fn explain(&self, collection: &CollectionId, record: &RecordId) -> Result<Option<Explanation>, S::Error> {
        let set = ReadSet::head(collection.clone()).with_records([record.clone()]);
        Ok(self.store.read(&set)?.rows.remove(record).map(|row| Explanation::of(&row)))
    }

    /// This replica.
    #[must_use]
    pub const fn replica(&self) -> ReplicaId {
        self.replica
    }

    /// The store.
    #[must_use]
    pub const fn store(&self) -> &S {
        &self.store
    }
}
