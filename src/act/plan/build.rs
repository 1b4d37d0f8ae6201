//! Entry by entry: the rows, lines and numbers that follow from what was decided.

use alloc::vec::Vec;

use super::{
    Batch,
    brought::brought,
    head::{head_on, note_write, tells_the_same_head},
    report::{changed, empty_receipt},
};
use crate::act::{
    journal,
    receipt::{Changed, Receipt, ReceiptId},
};
use crate::decide::{
    breach::{Breach, Why},
    draft::{After, By, Change, Draft, Entry, Origin, PeerKnows, Proposal, Quarantined},
    guard::{Approved, Decision},
    harm::Harm,
    history::{Acknowledged, History},
    ledger::FirstSeen,
    line::{HoldHead, Line, LineKind, LineStatus, Revision},
    offer::Offer,
    position::Tag,
    row::{Former, Lost, Native, Proposed, Quarantine, Row, Standing},
    slice::{AccountHead, Head},
};
use crate::values::{
    ablation::is_off,
    digest::Digest,
    id::{CollectionId, RecordId, ReplicaId},
    time::DayTick,
    version::Version,
};

pub(super) fn build(approved: Approved) -> (Option<Batch>, Receipt) {
    let Approved { draft, decisions, breaches, tallies, limits } = approved;
    let Draft { slice, origin, entries, heading } = draft;
    let mut head = slice.head.clone();
    head.revision = head.revision.next();
    let closed = head_on(&mut head, &heading, &slice);
    let mut work = Work {
        collection: slice.collection.clone(),
        head,
        next_place: slice.next_place,
        is_answered: matches!(origin, Origin::Answer(_)),
        receipt: empty_receipt(&slice, &origin, limits),
        rows: Vec::new(),
        closed,
        lines: Vec::new(),
        formers: Vec::new(),
        staged: Vec::new(),
        acknowledged: heading.acknowledged,
        writer: heading.writer,
        is_renamed: heading.takes_over.is_some(),
        brought_by: heading.brought_by,
    };
    work.receipt.breaches = breaches;
    let total = entries.len();
    for (entry, decision) in entries.into_iter().zip(decisions) {
        work.take(entry, decision);
    }
    debug_assert_eq!(total, work.accounted(), "every entry is accounted for");
    let forget = match origin {
        Origin::Peer { from, upto: Some(upto) } => {
            let taken = work.head.taken.entry(from).or_default();
            *taken = upto.max(*taken);
            None
        }
        Origin::Day { tick, day, forget } => {
            (work.head.tick, work.head.day) = (tick, Some(day));
            forget
        }
        Origin::Listing => {
            work.head.is_listed = true;
            None
        }
        Origin::Peer { upto: None, .. } | Origin::Own | Origin::Answer(_) => None,
    };
    let unstages = heading.unstages && !slice.staged.is_empty();
    let is_quiet = work.rows.is_empty()
        && work.staged.is_empty()
        && !unstages
        && !heading.leaves
        && tells_the_same_head(&slice.head, &work.head);
    work.receipt.hold = work.head.hold.running.filter(|_| work.head.hold.open > 0);
    if is_quiet {
        return (None, work.receipt);
    }
    let (tally, account_tally) = tallies.map_or((None, None), |(tally, account)| (Some(tally), account));
    work.head.tally = tally.or(work.head.tally.take());
    let is_answered = work.is_answered;
    work.head.is_ledger_lost = (work.head.is_ledger_lost || slice.ledger.is_none()) && !is_answered;
    let account = slice.account.map(|account| {
        let lost = (account.head.is_ledger_lost || account.ledger.is_none()) && !is_answered;
        let revision = account.head.revision.next();
        let tally = account_tally.or(account.head.tally);
        (account.head.revision, AccountHead { revision, tally, is_ledger_lost: lost })
    });
    let staged = heading.round_of.map(|round_of| (round_of, core::mem::take(&mut work.staged)));
    let (batch, receipt) = work.into_batch(slice.head.revision, account, forget);
    let unstaged = heading.round_of.filter(|_| heading.unstages);
    (Some(Batch { staged, unstaged, leaves: heading.leaves, ..batch }), receipt)
}

