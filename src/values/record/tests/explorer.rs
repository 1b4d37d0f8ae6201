//! Every history of a few writes, and in each of them every version that any number of replicas could come to hold.
//!
//! A history is a list of writes. Its versions are closed under join and purge, so they hold what every replica, relay
//! and delayed message can carry, in every order. A write starts from any version that has seen all earlier writes of
//! its author, and may have been read under any older one.
//!
//! One cut: replicas are named in the order of their first write. The versions themselves, joins and purges are
//! computed once for all histories.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    format,
    string::String,
    vec::Vec,
};
use core::fmt::Debug;

use super::dot;
use crate::values::{
    dot_set::DotSet,
    id::ReplicaId,
    version_vector::{Causality, Dot, VersionVector},
};

/// What a write says. The value it writes is named by its dot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Op {
    /// A person creates, edits or revives.
    Edit(&'static str),
    /// A person clears.
    Clear(&'static str),
    /// A person deletes.
    Delete,
    /// The app creates or edits.
    Machine(&'static str),
}

/// An algebra of versions.
pub(super) trait Algebra {
    type Version: Clone + Ord + Debug;
    fn nothing() -> Self::Version;
    /// `None` where this can not be written.
    fn write(base: &Self::Version, seen: &Self::Version, dot: Dot, op: Op) -> Option<Self::Version>;
    fn join(left: &Self::Version, right: &Self::Version) -> Self::Version;
    /// `None` where it is alive.
    fn purge(version: &Self::Version) -> Option<Self::Version>;
    /// The writes seen.
    fn context(version: &Self::Version) -> &VersionVector;
    /// The writes seen whose fields are known.
    fn fields_context(version: &Self::Version) -> DotSet;
    /// What equal contexts must agree on.
    fn content(version: &Self::Version) -> Vec<String>;
}

pub(super) type Id = usize;

/// One write of a history.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Write {
    pub(super) dot: Dot,
    pub(super) op: Op,
    pub(super) base: Id,
    pub(super) seen: Id,
    pub(super) after: Id,
}

/// Its writes, and every version that they can lead to.
#[derive(Debug, Clone)]
pub(super) struct History {
    pub(super) writes: Vec<Write>,
    pub(super) versions: Vec<Id>,
    /// Those to which no purge led.
    pub(super) unpurged: BTreeSet<Id>,
}

/// Every version of every history, each once.
pub(super) struct World<A: Algebra> {
    pub(super) versions: Vec<A::Version>,
    ids: BTreeMap<A::Version, Id>,
    joins: BTreeMap<(Id, Id), Id>,
}

/// How far to look.
pub(super) struct Bounds {
    pub(super) writes: usize,
    pub(super) replicas: u8,
    pub(super) ops: &'static [Op],
    /// Whether a write may have been read under an older version.
    pub(super) stale: bool,
    /// A replica's counter rises by this much from one of its writes to the next; between them it wrote other records.
    pub(super) stride: u64,
}

/// What was found.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Explored {
    pub(super) histories: usize,
    pub(super) versions: usize,
    /// Versions of one history, taken three at a time.
    pub(super) triples: usize,
}

impl<A: Algebra> World<A> {
    pub(super) fn new() -> Self {
        Self { versions: Vec::new(), ids: BTreeMap::new(), joins: BTreeMap::new() }
    }

    fn id(&mut self, version: A::Version) -> Id {
        let next = self.versions.len();
        *self.ids.entry(version).or_insert_with_key(|version| {
            self.versions.push(version.clone());
            next
        })
    }

    pub(super) fn join(&mut self, left: Id, right: Id) -> Id {
        if let Some(joined) = self.joins.get(&(left, right)) {
            return *joined;
        }
        let joined = A::join(&self.versions[left], &self.versions[right]);
        let joined = self.id(joined);
        self.joins.insert((left, right), joined);
        joined
    }

    /// Checks every history within the bounds; those of few writes come first, so what is found is smallest.
    ///
    /// # Errors
    /// What `check` finds, with the history it found it in.
    pub(super) fn explore(
        &mut self,
        bounds: &Bounds,
        check: &mut dyn FnMut(&mut Self, &History) -> Result<(), String>,
    ) -> Result<Explored, String> {
        let nothing = self.id(A::nothing());
        let start = History { writes: Vec::new(), versions: [nothing].into(), unpurged: [nothing].into() };
        let mut explored = Explored::default();
        let mut front: Vec<History> = [start].into();
        for _ in 0..bounds.writes {
            let mut next = Vec::new();
            for history in &front {
                for longer in self.extensions(history, bounds) {
                    explored.histories += 1;
                    explored.triples += longer.versions.len().pow(3);
                    check(self, &longer).map_err(|found| format!("{found}\nin {}", self.told(&longer)))?;
                    next.push(longer);
                }
            }
            front = next;
        }
        explored.versions = self.versions.len();
        Ok(explored)
    }

