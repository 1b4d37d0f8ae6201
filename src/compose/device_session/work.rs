//! Where a session stands in one collection.

use alloc::{
    boxed::Box,
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};

use super::{
    report::CollectionReport,
    walk::{Asking, Step, Walk},
};
use crate::act::receipt::Receipt;
use crate::decide::{
    acknowledge::Answered,
    authorship::{Authorship, Conflict, Link},
    continuity::{Continuity, Judgement, ServerLoss},
    history::KnownServer,
    line::{OpenHold, Revision},
    position::{FeedCursor, Issued, Position},
};
use crate::talk::{
    message::{Audited, Greeting, Request},
    offer::SentOffer,
};
use crate::values::{
    id::{CollectionId, Lineage, RecordId},
    version::Version,
    version_vector::VersionVector,
};

/// Rounds of pulling and pushing in one session, at most: what others write meanwhile is for the next one.
const MAX_PASSES: u8 = 4;

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
            Self::Auditing { .. } => "an audit",
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

/// What follows in a collection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    Prove,
    Void,
    Settle,
    Compare,
    EndComparison,
    Pull,
    Ask,
    TakeShown,
    Judge,
    Examine,
    Push,
    HearAudit,
    Audit,
    Close,
    Nothing,
}

impl Next {
    /// Whether it begins with a request.
    pub(super) const fn asks(self) -> bool {
        match self {
            Self::Prove | Self::Compare | Self::Pull | Self::Ask | Self::Examine | Self::Push | Self::Audit => true,
            Self::Void
            | Self::Settle
            | Self::EndComparison
            | Self::TakeShown
            | Self::Judge
            | Self::HearAudit
            | Self::Close
            | Self::Nothing => false,
        }
    }
}

/// Where a session stands in one collection.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is one thing that is still to do")]
pub(super) struct Work {
    /// `None` where there is no collection.
    collection: Option<CollectionId>,
    /// The server, as the store knows it.
    pub(super) known: KnownServer,
    /// The last counter that this device has used.
    pub(super) counter: u64,
    pub(super) author: Option<Authorship>,
    /// What a proof led to, until it is taken in.
    pub(super) verdict: Option<(Judgement, Option<Issued>)>,
    /// What is known of the server when the round is over.
    pub(super) closing: Option<KnownServer>,
    /// Records that the server named as its own and does not show any more.
    pub(super) missing: BTreeSet<RecordId>,
    /// Records that the server has lost, until they are sent again.
    pub(super) lost_there: BTreeSet<RecordId>,
    /// A server that lost something has been sent all there is.
    pub(super) has_sent_all: bool,
    /// Records of which something was staged here when the session began.
    pub(super) staged_here: Vec<RecordId>,
    /// Records of which an audit has shown more than is known here.
    pub(super) shown: Vec<SentOffer>,
    /// Where the server stood when it showed them.
    pub(super) shown_at: Option<Issued>,
    /// What it had accepted of this replica's writes then.
    pub(super) shown_accepted: Option<Link>,
    /// Records that were patched in vain, until it is known what the server has of them.
    pub(super) doubted: BTreeSet<RecordId>,
    /// Those of which it is known.
    pub(super) examined: BTreeSet<RecordId>,
    /// Records that are sent whole, for no patch will do.
    pub(super) unfit: Vec<RecordId>,
    /// Records that the server holds, until it is known that the question is here, too.
    pub(super) unasked: BTreeSet<RecordId>,
    /// Records of which the server has other contents under the same dots, asked for once in a session.
    pub(super) disputed: BTreeSet<RecordId>,
    /// What was sent in this push and staged there: the last page tells.
    pub(super) staged_there: BTreeMap<RecordId, Version>,
    /// What is known of the server in the store, as this session read or wrote it last.
    pub(super) stored: Option<KnownServer>,
    /// The same after the commit that is on its way.
    pub(super) storing: Option<KnownServer>,
    /// The collection has seen a commit here.
    pub(super) was_here: bool,
    pub(super) is_greeted: bool,
    /// Nothing is known to be on this server: every record is pending.
    pub(super) needs_void: bool,
    /// What is held here is compared with what this server has, once it is known that something is.
    pub(super) compares_first: bool,
    /// Records that were looked at for what is void, and those of them that were.
    pub(super) looked_at: usize,
    pub(super) voided: usize,
    /// Where a comparison stands.
    pub(super) walk: Walk,
    /// All has been compared in this session.
    pub(super) has_compared: bool,
    pub(super) needs_proof: bool,
    pub(super) needs_pull: bool,
    pub(super) has_staged: bool,
    pub(super) needs_push: bool,
    pub(super) needs_audit: bool,
    /// What the server said to an audit that went with a push.
    pub(super) heard_audit: Option<(Audit, Audited)>,
    /// The audit goes on to the end of the collection.
    pub(super) audits_all: bool,
    /// Nothing is removed on this server's word in this session.
    pub(super) is_suspect: bool,
    /// A loss of records has been claimed: once a session is enough.
    pub(super) has_claimed: bool,
    pub(super) is_stopped: bool,
    /// What is known of the server is not yet in the store.
    pub(super) is_unsaved: bool,
    pub(super) passes: u8,
    pub(super) report: CollectionReport,
}