/// What a commit is being made of.
struct Work {
    collection: CollectionId,
    head: Head,
    next_place: FirstSeen,
    receipt: Receipt,
    /// A person has answered a question that was open here.
    is_answered: bool,
    rows: Vec<Row>,
    closed: Vec<(u64, LineStatus)>,
    lines: Vec<Line>,
    formers: Vec<Former>,
    staged: Vec<Offer>,
    /// The server's word, for records that it is known to have.
    acknowledged: Option<Acknowledged>,
    /// Whose dots the new writes are.
    writer: Option<ReplicaId>,
    /// Everything shows what it showed, under other dots.
    is_renamed: bool,
    /// Who brings back what was lost.
    brought_by: Option<ReplicaId>,
}

impl Work {
    /// Turns one entry into the row, the lines and the report that follow from it.
    fn take(&mut self, entry: Entry, decision: Decision) {
        let Entry { record, before, proposal } = entry;
        let (pass, held, excused) = match proposal {
            Proposal::Known => return self.receipt.known.push(record),
            Proposal::Refused(refusal) => return self.receipt.refused.push((record, refusal)),
            Proposal::Staged(offer) => {
                self.staged.push(*offer);
                return self.receipt.staged.push(record);
            }
            Proposal::Change { pass, held, excused } => (pass, held, excused),
        };
        let (next, harm) = match (decision, held, excused, &before) {
            (Decision::Held { why }, Some(held), _, Some(row)) => {
                (self.set_aside(row, pass, held, why), Harm::default())
            }
            (Decision::Excused, _, Some((_, change)), _) => {
                // A move lifts limits, too, but no person has said anything by it.
                let (harm, closed, is_answer) = (change.harm.clone(), self.closed.len(), change.excuse.is_some());
                let next = self.change(&record, before.as_ref(), change, true);
                self.is_answered |= is_answer && self.closed.len() > closed;
                (next, harm)
            }
            (_, _, _, before) => {
                let harm = pass.harm.clone();
                (self.change(&record, before.as_ref(), pass, false), harm)
            }
        };
        if before.as_ref() == Some(&next) {
            return self.receipt.known.push(record);
        }
        self.write(before, next, harm);
    }

    fn accounted(&self) -> usize {
        let receipt = &self.receipt;
        [self.rows.len(), receipt.known.len(), receipt.refused.len(), receipt.staged.len()].iter().sum()
    }

    /// The stored version stays; what came waits under a new line.
    fn set_aside(&mut self, row: &Row, pass: Change, held: Quarantined, why: Breach) -> Row {
        let is_mass = why.rule.is_mass();
        let held = match held {
            Quarantined::Version { hidden, mass, .. } => {
                Quarantined::Version { hidden, mass: mass || is_mass, why: Why::Limit(why) }
            }
            Quarantined::Proposal { base, proposed, cause, is_unauthored, .. } => {
                Quarantined::Proposal { base, proposed, cause, is_unauthored, why: Why::Limit(why) }
            }
            Quarantined::Beside { .. } => held,
        };
        self.receipt.held.push(row.record.clone());
        // That the native store lacks it is a fact; what else it shows is part of the proposal.
        let is_removal = matches!(held, Quarantined::Proposal { proposed: Proposed::Removal, .. });
        let native = pass.native.filter(|_| is_removal);
        let change = Change {
            version: row.version.clone(),
            after: After::New(held),
            harm: Harm::default(),
            excuse: None,
            closes: LineStatus::Struck,
            by: By::Peer,
            peer: pass.peer,
            native,
        };
        self.change(&row.record, Some(row), change, false)
    }

