//! A record in its envelope.

use alloc::{boxed::Box, collections::BTreeMap, sync::Arc, vec::Vec};
use core::ops::Range;

use super::{
    CHECK_ITEM_BYTES, DecodeError, DecodeLimits, Reader, Writer, header,
    stamp::{read_hints, write_hints},
    value,
};
use crate::values::{
    digest::Digest,
    dot_set::DotRange,
    record::Record,
    register::{Register, Sibling},
};

const CHECK: &str = "holdfast record";

/// An encoded record.
pub(crate) struct Encoded {
    /// The envelope.
    pub(crate) bytes: Arc<[u8]>,
    /// The version digest.
    pub(crate) digest: Digest,
    /// Where in `bytes` the values stand, field by field and sibling by sibling.
    pub(crate) values: Box<[Range<usize>]>,
}

/// Encodes a record. Total; values nested too deep must have been refused when they were authored, since decoding
/// refuses them.
pub(crate) fn encode(record: &Record) -> Encoded {
    let (body, values) = encode_body(record);
    let header = header::encode(record, digest_body(&body));
    let (envelope, start) = enclose(record, &header, &body);
    Encoded {
        bytes: envelope.finish_with_check(CHECK).into(),
        digest: digest(record, &header),
        values: moved(values, start),
    }
}

/// All of the envelope but its check, and where the body begins.
fn enclose(record: &Record, header: &[u8], body: &[u8]) -> (Writer, usize) {
    let mut envelope = Writer::with_room_for(header.len().saturating_add(body.len()).saturating_add(32));
    envelope.array(5);
    envelope.uint(1);
    envelope.bytes(header);
    envelope.bytes(body);
    let start = envelope.len().saturating_sub(body.len());
    write_hints(&mut envelope, &record.context, &record.superseded);
    (envelope, start)
}

fn moved(values: Vec<Range<usize>>, start: usize) -> Box<[Range<usize>]> {
    let moved = |value: Range<usize>| value.start.saturating_add(start)..value.end.saturating_add(start);
    values.into_iter().map(moved).collect()
}

/// Decodes a record and says how it is encoded, which is by the very bytes given.
///
/// # Errors
/// Any [`DecodeError`]. Limits and the check come first, so damaged bytes are not looked at further.
pub(crate) fn decode(bytes: &[u8], limits: &DecodeLimits) -> Result<(Record, Encoded), DecodeError> {
    limits.check_bytes(bytes.len())?;
    let mut envelope = Reader::open(bytes, CHECK, 5)?;
    let (head, body) = (envelope.bytes()?, envelope.bytes()?);
    let header = header::decode(head, limits)?;
    let superseded = read_hints(&mut envelope, &header.context)?;
    envelope.close()?;
    if header.body != digest_body(body) {
        return Err(DecodeError::Impossible { expected: "the body that the header names" });
    }
    let mut fields = BTreeMap::new();
    let mut values = Reader::new(body);
    for (name, stamps) in header.fields {
        let mut siblings = Vec::with_capacity(stamps.len());
        for stamp in stamps.iter() {
            siblings.push(Sibling { stamp: *stamp, value: value::read(&mut values)? });
        }
        fields.insert(name, Register::from_siblings(siblings));
    }
    values.end()?;
    let body_digest = header.body;
    let (context, fields_context, life) = (header.context, header.fields_context, header.life);
    let record = Record { context, fields_context, life, fields, superseded };
    check(&record)?;
    // The check and the body's digest are known to be right, so only what they are of is encoded again.
    let (same_body, values) = encode_body(&record);
    let same_head = header::encode(&record, body_digest);
    let (envelope, start) = enclose(&record, &same_head, &same_body);
    if bytes.strip_prefix(envelope.finish().as_slice()).is_none_or(|check| check.len() != CHECK_ITEM_BYTES) {
        return Err(DecodeError::NotCanonical);
    }
    let digest = digest(&record, &same_head);
    Ok((record, Encoded { bytes: bytes.into(), digest, values: moved(values, start) }))
}

/// Checks what every record promises of its dots.
///
/// # Errors
/// [`DecodeError::Impossible`].
pub(crate) fn check(record: &Record) -> Result<(), DecodeError> {
    let broken = |expected| Err(DecodeError::Impossible { expected });
    let is_seen = |range: DotRange| range.first > 0 && range.last <= record.context.get(range.replica);
    if !record.fields_context.iter().all(is_seen) {
        return broken("fields that have seen no more than their record");
    }
    if !record.life.siblings().iter().all(|sibling| record.context.covers(sibling.stamp.dot)) {
        return broken("a record that has seen its own creates and deletes");
    }
    let mut siblings = record.fields.values().flat_map(|register| register.siblings());
    if !siblings.all(|sibling| record.fields_context.covers(sibling.stamp.dot)) {
        return broken("a record that has seen its own fields");
    }
    Ok(())
}

fn encode_body(record: &Record) -> (Vec<u8>, Vec<Range<usize>>) {
    let mut body = Writer::with_room_for(record.fields.len().saturating_mul(32));
    let mut values = Vec::with_capacity(record.fields.len());
    for sibling in record.fields.values().flat_map(|register| register.siblings()) {
        let start = body.len();
        value::write(&mut body, &sibling.value);
        values.push(start..body.len());
    }
    (body.finish(), values)
}

fn digest_body(body: &[u8]) -> Digest {
    Digest::of("holdfast body", &[body])
}

/// The version digest: of the header; of a dead record that of its certificate, the header after a purge.
fn digest(record: &Record, header: &[u8]) -> Digest {
    let of = |header: &[u8]| Digest::of("holdfast version", &[header]);
    if record.is_alive() { of(header) } else { of(&header::encode(&record.purged(), digest_body(&[]))) }
}
