//! A record in its envelope.

use alloc::{boxed::Box, collections::BTreeMap, vec::Vec};
use core::ops::Range;

use super::{
    DecodeError, DecodeLimits, Reader, Writer, header,
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
    pub(crate) bytes: Vec<u8>,
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
    let mut envelope = Writer::default();
    envelope.array(5);
    envelope.uint(1);
    envelope.bytes(&header);
    envelope.bytes(&body);
    let start = envelope.len().saturating_sub(body.len());
    let moved = |value: Range<usize>| value.start.saturating_add(start)..value.end.saturating_add(start);
    write_hints(&mut envelope, &record.context, &record.superseded);
    Encoded {
        bytes: envelope.finish_with_check(CHECK),
        digest: digest(record, &header),
        values: values.into_iter().map(moved).collect(),
    }
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
    let mut body = Reader::new(body);
    for (name, stamps) in header.fields {
        let siblings = stamps.into_iter().map(|stamp| Ok(Sibling { stamp, value: value::read(&mut body)? }));
        fields.insert(name, Register::from_siblings(siblings.collect::<Result<_, DecodeError>>()?));
    }
    body.end()?;
    let (context, fields_context, life) = (header.context, header.fields_context, header.life);
    let record = Record { context, fields_context, life, fields, superseded };
    check(&record)?;
    let encoded = encode(&record);
    if encoded.bytes == bytes { Ok((record, encoded)) } else { Err(DecodeError::NotCanonical) }
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
    let mut body = Writer::default();
    let mut values = Vec::new();
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
