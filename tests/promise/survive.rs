//! What survives: contents under contexts (S1), values (S2), what is superseded (S3), and what contexts cover (S9).

use std::collections::{BTreeMap, BTreeSet};

use holdfast::{
    decide::row::Row,
    values::{
        dot_set::DotSet,
        id::RecordId,
        version::Version,
        version_vector::{Dot, VersionVector},
    },
};
use proptest::prelude::*;

use crate::{
    cluster::{Cluster, DEVICES, Event, SERVER, explore, steady},
    world::*,
};

/// One surviving write: the record, the place in it, the dot, and the value.
type Written = (RecordId, String, Dot, String);

fn written(record: &RecordId, version: &Version) -> BTreeSet<Written> {
    let decoded = version.record();
    let one = |place: String, dot, value: String| (record.clone(), place, dot, value);
    let life = decoded.life().siblings().iter();
    let mut all: BTreeSet<_> = life.map(|s| one("life".into(), s.stamp.dot, format!("{:?}", s.value))).collect();
    for (name, register) in decoded.fields() {
        let place = format!("field {name}");
        all.extend(register.siblings().iter().map(|s| one(place.clone(), s.stamp.dot, format!("{:?}", s.value))));
    }
    all
}

fn held_anywhere(row: &Row) -> BTreeSet<Written> {
    let mut all = written(&row.record, &row.version);
    all.extend(written(&row.record, row.known()));
    all
}

fn of_all(rows: &Rows) -> BTreeSet<Written> {
    rows.values().flat_map(held_anywhere).collect()
}

fn is_purged(row: &Row) -> bool {
    !row.version.fields_context().is_all_of(row.version.context())
}

#[test]
fn s1_equal_contexts_mean_equal_content_on_any_two_replicas() {
    let shared = std::cell::Cell::new(0_usize);
    let coverage = explore(60, 50, |ops| {
        let mut cluster = Cluster::new(steady);
        type Key = (RecordId, VersionVector, DotSet);
        let mut contents: BTreeMap<Key, (BTreeSet<String>, bool, usize)> = BTreeMap::new();
        for op in ops {
            let _ = cluster.play(op);
            for (side, rows) in cluster.all_rows().into_iter().enumerate() {
                for row in rows.values() {
                    for version in [&row.version, row.known()] {
                        let key = (row.record.clone(), version.context().clone(), version.fields_context().clone());
                        let mut content = survivors(version);
                        if !version.is_alive() {
                            content.retain(|line| line.starts_with("life"));
                        }
                        let found = (content, version.is_alive(), side);
                        let first = contents.entry(key).or_insert_with(|| found.clone());
                        prop_assert_eq!((&first.0, first.1), (&found.0, found.1));
                        shared.set(shared.get() + usize::from(first.2 != side));
                    }
                }
            }
        }
        Ok(cluster.coverage)
    });
    coverage.assert_full();
    assert!(shared.get() > 1000, "contexts met on two replicas only {} times", shared.get());
}

#[test]
fn s2_no_sync_step_takes_a_value_out_of_the_union_of_all_replicas() {
    let gone = std::cell::Cell::new(0_usize);
    let coverage = explore(80, 50, |ops| {
        let mut cluster = Cluster::new(steady);
        let mut union: BTreeSet<Written> = cluster.all_rows().iter().flat_map(of_all).collect();
        // What people covered, deleted or answered, and what a retention dropped.
        let mut covered: BTreeSet<Written> = BTreeSet::new();
        for op in ops {
            for event in cluster.play(op) {
                match event {
                    Event::Wrote { side, before, after } => {
                        let (old, new) = (of_all(&before), of_all(&after));
                        covered.extend(old.difference(&new).cloned());
                        // A revival of a purged record covers its writer's own older values.
                        let revived = |record: &RecordId| {
                            before.get(record).is_some_and(is_purged) && before.get(record) != after.get(record)
                        };
                        let own = cluster.devices[side].replica();
                        let older = union.iter().filter(|(record, _, dot, _)| dot.replica == own && revived(record));
                        covered.extend(older.cloned());
                        union.extend(new);
                    }
                    Event::Purged { before, after, .. } => {
                        let dropped = of_all(&before);
                        covered.extend(dropped.difference(&of_all(&after)).cloned());
                    }
                    Event::Built { .. } | Event::Delivered { .. } => {}
                }
            }
            let here: BTreeSet<Written> = cluster.all_rows().iter().flat_map(of_all).collect();
            let missing: Vec<_> = union.difference(&covered).filter(|value| !here.contains(*value)).collect();
            prop_assert!(missing.is_empty(), "vanished: {missing:?}");
            gone.set(gone.get() + union.difference(&here).count());
        }
        Ok(cluster.coverage)
    });
    coverage.assert_full();
    assert!(gone.get() > 100, "hardly anything was ever covered");
}

