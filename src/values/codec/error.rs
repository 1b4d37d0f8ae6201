//! Why bytes are refused.

use crate::values::value::MAX_VALUE_DEPTH;

/// Why bytes from outside are no record, patch or value. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// More than [`DecodeLimits`](super::DecodeLimits) allows.
    #[error("expected at most {limit} {what}, found {found}; nothing was changed. Raise the limit, or send less")]
    TooMany {
        /// What was counted.
        what: &'static str,
        /// The limit, inclusive.
        limit: usize,
        /// How many were found or declared.
        found: usize,
    },
    /// A format that this version of the library does not know.
    #[error("expected format 1, found format {found}; nothing was changed. Update the app to read it")]
    UnknownFormat {
        /// The format found.
        found: u64,
    },
    /// The check does not agree with the bytes: they were damaged or cut off.
    #[error("expected the check of the bytes before it, found another; nothing was changed. Fetch them again")]
    Damaged,
    /// Something else stands where one kind of item must stand, or the bytes end there.
    #[error(
        "expected {expected} at byte {at}, found something else; nothing was changed. Fetch them again, or mend who wrote them"
    )]
    Malformed {
        /// What must stand there.
        expected: &'static str,
        /// Where, counted from the start of the item that holds it.
        at: usize,
    },
    /// Lists, maps and tags nested too deep.
    #[error(
        "expected values nested at most {MAX_VALUE_DEPTH} deep, found a deeper one; nothing was changed. Mend who wrote it"
    )]
    TooDeep,
    /// The items are well formed, but no replica can have come to hold them.
    #[error("expected {expected}, found a record that breaks this; nothing was changed. Mend who wrote it")]
    Impossible {
        /// The broken invariant.
        expected: &'static str,
    },
    /// The content is encoded in another way than the canonical one.
    #[error(
        "expected the canonical encoding, found another of the same content; nothing was changed. Mend who wrote it"
    )]
    NotCanonical,
}
