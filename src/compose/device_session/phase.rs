//! What a session waits for, and what it keeps in hand meanwhile.

use alloc::{
    boxed::Box,
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};

use super::walk::Asking;
use crate::act::receipt::Receipt;
use crate::decide::{
    acknowledge::Answered,
    authorship::Link,
    history::KnownServer,
    line::OpenHold,
    position::{FeedCursor, Issued, Position},
};
use crate::talk::{message::Request, offer::SentOffer};
use crate::values::{id::RecordId, version::Version, version_vector::VersionVector};

/// What a session waits for.
#[derive(Debug, Clone)]
pub(super) enum Phase {
    /// Nothing: it is over, or is about to go on.
    Over,
    /// The head of each collection.
    Heads,
    /// The reply to the greeting of all collections.
    Greeting,
    /// The reply to a proof.
    Proving,
    /// Rows whose acknowledgement may be void.
    VoidRead { after: Option<RecordId> },
    /// The reply to a pull.
    Pulling,
    /// The rows that a page speaks of.
    PageRead { page: Page, is_full: bool },
    /// The records whose patches do not fit, whole.
    Fetching { page: Page, asked: BTreeSet<RecordId> },
    /// The records that the server holds.
    AskRead,
    /// What was staged, and then the rows that it speaks of.
    StagedRead { is_full: bool },
    /// What is pending.
    PushRead { after: Option<RecordId>, only: Vec<RecordId>, is_first: bool },
    /// The reply to a push, and to the audit that goes with its last page.
    Pushing { sent: Sending, audit: Option<Audit> },
    /// The rows that were acknowledged.
    AckRead { acks: Acks },
    /// A window of rows; the last page of a push waits for it, and takes the audit along.
    AuditRead { push: Option<(Request, Sending)> },
    /// The head, to note how far was audited.
    AuditNote,
    /// The reply to an audit.
    Auditing { audit: Audit },
    /// The rows of which the server lacks what a patch was made on.
    DoubtRead,
    /// The records of an audit that differ, whole.
    Examining { audit: Audit },
    /// Whether the server lists what it did not show.
    Looking { records: Vec<RecordId> },
    /// A commit.
    Committing { receipt: Receipt, then: Box<Self> },
    /// After a commit: the server is known anew.
    Renewed { server: KnownServer },
    /// After a commit: a page is taken in.
    Paged { server: KnownServer, is_more: bool },
    /// After a commit: what was staged is judged.
    Judged,
    /// After a commit: what the server took is noted.
    Acked { server: KnownServer, more: Option<More> },
    /// After a commit: how far was audited is noted.
    Audited { server: KnownServer },
    /// What is held here of the next ranges.
    SpansRead,
    /// The reply to a comparison.
    Reconciling { asked: Vec<Asking> },
    /// A page of rows of a range of which it is known what the server holds.
    SettleRead,
    /// After a commit: that page is taken in.
    Settled(Settled),
    /// Records that a comparison has shown, whole.
    Supplying { asked: Vec<RecordId> },
    /// The head, to note that all is compared.
    ComparedRead,
    /// After a commit: all is compared.
    ComparisonEnded { server: KnownServer },
    /// The head, to note that the round is over.
    CloseRead,
    /// After a commit: the round is over.
    Closed,
}

impl Phase {
    pub(super) const fn asks(&self) -> &'static str {
        match self {
            Self::Greeting => "a greeting",
            Self::Proving => "a proof",
            Self::Pulling => "a pull",
            Self::Fetching { .. } | Self::Examining { .. } | Self::Supplying { .. } => "a fetch",
            Self::Reconciling { .. } => "a comparison",
            Self::Pushing { .. } => "a push",
            Self::Auditing { .. } | Self::Looking { .. } => "an audit",
            _ => "nothing",
        }
    }
}

/// A page of a server's feed.
#[derive(Debug, Clone)]
pub(super) struct Page {
    pub(super) offers: Vec<SentOffer>,
    pub(super) next: FeedCursor,
    pub(super) is_more: bool,
    pub(super) now: Option<Issued>,
    /// What the server has accepted of this replica's writes, where that is not what this device knew.
    pub(super) accepted: Option<Link>,
    /// The hold that is open there.
    pub(super) hold: Option<OpenHold>,
}

/// Records that are audited.
#[derive(Debug, Clone)]
pub(super) struct Audit {
    /// What the server has named as its own.
    pub(super) named: BTreeMap<RecordId, Version>,
    /// All that is held here of the window.
    pub(super) here: BTreeSet<RecordId>,
    /// Of the rolling window: the last record, where there are more behind it. `None` where the records were picked out.
    pub(super) window: Option<Option<RecordId>>,
}

/// A page of a push, on its way.
#[derive(Debug, Clone)]
pub(super) struct Sending {
    /// Records and the versions sent, in the order of the page.
    pub(super) records: Vec<(RecordId, Version)>,
    /// The last of this replica's writes that goes with them.
    pub(super) reaches: u64,
    /// What comes after this page; `None` if it was the last one.
    pub(super) more: Option<More>,
    /// No patch is among them.
    pub(super) is_whole: bool,
}

/// What is still to be pushed.
#[derive(Debug, Clone)]
pub(super) struct More {
    pub(super) after: Option<RecordId>,
    /// Of these only, and whole.
    pub(super) only: Vec<RecordId>,
}

/// What the server said of a page.
#[derive(Debug, Clone)]
pub(super) struct Acks {
    pub(super) taken: Vec<Answered>,
    pub(super) server: KnownServer,
    pub(super) at: Position,
    pub(super) more: Option<More>,
}

/// A page of a range that was compared.
#[derive(Debug, Clone)]
pub(super) struct Settled {
    pub(super) server: KnownServer,
    /// The last record, where there may be more behind it.
    pub(super) upto: Option<RecordId>,
    pub(super) fetch: Vec<(RecordId, Option<VersionVector>)>,
    /// Of what the server has named as its own, and has not any more.
    pub(super) missing: Vec<RecordId>,
}
