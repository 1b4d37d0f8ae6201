//! Who may say what: which writes a record that came may bring (S5, S9, S16).

use alloc::collections::BTreeSet;

use super::{
    diff::{Compared, Diff},
    refusal::Refusal,
};
use crate::values::{
    codec::{DecodeError, DecodeLimits},
    id::{RecordId, ReplicaId},
    register::Register,
    version::Version,
    version_vector::{Dot, VersionVector},
};

/// What a server takes from one device's push.
#[derive(Debug, Clone)]
pub(crate) struct Screen<'s> {
    /// The device.
    pub(crate) sender: ReplicaId,
    /// The greatest counter that the push may use.
    pub(crate) counter: u64,
    /// Others' writes are supplied: something was lost.
    pub(crate) is_repairing: bool,
    /// What one record may be.
    pub(crate) limits: DecodeLimits,
    /// Records of which writes of others came along: what they repeat is compared.
    pub(crate) repeating: &'s BTreeSet<RecordId>,
}

impl Diff {
    /// Refuses the records that bring what their sender may not: only its own dots in an ordinary round, none beyond its
    /// counter, and no other content under a dot that is held here.
    pub(crate) fn screened(mut self, screen: &Screen<'_>) -> Self {
        for compared in self.records.iter_mut().filter(|compared| compared.refusal.is_none()) {
            compared.refusal = refusal(compared, screen);
        }
        self
    }

    /// Refuses, on a device, what would cover its own writes before they are made: a peer that names a counter of this
    /// replica beyond its own knows another replica under the same id, or makes it up.
    pub(crate) fn screened_own(mut self, replica: ReplicaId, limit: u64) -> Self {
        for compared in self.records.iter_mut().filter(|compared| compared.refusal.is_none()) {
            let found =
                compared.offer.known().context().get(replica).max(compared.offer.version.context().get(replica));
            let is_at_stake = compared.row.as_ref().is_some_and(|row| row.is_pending || row.failed.is_some());
            compared.refusal =
                (found > limit && is_at_stake).then_some(Refusal::CounterAhead { replica, limit, found });
        }
        self
    }
}

/// Why a version is more than may cross, if it is.
pub(crate) fn too_large(version: &Version, limits: &DecodeLimits) -> Option<Refusal> {
    let DecodeError::TooMany { limit, found, .. } = version.check_limits(limits).err()? else { return None };
    let [limit, found] = [limit, found].map(|count| u64::try_from(count).unwrap_or(u64::MAX));
    Some(Refusal::TooLarge { limit, found })
}

fn refusal(compared: &Compared, screen: &Screen<'_>) -> Option<Refusal> {
    let Screen { sender, counter, is_repairing, limits, repeating } = *screen;
    let offer = &compared.offer;
    let held = compared.row.as_ref().map(|row| row.known());
    let nothing = VersionVector::new();
    let context = held.map_or(&nothing, Version::context);
    for version in [&offer.version, offer.known()] {
        // Small patches can make a record grow.
        if let Some(refusal) = too_large(version, &limits) {
            return Some(refusal);
        }
        let found = version.context().get(sender);
        if found > counter {
            return Some(Refusal::CounterAhead { replica: sender, limit: counter, found });
        }
        let mut others = version.context().iter().filter(|dot| dot.replica != sender && !context.covers(*dot));
        if let Some(Dot { replica, counter: found }) = others.next().filter(|_| !is_repairing) {
            return Some(Refusal::ForeignDots { replica, found, held: context.get(replica) });
        }
    }
    let row = compared.row.as_ref().filter(|_| repeating.contains(&offer.record))?;
    let forged = forged(&row.version, &offer.version, sender).or_else(|| forged(row.known(), offer.known(), sender));
    forged.map(|Dot { replica, counter }| Refusal::Forged { replica, counter })
}

/// A write of somebody else that survives on both sides, with another content.
fn forged(ours: &Version, theirs: &Version, sender: ReplicaId) -> Option<Dot> {
    if ours.digest() == theirs.digest() {
        return None;
    }
    let (ours, theirs) = (ours.record(), theirs.record());
    let in_life = differing(&ours.life, &theirs.life, sender);
    let mut in_fields = theirs
        .fields
        .iter()
        .filter_map(|(name, register)| ours.fields.get(name).and_then(|held| differing(held, register, sender)));
    in_life.or_else(|| in_fields.next())
}

fn differing<T: Clone + Ord>(ours: &Register<T>, theirs: &Register<T>, sender: ReplicaId) -> Option<Dot> {
    let is_other =
        |dot: Dot, value: &T| ours.siblings().iter().any(|held| held.stamp.dot == dot && held.value != *value);
    let mut others = theirs.siblings().iter().filter(|sibling| sibling.stamp.dot.replica != sender);
    others.find(|sibling| is_other(sibling.stamp.dot, &sibling.value)).map(|sibling| sibling.stamp.dot)
}
