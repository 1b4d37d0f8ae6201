//! Is this still the server that the device knew? A table of cases, over facts alone.

use alloc::{collections::BTreeMap, vec::Vec};
use core::fmt;

use serde::{Deserialize, Serialize};

use super::{
    line::Revision,
    position::{Issued, Position, Witness},
};
use crate::values::{
    ablation::is_off,
    digest::Digest,
    id::{Lineage, RecordId},
    plural::Plural,
};

/// What a device says of the server that it knew.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Claim {
    /// The last position that it was given.
    pub last: Issued,
    /// Older positions of the same lineage, newest first.
    pub older: Vec<(Revision, Digest)>,
    /// Records that the server named as its own, and does not show any more: all under an intact log.
    pub missing: Vec<RecordId>,
}

impl Claim {
    /// What a witness says, with records that are missing.
    #[must_use]
    pub fn of(witness: &Witness, missing: Vec<RecordId>) -> Self {
        Self { last: witness.last, older: witness.older.clone(), missing }
    }
}

/// What a server lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum ServerLoss {
    /// It has nothing of the collection.
    Emptied,
    /// It is at an earlier position than it has been.
    RolledBack,
    /// It was set back, and has gone on another way since.
    Forked,
    /// It has another history altogether.
    Replaced,
    /// Its log is whole, and records are missing from it.
    PartialLoss,
}

/// Why nothing may cross at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Stop {
    /// The server was authenticated for another account than the device's. Nothing was uploaded.
    WrongAccount,
    /// The server does not know the account. Only the host can open one.
    Forgotten,
}

/// Whether this is still the server that the device knew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Continuity {
    /// The device was never here: nothing is known to be lost.
    First,
    /// The server's history still holds the device's position.
    Intact,
    /// The server no longer keeps what would tell, or can not believe the device's word: compare everything, no alarm.
    Unproven,
    /// The server lost something: rebuild it.
    Lost(ServerLoss),
    /// A follower that has not caught up, or a store that is read-only: come back, or ask its home.
    Behind,
    /// Nothing may cross.
    Stop(Stop),
}

impl Continuity {
    /// Whether a removal may be judged on this server's word.
    #[must_use]
    pub const fn may_remove(self) -> bool {
        match self {
            Self::First | Self::Intact => true,
            Self::Unproven | Self::Lost(_) | Self::Behind | Self::Stop(_) => false,
        }
    }
}

impl fmt::Display for Continuity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::First => "first contact",
            Self::Intact => "the same server",
            Self::Unproven => "can not be told: everything is compared",
            Self::Lost(ServerLoss::Emptied) => "the server lost everything: rebuild it",
            Self::Lost(ServerLoss::RolledBack) => "the server was set back: rebuild it",
            Self::Lost(ServerLoss::Forked) => "the server was set back and has gone on another way: rebuild it",
            Self::Lost(ServerLoss::Replaced) => "this is another server: rebuild it",
            Self::Lost(ServerLoss::PartialLoss) => "the server lost records: rebuild it",
            Self::Behind => "the server has not caught up: come back later",
            Self::Stop(Stop::WrongAccount) => "the server is signed in to another account: sign in to the right one",
            Self::Stop(Stop::Forgotten) => "the server does not know the account: open it there first",
        })
    }
}

/// An earlier lineage of a collection, and where it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Ancestor {
    /// The lineage.
    pub lineage: Lineage,
    /// Its last commit that this history holds, inclusive.
    pub end: Revision,
}

/// What a server knows of its own history, as far as one claim asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts<'a> {
    /// Where it stands; `None` if it never had the collection.
    pub position: Option<Position>,
    /// Its earlier lineages, oldest first.
    pub ancestors: &'a [Ancestor],
    /// The chain at the revisions that the claim names, where it is still kept.
    pub chains: &'a BTreeMap<Revision, Digest>,
    /// It can not mint a lineage: a follower, or a read-only store.
    pub is_follower: bool,
}

/// What follows from a claim, with its evidence.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Judgement {
    /// The outcome.
    pub continuity: Continuity,
    /// The last position that both sides are known to share; acknowledgements after it are void.
    pub common: Revision,
    /// What the device was given last.
    pub claimed: Position,
    /// Where the server stood when it was asked; `None` if it never had the collection.
    pub found: Option<Position>,
    /// Records that are missing under an intact log.
    pub missing: Vec<RecordId>,
}

impl fmt::Display for Judgement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let claimed = self.claimed;
        write!(f, "{}; known: commit {} of {}", self.continuity, claimed.revision.0, claimed.lineage)?;
        match self.found {
            Some(found) => write!(f, ", found: commit {} of {}", found.revision.0, found.lineage)?,
            None => f.write_str(", found: nothing")?,
        }
        write!(f, "; both share commits up to {}", self.common.0)?;
        if !self.missing.is_empty() {
            write!(f, "; missing there: {}", Plural(self.missing.len(), "record"))?;
        }
        Ok(())
    }
}

/// Judges a claim. Pure and total.
///
/// It says what follows *if* the claim is true. A server acts on it, by beginning another lineage, only where the claim bears
/// its own tag; the device that made the claim knows whether it is.
#[must_use]
pub fn judge(claim: &Claim, facts: &Facts<'_>) -> Judgement {
    let claimed = claim.last.position;
    let common = common(claim, facts);
    let is_whole = common == claimed.revision;
    let outcome = match facts.position {
        _ if is_whole && claim.missing.is_empty() => Continuity::Intact,
        _ if facts.is_follower => Continuity::Behind,
        _ if is_whole => Continuity::Lost(ServerLoss::PartialLoss),
        None => Continuity::Lost(ServerLoss::Emptied),
        Some(found) => match reach(claimed.lineage, found, facts.ancestors) {
            None => Continuity::Lost(ServerLoss::Replaced),
            Some(Revision(0)) => Continuity::Lost(ServerLoss::Emptied),
            Some(end) if claimed.revision > end => Continuity::Lost(ServerLoss::RolledBack),
            // It once had this commit, and does not remember which it was.
            Some(_) if !facts.chains.contains_key(&claimed.revision) => Continuity::Unproven,
            Some(_) => Continuity::Lost(ServerLoss::Forked),
        },
    };
    let missing = if is_whole { claim.missing.clone() } else { Vec::new() };
    Judgement { continuity: outcome, common, claimed, found: facts.position, missing }
}

/// The latest of the claim's positions that this history holds; the beginning if it holds none.
fn common(claim: &Claim, facts: &Facts<'_>) -> Revision {
    let Some(found) = facts.position else { return Revision::default() };
    let Some(end) = reach(claim.last.position.lineage, found, facts.ancestors) else { return Revision::default() };
    let last = (claim.last.position.revision, claim.last.position.chain);
    let is_held = |(revision, chain): &(Revision, Digest)| {
        *revision <= end && facts.chains.get(revision).is_some_and(|held| held == chain || is_off!(Chain))
    };
    core::iter::once(last)
        .chain(claim.older.iter().copied())
        .find(is_held)
        .map(|(revision, _)| revision)
        .unwrap_or_default()
}

/// How far a history goes in a lineage; `None` if it was never in it.
fn reach(lineage: Lineage, found: Position, ancestors: &[Ancestor]) -> Option<Revision> {
    if lineage == found.lineage {
        return Some(found.revision);
    }
    ancestors.iter().rev().find(|ancestor| ancestor.lineage == lineage).map(|ancestor| ancestor.end)
}
