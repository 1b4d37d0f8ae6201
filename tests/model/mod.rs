//! Reference model: what a few replicas of a few records must look like after each step, by brute force.
//!
//! Written from the design, not from the engine: a version is the plain set of writes it has seen, so there is no
//! register code to get wrong. Replica 0 is the server. A driver raises `now` before each step, stamps what the engine
//! writes with it, and names replicas, collections and records so that they sort as the numbers here.
#![allow(dead_code, reason = "each test that includes the model uses a part of it")]
#![allow(clippy::indexing_slicing, clippy::arithmetic_side_effects, reason = "stops at its own bugs")]

mod guard;
mod version;

use std::collections::{BTreeMap, BTreeSet};

use guard::Harm;
use version::{ALIVE, DELETED, Event, LIFE};
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

/// Days that a removed record can be brought back.
pub(crate) const RETENTION: u64 = 2;
/// The family that identifies a record of collection 0.
pub(crate) const IDENTIFYING: Text = "name";

#[derive(Debug, Clone)]
pub(crate) enum Quarantine {
    /// The version that would result, and whether a mass change put it here.
    Held(Version, bool),
    /// A bulk delete that waits for an answer.
    Proposal,
    /// This peer shows the first, and holds back the second, which is stored here.
    Beside(Version, Version, usize),
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
    /// When its line was appended.
    line: u64,
    /// A consent that travels names exactly this version.
    excused: bool,
    /// First-seen place, over the account; a record that was never alive here has none.
    place: Option<usize>,
    dead_since: Option<u64>,
    /// When others were last to learn something of it, and whether the server has not yet.
    seq: u64,
    pending: bool,
}

impl Row {
    fn held(&self) -> Option<(&Version, bool)> {
        if let Some(Quarantine::Held(hidden, mass)) = &self.quarantine { Some((hidden, *mass)) } else { None }
    }

    /// All that this replica knows of the record, held or not.
    pub(crate) fn known(&self) -> &Version {
        self.held().map_or(&self.version, |(hidden, _)| hidden)
    }

    pub(crate) fn is_spent(&self) -> bool {
        self.lost.is_some() || matches!(self.quarantine, Some(Quarantine::Held(..) | Quarantine::Proposal))
    }
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Replica {
    pub(crate) rows: BTreeMap<Key, Row>,
    counters: BTreeMap<u8, u64>,
    /// Each change of a version: when, on which day, and what was before and after.
    history: Vec<(u64, u64, Key, Version, Version)>,
    /// Collections whose ledger is missing.
    pub(crate) forgot: BTreeSet<u8>,
    pulled: u64,
    days: u64,
}

/// One record of a draft: what would be stored, or else hidden.
#[derive(Debug, Clone)]
struct Drafted {
    key: Key,
    row: Row,
    total: Version,
    harm: Harm,
    /// Under a new line.
    asks: bool,
    /// By a consent that travelled.
    excused: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct Model {
    pub(crate) replicas: Vec<Replica>,
    /// Whether travelling consents lift limits.
    pub(crate) trust: bool,
    pub(crate) now: u64,
}

impl Model {
    pub(crate) fn new(replicas: usize) -> Self {
        Self { replicas: vec![Replica::default(); replicas], trust: true, now: 0 }
    }

    pub(crate) fn row(&self, r: usize, key: Key) -> Row {
        self.replicas[r].rows.get(&key).cloned().unwrap_or_default()
    }

    /// The open lines of a collection, in order.
    pub(crate) fn open(&self, r: usize, collection: u8) -> BTreeSet<(u64, Key)> {
        let rows = self.replicas[r].rows.iter().filter(|(key, row)| key.0 == collection && row.quarantine.is_some());
        rows.map(|(key, row)| (row.line, *key)).collect()
    }

