//! What a server that lost something is mended from: who has brought what, and until when.

use alloc::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::continuity::{Continuity, Judgement};
use crate::values::{id::ReplicaId, time::DayTick};

/// Day ticks for which a server that lost something lets others' values be supplied.
const REPAIR_TICKS: u64 = 14;
/// Replicas of which something is noted, at most.
const MAX_REPLICAS: usize = 10_000;
/// Records that the evidence names, at most.
const MAX_MISSING: usize = 16;

/// What one device has brought back since a loss.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Brought {
    /// Living records that were news to the server, each time that it learned something of one.
    pub records: u64,
    /// Deletes that were news.
    pub deletes: u64,
    /// Questions that were opened by it.
    pub holds: u64,
    /// It has sent all it has.
    pub is_settled: bool,
}

/// A loss that is being mended, or was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Repair {
    /// The day on which the loss was noticed.
    pub since: DayTick,
    /// The last day on which others' writes are taken.
    pub until: DayTick,
    /// What showed it: the first judgement of a device that named a loss. None while only the host has said that the store
    /// was restored. Of the missing records it names a few.
    pub evidence: Option<Judgement>,
    /// Records that it says are missing under a log that is whole.
    pub missing: u64,
    /// By device, all that have been heard since.
    pub brought: BTreeMap<ReplicaId, Brought>,
}

impl Repair {
    pub(crate) const fn begun(today: DayTick) -> Self {
        let until = DayTick(today.0.saturating_add(REPAIR_TICKS));
        Self { since: today, until, evidence: None, missing: 0, brought: BTreeMap::new() }
    }

    /// Whether it is still open.
    #[must_use]
    pub fn is_open(&self, today: DayTick) -> bool {
        today <= self.until
    }

    /// Whether a device has sent all it has.
    #[must_use]
    pub fn is_settled(&self, replica: ReplicaId) -> bool {
        self.brought.get(&replica).is_some_and(|brought| brought.is_settled)
    }

    /// Notes that a device was heard, and what it showed.
    pub(crate) fn hear(&mut self, replica: ReplicaId, judgement: &Judgement) {
        // Whose position is still in the history has nothing that the server lost.
        let is_whole = judgement.continuity == Continuity::Intact;
        self.note(replica, |brought| brought.is_settled |= is_whole);
        if self.evidence.is_none() && matches!(judgement.continuity, Continuity::Lost(_)) {
            self.missing = u64::try_from(judgement.missing.len()).unwrap_or(u64::MAX);
            let missing = judgement.missing.iter().take(MAX_MISSING).cloned().collect();
            self.evidence = Some(Judgement { missing, ..judgement.clone() });
        }
    }

    /// Notes what a device has brought.
    pub(crate) fn note(&mut self, replica: ReplicaId, note: impl FnOnce(&mut Brought)) {
        if self.brought.contains_key(&replica) || self.brought.len() < MAX_REPLICAS {
            note(self.brought.entry(replica).or_default());
        }
    }
}
