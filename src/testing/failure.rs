//! What a run found: counts, or the check that broke and how it came to that.

use alloc::{collections::BTreeMap, string::String, vec::Vec};
use core::fmt;

/// What a run went through. A check that was never exercised has proved nothing: look at [`checks`](Self::checks).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Summary {
    /// Histories played.
    pub histories: u64,
    /// Steps played.
    pub steps: u64,
    /// Sessions that ended by themselves.
    pub sessions: u64,
    /// Requests that a server answered.
    pub requests: u64,
    /// Faults, by kind.
    pub faults: BTreeMap<&'static str, u64>,
    /// Losses that a device named, by outcome.
    pub losses: BTreeMap<&'static str, u64>,
    /// What checks compared, and what happened that they are about.
    pub checks: BTreeMap<&'static str, u64>,
}

impl Summary {
    /// Adds what another run went through.
    pub fn add(&mut self, other: &Self) {
        self.histories += other.histories;
        self.steps += other.steps;
        self.sessions += other.sessions;
        self.requests += other.requests;
        for (to, from) in
            [(&mut self.faults, &other.faults), (&mut self.losses, &other.losses), (&mut self.checks, &other.checks)]
        {
            from.iter().for_each(|(name, count)| *to.entry(name).or_default() += count);
        }
    }

    pub(crate) fn fault(&mut self, name: &'static str) {
        *self.faults.entry(name).or_default() += 1;
    }

    pub(crate) fn check(&mut self, name: &'static str) {
        *self.checks.entry(name).or_default() += 1;
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { histories, steps, sessions, requests, .. } = self;
        writeln!(f, "{histories} histories, {steps} steps, {sessions} sessions, {requests} requests")?;
        for (title, counts) in [("faults", &self.faults), ("losses named", &self.losses), ("checks", &self.checks)] {
            writeln!(f, "{title}:")?;
            counts.iter().try_for_each(|(name, count)| writeln!(f, "  {count:>10}  {name}"))?;
        }
        Ok(())
    }
}

/// A promise that did not hold, and the shortest history that was found to break it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Failure {
    /// The seed of the history.
    pub seed: u64,
    /// The letter of the promise.
    pub check: &'static str,
    /// What was expected, and what was found.
    pub what: String,
    /// Steps of that history until it broke; what follows them, when the faults have stopped, is none.
    pub steps: u64,
    /// What happened, a line or more a step.
    pub timeline: Vec<String>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {}", self.check, self.what)?;
        writeln!(f, "seed: {}, shortened to {} steps", self.seed, self.steps)?;
        self.timeline.iter().try_for_each(|line| writeln!(f, "  {line}"))
    }
}

impl core::error::Error for Failure {}

/// A promise that did not hold.
#[derive(Debug, Clone)]
pub(crate) struct Broken {
    pub(crate) check: &'static str,
    pub(crate) what: String,
}

/// Says that a promise did not hold.
pub(crate) fn broken<T>(check: &'static str, what: impl Into<String>) -> Result<T, Broken> {
    Err(Broken { check, what: what.into() })
}

/// Where the tester itself is wrong.
pub(crate) const HARNESS: &str = "harness";
