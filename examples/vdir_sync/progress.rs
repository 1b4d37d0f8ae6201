//! How far a long run has come, for a person who is watching.

use std::{
    cell::Cell,
    io::{IsTerminal as _, stderr},
    time::{Duration, Instant},
};

/// Nothing is said before this, nor more often.
const PAUSE: Duration = Duration::from_millis(500);

/// Tells a terminal how far a run has come; says nothing anywhere else.
#[derive(Debug)]
pub(crate) struct Progress {
    last: Cell<Option<Instant>>,
}

impl Progress {
    pub(crate) fn new() -> Self {
        Self { last: Cell::new(stderr().is_terminal().then(Instant::now)) }
    }

    pub(crate) fn tell(&self, what: &str, done: usize, total: usize) {
        if self.last.get().is_some_and(|last| last.elapsed() >= PAUSE) {
            self.last.set(Some(Instant::now()));
            eprintln!("{what}: {done} of {total}");
        }
    }
}
