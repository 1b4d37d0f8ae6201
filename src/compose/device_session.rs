//! A device's side of the conversation, as a state machine that is polled: it says what to send, what to read and what to
//! commit, and is told what came of it. It never blocks, never loops without bound, and can be dropped at any step.

mod audit;
mod greet;
mod phase;
mod pull;
mod push;
mod reconcile;
mod report;
mod walk;
mod work;

use alloc::{boxed::Box, collections::VecDeque, vec::Vec};

pub use report::{CollectionReport, Report};

use super::serve::account_digest;
use crate::act::{
    plan::{Batch, Plan},
    receipt::Receipt,
};
use crate::decide::{
    authorship::Conflict,
    consent::Trust,
    draft::Draft,
    guard::{Guard, Inputs},
    slice::{ReadSet, Slice},
};
use crate::talk::{
    limits::WireLimits,
    message::{Refused, Reply, Request},
    session::{Initiator, SessionError},
};
use crate::values::{
    entropy::Entropy,
    id::{AccountId, CollectionId, RecordId, ReplicaId},
};
use phase::{Page, Phase};
use work::{Next, Work};

/// What a session is about. The host's words.
#[derive(Debug, Clone)]
pub struct Opening {
    /// This installation.
    pub replica: ReplicaId,
    /// The account that the device belongs to.
    pub account: AccountId,
    /// The collections that it is subscribed to, in the order in which they are synced.
    pub collections: Vec<CollectionId>,
    /// The guard.
    pub guard: Guard,
    /// What answers that travelled with records are worth.
    pub trust: Trust,
    /// What may cross.
    pub limits: WireLimits,
    /// Requests after which the session ends, complete or not. All that it did is durable, and the next one goes on.
    ///
    /// Two are the least with which a session gets anywhere: the first one only greets. It sends more where all would be in vain
    /// otherwise: a push of which something waits on the server goes on to its last page; a comparison, and a look at what the
    /// server has lost, until they have got on, or to 8 requests.
    pub max_requests: u32,
    /// Whether a window of records is audited even if nothing else has crossed.
    pub grants_audit: bool,
}

impl Opening {
    /// With the standard guard and limits, trust in the account, and no bound but 100 000 requests.
    #[must_use]
    pub fn new(replica: ReplicaId, account: AccountId, collections: Vec<CollectionId>) -> Self {
        Self {
            replica,
            account,
            collections,
            guard: Guard::default(),
            trust: Trust::Account,
            limits: WireLimits::default(),
            max_requests: 100_000,
            grants_audit: false,
        }
    }
}

/// What the host does next.
#[derive(Debug, Clone)]
#[expect(clippy::large_enum_variant, reason = "it is handed out one at a time")]
pub enum Output {
    /// Send these bytes to the server, and hand its reply to [`DeviceSession::received`].
    Send(Vec<u8>),
    /// Read this, and hand the slice to [`DeviceSession::loaded`].
    Read(ReadSet),
    /// Commit this, and call [`DeviceSession::committed`]; or [`DeviceSession::moved`] if somebody else has committed since.
    Commit(Batch),
    /// The session is over.
    Done(Box<Report>),
}

/// One session of a device with a server.
#[derive(Debug)]
pub struct DeviceSession {
    opening: Opening,
    initiator: Initiator,
    /// The collection at hand.
    work: Work,
    /// Those that follow.
    works: VecDeque<Work>,
    phase: Phase,
    output: Output,
    /// Where to go on if the store has moved since it was read.
    redo: Option<(Phase, ReadSet)>,
    last_read: Option<ReadSet>,
    /// Collections whose heads have been read.
    read_heads: usize,
    report: Report,
}

impl DeviceSession {
    /// Opens a session. Nothing has been sent yet; `entropy` names it.
    #[must_use]
    pub fn open(opening: Opening, entropy: &Entropy) -> Self {
        let session = entropy.draw("holdfast session", &[opening.replica.as_bytes()]);
        let session = u64::try_from(session >> 64).unwrap_or_default();
        let initiator = Initiator::new(session, account_digest(&opening.account), opening.replica);
        let works = opening.collections.iter().cloned().map(Work::new).collect();
        let mut session = Self {
            opening,
            initiator,
            work: Work::nowhere(),
            works,
            phase: Phase::Over,
            output: Output::Done(Box::default()),
            redo: None,
            last_read: None,
            read_heads: 0,
            report: Report::default(),
        };
        session.begin();
        session
    }

