//! A record as it is sent: whole, or as a patch on what the receiver is thought to have.

use serde::Serialize;

use crate::decide::{
    consent::Excuse,
    offer::{HeldVersion, Offer},
    position::Tag,
};
use crate::values::{id::RecordId, patch::Patch, version::Version};

/// One record of a push or a page.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SentOffer {
    /// The record.
    pub record: RecordId,
    /// What the sender shows.
    pub version: Sent,
    /// What it holds back.
    #[serde(serialize_with = "super::view::held", skip_serializing_if = "Option::is_none")]
    pub held: Option<HeldVersion>,
    /// The answered line that brought it to this version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub excuse: Option<Excuse>,
    /// Of a dead record: the server's tag on this certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delete_tag: Option<Tag>,
}

/// A version as it is sent.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub enum Sent {
    /// As its bytes.
    Whole(#[serde(serialize_with = "super::view::version")] Version),
    /// As the way from another one.
    Patch(#[serde(serialize_with = "super::view::patch")] Patch),
}

impl SentOffer {
    /// An offer as it is sent: as a patch on `base` where there can be one and it is shorter than the whole, even alone.
    #[must_use]
    pub fn of(offer: Offer, base: Option<&Version>) -> Self {
        Self::weighed(offer, base).0
    }

    /// The same, with the bytes that it takes, about.
    pub(crate) fn weighed(offer: Offer, base: Option<&Version>) -> (Self, usize) {
        let Offer { record, version, held, excuse, delete_tag } = offer;
        let beside = held.as_ref().map_or(0, |held| held.hidden.as_bytes().len()).saturating_add(record.as_str().len());
        let whole = version.as_bytes().len();
        let patch = base.and_then(|base| Patch::between(base, &version)).map(|patch| (patch.encode().len(), patch));
        let (version, bytes) = match patch.filter(|(bytes, _)| *bytes < whole) {
            Some((bytes, patch)) => (Sent::Patch(patch), bytes),
            None => (Sent::Whole(version), whole),
        };
        (Self { record, version, held, excuse, delete_tag }, bytes.saturating_add(beside))
    }

    /// The offer, if it is whole or its patch fits one of `bases`; `None` asks for the whole.
    ///
    /// Small patches can make a record grow: check what comes of one with [`Version::check_limits`], before it is stored.
    #[must_use]
    pub fn open(self, bases: &[&Version]) -> Option<Offer> {
        let Self { record, version, held, excuse, delete_tag } = self;
        let version = match version {
            Sent::Whole(version) => version,
            Sent::Patch(patch) => bases.iter().find_map(|base| patch.apply(base).ok())?,
        };
        Some(Offer { record, version, held, excuse, delete_tag })
    }
}
