//! The obvious rules that are wrong. The explorer finds each of them out, so it would find the real one out.

use alloc::{
    collections::BTreeMap,
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::cmp::Reverse;

use super::{
    every_history::{Plain, Real},
    explorer::{Algebra, Bounds, History, Op, World},
};
use crate::values::{
    dot_set::{DotRange, DotSet},
    version_vector::{Causality, Dot, VersionVector},
};

const OPS: &[Op] = &[Op::Edit("x"), Op::Edit("y"), Op::Delete];
const BOUNDS: Bounds = Bounds { writes: 3, replicas: 3, ops: OPS, stale: false, stride: 1 };

/// The laws that an algebra breaks within the bounds: S1, and those of the join.
fn broken<A: Algebra>() -> (bool, bool) {
    let breaks = |law: fn(&mut World<A>, &History) -> Result<(), String>| {
        World::<A>::new().explore(&BOUNDS, &mut |world, history| law(world, history)).is_err()
    };
    (breaks(|world, history| world.check_s1(history)), breaks(|world, history| world.check_join(history)))
}

/// Of concurrent writes one wins, whole, under the joined vector.
struct OneWinner;

impl Algebra for OneWinner {
    type Version = (VersionVector, Option<(Reverse<Dot>, Op)>);

    fn nothing() -> Self::Version {
        (VersionVector::new(), None)
    }

    fn write(base: &Self::Version, _: &Self::Version, dot: Dot, op: Op) -> Option<Self::Version> {
        Some((base.0.join(&VersionVector::from_iter([dot])), Some((Reverse(dot), op))))
    }

    fn join(left: &Self::Version, right: &Self::Version) -> Self::Version {
        match left.0.compare(&right.0) {
            Causality::Equal | Causality::After => left.clone(),
            Causality::Before => right.clone(),
            Causality::Concurrent => (left.0.join(&right.0), left.1.max(right.1)),
        }
    }

    fn purge(_: &Self::Version) -> Option<Self::Version> {
        None
    }

    fn context(version: &Self::Version) -> &VersionVector {
        &version.0
    }

    fn fields_context(version: &Self::Version) -> DotSet {
        (&version.0).into()
    }

    fn content(version: &Self::Version) -> Vec<String> {
        [format!("{:?}", version.1)].into()
    }
}

/// Siblings, as they should be, but with one context for life and fields, whatever a purge took.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
struct Whole {
    context: VersionVector,
    life: BTreeMap<Dot, bool>,
    fields: BTreeMap<(&'static str, Dot), ()>,
    is_purged: bool,
}

impl Whole {
    fn is_alive(&self) -> bool {
        self.life.values().any(|alive| *alive)
    }

    fn write(&self, dot: Dot, op: Op) -> Option<Self> {
        let mut next = self.clone();
        next.context.insert(dot);
        next.life = BTreeMap::from([(dot, op != Op::Delete)]);
        match op {
            Op::Edit(field) => {
                next.fields.retain(|(name, _), ()| *name != field);
                next.fields.insert((field, dot), ());
                next.is_purged = false;
            }
            Op::Delete if self.is_alive() => {}
            Op::Delete | Op::Clear(_) | Op::Machine(_) => return None,
        }
        Some(next)
    }

    fn join(&self, other: &Self) -> Self {
        fn survive<K: Ord + Clone, V: Clone>(
            (ours, seen): (&BTreeMap<K, V>, &VersionVector),
            (theirs, seen_there): (&BTreeMap<K, V>, &VersionVector),
            dot: impl Fn(&K) -> Dot,
        ) -> BTreeMap<K, V> {
            let left = ours.iter().filter(|(key, _)| !seen_there.covers(dot(key)) || theirs.contains_key(*key));
            let right = theirs.iter().filter(|(key, _)| !seen.covers(dot(key)));
            left.chain(right).map(|(key, value)| (key.clone(), value.clone())).collect()
        }
        Self {
            context: self.context.join(&other.context),
            life: survive((&self.life, &self.context), (&other.life, &other.context), |dot| *dot),
            fields: survive((&self.fields, &self.context), (&other.fields, &other.context), |(_, dot)| *dot),
            is_purged: self.is_purged && other.is_purged,
        }
    }

    fn purged(&self) -> Option<Self> {
        (!self.is_alive()).then(|| Self { fields: BTreeMap::new(), is_purged: true, ..self.clone() })
    }

    fn content(&self) -> Vec<String> {
        let fields = if self.is_alive() { format!("{:?}", self.fields) } else { "dead".to_string() };
        [format!("{:?}", self.life), fields].into()
    }
}

/// A purged record goes on covering, under its one context, the fields that it no longer has.
struct CertificateCovers;

impl Algebra for CertificateCovers {
    type Version = Whole;

    fn nothing() -> Whole {
        Whole::default()
    }

    fn write(base: &Whole, _: &Whole, dot: Dot, op: Op) -> Option<Whole> {
        base.write(dot, op)
    }

    fn join(left: &Whole, right: &Whole) -> Whole {
        left.join(right)
    }

    fn purge(version: &Whole) -> Option<Whole> {
        version.purged()
    }

    fn context(version: &Whole) -> &VersionVector {
        &version.context
    }

    fn fields_context(version: &Whole) -> DotSet {
        (&version.context).into()
    }

    fn content(version: &Whole) -> Vec<String> {
        version.content()
    }
}

/// Where one side was purged, the other's fields are taken whole.
struct WholeFromTheEditor;

impl Algebra for WholeFromTheEditor {
    type Version = Whole;

    fn nothing() -> Whole {
        Whole::default()
    }

    fn write(base: &Whole, _: &Whole, dot: Dot, op: Op) -> Option<Whole> {
        base.write(dot, op)
    }

    fn join(left: &Whole, right: &Whole) -> Whole {
        let joined = left.join(right);
        match (left.is_purged, right.is_purged) {
            (true, false) => Whole { fields: right.fields.clone(), ..joined },
            (false, true) => Whole { fields: left.fields.clone(), ..joined },
            (true, true) | (false, false) => joined,
        }
    }

    fn purge(version: &Whole) -> Option<Whole> {
        version.purged()
    }

    fn context(version: &Whole) -> &VersionVector {
        &version.context
    }

    fn fields_context(version: &Whole) -> DotSet {
        (&version.context).into()
    }

    fn content(version: &Whole) -> Vec<String> {
        version.content()
    }
}

/// The real record, but for an inclusive vector in place of the set: a former writer who writes again after a purge seems
/// to know what its forgotten writes had covered.
struct InclusiveFields;

impl Algebra for InclusiveFields {
    type Version = Plain;

    fn nothing() -> Plain {
        Real::nothing()
    }

    fn write(base: &Plain, seen: &Plain, dot: Dot, op: Op) -> Option<Plain> {
        Real::write(base, seen, dot, op).map(inclusive)
    }

    fn join(left: &Plain, right: &Plain) -> Plain {
        Real::join(left, right)
    }

    fn purge(version: &Plain) -> Option<Plain> {
        Real::purge(version)
    }

    fn context(version: &Plain) -> &VersionVector {
        Real::context(version)
    }

    fn fields_context(version: &Plain) -> DotSet {
        Real::fields_context(version)
    }

    fn content(version: &Plain) -> Vec<String> {
        Real::content(version)
    }
}

fn inclusive(Plain(mut record): Plain) -> Plain {
    record.fields_context = record.fields_context.iter().map(|range| DotRange { first: 1, ..range }).collect();
    Plain(record)
}

#[test]
fn one_winner_under_a_joined_vector_is_found_out() {
    assert_eq!(broken::<OneWinner>(), (true, true));
}

#[test]
fn a_certificate_that_covers_purged_fields_is_found_out() {
    // Its join is one; it is the equal contexts that lie.
    assert_eq!(broken::<CertificateCovers>(), (true, false));
}

#[test]
fn taking_the_record_whole_from_the_editor_is_found_out() {
    assert_eq!(broken::<WholeFromTheEditor>(), (true, true));
}

#[test]
fn an_inclusive_vector_of_fields_is_found_out_at_the_fourth_write() {
    let ops = &[Op::Edit("x"), Op::Delete];
    let explore = |writes| {
        let bounds = Bounds { writes, replicas: 2, ops, stale: false, stride: 1 };
        World::<InclusiveFields>::new().explore(&bounds, &mut |world, history| world.check_s1(history))
    };
    assert!(explore(3).is_ok());
    assert!(explore(4).is_err_and(|found| found.starts_with("S1")));
}
