//! One drill as it runs: the same people do the same things in two households, one with a plain mirror and one with Holdfast.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use super::{
    args::Args,
    check::{self, Truth, Wrong},
    house::{House, Result, Synced},
    kept::Household,
    mirror::Mirror,
    people::Chance,
    records::{Contents, Key, Kind},
    story::{self, Line, name, plural},
};

/// A phone or the server, with counts by kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HolderCounts {
    pub(crate) holder: String,
    /// Before the drill's first fault.
    pub(crate) before: [usize; 4],
    /// At the end, records that are as people left them.
    pub(crate) mirror: [usize; 4],
    /// The same.
    pub(crate) holdfast: [usize; 4],
}

/// What a drill came to.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) letter: char,
    pub(crate) title: &'static str,
    pub(crate) story: Vec<Line>,
    /// What there should be at the end.
    pub(crate) should: [usize; 4],
    pub(crate) holders: Vec<HolderCounts>,
    /// What the phones said of the server's losses, in the library's words.
    pub(crate) named: Vec<String>,
    /// How the server was rebuilt, after each fault, in the library's words.
    pub(crate) rebuilt: Vec<String>,
    /// What somebody was asked, in the library's words.
    pub(crate) questions: Vec<String>,
    pub(crate) mirror: Vec<Wrong>,
    pub(crate) holdfast: Vec<Wrong>,
}

/// A stretch of life.
pub(crate) struct Life<'l> {
    pub(crate) who: &'l [usize],
    /// Of the records that are to be deleted in this drill and still stand, one part in so many; none, if this is 0.
    pub(crate) deletes_one_in: usize,
    /// Of the records that stay, one in so many is edited, and one in any case.
    pub(crate) edits_one_in: usize,
    /// They edit notes and places, and not what a record is kept for: so two phones that have not met can edit one record.
    pub(crate) scribbles: bool,
    /// What these people can know of.
    pub(crate) known: &'l BTreeSet<Key>,
}

/// What was done in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Done {
    edited: usize,
    deleted: usize,
}

impl Done {
    pub(crate) const fn and(self, then: Self) -> Self {
        Self { edited: self.edited + then.edited, deleted: self.deleted + then.deleted }
    }
}

impl fmt::Display for Done {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = [(self.edited, "edit"), (self.deleted, "delete"), (self.deleted, "new record")];
        let counts = counts.into_iter().filter(|(count, _)| *count > 0).map(|(count, of)| plural(count, of));
        f.write_str(&story::list(counts))
    }
}

/// A household, and what was found wrong there.
struct Side {
    house: Box<dyn House>,
    /// What phones were last seen to show, and still do.
    shown: BTreeMap<usize, Contents>,
    wrongs: Vec<Wrong>,
    /// What the server showed before and after the last fault.
    fault: (Contents, Contents),
    /// Phones that knew the server as it was, and have not synced since.
    to_hear: BTreeSet<usize>,
    named: Vec<String>,
    /// By phone, what was open after its last sync.
    questions: BTreeMap<String, Vec<String>>,
}

pub(crate) struct Run {
    letter: char,
    title: &'static str,
    mirror: Side,
    holdfast: Side,
    truth: Truth,
    chance: Chance,
    phones: usize,
    /// Records that somebody will delete. Nobody edits these.
    doomed: BTreeMap<Kind, Vec<Key>>,
    serial: usize,
    before: Vec<[usize; 4]>,
    story: Vec<Line>,
    rebuilt: Vec<String>,
}

