//! Does the server still have what it named as its own? Told from rows, not from what was counted before.

use super::{Call, Decision};
use crate::decide::{
    reconcile::{Fingerprint, said},
    slice::Slice,
};
use crate::talk::message::{Audited, Reply};
use crate::values::{ablation::is_off, digest::Digest};

/// To an audit: the same, or what there is.
pub(super) fn audited(theirs: Digest, slice: &Slice, call: &Call<'_>) -> Decision {
    let rows = || slice.found.iter().filter_map(|id| slice.rows.get(id));
    if slice.found.len() > call.limits.max_items {
        return Decision::reply(Reply::Audited(Audited::TooMany));
    }
    let ours: Fingerprint = rows().map(|row| (&row.record, said(row.known()))).collect();
    if is_off!(RowFingerprint) || ours.digest() == theirs {
        return Decision::reply(Reply::Audited(Audited::Same));
    }
    let found = rows().map(|row| (row.record.clone(), row.known().digest())).collect();
    Decision::reply(Reply::Audited(Audited::Found(found)))
}
