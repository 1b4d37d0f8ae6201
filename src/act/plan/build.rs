//! Entry by entry: the rows, lines and numbers that follow from what was decided.

use alloc::vec::Vec;

use super::Batch;
use crate::act::{
    journal,
    receipt::{Changed, Effect, Receipt, ReceiptId},
};
use crate::decide::{
    breach::{Breach, Why},
    draft::{After, By, Change, Draft, Entry, Origin, PeerKnows, Proposal, Quarantined},
    guard::{Approved, Decision},
    harm::Harm,
    ledger::FirstSeen,
    line::{HoldHead, Line, LineKind, LineStatus, Revision},
    row::{Former, Lost, Native, Proposed, Quarantine, Row, Standing},
    slice::{AccountHead, Head, Slice},
};
use crate::values::{
    id::{CollectionId, FieldName, RecordId},
    register::Stamp,
    time::DayTick,
    version::{FieldHead, Version},
};

pub(super) fn build(approved: Approved) -> (Option<Batch>, Receipt) {
    let Approved { draft, decisions, breaches, tallies, limits } = approved;
    let Draft { slice, origin, entries } = draft;
    let mut head = slice.head.clone();
    head.revision = head.revision.next();
    let mut work = Work {
        collection: slice.collection.clone(),
        head,
        next_place: slice.next_place,
        is_answered: matches!(origin, Origin::Answer(_)),
        receipt: empty_receipt(&slice, &origin, limits),
        rows: Vec::new(),
        closed: Vec::new(),
        lines: Vec::new(),
        formers: Vec::new(),
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
    let is_quiet = work.rows.is_empty()
        && work.head.is_listed == slice.head.is_listed
        && work.head.taken == slice.head.taken
        && (work.head.tick, work.head.day) == (slice.head.tick, slice.head.day);
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
    let (batch, receipt) = work.into_batch(slice.head.revision, account, forget);
    (Some(batch), receipt)
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
}

impl Work {
    /// Turns one entry into the row, the lines and the report that follow from it.
    fn take(&mut self, entry: Entry, decision: Decision) {
        let Entry { record, before, proposal } = entry;
        let (pass, held, excused) = match proposal {
            Proposal::Known => return self.receipt.known.push(record),
            Proposal::Refused(refusal) => return self.receipt.refused.push((record, refusal)),
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
        self.rows.len().saturating_add(self.receipt.known.len()).saturating_add(self.receipt.refused.len())
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
        let is_alive = version.is_alive();
        let has_fields = !version.field_heads().is_empty();
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
        let lost_before = before.and_then(|row| row.lost);
        let lost = match (lost_before, lost_now) {
            _ if is_settled => None,
            (Some(old), Some(new)) => Some(Lost { unauthored: old.unauthored || new.unauthored, ..new }),
            (old, new) => old.or(new),
        };
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
            first_seen,
            changed_at: before.map_or(self.head.revision, |row| row.changed_at),
            is_pending: before.is_some_and(|row| row.is_pending),
            died_at,
            native: native.or_else(|| self.head.is_listed.then_some(Native::Unknown)),
        };
        let is_news = before.is_none_or(|old| !tells_the_same(old, &row));
        row.is_pending = match (by, peer) {
            (By::Acknowledged, _) => false,
            (By::Unacknowledged, _) => true,
            (_, Some(peer)) if row.known().digest() == peer.digest => {
                is_untold(before, &row, peer, is_excuse_from_peer, is_news)
            }
            _ => is_news || row.is_pending,
        };
        if is_news {
            row.changed_at = self.head.revision;
        }
        if let By::Own(_) | By::Bulk(_) | By::Listed | By::Answer = by {
            let own = before.map_or_else(Default::default, |row| row.known().context().clone());
            self.use_counter(&row, &own);
        }
        row
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
            self.head.hold.open = self.head.hold.open.saturating_sub(1);
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
        *hold = HoldHead { lines: line, open: hold.open.saturating_add(1), running: Some(running), ..hold.clone() };
        let (record, at, status) = (record.clone(), self.head.revision, LineStatus::Open);
        self.lines.push(Line { number: line, record, held, hidden, kind, why, at, running, status });
        waiting
    }

    /// A counter is durable before a message carries it.
    fn use_counter(&mut self, row: &Row, before: &crate::values::version_vector::VersionVector) {
        let counters = row.known().context().iter().filter(|dot| !before.covers(*dot)).map(|dot| dot.counter);
        self.head.counter = counters.fold(self.head.counter, u64::max);
    }

    fn write(&mut self, before: Option<Row>, next: Row, harm: Harm) {
        let old = before.as_ref().map(|row| &row.version);
        if next.first_seen == self.next_place {
            self.next_place = FirstSeen(self.next_place.0.saturating_add(1));
        }
        if old != Some(&next.version) {
            let former = Former { record: next.record.clone(), before: old.cloned(), after: next.version.digest() };
            self.formers.push(former);
            let change = changed(&next.record, old, &next.version);
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
        };
        (batch, self.receipt)
    }
}

/// Whether a peer that has all of a row lacks the answer or the question that goes with it, or that there is none any more.
fn is_untold(before: Option<&Row>, row: &Row, peer: PeerKnows, is_excuse_from_peer: bool, is_news: bool) -> bool {
    let asks = |row: &Row| matches!(row.quarantine, Some(Quarantine::Version { .. }));
    if is_news {
        let is_answered = row.excuse.is_some() && !is_excuse_from_peer;
        let is_moot = before.is_some_and(asks) && !asks(row) && !is_excuse_from_peer;
        is_answered || is_moot || (asks(row) && !peer.holds)
    } else {
        // It still asks what was answered here: it is told again.
        row.is_pending || (peer.holds && row.excuse.is_some())
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

/// What a screen has to draw again; `None` if it shows the same.
fn changed(record: &RecordId, old: Option<&Version>, new: &Version) -> Option<Changed> {
    let was_alive = old.is_some_and(Version::is_alive);
    let effect = match (was_alive, new.is_alive()) {
        (false, false) => return None,
        (false, true) => Effect::Added,
        (true, true) => Effect::Changed,
        (true, false) => Effect::Hidden,
    };
    let heads = old.map(Version::field_heads).unwrap_or_default();
    let now = new.field_heads();
    let stood = now.iter().filter(|head| stamps_of(heads, head.name()) != Some(head.stamps()));
    let gone = heads.iter().filter(|head| stamps_of(now, head.name()).is_none());
    let mut fields: Vec<FieldName> = stood.chain(gone).map(|head| head.name().clone()).collect();
    fields.sort_unstable();
    if effect == Effect::Changed && fields.is_empty() {
        return None;
    }
    let conflicts = if new.field_heads().iter().any(|head| head.stamps().len() > 1) {
        new.record().conflicts().cloned().collect()
    } else {
        Vec::new()
    };
    let harm = Harm::default();
    Some(Changed { record: record.clone(), effect, fields, conflicts, harm })
}

/// What survives in a field; `None` if nothing does.
fn stamps_of<'a>(heads: &'a [FieldHead], name: &FieldName) -> Option<&'a [Stamp]> {
    let at = heads.binary_search_by(|head| head.name().cmp(name)).ok()?;
    heads.get(at).map(FieldHead::stamps)
}

fn empty_receipt(slice: &Slice, origin: &Origin, limits: crate::decide::limits::Limits) -> Receipt {
    let answer = match origin {
        Origin::Answer(answer) => Some(answer.clone()),
        Origin::Peer { .. } | Origin::Own | Origin::Listing | Origin::Day { .. } => None,
    };
    let named = answer.as_ref().and_then(|a| slice.lines.iter().find(|line| line.running == a.digest));
    let lapsed = named.map_or_else(Vec::new, |last| {
        let before = slice.lines.iter().filter(|line| line.number <= last.number && !line.is_open());
        before.map(|line| (line.record.clone(), line.status)).collect()
    });
    Receipt {
        id: None,
        collection: slice.collection.clone(),
        changes: Vec::new(),
        held: Vec::new(),
        hold: None,
        closed: Vec::new(),
        lapsed,
        refused: Vec::new(),
        known: Vec::new(),
        breaches: Vec::new(),
        limits,
        answer,
    }
}
