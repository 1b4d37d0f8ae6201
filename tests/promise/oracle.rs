//! Watches a device from outside: what is visible before and after, and whether that keeps the floors.

use std::collections::{BTreeMap, BTreeSet};

use holdfast::values::{
    id::{CollectionId, RecordId},
    value::Value,
};
use proptest::prelude::*;

use crate::world::*;

/// What one replica shows of one record: by family, the non-empty values that survive.
type Contents = BTreeMap<String, BTreeSet<Value>>;

/// Watches a device from outside. It knows which records it has seen and in what order, and what sync took from them.
#[derive(Default)]
pub(crate) struct Oracle {
    order: Vec<(CollectionId, RecordId)>,
    shown: BTreeMap<(CollectionId, RecordId), Contents>,
    lost: BTreeSet<(CollectionId, RecordId)>,
    round: Option<(u128, RoundCount)>,
    pub(crate) losses: usize,
}

/// The bases when a round began, and what it has taken since.
#[derive(Clone, Default)]
struct RoundCount {
    bases: BTreeMap<Option<CollectionId>, usize>,
    taken: BTreeSet<(CollectionId, RecordId)>,
}

fn half(n: usize) -> usize {
    n.div_ceil(2)
}

fn round_limit(n: usize) -> usize {
    1.max(10.min(half(n))).max(n / 10)
}

impl Oracle {
    fn look(device: &Phone, collections: &[CollectionId]) -> BTreeMap<(CollectionId, RecordId), Contents> {
        let mut shown = BTreeMap::new();
        for collection in collections {
            for (record, row) in rows_of(device.store(), collection) {
                if !row.version.is_alive() {
                    continue;
                }
                let mut contents = Contents::new();
                for (name, register) in row.version.record().fields() {
                    let values = register.siblings().iter().map(|s| s.value.clone()).filter(|v| !v.is_empty());
                    let values: BTreeSet<Value> = values.collect();
                    if !values.is_empty() {
                        contents.entry(name.family().to_owned()).or_default().extend(values);
                    }
                }
                shown.insert((collection.clone(), record), contents);
            }
        }
        shown
    }

    /// Whether a person would say that the record is gone.
    fn is_loss(before: &Contents, after: Option<&Contents>) -> bool {
        let Some(after) = after else { return true };
        let emptied = before.keys().filter(|family| !after.contains_key(*family)).count();
        let kept = before.iter().any(|(family, old)| after.get(family).is_some_and(|new| !old.is_disjoint(new)));
        let had = before.len();
        had > 0 && (emptied == had || 2 * emptied > had || (had >= 3 && !kept))
    }

    /// Records of a scope, in the order in which they were first seen: visible, or lost and unanswered.
    fn base(&self, collection: Option<&CollectionId>) -> Vec<&(CollectionId, RecordId)> {
        let here = |key: &&(CollectionId, RecordId)| collection.is_none_or(|collection| key.0 == *collection);
        let counts = |key: &&(CollectionId, RecordId)| self.shown.contains_key(*key) || self.lost.contains(*key);
        self.order.iter().filter(here).filter(counts).collect()
    }

    fn note_order(&mut self, now: &BTreeMap<(CollectionId, RecordId), Contents>) {
        let known: BTreeSet<_> = self.order.iter().cloned().collect();
        self.order.extend(now.keys().filter(|key| !known.contains(*key)).cloned());
    }

    /// The device's own person did something: what they touched is theirs.
    pub(crate) fn own(&mut self, device: &Phone, collections: &[CollectionId], touched: &(CollectionId, RecordId)) {
        self.lost.remove(touched);
        let now = Self::look(device, collections);
        self.note_order(&now);
        self.shown = now;
        self.round = None;
    }

    /// A message was taken in.
    pub(crate) fn sync(
        &mut self,
        device: &Phone,
        collections: &[CollectionId],
        round: u128,
    ) -> Result<(), TestCaseError> {
        let scopes: Vec<Option<CollectionId>> =
            [None].into_iter().chain(collections.iter().cloned().map(Some)).collect();
        let bases = scopes.iter().map(|scope| (scope.clone(), self.base(scope.as_ref()).len())).collect();
        let mut count = match self.round.take() {
            Some((last, count)) if last == round => count,
            _ => RoundCount { bases, taken: BTreeSet::new() },
        };
        let now = Self::look(device, collections);
        // What is shown elsewhere, in a record that was not here before, has moved.
        let new: Vec<&Contents> = now.iter().filter(|(key, _)| key.1.as_str().len() > 3).map(|(_, new)| new).collect();
        let has_moved = |key, before| !now.contains_key(key) && new.iter().any(|new| !Self::is_loss(before, Some(new)));
        let gone =
            self.shown.iter().filter(|(key, before)| Self::is_loss(before, now.get(*key)) && !has_moved(*key, before));
        let gone: BTreeSet<_> = gone.map(|(key, _)| key.clone()).collect();
        self.losses += gone.len();
        self.note_order(&now);
        self.shown = now;
        self.lost.extend(gone.iter().cloned());
        count.taken.extend(gone.iter().cloned());
        for scope in &scopes {
            self.check(scope.as_ref(), &count, &gone)?;
        }
        self.round = Some((round, count));
        Ok(())
    }

    fn check(
        &self,
        scope: Option<&CollectionId>,
        count: &RoundCount,
        gone: &BTreeSet<(CollectionId, RecordId)>,
    ) -> Result<(), TestCaseError> {
        let base = self.base(scope);
        let had = count.bases[&scope.cloned()];
        let is_here = |key: &&&(CollectionId, RecordId)| gone.contains(**key);
        if base.iter().filter(is_here).count() == 0 {
            return Ok(());
        }
        let taken = base.iter().filter(|key| count.taken.contains(**key)).count();
        prop_assert!(taken <= round_limit(had), "a round takes {taken} of {had} in {scope:?}");
        let sizes = std::iter::successors(Some(8), |size| Some(size * 2)).take_while(|size| *size < base.len());
        for size in sizes.chain([base.len()]).filter(|size| *size >= 8) {
            let part = &base[..size];
            if part.iter().filter(is_here).count() > 0 {
                let lost = part.iter().filter(|key| self.lost.contains(**key)).count();
                prop_assert!(lost <= half(size), "{lost} of the first {size} of {scope:?} are lost and unanswered");
                let taken = part.iter().filter(|key| count.taken.contains(**key)).count();
                prop_assert!(taken <= round_limit(size), "a round takes {taken} of the first {size} of {scope:?}");
            }
        }
        let zero_from = if scope.is_none() { 3 } else { 8 };
        let visible = base.iter().filter(|key| self.shown.contains_key(**key)).count();
        prop_assert!(had < zero_from || visible > 0, "sync leaves nothing of {had} in {scope:?}");
        Ok(())
    }
}
