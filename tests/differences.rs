//! Small cases in which the engine once differed from the reference model.

use holdfast::{
    act::memory::MemoryStore,
    compose::{device::Device, exchange::exchange, server::Server},
    decide::{
        consent::Trust,
        guard::{Guard, Inputs},
        ledger::RoundId,
        write::Write,
    },
    values::{
        id::{CollectionId, FieldName, RecordId, ReplicaId},
        register::Cause,
        time::Timestamp,
        value::Value,
    },
};

fn people() -> CollectionId {
    CollectionId::new("people").unwrap()
}

fn id(number: usize) -> RecordId {
    RecordId::new(format!("{number:03}")).unwrap()
}

fn at(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros)
}

fn device(number: u128) -> Device<MemoryStore> {
    Device::new(MemoryStore::device(), ReplicaId::from_entropy(number).unwrap(), Guard::default())
}

fn server() -> Server<MemoryStore> {
    Server::new(MemoryStore::server(), ReplicaId::from_entropy(9).unwrap(), Guard::default())
}

fn round(number: u128) -> Inputs<'static> {
    Inputs::new(RoundId(number), Trust::Account)
}

/// A person on this device writes a record down.
fn create(on: &mut Device<MemoryStore>, number: usize, note: &str) {
    let fields = vec![(FieldName::new("note").unwrap(), Value::Text(note.into()))];
    on.write(&Write::create_fields(people(), id(number), fields, Cause::User), at(1)).unwrap();
}

#[test]
fn a_bulk_delete_of_the_only_record_is_asked_for() {
    let mut a = device(1);
    create(&mut a, 0, "the only one");
    let receipt = a.write(&Write::delete_many(people(), vec![id(0)], Cause::User), at(2)).unwrap();
    assert_eq!(receipt.held, [id(0)], "it empties the collection");
    assert_eq!(a.records(&people(), None, 9).unwrap(), [id(0)]);
}
