//! What a store wrote under another id becomes this replica's own → Draft.

use alloc::{collections::BTreeSet, vec::Vec};

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
    ablation::is_off,
    id::{CollectionId, ReplicaId},
    record::Record,
    redot::Redot,
    register::Register,
    superseded::MAX_SUPERSEDED,
    version::Version,
    version_vector::{Dot, VersionVector},
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

/// The last of a record's writes under the old id that keep their names.
///
/// Those that the server is known to have, and, where others have written the record since, all that a server ever took:
/// somebody may have written over them under that name, and would not have under another.
fn kept(row: &Row, old: ReplicaId, server: Option<&KnownServer>) -> u64 {
    if is_off!(CleanRenamed) && row.base.is_none() && server.is_some_and(|server| server.is_recovering) {
        return u64::MAX;
    }
    let nothing = VersionVector::new();
    let there = row.base.as_ref().map_or(&nothing, Version::context);
    let known = row.known().context().iter().chain(row.version.context().iter());
    let has_others = known.filter(|dot| dot.replica != old).any(|dot| !there.covers(dot));
    let heard_of = server.filter(|_| has_others).map_or(0, KnownServer::ever_accepted);
    let accepted = server.filter(|_| row.base.is_none()).map_or(0, accepted);
    named(row, old, there.get(old).max(accepted).max(heard_of))
}

/// The last of a record's own writes up to one that was made somewhere in the collection: a name that the record never had would
/// be a write that the server seems to have lost.
///
/// What values were written by, and what contents were written over by, is remembered. Where that does not reach back far enough,
/// the record may have been written by any of them.
fn named(row: &Row, old: ReplicaId, last: u64) -> u64 {
    let records = [row.version.record(), row.known().record()];
    let of_old = |dot: Dot| (dot.replica == old).then_some(dot.counter);
    let hints = records.iter().flat_map(|record| record.superseded.iter());
    let covering: BTreeSet<u64> = hints.filter_map(|(dot, _)| of_old(dot)).collect();
    let fields = records.iter().flat_map(|record| record.fields.values()).flat_map(Register::siblings);
    let life = records.iter().flat_map(|record| record.life.siblings());
    let values = fields.map(|sibling| sibling.stamp.dot).chain(life.map(|sibling| sibling.stamp.dot));
    let there = row.base.as_ref().map(|base| base.context().get(old)).filter(|counter| *counter > 0);
    let own: BTreeSet<u64> = values.filter_map(of_old).chain(covering.iter().copied()).chain(there).collect();
    let is_forgotten = |record: &Record| record.superseded.iter().len() >= MAX_SUPERSEDED;
    // Before its first write there was nothing of this replica's to write over.
    let is_first_known = own.first().is_some_and(|first| !covering.contains(first));
    match own.range(..=last).next_back() {
        _ if records.iter().any(is_forgotten) => last,
        Some(named) => *named,
        None if is_first_known => 0,
        None => last,
    }
}

/// The last write that a server has which lost something, as far as is known. What a lost one had accepted, others hold under these
/// names: under new ones, what has been deleted since would live on beside it. Where the id is in use elsewhere, it is not
/// known whose writes those are.
fn accepted(server: &KnownServer) -> u64 {
    match (server.is_recovering, server.conflict) {
        (true, None) => server.ever_accepted(),
        (true, Some(_)) => server.accepted,
        (false, _) => 0,
    }
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
