//! The rolling audit: a window of records a round, told from rows, so that what a server lost in silence is found within one
//! cycle.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};

use super::{DeviceSession, push::is_acknowledged, work::Phase};
use crate::compose::serve::fingerprint;
use crate::decide::{
    draft::{Draft, Heading, Origin},
    history::KnownServer,
    row::Row,
    slice::{Query, ReadSet, Slice},
};
use crate::talk::{
    message::{Audited, Request, Window},
    offer::{Sent, SentOffer},
};
use crate::values::id::RecordId;

/// Records in one window.
const WINDOW: usize = 256;

impl DeviceSession {
    pub(super) fn audit(&mut self) {
        let after = self.work.known.audited.clone();
        let query = Query::Window { after, until: None, limit: WINDOW };
        self.read(Phase::AuditRead, ReadSet::head(self.work.collection()).with_query(query));
    }

    pub(super) fn audit_read(&mut self, slice: &Slice) {
        let last = slice.found.last().filter(|_| slice.found.len() >= WINDOW).cloned();
        let named = |row: &&Row| is_acknowledged(row);
        let rows: BTreeMap<RecordId, Row> =
            slice.rows.values().filter(named).map(|row| (row.record.clone(), row.clone())).collect();
        if rows.is_empty() {
            return self.note_window(last);
        }
        let fingerprint = fingerprint(rows.values().map(|row| (&row.record, row.known().digest())));
        let window = Window { after: self.work.known.audited.clone(), until: last.clone() };
        let collection = self.work.collection();
        self.send(Phase::Auditing { rows, last }, [Request::Audit { collection, window, fingerprint }].into());
    }

    pub(super) fn audited(&mut self, mut rows: BTreeMap<RecordId, Row>, last: Option<RecordId>, audited: Audited) {
        let found = match audited {
            Audited::Found(found) => found,
            Audited::Same | Audited::TooMany => return self.note_window(last),
        };
        let found: BTreeMap<RecordId, _> = found.into_iter().collect();
        let gone = rows.keys().filter(|record| !found.contains_key(record)).cloned();
        self.work.missing.extend(gone.collect::<Vec<_>>());
        rows.retain(|record, row| found.get(record).is_some_and(|digest| *digest != row.known().digest()));
        if rows.is_empty() {
            return self.note_window(last);
        }
        let (collection, records) = (self.work.collection(), rows.keys().cloned().collect());
        self.send(Phase::Comparing { rows, last }, [Request::Fetch { collection, records }].into());
    }

    /// A record that differs is lost if the server has not seen all of what it once named as its own.
    pub(super) fn compared(&mut self, rows: &BTreeMap<RecordId, Row>, last: Option<RecordId>, offers: Vec<SentOffer>) {
        let mut shown: BTreeSet<RecordId> = BTreeSet::new();
        for offer in offers {
            let (Some(row), Sent::Whole(version)) = (rows.get(&offer.record), &offer.version) else { continue };
            let known = offer.held.as_ref().map_or(version, |held| &held.hidden);
            // By what was seen alone: fields may have been purged there.
            if known.context().covers_all(row.known().context()) {
                shown.insert(offer.record);
            }
        }
        self.work.missing.extend(rows.keys().filter(|record| !shown.contains(*record)).cloned());
        self.note_window(last);
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
        let is_claim = !work.missing.is_empty() && !work.has_claimed;
        match (is_claim, work.audits_all) {
            // Where something is missing, all else is looked at before it is said.
            (true, false) => {
                work.audits_all = true;
                work.known.audited = None;
            }
            (_, true) if is_end => {
                work.audits_all = false;
                work.needs_audit = false;
                work.has_claimed |= is_claim;
                work.needs_proof = is_claim;
            }
            (_, true) => {}
            (false, false) => work.needs_audit = false,
        }
        self.advance();
    }
}
