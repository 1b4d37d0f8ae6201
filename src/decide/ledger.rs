//! What sync has taken so far: the numbers that the guard judges by.

use alloc::{collections::BTreeMap, string::String, vec::Vec};

use serde::{Deserialize, Serialize};

use crate::values::digest::Digest;

use super::line::Revision;

/// A record's place in the order in which this replica first saw its records. It never changes, and a re-created record
/// keeps it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct FirstSeen(pub u64);

impl FirstSeen {
    /// Of a record that was never alive here. It takes its place when it is first shown, else certificates sent ahead
    /// could take the places before the records that people saw.
    pub const NEVER: Self = Self(u64::MAX);
}

/// One round of sync: what peers send in all commits that name it is judged together, and so is what listings show.
///
/// Stored as 32 hexadecimal digits: few formats have numbers of 128 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "Digest", into = "Digest")]
pub struct RoundId(pub u128);

impl From<Digest> for RoundId {
    fn from(bits: Digest) -> Self {
        Self(u128::from_be_bytes(*bits.as_bytes()))
    }
}

impl From<RoundId> for Digest {
    fn from(round: RoundId) -> Self {
        Self::from_bytes(round.0.to_be_bytes())
    }
}

impl RoundId {
    /// A round of the replica with itself. Each of its commits is one, so it never shares a tally with a peer's round.
    pub(crate) fn own(revision: Revision) -> Self {
        Self(u128::MAX.saturating_sub(u128::from(revision.0)))
    }
}

/// The first `size` records of the base, in first-seen order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Prefix {
    /// Records: 8, 16, 32 and so on.
    pub size: u64,
    /// The place of its last record, inclusive.
    pub last: FirstSeen,
    /// Records in it that are spent.
    pub spent: u64,
}

/// The state of one collection, or of one account on a device.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Ledger {
    /// Records that are visible, or hidden by sync and unanswered. People's own deletes and answered losses are not in it.
    pub base: u64,
    /// Records of the base that are visible.
    pub visible: u64,
    /// Records that sync has taken something from and nobody has answered for, and records with an open line.
    pub spent: u64,
    /// Those of them that nobody authored.
    pub unauthored: u64,
    /// The prefixes smaller than the base, by size.
    pub prefixes: Vec<Prefix>,
}

impl Ledger {
    /// Whether a place is in the `index`-th prefix.
    #[must_use]
    pub(crate) fn in_prefix(&self, index: usize, place: FirstSeen) -> bool {
        self.prefixes.get(index).is_some_and(|prefix| place <= prefix.last)
    }
}

/// What one round has taken so far in one scope.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct ScopeTally {
    /// Records lost.
    pub losses: u64,
    /// Records in which each family was emptied.
    pub emptied: BTreeMap<String, u64>,
    /// Records in which a known value was overwritten.
    pub overwritten: u64,
    /// Those of them with one or two families.
    pub overwritten_small: u64,
}

/// What one round has taken so far.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Tally {
    /// Which round.
    pub round: RoundId,
    /// The base before its first commit.
    pub base: u64,
    /// By what peers sent.
    pub received: Losses,
    /// By what this replica's own listings showed.
    pub listed: Losses,
}

/// What a round has taken so far in one way.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Losses {
    /// In the whole scope.
    pub whole: ScopeTally,
    /// In its prefixes, by size.
    pub prefixes: Vec<ScopeTally>,
    /// Losses that nobody authored.
    pub unauthored: u64,
}

impl Tally {
    /// The tally of `round` so far: `last`, if it is of this round, else a new one on `ledger`.
    #[must_use]
    pub(crate) fn of_round(round: RoundId, last: Option<&Self>, ledger: &Ledger) -> Self {
        match last {
            Some(tally) if tally.round == round => tally.clone(),
            _ => Self { round, base: ledger.base, received: Losses::default(), listed: Losses::default() },
        }
    }

    pub(crate) const fn losses(&self, by_listing: bool) -> &Losses {
        if by_listing { &self.listed } else { &self.received }
    }

    pub(crate) const fn losses_mut(&mut self, by_listing: bool) -> &mut Losses {
        if by_listing { &mut self.listed } else { &mut self.received }
    }
}
