//! A device: it holds an account's collections, writes, asks its person, and syncs.

mod native;
pub mod online;
pub mod identity;

use alloc::{string::String, vec::Vec};

use serde::{Serialize, de::DeserializeOwned};

use super::{
    converse::{ConverseFailed, converse},
    device_session::{DeviceSession, Opening, Report},
    explain::Explanation,
    round::{self, RoundError},
};
use crate::act::{
    apply::apply,
    plan::Plan,
    receipt::{Receipt, ReceiptId},
    store::{CommitError, Store},
};
use crate::decide::{
    answer::{AnswerError, Signature},
    author::WriteError,
    changes::{Acknowledgement, Changes},
    consent::{Answer, Verdict},
    draft::Draft,
    guard::{Guard, Inputs},
    line::{Hold, Line, Revision},
    row::{Formers, Row},
    slice::{Query, ReadSet},
    write::{Seen, Write},
};
use crate::values::{
    digest::Digest,
    id::{AccountId, CollectionId, MoveId, RecordId, ReplicaId},
    register::Show,
    shape::{Shape, ShapeError},
    time::{Day, Timestamp},
};

/// Why a record could not be read. Nothing was changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError<E> {
    /// The fields do not fit the app's struct.
    #[error(transparent)]
    Shape(#[from] ShapeError),
    /// The store could not answer.
    #[error("the store could not be read; nothing was changed; try again")]
    Store(#[source] E),
}

/// Why nothing was written. Nothing was changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WriteFailed<E> {
    /// The write can not be made.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The answer releases nothing.
    #[error(transparent)]
    Answer(#[from] AnswerError),
    /// The receipt is not known, or its retention is over.
    #[error(
        "expected a receipt whose retention is not over, found {found}; nothing was changed; edit the records by hand"
    )]
    NoReceipt {
        /// The receipt asked for.
        found: ReceiptId,
    },
    /// The store could not answer.
    #[error("the store could not be read; nothing was changed; try again")]
    Read(#[source] E),
    /// The store did not commit.
    #[error(transparent)]
    Commit(#[from] CommitError<E>),
}

/// A device replica over a store.
///
/// ```
/// use holdfast::*;
/// use std::collections::BTreeMap;
///
/// let people = CollectionId::new("people")?;
/// let id = RecordId::new("grace")?;
/// let installation = ReplicaId::from_entropy(0x5eed)?; // 128 random bits, drawn once by the app and kept
/// let mut device = Device::new(MemoryStore::device(), installation, Guard::default());
///
/// let grace = BTreeMap::from([("name", "Grace")]);
/// let create = Write::create(people.clone(), id.clone(), &grace, &Shape::new(), Cause::User)?;
/// device.write(&create, Timestamp::from_micros(1))?;
/// assert_eq!(device.records(&people, None, 100)?, [id]);
/// assert_eq!(device.pending(&people, 100)?.offers.len(), 1); // the server has not heard of her
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Device<S> {
    store: S,
    replica: ReplicaId,
    guard: Guard,
    show: Show,
}

/// Where a record moves to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MoveTo {
    /// The move, from the host's entropy.
    pub id: MoveId,
    /// The collection.
    pub collection: CollectionId,
    /// The id there.
    pub record: RecordId,
}

impl<S: Store> Device<S> {
    /// A device whose store keeps the account's ledger, too; `replica` is this installation's own.
    #[must_use]
    pub const fn new(store: S, replica: ReplicaId, guard: Guard) -> Self {
        Self { store, replica, guard, show: Show::Latest }
    }