    fn change(&mut self, record: &RecordId, before: Option<&Row>, change: Change, is_excused: bool) -> Row {
        let Change { version, after, by, harm, excuse, closes, peer, native } = change;
        let native = native.or_else(|| before.and_then(|row| row.native.clone()));
        let quarantine = self.quarantine(record, before, &version, after, closes);
        let (is_alive, has_fields) = (version.is_alive(), !version.field_heads().is_empty());
        let kept_excuse = before.and_then(|row| row.excuse.clone());
        let is_answered = is_excused || matches!(by, By::Answer | By::Bulk(_));
        let was_alive = before.is_some_and(|row| row.version.is_alive());
        // What a machine writes on a record that sync has hidden is no answer.
        let is_settled = is_answered || matches!(by, By::Own(cause) if cause.is_person() || (was_alive && !is_alive));
        let standing = match before.map(|row| row.standing) {
            _ if is_alive => Standing::Visible,
            None | Some(Standing::Gone) => Standing::Gone,
            Some(Standing::Visible | Standing::Hidden) if is_settled => Standing::Gone,
            Some(Standing::Visible) if harm.loss.is_none() => Standing::Gone,
            Some(Standing::Visible | Standing::Hidden) => Standing::Hidden,
        };
        let lost_now = harm.loss.map(|_| Lost { at: self.head.revision, unauthored: harm.is_unauthored });
        let lost = if is_settled { None } else { lost_since(before.and_then(|row| row.lost), lost_now) };
        let delete_tag = delete_tag(&version, before, peer.as_ref());
        let is_excuse_from_peer = by == By::Peer && excuse.is_some();
        let excuse = excuse.or(kept_excuse).filter(|excuse| excuse.hidden == version.digest());
        let died_at = (!is_alive && has_fields).then(|| before.and_then(|row| row.died_at).unwrap_or(self.head.tick));
        let first_seen = match before.map_or(FirstSeen::NEVER, |row| row.first_seen) {
            FirstSeen::NEVER if is_alive => self.next_place,
            place => place,
        };
        let mut row = Row {
            record: record.clone(),
            version,
            quarantine,
            standing,
            lost,
            excuse,
            delete_tag,
            first_seen,
            changed_at: before.map_or(self.head.revision, |row| row.changed_at),
            is_pending: before.is_some_and(|row| row.is_pending),
            died_at,
            native: native.or_else(|| self.head.is_listed.then_some(Native::Unknown)),
            base: None,
            acknowledged: before.and_then(|row| row.acknowledged),
            failed: None,
        };
        let is_news = before.is_none_or(|old| !tells_the_same(old, &row));
        row.is_pending = match (by, &peer) {
            // Where it has changed since it was sent, the rest is still to be sent.
            (By::Acknowledged, Some(peer)) => row.known().digest() != peer.digest,
            (By::Acknowledged, None) => false,
            (By::Unacknowledged, _) => true,
            (_, Some(peer)) if row.known().digest() == peer.digest => {
                is_untold(before, &row, peer, is_excuse_from_peer, is_news)
            }
            // The server shows less than is known here, whatever it has named as its own before.
            (By::Peer, Some(_)) if self.head.server.is_some() => true,
            _ => is_news || row.is_pending || self.may_be_asked_there(before, &row, by),
        };
        self.note_word(&mut row, before, by, peer, is_news);
        if is_news {
            row.changed_at = self.head.revision;
        }
        if let By::Own(_) | By::Bulk(_) | By::Listed | By::Answer | By::TakenOver | By::Settled = by {
            let own = before.map_or_else(Default::default, |row| row.known().context().clone());
            note_write(&mut self.head, self.writer, &row, &own);
        }
        row
    }

    /// Whether the server may hold a question that is none here any more: one of this device's own took its place, and
    /// that has been settled. The record is sent again, and the server asks again.
    fn may_be_asked_there(&self, before: Option<&Row>, row: &Row, by: By) -> bool {
        let asked = before.and_then(|row| row.quarantine.as_ref());
        let asked = matches!(asked, Some(Quarantine::Beside { .. } | Quarantine::Proposal { .. }));
        self.head.server.is_some() && by != By::Peer && asked && row.quarantine.is_none()
    }

    /// What the server has said of the record, on a device that talks to one.
    fn note_word(&self, row: &mut Row, before: Option<&Row>, by: By, peer: Option<PeerKnows>, is_news: bool) {
        let refused = peer.as_ref().and_then(|peer| peer.refused.clone());
        // What is too large to cross is known before any server is.
        if self.head.server.is_none() && refused.is_none() {
            return;
        }
        if !row.is_pending {
            row.failed = refused.or_else(|| before.and_then(|row| row.failed.clone()).filter(|_| !is_news));
            // A word is about the version that was known when it was given.
            let is_same = before.is_some_and(|old| old.known().digest() == row.known().digest());
            let word = row.acknowledged.filter(|_| is_same);
            row.acknowledged = self.acknowledged.filter(|_| row.failed.is_none()).or(word);
            // Without a word it does not count as sent (S8).
            row.is_pending = row.acknowledged.is_none() && row.failed.is_none();
            if !row.is_pending {
                row.base = before.filter(|_| row.failed.is_some()).and_then(base_of);
                return;
            }
        }
        row.base = match by {
            By::Unacknowledged => None,
            _ => base(peer.and_then(|peer| peer.version), before.and_then(base_of)),
        };
        if row.base.is_none() {
            row.acknowledged = None;
        }
    }

