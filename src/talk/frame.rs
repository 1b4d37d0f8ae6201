//! Several messages in an envelope: what one request or reply of the network carries.

use alloc::vec::Vec;

use serde::Serialize;

use super::{
    extra::Extra,
    message::{Reply, Request},
};
use crate::values::{digest::Digest, id::ReplicaId};

/// What a device sends.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RequestFrame {
    /// The session, at random: a reply of another one is refused.
    #[serde(serialize_with = "super::view::session")]
    pub session: u64,
    /// Which request of the session.
    pub step: u32,
    /// Digest of the account that the device belongs to.
    pub account: Digest,
    /// The device.
    pub from: ReplicaId,
    /// What it asks.
    pub requests: Vec<Request>,
    /// What a newer version of the library adds.
    #[serde(skip_serializing_if = "Extra::is_empty")]
    pub extra: Extra,
}

/// What a server sends: a reply to each request, in order.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReplyFrame {
    /// The session of the request.
    #[serde(serialize_with = "super::view::session")]
    pub session: u64,
    /// The step of the request.
    pub step: u32,
    /// The server.
    pub from: ReplicaId,
    /// What it says.
    pub replies: Vec<Reply>,
    /// What a newer version of the library adds.
    #[serde(skip_serializing_if = "Extra::is_empty")]
    pub extra: Extra,
}
