//! The algebra of who has seen what: version vectors, sets of dots, and how two of them relate.

#![allow(clippy::unwrap_used, clippy::arithmetic_side_effects, reason = "a test may stop")]

use std::collections::BTreeSet;

use holdfast::values::{
    dot_set::{DotRange, DotSet},
    id::ReplicaId,
    version_vector::{Causality, Dot, VersionVector},
};
use proptest::{collection::vec, prelude::*};

const ALL: [Causality; 4] = [Causality::Equal, Causality::Before, Causality::After, Causality::Concurrent];

fn replica(n: u8) -> ReplicaId {
    ReplicaId::from_entropy(u128::from(n) + 1).unwrap()
}

fn dot() -> impl Strategy<Value = Dot> {
    (0..4_u8, 0..5_u64).prop_map(|(n, counter)| Dot { replica: replica(n), counter })
}

fn vector() -> impl Strategy<Value = VersionVector> {
    vec(dot(), 0..6).prop_map(|dots| dots.into_iter().collect())
}

fn range() -> impl Strategy<Value = DotRange> {
    (0..3_u8, 1..9_u64, 0..4_u64).prop_map(|(n, first, more)| DotRange {
        replica: replica(n),
        first,
        last: first + more,
    })
}

fn ranges() -> impl Strategy<Value = Vec<DotRange>> {
    vec(range(), 0..6)
}

/// Every dot of a small world, the nought that names none left out.
fn dots() -> impl Iterator<Item = Dot> {
    (0..4).flat_map(|n| (1..14).map(move |counter| Dot { replica: replica(n), counter }))
}

fn seen(covers: impl Fn(Dot) -> bool) -> BTreeSet<Dot> {
    dots().filter(|dot| covers(*dot)).collect()
}

/// How two sets relate: what [`Causality`] is about.
fn relation(left: &BTreeSet<Dot>, right: &BTreeSet<Dot>) -> Causality {
    match (right.is_subset(left), left.is_subset(right)) {
        (true, true) => Causality::Equal,
        (true, false) => Causality::After,
        (false, true) => Causality::Before,
        (false, false) => Causality::Concurrent,
    }
}

const fn mirrored(causality: Causality) -> Causality {
    match causality {
        Causality::Before => Causality::After,
        Causality::After => Causality::Before,
        same => same,
    }
}

#[test]
fn two_parts_relate_as_the_pairs_that_they_make() {
    // Less or more is a pair of answers: has the left seen all of the right, has the right seen all of the left.
    let answers = |causality| match causality {
        Causality::Equal => (true, true),
        Causality::After => (true, false),
        Causality::Before => (false, true),
        Causality::Concurrent => (false, false),
    };
    for left in ALL {
        for right in ALL {
            let (one, two) = (answers(left), answers(right));
            assert_eq!(answers(left.and(right)), (one.0 && two.0, one.1 && two.1), "{left:?} and {right:?}");
            assert_eq!(mirrored(left.and(right)), mirrored(left).and(mirrored(right)));
        }
    }
}

