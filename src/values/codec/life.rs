//! What survives of creates and deletes, as CBOR.

use minicbor::data::Type;

use super::{
    DecodeError, Reader, Writer,
    stamp::{read_id, read_stamp, write_stamp},
};
use crate::values::{
    id::{CollectionId, RecordId},
    record::{Destination, Life},
    register::{Register, Sibling, Stamp},
    version_vector::VersionVector,
};

/// Writes the siblings, leaving out a stamp that is the default one.
pub(super) fn write(writer: &mut Writer, table: &VersionVector, life: &Register<Life>, default: Option<Stamp>) {
    writer.array(life.siblings().len());
    for sibling in life.siblings() {
        writer.array(2);
        if Some(sibling.stamp) == default {
            writer.null();
        } else {
            write_stamp(writer, table, sibling.stamp);
        }
        write_life(writer, &sibling.value);
    }
}

/// Reads what [`write`] wrote. The default stamp stands later in the header, so a missing one stays missing.
pub(super) fn read(
    reader: &mut Reader<'_>,
    table: &VersionVector,
) -> Result<alloc::vec::Vec<(Option<Stamp>, Life)>, DecodeError> {
    let siblings = reader.count()?;
    let sibling = |_| {
        reader.tuple(2)?;
        let stamp = match reader.kind()? {
            Type::Null => reader.null().map(|()| None)?,
            _ => Some(read_stamp(reader, table)?),
        };
        Ok((stamp, read_life(reader)?))
    };
    (0..siblings).map(sibling).collect()
}

/// Puts the default stamp where none stood.
///
/// # Errors
/// [`DecodeError::Impossible`] where there is none to put.
pub(super) fn with_default(
    siblings: alloc::vec::Vec<(Option<Stamp>, Life)>,
    default: Option<Stamp>,
) -> Result<Register<Life>, DecodeError> {
    let stamped = |(stamp, value): (Option<Stamp>, Life)| {
        let stamp = stamp.or(default).ok_or(DecodeError::Impossible { expected: "a stamp for every write" })?;
        Ok(Sibling { stamp, value })
    };
    Ok(Register::from_siblings(siblings.into_iter().map(stamped).collect::<Result<_, DecodeError>>()?))
}

pub(crate) fn write_life(writer: &mut Writer, life: &Life) {
    match life {
        Life::Alive { moved: None } => writer.bool(true),
        Life::Alive { moved: Some(id) } => writer.bytes(id.as_bytes()),
        Life::Deleted { moved: None } => writer.bool(false),
        Life::Deleted { moved: Some(destination) } => {
            writer.array(3);
            writer.bytes(destination.id.as_bytes());
            writer.text(destination.collection.as_str());
            writer.text(destination.record.as_str());
        }
    }
}

pub(crate) fn read_life(reader: &mut Reader<'_>) -> Result<Life, DecodeError> {
    match reader.kind()? {
        Type::Bool if reader.bool()? => Ok(Life::Alive { moved: None }),
        Type::Bool => Ok(Life::Deleted { moved: None }),
        Type::Bytes => Ok(Life::Alive { moved: Some(read_id(reader)?) }),
        _ => {
            reader.tuple(3)?;
            let id = read_id(reader)?;
            let error = reader.expected("an id of 1 to 255 bytes");
            let collection = CollectionId::new(reader.text()?).map_err(|_| error.clone())?;
            let record = RecordId::new(reader.text()?).map_err(|_| error)?;
            Ok(Life::Deleted { moved: Some(Destination { id, collection, record }) })
        }
    }
}
