//! What was really written, and who really holds it: kept beside the engine, from commits alone.

mod atoms;
mod installs;

use alloc::{
    collections::{BTreeMap, BTreeSet},
    format,
    string::String,
    sync::Arc,
    vec::Vec,
};

pub(crate) use atoms::{Atom, Contents};
pub(crate) use installs::{Installs, Writer};

use super::{
    disk::Commit,
    failure::{Broken, Summary, broken},
    names::{HOME, Names, PEOPLE, REPLICAS},
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
    /// It took over what it had written under another id.
    Renamed,
    /// Its person said that it is right, and the server is not.
    Reseeded,
}

/// What was really written, and who really holds it.
#[derive(Debug, Clone)]
pub(crate) struct Ghost {
    pub(crate) names: Arc<Names>,
    /// By the digest of its bytes, what a version says. For speed alone.
    known: BTreeMap<(u8, u16, Digest), Arc<Contents>>,
    /// Which installation wrote what.
    pub(crate) installs: Installs,
    /// By collection and id, the last counter used.
    counters: BTreeMap<(u8, u8), u64>,
    /// What was ever written (S5).
    written: BTreeSet<Atom>,
    /// By record and id, the number up to which an installation that takes another id keeps its writes under that one.
    kept: BTreeSet<((u8, u16), u8, u64)>,
    /// Writes that got another name, with the same content.
    renamed: BTreeSet<Atom>,
    /// There is a server that never knew what the other one knows.
    has_two_homes: bool,
    /// By collection, record and contexts, the content (S1).
    states: BTreeMap<(u8, u16, u64), (Arc<Contents>, Digest)>,
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
    pub(crate) fn new(names: Arc<Names>, has_two_homes: bool) -> Self {
        Self {
            names,
            known: BTreeMap::new(),
            installs: Installs::new(),
            counters: BTreeMap::new(),
            written: BTreeSet::new(),
            kept: BTreeSet::new(),
            renamed: BTreeSet::new(),
            has_two_homes,
            states: BTreeMap::new(),
            holders: BTreeMap::new(),
            covered: BTreeSet::new(),
            excused: BTreeSet::new(),
            lost: BTreeSet::new(),
            superseded: (0..REPLICAS).map(|_| BTreeSet::new()).collect(),
            orphans: BTreeSet::new(),
        }
    }

    /// Writes that got another name.
    pub(crate) fn named(&self) -> usize {
        self.renamed.len()
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

    /// Takes note of a commit and checks what it left. `writer`: under which id a device writes; a server does not.
    pub(crate) fn take(
        &mut self,
        (at, writer): (usize, Option<Writer>),
        commit: &Commit,
        why: Why,
        summary: &mut Summary,
    ) -> Result<(), Broken> {
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
            match writer {
                Some(writer) if why == Why::Authored => self.author(writer, collection, before.as_ref(), after)?,
                Some(writer) if matches!(why, Why::Synced | Why::Renamed) => {
                    self.rename((at, writer), collection, (before.as_ref(), after), why, summary)?;
                }
                _ => {}
            }
            for version in [&after.version, after.known()] {
                self.check_version((collection, Names::place_of_record(&after.record)?), version, summary)?;
            }
            self.hold(at, collection, before.as_ref(), after, why, summary)?;
        }
        if let Some(writer) = writer {
            let counter = self.counters.entry((collection, writer.own)).or_default();
            *counter = (*counter).max(if why == Why::Left { 0 } else { commit.after.counter });
        }
        Ok(())
    }

    /// A device's person wrote: dots, what they put where, and what they cover.
    fn author(&mut self, writer: Writer, collection: u8, before: Option<&Row>, after: &Row) -> Result<(), Broken> {
        let record = Names::place_of_record(&after.record)?;
        let replica = self.names.replica(usize::from(writer.own))?;
        let own = writer.own;
        let had = before.map_or(0, |row| row.known().context().get(replica));
        let has = after.known().context().get(replica);
        if has > had && !self.installs.wrote((collection, record), has, writer) {
            return broken("S5", format!("{} wrote under number {has} twice", writer_name(own)));
        }
        let mut now = BTreeSet::new();
        for version in [&after.version, after.known()] {
            let contents = self.contents((collection, record), version)?;
            for atom in &contents.atoms {
                now.insert(*atom);
                if atom.replica == own && atom.counter == has && has > had {
                    self.written.insert(*atom);
                }
            }
        }
        if has > had {
            // Who left a collection and writes a record there again knows what they said of its life before.
            let from = Atom { collection, record, place: 0, replica: own, counter: 0, value: 0 };
            self.covered.extend(self.written.range(from..Atom { counter: has, ..from }).copied());
        }
        for version in before.into_iter().flat_map(|row| [&row.version, row.known()]) {
            let contents = self.contents((collection, record), version)?;
            self.covered.extend(contents.atoms.iter().filter(|atom| !now.contains(*atom)));
        }
        Ok(())
    }

