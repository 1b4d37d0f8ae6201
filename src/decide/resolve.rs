//! What to do with one record that came: the table of cases.
//!
//! V is the stored version, W what came, K what is held back (V joined with all that came for it before).

use alloc::boxed::Box;

use super::{
    breach::Why,
    consent::Excuse,
    diff::{Compared, Diff, knows},
    draft::{After, By, Change, Claim, Draft, Entry, Origin, PeerKnows, Proposal, Quarantined},
    harm::{Harm, has_arrived},
    line::LineStatus,
    offer::Offer,
    refusal::Refusal,
    row::{Quarantine, Row},
    slice::Slice,
};
use crate::values::{ablation::is_off, id::ReplicaId, record::Life, version::Version};

impl Draft {
    /// Proposes what to do with what came. Pure and total; planning ends after one pass.
    ///
    /// `identifying` is the family without which a record is as good as lost, see
    /// [`Guard::identifying`](super::guard::Guard::identifying).
    pub fn resolve(diff: Diff, identifying: Option<&str>) -> Self {
        Self::resolved(diff, identifying, |_| false)
    }

    /// The same for a page that is not the last one of its round: what would take something away waits for the end.
    pub(crate) fn resolve_page(diff: Diff, identifying: Option<&str>) -> Self {
        Self::resolved(diff, identifying, |harm| harm.loss.is_some() || !harm.emptied.is_empty())
    }

    fn resolved(diff: Diff, identifying: Option<&str>, is_staged: impl Fn(&Harm) -> bool) -> Self {
        let Diff { slice, from, upto, records } = diff;
        let entry = |compared| entry(&slice, from, compared, identifying, &is_staged);
        let entries = records.into_iter().map(entry).collect();
        Self::new(slice, Origin::Peer { from, upto }, entries)
    }
}

fn entry(
    slice: &Slice,
    from: ReplicaId,
    compared: Compared,
    identifying: Option<&str>,
    is_staged: &impl Fn(&Harm) -> bool,
) -> Entry {
    let Compared { offer, row, refusal, settled, .. } = compared;
    // A peer's word that a record has moved is worth what its other claims are: see `moved`.
    let judge = Judge { slice, identifying, believes_moves: false };
    let proposal = match (refusal, &row, settled) {
        (Some(refusal), ..) => Proposal::Refused(refusal),
        (None, None, _) => arrival(&judge, from, &offer),
        (None, Some(row), Some(settled)) => both(&judge, row, settled, &offer),
        (None, Some(row), None) => match &row.quarantine {
            Some(Quarantine::Version { hidden, mass, .. }) => onto_held(&judge, from, row, (hidden, *mass), &offer),
            Some(Quarantine::Beside { .. } | Quarantine::Proposal { .. }) | None => {
                onto_plain(&judge, from, row, &offer)
            }
        },
    };
    let record = offer.record.clone();
    // What an answer that travelled would let in takes something away, too.
    let would_take = |change: &Change| {
        is_staged(&change.harm) || row.as_ref().is_some_and(|row| is_staged(&judge.harm(&row.version, &change.version)))
    };
    let proposal = match proposal {
        Proposal::Change { pass, excused, .. }
            if is_staged(&pass.harm) || excused.iter().any(|(_, change)| would_take(change)) =>
        {
            Proposal::Staged(Box::new(offer))
        }
        proposal => proposal,
    };
    Entry { record, before: row, proposal }
}

/// Judges one step of one record.
pub(super) struct Judge<'a> {
    pub(super) slice: &'a Slice,
    pub(super) identifying: Option<&'a str>,
    /// Whether a delete that is half of a move takes nothing away.
    pub(super) believes_moves: bool,
}

