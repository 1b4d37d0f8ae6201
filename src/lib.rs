//! A two-way sync engine that refuses to let a sync wipe a good copy.

#![no_std]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod values;
pub mod decide;
pub mod act;
pub mod compose;
