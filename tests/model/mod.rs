//! Reference model: what a few replicas of a few records must look like after each step, by brute force.
//!
//! Written from the design, not from the engine: a version is the plain set of writes it has seen, so there is no
//! register code to get wrong. Replica 0 is the server. A driver names replicas, collections and records so that they
//! sort as the numbers here, and stamps every write with the number of its op (from 1) as the time.
#![allow(dead_code, reason = "each test that includes the model uses a part of it")]
#![allow(clippy::indexing_slicing, clippy::arithmetic_side_effects, reason = "stops at its own bugs")]

mod guard;
mod version;

use std::collections::{BTreeMap, BTreeSet};

use guard::Harm;
use version::Event;
pub(crate) use version::{Cause, Version};

/// A field's name or a value. A blank value is empty.
pub(crate) type Text = &'static str;
/// Collection and record.
pub(crate) type Key = (u8, u16);
/// Counter (one sequence per replica and collection) and replica.
pub(crate) type Dot = (u64, usize);
type Dots = BTreeSet<Dot>;
/// Values by field.
pub(crate) type Fields = BTreeMap<Text, BTreeSet<Text>>;
/// The surviving values; `None` while dead.
pub(crate) type Look = Option<Fields>;

#[derive(Debug, Clone)]
pub(crate) enum Quarantine {
    /// The version that would result, and whether a mass change put it here.
    Held { hidden: Version, mass: bool },
    /// A bulk delete that waits for an answer.
    Proposal,
    /// A peer holds back what is stored here plainly.
    Beside { visible: Version, hidden: Version, from: usize },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Standing {
    Visible,
    Hidden,
    #[default]
    Gone,
}

/// A record as one replica stores it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Row {
    pub(crate) version: Version,
    pub(crate) quarantine: Option<Quarantine>,
    pub(crate) standing: Standing,
    /// Unanswered loss by sync: when, and whether unauthored.
    pub(crate) lost: Option<(u64, bool)>,
    /// A consent that travels names exactly this version.
    excused: bool,
    /// First-seen place, over the account.
    place: usize,
    /// Its open line: place in the list, and when it was appended.
    line: (usize, u64),
    dead_since: Option<u64>,
    /// The server has not named it as its own.
    pending: bool,
    /// When it last changed for others.
    seq: u64,
}

impl Row {
    /// All that this replica knows of the record, held or not.
    pub(crate) fn known(&self) -> &Version {
        if let Some(Quarantine::Held { hidden, .. }) = &self.quarantine { hidden } else { &self.version }
    }

    pub(crate) fn is_spent(&self) -> bool {
        self.lost.is_some() || matches!(self.quarantine, Some(Quarantine::Held { .. } | Quarantine::Proposal))
    }

    pub(crate) fn has_fields(&self) -> bool {
        !self.version.siblings().is_empty()
    }

    /// What it tells others: what is shown, what is held, and whether a person has answered.
    fn offer(&self, key: Key) -> Offer {
        let held = match &self.quarantine {
            Some(Quarantine::Held { hidden, mass }) => Some((hidden.clone(), *mass)),
            _ => None,
        };
        Offer { key, version: self.version.clone(), held, excused: self.excused }
    }
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Replica {
    pub(crate) rows: BTreeMap<Key, Row>,
    lines: usize,
    counters: BTreeMap<u8, u64>,
    /// By collection, per commit that changed something: when, and each record's version before and after.
    receipts: BTreeMap<u8, Vec<(u64, Vec<(Key, Version, Version)>)>>,
    reads: BTreeMap<Key, Version>,
    /// Collections whose ledger is missing.
    forgot: BTreeSet<u8>,
    pulled: u64,
    day: Option<i64>,
    ticks: u64,
}

/// One message's word on one record.
#[derive(Debug, Clone)]
struct Offer {
    key: Key,
    version: Version,
    held: Option<(Version, bool)>,
    excused: bool,
}

/// One record of a draft: what would be stored, and what a hold would hide instead.
#[derive(Debug, Clone)]
struct Drafted {
    key: Key,
    next: Version,
    quarantine: Option<Quarantine>,
    total: Version,
    excused: bool,
    relist: bool,
    harm: Harm,
}

/// One step of a replica. What makes no sense does nothing. Of several collections the lower comes first.
#[derive(Debug, Clone)]
pub(crate) enum Op {
    /// Over a living record: a machine's is an edit, a person's is refused. Over a dead one, a person's revives it.
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
    Day(i64),
    LoseLedger(u8),
}

/// What a driver compares.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Observed {
    /// What is visible, what an open line hides (a proposal removes), and whether that is held back here.
    pub(crate) records: BTreeMap<Key, (Look, Option<(bool, Look)>)>,
    /// Base n and spent.
    pub(crate) ledgers: BTreeMap<u8, (usize, usize)>,
    /// Records of the open lines, by collection, in order.
    pub(crate) open: BTreeMap<u8, Vec<u16>>,
}

