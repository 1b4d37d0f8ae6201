//! One run, from looking to reporting.

use std::{collections::BTreeMap, io, path::PathBuf};

use holdfast::{
    CollectionId, Inputs, MemoryStore, RecordId, ReplicaId, RoundId, Store as _,
    decide::{
        continuity::{Continuity, ServerLoss},
        slice::{Query, ReadSet, Slice},
    },
    exchange,
    values::{
        digest::Digest,
        id::{AccountId, Lineage},
    },
};

use super::{
    answer,
    args::Args,
    book::{self, BookError, Lock, LockError, RootId, StateDir, WriteError},
    continuity::{self, Standing, Trust},
    folder::{RootError, Walk},
    look::{self, Found, Looked, STATE},
    memory::{Body, Index, Run},
    observe::{Care, Had, observe},
    past::Past,
    progress::Progress,
    report::Report,
    show::{announce, rewrite, show},
    side::{DAMAGED, Side, Which, Word},
    strange, unreadable,
    way::Way,
};

/// Passes of an exchange that are enough for any history.
const MAX_PASSES: usize = 4;

/// Why nothing was done.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Stop {
    #[error("{0}; nothing was changed\n\n{usage}", usage = super::args::USAGE)]
    Usage(String),
    #[error(transparent)]
    Folder(#[from] RootError),
    #[error("'{at}' can not be looked at: {source}; nothing was changed", at = at.display())]
    Root { at: PathBuf, source: io::Error },
    #[error(transparent)]
    Lock(#[from] LockError),
    #[error(transparent)]
    Book(BookError),
    /// These are not the two folders that were synced.
    #[error("{evidence}")]
    Severed { which: Which, continuity: Continuity, evidence: String, ways: Vec<Way> },
    #[error(
        "no hold was shown under {digest}, or it has been answered; nothing was changed. Run without it to see what is open"
    )]
    NoHold { digest: Digest },
    #[error("{digest} was not answered: {why}")]
    Answer { digest: Digest, why: String },
    #[error("expected the receipt of a run that is remembered, found '{name}'; nothing was changed")]
    NoRun { name: String },
    #[error("the run was not undone: {why}")]
    Undo { why: String },
    #[error("{0}")]
    Save(WriteError),
    #[error("expected a folder, found a link at '{at}', which may lead anywhere; nothing was changed", at = at.display())]
    Linked { at: PathBuf },
    #[error("no random numbers could be had: {0}; nothing was changed")]
    Entropy(getrandom::Error),
    /// It can not happen, and if it does, it is said and nothing is lost.
    #[error("expected no error of a store in memory, found: {0}")]
    Bug(String),
}

/// Syncs two folders.
pub(crate) fn run(args: &Args) -> Result<Report, Stop> {
    let states = [
        StateDir::at(args.state.clone().unwrap_or_else(|| args.left.join(STATE))),
        StateDir::at(args.right.join(STATE)),
    ];
    let progress = Progress::new();
    let is_asked = !args.answers.is_empty() || args.undo.is_some();
    // Nothing is created, not even a lock, before it is known that this can run.
    let mut looked = look(args, &states)?;
    let is_any_new = looked.iter().any(|side| matches!(side.found, Found::Nothing));
    if is_any_new && is_asked {
        check_asked(args, &looked)?;
    }
    let mut hands = [None, None];
    if !args.is_dry {
        if is_any_new && looked.iter().any(|side| side.index().is_some()) {
            let walks = [looked[0].root.walk()?, looked[1].root.walk()?];
            let [left, right] = open_both(looked, walks, hands)?;
            strange::check([&left, &right], args)?;
        }
        hands = [Some(Lock::take(states[0].path())?), Some(Lock::take(states[1].path())?)];
        looked = look(args, &states)?;
    }
    let mut report = Report::new(args.is_dry, args.call());
    let walks = [looked[0].root.walk()?, looked[1].root.walk()?];
    if !is_asked && look::is_quiet(&looked, [&walks[0], &walks[1]]) {
        return Ok(report);
    }
    let [mut left, mut right] = open_both(looked, walks, hands)?;
    strange::check([&left, &right], args)?;
    let is_first = [&left, &right].iter().all(|side| side.standing.trust == Trust::New);
    for side in [&mut left, &mut right] {
        side.is_newcomer = !is_first && !side.is_trusted();
    }
    let mut session =
        Session { round: RoundId(random()?), care: Care::Whole, report: &mut report, progress: &progress };
    session.settle_standings(&mut left, &mut right)?;
    session.sync(&mut left, &mut right, args)?;
    session.write(&mut left, &mut right)?;
    Ok(report)
}

