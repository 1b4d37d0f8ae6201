//! What exists: plain values, and the algebra that joins them.
//!
//! Nothing here decides, writes or talks. Reading order is the order below.

pub(crate) mod ablation;
pub(crate) mod plural;
pub mod digest;
pub mod entropy;
pub mod time;
pub mod id;
pub mod version_vector;
pub mod dot_set;
pub mod value;
pub mod superseded;
pub mod register;
pub mod record;
pub mod codec;
pub mod version;
mod dispute;
pub(crate) mod redot;
pub mod patch;
pub mod shape;
