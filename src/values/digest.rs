//! Digests: 128 bits of BLAKE3, with a domain for each use.

use core::fmt;

use serde::{Deserialize, Serialize};

/// The first 16 bytes of a BLAKE3 hash (O'Connor, Aumasson, Neves, Wilcox-O'Hearn, 2020).
///
/// Shown and parsed as 32 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "alloc::string::String", into = "alloc::string::String")]
pub struct Digest([u8; 16]);

/// Why a text is no digest. Nothing was made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected 32 hexadecimal digits, found {found} characters that are not; copy it whole")]
pub struct ParseDigestError {
    /// Characters found.
    found: usize,
}

impl Digest {
    /// The digest of `parts` in order, for one use; each part is prefixed by its length, so that no two lists collide.
    pub(crate) fn of(domain: &'static str, parts: &[&[u8]]) -> Self {
        Self::finish(blake3::Hasher::new(), domain, parts)
    }

    /// The same under a key: only who has it can make this digest, or tell it from another.
    pub(crate) fn keyed(key: &[u8; 32], domain: &'static str, parts: &[&[u8]]) -> Self {
        Self::finish(blake3::Hasher::new_keyed(key), domain, parts)
    }

    /// All 256 bits of the hash that [`of`](Self::of) takes the first half of.
    pub(crate) fn wide(domain: &'static str, parts: &[&[u8]]) -> [u8; 32] {
        *Self::hashed(blake3::Hasher::new(), domain, parts).finalize().as_bytes()
    }

    fn finish(hasher: blake3::Hasher, domain: &'static str, parts: &[&[u8]]) -> Self {
        let mut bytes = [0; 16];
        Self::hashed(hasher, domain, parts).finalize_xof().fill(&mut bytes);
        Self(bytes)
    }

    fn hashed(mut hasher: blake3::Hasher, domain: &'static str, parts: &[&[u8]]) -> blake3::Hasher {
        for part in core::iter::once(domain.as_bytes()).chain(parts.iter().copied()) {
            hasher.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_le_bytes());
            hasher.update(part);
        }
        hasher
    }

    /// From its bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// The first 8 bytes, as a number.
    pub(crate) fn short(self) -> u64 {
        let [a, b, c, d, e, f, g, h, ..] = self.0;
        u64::from_le_bytes([a, b, c, d, e, f, g, h])
    }
}

impl core::str::FromStr for Digest {
    type Err = ParseDigestError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = ParseDigestError { found: text.chars().count() };
        if text.len() != 32 || text.bytes().any(|b| !matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
            return Err(error);
        }
        u128::from_str_radix(text, 16).map(|bits| Self(bits.to_be_bytes())).map_err(|_| error)
    }
}

impl TryFrom<alloc::string::String> for Digest {
    type Error = ParseDigestError;
    fn try_from(text: alloc::string::String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Digest> for alloc::string::String {
    fn from(digest: Digest) -> Self {
        alloc::format!("{digest}")
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}
