//! Each defence of `docs/defences.md` that can be switched off is, one at a time, and `World` finds what breaks without it.
//!
//! `RUSTFLAGS='--cfg holdfast_ablations' cargo test --release --features testing --test ablations --target-dir target/ablations -- --nocapture`
//!
//! With `HOLDFAST_TELL=1` it tells each shortened history, line by line. No feature sets that cfg, so in every other build there is nothing here, and nothing to switch.
#![cfg(holdfast_ablations)]
#![allow(clippy::panic, clippy::print_stdout, reason = "a test may stop, and this one tells what it found")]

use holdfast::testing::{Defence, Failure, World};

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

/// One test, since the switch is one for the whole process.
#[test]
fn each_defence_switched_off_is_found_and_nothing_is_found_with_all_of_them() {
    let mut missed = Vec::new();
    let mut most = 0;
    for defence in Defence::ALL {
        Defence::switch_off(Some(defence));
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
    let most = most.max(300);
    for seed in 0..most {
        if let Err(failure) = World::run(seed) {
            panic!("with every defence: {failure}");
        }
    }
    println!("with every defence: {most} histories, nothing found");
    assert!(missed.is_empty(), "found nothing in {HISTORIES} histories without {missed:?}");
}
