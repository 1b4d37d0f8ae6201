//! The envelope of both ways.

use alloc::vec::Vec;

use super::{
    error::{Direction, FrameError},
    items::{read_digest, read_list, read_u32, write_digest, write_list},
    reply, request,
};
use crate::{
    talk::{
        extra::Extra,
        frame::{ReplyFrame, RequestFrame},
        limits::WireLimits,
    },
    values::codec::{self, DecodeError, Reader, Writer},
};

/// The version of the protocol that is spoken here.
pub const PROTOCOL: u64 = 1;

const CHECK: &str = "holdfast frame";

impl RequestFrame {
    /// The canonical bytes.
    ///
    /// ```
    /// use holdfast::{talk::{frame::RequestFrame, limits::WireLimits, message::Request}, *};
    /// # let account = "00112233445566778899aabbccddeeff".parse()?;
    /// let greeting = Request::Greet { collection: CollectionId::new("contacts")?, accepted: 12, at: None };
    /// let frame = RequestFrame {
    ///     session: 0x5eed,
    ///     step: 0,
    ///     account,
    ///     from: ReplicaId::from_entropy(7)?,
    ///     requests: vec![greeting],
    ///     extra: Default::default(),
    /// };
    /// let limits = WireLimits::default();
    /// let mut bytes = frame.encode(&limits)?;
    /// assert_eq!(RequestFrame::decode(&bytes, &limits)?, frame);
    ///
    /// bytes[30] ^= 1;
    /// assert!(RequestFrame::decode(&bytes, &limits).is_err());
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`FrameError::TooLong`], and [`DecodeError::TooMany`] in [`FrameError::Decode`]: a receiver of these limits would
    /// refuse it.
    pub fn encode(&self, limits: &WireLimits) -> Result<Vec<u8>, FrameError> {
        limits.check_items(self.requests.len())?;
        self.requests.iter().try_for_each(|request| request::check(request, limits))?;
        at_most(limits, self.written())
    }

    /// Checks bytes from outside and takes them. What is accepted is byte for byte what [`encode`](Self::encode) gives.
    ///
    /// # Errors
    /// Any [`FrameError`]. Memory used is bounded by the length of `bytes`, whatever they declare.
    pub fn decode(bytes: &[u8], limits: &WireLimits) -> Result<Self, FrameError> {
        let mut reader = open(bytes, limits, Direction::Request)?;
        let frame = Self {
            session: read_session(&mut reader)?,
            step: read_u32(&mut reader)?,
            account: read_digest(&mut reader)?,
            from: codec::read_id(&mut reader)?,
            requests: read_list(&mut reader, limits, 1, |reader| request::read(reader, limits))?,
            extra: Extra::read(&mut reader)?,
        };
        reader.close()?;
        if frame.written() == bytes { Ok(frame) } else { Err(DecodeError::NotCanonical.into()) }
    }

    fn written(&self) -> Vec<u8> {
        let mut writer = begun(Direction::Request, self.session, self.step);
        write_digest(&mut writer, &self.account);
        writer.bytes(self.from.as_bytes());
        write_list(&mut writer, 1, &self.requests, request::write);
        self.extra.write(&mut writer);
        writer.finish_with_check(CHECK)
    }
}

impl ReplyFrame {
    /// The canonical bytes.
    ///
    /// # Errors
    /// As [`RequestFrame::encode`].
    pub fn encode(&self, limits: &WireLimits) -> Result<Vec<u8>, FrameError> {
        limits.check_items(self.replies.len())?;
        self.replies.iter().try_for_each(|reply| reply::check(reply, limits))?;
        at_most(limits, self.written())
    }

    /// Checks bytes from outside and takes them, as strictly as [`RequestFrame::decode`].
    ///
    /// # Errors
    /// Any [`FrameError`].
    pub fn decode(bytes: &[u8], limits: &WireLimits) -> Result<Self, FrameError> {
        let mut reader = open(bytes, limits, Direction::Reply)?;
        let frame = Self {
            session: read_session(&mut reader)?,
            step: read_u32(&mut reader)?,
            from: codec::read_id(&mut reader)?,
            replies: read_list(&mut reader, limits, 1, |reader| reply::read(reader, limits))?,
            extra: Extra::read(&mut reader)?,
        };
        reader.close()?;
        if frame.written() == bytes { Ok(frame) } else { Err(DecodeError::NotCanonical.into()) }
    }

    fn written(&self) -> Vec<u8> {
        let mut writer = begun(Direction::Reply, self.session, self.step);
        writer.bytes(self.from.as_bytes());
        write_list(&mut writer, 1, &self.replies, reply::write);
        self.extra.write(&mut writer);
        writer.finish_with_check(CHECK)
    }
}

impl Direction {
    const fn kind(self) -> u64 {
        match self {
            Self::Request => 0,
            Self::Reply => 1,
        }
    }

    /// Items of a frame, from the version to the check.
    const fn items(self) -> usize {
        match self {
            Self::Request => 9,
            Self::Reply => 8,
        }
    }
}

/// Reads up to the kind: the length, the version, the check, and then the rest, so damaged bytes are not looked at further.
fn open<'b>(bytes: &'b [u8], limits: &WireLimits, direction: Direction) -> Result<Reader<'b>, FrameError> {
    let (limit, found) = (limits.max_frame_bytes, bytes.len());
    if found > limit {
        return Err(FrameError::TooLong { limit, found });
    }
    let (mut reader, items) = Reader::open_any(bytes, CHECK).map_err(|error| match error {
        DecodeError::UnknownFormat { found } => FrameError::Version { found, least: PROTOCOL, greatest: PROTOCOL },
        error => error.into(),
    })?;
    let found = reader.uint()?;
    if found != direction.kind() {
        return Err(FrameError::WrongDirection { expected: direction, found });
    }
    if items == direction.items() { Ok(reader) } else { Err(reader.expected("a frame of another length").into()) }
}

fn begun(direction: Direction, session: u64, step: u32) -> Writer {
    let mut writer = Writer::default();
    writer.array(direction.items());
    writer.uint(PROTOCOL);
    writer.uint(direction.kind());
    writer.bytes(&session.to_be_bytes());
    writer.uint(u64::from(step));
    writer
}

fn read_session(reader: &mut Reader<'_>) -> Result<u64, DecodeError> {
    reader.fixed().map(u64::from_be_bytes)
}

fn at_most(limits: &WireLimits, bytes: Vec<u8>) -> Result<Vec<u8>, FrameError> {
    let (limit, found) = (limits.max_frame_bytes, bytes.len());
    if found > limit { Err(FrameError::TooLong { limit, found }) } else { Ok(bytes) }
}
