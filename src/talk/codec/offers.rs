//! Lists of records, with the tables that their patches share.

use alloc::vec::Vec;

use minicbor::data::Type;

use super::items::{read_digest, read_list, read_record, read_text, read_time, write_digest, write_list, write_record};
use crate::{
    decide::{
        consent::{Excuse, Verdict},
        offer::HeldVersion,
        position::Tag,
    },
    talk::{
        limits::WireLimits,
        offer::{Sent, SentOffer},
    },
    values::{
        codec::{DecodeError, Reader, Writer},
        patch::{Patch, Tables},
        version::Version,
    },
};

/// Writes `tables, offers` as two items; the tables are null where nothing is a patch.
pub(super) fn write_offers(writer: &mut Writer, offers: &[SentOffer]) {
    let patches = offers.iter().filter_map(|offer| match &offer.version {
        Sent::Patch(patch) => Some(patch),
        Sent::Whole(_) => None,
    });
    let tables = Tables::of(patches.clone());
    match patches.count() {
        0 => writer.null(),
        _ => tables.write(writer),
    }
    write_list(writer, 1, offers, |writer, offer| write_offer(writer, &tables, offer));
}

/// Reads what [`write_offers`] wrote.
pub(super) fn read_offers(reader: &mut Reader<'_>, limits: &WireLimits) -> Result<Vec<SentOffer>, DecodeError> {
    let tables = match reader.kind()? {
        Type::Null => reader.null().map(|()| None)?,
        _ => Some(Tables::read(reader, &limits.record, limits.max_items)?),
    };
    read_list(reader, limits, 1, |reader| read_offer(reader, tables.as_ref(), limits))
}

/// Checks a record that is to be sent against what a receiver will take.
pub(super) fn check_offer(offer: &SentOffer, limits: &WireLimits) -> Result<(), DecodeError> {
    match &offer.version {
        Sent::Whole(version) => version.check_limits(&limits.record)?,
        Sent::Patch(patch) => patch.check_limits(&limits.record)?,
    }
    offer.held.iter().try_for_each(|held| held.hidden.check_limits(&limits.record))
}

/// `[record, version]`, or `[record, version, held, excuse]` where either is there; a tag comes last.
fn write_offer(writer: &mut Writer, tables: &Tables, offer: &SentOffer) {
    let is_long = offer.held.is_some() || offer.excuse.is_some();
    writer.array(match (is_long, offer.delete_tag.is_some()) {
        (false, false) => 2,
        (false, true) => 3,
        (true, false) => 4,
        (true, true) => 5,
    });
    write_record(writer, &offer.record);
    match &offer.version {
        Sent::Whole(version) => writer.bytes(version.as_bytes()),
        Sent::Patch(patch) => patch.write(writer, tables),
    }
    if is_long {
        write_held(writer, offer.held.as_ref());
        write_excuse(writer, offer.excuse.as_ref());
    }
    offer.delete_tag.iter().for_each(|tag| write_digest(writer, &tag.0));
}

fn read_offer(reader: &mut Reader<'_>, tables: Option<&Tables>, limits: &WireLimits) -> Result<SentOffer, DecodeError> {
    let error = reader.expected("a record of 2 to 5 items, its patch under a table");
    let items = reader.count()?;
    let record = read_record(reader)?;
    let version = match (reader.kind()?, tables) {
        (Type::Bytes, _) => Sent::Whole(Version::decode(reader.bytes()?, &limits.record)?),
        (_, Some(tables)) => Sent::Patch(Patch::read(reader, tables, &limits.record)?),
        (_, None) => return Err(error),
    };
    let (held, excuse) = match items {
        2 | 3 => (None, None),
        4 | 5 => (read_held(reader, limits)?, read_excuse(reader)?),
        _ => return Err(error),
    };
    let delete_tag = if matches!(items, 3 | 5) { Some(Tag(read_digest(reader)?)) } else { None };
    Ok(SentOffer { record, version, held, excuse, delete_tag })
}

fn write_held(writer: &mut Writer, held: Option<&HeldVersion>) {
    let Some(held) = held else { return writer.null() };
    writer.array(2);
    writer.bytes(held.hidden.as_bytes());
    writer.bool(held.mass);
}

fn read_held(reader: &mut Reader<'_>, limits: &WireLimits) -> Result<Option<HeldVersion>, DecodeError> {
    if reader.kind()? == Type::Null {
        return reader.null().map(|()| None);
    }
    reader.tuple(2)?;
    Ok(Some(HeldVersion { hidden: Version::decode(reader.bytes()?, &limits.record)?, mass: reader.bool()? }))
}

/// `[verdict, held, hidden, by, at]`.
fn write_excuse(writer: &mut Writer, excuse: Option<&Excuse>) {
    let Some(excuse) = excuse else { return writer.null() };
    writer.array(5);
    writer.uint(match excuse.verdict {
        Verdict::Consent => 0,
        Verdict::Keep => 1,
    });
    write_digest(writer, &excuse.held);
    write_digest(writer, &excuse.hidden);
    writer.text(&excuse.by);
    writer.int(excuse.at.as_micros());
}

fn read_excuse(reader: &mut Reader<'_>) -> Result<Option<Excuse>, DecodeError> {
    if reader.kind()? == Type::Null {
        return reader.null().map(|()| None);
    }
    reader.tuple(5)?;
    let unknown = reader.expected("a verdict from 0 to 1");
    let verdict = match reader.uint()? {
        0 => Verdict::Consent,
        1 => Verdict::Keep,
        _ => return Err(unknown),
    };
    Ok(Some(Excuse {
        verdict,
        held: read_digest(reader)?,
        hidden: read_digest(reader)?,
        by: read_text(reader)?,
        at: read_time(reader)?,
    }))
}
