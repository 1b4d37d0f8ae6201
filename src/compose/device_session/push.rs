//! What is pending goes up, page by page; what the server takes is noted as its own.

use alloc::{collections::BTreeMap, vec::Vec};

use super::{
    DeviceSession,
    phase::{Acks, More, Phase, Sending},
};
use crate::decide::{
    acknowledge::Answered,
    draft::{Draft, Heading, Origin},
    history::{Acknowledged, KnownServer},
    line::Revision,
    offer::{HeldVersion, Offer},
    position::{FeedCursor, Issued, Tag},
    refusal::Refusal,
    row::{Quarantine, Row},
    screen::too_large,
    slice::{Query, ReadSet, Slice},
};
use crate::talk::{
    message::{Request, Taken},
    offer::SentOffer,
};
use crate::values::{
    id::{RecordId, ReplicaId},
    version::Version,
    version_vector::Causality,
};

impl DeviceSession {
    /// Reads what is pending after a record, or only those named.
    pub(super) fn push(&mut self, after: Option<RecordId>, only: Vec<RecordId>, is_first: bool) {
        let head = ReadSet::head(self.work.collection());
        // What a lost server showed and this device has not judged yet may be nowhere else. What this one showed needs not be sent.
        let is_waiting = self.work.known.owes_staged || self.work.due.judgement;
        let head = if is_waiting { head.with_staged(ReplicaId::THIS_DEVICE) } else { head };
        let set = if only.is_empty() {
            // One more than a page holds, to see whether there are more.
            let limit = self.records_in_page().saturating_add(1);
            head.with_query(Query::Pending { after: after.clone(), limit })
        } else {
            head.with_records(only.iter().cloned())
        };
        self.read(Phase::PushRead { after, only, is_first }, set);
    }

    pub(super) fn push_read(&mut self, after: Option<RecordId>, only: Vec<RecordId>, is_first: bool, slice: Slice) {
        let is_whole = !only.is_empty();
        let author = slice.head.author.as_ref();
        let links = author.map(|author| author.links(slice.head.counter)).unwrap_or_default();
        if author.is_some_and(|author| !author.has_offered(slice.head.counter)) {
            // What is offered may arrive without a word for it, so it is noted first.
            let heading = Heading { offers_writes: true, ..Heading::default() };
            let draft = Draft::new(slice, Origin::Own, Vec::new()).with_heading(heading);
            let again = Phase::PushRead { after, only, is_first };
            let then = again.clone();
            return self.commit(draft, again, then);
        }
        let large = self.too_large(&slice);
        if !large.is_empty() {
            // They are set aside first, so that they stand in nobody's way.
            self.work
                .report
                .failed
                .extend(large.iter().filter_map(|of| Some((of.record.clone(), of.refused.clone()?))));
            let draft = Draft::of_taken(slice, &large);
            let again = Phase::PushRead { after, only, is_first };
            return self.commit(draft, again.clone(), again);
        }
        let found = if is_whole { &only } else { &slice.found };
        let (offers, records, rest) = self.filled(&slice, found, is_whole);
        let is_end = is_whole || found.len() <= self.records_in_page();
        let last = found.last().cloned();
        if records.is_empty() && !is_end {
            return self.push(last, only, is_first);
        }
        // A push that was begun is ended, so that the server judges what it staged.
        let is_told = !is_first && (!is_whole || !self.work.push.staged.is_empty());
        if records.is_empty() && !is_told && !(is_first && self.work.owes_all()) {
            self.work.due.push = false;
            return self.advance();
        }
        let more = match (rest.is_empty(), is_whole) {
            (false, true) => Some(More { after: None, only: rest }),
            (false, false) => {
                Some(More { after: records.last().map(|(id, _)| id.clone()).or(after), only: Vec::new() })
            }
            (true, _) if !is_end => Some(More { after: last, only: Vec::new() }),
            // What is sent whole belongs to the push, too: with its last page, the time to supply what was lost is over.
            (true, _) => self.unfit(),
        };
        self.work.note_sent(&records, more.is_none());
        let reaches = links.last().map_or(0, |link| link.counter);
        let request = Request::Push {
            collection: self.work.collection(),
            at: self.work.greeting(),
            links,
            is_first,
            is_last: more.is_none(),
            offers,
        };
        let sent = Sending { records, reaches, more, is_whole };
        if sent.more.is_none() && !self.work.mending.has_claimed && self.work.audit.heard.is_none() {
            return self.audit(Some((request, sent)));
        }
        self.send(Phase::Pushing { sent, audit: None }, [request].into());
    }

