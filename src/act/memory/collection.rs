//! One collection of a store in memory.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};
use core::ops::Bound;

use super::{ranks::Ranks, rows::Rows, saved::SavedCollection};
use crate::act::{journal::Journal, plan::Batch};
use crate::decide::{
    ledger::{FirstSeen, Ledger},
    line::{Line, Revision},
    offer::Offer,
    reconcile::{Outline, Span, told},
    row::Row,
    slice::{Head, Query, ReadSet, Slice},
};
use crate::values::{
    digest::Digest,
    id::{RecordId, ReplicaId},
    time::DayTick,
};

#[derive(Debug, Clone, Default)]
pub(super) struct Collection {
    pub(super) head: Head,
    pub(super) rows: Rows,
    pub(super) journal: Journal,
    lines: Vec<Line>,
    /// First-seen places of this collection, ascending; the position in it is what `ranks` counts by.
    places: Vec<FirstSeen>,
    ranks: Ranks,
    /// What `ranks` says, kept: most commits leave it as it is.
    ledger: Ledger,
    by_change: BTreeMap<ChangeKey, RecordId>,
    by_death: BTreeSet<(DayTick, RecordId)>,
    by_loss: BTreeSet<(Revision, RecordId)>,
    pending: BTreeSet<RecordId>,
    failed: BTreeSet<RecordId>,
    unshown: BTreeSet<RecordId>,
    /// Offers that wait for the end of a device's round.
    staged: BTreeMap<(ReplicaId, RecordId), Offer>,
    /// The chain of each commit, on a server.
    chains: BTreeMap<Revision, Digest>,
}

impl Collection {
    pub(super) fn read(&self, set: &ReadSet) -> Slice {
        let mut slice = Slice::empty(set.collection.clone());
        slice.found = self.find(&set.query);
        let ids = set.records.iter().chain(&slice.found);
        slice.rows = ids.filter_map(|id| self.rows.get(id).map(|row| (id.clone(), Row::clone(row)))).collect();
        if set.lines {
            slice.lines = self.lines.clone();
            let held = self.lines.iter().filter(|line| line.is_open()).filter_map(|line| self.rows.get(&line.record));
            slice.rows.extend(held.map(|row| (row.record.clone(), Row::clone(row))));
        }
        if let Some(entry) = set.formers.and_then(|of| self.journal.at(of)) {
            let rows = entry.formers.iter().filter_map(|former| self.rows.get(&former.record));
            slice.rows.extend(rows.map(|row| (row.record.clone(), Row::clone(row))));
            slice.formers = Some(entry.formers.clone());
        }
        if let Some(device) = set.staged {
            let staged = self.staged.iter().filter(|((of, _), _)| *of == device);
            slice.staged = staged.map(|(_, offer)| offer.clone()).collect();
        }
        slice.chains = set.chains.iter().filter_map(|at| Some((*at, *self.chains.get(at)?))).collect();
        if set.bases {
            let former = |row: &Row| self.journal.at(row.changed_at)?.former(&row.record).cloned();
            let rows = slice.found.iter().filter_map(|id| slice.rows.get(id));
            slice.bases = rows.filter_map(|row| Some((row.record.clone(), former(row)?))).collect();
        }
        slice.spans = set.spans.iter().map(|span| self.outline(span)).collect();
        slice.head = self.head.clone();
        slice.ledger = Some(self.ledger.clone());
        slice.next_place = self.places.last().map(|last| FirstSeen(last.0.saturating_add(1))).unwrap_or_default();
        slice
    }

    /// What the rows of a range say, now. Nothing of it is kept: what is lost with a row must not be told any more.
    fn outline(&self, span: &Span) -> Outline {
        let rows = self.rows.within(span).map(|row| (&row.record, told(row)));
        Outline::of(span, self.rows.within(span).count(), rows)
    }

    /// Commits; what each row counts for is noted in `account`, too.
    pub(super) fn commit(&mut self, batch: Batch, mut account: Option<&mut Ranks>) {
        if batch.leaves {
            return self.leave(batch.head, account);
        }
        for row in batch.rows {
            self.put(row, account.as_deref_mut());
        }
        self.note_ledger();
        for (number, status) in batch.closed {
            let line = number.checked_sub(1).and_then(|at| usize::try_from(at).ok());
            if let Some(line) = line.and_then(|at| self.lines.get_mut(at)) {
                line.status = status;
            }
        }
        self.lines.extend(batch.lines);
        if batch.ends_hold {
            self.lines.clear();
        }
        if let Some(until) = batch.forget {
            self.journal.forget_until(until);
        }
        if let Some(entry) = batch.journal {
            self.journal.append(entry);
        }
        if let Some(device) = batch.unstaged {
            self.staged.retain(|(of, _), _| *of != device);
        }
        if let Some((device, offers)) = batch.staged {
            self.staged.extend(offers.into_iter().map(|offer| ((device, offer.record.clone()), offer)));
        }
        if let Some(history) = &batch.head.history {
            self.chains.insert(batch.head.revision, history.chain);
        }
        self.head = batch.head;
    }

    /// Drops all but the head.
    fn leave(&mut self, head: Head, account: Option<&mut Ranks>) {
        if let Some(ranks) = account {
            let placed = self.rows.iter().filter(|row| row.first_seen != FirstSeen::NEVER);
            placed.for_each(|row| ranks.remove(usize::try_from(row.first_seen.0).unwrap_or(usize::MAX), row));
        }
        *self = Self { head, ..Self::default() };
    }

