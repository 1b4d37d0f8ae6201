//! Values as CBOR items.
//!
//! | kind | item |
//! |------|------|
//! | null, bool, int | null, false and true, an integer that fits 64 bits with sign |
//! | float | a float of 64 bits, never a shorter one; the one NaN is `fb 7ff8 0000 0000 0000` |
//! | text, bytes | a string of definite length |
//! | time | tag [`TIME_TAG`] around an integer, microseconds since 1970 |
//! | list | an array of definite length |
//! | map | a map of definite length, all keys text, ascending by their encoding (RFC 8949, 4.2.1), unique |
//! | unknown | any other well-formed item of definite lengths, byte for byte |
//!
//! Unknown are other tags, `undefined` and other simple values, shorter floats, integers beyond 64 bits, maps with a key
//! that is no text, and the time tag around anything else. An unknown item may stand inside a list or a map that is
//! known. A known kind in any form but this one is refused. Indefinite lengths are refused everywhere.

use alloc::{collections::BTreeMap, string::String, vec::Vec};

use minicbor::data::Type;

use super::{DecodeError, Reader, Writer};
use crate::values::{
    time::Timestamp,
    value::{Float, MAX_VALUE_DEPTH, OpaqueValue, Value},
};

/// The tag of a moment: `HF` with the highest bit set, from the range that RFC 8949 leaves to first come, first served.
/// It is not registered, and nothing outside this encoding relies on it.
const TIME_TAG: u64 = 0xc846;

/// Appends the canonical encoding. Recurses as deep as the value does, which authoring has bounded.
pub(crate) fn write(writer: &mut Writer, value: &Value) {
    match value {
        Value::Null => writer.null(),
        Value::Bool(yes) => writer.bool(*yes),
        Value::Int(number) => writer.int(*number),
        Value::Float(number) => writer.float(number.get()),
        Value::Text(text) => writer.text(text),
        Value::Bytes(bytes) => writer.bytes(bytes),
        Value::Time(moment) => {
            writer.tag(TIME_TAG);
            writer.int(moment.as_micros());
        }
        Value::List(list) => {
            writer.array(list.len());
            list.iter().for_each(|item| write(writer, item));
        }
        Value::Map(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_by_key(|(key, _)| (key.len(), *key));
            writer.map(entries.len());
            for (key, item) in entries {
                writer.text(key);
                write(writer, item);
            }
        }
        Value::Opaque(opaque) => writer.raw(opaque.as_bytes()),
    }
}

/// Reads one value; whether a known kind is in canonical form is seen by writing it again.
///
/// # Errors
/// [`DecodeError::Malformed`] and [`DecodeError::TooDeep`].
pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Value, DecodeError> {
    read_within(reader, MAX_VALUE_DEPTH)
}

/// The value of an encoding that was checked before. What is no known kind is opaque, so this is total.
pub(crate) fn restore(encoded: &[u8]) -> Value {
    read(&mut Reader::new(encoded)).unwrap_or_else(|_| Value::Opaque(OpaqueValue::from_encoded(encoded.into())))
}

fn read_within(reader: &mut Reader<'_>, levels: usize) -> Result<Value, DecodeError> {
    Ok(match reader.kind()? {
        Type::Null => {
            reader.null()?;
            Value::Null
        }
        Type::Bool => Value::Bool(reader.bool()?),
        Type::F64 => Value::Float(Float::from(reader.float()?)),
        Type::String => Value::Text(reader.text()?.into()),
        Type::Bytes => Value::Bytes(reader.bytes()?.into()),
        Type::U8 | Type::U16 | Type::U32 | Type::U64 | Type::I8 | Type::I16 | Type::I32 | Type::I64 => {
            match reader.int() {
                Ok(number) => Value::Int(number),
                Err(_) => read_opaque(reader, levels)?,
            }
        }
        Type::Tag => match read_time(reader) {
            Some(moment) => Value::Time(moment),
            None => read_opaque(reader, levels)?,
        },
        Type::Array => {
            let below = levels.checked_sub(1).ok_or(DecodeError::TooDeep)?;
            let items = reader.count()?;
            Value::List((0..items).map(|_| read_within(reader, below)).collect::<Result<_, _>>()?)
        }
        Type::Map if keys_are_text(reader.clone(), levels)? => Value::Map(read_map(reader, levels)?),
        _ => read_opaque(reader, levels)?,
    })
}

fn read_map(reader: &mut Reader<'_>, levels: usize) -> Result<BTreeMap<String, Value>, DecodeError> {
    let below = levels.checked_sub(1).ok_or(DecodeError::TooDeep)?;
    let entries = reader.entries()?;
    (0..entries).map(|_| Ok((reader.text()?.into(), read_within(reader, below)?))).collect()
}

/// The moment that stands next, or `None` and the position as it was.
fn read_time(reader: &mut Reader<'_>) -> Option<Timestamp> {
    let mut ahead = reader.clone();
    let tag = ahead.tag().ok()?;
    let micros = ahead.int().ok()?;
    if tag != TIME_TAG {
        return None;
    }
    *reader = ahead;
    Some(Timestamp::from_micros(micros))
}

fn keys_are_text(mut reader: Reader<'_>, levels: usize) -> Result<bool, DecodeError> {
    let below = levels.checked_sub(1).ok_or(DecodeError::TooDeep)?;
    for _ in 0..reader.entries()? {
        if reader.kind()? != Type::String {
            return Ok(false);
        }
        reader.skip_scalar()?;
        skip(&mut reader, below)?;
    }
    Ok(true)
}

fn read_opaque(reader: &mut Reader<'_>, levels: usize) -> Result<Value, DecodeError> {
    let start = reader.position();
    skip(reader, levels)?;
    Ok(Value::Opaque(OpaqueValue::from_encoded(reader.since(start).into())))
}

/// Passes over one well-formed item and says how many levels of arrays, maps and unknown tags it has, at most
/// `levels`.
fn skip(reader: &mut Reader<'_>, levels: usize) -> Result<usize, DecodeError> {
    let items = match reader.kind()? {
        Type::Array => reader.count()?,
        Type::Map => reader.entries()?.saturating_mul(2),
        Type::Tag if read_time(reader).is_some() => return Ok(0),
        Type::Tag => reader.tag().map(|_| 1)?,
        Type::BytesIndef | Type::StringIndef | Type::ArrayIndef | Type::MapIndef | Type::Break | Type::Unknown(_) => {
            return Err(reader.expected("a well-formed item of definite length"));
        }
        _ => return reader.skip_scalar().map(|()| 0),
    };
    let below = levels.checked_sub(1).ok_or(DecodeError::TooDeep)?;
    let mut deepest = 0;
    for _ in 0..items {
        deepest = skip(reader, below)?.max(deepest);
    }
    Ok(deepest.saturating_add(1))
}

impl OpaqueValue {
    /// Levels of arrays, maps and unknown tags.
    pub(crate) fn depth(&self) -> usize {
        skip(&mut Reader::new(self.as_bytes()), MAX_VALUE_DEPTH).unwrap_or(0)
    }
}

impl TryFrom<Vec<u8>> for OpaqueValue {
    type Error = DecodeError;

    /// Takes one well-formed item of an unknown kind.
    ///
    /// # Errors
    /// [`DecodeError::Malformed`] for anything else, a known kind included, and [`DecodeError::TooDeep`].
    fn try_from(bytes: Vec<u8>) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(&bytes);
        let Value::Opaque(opaque) = read(&mut reader)? else {
            return Err(Reader::new(&bytes).expected("a kind of value that is not known"));
        };
        reader.end()?;
        Ok(opaque)
    }
}