    /// With another order in which conflicting values are shown: the same on all devices of an account, or they show different
    /// things. It changes nothing of what is kept.
    ///
    /// ```
    /// use holdfast::{values::register::Show, *};
    /// # use std::collections::BTreeMap;
    /// # type Note = BTreeMap<String, String>;
    /// # let (notes, id, shape) = (CollectionId::new("notes")?, RecordId::new("list")?, Shape::new());
    /// # let (at, round) = (Timestamp::from_micros, |n| Inputs::new(RoundId(n), Trust::Account));
    /// # let mut ada = Device::new(MemoryStore::device(), ReplicaId::from_entropy(1)?, Guard::default());
    /// # let mut server = Server::new(MemoryStore::server(), ReplicaId::from_entropy(9)?, Guard::default());
    /// # let text = |text: &str| Note::from([("text".into(), text.into())]);
    /// # ada.write(&Write::create(notes.clone(), id.clone(), &text("milk"), &shape, Cause::User)?, at(1))?;
    /// # exchange(&mut ada, &mut server, &notes, &round(1))?;
    /// let mut ben = Device::new(MemoryStore::device(), ReplicaId::from_entropy(2)?, Guard::default()).with_show(Show::Longest);
    /// # exchange(&mut ben, &mut server, &notes, &round(2))?;
    /// # let seen = |device: &Device<MemoryStore>| device.read::<Note>(&notes, &id, &shape).unwrap().expect("a note");
    /// // Both write in the same note, and Ada is the later one.
    /// let more = seen(&ben).save(&text("milk, bread and butter"), Cause::User)?;
    /// let other = seen(&ada).save(&text("oats"), Cause::User)?;
    /// # ben.write(&more, at(2))?;
    /// # ada.write(&other, at(3))?;
    /// # exchange(&mut ada, &mut server, &notes, &round(3))?;
    /// # exchange(&mut ben, &mut server, &notes, &round(4))?;
    /// assert_eq!(*seen(&ben), text("milk, bread and butter"));
    /// assert_eq!(*seen(&ben.with_show(Show::Latest)), text("oats"));
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    #[must_use]
    pub const fn with_show(mut self, show: Show) -> Self {
        self.show = show;
        self
    }

    /// Makes a local write. A bulk delete may be held: then nothing has been deleted, and the receipt names the hold.
    ///
    /// # Errors
    /// [`WriteFailed`]; nothing was changed.
    pub fn write(&mut self, write: &Write, at: Timestamp) -> Result<Receipt, WriteFailed<S::Error>> {
        let set = ReadSet::head(write.collection().clone()).with_records(write.records());
        let slice = round::read(&self.store, set).map_err(WriteFailed::Read)?;
        let identifying = self.guard.identifying(write.collection());
        let draft = Draft::of_write(slice, self.replica, write, at, identifying)?;
        Ok(apply(Plan::new(self.guard.review_own(draft)), &mut self.store)?)
    }

    /// Moves a record: a create there, committed first, and a delete here, under one move id. Returns both receipts.
    ///
    /// # Errors
    /// [`WriteFailed`]. If the create failed, nothing was changed; if the delete failed, the record is in both places.
    pub fn move_to(
        &mut self,
        from: &CollectionId,
        record: &RecordId,
        to: &MoveTo,
        at: Timestamp,
    ) -> Result<(Receipt, Receipt), WriteFailed<S::Error>> {
        let row = self.row(from, record).map_err(WriteFailed::Read)?;
        let missing = || WriteError::Missing { record: record.clone() };
        let row = row.filter(|row| row.version.is_alive()).ok_or_else(missing)?;
        let (create, delete) = Write::relocation(from, &row, (to.id, &to.collection, &to.record), self.show);
        let created = self.write(&create, at)?;
        Ok((created, self.write(&delete, at)?))
    }

    /// Answers a hold: lets in what the lines under `digest` hold back, as far as they still stand.
    ///
    /// # Errors
    /// [`WriteFailed`]; nothing was changed.
    pub fn consent(
        &mut self,
        collection: &CollectionId,
        digest: Digest,
        by: impl Into<String>,
        at: Timestamp,
    ) -> Result<Receipt, WriteFailed<S::Error>> {
        let collection = collection.clone();
        self.answer(Answer { verdict: Verdict::Consent, collection, digest, by: by.into(), at }, |_| true)
    }

