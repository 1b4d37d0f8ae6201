//! The engine against the reference model: the same steps on both, compared after each op on every replica.

#![allow(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test should stop at its own bugs"
)]

mod machine;
mod model;

use std::{cell::RefCell, collections::BTreeMap};

use machine::{
    Engine,
    ops::{Modelled, Observed, Op},
    steps::{DEVICES, Step, next, settled},
};
use model::surviving;
use proptest::{
    prelude::*,
    test_runner::{RngSeed, TestRunner},
};
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest};

/// The model, and what was done before the first step.
#[derive(Clone)]
struct Reference {
    modelled: Modelled,
    settled: Vec<Step>,
}

impl std::fmt::Debug for Reference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "trust: {}, settled: {:?}", self.modelled.model.trust, self.settled)
    }
}

impl ReferenceStateMachine for Reference {
    type State = Self;
    type Transition = Step;

    fn init_state() -> BoxedStrategy<Self> {
        (prop::bool::weighted(0.9), settled())
            .prop_map(|(trust, settled)| {
                let start = Self { modelled: Modelled::new(trust), settled: Vec::new() };
                let reference = settled.iter().fold(start, <Self as ReferenceStateMachine>::apply);
                Self { settled, ..reference }
            })
            .boxed()
    }

    fn transitions(state: &Self) -> BoxedStrategy<Step> {
        next(&state.modelled)
    }

    fn apply(mut state: Self, step: &Step) -> Self {
        step.ops().iter().for_each(|(replica, op)| state.modelled.apply(*replica, op));
        state
    }
}

/// The engine, and the model at its pace.
struct Both {
    engine: Engine,
    model: Modelled,
}

thread_local! {
    static SEEN: RefCell<BTreeMap<&'static str, u64>> = const { RefCell::new(BTreeMap::new()) };
}

impl Both {
    fn step(&mut self, step: &Step) {
        for (replica, op) in step.ops() {
            let before = self.model.clone();
            self.model.apply(replica, &op);
            self.engine.apply(replica, &op);
            count(&before, &self.model, replica, &op);
            for r in 0..=DEVICES {
                let (engine, model) = (self.engine.observe(r), self.model.observe(r));
                assert_eq!(engine, model, "engine (left) and model at replica {r} after {op:?} of {replica}");
            }
        }
    }
}

/// What a run must have seen.
const HAPPENS: [&str; 11] = [
    "held",
    "proposed",
    "consented",
    "kept",
    "undone",
    "lost by sync",
    "revived by sync",
    "revived by a person",
    "line closed by sync",
    "purged",
    "op",
];

/// Counts what has happened, so that a run that tests nothing is noticed.
fn count(before: &Modelled, after: &Modelled, replica: usize, op: &Op) {
    let note = |what| SEEN.with_borrow_mut(|seen| *seen.entry(what).or_default() += 1);
    let changed = if matches!(op, Op::Push) { 0 } else { replica };
    let (was, is) = (before.observe(changed), after.observe(changed));
    note("op");
    let held = |seen: &Observed| seen.records.values().filter(|(_, waits)| waits.as_ref().is_some_and(|w| w.0)).count();
    let alive = |seen: &Observed| seen.records.values().filter(|(look, _)| look.is_some()).count();
    let revived = is
        .records
        .iter()
        .any(|(key, (look, _))| look.is_some() && was.records.get(key).is_some_and(|old| old.0.is_none()));
    if held(&is) > held(&was) {
        note(if matches!(op, Op::DeleteMany(..)) { "proposed" } else { "held" });
    }
    if matches!(op, Op::Answer(_, _, false)) && was != is {
        note("consented");
    }
    if matches!(op, Op::Answer(_, _, true)) && was != is {
        note("kept");
    }
    if matches!(op, Op::Undo(..)) && was != is {
        note("undone");
    }
    if matches!(op, Op::Push | Op::Pull) && alive(&is) < alive(&was) {
        note("lost by sync");
    }
    if revived {
        note(if matches!(op, Op::Push | Op::Pull) { "revived by sync" } else { "revived by a person" });
    }
    if matches!(op, Op::Push | Op::Pull)
        && is.open.values().map(Vec::len).sum::<usize>() < was.open.values().map(Vec::len).sum()
    {
        note("line closed by sync");
    }
    if matches!(op, Op::Day) {
        let fields = |all: &Modelled| {
            let rows = (0..2).flat_map(|collection| all.model.all(changed, collection));
            rows.filter(|(_, row)| !surviving(&row.version, false).is_empty()).count()
        };
        if fields(after) < fields(before) {
            note("purged");
        }
    }
}

impl StateMachineTest for Both {
    type SystemUnderTest = Self;
    type Reference = Reference;

    fn init_test(reference: &Reference) -> Self {
        let trust = reference.modelled.model.trust;
        let mut both = Self { engine: Engine::new(DEVICES + 1, trust), model: Modelled::new(trust) };
        reference.settled.iter().for_each(|step| both.step(step));
        both
    }

    fn apply(mut both: Self, _: &Reference, step: Step) -> Self {
        both.step(&step);
        both
    }
}

/// The run of every day is the same every day: `PROPTEST_CASES` asks for another number, of cases never seen.
const SEED: u64 = 2009;

/// As many as a debug build runs in a minute.
const CASES: u32 = 384;

#[test]
fn engine_and_model_agree_after_every_step() {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(CASES);
    let rng_seed = if cases == CASES { RngSeed::Fixed(SEED) } else { RngSeed::Random };
    let config = ProptestConfig { cases, rng_seed, ..ProptestConfig::with_source_file(file!()) };
    let run = |(reference, steps, counter)| {
        Both::test_sequential(ProptestConfig::default(), reference, steps, counter);
        Ok(())
    };
    if let Err(failure) = TestRunner::new(config).run(&Reference::sequential_strategy(1..40), run) {
        panic!("{failure}");
    }
    let seen = SEEN.take();
    println!("{seen:?}");
    for what in HAPPENS {
        assert!(cases < CASES || seen.contains_key(what), "never {what}: {seen:?}");
    }
}
