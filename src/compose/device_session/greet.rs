//! Heads, greeting, proof, and what follows from a loss.

use alloc::vec::Vec;

use super::{
    DeviceSession,
    phase::Phase,
    walk::Walk,
    work::{Mending, Work},
};
use crate::compose::serve::account_digest;
use crate::decide::{
    authorship::{Authorship, Conflict, Link},
    continuity::{Claim, Continuity, Judgement, ServerLoss, Stop},
    draft::{Draft, Heading, Origin},
    history::{Comparing, KnownServer},
    line::Revision,
    position::{FeedCursor, Issued, Witness},
    slice::{Query, ReadSet, Slice},
    write::Write,
};
use crate::talk::message::{Recognition, Refused, Reply, Request};
use crate::values::{
    ablation::is_off,
    id::{RecordId, ReplicaId},
    register::Cause,
    time::Timestamp,
};

/// Collections greeted for in one frame.
const GREETINGS_AT_ONCE: usize = 100;
/// Records that a server set back has lost, at most, where reading its feed and sending them again costs less than comparing.
const FEW_LOST: usize = 32;
/// Rows looked at in one step, where all of them are.
pub(super) const ROWS_AT_ONCE: usize = 500;

impl DeviceSession {
    /// Reads the heads, one by one.
    pub(super) fn begin(&mut self) {
        let Some(work) = self.works.pop_front() else { return self.finish() };
        let set = ReadSet::head(work.collection()).with_query(Query::Pending { after: None, limit: 1 });
        self.work = work;
        self.read(Phase::Heads, set.with_staged(ReplicaId::THIS_DEVICE));
    }

    pub(super) fn head_read(&mut self, slice: &Slice) {
        let work = &mut self.work;
        work.known = slice.head.server.clone().unwrap_or_default();
        work.here.counter = slice.head.counter;
        work.due.judgement = !slice.staged.is_empty();
        work.here.staged = slice.staged.iter().map(|offer| offer.record.clone()).collect();
        work.here.staged.sort_unstable();
        work.due.push = !slice.found.is_empty();
        work.due.audit = self.opening.grants_audit;
        work.mending.is_suspect = work.known.is_recovering;
        work.report.is_seeding = work.known.is_reseeding;
        work.saved.stored.clone_from(&slice.head.server);
        let account = account_digest(&self.opening.account);
        if work.known.account.is_some_and(|known| known != account) {
            work.note(Continuity::Stop(Stop::WrongAccount));
            work.is_stopped = true;
        }
        work.known.account = Some(account);
        // What was learned of this replica in an earlier session stands until it has another id.
        work.report.conflict = work.known.conflict.filter(|conflict| conflict.replica == self.opening.replica);
        work.here.author.clone_from(&slice.head.author);
        work.report.written_under =
            work.here.author.as_ref().map(|author| author.replica).filter(|replica| *replica != self.opening.replica);
        work.is_stopped |= work.report.written_under.is_some();
        work.here.has_commits = slice.head.revision > Revision::default();
        let is_last = self.read_heads.saturating_add(1) >= self.opening.collections.len();
        self.read_heads = self.read_heads.saturating_add(1);
        let done = core::mem::replace(&mut self.work, Work::nowhere());
        self.works.push_back(done);
        if is_last { self.greet() } else { self.begin() }
    }

    /// Greets for the collections that have not been greeted for, as many at once as fit one frame.
    pub(super) fn greet(&mut self) {
        if self.works.iter().all(|work| work.is_stopped || work.is_greeted) {
            return self.advance();
        }
        let greet = |work: &Work| Request::Greet {
            collection: work.collection(),
            accepted: work.known.accepted,
            at: work.greeting(),
        };
        let due = self.works.iter().filter(|work| !work.is_stopped && !work.is_greeted);
        let requests = due.take(GREETINGS_AT_ONCE).map(greet).collect();
        self.send(Phase::Greeting, requests);
    }