    /// Answers a hold: keeps what is shown, over what the lines under `digest` hold back.
    ///
    /// # Errors
    /// [`WriteFailed`]; nothing was changed.
    pub fn keep(
        &mut self,
        collection: &CollectionId,
        digest: Digest,
        by: impl Into<String>,
        at: Timestamp,
    ) -> Result<Receipt, WriteFailed<S::Error>> {
        let collection = collection.clone();
        self.answer(Answer { verdict: Verdict::Keep, collection, digest, by: by.into(), at }, |_| true)
    }

    /// Answers a hold in part: of the lines under the answer's digest, those that are `wanted`. Apps that ask about what
    /// came and about what their native store shows in two places answer each by itself.
    ///
    /// A digest that the server has reported of its own hold names exactly the server's lines, where all of them are here.
    ///
    /// # Errors
    /// [`WriteFailed`]; nothing was changed.
    pub fn answer(&mut self, answer: Answer, wanted: impl Fn(&Line) -> bool) -> Result<Receipt, WriteFailed<S::Error>> {
        let set = ReadSet::head(answer.collection.clone()).with_lines().with_query(Query::ALL_LOST);
        let mut slice = self.store.read(&set).map_err(WriteFailed::Read)?;
        let answer = slice.answered_there(answer);
        let identifying = self.guard.identifying(&answer.collection);
        let revision = slice.head.revision;
        let draft = Draft::of_answer(slice, self.replica, answer.clone(), wanted, identifying)?;
        let inputs = Inputs::own(revision).with_answers(core::slice::from_ref(&answer));
        Ok(apply(Plan::new(self.guard.review(draft, &inputs)), &mut self.store)?)
    }

    /// Brings back what was before a receipt. Records changed since are left as they are, and listed as refused.
    ///
    /// # Errors
    /// [`WriteFailed`]; nothing was changed.
    pub fn undo(
        &mut self,
        receipt: &ReceiptId,
        by: impl Into<String>,
        at: Timestamp,
    ) -> Result<Receipt, WriteFailed<S::Error>> {
        self.undo_all(&receipt.collection, &[receipt.revision], |_| true, by, at)
    }

    /// Brings back what was before several receipts of one collection, as one step: of the records that are `wanted`,
    /// what was there before the first of them. Records changed since the last of them are left as they are, and
    /// listed as refused.
    ///
    /// # Errors
    /// [`WriteFailed`]; nothing was changed.
    pub fn undo_all(
        &mut self,
        collection: &CollectionId,
        receipts: &[Revision],
        wanted: impl Fn(&RecordId) -> bool,
        by: impl Into<String>,
        at: Timestamp,
    ) -> Result<Receipt, WriteFailed<S::Error>> {
        let head = || ReadSet::head(collection.clone());
        let mut first_to_last = receipts.to_vec();
        first_to_last.sort_unstable();
        let mut formers = Formers::default();
        for revision in first_to_last {
            let slice = self.store.read(&head().with_formers(revision)).map_err(WriteFailed::Read)?;
            let found = ReceiptId { collection: collection.clone(), revision };
            let replaced = slice.formers.ok_or(WriteFailed::NoReceipt { found })?;
            formers.extend(replaced.into_iter().filter(|former| wanted(&former.record)));
        }
        let formers = formers.into_vec();
        let set = head().with_records(formers.iter().map(|former| former.record.clone()));
        let slice = round::read(&self.store, set).map_err(WriteFailed::Read)?;
        let identifying = self.guard.identifying(collection);
        let signature = Signature { by: by.into(), at };
        let draft = Draft::of_undo(slice, self.replica, &formers, &signature, identifying)?;
        Ok(apply(Plan::new(self.guard.review_own(draft)), &mut self.store)?)
    }

