//! One conversation from the device's side: what belongs to it, and what does not.

use alloc::vec::Vec;

use super::{
    codec::FrameError,
    extra::Extra,
    frame::{ReplyFrame, RequestFrame},
    limits::WireLimits,
    message::{Refused, Reply, Request},
};
use crate::values::{digest::Digest, id::ReplicaId};

/// Why a reply was not taken. Nothing was changed: the request still stands, and can be sent again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SessionError {
    /// The bytes are no reply.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// The reply is of another session.
    #[error(
        "expected a reply of session {expected:016x}, found one of {found:016x}; nothing was changed; wait for the right one"
    )]
    OtherSession {
        /// This session.
        expected: u64,
        /// The reply's.
        found: u64,
    },
    /// The reply is to another request: late, or repeated.
    #[error(
        "expected the reply to request {expected}, found that to {found}; nothing was changed; wait for the right one"
    )]
    OtherStep {
        /// The request that waits.
        expected: u32,
        /// The reply's.
        found: u32,
    },
    /// The reply is of another server than the ones before.
    #[error("expected server {expected}, found {found}; nothing was changed; begin another session")]
    OtherServer {
        /// The server of this session.
        expected: ReplicaId,
        /// The reply's.
        found: ReplicaId,
    },
    /// The reply does not answer what was asked.
    #[error("expected a reply to {expected}, found something else; nothing was changed; send the request again")]
    Unexpected {
        /// What was asked.
        expected: &'static str,
    },
    /// The server could not read the request.
    #[error("nothing was changed: the server did not take the request: {0}")]
    Unread(Refused),
    /// Nothing was asked.
    #[error("expected nothing, found a reply; nothing was changed; drop it")]
    Unasked,
}

/// The side that asks. It numbers its requests, and takes only the replies to them.
#[derive(Debug, Clone)]
pub struct Initiator {
    session: u64,
    step: u32,
    account: Digest,
    from: ReplicaId,
    server: Option<ReplicaId>,
    asked: usize,
}

impl Initiator {
    /// A session; `session` is drawn at random for it.
    #[must_use]
    pub const fn new(session: u64, account: Digest, from: ReplicaId) -> Self {
        Self { session, step: 0, account, from, server: None, asked: 0 }
    }

    /// Names the session.
    #[must_use]
    pub const fn session(&self) -> u64 {
        self.session
    }

    /// The server, once it has replied.
    #[must_use]
    pub const fn server(&self) -> Option<ReplicaId> {
        self.server
    }

    /// The frame that asks this.
    ///
    /// # Errors
    /// [`FrameError`] where it is more than may cross; nothing was changed.
    pub fn ask(&mut self, requests: Vec<Request>, limits: &WireLimits) -> Result<Vec<u8>, FrameError> {
        let (step, asked) = (self.step.saturating_add(1), requests.len());
        let Self { session, account, from, .. } = *self;
        let bytes = RequestFrame { session, step, account, from, requests, extra: Extra::default() }.encode(limits)?;
        (self.step, self.asked) = (step, asked);
        Ok(bytes)
    }

    /// The replies in a frame, one for each request.
    ///
    /// # Errors
    /// [`SessionError`]; nothing was changed.
    pub fn hear(&mut self, bytes: &[u8], limits: &WireLimits) -> Result<Vec<Reply>, SessionError> {
        let frame = ReplyFrame::decode(bytes, limits)?;
        // A server that can not read a request can not tell whose it was, either.
        if let (0, 0, [Reply::Refused(refused)]) = (frame.session, frame.step, frame.replies.as_slice()) {
            return Err(SessionError::Unread(*refused));
        }
        if frame.session != self.session {
            return Err(SessionError::OtherSession { expected: self.session, found: frame.session });
        }
        if frame.step != self.step {
            return Err(SessionError::OtherStep { expected: self.step, found: frame.step });
        }
        if let Some(expected) = self.server.filter(|server| *server != frame.from) {
            return Err(SessionError::OtherServer { expected, found: frame.from });
        }
        if frame.replies.len() != self.asked {
            return Err(SessionError::Unexpected { expected: "each request" });
        }
        self.server = Some(frame.from);
        Ok(frame.replies)
    }
}
