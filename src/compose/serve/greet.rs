//! Is this still the server that the device knew?

use super::{Asked, Call, Decision, Role, Serving, accepted_beside, beginning, now, written};
use crate::act::plan::Batch;
use crate::decide::{
    continuity::{Claim, Continuity, Facts, Judgement, ServerLoss, judge},
    draft::Heading,
    guard::Guard,
    position::Position,
    slice::Slice,
};
use crate::talk::message::{Greeting, Recognition, Reply};
use crate::values::entropy::EntropyError;

/// To a greeting: in a quiet round this is all.
pub(super) fn welcome(
    asked: &Asked<'_>,
    accepted: u64,
    at: Option<Greeting>,
    batch: Option<Batch>,
    slice: &Slice,
    call: &Call<'_>,
) -> Decision {
    let recognition = match at {
        None if slice.head.history.is_none() => Recognition::Same,
        None => Recognition::First,
        Some(at) if !is_held(at, slice, call) => Recognition::Prove,
        Some(at) if at.revision == slice.head.revision => Recognition::Same,
        Some(_) => Recognition::News,
    };
    let (accepted, hold) = (accepted_beside(asked, accepted, slice), slice.head.hold.shown());
    Decision::Done { batch, reply: Reply::Welcome { recognition, accepted, hold }, receipt: None }
}

/// Whether the position is in the history, as it was issued.
pub(super) fn is_held(at: Greeting, slice: &Slice, call: &Call<'_>) -> bool {
    let Some(history) = &slice.head.history else { return false };
    let Some(chain) = slice.chains.get(&at.revision) else { return false };
    let position = Position { lineage: history.lineage, revision: at.revision, chain: *chain };
    at.revision <= slice.head.revision && call.key.issue(call.account, &slice.collection, position).tag == at.tag
}

/// To a proof. Where the claim is believed, a loss begins another lineage, and others' values may be supplied.
pub(super) fn judged(
    asked: &Asked<'_>,
    claim: &Claim,
    renewal: Option<Batch>,
    slice: Slice,
    serving: &Serving<'_>,
) -> Result<Decision, EntropyError> {
    let Serving { guard, call, .. } = *serving;
    let history = slice.head.history.as_ref();
    let ancestors = history.map(|history| history.ancestors.clone()).unwrap_or_default();
    let facts = Facts {
        position: history.map(|history| history.position(slice.head.revision)),
        ancestors: &ancestors,
        chains: &slice.chains,
        is_follower: call.role == Role::Follower,
    };
    let judgement = judge(claim, &facts);
    let is_believed = call.key.has_issued(call.account, &slice.collection, &claim.last);
    let lineage = claim.last.position.lineage;
    let begins = match (history, judgement.continuity) {
        // There is nothing here that could be put at risk.
        (None, Continuity::Lost(_)) => true,
        (Some(history), Continuity::Lost(_)) if is_believed => {
            history.lineage == lineage || !history.has_heard_of(lineage) || !history.is_repairing(slice.head.tick)
        }
        _ => false,
    };
    if !begins || renewal.is_some() {
        let (batch, slice) = match renewal {
            None if is_believed && call.role == Role::Home => hear(asked, &judgement, slice, guard),
            renewal => (renewal, slice),
        };
        let now = now(&slice, call);
        return Ok(Decision::Done { batch, reply: Reply::Judged { judgement, now }, receipt: None });
    }
    let is_emptied = is_believed && judgement.continuity == Continuity::Lost(ServerLoss::Emptied);
    let is_foreign = is_believed && judgement.continuity == Continuity::Lost(ServerLoss::Replaced);
    let beginning = beginning(&slice, serving)?;
    let beginning = beginning.of_repair(is_emptied.then_some(lineage), is_foreign.then_some(lineage));
    let heard = is_believed.then(|| (asked.from, judgement.clone()));
    let (batch, slice) = written(Heading { begins: Some(beginning), heard, ..Heading::default() }, slice, guard);
    let now = now(&slice, call);
    Ok(Decision::Done { batch, reply: Reply::Judged { judgement, now }, receipt: None })
}

/// While a loss is mended, who has been heard is noted, once for each device.
fn hear(asked: &Asked<'_>, judgement: &Judgement, slice: Slice, guard: &Guard) -> (Option<Batch>, Slice) {
    let heard = Some((asked.from, judgement.clone()));
    written(Heading { heard, ..Heading::default() }, slice, guard)
}
