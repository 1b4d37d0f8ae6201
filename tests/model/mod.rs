//! Reference model, written from the design: what a few replicas of a few records must look like after each step, by
//! brute force. A version is the plain set of what its writes have said, so there is no register code to get wrong.
//! Replica 0 is the server. A driver raises `now` before each step, stamps what the engine writes with it, and names
//! replicas, collections and records so that they sort as the numbers here.
#![allow(clippy::indexing_slicing, clippy::arithmetic_side_effects, reason = "stops at its own bugs")]

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

pub(crate) use holdfast::values::register::Cause;

/// A field's name or a value. A blank value is empty.
pub(crate) type Text = &'static str;
/// Collection and record.
pub(crate) type Key = (u8, u16);
pub(crate) type At = (usize, Key);
/// New values by register; none: a clear.
pub(crate) type Edits = BTreeMap<Text, Option<Text>>;

/// Days that a removed record can be brought back, and the family that identifies a record of collection 0.
pub(crate) const RETENTION: u64 = 2;
pub(crate) const IDENTIFYING: Text = "name";
/// The register that says whether a record is alive, and its two values.
pub(crate) const LIFE: Text = "";
pub(crate) const ALIVE: Option<Text> = Some("alive");
pub(crate) const DELETED: Option<Text> = Some("deleted");
const PEOPLE: [Cause; 2] = [Cause::User, Cause::Listing];

/// What one write says of one register. Of several that survive there, the greatest is shown.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Word {
    pub(crate) name: Text,
    /// Whether a person said it first, when, and as what.
    label: (bool, u64, Cause),
    pub(crate) dot: (usize, u64),
    pub(crate) value: Option<Text>,
    /// Exactly which writes it covers.
    covers: BTreeSet<(usize, u64)>,
    /// What was shown before.
    before: BTreeMap<Text, Text>,
}

/// What a copy of a record has seen, and not forgotten in a purge.
pub(crate) type Version = BTreeSet<Rc<Word>>;

/// The values that nothing covers: of creates, deletes and people's edits, or else of the fields.
pub(crate) fn surviving(version: &Version, in_life: bool) -> Version {
    let words = || version.iter().filter(|word| (word.name == LIFE) == in_life);
    let covered: BTreeSet<_> = words().flat_map(|by| by.covers.iter().map(|dot| (by.name, *dot))).collect();
    words().filter(|word| word.value.is_some() && !covered.contains(&(word.name, word.dot))).cloned().collect()
}

/// By a person's word that nothing covers, or with no word against it.
pub(crate) fn is_alive(version: &Version) -> bool {
    let (alive, dead): (Version, Version) = surviving(version, true).into_iter().partition(|word| word.value == ALIVE);
    alive.iter().any(|word| dead.is_empty() || word.label.0)
}

pub(crate) fn shown(version: &Version) -> BTreeMap<Text, Text> {
    surviving(version, false).iter().filter_map(|word| Some((word.name, word.value?))).collect()
}

/// What tells versions apart: of a dead one, its certificate.
fn digest(version: &Version) -> Version {
    let alive = is_alive(version);
    version.iter().filter(|word| alive || word.name == LIFE).cloned().collect()
}

fn same(one: &Version, other: &Version) -> bool {
    one == other || digest(one) == digest(other)
}

/// What goes: "loss", "unauthored" loss, "overwritten", "small" (overwritten, of one or two families), an emptied family.
type Taken = BTreeSet<(Text, Key)>;

