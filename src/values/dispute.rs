//! Two contents under the same dots: what broken or cloned replicas leave behind. Neither is dropped.

use alloc::{collections::BTreeMap, vec::Vec};

use super::{
    dot_set::DotRange,
    id::FieldName,
    record::Record,
    register::{Register, Sibling, Stamp},
    value::Value,
    version::Version,
    version_vector::{Causality, Dot},
};

/// What of one record is only ours, though its dots say that both have it.
struct Disputed {
    life: Vec<Sibling<super::record::Life>>,
    fields: BTreeMap<FieldName, Vec<Sibling<Value>>>,
}

impl Version {
    /// Whether both can not be: equal contexts with different contents, or one dot with two of them.
    ///
    /// Where one context covers the other, the later one stands unseen, unless there is a reason to look: `thoroughly`.
    #[must_use]
    pub(crate) fn is_disputed_by(&self, other: &Self, thoroughly: bool) -> bool {
        match self.compare(other) {
            Causality::Equal => self.digest() != other.digest(),
            Causality::Before | Causality::After if !thoroughly => false,
            _ if self.agrees_with(other) => false,
            _ => Disputed::between(&self.record(), &other.record(), false).is_some(),
        }
    }

    /// Whether each write that survives here is there with the same bytes, or is not there at all: told without a value decoded.
    fn agrees_with(&self, other: &Self) -> bool {
        let theirs: BTreeMap<&FieldName, Vec<(Stamp, &[u8])>> =
            other.written().map(|(name, written)| (name, written.collect())).collect();
        let is_there = |name: &FieldName, ours: (Stamp, &[u8])| {
            let theirs = theirs.get(name).map_or(&[][..], Vec::as_slice);
            theirs.contains(&ours) || theirs.iter().all(|(stamp, _)| stamp.dot != ours.0.dot)
        };
        only_ours(self.life(), other.life(), false).is_empty()
            && self.written().all(|(name, mut written)| written.all(|ours| is_there(name, ours)))
    }

    /// Both contents as siblings: all of `theirs`, and what is only ours as new writes from `first` on.
    ///
    /// The result covers what both have seen, so whoever holds either takes it for the later one.
    #[must_use]
    pub(crate) fn settled_with(&self, theirs: &Self, first: Dot) -> Self {
        let (ours, other) = (self.record(), theirs.record());
        let is_equal = self.compare(theirs) == Causality::Equal;
        let disputed = Disputed::between(&ours, &other, is_equal).unwrap_or(Disputed::NOTHING);
        let mut both = if is_equal { other } else { disputed.without(ours.join(&other)) };
        let seen = both.context.get(first.replica).saturating_add(1);
        let last = first.counter.saturating_add(disputed.dots().saturating_sub(1));
        both.context.insert(Dot { counter: last, ..first });
        both.fields_context.insert(DotRange { replica: first.replica, first: seen, last });
        both.superseded = both.superseded.join(&ours.superseded);
        disputed.write(&mut both, first);
        Self::encode(&both)
    }
}

impl Disputed {
    const NOTHING: Self = Self { life: Vec::new(), fields: BTreeMap::new() };

    /// `None` if nothing is. Under equal contexts, what they lack is disputed, too.
    fn between(ours: &Record, theirs: &Record, is_equal: bool) -> Option<Self> {
        let life = only_ours(&ours.life, &theirs.life, is_equal);
        let none = Register::default();
        let field = |(name, register): (&FieldName, &Register<Value>)| {
            let only = only_ours(register, theirs.fields.get(name).unwrap_or(&none), is_equal);
            (!only.is_empty()).then(|| (name.clone(), only))
        };
        let fields: BTreeMap<FieldName, Vec<Sibling<Value>>> = ours.fields.iter().filter_map(field).collect();
        (!life.is_empty() || !fields.is_empty()).then_some(Self { life, fields })
    }

    fn without(&self, mut rest: Record) -> Record {
        rest.life = kept(&rest.life, &self.life);
        for (name, disputed) in &self.fields {
            if let Some(register) = rest.fields.get_mut(name) {
                *register = kept(register, disputed);
            }
        }
        rest
    }

    /// The writes that it takes: one for each sibling of a register, and at least one.
    fn dots(&self) -> u64 {
        let most = self.fields.values().map(Vec::len).chain([self.life.len(), 1]).max();
        most.and_then(|most| u64::try_from(most).ok()).unwrap_or(1)
    }

    fn write(self, both: &mut Record, first: Dot) {
        both.life = with(&both.life, self.life, first);
        for (name, disputed) in self.fields {
            let register = both.fields.entry(name).or_default();
            *register = with(register, disputed, first);
        }
    }
}

fn only_ours<T: Clone + Ord>(ours: &Register<T>, theirs: &Register<T>, is_equal: bool) -> Vec<Sibling<T>> {
    let is_other = |sibling: &&Sibling<T>| {
        let has_dot = theirs.contains(sibling.stamp.dot);
        (is_equal || has_dot) && !theirs.siblings().contains(sibling)
    };
    ours.siblings().iter().filter(is_other).cloned().collect()
}

fn kept<T: Clone + Ord>(register: &Register<T>, disputed: &[Sibling<T>]) -> Register<T> {
    let kept = register.siblings().iter().filter(|sibling| !disputed.contains(sibling));
    Register::from_siblings(kept.cloned().collect())
}

fn with<T: Clone + Ord>(register: &Register<T>, disputed: Vec<Sibling<T>>, first: Dot) -> Register<T> {
    let written = (first.counter..).zip(disputed).map(|(counter, mut sibling)| {
        sibling.stamp.dot = Dot { counter, ..first };
        sibling
    });
    Register::from_siblings(register.siblings().iter().cloned().chain(written).collect())
}