proptest! {
    #[test]
    fn a_vector_is_the_set_of_the_writes_it_covers(left in vector(), right in vector(), dot in dot()) {
        let [ours, theirs] = [&left, &right].map(|vector| seen(|dot| vector.covers(dot)));
        prop_assert_eq!(left.compare(&right), relation(&ours, &theirs));
        prop_assert_eq!(left.covers_all(&right), theirs.is_subset(&ours));
        let joined = left.join(&right);
        prop_assert_eq!(seen(|dot| joined.covers(dot)), &ours | &theirs);
        prop_assert_eq!(ours == theirs, left == right);
        prop_assert_eq!(left.is_empty(), ours.is_empty());
        let mut more = left.clone();
        more.insert(dot);
        prop_assert!(more.covers(dot) && more.get(dot.replica) == left.get(dot.replica).max(dot.counter));
        prop_assert_eq!(&more, &left.join(&VersionVector::from_iter([dot])));
        prop_assert_eq!(more == left, left.covers(dot));
    }

    #[test]
    fn vectors_join_to_the_least_that_has_seen_all(a in vector(), b in vector(), c in vector()) {
        prop_assert_eq!(a.join(&b), b.join(&a));
        prop_assert_eq!(a.join(&b).join(&c), a.join(&b.join(&c)));
        prop_assert_eq!(&a.join(&a), &a);
        prop_assert!(a.join(&b).covers_all(&a) && a.join(&b).covers_all(&b));
        prop_assert_eq!(c.covers_all(&a) && c.covers_all(&b), c.covers_all(&a.join(&b)));
    }

    #[test]
    fn comparing_vectors_is_a_partial_order(a in vector(), b in vector(), c in vector()) {
        prop_assert_eq!(a.compare(&a), Causality::Equal);
        prop_assert_eq!(a.compare(&b), mirrored(b.compare(&a)));
        prop_assert_eq!(a.compare(&b) == Causality::Equal, a == b);
        prop_assert_eq!(a.covers_all(&b), a.join(&b) == a);
        if a.covers_all(&b) && b.covers_all(&c) {
            prop_assert!(a.covers_all(&c));
        }
    }

    #[test]
    fn a_vector_comes_back_from_its_dots_in_any_order(dots in vec(dot(), 0..6)) {
        let vector: VersionVector = dots.iter().copied().collect();
        prop_assert_eq!(&vector, &dots.iter().rev().copied().collect());
        prop_assert_eq!(&vector, &VersionVector::from(Vec::from(vector.clone())));
        prop_assert!(vector.iter().zip(vector.iter().skip(1)).all(|(one, next)| one.replica < next.replica));
        prop_assert!(vector.iter().all(|dot| dot.counter > 0));
    }

    #[test]
    fn a_dot_set_is_the_set_of_its_dots(left in ranges(), right in ranges(), vector in vector()) {
        let held = |ranges: &[DotRange]| {
            seen(|dot| ranges.iter().any(|r| r.replica == dot.replica && (r.first..=r.last).contains(&dot.counter)))
        };
        let [ours, theirs] = [&left, &right].map(|ranges| held(ranges));
        let [one, other]: [DotSet; 2] = [left, right].map(|ranges| ranges.into_iter().collect());
        prop_assert_eq!(seen(|dot| one.covers(dot)), ours.clone());
        prop_assert_eq!(one == other, ours == theirs);
        prop_assert_eq!(one.compare(&other), relation(&ours, &theirs));
        prop_assert_eq!(one.is_empty(), ours.is_empty());
        let joined = one.join(&other);
        prop_assert_eq!(seen(|dot| joined.covers(dot)), &ours | &theirs);
        prop_assert_eq!(one.is_all_of(&vector), ours == seen(|dot| vector.covers(dot)));
        prop_assert!(DotSet::from(&vector).is_all_of(&vector));
        let apart = |a: DotRange, b: DotRange| a.replica < b.replica || a.last + 1 < b.first;
        prop_assert!(joined.iter().zip(joined.iter().skip(1)).all(|(a, b)| apart(a, b)));
    }

    #[test]
    fn dot_sets_join_as_sets_do(a in ranges(), b in ranges(), c in ranges(), more in range()) {
        let [a, b, c]: [DotSet; 3] = [a, b, c].map(|ranges| ranges.into_iter().collect());
        prop_assert_eq!(a.join(&b), b.join(&a));
        prop_assert_eq!(a.join(&b).join(&c), a.join(&b.join(&c)));
        prop_assert_eq!(&a.join(&a), &a);
        let mut grown = a.clone();
        grown.insert(more);
        prop_assert_eq!(&grown, &a.join(&DotSet::from_iter([more])));
        grown.insert(DotRange { first: more.last + 1, last: more.last, ..more });
        grown.insert(DotRange { first: 0, ..more });
        prop_assert_eq!(&grown, &a.join(&DotSet::from_iter([more])));
    }
}
