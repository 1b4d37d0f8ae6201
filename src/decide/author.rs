//! Local writes → Draft. A write gets its dots here; a bulk delete that the guard holds never uses them.

use alloc::vec::Vec;

use super::{
    breach::Why,
    draft::{After, By, Change, Draft, Entry, Origin, Proposal, Quarantined},
    harm::Harm,
    line::LineStatus,
    resolve::Judge,
    row::{Proposed, Quarantine, Row},
    slice::Slice,
    write::{Action, Write},
};
use crate::values::{
    id::{FieldName, RecordId, ReplicaId},
    record::{Life, Record, Seeing},
    register::{Cause, Stamp},
    time::Timestamp,
    value::{MAX_VALUE_DEPTH, Value},
    version::Version,
    version_vector::Dot,
};

/// Why a local write can not be made. Nothing was changed, and no counter was used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// A person creates a record that is there already.
    #[error("expected no record '{record}', found one; nothing was changed; save it as an edit")]
    Exists {
        /// The record.
        record: RecordId,
    },
    /// There is no such record.
    #[error("expected a record '{record}', found none; nothing was changed; create it, or read again")]
    Missing {
        /// The record.
        record: RecordId,
    },
    /// A value is nested too deep.
    #[error(
        "expected at most {MAX_VALUE_DEPTH} levels of nesting in '{field}', found more; nothing was changed; flatten the value"
    )]
    TooDeep {
        /// The field.
        field: FieldName,
    },
    /// The store was written under another id: it was restored, copied, or the device has just taken a new one.
    #[error(
        "expected a store written under {expected}, found {found}; nothing was changed; take its writes over first"
    )]
    AnotherAuthor {
        /// The device's id.
        expected: ReplicaId,
        /// The store's.
        found: ReplicaId,
    },
    /// The id is in use elsewhere, as the server has said.
    #[error(
        "expected a replica id of this device alone, found its write {found} made elsewhere; nothing was changed; take a new replica id"
    )]
    ReplicaConflict {
        /// The greatest of its writes that the server knows.
        found: u64,
    },
    /// This replica id has used up its counters and has to be replaced.
    #[error("expected a counter below 2^64 - 1, found none left; nothing was changed; take a new replica id")]
    CountersUsedUp,
    /// A record here names writes of this replica id that this replica has not made: it was restored, or cloned, or
    /// somebody lies. A write under the same numbers would be taken for one that is known.
    #[error(
        "expected no write of this replica above {ours}, found {found}; nothing was changed; take a new replica id"
    )]
    ReplicaAhead {
        /// The last counter used here.
        ours: u64,
        /// The counter that is named.
        found: u64,
    },
}

/// Gives out this replica's dots, one for each record written.
#[derive(Debug)]
pub(super) struct Pen {
    replica: ReplicaId,
    counter: u64,
    /// The highest counter that the records at hand name for this replica.
    named: u64,
    /// What was written up to here and then left may be missing from what is held.
    left_at: u64,
    at: Timestamp,
    /// The id under which the store was written, if it is another.
    stranger: Option<ReplicaId>,
    /// The counter at which this id is known to be in use elsewhere.
    conflict: Option<u64>,
}

impl Pen {
    pub(super) fn new(slice: &Slice, replica: ReplicaId, at: Timestamp) -> Self {
        let named =
            slice.rows.values().map(|row| row.version.context().get(replica).max(row.known().context().get(replica)));
        let author = slice.head.author.as_ref().map(|author| author.replica);
        let conflict = slice.head.server.as_ref().and_then(|server| server.conflict);
        let conflict = conflict.filter(|conflict| conflict.replica == replica).map(|conflict| conflict.counter);
        let (counter, named) = (slice.head.counter, named.max().unwrap_or_default());
        let (left_at, stranger) = (slice.head.left_at, author.filter(|author| *author != replica));
        Self { replica, counter, named, left_at, at, stranger, conflict }
    }

    /// What is held, to be written on.
    pub(super) fn held(&self, version: &Version) -> Record {
        version.record().without_own(self.replica, self.left_at)
    }

    /// For a write that was made at another time.
    pub(super) const fn at(&mut self, at: Timestamp) -> &mut Self {
        self.at = at;
        self
    }

    pub(super) fn stamp(&mut self, cause: Cause) -> Result<Stamp, WriteError> {
        if let Some(found) = self.stranger {
            return Err(WriteError::AnotherAuthor { expected: self.replica, found });
        }
        if let Some(found) = self.conflict {
            return Err(WriteError::ReplicaConflict { found });
        }
        if self.named > self.counter {
            return Err(WriteError::ReplicaAhead { ours: self.counter, found: self.named });
        }
        self.counter = self.counter.checked_add(1).filter(|next| *next < u64::MAX).ok_or(WriteError::CountersUsedUp)?;
        Ok(Stamp { dot: Dot { replica: self.replica, counter: self.counter }, cause, at: self.at })
    }
}