    fn extensions(&mut self, history: &History, bounds: &Bounds) -> Vec<History> {
        let known = |n: u8| history.writes.iter().any(|write| write.dot.replica == super::replica(n));
        let unnamed = (0..bounds.replicas).find(|n| !known(*n)).unwrap_or(bounds.replicas);
        let mut found: Vec<Write> = Vec::new();
        for author in 0..bounds.replicas.min(unnamed.saturating_add(1)) {
            let own = history.writes.iter().map(|write| write.dot).filter(|dot| dot.replica == super::replica(author));
            let last = own.map(|dot| dot.counter).max().unwrap_or(0);
            let dot = dot(author, last + bounds.stride);
            for (base, seen) in self.grounds(history, dot.replica, last, bounds.stale) {
                for op in bounds.ops {
                    let after = A::write(&self.versions[base], &self.versions[seen], dot, *op);
                    let Some(after) = after.map(|after| self.id(after)) else { continue };
                    // A stale read that changes nothing is no other history.
                    if !found.iter().any(|w| w.dot == dot && w.op == *op && w.base == base && w.after == after) {
                        found.push(Write { dot, op: *op, base, seen, after });
                    }
                }
            }
        }
        found.into_iter().map(|write| self.extended(history, write)).collect()
    }

    /// What a write can stand on, and what it can have been read under.
    fn grounds(&self, history: &History, author: ReplicaId, last: u64, stale: bool) -> Vec<(Id, Id)> {
        let context = |id: &Id| A::context(&self.versions[*id]);
        let has_written = |base: &&Id| context(base).get(author) == last;
        let pairs = history.versions.iter().filter(has_written).flat_map(|base| {
            let is_read = move |seen: &&Id| *seen == base || (stale && context(base).covers_all(context(seen)));
            history.versions.iter().filter(is_read).map(move |seen| (*base, *seen))
        });
        pairs.collect()
    }

    fn extended(&mut self, history: &History, write: Write) -> History {
        let mut versions = history.versions.clone();
        let mut unpurged = history.unpurged.clone();
        let mut new: Vec<Id> = [write.after].into();
        if unpurged.contains(&write.base) {
            unpurged.insert(write.after);
        }
        while let Some(id) = new.pop() {
            if versions.contains(&id) {
                continue;
            }
            if let Some(purged) = A::purge(&self.versions[id]) {
                new.push(self.id(purged));
            }
            for other in versions.clone() {
                new.push(self.join(id, other));
                new.push(self.join(other, id));
            }
            versions.push(id);
        }
        self.close_unpurged(&mut unpurged);
        let mut writes = history.writes.clone();
        writes.push(write);
        History { writes, versions, unpurged }
    }

    fn close_unpurged(&mut self, unpurged: &mut BTreeSet<Id>) {
        loop {
            let ids: Vec<Id> = unpurged.iter().copied().collect();
            let pairs = ids.iter().flat_map(|left| ids.iter().map(move |right| (*left, *right)));
            unpurged.extend(pairs.map(|(left, right)| self.join(left, right)).collect::<Vec<_>>());
            if unpurged.len() == ids.len() {
                return;
            }
        }
    }

    fn told(&self, history: &History) -> String {
        let line = |write: &Write| {
            let (base, seen) = (&self.versions[write.base], &self.versions[write.seen]);
            format!("{:?} by {:?} on {base:?}, having read {seen:?}", write.op, write.dot)
        };
        history.writes.iter().map(line).collect::<Vec<_>>().join("\n")
    }

    /// The join is commutative, associative, idempotent and monotone on every triple of versions.
    ///
    /// # Errors
    /// What breaks it.
    pub(super) fn check_join(&mut self, history: &History) -> Result<(), String> {
        let ids = &history.versions;
        let place: BTreeMap<Id, usize> = ids.iter().copied().zip(0..).collect();
        let row = |world: &mut Self, left: Id| -> Result<Vec<usize>, String> {
            let joined = ids.iter().map(|right| place.get(&world.join(left, *right)).copied());
            joined.collect::<Option<_>>().ok_or_else(|| String::from("versions are closed under join"))
        };
        let joins = ids.iter().map(|left| row(self, *left)).collect::<Result<Vec<_>, _>>()?;
        let told = |places: &[usize]| -> Vec<_> { places.iter().map(|at| &self.versions[ids[*at]]).collect() };
        let broken = |law: &str, places: &[usize]| Err(format!("not {law}: {:#?}", told(places)));
        for (l, row) in joins.iter().enumerate() {
            if row[l] != l {
                return broken("idempotent", &[l]);
            }
            for (r, joined) in row.iter().enumerate() {
                if joins[r][l] != *joined {
                    return broken("commutative", &[l, r]);
                }
                if !self.covers(ids[*joined], ids[l]) {
                    return broken("monotone", &[l, r]);
                }
                // The other half is this one, commuted.
                for (third, right) in joins[r].iter().enumerate().skip(l) {
                    if joins[*joined][third] != row[*right] {
                        return broken("associative", &[l, r, third]);
                    }
                }
            }
        }
        Ok(())
    }

    fn covers(&self, larger: Id, smaller: Id) -> bool {
        let (large, small) = (&self.versions[larger], &self.versions[smaller]);
        let life = A::context(large).compare(A::context(small));
        let fields = A::fields_context(large).compare(&A::fields_context(small));
        matches!(life.and(fields), Causality::Equal | Causality::After)
    }

    /// S1: equal contexts, equal content.
    ///
    /// # Errors
    /// Two versions that break it.
    pub(super) fn check_s1(&self, history: &History) -> Result<(), String> {
        let mut contents = BTreeMap::new();
        for version in history.versions.iter().map(|id| &self.versions[*id]) {
            let content = A::content(version);
            let contexts = (A::context(version), A::fields_context(version));
            let (first, known) = contents.entry(contexts).or_insert_with(|| (version, content.clone()));
            if *known != content {
                return Err(format!("S1: equal contexts, different content: {first:#?}\n{version:#?}"));
            }
        }
        Ok(())
    }
}
