//! Where a session stands in one collection, and what follows there.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};

use super::{
    phase::Audit,
    report::CollectionReport,
    walk::{Step, Walk},
};
use crate::decide::{
    authorship::{Authorship, Conflict, Link},
    continuity::{Continuity, Judgement, ServerLoss},
    history::KnownServer,
    line::{OpenHold, Revision},
    position::Issued,
};
use crate::talk::{
    message::{Audited, Greeting},
    offer::SentOffer,
};
use crate::values::{
    id::{CollectionId, Lineage, RecordId},
    version::Version,
};

/// Rounds of pulling and pushing in one session, at most: what others write meanwhile is for the next one.
const MAX_PASSES: u8 = 4;
/// Requests in a session after which what was found out is durable: a greeting and a proof, a few to narrow down where the sides
/// differ, and one for what is there. Each narrows by 256, so four are enough for 10^9 records. Or a greeting, a patch
/// that does not fit, what is there, whether it is listed, a proof, the whole.
const REQUESTS_TO_GET_ON: u32 = 8;

/// Where a session stands in one collection.
#[derive(Debug)]
pub(super) struct Work {
    /// `None` where there is no collection.
    collection: Option<CollectionId>,
    pub(super) here: Here,
    /// The server, as it is known now.
    pub(super) known: KnownServer,
    pub(super) saved: Saved,
    pub(super) is_greeted: bool,
    pub(super) is_stopped: bool,
    pub(super) due: Due,
    pub(super) mending: Mending,
    /// Where a comparison stands.
    pub(super) walk: Walk,
    pub(super) push: Push,
    pub(super) audit: Auditing,
    /// Rounds of pulling and pushing that are over.
    pub(super) passes: u8,
    /// Pages in a row that showed nothing and said that there was more.
    pub(super) empty_pages: u8,
    pub(super) report: CollectionReport,
}

/// What the head of the collection said when the session began.
#[derive(Debug, Default)]
pub(super) struct Here {
    /// The last counter that this device has used.
    pub(super) counter: u64,
    pub(super) author: Option<Authorship>,
    pub(super) has_commits: bool,
    /// Records of which something was staged, in the order of their ids.
    pub(super) staged: Vec<RecordId>,
}

/// What the store knows of the server, beside what the session knows.
#[derive(Debug, Default)]
pub(super) struct Saved {
    /// As this session read or wrote it last.
    pub(super) stored: Option<KnownServer>,
    /// After the commit that is on its way.
    pub(super) storing: Option<KnownServer>,
    /// What is to be stored next.
    pub(super) closing: Option<KnownServer>,
    /// What is known of the server is not yet in the store.
    pub(super) is_behind: bool,
}

/// What is still to do, in this order.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is one thing that is still to do")]
pub(super) struct Due {
    pub(super) proof: bool,
    /// Nothing is known to be on this server: every record becomes pending.
    pub(super) void: bool,
    /// What is held here is compared with what this server has, once it is known that something is.
    pub(super) comparison: bool,
    pub(super) pull: bool,
    /// Something is staged here, and is judged when the round is over.
    pub(super) judgement: bool,
    pub(super) push: bool,
    pub(super) audit: bool,
}

/// What was lost on the server, and how far that is named and mended.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is done once in a session")]
pub(super) struct Mending {
    /// Nothing is removed on this server's word in this session.
    pub(super) is_suspect: bool,
    /// Records that the server named as its own and does not show any more.
    pub(super) missing: BTreeSet<RecordId>,
    /// A loss of records has been claimed: once a session is enough.
    pub(super) has_claimed: bool,
    /// What a proof led to, until it is taken in.
    pub(super) verdict: Option<(Judgement, Option<Issued>)>,
    /// Records that were looked at for what is void, and those of them that were.
    pub(super) looked_at: usize,
    pub(super) voided: usize,
    /// All has been compared in this session.
    pub(super) has_compared: bool,
    /// Records that the server has lost, until they are sent again.
    pub(super) lost: BTreeSet<RecordId>,
    /// The server has been sent all there is.
    pub(super) has_sent_all: bool,
}

/// What the server said of records that were pushed, until it is dealt with.
#[derive(Debug, Default)]
pub(super) struct Push {
    /// What was sent in this push and staged there: the last page tells.
    pub(super) staged: BTreeMap<RecordId, Version>,
    /// Records that are sent whole, for no patch will do.
    pub(super) unfit: Vec<RecordId>,
    /// Records that the server holds, until it is known that the question is here, too; and those that only it has.
    pub(super) unasked: BTreeSet<RecordId>,
    /// Records of which the server has more than was sent, until a page has shown it.
    pub(super) merged: BTreeSet<RecordId>,
    /// Records of which the server has other contents under the same dots, asked for once in a session.
    pub(super) disputed: BTreeSet<RecordId>,
}

