//! The two forms of a patch: short for one write of some fields, long for everything else.
//!
//! Short is `[check, replica, counter, cause, time, name, value, ..]`, long is
//! `[check, writes, seen, life, fields, cleared, hints]`. A patch that can be short is.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};

use minicbor::data::Type;

use super::{
    Patch, life_after,
    tables::{Tables, read_index, write_index},
};
use crate::values::{
    codec::{self, DecodeError, DecodeLimits, Reader, Writer},
    id::FieldName,
    record::Life,
    register::{Register, Sibling, Stamp},
    superseded::{ContentDigest, MAX_SUPERSEDED, Superseded},
    value::Value,
    version_vector::VersionVector,
};

/// Items of the short form before its fields.
const SHORT_HEAD: usize = 5;
/// Items of the long form.
const LONG: usize = 7;

type Fields = BTreeMap<FieldName, Register<Value>>;

pub(super) fn write(writer: &mut Writer, tables: &Tables, patch: &Patch) {
    match only_write(patch) {
        Some(stamp) => write_short(writer, tables, patch, stamp),
        None => write_long(writer, tables, patch),
    }
}

pub(super) fn read(reader: &mut Reader<'_>, tables: &Tables, limits: &DecodeLimits) -> Result<Patch, DecodeError> {
    let error = reader.expected("a patch in its short or its long form");
    let items = reader.count()?;
    let check = reader.fixed()?;
    match (reader.kind()?, items.checked_sub(SHORT_HEAD)) {
        (Type::Array, _) if items == LONG => read_long(reader, tables, check, limits),
        (Type::Array, _) | (_, None) => Err(error),
        (_, Some(fields)) => read_short(reader, tables, check, fields.div_euclid(2), limits),
    }
}

/// The stamp of all that the patch brings, if it is one write and brings fields only.
fn only_write(patch: &Patch) -> Option<Stamp> {
    let stamp = patch.fields.values().next()?.siblings().first()?.stamp;
    let is_its = |register: &Register<Value>| matches!(register.siblings(), [only] if only.stamp == stamp);
    let is_all = patch.seen.is_empty() && patch.cleared.is_empty() && patch.hints.is_empty();
    (is_all && patch.life == life_after(stamp) && patch.fields.values().all(is_its)).then_some(stamp)
}

fn write_short(writer: &mut Writer, tables: &Tables, patch: &Patch, stamp: Stamp) {
    writer.array(patch.fields.len().saturating_mul(2).saturating_add(SHORT_HEAD));
    writer.bytes(&patch.check);
    tables.write_stamp(writer, stamp);
    for (name, register) in &patch.fields {
        for sibling in register.siblings() {
            tables.write_name(writer, name);
            codec::write_value(writer, &sibling.value);
        }
    }
}

fn read_short(
    reader: &mut Reader<'_>,
    tables: &Tables,
    check: [u8; 8],
    fields: usize,
    limits: &DecodeLimits,
) -> Result<Patch, DecodeError> {
    limits.check_fields(fields)?;
    let stamp = tables.read_stamp(reader)?;
    let field = |_| {
        let name = tables.read_name(reader)?;
        let sibling = Sibling { stamp, value: codec::read_value(reader)? };
        Ok((name, Register::from_siblings([sibling].into())))
    };
    let fields = (0..fields).map(field).collect::<Result<Fields, DecodeError>>()?;
    let (seen, cleared, hints) = (VersionVector::new(), BTreeSet::new(), Superseded::default());
    Ok(Patch { check, seen, life: life_after(stamp), fields, cleared, hints })
}