fn takes(key: Key, old: &Version, new: &Version) -> Taken {
    let (lives, was, is) = (&surviving(new, true) - old, surviving(old, false), surviving(new, false));
    let deletes: BTreeSet<Cause> = lives.iter().filter(|word| word.value == DELETED).map(|word| word.label.2).collect();
    // Values that are not blank, by family.
    let known = |word: &Rc<Word>| Some((word.name.split('/').next()?, word.value.filter(|value| !value.is_empty())?));
    let known = |words: &Version| words.iter().filter_map(known).collect::<BTreeSet<(Text, Text)>>();
    let families = |known: &BTreeSet<(Text, Text)>| known.iter().map(|(family, _)| *family).collect::<BTreeSet<Text>>();
    let (had, has) = (known(&was), known(&is));
    let (before, emptied) = (families(&had), &families(&had) - &families(&has));
    // With no author, values are covered, and what is shown had been superseded.
    let marks = new.iter().rev().filter(|word| word.name == LIFE && word.value.is_none());
    let mut superseded = marks.map(|word| &word.before).filter(|content| !content.is_empty()).take(8);
    let returns = shown(old) != shown(new) && superseded.any(|content| *content == shown(new));
    let reverts = !was.is_subset(&is) && returns && (&is - old).union(&lives).all(|word| word.label.2 != Cause::User);
    let loss = emptied.len() * 2 > before.len()
        || (key.0 == 0 && emptied.contains(IDENTIFYING))
        || (before.len() >= 3 && had.is_disjoint(&has));
    let rules = match is_alive(new) {
        true => [loss || reverts, reverts, !had.is_subset(&has), !had.is_subset(&has) && before.len() <= 2],
        false => [true, deletes == BTreeSet::from([Cause::Listing]), false, false],
    };
    let rules = ["loss", "unauthored", "overwritten", "small"].into_iter().zip(rules).filter(|rule| rule.1);
    let taken = rules.map(|rule| rule.0).chain(emptied.into_iter().filter(|_| is_alive(new)));
    taken.filter(|_| is_alive(old)).map(|what| (what, key)).collect()
}

/// Whether `new` takes nothing from `old` that a hold of this kind would keep.
fn is_harmless(key: Key, old: &Version, new: &Version, mass: bool) -> bool {
    let taken = takes(key, old, new);
    taken.is_empty() || !(mass || taken.contains(&("loss", key)))
}

/// A record as one replica stores it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Row {
    pub(crate) version: Version,
    /// What is held back, and whether a mass change put it there.
    pub(crate) held: Version,
    mass: bool,
    /// What would stay, what would be, and who asks: a peer that holds back what is stored here, or a bulk delete here.
    pub(crate) beside: Option<(Version, Version, usize)>,
    /// When the open line was appended.
    line: u64,
    /// Unanswered loss by sync: when, and whether unauthored.
    pub(crate) lost: Option<(u64, bool)>,
    /// An answer that travels names exactly this version.
    excused: bool,
}

impl Row {
    pub(crate) fn known(&self) -> Version {
        &self.version | &self.held
    }

    /// Whether something waits for an answer at `r`, and not only at a peer.
    pub(crate) fn is_held(&self, r: usize) -> bool {
        !self.held.is_empty() || self.beside.as_ref().is_some_and(|(.., by)| *by == r)
    }

    /// Visible, or hidden by sync and not answered for.
    pub(crate) fn is_in_base(&self) -> bool {
        is_alive(&self.version) || self.lost.is_some()
    }
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Model {
    pub(crate) now: u64,
    /// Whether answers that travel lift limits.
    pub(crate) trust: bool,
    pub(crate) rows: BTreeMap<At, Row>,
    /// What has been visible, in first-seen order.
    places: Vec<At>,
    /// What others last heard, by who heard it.
    told: BTreeMap<(usize, At), Row>,
    /// Each change of a version: where, when, how many days ago, and what was before and after.
    history: Vec<(At, u64, u64, Version, Version)>,
}

impl Model {
    pub(crate) fn row(&self, at: At) -> Row {
        self.rows.get(&at).cloned().unwrap_or_default()
    }

    pub(crate) fn all(&self, r: usize, collection: u8) -> impl Iterator<Item = (Key, &Row)> + Clone {
        self.rows.range((r, (collection, 0))..(r, (collection + 1, 0))).map(|((_, key), row)| (*key, row))
    }

