//! What a device pushes: page by page, and what takes something away waits for the last one.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};

use super::{Asked, Call, Decision, Role, Serving, beginning, deletes, greet::is_held};
use crate::act::{
    plan::{Batch, Plan},
    receipt::Receipt,
};
use crate::decide::{
    authorship::{AcceptedWrites, Link},
    changes::Changes,
    consent::Trust,
    diff::Diff,
    draft::{Draft, Heading, Pushed},
    guard::Inputs,
    history::History,
    ledger::RoundId,
    offer::Offer,
    refusal::Refusal,
    row::{Quarantine, Row},
    screen::Screen,
    slice::{ReadSet, Slice},
};
use crate::talk::{
    message::{Refused, Reply, Request, Taken},
    offer::{Sent, SentOffer},
};
use crate::values::{
    ablation::is_off,
    digest::Digest,
    entropy::EntropyError,
    id::{CollectionId, RecordId, ReplicaId},
};

/// How far a push may raise its replica's counter.
const MAX_COUNTER_STEP: u64 = 1 << 32;

/// The round that a device's session is, on either side.
pub(crate) fn round(device: ReplicaId, session: u64) -> RoundId {
    let digest = Digest::of("holdfast round", &[device.as_bytes(), &session.to_be_bytes()]);
    RoundId(u128::from_be_bytes(*digest.as_bytes()))
}

/// One page of a push, opened.
struct Opened {
    offers: Vec<Offer>,
    /// Records whose patches do not fit.
    unfit: BTreeSet<RecordId>,
    /// Records of which writes of others came along.
    repeating: BTreeSet<RecordId>,
}

impl Opened {
    fn pushed(&self, by: ReplicaId, link: Link, is_last: bool) -> Pushed {
        // Who is asked to send something whole has not sent all yet.
        Pushed { by, link, is_finished: is_last, is_settled: is_last && self.unfit.is_empty() }
    }
}

pub(super) fn taken(asked: &Asked<'_>, slice: Slice, serving: &Serving<'_>) -> Result<Decision, EntropyError> {
    let Serving { guard, call, .. } = *serving;
    let Request::Push { at, links, is_first, is_last, offers, .. } = asked.request else {
        return Ok(Decision::refused(Refused::Malformed));
    };
    if call.role == Role::Follower {
        return Ok(Decision::refused(Refused::ReadOnly));
    }
    if slice.head.history.as_ref().is_some_and(|history| !history.has_room_for(asked.from)) {
        return Ok(Decision::refused(Refused::Forbidden));
    }
    let is_begun = slice.head.history.is_some();
    // Who was given no position may push where there was none to give, and nowhere else.
    if at.map_or(is_begun, |at| !is_held(at, &slice, call)) {
        return Ok(Decision::refused(Refused::Renewed));
    }
    let opened = open(offers, asked.from, &slice);
    let staged = if *is_last && !is_first { slice.staged.clone() } else { Vec::new() };
    let offers_in = staged.iter().cloned().chain(opened.offers.iter().cloned()).collect();
    let is_repairing = slice.head.history.as_ref().is_some_and(|history| history.is_repairing(slice.head.tick));
    let offers_in = deletes::checked(offers_in, is_repairing, &slice.collection, call);
    let changes = Changes { from: asked.from, collection: slice.collection.clone(), offers: offers_in, upto: None };
    if let Some(more) = more(asked, &changes, &slice) {
        return Ok(Decision::More(more));
    }
    let author = slice.head.history.as_ref().and_then(|history| history.authors.get(&asked.from)).copied();
    let link = match reached(author, links) {
        Ok(link) => link,
        Err(accepted) => return Ok(Decision::refused(Refused::ReplicaConflict { accepted })),
    };
    let is_settled = |history: &History| history.is_settled(asked.from);
    let is_supplied = is_repairing && !slice.head.history.as_ref().is_some_and(is_settled);
    let heading = Heading {
        begins: if !is_begun { Some(beginning(&slice, serving)?) } else { None },
        pushed: Some(opened.pushed(asked.from, link, *is_last)),
        brought_by: is_supplied.then_some(asked.from),
        round_of: Some(asked.from),
        unstages: *is_first || *is_last,
        ..Heading::default()
    };
    let before = slice.head.revision;
    let rows: BTreeMap<RecordId, Row> = slice.rows.clone();
    let head = slice.head.clone();
    let identifying = guard.identifying(&slice.collection);
    let Ok(diff) = Diff::between(slice, changes) else { return Ok(Decision::refused(Refused::Malformed)) };
    let screen = Screen {
        sender: asked.from,
        counter: link.counter,
        is_repairing: is_supplied,
        limits: call.limits.record,
        repeating: &opened.repeating,
    };
    let diff = diff.screened(&screen);
    // Who has never pushed leaves nothing behind that waits: what it takes away is judged page by page.
    let waits = !*is_last && author.is_some_and(|author| author.has_finished);
    let draft = if !waits { Draft::resolve(diff, identifying) } else { Draft::resolve_page(diff, identifying) };
    let inputs = Inputs::new(round(asked.from, asked.session), trust(call, is_supplied)).repairing(is_repairing);
    let plan = Plan::new(guard.review(draft.with_heading(heading), &inputs));
    let (batch, applying) = plan.begin();
    let receipt = applying.committed();
    let head = batch.as_ref().map_or(&head, |batch| &batch.head);
    let Some(history) = &head.history else { return Ok(Decision::refused(Refused::Malformed)) };
    let now = call.key.issue(call.account, &receipt.collection, history.position(head.revision));
    let outcome = Outcome::new(&rows, batch.as_ref(), &receipt, call);
    let except = except(offers, &opened, &outcome);
    let staged = staged.iter().map(|offer| (offer.record.clone(), outcome.of(offer))).collect();
    let reply = Reply::Taken { before, now, except, staged, hold: head.hold.shown() };
    Ok(Decision::Done { batch, reply, receipt: Some(receipt) })
}

