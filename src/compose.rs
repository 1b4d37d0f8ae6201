//! The whole pipeline, a page each: what a newcomer reads first.

pub mod round;
pub mod explain;
pub mod rebuild;
pub mod serve;
pub mod device_session;
pub mod converse;
pub mod device;
pub mod server;
pub mod exchange;
