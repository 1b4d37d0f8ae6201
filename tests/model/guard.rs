//! What counts as a loss, and the limits.

use std::collections::{BTreeMap, BTreeSet};

use super::{Cause, Dots, Drafted, Event, Key, Model, Quarantine, Row, Standing, Text, Version};

/// What a change of one record takes away.
#[derive(Debug, Clone, Default)]
pub(super) struct Harm {
    pub(super) loss: bool,
    pub(super) unauthored: bool,
    pub(super) emptied: BTreeSet<Text>,
    pub(super) overwritten: bool,
    pub(super) families: usize,
}

fn half(n: usize) -> usize {
    n.div_ceil(2)
}
fn limit(n: usize, least: usize, percent: usize) -> usize {
    least.min(half(n)).max(n * percent / 100).max(1)
}

impl Model {
    /// What `r` would lose by storing `new` over `old`.
    pub(super) fn harm(&self, r: usize, key: Key, old: &Version, new: &Version) -> Harm {
        let log = self.events(key);
        if !old.is_alive(log) {
            return Harm::default();
        }
        let (had, has) = (old.families(log), new.families(log));
        let keeps = |f: &Text, v: &Text| has.get(f).is_some_and(|known| known.contains(v));
        let emptied: BTreeSet<Text> = had.keys().copied().filter(|f| !has.contains_key(f)).collect();
        let mut fresh: Dots = &new.lives(log) - &old.lives(log);
        let deletes: Vec<&Event> = fresh.iter().map(|d| &log[d]).filter(|e| e.life == Some(false)).collect();
        let arrived = |e: &Event| {
            let Some((id, Some(to))) = e.moved else { return false };
            let (there, log) = (self.row(r, to).version, self.events(to));
            there.is_alive(log) && there.lives(log).iter().any(|d| log[d].moved == Some((id, None)))
        };
        let dead = !new.is_alive(log);
        let hidden = dead && (deletes.is_empty() || !deletes.iter().all(|e| arrived(e)));
        let by_listing = hidden && deletes.iter().all(|e| e.cause == Cause::Listing);
        for name in new.names(log) {
            fresh.extend((&new.siblings(log, name) - &old.siblings(log, name)).iter().map(|(d, _)| *d));
        }
        let now = new.shown(log);
        let returned = !dead
            && now != old.shown(log)
            && old.superseded.iter().chain(&new.superseded).any(|(_, content)| *content == now)
            && fresh.iter().all(|d| log[d].cause != Cause::User);
        let emptier = (!had.is_empty() && has.is_empty())
            || self.identifying.get(&key.0).is_some_and(|family| emptied.contains(family))
            || emptied.len() * 2 > had.len()
            || (had.len() >= 3 && !had.iter().any(|(f, known)| known.iter().any(|v| keeps(f, v))));
        Harm {
            loss: hidden || returned || (!dead && emptier),
            unauthored: by_listing || returned,
            overwritten: had.iter().any(|(f, known)| known.iter().any(|v| !keeps(f, v))),
            families: had.len(),
            emptied,
        }
    }

    /// Whether `new` takes nothing from `old` that a hold of this kind would keep.
    pub(super) fn harmless(&self, r: usize, key: Key, old: &Version, new: &Version, mass: bool) -> bool {
        let harm = self.harm(r, key, old, new);
        !(harm.loss || (mass && harm.overwritten))
    }

    /// First-seen places of the base of a collection, or of the account.
    pub(super) fn base(&self, r: usize, collection: Option<u8>) -> Vec<usize> {
        let counts = |(key, row): &(&Key, &Row)| {
            row.standing != Standing::Gone && collection.is_none_or(|collection| collection == key.0)
        };
        let mut places: Vec<usize> = self.replicas[r].rows.iter().filter(counts).map(|(_, row)| row.place).collect();
        places.sort_unstable();
        places
    }

    /// The records that a limit holds, and whether a mass change did. `earlier` is what this round drafted before.
    pub(super) fn review(
        &self,
        r: usize,
        account: bool,
        base: &[usize],
        all: &[&Drafted],
        mine: &[Drafted],
    ) -> BTreeMap<Key, bool> {
        let mut held = BTreeMap::new();
        let Some(collection) = mine.first().map(|d| d.key.0) else { return held };
        let replica = &self.replicas[r];
        let forgot = replica.forgot.contains(&collection);
        let prefixes = (3..).map(|power| 1 << power).take_while(|size| *size < base.len());
        let whole = (base.len(), usize::MAX, false);
        for (n, end, prefix) in prefixes.map(|size| (size, base[size - 1], true)).chain([whole]) {
            let inside = |key: &Key| {
                (account || key.0 == collection) && replica.rows.get(key).map_or(!prefix, |row| row.place <= end)
            };
            let mine: Vec<&Drafted> = mine.iter().filter(|d| inside(&d.key)).collect();
            let rows: Vec<(Key, &Row)> =
                replica.rows.iter().map(|(key, row)| (*key, row)).filter(|(key, _)| inside(key)).collect();
            let count = |counts: &dyn Fn(&Drafted) -> bool| all.iter().filter(|d| inside(&d.key) && counts(d)).count();
            let mut hold = |broken: bool, mass: bool, counts: &dyn Fn(&Drafted) -> bool| {
                for drafted in mine.iter().filter(|d| broken && counts(d)) {
                    *held.entry(drafted.key).or_insert(false) |= mass;
                }
            };
            // Spent rows and the losses of this draft, each record once.
            let spent = |row: &dyn Fn(Key, &Row) -> bool, counts: &dyn Fn(&Drafted) -> bool| {
                let rows = rows.iter().filter(|(key, r)| row(*key, r)).map(|(key, _)| *key);
                rows.chain(mine.iter().filter(|d| counts(d)).map(|d| d.key)).collect::<BTreeSet<_>>().len()
            };
            let (loss, unauthored) = (|d: &Drafted| d.harm.loss, |d: &Drafted| d.harm.unauthored);
            let after = spent(&|_, row| row.is_spent(), &loss);
            hold(forgot || count(&loss) > limit(n, 10, 10), false, &loss);
            hold(n >= 8 && after > half(n), false, &loss);
            hold(!prefix && n >= if account { 3 } else { 8 } && after >= n, false, &loss);
            let budget = spent(&|key, row| self.is_unauthored(r, key, row), &unauthored);
            let over = count(&unauthored) > limit(n, 3, 1) || budget > limit(n, 10, 5);
            hold(!prefix && over, false, &unauthored);
            for family in mine.iter().flat_map(|d| &d.harm.emptied) {
                let empties = |d: &Drafted| d.harm.emptied.contains(family);
                hold(count(&empties) > 5.max(n * 5 / 100), true, &empties);
            }
            let overwrites = |d: &Drafted| d.harm.overwritten;
            hold(count(&overwrites) > 50.max(n * 50 / 100), true, &overwrites);
            let small = |d: &Drafted| d.harm.overwritten && (1..=2).contains(&d.harm.families);
            hold(count(&small) > 20.max(n * 20 / 100), true, &small);
        }
        held
    }

    /// Whether the row has spent of the unauthored budget.
    fn is_unauthored(&self, r: usize, key: Key, row: &Row) -> bool {
        let held = matches!(row.quarantine, Some(Quarantine::Held { .. }));
        row.lost.is_some_and(|(_, unauthored)| unauthored)
            || (held && self.harm(r, key, &row.version, row.known()).unauthored)
    }
}
