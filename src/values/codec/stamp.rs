//! Names of writes, with each replica written out once.

use alloc::vec::Vec;

use minicbor::data::Type;
use uuid::Uuid;

use super::{DecodeError, Reader, Writer};
use crate::values::{
    dot_set::{DotRange, DotSet},
    id::ReplicaId,
    register::{Cause, Stamp},
    superseded::{ContentDigest, MAX_SUPERSEDED, Superseded},
    time::Timestamp,
    version_vector::{Dot, VersionVector},
};

/// Writes `table` in full. Later on its replicas are named by their index in it.
pub(super) fn write_table(writer: &mut Writer, table: &VersionVector) {
    writer.array(table.iter().len().saturating_mul(2));
    for dot in table.iter() {
        writer.bytes(dot.replica.as_bytes());
        writer.uint(dot.counter);
    }
}

/// Reads what [`write_table`] wrote. `check` is given the number of replicas.
pub(super) fn read_table(
    reader: &mut Reader<'_>,
    check: impl FnOnce(usize) -> Result<(), DecodeError>,
) -> Result<VersionVector, DecodeError> {
    let replicas = reader.count()?.div_euclid(2);
    check(replicas)?;
    (0..replicas).map(|_| Ok(Dot { replica: read_id(reader)?, counter: reader.uint()? })).collect()
}

/// Writes what a record has seen of its fields: null where it is all that the record has seen, else the ranges as
/// replica, first, last.
pub(super) fn write_dots(writer: &mut Writer, table: &VersionVector, dots: &DotSet) {
    if dots.is_all_of(table) {
        return writer.null();
    }
    writer.array(dots.iter().len().saturating_mul(3));
    for range in dots.iter() {
        write_replica(writer, table, range.replica);
        writer.uint(range.first);
        writer.uint(range.last);
    }
}

/// Reads what [`write_dots`] wrote. That the ranges are the fewest, in order, is seen by encoding again.
pub(super) fn read_dots(reader: &mut Reader<'_>, table: &VersionVector) -> Result<DotSet, DecodeError> {
    if reader.kind()? == Type::Null {
        return reader.null().map(|()| DotSet::from(table));
    }
    let ranges = reader.count()?.div_euclid(3);
    let range = |_| {
        let error = reader.expected("a range of counters, from 1");
        let range = DotRange { replica: read_replica(reader, table)?, first: reader.uint()?, last: reader.uint()? };
        if (1..=range.last).contains(&range.first) { Ok(range) } else { Err(error) }
    };
    (0..ranges).map(range).collect()
}

pub(super) fn write_stamp(writer: &mut Writer, table: &VersionVector, stamp: Stamp) {
    writer.array(4);
    write_replica(writer, table, stamp.dot.replica);
    writer.uint(stamp.dot.counter);
    write_cause(writer, stamp.cause);
    writer.int(stamp.at.as_micros());
}

pub(crate) fn write_cause(writer: &mut Writer, cause: Cause) {
    writer.uint(match cause {
        Cause::User => 0,
        Cause::App => 1,
        Cause::Import => 2,
        Cause::Listing => 3,
    });
}

pub(super) fn read_stamp(reader: &mut Reader<'_>, table: &VersionVector) -> Result<Stamp, DecodeError> {
    reader.tuple(4)?;
    let dot = read_dot(reader, table)?;
    let cause = read_cause(reader)?;
    Ok(Stamp { dot, cause, at: Timestamp::from_micros(reader.int()?) })
}

pub(crate) fn read_cause(reader: &mut Reader<'_>) -> Result<Cause, DecodeError> {
    let unknown = reader.expected("a cause from 0 to 3");
    match reader.uint()? {
        0 => Ok(Cause::User),
        1 => Ok(Cause::App),
        2 => Ok(Cause::Import),
        3 => Ok(Cause::Listing),
        _ => Err(unknown),
    }
}

pub(super) fn write_hints(writer: &mut Writer, table: &VersionVector, superseded: &Superseded) {
    writer.array(superseded.iter().len().saturating_mul(3));
    for (dot, content) in superseded.iter() {
        write_replica(writer, table, dot.replica);
        writer.uint(dot.counter);
        writer.uint(content.0);
    }
}

pub(super) fn read_hints(reader: &mut Reader<'_>, table: &VersionVector) -> Result<Superseded, DecodeError> {
    let entries = reader.count()?.div_euclid(3);
    if entries > MAX_SUPERSEDED {
        return Err(DecodeError::TooMany { what: "superseded contents", limit: MAX_SUPERSEDED, found: entries });
    }
    let entry = |_| Ok((read_dot(reader, table)?, ContentDigest(reader.uint()?)));
    Ok((0..entries).map(entry).collect::<Result<Vec<_>, DecodeError>>()?.into_iter().collect())
}

/// Reads 16 bytes that name something random.
pub(crate) fn read_id<T: From<Uuid>>(reader: &mut Reader<'_>) -> Result<T, DecodeError> {
    Ok(Uuid::from_bytes(reader.fixed()?).into())
}

fn read_dot(reader: &mut Reader<'_>, table: &VersionVector) -> Result<Dot, DecodeError> {
    let replica = read_replica(reader, table)?;
    let error = reader.expected("a counter from 1");
    match reader.uint()? {
        0 => Err(error),
        counter => Ok(Dot { replica, counter }),
    }
}

/// The index in `table`; in full only where the replica is not in it, which a hint's may be.
fn write_replica(writer: &mut Writer, table: &VersionVector, replica: ReplicaId) {
    match table.index_of(replica).and_then(|index| u64::try_from(index).ok()) {
        Some(index) => writer.uint(index),
        None => writer.bytes(replica.as_bytes()),
    }
}

fn read_replica(reader: &mut Reader<'_>, table: &VersionVector) -> Result<ReplicaId, DecodeError> {
    if reader.kind()? == Type::Bytes {
        return read_id(reader);
    }
    let error = reader.expected("the index of a replica");
    let index = usize::try_from(reader.uint()?).ok();
    index.and_then(|index| table.at(index)).map(|entry| entry.replica).ok_or(error)
}
