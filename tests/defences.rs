//! One test for each defence: what goes wrong without it. `docs/defences.md` lists them.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test may stop"
)]

#[path = "promise/world.rs"]
mod world;

use holdfast::{
    act::{
        memory::MemoryStore,
        plan::Batch,
        receipt::{Effect, Receipt},
        store::{CommitError, Store},
    },
    compose::device::{Device, MoveTo},
    decide::{
        breach::Rule,
        changes::Changes,
        guard::Guard,
        slice::{ReadSet, Slice},
        write::Write,
    },
    values::{
        id::{CollectionId, MoveId},
        register::Cause,
        time::Day,
    },
};
use world::*;

/// A second device that has all of the first, to attack it with.
fn copy_of(device: &Phone, id: u128) -> Phone {
    let mut copy = phone(id);
    let _ = copy.take_in(changes(device.replica(), offers(device.store(), &people())), &round(1)).unwrap();
    copy
}

fn with_people(count: usize) -> (Phone, Phone) {
    let mut device = phone(1);
    (0..count).for_each(|n| drop(person(&mut device, n)));
    let other = copy_of(&device, 2);
    (device, other)
}

fn send(from: &Phone, to: &mut Phone, round_no: u128) -> Receipt {
    to.take_in(from.pending(&people(), usize::MAX).unwrap(), &round(round_no)).unwrap()
}

fn deleted(device: &mut Phone, records: impl Iterator<Item = usize>, cause: Cause) {
    records.for_each(|n| drop(device.write(&Write::delete(people(), rec(n), cause), at(5)).unwrap()));
}

#[test]
fn concurrent_values_are_both_kept() {
    let (mut a, mut b) = with_people(1);
    let _ = edit(&mut a, 0, &[("phone", Some("1"))]);
    let _ = edit(&mut b, 0, &[("phone", Some("2"))]);
    let receipt = send(&b, &mut a, 2);
    assert_eq!(receipt.changes[0].conflicts.len(), 1);
    let row = a.row(&people(), &rec(0)).unwrap().unwrap();
    let values: Vec<String> = survivors(&row.version).into_iter().filter(|line| line.starts_with("phone")).collect();
    assert_eq!(values.len(), 2, "one of two concurrent values is gone: {values:?}");
}

#[test]
fn a_certificate_covers_no_field_of_an_edit_that_revives_the_record() {
    let (mut a, mut b, mut server) = three_with(9);
    let _ = delete(&mut a, 0);
    let _ = sync(&mut a, &mut server, 3);
    for side in 1..6 {
        let _ = server.pass_day(&people(), Day(side), 2).unwrap();
        let _ = a.pass_day(&people(), Day(side), 2).unwrap();
    }
    let purged = rows(server.store())[&rec(0)].version.clone();
    assert!(purged.field_heads().is_empty() && !purged.is_alive(), "its retention is over");
    let _ = edit(&mut b, 0, &[("phone", Some("new"))]);
    for n in 4..7 {
        let _ = sync(&mut b, &mut server, n);
        let _ = sync(&mut a, &mut server, n + 10);
    }
    for store in [a.store(), b.store(), server.store()] {
        assert_eq!(shown(store)[&rec(0)].len(), 3, "the purge covered fields of a living record");
    }
}

#[test]
fn new_records_do_not_enlarge_what_may_be_taken_from_old_ones() {
    let (mut device, mut evil) = with_people(8);
    (100..192).for_each(|n| drop(person(&mut evil, n)));
    let _ = send(&evil, &mut device, 2);
    deleted(&mut evil, 0..8, Cause::User);
    let _ = send(&evil, &mut device, 3);
    let left = (0..8).filter(|n| shown(device.store()).contains_key(&rec(*n))).count();
    assert!(left >= 4, "only {left} of the 8 oldest records are left");
}

#[test]
fn dripping_takes_no_more_than_half() {
    for count in [14, 40] {
        let (mut device, mut evil) = with_people(count);
        // The youngest first, so that no prefix stands in the way.
        for n in (0..count).rev() {
            deleted(&mut evil, n..n + 1, Cause::User);
            let _ = send(&evil, &mut device, 10 + n as u128);
        }
        assert_eq!(shown(device.store()).len(), count / 2);
        assert_eq!(device.hold(&people()).unwrap().unwrap().of, count as u64, "hidden records are in the base");
    }
}

#[test]
fn nothing_by_sync_ends_at_zero() {
    let (mut device, mut evil) = (phone(1), phone(2));
    let places: Vec<CollectionId> = ["a", "b", "c"].map(collection).into();
    for place in &places {
        let write = Write::create_fields(place.clone(), rec(0), fields(&[("name", "x")]), Cause::User);
        let _ = device.write(&write, at(1)).unwrap();
        let all = Changes { collection: place.clone(), ..changes(replica(1), offers(device.store(), place)) };
        let _ = evil.take_in(all, &round(1)).unwrap();
        let _ = evil.write(&Write::delete(place.clone(), rec(0), Cause::User), at(2)).unwrap();
    }
    for (n, place) in places.iter().enumerate() {
        let message = evil.pending(place, usize::MAX).unwrap();
        let _ = device.take_in(message, &round(10 + n as u128)).unwrap();
    }
    let left: usize = places.iter().map(|place| shown_of(device.store(), place).len()).sum();
    assert_eq!(left, 1, "an account of three records was emptied by sync");
}

