//! How a server is rebuilt: what was lost, who has brought what, and who has not been heard yet.

use alloc::vec::Vec;
use core::fmt;

use serde::{Deserialize, Serialize};

use crate::decide::{continuity::Judgement, repair::Brought, slice::Slice};
use crate::values::{
    id::{CollectionId, ReplicaId},
    plural::Plural,
    time::DayTick,
};

/// How one collection of a server is rebuilt after its last loss.
///
/// It is of the lineage that began with that loss: another loss begins another report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RebuildReport {
    /// The collection.
    pub collection: CollectionId,
    /// What showed the loss, see [`Repair::evidence`](crate::decide::repair::Repair::evidence).
    pub evidence: Option<Judgement>,
    /// Records that were missing under a log that is whole.
    pub missing: u64,
    /// The day on which it was noticed.
    pub since: DayTick,
    /// The last day on which others' writes are taken from who has not sent all it has.
    pub until: DayTick,
    /// Whether that day is not over.
    pub is_open: bool,
    /// The devices that were heard since, and what they brought.
    pub brought: Vec<(ReplicaId, Brought)>,
    /// Devices that once wrote here and were not heard since: what only they hold is still missing.
    pub unheard: Vec<ReplicaId>,
    /// Records that are visible here now.
    pub records: u64,
    /// Questions that are open here now.
    pub questions: u64,
}

impl RebuildReport {
    /// Of what a server's store says of a collection; `None` if nothing of it was ever lost. The slice is that of
    /// [`ReadSet::head`](crate::decide::slice::ReadSet::head).
    #[must_use]
    pub fn of(slice: &Slice) -> Option<Self> {
        let history = slice.head.history.as_ref()?;
        let repair = history.repair.as_ref()?;
        let brought: Vec<(ReplicaId, Brought)> = repair.brought.iter().map(|(of, brought)| (*of, *brought)).collect();
        let known = history.authors.keys().copied();
        Some(Self {
            collection: slice.collection.clone(),
            evidence: repair.evidence.clone(),
            missing: repair.missing,
            since: repair.since,
            until: repair.until,
            is_open: repair.is_open(slice.head.tick),
            brought,
            unheard: known.filter(|replica| !repair.brought.contains_key(replica)).collect(),
            records: slice.ledger.as_ref().map_or(0, |ledger| ledger.visible),
            questions: slice.head.hold.open,
        })
    }
}

impl fmt::Display for RebuildReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.collection)?;
        match &self.evidence {
            Some(evidence) => write!(f, "{evidence}")?,
            None => f.write_str("restored, as its host says")?,
        }
        write!(f, "\n  here now: {}", Plural(self.records, "record"))?;
        if self.questions > 0 {
            write!(f, ", and {} to answer", Plural(self.questions, "question"))?;
        }
        for (replica, Brought { records, deletes, holds, is_settled }) in &self.brought {
            let (records, deletes) = (Plural(*records, "record"), Plural(*deletes, "delete"));
            write!(f, "\n  {replica} has brought {records}, {deletes} and {}", Plural(*holds, "question"))?;
            f.write_str(if *is_settled { "; that is all" } else { "; it has not sent all yet" })?;
        }
        for replica in &self.unheard {
            write!(f, "\n  {replica} was not heard yet: what only it holds is missing")?;
        }
        let (since, until) = (self.since.0, self.until.0);
        let is = if self.is_open { "is" } else { "was" };
        write!(f, "\n  what one device wrote {is} taken from the others, too: days {since} to {until}")
    }
}
