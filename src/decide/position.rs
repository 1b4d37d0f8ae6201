//! Where a server's history stands: what a device keeps to know it again.

use alloc::vec::Vec;
use core::fmt;

use serde::{Deserialize, Serialize};

use super::{consent::Excuse, ledger::FirstSeen, line::Revision};
use crate::values::{
    ablation::is_off,
    digest::Digest,
    id::{AccountId, CollectionId, Lineage, RecordId},
};

/// A moment in the history of one collection on one server.
///
/// Each commit moves it: the revision by one, the chain to the digest of the former chain and of what was committed. Two
/// histories that share a lineage and differ anywhere up to a revision have different chains there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Position {
    /// The life of the collection on that server.
    pub lineage: Lineage,
    /// How many commits it has seen.
    pub revision: Revision,
    /// Digest of all of them, in order.
    pub chain: Digest,
}

/// A server's word that it has issued a position, or stored a delete: keyed by the host, so only that host can have given
/// it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Tag(pub Digest);

/// A position with the tag that its server gave it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Issued {
    /// The position.
    pub position: Position,
    /// The server's word.
    pub tag: Tag,
}

/// The host's key for tags: 256 random bits, kept outside the store and its backups, the same on all its servers.
///
/// A host that loses it believes no device's word about the past any more: each then costs a rebuild of what it holds,
/// and no data.
#[derive(Clone)]
pub struct PositionKey([u8; 32]);

impl PositionKey {
    /// Takes 256 bits that the host drew at random once.
    #[must_use]
    pub const fn new(bits: [u8; 32]) -> Self {
        Self(bits)
    }

    /// Issues a position.
    #[must_use]
    pub fn issue(&self, account: &AccountId, collection: &CollectionId, position: Position) -> Issued {
        let revision = position.revision.0.to_be_bytes();
        let chain = if is_off!(Chain) { &[0; 16] } else { position.chain.as_bytes() };
        let parts: [&[u8]; 5] = [
            account.as_str().as_bytes(),
            collection.as_str().as_bytes(),
            position.lineage.as_bytes(),
            &revision,
            chain,
        ];
        Issued { position, tag: Tag(Digest::keyed(&self.0, "holdfast position", &parts)) }
    }

    /// Whether this host has issued that position.
    #[must_use]
    pub fn has_issued(&self, account: &AccountId, collection: &CollectionId, issued: &Issued) -> bool {
        self.issue(account, collection, issued.position).tag == issued.tag
    }

    /// Tags a delete that this host's server has stored: exactly this certificate, with exactly this answer or with none.
    ///
    /// Such a tag lifts the limits while a loss is repaired, for it is the server's own earlier verdict.
    #[must_use]
    pub fn tag_delete(
        &self,
        account: &AccountId,
        collection: &CollectionId,
        (record, certificate): (&RecordId, Digest),
        excuse: Option<&Excuse>,
    ) -> Tag {
        let answer = excuse.map(Excuse::digest);
        let parts: [&[u8]; 5] = [
            account.as_str().as_bytes(),
            collection.as_str().as_bytes(),
            record.as_str().as_bytes(),
            certificate.as_bytes(),
            answer.as_ref().map_or(&[], |answer| answer.as_bytes()),
        ];
        Tag(Digest::keyed(&self.0, "holdfast delete", &parts))
    }
}

impl fmt::Debug for PositionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PositionKey(..)")
    }
}

/// How far a device has read a server's feed: all commits up to a revision, and of the next one a part.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct FeedCursor {
    /// All of these commits, inclusive.
    pub revision: Revision,
    /// The last record read of the commit after them.
    pub within: Option<Within>,
}

/// A record's place in a commit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Within {
    /// The commit.
    pub revision: Revision,
    /// Its place in first-seen order.
    pub place: FirstSeen,
    /// Its id, where it has no place of its own.
    pub record: Option<RecordId>,
}

/// What a device remembers of a server's history: the last position it was given, and older ones ever further apart, by
/// which a server that was set back finds what both still share.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Witness {
    /// The last position given.
    pub last: Issued,
    /// Older ones of the same lineage, newest first, at most [`MAX_OLDER`].
    pub older: Vec<(Revision, Digest)>,
}

/// Older positions kept, at most.
pub const MAX_OLDER: usize = 16;
const MAX_SPAN: u32 = 15;

impl Witness {
    /// Of a first position.
    #[must_use]
    pub const fn of(issued: Issued) -> Self {
        Self { last: issued, older: Vec::new() }
    }

    /// With a later position. Of another lineage, it begins anew; an earlier one of the same lineage changes nothing.
    ///
    /// Of the older ones it keeps the oldest in each span of 1, 2, 4, 8 .. commits back.
    #[must_use]
    pub fn with(&self, issued: Issued) -> Self {
        let last = self.last.position;
        if issued.position.lineage != last.lineage {
            return Self::of(issued);
        }
        if issued.position.revision <= last.revision {
            return self.clone();
        }
        let span_of = |revision: Revision| issued.position.revision.0.saturating_sub(revision.0).ilog2().min(MAX_SPAN);
        let mut older: Vec<(Revision, Digest)> = Vec::with_capacity(MAX_OLDER);
        for (revision, chain) in core::iter::once((last.revision, last.chain)).chain(self.older.iter().copied()) {
            if older.last().is_some_and(|(newer, _)| span_of(*newer) == span_of(revision)) {
                older.pop();
            }
            older.push((revision, chain));
        }
        Self { last: issued, older }
    }
}
