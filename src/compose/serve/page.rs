//! What a device pulls: pages of the feed, and records whole.

use alloc::vec::Vec;

use super::{Call, Decision, greet::is_held, now};
use crate::decide::{
    ledger::FirstSeen,
    line::Revision,
    offer::Offer,
    position::{FeedCursor, Within},
    row::Row,
    slice::Slice,
};
use crate::talk::{
    limits::WireLimits,
    message::{Greeting, Refused, Reply},
    offer::SentOffer,
};

/// The least that a record takes in a page, about.
const RECORD_BYTES: usize = 64;

/// Records that one page can hold.
pub(super) fn records_in(page_bytes: u64, limits: &WireLimits) -> usize {
    let bytes = usize::try_from(page_bytes).unwrap_or(usize::MAX).min(limits.page_bytes);
    bytes.div_euclid(RECORD_BYTES).clamp(1, limits.max_items)
}

/// One page of the feed.
pub(super) fn page(
    at: Option<Greeting>,
    after: &FeedCursor,
    page_bytes: u64,
    slice: &Slice,
    call: &Call<'_>,
) -> Decision {
    let is_known = match at {
        Some(at) => is_held(at, slice, call),
        // A device that was given no position reads from the beginning, and is told where the server stands.
        None => *after == FeedCursor::default(),
    };
    if !is_known || after.revision > slice.head.revision {
        return Decision::refused(Refused::Renewed);
    }
    let enough = usize::try_from(page_bytes).unwrap_or(usize::MAX).min(call.limits.page_bytes);
    let (mut offers, mut bytes, mut last) = (Vec::new(), 0_usize, None);
    for row in slice.found.iter().filter_map(|id| slice.rows.get(id)) {
        // What it replaced is what the device has, if the device has read that far.
        let former = slice.bases.get(&row.record).filter(|former| former.since <= after.revision);
        let offer = SentOffer::of(Offer::of(row), former.and_then(|former| former.before.as_ref()));
        bytes = bytes.saturating_add(offer.weight());
        if bytes > enough && !offers.is_empty() {
            break;
        }
        offers.push(offer);
        last = Some(row);
    }
    let is_more = offers.len() < slice.found.len() || slice.found.len() == records_in(page_bytes, call.limits);
    let end = FeedCursor { revision: slice.head.revision, within: None };
    let next = last.filter(|_| is_more).map_or(end, cursor_at);
    Decision::reply(Reply::Page { offers, next, is_more, now: now(slice, call) })
}

/// The cursor of who has read up to a row, inclusive.
fn cursor_at(row: &Row) -> FeedCursor {
    let record = (row.first_seen == FirstSeen::NEVER).then(|| row.record.clone());
    let within = Within { revision: row.changed_at, place: row.first_seen, record };
    FeedCursor { revision: Revision(row.changed_at.0.saturating_sub(1)), within: Some(within) }
}

/// Records whole.
pub(super) fn whole(slice: &Slice) -> Decision {
    let offers = slice.rows.values().map(|row| SentOffer::of(Offer::of(row), None)).collect();
    Decision::reply(Reply::Whole { offers })
}
