//! What a driver does to a replica, and what it compares.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{ALIVE, Cause, DELETED, Edits, Key, LIFE, Model, Text, Version, is_alive, shown, surviving};

/// One step of a replica. What makes no sense does nothing. Of several collections the lower comes first. Moves and lost
/// ledgers are not among them: `tests/scenarios/move-*` and `ledger-*` are about those.
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
    Push,
    Pull,
    /// Consent or keep, up to and with the n-th open line of the collection, from 0.
    Answer(u8, usize, bool),
    /// The n-th last receipt of the collection, from 0.
    Undo(u8, usize),
    Day,
}

/// The surviving values by field; `None` while dead.
pub(crate) type Look = Option<BTreeMap<Text, BTreeSet<Text>>>;

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
    pub(crate) fn new(trust: bool) -> Self {
        let mut model = Model::default();
        model.trust = trust;
        Self { model, reads: BTreeMap::new() }
    }

    pub(crate) fn apply(&mut self, r: usize, op: &Op) {
        let model = &mut self.model;
        model.now += 1;
        match op {
            Op::Create(key, fields, cause) => {
                model.create((r, *key), fields.iter().map(|(name, value)| (*name, Some(*value))).collect(), *cause);
            }
            Op::Read(key) => {
                let version = Some(model.row((r, *key)).version).filter(is_alive);
                self.reads.extend(version.map(|version| ((r, *key), version)));
            }
            Op::Edit(key, fields, cause, stale) => {
                let fresh = Some(model.row((r, *key)).version).filter(is_alive);
                let Some(seen) = self.reads.get(&(r, *key)).filter(|_| *stale).cloned().or(fresh) else { return };
                let shown = shown(&seen);
                let new = fields.iter().filter(|(name, value)| shown.get(name) != value.as_ref());
                let new = new.copied().collect();
                model.edit((r, *key), &seen, new, *cause);
            }
            Op::Delete(key, cause) => model.flip((r, *key), &Edits::from([(LIFE, DELETED)]), *cause, false),
            Op::DeleteMany(collection, records) => model.delete_many(r, *collection, records),
            Op::Restore(key) if !model.rows.contains_key(&(r, *key)) => {}
            Op::Restore(key) => model.flip((r, *key), &Edits::from([(LIFE, ALIVE)]), Cause::User, false),
            Op::Push => model.receive(0, r),
            Op::Pull => model.receive(r, 0),
            Op::Answer(collection, nth, keep) => model.answer(r, *collection, *nth, *keep),
            Op::Undo(collection, nth) => model.undo(r, *collection, *nth),
            Op::Day => model.day(r),
        }
    }

    pub(crate) fn observe(&self, r: usize) -> Observed {
        let mut seen = Observed::default();
        let look = |version: &Version| {
            let mut values = BTreeMap::<Text, BTreeSet<Text>>::new();
            surviving(version, false).iter().for_each(|word| values.entry(word.name).or_default().extend(word.value));
            is_alive(version).then_some(values)
        };
        for (key, row) in (0..2).flat_map(|collection| self.model.all(r, collection)) {
            let beside = row.beside.as_ref().map(|(_, hidden, _)| hidden.clone());
            let hidden = beside.or_else(|| (!row.held.is_empty()).then(|| row.known()));
            seen.records.insert(key, (look(&row.version), hidden.map(|hidden| (row.is_held(r), look(&hidden)))));
            let (base, spent) = seen.ledgers.entry(key.0).or_default();
            *base += usize::from(row.is_in_base());
            *spent += usize::from(row.lost.is_some() || row.is_held(r));
        }
        for collection in 0..2 {
            let open: Vec<u16> = self.model.open(r, collection).into_iter().map(|(_, key)| key.1).collect();
            seen.open.extend((!open.is_empty()).then_some((collection, open)));
        }
        seen
    }
}
