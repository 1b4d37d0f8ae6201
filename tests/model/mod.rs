//! Reference model: what a few replicas of a few records must look like after each step, by brute force.
//!
//! Written from the design, not from the engine. A version is a plain set of the writes it has seen; what survives is
//! looked up in one log of all writes ever made, so there is no register code to get wrong. Replica 0 is the server.
//! A driver names replicas, collections and records so that they sort as the numbers here, and stamps every write with
//! the number of its op (from 1) as the time.
#![allow(dead_code, reason = "each test that includes the model uses a part of it")]
#![allow(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::unwrap_used,
    reason = "stops at its own bugs"
)]

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
/// Values by field.
pub(crate) type Fields = BTreeMap<Text, BTreeSet<Text>>;
/// Alive, with the values that survive; none while dead.
pub(crate) type Look = (bool, Fields);
type Dots = BTreeSet<Dot>;
/// All writes ever made to one record.
type Events = BTreeMap<Dot, Event>;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Quarantine {
    /// The version that would result, and whether a mass change put it here.
    Held { hidden: Version, mass: bool },
    /// A bulk delete that waits for an answer.
    Proposal { base: Version },
    /// A peer holds back what is stored here plainly.
    Beside { visible: Version, hidden: Version },
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
    version: Version,
    quarantine: Option<Quarantine>,
    pub(crate) standing: Standing,
    /// Unanswered loss by sync: when, and whether unauthored.
    pub(crate) lost: Option<(u64, bool)>,
    /// A consent that travels names exactly this version.
    excused: bool,
    /// First-seen place, over the account.
    place: usize,
    line: Option<usize>,
    dead_since: Option<u64>,
    /// Device: what the server is known to know.
    acked: (Version, bool),
    /// Server: when it last changed.
    seq: u64,
}

impl Row {
    /// All that this replica knows of the record, held or not.
    fn known(&self) -> &Version {
        if let Some(Quarantine::Held { hidden, .. }) = &self.quarantine { hidden } else { &self.version }
    }

    /// Whether a consent names all that is known here.
    fn is_answered(&self) -> bool {
        self.excused && !matches!(self.quarantine, Some(Quarantine::Held { .. }))
    }

    pub(crate) fn is_spent(&self) -> bool {
        self.lost.is_some() || matches!(self.quarantine, Some(Quarantine::Held { .. } | Quarantine::Proposal { .. }))
    }
}

/// One line of the running list of held records.
#[derive(Debug, Clone)]
struct Line {
    key: Key,
    open: bool,
    at: u64,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Replica {
    pub(crate) rows: BTreeMap<Key, Row>,
    lines: Vec<Line>,
    counters: BTreeMap<u8, u64>,
    /// Per commit that changed something: record, version before, version after.
    receipts: Vec<Vec<(Key, Version, Version)>>,
    reads: BTreeMap<Key, Version>,
    /// Collections whose ledger is missing.
    forgot: BTreeSet<u8>,
    commits: u64,
    pulled: u64,
    day: Option<i64>,
    ticks: u64,
}

/// One message's word on one record.
struct Incoming {
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

/// One step. Collections are taken in order of their number, records of one commit likewise.
#[derive(Debug, Clone)]
pub(crate) enum Op {
    /// Over an existing id: an edit.
    Create {
        replica: usize,
        key: Key,
        fields: Vec<(Text, Text)>,
        cause: Cause,
    },
    /// Remembers what is shown now, for a later stale edit.
    Read {
        replica: usize,
        key: Key,
    },
    /// `None` clears. Stale: under what was last read, if anything was.
    Edit {
        replica: usize,
        key: Key,
        fields: Vec<(Text, Option<Text>)>,
        cause: Cause,
        stale: bool,
    },
    Delete {
        replica: usize,
        key: Key,
        cause: Cause,
    },
    DeleteMany {
        replica: usize,
        keys: BTreeSet<Key>,
    },
    Move {
        replica: usize,
        from: Key,
        to: Key,
    },
    Push {
        replica: usize,
    },
    Pull {
        replica: usize,
    },
    /// Up to and with the n-th open line of the collection, from 0.
    Consent {
        replica: usize,
        collection: u8,
        nth: usize,
    },
    Keep {
        replica: usize,
        collection: u8,
        nth: usize,
    },
    /// The n-th last receipt, from 0.
    Undo {
        replica: usize,
        nth: usize,
    },
    Tick {
        replica: usize,
        day: i64,
    },
    Purge {
        replica: usize,
    },
    LoseLedger {
        replica: usize,
        collection: u8,
    },
}

/// What a driver compares.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Observed {
    /// What is visible, and what an open line hides; a proposal removes.
    pub(crate) records: BTreeMap<Key, (Look, Option<Look>)>,
    /// Base n and spent.
    pub(crate) ledgers: BTreeMap<u8, (usize, usize)>,
    /// Records of the open lines, by collection, in order.
    pub(crate) open: BTreeMap<u8, Vec<u16>>,
}

pub(crate) struct Model {
    log: BTreeMap<Key, Events>,
    pub(crate) replicas: Vec<Replica>,
    /// The family that identifies a record, by collection.
    pub(crate) identifying: BTreeMap<u8, Text>,
    /// Whether travelling consents lift limits.
    pub(crate) trust: bool,
    now: u64,
}

pub(crate) const RETENTION: u64 = 30;
/// Whether a held version that the receiver of a pair can apply without loss is also kept beside, so that it can be
/// answered here. Otherwise three concurrent deletes, held on the server, leave no device with a line.
const APPLIED_PAIRS_STAY: bool = true;
static NO_EVENTS: Events = Events::new();

impl Model {
    pub(crate) fn new(replicas: usize) -> Self {
        let replicas = vec![Replica::default(); replicas];
        Self { log: BTreeMap::new(), replicas, identifying: BTreeMap::new(), trust: true, now: 0 }
    }