    /// What to do next. It stays the same until the host has said what came of it.
    #[must_use]
    pub fn poll(&self) -> Output {
        self.output.clone()
    }

    /// What the session has done so far: for a host that ends it before it is done, or whose network ended it. What it took
    /// in is durable, and its receipts are the change feed of a screen.
    #[must_use]
    pub fn report(&self) -> Report {
        if let Output::Done(report) = &self.output {
            return Report::clone(report);
        }
        let rest = core::iter::once(&self.work).chain(&self.works).filter(|work| work.is_somewhere());
        let mut report = self.report.clone();
        report.collections.extend(rest.map(|work| work.report.clone()));
        report
    }

    /// What was asked for.
    pub fn loaded(&mut self, slice: Slice) {
        if !matches!(self.output, Output::Read(_)) {
            return;
        }
        match core::mem::replace(&mut self.phase, Phase::Over) {
            Phase::Heads => self.head_read(&slice),
            Phase::VoidRead { after } => self.void_read(after, slice),
            Phase::PageRead { page, is_full } => self.page_read(page, is_full, slice),
            Phase::AskRead => self.ask_read(&slice),
            Phase::StagedRead { is_full } => self.staged_read(is_full, slice),
            Phase::PushRead { after, only, is_first } => self.push_read(after, only, is_first, slice),
            Phase::AckRead { acks } => self.ack_read(acks, slice),
            Phase::AuditRead { push } => self.audit_read(push, &slice),
            Phase::CloseRead => self.close_read(slice),
            Phase::AuditNote => self.audit_note(slice),
            Phase::DoubtRead => self.doubt_read(&slice),
            Phase::SpansRead => self.spans_read(&slice),
            Phase::SettleRead => self.settle_read(slice),
            Phase::ComparedRead => self.compared_read(slice),
            other => self.phase = other,
        }
    }

    /// The batch is durable.
    pub fn committed(&mut self) {
        if !matches!(self.output, Output::Commit(_)) {
            return;
        }
        self.redo = None;
        self.work.saved.stored = self.work.saved.storing.take();
        let Phase::Committing { receipt, then } = core::mem::replace(&mut self.phase, Phase::Over) else { return };
        self.after_commit(receipt, *then);
    }

    /// The batch was not committed: the store has moved since it was read. It is read and decided again.
    pub fn moved(&mut self) {
        if let (Output::Commit(_), Some((phase, set))) = (&self.output, self.redo.take()) {
            self.read(phase, set);
        }
    }

    /// What the server replied. Bytes of another session, or of an earlier request, change nothing.
    ///
    /// # Errors
    /// [`SessionError`]; nothing was changed, and the request still stands.
    pub fn received(&mut self, bytes: &[u8]) -> Result<(), SessionError> {
        if !matches!(self.output, Output::Send(_)) {
            return Err(SessionError::Unasked);
        }
        let replies = self.initiator.hear(bytes, &self.opening.limits)?;
        self.check_kind(&replies)?;
        self.report.bytes_received = self.report.bytes_received.saturating_add(count(bytes.len()));
        if matches!(self.phase, Phase::Greeting) {
            self.greeted(replies);
            return Ok(());
        }
        let mut replies = replies.into_iter();
        let Some(reply) = replies.next() else { return Ok(()) };
        if let Reply::Refused(refused) = reply {
            if let Refused::ReplicaConflict { accepted } = refused {
                self.phase = Phase::Over;
                self.work.push.staged.clear();
                self.work.note_conflict(Conflict::with(self.opening.replica, accepted));
                self.advance();
                return Ok(());
            }
            self.work.report.refused = Some(refused);
            self.stop();
            return Ok(());
        }
        match (core::mem::replace(&mut self.phase, Phase::Over), reply) {
            (Phase::Proving, Reply::Judged { judgement, now }) => self.judged(judgement, now),
            (Phase::Pulling, Reply::Page { offers, next, is_more, now, accepted, hold }) => {
                self.work.report.hold_there = hold;
                self.paged(Page { offers, next, is_more, now, accepted, hold });
            }
            (Phase::Fetching { page, asked }, Reply::Whole { offers, now, accepted }) => {
                self.fetched(page, asked, offers, (now, accepted));
            }
            (Phase::Pushing { sent, audit }, Reply::Taken { before, now, except, staged, hold }) => {
                self.work.report.hold_there = hold;
                if let (Some(audit), Some(Reply::Audited(audited))) = (audit, replies.next()) {
                    self.work.audit.heard = Some((audit, audited));
                }
                self.taken(sent, before, now, except, staged);
            }
            (Phase::Auditing { audit }, Reply::Audited(audited)) => self.audited(audit, audited),
            (Phase::Examining { audit }, Reply::Whole { offers, now, accepted }) => {
                self.examined(audit, offers, (now, accepted));
            }
            (Phase::Looking { records }, reply) => self.looked(records, core::iter::once(reply).chain(replies)),
            (Phase::Reconciling { asked }, Reply::Reconciled { found, now }) => self.reconciled(asked, found, now),
            (Phase::Supplying { asked }, Reply::Whole { offers, now, accepted }) => {
                self.supplied_by(asked, offers, (now, accepted));
            }
            (phase, _) => self.phase = phase,
        }
        Ok(())
    }

