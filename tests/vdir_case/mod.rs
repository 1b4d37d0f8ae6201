//! Runs the case files of `tests/vdir` against the built example: what they can say is in `tests/vdir/README.md`.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

pub use altered::altered;
pub use file::{Case, Failure};

use file::{Instance, Line};
use world::World;

mod altered;
mod answers;
mod cards;
mod command;
mod edits;
mod expect;
mod faults;
mod file;
mod odd;
mod report;
mod select;
mod tool;
mod tree;
mod universal;
mod world;

/// Whether a line holds, or what was found instead.
pub type Checked = Result<(), String>;

/// What came of all cases.
#[derive(Debug, Default)]
pub struct Outcome {
    /// The lines that are not met.
    pub failures: Vec<Failure>,
    /// The expectations that were met and would have been met altered, too.
    pub blind: Vec<Failure>,
    /// How many expectations were altered and found out.
    pub altered: usize,
    /// How many instances ran.
    pub instances: usize,
}

/// Runs every instance of these cases, as many at a time as there are cores.
pub fn run(cases: &[Case]) -> Outcome {
    let instances: Vec<(&Case, &Instance)> =
        cases.iter().flat_map(|case| case.instances.iter().map(move |instance| (case, instance))).collect();
    let next = AtomicUsize::new(0);
    let outcome = Mutex::new(Outcome { instances: instances.len(), ..Outcome::default() });
    let cores = thread::available_parallelism().map_or(2, usize::from);
    thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                while let Some((case, instance)) = instances.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let one = run_one(case, instance);
                    let mut all = outcome.lock().expect("no thread panics with it");
                    all.failures.extend(one.failures);
                    all.blind.extend(one.blind);
                    all.altered += one.altered;
                }
            });
        }
    });
    let mut outcome = outcome.into_inner().expect("all threads are done");
    outcome.failures.extend(cases.iter().flat_map(|case| case.complaints.clone()));
    outcome.failures.sort();
    outcome.blind.sort();
    outcome
}

fn run_one(case: &Case, instance: &Instance) -> Outcome {
    let mut outcome = Outcome::default();
    let done = catch_unwind(AssertUnwindSafe(|| {
        let mut world = World::new(&instance.label, instance.roles);
        run_lines(&mut world, &instance.lines, &mut outcome);
        for failure in &mut outcome.failures {
            failure.found.push_str(&world.kept());
        }
    }));
    if done.is_err() {
        let line = Line { at: case.name.clone(), text: "the runner does not panic".into(), indent: 0 };
        outcome.failures.push(line.fails("it panicked, see above"));
    }
    for failure in outcome.failures.iter_mut().chain(&mut outcome.blind) {
        failure.label.clone_from(&instance.label);
    }
    outcome
}

/// Runs lines and the blocks under them. A command that can not be run ends the instance: what follows builds on it.
fn run_lines(world: &mut World, lines: &[Line], outcome: &mut Outcome) -> bool {
    let mut rest = lines;
    while let Some((line, after)) = rest.split_first() {
        let block = after.iter().take_while(|other| other.indent > line.indent).count();
        let (block, after) = after.split_at(block);
        rest = after;
        let done = match line.text.strip_prefix("expect ") {
            Some(_) => {
                check(world, line, outcome);
                true
            }
            None if block.is_empty() => command::run(world, line).map_or_else(
                |found| {
                    outcome.failures.push(line.fails(&found));
                    false
                },
                |()| true,
            ),
            None => run_block(world, line, block, outcome),
        };
        if !done {
            return false;
        }
        outcome.failures.extend(world.complaints().into_iter().map(|found| line.fails(&found)));
    }
    true
}

fn check(world: &World, line: &Line, outcome: &mut Outcome) {
    match expect::check(world, &line.text) {
        Err(found) => outcome.failures.push(line.fails(&found)),
        Ok(()) => match altered(&line.text) {
            None => outcome.blind.push(line.fails("there is no way to alter it")),
            Some(bad) if expect::check(world, &bad).is_ok() => {
                outcome.blind.push(line.fails(&format!("'{bad}' is met, too")));
            }
            Some(_) => outcome.altered += 1,
        },
    }
}

/// `repeat 30`, and `each cut of server's bookkeeping`: the lines below, many times.
fn run_block(world: &mut World, line: &Line, block: &[Line], outcome: &mut Outcome) -> bool {
    let words: Vec<&str> = line.text.split_whitespace().collect();
    match words.as_slice() {
        ["repeat", times] => match times.parse::<usize>() {
            Ok(times) => (0..times).all(|_| run_lines(world, block, outcome)),
            Err(_) => {
                outcome.failures.push(line.fails("no number"));
                false
            }
        },
        ["each", "cut", "of", folder, "bookkeeping"] => match faults::cuts(world, folder.trim_end_matches("'s")) {
            Ok(cuts) => cuts.iter().all(|cut| {
                let failed = outcome.failures.len();
                let goes_on = cut.make(world).is_ok() && run_lines(world, block, outcome);
                for failure in outcome.failures.iter_mut().skip(failed) {
                    failure.found = format!("[{cut}] {}", failure.found);
                }
                goes_on && outcome.failures.len() < failed + 3
            }),
            Err(found) => {
                outcome.failures.push(line.fails(&found));
                false
            }
        },
        _ => {
            outcome.failures.push(line.fails("no such block"));
            false
        }
    }
}
