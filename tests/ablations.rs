//! Each defence of `docs/defences.md` that can be switched off is, one at a time, and `World` finds what breaks without it.
//!
//! `RUSTFLAGS='--cfg holdfast_ablations' cargo test --release --features testing --test ablations --target-dir target/ablations -- --nocapture`
//!
//! With `HOLDFAST_TELL=1` it tells each shortened history, line by line. No feature sets that cfg, so in every other build there is nothing here, and nothing to switch.
#![cfg(holdfast_ablations)]
#![allow(clippy::panic, clippy::print_stdout, reason = "a test may stop, and this one tells what it found")]
#![allow(clippy::unwrap_used, reason = "as above")]

#[allow(dead_code, reason = "each test file uses a part")]
#[path = "conversation/world.rs"]
mod world;

use holdfast::{
    MemoryStore, ReplicaId, Shape,
    testing::{Defence, Failure, World},
};
use world::{Cloud, Loose, create, edit, people, phone, rec};

/// Histories tried for one defence, at most.
const HISTORIES: u64 = 4_000;

/// The first history that breaks a promise, and how many were played.
fn first_failure() -> (u64, Option<Failure>) {
    for seed in 0..HISTORIES {
        if let Err(failure) = World::run(seed) {
            assert_ne!(failure.check, "harness", "{failure}");
            return (seed + 1, Some(failure));
        }
    }
    (HISTORIES, None)
}

/// What two installations under one id have written to one record, the server's memory of both being lost: `World` draws that, and
/// compares nothing of records that two installations have written under one name.
fn loses_a_clean_version() -> bool {
    let (mut cloud, mut ada) = (Cloud::new(), phone(1));
    (0..12).for_each(|n| create(&mut ada, n, &[("name", "x"), ("phone", "1")]));
    cloud.sync(&mut ada);
    let mut twin = ada.clone();
    edit(&mut ada, 3, "phone", "ada's", 7);
    edit(&mut twin, 4, "phone", "the twin's", 8);
    edit(&mut twin, 3, "phone", "the twin's", 8);
    cloud.sync(&mut twin);
    cloud.store = MemoryStore::server();
    cloud.sync(&mut ada);
    cloud.sync(&mut twin);
    twin.rotate(ReplicaId::from_entropy(50).unwrap(), [&people()]).unwrap();
    for _ in 0..2 {
        cloud.sync(&mut twin);
        cloud.sync(&mut ada);
    }
    let conflicts = |phone: &world::Phone| {
        let seen = phone.read::<Loose>(&people(), &rec(3), &Shape::new()).unwrap();
        assert!(seen.is_some(), "the record is there");
        phone.row(&people(), &rec(3)).unwrap().unwrap().version.record().conflicts().count()
    };
    [&ada, &twin].into_iter().any(|phone| conflicts(phone) != 1)
}

/// One test, since the switch is one for the whole process.
#[test]
fn each_defence_switched_off_is_found_and_nothing_is_found_with_all_of_them() {
    let mut missed = Vec::new();
    let mut most = 0;
    for defence in Defence::ALL {
        Defence::switch_off(Some(defence));
        if defence == Defence::CleanRenamed {
            missed.extend((!loses_a_clean_version()).then_some(defence));
            println!("{}: by one history, written down. S2: an edit is gone", defence.marker());
            continue;
        }
        let (played, failure) = first_failure();
        most = most.max(played);
        let Some(failure) = failure else {
            missed.push(defence);
            continue;
        };
        let Failure { seed, check, what, steps, .. } = &failure;
        println!(
            "{}: by history {played} (seed {seed}), shortened to {steps} steps. {check}: {what}",
            defence.marker()
        );
        if std::env::var_os("HOLDFAST_TELL").is_some() {
            failure.timeline.iter().for_each(|line| println!("    {line}"));
        }
    }
    Defence::switch_off(None);
    assert!(!loses_a_clean_version(), "with every defence");
    let most = most.max(300);
    for seed in 0..most {
        if let Err(failure) = World::run(seed) {
            panic!("with every defence: {failure}");
        }
    }
    println!("with every defence: {most} histories, nothing found");
    assert!(missed.is_empty(), "found nothing in {HISTORIES} histories without {missed:?}");
}
