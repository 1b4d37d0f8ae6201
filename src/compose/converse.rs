//! Both sides over stores, for hosts that block: ten lines each over the pure parts, behind [`Server::serve`] and
//! [`Device::converse`].
//!
//! [`Server::serve`]: super::server::Server::serve
//! [`Device::converse`]: super::device::Device::converse

use alloc::vec::Vec;

use super::{
    device_session::{DeviceSession, Output, Report},
    serve::{Asked, Decision, Serving, barred, decide, read_set},
};
use crate::act::store::{CommitError, Store};
use crate::talk::{
    codec::FrameError,
    extra::Extra,
    frame::{ReplyFrame, RequestFrame},
    limits::WireLimits,
    message::{Refused, Reply, Request},
    session::SessionError,
};
use crate::values::{entropy::EntropyError, id::ReplicaId};

/// How often a request is decided again because somebody else has committed meanwhile.
const MAX_TRIES: u8 = 16;

/// Requests in one frame that are no greetings, at most.
const MAX_OTHERS: u8 = 2;

/// Why a server gave no reply. What it committed for earlier requests of the frame stays, and the frame can be sent again.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeFailed<E> {
    /// The store could not answer. The same frame served as [`Unavailable`](super::serve::Access::Unavailable) reads nothing.
    #[error("the store could not be read; nothing was changed for this request; tell the device to come back")]
    Read(#[source] E),
    /// The store did not commit.
    #[error(transparent)]
    Commit(#[from] CommitError<E>),
    /// A lineage has to begin, and the call's entropy is none.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
}

/// Why a session did not end. All that it committed stays, and the next one goes on from there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConverseFailed<E, T> {
    /// The store could not answer.
    #[error("the store could not be read; nothing was changed in this step; sync again")]
    Read(#[source] E),
    /// The store did not commit.
    #[error(transparent)]
    Commit(#[from] CommitError<E>),
    /// The reply was not one.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// The network failed. That says nothing of what the server has.
    #[error("the network failed; nothing was changed in this step; sync again")]
    Transport(#[source] T),
}

/// Serves one frame of a device over a server's store: for each request read, decide, commit, reply.
pub(super) fn serve<S: Store>(
    store: &mut S,
    bytes: &[u8],
    serving: &Serving<'_>,
) -> Result<Vec<u8>, ServeFailed<S::Error>> {
    let frame = match RequestFrame::decode(bytes, &serving.call.limits) {
        Ok(frame) => frame,
        Err(error) => return Ok(unread(&error, serving.server)),
    };
    let mut replies = Vec::new();
    let mut others = 0_u8;
    for request in &frame.requests {
        // Greetings are short, whoever asks. Of all else a frame holds a push and its audit; more would make the server
        // build any number of pages for a few bytes.
        others = others.saturating_add(u8::from(!matches!(request, Request::Greet { .. })));
        if others > MAX_OTHERS {
            replies.push(Reply::Refused(Refused::Malformed));
            continue;
        }
        let (session, account, from) = (frame.session, frame.account, frame.from);
        let asked = Asked { session, account, from, request, is_again: false };
        replies.push(reply(store, asked, serving)?);
    }
    let (session, step) = (frame.session, frame.step);
    let reply = ReplyFrame { session, step, from: serving.server, replies, extra: Extra::default() };
    Ok(reply.encode(&serving.call.limits).unwrap_or_else(|error| unread(&error, serving.server)))
}

fn reply<S: Store>(store: &mut S, first: Asked<'_>, serving: &Serving<'_>) -> Result<Reply, ServeFailed<S::Error>> {
    if let Some(refused) = barred(&first, serving.call) {
        return Ok(Reply::Refused(refused));
    }
    let mut tries = 0_u8;
    loop {
        let slice = store.read(&read_set(&first, &serving.call.limits)).map_err(ServeFailed::Read)?;
        let decision = match decide(&first, slice, serving)? {
            Decision::More(set) => {
                let slice = store.read(&set).map_err(ServeFailed::Read)?;
                decide(&Asked { is_again: true, ..first }, slice, serving)?
            }
            done @ Decision::Done { .. } => done,
        };
        let Decision::Done { batch, reply, .. } = decision else { return Ok(Reply::Refused(Refused::Malformed)) };
        let Some(batch) = batch else { return Ok(reply) };
        match store.commit(batch) {
            Ok(()) => return Ok(reply),
            Err(CommitError::Moved { .. }) if tries < MAX_TRIES => tries = tries.saturating_add(1),
            Err(error) => return Err(error.into()),
        }
    }
}

/// The reply to bytes that are no request. It names no session, since none can be read from them.
fn unread(error: &FrameError, server: ReplicaId) -> Vec<u8> {
    let refused = match *error {
        FrameError::Version { least, greatest, .. } => Refused::Version { least, greatest },
        FrameError::UnknownKind { kind } => Refused::UnknownKind { kind },
        FrameError::UnknownMethod { method } => Refused::UnknownMethod { method },
        _ => Refused::Malformed,
    };
    let replies = [Reply::Refused(refused)].into();
    let reply = ReplyFrame { session: 0, step: 0, from: server, replies, extra: Extra::default() };
    reply.encode(&WireLimits::default()).unwrap_or_default()
}

/// Drives a session over a device's store and a transport that takes a request and gives its reply.
pub(super) fn converse<S: Store, T>(
    session: &mut DeviceSession,
    store: &mut S,
    mut exchange: impl FnMut(&[u8]) -> Result<Vec<u8>, T>,
) -> Result<Report, ConverseFailed<S::Error, T>> {
    let mut tries = 0_u8;
    loop {
        match session.poll() {
            Output::Send(request) => {
                let reply = exchange(&request).map_err(ConverseFailed::Transport)?;
                session.received(&reply)?;
            }
            Output::Read(set) => session.loaded(store.read(&set).map_err(ConverseFailed::Read)?),
            Output::Commit(batch) => match store.commit(batch) {
                Ok(()) => session.committed(),
                Err(CommitError::Moved { .. }) if tries < MAX_TRIES => {
                    tries = tries.saturating_add(1);
                    session.moved();
                }
                Err(error) => return Err(error.into()),
            },
            Output::Done(report) => return Ok(*report),
        }
    }
}
