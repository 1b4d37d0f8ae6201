//! Which contents a record has had before, so that an old content is recognised as old.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::version_vector::Dot;

/// How many superseded contents a record remembers.
pub const MAX_SUPERSEDED: usize = 8;

/// The first 8 bytes of a digest of what a record *shows*: names and values, without dots.
///
/// It recognises; it does not prove. A chance match can only make the guard more careful.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ContentDigest(pub(crate) u64);

/// The last [`MAX_SUPERSEDED`] contents that a record no longer shows, each with the dot that covered it.
///
/// Local memory: outside the version digest and S1. It joins by union, keeping the greatest by (counter, replica), and
/// travels as a hint.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize)]
pub struct Superseded(Vec<(Dot, ContentDigest)>); // greatest (counter, replica) first, no repeats, at most MAX_SUPERSEDED

impl Superseded {
    /// Whether this content was shown before and no longer is.
    #[must_use]
    pub fn contains(&self, content: ContentDigest) -> bool {
        self.0.iter().any(|(_, old)| *old == content)
    }

    /// The entries, latest first.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (Dot, ContentDigest)> + '_ {
        self.0.iter().copied()
    }

    /// Whether nothing is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What either remembers.
    #[must_use]
    pub fn join(&self, other: &Self) -> Self {
        self.iter().chain(other.iter()).collect()
    }

    pub(crate) fn insert(&mut self, covered_by: Dot, content: ContentDigest) {
        *self = self.iter().chain([(covered_by, content)]).collect();
    }
}

impl FromIterator<(Dot, ContentDigest)> for Superseded {
    fn from_iter<I: IntoIterator<Item = (Dot, ContentDigest)>>(entries: I) -> Self {
        let mut entries: Vec<_> = entries.into_iter().collect();
        entries.sort_unstable_by_key(|(dot, content)| core::cmp::Reverse((dot.counter, dot.replica, *content)));
        entries.dedup();
        entries.truncate(MAX_SUPERSEDED);
        Self(entries)
    }
}