    /// The open lines of a collection, in order.
    pub(crate) fn open(&self, r: usize, collection: u8) -> BTreeSet<(u64, Key)> {
        let open = self.all(r, collection).filter(|(_, row)| !row.held.is_empty() || row.beside.is_some());
        open.map(|(key, row)| (row.line, key)).collect()
    }

    fn put(&mut self, at: At, row: Row) {
        let (old, new) = (self.row(at).version, row.version.clone());
        self.places.extend((is_alive(&new) && !self.places.contains(&at)).then_some(at));
        self.history.extend((!same(&new, &old)).then_some((at, self.now, 0, old, new)));
        self.rows.insert(at, row);
    }

    /// Stores what was written here. It lets in what is held, where that has become harmless; an answer or undo does not.
    fn commit(&mut self, at: At, cause: Cause, version: Version, answers: bool) {
        let row = self.row(at);
        let lost = row.lost.filter(|_| !PEOPLE.contains(&cause) && (is_alive(&version) || !is_alive(&row.version)));
        let mut next = Row { held: &row.held - &version, version, beside: None, excused: answers, lost, ..row };
        if !answers && is_harmless(at.1, &next.version, &next.known(), next.mass) {
            (next.version, next.held) = (next.known(), Version::new());
        }
        self.put(at, next);
    }

    /// `on` with a write of who has read `seen`. It leaves a mark on life and among the fields, to tell who has seen it.
    fn edited(&self, r: usize, cause: Cause, on: &Version, seen: &Version, edits: &Edits) -> Version {
        let (dot, before) = ((r, self.now), shown(on));
        let word = |name, value, label, covers| Word { name, label, dot, value, covers, before: before.clone() };
        let covers = |name| on.intersection(seen).filter(|word| word.name == name).map(|word| word.dot).collect();
        let label = (PEOPLE.contains(&cause), self.now, cause);
        let words = edits.iter().map(|(name, value)| word(*name, *value, label, covers(*name)));
        let marks = [LIFE, "*"].map(|name| word(name, None, (false, self.now, Cause::App), BTreeSet::new()));
        on.iter().cloned().chain(words.chain(marks).map(Rc::new)).collect()
    }

    /// `on` alive, with every value of `former` that it covers, over what it put there; exactly: and over all else.
    fn restored(&self, r: usize, on: &Version, former: &Version, exactly: bool) -> Version {
        let (old, new) = (surviving(former, false), surviving(on, false));
        let (back, over) = (&old - &new, &new - &old);
        let mut restored = self.edited(r, Cause::User, on, on, &Edits::from([(LIFE, ALIVE)]));
        for word in back.iter().chain(over.iter().filter(|_| exactly)) {
            let covers = over.iter().filter(|other| other.name == word.name).map(|other| other.dot).collect();
            // What was shown is newly written; the rest of a conflict keeps its labels.
            let is_shown = old.iter().rev().find(|other| other.name == word.name) == Some(word);
            let label = if is_shown { (true, self.now, Cause::User) } else { word.label };
            let value = word.value.filter(|_| back.contains(word));
            restored.insert(Rc::new(Word { label, dot: (r, self.now), value, covers, ..Word::clone(word) }));
        }
        restored
    }

    /// A person's create revives what is dead, and is refused over what lives; a machine's is an edit of what was there.
    pub(crate) fn create(&mut self, at: At, edits: Edits, cause: Cause) {
        let row = self.row(at);
        if !row.version.is_empty() && !PEOPLE.contains(&cause) {
            return self.edit(at, &row.version, edits, cause);
        }
        let cleared = surviving(&row.known(), false).into_iter().map(|word| (word.name, None));
        self.flip(at, &cleared.chain(edits).chain([(LIFE, ALIVE)]).collect(), cause, false);
    }