/// Looks at both sides, and stops where nothing may cross between them.
fn look(args: &Args, states: &[StateDir; 2]) -> Result<[Looked; 2], Stop> {
    let left = Looked::at(Which::Left, &args.left, &states[0]);
    let right = Looked::at(Which::Right, &args.right, &states[1]);
    let (left, right) = match (left, right) {
        (Ok(left), Ok(right)) => (left, right),
        (Err(stop), right) => return Err(gone(stop, right.ok(), args)),
        (left, Err(stop)) => return Err(gone(stop, left.ok(), args)),
    };
    check_apart(&left.id, &right.id)?;
    continuity::check(&left, &right, args)?;
    Ok([left, right])
}

/// A root that is not there is said to be lost if the other side remembers it.
fn gone(stop: Stop, other: Option<Looked>, args: &Args) -> Stop {
    let Stop::Folder(error @ RootError::Missing { .. }) = &stop else { return stop };
    let Some(other) = other else { return stop };
    let at = if other.which == Which::Left { &args.right } else { &args.left };
    let remembered = other.index().is_some_and(|index| index.peers.iter().any(|peer| peer.root.is_at(at)));
    if !remembered {
        return stop;
    }
    let (which, continuity) = (other.which.other(), Continuity::Lost(ServerLoss::Emptied));
    Stop::Severed { which, continuity, evidence: error.to_string(), ways: vec![Way::fill(args, at)] }
}

/// An answer to bookkeeping that is not there is none.
fn check_asked(args: &Args, looked: &[Looked; 2]) -> Result<(), Stop> {
    let is_right_new = matches!(looked[1].found, Found::Nothing);
    let is_left_new = matches!(looked[0].found, Found::Nothing);
    match (args.answers.first(), &args.undo) {
        (Some(said), _) if is_left_new && is_right_new => Err(Stop::NoHold { digest: said.digest() }),
        (None, Some(name)) if is_left_new => Err(Stop::NoRun { name: name.clone() }),
        _ => Ok(()),
    }
}

/// Neither folder is the other, or inside the other.
fn check_apart(left: &RootId, right: &RootId) -> Result<(), Stop> {
    let (left, right) = (left.path(), right.path());
    let (left, right) = (PathBuf::from(&*left), PathBuf::from(&*right));
    if left.starts_with(&right) || right.starts_with(&left) {
        return Err(Stop::Usage("expected two folders, found one inside the other".into()));
    }
    Ok(())
}

fn open_both(looked: [Looked; 2], walks: [Walk; 2], hands: [Option<Lock>; 2]) -> Result<[Side; 2], Stop> {
    let [left_standing, right_standing] = continuity::standings(&looked, [walks[0].items(), walks[1].items()]);
    // Whose data it is, both sides agree on, or one of them says.
    let known = looked.iter().find_map(Looked::index).map(|index| index.account.clone());
    let account = known.map_or_else(account, Ok)?;
    let ([left, right], [left_walk, right_walk], [left_hands, right_hands]) = (looked, walks, hands);
    let left = open((left, left_walk, left_hands), left_standing, &account, MemoryStore::device())?;
    let right = open((right, right_walk, right_hands), right_standing, &account, MemoryStore::server())?;
    Ok([left, right])
}

fn open(
    (looked, walk, hands): (Looked, Walk, Option<Lock>),
    standing: Standing,
    account: &AccountId,
    fresh: MemoryStore,
) -> Result<Side, Stop> {
    let Looked { which, root, id, found } = looked;
    let held = (which, root, walk, hands);
    let new = |id| Ok::<_, Stop>(Index::new(id, account.clone(), replica()?, Past::begun(lineage()?)));
    let damaged = |held, standing: Standing, error: &BookError| {
        let reason = format!("{error}; it is kept as '{DAMAGED}', and a new one was begun");
        let mut side = Side::new(held, standing.unreadable(reason), (None, new(id.clone())?), Body::new(fresh.clone()));
        side.is_damaged = true;
        Ok(side)
    };
    match found {
        Found::Nothing => Ok(Side::new(held, standing, (None, new(id)?), Body::new(fresh))),
        Found::Damaged(error) => damaged(held, standing, &error),
        Found::Here(mut index, body) => match book::read_body::<Body>(body) {
            Ok(body) => {
                let saved = Some((*index).clone());
                index.root = id;
                Ok(Side::new(held, standing, (saved, *index), body))
            }
            Err(error @ BookError::Damaged { .. }) => damaged(held, standing, &error),
            Err(error) => Err(Stop::Book(error)),
        },
    }
}

pub(crate) fn replica() -> Result<ReplicaId, Stop> {
    ReplicaId::from_entropy(random()?).map_err(|error| Stop::Bug(error.to_string()))
}

