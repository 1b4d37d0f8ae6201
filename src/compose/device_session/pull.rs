//! Pages of the server's feed: additions and edits apply at once, removals wait for the end of the round.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};

use super::{
    DeviceSession,
    greet::heard,
    phase::{Page, Phase},
    push::is_acknowledged,
};
use crate::act::receipt::Receipt;
use crate::decide::{
    authorship::{Conflict, Link},
    changes::Changes,
    diff::Diff,
    draft::{Draft, Heading},
    history::KnownServer,
    offer::Offer,
    position::Issued,
    slice::{Head, ReadSet, Slice},
};
use crate::talk::{
    message::Request,
    offer::{Sent, SentOffer},
};
use crate::values::{
    ablation::is_off,
    id::{RecordId, ReplicaId},
    version::Version,
};

/// A round that only pulled takes an audit where that adds little to what it cost.
const CHANGES_FOR_AUDIT: usize = 32;
/// Pages in a row that show nothing and say that there is more. The next session goes on behind them.
const MAX_EMPTY_PAGES: u8 = 16;

impl DeviceSession {
    pub(super) fn pull(&mut self) {
        let (collection, at) = (self.work.collection(), self.work.greeting());
        let after = self.work.known.cursor.clone();
        let page_bytes = u64::try_from(self.opening.limits.page_bytes).unwrap_or(u64::MAX);
        self.send(
            Phase::Pulling,
            [Request::Pull {
                collection,
                at,
                after,
                page_bytes,
                record_bytes: self.record_bytes(),
                accepted: self.work.known.accepted,
            }]
            .into(),
        );
    }

    pub(super) fn paged(&mut self, page: Page) {
        if !self.goes_on(&page) {
            return self.greet_again();
        }
        if page.offers.is_empty() && page.now.is_none() {
            // The server has nothing of the collection, and says so.
            self.work.due.pull = false;
            return self.advance();
        }
        let is_empty = page.offers.is_empty() && page.is_more;
        self.work.empty_pages = if is_empty { self.work.empty_pages.saturating_add(1) } else { 0 };
        let set = self.page_set(&page);
        self.read(Phase::PageRead { page, is_full: false }, set);
    }

    /// Whether a page continues the history that was greeted, and gets on. One that does not would never end.
    fn goes_on(&self, page: &Page) -> bool {
        let before = &self.work.known.cursor;
        let Some(now) = page.now else {
            return self.work.lineage().is_none() && page.offers.is_empty() && !page.is_more;
        };
        // A patch of a record that was there before would be asked for whole, again and again.
        let records: BTreeSet<&RecordId> = page.offers.iter().map(|offer| &offer.record).collect();
        if records.len() < page.offers.len() {
            return false;
        }
        // What is more than this device takes is in no page, and there may be more of it than fits one.
        let is_told = !page.offers.is_empty() || self.work.empty_pages < MAX_EMPTY_PAGES;
        let gets_on = if page.is_more { page.next > *before && is_told } else { page.next >= *before };
        self.goes_on_from(page.now) && gets_on && page.next.revision <= now.position.revision
    }

    /// Whether the server still stands in the history that was greeted, and not before what it has said.
    pub(super) fn goes_on_from(&self, now: Option<Issued>) -> bool {
        now.is_some_and(|now| {
            self.work.lineage().is_none_or(|lineage| lineage == now.position.lineage)
                && now.position.revision >= self.work.given()
        })
    }

    pub(super) fn page_set(&self, page: &Page) -> ReadSet {
        let records = page.offers.iter().map(|offer| offer.record.clone());
        ReadSet::head(self.work.collection()).with_records(records)
    }

