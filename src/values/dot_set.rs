//! Sets of dots with gaps: what a record has seen of its fields.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::{
    id::ReplicaId,
    version_vector::{Causality, Dot, VersionVector},
};

/// What covers dots: something that has seen them.
pub(crate) trait Covers {
    /// Whether this write has been seen.
    fn covers(&self, dot: Dot) -> bool;
}

impl Covers for VersionVector {
    fn covers(&self, dot: Dot) -> bool {
        self.covers(dot)
    }
}

impl Covers for DotSet {
    fn covers(&self, dot: Dot) -> bool {
        self.covers(dot)
    }
}

/// The dots of one replica from one counter to another, both inclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct DotRange {
    /// Who wrote.
    pub replica: ReplicaId,
    /// The first write, from 1.
    pub first: u64,
    /// The last write, at least `first`.
    pub last: u64,
}

/// A set of dots, as the fewest ranges, ascending.
///
/// A version vector can not say "the ninth write, but not the second": after a purge a record has forgotten what its
/// older writes covered, and a replica that then writes again must not seem to know. [`join`](Self::join) is set union.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize)]
pub struct DotSet(Vec<DotRange>); // ascending, no two of one replica touch

impl DotSet {
    /// Has seen nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Adds a range. One that ends before it begins, or begins at 0, changes nothing.
    pub fn insert(&mut self, range: DotRange) {
        if range.first > 0 && range.first <= range.last {
            *self = self.iter().chain([range]).collect();
        }
    }

    /// What either has seen.
    #[must_use]
    pub fn join(&self, other: &Self) -> Self {
        if self == other { self.clone() } else { self.iter().chain(other.iter()).collect() }
    }

    /// Whether this write has been seen.
    #[must_use]
    pub fn covers(&self, dot: Dot) -> bool {
        self.covers_range(DotRange { replica: dot.replica, first: dot.counter, last: dot.counter })
    }

    /// How this set relates to `other`.
    #[must_use]
    pub fn compare(&self, other: &Self) -> Causality {
        let covers = |one: &Self, all: &Self| all.iter().all(|range| one.covers_range(range));
        match (covers(self, other), covers(other, self)) {
            (true, true) => Causality::Equal,
            (true, false) => Causality::After,
            (false, true) => Causality::Before,
            (false, false) => Causality::Concurrent,
        }
    }

    /// Whether it is exactly what `vector` has seen.
    #[must_use]
    pub fn is_all_of(&self, vector: &VersionVector) -> bool {
        self.0.len() == vector.iter().len() && self.iter().zip(vector.iter()).all(|(range, dot)| range == whole(dot))
    }

    /// The ranges, ascending.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = DotRange> + '_ {
        self.0.iter().copied()
    }

    /// Whether nothing has been seen.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn covers_range(&self, range: DotRange) -> bool {
        let after = self.0.partition_point(|held| (held.replica, held.first) <= (range.replica, range.first));
        let held = after.checked_sub(1).and_then(|at| self.0.get(at));
        held.is_some_and(|held| held.replica == range.replica && held.last >= range.last)
    }
}

impl FromIterator<DotRange> for DotSet {
    fn from_iter<I: IntoIterator<Item = DotRange>>(ranges: I) -> Self {
        let mut ranges: Vec<DotRange> = ranges.into_iter().collect();
        ranges.sort_unstable();
        let mut joined: Vec<DotRange> = Vec::with_capacity(ranges.len());
        for range in ranges {
            match joined.last_mut() {
                Some(held) if held.replica == range.replica && range.first <= held.last.saturating_add(1) => {
                    held.last = held.last.max(range.last);
                }
                Some(_) | None => joined.push(range),
            }
        }
        Self(joined)
    }
}

impl From<&VersionVector> for DotSet {
    fn from(vector: &VersionVector) -> Self {
        Self(vector.iter().map(whole).collect())
    }
}

const fn whole(dot: Dot) -> DotRange {
    DotRange { replica: dot.replica, first: 1, last: dot.counter }
}