#[derive(Debug, Clone)]
pub(crate) struct Model {
    pub(crate) replicas: Vec<Replica>,
    /// The family that identifies a record, by collection.
    pub(crate) identifying: BTreeMap<u8, Text>,
    /// Whether travelling consents lift limits.
    pub(crate) trust: bool,
    pub(crate) now: u64,
}

pub(crate) const RETENTION: u64 = 2;

impl Model {
    pub(crate) fn new(replicas: usize) -> Self {
        Self { replicas: vec![Replica::default(); replicas], identifying: BTreeMap::new(), trust: true, now: 0 }
    }

    fn row(&self, r: usize, key: Key) -> Row {
        self.replicas[r].rows.get(&key).cloned().unwrap_or_default()
    }

    pub(crate) fn observe(&self, r: usize) -> Observed {
        let mut seen = Observed::default();
        let look = |version: &Version| version.is_alive().then(|| version.values());
        for (key, row) in &self.replicas[r].rows {
            let waits = row.quarantine.as_ref().map(|waits| match waits {
                Quarantine::Held { hidden, .. } => (true, look(hidden)),
                Quarantine::Proposal => (true, None),
                Quarantine::Beside { hidden, .. } => (false, look(hidden)),
            });
            seen.records.insert(*key, (look(&row.version), waits));
            let (base, spent) = seen.ledgers.entry(key.0).or_default();
            *base += usize::from(row.standing != Standing::Gone);
            *spent += usize::from(row.is_spent());
        }
        for collection in 0..2 {
            let open = self.open(r, collection);
            seen.open.extend((!open.is_empty()).then(|| (collection, open.iter().map(|(_, key)| key.1).collect())));
        }
        seen
    }

