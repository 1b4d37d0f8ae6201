//! A device that talks to a server over a network.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::{Device, RoundError};
use crate::act::{apply::apply, plan::Plan, receipt::Receipt, store::Store};
use crate::decide::{
    acknowledge::LeaveError,
    draft::Draft,
    history::Acknowledged,
    refusal::Refusal,
    row::{Quarantine, Row},
    slice::{Query, ReadSet},
};
use crate::values::id::{CollectionId, RecordId, ReplicaId};

/// How a record's last local change stands with the server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum ChangeState {
    /// The server has not named it as its own yet.
    Pending,
    /// The server has named it as durable, under this lineage (S8).
    Acknowledged(Option<Acknowledged>),
    /// The server does not take it. It is not lost, and is sent again when it changes or the server does.
    Failed(Refusal),
    /// It waits for a person's answer, here.
    Held,
}

impl ChangeState {
    fn of(row: &Row) -> Self {
        match (&row.quarantine, &row.failed, row.is_pending) {
            (Some(Quarantine::Version { .. } | Quarantine::Proposal { .. }), ..) => Self::Held,
            (_, Some(refusal), _) => Self::Failed((**refusal).clone()),
            (_, None, true) => Self::Pending,
            (_, None, false) => Self::Acknowledged(row.acknowledged),
        }
    }
}

/// Why a device did not leave a collection. Nothing was changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LeaveFailed<E> {
    /// Something would be lost.
    #[error(transparent)]
    Leave(#[from] LeaveError),
    /// The round did not take place.
    #[error(transparent)]
    Round(#[from] RoundError<E>),
}

impl<S: Store> Device<S> {
    /// How a record's last change stands with the server; `None` if there is no such record.
    ///
    /// # Errors
    /// The store's own; nothing was changed.
    pub fn state(&self, collection: &CollectionId, record: &RecordId) -> Result<Option<ChangeState>, S::Error> {
        Ok(self.row(collection, record)?.as_ref().map(ChangeState::of))
    }

    /// The records that the server does not take, and why.
    ///
    /// # Errors
    /// The store's own; nothing was changed.
    pub fn failed(&self, collection: &CollectionId) -> Result<Vec<(RecordId, Refusal)>, S::Error> {
        let query = Query::Failed { limit: usize::MAX };
        let slice = self.store.read(&ReadSet::head(collection.clone()).with_query(query))?;
        let failed = |row: Row| row.failed.map(|refusal| (row.record, *refusal));
        Ok(slice.rows.into_values().filter_map(failed).collect())
    }

    /// "The server lost it, this device is right": nothing counts as known to be on the server any more, so that the next
    /// session compares everything that is here and sends what the server lacks. Additions and edits of other devices are taken in as always.
    ///
    /// Nothing is removed, emptied or overwritten on this device by what the server shows until that session is over: all
    /// of that becomes questions, each of which a person answers. Nothing is removed from the server either: where it has
    /// newer writes than this device, they stay, and are asked about here.
    ///
    /// ```
    /// use holdfast::*;
    /// # use std::{collections::BTreeMap, io};
    /// # let (account, people, grace) = (AccountId::new("us")?, CollectionId::new("people")?, RecordId::new("grace")?);
    /// # let (key, at) = (PositionKey::new([7; 32]), Timestamp::from_micros);
    /// # let phone = |n| Ok::<_, IdError>(Device::new(MemoryStore::device(), ReplicaId::from_entropy(n)?, Guard::default()));
    /// # let (mut ada, mut ben) = (phone(1)?, phone(2)?);
    /// # let mut server = Server::new(MemoryStore::server(), ReplicaId::from_entropy(9)?, Guard::default());
    /// # let mut turn = 0;
    /// # let mut sync = |phone: &mut Device<MemoryStore>| {
    /// #     turn += 1;
    /// #     let random = Entropy::new(core::array::from_fn(|place| turn ^ place as u8))?;
    /// #     let mut session = DeviceSession::open(phone.opening(account.clone(), vec![people.clone()]), &random);
    /// #     phone.converse(&mut session, |request| {
    /// #         server.serve(request, &Call::new(&account, &key, random.clone())).map_err(io::Error::other)
    /// #     })?;
    /// #     Ok::<(), Box<dyn std::error::Error>>(())
    /// # };
    /// # let card = BTreeMap::from([("name", "Grace")]);
    /// # ada.write(&Write::create(people.clone(), grace.clone(), &card, &Shape::new(), Cause::User)?, at(1))?;
    /// # sync(&mut ada)?;
    /// # sync(&mut ben)?;
    /// ben.write(&Write::delete(people.clone(), grace.clone(), Cause::User), at(2))?;
    /// sync(&mut ben)?;
    ///
    /// ada.reseed(&people)?;
    /// sync(&mut ada)?;
    /// assert!(ada.read::<BTreeMap<String, String>>(&people, &grace, &Shape::new())?.is_some()); // still here ..
    /// let hold = ada.hold(&people)?.expect("a question"); // .. and asked about
    /// ada.keep(&people, hold.digest, "Ada", at(3))?;
    /// sync(&mut ada)?;
    /// sync(&mut ben)?;
    /// assert_eq!(ben.records(&people, None, 100)?, [grace]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`RoundError`]; nothing was changed.
    pub fn reseed(&mut self, collection: &CollectionId) -> Result<Receipt, RoundError<S::Error>> {
        let all = ReadSet::head(collection.clone()).with_query(Query::ALL).with_staged(ReplicaId::THIS_DEVICE);
        let slice = self.store.read(&all).map_err(RoundError::Read)?;
        Ok(apply(Plan::new(self.guard.review_own(Draft::of_reseed(slice))), &mut self.store)?)
    }

    /// Leaves a collection: its records go from this device, and from nowhere else. Nothing is deleted, here or anywhere; to
    /// subscribe again brings them back.
    ///
    /// # Errors
    /// [`LeaveFailed`]; nothing was changed. What the server does not have, or what waits for an answer, would be lost.
    pub fn leave(&mut self, collection: &CollectionId) -> Result<Receipt, LeaveFailed<S::Error>> {
        let head = || ReadSet::head(collection.clone());
        let read = |query| self.store.read(&head().with_query(query).with_staged(ReplicaId::THIS_DEVICE));
        let unsent = read(Query::Pending { after: None, limit: usize::MAX }).map_err(RoundError::Read)?;
        let failed = read(Query::Failed { limit: usize::MAX }).map_err(RoundError::Read)?;
        let unsent_records = unsent.found.len().saturating_add(failed.found.len());
        let draft = Draft::of_leaving(unsent, unsent_records)?;
        Ok(apply(Plan::new(self.guard.review_own(draft)), &mut self.store).map_err(RoundError::Commit)?)
    }
}
