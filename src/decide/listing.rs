//! What a native store shows: a listing, complete or partial.

use alloc::{
    collections::{BTreeMap, BTreeSet, btree_map::Entry as Place},
    string::String,
};

use crate::values::{
    id::{CollectionId, FieldName, RecordId},
    time::Timestamp,
    value::Value,
};

/// What a listing says of one record.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Listed {
    /// It shows these contents, last written at this time by the native store's own account.
    Contents { fields: BTreeMap<FieldName, Value>, at: Timestamp },
    /// It is as it was when this replica last read or wrote it.
    Unchanged,
    /// It is there and can not be read, or only half of it is there.
    Unreadable,
    /// It is listed more than once.
    Twice,
}

/// A listing that may not name everything: a record that it leaves out may be there all the same.
///
/// A native store is the app's own, which can only be listed: a phone's address book, a folder of files, an address
/// book on somebody's server. [`complete`](Self::complete) makes a [`Complete`] of it, and there is no other way to one.
///
/// ```
/// use holdfast::{decide::listing::Partial, values::{id::FieldName, value::Value}, *};
/// use std::collections::BTreeMap;
///
/// let people = CollectionId::new("people")?;
/// let card = BTreeMap::from([(FieldName::new("name")?, Value::from("Grace"))]);
/// let mut listing = Partial::new(people.clone());
/// listing.entry(RecordId::new("grace")?, card, Timestamp::from_micros(1));
/// listing.unreadable(RecordId::new("ada")?); // she is there, whatever her card says
///
/// let mut device = Device::new(MemoryStore::device(), ReplicaId::from_entropy(1)?, Guard::default());
/// let complete = listing.complete(2)?; // the store says that it has two
/// let receipt = device.observe(complete, RoundId(1), Timestamp::from_micros(2))?;
/// assert_eq!(receipt.to_string().lines().next(), Some("people: 1 added, 1 refused"));
///
/// // A listing that was cut takes nothing away.
/// let cut = Partial::new(people.clone()).complete(2).expect_err("it has two").listing;
/// device.observe(cut, RoundId(2), Timestamp::from_micros(3))?;
/// assert_eq!(device.records(&people, None, 10)?.len(), 1);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Partial {
    collection: CollectionId,
    entries: BTreeMap<RecordId, Listed>,
    /// Entries that were added, those of one record counted one by one.
    count: usize,
    /// The families that the native store has a place for; `None`: for all.
    families: Option<BTreeSet<String>>,
}

impl Partial {
    /// A listing of nothing yet.
    #[must_use]
    pub const fn new(collection: CollectionId) -> Self {
        Self { collection, entries: BTreeMap::new(), count: 0, families: None }
    }

    /// The native store has a place for fields of these families only. That an entry shows nothing else clears nothing:
    /// what there is no place for stays as it is.
    #[must_use]
    pub fn with_place_for<'a>(mut self, families: impl IntoIterator<Item = &'a str>) -> Self {
        self.families = Some(families.into_iter().map(String::from).collect());
        self
    }

    /// Adds an entry and what it shows. `at` is when the native store says that it was written; it is a label only.
    pub fn entry(&mut self, record: RecordId, fields: BTreeMap<FieldName, Value>, at: Timestamp) {
        self.add(record, Listed::Contents { fields, at });
    }

    /// Adds an entry that is as it was when this replica last read or wrote it, so that nobody has to read it again.
    pub fn unchanged(&mut self, record: RecordId) {
        self.add(record, Listed::Unchanged);
    }

    /// Adds an entry that is there and can not be read. It is an error for this entry, and no absence.
    pub fn unreadable(&mut self, record: RecordId) {
        self.add(record, Listed::Unreadable);
    }

    /// The listing is complete: the native store says that it has this many entries, and they are all here. Take the number
    /// from where the entries did not come from: the store's own count, or the last page's; counted in the same loop it
    /// proves nothing.
    ///
    /// # Errors
    /// [`Incomplete`], if there are more or fewer; it gives the listing back.
    pub fn complete(self, entries: usize) -> Result<Complete, Incomplete> {
        if self.count == entries {
            Ok(Complete(self))
        } else {
            Err(Incomplete { expected: entries, found: self.count, listing: self })
        }
    }

    fn add(&mut self, record: RecordId, listed: Listed) {
        self.count = self.count.saturating_add(1);
        match self.entries.entry(record) {
            Place::Vacant(place) => {
                place.insert(listed);
            }
            Place::Occupied(mut place) => {
                place.insert(Listed::Twice);
            }
        }
    }
}

/// A listing that names everything its native store has. What it lacks may be proposed for removal: all of it or none,
/// and nothing before the guard has agreed.
///
/// ```compile_fail
/// use holdfast::decide::listing::{Complete, Partial};
/// fn trust(listing: Partial) -> Complete { Complete(listing) } // it takes the number of entries
/// ```
///
/// ```
/// use holdfast::decide::listing::{Complete, Partial};
/// fn check(listing: Partial, entries: usize) -> Option<Complete> { listing.complete(entries).ok() }
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Complete(Partial);

/// A listing does not have as many entries as its native store. Nothing was changed; it can be observed as it is, and then
/// takes nothing away.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error(
    "expected a listing of {expected} entries, found {found}; what it lacks is not taken for removed; list again, or take it as partial"
)]
#[non_exhaustive]
pub struct Incomplete {
    /// Entries that the native store has.
    pub expected: usize,
    /// Entries in the listing.
    pub found: usize,
    /// The listing.
    pub listing: Partial,
}

/// A listing of either kind.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "a listing is complete or it is not")]
pub enum Listing {
    /// What it leaves out may be there.
    Partial(Partial),
    /// What it leaves out is not there.
    Complete(Complete),
}

impl Listing {
    /// The collection that it is of.
    #[must_use]
    pub const fn collection(&self) -> &CollectionId {
        &self.contents().collection
    }

    /// Whether what it leaves out is not there.
    #[must_use]
    pub const fn is_complete(&self) -> bool {
        match self {
            Self::Partial(_) => false,
            Self::Complete(_) => true,
        }
    }

    /// The records that it names, by id.
    pub fn records(&self) -> impl Iterator<Item = &RecordId> {
        self.entries().keys()
    }

    pub(crate) const fn entries(&self) -> &BTreeMap<RecordId, Listed> {
        &self.contents().entries
    }

    pub(crate) fn has_place_for(&self, field: &FieldName) -> bool {
        self.contents().families.as_ref().is_none_or(|families| families.contains(field.family()))
    }

    const fn contents(&self) -> &Partial {
        match self {
            Self::Partial(listing) | Self::Complete(Complete(listing)) => listing,
        }
    }
}

impl From<Partial> for Listing {
    fn from(listing: Partial) -> Self {
        Self::Partial(listing)
    }
}

impl From<Complete> for Listing {
    fn from(listing: Complete) -> Self {
        Self::Complete(listing)
    }
}