impl Run {
    /// Everybody is in step, on all phones and on the server.
    pub(crate) fn begin(letter: char, title: &'static str, args: &Args) -> Result<Self> {
        let seed = args.seed.wrapping_mul(31).wrapping_add(u64::from(letter));
        let mut run = Self {
            letter,
            title,
            mirror: Side::new(Box::new(Mirror::new(args.phones))),
            holdfast: Side::new(Box::new(Household::new(args.phones, !seed)?)),
            truth: Truth::default(),
            chance: Chance::new(seed),
            phones: args.phones,
            doomed: BTreeMap::new(),
            serial: 0,
            before: Vec::new(),
            story: Vec::new(),
            rebuilt: Vec::new(),
        };
        for kind in Kind::ALL {
            let of_kind = kind.share(args.records);
            let mut keys = (0..of_kind).map(|_| run.create(0, kind)).collect::<Result<Vec<_>>>()?;
            // People delete a few things a week, over the weeks one in eight, and a contact in any case.
            let doomed = of_kind / 8 + usize::from(kind == Kind::Contacts);
            let doomed = (0..doomed).map(|_| keys.swap_remove(run.chance.below(keys.len()))).collect();
            run.doomed.insert(kind, doomed);
        }
        run.settle(&run.everybody())?;
        Ok(run)
    }

    pub(crate) fn everybody(&self) -> Vec<usize> {
        (0..self.phones).collect()
    }

    /// All that there should be now.
    pub(crate) fn known(&self) -> BTreeSet<Key> {
        self.truth.records.keys().cloned().collect()
    }

    pub(crate) fn say(&mut self, text: impl Into<String>) {
        self.story.push(Line::Scene(text.into()));
    }

    fn sides(&mut self) -> [&mut Side; 2] {
        [&mut self.mirror, &mut self.holdfast]
    }

    /// The same on this phone in both households.
    fn on_phone(&mut self, phone: usize, act: impl Fn(&mut dyn House) -> Result<()>) -> Result<()> {
        self.sides().into_iter().try_for_each(|side| {
            side.shown.remove(&phone);
            act(&mut *side.house)
        })
    }

    pub(crate) fn create(&mut self, phone: usize, kind: Kind) -> Result<Key> {
        let id = uuid::Builder::from_random_bytes(self.chance.bits().to_be_bytes()).into_uuid().to_string();
        let (key, item) = (Key { kind, id }, self.chance.item(kind));
        self.truth.create(&key, &item);
        self.on_phone(phone, |house| house.create(phone, &key, &item))?;
        Ok(key)
    }

    fn edit(&mut self, phone: usize, key: &Key, scribbles: bool) -> Result<()> {
        self.serial += 1;
        let serial = self.serial;
        let edit = if scribbles { self.chance.scribble(serial) } else { self.chance.edit(key.kind, serial) };
        self.truth.edit(key, &edit);
        self.on_phone(phone, |house| house.edit(phone, key, &edit))
    }

    fn delete(&mut self, phone: usize, key: &Key) -> Result<()> {
        self.truth.delete(key);
        self.on_phone(phone, |house| house.delete(phone, key))
    }

    /// People go on: some records are edited, some deleted, and for each of these there is a new one.
    pub(crate) fn live(&mut self, life: &Life<'_>) -> Result<Done> {
        let (mut edited, mut deleted) = (0, 0);
        let mut turns = life.who.iter().copied().cycle();
        let mut next = || turns.next().unwrap_or_default();
        for kind in Kind::ALL {
            let doomed = self.doomed.entry(kind).or_default();
            let now = if life.deletes_one_in == 0 { 0 } else { doomed.len().div_ceil(life.deletes_one_in) };
            let stay = doomed.len() - now;
            for key in doomed.split_off(stay) {
                let phone = next();
                self.delete(phone, &key)?;
                self.create(phone, kind)?;
                deleted += 1;
            }
            let mut keys = self.editable(kind, life.known);
            for _ in 0..(1 + keys.len() / life.edits_one_in.max(1)).min(keys.len()) {
                let key = keys.swap_remove(self.chance.below(keys.len()));
                self.edit(next(), &key, life.scribbles)?;
                edited += 1;
            }
        }
        Ok(Done { edited, deleted })
    }

    /// What is known, still there, and not to be deleted.
    fn editable(&self, kind: Kind, known: &BTreeSet<Key>) -> Vec<Key> {
        let is_doomed = |key: &Key| self.doomed.get(&kind).is_some_and(|doomed| doomed.contains(key));
        let keys = self.truth.records.keys().filter(|key| key.kind == kind && known.contains(key) && !is_doomed(key));
        keys.cloned().collect()
    }