impl Judge<'_> {
    pub(super) fn harm(&self, before: &Version, after: &Version) -> Harm {
        Harm::between(before, after, self.identifying, self.believes_moves && self.has_moved(before, after))
    }

    /// What a peer's move asks for: no loss, where the host's trust lifts it. A peer that is not trusted could move many
    /// records onto one, or behind any number of others.
    fn moved(&self, stored: &Version, change: &Change) -> Option<(Claim, Change)> {
        let harmless = || Change { harm: Harm::default(), excuse: None, closes: LineStatus::Struck, ..change.clone() };
        (stored.is_alive() && self.has_moved(stored, &change.version)).then(|| (Claim::Travelled, harmless()))
    }

    /// Whether `after` may be stored over `before` without asking, where a question is open. What is held as one of too
    /// many alike changes is released by harmlessness only: each of them alone is no loss.
    pub(super) fn is_releasable(&self, before: &Version, after: &Version, mass: bool) -> bool {
        let harm = self.harm(before, after);
        if mass { harm.is_none() } else { harm.loss.is_none() }
    }

    /// Whether every delete in a dead version is half of a move whose other half is seen to have arrived, with what the
    /// record was. Else one move, or an empty one, could take any number of records away.
    fn has_moved(&self, before: &Version, dead: &Version) -> bool {
        !dead.is_alive()
            && dead.life().siblings().iter().all(|sibling| match &sibling.value {
                Life::Alive { .. } => true,
                Life::Deleted { moved: None } => false,
                Life::Deleted { moved: Some(to) } => {
                    let row = self.slice.moved.get(&(to.collection.clone(), to.record.clone()));
                    row.is_some_and(|row| {
                        let life = row.version.life().siblings();
                        let is_there = life.iter().any(|s| s.value == Life::Alive { moved: Some(to.id) });
                        row.version.is_alive() && is_there && has_arrived(before, &row.version)
                    })
                }
            })
    }
}

/// A record that is not held here: nothing can be lost.
fn arrival(judge: &Judge<'_>, from: ReplicaId, offer: &Offer) -> Proposal {
    let (version, after) = match &offer.held {
        None => (offer.version.clone(), After::Nothing),
        Some(_) => with_pair(judge, from, &offer.version, None, offer),
    };
    let pass = Change {
        version,
        after,
        by: By::Peer,
        harm: Harm::default(),
        excuse: None,
        closes: LineStatus::Struck,
        peer: Some(PeerKnows::of(offer)),
        native: None,
    };
    // Nothing is to be lifted here. But an answer that is worth nothing here is not handed on as if it were.
    let with_excuse = |excuse: &Excuse| Change { excuse: Some(excuse.clone()), ..pass.clone() };
    let excused = offer.excuse.as_ref().map(|excuse| (Claim::Travelled, with_excuse(excuse)));
    Proposal::Change { excused: tagged(excused, &pass, offer), pass, held: None }
}

/// A record that is held here and about which nothing is asked that came from a peer's version.
fn onto_plain(judge: &Judge<'_>, from: ReplicaId, row: &Row, offer: &Offer) -> Proposal {
    let is_replaced = is_off!(CleanJoin) && judge.slice.head.server.is_some() && !row.is_pending;
    let joined = if is_replaced { offer.version.clone() } else { row.version.join(&offer.version) };
    let (version, after) = match &offer.held {
        Some(_) => with_pair(judge, from, &joined, Some(row), offer),
        None => {
            let after = match &row.quarantine {
                Some(Quarantine::Beside { from: peer, hidden, .. })
                    if *peer == from && knows(&offer.version, hidden) =>
                {
                    After::Nothing
                }
                Some(_) | None => After::Same,
            };
            (joined, after)
        }
    };
    // What was asked was asked about another version. A peer that still holds one asks anew.
    let has_moved = version.digest() != row.version.digest();
    let after = match (&row.quarantine, after) {
        (Some(_), After::Same) if has_moved => After::Nothing,
        (_, after) => after,
    };
    let hidden = version.join(offer.known());
    let digest = version.digest();
    let pass = Change {
        harm: judge.harm(&row.version, &version),
        version,
        after,
        by: By::Peer,
        excuse: None,
        closes: LineStatus::Struck,
        peer: Some(PeerKnows::of(offer)),
        native: None,
    };
    let excused = offer.excuse.as_ref().filter(|excuse| excuse.hidden == digest).map(|excuse| {
        let after = match &row.quarantine {
            Some(Quarantine::Beside { .. }) if offer.held.is_none() => After::Nothing,
            Some(_) | None => pass.after.clone(),
        };
        let change =
            Change { excuse: Some(excuse.clone()), closes: LineStatus::of(excuse.verdict), after, ..pass.clone() };
        (Claim::Travelled, change)
    });
    let excused = tagged(excused.or_else(|| judge.moved(&row.version, &pass)), &pass, offer);
    let is_mass = offer.held.as_ref().is_some_and(|held| held.mass);
    let held = (pass.version != row.version).then_some(quarantined(hidden, is_mass));
    Proposal::Change { pass, held, excused }
}

