//! What must hold, computed from what phones and servers show and from what people really did. No report is trusted here.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use super::{
    house::Named,
    records::{Contents, Edit, Item, Key, Kind},
};

/// What people really did.
#[derive(Debug, Clone, Default)]
pub(crate) struct Truth {
    /// What there should be, everywhere.
    pub(crate) records: Contents,
    /// What people deleted.
    pub(crate) deleted: BTreeSet<Key>,
}

impl Truth {
    pub(crate) fn create(&mut self, key: &Key, item: &Item) {
        self.records.insert(key.clone(), item.clone());
    }

    pub(crate) fn edit(&mut self, key: &Key, edit: &Edit) {
        if let Some(item) = self.records.get_mut(key) {
            item.apply(edit);
        }
    }

    pub(crate) fn delete(&mut self, key: &Key) {
        self.records.remove(key);
        self.deleted.insert(key.clone());
    }
}

/// What the drill promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Promise {
    NothingRemoved,
    LossNamed,
    ServerRebuilt,
    EditsMerged,
    DeletesStay,
}

impl Promise {
    pub(crate) const ALL: [Self; 5] =
        [Self::NothingRemoved, Self::LossNamed, Self::ServerRebuilt, Self::EditsMerged, Self::DeletesStay];

    /// For programs.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::NothingRemoved => "nothing_removed",
            Self::LossNamed => "loss_named",
            Self::ServerRebuilt => "server_rebuilt",
            Self::EditsMerged => "edits_merged",
            Self::DeletesStay => "deletes_stay",
        }
    }
}

impl fmt::Display for Promise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NothingRemoved => "nothing is removed from any phone",
            Self::LossNamed => "the loss is named, with its evidence",
            Self::ServerRebuilt => "the server is rebuilt, and fills every phone",
            Self::EditsMerged => "edits are merged, and none is overwritten",
            Self::DeletesStay => "what people deleted does not come back",
        })
    }
}

/// One promise, broken once.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Wrong {
    pub(crate) promise: Promise,
    /// On which phone, or on the server.
    pub(crate) holder: String,
    /// The record, by kind and title, or the collection whose loss was not named.
    pub(crate) what: String,
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: broken by {} on {}", self.promise, self.what, self.holder)
    }
}

/// Collects what went wrong at one holder.
struct Finder<'f> {
    holder: &'f str,
    found: Vec<Wrong>,
}

impl Finder<'_> {
    fn add(&mut self, promise: Promise, key: &Key, item: &Item) {
        let what = format!("'{}' ({}, {})", item.title(), key.kind, key.id);
        self.found.push(Wrong { promise, holder: self.holder.to_owned(), what });
    }
}

/// What a sync did to a phone that nobody asked for: it took a record away, put another content in the place of a right
/// one, or brought back what somebody has deleted.
pub(crate) fn harm_of_a_sync(holder: &str, truth: &Truth, before: &Contents, after: &Contents) -> Vec<Wrong> {
    let mut finder = Finder { holder, found: Vec::new() };
    for (key, shown) in before {
        let Some(right) = truth.records.get(key) else { continue };
        match after.get(key) {
            None => finder.add(Promise::NothingRemoved, key, shown),
            Some(now) if shown == right && now != right => finder.add(Promise::EditsMerged, key, now),
            Some(_) => {}
        }
    }
    for (key, item) in after.iter().filter(|(key, _)| truth.deleted.contains(*key) && !before.contains_key(*key)) {
        finder.add(Promise::DeletesStay, key, item);
    }
    finder.found
}

/// What is wrong with a holder once everybody has synced.
pub(crate) fn differences(holder: &str, truth: &Truth, shown: &Contents) -> Vec<Wrong> {
    let mut finder = Finder { holder, found: Vec::new() };
    for (key, right) in &truth.records {
        match shown.get(key) {
            None => finder.add(Promise::ServerRebuilt, key, right),
            Some(now) if now != right => finder.add(Promise::EditsMerged, key, now),
            Some(_) => {}
        }
    }
    for (key, item) in shown.iter().filter(|(key, _)| !truth.records.contains_key(key)) {
        finder.add(Promise::DeletesStay, key, item);
    }
    finder.found
}

/// The collections whose loss a phone should have heard of, and has not: those in which the server's contents changed in
/// the fault, `before` to `after`.
pub(crate) fn unnamed(
    holder: &str,
    (before, after): (&Contents, &Contents),
    named: &BTreeMap<Kind, Named>,
) -> Vec<Wrong> {
    let lost = Kind::ALL.into_iter().filter(|kind| of(*kind, before).ne(of(*kind, after)));
    let unheard = lost.filter(|kind| named.get(kind).is_none_or(|named| named.evidence.is_empty()));
    let wrong = |kind: Kind| Wrong { promise: Promise::LossNamed, holder: holder.into(), what: kind.to_string() };
    unheard.map(wrong).collect()
}

fn of(kind: Kind, contents: &Contents) -> impl Iterator<Item = (&Key, &Item)> {
    contents.iter().filter(move |(key, _)| key.kind == kind)
}

/// How many records of each kind.
pub(crate) fn counts<'k>(keys: impl Iterator<Item = &'k Key>) -> [usize; 4] {
    let mut counts = BTreeMap::from(Kind::ALL.map(|kind| (kind, 0)));
    keys.for_each(|key| *counts.entry(key.kind).or_default() += 1);
    Kind::ALL.map(|kind| counts.get(&kind).copied().unwrap_or_default())
}

/// How often each promise broke, in their order.
pub(crate) fn tally(wrongs: &[Wrong]) -> [usize; 5] {
    Promise::ALL.map(|promise| wrongs.iter().filter(|wrong| wrong.promise == promise).count())
}

/// How many records of each kind are there as they should be.
pub(crate) fn right(truth: &Truth, shown: &Contents) -> [usize; 4] {
    counts(shown.iter().filter(|(key, item)| truth.records.get(key) == Some(item)).map(|(key, _)| key))
}