    /// As many of the records found as fill a page, which of them they are, and the rest.
    fn filled(
        &self,
        slice: &Slice,
        found: &[RecordId],
        is_whole: bool,
    ) -> (Vec<SentOffer>, Vec<(RecordId, Version)>, Vec<RecordId>) {
        let waiting = Waiting::of(slice, self.work.known.owes_staged);
        let (mut offers, mut records, mut bytes) = (Vec::new(), Vec::new(), 0_usize);
        for (place, id) in found.iter().enumerate() {
            let Some(row) = slice.rows.get(id).filter(|row| row.is_pending && !waiting.covers(row)) else { continue };
            let offer = waiting.supplied(row);
            let (known, base) = (offer.known().clone(), row.base.as_ref().filter(|_| !is_whole));
            let (sent, weight) = SentOffer::weighed(offer, base);
            bytes = bytes.saturating_add(weight);
            let is_full = bytes > self.opening.limits.page_bytes || records.len() >= self.records_in_page();
            if is_full && !records.is_empty() {
                return (offers, records, found.get(place..).unwrap_or_default().to_vec());
            }
            records.push((id.clone(), known));
            offers.push(sent);
        }
        (offers, records, Vec::new())
    }

    /// What did not fit as a patch, to be sent whole.
    fn unfit(&mut self) -> Option<More> {
        let only = core::mem::take(&mut self.work.push.unfit);
        (!only.is_empty()).then_some(More { after: None, only })
    }

    fn records_in_page(&self) -> usize {
        self.opening.limits.records_in(self.opening.limits.page_bytes)
    }

    /// What is pending and more than may cross.
    fn too_large(&self, slice: &Slice) -> Vec<Answered> {
        let limits = &self.opening.limits.record;
        let pending = slice.rows.values().filter(|row| row.is_pending);
        let refused = pending.filter_map(|row| {
            let refusal = too_large(&row.version, limits).or_else(|| too_large(row.known(), limits))?;
            Some(answered(row.record.clone(), row.known().clone(), Err(refusal)))
        });
        refused.collect()
    }

    pub(super) fn taken(
        &mut self,
        sent: Sending,
        before: Revision,
        now: Issued,
        except: Vec<(u32, Taken)>,
        staged: Vec<(RecordId, Taken)>,
    ) {
        // Who wants something else than the whole of a record would never have it.
        let mut said = except.iter().map(|(_, said)| said).chain(staged.iter().map(|(_, said)| said));
        let is_endless = sent.is_whole && said.any(|said| *said == Taken::NeedWhole);
        if is_endless || !self.goes_on_from(Some(now)) || now.position.revision < before {
            return self.greet_again();
        }
        let mut except = except.into_iter().peekable();
        let mut taken: Vec<Answered> = Vec::new();
        let mut is_plain = true;
        for (place, (record, known)) in (0_u32..).zip(sent.records) {
            let mut said = Taken::Stored;
            while let Some((at, what)) = except.next_if(|(at, _)| *at <= place) {
                if at == place {
                    said = what;
                }
            }
            is_plain &= self.note_taken(record, known, said, &mut taken);
        }
        for (record, said) in staged {
            // Only what was sent in this push can have been staged by it.
            let Some(known) = self.work.push.staged.remove(&record) else { continue };
            is_plain &= self.note_taken(record, known, said, &mut taken);
        }
        let server = self.known_after_push(before, (now, sent.reaches), is_plain);
        self.work.due.pull |= !is_plain || server.cursor.revision < now.position.revision;
        let more = sent.more.or_else(|| self.unfit());
        let set = ReadSet::head(self.work.collection()).with_records(taken.iter().map(|of| of.record.clone()));
        let acks = Acks { taken, server, at: now.position, more };
        self.read(Phase::AckRead { acks }, set);
    }

    /// Sorts one record by what the server said. Returns whether the server has exactly what was sent, or nothing of it.
    fn note_taken(&mut self, record: RecordId, known: Version, said: Taken, taken: &mut Vec<Answered>) -> bool {
        let work = &mut self.work;
        match said {
            Taken::Stored | Taken::Deleted(_) => {
                work.report.acknowledged = work.report.acknowledged.saturating_add(1);
                let tag = if let Taken::Deleted(tag) = said { Some(tag) } else { None };
                taken.push(answered(record, known, Ok(tag)));
            }
            Taken::Merged => {
                work.push.merged.insert(record);
                return false;
            }
            Taken::Held => {
                work.report.held_there.push(record.clone());
                work.push.unasked.insert(record.clone());
                taken.push(answered(record, known, Ok(None)));
                return false;
            }
            Taken::Staged => {
                work.push.staged.insert(record, known);
            }
            // The server lacks what it once named as its own, or others have written.
            Taken::NeedWhole if work.is_doubted(&record) => {
                work.audit.doubted.insert(record);
            }
            Taken::NeedWhole => work.push.unfit.push(record),
            Taken::Refused(refusal) => {
                let is_disputed = matches!(refusal, Refusal::Equivocation { .. } | Refusal::Forged { .. });
                if is_disputed && work.push.disputed.insert(record.clone()) {
                    // What the server has of it comes first: then both are written down.
                    work.push.unasked.insert(record);
                    return false;
                }
                if matches!(refusal, Refusal::ForeignDots { .. }) && !work.mending.has_claimed {
                    // The server once had what it says it has not. That is claimed first; until then it is pending, so that
                    // the next session claims it if this one ends before.
                    work.mending.missing.insert(record);
                    return true;
                }
                work.report.failed.push((record.clone(), refusal.clone()));
                taken.push(answered(record, known, Err(refusal)));
            }
        }
        true
    }

