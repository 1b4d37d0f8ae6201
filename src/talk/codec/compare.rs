//! Comparisons as CBOR: `method, what it says`, as two items.

use super::{
    error::FrameError,
    items::{read_digest, read_list, read_option, read_record, write_digest, write_list, write_option, write_record},
};
use crate::{
    decide::reconcile::BRANCHES,
    talk::{
        compare::{AskedRange, Comparison, Found, FoundPart, FoundRange},
        limits::WireLimits,
    },
    values::{
        codec::{DecodeError, Reader, Writer},
        digest::Digest,
        id::RecordId,
    },
};

const RANGES: u64 = 0;

pub(super) fn write_comparison(writer: &mut Writer, comparison: &Comparison) {
    let Comparison::Ranges(ranges) = comparison;
    writer.uint(RANGES);
    write_list(writer, 3, ranges, |writer, range| {
        write_option(writer, range.after.as_ref(), write_record);
        write_option(writer, range.until.as_ref(), write_record);
        write_digest(writer, &range.fingerprint);
    });
}

/// # Errors
/// [`FrameError::UnknownMethod`] before anything else of it is looked at, and [`FrameError::Decode`].
pub(super) fn read_comparison(reader: &mut Reader<'_>, limits: &WireLimits) -> Result<Comparison, FrameError> {
    read_method(reader)?;
    let range = |reader: &mut Reader<'_>| {
        let (after, until) = (read_option(reader, read_record)?, read_option(reader, read_record)?);
        Ok::<_, DecodeError>(AskedRange { after, until, fingerprint: read_digest(reader)? })
    };
    Ok(Comparison::Ranges(read_list(reader, limits, 3, range)?))
}

pub(super) fn write_found(writer: &mut Writer, found: &Found) {
    let Found::Ranges(ranges) = found;
    writer.uint(RANGES);
    write_list(writer, 1, ranges, write_range);
}

/// # Errors
/// As [`read_comparison`].
pub(super) fn read_found(reader: &mut Reader<'_>, limits: &WireLimits) -> Result<Found, FrameError> {
    read_method(reader)?;
    Ok(Found::Ranges(read_list(reader, limits, 1, |reader| read_range(reader, limits))?))
}

fn read_method(reader: &mut Reader<'_>) -> Result<(), FrameError> {
    match reader.uint()? {
        RANGES => Ok(()),
        method => Err(FrameError::UnknownMethod { method }),
    }
}

/// `[]` the same, `[records]`, or `[null, parts]`.
fn write_range(writer: &mut Writer, found: &FoundRange) {
    match found {
        FoundRange::Same => writer.array(0),
        FoundRange::Listed(records) => {
            writer.array(1);
            write_list(writer, 2, records, |writer, (record, told)| {
                write_record(writer, record);
                write_digest(writer, told);
            });
        }
        FoundRange::Parts(parts) => {
            writer.array(2);
            writer.null();
            write_list(writer, 2, parts, |writer, part| {
                write_option(writer, part.until.as_ref(), write_record);
                write_digest(writer, &part.fingerprint);
            });
        }
    }
}

fn read_range(reader: &mut Reader<'_>, limits: &WireLimits) -> Result<FoundRange, DecodeError> {
    let unknown = reader.expected("a range of 0 to 2 items");
    match reader.count()? {
        0 => Ok(FoundRange::Same),
        1 => Ok(FoundRange::Listed(read_list(reader, limits, 2, read_told)?)),
        2 => {
            reader.null()?;
            // However few items a list may have: a range can always be split.
            let parts = WireLimits { max_items: BRANCHES, ..*limits };
            Ok(FoundRange::Parts(read_list(reader, &parts, 2, read_part)?))
        }
        _ => Err(unknown),
    }
}

fn read_told(reader: &mut Reader<'_>) -> Result<(RecordId, Digest), DecodeError> {
    Ok((read_record(reader)?, read_digest(reader)?))
}

fn read_part(reader: &mut Reader<'_>) -> Result<FoundPart, DecodeError> {
    Ok(FoundPart { until: read_option(reader, read_record)?, fingerprint: read_digest(reader)? })
}

/// Checks a comparison that is to be sent against what a receiver will take.
pub(super) fn check_comparison(comparison: &Comparison, limits: &WireLimits) -> Result<(), DecodeError> {
    let Comparison::Ranges(ranges) = comparison;
    limits.check_items(ranges.len())
}

/// The same of what is said to it.
pub(super) fn check_found(found: &Found, limits: &WireLimits) -> Result<(), DecodeError> {
    let Found::Ranges(ranges) = found;
    limits.check_items(ranges.len())?;
    ranges.iter().try_for_each(|found| match found {
        FoundRange::Same => Ok(()),
        FoundRange::Listed(records) => limits.check_items(records.len()),
        FoundRange::Parts(parts) => WireLimits { max_items: BRANCHES, ..*limits }.check_items(parts.len()),
    })
}