    fn events(&self, key: Key) -> &Events {
        self.log.get(&key).unwrap_or(&NO_EVENTS)
    }
    fn row(&self, r: usize, key: Key) -> Row {
        self.replicas[r].rows.get(&key).cloned().unwrap_or_default()
    }
    fn is_alive(&self, key: Key, version: &Version) -> bool {
        version.is_alive(self.events(key))
    }
    fn look(&self, key: Key, version: &Version) -> Look {
        let alive = self.is_alive(key, version);
        (alive, if alive { version.values(self.events(key)) } else { Fields::new() })
    }

    pub(crate) fn observe(&self, r: usize) -> Observed {
        let mut seen = Observed::default();
        for (key, row) in &self.replicas[r].rows {
            let held = match &row.quarantine {
                Some(Quarantine::Held { hidden, .. }) => Some(self.look(*key, hidden)),
                Some(Quarantine::Proposal { .. }) => Some((false, Fields::new())),
                Some(Quarantine::Beside { .. }) | None => None,
            };
            seen.records.insert(*key, (self.look(*key, &row.version), held));
            let (base, spent) = seen.ledgers.entry(key.0).or_default();
            *base += usize::from(row.standing != Standing::Gone);
            *spent += usize::from(row.is_spent());
        }
        for line in self.replicas[r].lines.iter().filter(|line| line.open) {
            seen.open.entry(line.key.0).or_default().push(line.key.1);
        }
        seen
    }

    /// Writes that no replica knows any more: none, ever, for life; for fields only after a purge.
    pub(crate) fn vanished(&self, fields: bool) -> Vec<(Key, Dot)> {
        let dots = |v: &Version, dot: &Dot| if fields { v.fields.contains(dot) } else { v.life.contains(dot) };
        let known = |key: Key, dot: &Dot| (0..self.replicas.len()).any(|r| dots(self.row(r, key).known(), dot));
        let writes = self.log.iter().flat_map(|(key, events)| events.iter().map(|(dot, event)| (*key, *dot, event)));
        let lost = writes.filter(|(key, dot, event)| (!fields || !event.fields.is_empty()) && !known(*key, dot));
        lost.map(|(key, dot, _)| (key, dot)).collect()
    }

