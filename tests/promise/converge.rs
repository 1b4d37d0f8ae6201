//! Replicas that come to agree: convergence (L1), quiet (L3), clocks (S14), and the same bytes (S17).

use std::collections::{BTreeMap, BTreeSet};

use holdfast::{
    act::{memory::MemoryStore, store::Store},
    compose::{device::Device, round::show},
    decide::{
        changes::Changes,
        consent::Verdict,
        row::Row,
        slice::{Query, ReadSet},
    },
    values::{digest::Digest, id::RecordId, register::Cause},
};
use proptest::prelude::*;

use crate::{
    cluster::{Cluster, Coverage, DEVICES, Event, Op, SERVER, explore, steady},
    world::*,
};

fn stored(rows: &Rows) -> BTreeMap<RecordId, Digest> {
    rows.values().map(|row| (row.record.clone(), row.version.digest())).collect()
}

/// What a replica knows: every surviving write; of a dead record, its certificate.
fn known(rows: &Rows) -> BTreeMap<RecordId, (bool, BTreeSet<String>)> {
    let of = |row: &Row| {
        let alive = row.known().is_alive();
        let mut writes = survivors(row.known());
        writes.retain(|write| alive || write.starts_with("life"));
        (row.record.clone(), (alive, writes))
    };
    rows.values().map(of).collect()
}

/// Records whose fields some replica has purged. If one of them is revived, those who still have its fields learn of it
/// in the two rounds, and the others get the fields back in the two after that.
fn purged(cluster: &Cluster) -> BTreeSet<RecordId> {
    let rows = cluster.all_rows().into_iter().flat_map(Rows::into_values);
    rows.filter(|row| !row.version.fields_context().is_all_of(row.version.context())).map(|row| row.record).collect()
}

fn run(ops: &[Op], clock: fn(usize, i64) -> i64) -> Cluster {
    let mut cluster = Cluster::new(clock);
    for op in ops {
        let _ = cluster.play(op);
    }
    cluster
}

#[test]
fn l1_all_replicas_know_the_same_within_two_rounds_once_faults_stop_and_store_the_same_once_answered() {
    let answered = std::cell::Cell::new(0_usize);
    let coverage = explore(100, 50, |ops| {
        let mut cluster = run(ops, steady);
        let mut slower = purged(&cluster);
        let _ = cluster.settle();
        slower.extend(purged(&cluster));
        let of = |cluster: &Cluster, side| {
            let mut known = known(&cluster.rows(side));
            known.retain(|record, _| !slower.contains(record));
            known
        };
        for side in 0..DEVICES {
            let (ours, theirs) = (of(&cluster, side), of(&cluster, SERVER));
            prop_assert_eq!(ours, theirs, "device {} knows something else", side);
        }
        let _ = cluster.settle();
        for verdict in [Verdict::Keep, Verdict::Consent] {
            answered.set(answered.get() + cluster.answer_all(verdict));
        }
        prop_assert!(cluster.open_lines().is_empty(), "still open: {:?}", cluster.open_lines());
        let first = cluster.rows(SERVER);
        for side in 0..DEVICES {
            let rows = cluster.rows(side);
            prop_assert_eq!(stored(&rows), stored(&first), "device {} stores something else", side);
            prop_assert_eq!(shown(cluster.devices[side].store()), shown(cluster.server.store()));
            prop_assert!(cluster.devices[side].pending(&people(), usize::MAX).unwrap().offers.is_empty());
        }
        Ok(cluster.coverage)
    });
    coverage.assert_full();
    assert!(answered.get() > 10, "held records were answered only {} times", answered.get());
}