    /// Stores a row, with what follows from it. `asks`: its question is a new line.
    fn put(&mut self, r: usize, key: Key, mut row: Row, asks: bool) {
        let (alive, old, now, replica) = (row.version.is_alive(), self.row(r, key), self.now, &mut self.replicas[r]);
        let is_new = !replica.rows.contains_key(&key);
        row.standing = if alive { Standing::Visible } else { row.standing };
        row.dead_since = row.dead_since.or(Some(replica.days)).filter(|_| !alive && !row.version.siblings().is_empty());
        let next = replica.rows.values().filter(|row| row.place.is_some()).count();
        row.place = row.place.or(Some(next).filter(|_| alive));
        row.line = if asks { now } else { row.line };
        let held = |row: &Row| row.held().map(|(hidden, mass)| (hidden.digest(), mass));
        let same = row.version.same(&old.version);
        if is_new || !same || held(&row) != held(&old) || row.excused != old.excused {
            (row.seq, row.pending) = (now, true);
        }
        replica.history.extend((!same).then(|| (now, replica.days, key, old.version, row.version.clone())));
        replica.rows.insert(key, row);
    }

    /// A write of `fields` that covers what `seen` and `on` have both seen.
    fn event(&self, cause: Cause, on: &Version, seen: &Version, fields: Fields) -> Event {
        let covers = |name: Text| -> Dots {
            let (ours, theirs) = if name == LIFE { (&on.seen, &seen.seen) } else { (&on.fields, &seen.fields) };
            ours.keys().filter(|dot| theirs.contains_key(dot)).copied().collect()
        };
        let values = |all: BTreeSet<Text>| all.into_iter().map(|value| (value, cause, self.now)).collect();
        let writes = fields.into_iter().map(|(name, all)| (name, (values(all), covers(name)))).collect();
        Event { moved: None, writes }
    }

    /// Makes a write on top of `on` and stores it. `frees`: whether it lets in what is held; by default if that is no loss.
    fn write(&mut self, r: usize, key: Key, cause: Cause, on: &Version, event: Event, frees: Option<bool>) {
        let mut row = self.row(r, key);
        let counter = self.replicas[r].counters.entry(key.0).and_modify(|last| *last += 1).or_insert(1);
        let was_alive = row.version.is_alive();
        (row.version, row.excused) = (on.with((*counter, r), event), false);
        match row.quarantine.clone() {
            Some(Quarantine::Held(hidden, mass)) => {
                let all = row.version.join(&hidden);
                let frees = frees.unwrap_or_else(|| self.harmless(r, key, &row.version, &all, mass, true));
                row.quarantine = (!frees).then(|| Quarantine::Held(all.clone(), mass));
                row.version = if frees { all } else { row.version };
            }
            _ => row.quarantine = None,
        }
        if cause.is_person() || (was_alive && !row.version.is_alive()) {
            (row.lost, row.standing) = (None, Standing::Gone);
        }
        self.put(r, key, row, false);
    }

    /// A person's create revives what is dead, and is refused over what lives; a machine's is an edit of what was there.
    pub(crate) fn create(&mut self, r: usize, key: Key, mut fields: Fields, cause: Cause, moved: Option<u64>) {
        let row = self.row(r, key);
        if self.replicas[r].rows.contains_key(&key) && !cause.is_person() {
            self.edit(r, key, &row.version, fields, cause);
        } else if !row.version.is_alive() {
            let on = row.known();
            for name in on.siblings().into_keys() {
                fields.entry(name).or_default();
            }
            fields.insert(LIFE, BTreeSet::from([ALIVE]));
            let event = Event { moved: moved.map(|id| (id, None)), ..self.event(cause, on, on, fields) };
            self.write(r, key, cause, on, event, Some(true));
        }
    }

    /// No values: a clear. `seen` is what was read.
    pub(crate) fn edit(&mut self, r: usize, key: Key, seen: &Version, mut fields: Fields, cause: Cause) {
        let on = self.row(r, key).version;
        if !fields.is_empty() {
            fields.extend(cause.is_person().then(|| (LIFE, BTreeSet::from([ALIVE]))));
            self.write(r, key, cause, &on, self.event(cause, &on, seen, fields), None);
        }
    }

