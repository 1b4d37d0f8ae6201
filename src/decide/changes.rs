//! What came: some records of a peer. Absence means nothing here.

use alloc::vec::Vec;

use super::{
    consent::Excuse,
    line::Revision,
    row::{Quarantine, Row, destinations},
    slice::ReadSet,
};
use crate::values::{
    digest::Digest,
    id::{CollectionId, RecordId, ReplicaId},
    version::Version,
};

/// A version that the sender holds back.
#[derive(Debug, Clone, PartialEq)]
pub struct HeldVersion {
    /// What the sender would show if a person consented.
    pub hidden: Version,
    /// It was held as one of too many alike changes.
    pub mass: bool,
}

/// One record as a peer shows it. Its context speaks for this record only.
#[derive(Debug, Clone, PartialEq)]
pub struct Offer {
    /// The record.
    pub record: RecordId,
    /// What the peer shows.
    pub version: Version,
    /// What it holds back.
    pub held: Option<HeldVersion>,
    /// The answered line that brought it to this version.
    pub excuse: Option<Excuse>,
}

impl Offer {
    /// A row as its replica shows it to others: the stored version, and what is held back beside it.
    #[must_use]
    pub fn of(row: &Row) -> Self {
        let held = match &row.quarantine {
            Some(Quarantine::Version { hidden, mass, .. }) => Some(HeldVersion { hidden: hidden.clone(), mass: *mass }),
            Some(Quarantine::Beside { .. } | Quarantine::Removal { .. }) | None => None,
        };
        Self { record: row.record.clone(), version: row.version.clone(), held, excuse: row.excuse.clone() }
    }

    /// What the sender knows of the record: what it shows and what it holds back.
    #[must_use]
    pub fn known(&self) -> &Version {
        self.held.as_ref().map_or(&self.version, |held| &held.hidden)
    }
}

/// Some records of one collection, from one peer.
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
