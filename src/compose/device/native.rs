//! A device beside a native store: what it shows, and what it should.

use alloc::{collections::BTreeMap, vec::Vec};

use super::{Device, RoundError, WriteFailed};
use crate::act::{apply::apply, plan::Plan, receipt::Receipt, store::Store};
use crate::decide::{
    consent::Trust,
    draft::Draft,
    guard::Inputs,
    ledger::RoundId,
    listing::Listing,
    row::Row,
    slice::{Query, ReadSet, Slice},
};
use crate::values::{
    id::{CollectionId, FieldName, RecordId},
    time::Timestamp,
    value::Value,
    version::Version,
};

impl<S: Store> Device<S> {
    /// Takes in what the native store shows, see [`Listing`]: what a person changed there becomes writes of this replica. What
    /// would take too much is held before any of it is written, and the receipt names the hold. `round` is the sync
    /// that this listing is made for: both are judged on what there was before it.
    ///
    /// # Errors
    /// [`WriteFailed`]; nothing was changed.
    pub fn observe(
        &mut self,
        listing: impl Into<Listing>,
        round: RoundId,
        at: Timestamp,
    ) -> Result<Receipt, WriteFailed<S::Error>> {
        let listing = listing.into();
        let head = || ReadSet::head(listing.collection().clone());
        let read = |set: &ReadSet| self.store.read(set).map_err(WriteFailed::Read);
        let is_whole = listing.is_complete() || !read(&head())?.head.is_listed;
        let query = if is_whole { Query::ALL } else { Query::Nothing };
        let slice = read(&head().with_records(listing.records().cloned()).with_query(query))?;
        let identifying = self.guard.identifying(listing.collection());
        let draft = Draft::of_listing(slice, self.replica, &listing, identifying, (self.show, at))?;
        let approved = self.guard.review(draft, &Inputs::new(round, Trust::Nothing));
        Ok(apply(Plan::new(approved), &mut self.store)?)
    }

    /// The records of which the native store shows something else, at most `limit`: write the living ones there, remove
    /// the dead ones, and say so with [`shown`](Self::shown).
    ///
    /// # Errors
    /// The store's own; nothing was changed.
    pub fn unshown(&self, collection: &CollectionId, limit: usize) -> Result<Vec<Row>, S::Error> {
        let slice = self.store.read(&ReadSet::head(collection.clone()).with_query(Query::Unshown { limit }))?;
        Ok(slice.rows.into_values().collect())
    }

    /// Notes what is about to be written to the native store. A host that may stop between writing and
    /// [`shown`](Self::shown) calls it first: what a person changes in the entry by then is an edit of what was written,
    /// and not a record of its own that stands beside.
    ///
    /// # Errors
    /// [`RoundError`]; nothing was changed.
    pub fn showing(
        &mut self,
        collection: &CollectionId,
        versions: Vec<(RecordId, Version)>,
    ) -> Result<(), RoundError<S::Error>> {
        self.note(collection, versions, Draft::of_showing)
    }

    /// Notes what the native store shows now: for each record, the version of the row that was written there or, of a
    /// dead one, removed.
    ///
    /// # Errors
    /// [`RoundError`]; nothing was changed.
    pub fn shown(
        &mut self,
        collection: &CollectionId,
        versions: Vec<(RecordId, Version)>,
    ) -> Result<(), RoundError<S::Error>> {
        self.note(collection, versions, Draft::of_shown)
    }

    /// Notes that the native store shows a version in its own way: it has written a telephone number otherwise, or
    /// dropped what it has no place for. Without it, the difference would be taken for a person's edit, and two native
    /// stores with ways of their own would never come to rest.
    ///
    /// # Errors
    /// [`RoundError`]; nothing was changed.
    pub fn shown_as(
        &mut self,
        collection: &CollectionId,
        record: RecordId,
        version: &Version,
        contents: &BTreeMap<FieldName, Value>,
    ) -> Result<(), RoundError<S::Error>> {
        self.shown(collection, [(record, version.showing(contents))].into())
    }

    fn note(
        &mut self,
        collection: &CollectionId,
        versions: Vec<(RecordId, Version)>,
        draft: impl FnOnce(Slice, Vec<(RecordId, Version)>) -> Draft,
    ) -> Result<(), RoundError<S::Error>> {
        let records: Vec<RecordId> = versions.iter().map(|(record, _)| record.clone()).collect();
        let slice = self.store.read(&ReadSet::head(collection.clone()).with_records(records));
        let draft = draft(slice.map_err(RoundError::Read)?, versions);
        apply(Plan::new(self.guard.review_own(draft)), &mut self.store)?;
        Ok(())
    }
}
