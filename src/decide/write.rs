//! Local writes, as values: what a person or the app wants to change.

use alloc::{collections::BTreeMap, vec::Vec};
use core::ops::Deref;

use serde::{Serialize, de::DeserializeOwned};

use super::row::Row;
use crate::values::{
    id::{CollectionId, FieldName, MoveId, RecordId},
    record::{Destination, Life, Seeing},
    register::{Cause, Show},
    shape::{Shape, ShapeError, carry, changed},
    value::Value,
};

/// An app's own struct as it was read, with what was read under it.
///
/// It dereferences to the struct. [`save`](Self::save) writes only the fields that differ from what was *read* and
/// covers only what was read, so a stale struct saved after a sync loses nothing. What the struct has no name for stays, in
/// the record and inside its maps.
///
/// ```
/// use holdfast::*;
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Clone, Serialize, Deserialize)]
/// struct Person {
///     name: String,
///     phone: Option<String>,
/// }
///
/// # let people = CollectionId::new("people")?;
/// # let id = RecordId::new("grace")?;
/// # let mut device = Device::new(MemoryStore::device(), ReplicaId::from_entropy(1)?, Guard::default());
/// let shape = Shape::new();
/// let grace = Person { name: "Grace".into(), phone: None };
/// device.write(&Write::create(people.clone(), id.clone(), &grace, &shape, Cause::User)?, Timestamp::from_micros(1))?;
///
/// let seen = device.read::<Person>(&people, &id, &shape)?.expect("Grace");
/// let new = Person { phone: Some("+44 20".into()), ..(*seen).clone() };
/// let receipt = device.write(&seen.save(&new, Cause::User)?, Timestamp::from_micros(2))?;
/// let fields: Vec<_> = receipt.changes[0].fields.iter().map(|name| name.as_str()).collect();
/// assert_eq!(fields, ["phone"]); // the name was not touched, so nobody's new name is covered
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Seen<T> {
    collection: CollectionId,
    record: RecordId,
    seeing: Seeing,
    shape: Shape,
    /// What the record showed.
    held: BTreeMap<FieldName, Value>,
    /// What the struct made of it.
    read: BTreeMap<FieldName, Value>,
    contents: T,
}

impl<T: Serialize + DeserializeOwned> Seen<T> {
    /// Reads a row through the app's struct. Fields that the struct does not name stay untouched by a later save.
    ///
    /// # Errors
    /// [`ShapeError`], if the fields do not fit the struct. Nothing was changed.
    pub(crate) fn read(collection: CollectionId, row: &Row, shape: Shape, show: Show) -> Result<Self, ShapeError> {
        let record = row.version.record();
        let held = owned(record.shown(show));
        let contents: T = shape.from_fields(&held)?;
        let read = shape.to_fields(&contents)?;
        Ok(Self { collection, record: row.record.clone(), seeing: record.seeing(), shape, held, read, contents })
    }

    /// The change from what was read to `new`.
    ///
    /// # Errors
    /// [`ShapeError`], if `new` can not be expressed in fields. Nothing was changed.
    pub fn save(&self, new: &T, cause: Cause) -> Result<Write, ShapeError> {
        let mut edits = changed(&self.read, &self.shape.to_fields(new)?);
        for (name, edit) in &mut edits {
            if let (Some(held), Some(read), Some(new)) = (self.held.get(name), self.read.get(name), edit) {
                carry(held, read, new);
            }
        }
        let action = Action::Edit { record: self.record.clone(), seeing: self.seeing.clone(), edits };
        Ok(Write { collection: self.collection.clone(), cause, action })
    }

    /// The change that `change` makes to what was read.
    ///
    /// # Errors
    /// As [`save`](Self::save). Nothing was changed.
    pub fn edit(&self, change: impl FnOnce(&mut T), cause: Cause) -> Result<Write, ShapeError>
    where
        T: Clone,
    {
        let mut new = self.contents.clone();
        change(&mut new);
        self.save(&new, cause)
    }

    /// The record.
    #[must_use]
    pub const fn id(&self) -> &RecordId {
        &self.record
    }

    /// The struct.
    #[must_use]
    pub fn into_inner(self) -> T {
        self.contents
    }
}

impl<T> Deref for Seen<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.contents
    }
}

