//! What was really written, and who really holds it: kept beside the engine, from commits alone.

mod atoms;

use alloc::{
    collections::{BTreeMap, BTreeSet},
    format,
    string::String,
    sync::Arc,
    vec::Vec,
};

pub(crate) use atoms::{Atom, Contents};

use super::{
    disk::Commit,
    failure::{Broken, Summary, broken},
    names::{Names, PEOPLE, REPLICAS},
};
use crate::decide::row::Row;
use crate::values::{digest::Digest, version::Version, version_vector::Causality};

/// Why a replica committed something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Why {
    /// Its person wrote or answered.
    Authored,
    /// It synced.
    Synced,
    /// A day passed.
    Day,
    /// It left the collection.
    Left,
}

/// What was really written, and who really holds it.
#[derive(Debug, Clone)]
pub(crate) struct Ghost {
    pub(crate) names: Arc<Names>,
    /// By the digest of its bytes, what a version says. For speed alone.
    known: BTreeMap<(u8, u16, Digest), Arc<Contents>>,
    /// Which record a dot wrote.
    dots: BTreeMap<(u8, u8, u64), u16>,
    /// By collection and device, the last counter used.
    counters: BTreeMap<(u8, u8), u64>,
    /// What a write put in a place (S5).
    values: BTreeMap<Atom, u64>,
    /// By collection, record and contexts, the content (S1).
    states: BTreeMap<(u8, u16, u64), (u64, Digest)>,
    /// Which replicas hold a value, a bit each (S2).
    holders: BTreeMap<Atom, u16>,
    /// Values over which somebody has written.
    covered: BTreeSet<Atom>,
    /// Values whose holders were destroyed, or whose retention is over.
    excused: BTreeSet<Atom>,
    /// Values that a server held once and then lost.
    lost: BTreeSet<Atom>,
    /// By replica, values that it has seen superseded (S3).
    superseded: Vec<BTreeSet<Atom>>,
    /// Values that have just lost a holder.
    orphans: BTreeSet<Atom>,
}

impl Ghost {
    pub(crate) fn new(names: Arc<Names>) -> Self {
        Self {
            names,
            known: BTreeMap::new(),
            dots: BTreeMap::new(),
            counters: BTreeMap::new(),
            values: BTreeMap::new(),
            states: BTreeMap::new(),
            holders: BTreeMap::new(),
            covered: BTreeSet::new(),
            excused: BTreeSet::new(),
            lost: BTreeSet::new(),
            superseded: (0..REPLICAS).map(|_| BTreeSet::new()).collect(),
            orphans: BTreeSet::new(),
        }
    }

    /// Records ever written in a collection.
    pub(crate) fn records(&self, collection: u8) -> usize {
        let of = self.dots.range((collection, 0, 0)..(collection + 1, 0, 0));
        of.map(|(_, record)| *record).collect::<BTreeSet<u16>>().len()
    }

    pub(crate) fn counter(&self, collection: u8, replica: u8) -> u64 {
        self.counters.get(&(collection, replica)).copied().unwrap_or_default()
    }

    /// What a version says.
    pub(crate) fn contents(
        &mut self,
        (collection, record): (u8, u16),
        version: &Version,
    ) -> Result<Arc<Contents>, Broken> {
        let key = (collection, record, Digest::of("world version", &[version.as_bytes()]));
        if let Some(known) = self.known.get(&key) {
            return Ok(known.clone());
        }
        let contents = Arc::new(Contents::of(&self.names, (collection, record), version)?);
        self.known.insert(key, contents.clone());
        Ok(contents)
    }

    /// Takes note of a commit and checks what it left.
    pub(crate) fn take(&mut self, at: usize, commit: &Commit, why: Why, summary: &mut Summary) -> Result<(), Broken> {
        let collection = self.names.place_of_collection(&commit.collection)?;
        for row in &commit.left {
            self.release(at, collection, row)?;
        }
        if !commit.left.is_empty() {
            self.forget(at, Some(collection));
        }
        if !commit.left.is_empty() && why == Why::Left {
            // Who leaves believes the server to have it.
            let lost: Vec<Atom> = self.orphans.iter().filter(|atom| self.lost.contains(*atom)).copied().collect();
            self.excused.extend(lost);
        }
        for (before, after) in &commit.rows {
            if why == Why::Authored {
                self.author(at, collection, before.as_ref(), after)?;
            }
            for version in [&after.version, after.known()] {
                self.check_version((collection, Names::place_of_record(&after.record)?), version, summary)?;
            }
            self.hold(at, collection, before.as_ref(), after, why, summary)?;
        }
        if why == Why::Authored {
            let replica = u8::try_from(at).unwrap_or(u8::MAX);
            let counter = self.counters.entry((collection, replica)).or_default();
            *counter = (*counter).max(commit.after.counter);
        }
        Ok(())
    }

