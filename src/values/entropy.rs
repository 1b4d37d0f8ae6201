//! Chance, always given by the caller.

use core::fmt;

use super::digest::Digest;

/// 256 bits that the host drew from its operating system's random source for one call, and uses for nothing else.
///
/// A host that runs in cloned machines mixes in what tells them apart (a boot or generation id).
#[derive(Clone, PartialEq, Eq)]
pub struct Entropy([u8; 32]);

/// Why 256 bits are no entropy. Nothing was made of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EntropyError {
    /// A constant, or a repeated half.
    #[error("expected 256 random bits, found a pattern; nothing was changed; draw them from the operating system")]
    Pattern,
    /// They are an id or a digest of the very data that they are to name, so the next restore would draw them again.
    #[error(
        "expected 256 random bits, found bits of the data; nothing was changed; draw them from the operating system"
    )]
    Derived,
}

impl Entropy {
    /// Takes the host's bits.
    ///
    /// # Errors
    /// [`EntropyError::Pattern`]: no random source gives such bits.
    pub fn new(bits: [u8; 32]) -> Result<Self, EntropyError> {
        let (first, second) = bits.split_at(16);
        if first == second || first.windows(2).all(|pair| pair.first() == pair.last()) {
            return Err(EntropyError::Pattern);
        }
        Ok(Self(bits))
    }

    /// 128 bits for one use. Different uses, and things that they are of, draw independent ones.
    pub(crate) fn draw(&self, domain: &'static str, of: &[&[u8]]) -> u128 {
        u128::from_be_bytes(*Digest::keyed(&self.0, domain, of).as_bytes())
    }

    /// Whether one of `known`, which stand in the data, is part of these bits.
    pub(crate) fn is_derived_from<'k>(&self, mut known: impl Iterator<Item = &'k [u8; 16]>) -> bool {
        known.any(|known| self.0.windows(16).any(|window| window == known))
    }
}

impl fmt::Debug for Entropy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Entropy(..)")
    }
}