    /// Takes in what a server showed.
    ///
    /// # Errors
    /// [`RoundError`]; nothing was changed.
    pub fn take_in(&mut self, changes: Changes, inputs: &Inputs<'_>) -> Result<Receipt, RoundError<S::Error>> {
        round::take_in(&mut self.store, &self.guard, changes, inputs)
    }

    /// What the server has not yet named as its own, at most `limit` records.
    ///
    /// # Errors
    /// The store's own; nothing was changed.
    pub fn pending(&self, collection: &CollectionId, limit: usize) -> Result<Changes, S::Error> {
        let changes = round::show(&self.store, self.replica, collection, Query::Pending { after: None, limit })?;
        Ok(Changes { upto: None, ..changes })
    }

    /// Notes what the server has named as its own.
    ///
    /// # Errors
    /// [`RoundError`]; nothing was changed.
    pub fn acknowledged(&mut self, acknowledgement: &Acknowledgement) -> Result<(), RoundError<S::Error>> {
        let records = acknowledgement.known.iter().map(|(record, _)| record.clone());
        let set = ReadSet::head(acknowledgement.collection.clone()).with_records(records);
        let slice = self.store.read(&set).map_err(RoundError::Read)?;
        let draft = Draft::of_acknowledgement(slice, &acknowledgement.known);
        apply(Plan::new(self.guard.review_own(draft)), &mut self.store)?;
        Ok(())
    }

    /// Notes that the server is not the one that was synced with: nothing is known to be there, and every record is
    /// pending again (S8).
    ///
    /// # Errors
    /// [`RoundError`]; nothing was changed.
    pub fn unacknowledge(&mut self, collection: &CollectionId) -> Result<(), RoundError<S::Error>> {
        let slice = self.store.read(&ReadSet::head(collection.clone()).with_query(Query::ALL));
        let draft = Draft::of_new_peer(slice.map_err(RoundError::Read)?);
        apply(Plan::new(self.guard.review_own(draft)), &mut self.store)?;
        Ok(())
    }

    /// How far the changes of `server` have been taken in.
    ///
    /// # Errors
    /// The store's own; nothing was changed.
    pub fn taken(&self, collection: &CollectionId, server: ReplicaId) -> Result<Revision, S::Error> {
        let head = self.store.read(&ReadSet::head(collection.clone()))?.head;
        Ok(head.taken.get(&server).copied().unwrap_or_default())
    }

    /// Lets a day pass in a collection, see [`round::pass_day`].
    ///
    /// # Errors
    /// [`RoundError`]; nothing was changed.
    pub fn pass_day(
        &mut self,
        collection: &CollectionId,
        today: Day,
        retention_days: u64,
    ) -> Result<Receipt, RoundError<S::Error>> {
        round::pass_day(&mut self.store, &self.guard, collection, today, retention_days)
    }

    /// A living record, read through the app's struct; `None` if there is none.
    ///
    /// # Errors
    /// [`ReadError`]; nothing was changed.
    pub fn read<T: Serialize + DeserializeOwned>(
        &self,
        collection: &CollectionId,
        record: &RecordId,
        shape: &Shape,
    ) -> Result<Option<Seen<T>>, ReadError<S::Error>> {
        let row = self.row(collection, record).map_err(ReadError::Store)?;
        let Some(row) = row.filter(|row| row.version.is_alive()) else { return Ok(None) };
        Ok(Some(Seen::read(collection.clone(), &row, shape.clone(), self.show)?))
    }

    /// All that is held of one record.
    ///
    /// # Errors
    /// The store's own; nothing was changed.
    pub fn row(&self, collection: &CollectionId, record: &RecordId) -> Result<Option<Row>, S::Error> {
        let set = ReadSet::head(collection.clone()).with_records([record.clone()]);
        Ok(self.store.read(&set)?.rows.remove(record))
    }

