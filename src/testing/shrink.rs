//! A whole run, and the shortest history that still breaks the same promise.

use alloc::vec::Vec;

use super::{
    failure::{Broken, Failure, Summary},
    history::History,
    world::World,
};

/// Histories that are tried to find a shorter one.
const TRIES: u32 = 600;

impl World {
    /// Plays the whole history of a seed.
    ///
    /// # Errors
    /// [`Failure`]: the promise that did not hold, and the shortest history that was found to break it.
    pub fn run(seed: u64) -> Result<Summary, Failure> {
        let history = History::draw(seed);
        match play(&history) {
            Ok(summary) => Ok(summary),
            Err(first) => Err(told(shrunk(history, first.check), first)),
        }
    }
}

fn play(history: &History) -> Result<Summary, Broken> {
    let mut world = World::of(history.clone())?;
    world.open()?;
    while world.advance()? {}
    Ok(world.summary().clone())
}

/// Plays it once more, and says what happens.
fn told(history: History, first: Broken) -> Failure {
    let seed = history.seed;
    let fail =
        |broken: Broken| Failure { seed, check: broken.check, what: broken.what, steps: 0, timeline: Vec::new() };
    let mut world = match World::of(history) {
        Ok(world) => world.told(),
        Err(broken) => return fail(broken),
    };
    if let Err(broken) = world.open() {
        return world.failed(broken);
    }
    loop {
        match world.step() {
            Ok(true) => {}
            Ok(false) => return fail(first),
            Err(failure) => return failure,
        }
    }
}

fn shrunk(mut history: History, check: &str) -> History {
    let mut tries = 0_u32;
    let mut breaks = |history: &History| {
        tries += 1;
        tries <= TRIES && play(history).is_err_and(|broken| broken.check == check)
    };
    let mut size = history.ops.len().div_ceil(2);
    while size > 0 {
        let mut from = 0;
        while from < history.ops.len() {
            let shorter = history.without(from, size);
            if breaks(&shorter) {
                history = shorter;
            } else {
                from += size;
            }
        }
        size /= 2;
    }
    while let Some(simpler) = history.simpler().into_iter().find(&mut breaks) {
        history = simpler;
    }
    let mut from = 0;
    while from < history.ops.len() {
        let shorter = history.without(from, 1);
        if breaks(&shorter) {
            history = shorter;
        } else {
            from += 1;
        }
    }
    history
}