/// Other contents under the same dots: this replica writes down both. Where that would take something, it is not done unasked.
fn both(judge: &Judge<'_>, row: &Row, settled: Version, offer: &Offer) -> Proposal {
    let harm = judge.harm(&row.version, &settled);
    if harm.loss.is_some() {
        let (ours, theirs) = (row.version.digest(), offer.version.digest());
        return Proposal::Refused(Refusal::Equivocation { ours, theirs });
    }
    let pass = Change {
        harm,
        version: settled,
        // What was asked was asked about another version.
        after: After::Nothing,
        by: By::Settled,
        excuse: None,
        closes: LineStatus::Struck,
        peer: Some(PeerKnows::of(offer)),
        native: None,
    };
    Proposal::Change { pass, held: None, excused: None }
}

/// A record about which a question is open: first what the peer shows, then what it holds.
fn onto_held(judge: &Judge<'_>, from: ReplicaId, row: &Row, waiting: (&Version, bool), offer: &Offer) -> Proposal {
    let ((hidden, mass), stored) = (waiting, &row.version);
    let all = hidden.join(&offer.version).join(offer.known());
    let change = |version: &Version, after: After| Change {
        version: version.clone(),
        after,
        by: By::Peer,
        harm: judge.harm(stored, version),
        excuse: None,
        closes: LineStatus::Struck,
        peer: Some(PeerKnows::of(offer)),
        native: None,
    };
    let released = hidden.join(&offer.version);
    let again = change(&released, After::Nothing);
    let excused = offer.excuse.as_ref().filter(|excuse| excuse.hidden == released.digest()).map(|excuse| {
        let (version, after) = match &offer.held {
            None => (released, After::Nothing),
            Some(_) => with_pair_released(judge, from, &released, offer),
        };
        let (verdict, excuse) = (excuse.verdict, Some(excuse.clone()));
        (Claim::Travelled, Change { excuse, closes: LineStatus::of(verdict), ..change(&version, after) })
    });
    if knows(hidden, &offer.version) && knows(hidden, offer.known()) {
        let excused = tagged(excused, &again, offer);
        return Proposal::Change { pass: change(stored, After::Same), held: None, excused };
    }
    let excused = excused.or_else(|| judge.moved(stored, &change(&all, After::Nothing)));
    let excused = tagged(excused, &again, offer);
    let shown = onto_question(judge, stored, hidden, mass, &offer.version);
    let (version, after) = with_pair_on_question(judge, from, shown, (hidden, mass), offer);
    let held = (version != *stored).then(|| quarantined(all, mass));
    Proposal::Change { pass: change(&version, after), held, excused }
}

/// What a server's own tag asks for, beside what else lifts the limits: exactly the certificate that it tagged.
fn tagged(excused: Option<(Claim, Change)>, pass: &Change, offer: &Offer) -> Option<(Claim, Change)> {
    let is_of = |change: &Change| change.version.digest() == offer.version.digest();
    if offer.delete_tag.is_none() || offer.held.is_some() || !is_of(pass) {
        return excused;
    }
    let travelled = excused.is_some();
    let change = excused.map(|(_, change)| change).filter(is_of).unwrap_or_else(|| pass.clone());
    Some((Claim::Tagged { travelled }, change))
}