impl Draft {
    /// Proposes a local write. `slice` holds the rows that [`Write::records`] names.
    ///
    /// # Errors
    /// [`WriteError`]; nothing was changed.
    pub fn of_write(
        slice: Slice,
        replica: ReplicaId,
        write: &Write,
        at: Timestamp,
        identifying: Option<&str>,
    ) -> Result<Self, WriteError> {
        let mut pen = Pen::new(&slice, replica, at);
        let judge = Judge { slice: &slice, identifying, believes_moves: true };
        let cause = write.cause;
        let entries = match &write.action {
            Action::Create { record, fields, life } => [create(&judge, &mut pen, record, fields, life, cause)?].into(),
            Action::Edit { record, seeing, edits } => [edit(&judge, &mut pen, record, seeing, edits, cause)?].into(),
            Action::Delete { record, moved } => {
                let row = visible(&slice, record)?;
                let stamp = pen.stamp(cause)?;
                [own_delete(row, &pen.held(row.known()), stamp, Life::Deleted { moved: moved.clone() }, By::Own(cause))]
                    .into()
            }
            Action::DeleteMany { records } => delete_many(&slice, &mut pen, records, cause)?,
            Action::Restore { record } => [restore(&slice, &mut pen, record)?].into(),
        };
        Ok(Self::new(slice, Origin::Own, entries).written_by(replica))
    }
}

fn create(
    judge: &Judge<'_>,
    pen: &mut Pen,
    record: &RecordId,
    fields: &[(FieldName, Value)],
    life: &Life,
    cause: Cause,
) -> Result<Entry, WriteError> {
    let mut edits: Vec<(FieldName, Option<Value>)> =
        fields.iter().map(|(name, value)| (name.clone(), Some(value.clone()))).collect();
    check_depth(&edits)?;
    let Some(row) = judge.slice.rows.get(record) else {
        let stamp = pen.stamp(cause)?;
        let born = Record::new().with_life(stamp, &Seeing::default(), life.clone());
        let born = born.with_fields(stamp, &Seeing::default(), edits).behind(judge.slice.head.left_at, stamp.dot);
        let version = Version::encode(&born);
        let pass = own(version, After::Nothing, cause);
        return Ok(entry(record, None, pass));
    };
    match (row.version.is_alive(), cause.is_person()) {
        (true, true) => Err(WriteError::Exists { record: record.clone() }),
        (_, false) => {
            let seeing = row.version.record().seeing();
            edit(judge, pen, record, &seeing, &edits, cause)
        }
        (false, true) => {
            // Revived with these contents: what is not named is cleared, as of a record that had not been there.
            let old = pen.held(row.known());
            let gone = old.fields().keys().filter(|name| !fields.iter().any(|(new, _)| new == *name));
            edits.extend(gone.map(|name| (name.clone(), None)));
            let stamp = pen.stamp(cause)?;
            let seeing = row.known().seeing();
            let alive = old.with_life(stamp, &seeing, life.clone()).with_fields(stamp, &seeing, edits);
            let pass = own(Version::encode(&alive), After::Nothing, cause);
            Ok(entry(record, Some(row.clone()), pass))
        }
    }
}

fn edit(
    judge: &Judge<'_>,
    pen: &mut Pen,
    record: &RecordId,
    seeing: &Seeing,
    edits: &[(FieldName, Option<Value>)],
    cause: Cause,
) -> Result<Entry, WriteError> {
    check_depth(edits)?;
    let row = judge.slice.rows.get(record).ok_or_else(|| WriteError::Missing { record: record.clone() })?;
    if edits.is_empty() {
        return Ok(Entry { record: record.clone(), before: Some(row.clone()), proposal: Proposal::Known });
    }
    let stamp = pen.stamp(cause)?;
    let version = Version::encode(&pen.held(&row.version).edited(stamp, seeing, edits.to_vec()));
    let (version, after) = beside_own_write(judge, row, version);
    Ok(entry(record, Some(row.clone()), own(version, after, cause)))
}

fn restore(slice: &Slice, pen: &mut Pen, record: &RecordId) -> Result<Entry, WriteError> {
    let row = slice.rows.get(record).ok_or_else(|| WriteError::Missing { record: record.clone() })?;
    if row.version.is_alive() {
        return Ok(Entry { record: record.clone(), before: Some(row.clone()), proposal: Proposal::Known });
    }
    let stamp = pen.stamp(Cause::User)?;
    let (dead, seeing) = (pen.held(row.known()), row.known().seeing());
    let version = Version::encode(&dead.with_life(stamp, &seeing, Life::Alive { moved: None }));
    Ok(entry(record, Some(row.clone()), own(version, After::Nothing, Cause::User)))
}

