//! What the patches of one list share: who wrote, since when, and which fields.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};

use super::Patch;
use crate::values::{
    codec::{self, DecodeError, DecodeLimits, Reader, Writer},
    id::{FieldName, ReplicaId},
    register::Stamp,
    time::Timestamp,
    version_vector::Dot,
};

/// The least that patches need to name their writes and fields by small numbers. Of the same patches, the same tables.
#[derive(Debug, Default)]
pub(crate) struct Tables {
    since: Timestamp,
    least: Vec<Dot>, // by replica, its least counter
    names: Vec<FieldName>,
}

impl Tables {
    /// What these patches need, and no more.
    pub(crate) fn of<'p>(patches: impl IntoIterator<Item = &'p Patch>) -> Self {
        let (mut least, mut names, mut since) = (BTreeMap::<ReplicaId, u64>::new(), BTreeSet::new(), None);
        for patch in patches {
            for dot in patch.dots() {
                let counter = least.entry(dot.replica).or_insert(dot.counter);
                *counter = dot.counter.min(*counter);
            }
            names.extend(patch.fields.keys().chain(&patch.cleared).cloned());
            since = patch.stamps().map(|stamp| stamp.at).chain(since).min();
        }
        Self {
            since: since.unwrap_or_default(),
            least: least.into_iter().map(|(replica, counter)| Dot { replica, counter }).collect(),
            names: names.into_iter().collect(),
        }
    }

    pub(crate) fn write(&self, writer: &mut Writer) {
        writer.array(3);
        writer.int(self.since.as_micros());
        writer.array(self.least.len().saturating_mul(2));
        for dot in &self.least {
            writer.bytes(dot.replica.as_bytes());
            writer.uint(dot.counter);
        }
        writer.array(self.names.len());
        self.names.iter().for_each(|name| writer.text(name.as_str()));
    }

    /// Reads what [`write`](Self::write) wrote, for at most that many patches. Order, and that all is needed, is seen by
    /// encoding again.
    ///
    /// # Errors
    /// [`DecodeError::Malformed`] and [`DecodeError::TooMany`].
    pub(crate) fn read(reader: &mut Reader<'_>, limits: &DecodeLimits, patches: usize) -> Result<Self, DecodeError> {
        reader.tuple(3)?;
        let since = Timestamp::from_micros(reader.int()?);
        let all = DecodeLimits {
            max_fields: limits.max_fields.saturating_mul(patches),
            max_replicas: limits.max_replicas.saturating_mul(patches),
            ..*limits
        };
        let replicas = reader.count()?.div_euclid(2);
        all.check_replicas(replicas)?;
        let dot = |_| Ok(Dot { replica: codec::read_id(reader)?, counter: reader.uint()? });
        let least = (0..replicas).map(dot).collect::<Result<_, DecodeError>>()?;
        Ok(Self { since, least, names: codec::read_names(reader, &all)? })
    }

    pub(super) fn write_dot(&self, writer: &mut Writer, dot: Dot) {
        let at = self.least.binary_search_by_key(&dot.replica, |least| least.replica).unwrap_or_default();
        let least = self.least.get(at).map_or(0, |least| least.counter);
        write_index(writer, at);
        writer.uint(dot.counter.saturating_sub(least));
    }

    pub(super) fn read_dot(&self, reader: &mut Reader<'_>) -> Result<Dot, DecodeError> {
        let least = *read_index(reader, &self.least)?;
        let error = reader.expected("a counter from 1");
        let counter = least.counter.checked_add(reader.uint()?).filter(|counter| *counter > 0);
        Ok(Dot { counter: counter.ok_or(error)?, ..least })
    }

    pub(super) fn write_stamp(&self, writer: &mut Writer, stamp: Stamp) {
        self.write_dot(writer, stamp.dot);
        codec::write_cause(writer, stamp.cause);
        writer.uint(stamp.at.as_micros().abs_diff(self.since.as_micros()));
    }

    pub(super) fn read_stamp(&self, reader: &mut Reader<'_>) -> Result<Stamp, DecodeError> {
        let (dot, cause) = (self.read_dot(reader)?, codec::read_cause(reader)?);
        let error = reader.expected("a time of 64 bits");
        let at = self.since.as_micros().checked_add_unsigned(reader.uint()?).ok_or(error)?;
        Ok(Stamp { dot, cause, at: Timestamp::from_micros(at) })
    }

    pub(super) fn write_name(&self, writer: &mut Writer, name: &FieldName) {
        write_index(writer, self.names.binary_search(name).unwrap_or_default());
    }

    pub(super) fn read_name(&self, reader: &mut Reader<'_>) -> Result<FieldName, DecodeError> {
        read_index(reader, &self.names).cloned()
    }
}

pub(super) fn write_index(writer: &mut Writer, index: usize) {
    writer.uint(u64::try_from(index).unwrap_or(u64::MAX));
}

pub(super) fn read_index<'t, T>(reader: &mut Reader<'_>, table: &'t [T]) -> Result<&'t T, DecodeError> {
    let error = reader.expected("an index in its table");
    usize::try_from(reader.uint()?).ok().and_then(|index| table.get(index)).ok_or(error)
}
