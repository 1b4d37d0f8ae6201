//! Frames as an outsider meets them: golden bytes, damage, limits, sizes, and `docs/wire.md`.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test may stop, and says what it measured"
)]
#![allow(missing_docs, unreachable_pub, reason = "no one imports a test")]

mod support;

#[path = "wire/arbitrary.rs"]
mod arbitrary;
#[path = "wire/examples.rs"]
mod examples;
#[allow(dead_code, reason = "each test file uses a part")]
#[path = "conversation/peer.rs"]
mod peer;
#[allow(dead_code, reason = "each test file uses a part")]
#[path = "conversation/world.rs"]
mod world;
#[path = "wire/golden.rs"]
mod golden;
#[path = "wire/laws.rs"]
mod laws;
#[path = "wire/made_up.rs"]
mod made_up;
#[path = "wire/memory.rs"]
mod memory;
#[path = "wire/page.rs"]
mod page;
#[path = "wire/patches.rs"]
mod patches;
#[path = "wire/size.rs"]
mod size;
#[path = "wire/strict.rs"]
mod strict;
#[path = "support/workload.rs"]
mod workload;
#[path = "wire/view.rs"]
mod view;