/// What an audit is in the middle of.
#[derive(Debug, Default)]
pub(super) struct Auditing {
    /// It goes on to the end of the collection.
    pub(super) is_of_all: bool,
    /// What the server said to the audit that went with a push.
    pub(super) heard: Option<(Audit, Audited)>,
    /// Records that were patched in vain, until it is known what the server has of them.
    pub(super) doubted: BTreeSet<RecordId>,
    /// Those of which it is known.
    pub(super) examined: BTreeSet<RecordId>,
    pub(super) shown: Shown,
}

/// What an audit has shown and is not known here.
#[derive(Debug, Default)]
pub(super) struct Shown {
    pub(super) offers: Vec<SentOffer>,
    /// Where the server stood when it showed them.
    pub(super) at: Option<Issued>,
    /// What it had accepted of this replica's writes then.
    pub(super) accepted: Option<Link>,
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
            here: Here::default(),
            known: KnownServer::default(),
            saved: Saved::default(),
            is_greeted: false,
            is_stopped: false,
            due: Due::default(),
            mending: Mending::default(),
            walk: Walk::default(),
            push: Push::default(),
            audit: Auditing::default(),
            passes: 0,
            empty_pages: 0,
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
        self.known.is_recovering && !self.mending.has_sent_all && self.known.witness.is_some()
    }

    pub(super) fn note_sent(&mut self, records: &[(RecordId, Version)], is_all: bool) {
        // Of a server that is seeded, all of it was lost, each record once.
        let mut is_again = |record: &RecordId| {
            if self.known.is_reseeding {
                self.mending.lost.insert(record.clone())
            } else {
                self.mending.lost.remove(record)
            }
        };
        let again = records.iter().map(|(record, _)| record).filter(|record| is_again(record)).count();
        self.report.sent = self.report.sent.saturating_add(super::count(records.len()));
        self.report.resent = self.report.resent.saturating_add(super::count(again));
        self.mending.has_sent_all |= is_all;
    }

    /// What the server says of its own open hold, in a greeting.
    pub(super) fn note_hold(&mut self, hold: Option<OpenHold>) {
        self.report.hold_there = hold;
        // Where there is nothing to read, all its lines are here.
        let has_read_all = !self.due.pull && self.known.comparing.is_none();
        if self.report.continuity == Some(Continuity::Intact) && has_read_all {
            self.saved.is_behind |= self.known.hold != hold;
            self.known.hold = hold;
        }
    }

    /// Whether it is worth a question what the server has of a record of which it lacks what it once named as its own.
    pub(super) fn is_doubted(&self, record: &RecordId) -> bool {
        let is_named = self.mending.is_suspect || self.mending.has_claimed;
        let is_last_pass = self.passes.saturating_add(1) >= MAX_PASSES;
        !is_named && !is_last_pass && !self.audit.examined.contains(record)
    }

    /// Requests that a session sends at least, whatever its budget: what it has found out is not durable yet, and the next one
    /// would spend its requests on finding it out again.
    pub(super) fn least_requests(&self) -> u32 {
        let is_narrowing = self.known.comparing.is_some() && !self.walk.has_got_on;
        let is_claiming = if self.mending.has_claimed { self.due.proof } else { !self.mending.missing.is_empty() };
        let is_looking = !self.audit.doubted.is_empty() || (self.due.push && !self.audit.examined.is_empty());
        if is_narrowing || is_claiming || is_looking { REQUESTS_TO_GET_ON } else { 0 }
    }

    /// What is still to do, in this order.
    pub(super) fn next(&self) -> Next {
        if self.is_stopped {
            Next::Nothing
        } else if self.due.proof {
            Next::Prove
        } else if self.mending.verdict.is_some() || self.due.void {
            Next::Void
        } else if self.known.comparing.is_some() {
            match self.walk.next() {
                Step::Settle => Next::Settle,
                Step::Ask => Next::Compare,
                Step::End => Next::EndComparison,
            }
        } else if self.due.pull && self.passes < MAX_PASSES {
            Next::Pull
        } else if !self.push.unasked.is_empty() || !self.push.merged.is_empty() {
            Next::Ask
        } else if !self.audit.shown.offers.is_empty() {
            Next::TakeShown
        } else if self.due.judgement && (!self.mending.is_suspect || self.known.is_reseeding) {
            Next::Judge
        } else if !self.audit.doubted.is_empty() {
            Next::Examine
        } else if self.due.push && self.report.conflict.is_none() && self.passes < MAX_PASSES {
            Next::Push
        } else if self.audit.heard.is_some() {
            Next::HearAudit
        } else if self.due.audit {
            Next::Audit
        } else if (self.known.is_recovering && self.report.conflict.is_none()) || self.saved.is_behind {
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
            missing: self.mending.missing.iter().cloned().collect(),
        };
        Some((judgement, Some(last)))
    }

    /// The last revision that the device was given.
    pub(super) fn given(&self) -> Revision {
        self.known.witness.as_ref().map(|witness| witness.last.position.revision).unwrap_or_default()
    }

    /// Notes that the replica's id is in use elsewhere.
    pub(super) fn note_conflict(&mut self, conflict: Conflict) {
        self.saved.is_behind |= self.known.note_conflict(conflict);
        self.report.conflict = Some(conflict);
        self.due.push = false;
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
