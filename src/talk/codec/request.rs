//! What a device asks, as CBOR: `[kind, collection, ..]`.

use super::{
    compare::{check_comparison, read_comparison, write_comparison},
    error::FrameError,
    history::{read_claim, read_cursor, read_revision, write_claim, write_cursor},
    items::{
        read_collection, read_digest, read_link, read_list, read_option, read_record, write_digest, write_link,
        write_list, write_option, write_record,
    },
    offers::{check_offer, read_offers, write_offers},
};
use crate::{
    decide::position::Tag,
    talk::{
        limits::WireLimits,
        message::{Greeting, Request, Window},
    },
    values::{
        codec::{DecodeError, Reader, Writer},
        id::CollectionId,
    },
};

/// Writes how many items the message has, its kind, and the collection.
fn head(writer: &mut Writer, items: usize, kind: u64, collection: &CollectionId) {
    writer.array(items);
    writer.uint(kind);
    writer.text(collection.as_str());
}

pub(super) fn write(writer: &mut Writer, request: &Request) {
    match request {
        Request::Greet { collection, accepted, at } => {
            head(writer, if at.is_some() { 5 } else { 3 }, 0, collection);
            writer.uint(*accepted);
            if let Some(Greeting { revision, tag }) = at {
                writer.uint(revision.0);
                write_digest(writer, &tag.0);
            }
        }
        Request::Prove { collection, claim } => {
            head(writer, 3, 1, collection);
            write_claim(writer, claim);
        }
        Request::Pull { collection, at, after, page_bytes, record_bytes, accepted } => {
            head(writer, 7, 2, collection);
            write_option(writer, at.as_ref(), write_at);
            write_cursor(writer, after);
            writer.uint(*page_bytes);
            writer.uint(*record_bytes);
            writer.uint(*accepted);
        }
        Request::Push { collection, at, links, is_first, is_last, offers } => {
            head(writer, 8, 3, collection);
            write_option(writer, at.as_ref(), write_at);
            write_list(writer, 1, links, write_link);
            writer.bool(*is_first);
            writer.bool(*is_last);
            write_offers(writer, offers);
        }
        Request::Fetch { collection, at, records, record_bytes, accepted } => {
            head(writer, 6, 4, collection);
            write_option(writer, at.as_ref(), write_at);
            write_list(writer, 1, records, write_record);
            writer.uint(*record_bytes);
            writer.uint(*accepted);
        }
        Request::Audit { collection, window, fingerprint } => {
            head(writer, 5, 5, collection);
            write_option(writer, window.after.as_ref(), write_record);
            write_option(writer, window.until.as_ref(), write_record);
            write_digest(writer, fingerprint);
        }
        Request::Reconcile { collection, at, holds } => {
            head(writer, 5, 6, collection);
            write_option(writer, at.as_ref(), write_at);
            write_comparison(writer, holds);
        }
    }
}

/// Reads what [`write`] wrote. That it has no item too many is seen by writing it again.
///
/// # Errors
/// [`FrameError::UnknownKind`] before anything else of the message is looked at, and [`FrameError::Decode`].
pub(super) fn read(reader: &mut Reader<'_>, limits: &WireLimits) -> Result<Request, FrameError> {
    let items = reader.count()?;
    let kind = reader.uint()?;
    if kind > 6 {
        return Err(FrameError::UnknownKind { kind });
    }
    let collection = read_collection(reader)?;
    Ok(match kind {
        0 => Request::Greet { collection, accepted: reader.uint()?, at: read_greeting(reader, items)? },
        1 => Request::Prove { collection, claim: read_claim(reader, limits)? },
        2 => Request::Pull {
            collection,
            at: read_option(reader, read_at)?,
            after: read_cursor(reader)?,
            page_bytes: reader.uint()?,
            record_bytes: reader.uint()?,
            accepted: reader.uint()?,
        },
        3 => Request::Push {
            collection,
            at: read_option(reader, read_at)?,
            links: read_list(reader, limits, 1, read_link)?,
            is_first: reader.bool()?,
            is_last: reader.bool()?,
            offers: read_offers(reader, limits)?,
        },
        4 => Request::Fetch {
            collection,
            at: read_option(reader, read_at)?,
            records: read_list(reader, limits, 1, read_record)?,
            record_bytes: reader.uint()?,
            accepted: reader.uint()?,
        },
        5 => Request::Audit {
            collection,
            window: Window { after: read_option(reader, read_record)?, until: read_option(reader, read_record)? },
            fingerprint: read_digest(reader)?,
        },
        _ => Request::Reconcile {
            collection,
            at: read_option(reader, read_at)?,
            holds: read_comparison(reader, limits)?,
        },
    })
}

fn write_at(writer: &mut Writer, at: &Greeting) {
    writer.array(2);
    writer.uint(at.revision.0);
    write_digest(writer, &at.tag.0);
}

fn read_at(reader: &mut Reader<'_>) -> Result<Greeting, DecodeError> {
    reader.tuple(2)?;
    Ok(Greeting { revision: read_revision(reader)?, tag: Tag(read_digest(reader)?) })
}

fn read_greeting(reader: &mut Reader<'_>, items: usize) -> Result<Option<Greeting>, DecodeError> {
    if items == 3 {
        return Ok(None);
    }
    Ok(Some(Greeting { revision: read_revision(reader)?, tag: Tag(read_digest(reader)?) }))
}

/// Checks a message that is to be sent against what a receiver will take.
pub(super) fn check(request: &Request, limits: &WireLimits) -> Result<(), DecodeError> {
    match request {
        Request::Greet { .. } | Request::Pull { .. } | Request::Audit { .. } => Ok(()),
        Request::Prove { claim, .. } => limits.check_items(claim.older.len().max(claim.missing.len())),
        Request::Fetch { records, .. } => limits.check_items(records.len()),
        Request::Reconcile { holds, .. } => check_comparison(holds, limits),
        Request::Push { offers, links, .. } => {
            limits.check_items(offers.len().max(links.len()))?;
            offers.iter().try_for_each(|offer| check_offer(offer, limits))
        }
    }
}
