//! Runs scenario files: an incident in plain text, what the guard must say, and what must be there at the end.
//!
//! The format is told in `tests/scenarios/README.md`. Everything in a file is checked: a line that is not understood, a
//! command that fails unannounced and an empty `verdict` or `after` are failures, like an expectation that is not met.

mod app;
mod command;
mod expect;
mod file;
mod limits;
mod names;
mod offers;
mod states;
mod store;
mod world;

pub use file::{Failure, Scenario};

use file::{Line, Section};
use world::World;

/// What one line of a scenario came to: nothing to say, or what was found instead.
pub type Checked = Result<(), String>;

/// Runs one scenario; every failure names its line.
pub fn run(scenario: &Scenario) -> Vec<Failure> {
    let mut failures = scenario.complaints();
    let guard = match limits::guard(scenario.lines(Section::Limits)) {
        Ok(guard) => guard,
        Err(failure) => return failures.into_iter().chain([failure]).collect(),
    };
    let mut world = World::new(guard);
    let mut pending: Option<(Line, String)> = None;
    for section in [Section::Before, Section::Changes, Section::Verdict, Section::After] {
        if section != Section::Verdict && section != Section::After {
            world.begin_section();
        }
        for line in scenario.lines(section) {
            let unannounced = pending.take_if(|_| !line.text.starts_with("expect error"));
            failures.extend(unannounced.map(|(at, error)| at.fails(&error)));
            match step(&mut world, section, line, pending.take()) {
                Ok(error) => pending = error.map(|error| (line.clone(), error)),
                Err(found) => failures.push(line.fails(&found)),
            }
        }
    }
    failures.extend(pending.map(|(at, error)| at.fails(&error)));
    failures
}

/// Runs one line. `Ok(Some(_))`: a command whose error the next line must expect.
fn step(
    world: &mut World,
    section: Section,
    line: &Line,
    error: Option<(Line, String)>,
) -> Result<Option<String>, String> {
    let is_check = matches!(section, Section::Verdict | Section::After);
    match (is_check, line.text.strip_prefix("expect ")) {
        (true, Some(_)) => Err("'expect' belongs into 'before' and 'changes'".into()),
        (true, None) if section == Section::Verdict => expect::verdict(world, &line.text, true).map(|()| None),
        (true, None) => states::state(world, &line.text).map(|()| None),
        (false, Some(expected)) => match expected.strip_prefix("error ") {
            Some(text) => announced(text, error).map(|()| None),
            None => match states::state(world, expected) {
                Err(why) if why == states::NOT_A_STATE => expect::verdict(world, expected, false).map(|()| None),
                checked => checked.map(|()| None),
            },
        },
        (false, None) => {
            world.begin_step();
            match command::run(world, &line.text) {
                Ok(()) => Ok(None),
                Err(command::Failed::NotUnderstood(why)) => Err(why),
                Err(command::Failed::Refused(error)) => Ok(Some(error)),
            }
        }
    }
}

fn announced(text: &str, error: Option<(Line, String)>) -> Checked {
    match error {
        Some((_, error)) if error.contains(text) => Ok(()),
        Some((_, error)) => Err(format!("error {error}")),
        None => Err("no error".into()),
    }
}
