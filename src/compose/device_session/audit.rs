//! The rolling audit: a window of records a round, told from rows, so that what a server lost in silence is found within one
//! cycle.

use alloc::{collections::BTreeMap, vec::Vec};

use super::{
    DeviceSession,
    push::is_acknowledged,
    work::{Audit, Phase, Sending},
};
use crate::compose::serve::fingerprint;
use crate::decide::{
    authorship::Link,
    draft::{Draft, Heading, Origin},
    history::KnownServer,
    position::Issued,
    reconcile::said,
    row::Row,
    slice::{Query, ReadSet, Slice},
};
use crate::talk::{
    message::{Audited, Request, Window},
    offer::{Sent, SentOffer},
};
use crate::values::{digest::Digest, id::RecordId};

/// Records in one window.
const WINDOW: usize = 256;

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
        let window = Audit { rows: named.map(|row| (row.record.clone(), row.clone())).collect(), last: last.clone() };
        // What goes with this page will be there, too.
        let sent: BTreeMap<&RecordId, Digest> =
            push.iter().flat_map(|(_, sent)| &sent.records).map(|(record, digest)| (record, *digest)).collect();
        let is_there =
            |row: &Row| window.rows.contains_key(&row.record) || sent.get(&row.record) == Some(&row.known().digest());
        let there = slice.rows.values().filter(|row| is_there(row)).map(|row| (&row.record, said(row.known())));
        let collection = self.work.collection();
        let audit = Request::Audit {
            collection,
            window: Window { after: self.work.known.audited.clone(), until: last },
            fingerprint: fingerprint(there),
        };
        match push {
            None if window.rows.is_empty() => self.note_window(window.last),
            None => self.send(Phase::Auditing { window }, [audit].into()),
            Some((request, sent)) if window.rows.is_empty() => {
                self.send(Phase::Pushing { sent, window: None }, [request].into());
            }
            Some((request, sent)) => {
                self.send(Phase::Pushing { sent, window: Some(window) }, [request, audit].into());
            }
        }
    }

    /// What the server said to the audit that went with a push.
    pub(super) fn hear_audit(&mut self) {
        match self.work.heard_audit.take() {
            Some((window, audited)) => self.audited(window, audited),
            None => self.advance(),
        }
    }

    pub(super) fn audited(&mut self, mut window: Audit, audited: Audited) {
        let found = match audited {
            Audited::Found(found) => found,
            Audited::Same | Audited::TooMany => return self.note_window(window.last),
        };
        let found: BTreeMap<RecordId, _> = found.into_iter().collect();
        let gone = window.rows.keys().filter(|record| !found.contains_key(record)).cloned();
        self.work.missing.extend(gone.collect::<Vec<_>>());
        window.rows.retain(|record, row| found.get(record).is_some_and(|digest| *digest != row.known().digest()));
        if window.rows.is_empty() {
            return self.note_window(window.last);
        }
        let records = window.rows.keys().cloned().collect();
        self.ask_whole(Phase::Examining { window }, records);
    }

    /// A record that differs is lost if the server has not seen all of what it once named as its own.
    pub(super) fn examined(
        &mut self,
        mut window: Audit,
        offers: Vec<SentOffer>,
        (now, accepted): (Option<Issued>, Option<Link>),
    ) {
        if !self.goes_on_from(now) {
            return self.greet_again();
        }
        (self.work.shown_at, self.work.shown_accepted) = (now, accepted);
        let before = window.rows.len();
        for offer in offers {
            let Sent::Whole(version) = &offer.version else { continue };
            let Some(row) = window.rows.remove(&offer.record) else { continue };
            let known = offer.held.as_ref().map_or(version, |held| &held.hidden);
            // By what was seen alone: fields may have been purged there.
            if !known.context().covers_all(row.known().context()) {
                self.work.missing.insert(offer.record.clone());
            }
            if !row.known().context().covers_all(known.context()) {
                self.work.shown.push(offer);
            }
        }
        if window.rows.is_empty() || window.rows.len() == before {
            self.work.missing.extend(window.rows.into_keys());
            return self.note_window(window.last);
        }
        // A reply holds as many as a page: the others are asked for again.
        let records = window.rows.keys().cloned().collect();
        self.ask_whole(Phase::Examining { window }, records);
    }

    /// This window is done: the next one begins behind it, or at the beginning.
    fn note_window(&mut self, last: Option<RecordId>) {
        let server = KnownServer { audited: last, ..self.work.known.clone() };
        self.work.closing = Some(server);
        self.read(Phase::AuditNote, ReadSet::head(self.work.collection()));
    }

    pub(super) fn audit_note(&mut self, slice: Slice) {
        let server = self.work.closing.clone().unwrap_or_default();
        let heading = Heading { server: Some(server.clone()), ..Heading::default() };
        let draft = Draft::new(slice, Origin::Own, Vec::new()).with_heading(heading);
        self.commit(draft, Phase::AuditNote, Phase::Audited { server });
    }

    pub(super) fn audit_noted(&mut self, server: KnownServer) {
        let work = &mut self.work;
        let is_end = server.audited.is_none();
        work.known = server;
        match (work.missing.is_empty(), work.has_claimed) {
            (true, _) => {}
            (false, false) => (work.has_claimed, work.needs_proof) = (true, true),
            // The loss has been said; this is more of it.
            (false, true) => work.verdict = work.more_missing(),
        }
        work.audits_all &= !is_end;
        work.needs_audit = work.audits_all;
        self.advance();
    }
}
