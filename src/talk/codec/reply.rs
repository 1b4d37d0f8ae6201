//! What a server says, as CBOR: `[kind, ..]`.

use super::{
    compare::{check_found, read_found, write_found},
    error::FrameError,
    history::{
        read_cursor, read_issued, read_judgement, read_revision, read_stop, write_cursor, write_issued,
        write_judgement, write_stop,
    },
    items::{
        read_digest, read_link, read_list, read_option, read_record, read_u32, write_digest, write_link, write_list,
        write_option, write_record,
    },
    offers::{check_offer, read_offers, write_offers},
};
use crate::{
    decide::{line::OpenHold, position::Tag, refusal::Refusal},
    talk::{
        limits::WireLimits,
        message::{Audited, Recognition, Refused, Reply, Taken},
    },
    values::{
        codec::{self, DecodeError, Reader, Writer},
        id::FieldName,
    },
};

/// Writes how many items the message has, and its kind.
fn head(writer: &mut Writer, items: usize, kind: u64) {
    writer.array(items);
    writer.uint(kind);
}

pub(super) fn write(writer: &mut Writer, reply: &Reply) {
    match reply {
        Reply::Welcome { recognition, accepted, hold } => {
            head(writer, if hold.is_some() { 4 } else { 2_usize.saturating_add(accepted.iter().len()) }, 0);
            write_recognition(writer, *recognition);
            match (accepted, hold) {
                (None, None) => {}
                (Some(link), None) => write_link(writer, link),
                (accepted, Some(hold)) => {
                    write_option(writer, accepted.as_ref(), write_link);
                    write_hold(writer, hold);
                }
            }
        }
        Reply::Judged { judgement, now } => {
            head(writer, 3, 1);
            write_judgement(writer, judgement);
            write_option(writer, now.as_ref(), write_issued);
        }
        Reply::Page { offers, next, is_more, now, accepted, hold } => {
            head(writer, 8, 2);
            write_offers(writer, offers);
            write_cursor(writer, next);
            writer.bool(*is_more);
            write_option(writer, now.as_ref(), write_issued);
            write_option(writer, accepted.as_ref(), write_link);
            write_option(writer, hold.as_ref(), write_hold);
        }
        Reply::Taken { before, now, except, staged, hold } => {
            head(writer, 6, 3);
            writer.uint(before.0);
            write_issued(writer, now);
            write_list(writer, 2, except, |writer, (place, taken)| {
                writer.uint(u64::from(*place));
                write_taken(writer, taken);
            });
            write_list(writer, 2, staged, |writer, (record, taken)| {
                write_record(writer, record);
                write_taken(writer, taken);
            });
            write_option(writer, hold.as_ref(), write_hold);
        }
        Reply::Whole { offers, now, accepted } => {
            head(writer, 5, 4);
            write_offers(writer, offers);
            write_option(writer, now.as_ref(), write_issued);
            write_option(writer, accepted.as_ref(), write_link);
        }
        Reply::Audited(audited) => write_audited(writer, audited),
        Reply::Refused(refused) => write_refused(writer, *refused),
        Reply::Reconciled { found, now } => {
            head(writer, 4, 7);
            write_found(writer, found);
            write_option(writer, now.as_ref(), write_issued);
        }
    }
}

/// Reads what [`write`] wrote. That it has no item too many is seen by writing it again.
///
/// # Errors
/// [`FrameError::UnknownKind`] before anything else of the message is looked at, and [`FrameError::Decode`].
pub(super) fn read(reader: &mut Reader<'_>, limits: &WireLimits) -> Result<Reply, FrameError> {
    let items = reader.count()?;
    Ok(match reader.uint()? {
        0 => Reply::Welcome {
            recognition: read_recognition(reader)?,
            accepted: if items == 2 { None } else { read_option(reader, read_link)? },
            hold: if items == 4 { Some(read_hold(reader)?) } else { None },
        },
        1 => Reply::Judged { judgement: read_judgement(reader, limits)?, now: read_option(reader, read_issued)? },
        2 => Reply::Page {
            offers: read_offers(reader, limits)?,
            next: read_cursor(reader)?,
            is_more: reader.bool()?,
            now: read_option(reader, read_issued)?,
            accepted: read_option(reader, read_link)?,
            hold: read_option(reader, read_hold)?,
        },
        3 => Reply::Taken {
            before: read_revision(reader)?,
            now: read_issued(reader)?,
            except: read_list(reader, limits, 2, |reader| {
                Ok::<_, DecodeError>((read_u32(reader)?, read_taken(reader)?))
            })?,
            staged: read_list(reader, limits, 2, |reader| {
                Ok::<_, DecodeError>((read_record(reader)?, read_taken(reader)?))
            })?,
            hold: read_option(reader, read_hold)?,
        },
        4 => Reply::Whole {
            offers: read_offers(reader, limits)?,
            now: read_option(reader, read_issued)?,
            accepted: read_option(reader, read_link)?,
        },
        5 => Reply::Audited(read_audited(reader, limits)?),
        6 => Reply::Refused(read_refused(reader)?),
        7 => Reply::Reconciled { found: read_found(reader, limits)?, now: read_option(reader, read_issued)? },
        kind => return Err(FrameError::UnknownKind { kind }),
    })
}