    /// `seen` is what was read. A person's edit says that the record is alive.
    pub(crate) fn edit(&mut self, at: At, seen: &Version, mut edits: Edits, cause: Cause) {
        if !edits.is_empty() {
            edits.extend(PEOPLE.contains(&cause).then_some((LIFE, ALIVE)));
            self.commit(at, cause, self.edited(at.0, cause, &self.row(at).version, seen, &edits), false);
        }
    }

    /// Says on top of all that is known that a record lives, or is dead, if it is not.
    pub(crate) fn flip(&mut self, at: At, edits: &Edits, cause: Cause, answers: bool) {
        let (row, known) = (self.row(at), self.row(at).known());
        if is_alive(&row.version) != (edits[LIFE] == ALIVE) {
            self.commit(at, cause, self.edited(at.0, cause, &known, &known, edits), answers);
        }
    }

    /// Deletes what lives and is not held; of many, or all, an answer is asked first.
    pub(crate) fn delete_many(&mut self, r: usize, collection: u8, records: &BTreeSet<u16>) {
        let alive = self.all(r, collection).filter(|(_, row)| is_alive(&row.version));
        let go = alive.clone().filter(|(key, row)| records.contains(&key.1) && !row.is_held(r));
        let (go, all): (Vec<Key>, usize) = (go.map(|(key, _)| key).collect(), alive.count());
        for at in go.iter().map(|key| (r, *key)) {
            let row = self.row(at);
            let deleted = self.edited(r, Cause::User, &row.version, &row.version, &Edits::from([(LIFE, DELETED)]));
            if go.len() >= 5 || go.len() == all {
                self.put(at, Row { beside: Some((row.version.clone(), deleted, r)), line: self.now, ..row });
            } else {
                self.commit(at, Cause::User, deleted, false);
            }
        }
    }

    /// A person's answer to the open lines of a collection, up to and with the n-th, and to the losses before it.
    pub(crate) fn answer(&mut self, r: usize, collection: u8, nth: usize, keep: bool) {
        let lines = self.open(r, collection);
        let Some((last, _)) = lines.iter().nth(nth).copied() else { return };
        for at in lines.into_iter().take(nth + 1).map(|(_, key)| (r, key)) {
            let row = Row { lost: None, ..self.row(at) };
            let (shown, hidden, by) = row.beside.clone().unwrap_or((row.version.clone(), row.known(), usize::MAX));
            let all = &row.version | &hidden;
            if keep && by != r {
                self.commit(at, Cause::User, self.restored(r, &all, &shown, false), true);
            } else {
                let version = if keep { row.version } else { all };
                self.put(at, Row { version, held: Version::new(), beside: None, excused: row.excused || !keep, ..row });
            }
        }
        let rows = self.rows.iter_mut().filter(|((at, key), _)| *at == r && key.0 == collection).map(|(_, row)| row);
        let lost = rows.filter(|row| row.lost.is_some_and(|(at, _)| at <= last));
        lost.for_each(|row| (row.lost, row.excused) = (None, true));
    }

    /// Restores what the n-th last commit to a collection changed, unless it was changed since.
    pub(crate) fn undo(&mut self, r: usize, collection: u8, nth: usize) {
        let history = self.history.iter().filter(|((at, key), ..)| *at == r && key.0 == collection);
        let times: BTreeSet<u64> = history.clone().map(|change| change.1).collect();
        let undone = history.filter(|change| times.iter().rev().nth(nth) == Some(&change.1));
        for (at, _, _, before, after) in undone.cloned().collect::<Vec<_>>() {
            let stored = self.row(at).version;
            if same(&stored, &after) && is_alive(&before) {
                self.commit(at, Cause::User, self.restored(r, &stored, &before, true), true);
            } else if same(&stored, &after) {
                self.flip(at, &Edits::from([(LIFE, DELETED)]), Cause::User, true);
            }
        }
    }

