//! What a driver does to a replica, and what it compares.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Cause, Fields, Key, Model, Quarantine, Standing, Text, Version};

/// One step of a replica. What makes no sense does nothing. Of several collections the lower comes first.
#[derive(Debug, Clone)]
pub(crate) enum Op {
    Create(Key, Vec<(Text, Text)>, Cause),
    /// Remembers what is shown now, for a later stale edit.
    Read(Key),
    /// `None` clears. Only what differs from what was read counts. Stale: under what was last read, if anything was.
    Edit(Key, Vec<(Text, Option<Text>)>, Cause, bool),
    Delete(Key, Cause),
    DeleteMany(u8, BTreeSet<u16>),
    Restore(Key),
    /// Into another collection.
    Move(Key, Key),
    Push,
    Pull,
    /// Consent or keep, up to and with the n-th open line of the collection, from 0.
    Answer(u8, usize, bool),
    /// The n-th last receipt of the collection, from 0.
    Undo(u8, usize),
    Day,
    LoseLedger(u8),
}

/// The surviving values; `None` while dead.
pub(crate) type Look = Option<Fields>;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Observed {
    /// What is visible, what an open line hides (a proposal removes), and whether that is held back here.
    pub(crate) records: BTreeMap<Key, (Look, Option<(bool, Look)>)>,
    /// Base n and spent.
    pub(crate) ledgers: BTreeMap<u8, (usize, usize)>,
    /// Records of the open lines, by collection, in order.
    pub(crate) open: BTreeMap<u8, Vec<u16>>,
}

/// The model, and what was read on each of its replicas.
#[derive(Clone)]
pub(crate) struct Modelled {
    pub(crate) model: Model,
    reads: BTreeMap<(usize, Key), Version>,
}

impl Modelled {
    pub(crate) fn new(replicas: usize, trust: bool) -> Self {
        Self { model: Model { trust, ..Model::new(replicas) }, reads: BTreeMap::new() }
    }

    pub(crate) fn apply(&mut self, r: usize, op: &Op) {
        let (model, one) = (&mut self.model, |value: &Text| BTreeSet::from([*value]));
        model.now += 1;
        match op {
            Op::Create(key, fields, cause) => {
                model.create(r, *key, fields.iter().map(|(name, value)| (*name, one(value))).collect(), *cause, None);
            }
            Op::Read(key) => {
                let version = Some(model.row(r, *key).version).filter(Version::is_alive);
                self.reads.extend(version.map(|version| ((r, *key), version)));
            }
            Op::Edit(key, fields, cause, stale) => {
                let fresh = Some(model.row(r, *key).version).filter(Version::is_alive);
                let Some(seen) = self.reads.get(&(r, *key)).filter(|_| *stale).cloned().or(fresh) else { return };
                let shown = seen.shown();
                let new = fields.iter().filter(|(name, value)| shown.get(name) != value.as_ref());
                let new = new.map(|(name, value)| (*name, value.iter().copied().collect())).collect();
                model.edit(r, *key, &seen, new, *cause);
            }
            Op::Delete(key, cause) => model.flip(r, *key, false, *cause, None),
            Op::DeleteMany(collection, records) => model.delete_many(r, *collection, records),
            Op::Restore(key) => model.flip(r, *key, true, Cause::User, None),
            Op::Move(from, to) => {
                let (row, there, id) = (model.row(r, *from), model.row(r, *to), model.now);
                if row.version.is_alive() && !there.version.is_alive() {
                    let shown = row.version.shown().into_iter().map(|(name, value)| (name, one(&value))).collect();
                    model.create(r, *to, shown, Cause::User, Some(id));
                    model.flip(r, *from, false, Cause::User, Some((id, *to)));
                }
            }
            Op::Push => model.push(r),
            Op::Pull => model.pull(r),
            Op::Answer(collection, nth, keep) => model.answer(r, *collection, *nth, *keep),
            Op::Undo(collection, nth) => model.undo(r, *collection, *nth),
            Op::Day => model.day(r),
            Op::LoseLedger(collection) => drop(model.replicas[r].forgot.insert(*collection)),
        }
    }

    pub(crate) fn observe(&self, r: usize) -> Observed {
        let mut seen = Observed::default();
        let look = |version: &Version| version.is_alive().then(|| version.values());
        for (key, row) in &self.model.replicas[r].rows {
            let waits = row.quarantine.as_ref().map(|waits| match waits {
                Quarantine::Held(hidden, _) => (true, look(hidden)),
                Quarantine::Proposal => (true, None),
                Quarantine::Beside(_, hidden, _) => (false, look(hidden)),
            });
            seen.records.insert(*key, (look(&row.version), waits));
            let (base, spent) = seen.ledgers.entry(key.0).or_default();
            *base += usize::from(row.standing != Standing::Gone);
            *spent += usize::from(row.is_spent());
        }
        for collection in 0..2 {
            let open: Vec<u16> = self.model.open(r, collection).into_iter().map(|(_, key)| key.1).collect();
            seen.open.extend((!open.is_empty()).then_some((collection, open)));
        }
        seen
    }
}