    /// Whether the replies are of the kind that was asked for.
    fn check_kind(&self, replies: &[Reply]) -> Result<(), SessionError> {
        let fits = |reply: &Reply| {
            matches!(
                (&self.phase, reply),
                (_, Reply::Refused(_))
                    | (Phase::Greeting, Reply::Welcome { .. })
                    | (Phase::Proving, Reply::Judged { .. })
                    | (Phase::Pulling, Reply::Page { .. })
                    | (Phase::Fetching { .. } | Phase::Examining { .. } | Phase::Supplying { .. }, Reply::Whole { .. })
                    | (Phase::Reconciling { .. }, Reply::Reconciled { .. })
                    | (Phase::Pushing { .. }, Reply::Taken { .. })
                    | (Phase::Auditing { .. } | Phase::Looking { .. }, Reply::Audited(_))
            )
        };
        let expected = self.phase.asks();
        let mut replies = replies.iter();
        // The last page of a push takes an audit along.
        if matches!((&self.phase, replies.as_slice().last()), (Phase::Pushing { .. }, Some(Reply::Audited(_)))) {
            replies.next_back();
        }
        if replies.all(fits) { Ok(()) } else { Err(SessionError::Unexpected { expected }) }
    }

    /// What follows for the collection at hand, or for the next one.
    fn advance(&mut self) {
        loop {
            // What has come is taken in; only requests are counted.
            if self.is_spent() && self.work.next().asks() {
                return self.finish();
            }
            match self.work.next() {
                Next::Prove => return self.prove(),
                Next::Void => return self.void(None),
                Next::Settle => return self.settle(),
                Next::Compare => return self.compare(),
                Next::EndComparison => return self.end_comparison(),
                Next::Pull => return self.pull(),
                Next::Ask => return self.ask(),
                Next::TakeShown => return self.take_shown(),
                Next::Judge => return self.read_staged(),
                Next::Examine => return self.doubt(),
                Next::Push => return self.push(None, Vec::new(), true),
                Next::HearAudit => return self.hear_audit(),
                Next::Audit => return self.audit(None),
                Next::Close => return self.close(),
                Next::Nothing => {}
            }
            // Under an id that is in use elsewhere, nothing is sent.
            self.work.report.is_complete = !self.work.is_stopped && self.work.report.conflict.is_none();
            let Some(next) = self.works.pop_front() else { return self.finish() };
            let done = core::mem::replace(&mut self.work, next);
            self.report.collections.extend(done.is_somewhere().then_some(done.report));
        }
    }

    /// Bytes of one record that this device takes.
    fn record_bytes(&self) -> u64 {
        count(self.opening.limits.record.max_bytes)
    }

    /// Whether the session has sent as many requests as it may.
    fn is_spent(&self) -> bool {
        self.report.requests >= self.opening.max_requests.max(self.work.least_requests())
    }

