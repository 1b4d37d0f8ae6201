//! What exists: plain values, and the algebra that joins them.
//!
//! Nothing here decides, writes or talks. Reading order is the order below.

pub mod id;
pub mod time;
pub mod value;
pub mod digest;
pub mod version_vector;
pub mod register;
pub mod superseded;
pub mod record;
pub mod codec;
pub mod version;
pub mod patch;
pub mod shape;
