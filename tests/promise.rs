//! The promise, letter by letter, at the public boundary: each test is named after the letter that it holds.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::large_enum_variant,
    clippy::needless_range_loop,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test may stop"
)]

#[path = "promise/adversary.rs"]
mod adversary;
#[path = "promise/answers.rs"]
mod answers;
#[path = "promise/cluster.rs"]
mod cluster;
#[path = "promise/converge.rs"]
mod converge;
#[path = "promise/kept.rs"]
mod kept;
#[path = "promise/oracle.rs"]
mod oracle;
#[path = "promise/survive.rs"]
mod survive;
#[path = "promise/world.rs"]
mod world;