    /// The first two people edit one record, each without the other's edit: a contact, if there is one that stays.
    pub(crate) fn edit_together(&mut self, known: &BTreeSet<Key>) -> Result<()> {
        let shared = Kind::ALL.into_iter().find_map(|kind| self.editable(kind, known).into_iter().next());
        let Some(key) = shared else { return Ok(()) };
        let title = self.truth.records.get(&key).map(|item| item.title().to_owned()).unwrap_or_default();
        self.edit(0, &key, false)?;
        self.edit(1, &key, true)?;
        self.say(format!("{} and {} both edit \"{title}\", each without the other's edit.", name(0), name(1)));
        Ok(())
    }

    pub(crate) fn back_up(&mut self, name: &'static str) {
        self.sides().into_iter().for_each(|side| side.house.back_up(name));
    }

    pub(crate) fn restart(&mut self, phone: usize) -> Result<()> {
        self.on_phone(phone, |house| house.restart(phone))
    }

    pub(crate) fn reinstall(&mut self, phone: usize) -> Result<()> {
        self.on_phone(phone, |house| house.reinstall(phone))
    }

    pub(crate) fn pass_days(&mut self, days: u32, phones: &[usize]) -> Result<()> {
        self.sides().into_iter().try_for_each(|side| side.house.pass_days(days, phones))
    }

    /// Notes what everybody has, for the table.
    pub(crate) fn note_before(&mut self) -> Result<()> {
        let house = &self.holdfast.house;
        let phones = (0..self.phones).map(|phone| house.phone(phone)).collect::<Result<Vec<_>>>()?;
        let all = phones.into_iter().chain([Contents::new(), house.server()?]);
        self.before = all.map(|contents| check::counts(contents.keys())).collect();
        Ok(())
    }

    /// The server is what it was at a backup, or empty. `hearing` are the phones that know it as it was.
    pub(crate) fn fault(&mut self, backup: Option<&'static str>, hearing: &[usize]) -> Result<()> {
        for side in self.sides() {
            let before = side.house.server()?;
            side.house.restore(backup);
            side.fault = (before, side.house.server()?);
            side.to_hear = hearing.iter().copied().collect();
        }
        Ok(())
    }

    /// One sync in both households, checked.
    fn sync(&mut self, phone: usize) -> Result<[Checked; 2]> {
        let holder = self.phone_of(phone);
        let Self { mirror, holdfast, truth, .. } = self;
        Ok([mirror.sync(phone, &holder, truth)?, holdfast.sync(phone, &holder, truth)?])
    }

    /// Each of these phones syncs twice, and nobody talks of it.
    pub(crate) fn settle(&mut self, who: &[usize]) -> Result<()> {
        self.sync_each(who)?;
        self.sync_each(who)
    }

    /// Each of these phones syncs once, and nobody talks of it.
    pub(crate) fn sync_each(&mut self, who: &[usize]) -> Result<()> {
        who.iter().try_for_each(|phone| self.sync(*phone).map(drop))
    }

    /// Each of these phones syncs once, and it is told.
    pub(crate) fn round(&mut self, who: &[usize]) -> Result<()> {
        let mut told = Vec::new();
        for phone in who {
            let synced = self.sync(*phone)?;
            told.push((name(*phone), synced));
        }
        self.story.extend(story::of_round(&told));
        Ok(())
    }

    fn phone_of(&self, phone: usize) -> String {
        if phone < self.phones { format!("{}'s phone", name(phone)) } else { "a new phone".to_owned() }
    }