    /// A device's person wrote: dots, what they put where, and what they cover.
    fn author(&mut self, at: usize, collection: u8, before: Option<&Row>, after: &Row) -> Result<(), Broken> {
        let record = Names::place_of_record(&after.record)?;
        let replica = self.names.replica(at)?;
        let own = u8::try_from(at).unwrap_or(u8::MAX);
        let had = before.map_or(0, |row| row.known().context().get(replica));
        let has = after.known().context().get(replica);
        if has > had && self.dots.insert((collection, own, has), record).is_some() {
            return broken("S5", format!("{} wrote under number {has} twice", name(at)));
        }
        let mut now = BTreeSet::new();
        for version in [&after.version, after.known()] {
            let contents = self.contents((collection, record), version)?;
            for (atom, value) in &contents.atoms {
                now.insert(*atom);
                if atom.replica == own && atom.counter == has && has > had {
                    self.values.insert(*atom, *value);
                }
            }
        }
        if before.is_none() {
            // Who left a collection and creates a record anew knows what they said of its life before.
            let from = Atom { collection, record, place: 0, replica: own, counter: 0 };
            self.covered.extend(self.values.range(from..Atom { counter: has, ..from }).map(|(atom, _)| *atom));
        }
        for version in before.into_iter().flat_map(|row| [&row.version, row.known()]) {
            let contents = self.contents((collection, record), version)?;
            self.covered.extend(contents.atoms.keys().filter(|atom| !now.contains(*atom)));
        }
        Ok(())
    }

    /// S1, S5 and S9 of one version, wherever it is.
    pub(crate) fn check_version(
        &mut self,
        of: (u8, u16),
        version: &Version,
        summary: &mut Summary,
    ) -> Result<(), Broken> {
        let contents = self.contents(of, version)?;
        for (replica, counter) in &contents.seen {
            if self.dots.get(&(of.0, *replica, *counter)) != Some(&of.1) {
                let who = name(usize::from(*replica));
                return broken("S9", format!("r{:03} claims to have seen write {counter} of {who}, never made", of.1));
            }
        }
        for (atom, value) in &contents.atoms {
            match self.values.get(atom) {
                Some(written) if written == value => {}
                found => {
                    let what = if found.is_some() { "another content" } else { "a content that it never had" };
                    return broken("S5", format!("{atom:?} has {what}"));
                }
            }
        }
        summary.check("S5/S9 versions whose writes were compared with what was written");
        let key = (of.0, of.1, contents.contexts);
        let state = (contents.content, version.digest());
        match self.states.get(&key) {
            None => {
                self.states.insert(key, state);
            }
            Some(known) if *known == state => summary.check("S1 versions under contexts that were seen before"),
            Some(_) => return broken("S1", format!("r{:03} has two contents under the same contexts", of.1)),
        }
        Ok(())
    }

