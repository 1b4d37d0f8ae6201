//! Frames as bytes: a version, a kind, messages, and a check. `docs/wire.md` is the specification.
//!
//! What is accepted is byte for byte what encoding gives, so one frame has one encoding. Nothing is reserved by a declared
//! count, and nothing is read by recursion but values, which are bounded in depth.

mod compare;
mod error;
mod frame;
mod history;
mod items;
mod offers;
mod reply;
mod request;

pub use error::{Direction, FrameError};
pub use frame::PROTOCOL;