    pub(super) fn page_read(&mut self, page: Page, is_full: bool, slice: Slice) {
        let (offers, unfit) = opened(&page.offers, &slice);
        if !unfit.is_empty() {
            return self.fetch(page, unfit);
        }
        self.note_less(&offers, &slice);
        self.note_more(&offers, &slice);
        for offer in &offers {
            self.work.push.merged.remove(&offer.record);
        }
        let changes = self.changes(offers);
        let set = changes.read_set().with_moved(slice.destinations());
        if !is_full && !set.moved.is_empty() {
            return self.read(Phase::PageRead { page, is_full: true }, set);
        }
        let mut server = self.known_after(&page);
        self.note_accepted(page.accepted, &slice.head, &mut server);
        self.note_own(&changes, slice.head.counter, &mut server);
        let heading = Heading {
            server: Some(server.clone()),
            acknowledged: page.now.map(|now| now.position.into()),
            round_of: Some(ReplicaId::THIS_DEVICE),
            writer: Some(self.opening.replica),
            ..Heading::default()
        };
        // What would take something away waits for the end of the round, or is a question at once.
        let is_round_over = !page.is_more && !self.work.due.judgement && !self.work.mending.is_suspect;
        let is_whole_round = is_round_over || self.work.known.is_reseeding;
        let resolve = if is_whole_round { Draft::resolve } else { Draft::resolve_page };
        let Some(draft) = self.drafted(slice, changes, resolve) else { return self.stop() };
        let is_more = page.is_more;
        self.commit(draft.with_heading(heading), Phase::PageRead { page, is_full }, Phase::Paged { server, is_more });
    }

    /// A server that shows less of a record than it has named as its own has lost the rest, whatever its log says.
    fn note_less(&mut self, offers: &[Offer], slice: &Slice) {
        if self.work.mending.is_suspect || self.work.mending.has_claimed {
            return;
        }
        let is_less = |offer: &&Offer| {
            let row = slice.rows.get(&offer.record).filter(|row| is_acknowledged(row));
            row.is_some_and(|row| !offer.known().context().covers_all(row.known().context()))
        };
        self.work.mending.missing.extend(offers.iter().filter(is_less).map(|offer| offer.record.clone()));
        self.work.audit.is_of_all |= !self.work.mending.missing.is_empty();
        self.work.due.audit |= self.work.audit.is_of_all;
    }

    /// Of a record that others have written, a patch is made on what they wrote: there is nothing to doubt.
    fn note_more(&mut self, offers: &[Offer], slice: &Slice) {
        for offer in offers {
            let base = slice.rows.get(&offer.record).and_then(|row| row.base.as_ref());
            let is_all = base.is_some_and(|base| offer.known().context().covers_all(base.context()));
            self.work.due.push |= is_all && self.work.audit.doubted.remove(&offer.record);
        }
    }

    /// Takes in what an audit has shown and no page did.
    pub(super) fn take_shown(&mut self) {
        let (shown, next) = (core::mem::take(&mut self.work.audit.shown), self.work.known.cursor.clone());
        // Where the server has begun another history since, it has said nothing of them there.
        let now = shown.at.filter(|now| self.work.lineage() == Some(now.position.lineage));
        let page = Page { offers: shown.offers, next, is_more: false, now, accepted: shown.accepted, hold: None };
        let set = self.page_set(&page);
        self.read(Phase::PageRead { page, is_full: false }, set);
    }

    /// Whether what the server holds is asked here, too.
    pub(super) fn ask(&mut self) {
        let push = &self.work.push;
        let records = push.unasked.iter().chain(&push.merged).cloned();
        let set = ReadSet::head(self.work.collection()).with_records(records);
        self.read(Phase::AskRead, set);
    }

    /// Fetches the questions and the records that the server has and this device has not: no pull shows them again.
    pub(super) fn ask_read(&mut self, slice: &Slice) {
        let mut asked = core::mem::take(&mut self.work.push.unasked);
        asked.retain(|id| slice.rows.get(id).is_none_or(|row| row.quarantine.is_none()));
        // What came back behind the cursor is in no page.
        asked.append(&mut self.work.push.merged);
        if asked.is_empty() {
            return self.advance();
        }
        let next = self.work.known.cursor.clone();
        let page = Page { offers: Vec::new(), next, is_more: false, now: None, accepted: None, hold: None };
        self.fetch(page, asked);
    }

