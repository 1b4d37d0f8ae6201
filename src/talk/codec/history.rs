//! Positions, cursors, claims and judgements as CBOR.

use super::items::{
    read_digest, read_lineage, read_list, read_option, read_record, write_digest, write_lineage, write_list,
    write_option, write_record,
};
use crate::{
    decide::{
        continuity::{Claim, Continuity, Judgement, ServerLoss, Stop},
        ledger::FirstSeen,
        line::Revision,
        position::{FeedCursor, Issued, Position, Tag, Within},
    },
    talk::limits::WireLimits,
    values::codec::{DecodeError, Reader, Writer},
};

pub(super) fn read_revision(reader: &mut Reader<'_>) -> Result<Revision, DecodeError> {
    reader.uint().map(Revision)
}

fn write_position(writer: &mut Writer, position: &Position) {
    writer.array(3);
    write_lineage(writer, &position.lineage);
    writer.uint(position.revision.0);
    write_digest(writer, &position.chain);
}

fn read_position(reader: &mut Reader<'_>) -> Result<Position, DecodeError> {
    reader.tuple(3)?;
    Ok(Position { lineage: read_lineage(reader)?, revision: read_revision(reader)?, chain: read_digest(reader)? })
}

pub(super) fn write_issued(writer: &mut Writer, issued: &Issued) {
    let Position { lineage, revision, chain } = &issued.position;
    writer.array(4);
    write_lineage(writer, lineage);
    writer.uint(revision.0);
    write_digest(writer, chain);
    write_digest(writer, &issued.tag.0);
}

pub(super) fn read_issued(reader: &mut Reader<'_>) -> Result<Issued, DecodeError> {
    reader.tuple(4)?;
    let position =
        Position { lineage: read_lineage(reader)?, revision: read_revision(reader)?, chain: read_digest(reader)? };
    Ok(Issued { position, tag: Tag(read_digest(reader)?) })
}

/// As one, three or four items: all commits up to here, and of one more those up to a place, or up to a record.
pub(super) fn write_cursor(writer: &mut Writer, cursor: &FeedCursor) {
    let items = match &cursor.within {
        None => 1,
        Some(Within { record: None, .. }) => 3,
        Some(Within { record: Some(_), .. }) => 4,
    };
    writer.array(items);
    writer.uint(cursor.revision.0);
    if let Some(Within { revision, place, record }) = &cursor.within {
        writer.uint(revision.0);
        writer.uint(place.0);
        record.iter().for_each(|record| write_record(writer, record));
    }
}

pub(super) fn read_cursor(reader: &mut Reader<'_>) -> Result<FeedCursor, DecodeError> {
    let error = reader.expected("a cursor of 1, 3 or 4 items");
    let items = reader.count()?;
    let revision = read_revision(reader)?;
    let within = match items {
        1 => None,
        3 | 4 => Some(Within {
            revision: read_revision(reader)?,
            place: FirstSeen(reader.uint()?),
            record: if items == 4 { Some(read_record(reader)?) } else { None },
        }),
        _ => return Err(error),
    };
    Ok(FeedCursor { revision, within })
}

pub(super) fn write_claim(writer: &mut Writer, claim: &Claim) {
    writer.array(3);
    write_issued(writer, &claim.last);
    write_list(writer, 2, &claim.older, |writer, (revision, chain)| {
        writer.uint(revision.0);
        write_digest(writer, chain);
    });
    write_list(writer, 1, &claim.missing, write_record);
}

pub(super) fn read_claim(reader: &mut Reader<'_>, limits: &WireLimits) -> Result<Claim, DecodeError> {
    reader.tuple(3)?;
    Ok(Claim {
        last: read_issued(reader)?,
        older: read_list(reader, limits, 2, |reader| {
            Ok::<_, DecodeError>((read_revision(reader)?, read_digest(reader)?))
        })?,
        missing: read_list(reader, limits, 1, read_record)?,
    })
}

pub(super) fn write_judgement(writer: &mut Writer, judgement: &Judgement) {
    writer.array(5);
    write_continuity(writer, judgement.continuity);
    writer.uint(judgement.common.0);
    write_position(writer, &judgement.claimed);
    write_option(writer, judgement.found.as_ref(), write_position);
    write_list(writer, 1, &judgement.missing, write_record);
}

pub(super) fn read_judgement(reader: &mut Reader<'_>, limits: &WireLimits) -> Result<Judgement, DecodeError> {
    reader.tuple(5)?;
    Ok(Judgement {
        continuity: read_continuity(reader)?,
        common: read_revision(reader)?,
        claimed: read_position(reader)?,
        found: read_option(reader, read_position)?,
        missing: read_list(reader, limits, 1, read_record)?,
    })
}

pub(super) fn write_stop(writer: &mut Writer, stop: Stop) {
    writer.uint(match stop {
        Stop::WrongAccount => 0,
        Stop::Forgotten => 1,
    });
}

pub(super) fn read_stop(reader: &mut Reader<'_>) -> Result<Stop, DecodeError> {
    let unknown = reader.expected("a stop from 0 to 1");
    match reader.uint()? {
        0 => Ok(Stop::WrongAccount),
        1 => Ok(Stop::Forgotten),
        _ => Err(unknown),
    }
}

fn write_continuity(writer: &mut Writer, continuity: Continuity) {
    writer.uint(match continuity {
        Continuity::First => 0,
        Continuity::Intact => 1,
        Continuity::Unproven => 2,
        Continuity::Lost(ServerLoss::Emptied) => 3,
        Continuity::Lost(ServerLoss::RolledBack) => 4,
        Continuity::Lost(ServerLoss::Forked) => 5,
        Continuity::Lost(ServerLoss::Replaced) => 6,
        Continuity::Lost(ServerLoss::PartialLoss) => 7,
        Continuity::Behind => 8,
        Continuity::Stop(Stop::WrongAccount) => 9,
        Continuity::Stop(Stop::Forgotten) => 10,
    });
}

fn read_continuity(reader: &mut Reader<'_>) -> Result<Continuity, DecodeError> {
    let unknown = reader.expected("a continuity from 0 to 10");
    Ok(match reader.uint()? {
        0 => Continuity::First,
        1 => Continuity::Intact,
        2 => Continuity::Unproven,
        3 => Continuity::Lost(ServerLoss::Emptied),
        4 => Continuity::Lost(ServerLoss::RolledBack),
        5 => Continuity::Lost(ServerLoss::Forked),
        6 => Continuity::Lost(ServerLoss::Replaced),
        7 => Continuity::Lost(ServerLoss::PartialLoss),
        8 => Continuity::Behind,
        9 => Continuity::Stop(Stop::WrongAccount),
        10 => Continuity::Stop(Stop::Forgotten),
        _ => return Err(unknown),
    })
}
