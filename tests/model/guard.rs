//! What counts as a loss, and the limits.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Drafted, Key, Model, Row, Standing, Text,
    version::{Cause, DELETED, Version},
};

/// What a change of one record takes away.
#[derive(Debug, Clone, Default)]
pub(super) struct Harm {
    pub(super) loss: bool,
    pub(super) unauthored: bool,
    emptied: BTreeSet<Text>,
    overwritten: bool,
    families: usize,
}

fn limit(n: usize, least: usize, percent: usize) -> usize {
    least.min(n.div_ceil(2)).max(n * percent / 100).max(1)
}

impl Model {
    /// What `r` would lose by storing `new` over `old`. A move is believed of its own writes, and of a trusted peer's.
    pub(super) fn harm(&self, r: usize, collection: u8, old: &Version, new: &Version, believes: bool) -> Harm {
        let fresh: Vec<_> = new.lives().into_iter().filter(|(dot, _, _)| !old.seen.contains_key(dot)).collect();
        if !old.is_alive() {
            return Harm::default();
        }
        if !new.is_alive() {
            let mut deletes = fresh.iter().filter(|(_, life, _)| *life == DELETED).peekable();
            let unauthored = deletes.peek().is_some() && deletes.all(|(_, _, cause)| *cause == Cause::Listing);
            let deletes = new.lives().into_iter().filter(|(_, life, _)| *life == DELETED);
            let stays = deletes
                .map(|(dot, ..)| new.seen[&dot].moved)
                .any(|moved| !believes || !self.has_arrived(r, old, moved));
            return Harm { loss: stays, unauthored: stays && unauthored, ..Harm::default() };
        }
        let (was, is, had, has) = (old.siblings(), new.siblings(), old.families(), new.families());
        let covers = was.iter().any(|(name, all)| is.get(name).is_none_or(|now| !all.is_subset(now)));
        let kept = |f: &Text, v: &Text| has.get(f).is_some_and(|known| known.contains(v));
        let kept: Vec<bool> = had.iter().flat_map(|(f, known)| known.iter().map(move |v| kept(f, v))).collect();
        let emptied: BTreeSet<Text> = had.keys().copied().filter(|f| !has.contains_key(f)).collect();
        let fields = is.values().flatten().filter(|(dot, _)| !old.fields.contains_key(dot));
        let mut causes = fresh.iter().map(|life| life.2).chain(fields.map(|(_, value)| value.1));
        let (shown, mut superseded) = (new.shown(), old.superseded.union(&new.superseded));
        let unauthored = covers
            && shown != old.shown()
            && causes.all(|cause| cause != Cause::User)
            && superseded.any(|(_, content)| *content == shown);
        let loss = (!had.is_empty() && has.is_empty())
            || (collection == 0 && emptied.contains(super::IDENTIFYING))
            || emptied.len() * 2 > had.len()
            || (had.len() >= 3 && !kept.contains(&true));
        let overwritten = kept.contains(&false);
        Harm { loss: loss || unauthored, unauthored, emptied, overwritten, families: had.len() }
    }

    /// Whether a record that was moved away is seen to be there, with something of each family.
    fn has_arrived(&self, r: usize, old: &Version, moved: Option<(u64, Option<Key>)>) -> bool {
        let Some((id, Some(to))) = moved else { return false };
        let (there, has) = (self.row(r, to).version, self.row(r, to).version.families());
        let kept = |(family, known): (&Text, &BTreeSet<Text>)| has.get(family).is_some_and(|h| !h.is_disjoint(known));
        there.is_alive()
            && there.lives().iter().any(|(dot, ..)| there.seen[dot].moved == Some((id, None)))
            && old.families().iter().all(kept)
    }

    /// Whether `new` takes nothing from `old` that a hold of this kind would keep.
    pub(super) fn harmless(&self, r: usize, key: Key, old: &Version, new: &Version, mass: bool, own: bool) -> bool {
        let harm = self.harm(r, key.0, old, new, own);
        !(harm.loss || (mass && (harm.overwritten || !harm.emptied.is_empty())))
    }