    /// What was written gets another name: where a device takes over what was written under another id, and where a sync
    /// settles what two installations wrote under one.
    fn rename(
        &mut self,
        (at, writer): (usize, Writer),
        collection: u8,
        (before, after): (Option<&Row>, &Row),
        why: Why,
        summary: &mut Summary,
    ) -> Result<(), Broken> {
        let (own, replica) = (writer.own, self.names.replica(usize::from(writer.own))?);
        let seen = [&after.version, after.known()].map(|version| version.context().get(replica));
        let of = (collection, Names::place_of_record(&after.record)?);
        if why == Why::Synced && !self.is_new(of, own, &seen, after)? {
            return Ok(());
        }
        if why == Why::Synced && !self.installs.is_forked(of) {
            return broken("S9", format!("{} writes r{:03} by a sync", writer_name(own), of.1));
        }
        seen.iter().filter(|seen| **seen > 0).for_each(|seen| self.installs.note(of, *seen, writer));
        if why == Why::Renamed {
            self.give_up_names(at, of, (before, after))?;
        }
        let (mut old, mut new) = (BTreeSet::new(), BTreeSet::new());
        for version in before.into_iter().flat_map(|row| [&row.version, row.known()]) {
            old.extend(self.contents(of, version)?.atoms.iter().copied());
        }
        for version in [&after.version, after.known()] {
            new.extend(self.contents(of, version)?.atoms.iter().copied());
        }
        for atom in
            new.iter().filter(|atom| atom.replica == own && !self.written.contains(*atom)).copied().collect::<Vec<_>>()
        {
            let is_former = |former: &&Atom| (former.place, former.value) == (atom.place, atom.value);
            let gone = old.iter().filter(|former| !new.contains(*former)).find(is_former);
            let former = gone.or_else(|| old.iter().find(is_former));
            let Some(former) = former else { return broken("S5", format!("nobody ever wrote what {atom:?} says")) };
            summary.check("S2 writes that got another name");
            self.installs.note(of, atom.counter, writer);
            self.written.insert(atom);
            self.renamed.insert(*former);
        }
        if let Some(gone) =
            old.iter().find(|atom| why == Why::Renamed && !new.contains(*atom) && !self.renamed.contains(*atom))
        {
            return broken("S2", format!("{gone:?} is gone from {} that takes another id", writer_name(own)));
        }
        Ok(())
    }