    /// Mints a write by `r` on top of `on`. `covers` are the field writes it covers.
    fn author(&mut self, r: usize, key: Key, on: &Version, mut event: Event) -> Version {
        let counter = self.replicas[r].counters.entry(key.0).or_default();
        *counter += 1;
        let dot = (*counter, r);
        let events = self.log.entry(key).or_default();
        let speaks = event.life != Some(false);
        if speaks {
            // A former writer who has forgotten its own writes (a purge) covers them by writing again.
            let forgotten: Dots = events.keys().filter(|d| d.1 == r && !on.fields.contains(d)).copied().collect();
            for name in events.values().flat_map(|e| e.fields.keys().copied()) {
                event.covers_fields.entry(name).or_default().extend(&forgotten);
            }
        }
        events.insert(dot, event);
        let log = self.events(key);
        let mut next = on.clone();
        next.life.insert(dot);
        if speaks {
            next.fields.insert(dot);
        }
        let before = on.shown(log);
        if !before.is_empty() && (before != next.shown(log) || on.is_alive(log) != next.is_alive(log)) {
            next.superseded.insert((dot, before));
        }
        next.join(&Version::default())
    }

    /// A write of `fields`, and of life where `life` says so, that covers what `seen` and `on` have both seen.
    fn event(&self, cause: Cause, life: Option<bool>, on: &Version, seen: &Version, fields: Fields) -> Event {
        let covered: Dots = &on.fields & &seen.fields;
        let covers_fields = fields.keys().map(|name| (*name, covered.clone())).collect();
        let covers_life = if life.is_some() { &on.life & &seen.life } else { Dots::new() };
        Event { cause, at: self.now, life, moved: None, fields, covers_life, covers_fields }
    }

    /// Stores the row, with its visibility and the tick of its death, in its first-seen place.
    fn put(&mut self, r: usize, key: Key, mut row: Row, dead: Standing) {
        let alive = self.is_alive(key, &row.version);
        let replica = &mut self.replicas[r];
        row.standing = if alive { Standing::Visible } else { dead };
        row.dead_since = if alive { None } else { row.dead_since.or(Some(replica.ticks)) };
        if !replica.rows.contains_key(&key) {
            row.place = replica.rows.len();
        }
        replica.rows.insert(key, row);
    }

    /// Strikes the record's line and, where something still waits, appends a new one.
    fn relist(&mut self, r: usize, key: Key, row: &mut Row) {
        let replica = &mut self.replicas[r];
        if let Some(line) = row.line.take() {
            replica.lines[line].open = false;
        }
        if row.quarantine.is_some() {
            row.line = Some(replica.lines.len());
            replica.lines.push(Line { key, open: true, at: replica.commits });
        }
    }

    /// Stores what `r` has itself written: `next`, on top of the visible version or, to remove, of all that is known.
    fn own(&mut self, r: usize, key: Key, next: Version, cause: Cause) {
        let mut row = self.row(r, key);
        let (was, deletes) = (row.standing, self.is_alive(key, &row.version) && !self.is_alive(key, &next));
        row.version = next;
        row.excused = false;
        match row.quarantine.clone() {
            Some(Quarantine::Held { hidden, mass }) => {
                let all = row.version.join(&hidden);
                if deletes || self.harmless(r, key, &row.version, &all, mass) {
                    (row.version, row.quarantine) = (all, None);
                    self.relist(r, key, &mut row);
                } else {
                    row.quarantine = Some(Quarantine::Held { hidden: all, mass });
                }
            }
            Some(Quarantine::Proposal { .. }) => {
                row.quarantine = None;
                self.relist(r, key, &mut row);
            }
            Some(Quarantine::Beside { .. }) | None => {}
        }
        let person = deletes || cause.is_person();
        row.lost = row.lost.filter(|_| !person);
        self.put(r, key, row, if person { Standing::Gone } else { was });
    }

