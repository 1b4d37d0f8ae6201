//! One record as a replica shows it to another.

use serde::{Deserialize, Serialize};

use super::{
    consent::Excuse,
    position::Tag,
    row::{Quarantine, Row},
};
use crate::values::{id::RecordId, version::Version};

/// A version that the sender holds back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HeldVersion {
    /// What the sender would show if a person consented.
    pub hidden: Version,
    /// It was held as one of too many alike changes.
    pub mass: bool,
}

/// One record as a peer shows it. Its context speaks for this record only.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Offer {
    /// The record.
    pub record: RecordId,
    /// What the peer shows.
    pub version: Version,
    /// What it holds back.
    pub held: Option<HeldVersion>,
    /// The answered line that brought it to this version.
    pub excuse: Option<Excuse>,
    /// Of a dead record: the server's tag on this certificate. A device sends it back to a server that lost the delete.
    pub delete_tag: Option<Tag>,
}

impl Offer {
    /// A row as its replica shows it to others: the stored version, and what is held back beside it.
    #[must_use]
    pub fn of(row: &Row) -> Self {
        let held = match &row.quarantine {
            Some(Quarantine::Version { hidden, mass, .. }) => Some(HeldVersion { hidden: hidden.clone(), mass: *mass }),
            Some(Quarantine::Beside { .. } | Quarantine::Proposal { .. }) | None => None,
        };
        let delete_tag = row.delete_tag.filter(|_| held.is_none());
        let (record, version, excuse) = (row.record.clone(), row.version.clone(), row.excuse.clone());
        Self { record, version, held, excuse, delete_tag }
    }

    /// What the sender knows of the record: what it shows and what it holds back.
    #[must_use]
    pub fn known(&self) -> &Version {
        self.held.as_ref().map_or(&self.version, |held| &held.hidden)
    }
}
