//! What came: some records of a peer. Absence means nothing here.

use alloc::vec::Vec;

use super::{line::Revision, offer::Offer, row::destinations, slice::ReadSet};
use crate::values::{
    digest::Digest,
    id::{CollectionId, RecordId, ReplicaId},
};

/// Some records of one collection, from one peer.
///
/// ```
/// use holdfast::{decide::{changes::Changes, offer::Offer}, *};
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
/// let all = ada.pending(&people, 100)?;
/// let one = Offer::of(&ada.row(&people, &id)?.expect("Grace"));
/// assert_eq!(all.offers, [one]);
///
/// ben.take_in(all, &round(1))?;
/// ben.take_in(Changes::none(ada.replica(), people.clone()), &round(2))?; // what is not named is not removed
/// assert_eq!(ben.records(&people, None, 100)?, [id]);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Changes {
    /// Who sends.
    pub from: ReplicaId,
    /// The collection.
    pub collection: CollectionId,
    /// The records, in any order.
    pub offers: Vec<Offer>,
    /// All that the sender has changed up to here, since what the receiver has taken, is in `offers` or was before.
    pub upto: Option<Revision>,
}

impl Changes {
    /// Nothing, from `from`.
    #[must_use]
    pub const fn none(from: ReplicaId, collection: CollectionId) -> Self {
        Self { from, collection, offers: Vec::new(), upto: None }
    }

    /// What a replica must read before it can compare these changes with what it holds.
    #[must_use]
    pub fn read_set(&self) -> ReadSet {
        let moved = self.offers.iter().flat_map(|offer| destinations(offer.known()));
        let records = self.offers.iter().map(|offer| offer.record.clone());
        ReadSet::head(self.collection.clone()).with_records(records).with_moved(moved)
    }
}

/// What a replica has taken in of a peer's changes: by record, the version that it now knows.
///
/// "Synced" means that the peer has named the version as durable, not that a message was sent (S8).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acknowledgement {
    /// Who acknowledges.
    pub from: ReplicaId,
    /// The collection.
    pub collection: CollectionId,
    /// By record, the digest of what is known of it there.
    pub known: Vec<(RecordId, Digest)>,
}