    pub(super) fn greeted(&mut self, replies: Vec<Reply>) {
        let due = self.works.iter_mut().filter(|work| !work.is_stopped && !work.is_greeted);
        for (work, reply) in due.zip(replies) {
            work.is_greeted = true;
            let (recognition, accepted, hold) = match reply {
                Reply::Welcome { recognition, accepted, hold } => (recognition, accepted, hold),
                Reply::Refused(refused) => {
                    if let Refused::Stop(stop) = refused {
                        work.note(Continuity::Stop(stop));
                    }
                    work.report.refused = Some(refused);
                    work.is_stopped = true;
                    continue;
                }
                _ => continue,
            };
            match accepted.map(|link| heard(work.here.author.as_ref(), work.here.counter, link, self.opening.replica)) {
                None => {}
                Some(Ok(counter)) => work.known.accepted = counter,
                Some(Err(conflict)) => work.note_conflict(conflict),
            }
            let has_read_all = work.known.cursor.revision >= work.given();
            match recognition {
                // A device that was here has something to prove.
                Recognition::First if work.known.witness.is_none() => {
                    work.note(Continuity::First);
                    work.due.pull = true;
                    (work.due.void, work.due.comparison) = (work.here.has_commits, work.here.has_commits);
                }
                Recognition::First | Recognition::Prove => work.due.proof = true,
                Recognition::Same | Recognition::News => {
                    let is_known = work.known.witness.is_some();
                    work.note(if is_known { Continuity::Intact } else { Continuity::First });
                    work.due.void = !is_known && work.here.has_commits;
                    work.due.pull = recognition == Recognition::News || !has_read_all;
                }
            }
            work.note_hold(hold);
            if work.report.conflict.is_some() {
                work.due.push = false;
            }
        }
        self.greet();
    }

    pub(super) fn prove(&mut self) {
        let work = &mut self.work;
        work.due.proof = false;
        let Some(witness) = &work.known.witness else {
            // Nothing is known to be there, then.
            (work.due.void, work.due.pull) = (true, true);
            return self.advance();
        };
        // As many as may cross; the next audit finds the others.
        let missing = work.mending.missing.iter().take(self.opening.limits.max_items).cloned().collect();
        let claim = Claim::of(witness, missing);
        let collection = work.collection();
        self.send(Phase::Proving, [Request::Prove { collection, claim }].into());
    }

    pub(super) fn judged(&mut self, judgement: Judgement, now: Option<Issued>) {
        let judgement = self.checked(judgement, now);
        self.work.note(judgement.continuity);
        self.work.report.evidence.push(judgement.clone());
        match judgement.continuity {
            Continuity::First | Continuity::Behind | Continuity::Stop(_) => self.stop(),
            Continuity::Intact | Continuity::Unproven | Continuity::Lost(_) => {
                self.work.mending.verdict = Some((judgement, now));
                self.advance();
            }
        }
    }

    /// The same test from this side: a server that is broken or lies can not call a loss intact.
    fn checked(&self, mut judgement: Judgement, now: Option<Issued>) -> Judgement {
        let Some(witness) = &self.work.known.witness else { return judgement };
        let known = witness.last.position;
        judgement.claimed = known;
        judgement.common = judgement.common.min(known.revision);
        if matches!(judgement.continuity, Continuity::Intact | Continuity::Unproven) {
            let loss = match judgement.found.filter(|_| now.is_some()) {
                None => Some(ServerLoss::Emptied),
                Some(found) if found.revision < known.revision => Some(ServerLoss::RolledBack),
                Some(found)
                    if found.revision == known.revision
                        && found.lineage == known.lineage
                        && found.chain != known.chain
                        && !is_off!(Chain) =>
                {
                    Some(ServerLoss::Forked)
                }
                Some(_) => None,
            };
            if let Some(loss) = loss {
                judgement = Judgement { continuity: Continuity::Lost(loss), common: Revision::default(), ..judgement };
            }
        }
        judgement
    }

    /// Takes in what a proof led to: page by page, what is void is pending again, and then the server is known anew.
    pub(super) fn void(&mut self, after: Option<RecordId>) {
        if self.work.due.void {
            let query = Query::Range { after: after.clone(), limit: ROWS_AT_ONCE };
            return self.read(Phase::VoidRead { after }, ReadSet::head(self.work.collection()).with_query(query));
        }
        let Some((judgement, _)) = &self.work.mending.verdict else { return self.advance() };
        if matches!(judgement.continuity, Continuity::Lost(_)) {
            let set = ReadSet::head(self.work.collection());
            let query = Query::Range { after: after.clone(), limit: ROWS_AT_ONCE };
            return self.read(Phase::VoidRead { after }, set.with_query(query));
        }
        let failed = Query::Failed { limit: usize::MAX };
        self.read(Phase::VoidRead { after: None }, ReadSet::head(self.work.collection()).with_query(failed));
    }