    /// Deletes what lives, or brings back what is dead, speaking of all that is known here.
    pub(crate) fn flip(&mut self, r: usize, key: Key, alive: bool, cause: Cause, moved: Option<(u64, Key)>) {
        let (row, life) = (self.row(r, key), if alive { ALIVE } else { DELETED });
        if self.replicas[r].rows.contains_key(&key) && row.version.is_alive() != alive {
            let event = self.event(cause, row.known(), row.known(), Fields::from([(LIFE, BTreeSet::from([life]))]));
            let event = Event { moved: moved.map(|(id, to)| (id, Some(to))), ..event };
            self.write(r, key, cause, row.known(), event, Some(true));
        }
    }

    pub(crate) fn delete_many(&mut self, r: usize, collection: u8, records: &BTreeSet<u16>) {
        let rows = self.replicas[r].rows.iter().filter(|(key, row)| key.0 == collection && row.version.is_alive());
        let free = |row: &Row| !matches!(row.quarantine, Some(Quarantine::Held(..) | Quarantine::Proposal));
        let go = rows.clone().filter(|(key, row)| records.contains(&key.1) && free(row)).map(|(key, _)| *key);
        let (go, visible): (Vec<Key>, usize) = (go.collect(), rows.count());
        for key in &go {
            if go.len() >= 5 || go.len() == visible {
                self.put(r, *key, Row { quarantine: Some(Quarantine::Proposal), ..self.row(r, *key) }, true);
            } else {
                self.flip(r, *key, false, Cause::User, None);
            }
        }
    }

    /// A person's answer to the open lines of a collection, up to and with the n-th, and to the losses before it.
    pub(crate) fn answer(&mut self, r: usize, collection: u8, nth: usize, keep: bool) {
        let lines = self.open(r, collection);
        let Some((last, _)) = lines.iter().nth(nth).copied() else { return };
        for (_, key) in lines.into_iter().take(nth + 1) {
            let mut row = self.row(r, key);
            (row.lost, row.standing) = (None, Standing::Gone);
            let excused = match row.quarantine.take() {
                Some(Quarantine::Proposal) if keep => row.excused,
                Some(Quarantine::Held(hidden, _)) if !keep => {
                    row.version = hidden;
                    true
                }
                Some(Quarantine::Beside(_, hidden, _)) if !keep => row.version.same(&hidden),
                Some(Quarantine::Held(hidden, _)) => {
                    let event = self.restored(&hidden, &row.version, false);
                    self.write(r, key, Cause::User, &hidden, event, Some(true));
                    true
                }
                Some(Quarantine::Beside(visible, hidden, _)) => {
                    let on = row.version.join(&hidden);
                    self.write(r, key, Cause::User, &on, self.restored(&on, &visible, false), Some(true));
                    true
                }
                Some(Quarantine::Proposal) | None => {
                    self.flip(r, key, false, Cause::User, None);
                    true
                }
            };
            let row = if self.row(r, key).quarantine.is_none() { self.row(r, key) } else { row };
            self.put(r, key, Row { excused, ..row }, false);
        }
        self.replicas[r].forgot.remove(&collection);
        let answered = |row: &Row| row.lost.is_some_and(|(at, _)| at <= last);
        for (_, row) in self.replicas[r].rows.iter_mut().filter(|(key, row)| key.0 == collection && answered(row)) {
            row.lost = None;
            row.standing = if row.standing == Standing::Hidden { Standing::Gone } else { row.standing };
        }
    }

    /// A write on top of `on`: alive, with every value of `former` that `on` covers, over what `on` put there; exactly:
    /// and over all else.
    fn restored(&self, on: &Version, former: &Version, exactly: bool) -> Event {
        let (old, now) = (former.siblings(), on.siblings());
        let mut event = self.event(Cause::User, on, on, Fields::from([(LIFE, BTreeSet::from([ALIVE]))]));
        for name in old.keys().chain(now.keys()) {
            let of = |all: &version::Siblings| all.get(name).cloned().unwrap_or_default();
            let (back, over) = (&of(&old) - &of(&now), &of(&now) - &of(&old));
            if exactly || !back.is_empty() {
                // What was shown is newly written; the rest of a conflict keeps its labels.
                let shown = of(&old).into_iter().max_by_key(version::rank);
                let fresh = |(value, ..): version::Value| (value, Cause::User, self.now);
                let label = |s: (Dot, version::Value)| if shown == Some(s) { fresh(s.1) } else { s.1 };
                let values = back.into_iter().map(label).collect();
                event.writes.insert(name, (values, over.into_iter().map(|(dot, _)| dot).collect()));
            }
        }
        event
    }