    /// Whether a row names writes of an id that nobody has made.
    fn is_new(&mut self, of: (u8, u16), own: u8, seen: &[u64], row: &Row) -> Result<bool, Broken> {
        let is_known = |counter: &u64| {
            *counter == 0 || self.installs.has_written(of, own, *counter) || self.kept.contains(&(of, own, *counter))
        };
        if !seen.iter().all(is_known) {
            return Ok(true);
        }
        for version in [&row.version, row.known()] {
            let contents = self.contents(of, version)?;
            if contents.atoms.iter().any(|atom| atom.replica == own && !self.written.contains(atom)) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// An installation that takes another id keeps its writes up to a number under the old one. What was written over under a
    /// name that it gives up may come again, from another installation that has sent it.
    fn give_up_names(&mut self, at: usize, of: (u8, u16), rows: (Option<&Row>, &Row)) -> Result<(), Broken> {
        let (Some(before), after) = rows else { return Ok(()) };
        for (old, new) in [(&before.version, &after.version), (before.known(), after.known())] {
            let (old, new) = (self.contents(of, old)?, self.contents(of, new)?);
            for (replica, _) in old.seen.iter().filter(|entry| !new.seen.contains(*entry)) {
                let kept = new.seen.iter().find(|(other, _)| other == replica).map_or(0, |(_, kept)| *kept);
                self.kept.insert((of, *replica, kept));
                let given_up = |atom: &Atom| {
                    (atom.collection, atom.record, atom.replica) == (of.0, of.1, *replica) && atom.counter > kept
                };
                self.superseded.get_mut(at).into_iter().for_each(|past| past.retain(|atom| !given_up(atom)));
            }
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
            if !self.installs.has_written(of, *replica, *counter) && !self.kept.contains(&(of, *replica, *counter)) {
                let who = writer_name(*replica);
                return broken("S9", format!("r{:03} claims to have seen write {counter} of {who}, never made", of.1));
            }
        }
        if let Some(atom) = contents.atoms.iter().find(|atom| !self.written.contains(*atom)) {
            return broken("S5", format!("{atom:?} has a content that it never had"));
        }
        summary.check("S5/S9 versions whose writes were compared with what was written");
        let key = (of.0, of.1, contents.contexts);
        let digest = version.digest();
        match self.states.get(&key) {
            None => {
                self.states.insert(key, (contents, digest));
            }
            Some((known, same)) if known.content == contents.content && *same == digest => {
                summary.check("S1 versions under contexts that were seen before");
            }
            // Under one name stand two writes: until that is noticed, contexts do not tell what was seen.
            Some(_) if self.installs.is_forked(of) => {
                summary.check("S1 contexts that name writes of two installations, not compared");
            }
            Some((known, _)) => {
                let what = format!("r{:03} has two contents under {:?}", of.1, contents.seen);
                return broken("S1", format!("{what}: {:?} and {:?}", known.atoms, contents.atoms));
            }
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
            let mut atoms: BTreeSet<Atom> = ghost.contents(of, &row.version)?.atoms.iter().copied().collect();
            atoms.extend(ghost.contents(of, row.known())?.atoms.iter());
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
        // What has only waited beside, and was written over there, was never shown.
        let shown_before = before.map(|row| self.contents(of, &row.version)).transpose()?;
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
            // What got another name may come again under the first one, from who was sent it.
            let is_renamed = |atom: &Atom| self.renamed.contains(atom);
            let shown_before = shown_before.iter().flat_map(|shown| shown.atoms.iter());
            for atom in shown_before.filter(|atom| !new.contains(*atom) && !is_forgotten(atom) && !is_renamed(atom)) {
                past.insert(*atom);
                summary.check("S3 values that a replica saw superseded");
            }
        }
        let is_given_up = |atom: &Atom| {
            self.kept
                .iter()
                .any(|(record, replica, kept)| (*record, *replica) == (of, atom.replica) && *kept < atom.counter)
        };
        let again = shown.atoms.iter().filter(|atom| past.contains(*atom) && !self.installs.is_forked(of));
        let (given_up, again): (Vec<&Atom>, Vec<&Atom>) = again.partition(|atom| is_given_up(atom));
        given_up.iter().for_each(|_| summary.check("S3 values shown again whose name somebody has given up"));
        if let Some(atom) = again.first() {
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
            for atom in self.contents(of, version)?.atoms.iter() {
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

    /// A replica's rows were replaced from outside: what it alone held is gone, and nobody is to blame.
    pub(crate) fn damage(&mut self, at: usize, before: &[(u8, Row)], after: &[(u8, Row)]) -> Result<(), Broken> {
        for (collection, row) in before {
            self.release(at, *collection, row)?;
            let of = (*collection, Names::place_of_record(&row.record)?);
            for version in [&row.version, row.known()] {
                let atoms: Vec<Atom> = self.contents(of, version)?.atoms.iter().copied().collect();
                self.lost.extend(atoms.into_iter().filter(|_| at >= HOME));
            }
        }
        self.forget(at, None);
        for (collection, row) in after {
            let of = (*collection, Names::place_of_record(&row.record)?);
            for version in [&row.version, row.known()] {
                for atom in self.contents(of, version)?.atoms.iter() {
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
            } else if self.renamed.contains(&atom) {
                summary.check("S2 values that left the union under one name, and stand under another");
            } else if (self.installs.is_forgotten(atom.replica) || self.has_two_homes)
                && self.installs.is_shared(atom.replica)
                && self.installs.is_forked((atom.collection, atom.record))
            {
                summary.check("S2 values lost by a clone whose server forgot it: the named exception");
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

/// A name for an id: that of the replica that began with it.
pub(crate) fn writer_name(id: u8) -> String {
    PEOPLE.get(usize::from(id)).map_or_else(|| format!("id {id}"), |name| String::from(*name))
}

fn bit(at: usize) -> u16 {
    1_u16.checked_shl(u32::try_from(at).unwrap_or(u32::MAX)).unwrap_or_default()
}