#[test]
fn l3_a_sync_with_nothing_to_do_writes_nothing() {
    let coverage = explore(40, 40, |ops| {
        let mut cluster = run(ops, steady);
        let _ = cluster.settle();
        let _ = cluster.answer_all(Verdict::Keep);
        let _ = cluster.settle();
        let everything = |cluster: &Cluster| {
            let stores: Vec<String> = cluster.devices.iter().map(|device| whole(device.store())).collect();
            (stores, whole(cluster.server.store()), cluster.revisions())
        };
        let before = everything(&cluster);
        for event in cluster.settle() {
            match event {
                Event::Built { message, side } => {
                    prop_assert_eq!(side, SERVER, "a device with nothing new sent something");
                    prop_assert!(cluster.mail[message].changes.offers.is_empty());
                }
                Event::Delivered { receipt, .. } => prop_assert!(receipt.is_quiet()),
                Event::Wrote { .. } | Event::Purged { .. } => prop_assert!(false, "nobody wrote"),
            }
        }
        prop_assert_eq!(before, everything(&cluster));
        Ok(cluster.coverage)
    });
    coverage.assert_full();
}

/// People's writes only: what a machine brings back is recognised by what was shown, and may be held for it.
fn by_people(ops: &[Op]) -> Vec<Op> {
    let person = |op: &Op| match op.clone() {
        Op::Create { device, record, .. } => Op::Create { device, record, cause: Cause::User },
        Op::Edit { device, record, field, clear, .. } => Op::Edit { device, record, field, clear, cause: Cause::User },
        other => other,
    };
    ops.iter().map(person).collect()
}

fn wild(side: usize, write: i64) -> i64 {
    let side = i64::try_from(side).unwrap();
    (write * 7_919 + side * 104_729) % 1_000_003 * if side == 1 { -1 } else { 1 }
}

fn frozen(_: usize, _: i64) -> i64 {
    i64::MAX
}

#[test]
fn s14_the_clock_never_decides_what_survives() {
    let coverage = explore(40, 50, |ops| {
        let ops = by_people(ops);
        let clusters = [steady, wild, frozen].map(|clock| run(&ops, clock));
        let [first, others @ ..] = &clusters;
        for other in others {
            prop_assert_eq!(first.open_lines(), other.open_lines());
            for side in 0..=SERVER {
                let (ours, theirs) = (first.rows(side), other.rows(side));
                prop_assert_eq!(ours.keys().collect::<Vec<_>>(), theirs.keys().collect::<Vec<_>>());
                for (row, twin) in ours.values().zip(theirs.values()) {
                    prop_assert_eq!(survivors(&row.version), survivors(&twin.version));
                    prop_assert_eq!(survivors(row.known()), survivors(twin.known()));
                    prop_assert_eq!((row.standing, row.lost), (twin.standing, twin.lost));
                }
            }
        }
        Ok(first.coverage.clone())
    });
    coverage.assert_full();
}

/// Every byte that a history leaves behind: versions, what is held back, holds and numbers.
fn bytes_of(cluster: &Cluster) -> Vec<u8> {
    let mut bytes = Vec::new();
    for side in 0..=SERVER {
        for row in cluster.rows(side).values() {
            bytes.extend(row.version.as_bytes());
            bytes.extend(row.known().as_bytes());
            let numbers = [row.first_seen.0, row.changed_at.0, row.lost.map_or(0, |lost| lost.at.0)];
            bytes.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
        }
    }
    for store in cluster.devices.iter().map(Phone::store).chain([cluster.server.store()]) {
        let head = store.read(&ReadSet::head(people())).unwrap().head;
        bytes.extend(head.revision.0.to_le_bytes().iter().chain(&head.counter.to_le_bytes()));
        bytes.extend(head.hold.running.map(|digest| *digest.as_bytes()).unwrap_or_default());
    }
    bytes
}

#[test]
fn s17_the_same_inputs_give_the_same_bytes() {
    let coverage = explore(30, 50, |ops| {
        let (one, two) = (run(ops, wild), run(ops, wild));
        prop_assert!(bytes_of(&one) == bytes_of(&two));
        for (left, right) in one.devices.iter().zip(&two.devices) {
            prop_assert_eq!(whole(left.store()), whole(right.store()));
        }
        Ok(one.coverage)
    });
    coverage.assert_full();
}