    pub(super) fn void_read(&mut self, after: Option<RecordId>, slice: Slice) {
        if self.work.due.void {
            // This server has named nothing as its own yet.
            self.work.mending.looked_at = self.work.mending.looked_at.saturating_add(slice.found.len());
            let Some(last) = slice.found.last().cloned() else {
                let work = &mut self.work;
                work.due.void = false;
                if core::mem::take(&mut work.due.comparison) && work.mending.looked_at > 0 {
                    work.begin_comparison(false);
                }
                return self.advance();
            };
            let untold = slice.rows.values().any(|row| !row.is_pending);
            self.work.due.push |= untold && self.work.report.conflict.is_none();
            let draft = Draft::of_new_peer(slice);
            return self.commit(draft, Phase::VoidRead { after }, Phase::VoidRead { after: Some(last) });
        }
        let Some((judgement, now)) = self.work.mending.verdict.clone() else { return self.advance() };
        let redo = Phase::VoidRead { after };
        let last = slice.found.last().cloned();
        let Judgement { common, claimed, ref missing, .. } = judgement;
        match (judgement.continuity, last) {
            (Continuity::Lost(_), Some(_)) if is_off!(NewLineage) => {
                let server =
                    KnownServer { cursor: FeedCursor::default(), ..known_after(&self.work.known, &judgement, now) };
                let heading = Heading { leaves: true, server: Some(server.clone()), ..Heading::default() };
                let draft = Draft::new(slice, Origin::Own, Vec::new()).with_heading(heading);
                self.commit(draft, redo, Phase::Renewed { server });
            }
            (Continuity::Lost(_), Some(last)) => {
                let missing: Vec<RecordId> = missing.iter().chain(&self.work.here.staged).cloned().collect();
                let removal = if is_off!(Absence) { self.removal(&slice, &missing) } else { None };
                let looked_at = slice.found.len();
                let unsent = slice.rows.values().filter(|row| row.is_pending && row.base.is_none()).count();
                let loss = || Draft::of_loss(slice, claimed.lineage, common, &missing);
                let draft = removal.unwrap_or_else(loss);
                let work = &mut self.work;
                work.mending.lost.extend(draft.voided().cloned());
                work.mending.looked_at = work.mending.looked_at.saturating_add(looked_at);
                work.mending.voided = work.mending.voided.saturating_add(unsent).saturating_add(draft.len());
                self.commit(draft, redo, Phase::VoidRead { after: Some(last) });
            }
            _ => {
                let mut server = known_after(&self.work.known, &judgement, now);
                server.comparing = self.comparing_after(&judgement, now);
                server.owes_staged |= self.work.due.judgement && judgement.continuity != Continuity::Intact;
                let heading = Heading { server: Some(server.clone()), ..Heading::default() };
                self.work.due.push |= !slice.found.is_empty() && self.work.report.conflict.is_none();
                let draft = Draft::of_retry(slice).with_heading(heading);
                self.commit(draft, redo, Phase::Renewed { server });
            }
        }
    }

    /// Deletes what is missing: what is done by who takes absence for a delete.
    fn removal(&self, slice: &Slice, missing: &[RecordId]) -> Option<Draft> {
        let is_living = |record: &&RecordId| slice.rows.get(*record).is_some_and(|row| row.version.is_alive());
        let gone = missing.iter().find(is_living)?.clone();
        let write = Write::delete(slice.collection.clone(), gone, Cause::App);
        Draft::of_write(slice.clone(), self.opening.replica, &write, Timestamp::from_micros(0), None).ok()
    }

    pub(super) fn renewed(&mut self, server: KnownServer) {
        let work = &mut self.work;
        work.mending.verdict = None;
        work.known = server;
        work.mending.missing.clear();
        (work.mending.looked_at, work.mending.voided, work.walk) = (0, 0, Walk::default());
        work.due.pull = true;
        work.mending.is_suspect = work.known.is_recovering;
        if work.mending.is_suspect {
            work.due.push = work.report.conflict.is_none();
        }
        if work.known.comparing.is_some() {
            (work.due.audit, work.audit.is_of_all) = (false, false);
        }
        self.advance();
    }

