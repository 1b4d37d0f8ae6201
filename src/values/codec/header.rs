//! The header: all of a record but its values and hints.

use alloc::{collections::BTreeMap, sync::Arc, vec::Vec};
use core::cmp::Reverse;

use minicbor::data::Type;

use super::{
    DecodeError, DecodeLimits, Reader, Writer, life,
    stamp::{read_dots, read_stamp, read_table, write_dots, write_stamp, write_table},
};
use crate::values::{
    digest::Digest,
    dot_set::DotSet,
    id::FieldName,
    record::{Life, Record},
    register::{Register, Stamp},
    value::Value,
    version_vector::VersionVector,
};

/// A header, read. Its fields carry the stamps of their siblings, in order.
pub(super) struct Header {
    pub(super) context: VersionVector,
    pub(super) fields_context: DotSet,
    pub(super) life: Register<Life>,
    pub(super) body: Digest,
    pub(super) fields: Vec<(FieldName, Arc<[Stamp]>)>,
}

/// Encodes the header of a record whose body has this digest. Fields in which nothing survives are left out.
pub(super) fn encode(record: &Record, body: Digest) -> Vec<u8> {
    let (table, default) = (&record.context, default_stamp(record));
    let fields: Vec<_> = record.fields.iter().filter(|(_, register)| !register.is_empty()).collect();
    let mut header = Writer::with_room_for(fields.len().saturating_mul(16).saturating_add(96));
    header.array(8);
    write_table(&mut header, table);
    write_dots(&mut header, table, &record.fields_context);
    life::write(&mut header, table, &record.life, default);
    header.bytes(body.as_bytes());
    match default {
        Some(stamp) => write_stamp(&mut header, table, stamp),
        None => header.null(),
    }
    header.array(fields.len());
    fields.iter().for_each(|(name, _)| header.text(name.as_str()));
    header.bytes(&bits(fields.iter().map(|(_, register)| is_filled(register))));
    write_exceptions(&mut header, table, &fields, default);
    header.finish()
}

/// Reads a header. Order, bits and the choice of the default stamp are seen by encoding again.
///
/// # Errors
/// Any of [`DecodeError`] but `Damaged` and `NotCanonical`.
pub(super) fn decode(bytes: &[u8], limits: &DecodeLimits) -> Result<Header, DecodeError> {
    let mut reader = Reader::new(bytes);
    reader.tuple(8)?;
    let context = read_table(&mut reader, |replicas| limits.check_replicas(replicas))?;
    let fields_context = read_dots(&mut reader, &context)?;
    let life = life::read(&mut reader, &context)?;
    let body = Digest::from_bytes(reader.fixed()?);
    let default = match reader.kind()? {
        Type::Null => reader.null().map(|()| None)?,
        _ => Some(read_stamp(&mut reader, &context)?),
    };
    let names = read_names(&mut reader, limits)?;
    reader.bytes()?;
    let mut exceptions = read_exceptions(&mut reader, &context)?;
    reader.end()?;
    let by_default: Option<Arc<[Stamp]>> = default.map(|stamp| Arc::from([stamp]));
    let field = |(index, name)| {
        let stamps = exceptions.remove(&index).or_else(|| by_default.clone());
        Ok((name, stamps.ok_or(DecodeError::Impossible { expected: "a stamp for every field" })?))
    };
    let fields = names.into_iter().enumerate().map(field).collect::<Result<_, DecodeError>>()?;
    Ok(Header { context, fields_context, life: life::with_default(life, default)?, body, fields })
}

/// Whether a sibling's value is something that a person would miss.
pub(crate) fn is_filled(register: &Register<Value>) -> bool {
    register.siblings().iter().any(|sibling| !sibling.value.is_empty())
}

/// The stamp that most fields have as their only sibling's; the least of several such.
fn default_stamp(record: &Record) -> Option<Stamp> {
    let mut fields: BTreeMap<Stamp, usize> = BTreeMap::new();
    for stamp in record.fields.values().filter_map(only_stamp) {
        let count = fields.entry(stamp).or_default();
        *count = count.saturating_add(1);
    }
    fields.into_iter().max_by_key(|(stamp, count)| (*count, Reverse(*stamp))).map(|(stamp, _)| stamp)
}

fn only_stamp(register: &Register<Value>) -> Option<Stamp> {
    match register.siblings() {
        [only] => Some(only.stamp),
        _ => None,
    }
}

fn bits(flags: impl Iterator<Item = bool>) -> Vec<u8> {
    let flags: Vec<_> = flags.collect();
    flags.chunks(8).map(|chunk| chunk.iter().rev().fold(0, |bits, flag| bits << 1 | u8::from(*flag))).collect()
}

fn write_exceptions(
    header: &mut Writer,
    table: &VersionVector,
    fields: &[(&FieldName, &Register<Value>)],
    default: Option<Stamp>,
) {
    let is_exception = |register: &Register<Value>| default.is_none() || only_stamp(register) != default;
    let exceptions: Vec<_> = (0..).zip(fields).filter(|(_, (_, register))| is_exception(register)).collect();
    header.array(exceptions.len().saturating_mul(2));
    for (index, (_, register)) in exceptions {
        header.uint(index);
        header.array(register.siblings().len());
        register.siblings().iter().for_each(|sibling| write_stamp(header, table, sibling.stamp));
    }
}

/// Reads the names of fields, as many as the limits allow.
pub(crate) fn read_names(reader: &mut Reader<'_>, limits: &DecodeLimits) -> Result<Vec<FieldName>, DecodeError> {
    let names = reader.count()?;
    limits.check_fields(names)?;
    let name = |_| {
        let error = reader.expected("a field name of 1 to 255 bytes");
        FieldName::new(reader.text()?).map_err(|_| error)
    };
    (0..names).map(name).collect()
}

fn read_exceptions(
    reader: &mut Reader<'_>,
    table: &VersionVector,
) -> Result<BTreeMap<usize, Arc<[Stamp]>>, DecodeError> {
    let exceptions = reader.count()?.div_euclid(2);
    let exception = |_| {
        let error = reader.expected("the index of a field");
        let index = usize::try_from(reader.uint()?).map_err(|_| error)?;
        let stamps = reader.count()?;
        Ok((index, (0..stamps).map(|_| read_stamp(reader, table)).collect::<Result<_, DecodeError>>()?))
    };
    (0..exceptions).map(exception).collect()
}
