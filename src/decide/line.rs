//! Holds: lists of lines that are appended to and struck, never rewritten.

use alloc::{
    string::{String, ToString},
    vec::Vec,
};

use serde::{Deserialize, Serialize};

use super::{breach::Why, consent::Verdict};
use crate::values::{
    digest::Digest,
    id::{CollectionId, RecordId},
    plural::Plural,
};

/// A store's own running number, raised by each commit to a collection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Revision(pub u64);

impl Revision {
    /// The next one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

/// What became of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum LineStatus {
    /// It waits for an answer.
    Open,
    /// It no longer describes anything: the record moved on.
    Struck,
    /// A person said yes.
    Consented,
    /// A person said keep.
    Kept,
}

impl LineStatus {
    /// What becomes of a line that is answered so.
    pub(crate) const fn of(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Consent => Self::Consented,
            Verdict::Keep => Self::Kept,
        }
    }
}

/// What a line is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum LineKind {
    /// A version that would be a loss.
    Loss,
    /// A version that is one of too many alike changes.
    MassChange,
    /// A version stored here and held by a peer: nothing is at stake here, but this replica can answer.
    Beside,
    /// A removal by this replica itself that has no dot yet.
    Proposal,
    /// What this replica's native store shows in its place, and that has no dot yet.
    Contents,
    /// A deleted record that this replica's native store shows again, and that has no dot yet. Nothing is lost by consent.
    Return,
}

/// One record of a hold: what is shown, what would be shown instead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Its place in the hold, from 1.
    pub number: u64,
    /// The record.
    pub record: RecordId,
    /// The version held: what is stored and shown.
    pub held: Digest,
    /// The version hidden: what consent would store. Of a proposal, the proposal's digest.
    pub hidden: Digest,
    /// What it is about.
    pub kind: LineKind,
    /// Why it waits.
    pub why: Why,
    /// The commit that appended it.
    pub at: Revision,
    /// The hold's digest up to and including this line.
    pub running: Digest,
    /// What became of it.
    pub status: LineStatus,
}

impl Line {
    /// Whether it waits for an answer.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.status == LineStatus::Open
    }

    /// Whether the other side holds it, and nothing else is asked under it.
    #[must_use]
    pub fn is_held_there(&self) -> bool {
        self.why == Why::HeldElsewhere
    }
}

/// The moving end of a collection's hold: enough to append without reading the lines.
///
/// A hold's digest is a running hash, so any digest ever shown names a prefix of its lines. When no line is open the
/// hold is closed and the next begins under a new number.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct HoldHead {
    /// Which hold of this collection, from 0.
    pub hold: u64,
    /// Lines appended to it so far.
    pub lines: u64,
    /// Lines of it that are open.
    pub open: u64,
    /// Of these, the ones about what a peer holds: that peer asks, and this replica can answer, too.
    pub beside: u64,
    /// The digest of its last line; `None` before the first.
    pub running: Option<Digest>,
}

impl HoldHead {
    /// The digest after one more line.
    pub(crate) fn digest_after(
        &self,
        collection: &CollectionId,
        record: &RecordId,
        held: Digest,
        hidden: Digest,
    ) -> Digest {
        let start = || Digest::of("holdfast hold", &[collection.as_str().as_bytes(), &self.hold.to_le_bytes()]);
        let before = self.running.unwrap_or_else(start);
        Digest::of(
            "holdfast line",
            &[before.as_bytes(), record.as_str().as_bytes(), held.as_bytes(), hidden.as_bytes()],
        )
    }

    /// One line of it is open no more.
    pub(crate) const fn close(&mut self, kind: LineKind) {
        self.open = self.open.saturating_sub(1);
        if matches!(kind, LineKind::Beside) {
            self.beside = self.beside.saturating_sub(1);
        }
    }

    /// What is held here, in short; `None` if nothing is. What a peer holds is for that peer to tell.
    #[must_use]
    pub fn shown(&self) -> Option<OpenHold> {
        let open = self.open.saturating_sub(self.beside);
        self.running.filter(|_| open > 0).map(|digest| OpenHold { digest, open })
    }
}

/// That a hold is open, in short: what a server says of its own to every device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct OpenHold {
    /// Names exactly its lines.
    pub digest: Digest,
    /// Lines that wait for an answer.
    pub open: u64,
}