    /// Whether all that is held here is compared with what the server has, or goes on to be.
    fn comparing_after(&self, judgement: &Judgement, now: Option<Issued>) -> Option<Comparing> {
        let Mending { looked_at, voided, has_compared, .. } = self.work.mending;
        let known = &self.work.known;
        let anew = Comparing { may_find_loss: judgement.continuity == Continuity::Unproven, ..Comparing::default() };
        let is_due = match judgement.continuity {
            Continuity::Intact => return known.comparing.clone(),
            Continuity::Unproven => true,
            // What both share is known, and the feed says what has come since.
            Continuity::Lost(ServerLoss::RolledBack | ServerLoss::Forked) => {
                voided > FEW_LOST || known.comparing.is_some()
            }
            Continuity::Lost(ServerLoss::PartialLoss) if has_compared => false,
            Continuity::Lost(_) => looked_at > 0,
            Continuity::First | Continuity::Behind | Continuity::Stop(_) => false,
        };
        now.filter(|_| is_due).map(|_| anew)
    }

    /// The round is over: from the next one on, what this server removes is judged again.
    pub(super) fn close(&mut self) {
        // Who may not push has not supplied anything yet.
        let is_recovering = self.work.known.is_recovering && self.work.report.conflict.is_some();
        let is_reseeding = self.work.known.is_reseeding && is_recovering;
        let server = KnownServer { is_recovering, is_reseeding, ..self.work.known.clone() };
        self.work.saved.closing = Some(server);
        self.read(Phase::CloseRead, ReadSet::head(self.work.collection()));
    }

    pub(super) fn close_read(&mut self, slice: Slice) {
        let mut server = self.work.saved.closing.clone();
        // Another session of this device may have written meanwhile: then these are its own writes.
        let (author, counter) = (slice.head.author.as_ref(), slice.head.counter);
        if self.work.report.conflict.is_some_and(|conflict| conflict.is_settled_by(author, counter)) {
            self.work.report.conflict = None;
            server.iter_mut().for_each(|server| server.conflict = None);
        }
        let draft = Draft::new(slice, Origin::Own, Vec::new()).with_heading(Heading { server, ..Heading::default() });
        self.commit(draft, Phase::CloseRead, Phase::Closed);
    }
}

/// What a server's word for the last write that it has accepted means: it is of this store, or its id is in use elsewhere.
pub(super) fn heard(
    author: Option<&Authorship>,
    counter: u64,
    accepted: Link,
    replica: ReplicaId,
) -> Result<u64, Conflict> {
    match author.filter(|author| author.has(accepted, counter)) {
        Some(_) => Ok(accepted.counter),
        None if accepted.counter == 0 => Ok(0),
        None => Err(Conflict::with(replica, accepted)),
    }
}

/// What the device then knows of its server.
fn known_after(known: &KnownServer, judgement: &Judgement, now: Option<Issued>) -> KnownServer {
    let cursor = match judgement.continuity {
        // The server vouches for the position, so what was read up to it was read in this history, too.
        Continuity::Intact => known.cursor.clone(),
        // What moved on in the feed while it was read may be behind the cursor again.
        Continuity::Lost(_) => FeedCursor { revision: known.whole.min(judgement.common), within: None },
        _ => FeedCursor::default(),
    };
    let is_intact = judgement.continuity == Continuity::Intact;
    KnownServer {
        witness: now.map(Witness::of),
        // A cursor is of a position's history, and nothing without one (S6).
        cursor: now.map(|_| cursor).unwrap_or_default(),
        is_recovering: known.is_recovering || !is_intact,
        whole: known.whole.min(judgement.common),
        accepted: if is_intact { known.accepted } else { 0 },
        accepted_once: known.ever_accepted(),
        audited: known.audited.clone().filter(|_| is_intact || known.lineage() == now.map(|now| now.position.lineage)),
        hold: known.hold.filter(|_| is_intact),
        ..known.clone()
    }
}
