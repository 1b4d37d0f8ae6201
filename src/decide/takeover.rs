//! What a store wrote under another id becomes this replica's own → Draft.

use alloc::vec::Vec;

use super::{
    breach::Why,
    draft::{After, By, Change, Draft, Entry, Heading, Origin, Proposal, Quarantined},
    harm::Harm,
    history::KnownServer,
    line::{LineStatus, Revision},
    position::FeedCursor,
    row::{Native, Quarantine, Row},
    slice::Slice,
};
use crate::values::{
    id::{CollectionId, ReplicaId},
    redot::Redot,
    version_vector::Dot,
};

/// Why a store's writes can not be taken over. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TakeOverError {
    /// Under this id, the store has written before: its counters are used up to somewhere.
    #[error(
        "expected an id under which '{collection}' was never written here, found {found}; nothing was changed; take a new one"
    )]
    UsedBefore {
        /// The collection.
        collection: CollectionId,
        /// The id.
        found: ReplicaId,
    },
}

impl Draft {
    /// Proposes that `replica` takes over what this store has written under another id. `None` if there is nothing to take over.
    ///
    /// Writes that the server is known to have keep their dots. All others get dots of `replica` under the same counters and with the
    /// same contents, in every row that is not acknowledged: what was stored, what waits beside it and what the native store
    /// shows alike (S5). Questions about such versions lapse, and are asked anew where they stand.
    ///
    /// The slice holds all rows that are pending or failed.
    pub(crate) fn of_takeover(slice: Slice, replica: ReplicaId) -> Result<Option<Self>, TakeOverError> {
        let Some(author) = slice.head.author.as_ref().filter(|author| author.replica != replica) else {
            return Ok(Self::of_reading_again(slice, replica));
        };
        if author.former.contains(&replica) {
            return Err(TakeOverError::UsedBefore { collection: slice.collection.clone(), found: replica });
        }
        let old = author.replica;
        let is_known = |row: &Row| row.version.context().get(replica).max(row.known().context().get(replica)) > 0;
        if slice.rows.values().any(is_known) {
            return Err(TakeOverError::UsedBefore { collection: slice.collection.clone(), found: replica });
        }
        let unsent = slice.rows.values().filter(|row| row.is_pending || row.failed.is_some());
        let renaming =
            unsent.map(|row| (row, Redot { old, new: replica, kept: kept(row, old, slice.head.server.as_ref()) }));
        let concerned = renaming.filter(|(row, redot)| redot.concerns(&row.version) || redot.concerns(row.known()));
        let entries: Vec<Entry> = concerned.map(|(row, redot)| renamed(row, redot)).collect();
        let server = slice.head.server.as_ref().map(known_anew);
        let heading = Heading { server, writer: Some(replica), takes_over: Some(replica), ..Heading::default() };
        Ok(Some(Self::new(slice, Origin::Own, entries).with_heading(heading)))
    }

    /// Nothing was written here under an id that is in use elsewhere: there is nothing to take over, and something to read.
    fn of_reading_again(slice: Slice, replica: ReplicaId) -> Option<Self> {
        let server = slice.head.server.as_ref()?;
        server.conflict.filter(|conflict| conflict.replica != replica)?;
        let heading = Heading { server: Some(known_anew(server)), ..Heading::default() };
        Some(Self::new(slice, Origin::Own, Vec::new()).with_heading(heading))
    }
}

/// A server, as a device under another id knows it. What was refused under an id that is in use elsewhere is read again, and so
/// is what the server has of a record under a name that is given up here.
fn known_anew(server: &KnownServer) -> KnownServer {
    let (cursor, whole) = (FeedCursor::default(), Revision::default());
    KnownServer { cursor, whole, accepted: 0, accepted_once: 0, conflict: None, ..server.clone() }
}

/// The last of a record's writes under the old id that the server has, as far as is known.
///
/// While a loss is mended, a server that has been told of no other end of the chain has all that it had accepted. What a
/// lost one had accepted, others hold under these names: under new ones, what has been deleted since would live on beside it.
/// Where the id is in use elsewhere, it is not known whose writes those are.
fn kept(row: &Row, old: ReplicaId, server: Option<&KnownServer>) -> u64 {
    let there = match (&row.base, server) {
        (Some(base), _) => base.context().get(old),
        (None, Some(server)) if server.is_recovering && server.conflict.is_none() => {
            server.accepted.max(server.accepted_once)
        }
        (None, Some(server)) if server.is_recovering => server.accepted,
        (None, _) => 0,
    };
    there.max(written_over_elsewhere(row, old))
}

/// The last of the old id's writes that stands in what is stored, and not in what waits beside it: somebody else has written
/// over it under that name, and would not have under another.
fn written_over_elsewhere(row: &Row, old: ReplicaId) -> u64 {
    let Some(Quarantine::Version { hidden, .. }) = &row.quarantine else { return 0 };
    let (stored, hidden) = (row.version.record(), hidden.record());
    let is_gone = |dot: &Dot| !hidden.life().contains(*dot);
    let in_life = stored.life().siblings().iter().map(|sibling| sibling.stamp.dot).filter(is_gone);
    let in_fields = stored.fields().iter().flat_map(|(name, register)| {
        let beside = hidden.fields().get(name);
        let dots = register.siblings().iter().map(|sibling| sibling.stamp.dot);
        dots.filter(move |dot| !beside.is_some_and(|beside| beside.contains(*dot)))
    });
    let gone = in_life.chain(in_fields).filter(|dot| dot.replica == old);
    gone.map(|dot| dot.counter).max().unwrap_or_default()
}

fn renamed(row: &Row, redot: Redot) -> Entry {
    let after = match &row.quarantine {
        None => After::Same,
        Some(Quarantine::Version { hidden, mass, .. }) => {
            let hidden = redot.version(hidden);
            After::New(Quarantined::Version { hidden, mass: *mass, why: Why::HeldAlready })
        }
        Some(Quarantine::Beside { .. } | Quarantine::Proposal { .. }) => After::Nothing,
    };
    let native = row.native.as_ref().map(|native| match native {
        Native::Shown(version) => Native::Shown(redot.version(version)),
        Native::Missing(version) => Native::Missing(redot.version(version)),
        Native::Unknown | Native::Stale(_) => native.clone(),
    });
    let pass = Change {
        version: redot.version(&row.version),
        after,
        by: By::TakenOver,
        harm: Harm::default(),
        excuse: None,
        closes: LineStatus::Struck,
        peer: None,
        native,
    };
    Entry {
        record: row.record.clone(),
        before: Some(row.clone()),
        proposal: Proposal::Change { pass, held: None, excused: None },
    }
}
