//! Devices and a server that share no cursor find out which records differ, and send those and no others.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects, reason = "a test may stop")]
#![allow(clippy::panic, clippy::print_stdout, reason = "a test may stop, and the figures are the point")]

#[allow(dead_code, reason = "each test file uses a part")]
#[path = "reconcile/crossed.rs"]
mod crossed;
#[path = "reconcile/forked.rs"]
mod forked;
#[path = "reconcile/hostile.rs"]
mod hostile;
#[allow(dead_code, reason = "each test file uses a part")]
#[path = "conversation/peer.rs"]
mod peer;
#[path = "reconcile/ranges.rs"]
mod ranges;
#[path = "reconcile/rebuild.rs"]
mod rebuild;
#[path = "reconcile/resume.rs"]
mod resume;
#[allow(dead_code, reason = "each test file uses a part")]
#[path = "support/workload.rs"]
mod workload;
#[allow(dead_code, reason = "each test file uses a part")]
#[path = "conversation/world.rs"]
mod world;
