//! Fingerprints of ranges, and what is found by them.

use std::collections::BTreeMap;

use holdfast::{
    decide::reconcile::{Fingerprint, Outline, Part, SMALL, Span, told},
    values::digest::Digest,
    *,
};
use proptest::prelude::*;

use crate::{crossed::*, peer::rows_of, workload::Chance, world::*};

type Set = BTreeMap<RecordId, Digest>;

fn set() -> impl Strategy<Value = Set> {
    let id = prop_oneof![
        any::<u128>().prop_map(|bits| uuid::Uuid::from_u128(bits).to_string()),
        "[a-c]{1,4}",
        "\\PC{1,3}",
        "[ab]{200,255}",
    ];
    let digest = any::<[u8; 16]>().prop_map(Digest::from_bytes);
    proptest::collection::btree_map(id.prop_map(|text| RecordId::new(text).unwrap()), digest, 0..400)
}

fn outline(set: &Set, span: &Span) -> Outline {
    let within = || set.iter().filter(|(id, _)| span.contains(id)).map(|(id, told)| (id, *told));
    Outline::of(span, within().count(), within())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 64, ..ProptestConfig::default() })]

    /// The parts of a range are in order, cover it, and add up to it; none is empty, and none holds much more than another.
    #[test]
    fn parts_are_the_whole(set in set()) {
        let all = outline(&set, &Span::default());
        let whole = set.iter().fold(Fingerprint::default(), |sum, (id, told)| sum.with(id, *told));
        prop_assert_eq!(all.fingerprint(), whole);
        prop_assert_eq!(matches!(all, Outline::Listed(_)), set.len() <= SMALL);
        let parts = all.in_parts();
        prop_assert!(parts.len() <= 16 && parts.len() == set.len().clamp(1, 16));
        let mut after = None;
        for (place, Part { until, fingerprint }) in parts.iter().enumerate() {
            prop_assert_eq!(until.is_none(), place + 1 == parts.len());
            prop_assert!(until.is_none() || until > &after);
            let span = Span { after: after.clone(), until: until.clone() };
            prop_assert_eq!(&outline(&set, &span).fingerprint(), fingerprint);
            let least = u64::try_from(set.len() / parts.len()).unwrap();
            prop_assert!(fingerprint.count() >= least && fingerprint.count() <= least + 1);
            after.clone_from(until);
        }
    }

    /// Whatever the order in which records are added, and however they are grouped.
    #[test]
    fn a_fingerprint_is_of_a_set(set in set(), cut in 0_usize..400) {
        let forward = set.iter().fold(Fingerprint::default(), |sum, (id, told)| sum.with(id, *told));
        let of = |part: &[(&RecordId, &Digest)]| part.iter().fold(Fingerprint::default(), |sum, (id, told)| sum.with(id, **told));
        let all: Vec<_> = set.iter().rev().collect();
        let (one, other) = all.split_at(cut.min(all.len()));
        prop_assert_eq!(of(one).and(&of(other)).digest(), forward.digest());
    }

    /// One more, one less, one other: another fingerprint.
    #[test]
    fn sets_that_differ_have_other_fingerprints(set in set(), at in any::<prop::sample::Index>(), bit in 0_usize..128) {
        prop_assume!(!set.is_empty());
        let whole = outline(&set, &Span::default()).fingerprint().digest();
        let id = set.keys().nth(at.index(set.len())).unwrap().clone();
        let mut bytes = *set[&id].as_bytes();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let mut other = set.clone();
        other.insert(id.clone(), Digest::from_bytes(bytes));
        prop_assert_ne!(outline(&other, &Span::default()).fingerprint().digest(), whole);
        other.remove(&id);
        prop_assert_ne!(outline(&other, &Span::default()).fingerprint().digest(), whole);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 16, ..ProptestConfig::default() })]

    /// All that differs crosses, and nothing else does.
    #[test]
    fn exactly_the_differences_cross(
        records in prop_oneof![0_usize..300, 300_usize..600],
        changes in proptest::collection::vec((0_u8..6, any::<prop::sample::Index>()), 0..12),
        seed in any::<u64>(),
    ) {
        let mut chance = Chance(seed);
        let (mut cloud, mut ada, mut ben, ids) = rebuilt(records, &mut chance);
        let mut touched = std::collections::BTreeSet::new();
        let (mut up, mut down, mut removed) = (0, 0, 0);
        for (kind, at) in changes {
            let id = (!ids.is_empty()).then(|| ids[at.index(ids.len())].clone());
            let id = id.filter(|id| kind < 2 || touched.insert(id.clone()));
            match (kind, id) {
                (0, _) => { make(&mut ada, &mut chance); up += 1; }
                (1, _) => { make(&mut ben, &mut chance); down += 1; }
                (2, Some(id)) => { rename(&mut ada, &id, "here"); up += 1; down += 1; }
                (3, Some(id)) => { rename(&mut ben, &id, "there"); down += 1; }
                (4, Some(id)) => { rename(&mut ada, &id, "here"); rename(&mut ben, &id, "there"); up += 1; down += 1; }
                (5, Some(id)) if records > 20 && removed < 2 => {
                    remove(&mut ben, &id);
                    down += 1;
                    removed += 1;
                }
                _ => {}
            }
        }
        cloud.sync(&mut ben);
        let (report, crossed) = sync(&mut cloud, &mut ada);
        prop_assert!(report.is_complete(), "{}", report);
        // A removal waits for the next round, and its record crosses again until then.
        if removed == 0 {
            prop_assert_eq!((crossed.up, crossed.down), (up, down), "of {}: {:?}", records, crossed);
        }
        for _ in 0..2 {
            cloud.sync(&mut ada);
            cloud.sync(&mut ben);
        }
        prop_assert_eq!(rows_of(ada.store()), rows_of(&cloud.store));
        prop_assert_eq!(rows_of(ben.store()), rows_of(&cloud.store));
    }
}