    /// What one message's word on one record would do here, before the guard.
    fn draft(&self, r: usize, incoming: &Incoming) -> Drafted {
        let (key, came, row) = (incoming.key, &incoming.version, self.row(r, incoming.key));
        let (log, old, all) = (self.events(key), &row.version, row.known().join(came));
        let (with, mut next, mut relist) = (old.join(came), old.clone(), false);
        let mut hides = match &row.quarantine {
            Some(Quarantine::Held { hidden, mass }) => Some((hidden.clone(), *mass)),
            _ => None,
        };
        let excused = self.trust && incoming.excused && all.same(came, log);
        if excused {
            (next, hides) = (all.clone(), None);
        } else if !came.within(row.known(), log) {
            match hides {
                None => next = with,
                Some((_, mass)) if self.harmless(r, key, old, &all, mass) => (next, hides) = (all.clone(), None),
                Some((hidden, mass)) => {
                    let loss = self.harm(r, key, old, &with).loss;
                    relist = loss || !(&with.life - &old.life).is_disjoint(&hidden.life);
                    next = if loss { next } else { with };
                    hides = Some((all.clone(), mass));
                }
            }
        }
        let mut pair = None;
        if let Some((theirs, mass)) = &incoming.held {
            let joined = next.join(theirs);
            if theirs.within(&next, log) {
                pair = Some(Quarantine::Beside { visible: came.clone(), hidden: theirs.clone() });
            } else if self.harmless(r, key, &next, &joined, *mass) {
                next = joined;
                // Without this nobody may be left who can answer: see APPLIED_PAIRS_STAY.
                pair = APPLIED_PAIRS_STAY.then(|| Quarantine::Beside { visible: came.clone(), hidden: theirs.clone() });
                hides = hides.map(|(hidden, mass)| (hidden.join(theirs), mass));
            } else if !hides.as_ref().is_some_and(|(hidden, _)| theirs.within(hidden, log)) {
                let before = hides.unwrap_or_else(|| (next.clone(), false));
                (hides, relist) = (Some((before.0.join(theirs), before.1 || *mass)), true);
            }
        }
        let hides = hides.filter(|(hidden, _)| !hidden.within(&next, log));
        let stays = match &row.quarantine {
            Some(Quarantine::Beside { hidden, .. }) => incoming.held.is_some() || !hidden.within(came, log),
            Some(Quarantine::Proposal { base }) => base.same(&next, log),
            Some(Quarantine::Held { .. }) | None => false,
        };
        let quarantine = match hides {
            Some((hidden, mass)) => Some(Quarantine::Held { hidden, mass }),
            None => pair.or_else(|| row.quarantine.clone().filter(|_| stays)),
        };
        let both_held = [&row.quarantine, &quarantine].iter().all(|q| matches!(q, Some(Quarantine::Held { .. })));
        relist |= !both_held && quarantine != row.quarantine;
        let total = incoming.held.iter().fold(all, |all, (theirs, _)| all.join(theirs));
        let harm = if excused { Harm::default() } else { self.harm(r, key, old, &next) };
        Drafted { key, next, quarantine, total, excused, relist, harm }
    }

    /// Takes a message as one round: a commit for each collection, in order.
    fn receive(&mut self, r: usize, incoming: &[Incoming]) {
        let account = self.base(r, None);
        let mut round: Vec<Drafted> = Vec::new();
        for collection in incoming.iter().map(|i| i.key.0).collect::<BTreeSet<_>>() {
            let part: Vec<&Incoming> = incoming.iter().filter(|i| i.key.0 == collection).collect();
            let drafts: Vec<Drafted> = part.iter().map(|i| self.draft(r, i)).collect();
            let mut held =
                self.review(r, false, &self.base(r, Some(collection)), &drafts.iter().collect::<Vec<_>>(), &drafts);
            round.extend(drafts.iter().cloned());
            if r != 0 {
                for (key, mass) in self.review(r, true, &account, &round.iter().collect::<Vec<_>>(), &drafts) {
                    *held.entry(key).or_insert(false) |= mass;
                }
            }
            self.replicas[r].commits += 1;
            for (drafted, incoming) in drafts.into_iter().zip(part) {
                self.store(r, drafted, &incoming.version, incoming.excused, held.get(&incoming.key).copied());
            }
        }
    }