    /// What a peer's word on one record would make of the row here, and what that takes away, before the guard.
    fn draft(&self, at: At, from: usize, theirs: &Row) -> (Row, Taken) {
        let (row, came, pair) = (self.row(at), &theirs.version, theirs.known());
        let (old, known) = (&row.version, row.known());
        let (alone, all) = (old | came, &known | came);
        let excused = self.trust && theirs.excused && same(&all, came);
        // Where a question is open: all that is known, or what came alone, or nothing, as far as that is no loss.
        let is_known = same(&all, &known);
        let fits = |new: &Version| row.held.is_empty() || (!is_known && is_harmless(at.1, old, new, row.mass));
        let mut next = if fits(&alone) { alone } else { old.clone() };
        next = if excused || fits(&all) { all.clone() } else { next };
        // Then what the peer holds: it is stored where that is no loss, and else held here, too.
        let paired = !theirs.held.is_empty() && (next == all || !same(&(&all | &pair), &all));
        let passes = paired && is_harmless(at.1, &next, &(&next | &pair), theirs.mass);
        next = if passes { &next | &pair } else { next };
        let mass = (row.mass && !row.held.is_empty()) || (paired && !passes && theirs.mass);
        let held = &(&all | &pair) - &next;
        // What is stored here is held there, no more is stored here, and no person has answered it.
        let asked = row.beside.as_ref().is_some_and(|(_, hidden, by)| *by == from && same(hidden, &pair));
        let asks = paired && held.is_empty() && same(&next, &pair) && !(asked || (row.excused && same(&next, old)));
        let stays = |(_, hidden, by): &(Version, Version, usize)| {
            let is_released = excused || (*by == from && same(&(came | hidden), came));
            held.is_empty() && same(&next, old) && (*by == at.0 || !theirs.held.is_empty() || !is_released)
        };
        let beside = if asks { Some((came.clone(), pair, from)) } else { row.beside.clone().filter(stays) };
        let line = if asks || (!held.is_empty() && (paired || held != row.held)) { self.now } else { row.line };
        let taken = if excused || next == *old { Taken::new() } else { takes(at.1, old, &next) };
        let unauthored = taken.contains(&("unauthored", at.1)) || row.lost.is_some_and(|(_, before)| before);
        let lost = taken.contains(&("loss", at.1)).then_some((self.now, unauthored)).or(row.lost).filter(|_| !excused);
        let excused = (excused && same(came, &next)) || (row.excused && same(old, &next));
        (Row { version: next, held, mass, beside, line, lost, excused }, taken)
    }

    /// What is held of what a message takes, and whether as a mass change; its round has taken `passed`, from `had` records.
    fn review(
        &self,
        r: usize,
        own: u8,
        (taken, asked): (&Taken, &[Key]),
        passed: &Taken,
        had: usize,
    ) -> BTreeMap<Key, bool> {
        let mut held = BTreeMap::new();
        // In first-seen order the collection and, on a device, the account; and of each the first 8, 16, 32 .. records.
        for account in [false, true].into_iter().filter(|account| r != 0 || !account) {
            let places = self.places.iter().filter(|at| at.0 == r && (account || at.1.0 == own));
            let all: Vec<Key> = places.map(|at| at.1).collect();
            let base: Vec<usize> = (0..all.len()).filter(|place| self.row((r, all[*place])).is_in_base()).collect();
            let (whole, zero_from) = if account { (had, 3) } else { (base.len(), 8) };
            let prefixes = (3..).map(|power| 1 << power).take_while(|n| *n < base.len()).map(|n| (n, base[n - 1] + 1));
            for (n, end) in prefixes.chain([(whole, all.len())]) {
                let budget = |least: usize, percent: usize| least.min(n.div_ceil(2)).max(n * percent / 100).max(1);
                for what in taken.iter().map(|taken| taken.0).collect::<BTreeSet<Text>>() {
                    let (scope, is_whole) = (&all[..end], end == all.len());
                    let is_taken = |key: &&Key| taken.contains(&(what, **key));
                    let is_spent = |key: &&Key| match (what, self.row((r, **key))) {
                        ("unauthored", Row { lost: Some((_, true)), .. }) => true,
                        ("unauthored", row) => takes(**key, &row.version, &row.known()).contains(&(what, **key)),
                        (_, row) => row.lost.is_some() || row.is_held(r) || (asked.contains(key) && row.is_in_base()),
                    };
                    let round = scope.iter().filter(|key| is_taken(key) || passed.contains(&(what, **key))).count();
                    let spent = scope.iter().filter(|key| is_taken(key) || is_spent(key)).count();
                    let zero = is_whole && n >= zero_from && spent >= n.min(base.len());
                    let breaks = match what {
                        "loss" => round > budget(10, 10) || (n >= 8 && spent > n.div_ceil(2)) || zero,
                        "unauthored" => is_whole && (round > budget(3, 1) || spent > budget(10, 5)),
                        "overwritten" => round > 50.max(n * 50 / 100),
                        "small" => round > 20.max(n * 20 / 100),
                        _family => round > 5.max(n * 5 / 100),
                    };
                    for key in scope.iter().filter(is_taken).filter(|_| breaks) {
                        *held.entry(*key).or_insert(false) |= !["loss", "unauthored"].contains(&what);
                    }
                }
            }
        }
        held
    }

