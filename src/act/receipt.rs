//! What was done: the report of one commit, and the change feed of a screen.

use alloc::vec::Vec;
use core::fmt;

use serde::{Deserialize, Serialize};

use crate::decide::{
    breach::Breach,
    consent::Answer,
    diff::Refusal,
    harm::Harm,
    limits::Limits,
    line::{LineStatus, Revision},
};
use crate::values::{
    digest::Digest,
    id::{CollectionId, FieldName, RecordId},
};

/// Names a receipt: the commit that it reports.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ReceiptId {
    /// The collection.
    pub collection: CollectionId,
    /// Its revision after the commit.
    pub revision: Revision,
}

impl fmt::Display for ReceiptId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.collection, self.revision.0)
    }
}

/// What became visible of one record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Effect {
    /// It is shown for the first time, or again.
    Added,
    /// It shows something else in the fields named.
    Changed,
    /// It is no longer shown.
    Hidden,
}

/// One record that a screen has to draw again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changed {
    /// The record.
    pub record: RecordId,
    /// What became of it.
    pub effect: Effect,
    /// The fields in which something else survives now.
    pub fields: Vec<FieldName>,
    /// The fields in which siblings of different value survive now.
    pub conflicts: Vec<FieldName>,
    /// What sync took away, if it took anything.
    pub harm: Harm,
}

/// The report of one commit. If nothing had to be written, nothing was, and `id` is `None`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Receipt {
    /// Names it, for [`undo`](crate::decide::draft::Draft::of_undo).
    pub id: Option<ReceiptId>,
    /// Where.
    pub collection: CollectionId,
    /// What became visible.
    pub changes: Vec<Changed>,
    /// Records that this commit set aside: their stored version stays, and what came waits for an answer.
    pub held: Vec<RecordId>,
    /// Names the collection's open hold as it is after this commit.
    pub hold: Option<Digest>,
    /// Lines that this commit closed, and how.
    pub closed: Vec<(RecordId, LineStatus)>,
    /// Lines that an answer named and that had been closed before.
    pub lapsed: Vec<(RecordId, LineStatus)>,
    /// Records that were left as they were, and why.
    pub refused: Vec<(RecordId, Refusal)>,
    /// Records that brought nothing new.
    pub known: Vec<RecordId>,
    /// The limits that broke, with both numbers.
    pub breaches: Vec<Breach>,
    /// The limits in force.
    pub limits: Limits,
    /// The answer that released it.
    pub answer: Option<Answer>,
}

impl Receipt {
    /// How many records had this effect.
    #[must_use]
    pub fn count(&self, effect: Effect) -> usize {
        self.changes.iter().filter(|change| change.effect == effect).count()
    }

    /// Whether nothing was written.
    #[must_use]
    pub const fn is_quiet(&self) -> bool {
        self.id.is_none()
    }
}

impl fmt::Display for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = [(Effect::Added, "added"), (Effect::Changed, "changed"), (Effect::Hidden, "removed")];
        write!(f, "{}:", self.collection)?;
        for (effect, word) in counts {
            write!(f, " {} {word},", self.count(effect))?;
        }
        let conflicts = self.changes.iter().filter(|change| !change.conflicts.is_empty()).count();
        write!(f, " {} held, {conflicts} in conflict", self.held.len())?;
        if !self.refused.is_empty() {
            write!(f, ", {} refused", self.refused.len())?;
        }
        self.breaches.iter().try_for_each(|breach| write!(f, "\n  held: {breach}"))?;
        self.refused.iter().try_for_each(|(record, refusal)| write!(f, "\n  {record}: {refusal}"))
    }
}