    /// First-seen places of the base of a collection, or of the account.
    pub(super) fn base(&self, r: usize, collection: Option<u8>) -> Vec<usize> {
        let rows = self.replicas[r].rows.iter().filter(|(key, _)| collection.is_none_or(|c| c == key.0));
        let places = rows.filter(|(_, row)| row.standing != Standing::Gone).filter_map(|(_, row)| row.place);
        places.collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// The records that a limit holds, and whether a mass change did. `passed` is what this round took before, from
    /// an account of `had` records.
    pub(super) fn review(&self, r: usize, drafts: &[Drafted], passed: &[Drafted], had: usize) -> BTreeMap<Key, bool> {
        let (mut held, replica) = (BTreeMap::new(), &self.replicas[r]);
        let Some(own) = drafts.first().map(|draft| draft.key.0) else { return held };
        for collection in [Some(own), None].into_iter().filter(|scope| r != 0 || scope.is_some()) {
            let (base, whole) = (self.base(r, collection), collection.is_some());
            let n = if whole { base.len() } else { had };
            let prefixes = (3..).map(|power| 1 << power).take_while(|size| *size < base.len());
            for (n, end) in prefixes.map(|size| (size, Some(base[size - 1]))).chain([(n, None)]) {
                let inside = |(key, row): &(&Key, &Row)| {
                    collection.is_none_or(|c| c == key.0)
                        && end.is_none_or(|end| row.place.is_some_and(|place| place <= end))
                };
                let rows: BTreeMap<&Key, &Row> = replica.rows.iter().filter(inside).collect();
                let mine: Vec<&Drafted> = drafts.iter().filter(|d| rows.contains_key(&d.key)).collect();
                let count = |test: &dyn Fn(&Harm) -> bool| {
                    drafts.iter().chain(passed).filter(|d| rows.contains_key(&d.key) && test(&d.harm)).count()
                };
                let mut hold = |broken: bool, mass: bool, test: &dyn Fn(&Harm) -> bool| {
                    for draft in mine.iter().filter(|d| broken && test(&d.harm)) {
                        *held.entry(draft.key).or_insert(false) |= mass;
                    }
                };
                // Spent rows and the losses of this draft, each record once.
                let after = |spent: &dyn Fn(&Key, &Row) -> bool, test: &dyn Fn(&Harm) -> bool| {
                    let rows = rows.iter().filter(|(key, row)| spent(key, row)).map(|(key, _)| **key);
                    rows.chain(mine.iter().filter(|d| test(&d.harm)).map(|d| d.key)).collect::<BTreeSet<_>>().len()
                };
                let (loss, unauthored) = (|harm: &Harm| harm.loss, |harm: &Harm| harm.unauthored);
                let spent = after(&|_, row| row.is_spent(), &loss);
                let budget = after(&|key, row| self.is_spent_unauthored(r, *key, row), &unauthored);
                hold(replica.forgot.contains(&own) || count(&loss) > limit(n, 10, 10), false, &loss);
                hold(n >= 8 && spent > n.div_ceil(2), false, &loss);
                hold(end.is_none() && n >= if whole { 8 } else { 3 } && spent >= n.min(base.len()), false, &loss);
                let over = count(&unauthored) > limit(n, 3, 1) || budget > limit(n, 10, 5);
                hold(end.is_none() && over, false, &unauthored);
                for family in mine.iter().flat_map(|d| &d.harm.emptied) {
                    let empties = |harm: &Harm| harm.emptied.contains(family);
                    hold(count(&empties) > 5.max(n * 5 / 100), true, &empties);
                }
                let overwritten = |harm: &Harm| harm.overwritten;
                hold(count(&overwritten) > 50.max(n * 50 / 100), true, &overwritten);
                let small = |harm: &Harm| harm.overwritten && (1..=2).contains(&harm.families);
                hold(count(&small) > 20.max(n * 20 / 100), true, &small);
            }
        }
        held
    }

    fn is_spent_unauthored(&self, r: usize, key: Key, row: &Row) -> bool {
        row.lost.is_some_and(|(_, unauthored)| unauthored)
            || self.harm(r, key.0, &row.version, row.known(), false).unauthored
    }
}
