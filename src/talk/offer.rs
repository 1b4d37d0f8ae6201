//! A record as it is sent: whole, or as a patch on what the receiver is thought to have.

use serde::Serialize;

use crate::decide::{
    consent::Excuse,
    offer::{HeldVersion, Offer},
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
        let Offer { record, version, held, excuse } = offer;
        let is_shorter = |patch: &Patch| patch.encode().len() < version.as_bytes().len();
        let patch = base.and_then(|base| Patch::between(base, &version)).filter(is_shorter);
        let version = patch.map_or(Sent::Whole(version), Sent::Patch);
        Self { record, version, held, excuse }
    }

    /// Bytes that it takes, about.
    pub(crate) fn weight(&self) -> usize {
        let version = match &self.version {
            Sent::Whole(version) => version.as_bytes().len(),
            Sent::Patch(patch) => patch.encode().len(),
        };
        let held = self.held.as_ref().map_or(0, |held| held.hidden.as_bytes().len());
        version.saturating_add(held).saturating_add(self.record.as_str().len())
    }

    /// The offer, if it is whole or its patch fits one of `bases`; `None` asks for the whole.
    ///
    /// Small patches can make a record grow: check what comes of one with [`Version::check_limits`], before it is stored.
    #[must_use]
    pub fn open(self, bases: &[&Version]) -> Option<Offer> {
        let Self { record, version, held, excuse } = self;
        let version = match version {
            Sent::Whole(version) => version,
            Sent::Patch(patch) => bases.iter().find_map(|base| patch.apply(base).ok())?,
        };
        Some(Offer { record, version, held, excuse })
    }
}
