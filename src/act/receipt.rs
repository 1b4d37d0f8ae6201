//! What was done: the report of one commit, and the change feed of a screen.

use alloc::vec::Vec;
use core::fmt;

use serde::{Deserialize, Serialize};

use crate::decide::{
    breach::Breach,
    consent::Answer,
    harm::Harm,
    limits::Limits,
    line::{LineStatus, Revision},
    refusal::Refusal,
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
///
/// ```
/// use holdfast::{act::receipt::Effect, *};
/// # use std::collections::BTreeMap;
/// # let people = CollectionId::new("people")?;
/// # let id = RecordId::new("grace")?;
/// # let grace = |phone| BTreeMap::from([("name", "Grace"), ("phone", phone)]);
/// # let create = Write::create(people.clone(), id.clone(), &grace("1"), &Shape::new(), Cause::User)?;
/// # let at = Timestamp::from_micros;
/// # let mut device = Device::new(MemoryStore::device(), ReplicaId::from_entropy(1)?, Guard::default());
/// let receipt = device.write(&create, at(1))?;
/// assert_eq!(receipt.count(Effect::Added), 1);
/// assert_eq!(receipt.changes[0].record, id); // the change feed of a screen
/// assert_eq!(receipt.to_string(), "people: 1 added");
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
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
    /// Records whose change waits for the end of the round.
    pub staged: Vec<RecordId>,
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
    /// What became visible, what is held and why, what was refused, what was answered. What did not happen is not mentioned.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_answered = |status: &LineStatus| matches!(status, LineStatus::Kept | LineStatus::Consented);
        let counts = [
            (self.count(Effect::Added), "added"),
            (self.count(Effect::Changed), "changed"),
            (self.count(Effect::Hidden), "removed"),
            (self.held.len(), "held"),
            (self.changes.iter().filter(|change| !change.conflicts.is_empty()).count(), "in conflict"),
            (self.refused.len(), "refused"),
            (self.closed.iter().filter(|(_, status)| is_answered(status)).count(), "answered"),
        ];
        write!(f, "{}:", self.collection)?;
        let mut between = " ";
        for (count, what) in counts.iter().filter(|(count, _)| *count > 0) {
            write!(f, "{between}{count} {what}")?;
            between = ", ";
        }
        if between == " " {
            f.write_str(" nothing to show")?;
        }
        if let Some((first, more)) = self.breaches.split_first() {
            write!(f, "\n  held: {first}")?;
            match more.len() {
                0 => {}
                more => write!(f, " (and {more} more limits)")?,
            }
        }
        self.refused.iter().try_for_each(|(record, refusal)| write!(f, "\n  {record}: {refusal}"))
    }
}