    /// Restores what the n-th last commit to a collection changed, unless it was changed since.
    pub(crate) fn undo(&mut self, r: usize, collection: u8, nth: usize) {
        let history = self.replicas[r].history.iter().filter(|change| change.2.0 == collection);
        let times: BTreeSet<u64> = history.clone().map(|change| change.0).collect();
        let changes: Vec<_> =
            history.filter(|change| times.iter().rev().nth(nth) == Some(&change.0)).cloned().collect();
        for (_, _, key, before, after) in changes {
            let row = self.row(r, key);
            if row.version.same(&after) && (before.is_alive() || after.is_alive()) {
                if before.is_alive() {
                    let event = self.restored(&row.version, &before, true);
                    self.write(r, key, Cause::User, &row.version, event, Some(false));
                } else {
                    self.flip(r, key, false, Cause::User, None);
                }
                self.put(r, key, Row { excused: true, ..self.row(r, key) }, false);
            }
        }
    }

    /// What a peer's word on one record would do here, before the guard.
    fn draft(&self, r: usize, from: usize, key: Key, theirs: &Row) -> Drafted {
        let (mut row, came) = (self.row(r, key), &theirs.version);
        let (old, all, waits) = (row.version.clone(), row.known().join(came), row.quarantine.take());
        let harmless = |on: &Version, new: &Version, mass: bool| self.harmless(r, key, on, new, mass, false);
        let loses = |new: &Version, believes| self.harm(r, key.0, &old, new, believes).loss;
        let moved = |new: &Version| self.trust && loses(new, false) && !loses(new, true);
        let excused = self.trust && theirs.excused && all.same(came);
        let (mut next, mut hides, mut asks) = (old.join(came), None, false);
        if let Some(Quarantine::Held(hidden, mass)) = &waits {
            let known = came.within(hidden);
            if excused || (!known && (harmless(&old, &all, *mass) || moved(&all))) {
                next = all.clone();
            } else {
                let stays = known || !harmless(&old, &next, *mass);
                let gains = next.seen.keys().any(|dot| hidden.seen.contains_key(dot) && !old.seen.contains_key(dot));
                asks = !known && (stays || gains);
                next = if stays { old.clone() } else { next };
                hides = Some((all.clone(), *mass));
            }
        }
        let mut stays = match &waits {
            Some(Quarantine::Beside(_, hidden, peer)) => {
                theirs.held().is_some() || !(excused || (*peer == from && hidden.within(came)))
            }
            Some(Quarantine::Held(..)) | None => false,
            Some(Quarantine::Proposal) => true,
        };
        let is_new = |pair: &Version| hides.as_ref().is_none_or(|(hidden, _)| !pair.within(hidden));
        if let Some((pair, mass)) = theirs.held().filter(|(pair, _)| is_new(pair)) {
            let joined = next.join(pair);
            let passes = pair.within(&next) || harmless(&next, &joined, mass);
            hides = hides.filter(|(hidden, _)| !passes || !hidden.within(&joined));
            if passes && hides.is_none() {
                // What is stored here is held there, unless more is stored here, or a person has answered it.
                let asked = matches!(&waits, Some(Quarantine::Beside(_, k, peer)) if *peer == from && k.same(pair));
                if !asked && joined.same(pair) && !(row.excused && joined.same(&old)) {
                    row.quarantine = Some(Quarantine::Beside(came.clone(), pair.clone(), from));
                    (asks, stays) = (true, false);
                }
            } else {
                let (hidden, was) = hides.unwrap_or_else(|| (next.clone(), false));
                hides = Some((hidden.join(pair), was || (!passes && mass)));
                asks = true;
            }
            next = if passes { joined } else { next };
        }
        if let Some((hidden, mass)) = hides.filter(|(hidden, _)| !hidden.within(&next)) {
            row.quarantine = Some(Quarantine::Held(hidden, mass));
        } else if stays && next.same(&old) {
            row.quarantine = waits;
        }
        let lifted = excused || moved(&next);
        let harm = if lifted { Harm::default() } else { self.harm(r, key.0, &old, &next, false) };
        row.excused = if theirs.excused && came.same(&next) && (excused || old.seen.is_empty()) {
            true
        } else {
            row.excused && old.same(&next)
        };
        if old.is_alive() || excused {
            row.standing = if harm.loss { Standing::Hidden } else { Standing::Gone };
        }
        let lost = harm.loss.then(|| (self.now, harm.unauthored || row.lost.is_some_and(|(_, before)| before)));
        row.lost = lost.or(row.lost).filter(|_| !lifted);
        row.version = next;
        let total = theirs.held().map_or(all.clone(), |(pair, _)| all.join(pair));
        Drafted { key, row, total, harm, asks, excused }
    }

