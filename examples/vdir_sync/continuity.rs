//! Are these still the two folders that were synced? What each side's bookkeeping says of itself is compared with what the
//! other one remembers of it, before anything is believed to be removed.

use holdfast::decide::{
    continuity::{Claim, Continuity, Judgement, ServerLoss, Stop as NoCrossing},
    line::Revision,
    position::Position,
    row::{Proposed, Quarantine},
};
use serde::Serialize;

use super::{
    args::Args,
    book::Place,
    look::{Found, Looked},
    memory::{Index, Peer},
    session::Stop,
    side::{Side, Which},
    way::Way,
};

/// What a side is, with the evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Named {
    pub(crate) side: String,
    pub(crate) continuity: Continuity,
    pub(crate) evidence: String,
    /// Where it stood, as the other side remembers.
    pub(crate) remembered: Option<Position>,
    /// Where it stands, by its own bookkeeping.
    pub(crate) found: Option<Position>,
}

/// What a side's bookkeeping is worth in this run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) trust: Trust,
    pub(crate) named: Named,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trust {
    /// It is the only copy, and as new as it can be: a file that is missing was removed.
    Whole,
    /// There is none, as is to be expected: this side is new.
    New,
    /// It is missing, a copy, or older than it should be. It says what is known, and nothing is removed on its word.
    Little,
}

impl Standing {
    pub(crate) fn new(which: Which, trust: Trust, continuity: Continuity, evidence: impl Into<String>) -> Self {
        let (side, evidence) = (which.to_string(), evidence.into());
        Self { trust, named: Named { side, continuity, evidence, remembered: None, found: None } }
    }

    /// Bookkeeping that can not be read.
    pub(crate) fn unreadable(self, evidence: String) -> Self {
        let named = Named { continuity: Continuity::Unproven, evidence, found: None, ..self.named };
        Self { trust: Trust::Little, named }
    }
}

/// Stops where nothing may cross: two accounts, or two folders that were never synced with each other.
pub(crate) fn check(left: &Looked, right: &Looked, args: &Args) -> Result<(), Stop> {
    let Some(ours) = left.index() else { return Ok(()) };
    let has_met = right.index().is_some_and(|theirs| ours.peer(&theirs.past).is_some());
    let is_where_it_was = ours.peer_at(&right.id).is_some();
    let known = || ours.peers.iter().map(|peer| peer.root.path().into_owned()).collect::<Vec<_>>();
    if right.index().is_some_and(|theirs| theirs.account != ours.account) {
        // Who does not know the place that the other one was in is the stranger.
        let is_left = right.index().is_some_and(|theirs| theirs.peer_at(&left.id).is_some()) && !is_where_it_was;
        let stranger = if is_left { Which::Left } else { Which::Right };
        let at = if is_left { &args.left } else { &args.right };
        let ways = vec![Way::put_aside(args, at)];
        let evidence = wrong_account(left, right, stranger);
        return Err(Stop::Severed { which: stranger, continuity: WRONG_ACCOUNT, evidence, ways });
    }
    if !ours.peers.is_empty() && !has_met && !is_where_it_was {
        let (known, found) = (known(), right.id.path().into_owned());
        let evidence = format!(
            "these are not the two folders that were synced before: the left side remembers '{}', found '{found}'; \
             nothing was read or written",
            known.join("', '"),
        );
        let mut ways: Vec<Way> = known.iter().map(|known| Way::with(args, known.as_ref())).collect();
        ways.push(Way::beside(args));
        let continuity = Continuity::Lost(ServerLoss::Replaced);
        return Err(Stop::Severed { which: Which::Right, continuity, evidence, ways });
    }
    Ok(())
}

const WRONG_ACCOUNT: Continuity = Continuity::Stop(NoCrossing::WrongAccount);

fn wrong_account(left: &Looked, right: &Looked, stranger: Which) -> String {
    let path = |side: &Looked| {
        let peers = side.index().map(|index| index.peers.as_slice()).unwrap_or_default();
        let peers: Vec<_> = peers.iter().map(|peer| format!("'{}'", peer.root.path())).collect();
        let account = side.index().map_or("none", |index| index.account.as_str());
        format!("the {} is synced with {} under account {account}", side.which, peers.join(", "))
    };
    format!(
        "the {stranger} is another account's folder: {}, and {}; nothing was read or written",
        path(left),
        path(right)
    )
}

/// What each side's bookkeeping is worth, by its own word and the other's. `items` is how many files each side has.
pub(crate) fn standings([left, right]: &[Looked; 2], items: [usize; 2]) -> [Standing; 2] {
    [standing(left, right, items[0]), standing(right, left, items[1])]
}

/// What the other side remembers of this one: by its history, else by its place.
fn remembered<'a>(side: &Looked, other: &'a Looked) -> Option<&'a Peer> {
    let others = other.index()?;
    let by_past = side.index().and_then(|index| others.peer(&index.past));
    by_past.or_else(|| others.peer_at(&side.id)).filter(|peer| peer.witness.last.position.revision > Revision(0))
}

fn standing(side: &Looked, other: &Looked, items: usize) -> Standing {
    let known = remembered(side, other);
    let (trust, continuity, evidence) = match (&side.found, known) {
        (Found::Nothing, None) => (Trust::New, Continuity::First, "it has not been synced yet".into()),
        (Found::Nothing, Some(known)) => {
            let commit = known.witness.last.position.revision.0;
            let remembers = format!("the {} remembers its commit {commit}", other.which);
            if items == 0 {
                let evidence = format!("it was emptied: its bookkeeping and its files are gone, and {remembers}");
                (Trust::Little, Continuity::Lost(ServerLoss::Emptied), evidence)
            } else {
                let evidence = format!("its bookkeeping is missing, {items} files are there, and {remembers}");
                (Trust::Little, Continuity::Unproven, evidence)
            }
        }
        (Found::Damaged(error), _) => (Trust::Little, Continuity::Unproven, error.to_string()),
        (Found::Here(index, body), known) => known_here(side, other, (index, body.is_original), known),
    };
    let mut standing = Standing::new(side.which, trust, continuity, evidence);
    standing.named.remembered = known.map(|known| known.witness.last.position);
    standing.named.found = side.index().map(|index| index.past.position());
    standing
}

