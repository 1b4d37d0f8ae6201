//! The rolling audit: a window of records a round, told from rows, so that what a server lost in silence is found within one
//! cycle.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};

use super::{
    DeviceSession,
    phase::{Audit, Phase, Sending},
    push::is_acknowledged,
};
use crate::decide::{
    authorship::Link,
    draft::{Draft, Heading, Origin},
    history::KnownServer,
    position::Issued,
    reconcile::{Fingerprint, said},
    row::Row,
    slice::{Query, ReadSet, Slice},
};
use crate::talk::{
    message::{Audited, Reply, Request, Window},
    offer::{Sent, SentOffer},
};
use crate::values::{digest::Digest, id::RecordId};

/// Records in one window.
const WINDOW: usize = 256;
/// Audits in one frame: a server answers a push and its audit, and no more.
const AUDITS_AT_ONCE: usize = 2;

impl DeviceSession {
    /// Reads the next window; the last page of a push may wait for it.
    pub(super) fn audit(&mut self, push: Option<(Request, Sending)>) {
        let after = self.work.known.audited.clone();
        let query = Query::Window { after, until: None, limit: WINDOW };
        self.read(Phase::AuditRead { push }, ReadSet::head(self.work.collection()).with_query(query));
    }

    pub(super) fn audit_read(&mut self, push: Option<(Request, Sending)>, slice: &Slice) {
        let last = slice.found.last().filter(|_| slice.found.len() >= WINDOW).cloned();
        let named = slice.rows.values().filter(|row| is_acknowledged(row));
        let named = named.map(|row| (row.record.clone(), row.known().clone())).collect();
        let audit = Audit { named, here: slice.rows.keys().cloned().collect(), window: Some(last.clone()) };
        // What goes with this page will be there, too.
        let sent: BTreeMap<&RecordId, Digest> =
            push.iter().flat_map(|(_, sent)| &sent.records).map(|(record, known)| (record, known.digest())).collect();
        let is_there =
            |row: &Row| audit.named.contains_key(&row.record) || sent.get(&row.record) == Some(&row.known().digest());
        let there = slice.rows.values().filter(|row| is_there(row)).map(|row| (&row.record, said(row.known())));
        let collection = self.work.collection();
        let asked = Request::Audit {
            collection,
            window: Window { after: self.work.known.audited.clone(), until: last },
            fingerprint: there.collect::<Fingerprint>().digest(),
        };
        match push {
            None if audit.named.is_empty() => self.note_audit(audit.window),
            None => self.send(Phase::Auditing { audit }, [asked].into()),
            Some((request, sent)) if audit.named.is_empty() => {
                self.send(Phase::Pushing { sent, audit: None }, [request].into());
            }
            Some((request, sent)) => {
                self.send(Phase::Pushing { sent, audit: Some(audit) }, [request, asked].into());
            }
        }
    }

    /// What the server said to the audit that went with a push.
    pub(super) fn hear_audit(&mut self) {
        match self.work.audit.heard.take() {
            Some((audit, audited)) => self.audited(audit, audited),
            None => self.advance(),
        }
    }

    pub(super) fn audited(&mut self, mut audit: Audit, audited: Audited) {
        let found = match audited {
            Audited::Found(found) => found,
            Audited::Same | Audited::TooMany => return self.note_audit(audit.window),
        };
        let found: BTreeMap<RecordId, _> = found.into_iter().collect();
        let gone = audit.named.keys().filter(|record| !found.contains_key(record)).cloned();
        self.work.mending.missing.extend(gone.collect::<Vec<_>>());
        // What came back behind the cursor is shown by no page.
        let unheld = found.keys().filter(|record| !audit.here.contains(*record)).take(WINDOW);
        self.work.push.unasked.extend(unheld.cloned());
        audit.named.retain(|record, named| found.get(record).is_some_and(|digest| *digest != named.digest()));
        self.examine(audit);
    }

    /// Looks at what the server has where a patch did not fit what it once named as its own.
    pub(super) fn doubt(&mut self) {
        let doubted = self.work.audit.doubted.iter().take(WINDOW).cloned();
        let set = ReadSet::head(self.work.collection()).with_records(doubted);
        self.read(Phase::DoubtRead, set);
    }

    pub(super) fn doubt_read(&mut self, slice: &Slice) {
        let doubted: BTreeSet<RecordId> = self.work.audit.doubted.iter().take(WINDOW).cloned().collect();
        let bases = doubted.iter().filter_map(|record| Some((record.clone(), slice.rows.get(record)?.base.clone()?)));
        let audit = Audit { named: bases.collect(), here: BTreeSet::new(), window: None };
        self.work.audit.doubted.retain(|record| !doubted.contains(record));
        self.work.audit.examined.extend(doubted);
        self.work.due.push = self.work.report.conflict.is_none();
        self.examine(audit);
    }

