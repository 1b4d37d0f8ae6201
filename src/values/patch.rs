//! A patch: what one version adds to an exact other one, as small as it can be.

mod form;
mod tables;

use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};

pub(crate) use tables::Tables;

use super::{
    codec::{self, DecodeError, DecodeLimits, Reader, Writer},
    digest::Digest,
    dot_set::DotSet,
    id::{FieldName, ReplicaId},
    record::{Life, Record},
    register::{Register, Sibling, Stamp},
    superseded::Superseded,
    value::Value,
    version::Version,
    version_vector::{Causality, Dot, VersionVector},
};

const CHECK: &str = "holdfast lone patch";

/// The way from one living version to a later one. It applies to exactly that base and is never joined.
///
/// It names neither version: its [`check`](Self::check) binds both, so that whoever applies it to another base, or comes to
/// another result, notices. In a message it is written with tables that it shares with the other patches of its list;
/// [`encode`](Self::encode) writes it alone.
///
/// # Invariants
/// - What is cleared is not also changed.
/// - The writes that it brings and the dots that it has only seen are apart: none of the latter is covered by a write.
/// - A patch without life leaves the life as it was.
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
    check: [u8; 8],
    seen: VersionVector, // what the writes do not cover
    life: Option<Register<Life>>,
    fields: BTreeMap<FieldName, Register<Value>>,
    cleared: BTreeSet<FieldName>,
    hints: Superseded,
}

/// Why a patch does not apply. Nothing was changed; the whole version does the work instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PatchError {
    /// The version at hand is another than the patch was made on, or is dead, or becomes another than the patch says.
    #[error("expected the version that the patch was made on, found {found}; nothing was changed. Ask for it whole")]
    NeedWhole {
        /// The version found.
        found: Digest,
    },
}

impl Patch {
    /// What leads from `base` to `next`.
    ///
    /// `None` where only the whole version will do: on a dead base; where `next` has not seen more than `base` and all
    /// that it has seen; where `next` has no life; and where either has lost what it covered to a purge.
    #[must_use]
    pub fn between(base: &Version, next: &Version) -> Option<Self> {
        let is_later = next.compare(base) == Causality::After && !next.life().is_empty();
        if !is_later || !base.is_alive() || !is_unpurged(base) || !is_unpurged(next) {
            return None;
        }
        let (old, mut new) = (base.record(), next.record());
        let cleared = old.fields.keys().filter(|name| !new.fields.contains_key(*name)).cloned().collect();
        let hints = hints(&old, &new);
        new.fields.retain(|name, register| old.fields.get(name) != Some(register));
        let life = (new.life != old.life).then_some(new.life);
        let mut patch = Self {
            check: check(base.digest(), next.digest()),
            seen: VersionVector::new(),
            life,
            fields: new.fields,
            cleared,
            hints,
        };
        let known = old.context.join(&patch.written());
        patch.seen = new.context.iter().filter(|dot| !known.covers(*dot)).collect();
        Some(patch)
    }

    /// The version that the patch leads to. It remembers that the content of `base` is superseded.
    ///
    /// # Errors
    /// [`PatchError::NeedWhole`]. `base` is left as it is.
    pub fn apply(&self, base: &Version) -> Result<Version, PatchError> {
        let refused = PatchError::NeedWhole { found: base.digest() };
        if !base.is_alive() || !is_unpurged(base) {
            return Err(refused);
        }
        let record = self.applied(&base.record());
        let next = Version::encode(&record);
        let is_sound = codec::record::check(&record).is_ok() && next.compare(base) == Causality::After;
        if is_sound && check(base.digest(), next.digest()) == self.check { Ok(next) } else { Err(refused) }
    }

