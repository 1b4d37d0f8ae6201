//! The file: a head of [`HEAD_BYTES`], the index, the body.
//!
//! | bytes | what |
//! |---|---|
//! | 8 | [`MAGIC`] |
//! | 4 | version |
//! | 4 | the first bytes of the digest of all that is above |
//! | 8 | when the file was created, in nanoseconds since 1970; 0 if the file system does not know |
//! | 8, 8 | lengths of the index and of the body |
//! | 32, 32 | digests of the index and of the body |
//! | 32 | the digest of all that is above |
//!
//! Numbers are little-endian, digests are BLAKE3. Up to the first digest the head is the same in all versions, so that
//! a newer one is never taken for a damaged one, nor a damaged one for a newer.

use std::{fs::Metadata, io::Read, path::Path, time::UNIX_EPOCH};

use super::error::{BookError, Damage, Part};

/// The file, in its directory.
pub(crate) const BOOK: &str = "book";
pub(crate) const VERSION: u32 = 3;
pub(crate) const HEAD_BYTES: usize = 136;
const MAGIC: [u8; 8] = *b"HFBOOK\r\n";

/// What the head says about a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Extent {
    pub(super) bytes: u64,
    pub(super) digest: [u8; 32],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    /// See [`born_nanos`].
    pub(super) born_nanos: u64,
    pub(super) index: Extent,
    pub(super) body: Extent,
}

impl Head {
    pub(super) fn to_bytes(self) -> Vec<u8> {
        let mut head = Vec::with_capacity(HEAD_BYTES);
        head.extend(MAGIC);
        head.extend(VERSION.to_le_bytes());
        head.extend(short_digest(&head));
        head.extend(self.born_nanos.to_le_bytes());
        head.extend(self.index.bytes.to_le_bytes());
        head.extend(self.body.bytes.to_le_bytes());
        head.extend(self.index.digest);
        head.extend(self.body.digest);
        head.extend(digest(&head));
        head
    }

    /// Reads the head of a file of `length` bytes. What it says is what was written, and is within the file.
    pub(super) fn read(file: &mut impl Read, at: &Path, length: u64) -> Result<Self, BookError> {
        let mut bytes = Vec::with_capacity(HEAD_BYTES);
        let limit = u64::try_from(HEAD_BYTES).unwrap_or(u64::MAX);
        file.take(limit)
            .read_to_end(&mut bytes)
            .map_err(|source| BookError::Unreadable { at: at.to_owned(), source })?;
        let damaged = |damage| BookError::damaged(at, damage);
        let mut cursor = bytes.as_slice();
        let too_short = || damaged(Damage::Length { expected: limit, found: length });
        if take::<8>(&mut cursor).ok_or_else(too_short)? != MAGIC {
            return Err(damaged(Damage::NotABook));
        }
        let version = u32::from_le_bytes(take(&mut cursor).ok_or_else(too_short)?);
        let digested = before(&bytes, cursor);
        if take::<4>(&mut cursor).ok_or_else(too_short)? != short_digest(digested) {
            return Err(damaged(Damage::Digest { part: Part::Head }));
        }
        match version {
            VERSION => {}
            newer if newer > VERSION => return Err(BookError::Newer { at: at.to_owned(), found: newer }),
            _ => return Err(damaged(Damage::Content { part: Part::Head })),
        }
        let head = Self::read_extents(&mut cursor).ok_or_else(too_short)?;
        let digested = before(&bytes, cursor);
        if take::<32>(&mut cursor).ok_or_else(too_short)? != digest(digested) {
            return Err(damaged(Damage::Digest { part: Part::Head }));
        }
        let expected = limit.saturating_add(head.index.bytes).saturating_add(head.body.bytes);
        if expected != length {
            return Err(damaged(Damage::Length { expected, found: length }));
        }
        Ok(head)
    }

    fn read_extents(cursor: &mut &[u8]) -> Option<Self> {
        let born_nanos = u64::from_le_bytes(take(cursor)?);
        let [index_bytes, body_bytes] = [u64::from_le_bytes(take(cursor)?), u64::from_le_bytes(take(cursor)?)];
        Some(Self {
            born_nanos,
            index: Extent { bytes: index_bytes, digest: take(cursor)? },
            body: Extent { bytes: body_bytes, digest: take(cursor)? },
        })
    }
}

/// When a file was created. A copy is another file, and nobody can say that it was created earlier: bookkeeping that was
/// restored is told from that which was written here.
pub(super) fn born_nanos(file: &Metadata) -> u64 {
    let since = file.created().ok().and_then(|born| born.duration_since(UNIX_EPOCH).ok());
    since.and_then(|since| u64::try_from(since.as_nanos()).ok()).unwrap_or(0)
}

fn take<const N: usize>(cursor: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, rest) = cursor.split_first_chunk()?;
    *cursor = rest;
    Some(*taken)
}

/// What of `all` is before its end `rest`.
fn before<'a>(all: &'a [u8], rest: &[u8]) -> &'a [u8] {
    all.get(..all.len().saturating_sub(rest.len())).unwrap_or_default()
}

pub(super) fn digest(bytes: &[u8]) -> [u8; 32] {
    *blake3::hash(bytes).as_bytes()
}

fn short_digest(bytes: &[u8]) -> [u8; 4] {
    let [a, b, c, d, ..] = digest(bytes);
    [a, b, c, d]
}