    /// This collection goes no further in this session.
    fn stop(&mut self) {
        self.work.is_stopped = true;
        self.advance();
    }

    /// The server does not go on from where it was: the next session greets it again.
    fn greet_again(&mut self) {
        self.work.report.refused = Some(Refused::Renewed);
        self.stop();
    }

    fn finish(&mut self) {
        let rest = core::mem::take(&mut self.works);
        let here = core::mem::replace(&mut self.work, Work::nowhere());
        let rest = core::iter::once(here).chain(rest).filter(|work| work.is_somewhere());
        self.report.collections.extend(rest.map(|work| work.report));
        self.phase = Phase::Over;
        self.output = Output::Done(Box::new(core::mem::take(&mut self.report)));
    }

    fn read(&mut self, phase: Phase, set: ReadSet) {
        self.phase = phase;
        self.last_read = Some(set.clone());
        self.output = Output::Read(set);
    }

    fn send(&mut self, phase: Phase, requests: Vec<Request>) {
        let Ok(bytes) = self.initiator.ask(requests, &self.opening.limits) else {
            // More than may cross. What is too large by itself was sorted out before.
            let greeted = self.works.iter_mut().filter(|_| matches!(phase, Phase::Greeting));
            for work in greeted.chain(core::iter::once(&mut self.work)) {
                (work.report.refused, work.is_stopped) = (Some(Refused::Malformed), true);
            }
            return self.advance();
        };
        self.report.requests = self.report.requests.saturating_add(1);
        self.report.bytes_sent = self.report.bytes_sent.saturating_add(count(bytes.len()));
        self.phase = phase;
        self.output = Output::Send(bytes);
    }

    /// Asks for records whole.
    fn ask_whole(&mut self, phase: Phase, records: Vec<RecordId>) {
        let (collection, record_bytes) = (self.work.collection(), self.record_bytes());
        let accepted = self.work.known.accepted;
        self.send(
            phase,
            [Request::Fetch { collection, at: self.work.greeting(), records, record_bytes, accepted }].into(),
        );
    }

    /// Reviews a draft and commits it; goes on at once where there is nothing to write. `redo` is the phase that read it.
    ///
    /// Where another session of this device, or its leaving, has changed what is known of the server, this one knows less: it
    /// writes nothing more, and the next one goes on.
    fn commit(&mut self, draft: Draft, redo: Phase, then: Phase) {
        if draft.known_server() != self.work.saved.stored.as_ref() {
            self.work.report.conflict = None;
            return self.stop();
        }
        let device = self.opening.replica;
        let round = super::serve::round(device, self.initiator.session());
        let inputs = Inputs::new(round, self.opening.trust).reseeding(self.work.known.is_reseeding);
        let guard = &self.opening.guard;
        let plan = Plan::new(if draft.is_own() { guard.review_own(draft) } else { guard.review(draft, &inputs) });
        let (batch, applying) = plan.begin();
        let receipt = applying.committed();
        match batch {
            Some(batch) => {
                self.work.saved.storing.clone_from(&batch.head.server);
                self.redo = self.last_read.clone().map(|set| (redo, set));
                self.phase = Phase::Committing { receipt, then: Box::new(then) };
                self.output = Output::Commit(batch);
            }
            None => self.after_commit(receipt, then),
        }
    }

    fn after_commit(&mut self, receipt: Receipt, then: Phase) {
        match then {
            Phase::VoidRead { after } => self.void(after),
            Phase::PushRead { after, only, is_first } => self.push(after, only, is_first),
            Phase::Renewed { server } => self.renewed(server),
            Phase::Paged { server, is_more } => self.page_committed(receipt, server, is_more),
            Phase::Judged => self.staged_committed(receipt),
            Phase::Acked { server, more } => self.acked(server, more),
            Phase::Audited { server } => self.audit_noted(server),
            Phase::Settled(settled) => self.settled(settled),
            Phase::ComparisonEnded { server } => self.comparison_ended(server),
            Phase::Closed => {
                self.work.known.is_recovering = false;
                self.work.known.is_reseeding = false;
                self.work.saved.is_behind = false;
                self.advance();
            }
            other => self.phase = other,
        }
    }
}

fn count(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}