    /// Everybody comes together again, and the server says how it was rebuilt: in the story what it lost, and at the end
    /// who has brought what.
    pub(crate) fn rebuild(&mut self, is_end: bool) -> Result<()> {
        self.settle(&self.everybody())?;
        let reports = Kind::ALL.into_iter().map(|kind| self.holdfast.house.rebuilt(kind));
        let reports: Vec<_> = reports.collect::<Result<Vec<_>>>()?.into_iter().flatten().collect();
        if let Some(report) = reports.first() {
            self.story.push(Line::Quote(
                report.lines().take(if is_end { usize::MAX } else { 1 }).collect::<Vec<_>>().join("\n"),
            ));
        }
        self.rebuilt.extend(reports);
        Ok(())
    }

    /// What follows what was told of Holdfast.
    pub(crate) fn add(&mut self, text: impl Into<String>) {
        self.story.push(Line::More(text.into()));
    }

    /// Buys a phone that takes all that it has from the server, and looks at what everybody has.
    pub(crate) fn end(mut self) -> Result<Outcome> {
        let (new, server) = (self.phones, self.phones + 1);
        self.sides().into_iter().try_for_each(|side| side.house.buy_phone())?;
        self.sync(new)?;
        let mut holders = Vec::new();
        for at in 0..=server {
            let holder = if at == server { "the server".to_owned() } else { self.phone_of(at) };
            let mut counts = [[0; 4]; 2];
            let Self { mirror, holdfast, truth, .. } = &mut self;
            for (side, right) in [mirror, holdfast].into_iter().zip(&mut counts) {
                let shown = if at == server { side.house.server()? } else { side.house.phone(at)? };
                *right = check::right(truth, &shown);
                side.wrongs.extend(check::differences(&holder, truth, &shown));
            }
            let [mirror, holdfast] = counts;
            let before = self.before.get(at).copied().unwrap_or_default();
            holders.push(HolderCounts { holder, before, mirror, holdfast });
        }
        let Self { letter, title, mirror, holdfast, truth, mut story, rebuilt, .. } = self;
        let should = check::counts(truth.records.keys());
        story.push(story::end(should, &holders));
        Ok(Outcome {
            letter,
            title,
            story,
            should,
            holders,
            named: holdfast.named,
            rebuilt,
            questions: open_questions(&holdfast.questions),
            mirror: mirror.wrongs,
            holdfast: holdfast.wrongs,
        })
    }
}

fn open_questions(questions: &BTreeMap<String, Vec<String>>) -> Vec<String> {
    let open = questions.iter().flat_map(|(holder, asked)| asked.iter().map(move |one| format!("{holder}: {one}")));
    open.collect()
}

/// A sync, with what it did to the phone.
pub(crate) struct Checked {
    pub(crate) synced: Synced,
    /// Records shown before and after.
    pub(crate) shown: [usize; 2],
    /// By promise, as [`check::tally`].
    pub(crate) harm: [usize; 5],
}

impl Side {
    fn new(house: Box<dyn House>) -> Self {
        Self {
            house,
            shown: BTreeMap::new(),
            wrongs: Vec::new(),
            fault: <_>::default(),
            to_hear: BTreeSet::new(),
            named: Vec::new(),
            questions: BTreeMap::new(),
        }
    }

    fn sync(&mut self, phone: usize, holder: &str, truth: &Truth) -> Result<Checked> {
        let before = self.shown.remove(&phone).map_or_else(|| self.house.phone(phone), Ok)?;
        let synced = self.house.sync(phone)?;
        let after = self.house.phone(phone)?;
        let harm = check::harm_of_a_sync(holder, truth, &before, &after);
        let tally = check::tally(&harm);
        self.wrongs.extend(harm);
        if self.to_hear.remove(&phone) {
            let (was, is) = &self.fault;
            self.wrongs.extend(check::unnamed(holder, (was, is), &synced.named));
        }
        self.named.extend(synced.named.iter().map(|(kind, named)| format!("{holder}, {kind}: {}", named.evidence)));
        self.questions.insert(holder.to_owned(), synced.questions.clone());
        let shown = [before.len(), after.len()];
        self.shown.insert(phone, after);
        Ok(Checked { synced, shown, harm: tally })
    }
}
