//! A version: one record as its canonical bytes, with the header at hand.

use alloc::{
    boxed::Box,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    vec::Vec,
};
use core::{fmt, ops::Range};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, SeqAccess, Visitor},
};

use super::{
    codec::{self, DecodeError, DecodeLimits, record::Encoded},
    digest::Digest,
    dot_set::DotSet,
    id::FieldName,
    record::{Life, Record, Seeing, is_alive},
    register::{Register, Sibling, Stamp},
    superseded::Superseded,
    value::Value,
    version_vector::{Causality, VersionVector},
};

/// One version of one record, encoded. Cheap to clone.
///
/// # Invariants
/// - The bytes are the one encoding of one record; two versions are equal if their bytes are.
/// - All but [`record`](Self::record) answers from the header, without decoding a value.
///
/// ```
/// use holdfast::{values::{codec::DecodeLimits, version::Version}, *};
/// # use std::collections::BTreeMap;
/// # let people = CollectionId::new("people")?;
/// # let id = RecordId::new("grace")?;
/// # let grace = |phone| BTreeMap::from([("name", "Grace"), ("phone", phone)]);
/// # let create = Write::create(people.clone(), id.clone(), &grace("1"), &Shape::new(), Cause::User)?;
/// # let mut ada = Device::new(MemoryStore::device(), ReplicaId::from_entropy(1)?, Guard::default());
/// # ada.write(&create, Timestamp::from_micros(1))?;
/// let version = ada.row(&people, &id)?.expect("Grace").version;
/// assert_eq!(version.families(), ["name", "phone"]); // from the header; no value is decoded
///
/// let again = Version::decode(version.as_bytes(), &DecodeLimits::default())?;
/// assert_eq!(again, version);
/// assert_eq!(Version::encode(&again.record()), version); // one encoding of one record
///
/// let mut damaged = version.as_bytes().to_vec();
/// damaged[20] ^= 1;
/// assert!(Version::decode(&damaged, &DecodeLimits::default()).is_err());
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Version {
    bytes: Arc<[u8]>,
    header: Arc<Header>,
}

struct Header {
    digest: Digest,
    context: VersionVector,
    fields_context: DotSet,
    life: Register<Life>,
    fields: Box<[FieldHead]>,
    values: Box<[Range<usize>]>,
    superseded: Superseded,
}

/// What a header says of one field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldHead {
    name: FieldName,
    stamps: Arc<[Stamp]>, // most fields of a record share them
    is_empty: bool,
}

impl FieldHead {
    /// Its name.
    #[must_use]
    pub const fn name(&self) -> &FieldName {
        &self.name
    }

    /// The writes that survive in it, ascending, at least one. Two writes under one name (a cloned replica) stand twice.
    #[must_use]
    pub fn stamps(&self) -> &[Stamp] {
        &self.stamps
    }

    /// Whether a person would say of every surviving value that nothing is there, see
    /// [`Value::is_empty`](super::value::Value::is_empty).
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.is_empty
    }
}

impl Version {
    /// Encodes a record.
    ///
    /// Total. Values nested deeper than [`MAX_VALUE_DEPTH`](super::value::MAX_VALUE_DEPTH) must have been refused before
    /// they became part of a record: their encoding is refused by [`decode`](Self::decode).
    #[must_use]
    pub fn encode(record: &Record) -> Self {
        Self::from_encoded(record, codec::record::encode(record))
    }

    /// Checks bytes from outside and takes them.
    ///
    /// What is accepted is byte for byte what [`encode`](Self::encode) gives for [`record`](Self::record).
    ///
    /// # Errors
    /// Any [`DecodeError`]. Memory used is bounded by the length of `bytes`, whatever they declare.
    pub fn decode(bytes: &[u8], limits: &DecodeLimits) -> Result<Self, DecodeError> {
        codec::record::decode(bytes, limits).map(|(record, encoded)| Self::from_encoded(&record, encoded))
    }

