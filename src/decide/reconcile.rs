//! Which records differ, told from fingerprints of ranges of ids: range-based set reconciliation (Meyer, 2023).
//!
//! Two replicas that share no cursor compare a fingerprint of all they hold. Where it differs, they compare those of its
//! parts, and so on down to short lists of records. Equal ranges cost a few bytes, whatever they hold.

use alloc::{vec, vec::Vec};

use serde::{Deserialize, Serialize};

use super::row::{Quarantine, Row};
use crate::values::{ablation::is_off, digest::Digest, id::RecordId, version::Version};

/// Parts that a range is split into, at most.
pub const BRANCHES: usize = 16;
/// Records of a range that is listed and not split, at most.
pub const LEAF: usize = 32;
/// The same of a whole collection.
pub const SMALL: usize = 256;

/// A range of record ids, in their order.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Span {
    /// Exclusive; from the first if `None`.
    pub after: Option<RecordId>,
    /// Inclusive; to the last if `None`.
    pub until: Option<RecordId>,
}

impl Span {
    /// Whether a record is in it.
    #[must_use]
    pub fn contains(&self, record: &RecordId) -> bool {
        self.after.as_ref().is_none_or(|after| after < record) && self.until.as_ref().is_none_or(|end| record <= end)
    }

    /// Whether it is the whole collection.
    const fn is_all(&self) -> bool {
        self.after.is_none() && self.until.is_none()
    }
}

/// A fingerprint of a set of records and versions: what is added to it can be added in any order and any grouping.
///
/// It is the sum, over the records, of 256-bit hashes, modulo 2^256, and their number. A sum of 64 bits, or an exclusive or,
/// could be forged by somebody who picks ids: sets that differ would pass for equal. [`digest`](Self::digest) is what
/// travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Fingerprint {
    /// Least significant first.
    sum: [u64; 4],
    count: u64,
}

impl Fingerprint {
    /// With one more record, and what is [told] of it.
    #[must_use]
    pub fn with(self, record: &RecordId, told: Digest) -> Self {
        let hash = Digest::wide("holdfast reconciled", &[record.as_str().as_bytes(), told.as_bytes()]);
        let mut sum = [0; 4];
        for (to, from) in sum.iter_mut().zip(hash.chunks_exact(8)) {
            *to = from.iter().rev().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        }
        self.and(&Self { sum, count: 1 })
    }

    /// Of two sets that share no record, together.
    #[must_use]
    pub fn and(mut self, other: &Self) -> Self {
        let mut carry = false;
        for (to, more) in self.sum.iter_mut().zip(other.sum) {
            let (sum, over) = to.overflowing_add(more);
            let (sum, over_again) = sum.overflowing_add(u64::from(carry));
            (*to, carry) = (sum, over || over_again);
        }
        self.count = self.count.wrapping_add(other.count);
        self
    }

    /// How many records it is of.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// What travels of it.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let [a, b, c, d] = self.sum.map(u64::to_le_bytes);
        Digest::of("holdfast range", &[&a, &b, &c, &d, &self.count.to_le_bytes()])
    }
}

impl<'r> FromIterator<(&'r RecordId, Digest)> for Fingerprint {
    fn from_iter<R: IntoIterator<Item = (&'r RecordId, Digest)>>(records: R) -> Self {
        records.into_iter().fold(Self::default(), |all, (record, told)| all.with(record, told))
    }
}

/// What one replica tells others of a record, as a digest: what it knows, what it holds back of that, and the answer that it
/// keeps with it. Of a plain record it is the version digest, which binds content *and* context; of a dead one that of its
/// certificate.
#[must_use]
pub fn told(row: &Row) -> Digest {
    let known = said(row.known());
    let held = match &row.quarantine {
        Some(Quarantine::Version { mass, .. }) => Some((row.version.digest(), *mass)),
        // A server that lost the question is asked it again.
        Some(Quarantine::Beside { held, hidden, .. }) if hidden.digest() == row.version.digest() => {
            Some((held.digest(), false))
        }
        Some(Quarantine::Beside { .. } | Quarantine::Proposal { .. }) | None => None,
    };
    if held.is_none() && row.excuse.is_none() {
        return known;
    }
    let mut parts: Vec<Vec<u8>> = vec![known.as_bytes().to_vec()];
    parts.extend(held.map(|(shown, mass)| [shown.as_bytes().as_slice(), &[u8::from(mass)]].concat()));
    parts.extend(row.excuse.as_ref().map(|excuse| excuse.digest().as_bytes().to_vec()));
    Digest::of("holdfast told", &parts.iter().map(Vec::as_slice).collect::<Vec<_>>())
}