/// Checks a message that is to be sent against what a receiver will take.
pub(super) fn check(reply: &Reply, limits: &WireLimits) -> Result<(), DecodeError> {
    match reply {
        Reply::Welcome { .. } | Reply::Refused(_) | Reply::Audited(Audited::Same | Audited::TooMany) => Ok(()),
        Reply::Judged { judgement, .. } => limits.check_items(judgement.missing.len()),
        Reply::Taken { except, staged, .. } => limits.check_items(except.len().max(staged.len())),
        Reply::Reconciled { found, .. } => check_found(found, limits),
        Reply::Audited(Audited::Found(records)) => limits.check_items(records.len()),
        Reply::Page { offers, .. } | Reply::Whole { offers, .. } => {
            limits.check_items(offers.len())?;
            offers.iter().try_for_each(|offer| check_offer(offer, limits))
        }
    }
}

fn write_recognition(writer: &mut Writer, recognition: Recognition) {
    writer.uint(match recognition {
        Recognition::Same => 0,
        Recognition::News => 1,
        Recognition::First => 2,
        Recognition::Prove => 3,
    });
}

fn read_recognition(reader: &mut Reader<'_>) -> Result<Recognition, DecodeError> {
    let unknown = reader.expected("a recognition from 0 to 3");
    match reader.uint()? {
        0 => Ok(Recognition::Same),
        1 => Ok(Recognition::News),
        2 => Ok(Recognition::First),
        3 => Ok(Recognition::Prove),
        _ => Err(unknown),
    }
}

/// `[digest, lines]`.
fn write_hold(writer: &mut Writer, hold: &OpenHold) {
    writer.array(2);
    write_digest(writer, &hold.digest);
    writer.uint(hold.open);
}

fn read_hold(reader: &mut Reader<'_>) -> Result<OpenHold, DecodeError> {
    reader.tuple(2)?;
    Ok(OpenHold { digest: read_digest(reader)?, open: reader.uint()? })
}

/// A number, a tag, or the list that is a refusal.
fn write_taken(writer: &mut Writer, taken: &Taken) {
    match taken {
        Taken::Stored => writer.uint(0),
        Taken::Deleted(tag) => write_digest(writer, &tag.0),
        Taken::Merged => writer.uint(1),
        Taken::Held => writer.uint(2),
        Taken::Staged => writer.uint(3),
        Taken::NeedWhole => writer.uint(4),
        Taken::Refused(refusal) => write_refusal(writer, refusal),
    }
}

fn read_taken(reader: &mut Reader<'_>) -> Result<Taken, DecodeError> {
    if reader.kind()? == minicbor::data::Type::Array {
        return read_refusal(reader).map(Taken::Refused);
    }
    if reader.kind()? == minicbor::data::Type::Bytes {
        return read_digest(reader).map(|digest| Taken::Deleted(Tag(digest)));
    }
    let unknown = reader.expected("what became of a record, from 0 to 4, a tag or a list");
    match reader.uint()? {
        0 => Ok(Taken::Stored),
        1 => Ok(Taken::Merged),
        2 => Ok(Taken::Held),
        3 => Ok(Taken::Staged),
        4 => Ok(Taken::NeedWhole),
        _ => Err(unknown),
    }
}

fn write_refusal(writer: &mut Writer, refusal: &Refusal) {
    match refusal {
        Refusal::Equivocation { ours: one, theirs: other } | Refusal::ChangedSince { expected: one, found: other } => {
            head(writer, 3, u64::from(matches!(refusal, Refusal::ChangedSince { .. })));
            write_digest(writer, one);
            write_digest(writer, other);
        }
        Refusal::Unreadable => head(writer, 1, 2),
        Refusal::ListedTwice => head(writer, 1, 3),
        Refusal::NeverShown => head(writer, 1, 4),
        Refusal::TooDeep { field } => {
            head(writer, 2, 5);
            writer.text(field.as_str());
        }
        Refusal::Held => head(writer, 1, 6),
        Refusal::ForeignDots { replica, found, held } => {
            head(writer, 4, 7);
            writer.bytes(replica.as_bytes());
            writer.uint(*found);
            writer.uint(*held);
        }
        Refusal::CounterAhead { replica, limit, found } => {
            head(writer, 4, 8);
            writer.bytes(replica.as_bytes());
            writer.uint(*limit);
            writer.uint(*found);
        }
        Refusal::Forged { replica, counter } => {
            head(writer, 3, 9);
            writer.bytes(replica.as_bytes());
            writer.uint(*counter);
        }
        Refusal::TooLarge { limit, found } => {
            head(writer, 3, 10);
            writer.uint(*limit);
            writer.uint(*found);
        }
    }
}