    /// Where nobody else has written meanwhile, what was pushed does not have to be read again.
    fn known_after_push(&self, before: Revision, (now, reaches): (Issued, u64), is_plain: bool) -> KnownServer {
        let known = KnownServer { accepted: reaches, ..self.work.known.given(now) };
        let has_read_all = known.cursor == FeedCursor { revision: before, within: None };
        if has_read_all && is_plain {
            let revision = now.position.revision;
            let hold = self.work.report.hold_there;
            KnownServer { cursor: FeedCursor { revision, within: None }, whole: revision, hold, ..known }
        } else {
            KnownServer { hold: None, ..known }
        }
    }

    pub(super) fn ack_read(&mut self, acks: Acks, slice: Slice) {
        let Acks { taken, server, at, more } = acks.clone();
        let draft = Draft::of_taken(slice, &taken);
        let acknowledged = Some(Acknowledged::from(at));
        let heading = Heading { server: Some(server.clone()), acknowledged, ..Heading::default() };
        self.commit(draft.with_heading(heading), Phase::AckRead { acks }, Phase::Acked { server, more });
    }

    pub(super) fn acked(&mut self, server: KnownServer, more: Option<More>) {
        let work = &mut self.work;
        work.known = server;
        if let Some(More { after, only }) = more {
            // What is staged there is only taken with the last page, so a budget does not end the push before it.
            let is_spent = self.is_spent() && self.work.push.staged.is_empty();
            return if is_spent { self.finish() } else { self.push(after, only, false) };
        }
        work.due.push = false;
        work.push.staged.clear();
        work.passes = work.passes.saturating_add(1);
        // The server does not have what it once had: the audit says so.
        work.due.audit |= !work.mending.missing.is_empty() && !work.mending.has_claimed;
        self.advance();
    }
}

/// What the server said of a version that was sent.
fn answered(record: RecordId, known: Version, said: Result<Option<Tag>, Refusal>) -> Answered {
    let digest = known.digest();
    match said {
        Ok(delete_tag) => Answered { record, digest, known: Some(known), refused: None, delete_tag },
        Err(refusal) => Answered { record, digest, known: None, refused: Some(refusal), delete_tag: None },
    }
}

/// What is staged and waits for the end of the round.
struct Waiting<'s> {
    offers: BTreeMap<&'s RecordId, &'s Offer>,
    /// A lost server showed it: it waits here, and no server may have it any more.
    is_owed: bool,
}

impl<'s> Waiting<'s> {
    fn of(slice: &'s Slice, is_owed: bool) -> Self {
        Self { offers: slice.staged.iter().map(|offer| (&offer.record, offer)).collect(), is_owed }
    }

    /// Whether the server has shown more than all of a row, so that it would be sent in vain.
    fn covers(&self, row: &Row) -> bool {
        let is_plain = row.quarantine.is_none() && row.excuse.is_none();
        let shown = self.offers.get(&row.record).filter(|_| is_plain && !self.is_owed);
        shown.is_some_and(|shown| shown.known().compare(&row.version) == Causality::After)
    }

    /// A row as it is sent, with what is owed beside it.
    fn supplied(&self, row: &Row) -> Offer {
        let mut offer = Offer::of(row);
        let staged = self.offers.get(&row.record).filter(|staged| self.is_owed && staged.held.is_none());
        if let (Some(staged), None) = (staged, &offer.held) {
            let joined = offer.version.join(&staged.version);
            offer.delete_tag = offer.delete_tag.filter(|_| joined.digest() == offer.version.digest());
            offer.version = joined;
        }
        // What the server held, it is to hold again: this device shows the outcome, and knows what is asked.
        match &row.quarantine {
            Some(Quarantine::Beside { held, hidden, .. }) if hidden.digest() == offer.version.digest() => {
                offer.version = held.clone();
                offer.held = Some(HeldVersion { hidden: hidden.clone(), mass: false });
                (offer.excuse, offer.delete_tag) = (None, None);
            }
            _ => {}
        }
        offer
    }
}

/// Whether a row says that the server has it.
pub(super) fn is_acknowledged(row: &Row) -> bool {
    !row.is_pending && row.failed.is_none() && row.acknowledged.is_some()
}