    /// Who holds what, and what is shown again (S2, S3).
    fn hold(
        &mut self,
        at: usize,
        collection: u8,
        before: Option<&Row>,
        after: &Row,
        why: Why,
        summary: &mut Summary,
    ) -> Result<(), Broken> {
        let of = (collection, Names::place_of_record(&after.record)?);
        let held = |ghost: &mut Self, row: &Row| -> Result<BTreeSet<Atom>, Broken> {
            let mut atoms: BTreeSet<Atom> = ghost.contents(of, &row.version)?.atoms.keys().copied().collect();
            atoms.extend(ghost.contents(of, row.known())?.atoms.keys());
            Ok(atoms)
        };
        let old = before.map(|row| held(self, row)).transpose()?.unwrap_or_default();
        let new = held(self, after)?;
        for atom in new.difference(&old) {
            *self.holders.entry(*atom).or_default() |= bit(at);
        }
        for atom in old.difference(&new) {
            self.drop_holder(at, *atom);
            if why == Why::Day {
                self.excused.insert(*atom);
            }
        }
        let shown = self.contents(of, &after.version)?;
        let Some(past) = self.superseded.get_mut(at) else { return Ok(()) };
        if let Some(row) = before {
            let relation = after.version.fields_context().compare(row.version.fields_context());
            let forgets = matches!(relation, Causality::Before | Causality::Concurrent);
            if forgets {
                // What a purge has forgotten may be shown again by who still had it.
                past.retain(|atom| (atom.collection, atom.record) != of || atom.place == 0);
            }
            let is_forgotten = |atom: &Atom| forgets && atom.place > 0;
            for atom in old.iter().filter(|atom| !new.contains(*atom) && !is_forgotten(atom)) {
                past.insert(*atom);
                summary.check("S3 values that a replica saw superseded");
            }
        }
        if let Some(atom) = shown.atoms.keys().find(|atom| past.contains(*atom)) {
            return broken("S3", format!("{} shows {atom:?} again", name(at)));
        }
        Ok(())
    }

    fn drop_holder(&mut self, at: usize, atom: Atom) {
        if let Some(mask) = self.holders.get_mut(&atom) {
            *mask &= !bit(at);
            if *mask == 0 {
                self.orphans.insert(atom);
            }
        }
    }

    fn release(&mut self, at: usize, collection: u8, row: &Row) -> Result<(), Broken> {
        let of = (collection, Names::place_of_record(&row.record)?);
        for version in [&row.version, row.known()] {
            for atom in self.contents(of, version)?.atoms.keys() {
                self.drop_holder(at, *atom);
            }
        }
        Ok(())
    }

    /// A replica begins anew: what it saw before is no longer known to it.
    fn forget(&mut self, at: usize, collection: Option<u8>) {
        if let Some(past) = self.superseded.get_mut(at) {
            past.retain(|atom| collection.is_some_and(|of| atom.collection != of));
        }
    }

    /// A server's rows were replaced from outside: what it alone held is gone, and nobody is to blame.
    pub(crate) fn damage(&mut self, at: usize, before: &[(u8, Row)], after: &[(u8, Row)]) -> Result<(), Broken> {
        for (collection, row) in before {
            self.release(at, *collection, row)?;
            let of = (*collection, Names::place_of_record(&row.record)?);
            for version in [&row.version, row.known()] {
                let atoms: Vec<Atom> = self.contents(of, version)?.atoms.keys().copied().collect();
                self.lost.extend(atoms);
            }
        }
        self.forget(at, None);
        for (collection, row) in after {
            let of = (*collection, Names::place_of_record(&row.record)?);
            for version in [&row.version, row.known()] {
                for atom in self.contents(of, version)?.atoms.keys() {
                    *self.holders.entry(*atom).or_default() |= bit(at);
                }
            }
        }
        let gone = core::mem::take(&mut self.orphans);
        self.excused.extend(gone.into_iter().filter(|atom| self.holders.get(atom).is_none_or(|mask| *mask == 0)));
        Ok(())
    }

    /// S2, after a step: what nobody holds any more was written over, or nobody could help it.
    pub(crate) fn check_union(&mut self, summary: &mut Summary) -> Result<(), Broken> {
        for atom in core::mem::take(&mut self.orphans) {
            if self.holders.get(&atom).is_some_and(|mask| *mask != 0) {
                continue;
            }
            if self.covered.contains(&atom) {
                summary.check("S2 values that left the union, written over");
            } else if !self.excused.contains(&atom) {
                return broken("S2", format!("nobody holds {atom:?} any more, and nobody wrote over it"));
            }
        }
        Ok(())
    }

    /// What a row says to who compares replicas: of a dead record, its certificate.
    pub(crate) fn knowledge(&mut self, collection: u8, row: &Row) -> Result<String, Broken> {
        let contents = self.contents((collection, Names::place_of_record(&row.record)?), row.known())?;
        Ok(format!("{:?} {:016x}", contents.seen, contents.content))
    }
}

pub(crate) fn name(at: usize) -> &'static str {
    PEOPLE.get(at).copied().unwrap_or("somebody")
}

fn bit(at: usize) -> u16 {
    1_u16.checked_shl(u32::try_from(at).unwrap_or(u32::MAX)).unwrap_or_default()
}