    /// What waits beside the record then; closes the line that no longer stands and appends the one that does.
    fn quarantine(
        &mut self,
        record: &RecordId,
        before: Option<&Row>,
        version: &Version,
        after: After,
        closes: LineStatus,
    ) -> Option<Quarantine> {
        let waiting = before.and_then(|row| row.quarantine.clone());
        match (after, waiting) {
            (After::Same, waiting) => waiting,
            (After::Moved { hidden }, Some(Quarantine::Version { mass, line, .. })) => {
                Some(Quarantine::Version { hidden, mass, line })
            }
            (After::Moved { .. }, waiting) => waiting,
            (After::Nothing, waiting) => {
                self.close(record, waiting.as_ref(), closes);
                None
            }
            (After::New(new), waiting) => {
                self.close(record, waiting.as_ref(), LineStatus::Struck);
                Some(self.ask(record, version, new))
            }
        }
    }

    fn close(&mut self, record: &RecordId, waiting: Option<&Quarantine>, status: LineStatus) {
        if let Some(waiting) = waiting {
            self.closed.push((waiting.line(), status));
            self.receipt.closed.push((record.clone(), status));
            let is_beside = matches!(waiting, Quarantine::Beside { .. });
            self.head.hold.close(if is_beside { LineKind::Beside } else { LineKind::Loss });
        }
    }

    fn ask(&mut self, record: &RecordId, version: &Version, new: Quarantined) -> Quarantine {
        let line = self.head.hold.lines.saturating_add(1);
        let (held, hidden, kind, why, waiting) = match new {
            Quarantined::Version { hidden, mass, why } => {
                let kind = if mass { LineKind::MassChange } else { LineKind::Loss };
                (version.digest(), hidden.digest(), kind, why, Quarantine::Version { hidden, mass, line })
            }
            Quarantined::Beside { held, hidden, from } => {
                let digests = (held.digest(), hidden.digest());
                let waiting = Quarantine::Beside { held, hidden, from, line };
                (digests.0, digests.1, LineKind::Beside, Why::HeldElsewhere, waiting)
            }
            Quarantined::Proposal { base, proposed, cause, is_unauthored, why } => {
                let kind = match proposed {
                    Proposed::Removal => LineKind::Proposal,
                    Proposed::Contents { .. } if !version.is_alive() => LineKind::Return,
                    Proposed::Contents { .. } => LineKind::Contents,
                };
                let hidden = proposed.digest(base);
                (base, hidden, kind, why, Quarantine::Proposal { base, proposed, cause, is_unauthored, line })
            }
        };
        let running = self.head.hold.digest_after(&self.collection, record, held, hidden);
        let hold = &mut self.head.hold;
        let beside = hold.beside.saturating_add(u64::from(kind == LineKind::Beside));
        *hold =
            HoldHead { lines: line, open: hold.open.saturating_add(1), beside, running: Some(running), ..hold.clone() };
        let (record, at, status) = (record.clone(), self.head.revision, LineStatus::Open);
        self.lines.push(Line { number: line, record, held, hidden, kind, why, at, running, status });
        waiting
    }

    fn write(&mut self, before: Option<Row>, next: Row, harm: Harm) {
        let old = before.as_ref().map(|row| &row.version);
        if next.first_seen == self.next_place {
            self.next_place = FirstSeen(self.next_place.0.saturating_add(1));
        }
        if old != Some(&next.version) {
            let (record, after) = (next.record.clone(), next.version.digest());
            let since = before.as_ref().map(|row| row.changed_at).unwrap_or_default();
            let former = Former { record, before: old.cloned(), since, after };
            let is_kept = !(is_off!(Shadow) && next.version.is_alive());
            self.formers.extend(is_kept.then_some(former));
            let change = changed(&next.record, old, &next.version).filter(|_| !self.is_renamed);
            self.receipt.changes.extend(change.map(|change| Changed { harm, ..change }));
        }
        self.rows.push(next);
    }

