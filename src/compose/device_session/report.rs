//! What a session did.

use alloc::vec::Vec;
use core::fmt;

use serde::Serialize;

use crate::act::receipt::Receipt;
use crate::decide::{
    authorship::Conflict,
    continuity::{Continuity, Judgement},
    line::OpenHold,
    refusal::Refusal,
};
use crate::talk::message::Refused;
use crate::values::{
    id::{CollectionId, RecordId, ReplicaId},
    plural::Plural,
};

/// What a session did.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// Collection by collection, in the order in which they were synced.
    pub collections: Vec<CollectionReport>,
    /// Requests sent.
    pub requests: u32,
    /// Bytes sent.
    pub bytes_sent: u64,
    /// Bytes received.
    pub bytes_received: u64,
}

/// What a session did in one collection.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct CollectionReport {
    /// The collection.
    pub collection: CollectionId,
    /// Whether the server was the one that was known; `None` if it was not asked.
    pub continuity: Option<Continuity>,
    /// The evidence, wherever there was more to say than that it was.
    pub evidence: Vec<Judgement>,
    /// The server is seeded from this device ([`Device::reseed`](crate::compose::device::Device::reseed)): what the server
    /// would take from it is asked about.
    pub is_seeding: bool,
    /// What the device took in, commit by commit.
    pub receipts: Vec<Receipt>,
    /// Records sent.
    pub sent: u64,
    /// Records that the server named as durable.
    pub acknowledged: u64,
    /// Records of which the server holds a part back, and asks.
    pub held_there: Vec<RecordId>,
    /// The hold that is open at the server, as it was last heard of: it asks every device, and one answer on any of them
    /// settles it.
    pub hold_there: Option<OpenHold>,
    /// Records that were sent again because the server lost what it had named as its own, or is seeded.
    pub resent: u64,
    /// Records that the server does not take, and why. They are not lost, and not sent again until they change or the
    /// server does.
    pub failed: Vec<(RecordId, Refusal)>,
    /// The server knows writes under this replica's id that this store has not made: it was restored or cloned, and takes a
    /// new id before it writes ([`Device::rotate`](crate::compose::device::Device::rotate)). Nothing was pushed.
    pub conflict: Option<Conflict>,
    /// The store was written under this id, and the device has another: see
    /// [`Device::take_over`](crate::compose::device::Device::take_over). Nothing was asked of the server.
    pub written_under: Option<ReplicaId>,
    /// Why the server refused to go on.
    pub refused: Option<Refused>,
    /// All that there was to do is done: nothing that could be sent is left.
    pub is_complete: bool,
}

impl CollectionReport {
    pub(super) const fn new(collection: CollectionId) -> Self {
        Self {
            collection,
            continuity: None,
            evidence: Vec::new(),
            is_seeding: false,
            receipts: Vec::new(),
            sent: 0,
            acknowledged: 0,
            hold_there: None,
            resent: 0,
            held_there: Vec::new(),
            failed: Vec::new(),
            conflict: None,
            written_under: None,
            refused: None,
            is_complete: false,
        }
    }

    /// Whether the next session does no more than this one, unless the host does something first.
    const fn is_blocked(&self) -> bool {
        self.conflict.is_some()
            || self.written_under.is_some()
            || matches!(self.continuity, Some(Continuity::Stop(_)))
            || matches!(self.refused, Some(Refused::Stop(_) | Refused::Forbidden))
    }
}

impl Report {
    /// Whether all that there was to do is done in all collections.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.collections.iter().all(|collection| collection.is_complete)
    }

    /// Of one collection.
    #[must_use]
    pub fn of(&self, collection: &CollectionId) -> Option<&CollectionReport> {
        self.collections.iter().find(|report| report.collection == *collection)
    }
}

impl fmt::Display for CollectionReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A device that seeds a server has forgotten what it knew of it.
        let is_seed = self.is_seeding && self.continuity == Some(Continuity::First);
        write!(f, "{}: ", self.collection)?;
        match (&self.continuity, &self.refused) {
            (_, Some(refused)) => write!(f, "{refused}")?,
            (Some(_), None) if is_seed => f.write_str("the server is seeded from this device")?,
            (Some(continuity), None) => write!(f, "{continuity}")?,
            (None, None) => f.write_str("not reached")?,
        }
        write!(f, "; {} sent", self.sent)?;
        if self.resent > 0 && !is_seed {
            write!(f, " ({} of them because the server lost them)", self.resent)?;
        }
        write!(f, ", {} acknowledged", self.acknowledged)?;
        if !self.failed.is_empty() {
            write!(f, ", {} not taken", self.failed.len())?;
        }
        if !self.held_there.is_empty() {
            write!(f, ", {} held by the server", self.held_there.len())?;
        }
        if let Some(found) = self.written_under {
            write!(f, "; this store was written under {found}: take its writes over first")?;
        }
        if self.conflict.is_some() {
            f.write_str("; this replica id is in use elsewhere: take a new one")?;
        }
        self.hold_there.iter().try_for_each(|hold| write!(f, "\n  {hold}"))?;
        self.evidence.iter().try_for_each(|judgement| write!(f, "\n  {judgement}"))?;
        self.receipts
            .iter()
            .filter(|receipt| !receipt.is_quiet())
            .try_for_each(|receipt| write!(f, "\n  {receipt}"))?;
        if !self.is_complete && !self.is_blocked() {
            f.write_str("\n  not finished: the next session goes on from here")?;
        }
        Ok(())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for collection in &self.collections {
            writeln!(f, "{collection}")?;
        }
        let Self { requests, bytes_sent, bytes_received, .. } = self;
        write!(f, "{}, {bytes_sent} bytes sent, {bytes_received} received", Plural(*requests, "request"))
    }
}
