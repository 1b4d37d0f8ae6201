//! Small cases in which the engine once differed from the reference model.

use holdfast::{
    act::memory::MemoryStore,
    compose::{device::Device, exchange::exchange, server::Server},
    decide::{
        consent::Trust,
        guard::{Guard, Inputs},
        ledger::RoundId,
        row::Row,
        write::Write,
    },
    values::{
        id::{CollectionId, FieldName, RecordId, ReplicaId},
        register::Cause,
        shape::Shape,
        time::Timestamp,
        value::Value,
    },
};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Note {
    note: String,
    second: Option<String>,
}

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

fn sync(device: &mut Device<MemoryStore>, server: &mut Server<MemoryStore>, number: u128) {
    exchange(device, server, &people(), &round(number)).unwrap();
}

#[test]
fn a_machine_that_clears_a_field_returns_a_record_to_an_old_content_with_no_author() {
    let (mut a, mut b, mut server) = (device(1), device(2), server());
    let shape = Shape::new();
    let edit = |on: &mut Device<MemoryStore>, second: Option<&str>, cause| {
        let seen = on.read::<Note>(&people(), &id(0), &shape).unwrap().unwrap();
        let new = Note { second: second.map(Into::into), ..seen.clone().into_inner() };
        on.write(&seen.save(&new, cause).unwrap(), at(2)).unwrap();
    };
    create(&mut a, 0, "first");
    edit(&mut a, Some("more"), Cause::User);
    sync(&mut a, &mut server, 1);
    sync(&mut b, &mut server, 2);
    edit(&mut a, None, Cause::App);
    sync(&mut a, &mut server, 3);
    let is_unauthored = |row: Option<Row>| row.unwrap().lost.unwrap().unauthored;
    sync(&mut b, &mut server, 4);
    assert!(is_unauthored(b.row(&people(), &id(0)).unwrap()));
    // A person who clears it is an author.
    create(&mut a, 1, "first");
    let seen = a.read::<Note>(&people(), &id(1), &shape).unwrap().unwrap();
    let with = |second: Option<&str>| Note { note: "first".into(), second: second.map(Into::into) };
    a.write(&seen.save(&with(Some("more")), Cause::User).unwrap(), at(2)).unwrap();
    sync(&mut a, &mut server, 5);
    sync(&mut b, &mut server, 6);
    let seen = a.read::<Note>(&people(), &id(1), &shape).unwrap().unwrap();
    a.write(&seen.save(&with(None), Cause::User).unwrap(), at(3)).unwrap();
    sync(&mut a, &mut server, 7);
    sync(&mut b, &mut server, 8);
    assert_eq!(b.row(&people(), &id(1)).unwrap().unwrap().lost, None);
}