/// What is stored after `came`, and what becomes of the question.
fn onto_question(
    judge: &Judge<'_>,
    stored: &Version,
    hidden: &Version,
    mass: bool,
    came: &Version,
) -> (Version, After) {
    if knows(hidden, came) {
        return (stored.clone(), After::Same);
    }
    let all = hidden.join(came);
    if judge.is_releasable(stored, &all, mass) {
        return (all, After::Nothing);
    }
    let joined = stored.join(came);
    if !judge.is_releasable(stored, &joined, mass) {
        return (stored.clone(), After::New(quarantined(all, mass)));
    }
    let stands = !gains_what_is_held(stored, came, hidden);
    let after = if stands { After::Moved { hidden: all } } else { After::New(quarantined(all, mass)) };
    (joined, after)
}

/// The same for what the peer holds. One record has one question: where one is open, it grows.
fn with_pair_on_question(
    judge: &Judge<'_>,
    from: ReplicaId,
    (stored, after): (Version, After),
    (hidden, mass): (&Version, bool),
    offer: &Offer,
) -> (Version, After) {
    let Some(pair) = &offer.held else { return (stored, after) };
    let hidden = match &after {
        After::Nothing => return with_pair_released(judge, from, &stored, offer),
        After::Same => hidden.clone(),
        After::Moved { hidden } | After::New(Quarantined::Version { hidden, .. }) => hidden.clone(),
        After::New(Quarantined::Beside { .. } | Quarantined::Proposal { .. }) => return (stored, after),
    };
    if knows(&hidden, &pair.hidden) {
        return (stored, after);
    }
    let joined = stored.join(&pair.hidden);
    let is_harmless = judge.is_releasable(&stored, &joined, pair.mass);
    if is_harmless && knows(&joined, &hidden) {
        return with_pair_released(judge, from, &joined, offer);
    }
    let asked = After::New(quarantined(hidden.join(&pair.hidden), mass || (!is_harmless && pair.mass)));
    (if is_harmless { joined } else { stored }, asked)
}

/// The same where the question that was open here is none any more.
fn with_pair_released(judge: &Judge<'_>, from: ReplicaId, stored: &Version, offer: &Offer) -> (Version, After) {
    match with_pair(judge, from, stored, None, offer) {
        (version, After::Same) => (version, After::Nothing),
        asked => asked,
    }
}

/// The peer shows one version and holds another: what is stored here then, and what waits beside it.
fn with_pair(
    judge: &Judge<'_>,
    from: ReplicaId,
    stored: &Version,
    row: Option<&Row>,
    offer: &Offer,
) -> (Version, After) {
    let Some(pair) = &offer.held else { return (stored.clone(), After::Same) };
    let is_known = knows(stored, &pair.hidden);
    let joined = if is_known { stored.clone() } else { stored.join(&pair.hidden) };
    if !is_known && !judge.is_releasable(stored, &joined, pair.mass) {
        let why = Why::HeldElsewhere;
        return (stored.clone(), After::New(Quarantined::Version { hidden: joined, mass: pair.mass, why }));
    }
    // What is stored here is held there. Where more is stored here, the pair is late, or the peer will hold that, too, and
    // ask anew.
    let waiting = row.and_then(|row| row.quarantine.as_ref());
    let is_answered = row.is_some_and(|row| row.excuse.as_ref().is_some_and(|e| e.hidden == joined.digest()));
    if is_answered || joined.digest() != pair.hidden.digest() {
        return (joined, After::Same);
    }
    let is_asked = matches!(waiting, Some(Quarantine::Beside { hidden, from: peer, .. })
        if *peer == from && hidden.digest() == pair.hidden.digest());
    let (held, hidden) = (offer.version.clone(), pair.hidden.clone());
    (joined, if is_asked { After::Same } else { After::New(Quarantined::Beside { held, hidden, from }) })
}

/// Whether `came` brings `stored` writes that `hidden` has seen: the question is then another one.
fn gains_what_is_held(stored: &Version, came: &Version, hidden: &Version) -> bool {
    came.context().iter().any(|dot| {
        let had = stored.context().get(dot.replica);
        dot.counter > had && hidden.context().get(dot.replica) > had
    })
}

/// What the guard quarantines; it fills in which rule asked.
fn quarantined(hidden: Version, mass: bool) -> Quarantined {
    Quarantined::Version { hidden, mass, why: Why::HeldAlready }
}
