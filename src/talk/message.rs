//! The messages, one collection each. A device asks, a server replies.

use alloc::vec::Vec;

use serde::Serialize;

use super::{
    compare::{Comparison, Found},
    offer::SentOffer,
};
use crate::decide::{
    authorship::Link,
    continuity::{Claim, Judgement, Stop},
    line::{OpenHold, Revision},
    position::{FeedCursor, Issued, Tag},
    refusal::Refusal,
};
use crate::values::{
    digest::Digest,
    id::{CollectionId, RecordId},
};

/// What a device asks of one collection.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub enum Request {
    /// Is anything new, and are you still who you were?
    Greet {
        /// The collection.
        collection: CollectionId,
        /// The last of its writes that the device knows this server to have accepted; 0 if none.
        accepted: u64,
        /// The last position that it was given, by its tag; `None` if it was given none.
        at: Option<Greeting>,
    },
    /// The greeting did not match: this is all that the device remembers.
    Prove {
        /// The collection.
        collection: CollectionId,
        /// What it says.
        claim: Claim,
    },
    /// What has changed after a cursor?
    Pull {
        /// The collection.
        collection: CollectionId,
        /// The last position that the device was given: the cursor is of its history. `None` if it was given none.
        at: Option<Greeting>,
        /// Exclusive.
        after: FeedCursor,
        /// Bytes of offers that are enough.
        page_bytes: u64,
        /// Bytes of one record that the device takes, inclusive: larger ones are left out.
        record_bytes: u64,
        /// The last of its writes that the device knows this server to have accepted; 0 if none.
        accepted: u64,
    },
    /// Take this.
    Push {
        /// The collection.
        collection: CollectionId,
        /// The last position that the device was given: what it pushes was made upon that history. `None` if it was given
        /// none.
        at: Option<Greeting>,
        /// The device's writes as a chain, as far as it has offered them, oldest first: one of these links is the last that
        /// the server has accepted, and the last one is what this push may reach. Empty if it has written nothing.
        links: Vec<Link>,
        /// The first page of this push.
        is_first: bool,
        /// The last page of this push: what is staged is judged now.
        is_last: bool,
        /// The records.
        offers: Vec<SentOffer>,
    },
    /// Give me these whole: their patches do not fit.
    Fetch {
        /// The collection.
        collection: CollectionId,
        /// The last position that the device was given. `None` if it was given none.
        at: Option<Greeting>,
        /// The records.
        records: Vec<RecordId>,
        /// Bytes of one record that the device takes, inclusive: larger ones are left out.
        record_bytes: u64,
        /// The last of its writes that the device knows this server to have accepted; 0 if none.
        accepted: u64,
    },
    /// Do you still have what you named as yours?
    Audit {
        /// The collection.
        collection: CollectionId,
        /// The window of ids.
        window: Window,
        /// Digest of the device's records in it: record, version, in order.
        fingerprint: Digest,
    },
    /// Which records differ? No cursor is shared.
    Reconcile {
        /// The collection.
        collection: CollectionId,
        /// The last position that the device was given. `None` if it was given none.
        at: Option<Greeting>,
        /// What the device holds.
        holds: Comparison,
    },
}

/// A position, as short as it can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Greeting {
    /// Its revision.
    pub revision: Revision,
    /// Its tag, which only its server can make.
    pub tag: Tag,
}

/// A range of record ids.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Window {
    /// Exclusive; from the first if `None`.
    pub after: Option<RecordId>,
    /// Inclusive; to the last if `None`.
    pub until: Option<RecordId>,
}

