//! What is held on both sides is compared, range by range in the order of ids, where no cursor means anything any more.
//!
//! What is the same counts as sent, what is only here stays pending, what differs or is only there is fetched and goes the way
//! of all pages. What waits in memory is bounded by the depth of the ranges and their branches, not by what is held.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};

use super::{
    DeviceSession,
    greet::ROWS_AT_ONCE,
    phase::{Page, Phase, Settled},
    push::is_acknowledged,
    walk::{Asking, Holds, Told, Walk, listed, parted},
};
use crate::compose::serve::RANGES;
use crate::decide::{
    authorship::Link,
    draft::{Draft, Heading, Origin},
    history::{Comparing, KnownServer},
    position::{FeedCursor, Issued},
    reconcile::told,
    slice::{Query, ReadSet, Slice},
};
use crate::talk::{
    compare::{Comparison, Found, FoundRange},
    message::Request,
    offer::{Sent, SentOffer},
};
use crate::values::id::RecordId;

/// Records fetched in one request, at most.
pub(super) const FETCHED_AT_ONCE: usize = 1_000;

impl DeviceSession {
    /// Fetches what the server has and this device has not, or looks at the next ranges.
    pub(super) fn compare(&mut self) {
        let max_items = self.opening.limits.max_items.max(1);
        let after = self.work.known.comparing.as_ref().and_then(|comparing| comparing.after.clone());
        let walk = &mut self.work.walk;
        walk.begin(after);
        let asked: Vec<RecordId> = walk.fetch.keys().take(FETCHED_AT_ONCE.min(max_items)).cloned().collect();
        if !asked.is_empty() {
            let records = asked.clone();
            return self.ask_whole(Phase::Supplying { asked }, records);
        }
        let spans: Vec<_> = walk.todo.iter().take(RANGES).map(|todo| todo.span.clone()).collect();
        self.read(Phase::SpansRead, ReadSet::head(self.work.collection()).with_spans(spans));
    }

    /// What is held here of the next ranges: those that the server has told to be the same are settled, the others are asked
    /// about.
    pub(super) fn spans_read(&mut self, slice: &Slice) {
        let limit = RANGES.min(self.opening.limits.max_items.max(1));
        let asked = self.work.walk.asked(slice, limit);
        if asked.is_empty() {
            return self.advance();
        }
        let holds = Comparison::of_ranges(asked.iter().map(|asked| (asked.span.clone(), asked.fingerprint)));
        let (collection, at) = (self.work.collection(), self.work.greeting());
        self.send(Phase::Reconciling { asked }, [Request::Reconcile { collection, at, holds }].into());
    }

    pub(super) fn reconciled(&mut self, asked: Vec<Asking>, found: Found, now: Option<Issued>) {
        let Found::Ranges(found) = found;
        let Some(now) = now.filter(|now| self.goes_on_from(Some(*now))) else { return self.greet_again() };
        // A reply that does not get on would never end.
        if found.is_empty() || found.len() > asked.len() {
            return self.greet_again();
        }
        let work = &mut self.work;
        work.known = work.known.given(now);
        if let Some(comparing) = &mut work.known.comparing {
            comparing.since.get_or_insert(now.position.revision);
        }
        work.walk.now = Some(now);
        let (mut found, mut todo) = (found.into_iter(), Vec::new());
        for asked in asked {
            let Asking { span, depth, read_at, .. } = asked.clone();
            let holds = match found.next() {
                None => {
                    todo.push(asked.again());
                    continue;
                }
                Some(FoundRange::Same) => Holds::Same { read_at },
                Some(FoundRange::Listed(records)) => match listed(&span, records) {
                    Some(records) => Holds::These(records),
                    None => return self.greet_again(),
                },
                Some(FoundRange::Parts(parts)) => match parted(&span, depth, parts) {
                    Some(parts) => {
                        todo.extend(parts);
                        continue;
                    }
                    None => return self.greet_again(),
                },
            };
            self.work.walk.told.push_back(Told { span, holds });
        }
        self.work.walk.put_back(todo);
        self.work.walk.sort();
        self.advance();
    }