    /// One round: `r` takes in what is new at `from`, a commit for each collection, in order.
    pub(crate) fn receive(&mut self, r: usize, from: usize) {
        let had = self.rows.iter().filter(|((at, _), row)| *at == r && row.is_in_base()).count();
        let mut passed = Taken::new();
        let news = |row: &Row| Row { version: digest(&row.version), line: 0, lost: None, beside: None, ..row.clone() };
        for own in 0..2 {
            let sent = self.all(from, own).filter(|(key, row)| self.told.get(&(r, (from, *key))) != Some(&news(row)));
            let sent: Vec<(Key, Row)> = sent.map(|(key, row)| (key, row.clone())).collect();
            self.told.extend(sent.iter().map(|(key, row)| ((r, (from, *key)), news(row))));
            let drafts: Vec<_> = sent.iter().map(|(key, theirs)| self.draft((r, *key), from, theirs)).collect();
            let taken = drafts.iter().flat_map(|(_, taken)| taken.clone()).collect();
            let asks = sent.iter().zip(&drafts).filter(|(_, (next, _))| !next.held.is_empty());
            let asked: Vec<Key> = asks.map(|((key, _), _)| *key).collect();
            let held = self.review(r, own, (&taken, &asked), &passed, had);
            passed.extend(taken.into_iter().filter(|(_, key)| !held.contains_key(key)));
            for ((key, theirs), (mut row, _)) in sent.into_iter().zip(drafts) {
                let old = self.row((r, key));
                if let Some(mass) = held.get(&key) {
                    let (held, mass) = (&(&old.known() | &theirs.known()) - &old.version, *mass || row.mass);
                    row = Row { held, mass, beside: None, line: self.now, ..old };
                }
                // A device need not tell the server what it has just heard.
                self.told.extend((r != 0 && news(&row) == news(&theirs)).then(|| ((from, (r, key)), news(&row))));
                self.put((r, key), row);
            }
        }
    }

    /// A day passes: what was dead for the whole retention is emptied, and forgets what its fields covered.
    pub(crate) fn day(&mut self, r: usize) {
        self.history.iter_mut().filter(|change| change.0.0 == r).for_each(|change| change.2 += 1);
        self.history.retain(|change| change.2 < RETENTION);
        let lived = |at: &At| self.history.iter().any(|(on, .., old, _)| on == at && (old.is_empty() || is_alive(old)));
        let dead = self.rows.iter_mut().filter(|(at, row)| at.0 == r && !is_alive(&row.version) && !lived(at));
        for (_, row) in dead.filter(|(_, row)| !surviving(&row.version, false).is_empty()) {
            row.version = row.version.iter().filter(|word| word.name == LIFE).cloned().collect();
        }
    }
}
