//! One run, from looking to reporting.

use std::{collections::BTreeMap, io, path::PathBuf};

use holdfast::{
    CollectionId, Inputs, MemoryStore, RecordId, ReplicaId, RoundId, Store as _, Trust,
    decide::slice::{Query, ReadSet, Slice},
    exchange,
    values::digest::Digest,
};

use super::{
    answer,
    args::Args,
    book::{self, BookError, Lock, LockError, RootId, StateDir, WriteError},
    folder::{Root, RootError, Walk},
    look::{self, Found, Looked, STATE},
    memory::{Body, Identity, Index, Run},
    observe::{Care, observe},
    progress::Progress,
    report::Report,
    show::{announce, show},
    side::{DAMAGED, Side, Standing, Which},
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
    #[error(
        "the left side is kept in step with '{known}', found '{found}'; nothing was changed. \
         To keep it in step with another folder, too, use another --state"
    )]
    OtherFolder { known: String, found: String },
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
    let look = || -> Result<[Looked; 2], Stop> {
        let left = Looked::at(Which::Left, &args.left, &states[0])?;
        let right = Looked::at(Which::Right, &args.right, &states[1])?;
        check_apart(&left.id, &right.id)?;
        look::standings(&left, &right)?;
        Ok([left, right])
    };
    let progress = Progress::new();
    // Nothing is created, not even a lock, before it is known that this can run.
    let mut looked = look()?;
    let mut hands = [None, None];
    if !args.is_dry {
        hands = [Some(Lock::take(states[0].path())?), Some(Lock::take(states[1].path())?)];
        looked = look()?;
    }
    let mut report = Report::new(args.is_dry, args.call());
    let is_asked = !args.answers.is_empty() || args.undo.is_some();
    let [left_walk, right_walk] = [looked[0].root.walk()?, looked[1].root.walk()?];
    if !is_asked && look::is_quiet(&looked, [&left_walk, &right_walk]) {
        return Ok(report);
    }
    let standings = look::standings(&looked[0], &looked[1])?;
    let [left_looked, right_looked] = looked;
    let [left_hands, right_hands] = hands;
    let [left_standing, right_standing] = standings;
    let mut left = open((left_looked, left_walk), left_hands, left_standing, MemoryStore::device())?;
    let mut right = open((right_looked, right_walk), right_hands, right_standing, MemoryStore::server())?;
    let is_first = left.standing == Standing::New && right.standing == Standing::New;
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

/// Neither folder is the other, or inside the other.
fn check_apart(left: &RootId, right: &RootId) -> Result<(), Stop> {
    let (left, right) = (left.path(), right.path());
    let (left, right) = (PathBuf::from(&*left), PathBuf::from(&*right));
    if left.starts_with(&right) || right.starts_with(&left) {
        return Err(Stop::Usage("expected two folders, found one inside the other".into()));
    }
    Ok(())
}

fn open(
    (looked, walk): (Looked, Walk),
    hands: Option<Lock>,
    standing: Standing,
    fresh: MemoryStore,
) -> Result<Side, Stop> {
    let Looked { which, root, id, found } = looked;
    let held = (which, root, walk, hands);
    match found {
        Found::Nothing => Ok(Side::new(held, standing, (None, Index::new(id, identity()?)), Body::new(fresh))),
        Found::Damaged(error) => damaged(held, &error, id, fresh),
        Found::Here(mut index, body) => match book::read_body::<Body>(body) {
            Ok(body) => {
                let saved = Some((*index).clone());
                index.root = id;
                Ok(Side::new(held, standing, (saved, *index), body))
            }
            Err(error @ BookError::Damaged { .. }) => damaged(held, &error, id, fresh),
            Err(error) => Err(Stop::Book(error)),
        },
    }
}

/// Begins anew beside bookkeeping that can not be used.
fn damaged(
    held: (Which, Root, Walk, Option<Lock>),
    error: &BookError,
    id: RootId,
    fresh: MemoryStore,
) -> Result<Side, Stop> {
    let reason = format!("{error}; it is kept as '{DAMAGED}', a new one was begun, and nothing was removed");
    let mut side = Side::new(held, Standing::Evidence(reason), (None, Index::new(id, identity()?)), Body::new(fresh));
    side.is_damaged = true;
    Ok(side)
}