/// One local write, not yet made.
///
/// ```
/// use holdfast::*;
/// # use std::collections::BTreeMap;
/// # let people = CollectionId::new("people")?;
/// # let id = RecordId::new("grace")?;
/// # let grace = |phone| BTreeMap::from([("name", "Grace"), ("phone", phone)]);
/// # let create = Write::create(people.clone(), id.clone(), &grace("1"), &Shape::new(), Cause::User)?;
/// # let at = Timestamp::from_micros;
/// # let mut device = Device::new(MemoryStore::device(), ReplicaId::from_entropy(1)?, Guard::default());
/// device.write(&create, at(1))?; // made by `Write::create`
/// device.write(&Write::delete(people.clone(), id.clone(), Cause::User), at(2))?;
/// assert_eq!(device.trash(&people)?, [id.clone()]);
/// device.write(&Write::restore(people.clone(), id.clone()), at(3))?;
/// assert_eq!(device.records(&people, None, 10)?, [id]);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Write {
    pub(crate) collection: CollectionId,
    pub(crate) cause: Cause,
    pub(crate) action: Action,
}

#[derive(Debug, Clone)]
pub(crate) enum Action {
    Create { record: RecordId, fields: Vec<(FieldName, Value)>, life: Life },
    Edit { record: RecordId, seeing: Seeing, edits: Vec<(FieldName, Option<Value>)> },
    Delete { record: RecordId, moved: Option<Destination> },
    DeleteMany { records: Vec<RecordId> },
    Restore { record: RecordId },
}

impl Write {
    /// Creates a record from the app's struct. Over an existing record, a person's create is an error and a machine's is
    /// an edit; over a deleted one, a person's create revives it with these contents.
    ///
    /// # Errors
    /// [`ShapeError`], if the struct can not be expressed in fields. Nothing was changed.
    pub fn create<T: Serialize>(
        collection: CollectionId,
        record: RecordId,
        contents: &T,
        shape: &Shape,
        cause: Cause,
    ) -> Result<Self, ShapeError> {
        let fields = shape.to_fields(contents)?.into_iter().collect();
        Ok(Self::create_fields(collection, record, fields, cause))
    }

    /// Creates a record from fields.
    #[must_use]
    pub const fn create_fields(
        collection: CollectionId,
        record: RecordId,
        fields: Vec<(FieldName, Value)>,
        cause: Cause,
    ) -> Self {
        let action = Action::Create { record, fields, life: Life::Alive { moved: None } };
        Self { collection, cause, action }
    }

    /// Deletes one record, covering what this replica shows of it.
    #[must_use]
    pub const fn delete(collection: CollectionId, record: RecordId, cause: Cause) -> Self {
        Self { collection, cause, action: Action::Delete { record, moved: None } }
    }

    /// Deletes several records. Many at once, or all of a collection, are held before any of them gets a dot, and the
    /// receipt's hold is the question for the person who is looking.
    #[must_use]
    pub const fn delete_many(collection: CollectionId, records: Vec<RecordId>, cause: Cause) -> Self {
        Self { collection, cause, action: Action::DeleteMany { records } }
    }

    /// Brings a deleted record back from the trash.
    #[must_use]
    pub const fn restore(collection: CollectionId, record: RecordId) -> Self {
        Self { collection, cause: Cause::User, action: Action::Restore { record } }
    }

    /// The two halves of a move: the create there, which carries what is shown, and the delete here. What was in
    /// conflict stays readable in the deleted record.
    pub(crate) fn relocation(
        from: &CollectionId,
        row: &Row,
        (id, collection, record): (MoveId, &CollectionId, &RecordId),
        show: Show,
    ) -> (Self, Self) {
        let fields = owned(row.version.record().shown(show));
        let life = Life::Alive { moved: Some(id) };
        let to = Destination { id, collection: collection.clone(), record: record.clone() };
        let create = Action::Create { record: record.clone(), fields, life };
        let delete = Action::Delete { record: row.record.clone(), moved: Some(to) };
        (
            Self { collection: collection.clone(), cause: Cause::User, action: create },
            Self { collection: from.clone(), cause: Cause::User, action: delete },
        )
    }

    /// The collection it writes to.
    #[must_use]
    pub const fn collection(&self) -> &CollectionId {
        &self.collection
    }

    /// The records it names.
    #[must_use]
    pub fn records(&self) -> Vec<RecordId> {
        match &self.action {
            Action::Create { record, .. }
            | Action::Edit { record, .. }
            | Action::Delete { record, .. }
            | Action::Restore { record } => [record.clone()].into(),
            Action::DeleteMany { records } => records.clone(),
        }
    }
}

/// What is shown, to be kept.
pub(super) fn owned<'a, T: FromIterator<(FieldName, Value)>>(
    shown: impl Iterator<Item = (&'a FieldName, &'a Value)>,
) -> T {
    shown.map(|(name, value)| (name.clone(), value.clone())).collect()
}