impl Work {
    pub(super) fn new(collection: CollectionId) -> Self {
        Self { collection: Some(collection.clone()), ..Self::of(CollectionReport::new(collection)) }
    }

    /// Between collections.
    pub(super) fn nowhere() -> Self {
        Self::of(CollectionReport::new(CollectionId::nowhere()))
    }

    fn of(report: CollectionReport) -> Self {
        Self {
            collection: None,
            known: KnownServer::default(),
            counter: 0,
            author: None,
            verdict: None,
            closing: None,
            missing: BTreeSet::new(),
            lost_there: BTreeSet::new(),
            has_sent_all: false,
            staged_here: Vec::new(),
            shown: Vec::new(),
            shown_at: None,
            shown_accepted: None,
            doubted: BTreeSet::new(),
            examined: BTreeSet::new(),
            unfit: Vec::new(),
            unasked: BTreeSet::new(),
            disputed: BTreeSet::new(),
            staged_there: BTreeMap::new(),
            stored: None,
            storing: None,
            was_here: false,
            is_greeted: false,
            needs_void: false,
            compares_first: false,
            looked_at: 0,
            voided: 0,
            walk: Walk::default(),
            has_compared: false,
            needs_proof: false,
            needs_pull: false,
            has_staged: false,
            needs_push: false,
            needs_audit: false,
            heard_audit: None,
            audits_all: false,
            is_suspect: false,
            has_claimed: false,
            is_stopped: false,
            is_unsaved: false,
            passes: 0,
            report,
        }
    }

    pub(super) const fn is_somewhere(&self) -> bool {
        self.collection.is_some()
    }

    pub(super) fn collection(&self) -> CollectionId {
        self.report.collection.clone()
    }

    pub(super) fn lineage(&self) -> Option<Lineage> {
        self.known.lineage()
    }

    /// A server that lost something is told what there is, even where that is nothing.
    pub(super) const fn owes_all(&self) -> bool {
        self.known.is_recovering && !self.has_sent_all && self.known.witness.is_some()
    }

    pub(super) fn note_sent(&mut self, records: &[(RecordId, Version)], is_all: bool) {
        // Of a server that is seeded, all of it was lost, each record once.
        let mut is_again = |record: &RecordId| {
            if self.known.is_reseeding {
                self.lost_there.insert(record.clone())
            } else {
                self.lost_there.remove(record)
            }
        };
        let again = records.iter().map(|(record, _)| record).filter(|record| is_again(record)).count();
        self.report.sent = self.report.sent.saturating_add(super::count(records.len()));
        self.report.resent = self.report.resent.saturating_add(super::count(again));
        self.has_sent_all |= is_all;
    }

