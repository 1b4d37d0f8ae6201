//! What counts as a loss, and the limits.

use std::collections::{BTreeMap, BTreeSet};

use super::{Cause, Drafted, Event, Key, Model, Quarantine, Row, Standing, Text, Version};

/// What a change of one record takes away.
#[derive(Debug, Clone, Default)]
pub(super) struct Harm {
    pub(super) loss: bool,
    pub(super) unauthored: bool,
    emptied: BTreeSet<Text>,
    overwritten: bool,
    families: usize,
}

fn half(n: usize) -> usize {
    n.div_ceil(2)
}

fn limit(n: usize, least: usize, percent: usize) -> usize {
    least.min(half(n)).max(n * percent / 100).max(1)
}

impl Model {
    /// What `r` would lose by storing `new` over `old`.
    pub(super) fn harm(&self, r: usize, collection: u8, old: &Version, new: &Version) -> Harm {
        let lives = new.lives();
        if !old.is_alive() {
            return Harm::default();
        }
        if !new.is_alive() {
            let deletes: Vec<_> = lives.iter().filter(|(_, e)| e.life.as_ref().is_some_and(|life| !life.0)).collect();
            let fresh: Vec<_> = deletes.iter().filter(|(dot, _)| !old.life.contains_key(dot)).collect();
            let unauthored = !fresh.is_empty() && fresh.iter().all(|(_, e)| e.cause == Cause::Listing);
            return Harm { loss: !deletes.iter().all(|(_, e)| self.arrived(r, e)), unauthored, ..Harm::default() };
        }
        let (was, is) = (old.siblings(), new.siblings());
        let covers = was.iter().any(|(name, all)| is.get(name).is_none_or(|now| !all.is_subset(now)));
        let (had, has) = (old.families(), new.families());
        let keeps = |f: &Text, v: &Text| has.get(f).is_some_and(|known| known.contains(v));
        let known = || had.iter().flat_map(|(f, known)| known.iter().map(move |v| keeps(f, v)));
        let emptied: BTreeSet<Text> = had.keys().copied().filter(|f| !has.contains_key(f)).collect();
        let lives = lives.into_iter().filter(|(dot, _)| !old.life.contains_key(dot)).map(|(_, e)| e.cause);
        let dots = is.values().flatten().map(|(dot, _)| dot).filter(|dot| !old.fields.contains_key(dot));
        let by_person = lives.chain(dots.map(|dot| new.fields[dot].cause)).any(|cause| cause == Cause::User);
        let (shown, mut superseded) = (new.shown(), old.superseded.union(&new.superseded));
        let returned = covers && !by_person && shown != old.shown() && superseded.any(|(_, content)| *content == shown);
        let loss = (!had.is_empty() && has.is_empty())
            || self.identifying.get(&collection).is_some_and(|family| emptied.contains(family))
            || emptied.len() * 2 > had.len()
            || (had.len() >= 3 && !known().any(|kept| kept));
        let overwritten = !known().all(|kept| kept);
        Harm { loss: loss || returned, unauthored: returned, overwritten, families: had.len(), emptied }
    }

    /// Whether the record that this delete moved away is seen to be there.
    fn arrived(&self, r: usize, delete: &Event) -> bool {
        let Some((id, Some(to))) = delete.moved else { return false };
        let there = self.row(r, to).version;
        there.is_alive() && there.lives().values().any(|e| e.moved == Some((id, None)))
    }

    /// Whether `new` takes nothing from `old` that a hold of this kind would keep.
    pub(super) fn harmless(&self, r: usize, collection: u8, old: &Version, new: &Version, mass: bool) -> bool {
        let harm = self.harm(r, collection, old, new);
        !(harm.loss || (mass && (harm.overwritten || !harm.emptied.is_empty())))
    }