impl core::fmt::Display for OpenHold {
    /// The number, and the next steps, the safe one first.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let Self { digest, open } = self;
        let wait = if *open == 1 { "waits" } else { "wait" };
        write!(f, "{} {wait} there for an answer, given once on any device", Plural(*open, "change"))?;
        // This may be the device that made the change: what it shows is not what stays.
        next_steps(f, AS_BEFORE, *digest)
    }
}

/// What *keep* does with a change that is stored and shown here already.
const AS_BEFORE: &str = "all is as before the change";

fn next_steps(f: &mut core::fmt::Formatter<'_>, keep: &str, digest: Digest) -> core::fmt::Result {
    write!(f, "\n  keep:    {keep:<34} (keep {digest})")?;
    write!(f, "\n  consent: {:<34} (consent {digest})", "the change is let in")
}

/// An open hold as a person is shown it.
///
/// ```
/// use holdfast::*;
/// # use std::collections::BTreeMap;
/// # let people = CollectionId::new("people")?;
/// # let at = Timestamp::from_micros;
/// # let mut device = Device::new(MemoryStore::device(), ReplicaId::from_entropy(1)?, Guard::default());
/// # let ids: Vec<RecordId> = (0..20).map(|n| RecordId::new(format!("{n:02}"))).collect::<Result<_, _>>()?;
/// # for id in &ids {
/// #     let name = BTreeMap::from([("name", "Grace")]);
/// #     device.write(&Write::create(people.clone(), id.clone(), &name, &Shape::new(), Cause::User)?, at(1))?;
/// # }
/// // Twelve at once, from a person or from a slip of the finger: they are asked before anything is deleted.
/// device.write(&Write::delete_many(people.clone(), ids[..12].to_vec(), Cause::User), at(2))?;
/// let hold = device.hold(&people)?.expect("a question");
/// assert_eq!((hold.open().count(), hold.of), (12, 20));
/// assert!(hold.to_string().contains("12 of 20 records wait for an answer; to be deleted here, and not deleted yet"));
///
/// device.keep(&people, hold.digest, "Ada", at(3))?; // or `consent`
/// assert_eq!(device.records(&people, None, 100)?.len(), 20);
/// assert!(device.hold(&people)?.is_none());
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// Where.
    pub collection: CollectionId,
    /// Names exactly the lines below and their predecessors. An answer carries it back.
    pub digest: Digest,
    /// All lines of the hold, in order, struck ones too.
    pub lines: Vec<Line>,
    /// Records of this collection that sync has taken before and nobody has answered for. An answer answers these, too.
    pub earlier: Vec<RecordId>,
    /// Records in the collection: visible, or hidden by sync and unanswered.
    pub of: u64,
}

impl Hold {
    /// The lines that wait for an answer.
    pub fn open(&self) -> impl Iterator<Item = &Line> {
        self.lines.iter().filter(|line| line.is_open())
    }
}

impl core::fmt::Display for Hold {
    /// Which side holds, how many of how many, why, samples, and the next steps, the safe one first.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let open: Vec<&Line> = self.open().collect();
        let wait = if open.len() == 1 { "waits" } else { "wait" };
        let is_stored = open.iter().any(|line| line.kind == LineKind::Beside);
        write!(f, "{}: ", self.collection)?;
        if is_stored {
            // What was deleted here is no part of the base, so it is not "of" it.
            write!(f, "{} {wait} for an answer", Plural(open.len(), "record"))?;
        } else {
            write!(f, "{} of {} {wait} for an answer", open.len(), Plural(self.of, "record"))?;
        }
        if let Some(line) = open.first() {
            let side = match line.kind {
                LineKind::Loss | LineKind::MassChange => "held here, and shown as before",
                LineKind::Beside => "changed here, and held by the other side",
                LineKind::Proposal => "to be deleted here, and not deleted yet",
                LineKind::Return => "deleted before, and back in the store that is listed here",
                LineKind::Contents => "changed in the store that is listed here, and not taken in yet",
            };
            write!(f, "; {side}\n  why:     {}", line.why)?;
        }
        let names: Vec<String> = open.iter().take(5).map(|line| line.record.to_string()).collect();
        write!(f, "\n  which:   {}", names.join(", "))?;
        let more = open.len().saturating_sub(names.len());
        if more > 0 {
            write!(f, " and {more} more")?;
        }
        if !self.earlier.is_empty() {
            write!(f, "\n  taken before, and answered with them: {}", self.earlier.len())?;
        }
        next_steps(f, if is_stored { AS_BEFORE } else { "everything stays as it is shown" }, self.digest)
    }
}
