//! One collection of a store in memory.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};
use core::ops::Bound;

use super::ranks::Ranks;
use crate::act::{journal::Journal, plan::Batch};
use crate::decide::{
    ledger::FirstSeen,
    line::{Line, Revision},
    row::Row,
    slice::{Head, Query, ReadSet, Slice},
};
use crate::values::{id::RecordId, time::DayTick};

#[derive(Debug, Clone, Default)]
pub(super) struct Collection {
    pub(super) head: Head,
    pub(super) rows: BTreeMap<RecordId, Row>,
    pub(super) journal: Journal,
    lines: Vec<Line>,
    /// First-seen places of this collection, ascending; the position in it is what `ranks` counts by.
    places: Vec<FirstSeen>,
    ranks: Ranks,
    by_change: BTreeMap<Revision, BTreeSet<RecordId>>,
    by_death: BTreeSet<(DayTick, RecordId)>,
    by_loss: BTreeSet<(Revision, RecordId)>,
    pending: BTreeSet<RecordId>,
}

impl Collection {
    pub(super) fn read(&self, set: &ReadSet) -> Slice {
        let mut slice = Slice::empty(set.collection.clone());
        slice.found = self.find(&set.query);
        let ids = set.records.iter().chain(&slice.found);
        slice.rows = ids.filter_map(|id| self.rows.get(id).map(|row| (id.clone(), row.clone()))).collect();
        if set.lines {
            slice.lines = self.lines.clone();
            let held = self.lines.iter().filter(|line| line.is_open()).filter_map(|line| self.rows.get(&line.record));
            slice.rows.extend(held.map(|row| (row.record.clone(), row.clone())));
        }
        if let Some(entry) = set.formers.and_then(|of| self.journal.at(of)) {
            let rows = entry.formers.iter().filter_map(|former| self.rows.get(&former.record));
            slice.rows.extend(rows.map(|row| (row.record.clone(), row.clone())));
            slice.formers = Some(entry.formers.clone());
        }
        slice.head = self.head.clone();
        slice.ledger = Some(self.ranks.ledger(|at| self.place_at(at)));
        slice.next_place = self.places.last().map(|last| FirstSeen(last.0.saturating_add(1))).unwrap_or_default();
        slice
    }

    pub(super) fn commit(&mut self, batch: Batch) {
        for row in batch.rows {
            self.put(row);
        }
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
        self.head = batch.head;
    }

    fn put(&mut self, row: Row) {
        let old = self.rows.get(&row.record);
        let at = match self.places.binary_search(&row.first_seen) {
            Ok(at) => at,
            Err(at) => {
                self.places.insert(at, row.first_seen);
                at
            }
        };
        self.ranks.replace(at, old, &row);
        if let Some(old) = self.rows.remove(&row.record) {
            if let Some(changed) = self.by_change.get_mut(&old.changed_at) {
                changed.remove(&old.record);
                if changed.is_empty() {
                    self.by_change.remove(&old.changed_at);
                }
            }
            self.pending.remove(&old.record);
            if let Some(tick) = old.died_at {
                self.by_death.remove(&(tick, old.record.clone()));
            }
            if let Some(lost) = old.lost {
                self.by_loss.remove(&(lost.at, old.record));
            }
        }
        let id = || row.record.clone();
        self.by_change.entry(row.changed_at).or_default().insert(id());
        self.pending.extend(row.is_pending.then(id));
        self.by_death.extend(row.died_at.map(|tick| (tick, id())));
        self.by_loss.extend(row.lost.map(|lost| (lost.at, id())));
        self.rows.insert(id(), row);
    }

    fn find(&self, query: &Query) -> Vec<RecordId> {
        match query {
            Query::Nothing => Vec::new(),
            Query::Since { after, limit } => {
                let mut found = Vec::new();
                for (_, ids) in self.by_change.range((Bound::Excluded(*after), Bound::Unbounded)) {
                    found.extend(ids.iter().cloned());
                    if found.len() >= *limit {
                        break;
                    }
                }
                found
            }
            Query::Pending { limit } => self.pending.iter().take(*limit).cloned().collect(),
            Query::Range { after, limit } => {
                let start = after.as_ref().map_or(Bound::Unbounded, Bound::Excluded);
                self.rows
                    .range::<RecordId, _>((start, Bound::Unbounded))
                    .take(*limit)
                    .map(|(id, _)| id.clone())
                    .collect()
            }
            Query::Dead { until, limit } => {
                let dead = self.by_death.iter().take_while(|(tick, _)| tick <= until);
                dead.take(*limit).map(|(_, id)| id.clone()).collect()
            }
            Query::Lost { until } => {
                self.by_loss.iter().take_while(|(at, _)| at <= until).map(|(_, id)| id.clone()).collect()
            }
        }
    }

    fn place_at(&self, position: u64) -> FirstSeen {
        let at = usize::try_from(position).unwrap_or(usize::MAX);
        self.places.get(at).or(self.places.last()).copied().unwrap_or_default()
    }
}