    /// First-seen places of the base of a collection, or of the account.
    pub(super) fn base(&self, r: usize, collection: Option<u8>) -> Vec<usize> {
        let rows =
            self.replicas[r].rows.iter().filter(|(key, _)| collection.is_none_or(|collection| collection == key.0));
        let places = rows.filter(|(_, row)| row.standing != Standing::Gone).map(|(_, row)| row.place);
        places.collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// The records that a limit holds, and whether a mass change did. `passed` is what this round took before, from
    /// an account that had `had` records.
    pub(super) fn review(&self, r: usize, drafts: &[Drafted], passed: &[Drafted], had: usize) -> BTreeMap<Key, bool> {
        let mut held = BTreeMap::new();
        let (Some(first), replica) = (drafts.first(), &self.replicas[r]) else { return held };
        for collection in [Some(first.key.0), None].into_iter().filter(|scope| r != 0 || scope.is_some()) {
            let base = self.base(r, collection);
            let n = if collection.is_some() { base.len() } else { had };
            let prefixes = (3..).map(|power| 1 << power).take_while(|size| *size < base.len());
            for (n, end) in prefixes.map(|size| (size, Some(base[size - 1]))).chain([(n, None)]) {
                let inside = |key: &Key| {
                    let place = replica.rows.get(key).map(|row| row.place);
                    collection.is_none_or(|c| c == key.0)
                        && end.is_none_or(|end| place.is_some_and(|place| place <= end))
                };
                let mine: Vec<&Drafted> = drafts.iter().filter(|d| inside(&d.key)).collect();
                let round: Vec<&Drafted> = passed.iter().chain(drafts).filter(|d| inside(&d.key)).collect();
                let count = |test: &dyn Fn(&Harm) -> bool| round.iter().filter(|d| test(&d.harm)).count();
                let mut hold = |broken: bool, mass: bool, test: &dyn Fn(&Harm) -> bool| {
                    for drafted in mine.iter().filter(|d| broken && test(&d.harm)) {
                        *held.entry(drafted.key).or_insert(false) |= mass;
                    }
                };
                // Spent rows and the losses of this draft, each record once.
                let after = |spent: &dyn Fn(Key, &Row) -> bool, test: &dyn Fn(&Harm) -> bool| {
                    let rows =
                        replica.rows.iter().filter(|(key, row)| inside(key) && spent(**key, row)).map(|(key, _)| *key);
                    rows.chain(mine.iter().filter(|d| test(&d.harm)).map(|d| d.key)).collect::<BTreeSet<_>>().len()
                };
                let (loss, unauthored) = (|h: &Harm| h.loss, |h: &Harm| h.unauthored && h.loss);
                let (spent, budget) = (
                    after(&|_, row| row.is_spent(), &loss),
                    after(&|k, row| self.is_unauthored(r, k, row), &unauthored),
                );
                hold(replica.forgot.contains(&first.key.0) || count(&loss) > limit(n, 10, 10), false, &loss);
                hold(n >= 8 && spent > half(n), false, &loss);
                let least = if collection.is_some() { 8 } else { 3 };
                hold(end.is_none() && n >= least && spent >= n.min(base.len()), false, &loss);
                let over = count(&unauthored) > limit(n, 3, 1) || budget > limit(n, 10, 5);
                hold(end.is_none() && over, false, &unauthored);
                for family in mine.iter().flat_map(|d| &d.harm.emptied) {
                    let empties = |h: &Harm| h.emptied.contains(family);
                    hold(count(&empties) > 5.max(n * 5 / 100), true, &empties);
                }
                let small = |h: &Harm| h.overwritten && (1..=2).contains(&h.families);
                hold(count(&|h| h.overwritten) > 50.max(n * 50 / 100), true, &|h| h.overwritten);
                hold(count(&small) > 20.max(n * 20 / 100), true, &small);
            }
        }
        held
    }

    /// Whether the row has spent of the unauthored budget.
    fn is_unauthored(&self, r: usize, key: Key, row: &Row) -> bool {
        let held = matches!(row.quarantine, Some(Quarantine::Held { .. }));
        row.lost.is_some_and(|(_, unauthored)| unauthored)
            || (held && self.harm(r, key.0, &row.version, row.known()).unauthored)
    }
}