    /// The first `limit` living records after `after`, by id. Fewer than `limit`: there are no more.
    ///
    /// # Errors
    /// The store's own; nothing was changed.
    pub fn records(
        &self,
        collection: &CollectionId,
        after: Option<&RecordId>,
        limit: usize,
    ) -> Result<Vec<RecordId>, S::Error> {
        let mut living = Vec::new();
        let mut after = after.cloned();
        while living.len() < limit {
            let query = Query::Range { after, limit: limit.saturating_sub(living.len()) };
            let slice = self.store.read(&ReadSet::head(collection.clone()).with_query(query))?;
            after = slice.found.last().cloned();
            living.extend(slice.rows.into_values().filter(|row| row.version.is_alive()).map(|row| row.record));
            if after.is_none() {
                break;
            }
        }
        Ok(living)
    }

    /// The deleted records whose fields are still here, longest dead first.
    ///
    /// # Errors
    /// The store's own; nothing was changed.
    pub fn trash(&self, collection: &CollectionId) -> Result<Vec<RecordId>, S::Error> {
        Ok(self.store.read(&ReadSet::head(collection.clone()).with_query(Query::ALL_DEAD))?.found)
    }

    /// The open hold of a collection, if there is one.
    ///
    /// # Errors
    /// The store's own; nothing was changed.
    pub fn hold(&self, collection: &CollectionId) -> Result<Option<Hold>, S::Error> {
        round::open_hold(&self.store, collection)
    }

    /// Why a record is as it is; `None` if it was never seen.
    ///
    /// # Errors
    /// The store's own; nothing was changed.
    pub fn explain(&self, collection: &CollectionId, record: &RecordId) -> Result<Option<Explanation>, S::Error> {
        Ok(self.row(collection, record)?.map(|row| Explanation::of(&row)))
    }

    /// Opens a session with the server for these collections, with this device's own guard.
    #[must_use]
    pub fn opening(&self, account: AccountId, collections: Vec<CollectionId>) -> Opening {
        Opening { guard: self.guard.clone(), ..Opening::new(self.replica, account, collections) }
    }

    /// Drives a session over this device's store and a transport that takes a request and gives its reply.
    ///
    /// ```
    /// use holdfast::*;
    /// use std::{error::Error, io};
    ///
    /// # let (ada, people) = (AccountId::new("ada")?, CollectionId::new("people")?);
    /// # let key = PositionKey::new([7; 32]);
    /// # let random = |n: u8| Entropy::new(core::array::from_fn(|place| n ^ place as u8));
    /// # let mut phone = Device::new(MemoryStore::device(), ReplicaId::from_entropy(1)?, Guard::default());
    /// # let mut server = Server::new(MemoryStore::server(), ReplicaId::from_entropy(9)?, Guard::default());
    /// let mut session = DeviceSession::open(phone.opening(ada.clone(), vec![people.clone()]), &random(1)?);
    /// let report = phone.converse(&mut session, |request| {
    ///     // A network, in an app. `io::Error::other` makes one error of whatever can go wrong on the way.
    ///     let call = Call::new(&ada, &key, random(2).map_err(io::Error::other)?);
    ///     server.serve(request, &call).map_err(io::Error::other)
    /// })?;
    /// assert!(report.is_complete());
    /// # Ok::<(), Box<dyn Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`ConverseFailed`]; what was committed stays. It is an [`Error`](core::error::Error) where `T` is one, which a
    /// `Box<dyn Error>` and a `String` are not.
    pub fn converse<T>(
        &mut self,
        session: &mut DeviceSession,
        exchange: impl FnMut(&[u8]) -> Result<Vec<u8>, T>,
    ) -> Result<Report, ConverseFailed<S::Error, T>> {
        converse(session, &mut self.store, exchange)
    }

    /// This installation.
    #[must_use]
    pub const fn replica(&self) -> ReplicaId {
        self.replica
    }

    /// The store.
    #[must_use]
    pub const fn store(&self) -> &S {
        &self.store
    }
}
