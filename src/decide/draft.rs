//! Diff → Draft: what is proposed for each record, and what it would take away. Nobody has agreed to it.

use alloc::{boxed::Box, vec::Vec};

use super::{
    authorship::Link,
    breach::Why,
    consent::{Answer, Excuse},
    continuity::Judgement,
    harm::Harm,
    history::{Acknowledged, Beginning, KnownServer},
    line::{LineStatus, Revision},
    offer::Offer,
    position::Tag,
    refusal::Refusal,
    row::{Native, Proposed, Row},
    slice::Slice,
};
use crate::values::{
    digest::Digest,
    id::{RecordId, ReplicaId},
    register::Cause,
    time::{Day, DayTick},
    version::Version,
};

/// What is proposed for every record that came, or that is written here. It can not be applied: only
/// [`Guard::review`](super::guard::Guard::review) makes something of it that can.
///
/// Every incoming record is accounted for: taken in, known already, held, or refused. Losses are counted per record,
/// each authored by an entry of the changes: drop entries, and the losses can only shrink (S4).
///
/// The whole pipeline by hand:
///
/// ```
/// use holdfast::{act::{apply::apply, plan::Plan}, decide::{diff::Diff, draft::Draft}, *};
/// # use std::collections::BTreeMap;
/// # let people = CollectionId::new("people")?;
/// # let id = RecordId::new("grace")?;
/// # let grace = |phone| BTreeMap::from([("name", "Grace"), ("phone", phone)]);
/// # let create = Write::create(people.clone(), id.clone(), &grace("1"), &Shape::new(), Cause::User)?;
/// # let at = Timestamp::from_micros;
/// # let mut ada = Device::new(MemoryStore::device(), ReplicaId::from_entropy(1)?, Guard::default());
/// # ada.write(&create, at(1))?;
/// # let (mut store, guard) = (MemoryStore::device(), Guard::default());
/// let changes = ada.pending(&people, 100)?; // what came
/// let slice = store.read(&changes.read_set())?; // what we hold of it
/// let diff = Diff::between(slice, changes)?; // facts
/// let draft = Draft::resolve(diff, guard.identifying(&people)); // a proposal
/// assert_eq!((draft.len(), draft.losses().count()), (1, 0));
/// let approved = guard.review(draft, &Inputs::new(RoundId(1), Trust::Account));
/// let receipt = apply(Plan::new(approved), &mut store)?;
/// assert_eq!(receipt.to_string(), "people: 1 added");
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
///
/// ```compile_fail
/// use holdfast::{act::{apply::apply, memory::MemoryStore}, decide::draft::Draft};
/// fn skip_the_guard(draft: Draft, store: &mut MemoryStore) { let _ = apply(draft, store); } // it takes a `Plan`
/// ```
///
/// ```
/// use holdfast::{act::{apply::apply, memory::MemoryStore, plan::Plan}, decide::{draft::Draft, guard::Guard}};
/// fn by_the_guard(draft: Draft, store: &mut MemoryStore) {
///     let _ = apply(Plan::new(Guard::default().review_own(draft)), store);
/// }
/// ```
#[derive(Debug, Clone)]
#[must_use = "a draft does nothing until the guard has reviewed it"]
pub struct Draft {
    pub(crate) slice: Slice,
    pub(crate) origin: Origin,
    pub(crate) entries: Vec<Entry>,
    pub(crate) heading: Heading,
}

/// What a draft changes of the head, beside what follows from its records.
#[derive(Debug, Clone, Default)]
pub(crate) struct Heading {
    /// On a server: a lineage begins.
    pub(crate) begins: Option<Beginning>,
    /// On a server: a replica has pushed.
    pub(crate) pushed: Option<Pushed>,
    /// On a server: a replica has said what it remembers, and what followed.
    pub(crate) heard: Option<(ReplicaId, Judgement)>,
    /// On a server that repairs a loss: who has brought these records.
    pub(crate) brought_by: Option<ReplicaId>,
    /// On a device: what it then knows of its server.
    pub(crate) server: Option<KnownServer>,
    /// On a device: the server's word, for the records that it is known to have then.
    pub(crate) acknowledged: Option<Acknowledged>,
    /// Whose round it is: its staged offers are kept under that device, a device's own under [`ReplicaId::THIS_DEVICE`].
    pub(crate) round_of: Option<ReplicaId>,
    /// What that device's round had staged is part of this draft.
    pub(crate) unstages: bool,
    /// The device leaves the collection: all its rows go, and nothing is deleted.
    pub(crate) leaves: bool,
    /// Whose dots the new writes are.
    pub(crate) writer: Option<ReplicaId>,
    /// What was written under another id becomes this one's.
    pub(crate) takes_over: Option<ReplicaId>,
    /// On a device: all its writes are about to be offered.
    pub(crate) offers_writes: bool,
}

/// A replica has pushed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pushed {
    pub(crate) by: ReplicaId,
    /// Its writes, as far as they may have come.
    pub(crate) link: Link,
    /// It has finished a push.
    pub(crate) is_finished: bool,
    /// It has pushed all it has.
    pub(crate) is_settled: bool,
}

/// Where a draft comes from.
#[derive(Debug, Clone)]
pub(crate) enum Origin {
    /// A peer's changes, taken up to a revision of the peer.
    Peer { from: ReplicaId, upto: Option<Revision> },
    /// A write of this replica.
    Own,
    /// A person's answer to a hold.
    Answer(Answer),
    /// What this replica's native store shows.
    Listing,
    /// A new day, and the end of some retentions.
    Day { tick: DayTick, day: Day, forget: Option<DayTick> },
}

/// What is proposed for one record.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) record: RecordId,
    pub(crate) before: Option<Row>,
    pub(crate) proposal: Proposal,
}