/// A history that goes through every kind of step, without chance.
fn fixed_history() -> Vec<Op> {
    let mut ops = Vec::new();
    for n in 0..120_usize {
        let (device, record) = (n / 5 % DEVICES, n * 7 % 26);
        ops.push(match n % 12 {
            0 | 5 => Op::Edit { device, record, field: n, clear: n % 4 == 1, cause: Cause::User },
            1 => Op::Delete { device, record },
            2 if n % 24 == 2 => Op::Storm { device, first: record, count: 13 },
            2 => Op::Create { device, record, cause: Cause::Import },
            3 | 7 => Op::Push { device, reply_lost: n % 2 == 1 },
            4 | 8 => Op::Pull { device, limit: usize::MAX },
            6 => Op::Again { message: n * 31 },
            9 if n % 36 == 9 => Op::Answer { device: 0, verdict: Verdict::Consent },
            9 => Op::Answer { device, verdict: Verdict::Keep },
            10 => Op::Restore { device, record },
            _ if n % 24 == 11 => Op::Day { side: n % 4 },
            _ => Op::Undo { device, back: 0 },
        });
    }
    ops
}

/// Of the fixed history after 0, 40, 80 and 120 steps, and once all replicas agree. Other targets have to find the same.
const GOLDEN: [&str; 5] = [
    "d8e0b04ca33ffea5ba63880c55c62fe8",
    "0be0f1931ec4649f9ea8f468cb039aa7",
    "3f6deee88820ffdeb423a1e78376bdb1",
    "84726fcfd62a6eaca53909efe9cf0496",
    "2467194629c19709b46851f186e241c1",
];

#[test]
fn s17_every_target_finds_the_golden_digests_of_a_fixed_history() {
    let digest = |cluster: &Cluster| blake3::hash(&bytes_of(cluster)).to_hex()[..32].to_owned();
    let mut cluster = Cluster::new(wild);
    let mut found = vec![digest(&cluster)];
    for (step, op) in fixed_history().iter().enumerate() {
        let _ = cluster.play(op);
        if step % 40 == 39 {
            found.push(digest(&cluster));
        }
    }
    let Coverage { held, hidden, answers, .. } = cluster.coverage;
    assert!(held > 0 && hidden > 0 && answers > 0, "the history is too tame: {:?}", cluster.coverage);
    let _ = cluster.settle();
    found.push(digest(&cluster));
    assert_eq!(found, GOLDEN);
}

/// All that a device shows, as it would show it to a peer that knew nothing.
fn all_of(device: &Device<MemoryStore>) -> Changes {
    show(device.store(), device.replica(), &people(), Query::Range { after: None, limit: usize::MAX }).unwrap()
}

#[test]
fn l5_an_answered_question_is_not_asked_again_by_a_message_that_comes_late() {
    for verdict in [Verdict::Keep, Verdict::Consent] {
        let (mut a, mut b, mut server) = three_with(40);
        (0..20).for_each(|n| drop(delete(&mut a, n)));
        let _ = sync(&mut a, &mut server, 3);
        let _ = sync(&mut b, &mut server, 4);
        let (asked, late) = (b.hold(&people()).unwrap().unwrap(), all_of(&b));
        let shown_before = server.since(&people(), Default::default(), usize::MAX).unwrap();
        assert!(late.offers.iter().any(|offer| offer.held.is_some()));
        let _ = match verdict {
            Verdict::Keep => b.keep(&people(), asked.digest, "ada", at(9)).unwrap(),
            Verdict::Consent => b.consent(&people(), asked.digest, "ada", at(9)).unwrap(),
        };
        for n in 5..9 {
            let _ = sync(&mut b, &mut server, n);
            let _ = sync(&mut a, &mut server, n + 10);
        }
        let _ = server.take_in(late, &round(30)).unwrap();
        let _ = b.take_in(shown_before.clone(), &round(31)).unwrap();
        let _ = a.take_in(shown_before, &round(32)).unwrap();
        let holds = [a.hold(&people()), b.hold(&people()), server.hold(&people())];
        assert!(holds.iter().all(|hold| matches!(hold, Ok(None))), "{verdict:?}: asked again: {holds:?}");
    }
}
