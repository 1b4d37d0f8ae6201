//! What a replica holds of one record.

use serde::{Deserialize, Serialize};

use super::{consent::Excuse, harm::Harm, ledger::FirstSeen, line::Revision};
use crate::values::{
    digest::Digest,
    id::{CollectionId, RecordId, ReplicaId},
    record::Life,
    register::Cause,
    time::DayTick,
    version::Version,
};

/// Where a record stands in its replica's base.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Standing {
    /// Alive: in the base.
    Visible,
    /// Dead by sync, and nobody has answered for it: in the base.
    Hidden,
    /// Dead by this replica's own person, by an answered loss, or on arrival: not in the base.
    Gone,
}

/// A loss that nobody has answered for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Lost {
    /// The commit that took it.
    pub at: Revision,
    /// Nobody authored it.
    pub unauthored: bool,
}

/// What waits beside the stored version.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Quarantine {
    /// A version that would be a loss, or one of too many alike changes.
    Version {
        /// The stored version joined with all that came: what consent would store.
        hidden: Version,
        /// It was held as one of too many alike changes, so only harmlessness releases it.
        mass: bool,
        /// Its open line.
        line: u64,
    },
    /// A version that is stored here and that a peer holds.
    Beside {
        /// What the peer shows.
        held: Version,
        /// What the peer would show.
        hidden: Version,
        /// The peer.
        from: ReplicaId,
        /// Its open line.
        line: u64,
    },
    /// A removal that has no dot yet.
    Removal {
        /// The version it is about.
        base: Digest,
        /// Who proposed it.
        cause: Cause,
        /// Its open line.
        line: u64,
    },
}

impl Quarantine {
    /// The number of its open line.
    #[must_use]
    pub const fn line(&self) -> u64 {
        match self {
            Self::Version { line, .. } | Self::Beside { line, .. } | Self::Removal { line, .. } => *line,
        }
    }
}

/// All that a replica holds of one record.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Row {
    /// The record.
    pub record: RecordId,
    /// What is stored and shown.
    pub version: Version,
    /// What waits beside it.
    pub quarantine: Option<Quarantine>,
    /// Its standing in the base.
    pub standing: Standing,
    /// What sync took from it, unanswered.
    pub lost: Option<Lost>,
    /// The last answered line, which travels with the record.
    pub excuse: Option<Excuse>,
    /// Its place in first-seen order.
    pub first_seen: FirstSeen,
    /// The commit that last changed what peers should know of it.
    pub changed_at: Revision,
    /// Whether the peer has not yet named this version as its own.
    pub is_pending: bool,
    /// When it died here.
    pub died_at: Option<DayTick>,
}

impl Row {
    /// What this replica knows of the record: the stored version joined with what waits beside it.
    #[must_use]
    pub const fn known(&self) -> &Version {
        match &self.quarantine {
            Some(Quarantine::Version { hidden, .. }) => hidden,
            Some(Quarantine::Beside { .. } | Quarantine::Removal { .. }) | None => &self.version,
        }
    }

    /// Whether it is in the base.
    #[must_use]
    pub const fn is_in_base(&self) -> bool {
        match self.standing {
            Standing::Visible | Standing::Hidden => true,
            Standing::Gone => false,
        }
    }

    /// Whether it counts as spent on the floor, the zero rule and the until-answered budget.
    #[must_use]
    pub const fn is_spent(&self) -> bool {
        self.lost.is_some() || matches!(self.quarantine, Some(Quarantine::Version { .. } | Quarantine::Removal { .. }))
    }

    /// Whether it is spent by something that nobody authored: taken, or held and unanswered.
    #[must_use]
    pub fn is_spent_unauthored(&self) -> bool {
        let is_held = match &self.quarantine {
            Some(Quarantine::Version { hidden, .. }) => Harm::between(&self.version, hidden, None, false).is_unauthored,
            Some(Quarantine::Removal { cause, .. }) => *cause == Cause::Listing,
            Some(Quarantine::Beside { .. }) | None => false,
        };
        is_held || self.lost.is_some_and(|lost| lost.unauthored)
    }
}

/// What a record was before a receipt, for undoing it.
#[derive(Debug, Clone, PartialEq)]
pub struct Former {
    /// The record.
    pub record: RecordId,
    /// What was stored; `None` if there was no record.
    pub before: Option<Version>,
    /// What the receipt left.
    pub after: Digest,
}

/// Where a version says that its record was moved to.
pub(super) fn destinations(version: &Version) -> impl Iterator<Item = (CollectionId, RecordId)> {
    version.life().siblings().iter().filter_map(|sibling| match &sibling.value {
        Life::Deleted { moved: Some(to) } => Some((to.collection.clone(), to.record.clone())),
        Life::Deleted { moved: None } | Life::Alive { .. } => None,
    })
}