#[test]
fn the_account_is_judged_as_a_whole() {
    let (mut device, mut evil) = (phone(1), phone(2));
    let places: Vec<CollectionId> = (0..6).map(|n| collection(&format!("c{n}"))).collect();
    for place in &places {
        for n in 0..10 {
            let write = Write::create_fields(place.clone(), rec(n), fields(&[("name", "x")]), Cause::User);
            let _ = device.write(&write, at(1)).unwrap();
        }
        let all = Changes { collection: place.clone(), ..changes(replica(1), offers(device.store(), place)) };
        let _ = evil.take_in(all, &round(1)).unwrap();
        // Five of ten are within the limits of each collection, two of its first eight.
        for n in [0, 1, 7, 8, 9] {
            let _ = evil.write(&Write::delete(place.clone(), rec(n), Cause::User), at(2)).unwrap();
        }
    }
    for place in &places {
        let _ = device.take_in(evil.pending(place, usize::MAX).unwrap(), &round(9)).unwrap();
    }
    let left: usize = places.iter().map(|place| shown_of(device.store(), place).len()).sum();
    assert!(left >= 50, "one round took {} of 60 records of the account", 60 - left);
}

#[test]
fn a_round_in_many_messages_is_one_round() {
    let (mut device, mut evil) = with_people(64);
    deleted(&mut evil, 40..60, Cause::User);
    let all = evil.pending(&people(), usize::MAX).unwrap();
    for part in all.offers.chunks(5) {
        let _ = device.take_in(changes(replica(2), part.to_vec()), &round(7)).unwrap();
    }
    assert_eq!(shown(device.store()).len(), 54, "a round takes ten, in however many messages");
}

#[test]
fn removals_that_nobody_authored_have_a_tighter_budget() {
    let (mut device, mut evil) = with_people(60);
    deleted(&mut evil, 50..55, Cause::Listing);
    let receipt = send(&evil, &mut device, 2);
    assert!(receipt.breaches.iter().any(|breach| breach.rule == Rule::UnauthoredRound), "{receipt}");
    assert_eq!((receipt.held.len(), shown(device.store()).len()), (5, 60));
    // Dripped, they end at a twentieth, or ten.
    let (mut device, mut evil) = with_people(60);
    for n in 30..60 {
        deleted(&mut evil, n..n + 1, Cause::Listing);
        let _ = send(&evil, &mut device, 100 + n as u128);
    }
    assert_eq!(shown(device.store()).len(), 50);
}

#[test]
fn an_old_content_that_a_machine_brings_back_is_recognised() {
    let (mut device, mut old) = with_people(40);
    let changed = |n: usize| format!("new {n}");
    (30..36).for_each(|n| drop(edit(&mut device, n, &[("phone", Some(&changed(n)))])));
    let _ = old.take_in(changes(replica(1), offers(device.store(), &people())), &round(2)).unwrap();
    for n in 30..36 {
        let back = format!("+49 {n}");
        let _ = edit_as(&mut old, &people(), &rec(n), &[("phone", Some(&back))], (Cause::App, at(7))).unwrap();
    }
    let receipt = send(&old, &mut device, 3);
    assert_eq!(receipt.held.len(), 6, "six records went back to what they were, and nobody asked: {receipt}");
    // A person may: it is a change like any other.
    let (mut device, mut person) = with_people(40);
    (30..36).for_each(|n| drop(edit(&mut device, n, &[("phone", Some(&changed(n)))])));
    let _ = person.take_in(changes(replica(1), offers(device.store(), &people())), &round(2)).unwrap();
    (30..36).for_each(|n| drop(edit(&mut person, n, &[("phone", Some(&format!("+49 {n}")))])));
    assert_eq!(send(&person, &mut device, 3).count(Effect::Changed), 6);
}

#[test]
fn a_mass_change_is_not_released_record_by_record() {
    let (mut device, mut evil) = with_people(40);
    (0..30).for_each(|n| drop(edit(&mut evil, n, &[("phone", None)])));
    assert_eq!(send(&evil, &mut device, 2).held.len(), 30);
    // Each alone is no loss; and each comes again, with something harmless.
    (0..30).for_each(|n| drop(edit(&mut evil, n, &[("note", Some("hello"))])));
    for (n, offer) in evil.pending(&people(), usize::MAX).unwrap().offers.into_iter().enumerate() {
        let _ = device.take_in(changes(replica(2), vec![offer]), &round(10 + n as u128)).unwrap();
    }
    let phones = shown(device.store()).values().filter(|fields| fields.keys().any(|f| f.as_str() == "phone")).count();
    assert_eq!(phones, 40);
}