/// What a fingerprint says of a version: content and context. A replica that has seen more than another is not equal to it,
/// even where both show the same.
pub(crate) fn said(version: &Version) -> Digest {
    if is_off!(ContextFingerprint) {
        Digest::of("shown", &[&version.record().content_digest().0.to_be_bytes(), &[version.is_alive().into()]])
    } else {
        version.digest()
    }
}

/// A part of a range.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Part {
    /// Its end, inclusive; `None` in the last part, which goes to the end of the range. It may be shorter than any id.
    pub until: Option<RecordId>,
    /// Of the records in it.
    pub fingerprint: Fingerprint,
}

/// What a replica holds of a range, as far as a comparison needs it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Outline {
    /// Few records: each with what is [told] of it, by id.
    Listed(Vec<(RecordId, Digest)>),
    /// Many: about equal parts, in order.
    Parts(Vec<Part>),
}

impl Outline {
    /// Of so many records of a range, by id. It reads them once, and keeps no more than [`SMALL`] of them.
    ///
    /// A store feeds it with its *rows*. An outline that is kept beside them would hide that rows are lost.
    pub fn of<'r>(span: &Span, count: usize, rows: impl Iterator<Item = (&'r RecordId, Digest)>) -> Self {
        let few = if span.is_all() { SMALL } else { LEAF };
        if count <= few {
            return Self::Listed(rows.take(count).map(|(record, told)| (record.clone(), told)).collect());
        }
        Self::Parts(split(count, rows))
    }

    /// Of all the range.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        match self {
            Self::Listed(records) => records.iter().map(|(record, told)| (record, *told)).collect(),
            Self::Parts(parts) => parts.iter().fold(Fingerprint::default(), |all, part| all.and(&part.fingerprint)),
        }
    }

    /// In parts, however few records there are; one part where there is nothing to split.
    #[must_use]
    pub fn in_parts(self) -> Vec<Part> {
        match self {
            Self::Listed(records) => split(records.len(), records.iter().map(|(record, told)| (record, *told))),
            Self::Parts(parts) => parts,
        }
    }
}

/// About equal parts of so many records, at most [`BRANCHES`].
fn split<'r>(count: usize, rows: impl Iterator<Item = (&'r RecordId, Digest)>) -> Vec<Part> {
    let branches = count.clamp(1, BRANCHES);
    let (mut parts, mut fingerprint) = (Vec::with_capacity(branches), Fingerprint::default());
    let mut last: Option<&RecordId> = None;
    for (at, (record, told)) in rows.take(count).enumerate() {
        let end = count.saturating_mul(parts.len().saturating_add(1)).div_euclid(branches);
        if let Some(last) = last.filter(|_| at == end) {
            parts.push(Part { until: Some(between(last, record)), fingerprint });
            fingerprint = Fingerprint::default();
        }
        fingerprint = fingerprint.with(record, told);
        last = Some(record);
    }
    parts.push(Part { until: None, fingerprint });
    parts
}

/// A short text from `last`, inclusive, to `next`, exclusive.
fn between(last: &RecordId, next: &RecordId) -> RecordId {
    let (start, end) = (last.as_str(), next.as_str());
    let differs = start.chars().zip(end.char_indices()).find(|(one, (_, other))| one != other);
    let length = differs.map(|(_, (at, other))| at.saturating_add(other.len_utf8()));
    let short = length.and_then(|length| end.get(..length)).filter(|short| short.len() < end.len());
    short.and_then(|short| RecordId::new(short).ok()).unwrap_or_else(|| last.clone())
}