    /// The open lines of a collection, in order.
    fn open(&self, r: usize, collection: u8) -> Vec<((usize, u64), Key)> {
        let rows = self.replicas[r].rows.iter().filter(|(key, row)| key.0 == collection && row.quarantine.is_some());
        rows.map(|(key, row)| (row.line, *key)).collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// Stores a row in its place, with what follows from it: `dead` is where it stands if it is dead.
    fn put(&mut self, r: usize, key: Key, mut row: Row, dead: Standing, relist: bool) {
        let (alive, old, replica) = (row.version.is_alive(), self.row(r, key), &mut self.replicas[r]);
        row.standing = if alive { Standing::Visible } else { dead };
        let is_trash = !alive && !row.version.siblings().is_empty();
        row.dead_since = row.dead_since.or(Some(replica.ticks)).filter(|_| is_trash);
        if !replica.rows.contains_key(&key) {
            row.place = replica.rows.len();
        }
        if relist {
            replica.lines += 1;
            row.line = (replica.lines, self.now);
        }
        let (was, is) = (old.offer(key), row.offer(key));
        let held_alike = match (&was.held, &is.held) {
            (Some((was, mass)), Some((is, masses))) => was.same(is) && mass == masses,
            (was, is) => was.is_none() && is.is_none(),
        };
        if !replica.rows.contains_key(&key)
            || !held_alike
            || !was.version.same(&is.version)
            || was.excused != is.excused
        {
            (row.seq, row.pending) = (self.now, true);
        }
        replica.rows.insert(key, row);
    }

    /// A write of `fields`, and of life where `life` says so, that covers what `seen` and `on` have both seen.
    fn event(&self, cause: Cause, life: Option<bool>, on: &Version, seen: &Version, fields: Fields) -> Event {
        let both = |ours: &BTreeMap<Dot, _>, theirs: &BTreeMap<Dot, _>| -> Dots {
            ours.keys().filter(|dot| theirs.contains_key(dot)).copied().collect()
        };
        let fields =
            fields.into_iter().map(|(name, values)| (name, (values, both(&on.fields, &seen.fields)))).collect();
        let life = life.map(|alive| (alive, both(&on.life, &seen.life)));
        Event { cause, at: self.now, life, moved: None, fields }
    }

    fn dot(&mut self, r: usize, collection: u8) -> Dot {
        let counter = self.replicas[r].counters.entry(collection).or_default();
        *counter += 1;
        (*counter, r)
    }

    /// Makes a write on top of `on` and stores it. `whole`: it speaks of all that is known here.
    fn write(&mut self, r: usize, key: Key, on: &Version, event: Event, whole: bool) {
        let (mut row, person, counter) = (self.row(r, key), event.cause.is_person(), &mut self.replicas[r].counters);
        let (was, alive) = (row.standing, row.version.is_alive());
        let counter = counter.entry(key.0).and_modify(|last| *last += 1).or_insert(1);
        let deletes = event.life.as_ref().is_some_and(|life| !life.0);
        row.version = on.with((*counter, r), event);
        row.excused = false;
        match row.quarantine.clone() {
            Some(Quarantine::Held { hidden, mass }) => {
                let all = row.version.join(&hidden);
                let frees = whole || self.harmless(r, key.0, &row.version, &all, mass);
                row.quarantine = (!frees).then(|| Quarantine::Held { hidden: all.clone(), mass });
                row.version = if frees { all } else { row.version };
            }
            Some(Quarantine::Beside { .. }) if !whole || deletes => {}
            _ => row.quarantine = None,
        }
        let dies = alive && !row.version.is_alive();
        row.lost = row.lost.filter(|_| !person && !dies);
        self.put(r, key, row, if person || dies { Standing::Gone } else { was }, false);
    }

    fn create(&mut self, r: usize, key: Key, mut fields: Fields, cause: Cause, moved: Option<(u64, Option<Key>)>) {
        let (row, exists) = (self.row(r, key), self.replicas[r].rows.contains_key(&key));
        if exists && !cause.is_person() {
            self.edit(r, key, &row.version, fields, cause);
        } else if !row.version.is_alive() {
            let on = row.known();
            on.siblings().into_keys().for_each(|name| drop(fields.entry(name).or_default()));
            let event = Event { moved, ..self.event(cause, Some(true), on, on, fields) };
            self.write(r, key, on, event, true);
        }
    }

    fn edit(&mut self, r: usize, key: Key, seen: &Version, fields: Fields, cause: Cause) {
        let on = self.row(r, key).version;
        if !fields.is_empty() {
            let event = self.event(cause, cause.is_person().then_some(true), &on, seen, fields);
            self.write(r, key, &on, event, false);
        }
    }

    /// Says of all that is known here that the record is alive, or deleted.
    fn say(&mut self, r: usize, key: Key, alive: bool, cause: Cause, moved: Option<(u64, Option<Key>)>) {
        let row = self.row(r, key);
        if row.version.is_alive() != alive && self.replicas[r].rows.contains_key(&key) {
            let event = Event { moved, ..self.event(cause, Some(alive), row.known(), row.known(), Fields::new()) };
            self.write(r, key, row.known(), event, true);
        }
    }

    fn delete_many(&mut self, r: usize, collection: u8, records: &BTreeSet<u16>) {
        let rows = self.replicas[r].rows.iter();
        let visible: Vec<_> = rows.filter(|(key, row)| key.0 == collection && row.version.is_alive()).collect();
        let free = |row: &Row| !matches!(row.quarantine, Some(Quarantine::Held { .. } | Quarantine::Proposal));
        let go = visible.iter().filter(|(key, row)| records.contains(&key.1) && free(row)).map(|(key, _)| **key);
        let (go, visible): (Vec<Key>, usize) = (go.collect(), visible.len());
        for key in &go {
            if go.len() >= 5 || go.len() == visible {
                let row = Row { quarantine: Some(Quarantine::Proposal), ..self.row(r, *key) };
                self.put(r, *key, row, Standing::Visible, true);
            } else {
                self.say(r, *key, false, Cause::User, None);
            }
        }
    }

    /// A person's answer to the open lines of a collection, up to and with the n-th, and to the losses before it.
    fn answer(&mut self, r: usize, collection: u8, nth: usize, keep: bool) {
        let lines = self.open(r, collection);
        let Some(((_, last), _)) = lines.get(nth) else { return };
        for (_, key) in &lines[..=nth] {
            let mut row = self.row(r, *key);
            let (base, hidden) = match row.quarantine.take() {
                Some(Quarantine::Held { hidden, .. }) => (row.version.clone(), hidden),
                Some(Quarantine::Beside { visible, hidden, .. }) => (visible, hidden),
                _ if !keep => {
                    self.say(r, *key, false, Cause::User, None);
                    self.replicas[r].rows.entry(*key).and_modify(|row| row.excused = true);
                    continue;
                }
                _ => (row.version.clone(), Version::default()),
            };
            let (on, excused) = (row.version.join(&hidden), row.excused);
            if keep && !hidden.life.is_empty() {
                self.write(r, *key, &on, self.restored(&on, &base, false), true);
                self.replicas[r].rows.entry(*key).and_modify(|row| row.excused = true);
            } else {
                let excused = on.same(&hidden) || (keep && excused);
                self.put(r, *key, Row { version: on, excused, lost: None, ..row }, Standing::Gone, false);
            }
        }
        let replica = &mut self.replicas[r];
        replica.forgot.remove(&collection);
        let answered = |row: &Row| row.lost.is_some_and(|(at, _)| at <= *last);
        for (_, row) in replica.rows.iter_mut().filter(|(key, row)| key.0 == collection && answered(row)) {
            row.lost = None;
            row.standing = if row.standing == Standing::Hidden { Standing::Gone } else { row.standing };
        }
    }

    /// A write on top of `on`: alive, with every value of `former` that `on` covers, over what `on` put there; exactly:
    /// and over all else.
    fn restored(&self, on: &Version, former: &Version, exactly: bool) -> Event {
        let (old, now) = (former.siblings(), on.siblings());
        let mut event = self.event(Cause::User, Some(true), on, on, Fields::new());
        for name in old.keys().chain(now.keys()) {
            let of = |all: &BTreeMap<Text, BTreeSet<(Dot, Text)>>| all.get(name).cloned().unwrap_or_default();
            let (back, over) = (&of(&old) - &of(&now), &of(&now) - &of(&old));
            if exactly || !back.is_empty() {
                let values = back.into_iter().map(|(_, value)| value).collect();
                event.fields.insert(name, (values, over.into_iter().map(|(dot, _)| dot).collect()));
            }
        }
        event
    }

    /// Restores what a receipt changed, unless it was changed since.
    fn undo(&mut self, r: usize, collection: u8, nth: usize) {
        let receipts = self.replicas[r].receipts.get(&collection).and_then(|all| all.iter().rev().nth(nth)).cloned();
        for (key, before, after) in receipts.into_iter().flat_map(|(_, changes)| changes) {
            let now = self.row(r, key).version;
            if now.same(&after) && (before.is_alive() || after.is_alive()) {
                let delete = || self.event(Cause::User, Some(false), &now, &now, Fields::new());
                let event = if before.is_alive() { self.restored(&now, &before, true) } else { delete() };
                self.write(r, key, &now, event, false);
                self.replicas[r].rows.entry(key).and_modify(|row| row.excused = true);
            }
        }
    }

    /// What one message's word on one record would do here, before the guard.
    fn draft(&self, r: usize, from: usize, offer: &Offer) -> Drafted {
        let (key, came, row) = (offer.key, &offer.version, self.row(r, offer.key));
        let (old, all) = (&row.version, row.known().join(came));
        let harmless = |new: &Version, on: &Version, mass: bool| self.harmless(r, key.0, on, new, mass);
        let (mut next, mut hides, mut relist) = (old.join(came), None, false);
        let excused = self.trust && offer.excused && all.same(came);
        match &row.quarantine {
            Some(Quarantine::Held { .. }) if excused => next = all.clone(),
            Some(Quarantine::Held { hidden, mass }) if came.within(hidden) => {
                (next, hides) = (old.clone(), Some((all.clone(), *mass)));
            }
            Some(Quarantine::Held { mass, .. }) if harmless(&all, old, *mass) => next = all.clone(),
            Some(Quarantine::Held { hidden, mass }) => {
                let stays = !harmless(&next, old, *mass);
                relist =
                    stays || next.life.keys().any(|dot| hidden.life.contains_key(dot) && !old.life.contains_key(dot));
                next = if stays { old.clone() } else { next };
                hides = Some((all.clone(), *mass));
            }
            _ => {}
        }
        let mut quarantine = match &row.quarantine {
            Some(Quarantine::Held { .. }) => None,
            Some(Quarantine::Beside { hidden, from: peer, .. }) if offer.held.is_none() => {
                row.quarantine.clone().filter(|_| !excused && !(*peer == from && hidden.within(came)))
            }
            Some(Quarantine::Proposal) => row.quarantine.clone().filter(|_| next.same(old)),
            waits => waits.clone(),
        };
        match (&offer.held, hides.take()) {
            (Some((theirs, _)), Some((hidden, mass))) if theirs.within(&hidden) => hides = Some((hidden, mass)),
            (Some((theirs, mass)), waits) => {
                let joined = next.join(theirs);
                let passes = theirs.within(&next) || harmless(&joined, &next, *mass);
                let waits = waits.filter(|(hidden, _)| !passes || !hidden.within(&joined));
                relist |= !passes || waits.is_some();
                if passes && waits.is_none() {
                    let asked = |q: &Quarantine| matches!(q, Quarantine::Beside { hidden, from: peer, .. } if *peer == from && hidden.same(theirs));
                    relist |= !quarantine.as_ref().is_some_and(asked);
                    let beside = Quarantine::Beside { visible: came.clone(), hidden: theirs.clone(), from };
                    quarantine = quarantine.filter(asked).or(Some(beside));
                } else {
                    let (before, was) = waits.unwrap_or_else(|| (next.clone(), false));
                    hides = Some((before.join(theirs), was || (!passes && *mass)));
                }
                next = if passes { joined } else { next };
            }
            (None, waits) => hides = waits,
        }
        if let Some((hidden, mass)) = hides.filter(|(hidden, _)| !hidden.within(&next)) {
            quarantine = Some(Quarantine::Held { hidden, mass });
        }
        let total = offer.held.iter().fold(all, |all, (theirs, _)| all.join(theirs));
        let harm = if excused { Harm::default() } else { self.harm(r, key.0, old, &next) };
        Drafted { key, next, quarantine, total, excused, relist, harm }
    }

    /// Takes a message as one round: a commit for each collection, in order.
    fn receive(&mut self, r: usize, from: usize, offers: &[Offer]) {
        let (had, mut passed) = (self.base(r, None).len(), Vec::new());
        for collection in 0..2 {
            let offers = offers.iter().filter(|offer| offer.key.0 == collection);
            let drafts: Vec<Drafted> = offers.clone().map(|offer| self.draft(r, from, offer)).collect();
            let held = self.review(r, &drafts, &passed, had);
            for (draft, offer) in drafts.into_iter().zip(offers) {
                let mass = held.get(&draft.key);
                passed.extend(mass.is_none().then(|| draft.clone()));
                self.store(r, draft, offer, mass.copied());
            }
        }
    }

    /// Stores one reviewed draft, or holds it.
    fn store(&mut self, r: usize, draft: Drafted, offer: &Offer, held: Option<bool>) {
        let (key, mut row, new) = (draft.key, self.row(r, draft.key), !self.replicas[r].rows.contains_key(&draft.key));
        let (mut dead, mut relist) = (row.standing, draft.relist);
        if let Some(mass) = held {
            let masses = |q: &Option<Quarantine>| matches!(q, Some(Quarantine::Held { mass: true, .. }));
            let mass = mass || masses(&row.quarantine) || masses(&draft.quarantine);
            (row.quarantine, relist) = (Some(Quarantine::Held { hidden: draft.total, mass }), true);
        } else {
            let told = offer.excused && (draft.excused || new) && offer.version.same(&draft.next);
            row.excused = told || (row.excused && row.version.same(&draft.next));
            if row.version.is_alive() || draft.excused {
                dead = if draft.harm.loss { Standing::Hidden } else { Standing::Gone };
            }
            if draft.harm.loss {
                row.lost = Some((self.now, draft.harm.unauthored || row.lost.is_some_and(|(_, before)| before)));
            }
            row.lost = row.lost.filter(|_| !draft.excused);
            if draft.excused && row.quarantine.is_some() {
                self.replicas[r].forgot.remove(&key.0);
            }
            (row.version, row.quarantine) = (draft.next, draft.quarantine);
        }
        let (pending, seq, is_held) = (row.pending, row.seq, matches!(row.quarantine, Some(Quarantine::Held { .. })));
        self.put(r, key, row, dead, relist);
        let Some(row) = self.replicas[r].rows.get_mut(&key) else { return };
        let theirs = offer.held.as_ref().map_or(&offer.version, |(theirs, _)| theirs);
        row.pending = (pending || row.seq != seq)
            && (!theirs.same(row.known()) || (is_held && offer.held.is_none()) || (row.excused && !draft.excused));
    }

    /// A device sends what the server is not known to know.
    fn push(&mut self, r: usize) {
        let pending = |(_, row): &(&Key, &Row)| row.pending;
        let sent: Vec<Offer> = self.replicas[r].rows.iter().filter(pending).map(|(key, row)| row.offer(*key)).collect();
        self.receive(0, r, &sent);
        for key in sent.iter().map(|offer| offer.key) {
            let server = self.row(0, key);
            self.replicas[r].rows.entry(key).and_modify(|row| row.pending = !row.known().same(server.known()));
        }
    }

    /// A device takes what changed on the server since it last asked.
    fn pull(&mut self, r: usize) {
        let changed = |(_, row): &(&Key, &Row)| row.seq > self.replicas[r].pulled;
        let sent: Vec<Offer> = self.replicas[0].rows.iter().filter(changed).map(|(key, row)| row.offer(*key)).collect();
        self.receive(r, 0, &sent);
        self.replicas[r].pulled = self.now;
    }

    /// Does one step of replica `r`.
    pub(crate) fn apply(&mut self, r: usize, op: &Op) {
        self.now += 1;
        let changed = if matches!(op, Op::Push) { 0 } else { r };
        let before = self.replicas[changed].rows.clone();
        let one = |value: &Text| BTreeSet::from([*value]);
        match op {
            Op::Create(key, fields, cause) => {
                self.create(r, *key, fields.iter().map(|(name, value)| (*name, one(value))).collect(), *cause, None);
            }
            Op::Read(key) => {
                let version = Some(self.row(r, *key).version).filter(Version::is_alive);
                self.replicas[r].reads.extend(version.map(|version| (*key, version)));
            }
            Op::Edit(key, fields, cause, stale) => {
                let fresh = Some(self.row(r, *key).version).filter(Version::is_alive);
                let Some(seen) = self.replicas[r].reads.get(key).filter(|_| *stale).cloned().or(fresh) else { return };
                let new = fields.iter().filter(|(name, value)| seen.shown().get(name) != value.as_ref());
                self.edit(
                    r,
                    *key,
                    &seen,
                    new.map(|(name, value)| (*name, value.iter().copied().collect())).collect(),
                    *cause,
                );
            }
            Op::Delete(key, cause) => self.say(r, *key, false, *cause, None),
            Op::DeleteMany(collection, records) => self.delete_many(r, *collection, records),
            Op::Restore(key) => self.say(r, *key, true, Cause::User, None),
            Op::Move(from, to) => {
                let (row, there) = (self.row(r, *from), self.row(r, *to));
                if row.version.is_alive() && !there.version.is_alive() {
                    let shown = row.version.shown().into_iter().map(|(name, value)| (name, one(&value))).collect();
                    self.create(r, *to, shown, Cause::User, Some((self.now, None)));
                    self.say(r, *from, false, Cause::User, Some((self.now, Some(*to))));
                }
            }
            Op::Push => self.push(r),
            Op::Pull => self.pull(r),
            Op::Answer(collection, nth, keep) => self.answer(r, *collection, *nth, *keep),
            Op::Undo(collection, nth) => self.undo(r, *collection, *nth),
            Op::Day(day) => self.day(r, *day),
            Op::LoseLedger(collection) => drop(self.replicas[r].forgot.insert(*collection)),
        }
        let mut receipts = BTreeMap::<u8, Vec<(Key, Version, Version)>>::new();
        for (key, row) in &self.replicas[changed].rows {
            let old = before.get(key).map(|row| row.version.clone()).unwrap_or_default();
            if !old.same(&row.version) {
                receipts.entry(key.0).or_default().push((*key, old, row.version.clone()));
            }
        }
        for (collection, changes) in receipts {
            let replica = &mut self.replicas[changed];
            replica.receipts.entry(collection).or_default().push((replica.ticks, changes));
        }
    }

    /// A day passes: what was dead for the whole retention is emptied, and forgets what its fields covered.
    fn day(&mut self, r: usize, day: i64) {
        let replica = &mut self.replicas[r];
        replica.ticks += u64::from(replica.day.is_none_or(|last| day > last));
        replica.day = replica.day.max(Some(day));
        let ticks = replica.ticks;
        for row in
            replica.rows.values_mut().filter(|row| row.dead_since.is_some_and(|since| since + RETENTION <= ticks))
        {
            row.version.fields.clear();
            row.dead_since = None;
        }
        replica.receipts.values_mut().for_each(|all| all.retain(|(at, _)| at + RETENTION > ticks));
    }
}
