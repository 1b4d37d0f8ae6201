//! Who writes here: a replica's writes as a chain, so that two installations under one id are told apart (S5).
//!
//! A counter alone says how many writes there were; the hash says which.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::values::{
    ablation::is_off,
    digest::Digest,
    id::{RecordId, ReplicaId},
};

/// Links that a device remembers to have offered. Further back they are ever further apart.
const MAX_OFFERED: usize = 32;

/// A replica's writes in one collection up to a counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Link {
    /// The last write.
    pub counter: u64,
    /// Over all writes up to it.
    pub hash: Digest,
}

impl Link {
    /// Before the first write.
    pub(crate) fn none() -> Self {
        Self { counter: 0, hash: Digest::of("holdfast writes", &[]) }
    }
}

/// Under which id a store's own writes are, and which they were.
///
/// The host keeps the id of an installation *outside* of what is backed up, beside its [`Store`](crate::act::store::Store).
/// A store that was written under another id was restored or copied, and its writes are taken over first: see
/// [`Device::take_over`](crate::compose::device::Device::take_over).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Authorship {
    /// The id.
    pub replica: ReplicaId,
    /// Over all its writes here.
    pub hash: Digest,
    /// What was offered to a server, oldest first, whether it arrived or not.
    pub offered: Vec<Link>,
    /// The ids under which this store was written before. None of them is taken again.
    pub former: Vec<ReplicaId>,
}

impl Authorship {
    pub(crate) fn new(replica: ReplicaId, former: Vec<ReplicaId>) -> Self {
        Self { replica, hash: Link::none().hash, offered: Vec::new(), former }
    }

    /// One more write: this version of this record.
    pub(crate) fn write(&mut self, counter: u64, record: &RecordId, version: Digest) {
        let parts: [&[u8]; 4] =
            [self.hash.as_bytes(), &counter.to_be_bytes(), record.as_str().as_bytes(), version.as_bytes()];
        self.hash = Digest::of("holdfast write", &parts);
    }

    /// All writes up to the last, which has this counter.
    pub(crate) const fn link(&self, counter: u64) -> Link {
        Link { counter, hash: self.hash }
    }

    /// Notes that a link is about to be offered.
    pub(crate) fn offer(&mut self, link: Link) {
        if self.offered.last() == Some(&link) {
            return;
        }
        if self.offered.len() >= MAX_OFFERED {
            let mut place = 0_usize;
            let recent = MAX_OFFERED / 2;
            self.offered.retain(|_| {
                place = place.saturating_add(1);
                place > recent || place % 2 == 1
            });
        }
        self.offered.push(link);
    }

    /// Whether it is noted that all writes so far are offered.
    #[must_use]
    pub(crate) fn has_offered(&self, counter: u64) -> bool {
        counter == 0 || self.offered.last() == Some(&self.link(counter))
    }

    /// All links that a server may have accepted last.
    #[must_use]
    pub(crate) fn links(&self, counter: u64) -> Vec<Link> {
        let last = self.link(counter);
        let before = self.offered.iter().copied().filter(|link| *link != last);
        before.chain([last]).filter(|link| link.counter > 0).collect()
    }

    /// Whether a server's word for these writes is about writes of this store.
    #[must_use]
    pub fn has(&self, link: Link, counter: u64) -> bool {
        link == self.link(counter) || self.offered.contains(&link) || (is_off!(ReplicaChain) && link.counter <= counter)
    }
}

/// What a server has accepted of the writes of one replica.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AcceptedWrites {
    /// The last link that it accepted. The next push of that replica has to continue it.
    pub link: Link,
    /// Whether that replica has ever finished a push.
    pub has_finished: bool,
}

/// A replica id in use by two installations, as a device learned it from its server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Conflict {
    /// The id. It must not be written under any more.
    pub replica: ReplicaId,
    /// The last of its writes that the server knows.
    pub counter: u64,
    /// Over these writes, where the server said so.
    pub hash: Option<Digest>,
}

impl Conflict {
    pub(crate) fn with(replica: ReplicaId, link: Link) -> Self {
        Self { replica, counter: link.counter, hash: Some(link.hash) }
    }

    /// Whether it is none after all: these are writes of this store.
    pub(crate) fn is_settled_by(&self, author: Option<&Authorship>, counter: u64) -> bool {
        let Some(author) = author.filter(|author| author.replica == self.replica) else { return false };
        match self.hash {
            Some(hash) => author.has(Link { counter: self.counter, hash }, counter),
            None => self.counter <= counter,
        }
    }
}
