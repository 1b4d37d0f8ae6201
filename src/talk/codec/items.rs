//! The small things that messages are made of.

use alloc::{string::String, vec::Vec};

use uuid::{Uuid, fmt::Hyphenated};

use crate::{
    decide::authorship::Link,
    talk::limits::WireLimits,
    values::{
        codec::{self, DecodeError, Reader, Writer},
        digest::Digest,
        id::{CollectionId, Lineage, RecordId},
        time::Timestamp,
    },
};

impl WireLimits {
    /// # Errors
    /// [`DecodeError::TooMany`] for more than `max_items`.
    pub(super) const fn check_items(&self, found: usize) -> Result<(), DecodeError> {
        if found > self.max_items {
            return Err(DecodeError::TooMany { what: "items of one list", limit: self.max_items, found });
        }
        Ok(())
    }
}

/// Writes a list of things that take `width` items each.
pub(super) fn write_list<T>(writer: &mut Writer, width: usize, list: &[T], mut write: impl FnMut(&mut Writer, &T)) {
    writer.array(list.len().saturating_mul(width));
    list.iter().for_each(|thing| write(writer, thing));
}

/// Reads what [`write_list`] wrote. A list that ends within a thing is seen by writing it again.
pub(super) fn read_list<'b, T, E: From<DecodeError>>(
    reader: &mut Reader<'b>,
    limits: &WireLimits,
    width: usize,
    mut read: impl FnMut(&mut Reader<'b>) -> Result<T, E>,
) -> Result<Vec<T>, E> {
    let things = reader.count()?.checked_div(width).unwrap_or_default();
    limits.check_items(things)?;
    (0..things).map(|_| read(reader)).collect()
}

/// Writes a record's id: 16 bytes where it is the text of a UUID in its usual form, else text.
pub(super) fn write_record(writer: &mut Writer, id: &RecordId) {
    let mut text = [0; Hyphenated::LENGTH];
    match Uuid::try_parse(id.as_str()) {
        Ok(uuid) if *uuid.hyphenated().encode_lower(&mut text) == *id.as_str() => writer.bytes(uuid.as_bytes()),
        Ok(_) | Err(_) => writer.text(id.as_str()),
    }
}

/// Reads what [`write_record`] wrote. That a UUID does not stand as text is seen by writing it again.
pub(super) fn read_record(reader: &mut Reader<'_>) -> Result<RecordId, DecodeError> {
    let error = reader.expected("the id of a record, 16 bytes or a text of 1 to 255 bytes");
    let id = match reader.kind()? {
        minicbor::data::Type::Bytes => {
            RecordId::new(Uuid::from_bytes(reader.fixed()?).hyphenated().encode_lower(&mut [0; Hyphenated::LENGTH]))
        }
        _ => RecordId::new(reader.text()?),
    };
    id.map_err(|_| error)
}

pub(super) fn read_collection(reader: &mut Reader<'_>) -> Result<CollectionId, DecodeError> {
    let error = reader.expected("the id of a collection, a text of 1 to 255 bytes");
    CollectionId::new(reader.text()?).map_err(|_| error)
}

pub(super) fn write_digest(writer: &mut Writer, digest: &Digest) {
    writer.bytes(digest.as_bytes());
}

pub(super) fn read_digest(reader: &mut Reader<'_>) -> Result<Digest, DecodeError> {
    Ok(Digest::from_bytes(reader.fixed()?))
}

/// Writes a link in the chain of a replica's writes.
pub(super) fn write_link(writer: &mut Writer, link: &Link) {
    writer.array(2);
    writer.uint(link.counter);
    write_digest(writer, &link.hash);
}

pub(super) fn read_link(reader: &mut Reader<'_>) -> Result<Link, DecodeError> {
    reader.tuple(2)?;
    Ok(Link { counter: reader.uint()?, hash: read_digest(reader)? })
}

pub(super) fn write_lineage(writer: &mut Writer, lineage: &Lineage) {
    writer.bytes(lineage.as_bytes());
}

pub(super) fn read_lineage(reader: &mut Reader<'_>) -> Result<Lineage, DecodeError> {
    codec::read_id(reader)
}

pub(super) fn read_text(reader: &mut Reader<'_>) -> Result<String, DecodeError> {
    Ok(reader.text()?.into())
}

pub(super) fn read_time(reader: &mut Reader<'_>) -> Result<Timestamp, DecodeError> {
    Ok(Timestamp::from_micros(reader.int()?))
}

pub(super) fn read_u32(reader: &mut Reader<'_>) -> Result<u32, DecodeError> {
    let error = reader.expected("a number of 32 bits");
    u32::try_from(reader.uint()?).map_err(|_| error)
}

/// Writes null for nothing.
pub(super) fn write_option<T>(writer: &mut Writer, thing: Option<&T>, write: impl FnOnce(&mut Writer, &T)) {
    match thing {
        Some(thing) => write(writer, thing),
        None => writer.null(),
    }
}

/// Reads what [`write_option`] wrote.
pub(super) fn read_option<'b, T>(
    reader: &mut Reader<'b>,
    read: impl FnOnce(&mut Reader<'b>) -> Result<T, DecodeError>,
) -> Result<Option<T>, DecodeError> {
    match reader.kind()? {
        minicbor::data::Type::Null => reader.null().map(|()| None),
        _ => read(reader).map(Some),
    }
}
