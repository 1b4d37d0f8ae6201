//! Dots and version vectors: who has seen which writes.
//!
//! A version vector is what many call a vector clock. Sources: D. S. Parker et al., "Detection of Mutual Inconsistency
//! in Distributed Systems", 1983; dots after Preguiça et al., "Dotted Version Vectors", 2010.

use alloc::vec::Vec;
use core::{cmp::Ordering, fmt};

use serde::{Deserialize, Serialize};

use super::id::ReplicaId;

/// The name of one write: the replica that made it and its running number there, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Dot {
    /// Who wrote.
    pub replica: ReplicaId,
    /// Which write of that replica, from 1.
    pub counter: u64,
}

/// How two versions relate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Causality {
    /// Both have seen the same writes.
    Equal,
    /// The left has seen less than the right.
    Before,
    /// The left has seen more than the right.
    After,
    /// Each has seen something that the other has not.
    Concurrent,
}

impl Causality {
    /// The relation of pairs that relate so in each part.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Equal, same) | (same, Self::Equal) => same,
            (Self::Before, Self::Before) => Self::Before,
            (Self::After, Self::After) => Self::After,
            (Self::Before, Self::After | Self::Concurrent)
            | (Self::After, Self::Before | Self::Concurrent)
            | (Self::Concurrent, _) => Self::Concurrent,
        }
    }
}

/// Per replica, the highest counter seen, *inclusive*; a replica not named has been seen up to 0.
///
/// [`join`](Self::join) is commutative, associative, idempotent and monotone.
///
/// ```
/// use holdfast::values::{id::ReplicaId, version_vector::{Causality, Dot, VersionVector}};
/// let [a, b] = [1, 2].map(|n| ReplicaId::from_entropy(n).unwrap());
/// let left = VersionVector::from_iter([Dot { replica: a, counter: 2 }]);
/// let right = VersionVector::from_iter([Dot { replica: a, counter: 1 }, Dot { replica: b, counter: 1 }]);
/// assert_eq!(left.compare(&right), Causality::Concurrent);
/// assert_eq!(left.compare(&left.join(&right)), Causality::Before);
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(from = "Vec<Dot>", into = "Vec<Dot>")]
pub struct VersionVector(Vec<Dot>); // sorted by replica, one entry each, no counter 0

impl VersionVector {
    /// Has seen nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Raises the entry of the dot's replica to at least its counter. Counter 0 changes nothing.
    pub fn insert(&mut self, dot: Dot) {
        if dot.counter == 0 {
            return;
        }
        match self.0.binary_search_by_key(&dot.replica, |entry| entry.replica) {
            Ok(at) => {
                if let Some(entry) = self.0.get_mut(at) {
                    entry.counter = entry.counter.max(dot.counter);
                }
            }
            Err(at) => self.0.insert(at, dot),
        }
    }

    /// The least vector that has seen what either has.
    #[must_use]
    pub fn join(&self, other: &Self) -> Self {
        let mut joined = Vec::with_capacity(self.0.len().max(other.0.len()));
        joined.extend(self.pairs(other).map(|(replica, left, right)| Dot { replica, counter: left.max(right) }));
        Self(joined)
    }

    /// The highest counter seen of `replica`, 0 if none.
    #[must_use]
    pub fn get(&self, replica: ReplicaId) -> u64 {
        self.0
            .binary_search_by_key(&replica, |entry| entry.replica)
            .ok()
            .and_then(|at| self.0.get(at))
            .map_or(0, |entry| entry.counter)
    }

    /// Whether this write has been seen.
    #[must_use]
    pub fn covers(&self, dot: Dot) -> bool {
        self.get(dot.replica) >= dot.counter
    }

    /// Whether all that `other` has seen has been seen here.
    #[must_use]
    pub fn covers_all(&self, other: &Self) -> bool {
        matches!(self.compare(other), Causality::Equal | Causality::After)
    }

    /// How this vector relates to `other`.
    #[must_use]
    pub fn compare(&self, other: &Self) -> Causality {
        self.pairs(other).fold(Causality::Equal, |so_far, (_, left, right)| {
            so_far.and(match left.cmp(&right) {
                Ordering::Equal => Causality::Equal,
                Ordering::Less => Causality::Before,
                Ordering::Greater => Causality::After,
            })
        })
    }

    /// The entries, by replica, each the highest dot seen of it.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Dot> + '_ {
        self.0.iter().copied()
    }

    /// Where `replica` stands among the entries.
    pub(crate) fn index_of(&self, replica: ReplicaId) -> Option<usize> {
        self.0.binary_search_by_key(&replica, |entry| entry.replica).ok()
    }

    /// The entry at `index`, in order of replica.
    pub(crate) fn at(&self, index: usize) -> Option<Dot> {
        self.0.get(index).copied()
    }

    /// Whether nothing has been seen.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Both vectors side by side, in order of replica.
    fn pairs<'a>(&'a self, other: &'a Self) -> impl Iterator<Item = (ReplicaId, u64, u64)> + 'a {
        let mut left = self.0.iter().peekable();
        let mut right = other.0.iter().peekable();
        core::iter::from_fn(move || {
            let order = match (left.peek(), right.peek()) {
                (None, None) => return None,
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(l), Some(r)) => l.replica.cmp(&r.replica),
            };
            match order {
                Ordering::Less => left.next().map(|l| (l.replica, l.counter, 0)),
                Ordering::Greater => right.next().map(|r| (r.replica, 0, r.counter)),
                Ordering::Equal => left.next().zip(right.next()).map(|(l, r)| (l.replica, l.counter, r.counter)),
            }
        })
    }
}

impl FromIterator<Dot> for VersionVector {
    fn from_iter<I: IntoIterator<Item = Dot>>(dots: I) -> Self {
        let mut vector = Self::new();
        dots.into_iter().for_each(|dot| vector.insert(dot));
        vector
    }
}

impl From<Vec<Dot>> for VersionVector {
    fn from(dots: Vec<Dot>) -> Self {
        dots.into_iter().collect()
    }
}

impl From<VersionVector> for Vec<Dot> {
    fn from(vector: VersionVector) -> Self {
        vector.0
    }
}

impl fmt::Debug for VersionVector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.0.iter().map(|dot| (dot.replica, dot.counter))).finish()
    }
}
