//! Draft → Approved: the one door between deciding and doing.
//!
//! The guard judges the *resulting state*, not the batch, so splitting, reordering and dripping buy nothing. For a person:
//! sync never takes more than a tenth of a list at once (ten, if that is more), nor more than half of what you had,
//! without asking you. What looks wrong is set aside, everything else stays in step, and you are shown what would go.

mod count;

use alloc::{collections::BTreeMap, vec::Vec};

use super::{
    answer::last_line_named,
    breach::{Breach, Rule, Scope},
    consent::{Answer, Trust},
    draft::{By, Claim, Draft, Entry, Proposal},
    harm::Loss,
    ledger::{RoundId, Tally},
    limits::Limits,
    line::{Line, Revision},
};
use crate::values::id::CollectionId;
use count::{Counted, Tallied, asked};

/// Judges drafts against limits. There is no way to switch it off, and nothing to force.
///
/// ```
/// use holdfast::{CollectionId, Guard, Limits, decide::limits::Count};
///
/// let people = CollectionId::new("people")?;
/// let limits = Limits { bulk_delete: Count(2), identifying: Some("name".into()), ..Limits::STANDARD };
/// let guard = Guard::default().with_collection(people.clone(), &limits);
/// assert_eq!(guard.identifying(&people), Some("name"));
/// assert_eq!(guard.limits(&CollectionId::new("notes")?), &Limits::STANDARD);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Guard {
    limits: Limits,
    collections: BTreeMap<CollectionId, Limits>,
}

impl Guard {
    /// With these limits for every collection and the account, or the standard ones where those are tighter.
    #[must_use]
    pub fn new(limits: &Limits) -> Self {
        Self { limits: limits.tightened(), collections: BTreeMap::new() }
    }

    /// With other limits for one collection, or the standard ones where those are tighter.
    #[must_use]
    pub fn with_collection(mut self, collection: CollectionId, limits: &Limits) -> Self {
        self.collections.insert(collection, limits.tightened());
        self
    }

    /// The limits in force in a collection.
    #[must_use]
    pub fn limits(&self, collection: &CollectionId) -> &Limits {
        self.collections.get(collection).unwrap_or(&self.limits)
    }

    /// The limits in force in the account.
    #[must_use]
    pub const fn account_limits(&self) -> &Limits {
        &self.limits
    }

    /// The family without which a record of this collection is as good as lost.
    #[must_use]
    pub fn identifying(&self, collection: &CollectionId) -> Option<&str> {
        self.limits(collection).identifying.as_deref()
    }

    /// Reviews what this replica itself proposes, outside any round with a peer.
    pub fn review_own(&self, draft: Draft) -> Approved {
        let inputs = Inputs::own(draft.slice.head.revision);
        self.review(draft, &inputs)
    }

    /// Reviews a draft: what may go on, and what is held. Holding is an outcome, not an error.
    ///
    /// One pass: every limit is checked on the draft as a whole, in every scope; where one breaks, all that it counts is
    /// held. `answers` are what people said to this replica's own holds; `trust` is what answers that travelled with
    /// records are worth.
    pub fn review(&self, draft: Draft, inputs: &Inputs<'_>) -> Approved {
        let limits = self.limits(&draft.slice.collection).clone();
        let mut decisions: Vec<Decision> = draft
            .entries
            .iter()
            .map(|entry| if is_lifted(entry, &draft.slice.lines, inputs) { Decision::Excused } else { Decision::Pass })
            .collect();
        let counted: Vec<Counted<'_>> = draft
            .entries
            .iter()
            .enumerate()
            .filter(|(index, _)| decisions.get(*index) == Some(&Decision::Pass))
            .filter_map(|(index, entry)| Counted::of(index, entry))
            .collect();
        let asked = draft.entries.iter().zip(&decisions).filter_map(|(entry, decision)| asked(entry, decision));
        let mut tallied = Tallied::new(&draft.slice, &draft.origin, inputs.round).asking(asked);
        let mut breaches = Vec::new();
        let mut hold = |breach: Breach, members: Vec<usize>| {
            for index in members {
                let Some(decision) = decisions.get_mut(index) else { continue };
                let replaces = match decision {
                    Decision::Pass => true,
                    // One of too many alike is released by harmlessness only, whatever else it broke.
                    Decision::Held { why } => breach.rule.is_mass() && !why.rule.is_mass(),
                    Decision::Excused => false,
                };
                if replaces {
                    *decision = Decision::Held { why: breach.clone() };
                }
            }
            breaches.push(breach);
        };
        self.ask_in_bulk(&draft, &limits, &mut hold);
        if inputs.is_reseeding {
            ask_for_all(&draft, &mut hold);
        }
        tallied.check(&draft.slice, &limits, &self.limits, &counted, &mut hold);
        hold_all_missing(&draft, &mut decisions);
        let passed = |counted: &&Counted<'_>| decisions.get(counted.index) == Some(&Decision::Pass);
        tallied.add(counted.iter().filter(passed));
        let Tallied { collection, account, .. } = tallied;
        let tallies = (!inputs.is_own).then_some((collection, account));
        Approved { draft, decisions, breaches, tallies, limits }
    }