/// What a server says to one request.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub enum Reply {
    /// To a greeting.
    Welcome {
        /// Whether the device's position is one of the server's.
        recognition: Recognition,
        /// The last of the device's writes that the server has accepted, where that is not the one that the device named: who
        /// knows of no such write shares its id with another installation (S5).
        accepted: Option<Link>,
        /// The hold that is open there.
        hold: Option<OpenHold>,
    },
    /// To a proof.
    Judged {
        /// What follows, with its evidence.
        judgement: Judgement,
        /// Where the server stands now; `None` if it has nothing of the collection.
        now: Option<Issued>,
    },
    /// To a pull.
    Page {
        /// The records, oldest change first.
        offers: Vec<SentOffer>,
        /// How far this page goes.
        next: FeedCursor,
        /// There is more after it.
        is_more: bool,
        /// Where the server stands now; `None` if it has nothing of the collection.
        now: Option<Issued>,
        /// The last of the device's writes that the server has accepted, where that is not the one that the device named: who
        /// knows of no such write shares its id with another installation (S5).
        accepted: Option<Link>,
        /// The hold that is open there now.
        hold: Option<OpenHold>,
    },
    /// To a push. What is not named in `except` was taken as it was sent, and is durable (S8).
    Taken {
        /// Where the collection stood before.
        before: Revision,
        /// Where it stands now.
        now: Issued,
        /// By place in the push, what was not simply taken.
        except: Vec<(u32, Taken)>,
        /// What became of records staged by earlier pages of this push.
        staged: Vec<(RecordId, Taken)>,
        /// The hold that is open there now.
        hold: Option<OpenHold>,
    },
    /// To a fetch: what there is of the records asked for.
    Whole {
        /// The records, whole.
        offers: Vec<SentOffer>,
        /// Where the server stands now; `None` if it has nothing of the collection.
        now: Option<Issued>,
        /// The last of the device's writes that the server has accepted, where that is not the one that the device named: who
        /// knows of no such write shares its id with another installation (S5).
        accepted: Option<Link>,
    },
    /// To an audit.
    Audited(Audited),
    /// To a comparison.
    Reconciled {
        /// What the server holds.
        found: Found,
        /// Where the server stands now; `None` if it has nothing of the collection.
        now: Option<Issued>,
    },
    /// To anything: it was not done.
    Refused(Refused),
}

/// How a server knows the position that it is greeted with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub enum Recognition {
    /// The server's history ends at the device's position; or the device was given none, and the server has none to give.
    Same,
    /// The server's history holds the device's position, and goes on.
    News,
    /// The device was given no position: it may pull from the beginning.
    First,
    /// The position is not in the server's history: prove it.
    Prove,
}

/// What became of one record of a push.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub enum Taken {
    /// It is durable, as it was sent.
    Stored,
    /// It is durable, as it was sent: a delete, and this is the server's tag on it. Sent again with it after a loss, it is
    /// taken without asking anew.
    Deleted(Tag),
    /// It was joined with what the server had: it is durable, and a pull brings the rest.
    Merged,
    /// Part of it is held, and a person is asked. It is durable, and a pull brings the question.
    Held,
    /// It waits for the last page.
    Staged,
    /// The patch does not fit: send it whole.
    NeedWhole,
    /// It was not taken.
    Refused(Refusal),
}

/// What an audit found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub enum Audited {
    /// The same.
    Same,
    /// Something else: these records, with the versions known of them.
    Found(Vec<(RecordId, Digest)>),
    /// There are more records in the window than one reply holds.
    TooMany,
}

/// Why a request was not served. Nothing was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// Nothing may cross.
    #[error("nothing may cross: {}", crate::decide::continuity::Continuity::Stop(*.0))]
    Stop(Stop),
    /// The host has withdrawn this device's access. It keeps what it has.
    #[error("this device's access was withdrawn; it keeps what it has; ask whoever runs the account")]
    Forbidden,
    /// Not now.
    #[error("the server is not available; ask again in {retry_after_seconds} s")]
    Unavailable {
        /// Seconds to wait.
        retry_after_seconds: u32,
    },
    /// The position that the request was made upon is not in the collection's history: greet again.
    #[error("the collection has begun another history since; sync again")]
    Renewed,
    /// This server only reads.
    #[error("this server only reads; ask its home")]
    ReadOnly,
    /// This replica id is in use elsewhere: the server has accepted a write of it that is none of the device's (S5).
    #[error("expected a push that goes on from write {} of this replica; nothing was taken; take a new id", accepted.counter)]
    ReplicaConflict {
        /// The last write that it has accepted.
        accepted: Link,
    },
    /// The frame was damaged, or breaks a limit.
    #[error("the request could not be read, or breaks a limit; compare the limits and the versions of both sides")]
    Malformed,
    /// The frame is of another version of the protocol.
    #[error("expected version {} to {} of the protocol; update the older side", .least, .greatest)]
    Version {
        /// The least that the server speaks.
        least: u64,
        /// The greatest that it speaks.
        greatest: u64,
    },
    /// The server does not know this kind of message.
    #[error("the server does not know this kind of message: {kind}; update the server")]
    UnknownKind {
        /// The kind.
        kind: u64,
    },
    /// The server does not know this way to compare.
    #[error("the server does not know this way to compare: {method}; update the server")]
    UnknownMethod {
        /// The method.
        method: u64,
    },
}

impl Request {
    /// The collection that it is about.
    #[must_use]
    pub const fn collection(&self) -> &CollectionId {
        match self {
            Self::Greet { collection, .. }
            | Self::Prove { collection, .. }
            | Self::Pull { collection, .. }
            | Self::Push { collection, .. }
            | Self::Fetch { collection, .. }
            | Self::Audit { collection, .. }
            | Self::Reconcile { collection, .. } => collection,
        }
    }
}