/// The link that a push reaches, if it goes on from the last one that was accepted; that one, if it does not.
///
/// A device names all links that it has offered: of some it does not know whether they arrived.
fn reached(accepted: Option<AcceptedWrites>, links: &[Link]) -> Result<Link, Link> {
    let before = accepted.map_or_else(Link::none, |accepted| accepted.link);
    let is_further = is_off!(ReplicaChain) && links.iter().any(|link| link.counter >= before.counter);
    if before.counter > 0 && !links.contains(&before) && !is_further {
        return Err(before);
    }
    let Some(last) = links.last().copied() else { return Ok(before) };
    Ok(Link { counter: last.counter.min(before.counter.saturating_add(MAX_COUNTER_STEP)), ..last })
}

/// A travelling consent lifts limits only while continuity is intact, unless the host verified its signature.
const fn trust(call: &Call<'_>, is_supplied: bool) -> Trust {
    match call.trust {
        Trust::Account if is_supplied => Trust::Nothing,
        trust => trust,
    }
}

fn open(offers: &[SentOffer], from: ReplicaId, slice: &Slice) -> Opened {
    let mut opened = Opened { offers: Vec::new(), unfit: BTreeSet::new(), repeating: BTreeSet::new() };
    for sent in offers {
        let row = slice.rows.get(&sent.record);
        let bases: Vec<_> = row.into_iter().flat_map(|row| [&row.version, row.known()]).collect();
        let carries_others = match &sent.version {
            Sent::Whole(_) => true,
            Sent::Patch(patch) => patch.has_writes_of_others(from),
        };
        if carries_others || sent.held.is_some() {
            opened.repeating.insert(sent.record.clone());
        }
        match sent.clone().open(&bases) {
            Some(offer) => opened.offers.push(offer),
            None => {
                opened.unfit.insert(sent.record.clone());
            }
        }
    }
    opened
}

/// What the page and the staged offers need beside the rows that the page names.
fn more(asked: &Asked<'_>, changes: &Changes, slice: &Slice) -> Option<ReadSet> {
    if asked.is_again {
        return None;
    }
    let set = changes.read_set().with_moved(slice.destinations()).with_staged(asked.from);
    let set = set.with_chains(slice.chains.keys().copied());
    let is_read = |record: &RecordId| {
        let Request::Push { offers, .. } = asked.request else { return true };
        offers.iter().any(|offer| offer.record == *record)
    };
    let needs = !set.moved.is_empty() || !set.records.iter().all(is_read);
    needs.then_some(set)
}

/// What a commit leaves of the records that were pushed.
struct Outcome<'o> {
    rows: &'o BTreeMap<RecordId, Row>,
    written: BTreeMap<&'o RecordId, &'o Row>,
    refused: BTreeMap<&'o RecordId, &'o Refusal>,
    staged: BTreeSet<&'o RecordId>,
    collection: &'o CollectionId,
    call: &'o Call<'o>,
}

impl<'o> Outcome<'o> {
    fn new(
        rows: &'o BTreeMap<RecordId, Row>,
        batch: Option<&'o Batch>,
        receipt: &'o Receipt,
        call: &'o Call<'o>,
    ) -> Self {
        let written = batch.into_iter().flat_map(|batch| &batch.rows).map(|row| (&row.record, row)).collect();
        let refused = receipt.refused.iter().map(|(record, refusal)| (record, refusal)).collect();
        let staged = receipt.staged.iter().collect();
        Self { rows, written, refused, staged, collection: &receipt.collection, call }
    }

    fn of(&self, offer: &Offer) -> Taken {
        let record = &offer.record;
        if let Some(refusal) = self.refused.get(record) {
            return Taken::Refused(Refusal::clone(refusal));
        }
        if self.staged.contains(record) {
            return Taken::Staged;
        }
        let row = self.written.get(record).copied().or_else(|| self.rows.get(record));
        let Some(row) = row else { return Taken::Merged };
        let is_asked = matches!(row.quarantine, Some(Quarantine::Version { .. }));
        if row.known().digest() != offer.known().digest() {
            Taken::Merged
        } else if is_asked && offer.held.is_none() {
            Taken::Held
        } else {
            // An answer that is not kept here is not in the tag either.
            let excuse = offer.excuse.as_ref().filter(|excuse| row.excuse.as_ref() == Some(*excuse));
            let tag = deletes::tag_of(row, excuse, self.collection, self.call);
            tag.filter(|_| offer.held.is_none()).map_or(Taken::Stored, Taken::Deleted)
        }
    }
}

/// By place, what was not simply taken.
fn except(offers: &[SentOffer], opened: &Opened, outcome: &Outcome<'_>) -> Vec<(u32, Taken)> {
    let known: BTreeMap<&RecordId, &Offer> = opened.offers.iter().map(|offer| (&offer.record, offer)).collect();
    let taken = |sent: &SentOffer| known.get(&sent.record).map_or(Taken::NeedWhole, |offer| outcome.of(offer));
    let taken = (0_u32..).zip(offers).map(|(place, sent)| (place, taken(sent)));
    taken.filter(|(_, taken)| *taken != Taken::Stored).collect()
}
