//! The item format of `examples/vdir_sync`: a file comes back as it was, edits of different properties go together, and
//! neither a damaged file nor a hostile peer gets anything past it.

#![allow(
    dead_code,
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test may stop"
)]

#[path = "../examples/vdir_sync/item.rs"]
mod item;
#[path = "vdir_item/cards.rs"]
mod cards;
#[path = "vdir_item/made.rs"]
mod made;
#[path = "vdir_item/round_trip.rs"]
mod round_trip;
#[path = "vdir_item/damage.rs"]
mod damage;
#[path = "vdir_item/naming.rs"]
mod naming;
#[path = "vdir_item/merging.rs"]
mod merging;
#[path = "vdir_item/hostile.rs"]
mod hostile;
#[path = "vdir_item/large.rs"]
mod large;
#[path = "vdir_item/properties.rs"]
mod properties;
