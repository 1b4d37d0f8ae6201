//! A two-way sync engine that refuses to let a sync wipe a good copy.

#![no_std]

extern crate alloc;

pub mod values;
pub mod decide;
pub mod act;
pub mod compose;

pub use act::{memory::MemoryStore, receipt::Receipt, store::Store};
pub use compose::{device::Device, exchange::exchange, explain::Explanation, server::Server};
pub use decide::{
    consent::Trust,
    guard::{Guard, Inputs},
    ledger::RoundId,
    limits::Limits,
    line::Hold,
    write::{Seen, Write},
};
pub use values::{
    id::{CollectionId, RecordId, ReplicaId},
    record::Record,
    register::Cause,
    shape::Shape,
    time::Timestamp,
    value::Value,
    version_vector::VersionVector,
};
