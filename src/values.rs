//! What exists: plain values, and the algebra that joins them.
//!
//! Nothing here decides, writes or talks. Reading order is the order below.

pub mod digest;
pub mod id;
pub mod record;
pub mod register;
pub mod shape;
pub mod superseded;
pub mod time;
pub mod value;
pub mod version_vector;