fn read_refusal(reader: &mut Reader<'_>) -> Result<Refusal, DecodeError> {
    reader.count()?;
    let unknown = reader.expected("a refusal from 0 to 10, its field a name of 1 to 255 bytes");
    Ok(match reader.uint()? {
        0 => Refusal::Equivocation { ours: read_digest(reader)?, theirs: read_digest(reader)? },
        1 => Refusal::ChangedSince { expected: read_digest(reader)?, found: read_digest(reader)? },
        2 => Refusal::Unreadable,
        3 => Refusal::ListedTwice,
        4 => Refusal::NeverShown,
        5 => Refusal::TooDeep { field: FieldName::new(reader.text()?).map_err(|_| unknown)? },
        6 => Refusal::Held,
        7 => Refusal::ForeignDots { replica: codec::read_id(reader)?, found: reader.uint()?, held: reader.uint()? },
        8 => Refusal::CounterAhead { replica: codec::read_id(reader)?, limit: reader.uint()?, found: reader.uint()? },
        9 => Refusal::Forged { replica: codec::read_id(reader)?, counter: reader.uint()? },
        10 => Refusal::TooLarge { limit: reader.uint()?, found: reader.uint()? },
        _ => return Err(unknown),
    })
}

fn write_audited(writer: &mut Writer, audited: &Audited) {
    head(writer, if matches!(audited, Audited::Found(_)) { 3 } else { 2 }, 5);
    match audited {
        Audited::Same => writer.uint(0),
        Audited::TooMany => writer.uint(1),
        Audited::Found(records) => {
            writer.uint(2);
            write_list(writer, 2, records, |writer, (record, version)| {
                write_record(writer, record);
                write_digest(writer, version);
            });
        }
    }
}

fn read_audited(reader: &mut Reader<'_>, limits: &WireLimits) -> Result<Audited, DecodeError> {
    let unknown = reader.expected("what an audit found, from 0 to 2");
    match reader.uint()? {
        0 => Ok(Audited::Same),
        1 => Ok(Audited::TooMany),
        2 => Ok(Audited::Found(read_list(reader, limits, 2, |reader| {
            Ok::<_, DecodeError>((read_record(reader)?, read_digest(reader)?))
        })?)),
        _ => Err(unknown),
    }
}

fn write_refused(writer: &mut Writer, refused: Refused) {
    let items = match refused {
        Refused::Forbidden | Refused::Renewed | Refused::ReadOnly | Refused::Malformed => 2,
        Refused::Stop(_)
        | Refused::Unavailable { .. }
        | Refused::UnknownKind { .. }
        | Refused::ReplicaConflict { .. }
        | Refused::UnknownMethod { .. } => 3,
        Refused::Version { .. } => 4,
    };
    head(writer, items, 6);
    match refused {
        Refused::Stop(stop) => {
            writer.uint(0);
            write_stop(writer, stop);
        }
        Refused::Forbidden => writer.uint(1),
        Refused::Unavailable { retry_after_seconds } => {
            writer.uint(2);
            writer.uint(u64::from(retry_after_seconds));
        }
        Refused::Renewed => writer.uint(3),
        Refused::ReadOnly => writer.uint(4),
        Refused::Malformed => writer.uint(5),
        Refused::Version { least, greatest } => [6, least, greatest].into_iter().for_each(|number| writer.uint(number)),
        Refused::UnknownKind { kind } => [7, kind].into_iter().for_each(|number| writer.uint(number)),
        Refused::ReplicaConflict { accepted } => {
            writer.uint(8);
            write_link(writer, &accepted);
        }
        Refused::UnknownMethod { method } => [9, method].into_iter().for_each(|number| writer.uint(number)),
    }
}

fn read_refused(reader: &mut Reader<'_>) -> Result<Refused, DecodeError> {
    let unknown = reader.expected("why a request was not served, from 0 to 9");
    Ok(match reader.uint()? {
        0 => Refused::Stop(read_stop(reader)?),
        1 => Refused::Forbidden,
        2 => Refused::Unavailable { retry_after_seconds: read_u32(reader)? },
        3 => Refused::Renewed,
        4 => Refused::ReadOnly,
        5 => Refused::Malformed,
        6 => Refused::Version { least: reader.uint()?, greatest: reader.uint()? },
        7 => Refused::UnknownKind { kind: reader.uint()? },
        8 => Refused::ReplicaConflict { accepted: read_link(reader)? },
        9 => Refused::UnknownMethod { method: reader.uint()? },
        _ => return Err(unknown),
    })
}
