//! Watches a device from outside: what is visible before and after, and whether that keeps the floors.

use std::collections::{BTreeMap, BTreeSet};

use holdfast::values::{
    id::{CollectionId, RecordId},
    value::Value,
};
use proptest::prelude::*;

use crate::world::*;

/// A record, by its collection.
type Key = (CollectionId, RecordId);
/// A collection, or the whole account.
type Scope = Option<CollectionId>;

/// What one replica shows of one record: by family, the non-empty values that survive.
type Contents = BTreeMap<String, BTreeSet<Value>>;

/// Watches a device from outside. It knows which records it has seen and in what order, and what sync took from them.
#[derive(Default)]
pub(crate) struct Oracle {
    order: Vec<Key>,
    shown: BTreeMap<Key, Contents>,
    lost: BTreeSet<Key>,
    round: Option<(u128, RoundCount)>,
    pub(crate) losses: usize,
}

/// The bases when a round began, and what it has taken since.
#[derive(Clone, Default)]
struct RoundCount {
    bases: BTreeMap<Scope, usize>,
    taken: BTreeSet<Key>,
}

fn half(n: usize) -> usize {
    n.div_ceil(2)
}

fn round_limit(n: usize) -> usize {
    1.max(10.min(half(n))).max(n / 10)
}

impl Oracle {
    fn look(device: &Phone, collections: &[CollectionId]) -> BTreeMap<Key, Contents> {
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
    fn base(&self, collection: Option<&CollectionId>) -> Vec<&Key> {
        let here = |key: &&Key| collection.is_none_or(|collection| key.0 == *collection);
        let counts = |key: &&Key| self.shown.contains_key(*key) || self.lost.contains(*key);
        self.order.iter().filter(here).filter(counts).collect()
    }

    fn note_order(&mut self, now: &BTreeMap<Key, Contents>) {
        let known: BTreeSet<_> = self.order.iter().cloned().collect();
        self.order.extend(now.keys().filter(|key| !known.contains(*key)).cloned());
    }

    /// The device's own person did something: what they touched is theirs.
    pub(crate) fn own(&mut self, device: &Phone, collections: &[CollectionId], touched: &Key) {
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
        let scopes: Vec<Scope> = [None].into_iter().chain(collections.iter().cloned().map(Some)).collect();
        let of = |scope: &Scope| self.base(scope.as_ref()).into_iter().cloned().collect();
        let before: Vec<(Scope, Vec<Key>)> = scopes.into_iter().map(|scope| (scope.clone(), of(&scope))).collect();
        let mut count = match self.round.take() {
            Some((last, count)) if last == round => count,
            _ => {
                let bases = before.iter().map(|(scope, base)| (scope.clone(), base.len())).collect();
                RoundCount { bases, taken: BTreeSet::new() }
            }
        };
        let now = Self::look(device, collections);
        // What is shown elsewhere, in a record that was not here before, has moved.
        let new: Vec<&Contents> = now.iter().filter(|(key, _)| key.1.as_str().len() > 3).map(|(_, new)| new).collect();
        let has_moved = |key, before| !now.contains_key(key) && new.iter().any(|new| !Self::is_loss(before, Some(new)));
        let gone = self.shown.iter().filter(|(key, before)| Self::is_loss(before, now.get(*key)));
        let gone: BTreeSet<Key> =
            gone.filter(|(key, before)| !has_moved(*key, before)).map(|(key, _)| key.clone()).collect();
        self.losses += gone.len();
        self.note_order(&now);
        self.shown = now;
        self.lost.extend(gone.iter().cloned());
        count.taken.extend(gone.iter().cloned());
        for (scope, base) in &before {
            self.check(scope, base, count.bases[scope], &count.taken, &gone)?;
        }
        self.round = Some((round, count));
        Ok(())
    }

    /// `base` is the scope as it was before the message, `had` its size before the round.
    fn check(
        &self,
        scope: &Scope,
        base: &[Key],
        had: usize,
        taken: &BTreeSet<Key>,
        gone: &BTreeSet<Key>,
    ) -> Result<(), TestCaseError> {
        let count = |part: &[Key], of: &BTreeSet<Key>| part.iter().filter(|key| of.contains(*key)).count();
        if count(base, gone) == 0 {
            return Ok(());
        }
        let sizes = std::iter::successors(Some(8), |size| Some(size * 2)).take_while(|size| *size < base.len());
        for (part, of) in sizes.map(|size| (&base[..size], size)).chain([(base, had)]) {
            if count(part, gone) == 0 {
                continue;
            }
            let now = count(part, taken);
            prop_assert!(now <= round_limit(of), "a round takes {now} of the first {of} of {scope:?}");
            let lost = count(part, &self.lost);
            prop_assert!(of < 8 || lost <= half(of), "{lost} of the first {of} of {scope:?} are lost and unanswered");
        }
        let zero_from = if scope.is_none() { 3 } else { 8 };
        let visible = base.iter().filter(|key| self.shown.contains_key(*key)).count();
        let others = self.base(scope.as_ref()).len() > base.len();
        prop_assert!(had < zero_from || visible > 0 || others, "sync leaves nothing of {had} in {scope:?}");
        Ok(())
    }
}
