//! Which records differ, asked and answered, where no cursor is shared. The method is named, so that others can be added.

use alloc::vec::Vec;

use serde::Serialize;

use crate::decide::reconcile::Span;
use crate::values::{digest::Digest, id::RecordId};

/// What a device says of what it holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub enum Comparison {
    /// By fingerprints of ranges of ids, see [`decide::reconcile`](crate::decide::reconcile). They are in order, and none
    /// overlaps another.
    Ranges(Vec<AskedRange>),
}

/// A range, as the device holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AskedRange {
    /// Exclusive. `None`: it begins where the one before it ends, and the first one at the first id.
    pub after: Option<RecordId>,
    /// Inclusive. `None`, in the last one: to the last id.
    pub until: Option<RecordId>,
    /// What the device holds of it.
    pub fingerprint: Digest,
}

/// What a server says to a [`Comparison`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub enum Found {
    /// Of the first ranges that were asked, in order, as many as a reply holds; at least one.
    Ranges(Vec<FoundRange>),
}

/// A range, as the server holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub enum FoundRange {
    /// The same.
    Same,
    /// These records and no other, by id, with what is [told](crate::decide::reconcile::told) of them.
    Listed(Vec<(RecordId, Digest)>),
    /// Too many to list.
    Parts(Vec<FoundPart>),
}

/// A part of a range, as the server holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FoundPart {
    /// Inclusive. `None`, in the last one: to the end of the range.
    pub until: Option<RecordId>,
    /// What the server holds of it.
    pub fingerprint: Digest,
}

impl Comparison {
    /// Of ranges, in order.
    #[must_use]
    pub fn of_ranges(ranges: impl IntoIterator<Item = (Span, Digest)>) -> Self {
        let mut end = None;
        let ranges = ranges.into_iter().map(|(Span { after, until }, fingerprint)| {
            let after = after.filter(|after| end.as_ref() != Some(after));
            end.clone_from(&until);
            AskedRange { after, until, fingerprint }
        });
        Self::Ranges(ranges.collect())
    }

    /// The ranges that it asks about; `None` if they are not in order, or overlap.
    #[must_use]
    pub fn spans(&self) -> Option<Vec<Span>> {
        let Self::Ranges(ranges) = self;
        let mut spans: Vec<Span> = Vec::with_capacity(ranges.len());
        for range in ranges {
            let end = spans.last().map(|span| span.until.clone());
            let after = match (&range.after, end) {
                // Behind the last id there is nothing.
                (_, Some(None)) => return None,
                (Some(after), Some(Some(end))) if *after <= end => return None,
                (Some(after), _) => Some(after.clone()),
                (None, end) => end.flatten(),
            };
            if range.until.as_ref().is_some_and(|until| after.as_ref() >= Some(until)) {
                return None;
            }
            spans.push(Span { after, until: range.until.clone() });
        }
        Some(spans)
    }
}