/// As `docs/wire.md` says it.
#[test]
fn the_page_names_the_fingerprint_of_no_record() {
    let nothing = Fingerprint::default().digest().to_string();
    assert!(include_str!("../../docs/wire.md").contains(&nothing), "{nothing}");
}

#[test]
fn what_is_told_of_a_record_binds_what_was_seen() {
    let (mut cloud, mut ada, mut ben) = (Cloud::new(), phone(1), phone(2));
    create(&mut ada, 0, &[("name", "x")]);
    cloud.sync(&mut ada);
    cloud.sync(&mut ben);
    edit(&mut ben, 0, "name", "y", 3);
    edit(&mut ben, 0, "name", "x", 4);
    let row = |phone: &Phone| phone.row(&people(), &rec(0)).unwrap().unwrap();
    let shown =
        |row: decide::row::Row| format!("{:?}", row.version.record().shown(Default::default()).collect::<Vec<_>>());
    assert_eq!(shown(row(&ada)), shown(row(&ben)));
    assert_ne!(told(&row(&ada)), told(&row(&ben)));
    // Ben's server is lost, and Ada supplies what she has: it shows the same, and has not seen what Ben has.
    cloud.sync(&mut ben);
    cloud.store = MemoryStore::server();
    cloud.sync(&mut ada);
    let (_, crossed) = sync(&mut cloud, &mut ben);
    assert_eq!((crossed.up, crossed.down), (1, 1));
    assert_eq!(rows_of(ben.store()), rows_of(&cloud.store));
}

/// The table of the study: bytes and messages of a comparison, records of random ids.
#[test]
fn a_comparison_costs_little_more_for_many_more_records() {
    for (records, differ, bytes) in [(1_000, 10, 8_000), (1_000, 200, 40_000), (8_000, 10, 14_000)] {
        let mut chance = Chance(9);
        let (mut cloud, mut ada, mut ben, ids) = rebuilt(records, &mut chance);
        for n in 0..differ {
            match n % 3 {
                0 => drop(make(&mut ada, &mut chance)),
                1 => drop(make(&mut ben, &mut chance)),
                _ => rename(&mut ben, &ids[n * records / differ], "there"),
            }
        }
        cloud.sync(&mut ben);
        let (report, crossed) = sync(&mut cloud, &mut ada);
        println!("{records} records, {differ} differ: {crossed:?}");
        assert!(report.is_complete());
        assert!(u32::try_from(crossed.compared).unwrap() <= records.ilog(16) + 1, "{crossed:?}");
        assert!(crossed.compared_bytes <= bytes, "{crossed:?}");
    }
}
