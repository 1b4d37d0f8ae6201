//! A patch: what one version adds to an exact other one.
//!
//! Encoded as `[1, base, result, cleared, delta, check]`: two digests of 16 bytes, the names of the cleared fields,
//! ascending, and an encoded record that holds the changed registers, the new contexts, the life if it changed and the
//! superseded contents that the base does not remember.

use alloc::vec::Vec;

use super::{
    codec::{self, DecodeError, DecodeLimits, Reader, Writer},
    digest::Digest,
    id::FieldName,
    record::Record,
    register::Register,
    superseded::Superseded,
    version::Version,
    version_vector::{Causality, Dot},
};

const CHECK: &str = "holdfast patch";

/// The way from one living version to a later one. It applies to exactly that base and is never joined.
///
/// # Invariants
/// - What is cleared is not also changed; `cleared` is ascending and without repeats.
/// - A delta without life leaves the life as it was.
///
/// ```
/// use holdfast::{values::patch::Patch, *};
/// # use std::collections::BTreeMap;
/// # let people = CollectionId::new("people")?;
/// # let id = RecordId::new("grace")?;
/// # let grace = |phone| BTreeMap::from([("name", "Grace"), ("phone", phone)]);
/// # let create = Write::create(people.clone(), id.clone(), &grace("1"), &Shape::new(), Cause::User)?;
/// # let at = Timestamp::from_micros;
/// # let mut ada = Device::new(MemoryStore::device(), ReplicaId::from_entropy(1)?, Guard::default());
/// # ada.write(&create, at(1))?;
/// # let base = ada.row(&people, &id)?.expect("Grace").version;
/// # let seen = ada.read::<BTreeMap<String, String>>(&people, &id, &Shape::new())?.expect("Grace");
/// # let new = BTreeMap::from([("name".into(), "Grace".into()), ("phone".into(), "2".into())]);
/// # ada.write(&seen.save(&new, Cause::User)?, at(2))?;
/// # let next = ada.row(&people, &id)?.expect("Grace").version;
/// let patch = Patch::between(&base, &next).expect("a later version of a living record");
/// assert_eq!(patch.apply(&base)?, next);
/// assert!(patch.apply(&next).is_err()); // on exactly that base, or the whole version is asked for
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Patch {
    base: Digest,
    result: Digest,
    cleared: Vec<FieldName>,
    delta: Version,
}

/// Why a patch does not apply. Nothing was changed; the whole version does the work instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PatchError {
    /// The version at hand is another than the patch was made on, or is dead, or becomes another than the patch says.
    #[error("expected version {expected}, found {found}; nothing was changed. Ask for the whole version")]
    NeedWhole {
        /// The version that the patch names.
        expected: Digest,
        /// The version found.
        found: Digest,
    },
}

impl Patch {
    /// What leads from `base` to `next`.
    ///
    /// `None` where only the whole version will do: on a dead base, where `next` has not seen more than `base` and all
    /// that it has seen, or where `next` has no life.
    #[must_use]
    pub fn between(base: &Version, next: &Version) -> Option<Self> {
        if !base.is_alive() || next.compare(base) != Causality::After || next.life().is_empty() {
            return None;
        }
        let (old, mut delta) = (base.record(), next.record());
        let cleared = old.fields.keys().filter(|name| !delta.fields.contains_key(*name)).cloned().collect();
        delta.fields.retain(|name, register| old.fields.get(name) != Some(register));
        if delta.life == old.life {
            delta.life = Register::default();
        }
        let known = |entry: &(Dot, _)| old.superseded.iter().any(|other| other == *entry);
        delta.superseded = delta.superseded.iter().filter(|entry| !known(entry)).collect::<Superseded>();
        Some(Self { base: base.digest(), result: next.digest(), cleared, delta: Version::encode(&delta) })
    }

    /// The version that the patch leads to. It remembers that the content of `base` is superseded.
    ///
    /// # Errors
    /// [`PatchError::NeedWhole`]. `base` is left as it is.
    pub fn apply(&self, base: &Version) -> Result<Version, PatchError> {
        if base.digest() != self.base || !base.is_alive() {
            return Err(PatchError::NeedWhole { expected: self.base, found: base.digest() });
        }
        let old = base.record();
        let record = self.applied(&old);
        let next = Version::encode(&record);
        let is_sound = codec::record::check(&record).is_ok() && next.compare(base) == Causality::After;
        if next.digest() == self.result && is_sound {
            Ok(next)
        } else {
            Err(PatchError::NeedWhole { expected: self.result, found: next.digest() })
        }
    }

    /// The canonical bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut envelope = Writer::default();
        envelope.array(6);
        envelope.uint(1);
        envelope.bytes(self.base.as_bytes());
        envelope.bytes(self.result.as_bytes());
        envelope.array(self.cleared.len());
        self.cleared.iter().for_each(|name| envelope.text(name.as_str()));
        envelope.bytes(self.delta.as_bytes());
        envelope.finish_with_check(CHECK)
    }

    /// Checks bytes from outside and takes them, as strictly as [`Version::decode`].
    ///
    /// # Errors
    /// Any [`DecodeError`].
    pub fn decode(bytes: &[u8], limits: &DecodeLimits) -> Result<Self, DecodeError> {
        limits.check_bytes(bytes.len())?;
        let mut envelope = Reader::open(bytes, CHECK, 6)?;
        let (base, result) = (Digest::from_bytes(envelope.fixed()?), Digest::from_bytes(envelope.fixed()?));
        let cleared = codec::read_names(&mut envelope, limits)?;
        let delta = Version::decode(envelope.bytes()?, limits)?;
        envelope.close()?;
        let patch = Self { base, result, cleared, delta };
        patch.check()?;
        if patch.encode() == bytes { Ok(patch) } else { Err(DecodeError::NotCanonical) }
    }

    /// Digest of the version that it applies to.
    #[must_use]
    pub const fn base(&self) -> Digest {
        self.base
    }

    /// Digest of the version that it leads to.
    #[must_use]
    pub const fn result(&self) -> Digest {
        self.result
    }

    fn check(&self) -> Result<(), DecodeError> {
        if !self.cleared.is_sorted_by(|left, right| left < right) {
            return Err(DecodeError::NotCanonical);
        }
        let is_changed =
            |name: &FieldName| self.delta.field_heads().binary_search_by(|field| field.name().cmp(name)).is_ok();
        if self.cleared.iter().any(is_changed) {
            return Err(DecodeError::Impossible { expected: "fields that are cleared or changed, not both" });
        }
        Ok(())
    }

    fn applied(&self, old: &Record) -> Record {
        let mut next = self.delta.record();
        for (name, register) in &old.fields {
            if self.cleared.binary_search(name).is_err() {
                next.fields.entry(name.clone()).or_insert_with(|| register.clone());
            }
        }
        if next.life.is_empty() {
            next.life = old.life.clone();
        }
        next.superseded = next.superseded.join(&old.superseded);
        let new_dots = next.context.iter().filter(|dot| !old.context.covers(*dot));
        let latest = new_dots.max_by_key(|dot| (dot.counter, dot.replica));
        if let Some(covered_by) = latest.filter(|_| !next.superseded.contains(old.content_digest())) {
            next.remember(old, covered_by);
        }
        next
    }
}