#[derive(Debug, Clone)]
#[expect(clippy::large_enum_variant, reason = "nearly every entry is a change")]
pub(crate) enum Proposal {
    /// Nothing that was not known.
    Known,
    /// It can not be taken in.
    Refused(Refusal),
    /// It would take something away, and waits for the end of the round.
    Staged(Box<Offer>),
    /// A change, and what would be done in its place.
    Change {
        /// What is done if no limit breaks.
        pass: Change,
        /// What is done if the guard holds it; `None` if it can not be held.
        held: Option<Quarantined>,
        /// What is done if a person's answer names exactly this.
        excused: Option<(Claim, Change)>,
    },
}

/// What would lift the limits for one record.
#[derive(Debug, Clone)]
pub(crate) enum Claim {
    /// An answered line that travelled with the record, and names exactly the version that would result.
    Travelled,
    /// The server's own tag on exactly the certificate that would result. It lifts limits only at a server that repairs a
    /// loss.
    Tagged {
        /// It travelled, too.
        travelled: bool,
    },
    /// A line of this replica's own hold.
    Line(u64),
}

/// One record's next state.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    pub(crate) version: Version,
    pub(crate) after: After,
    pub(crate) by: By,
    pub(crate) harm: Harm,
    /// The answered line to keep with the record.
    pub(crate) excuse: Option<Excuse>,
    /// What becomes of the line that it closes, if it closes one.
    pub(crate) closes: LineStatus,
    /// What the peer that offered it knows of the record.
    pub(crate) peer: Option<PeerKnows>,
    /// What the native store is known to show then; `None`: nothing new is known.
    pub(crate) native: Option<Native>,
}

/// What a peer knows of a record, by its own word.
#[derive(Debug, Clone)]
pub(crate) struct PeerKnows {
    /// The version.
    pub(crate) digest: Digest,
    /// It holds part of it back, and asks.
    pub(crate) holds: bool,
    /// What it shows, where that is at hand.
    pub(crate) version: Option<Version>,
    /// Why it does not take what is stored here.
    pub(crate) refused: Option<Box<Refusal>>,
    /// The server's tag, where what it knows is a certificate.
    pub(crate) delete_tag: Option<Tag>,
}

impl PeerKnows {
    pub(crate) fn of(offer: &Offer) -> Self {
        Self {
            digest: offer.known().digest(),
            holds: offer.held.is_some(),
            version: Some(offer.version.clone()),
            refused: None,
            delete_tag: offer.delete_tag.filter(|_| offer.held.is_none()),
        }
    }
}

/// What waits beside the record then.
#[derive(Debug, Clone)]
pub(crate) enum After {
    /// What waited before.
    Same,
    /// Nothing.
    Nothing,
    /// The same question under the same line, over a version that has moved.
    Moved { hidden: Version },
    /// A new question.
    New(Quarantined),
}

/// What is quarantined, under a new line.
#[derive(Debug, Clone)]
pub(crate) enum Quarantined {
    Version { hidden: Version, mass: bool, why: Why },
    Beside { held: Version, hidden: Version, from: ReplicaId },
    Proposal { base: Digest, proposed: Proposed, cause: Cause, is_unauthored: bool, why: Why },
}

/// Who makes a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum By {
    /// A peer. Counted, unless excused.
    Peer,
    /// This replica's own person, or their app.
    Own(Cause),
    /// One of many deletes at once, by this replica.
    Bulk(Cause),
    /// This replica's listing. Counted.
    Listed,
    /// A person's answer.
    Answer,
    /// A peer's word that it has this.
    Acknowledged,
    /// The loss of the peer that had this.
    Unacknowledged,
    /// The same under another id.
    TakenOver,
    /// A dispute about what one dot holds: this replica writes down both.
    Settled,
    /// The end of a retention.
    Retention,
}

impl Draft {
    pub(crate) fn new(slice: Slice, origin: Origin, entries: Vec<Entry>) -> Self {
        Self { slice, origin, entries, heading: Heading::default() }
    }

    /// The same, of what no peer is known to have any more.
    pub(crate) fn of_nobody(mut self) -> Self {
        for entry in &mut self.entries {
            if let Proposal::Change { pass, excused, .. } = &mut entry.proposal {
                pass.peer = None;
                excused.iter_mut().for_each(|(_, change)| change.peer = None);
            }
        }
        self
    }

    /// What was known of the server when the slice was read.
    pub(crate) const fn known_server(&self) -> Option<&KnownServer> {
        self.slice.head.server.as_ref()
    }

    /// Whether it is this replica's own, outside any round.
    pub(crate) const fn is_own(&self) -> bool {
        matches!(self.origin, Origin::Own)
    }

    /// The same, with what changes of the head beside.
    /// Whose dots the new writes are.
    pub(crate) const fn written_by(mut self, replica: ReplicaId) -> Self {
        self.heading.writer = Some(replica);
        self
    }

    pub(crate) fn with_heading(self, heading: Heading) -> Self {
        Self { heading, ..self }
    }

    /// The records for which something would be taken away, with what, if no limit broke.
    pub fn harms(&self) -> impl Iterator<Item = (&RecordId, &Harm)> {
        self.entries.iter().filter_map(|entry| match &entry.proposal {
            Proposal::Change { pass, .. } if !pass.harm.is_none() => Some((&entry.record, &pass.harm)),
            Proposal::Change { .. } | Proposal::Known | Proposal::Refused(_) | Proposal::Staged(_) => None,
        })
    }

    /// The records that would be lost if no limit broke.
    pub fn losses(&self) -> impl Iterator<Item = &RecordId> {
        self.harms().filter(|(_, harm)| harm.loss.is_some()).map(|(record, _)| record)
    }

    /// How many records it accounts for.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether it says nothing of any record.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}
