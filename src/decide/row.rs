//! What a replica holds of one record.

use alloc::{
    boxed::Box,
    collections::{BTreeMap, btree_map::Entry},
    vec::Vec,
};

use serde::{Deserialize, Serialize};

use super::{
    consent::Excuse, harm::Harm, history::Acknowledged, ledger::FirstSeen, line::Revision, position::Tag,
    refusal::Refusal,
};
use crate::values::{
    codec::edits_digest,
    digest::Digest,
    id::{CollectionId, FieldName, RecordId, ReplicaId},
    record::Life,
    register::Cause,
    superseded::ContentDigest,
    time::DayTick,
    value::Value,
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
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
    /// A change by this replica itself that has no dot yet: many deletes at once, or what a listing shows.
    Proposal {
        /// The version it is about. Where that moves on, the proposal lapses.
        base: Digest,
        /// What is proposed.
        proposed: Proposed,
        /// Who proposed it.
        cause: Cause,
        /// Nobody authored it: see [`Harm::is_unauthored`](super::harm::Harm::is_unauthored).
        is_unauthored: bool,
        /// Its open line.
        line: u64,
    },
}

/// What would be written if a person consented.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Proposed {
    /// The record is deleted.
    Removal,
    /// The record shows what its native store shows.
    Contents {
        /// The fields to write; `None` clears.
        edits: Vec<(FieldName, Option<Value>)>,
        /// What the native store shows.
        shows: ContentDigest,
    },
}

impl Proposed {
    /// Names it: the same proposal about the same version is the same line.
    pub(crate) fn digest(&self, base: Digest) -> Digest {
        match self {
            Self::Removal => Digest::of("holdfast proposed removal", &[base.as_bytes()]),
            Self::Contents { edits, .. } => edits_digest(base, edits),
        }
    }
}

/// What this replica's native store shows of a record, as far as its listings and the host told.
///
/// A native store is the app's own, which can only be listed: a phone's address book, a folder of files. See
/// [`Listing`](super::listing::Listing).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Native {
    /// Nothing is known of it: never listed and never written there.
    Unknown,
    /// It shows this version.
    Shown(Version),
    /// It showed this version, and lacks the record now.
    Missing(Version),
    /// It shows this content, which is known to be an old one, or one that a person did not want.
    Stale(ContentDigest),
}

impl Quarantine {
    /// The number of its open line.
    #[must_use]
    pub const fn line(&self) -> u64 {
        match self {
            Self::Version { line, .. } | Self::Beside { line, .. } | Self::Proposal { line, .. } => *line,
        }
    }
}

/// All that a replica holds of one record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
    /// Of a dead record: the server's tag on exactly the certificate that is stored. On a server it stands where the
    /// certificate came with one.
    pub delete_tag: Option<Tag>,
    /// Its place in first-seen order.
    pub first_seen: FirstSeen,
    /// The commit that last changed what peers should know of it.
    pub changed_at: Revision,
    /// Whether the peer has not yet named this version as its own.
    pub is_pending: bool,
    /// While it is pending or not taken: the version that the server is known to have, on which a patch can be made.
    pub base: Option<Version>,
    /// Where it is not: the server's word.
    pub acknowledged: Option<Acknowledged>,
    /// Why the server does not take it. It is not sent again until it changes, or the server does.
    pub failed: Option<Box<Refusal>>,
    /// When it died here.
    pub died_at: Option<DayTick>,
    /// What the native store shows of it; `None` in a collection that is not listed.
    pub native: Option<Native>,
}

impl Row {
    /// What this replica knows of the record: the stored version joined with what waits beside it.
    #[must_use]
    pub const fn known(&self) -> &Version {
        match &self.quarantine {
            Some(Quarantine::Version { hidden, .. }) => hidden,
            Some(Quarantine::Beside { .. } | Quarantine::Proposal { .. }) | None => &self.version,
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
        self.lost.is_some() || matches!(self.quarantine, Some(Quarantine::Version { .. } | Quarantine::Proposal { .. }))
    }

    /// Whether it is spent by something that nobody authored: taken, or held and unanswered.
    #[must_use]
    pub fn is_spent_unauthored(&self) -> bool {
        let is_held = match &self.quarantine {
            Some(Quarantine::Version { hidden, .. }) => Harm::between(&self.version, hidden, None, false).is_unauthored,
            Some(Quarantine::Proposal { is_unauthored, .. }) => *is_unauthored,
            Some(Quarantine::Beside { .. }) | None => false,
        };
        is_held || self.lost.is_some_and(|lost| lost.unauthored)
    }

    /// Whether the native store has to be written: it shows something else, or it still shows what is deleted. What is
    /// proposed about it waits for its answer first.
    #[must_use]
    pub fn is_unshown(&self) -> bool {
        if matches!(self.quarantine, Some(Quarantine::Proposal { .. })) {
            return false;
        }
        match (&self.native, self.version.is_alive()) {
            (None, _) | (Some(Native::Unknown | Native::Missing(_)), false) => false,
            (Some(Native::Shown(shown)), true) => !shown.has_seen_the_same(&self.version),
            (Some(Native::Unknown | Native::Missing(_) | Native::Stale(_)), true)
            | (Some(Native::Shown(_) | Native::Stale(_)), false) => true,
        }
    }
}

/// What a record was before a receipt, for undoing it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Former {
    /// The record.
    pub record: RecordId,
    /// What was stored; `None` if there was no record.
    pub before: Option<Version>,
    /// The commit that had stored that.
    pub since: Revision,
    /// What the receipt left.
    pub after: Digest,
}

/// What records were before several receipts, taken together.
#[derive(Debug, Clone, Default)]
pub(crate) struct Formers(BTreeMap<RecordId, Former>);

impl Formers {
    /// Adds what a later receipt replaced: of a record that is here already, what it left.
    pub(crate) fn extend(&mut self, later: impl Iterator<Item = Former>) {
        for former in later {
            match self.0.entry(former.record.clone()) {
                Entry::Vacant(place) => {
                    place.insert(former);
                }
                Entry::Occupied(mut place) => place.get_mut().after = former.after,
            }
        }
    }

    pub(crate) fn into_vec(self) -> Vec<Former> {
        self.0.into_values().collect()
    }
}

/// Where a version says that its record was moved to.
pub(super) fn destinations(version: &Version) -> impl Iterator<Item = (CollectionId, RecordId)> {
    version.life().siblings().iter().filter_map(|sibling| match &sibling.value {
        Life::Deleted { moved: Some(to) } => Some((to.collection.clone(), to.record.clone())),
        Life::Deleted { moved: None } | Life::Alive { .. } => None,
    })
}