    /// Stores one reviewed draft, or holds it.
    fn store(&mut self, r: usize, drafted: Drafted, came: &Version, excused: bool, held: Option<bool>) {
        let (key, mut row, mut relist) = (drafted.key, self.row(r, drafted.key), drafted.relist);
        let mut dead = row.standing;
        if let Some(mass) = held {
            let masses = |q: &Option<Quarantine>| matches!(q, Some(Quarantine::Held { mass: true, .. }));
            let mass = mass || masses(&row.quarantine) || masses(&drafted.quarantine);
            let was = matches!(row.quarantine, Some(Quarantine::Held { .. })).then(|| row.known().clone());
            relist = !was.is_some_and(|was| drafted.total.within(&was, self.events(key)));
            row.quarantine = Some(Quarantine::Held { hidden: drafted.total, mass });
        } else {
            let log = self.events(key);
            row.excused =
                (row.excused && row.version.same(&drafted.next, log)) || (excused && came.same(&drafted.next, log));
            if row.version.is_alive(log) || drafted.excused {
                dead = if drafted.harm.loss { Standing::Hidden } else { Standing::Gone };
            }
            if drafted.harm.loss {
                let before = row.lost.is_some_and(|(_, unauthored)| unauthored);
                row.lost = Some((self.replicas[r].commits, before || drafted.harm.unauthored));
            }
            if drafted.excused {
                // An answer has come from elsewhere.
                row.lost = None;
                self.replicas[r].forgot.remove(&key.0);
            }
            (row.version, row.quarantine) = (drafted.next, drafted.quarantine);
        }
        if relist {
            self.relist(r, key, &mut row);
        }
        self.put(r, key, row, dead);
    }

    fn delete(&mut self, r: usize, key: Key, cause: Cause, moved: Option<(u64, Option<Key>)>) {
        let row = self.row(r, key);
        if row.standing == Standing::Visible {
            let on = row.version.join(row.known());
            let event = Event { moved, ..self.event(cause, Some(false), &on, &on, Fields::new()) };
            let next = self.author(r, key, &on, event);
            self.own(r, key, next, cause);
        }
    }

    fn edit(&mut self, r: usize, key: Key, seen: Option<Version>, fields: Fields, cause: Cause) {
        let row = self.row(r, key);
        if !row.version.life.is_empty() && !fields.is_empty() {
            let seen = seen.as_ref().unwrap_or(&row.version);
            let event = self.event(cause, cause.is_person().then_some(true), &row.version, seen, fields);
            let next = self.author(r, key, &row.version, event);
            self.own(r, key, next, cause);
        }
    }

    fn create(&mut self, r: usize, key: Key, fields: Fields, cause: Cause, moved: Option<(u64, Option<Key>)>) {
        if !self.row(r, key).version.life.is_empty() {
            return self.edit(r, key, None, fields, cause);
        }
        let on = Version::default();
        let event = Event { moved, ..self.event(cause, Some(true), &on, &on, fields) };
        let next = self.author(r, key, &on, event);
        self.own(r, key, next, cause);
    }

    fn delete_many(&mut self, r: usize, keys: &BTreeSet<Key>) {
        for collection in keys.iter().map(|key| key.0).collect::<BTreeSet<_>>() {
            let visible = |(_, row): &(&Key, &Row)| row.standing == Standing::Visible;
            let there =
                self.replicas[r].rows.iter().filter(visible).map(|(key, _)| *key).filter(|key| key.0 == collection);
            let (go, stay): (Vec<Key>, Vec<Key>) = there.partition(|key| keys.contains(key));
            let ask = go.len() >= 5 || (stay.is_empty() && !go.is_empty());
            self.replicas[r].commits += u64::from(ask);
            for key in go {
                let mut row = self.row(r, key);
                match row.quarantine {
                    _ if !ask => self.delete(r, key, Cause::User, None),
                    Some(Quarantine::Held { .. } | Quarantine::Proposal { .. }) => {}
                    Some(Quarantine::Beside { .. }) | None => {
                        row.quarantine = Some(Quarantine::Proposal { base: row.version.clone() });
                        self.relist(r, key, &mut row);
                        self.put(r, key, row, Standing::Visible);
                    }
                }
            }
        }
    }

