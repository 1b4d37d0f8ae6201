//! What a device pulls: pages of the feed, and records whole.

use alloc::vec::Vec;

use super::{Call, Decision, deletes::tag_of, greet::is_held, now};
use crate::decide::{
    authorship::Link,
    ledger::FirstSeen,
    line::Revision,
    offer::Offer,
    position::{FeedCursor, Within},
    row::Row,
    screen::too_large,
    slice::Slice,
};
use crate::talk::{
    limits::WireLimits,
    message::{Greeting, Refused, Reply},
    offer::SentOffer,
};
use crate::values::{codec::DecodeLimits, id::CollectionId, version::Version};

/// Records that one page can hold.
pub(super) fn records_in(page_bytes: u64, limits: &WireLimits) -> usize {
    limits.records_in(usize::try_from(page_bytes).unwrap_or(usize::MAX))
}

/// One page of the feed.
pub(super) fn page(
    at: Option<Greeting>,
    after: &FeedCursor,
    (page_bytes, record_bytes): (u64, u64),
    accepted: Option<Link>,
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
    let rows = slice.found.iter().filter_map(|id| slice.rows.get(id));
    let (offers, last, read) = filled(rows, enough, record_bytes, (&slice.collection, call), |row| {
        // What it replaced is what the device has, if the device has read that far.
        let former = slice.bases.get(&row.record).filter(|former| former.since <= after.revision);
        former.and_then(|former| former.before.as_ref())
    });
    let is_more = read < slice.found.len() || slice.found.len() == records_in(page_bytes, &call.limits);
    let end = FeedCursor { revision: slice.head.revision, within: None };
    let next = last.filter(|_| is_more).map_or(end, cursor_at);
    Decision::reply(Reply::Page {
        offers,
        next,
        is_more,
        now: now(slice, call),
        accepted,
        hold: slice.head.hold.shown(),
    })
}

/// The cursor of who has read up to a row, inclusive.
fn cursor_at(row: &Row) -> FeedCursor {
    let record = (row.first_seen == FirstSeen::NEVER).then(|| row.record.clone());
    let within = Within { revision: row.changed_at, place: row.first_seen, record };
    FeedCursor { revision: Revision(row.changed_at.0.saturating_sub(1)), within: Some(within) }
}

/// Records whole, as many as a page holds: who misses some asks again.
pub(super) fn whole(
    at: Option<Greeting>,
    record_bytes: u64,
    accepted: Option<Link>,
    slice: &Slice,
    call: &Call<'_>,
) -> Decision {
    // Who goes on from another history would take this one for it.
    if at.is_some_and(|at| !is_held(at, slice, call)) {
        return Decision::refused(Refused::Renewed);
    }
    let (offers, ..) =
        filled(slice.rows.values(), call.limits.page_bytes, record_bytes, (&slice.collection, call), |_| None);
    Decision::reply(Reply::Whole { offers, now: now(slice, call), accepted })
}

/// What both sides take in one record.
fn taken_by(record_bytes: u64, call: &Call<'_>) -> DecodeLimits {
    let record = call.limits.record;
    DecodeLimits { max_bytes: record.max_bytes.min(usize::try_from(record_bytes).unwrap_or(usize::MAX)), ..record }
}

/// A row as devices are shown it: a delete goes with the server's tag on it.
fn shown(row: &Row, collection: &CollectionId, call: &Call<'_>) -> Offer {
    Offer { delete_tag: tag_of(row, row.excuse.as_ref(), collection, call), ..Offer::of(row) }
}

/// Offers of rows until there are enough bytes, at least one; the last row among them, and how many rows were looked at. What
/// is more than may cross stays where it is, and stands in nobody's way.
fn filled<'r>(
    rows: impl Iterator<Item = &'r Row>,
    enough: usize,
    record_bytes: u64,
    (collection, call): (&CollectionId, &Call<'_>),
    base: impl Fn(&'r Row) -> Option<&'r Version>,
) -> (Vec<SentOffer>, Option<&'r Row>, usize) {
    let limits = taken_by(record_bytes, call);
    let (mut offers, mut bytes, mut last, mut read) = (Vec::new(), 0_usize, None, 0_usize);
    for row in rows {
        let is_large = [&row.version, row.known()].into_iter().any(|v| too_large(v, &limits).is_some());
        if !is_large {
            let (offer, weight) = SentOffer::weighed(shown(row, collection, call), base(row));
            bytes = bytes.saturating_add(weight);
            if bytes > enough && !offers.is_empty() {
                break;
            }
            offers.push(offer);
        }
        last = Some(row);
        read = read.saturating_add(1);
    }
    (offers, last, read)
}
