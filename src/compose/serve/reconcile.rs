//! Which records differ, where no cursor is shared: each range that was asked about is the same, listed, or split.

use alloc::vec::Vec;

use super::{Call, Decision, greet::is_held, now};
use crate::decide::{
    reconcile::{Fingerprint, Outline, Part, Span},
    slice::Slice,
};
use crate::talk::{
    compare::{Comparison, Found, FoundPart, FoundRange},
    limits::WireLimits,
    message::{Greeting, Refused, Reply},
};
use crate::values::id::RecordId;

/// Ranges in one request, at most. They do not overlap, so a request reads each row once at most.
pub(crate) const RANGES: usize = 256;
/// What a range takes in a reply beside an id, about.
const RANGE_BYTES: usize = 20;

/// The ranges that are asked about; `None` if they are not in order, overlap, or are too many.
pub(super) fn spans(holds: &Comparison, limits: &WireLimits) -> Option<Vec<Span>> {
    holds.spans().filter(|spans| (1..=RANGES.min(limits.max_items)).contains(&spans.len()))
}

/// To a comparison.
pub(super) fn reconciled(at: Option<Greeting>, holds: &Comparison, slice: Slice, call: &Call<'_>) -> Decision {
    if spans(holds, &call.limits).is_none() {
        return Decision::refused(Refused::Malformed);
    }
    // A device that was given no position is told where the server stands.
    if at.is_some_and(|at| !is_held(at, &slice, call)) {
        return Decision::refused(Refused::Renewed);
    }
    let now = now(&slice, call);
    // A collection that is not there is an empty one.
    let held = slice.spans.into_iter().chain(core::iter::repeat_with(|| Outline::Listed(Vec::new())));
    let Comparison::Ranges(asked) = holds;
    let (mut found, mut bytes) = (Vec::with_capacity(asked.len()), 0_usize);
    for (asked, outline) in asked.iter().zip(held) {
        let fingerprint = outline.fingerprint();
        let range = if fingerprint.digest() == asked.fingerprint { FoundRange::Same } else { differing(outline, call) };
        bytes = bytes.saturating_add(weight(&range));
        if bytes > call.limits.page_bytes && !found.is_empty() {
            break;
        }
        found.push(range);
    }
    Decision::reply(Reply::Reconciled { found: Found::Ranges(found), now })
}

/// Listed where the list may cross; one record always may.
fn differing(outline: Outline, call: &Call<'_>) -> FoundRange {
    match outline {
        Outline::Listed(records) => {
            let listed = FoundRange::Listed(records);
            let FoundRange::Listed(records) = &listed else { return listed };
            let may_cross = records.len() <= call.limits.max_items && weight(&listed) <= call.limits.page_bytes;
            if may_cross || records.len() <= 1 {
                return listed;
            }
            parts(Outline::Listed(records.clone()))
        }
        outline @ Outline::Parts(_) => parts(outline),
    }
}

fn parts(outline: Outline) -> FoundRange {
    let part = |Part { until, fingerprint }: Part| FoundPart { until, fingerprint: Fingerprint::digest(&fingerprint) };
    FoundRange::Parts(outline.in_parts().into_iter().map(part).collect())
}

/// Bytes of a range in a reply, about.
fn weight(range: &FoundRange) -> usize {
    let of = |id: &RecordId| id.as_str().len().saturating_add(RANGE_BYTES);
    match range {
        FoundRange::Same => 1,
        FoundRange::Listed(records) => records.iter().map(|(record, _)| of(record)).sum(),
        FoundRange::Parts(parts) => parts.iter().map(|part| part.until.as_ref().map_or(RANGE_BYTES, of)).sum(),
    }
}
