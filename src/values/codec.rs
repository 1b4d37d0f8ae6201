//! The one canonical encoding: deterministic CBOR (RFC 8949) in an envelope that ends in a check.
//!
//! A record is `[1, bstr header, bstr body, hints, bstr check]`:
//!
//! | part | content |
//! |------|---------|
//! | header | `[context, fields context, life, body digest, default stamp, names, filled, exceptions]`, embedded CBOR |
//! | body | the values in order, field by field and sibling by sibling |
//! | hints | the superseded contents: `replica, counter, content, replica, ..` |
//! | check | 8 bytes of a digest of all before |
//!
//! - `context`: `replica, counter, ..` by replica, each replica 16 bytes. Later on a replica is named by its index here.
//! - `fields context`: null where it equals the context, else one counter for each entry of it, 0 for unseen.
//! - `life`: `[[stamp, life], ..]`, the stamp null where it is the default stamp. A life is `true` (alive), the move id
//!   (created by a move), `false` (deleted) or `[move id, collection, record]` (moved away).
//! - `stamp`: `[replica, counter, cause, microseconds]`. The default stamp is the one that most fields have as their
//!   only sibling's, the least of several such, null if there is none.
//! - `names` of the fields, ascending; `filled`, one bit a field, the lowest bit first, set where a sibling's value is
//!   not empty; `exceptions`, `index, [stamp, ..], ..` for the fields that are not one sibling of the default stamp.
//!
//! A new record costs 75 bytes beside its names and values, 191 after eight overwrites of one field, of which 88 are
//! hints.
//!
//! Decoding is strict: what is accepted is byte for byte what encoding gives, so there is one encoding of one record.
//! Nothing is reserved by a declared count, and nesting is bounded by
//! [`MAX_VALUE_DEPTH`](super::value::MAX_VALUE_DEPTH), unknown kinds of value included.

mod content;
mod error;
mod header;
mod life;
pub(crate) mod record;
mod stamp;
#[cfg(test)]
mod tests;
mod value;
mod wire;

pub(crate) use content::{content_digest_of, edits_digest};
pub use error::DecodeError;
pub(crate) use header::{is_filled, read_names};
pub(crate) use life::{read_life, write_life};
pub(crate) use stamp::{read_cause, read_id, write_cause};
pub(crate) use value::{read as read_value, restore, write as write_value};
pub(crate) use wire::{CHECK_ITEM_BYTES, Reader, Writer};

/// What may come from outside, at most; each bound inclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DecodeLimits {
    /// Bytes of one encoded record or patch.
    pub max_bytes: usize,
    /// Fields of one record.
    pub max_fields: usize,
    /// Replicas that wrote one record.
    pub max_replicas: usize,
}

impl Default for DecodeLimits {
    /// 16 MiB, 10 000 fields, 10 000 replicas.
    fn default() -> Self {
        Self { max_bytes: 16 << 20, max_fields: 10_000, max_replicas: 10_000 }
    }
}

impl DecodeLimits {
    /// For bytes that this library has written itself.
    pub(crate) const NONE: Self = Self { max_bytes: usize::MAX, max_fields: usize::MAX, max_replicas: usize::MAX };

    /// # Errors
    /// [`DecodeError::TooMany`] for more than `max_bytes`.
    pub(crate) const fn check_bytes(&self, found: usize) -> Result<(), DecodeError> {
        at_most("bytes", self.max_bytes, found)
    }

    /// # Errors
    /// [`DecodeError::TooMany`] for more than `max_fields`.
    pub(crate) const fn check_fields(&self, found: usize) -> Result<(), DecodeError> {
        at_most("fields", self.max_fields, found)
    }

    /// # Errors
    /// [`DecodeError::TooMany`] for more than `max_replicas`.
    pub(crate) const fn check_replicas(&self, found: usize) -> Result<(), DecodeError> {
        at_most("replicas", self.max_replicas, found)
    }
}

const fn at_most(what: &'static str, limit: usize, found: usize) -> Result<(), DecodeError> {
    if found > limit { Err(DecodeError::TooMany { what, limit, found }) } else { Ok(()) }
}