    /// Checks a version that was made here against what a receiver will take.
    ///
    /// # Errors
    /// [`DecodeError::TooMany`].
    pub fn check_limits(&self, limits: &DecodeLimits) -> Result<(), DecodeError> {
        limits.check_bytes(self.bytes.len())?;
        limits.check_fields(self.header.fields.len())?;
        limits.check_replicas(self.header.context.iter().len())
    }

    /// The record, its values decoded.
    #[must_use]
    pub fn record(&self) -> Record {
        let header = &*self.header;
        let register = |(field, values): (&FieldHead, Vec<Value>)| {
            let siblings = field.stamps.iter().zip(values).map(|(stamp, value)| Sibling { stamp: *stamp, value });
            (field.name.clone(), Register::from_siblings(siblings.collect()))
        };
        Record {
            context: header.context.clone(),
            fields_context: header.fields_context.clone(),
            life: header.life.clone(),
            fields: self.values_where(|_| true).map(register).collect(),
            superseded: header.superseded.clone(),
        }
    }

    /// The values of the fields that are `wanted`, each field's in the order of its stamps. Others are not decoded.
    pub(crate) fn values_where<'a>(
        &'a self,
        wanted: impl Fn(&FieldHead) -> bool + 'a,
    ) -> impl Iterator<Item = (&'a FieldHead, Vec<Value>)> + 'a {
        let mut rest = &*self.header.values;
        self.header.fields.iter().filter_map(move |field| {
            let (here, after) = rest.split_at_checked(field.stamps.len()).unwrap_or((rest, &[]));
            rest = after;
            let value = |at: &Range<usize>| codec::restore(self.bytes.get(at.clone()).unwrap_or_default());
            wanted(field).then(|| (field, here.iter().map(value).collect()))
        })
    }

    /// What survives in each field: the writes, and the bytes of their values. Equal bytes are equal values.
    pub(crate) fn written(&self) -> impl Iterator<Item = (&FieldName, impl Iterator<Item = (Stamp, &[u8])>)> {
        let mut rest = &*self.header.values;
        self.header.fields.iter().map(move |field| {
            let (here, after) = rest.split_at_checked(field.stamps.len()).unwrap_or((rest, &[]));
            rest = after;
            let bytes = |at: &Range<usize>| self.bytes.get(at.clone()).unwrap_or_default();
            (&field.name, field.stamps.iter().copied().zip(here.iter().map(bytes)))
        })
    }

    /// The canonical bytes, as stored and sent.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Digest of what both contexts determine: of the header; of a dead record, of context and life alone, so fields
    /// kept or purged give the same. Superseded contents are outside.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.header.digest
    }

    /// The writes that this version has seen, for life.
    #[must_use]
    pub fn context(&self) -> &VersionVector {
        &self.header.context
    }

    /// The writes that this version has seen, for fields.
    #[must_use]
    pub fn fields_context(&self) -> &DotSet {
        &self.header.fields_context
    }

    /// What survives of creates, deletes and people's edits.
    #[must_use]
    pub fn life(&self) -> &Register<Life> {
        &self.header.life
    }

    /// Whether the record is there, see [`Record::is_alive`].
    #[must_use]
    pub fn is_alive(&self) -> bool {
        is_alive(&self.header.life)
    }

    /// Whether this version has lost what it covered to a purge and has been revived since.
    #[must_use]
    pub fn is_thin(&self) -> bool {
        self.is_alive() && !self.header.fields_context.is_all_of(&self.header.context)
    }

    /// The same version, as a native store shows it that has made something else of its values. It never leaves this
    /// replica: under these contexts everybody else has the other values.
    pub(crate) fn showing(&self, contents: &BTreeMap<FieldName, Value>) -> Self {
        let mut record = self.record();
        let Some(stamp) = record.life.siblings().first().map(|sibling| sibling.stamp) else { return self.clone() };
        let register = |value: &Value| Register::from_siblings([Sibling { stamp, value: value.clone() }].into());
        record.fields = contents.iter().map(|(name, value)| (name.clone(), register(value))).collect();
        Self::encode(&record)
    }

    /// Whether both have seen the same writes.
    pub(crate) fn has_seen_the_same(&self, other: &Self) -> bool {
        self.compare(other) == Causality::Equal
    }

    /// What this version has seen, as a base for a write.
    pub(crate) fn seeing(&self) -> Seeing {
        Seeing { context: self.context().clone(), fields_context: self.fields_context().clone() }
    }

    /// How this version relates to `other`, by both contexts.
    #[must_use]
    pub fn compare(&self, other: &Self) -> Causality {
        let (ours, theirs) = (&self.header, &other.header);
        ours.context.compare(&theirs.context).and(ours.fields_context.compare(&theirs.fields_context))
    }

    /// The least version that has seen what both have, see [`Record::join`]. Where one has seen all of the other, its
    /// bytes are taken as they are.
    #[must_use]
    pub fn join(&self, other: &Self) -> Self {
        let has_hints_of =
            |ours: &Self, theirs: &Self| ours.superseded().join(theirs.superseded()) == *ours.superseded();
        match self.compare(other) {
            Causality::Equal | Causality::After => self.clone(),
            Causality::Before if has_hints_of(other, self) => other.clone(),
            Causality::Before | Causality::Concurrent => Self::encode(&self.record().join(&other.record())),
        }
    }

    /// Contents that this record no longer shows.
    #[must_use]
    pub fn superseded(&self) -> &Superseded {
        &self.header.superseded
    }

    /// The fields in which something survives, by name.
    #[must_use]
    pub fn field_heads(&self) -> &[FieldHead] {
        &self.header.fields
    }

    /// The families in which some field is not empty, ascending and without repeats;
    /// [layout](FieldName::is_layout) is none.
    #[must_use]
    pub fn families(&self) -> Vec<&str> {
        let filled = self.header.fields.iter().filter(|field| !field.is_empty && !field.name.is_layout());
        filled.map(|field| field.name.family()).collect::<BTreeSet<_>>().into_iter().collect()
    }

    fn from_encoded(record: &Record, encoded: Encoded) -> Self {
        let filled = record.fields.iter().filter(|(_, register)| !register.is_empty());
        let mut last: Arc<[Stamp]> = Arc::default();
        let fields = filled.map(|(name, register)| {
            let stamps = register.siblings().iter().map(|sibling| sibling.stamp);
            if !stamps.clone().eq(last.iter().copied()) {
                last = stamps.collect();
            }
            FieldHead { name: name.clone(), stamps: last.clone(), is_empty: !codec::is_filled(register) }
        });
        let header = Header {
            digest: encoded.digest,
            context: record.context.clone(),
            fields_context: record.fields_context.clone(),
            life: record.life.clone(),
            fields: fields.collect(),
            values: encoded.values,
            superseded: record.superseded.clone(),
        };
        Self { bytes: encoded.bytes, header: Arc::new(header) }
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl Eq for Version {}

/// As its bytes, for stores: what one version of this library has written, the next one reads.
impl Serialize for Version {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.bytes)
    }
}

/// As strict as [`Version::decode`], without a limit: memory is bounded by what the deserializer hands over.
impl<'de> Deserialize<'de> for Version {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_bytes(EncodedVersion)
    }
}

struct EncodedVersion;

impl<'de> Visitor<'de> for EncodedVersion {
    type Value = Version;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the bytes of a version")
    }

    fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Version, E> {
        Version::decode(bytes, &DecodeLimits::NONE).map_err(E::custom)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut bytes: A) -> Result<Version, A::Error> {
        let mut all = Vec::new();
        while let Some(byte) = bytes.next_element()? {
            all.push(byte);
        }
        self.visit_bytes(&all)
    }
}

impl From<&Record> for Version {
    fn from(record: &Record) -> Self {
        Self::encode(record)
    }
}

impl fmt::Debug for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let life = if self.is_alive() { "alive" } else { "dead" };
        let fields = self.header.fields.len();
        write!(f, "Version({}, {life}, {fields} fields, {} bytes)", self.header.digest, self.bytes.len())
    }
}