    /// What is kept of it in a file.
    pub(super) fn saved(&self) -> SavedCollection {
        SavedCollection {
            head: self.head.clone(),
            rows: self.rows.iter().cloned().collect(),
            lines: self.lines.clone(),
            journal: self.journal.clone(),
            staged: self.staged.iter().map(|((device, _), offer)| (*device, offer.clone())).collect(),
            chains: self.chains.iter().map(|(at, chain)| (*at, *chain)).collect(),
        }
    }

    /// As it was saved, with its indexes; what each row counts for is noted in `account`, too.
    pub(super) fn restored(saved: SavedCollection, mut account: Option<&mut Ranks>) -> Self {
        let SavedCollection { head, mut rows, lines, journal, staged, chains } = saved;
        rows.sort_by_key(|row| row.first_seen);
        let staged = staged.into_iter().map(|(device, offer)| ((device, offer.record.clone()), offer)).collect();
        let mut restored =
            Self { head, lines, journal, staged, chains: chains.into_iter().collect(), ..Self::default() };
        for row in rows {
            restored.put(row, account.as_deref_mut());
        }
        restored.note_ledger();
        restored
    }

    fn note_ledger(&mut self) {
        let places = &self.places;
        if let Some(ledger) = self.ranks.news(|position| place_at(places, position)) {
            self.ledger = ledger;
        }
    }

    fn put(&mut self, row: Row, account: Option<&mut Ranks>) {
        let (old, row) = self.rows.put(row);
        let id = || row.record.clone();
        self.by_change.insert(change_key(row), id());
        self.pending.extend(row.is_pending.then(id));
        self.failed.extend(row.failed.is_some().then(id));
        self.unshown.extend(row.is_unshown().then(id));
        self.by_death.extend(row.died_at.map(|tick| (tick, id())));
        self.by_loss.extend(row.lost.map(|lost| (lost.at, id())));
        if row.first_seen != FirstSeen::NEVER {
            let at = self.places.binary_search(&row.first_seen).unwrap_or_else(|at| {
                self.places.insert(at, row.first_seen);
                at
            });
            self.ranks.replace(at, old.as_ref(), row);
            if let Some(ranks) = account {
                ranks.replace(usize::try_from(row.first_seen.0).unwrap_or(usize::MAX), old.as_ref(), row);
            }
        }
        let Some(old) = old else { return };
        if change_key(&old) != change_key(row) {
            self.by_change.remove(&change_key(&old));
        }
        if old.is_pending && !row.is_pending {
            self.pending.remove(&row.record);
        }
        if old.failed.is_some() && row.failed.is_none() {
            self.failed.remove(&row.record);
        }
        if old.is_unshown() && !row.is_unshown() {
            self.unshown.remove(&row.record);
        }
        if let Some(tick) = old.died_at.filter(|tick| row.died_at != Some(*tick)) {
            self.by_death.remove(&(tick, id()));
        }
        if let Some(lost) = old.lost.filter(|lost| row.lost.is_none_or(|now| now.at != lost.at)) {
            self.by_loss.remove(&(lost.at, id()));
        }
    }

    fn find(&self, query: &Query) -> Vec<RecordId> {
        match query {
            Query::Nothing => Vec::new(),
            Query::Since { after, limit } => {
                let mut found = Vec::new();
                let mut last = *after;
                for ((changed_at, ..), id) in self.by_change.range((after.next(), FirstSeen(0), None)..) {
                    if found.len() >= *limit && *changed_at != last {
                        break;
                    }
                    last = *changed_at;
                    found.push(id.clone());
                }
                found
            }
            Query::Pending { after, limit } => {
                let start = after.as_ref().map_or(Bound::Unbounded, Bound::Excluded);
                self.pending.range((start, Bound::Unbounded)).take(*limit).cloned().collect()
            }
            Query::Failed { limit } => self.failed.iter().take(*limit).cloned().collect(),
            Query::Unshown { limit } => self.unshown.iter().take(*limit).cloned().collect(),
            Query::Range { after, limit } => self.rows.ids_after(after.as_ref()).take(*limit).cloned().collect(),
            Query::Dead { until, limit } => {
                let dead = self.by_death.iter().take_while(|(tick, _)| tick <= until);
                dead.take(*limit).map(|(_, id)| id.clone()).collect()
            }
            Query::Feed { after, limit } => {
                let start = match &after.within {
                    None => Bound::Included((after.revision.next(), FirstSeen(0), None)),
                    Some(within) => Bound::Excluded((within.revision, within.place, within.record.clone())),
                };
                self.by_change.range((start, Bound::Unbounded)).take(*limit).map(|(_, id)| id.clone()).collect()
            }
            Query::Window { after, until, limit } => {
                let ids = self.rows.ids_after(after.as_ref());
                let within = ids.take_while(|id| until.as_ref().is_none_or(|until| *id <= until));
                within.take(*limit).cloned().collect()
            }
            Query::Lost { until } => {
                self.by_loss.iter().take_while(|(at, _)| at <= until).map(|(_, id)| id.clone()).collect()
            }
        }
    }
}

/// A commit, and in it one place for each record; records that were never alive here share a place.
type ChangeKey = (Revision, FirstSeen, Option<RecordId>);

fn change_key(row: &Row) -> ChangeKey {
    (row.changed_at, row.first_seen, (row.first_seen == FirstSeen::NEVER).then(|| row.record.clone()))
}

fn place_at(places: &[FirstSeen], position: u64) -> FirstSeen {
    let at = usize::try_from(position).unwrap_or(usize::MAX);
    places.get(at).or(places.last()).copied().unwrap_or_default()
}
