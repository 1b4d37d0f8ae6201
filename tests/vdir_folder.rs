//! What the folder example does on a disk: nothing is lost, nothing leads out of the root, and a kill at any moment
//! leaves a state from before or after.

#![cfg(unix)]
#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may stop"
)]

/// The two modules that are under test, as neighbours, as in the example.
#[path = "../examples/vdir_sync"]
mod vdir_sync {
    #![allow(dead_code, unused_imports, reason = "the example decides what it needs")]

    pub(crate) mod book;
    pub(crate) mod folder;
}

#[path = "vdir_folder/book.rs"]
mod book;
#[path = "vdir_folder/kill.rs"]
mod kill;
#[path = "vdir_folder/lock.rs"]
mod lock;
#[path = "vdir_folder/names.rs"]
mod names;
#[path = "vdir_folder/permissions.rs"]
mod permissions;
#[path = "vdir_folder/put.rs"]
mod put;
#[path = "vdir_folder/read.rs"]
mod read;
#[path = "vdir_folder/root_id.rs"]
mod root_id;
#[path = "vdir_folder/scratch.rs"]
mod scratch;
#[path = "vdir_folder/walk.rs"]
mod walk;
