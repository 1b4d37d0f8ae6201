//! A server that lost something is rebuilt: what was edited since is merged, what was deleted stays dead, and the report says
//! who brought what.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test may stop"
)]

#[allow(dead_code, reason = "each test file uses a part")]
#[path = "conversation/peer.rs"]
mod peer;
#[allow(dead_code, reason = "each test file uses a part")]
#[path = "conversation/world.rs"]
mod world;

#[path = "rebuild/deletes.rs"]
mod deletes;
#[path = "rebuild/orders.rs"]
mod orders;