    /// A bulk delete of many, or of all, takes the consent of the person who is looking at it.
    fn ask_in_bulk(&self, draft: &Draft, limits: &Limits, hold: &mut dyn FnMut(Breach, Vec<usize>)) {
        let is_bulk =
            |entry: &Entry| matches!(&entry.proposal, Proposal::Change { pass, .. } if matches!(pass.by, By::Bulk(_)));
        let members: Vec<usize> =
            draft.entries.iter().enumerate().filter(|(_, entry)| is_bulk(entry)).map(|(index, _)| index).collect();
        let found = u64::try_from(members.len()).unwrap_or(u64::MAX);
        let of = draft.slice.ledger.as_ref().map_or(found, |ledger| ledger.visible);
        let empties = found > 0 && found >= of;
        if found >= limits.bulk_delete.0 || empties {
            let allowed = limits.bulk_delete.0.saturating_sub(1);
            hold(Breach { rule: Rule::BulkDelete, scope: Scope::Collection, found, allowed, of }, members);
        }
    }
}

/// What the guard is told, beside the draft.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Inputs<'a> {
    /// The round that this draft belongs to.
    pub round: RoundId,
    /// What people said to this replica's own holds.
    pub answers: &'a [Answer],
    /// What answers that travelled with records are worth.
    pub trust: Trust,
    /// The round is one of this replica with itself: it ends with its commit, and no round with a peer ends with it.
    is_own: bool,
    /// On a server that repairs a loss: its own tags lift the limits for the deletes that they name.
    is_repairing: bool,
    /// On a device that seeds its server: nothing is taken from it.
    is_reseeding: bool,
}

impl<'a> Inputs<'a> {
    /// For one round, with no answers, and travelling ones worth `trust`.
    #[must_use]
    pub const fn new(round: RoundId, trust: Trust) -> Self {
        Self { round, answers: &[], trust, is_own: false, is_repairing: false, is_reseeding: false }
    }

    /// For what this replica itself proposes at a revision.
    pub(crate) fn own(revision: Revision) -> Self {
        Self { is_own: true, ..Self::new(RoundId::own(revision), Trust::Nothing) }
    }

    /// Of a server that repairs a loss, or not: what it tagged itself, it takes again.
    pub(crate) const fn repairing(self, is_repairing: bool) -> Self {
        Self { is_repairing, ..self }
    }

    /// Of a device that seeds its server, or not. No answer that travelled lifts anything then.
    pub(crate) const fn reseeding(self, is_reseeding: bool) -> Self {
        let trust = if is_reseeding { Trust::Nothing } else { self.trust };
        Self { is_reseeding, trust, ..self }
    }

    /// With a person's answers.
    #[must_use]
    pub const fn with_answers(mut self, answers: &'a [Answer]) -> Self {
        self.answers = answers;
        self
    }
}

/// On a device that seeds its server: whatever would take something away is a question, each by itself.
fn ask_for_all(draft: &Draft, hold: &mut dyn FnMut(Breach, Vec<usize>)) {
    let members = draft.takers();
    if members.is_empty() {
        return;
    }
    let found = u64::try_from(members.len()).unwrap_or(u64::MAX);
    let of = draft.slice.ledger.as_ref().map_or(found, |ledger| ledger.base);
    hold(Breach { rule: Rule::Reseed, scope: Scope::Collection, found, allowed: 0, of }, members);
}

