//! Does the server still have what it named as its own? Told from rows, not from what was counted before.

use alloc::vec::Vec;

use super::{Call, Decision};
use crate::decide::{reconcile::said, slice::Slice};
use crate::talk::message::{Audited, Reply};
use crate::values::{ablation::is_off, digest::Digest, id::RecordId};

/// Digest of records and the versions known of them, in order.
pub(crate) fn fingerprint<'r>(records: impl Iterator<Item = (&'r RecordId, Digest)>) -> Digest {
    let records: Vec<(&RecordId, Digest)> = records.collect();
    let parts = records.iter().flat_map(|(record, digest)| [record.as_str().as_bytes(), digest.as_bytes()]);
    Digest::of("holdfast fingerprint", &parts.collect::<Vec<&[u8]>>())
}

/// To an audit: the same, or what there is.
pub(super) fn audited(theirs: Digest, slice: &Slice, call: &Call<'_>) -> Decision {
    let rows = || slice.found.iter().filter_map(|id| slice.rows.get(id));
    if slice.found.len() > call.limits.max_items {
        return Decision::reply(Reply::Audited(Audited::TooMany));
    }
    if is_off!(RowFingerprint) || fingerprint(rows().map(|row| (&row.record, said(row.known())))) == theirs {
        return Decision::reply(Reply::Audited(Audited::Same));
    }
    let found = rows().map(|row| (row.record.clone(), row.known().digest())).collect();
    Decision::reply(Reply::Audited(Audited::Found(found)))
}
