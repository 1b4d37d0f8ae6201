//! Which installation wrote what, and under which id: two of them may have one.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};

use crate::testing::names::REPLICAS;

/// Who writes: the place among the ids, and the installation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Writer {
    pub(crate) own: u8,
    pub(crate) install: usize,
}

/// Installations, and what each of them wrote.
#[derive(Debug, Clone)]
pub(crate) struct Installs {
    /// By installation, the one that it is a copy of.
    parents: Vec<Option<usize>>,
    /// By collection, id and counter, the records written, and who wrote them.
    dots: BTreeMap<(u8, u8, u64), Vec<(u16, usize)>>,
    /// By collection, record and id, who wrote.
    writers: BTreeMap<(u8, u16, u8), BTreeSet<usize>>,
    /// Records that two installations wrote under one id, neither knowing of the other.
    forked: BTreeSet<(u8, u16, u8)>,
    /// Ids that two installations have had, and how often a server had lost its memory when they began to.
    shared: BTreeMap<u8, u64>,
    /// How often a server lost its memory.
    losses: u64,
}

impl Installs {
    pub(crate) fn new() -> Self {
        Self {
            parents: (0..REPLICAS).map(|_| None).collect(),
            dots: BTreeMap::new(),
            writers: BTreeMap::new(),
            forked: BTreeSet::new(),
            shared: BTreeMap::new(),
            losses: 0,
        }
    }

    /// A copy is made: it has all that the other one wrote so far, and neither has what the other writes from now on.
    pub(crate) fn copy(&mut self, of: usize) -> usize {
        self.parents.push(Some(of));
        self.parents.len() - 1
    }

    /// Two installations go on under one id.
    pub(crate) fn share(&mut self, id: u8) {
        self.shared.entry(id).or_insert(self.losses);
    }

    /// A server has forgotten something.
    pub(crate) fn lose_memory(&mut self) {
        self.losses += 1;
    }

    /// Whether a server has forgotten something since two installations have an id.
    pub(crate) fn is_forgotten(&self, id: u8) -> bool {
        self.shared.get(&id).is_some_and(|losses| *losses < self.losses)
    }

    pub(crate) fn is_shared(&self, id: u8) -> bool {
        self.shared.contains_key(&id)
    }

    /// Whether one has all that the other one wrote.
    fn is_line(&self, one: usize, other: usize) -> bool {
        let (younger, older) = (one.max(other), one.min(other));
        core::iter::successors(Some(younger), |at| self.parents.get(*at).copied().flatten()).any(|at| at == older)
    }

    /// Takes note of a write. `false`: its number was used before, and whoever wrote now knew that.
    pub(crate) fn wrote(&mut self, (collection, record): (u8, u16), counter: u64, writer: Writer) -> bool {
        let Writer { own, install } = writer;
        let known = self.dots.get(&(collection, own, counter));
        let is_twice = known.is_some_and(|known| known.iter().any(|(_, other)| self.is_line(*other, install)));
        self.note((collection, record), counter, writer);
        !is_twice
    }

    /// Takes note of a number that is used in a record.
    pub(crate) fn note(&mut self, (collection, record): (u8, u16), counter: u64, writer: Writer) {
        let Writer { own, install } = writer;
        let known = self.dots.entry((collection, own, counter)).or_default();
        if !known.contains(&(record, install)) {
            known.push((record, install));
        }
        let key = (collection, record, own);
        let mut others = self.writers.get(&key).into_iter().flatten();
        if others.any(|other| !self.is_line(*other, install)) {
            self.forked.insert(key);
        }
        self.writers.entry(key).or_default().insert(install);
    }

    pub(crate) fn has_written(&self, (collection, record): (u8, u16), replica: u8, counter: u64) -> bool {
        self.dots.get(&(collection, replica, counter)).is_some_and(|known| known.iter().any(|(of, _)| *of == record))
    }

    /// Whether two installations wrote a record under one id.
    pub(crate) fn is_forked(&self, (collection, record): (u8, u16)) -> bool {
        self.forked.range((collection, record, 0)..=(collection, record, u8::MAX)).next().is_some()
    }

    /// Records ever written in a collection.
    pub(crate) fn records(&self, collection: u8) -> usize {
        self.writers
            .range((collection, 0, 0)..(collection + 1, 0, 0))
            .map(|((_, record, _), _)| *record)
            .collect::<BTreeSet<u16>>()
            .len()
    }
}
