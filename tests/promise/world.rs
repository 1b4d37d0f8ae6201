//! Short names for what every test needs: ids, writes, and what a replica holds and shows.
#![allow(dead_code, reason = "each test crate uses its part")]

use std::collections::{BTreeMap, BTreeSet};

use holdfast::{
    act::{memory::MemoryStore, receipt::Receipt, store::Store},
    compose::{device::Device, server::Server},
    decide::{
        changes::Changes,
        consent::Trust,
        guard::{Guard, Inputs},
        ledger::RoundId,
        offer::Offer,
        row::Row,
        slice::{Query, ReadSet},
        write::Write,
    },
    values::{
        id::{CollectionId, FieldName, RecordId, ReplicaId},
        register::{Cause, Show},
        shape::Shape,
        time::Timestamp,
        value::Value,
        version::Version,
    },
};

/// A device in memory.
pub(crate) type Phone = Device<MemoryStore>;
/// A server in memory.
pub(crate) type Cloud = Server<MemoryStore>;
/// All rows of a collection.
pub(crate) type Rows = BTreeMap<RecordId, Row>;
/// What an app would show: the values of the living records.
pub(crate) type Shown = BTreeMap<RecordId, BTreeMap<FieldName, Value>>;
/// An app's struct with any fields.
pub(crate) type Loose = BTreeMap<String, Value>;

pub(crate) fn people() -> CollectionId {
    collection("people")
}

pub(crate) fn collection(name: &str) -> CollectionId {
    CollectionId::new(name).unwrap()
}

pub(crate) fn rec(n: usize) -> RecordId {
    RecordId::new(format!("{n:03}")).unwrap()
}

pub(crate) fn replica(n: u128) -> ReplicaId {
    ReplicaId::from_entropy(n).unwrap()
}

pub(crate) fn at(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros)
}

pub(crate) fn round(n: u128) -> Inputs<'static> {
    Inputs::new(RoundId(n), Trust::Account)
}

pub(crate) fn phone(n: u128) -> Phone {
    Device::new(MemoryStore::device(), replica(n), Guard::default())
}

pub(crate) fn cloud() -> Cloud {
    Server::new(MemoryStore::server(), replica(99), Guard::default())
}

pub(crate) fn fields(pairs: &[(&str, &str)]) -> Vec<(FieldName, Value)> {
    pairs.iter().map(|(name, value)| (FieldName::new(name).unwrap(), Value::from(*value))).collect()
}

pub(crate) fn create_as(device: &mut Phone, n: usize, pairs: &[(&str, &str)], cause: Cause) -> Receipt {
    let write = Write::create_fields(people(), rec(n), fields(pairs), cause);
    device.write(&write, at(1)).unwrap()
}

pub(crate) fn create(device: &mut Phone, n: usize, pairs: &[(&str, &str)]) -> Receipt {
    create_as(device, n, pairs, Cause::User)
}

/// A person with three families of fields.
pub(crate) fn person(device: &mut Phone, n: usize) -> Receipt {
    create(device, n, &[("name", &format!("Name {n}")), ("phone", &format!("+49 {n}")), ("town", "Kiel")])
}

pub(crate) fn delete(device: &mut Phone, n: usize) -> Receipt {
    device.write(&Write::delete(people(), rec(n), Cause::User), at(2)).unwrap()
}

/// Saves a record over what is shown of it: fields set, or cleared where there is no value.
pub(crate) fn edit_as(
    device: &mut Phone,
    collection: &CollectionId,
    record: &RecordId,
    edits: &[(&str, Option<&str>)],
    (cause, at): (Cause, Timestamp),
) -> Option<Receipt> {
    let seen = device.read::<Loose>(collection, record, &Shape::new()).unwrap()?;
    let mut next = (*seen).clone();
    for (name, value) in edits {
        match value {
            Some(value) => next.insert((*name).to_owned(), Value::from(*value)),
            None => next.remove(*name),
        };
    }
    Some(device.write(&seen.save(&next, cause).unwrap(), at).unwrap())
}

pub(crate) fn edit(device: &mut Phone, n: usize, edits: &[(&str, Option<&str>)]) -> Receipt {
    edit_as(device, &people(), &rec(n), edits, (Cause::User, at(3))).unwrap()
}

pub(crate) fn rows_of(store: &impl Store, collection: &CollectionId) -> Rows {
    let all = Query::Range { after: None, limit: usize::MAX };
    store.read(&ReadSet::head(collection.clone()).with_query(all)).unwrap().rows
}

pub(crate) fn rows(store: &impl Store) -> Rows {
    rows_of(store, &people())
}

/// Everything that a replica could tell a peer of a collection, from nothing on.
pub(crate) fn offers(store: &impl Store, collection: &CollectionId) -> Vec<Offer> {
    rows_of(store, collection).values().map(Offer::of).collect()
}

pub(crate) fn changes(from: ReplicaId, offers: Vec<Offer>) -> Changes {
    Changes { from, collection: people(), offers, upto: None }
}

pub(crate) fn values_shown(version: &Version) -> BTreeMap<FieldName, Value> {
    let record = version.record();
    let shown = record.fields().iter().filter_map(|(name, register)| Some((name, register.shown(Show::Latest)?)));
    shown.map(|(name, value)| (name.clone(), value.clone())).collect()
}

pub(crate) fn shown_of(store: &impl Store, collection: &CollectionId) -> Shown {
    let alive = rows_of(store, collection).into_values().filter(|row| row.version.is_alive());
    alive.map(|row| (row.record, values_shown(&row.version))).collect()
}

pub(crate) fn shown(store: &impl Store) -> Shown {
    shown_of(store, &people())
}

/// Every surviving write of a version by place, name and value, the writer's clock left out.
pub(crate) fn survivors(version: &Version) -> BTreeSet<String> {
    let record = version.record();
    let life = record.life().siblings().iter();
    let life = life.map(|s| format!("life {:?} {:?} {:?}", s.stamp.dot, s.stamp.cause, s.value));
    let fields = record.fields().iter().flat_map(|(name, register)| {
        let siblings = register.siblings().iter();
        siblings.map(move |s| format!("{name} {:?} {:?} {:?}", s.stamp.dot, s.stamp.cause, s.value))
    });
    life.chain(fields).collect()
}

/// The whole store, as text: what must not change where nothing may change.
pub(crate) fn whole(store: &MemoryStore) -> String {
    format!("{store:?}")
}

/// One sync of the collection: push, acknowledge, pull.
pub(crate) fn sync(device: &mut Phone, server: &mut Cloud, n: u128) -> holdfast::compose::exchange::Exchanged {
    holdfast::compose::exchange::exchange(device, server, &people(), &round(n)).unwrap()
}

/// `n` people on a device and on a server, and a second device that has them too.
pub(crate) fn three_with(n: usize) -> (Phone, Phone, Cloud) {
    let (mut a, mut b, mut server) = (phone(1), phone(2), cloud());
    for index in 0..n {
        let _ = person(&mut a, index);
    }
    let _ = sync(&mut a, &mut server, 1);
    let _ = sync(&mut b, &mut server, 2);
    assert_eq!((rows(a.store()).len(), rows(b.store()).len()), (n, n));
    (a, b, server)
}