fn identity() -> Result<Identity, Stop> {
    let replica = ReplicaId::from_entropy(random()?).map_err(|error| Stop::Bug(error.to_string()))?;
    Ok(Identity { replica, lineage: random()? })
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
        for (side, fresh) in [(&mut *left, MemoryStore::device()), (&mut *right, MemoryStore::server())] {
            if let Standing::Evidence(reason) = side.standing.clone() {
                self.care = Care::Additive;
                self.report.reason(side.which, reason);
                if side.body.store.collections().next().is_some() {
                    side.start_anew(identity()?, fresh)?;
                }
            }
        }
        let known = left.index.peer(right.index.me).is_some();
        if !known && left.body.store.collections().next().is_some() {
            if right.is_trusted() {
                self.care = Care::Additive;
                let what = "its bookkeeping is not the one that was here; what is there was matched by its contents, and nothing was removed";
                self.report.reason(Which::Right, what.into());
            }
            for collection in left.collections() {
                left.device().unacknowledge(&collection).map_err(|error| Stop::Bug(error.to_string()))?;
            }
            left.touched();
        }
        Ok(())
    }

    /// Brings both replicas in step, with each other and with what the folders show.
    fn sync(&mut self, left: &mut Side, right: &mut Side, args: &Args) -> Result<(), Stop> {
        let collections = left.collections().union(&right.collections()).cloned().collect();
        for side in [&mut *left, &mut *right] {
            if side.is_trusted() {
                observe(side, &collections, self.care, self.round, self.report, self.progress)?;
            }
        }
        // An entry that is back has struck its line, and what was edited since is known, before anything is answered.
        if let Some(run) = &args.undo {
            answer::undo(run, left, self.report)?;
        }
        answer::take(&args.answers, args.by.as_deref(), [&mut *left, &mut *right], self.report)?;
        self.exchange(left, right)?;
        for which in [Which::Left, Which::Right] {
            let side = if which == Which::Left { &mut *left } else { &mut *right };
            if !side.is_trusted() {
                observe(side, &collections, Care::Additive, self.round, self.report, self.progress)?;
                self.exchange(left, right)?;
            }
        }
        Ok(())
    }

    /// Exchanges until neither side has anything to say. What each has written is durable before the other hears of it.
    fn exchange(&mut self, left: &mut Side, right: &mut Side) -> Result<(), Stop> {
        save_both(left, right)?;
        let collections: Vec<CollectionId> = left.collections().union(&right.collections()).cloned().collect();
        let inputs = Inputs::new(self.round, Trust::Account);
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
        show(left, right, may_remove, self.report, self.progress)?;
        show(right, left, may_remove, self.report, self.progress)?;
        self.report.holds(left)?;
        self.report.holds(right)?;
        self.compare(left, right);
        if !left.steps.is_empty() {
            let name = format!("{:016x}", random()? & u128::from(u64::MAX));
            let is_meeting = !left.is_trusted() || !right.is_trusted() || self.care == Care::Additive;
            left.body.ran(Run { name: name.clone(), steps: std::mem::take(&mut left.steps), is_meeting });
            left.touched();
            self.report.receipt = left.hands.is_some().then_some(name);
        }
        for side in [&mut *left, &mut *right] {
            side.index.is_settled = !self.report.has_errors();
            side.index.holds = answer::open_holds(side)?;
        }
        // The folders are written: what fails now is no reason to say that nothing was changed.
        let saved = right.save(&left.as_peer());
        self.late(Which::Right, saved);
        let saved = left.save(&right.as_peer());
        self.late(Which::Left, saved);
        Ok(())
    }

    /// "Equal" means equal: every record of one side is known under the same digest on the other.
    fn compare(&mut self, left: &Side, right: &Side) {
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
    right.save_on_the_way(&left.as_peer())?;
    left.save_on_the_way(&right.as_peer())
}