    /// What the server says of its own open hold, in a greeting.
    pub(super) fn note_hold(&mut self, hold: Option<OpenHold>) {
        self.report.hold_there = hold;
        // Where there is nothing to read, all its lines are here.
        let has_read_all = !self.needs_pull && self.known.comparing.is_none();
        if self.report.continuity == Some(Continuity::Intact) && has_read_all {
            self.is_unsaved |= self.known.hold != hold;
            self.known.hold = hold;
        }
    }

    /// Whether it is worth a question what the server has of a record of which it lacks what it once named as its own.
    pub(super) fn is_doubted(&self, record: &RecordId) -> bool {
        let is_named = self.is_suspect || self.has_claimed;
        let is_last_pass = self.passes.saturating_add(1) >= MAX_PASSES;
        !is_named && !is_last_pass && !self.examined.contains(record)
    }

    /// What is still to do, in this order.
    pub(super) fn next(&self) -> Next {
        if self.is_stopped {
            Next::Nothing
        } else if self.needs_proof {
            Next::Prove
        } else if self.verdict.is_some() || self.needs_void {
            Next::Void
        } else if self.known.comparing.is_some() {
            match self.walk.next() {
                Step::Settle => Next::Settle,
                Step::Ask => Next::Compare,
                Step::End => Next::EndComparison,
            }
        } else if self.needs_pull && self.passes < MAX_PASSES {
            Next::Pull
        } else if !self.unasked.is_empty() {
            Next::Ask
        } else if !self.shown.is_empty() {
            Next::TakeShown
        } else if self.has_staged && (!self.is_suspect || self.known.is_reseeding) {
            Next::Judge
        } else if !self.doubted.is_empty() {
            Next::Examine
        } else if self.needs_push && self.report.conflict.is_none() && self.passes < MAX_PASSES {
            Next::Push
        } else if self.heard_audit.is_some() {
            Next::HearAudit
        } else if self.needs_audit {
            Next::Audit
        } else if (self.known.is_recovering && self.report.conflict.is_none()) || self.is_unsaved {
            Next::Close
        } else {
            Next::Nothing
        }
    }

    /// The last position that the device was given, as it is named in requests.
    pub(super) fn greeting(&self) -> Option<Greeting> {
        let last = self.known.witness.as_ref()?.last;
        Some(Greeting { revision: last.position.revision, tag: last.tag })
    }

    /// What follows where more is missing of what a loss has been named for.
    pub(super) fn more_missing(&self) -> Option<(Judgement, Option<Issued>)> {
        let last = self.known.witness.as_ref()?.last;
        let judgement = Judgement {
            continuity: Continuity::Lost(ServerLoss::PartialLoss),
            common: last.position.revision,
            claimed: last.position,
            found: Some(last.position),
            missing: self.missing.iter().cloned().collect(),
        };
        Some((judgement, Some(last)))
    }

    /// The last revision that the device was given.
    pub(super) fn given(&self) -> Revision {
        self.known.witness.as_ref().map(|witness| witness.last.position.revision).unwrap_or_default()
    }

    /// Notes that the replica's id is in use elsewhere.
    pub(super) fn note_conflict(&mut self, conflict: Conflict) {
        self.is_unsaved |= self.known.note_conflict(conflict);
        self.report.conflict = Some(conflict);
        self.needs_push = false;
    }

    pub(super) fn note(&mut self, continuity: Continuity) {
        // The worst that was seen in the session stands in its report.
        let weight = |continuity: Continuity| match continuity {
            Continuity::First | Continuity::Intact => 0,
            Continuity::Unproven => 1,
            Continuity::Behind => 2,
            Continuity::Lost(_) => 3,
            Continuity::Stop(_) => 4,
        };
        if self.report.continuity.is_none_or(|seen| weight(seen) == 0 || weight(seen) < weight(continuity)) {
            self.report.continuity = Some(continuity);
        }
    }
}