    /// A page of the rows of a range of which it is known what the server holds.
    pub(super) fn settle(&mut self) {
        let Some(Told { span, .. }) = self.work.walk.told.front().cloned() else { return self.advance() };
        let query = Query::Window { after: span.after, until: span.until, limit: ROWS_AT_ONCE };
        self.read(Phase::SettleRead, ReadSet::head(self.work.collection()).with_query(query));
    }

    pub(super) fn settle_read(&mut self, slice: Slice) {
        let walk = &self.work.walk;
        let Some(front) = walk.told.front() else { return self.advance() };
        let is_whole = slice.found.len() < ROWS_AT_ONCE;
        let upto = if is_whole { front.span.until.clone() } else { slice.found.last().cloned() };
        let Settling { mut named, void, gone, fetch } = settled(front, &slice, upto.as_ref());
        // The same row may be there, and not what a lost server showed beside it: it is sent with that.
        let owed = if self.work.known.owes_staged { self.work.here.staged.as_slice() } else { &[] };
        named.retain(|record| owed.binary_search(record).is_err());
        let mut server = self.work.known.clone();
        let may_find_loss = server.comparing.as_ref().is_some_and(|comparing| comparing.may_find_loss);
        if let Some(comparing) = server.comparing.as_mut().filter(|_| fetch.is_empty()) {
            comparing.after = walk.progress(comparing.after.take(), upto.clone());
        }
        let void: Vec<RecordId> = void.into_iter().chain(gone.iter().cloned()).collect();
        let missing = if may_find_loss { gone } else { Vec::new() };
        let fetch = fetch.into_iter().map(|record| {
            let row = slice.rows.get(&record).filter(|row| may_find_loss && is_acknowledged(row));
            let seen = row.map(|row| row.known().context().clone());
            (record, seen)
        });
        let fetch = fetch.collect();
        let is_news = !named.is_empty() || !void.is_empty();
        let heading = Heading {
            server: is_news.then(|| server.clone()),
            acknowledged: walk.now.map(|now| now.position.into()),
            ..Heading::default()
        };
        let draft = Draft::of_compared(slice, &named, &void).with_heading(heading);
        let then = Settled { server, upto: upto.filter(|_| !is_whole), fetch, missing };
        self.commit(draft, Phase::SettleRead, Phase::Settled(then));
    }

    pub(super) fn settled(&mut self, settled: Settled) {
        let Settled { server, upto, fetch, missing } = settled;
        let work = &mut self.work;
        let comparing = work.saved.stored.as_ref().and_then(|stored| stored.comparing.as_ref());
        work.walk.has_got_on |= comparing.is_some_and(|comparing| comparing.after != work.walk.from);
        work.known = server;
        work.walk.fetch.extend(fetch);
        work.mending.missing.extend(missing);
        match (upto, work.walk.told.front_mut()) {
            (Some(upto), Some(front)) => front.span.after = Some(upto),
            _ => drop(work.walk.told.pop_front()),
        }
        self.advance();
    }

    /// The records that were asked for come in the order of their ids: what is passed over is too large, or not there.
    pub(super) fn supplied_by(
        &mut self,
        asked: Vec<RecordId>,
        offers: Vec<SentOffer>,
        (now, accepted): (Option<Issued>, Option<Link>),
    ) {
        if !self.goes_on_from(now) {
            return self.greet_again();
        }
        let asked: BTreeSet<RecordId> = asked.into_iter().collect();
        let is_asked = |offer: &SentOffer| asked.contains(&offer.record) && matches!(offer.version, Sent::Whole(_));
        let offers = offers.into_iter().filter(is_asked).map(|offer| (offer.record.clone(), offer));
        let offers: BTreeMap<RecordId, SentOffer> = offers.collect();
        let last = offers.keys().next_back();
        // A record that differs is lost if the server has not seen all of what it once named as its own.
        let is_less = |offer: &&SentOffer| match (&offer.version, self.work.walk.fetch.get(&offer.record)) {
            (Sent::Whole(version), Some(Some(seen))) => {
                let known = offer.held.as_ref().map_or(version, |held| &held.hidden);
                !known.context().covers_all(seen)
            }
            _ => false,
        };
        let less: Vec<RecordId> = offers.values().filter(is_less).map(|offer| offer.record.clone()).collect();
        self.work.mending.missing.extend(less);
        self.work.walk.fetch.retain(|record, _| !asked.contains(record) || last.is_some_and(|last| record > last));
        if offers.is_empty() {
            return self.advance();
        }
        self.work.walk.has_got_on = true;
        let next = self.work.known.cursor.clone();
        let page = Page { offers: offers.into_values().collect(), next, is_more: true, now, accepted, hold: None };
        let set = self.page_set(&page);
        self.read(Phase::PageRead { page, is_full: false }, set);
    }