fn known_here(
    side: &Looked,
    other: &Looked,
    (index, is_original): (&Index, bool),
    known: Option<&Peer>,
) -> (Trust, Continuity, String) {
    let body = match (is_original, index.root.same_place(&side.id)) {
        (false, _) => Some("its bookkeeping is a copy, as after a restore"),
        (true, Place::Moved) => Some("its folder was moved since it was synced"),
        (true, Place::Copied) => Some("its bookkeeping is a copy of another folder's"),
        (true, Place::Replaced) => Some("its folder is another one than it was, such as a restored one"),
        (true, Place::Same) => None,
    };
    let judged = known.map(|known| (known, index.past.judge(&Claim::of(&known.witness, Vec::new()))));
    let Some((known, judgement)) = judged.filter(|(_, judgement)| judgement.continuity != Continuity::Intact) else {
        let Some(body) = body else { return (Trust::Whole, Continuity::Intact, "it is as it was known".into()) };
        return (Trust::Little, Continuity::Unproven, body.into());
    };
    // Where an earlier history was set back, this one has begun anew since, and can be believed.
    let is_of_now = known.lineage() == index.past.position().lineage;
    let has_come_back = !index.past.was_in(known.lineage())
        && other.index().is_some_and(|index_of_other| {
            index.peer(&index_of_other.past).is_some() || index.peer_at(&other.id).is_some()
        });
    let trust = if body.is_some() || is_of_now || has_come_back { Trust::Little } else { Trust::Whole };
    let said = words(&judgement, known, other.which);
    let evidence = body.map_or_else(|| said.clone(), |body| format!("{said}; {body}"));
    (trust, judgement.continuity, evidence)
}

/// A judgement of one side by what the other remembers.
fn words(judgement: &Judgement, known: &Peer, other: Which) -> String {
    let (claimed, common) = (judgement.claimed.revision.0, judgement.common.0);
    let found = judgement.found.map_or(0, |found| found.revision.0);
    let is_of_now = judgement.found.is_some_and(|found| found.lineage == judgement.claimed.lineage);
    match judgement.continuity {
        Continuity::Lost(ServerLoss::RolledBack) if is_of_now => {
            format!("it is an old backup: it stands at commit {found}, and the {other} remembers commit {claimed}")
        }
        Continuity::Lost(ServerLoss::RolledBack | ServerLoss::Emptied) => {
            format!("it was set back: both sides share commit {common}, and the {other} remembers commit {claimed}")
        }
        Continuity::Lost(ServerLoss::Forked) => format!(
            "it was set back and has gone on another way: both sides share commit {common}, it stands at commit \
             {found}, and the {other} remembers another commit {claimed}"
        ),
        Continuity::Lost(ServerLoss::Replaced) => format!(
            "it is not the folder that was synced here: the {other} remembers history {} in '{}', found history {}",
            known.lineage(),
            known.root.path(),
            judgement.found.map_or_else(|| "none".into(), |found| found.lineage.to_string()),
        ),
        other => other.to_string(),
    }
}

/// What the files of a side say of it, beside its bookkeeping: that it was emptied, that it is an old backup, or that it lost
/// some. `None` if nothing is open.
pub(crate) fn of_files(side: &Side) -> Option<(Continuity, String)> {
    let (mut known, mut missing, mut older, mut returned, mut emptied) = (0, 0, 0, 0, 0);
    for collection in side.body.store.collections() {
        for row in side.rows(collection) {
            known += usize::from(row.version.is_alive());
            let Some(Quarantine::Proposal { proposed, is_unauthored, .. }) = &row.quarantine else { continue };
            *(match proposed {
                Proposed::Contents { .. } if !is_unauthored => &mut emptied,
                Proposed::Contents { .. } if !row.version.is_alive() => &mut returned,
                Proposed::Contents { .. } => &mut older,
                _ => &mut missing,
            }) += 1;
        }
    }
    let open = side.unreadable.iter().filter(|(collection, _)| !side.rewritten.contains(*collection));
    let unreadable: usize = open.map(|(_, files)| files.len()).sum();
    if side.stale > 0 {
        let evidence = format!("its files are an old backup: {} of them show what is known to be old", side.stale);
        return Some((Continuity::Lost(ServerLoss::RolledBack), evidence));
    }
    if older + returned > 0 {
        let evidence = format!(
            "its files are an old backup: its bookkeeping has moved on, and of {known} items {older} show what they showed \
             before, {missing} are missing, and {returned} that were deleted are back"
        );
        return Some((Continuity::Lost(ServerLoss::RolledBack), evidence));
    }
    if missing > 0 && missing == known {
        let evidence =
            format!("it was emptied: its bookkeeping is here and knows {known} items, and none of them is there");
        return Some((Continuity::Lost(ServerLoss::Emptied), evidence));
    }
    (missing + emptied + unreadable > 0).then(|| {
        let counts = [(missing, "missing"), (emptied, "without what they said"), (unreadable, "unreadable")];
        let counts = counts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}"));
        let counts = counts.collect::<Vec<_>>().join(", ");
        let evidence = format!("it lost items, or somebody removed them on purpose: of {known}, {counts}");
        (Continuity::Lost(ServerLoss::PartialLoss), evidence)
    })
}