fn delete_many(slice: &Slice, pen: &mut Pen, records: &[RecordId], cause: Cause) -> Result<Vec<Entry>, WriteError> {
    let mut records: Vec<&RecordId> = records.iter().collect();
    records.sort_unstable();
    records.dedup();
    let propose = |record: &RecordId| {
        let row = visible(slice, record)?;
        if matches!(row.quarantine, Some(Quarantine::Version { .. })) {
            let proposal = Proposal::Refused(super::refusal::Refusal::Held);
            return Ok(Entry { record: record.clone(), before: Some(row.clone()), proposal });
        }
        if matches!(row.quarantine, Some(Quarantine::Proposal { .. })) {
            return Ok(Entry { record: record.clone(), before: Some(row.clone()), proposal: Proposal::Known });
        }
        let mut entry =
            own_delete(row, &pen.held(row.known()), pen.stamp(cause)?, Life::Deleted { moved: None }, By::Bulk(cause));
        if let Proposal::Change { held, .. } = &mut entry.proposal {
            let is_unauthored = cause == Cause::Listing;
            *held = Some(proposal(row, Proposed::Removal, cause, is_unauthored));
        }
        Ok(entry)
    };
    records.into_iter().map(propose).collect()
}

/// An own delete answers what was asked about the record: it is stored with all that came.
fn own_delete(row: &Row, all: &Record, stamp: Stamp, life: Life, by: By) -> Entry {
    let version = Version::encode(&all.with_life(stamp, &row.known().seeing(), life));
    let after = After::Nothing;
    let harm = match by {
        By::Bulk(Cause::Listing) => {
            Harm { loss: Some(super::harm::Loss::Hidden), is_unauthored: true, ..Harm::default() }
        }
        _ => Harm::default(),
    };
    let pass = Change { by, harm, ..own(version, after, stamp.cause) };
    entry(&row.record, Some(row.clone()), pass)
}

/// An own write on a record about which a question is open: what is stored, and whether the question is still one.
pub(super) fn beside_own_write(judge: &Judge<'_>, row: &Row, version: Version) -> (Version, After) {
    match &row.quarantine {
        None => (version, After::Same),
        // What was asked was asked about another version. A peer that still holds one asks anew.
        Some(Quarantine::Beside { .. } | Quarantine::Proposal { .. }) => (version, After::Nothing),
        Some(Quarantine::Version { hidden, mass, .. }) => {
            let all = hidden.join(&version);
            if judge.is_releasable(&version, &all, *mass) {
                (all, After::Nothing)
            } else {
                (version, After::Moved { hidden: all })
            }
        }
    }
}

fn visible<'a>(slice: &'a Slice, record: &RecordId) -> Result<&'a Row, WriteError> {
    let row = slice.rows.get(record).filter(|row| row.version.is_alive());
    row.ok_or_else(|| WriteError::Missing { record: record.clone() })
}

fn check_depth(edits: &[(FieldName, Option<Value>)]) -> Result<(), WriteError> {
    let written = edits.iter().filter_map(|(name, value)| Some((name, value.as_ref()?)));
    first_too_deep(written).map_or(Ok(()), |field| Err(WriteError::TooDeep { field: field.clone() }))
}

/// The first field whose value is nested deeper than any replica would take.
pub(super) fn first_too_deep<'a>(
    mut fields: impl Iterator<Item = (&'a FieldName, &'a Value)>,
) -> Option<&'a FieldName> {
    fields.find(|(_, value)| value.depth_up_to(MAX_VALUE_DEPTH) > MAX_VALUE_DEPTH).map(|(name, _)| name)
}

fn own(version: Version, after: After, cause: Cause) -> Change {
    Change {
        version,
        after,
        by: By::Own(cause),
        harm: Harm::default(),
        excuse: None,
        closes: LineStatus::Struck,
        peer: None,
        native: None,
    }
}

/// What is quarantined of an own change that the guard holds; it fills in which rule asked.
pub(super) fn proposal(row: &Row, proposed: Proposed, cause: Cause, is_unauthored: bool) -> Quarantined {
    Quarantined::Proposal { base: row.version.digest(), proposed, cause, is_unauthored, why: Why::HeldAlready }
}

fn entry(record: &RecordId, before: Option<Row>, pass: Change) -> Entry {
    Entry { record: record.clone(), before, proposal: Proposal::Change { pass, held: None, excused: None } }
}