    /// The canonical bytes of this patch alone, with its own tables.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let tables = Tables::of([self]);
        let mut envelope = Writer::default();
        envelope.array(4);
        envelope.uint(1);
        tables.write(&mut envelope);
        form::write(&mut envelope, &tables, self);
        envelope.finish_with_check(CHECK)
    }

    /// Checks bytes from outside and takes them, as strictly as [`Version::decode`].
    ///
    /// # Errors
    /// Any [`DecodeError`].
    pub fn decode(bytes: &[u8], limits: &DecodeLimits) -> Result<Self, DecodeError> {
        limits.check_bytes(bytes.len())?;
        let mut envelope = Reader::open(bytes, CHECK, 4)?;
        let tables = Tables::read(&mut envelope, limits, 1)?;
        let patch = Self::read(&mut envelope, &tables, limits)?;
        envelope.close()?;
        if patch.encode() == bytes { Ok(patch) } else { Err(DecodeError::NotCanonical) }
    }

    /// Writes it with shared tables, which must have been made of it, too.
    pub(crate) fn write(&self, writer: &mut Writer, tables: &Tables) {
        form::write(writer, tables, self);
    }

    /// Reads what [`write`](Self::write) wrote. Which form it must have is seen by writing it again.
    ///
    /// # Errors
    /// Any [`DecodeError`] but `Damaged`.
    pub(crate) fn read(reader: &mut Reader<'_>, tables: &Tables, limits: &DecodeLimits) -> Result<Self, DecodeError> {
        let start = reader.position();
        let patch = form::read(reader, tables, limits)?;
        limits.check_bytes(reader.position().saturating_sub(start))?;
        patch.check_limits(limits)?;
        if patch.fields.keys().any(|name| patch.cleared.contains(name)) {
            return Err(DecodeError::Impossible { expected: "fields that are cleared or changed, not both" });
        }
        let written = patch.written();
        if patch.seen.iter().any(|dot| written.covers(dot)) {
            return Err(DecodeError::NotCanonical);
        }
        Ok(patch)
    }

    /// Checks a patch that was made here against what a receiver will take.
    ///
    /// # Errors
    /// [`DecodeError::TooMany`].
    pub(crate) fn check_limits(&self, limits: &DecodeLimits) -> Result<(), DecodeError> {
        limits.check_fields(self.fields.len().saturating_add(self.cleared.len()))?;
        limits.check_replicas(self.dots().map(|dot| dot.replica).collect::<BTreeSet<ReplicaId>>().len())
    }

    /// The first 8 bytes of a digest of the digests of the two versions. It recognises; it does not prove.
    #[must_use]
    pub const fn check(&self) -> [u8; 8] {
        self.check
    }

    /// The dots that the later version has seen beyond those of `base` and of the writes that the patch brings.
    #[must_use]
    pub const fn seen(&self) -> &VersionVector {
        &self.seen
    }

    /// What survives of creates, deletes and people's edits; `None` if that is as it was.
    #[must_use]
    pub const fn life(&self) -> Option<&Register<Life>> {
        self.life.as_ref()
    }

    /// The fields that are new or changed, with all that survives in them.
    #[must_use]
    pub const fn fields(&self) -> &BTreeMap<FieldName, Register<Value>> {
        &self.fields
    }

    /// The fields in which nothing survives any more.
    #[must_use]
    pub const fn cleared(&self) -> &BTreeSet<FieldName> {
        &self.cleared
    }

    /// Superseded contents that whoever applies the patch can not know.
    #[must_use]
    pub const fn hints(&self) -> &Superseded {
        &self.hints
    }

    /// Whether it carries a write of another replica.
    pub(crate) fn has_writes_of_others(&self, writer: ReplicaId) -> bool {
        self.stamps().any(|stamp| stamp.dot.replica != writer)
    }

    fn stamps(&self) -> impl Iterator<Item = Stamp> + '_ {
        let life = self.life.iter().flat_map(Register::siblings).map(|sibling| sibling.stamp);
        life.chain(self.fields.values().flat_map(Register::siblings).map(|sibling| sibling.stamp))
    }

    fn dots(&self) -> impl Iterator<Item = Dot> + '_ {
        let hints = self.hints.iter().map(|(dot, _)| dot);
        self.stamps().map(|stamp| stamp.dot).chain(self.seen.iter()).chain(hints)
    }

    fn written(&self) -> VersionVector {
        self.stamps().map(|stamp| stamp.dot).collect()
    }

    fn applied(&self, old: &Record) -> Record {
        let mut next = old.clone();
        next.context = old.context.join(&self.seen).join(&self.written());
        next.fields_context = DotSet::from(&next.context);
        next.fields.retain(|name, _| !self.cleared.contains(name));
        next.fields.extend(self.fields.iter().map(|(name, register)| (name.clone(), register.clone())));
        if let Some(life) = &self.life {
            next.life = life.clone();
        }
        next.superseded = with_derived(old, &next, &self.hints);
        next
    }
}

/// The life that a person's only write leaves, and a machine's does not touch.
fn life_after(stamp: Stamp) -> Option<Register<Life>> {
    let alive = Sibling { stamp, value: Life::Alive { moved: None } };
    stamp.cause.is_person().then(|| Register::from_siblings([alive].into()))
}

fn is_unpurged(version: &Version) -> bool {
    version.fields_context().is_all_of(version.context())
}

fn check(base: Digest, result: Digest) -> [u8; 8] {
    Digest::of("holdfast patch", &[base.as_bytes(), result.as_bytes()]).short().to_le_bytes()
}

/// What a patch must say of superseded contents, so that whoever applies it comes to know what `new` knows.
fn hints(old: &Record, new: &Record) -> Superseded {
    let known = |entry: &(Dot, _)| old.superseded.iter().any(|other| other == *entry);
    let all: Superseded = new.superseded.iter().filter(|entry| !known(entry)).collect();
    let content = old.content_digest();
    let few: Superseded = all.iter().filter(|(_, superseded)| *superseded != content).collect();
    if with_derived(old, new, &few) == with_derived(old, new, &all) { few } else { all }
}

/// What `new` comes to remember: what `old` did, the hints, and the content of `old`, if that is superseded and in neither.
fn with_derived(old: &Record, new: &Record, hints: &Superseded) -> Superseded {
    let known = old.superseded.join(hints);
    let new_dots = new.context.iter().filter(|dot| !old.context.covers(*dot));
    let latest = new_dots.max_by_key(|dot| (dot.counter, dot.replica));
    let Some(covered_by) = latest.filter(|_| !known.contains(old.content_digest())) else { return known };
    let mut next = Record { superseded: known, ..new.clone() };
    next.remember(old, covered_by);
    next.superseded
}