    fn fetch(&mut self, page: Page, asked: BTreeSet<RecordId>) {
        let records = asked.iter().cloned().collect();
        self.ask_whole(Phase::Fetching { page, asked }, records);
    }

    /// A server that has accepted writes of this replica which it has not made knows another one under the same id.
    fn note_accepted(&mut self, accepted: Option<Link>, head: &Head, server: &mut KnownServer) {
        match accepted.map(|link| heard(head.author.as_ref(), head.counter, link, self.opening.replica)) {
            None => {}
            Some(Ok(counter)) => server.accepted = counter,
            Some(Err(conflict)) => self.note_conflict(conflict, server),
        }
    }

    /// So does one that shows such writes, whoever has brought them.
    fn note_own(&mut self, changes: &Changes, counter: u64, server: &mut KnownServer) {
        let replica = self.opening.replica;
        let own = changes.offers.iter().map(|offer| offer.known().context().get(replica));
        let ahead = own.max().filter(|own| *own > counter && self.work.report.conflict.is_none());
        if let Some(counter) = ahead {
            self.note_conflict(Conflict { replica, counter, hash: None }, server);
        }
    }

    fn note_conflict(&mut self, conflict: Conflict, server: &mut KnownServer) {
        server.note_conflict(conflict);
        self.work.note_conflict(conflict);
    }

    /// The records that were asked for take the places of their patches. What is still missing is asked for again.
    ///
    /// They are acknowledged as of the reply that brought them, which may be later than their page.
    pub(super) fn fetched(
        &mut self,
        mut page: Page,
        mut asked: BTreeSet<RecordId>,
        whole: Vec<SentOffer>,
        (now, accepted): (Option<Issued>, Option<Link>),
    ) {
        if !self.goes_on_from(now) {
            return self.greet_again();
        }
        (page.now, page.accepted) = (now.or(page.now), accepted.or(page.accepted));
        let is_asked = |offer: &SentOffer| asked.contains(&offer.record) && matches!(offer.version, Sent::Whole(_));
        let mut whole: BTreeMap<RecordId, SentOffer> =
            whole.into_iter().filter(is_asked).map(|offer| (offer.record.clone(), offer)).collect();
        if whole.is_empty() {
            // The cursor stays before this page. What no page speaks of may be more than this device takes.
            return if page.offers.is_empty() { self.advance() } else { self.greet_again() };
        }
        asked.retain(|record| !whole.contains_key(record));
        for offer in &mut page.offers {
            if let Some(whole) = whole.remove(&offer.record) {
                *offer = whole;
            }
        }
        page.offers.extend(whole.into_values());
        if !asked.is_empty() {
            return self.fetch(page, asked);
        }
        let set = self.page_set(&page);
        self.read(Phase::PageRead { page, is_full: false }, set);
    }

    pub(super) fn page_committed(&mut self, receipt: Receipt, server: KnownServer, is_more: bool) {
        let work = &mut self.work;
        work.known = server;
        work.due.judgement |= !receipt.staged.is_empty();
        work.due.pull = is_more;
        work.due.audit |= receipt.changes.len() >= CHANGES_FOR_AUDIT;
        // What was merged here is news for the server.
        work.due.push |= work.report.conflict.is_none() && !receipt.is_quiet();
        note_receipt(&mut work.report.receipts, receipt);
        self.advance();
    }

    fn known_after(&self, page: &Page) -> KnownServer {
        let known = &self.work.known;
        let given = page.now.map_or_else(|| known.clone(), |now| known.given(now));
        let is_whole = !page.is_more && page.next.within.is_none();
        let whole = if is_whole { given.whole.max(page.next.revision) } else { given.whole };
        // All its lines are here where this page went up to where the server stands.
        let is_at_end = is_whole && page.now.is_some_and(|now| now.position.revision == page.next.revision);
        let hold = page.hold.filter(|_| is_at_end);
        KnownServer { cursor: page.next.clone(), whole, hold, ..given }
    }