    /// Asks for what differs, whole.
    fn examine(&mut self, audit: Audit) {
        if audit.named.is_empty() {
            return self.note_audit(audit.window);
        }
        let records = audit.named.keys().cloned().collect();
        self.ask_whole(Phase::Examining { audit }, records);
    }

    /// A record that differs is lost if the server has not seen all of what it once named as its own.
    pub(super) fn examined(
        &mut self,
        mut audit: Audit,
        offers: Vec<SentOffer>,
        (now, accepted): (Option<Issued>, Option<Link>),
    ) {
        if !self.goes_on_from(now) {
            return self.greet_again();
        }
        (self.work.audit.shown.at, self.work.audit.shown.accepted) = (now, accepted);
        let before = audit.named.len();
        for offer in offers {
            let Sent::Whole(version) = &offer.version else { continue };
            let Some(named) = audit.named.remove(&offer.record) else { continue };
            let known = offer.held.as_ref().map_or(version, |held| &held.hidden);
            // By what was seen alone: fields may have been purged there.
            if !known.context().covers_all(named.context()) {
                self.work.mending.missing.insert(offer.record.clone());
            }
            if !named.context().covers_all(known.context()) {
                self.work.audit.shown.offers.push(offer);
            }
        }
        if audit.named.len() == before {
            let unshown = core::mem::take(&mut audit.named).into_keys();
            // What an audit has listed is there, and more than this device takes.
            if audit.window.is_none() {
                return self.look_for(unshown.collect());
            }
        }
        // A reply holds as many as a page: the others are asked for again.
        self.examine(audit);
    }

    /// Asks whether the server lists what it did not show: it may be more than this device takes.
    fn look_for(&mut self, records: Vec<RecordId>) {
        let collection = self.work.collection();
        let audit = |record: &RecordId| Request::Audit {
            collection: collection.clone(),
            window: Window { after: just_before(record), until: Some(record.clone()) },
            fingerprint: Fingerprint::default().digest(),
        };
        let audits = records.iter().take(AUDITS_AT_ONCE).map(audit).collect();
        self.send(Phase::Looking { records }, audits);
    }

    /// What is not even listed is lost. One such record is enough to claim a loss: a comparison finds the others.
    pub(super) fn looked(&mut self, mut records: Vec<RecordId>, replies: impl Iterator<Item = Reply>) {
        let is_gone = |record: &RecordId, reply: Reply| match reply {
            Reply::Audited(Audited::Same) => true,
            Reply::Audited(Audited::Found(found)) => found.iter().all(|(listed, _)| listed != record),
            _ => false,
        };
        let rest = records.split_off(records.len().min(AUDITS_AT_ONCE));
        let gone = records.into_iter().zip(replies).filter_map(|(id, reply)| is_gone(&id, reply).then_some(id));
        self.work.mending.missing.extend(gone);
        if rest.is_empty() || !self.work.mending.missing.is_empty() {
            return self.note_audit(None);
        }
        self.look_for(rest);
    }

    /// What was audited is done: the next window begins behind it, or at the beginning.
    fn note_audit(&mut self, window: Option<Option<RecordId>>) {
        let Some(last) = window else {
            self.claim_missing();
            return self.advance();
        };
        let server = KnownServer { audited: last, ..self.work.known.clone() };
        self.work.saved.closing = Some(server);
        self.read(Phase::AuditNote, ReadSet::head(self.work.collection()));
    }

    pub(super) fn audit_note(&mut self, slice: Slice) {
        let server = self.work.saved.closing.clone().unwrap_or_default();
        let heading = Heading { server: Some(server.clone()), ..Heading::default() };
        let draft = Draft::new(slice, Origin::Own, Vec::new()).with_heading(heading);
        self.commit(draft, Phase::AuditNote, Phase::Audited { server });
    }

    pub(super) fn audit_noted(&mut self, server: KnownServer) {
        let work = &mut self.work;
        let is_end = server.audited.is_none();
        work.known = server;
        work.audit.is_of_all &= !is_end;
        work.due.audit = work.audit.is_of_all;
        self.claim_missing();
        self.advance();
    }

    /// Of what is missing, the server is asked, once: it gives the loss its name.
    fn claim_missing(&mut self) {
        let work = &mut self.work;
        match (work.mending.missing.is_empty(), work.mending.has_claimed) {
            (true, _) => {}
            (false, false) => (work.mending.has_claimed, work.due.proof) = (true, true),
            // The loss has been said; this is more of it.
            (false, true) => work.mending.verdict = work.more_missing(),
        }
    }
}

/// An id before which few are, of those that are not before this one.
fn just_before(record: &RecordId) -> Option<RecordId> {
    let mut chars = record.as_str().chars();
    let last = chars.next_back()?;
    let shorter = chars.as_str();
    let before = (0..u32::from(last)).rev().find_map(char::from_u32);
    let sibling = before.and_then(|before| RecordId::new(alloc::format!("{shorter}{before}")).ok());
    sibling.or_else(|| RecordId::new(shorter).ok())
}
