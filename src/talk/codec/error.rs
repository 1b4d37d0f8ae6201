//! Why a frame is refused.

use core::fmt;

use crate::values::codec::DecodeError;

/// Which way a frame goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From a device to a server.
    Request,
    /// From a server to a device.
    Reply,
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Request => "a request (frames of kind 0)",
            Self::Reply => "a reply (frames of kind 1)",
        })
    }
}

/// Why bytes are no frame, or a frame can not be sent. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// More bytes than [`WireLimits::max_frame_bytes`](crate::talk::limits::WireLimits::max_frame_bytes).
    #[error(
        "expected a frame of at most {limit} bytes, found {found}; nothing was changed. Raise the limit, or send less at once"
    )]
    TooLong {
        /// The limit, inclusive.
        limit: usize,
        /// Bytes found.
        found: usize,
    },
    /// A frame of another version of the protocol. A server answers it with
    /// [`Refused::Version`](crate::talk::message::Refused::Version).
    #[error(
        "expected version {least} to {greatest} of the protocol, found version {found}; nothing was changed. Update the older side"
    )]
    Version {
        /// The version found.
        found: u64,
        /// The least version that is spoken here.
        least: u64,
        /// The greatest version that is spoken here.
        greatest: u64,
    },
    /// A frame that goes the other way.
    #[error("expected {expected}, found a frame of kind {found}; nothing was changed. Look where it was sent")]
    WrongDirection {
        /// What was expected.
        expected: Direction,
        /// The kind found.
        found: u64,
    },
    /// A message of a kind that is not known here. A server answers it with
    /// [`Refused::UnknownKind`](crate::talk::message::Refused::UnknownKind).
    #[error("expected a message of a kind that is known here, found kind {kind}; nothing was changed. Update the app")]
    UnknownKind {
        /// The kind found.
        kind: u64,
    },
    /// A way to compare that is not known here. A server answers it with
    /// [`Refused::UnknownMethod`](crate::talk::message::Refused::UnknownMethod).
    #[error("expected a way to compare that is known here, found number {method}; nothing was changed. Update the app")]
    UnknownMethod {
        /// The number found.
        method: u64,
    },
    /// Damaged bytes, or something else in the frame than may be there.
    #[error(transparent)]
    Decode(#[from] DecodeError),
}