/// A store that has lost its ledger.
#[derive(Debug)]
struct NoLedger(MemoryStore);

impl Store for NoLedger {
    type Error = core::convert::Infallible;

    fn read(&self, set: &ReadSet) -> Result<Slice, Self::Error> {
        let mut slice = self.0.read(set)?;
        slice.ledger = None;
        Ok(slice)
    }

    fn commit(&mut self, batch: Batch) -> Result<(), CommitError<Self::Error>> {
        self.0.commit(batch)
    }
}

#[test]
fn a_missing_ledger_counts_as_spent() {
    let (device, mut evil) = with_people(40);
    deleted(&mut evil, 30..31, Cause::User);
    let _ = edit(&mut evil, 32, &[("phone", Some("new"))]);
    let message = evil.pending(&people(), usize::MAX).unwrap();
    let mut lost = Device::new(NoLedger(device.store().clone()), replica(1), Guard::default());
    let receipt = lost.take_in(message, &round(2)).unwrap();
    assert!(receipt.breaches.iter().any(|breach| breach.rule == Rule::LedgerMissing), "{receipt}");
    assert_eq!((receipt.held.len(), receipt.count(Effect::Hidden)), (1, 0));
    assert_eq!(receipt.count(Effect::Changed), 1, "what takes nothing goes on");
    // And it stays so until a person answers, with the ledger back or not.
    let mut back = Device::new(lost.store().0.clone(), replica(1), Guard::default());
    deleted(&mut evil, 33..34, Cause::User);
    assert_eq!(send(&evil, &mut back, 3).held.len(), 1);
}

#[test]
fn a_move_is_no_answer_to_a_missing_ledger() {
    let (device, mut evil) = with_people(40);
    let blank = [("name", None), ("phone", None), ("town", None)];
    let _ = edit_as(&mut evil, &people(), &rec(30), &blank, (Cause::App, at(4))).unwrap();
    let mut lost = Device::new(NoLedger(device.store().clone()), replica(1), Guard::default());
    let _ = lost.take_in(evil.pending(&people(), usize::MAX).unwrap(), &round(2)).unwrap();
    let mut back = Device::new(lost.store().0.clone(), replica(1), Guard::default());
    assert_eq!(back.hold(&people()).unwrap().unwrap().open().count(), 1, "the blank record waits");
    // The record has moved away: nothing is left to ask about it, but nobody has been asked about the ledger.
    let mut mover = copy_of(&device, 3);
    let there = collection("there");
    let to = MoveTo { id: MoveId::from_entropy(7).unwrap(), collection: there.clone(), record: rec(0) };
    mover.move_to(&people(), &rec(30), &to, at(5)).unwrap();
    for (collection, number) in [(there, 3), (people(), 4)] {
        let _ = back.take_in(mover.pending(&collection, usize::MAX).unwrap(), &round(number)).unwrap();
    }
    assert!(back.hold(&people()).unwrap().is_none(), "the move closes the line");
    deleted(&mut evil, 33..34, Cause::User);
    assert_eq!(send(&evil, &mut back, 5).held.len(), 1, "the ledger is still missing");
}

#[test]
fn a_counter_is_durable_before_it_is_shown() {
    let mut device = phone(1);
    let mut seen = std::collections::BTreeSet::new();
    for n in 0..6 {
        let _ = person(&mut device, n);
        let _ = if n % 2 == 0 { edit(&mut device, n, &[("town", Some("Bremen"))]) } else { delete(&mut device, n) };
        let row = device.row(&people(), &rec(n)).unwrap().unwrap();
        let dot = row.version.context().iter().next().unwrap();
        assert!(seen.insert(dot), "{dot:?} has named another write before");
        // A restart.
        device = Device::new(device.store().clone(), replica(1), Guard::default());
        let head = device.store().read(&ReadSet::head(people())).unwrap().head;
        assert!(head.counter >= dot.counter, "a counter was shown that is not durable");
    }
}

#[test]
fn a_large_first_answer_does_not_restart_the_count() {
    let (mut device, mut evil) = with_people(40);
    deleted(&mut evil, 0..30, Cause::User);
    let _ = send(&evil, &mut device, 2);
    let hold = device.hold(&people()).unwrap().unwrap();
    let one = hold.open().next().unwrap().running;
    let _ = device.consent(&people(), one, "ada", at(9)).unwrap();
    // What is open still counts as spent: of the rest, nothing goes.
    let mut later = copy_of(&device, 3);
    deleted(&mut later, 30..35, Cause::User);
    let _ = send(&later, &mut device, 4);
    assert_eq!(shown(device.store()).len(), 39);
}