    fn into_batch(
        mut self,
        expects: Revision,
        account: Option<(Revision, AccountHead)>,
        forget: Option<DayTick>,
    ) -> (Batch, Receipt) {
        let ends_hold = self.head.hold.lines > 0 && self.head.hold.open == 0;
        if ends_hold {
            self.head.hold = HoldHead { hold: self.head.hold.hold.saturating_add(1), ..HoldHead::default() };
        }
        if let Some(history) = &mut self.head.history {
            brought(history, self.brought_by, (&self.rows, &self.formers, &self.lines));
            history.chain = chain(history, self.head.revision, &self.rows);
        }
        let id = ReceiptId { collection: self.collection.clone(), revision: self.head.revision };
        self.receipt.id = Some(id);
        let is_news = !self.rows.is_empty();
        let journal = is_news.then(|| journal::Entry {
            receipt: self.receipt.clone(),
            tick: self.head.tick,
            formers: self.formers,
        });
        let batch = Batch {
            collection: self.collection,
            expects,
            head: self.head,
            account,
            rows: self.rows,
            closed: self.closed,
            lines: self.lines,
            ends_hold,
            journal,
            forget,
            staged: None,
            unstaged: None,
            leaves: false,
        };
        (batch, self.receipt)
    }
}

/// The server's tag on exactly the certificate that is stored then.
fn delete_tag(version: &Version, before: Option<&Row>, peer: Option<&PeerKnows>) -> Option<Tag> {
    let certificate = version.digest();
    let there = peer.filter(|peer| peer.digest == certificate).and_then(|peer| peer.delete_tag);
    let here = || before.filter(|row| row.version.digest() == certificate).and_then(|row| row.delete_tag);
    there.or_else(here).filter(|_| !version.is_alive())
}

/// The version that the server has of a record that is about to be pending, if that is known.
fn base_of(row: &Row) -> Option<Version> {
    if row.is_pending || row.failed.is_some() {
        row.base.clone()
    } else {
        row.acknowledged.map(|_| row.known().clone())
    }
}

/// What a pending record's patch is made on: what the peer shows. Where that is less than it once named as its own, the
/// patch is made on that: it will not fit, and then the loss is named, also by a later session.
fn base(shown: Option<Version>, named: Option<Version>) -> Option<Version> {
    let is_less = |shown: &Version| named.as_ref().is_some_and(|named| !shown.context().covers_all(named.context()));
    shown.filter(|shown| !is_less(shown)).or_else(|| named.clone())
}

/// The chain after a commit: of the chain before it, and of every row that it wrote.
fn chain(history: &History, revision: Revision, rows: &[Row]) -> Digest {
    let revision = revision.0.to_be_bytes();
    let digests: Vec<[Digest; 2]> = rows.iter().map(|row| [row.version.digest(), row.known().digest()]).collect();
    let mut parts: Vec<&[u8]> = Vec::with_capacity(rows.len().saturating_mul(3).saturating_add(3));
    parts.extend([&history.chain.as_bytes()[..], history.lineage.as_bytes(), &revision]);
    for (row, [version, known]) in rows.iter().zip(&digests) {
        parts.extend([row.record.as_str().as_bytes(), version.as_bytes(), known.as_bytes()]);
    }
    Digest::of("holdfast commit", &parts)
}

/// Whether a peer that has all of a row lacks the answer or the question that goes with it, or that there is none any more.
fn is_untold(before: Option<&Row>, row: &Row, peer: &PeerKnows, is_excuse_from_peer: bool, is_news: bool) -> bool {
    let asks = |row: &Row| matches!(row.quarantine, Some(Quarantine::Version { .. }));
    if is_news {
        let is_answered = row.excuse.is_some() && !is_excuse_from_peer;
        let is_moot = before.is_some_and(asks) && !asks(row) && !is_excuse_from_peer;
        is_answered || is_moot || (asks(row) && !peer.holds)
    } else {
        // It still asks what was answered here: it is told again. Where nothing is asked and nothing was answered, on either
        // side, it has all that it could be told.
        let is_plain = !peer.holds && row.quarantine.is_none() && row.excuse.is_none();
        (row.is_pending && !is_plain) || (peer.holds && row.excuse.is_some())
    }
}

/// Whether a peer that knows the old row learns nothing from the new one.
fn tells_the_same(old: &Row, new: &Row) -> bool {
    let asked = |row: &Row| match &row.quarantine {
        Some(Quarantine::Version { hidden, mass, .. }) => Some((hidden.digest(), *mass)),
        Some(Quarantine::Beside { .. } | Quarantine::Proposal { .. }) | None => None,
    };
    old.version.digest() == new.version.digest() && asked(old) == asked(new) && old.excuse == new.excuse
}

/// The loss that waits for an answer, after another one.
fn lost_since(before: Option<Lost>, now: Option<Lost>) -> Option<Lost> {
    match (before, now) {
        (Some(old), Some(new)) => Some(Lost { unauthored: old.unauthored || new.unauthored, ..new }),
        (old, new) => old.or(new),
    }
}