    /// A person's answer to the open lines of a collection, up to and with the n-th, and to the losses before it.
    fn answer(&mut self, r: usize, collection: u8, nth: usize, keep: bool) {
        let open = |line: &&Line| line.open && line.key.0 == collection;
        let lines: Vec<Line> = self.replicas[r].lines.iter().filter(open).take(nth + 1).cloned().collect();
        let Some(last) = lines.get(nth).map(|line| line.at) else { return };
        for key in lines.into_iter().map(|line| line.key) {
            let mut row = self.row(r, key);
            let (base, hidden) = match row.quarantine.take() {
                Some(Quarantine::Held { hidden, .. }) => (row.version.clone(), hidden),
                Some(Quarantine::Beside { visible, hidden }) => (visible, hidden),
                Some(Quarantine::Proposal { base }) => (base.clone(), base),
                None => continue,
            };
            let proposal = base == hidden;
            self.relist(r, key, &mut row);
            let on = row.version.join(&hidden);
            row.lost = None;
            if proposal {
                self.put(r, key, row, Standing::Gone);
                if !keep {
                    self.delete(r, key, Cause::User, None);
                    self.replicas[r].rows.get_mut(&key).unwrap().excused = true;
                }
                continue;
            }
            row.excused = keep || on.same(&hidden, self.events(key));
            row.version = if keep { self.kept(r, key, &on, &base, &hidden) } else { on };
            self.put(r, key, row, Standing::Gone);
        }
        let replica = &mut self.replicas[r];
        replica.forgot.remove(&collection);
        let answered = |row: &Row| row.lost.is_some_and(|(at, _)| at <= last);
        for (_, row) in replica.rows.iter_mut().filter(|(key, row)| key.0 == collection && answered(row)) {
            row.lost = None;
            row.standing = if row.standing == Standing::Hidden { Standing::Gone } else { row.standing };
        }
    }

    /// On top of all that is known: alive, and every value of `base` that `hidden` covers, over what that put there.
    fn kept(&mut self, r: usize, key: Key, on: &Version, base: &Version, hidden: &Version) -> Version {
        let (log, mut fields, mut covers) = (self.events(key), Fields::new(), BTreeMap::new());
        for name in base.names(log) {
            let (ours, theirs) = (base.siblings(log, name), hidden.siblings(log, name));
            let covered: BTreeSet<Text> = (&ours - &theirs).into_iter().map(|(_, value)| value).collect();
            if !covered.is_empty() {
                fields.insert(name, covered);
                covers.insert(name, (&theirs - &ours).into_iter().map(|(dot, _)| dot).collect());
            }
        }
        let event = self.event(Cause::User, Some(true), on, on, fields);
        self.author(r, key, on, Event { covers_fields: covers, ..event })
    }

    /// Restores what a receipt changed, unless it was changed since.
    fn undo(&mut self, r: usize, nth: usize) {
        let receipt = self.replicas[r].receipts.iter().rev().nth(nth).cloned().unwrap_or_default();
        for (key, before, after) in receipt {
            let (row, log) = (self.row(r, key), self.events(key));
            if !row.version.same(&after, log) {
                continue;
            }
            if before.is_alive(log) {
                let (was, is) = (before.values(log), row.version.values(log));
                let names = was.keys().chain(is.keys()).filter(|name| was.get(*name) != is.get(*name));
                let fields = names.map(|name| (*name, was.get(name).cloned().unwrap_or_default())).collect();
                let event = self.event(Cause::User, Some(true), &row.version, &row.version, fields);
                let next = self.author(r, key, &row.version, event);
                self.own(r, key, next, Cause::User);
            } else {
                self.delete(r, key, Cause::User, None);
            }
            self.replicas[r].rows.get_mut(&key).unwrap().excused = true;
        }
    }

    /// A device sends what the server is not known to know.
    fn push(&mut self, r: usize) {
        let unsent = |(key, row): &(&Key, &Row)| {
            !row.known().same(&row.acked.0, self.events(**key)) || (row.is_answered() && !row.acked.1)
        };
        let sent: Vec<Incoming> =
            self.replicas[r].rows.iter().filter(unsent).map(|(key, row)| Self::send(*key, row)).collect();
        self.receive(0, &sent);
        for key in sent.iter().map(|i| i.key) {
            let known = self.row(0, key).known().clone();
            let row = self.replicas[r].rows.get_mut(&key).unwrap();
            row.acked = (known, row.is_answered());
        }
    }

    /// A device takes what changed on the server since it last asked.
    fn pull(&mut self, r: usize) {
        let changed = |(_, row): &(&Key, &Row)| row.seq > self.replicas[r].pulled;
        let sent: Vec<Incoming> =
            self.replicas[0].rows.iter().filter(changed).map(|(key, row)| Self::send(*key, row)).collect();
        self.receive(r, &sent);
        for key in sent.iter().map(|i| i.key) {
            let server = self.row(0, key);
            self.replicas[r].rows.get_mut(&key).unwrap().acked = (server.known().clone(), server.is_answered());
        }
        self.replicas[r].pulled = self.replicas[0].pulled;
    }