    /// Takes what a peer sends as one round: a commit for each collection, in order.
    fn receive(&mut self, r: usize, from: usize, sent: &[(Key, Row)]) {
        let (had, mut passed) = (self.base(r, None).len(), Vec::new());
        for collection in 0..2 {
            let sent = sent.iter().filter(|(key, _)| key.0 == collection);
            let drafts: Vec<_> = sent.clone().map(|(key, theirs)| self.draft(r, from, *key, theirs)).collect();
            let held = self.review(r, &drafts, &passed, had);
            for (draft, (key, theirs)) in drafts.into_iter().zip(sent) {
                let old = self.row(r, *key);
                if draft.excused && old.quarantine.is_some() && (draft.asks || draft.row.quarantine.is_none()) {
                    self.replicas[r].forgot.remove(&collection);
                }
                passed.extend((!held.contains_key(key)).then(|| draft.clone()));
                let (mut row, mut asks) = (draft.row, draft.asks);
                if let Some(mass) = held.get(key) {
                    let masses = [&old, &row].iter().any(|row| row.held().is_some_and(|(_, mass)| mass));
                    asks = true;
                    row = Row { quarantine: Some(Quarantine::Held(draft.total, *mass || masses)), ..old.clone() };
                }
                self.put(r, *key, row, asks);
                let told = theirs.excused && (draft.excused || old.seq == 0);
                self.replicas[r].rows.entry(*key).and_modify(|row| {
                    let (asked, asks, they_ask) = (old.held().is_some(), row.held().is_some(), theirs.held().is_some());
                    let untold = (row.excused && !told) || (asked && !asks && !told) || (asks && !they_ask);
                    if theirs.known().same(row.known()) {
                        row.pending =
                            if row.seq == old.seq { row.pending || (they_ask && row.excused) } else { untold };
                    }
                });
            }
        }
    }

    /// A device sends what the server is not known to know.
    pub(crate) fn push(&mut self, r: usize) {
        let pending = self.replicas[r].rows.iter().filter(|(_, row)| row.pending);
        let sent: Vec<(Key, Row)> = pending.map(|(key, row)| (*key, row.clone())).collect();
        self.receive(0, r, &sent);
        for (key, _) in sent {
            let server = self.row(0, key);
            let pending = |row: &mut Row| row.pending = !row.known().same(server.known());
            self.replicas[r].rows.entry(key).and_modify(pending);
        }
    }

    /// A device takes what changed on the server since it last asked.
    pub(crate) fn pull(&mut self, r: usize) {
        let changed = self.replicas[0].rows.iter().filter(|(_, row)| row.seq > self.replicas[r].pulled);
        let sent: Vec<(Key, Row)> = changed.map(|(key, row)| (*key, row.clone())).collect();
        self.receive(r, 0, &sent);
        self.replicas[r].pulled = self.now;
    }

    /// A day passes: what was dead for the whole retention is emptied, and forgets what its fields covered.
    pub(crate) fn day(&mut self, r: usize) {
        let replica = &mut self.replicas[r];
        replica.days += 1;
        let is_over = |since: u64| since + RETENTION <= replica.days;
        for row in replica.rows.values_mut().filter(|row| row.dead_since.is_some_and(is_over)) {
            row.version.fields.clear();
            row.dead_since = None;
        }
        replica.history.retain(|(_, day, ..)| !is_over(*day));
    }
}