fn write_long(writer: &mut Writer, tables: &Tables, patch: &Patch) {
    let writes: Vec<Stamp> = patch.stamps().collect::<BTreeSet<_>>().into_iter().collect();
    let write_place =
        |writer: &mut Writer, stamp| write_index(writer, writes.binary_search(&stamp).unwrap_or_default());
    writer.array(LONG);
    writer.bytes(&patch.check);
    writer.array(writes.len().saturating_mul(4));
    writes.iter().for_each(|stamp| tables.write_stamp(writer, *stamp));
    writer.array(patch.seen.iter().len().saturating_mul(2));
    patch.seen.iter().for_each(|dot| tables.write_dot(writer, dot));
    match &patch.life {
        None => writer.null(),
        Some(life) => {
            writer.array(life.siblings().len().saturating_mul(2));
            for sibling in life.siblings() {
                write_place(writer, sibling.stamp);
                codec::write_life(writer, &sibling.value);
            }
        }
    }
    let siblings = patch.fields.iter().flat_map(|(name, register)| register.siblings().iter().map(move |s| (name, s)));
    writer.array(siblings.clone().count().saturating_mul(3));
    for (name, sibling) in siblings {
        tables.write_name(writer, name);
        write_place(writer, sibling.stamp);
        codec::write_value(writer, &sibling.value);
    }
    writer.array(patch.cleared.len());
    patch.cleared.iter().for_each(|name| tables.write_name(writer, name));
    writer.array(patch.hints.iter().len().saturating_mul(3));
    for (dot, content) in patch.hints.iter() {
        tables.write_dot(writer, dot);
        writer.uint(content.0);
    }
}

fn read_long(
    reader: &mut Reader<'_>,
    tables: &Tables,
    check: [u8; 8],
    limits: &DecodeLimits,
) -> Result<Patch, DecodeError> {
    let writes = reader.count()?.div_euclid(4);
    let writes = (0..writes).map(|_| tables.read_stamp(reader)).collect::<Result<Vec<_>, _>>()?;
    let seen = reader.count()?.div_euclid(2);
    let seen = (0..seen).map(|_| tables.read_dot(reader)).collect::<Result<_, _>>()?;
    let life = match reader.kind()? {
        Type::Null => reader.null().map(|()| None)?,
        _ => Some(read_life(reader, &writes)?),
    };
    let fields = read_fields(reader, tables, &writes)?;
    let cleared = reader.count()?;
    limits.check_fields(cleared)?;
    let cleared = (0..cleared).map(|_| tables.read_name(reader)).collect::<Result<_, _>>()?;
    Ok(Patch { check, seen, life, fields, cleared, hints: read_hints(reader, tables)? })
}

fn read_life(reader: &mut Reader<'_>, writes: &[Stamp]) -> Result<Register<Life>, DecodeError> {
    let error = reader.expected("a life, or null where it is as it was");
    let siblings = reader.count()?.div_euclid(2);
    let sibling = |_| Ok(Sibling { stamp: *read_index(reader, writes)?, value: codec::read_life(reader)? });
    let life = Register::from_siblings((0..siblings).map(sibling).collect::<Result<_, DecodeError>>()?);
    if life.is_empty() { Err(error) } else { Ok(life) }
}

fn read_fields(reader: &mut Reader<'_>, tables: &Tables, writes: &[Stamp]) -> Result<Fields, DecodeError> {
    let siblings = reader.count()?.div_euclid(3);
    let mut fields: BTreeMap<FieldName, Vec<Sibling<Value>>> = BTreeMap::new();
    for _ in 0..siblings {
        let name = tables.read_name(reader)?;
        let sibling = Sibling { stamp: *read_index(reader, writes)?, value: codec::read_value(reader)? };
        fields.entry(name).or_default().push(sibling);
    }
    Ok(fields.into_iter().map(|(name, siblings)| (name, Register::from_siblings(siblings))).collect())
}

fn read_hints(reader: &mut Reader<'_>, tables: &Tables) -> Result<Superseded, DecodeError> {
    let found = reader.count()?.div_euclid(3);
    if found > MAX_SUPERSEDED {
        return Err(DecodeError::TooMany { what: "superseded contents", limit: MAX_SUPERSEDED, found });
    }
    let hint = |_| Ok((tables.read_dot(reader)?, ContentDigest(reader.uint()?)));
    Ok((0..found).map(hint).collect::<Result<Vec<_>, DecodeError>>()?.into_iter().collect())
}
