//! Values that describe doing, and the smallest store that does it.

pub mod receipt;
pub mod journal;
pub mod plan;
pub mod store;
pub mod memory;
pub mod apply;