pub(crate) fn lineage() -> Result<Lineage, Stop> {
    Lineage::from_entropy(random()?).map_err(|error| Stop::Bug(error.to_string()))
}

fn account() -> Result<AccountId, Stop> {
    AccountId::new(format!("{:032x}", random()?)).map_err(|error| Stop::Bug(error.to_string()))
}

/// 128 random bits.
pub(crate) fn random() -> Result<u128, Stop> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(Stop::Entropy)?;
    Ok(u128::from_le_bytes(bytes))
}

struct Session<'a> {
    round: RoundId,
    care: Care,
    report: &'a mut Report,
    progress: &'a Progress,
}

impl Session<'_> {
    /// What is evidence starts anew under another identity, and says why; whose other side is not the one it knew,
    /// counts on nothing being there.
    fn settle_standings(&mut self, left: &mut Side, right: &mut Side) -> Result<(), Stop> {
        for side in [&*left, &*right] {
            let named = &side.standing.named;
            self.report.named(named.clone());
            if !named.continuity.may_remove() {
                self.care = Care::Additive;
                let what = "what is there was matched by its contents, and nothing was removed";
                self.report.reason(side.which, format!("{}; {what}", named.evidence));
            }
        }
        let word_of = |side: &mut Side, fresh| {
            let is_old = side.standing.trust == Trust::Little && side.body.store.collections().next().is_some();
            is_old.then(|| side.start_anew(fresh)).transpose()
        };
        let words = [word_of(left, MemoryStore::device())?, word_of(right, MemoryStore::server())?];
        let theirs = right.index.past.position().lineage;
        let is_known = left.index.peers.iter().any(|peer| peer.lineage() == theirs);
        if !is_known && left.body.store.collections().next().is_some() {
            for collection in left.collections() {
                left.device().unacknowledge(&collection).map_err(|error| Stop::Bug(error.to_string()))?;
            }
            left.touched();
        }
        let is_behind = |side: &Side, word: &Option<Word>| {
            word.is_some() && matches!(side.standing.named.continuity, Continuity::Lost(_))
        };
        if is_behind(left, &words[0]) != is_behind(right, &words[1]) {
            // What the other side has deleted since is no loss to a side that has nothing yet.
            self.exchange_all(left, right)?;
        }
        for (side, word) in [&mut *left, &mut *right].into_iter().zip(&words) {
            if let Some(word) = word {
                side.believe(word)?;
            }
        }
        Ok(())
    }

    /// Brings both replicas in step, with each other and with what the folders show.
    fn sync(&mut self, left: &mut Side, right: &mut Side, args: &Args) -> Result<(), Stop> {
        let collections = left.collections().union(&right.collections()).cloned().collect();
        for side in [&mut *left, &mut *right] {
            if side.is_trusted() {
                let all = (&collections, &Had::new());
                observe(side, all, self.care, self.round, self.report, self.progress)?;
            }
        }
        // An entry that is back has struck its line, and what was edited since is known, before anything is answered.
        if let Some(run) = &args.undo {
            answer::undo(run, left, self.report)?;
        }
        let answers: Vec<_> = args
            .answers
            .iter()
            .copied()
            .filter(|said| !unreadable::take(*said, left) && !unreadable::take(*said, right))
            .collect();
        answer::take(&answers, args.by.as_deref(), [&mut *left, &mut *right], self.report)?;
        self.exchange(left, right)?;
        for which in [Which::Left, Which::Right] {
            let (side, other) = if which == Which::Left { (&mut *left, &*right) } else { (&mut *right, &*left) };
            if side.is_trusted() {
                continue;
            }
            let is_lost = side.standing.named.continuity == Continuity::Unproven && side.standing.named.found.is_none();
            let had = if is_lost { other.had_by(side) } else { Had::new() };
            observe(side, (&collections, &had), Care::Additive, self.round, self.report, self.progress)?;
            self.exchange(left, right)?;
        }
        Ok(())
    }

    /// Exchanges until neither side has anything to say. What each has written is durable before the other hears of it.
    fn exchange(&mut self, left: &mut Side, right: &mut Side) -> Result<(), Stop> {
        save_both(left, right)?;
        self.exchange_all(left, right)
    }

    fn exchange_all(&mut self, left: &mut Side, right: &mut Side) -> Result<(), Stop> {
        let collections: Vec<CollectionId> = left.collections().union(&right.collections()).cloned().collect();
        let inputs = Inputs::new(self.round, holdfast::Trust::Account);
        for collection in collections {
            let mut is_settled = false;
            for _pass in 0..MAX_PASSES {
                let done = exchange(&mut left.device(), &mut right.server(), &collection, &inputs);
                let done = done.map_err(|error| Stop::Bug(error.to_string()))?;
                is_settled = done.is_quiet();
                if is_settled {
                    break;
                }
                if let Some(pushed) = &done.pushed {
                    right.committed(pushed, false);
                    left.touched();
                    self.report.saw(pushed);
                    self.refusals(Which::Right, pushed);
                }
                left.committed(&done.pulled, false);
                self.report.saw(&done.pulled);
                self.refusals(Which::Left, &done.pulled);
            }
            if !is_settled {
                let what = "the sides have more to say to each other; the next run goes on";
                self.report.file_trouble(Which::Left, &collection, "", what);
            }
        }
        Ok(())
    }

    fn refusals(&mut self, which: Which, receipt: &holdfast::Receipt) {
        for (record, refusal) in &receipt.refused {
            self.report.file_trouble(which, &receipt.collection, record.as_str(), &refusal.to_string());
        }
    }

    /// Writes both folders, and reports.
    fn write(&mut self, left: &mut Side, right: &mut Side) -> Result<(), Stop> {
        let may_remove = self.care == Care::Whole && !left.is_newcomer && !right.is_newcomer;
        for side in [&mut *left, &mut *right] {
            announce(side)?;
        }
        save_both(left, right)?;
        for side in [&mut *left, &mut *right] {
            rewrite(side, self.report);
        }
        show(left, right, may_remove, self.report, self.progress)?;
        show(right, left, may_remove, self.report, self.progress)?;
        for side in [&mut *left, &mut *right] {
            self.report.holds(side)?;
            self.report.files(side);
        }
        self.compare(left, right);
        if !left.steps.is_empty() {
            let name = format!("{:016x}", random()? & u128::from(u64::MAX));
            let is_meeting = !left.is_trusted() || !right.is_trusted() || self.care == Care::Additive;
            // So the right side knows how far this one has come, though it may have taken in nothing itself.
            right.touched();
            left.body.ran(Run { name: name.clone(), steps: std::mem::take(&mut left.steps), is_meeting });
            left.touched();
            self.report.receipt = left.hands.is_some().then_some(name);
        }
        for side in [&mut *left, &mut *right] {
            side.index.is_settled = !self.report.has_errors();
            side.index.holds = answer::open_holds(side)?;
        }
        // The folders are written: what fails now is no reason to say that nothing was changed.
        let is_in_step = self.report.is_in_step();
        let saved = right.save(&left.index, is_in_step);
        self.late(Which::Right, saved);
        let saved = left.save(&right.index, is_in_step);
        self.late(Which::Left, saved);
        Ok(())
    }

    /// "Equal" means equal: every record of one side is known under the same digest on the other, and shown by the file
    /// that is noted for it, and there is no file for anything else.
    fn compare(&mut self, left: &Side, right: &Side) {
        // On a dry run, nothing is written that could be compared; and whatever has been said, is said.
        let sides = if left.hands.is_some() && self.report.is_in_step() { &[left, right][..] } else { &[] };
        for side in sides {
            for collection in side.body.store.collections() {
                let differ = side.differ(collection);
                if differ > 0 {
                    let what = format!("{differ} files are not as their records are");
                    self.report.file_trouble(side.which, collection, "", &what);
                }
            }
        }
        for collection in left.collections().union(&right.collections()) {
            let all = ReadSet::head(collection.clone()).with_query(Query::Range { after: None, limit: usize::MAX });
            let (Ok(ours), Ok(theirs)) = (left.body.store.read(&all), right.body.store.read(&all));
            let known = |slice: &Slice| -> BTreeMap<RecordId, Digest> {
                slice.rows.values().map(|row| (row.record.clone(), row.known().digest())).collect()
            };
            let (ours, theirs) = (known(&ours), known(&theirs));
            let differ = ours.iter().filter(|(record, digest)| theirs.get(*record) != Some(*digest)).count();
            let missing = theirs.keys().filter(|record| !ours.contains_key(*record)).count();
            if differ + missing > 0 {
                let what = format!("{} records differ from those on the other side", differ + missing);
                self.report.file_trouble(Which::Left, collection, "", &what);
            }
        }
    }

    fn late(&mut self, which: Which, saved: Result<(), Stop>) {
        if let Err(error) = saved {
            self.report.reason(which, format!("{error}; the folder was written, and the next run finds it so"));
        }
    }
}

/// What was done so far is durable then. The left side, which hears of the right one's writes, comes second.
fn save_both(left: &mut Side, right: &mut Side) -> Result<(), Stop> {
    right.save_on_the_way(&left.index)?;
    left.save_on_the_way(&right.index)
}
