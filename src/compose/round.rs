//! One round: what came becomes what is held, by way of the guard.

use alloc::vec::Vec;

use crate::act::{
    apply::apply,
    plan::Plan,
    receipt::Receipt,
    store::{CommitError, Store},
};
use crate::decide::{
    changes::{Acknowledgement, Changes},
    diff::{Diff, DiffError},
    draft::Draft,
    guard::{Guard, Inputs},
    line::Hold,
    offer::Offer,
    slice::{Query, ReadSet, Slice},
};
use crate::values::{
    id::{CollectionId, RecordId, ReplicaId},
    time::Day,
};

/// Why a round did not take place. Nothing was changed, and the next sync is possible.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RoundError<E> {
    /// The changes are not for this collection.
    #[error(transparent)]
    Diff(#[from] DiffError),
    /// The store could not answer.
    #[error("the store could not be read; nothing was changed; try again")]
    Read(#[source] E),
    /// The store did not commit.
    #[error(transparent)]
    Commit(#[from] CommitError<E>),
}

/// Takes in what came: read, compare, draft, review, plan, commit.
///
/// # Errors
/// [`RoundError`]; nothing was changed.
pub fn take_in<S: Store>(
    store: &mut S,
    guard: &Guard,
    changes: Changes,
    inputs: &Inputs<'_>,
) -> Result<Receipt, RoundError<S::Error>> {
    let slice = read(store, changes.read_set()).map_err(RoundError::Read)?;
    let identifying = guard.identifying(&changes.collection);
    let diff = Diff::between(slice, changes)?;
    let draft = Draft::resolve(diff, identifying);
    let approved = guard.review(draft, inputs);
    Ok(apply(Plan::new(approved), store)?)
}

/// Reads, and reads again if what is held back may only have moved away.
pub(super) fn read<S: Store>(store: &S, set: ReadSet) -> Result<Slice, S::Error> {
    let slice = store.read(&set)?;
    let moved = slice.destinations();
    if moved.is_empty() { Ok(slice) } else { store.read(&set.with_moved(moved)) }
}

/// What a replica shows to others: the records that `query` finds.
///
/// # Errors
/// The store's own; nothing was changed.
pub fn show<S: Store>(
    store: &S,
    from: ReplicaId,
    collection: &CollectionId,
    query: Query,
) -> Result<Changes, S::Error> {
    let slice = store.read(&ReadSet::head(collection.clone()).with_query(query))?;
    let offers: Vec<Offer> = slice.found.iter().filter_map(|id| slice.rows.get(id)).map(Offer::of).collect();
    let upto = Some(slice.rows.values().map(|row| row.changed_at).max().unwrap_or_default());
    Ok(Changes { from, collection: collection.clone(), offers, upto })
}

/// What a replica now knows of the records that came.
///
/// # Errors
/// The store's own; nothing was changed.
pub fn acknowledge<S: Store>(
    store: &S,
    from: ReplicaId,
    collection: &CollectionId,
    records: Vec<RecordId>,
) -> Result<Acknowledgement, S::Error> {
    let slice = store.read(&ReadSet::head(collection.clone()).with_records(records))?;
    let known = slice.rows.into_values().map(|row| (row.record.clone(), row.known().digest())).collect();
    Ok(Acknowledgement { from, collection: collection.clone(), known })
}

/// The open hold of a collection, if there is one.
///
/// # Errors
/// The store's own; nothing was changed.
pub fn open_hold<S: Store>(store: &S, collection: &CollectionId) -> Result<Option<Hold>, S::Error> {
    let head = ReadSet::head(collection.clone()).with_lines();
    let slice = store.read(&head.with_query(Query::ALL_LOST))?;
    let Some(digest) = slice.head.hold.running.filter(|_| slice.head.hold.open > 0) else { return Ok(None) };
    let of = slice.ledger.map_or(0, |ledger| ledger.base);
    let collection = collection.clone();
    Ok(Some(Hold { collection, digest, lines: slice.lines, earlier: slice.found, of }))
}

/// Lets a day pass in a collection: fields of records that were dead for the whole retention are dropped.
///
/// # Errors
/// [`RoundError`]; nothing was changed.
pub fn pass_day<S: Store>(
    store: &mut S,
    guard: &Guard,
    collection: &CollectionId,
    today: Day,
    retention_days: u64,
) -> Result<Receipt, RoundError<S::Error>> {
    let head = store.read(&ReadSet::head(collection.clone())).map_err(RoundError::Read)?.head;
    let query = match crate::decide::answer::purge_until(&head, today, retention_days) {
        Some(until) => Query::Dead { until, limit: usize::MAX },
        None => Query::Nothing,
    };
    let slice = store.read(&ReadSet::head(collection.clone()).with_query(query)).map_err(RoundError::Read)?;
    let draft = Draft::of_day(slice, today, retention_days);
    Ok(apply(Plan::new(guard.review_own(draft)), store)?)
}
