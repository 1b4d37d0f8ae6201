//! The server's own word for deletes: what it has stored once, it takes again after a loss without asking anew.

use alloc::vec::Vec;

use super::Call;
use crate::decide::{
    consent::Excuse,
    ledger::FirstSeen,
    offer::Offer,
    position::Tag,
    row::{Quarantine, Row},
};
use crate::values::{
    digest::Digest,
    id::{CollectionId, RecordId},
};

/// The tag for a delete that is stored: a record that was shown here and died by way of the guard or an answer, or whose
/// certificate came with a tag. One that was dead on arrival was judged by nobody here.
pub(super) fn tag_of(row: &Row, excuse: Option<&Excuse>, collection: &CollectionId, call: &Call<'_>) -> Option<Tag> {
    let is_judged = row.first_seen != FirstSeen::NEVER || row.delete_tag.is_some();
    let is_asked = matches!(row.quarantine, Some(Quarantine::Version { .. }));
    let certificate = (&row.record, row.version.digest());
    let is_stored = !row.version.is_alive() && is_judged && !is_asked;
    is_stored.then(|| call.key.tag_delete(call.account, collection, certificate, excuse))
}

/// Leaves tags only where a loss is repaired, on exactly the certificates for which this host gave them. An answer that the
/// tag does not name is dropped: nobody here has trusted it with this delete.
pub(super) fn checked(
    offers: Vec<Offer>,
    is_repairing: bool,
    collection: &CollectionId,
    call: &Call<'_>,
) -> Vec<Offer> {
    let check = |mut offer: Offer| {
        let Some(tag) = offer.delete_tag.take() else { return offer };
        if !is_repairing || offer.held.is_some() || offer.version.is_alive() {
            return offer;
        }
        let certificate: (&RecordId, Digest) = (&offer.record, offer.version.digest());
        let is_of = |excuse: Option<&Excuse>| call.key.tag_delete(call.account, collection, certificate, excuse) == tag;
        if is_of(offer.excuse.as_ref()) {
            offer.delete_tag = Some(tag);
        } else if is_of(None) {
            (offer.delete_tag, offer.excuse) = (Some(tag), None);
        }
        offer
    };
    offers.into_iter().map(check).collect()
}
