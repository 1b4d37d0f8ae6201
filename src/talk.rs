//! What crosses the network, as values and as bytes. It can not write, and it can not decide.

pub mod limits;
pub mod view;
pub mod offer;
pub mod compare;
pub mod message;
pub mod extra;
pub mod frame;
pub mod codec;
pub mod session;
