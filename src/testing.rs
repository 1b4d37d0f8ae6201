//! What a harness needs to try the whole engine out: [`World`], behind the cargo feature `testing`.
//!
//! Nothing else in the library names this module, and it is as pure as the rest: everything follows from one seed.

#![allow(clippy::arithmetic_side_effects, reason = "its numbers are small, and a harness may stop")]

mod chance;
mod failure;
mod names;
mod disk;
mod history;
mod ghost;
mod truth;
mod world;
mod shrink;

#[cfg(holdfast_ablations)]
pub use crate::values::ablation::Defence;
pub use failure::{Failure, Summary};
pub use world::World;
