//! What an answer and an undo write: the former contents, over all that came.

use alloc::{collections::BTreeSet, format, string::String};

use super::{
    super::{Record, Seeing},
    DELETED, by_person, cleared, created, deleted, edited,
    every_history::{EVERY_OP, Plain, Real},
    explorer::{Bounds, World},
    name, values,
};
use crate::values::{
    id::FieldName,
    value::Value,
    version::Version,
    version_vector::{Causality, Dot},
};

fn shown(record: &Record, field: &FieldName) -> BTreeSet<Value> {
    let siblings = record.fields().get(field).map(|register| register.siblings()).unwrap_or_default();
    siblings.iter().map(|sibling| sibling.value.clone()).collect()
}

fn dots(record: &Record, field: &FieldName) -> BTreeSet<Dot> {
    let siblings = record.fields().get(field).map(|register| register.siblings()).unwrap_or_default();
    siblings.iter().map(|sibling| sibling.stamp.dot).collect()
}

/// What must hold of `all.restored(former)` where `all` has seen all of `former`.
fn check(former: &Record, all: &Record) -> Result<(), String> {
    let stamp = by_person(9, 7);
    let told = |law: &str, back: &Record| Err(format!("{law}: {former:?}\nunder {all:?}\nback {back:?}"));
    for exactly in [false, true] {
        let back = all.restored(stamp, former, exactly);
        if !back.is_alive() || back.life().siblings().iter().any(|sibling| sibling.stamp != stamp) {
            return told("it is there, by this write", &back);
        }
        if back.compare(all) != Causality::After {
            return told("it has seen more", &back);
        }
        for other in [all, former] {
            if back.join(other) != back || other.join(&back) != back {
                return told("what it has seen adds nothing", &back);
            }
        }
        if Version::encode(&back).record() != back {
            return told("it encodes", &back);
        }
        for field in former.fields().keys().chain(all.fields().keys()) {
            let is_covered = !dots(former, field).is_subset(&dots(all, field));
            let wanted = if exactly || is_covered { shown(former, field) } else { shown(all, field) };
            if shown(&back, field) != wanted || !shown(former, field).is_subset(&shown(&back, field)) {
                return told(field.as_str(), &back);
            }
        }
    }
    Ok(())
}

#[test]
fn in_every_history_what_was_covered_is_back_and_what_only_the_other_has_stands() {
    let mut checked = BTreeSet::new();
    let bounds = Bounds { writes: 3, replicas: 3, ops: EVERY_OP, stale: true, stride: 1 };
    let explored = World::<Real>::new().explore(&bounds, &mut |world, history| {
        for former in &history.versions {
            for other in &history.versions {
                let all = world.join(*former, *other);
                if checked.insert((*former, all)) {
                    let [Plain(former), Plain(all)] = [*former, all].map(|id| &world.versions[id]);
                    check(former, all)?;
                }
            }
        }
        Ok(())
    });
    assert!(explored.map(|explored| explored.histories).unwrap_or_else(|found| panic!("{found}")) >= 3_000);
    assert!(checked.len() >= 5_000, "{} pairs", checked.len());
}

#[test]
fn a_kept_record_is_there_again_with_its_values_and_the_new_registers_of_the_other() {
    let stored = created(by_person(0, 1), &[("x", "kept"), ("y", "kept too")]);
    let emptied = stored.edited(by_person(1, 1), &stored.seeing(), cleared("x"));
    let all = deleted(&edited(&emptied, by_person(1, 2), &[("z", "new")]), by_person(1, 3));
    let back = all.restored(by_person(0, 2), &stored, false);
    assert!(back.is_alive());
    assert_eq!(
        (values(&back, "x"), values(&back, "y")),
        ([String::from("kept")].into(), [String::from("kept too")].into())
    );
    assert_eq!(values(&back, "z"), ["new"]);
    // `y` was not covered, so its own write stands.
    assert_eq!(dots(&back, &name("y")), dots(&stored, &name("y")));
}

#[test]
fn an_exact_restoration_empties_the_registers_that_had_nothing() {
    let stored = created(by_person(0, 1), &[("x", "old")]);
    let all = edited(&stored, by_person(1, 1), &[("x", "new"), ("z", "new")]);
    let back = all.restored(by_person(0, 2), &stored, true);
    assert_eq!((values(&back, "x"), values(&back, "z")), ([String::from("old")].into(), [].into()));
    assert!(back.superseded().contains(all.content_digest()));
}

#[test]
fn both_values_of_a_conflict_come_back_and_meet_a_later_edit_as_siblings() {
    let first = created(by_person(0, 1), &[("x", "one")]);
    let stored = first.edited(by_person(1, 1), &Seeing::default(), super::written(&[("x", "two")]));
    assert_eq!(values(&stored, "x"), ["one", "two"]);
    let all = edited(&stored, by_person(2, 1), &[("x", "three")]);
    let back = all.restored(by_person(0, 2), &stored, false);
    assert_eq!(values(&back, "x"), ["one", "two"]);
    let meanwhile = edited(&all, by_person(2, 2), &[("x", "four")]);
    let joined = back.join(&meanwhile);
    assert_eq!(values(&joined, "x"), ["one", "two", "four"]);
    assert_eq!(values(&edited(&joined, by_person(1, 2), &[("x", "five")]), "x"), ["five"]);
}

#[test]
fn a_record_kept_over_its_certificate_alone_is_whole() {
    let stored = created(by_person(0, 1), &[("x", "kept")]);
    let purged = stored.with_life(by_person(1, 1), &stored.seeing(), DELETED).purged();
    let back = purged.join(&stored).restored(by_person(0, 2), &stored, false);
    assert_eq!(values(&back, "x"), ["kept"]);
    assert_eq!(values(&purged.join(&back), "x"), ["kept"]);
}