    /// All is compared: from where the server stood when it began, its feed is read.
    pub(super) fn end_comparison(&mut self) {
        self.read(Phase::ComparedRead, ReadSet::head(self.work.collection()));
    }

    pub(super) fn compared_read(&mut self, slice: Slice) {
        let known = &self.work.known;
        let since = known.comparing.as_ref().and_then(|comparing| comparing.since).unwrap_or_default();
        let cursor = FeedCursor { revision: since, within: None }.max(known.cursor.clone());
        let server = KnownServer { cursor, whole: known.whole.max(since), comparing: None, ..known.clone() };
        let heading = Heading { server: Some(server.clone()), ..Heading::default() };
        let draft = Draft::new(slice, Origin::Own, Vec::new()).with_heading(heading);
        self.commit(draft, Phase::ComparedRead, Phase::ComparisonEnded { server });
    }

    pub(super) fn comparison_ended(&mut self, server: KnownServer) {
        let work = &mut self.work;
        work.known = server;
        work.walk = Walk::default();
        work.mending.has_compared = true;
        work.due.pull = work.given() > work.known.cursor.revision;
        work.due.push |= work.report.conflict.is_none();
        // More than an audit would have shown is known already.
        (work.due.audit, work.audit.is_of_all) = (false, false);
        if !work.mending.missing.is_empty() && !work.mending.has_claimed {
            (work.mending.has_claimed, work.due.proof) = (true, true);
        }
        self.advance();
    }
}

/// What follows for the rows of a page of a range.
#[derive(Default)]
struct Settling {
    /// The server has them as they are here.
    named: Vec<RecordId>,
    /// It named them as its own, and has something else.
    void: Vec<RecordId>,
    /// It named them as its own, and has them no more.
    gone: Vec<RecordId>,
    /// It has them, and they differ or are not here.
    fetch: Vec<RecordId>,
}

/// `upto`: the rows of the slice are all that there are here up to this record; `None`: to the last one.
fn settled(front: &Told, slice: &Slice, upto: Option<&RecordId>) -> Settling {
    let mut settling = Settling::default();
    let rows = slice.found.iter().filter_map(|id| slice.rows.get(id));
    let theirs = match &front.holds {
        Holds::Same { read_at } => {
            // What has changed here since it was looked at is none of what the server has named.
            let same = rows.filter(|row| row.is_pending && row.changed_at <= *read_at);
            settling.named = same.map(|row| row.record.clone()).collect();
            return settling;
        }
        Holds::These(theirs) => theirs,
    };
    for row in rows {
        let is_same = theirs.get(&row.record).map(|theirs| *theirs == told(row));
        let is_named = is_acknowledged(row);
        match is_same {
            Some(true) => settling.named.extend(row.is_pending.then(|| row.record.clone())),
            Some(false) => {
                settling.void.extend(is_named.then(|| row.record.clone()));
                settling.fetch.push(row.record.clone());
            }
            None => settling.gone.extend(is_named.then(|| row.record.clone())),
        }
    }
    let is_due = |record: &RecordId| {
        front.span.contains(record) && upto.is_none_or(|upto| record <= upto) && !slice.rows.contains_key(record)
    };
    settling.fetch.extend(theirs.keys().filter(|record| is_due(record)).cloned());
    settling
}

impl super::work::Work {
    /// A comparison is due with this server before anything is read of its feed.
    pub(super) fn begin_comparison(&mut self, may_find_loss: bool) {
        self.known.comparing = Some(Comparing { may_find_loss, ..Comparing::default() });
        self.walk = Walk::default();
    }
}