/// What a listing lacks is removed all or none: where one removal is held, so are the others.
fn hold_all_missing(draft: &Draft, decisions: &mut [Decision]) {
    let is_missing = |entry: &Entry| {
        matches!(&entry.proposal, Proposal::Change { pass, .. }
            if pass.by == By::Listed && pass.harm.loss == Some(Loss::Hidden))
    };
    let held = draft.entries.iter().zip(&*decisions).filter(|(entry, _)| is_missing(entry));
    let why = held.filter_map(|(_, decision)| match decision {
        Decision::Held { why } => Some(why.clone()),
        Decision::Pass | Decision::Excused => None,
    });
    let Some(why) = why.min() else { return };
    for (entry, decision) in draft.entries.iter().zip(decisions) {
        if is_missing(entry) && *decision == Decision::Pass {
            *decision = Decision::Held { why: why.clone() };
        }
    }
}

/// Whether what a claim asks for has been said.
fn is_lifted(entry: &Entry, lines: &[Line], inputs: &Inputs<'_>) -> bool {
    let Proposal::Change { excused: Some((claim, _)), .. } = &entry.proposal else { return false };
    match claim {
        Claim::Travelled => inputs.trust.lifts(),
        Claim::Tagged { travelled } => inputs.is_repairing || (*travelled && inputs.trust.lifts()),
        Claim::Line(number) => inputs.answers.iter().any(|answer| {
            last_line_named(lines, answer.digest).is_some_and(|last| *number <= last.number)
                && lines.iter().any(|line| line.number == *number && line.record == entry.record && line.is_open())
        }),
    }
}

/// What the guard decided for one entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Decision {
    /// It goes on.
    Pass,
    /// It goes on because a person said so.
    Excused,
    /// It is held.
    Held { why: Breach },
}

/// A draft that the guard has reviewed. It has no public constructor, and it is spent by moving it.
///
/// ```compile_fail
/// use holdfast::decide::guard::Approved;
/// fn copy(approved: &Approved) -> Approved { approved.clone() } // not `Clone`
/// ```
///
/// ```compile_fail
/// use holdfast::decide::guard::Approved;
/// fn from_nothing() -> Approved { Approved::default() } // not `Default`
/// ```
///
/// ```compile_fail
/// use holdfast::decide::guard::Approved;
/// fn from_outside<T: serde::de::DeserializeOwned>() {}
/// from_outside::<Approved>(); // not `Deserialize`
/// ```
///
/// ```compile_fail
/// use holdfast::decide::guard::Approved;
/// fn lift(mut approved: Approved) -> Approved { approved.decisions.clear(); approved } // its fields are its own
/// ```
///
/// ```
/// use holdfast::decide::guard::Approved;
/// fn pass_on(approved: Approved) -> Approved { approved }
/// fn look(approved: &Approved) -> usize { approved.held().count() }
/// fn from_outside<T: serde::de::DeserializeOwned>() {}
/// from_outside::<holdfast::decide::line::Hold>(); // a hold is only a question
/// ```
#[derive(Debug)]
#[must_use = "nothing has been done yet: make a plan of it"]
pub struct Approved {
    pub(crate) draft: Draft,
    pub(crate) decisions: Vec<Decision>,
    pub(crate) breaches: Vec<Breach>,
    /// What the round has taken then, in the collection and in the account; `None` if it is no round with a peer.
    pub(crate) tallies: Option<(Tally, Option<Tally>)>,
    pub(crate) limits: Limits,
}

impl Approved {
    /// The limits that broke, each with both numbers.
    #[must_use]
    pub fn breaches(&self) -> &[Breach] {
        &self.breaches
    }

    /// The records that are held.
    pub fn held(&self) -> impl Iterator<Item = &crate::values::id::RecordId> {
        let entries = self.draft.entries.iter().zip(&self.decisions);
        entries.filter(|(_, decision)| matches!(decision, Decision::Held { .. })).map(|(entry, _)| &entry.record)
    }
}