    fn send(key: Key, row: &Row) -> Incoming {
        let held = match &row.quarantine {
            Some(Quarantine::Held { hidden, mass }) => Some((hidden.clone(), *mass)),
            _ => None,
        };
        Incoming { key, version: row.version.clone(), held, excused: row.excused }
    }

    /// Does one step. A step that makes no sense does nothing.
    pub(crate) fn apply(&mut self, op: &Op) {
        self.now += 1;
        let one = |value: &Text| BTreeSet::from([*value]);
        let (r, before) = match op {
            Op::Push { .. } => (0, self.replicas[0].rows.clone()),
            Op::Create { replica, .. }
            | Op::Read { replica, .. }
            | Op::Edit { replica, .. }
            | Op::Delete { replica, .. }
            | Op::DeleteMany { replica, .. }
            | Op::Move { replica, .. }
            | Op::Pull { replica }
            | Op::Consent { replica, .. }
            | Op::Keep { replica, .. }
            | Op::Undo { replica, .. }
            | Op::Tick { replica, .. }
            | Op::Purge { replica }
            | Op::LoseLedger { replica, .. } => (*replica, self.replicas[*replica].rows.clone()),
        };
        match op {
            Op::Create { key, fields, cause, .. } => {
                self.create(r, *key, fields.iter().map(|(name, value)| (*name, one(value))).collect(), *cause, None);
            }
            Op::Read { key, .. } => {
                let version = self.row(r, *key).version;
                self.replicas[r].reads.insert(*key, version);
            }
            Op::Edit { key, fields, cause, stale, .. } => {
                let seen = self.replicas[r].reads.get(key).filter(|_| *stale).cloned();
                let fields = fields.iter().map(|(name, value)| (*name, value.iter().copied().collect())).collect();
                self.edit(r, *key, seen, fields, *cause);
            }
            Op::Delete { key, cause, .. } => self.delete(r, *key, *cause, None),
            Op::DeleteMany { keys, .. } => self.delete_many(r, keys),
            Op::Move { from, to, .. } => {
                let row = self.row(r, *from);
                if row.standing == Standing::Visible && self.row(r, *to).version.life.is_empty() {
                    self.create(r, *to, row.version.values(self.events(*from)), Cause::User, Some((self.now, None)));
                    self.delete(r, *from, Cause::User, Some((self.now, Some(*to))));
                }
            }
            Op::Push { replica } => self.push(*replica),
            Op::Pull { .. } => self.pull(r),
            Op::Consent { collection, nth, .. } => self.answer(r, *collection, *nth, false),
            Op::Keep { collection, nth, .. } => self.answer(r, *collection, *nth, true),
            Op::Undo { nth, .. } => self.undo(r, *nth),
            Op::Tick { day, .. } => {
                let replica = &mut self.replicas[r];
                replica.ticks += u64::from(replica.day.is_some_and(|last| *day > last));
                replica.day = replica.day.max(Some(*day));
            }
            Op::Purge { .. } => {
                let ticks = self.replicas[r].ticks;
                for row in self.replicas[r].rows.values_mut() {
                    if row.dead_since.is_some_and(|since| ticks - since >= RETENTION) {
                        row.version.fields.clear();
                    }
                }
                return;
            }
            Op::LoseLedger { collection, .. } => {
                self.replicas[r].forgot.insert(*collection);
            }
        }
        self.note_changes(r, &before);
    }

    /// Receipts (one for each collection that changed) and, on the server, the change feed.
    fn note_changes(&mut self, r: usize, before: &BTreeMap<Key, Row>) {
        let rows = self.replicas[r].rows.clone();
        let mut receipts: BTreeMap<u8, Vec<(Key, Version, Version)>> = BTreeMap::new();
        for (key, row) in rows {
            let old = before.get(&key).cloned().unwrap_or_default();
            if (&old.version, &old.quarantine, old.excused) != (&row.version, &row.quarantine, row.excused) && r == 0 {
                self.replicas[0].pulled += 1;
                self.replicas[0].rows.get_mut(&key).unwrap().seq = self.replicas[0].pulled;
            }
            if !old.version.same(&row.version, self.events(key)) {
                receipts.entry(key.0).or_default().push((key, old.version, row.version));
            }
        }
        self.replicas[r].receipts.extend(receipts.into_values());
    }
}