    fn changes(&self, offers: Vec<Offer>) -> Changes {
        let from = self.initiator.server().unwrap_or(self.opening.replica);
        Changes { from, collection: self.work.collection(), offers, upto: None }
    }

    /// What is proposed of a server's changes; `None` if they are of another collection.
    fn drafted(
        &self,
        slice: Slice,
        changes: Changes,
        resolve: impl FnOnce(Diff, Option<&str>) -> Draft,
    ) -> Option<Draft> {
        let identifying = self.opening.guard.identifying(&changes.collection);
        let replica = self.opening.replica;
        let is_conflict = self.work.report.conflict.is_some() || is_off!(EqualVectors);
        let counter = slice.head.counter;
        let own = if is_conflict { self.work.known.accepted.min(counter) } else { counter };
        let diff = Diff::between(slice, changes).ok()?.screened_own(replica, own);
        // Under an id that is in use elsewhere nothing is written.
        Some(resolve(if is_conflict { diff } else { diff.settled_by(replica, &self.work.push.disputed) }, identifying))
    }

    /// What was staged, on this page or in an earlier session, is judged as one.
    pub(super) fn read_staged(&mut self) {
        let set = ReadSet::head(self.work.collection()).with_staged(ReplicaId::THIS_DEVICE);
        self.read(Phase::StagedRead { is_full: false }, set);
    }

    pub(super) fn staged_read(&mut self, is_full: bool, slice: Slice) {
        let changes = self.changes(slice.staged.clone());
        if !is_full && !changes.offers.is_empty() {
            let set = changes.read_set().with_staged(ReplicaId::THIS_DEVICE);
            return self.read(Phase::StagedRead { is_full: true }, set);
        }
        let owes = self.work.known.owes_staged;
        let server = owes.then(|| KnownServer { owes_staged: false, ..self.work.known.clone() });
        let witness = self.work.known.witness.as_ref().map(|witness| witness.last.position);
        let heading = Heading {
            server,
            acknowledged: witness.map(Into::into),
            round_of: Some(ReplicaId::THIS_DEVICE),
            writer: Some(self.opening.replica),
            unstages: true,
            ..Heading::default()
        };
        let Some(draft) = self.drafted(slice, changes, Draft::resolve) else { return self.stop() };
        // What another server showed is no word of this one, and what this one showed in an earlier session is none of now.
        let draft = if owes || !self.work.here.staged.is_empty() { draft.of_nobody() } else { draft };
        self.commit(draft.with_heading(heading), Phase::StagedRead { is_full }, Phase::Judged);
    }

    pub(super) fn staged_committed(&mut self, receipt: Receipt) {
        let work = &mut self.work;
        work.due.judgement = false;
        work.known.owes_staged = false;
        work.due.push |= work.report.conflict.is_none() && !receipt.is_quiet();
        note_receipt(&mut work.report.receipts, receipt);
        self.advance();
    }
}

fn note_receipt(receipts: &mut Vec<Receipt>, receipt: Receipt) {
    let shows = [receipt.changes.len(), receipt.held.len(), receipt.closed.len(), receipt.refused.len()];
    if shows.iter().any(|count| *count > 0) {
        receipts.push(receipt);
    }
}

/// The offers that are whole or fit what is held, and the records of which the patches do not.
fn opened(sent: &[SentOffer], slice: &Slice) -> (Vec<Offer>, BTreeSet<RecordId>) {
    let (mut offers, mut unfit) = (Vec::with_capacity(sent.len()), BTreeSet::new());
    for sent in sent {
        let row = slice.rows.get(&sent.record);
        let bases: Vec<&Version> =
            row.into_iter().flat_map(|row| row.base.iter().chain([&row.version, row.known()])).collect();
        match sent.clone().open(&bases) {
            Some(offer) => offers.push(offer),
            None => {
                unfit.insert(sent.record.clone());
            }
        }
    }
    (offers, unfit)
}
