//! Small cases in which the engine once differed from the reference model.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test should stop at its own bugs"
)]

use holdfast::{
    act::{memory::MemoryStore, store::Store},
    compose::{
        device::{Device, MoveTo},
        exchange::exchange,
        server::Server,
    },
    decide::{
        consent::Trust,
        guard::{Guard, Inputs},
        ledger::{Ledger, RoundId},
        line::LineKind,
        row::Row,
        slice::ReadSet,
        write::Write,
    },
    values::{
        id::{CollectionId, FieldName, MoveId, RecordId, ReplicaId},
        register::Cause,
        shape::Shape,
        time::{Day, Timestamp},
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

/// Records `0..n` on two devices and the server.
fn settled(n: usize) -> (Device<MemoryStore>, Device<MemoryStore>, Server<MemoryStore>) {
    let (mut a, mut b, mut server) = (device(1), device(2), server());
    (0..n).for_each(|number| create(&mut a, number, "a note"));
    sync(&mut a, &mut server, 1);
    sync(&mut b, &mut server, 2);
    (a, b, server)
}

fn delete(on: &mut Device<MemoryStore>, number: usize, cause: Cause) {
    on.write(&Write::delete(people(), id(number), cause), at(3)).unwrap();
}

fn ledger(on: &Device<MemoryStore>) -> Ledger {
    on.store().read(&ReadSet::head(people())).unwrap().ledger.unwrap()
}

#[test]
fn a_machines_edit_of_a_record_that_sync_has_hidden_answers_for_nothing() {
    let (mut a, mut b, mut server) = settled(4);
    delete(&mut a, 0, Cause::User);
    sync(&mut a, &mut server, 3);
    sync(&mut b, &mut server, 4);
    let before = ledger(&b);
    assert_eq!((before.base, before.spent), (4, 1));
    let fields = vec![(FieldName::new("note").unwrap(), Value::Text("rolled over".into()))];
    b.write(&Write::create_fields(people(), id(0), fields.clone(), Cause::App), at(4)).unwrap();
    assert_eq!(ledger(&b), before, "the app's edit is no answer");
    b.write(&Write::create_fields(people(), id(0), fields, Cause::User), at(5)).unwrap();
    assert_eq!((ledger(&b).base, ledger(&b).spent), (4, 0), "a person's is");
}

#[test]
fn an_answer_does_not_answer_a_loss_that_came_after_what_it_was_shown() {
    let (mut a, mut b, mut server) = settled(20);
    delete(&mut a, 0, Cause::User);
    sync(&mut a, &mut server, 3);
    sync(&mut b, &mut server, 4);
    let asked = b.write(&Write::delete_many(people(), (5..10).map(id).collect(), Cause::User), at(4)).unwrap();
    // The record comes back and goes again, after the question was shown.
    create(&mut a, 0, "back again");
    sync(&mut a, &mut server, 5);
    sync(&mut b, &mut server, 6);
    delete(&mut a, 0, Cause::User);
    sync(&mut a, &mut server, 7);
    sync(&mut b, &mut server, 8);
    b.keep(&people(), asked.hold.unwrap(), "ada", at(9)).unwrap();
    assert!(b.row(&people(), &id(0)).unwrap().unwrap().lost.is_some(), "nobody was asked about the second loss");
}

#[test]
fn held_losses_that_nobody_authored_count_until_they_are_answered() {
    let (mut a, mut b, mut server) = settled(100);
    // Eleven in one round are over the round limit of three, and held.
    (0..11).for_each(|number| delete(&mut a, number, Cause::Listing));
    sync(&mut a, &mut server, 3);
    assert_eq!(server.hold(&people()).unwrap().unwrap().open().count(), 11);
    // One more is within the round, but ten are all that may be open.
    delete(&mut b, 50, Cause::Listing);
    sync(&mut b, &mut server, 4);
    assert_eq!(server.hold(&people()).unwrap().unwrap().open().count(), 12);
}

#[test]
fn a_keep_after_a_purge_puts_no_value_there_again() {
    let (mut a, _, mut server) = settled(4);
    (0..4).for_each(|number| delete(&mut a, number, Cause::User));
    sync(&mut a, &mut server, 3);
    let asked = a.hold(&people()).unwrap().unwrap().digest;
    (1..4).for_each(|day| drop(a.pass_day(&people(), Day(day), 2).unwrap()));
    a.keep(&people(), asked, "ada", at(9)).unwrap();
    let kept = a.row(&people(), &id(0)).unwrap().unwrap().version;
    assert!(kept.is_alive());
    let written: Vec<_> =
        kept.field_heads().iter().flat_map(|head| head.stamps()).map(|stamp| stamp.dot.counter).collect();
    assert_eq!(written, [1], "the value stands under the dot of its first write");
}

/// Three families.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Card {
    name: Option<String>,
    tel: Option<String>,
    note: Option<String>,
}

fn card() -> Card {
    let some = |text: &str| Some(text.to_string());
    Card { name: some("Ada"), tel: some("1"), note: some("x") }
}

/// A device, with cards `0..n` if it is the first to write them.
fn with_cards(number: u128, n: usize) -> Device<MemoryStore> {
    let mut on = device(number);
    for number in 0..n {
        let write = Write::create(people(), id(number), &card(), &Shape::new(), Cause::User).unwrap();
        on.write(&write, at(1)).unwrap();
    }
    on
}

fn rewrite(on: &mut Device<MemoryStore>, number: usize, new: Card, cause: Cause) {
    let seen = on.read::<Card>(&people(), &id(number), &Shape::new()).unwrap().unwrap();
    on.write(&seen.save(&new, cause).unwrap(), at(4)).unwrap();
}

#[test]
fn what_a_mass_change_counts_is_held_as_one_of_it_whatever_else_it_broke() {
    let (mut a, mut server) = (with_cards(1, 120), server());
    sync(&mut a, &mut server, 1);
    // Thirteen losses of 120 are too many; six notes emptied are too many of the first eight only.
    (0..6).for_each(|number| rewrite(&mut a, number, Card { tel: None, note: None, ..card() }, Cause::User));
    (100..107).for_each(|number| delete(&mut a, number, Cause::User));
    sync(&mut a, &mut server, 2);
    let hold = server.hold(&people()).unwrap().unwrap();
    let kinds: Vec<LineKind> = hold.open().map(|line| line.kind).collect();
    assert_eq!(kinds, [vec![LineKind::MassChange; 6], vec![LineKind::Loss; 7]].concat());
}

#[test]
fn a_write_on_a_held_record_sees_that_it_has_only_moved_away() {
    let (mut a, mut b, mut server) = settled(8);
    let friends = CollectionId::new("friends").unwrap();
    (0..4).for_each(|number| delete(&mut a, number, Cause::User));
    let to = MoveTo { id: MoveId::from_entropy(7).unwrap(), collection: friends.clone(), record: id(7) };
    a.move_to(&people(), &id(7), &to, at(3)).unwrap();
    // The delete half arrives before the create, with four others: five of eight are too many.
    for (number, on) in (10..).zip([&mut a, &mut b]) {
        sync(on, &mut server, number);
        exchange(on, &mut server, &friends, &round(number + 10)).unwrap();
    }
    let waits = |on: &Device<MemoryStore>| on.row(&people(), &id(7)).unwrap().unwrap().quarantine.is_some();
    assert!(waits(&b));
    let seen = b.read::<Note>(&people(), &id(7), &Shape::new()).unwrap().unwrap();
    let new = Note { note: String::new(), second: None };
    b.write(&seen.save(&new, Cause::App).unwrap(), at(4)).unwrap();
    assert!(!waits(&b), "it is there, under friends");
}
