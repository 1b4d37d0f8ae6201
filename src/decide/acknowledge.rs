//! What a peer has named as its own, or no longer has → Draft.

use alloc::{boxed::Box, vec::Vec};

use super::{
    draft::{After, By, Change, Draft, Entry, Heading, Origin, PeerKnows, Proposal},
    harm::Harm,
    history::KnownServer,
    line::{LineStatus, Revision},
    position::Tag,
    refusal::Refusal,
    row::Row,
    slice::Slice,
};
use crate::values::{
    digest::Digest,
    id::{CollectionId, Lineage, RecordId},
    plural::Plural,
    version::Version,
    version_vector::Causality,
};

/// Why a device does not leave a collection. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LeaveError {
    /// The server does not have all of it.
    #[error("expected nothing unsent in '{collection}', found {}; nothing was changed; sync first", Plural(*.found, "record"))]
    Unsent {
        /// The collection.
        collection: CollectionId,
        /// Records found.
        found: usize,
    },
    /// A question is open.
    #[error("expected no open question in '{collection}', found {found}; nothing was changed; answer the hold first")]
    Held {
        /// The collection.
        collection: CollectionId,
        /// Lines found.
        found: u64,
    },
}

/// What a peer said of one version that was sent to it.
#[derive(Debug, Clone)]
pub(crate) struct Answered {
    pub(crate) record: RecordId,
    /// The version.
    pub(crate) digest: Digest,
    /// The version itself, where it was taken and is at hand.
    pub(crate) known: Option<Version>,
    /// Why it does not take it; `None`: it has it.
    pub(crate) refused: Option<Refusal>,
    /// Of a delete: its tag.
    pub(crate) delete_tag: Option<Tag>,
}

impl Draft {
    /// Proposes to leave a collection of which this many records are unsent.
    ///
    /// # Errors
    /// [`LeaveError`]; nothing was changed.
    pub(crate) fn of_leaving(slice: Slice, unsent: usize) -> Result<Self, LeaveError> {
        let collection = slice.collection.clone();
        if unsent > 0 {
            return Err(LeaveError::Unsent { collection, found: unsent });
        }
        if slice.head.hold.open > 0 {
            return Err(LeaveError::Held { collection, found: slice.head.hold.open });
        }
        let conflict = slice.head.server.as_ref().and_then(|server| server.conflict);
        // What was read of the server is read again by who subscribes again.
        let server = Some(KnownServer { conflict, ..KnownServer::default() });
        let heading = Heading { leaves: true, server, ..Heading::default() };
        Ok(Self::new(slice, Origin::Own, Vec::new()).with_heading(heading))
    }

    /// Proposes to note what a peer has named as its own.
    pub fn of_acknowledgement(slice: Slice, acknowledged: &[(RecordId, Digest)]) -> Self {
        let answered = acknowledged.iter().map(|(record, digest)| Answered {
            record: record.clone(),
            digest: *digest,
            known: None,
            refused: None,
            delete_tag: None,
        });
        Self::of_taken(slice, &answered.collect::<Vec<_>>())
    }

    /// Proposes to note what became of versions that were sent: the peer has them, or says why not. What has changed here
    /// since it was sent stays pending, on top of what the peer has now.
    pub(crate) fn of_taken(slice: Slice, taken: &[Answered]) -> Self {
        let entries = taken.iter().filter_map(|answered| {
            let Answered { record, digest, known, refused, delete_tag } = answered.clone();
            let row = slice.rows.get(&record).filter(|row| row.is_pending)?;
            let has_moved = row.known().digest() != digest;
            let version = known.filter(|known| has_moved && row.known().compare(known) == Causality::After);
            if has_moved && version.is_none() {
                return None;
            }
            let refused = refused.map(Box::new);
            let peer = PeerKnows { digest, holds: false, version, refused, delete_tag };
            Some(noted(row, By::Acknowledged, Some(peer)))
        });
        let entries = entries.collect();
        Self::new(slice, Origin::Own, entries)
    }

    /// Proposes to note that no peer has named anything as its own: every record of the slice is pending again.
    pub fn of_new_peer(slice: Slice) -> Self {
        // What is too large to cross is so for every peer.
        let is_large = |row: &Row| matches!(row.failed.as_deref(), Some(Refusal::TooLarge { .. }));
        let untold = slice.rows.values().filter(|row| (!row.is_pending && !is_large(row)) || row.base.is_some());
        let entries = untold.map(|row| noted(row, By::Unacknowledged, None)).collect();
        Self::new(slice, Origin::Own, entries)
    }

    /// Proposes to note that a server has lost what it had after `common` of `lineage`: what it named as its own since is
    /// pending again (S8). What is `missing` is so, whenever it was named.
    pub(crate) fn of_loss(slice: Slice, lineage: Lineage, common: Revision, missing: &[RecordId]) -> Self {
        let is_void = |row: &&Row| {
            let stands = row.acknowledged.is_some_and(|word| word.lineage == lineage && word.at <= common);
            !stands || row.failed.is_some() || missing.contains(&row.record)
        };
        let is_told = |row: &&Row| !row.is_pending || row.base.is_some();
        let untold = slice.rows.values().filter(is_void).filter(is_told);
        let entries = untold.map(|row| noted(row, By::Unacknowledged, None)).collect();
        Self::new(slice, Origin::Own, entries)
    }
}

impl Draft {
    /// The records that a peer had, and is known to have no more.
    pub(crate) fn voided(&self) -> impl Iterator<Item = &RecordId> {
        let is_void = |entry: &&Entry| entry.before.as_ref().is_some_and(|row| !row.is_pending);
        self.entries.iter().filter(is_void).map(|entry| &entry.record)
    }

    /// Proposes to note what a comparison with a server has shown: it has these records as they are here, and of those it
    /// named as its own it has others no more, or not all.
    pub(crate) fn of_compared(slice: Slice, named: &[RecordId], void: &[RecordId]) -> Self {
        let rows =
            |records: &[RecordId]| records.iter().filter_map(|id| slice.rows.get(id)).cloned().collect::<Vec<_>>();
        let peer = |row: &Row| {
            let digest = row.known().digest();
            PeerKnows { digest, holds: false, version: None, refused: None, delete_tag: None }
        };
        let named = rows(named).into_iter().map(|row| noted(&row, By::Acknowledged, Some(peer(&row))));
        let void = rows(void).into_iter().map(|row| noted(&row, By::Unacknowledged, None));
        let entries = named.chain(void).collect();
        Self::new(slice, Origin::Own, entries)
    }

    /// Proposes to send again what a server did not take: it has another history now.
    pub(crate) fn of_retry(slice: Slice) -> Self {
        let failed = slice.rows.values().filter(|row| row.failed.is_some());
        let entries = failed.map(|row| noted(row, By::Unacknowledged, None)).collect();
        Self::new(slice, Origin::Own, entries)
    }
}

/// Nothing new but whether a peer has it.
fn noted(row: &Row, by: By, peer: Option<PeerKnows>) -> Entry {
    let pass = Change {
        version: row.version.clone(),
        after: After::Same,
        by,
        harm: Harm::default(),
        excuse: None,
        closes: LineStatus::Struck,
        peer,
        native: None,
    };
    let proposal = Proposal::Change { pass, held: None, excused: None };
    Entry { record: row.record.clone(), before: Some(row.clone()), proposal }
}