#[test]
fn s3_a_replica_never_shows_again_a_value_that_it_has_seen_superseded() {
    let superseded = std::cell::Cell::new(0_usize);
    let coverage = explore(80, 50, |ops| {
        let mut cluster = Cluster::new(steady);
        let mut seen: Vec<BTreeSet<Written>> = vec![BTreeSet::new(); DEVICES + 1];
        let mut over: Vec<BTreeSet<Written>> = vec![BTreeSet::new(); DEVICES + 1];
        let mut purged: BTreeSet<RecordId> = BTreeSet::new();
        for op in ops {
            for event in cluster.play(op) {
                if let Event::Purged { after, .. } = event {
                    purged.extend(after.values().filter(|row| is_purged(row)).map(|row| row.record.clone()));
                }
            }
            for (side, rows) in cluster.all_rows().into_iter().enumerate() {
                let stored: BTreeSet<_> = rows.values().flat_map(|row| written(&row.record, &row.version)).collect();
                let back = stored.intersection(&over[side]);
                // The one exception: a revived record after a purge.
                let back: Vec<_> =
                    back.filter(|(record, place, ..)| place == "life" || !purged.contains(record)).collect();
                prop_assert!(back.is_empty(), "shown again on {side}: {back:?}");
                over[side].extend(seen[side].difference(&stored).cloned());
                seen[side].extend(stored);
                superseded.set(superseded.get().max(over[side].len()));
            }
        }
        Ok(cluster.coverage)
    });
    coverage.assert_full();
    assert!(superseded.get() > 10);
}

#[test]
fn s9_a_stored_context_covers_only_what_was_received() {
    let checked = std::cell::Cell::new(0_usize);
    let coverage = explore(60, 50, |ops| {
        let mut cluster = Cluster::new(steady);
        type Dots = BTreeSet<(RecordId, Dot)>;
        let dots = |rows: &Rows| -> Dots {
            let of = |row: &Row| row.known().context().iter().map(|dot| (row.record.clone(), dot)).collect::<Vec<_>>();
            rows.values().flat_map(of).collect()
        };
        // The start is authored by the first device and has reached everybody.
        let mut authored = dots(&cluster.rows(0));
        let mut reached: Vec<Dots> = vec![authored.clone(); DEVICES + 1];
        let mut carried: BTreeMap<usize, Dots> = BTreeMap::new();
        for op in ops {
            for event in cluster.play(op) {
                match event {
                    Event::Wrote { side, before, after } => {
                        let new: Vec<_> = dots(&after).difference(&dots(&before)).cloned().collect();
                        let own = cluster.devices[side].replica();
                        prop_assert!(new.iter().all(|(_, dot)| dot.replica == own), "authored for another: {new:?}");
                        authored.extend(new.iter().cloned());
                        reached[side].extend(new);
                    }
                    Event::Built { message, side } => {
                        let offers = &cluster.mail[message].changes.offers;
                        let sent: BTreeSet<_> = offers.iter().map(|offer| &offer.record).collect();
                        let known = reached[side].iter().filter(|(record, _)| sent.contains(record));
                        carried.insert(message, known.cloned().collect());
                    }
                    Event::Delivered { message, to, .. } => {
                        // Messages of the start carry nothing that had not reached everybody.
                        reached[to].extend(carried.get(&message).into_iter().flatten().cloned());
                    }
                    Event::Purged { .. } => {}
                }
            }
            for side in 0..=SERVER {
                for row in cluster.rows(side).values() {
                    for version in [&row.version, row.known()] {
                        for context in [DotSet::from(version.context()), version.fields_context().clone()] {
                            for range in context.iter() {
                                let named = (row.record.clone(), Dot { replica: range.replica, counter: range.last });
                                prop_assert!(reached[side].contains(&named), "{side} never received {named:?}");
                                checked.set(checked.get() + 1);
                            }
                            let covered = authored.iter().filter(|(r, dot)| *r == row.record && context.covers(*dot));
                            for dot in covered {
                                prop_assert!(reached[side].contains(dot), "{side} covers {dot:?} unseen");
                            }
                        }
                    }
                }
            }
        }
        Ok(cluster.coverage)
    });
    coverage.assert_full();
    assert!(checked.get() > 1000);
}
