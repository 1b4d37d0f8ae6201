//! What a lying peer has been seen to try: each of these once took more than it may, or shut the device up.

#![allow(clippy::arithmetic_side_effects, clippy::as_conversions, clippy::unwrap_used, reason = "a test may stop")]

use holdfast::{
    compose::device::{Device, MoveTo},
    decide::{
        changes::Changes,
        consent::{Excuse, Verdict},
        offer::Offer,
    },
    values::id::MoveId,
    *,
};
use std::collections::BTreeMap;

type Phone = Device<MemoryStore>;
fn coll(s: &str) -> CollectionId {
    CollectionId::new(s).unwrap()
}
fn rec(n: usize) -> RecordId {
    RecordId::new(format!("r{n:03}")).unwrap()
}
fn replica(n: u128) -> ReplicaId {
    ReplicaId::from_entropy(n).unwrap()
}
fn at(n: i64) -> Timestamp {
    Timestamp::from_micros(n)
}
fn inputs(n: u128, t: Trust) -> Inputs<'static> {
    Inputs::new(RoundId(n), t)
}
fn phone(n: u128) -> Phone {
    Device::new(MemoryStore::device(), replica(n), Guard::default())
}
fn map(n: usize) -> BTreeMap<String, String> {
    [("name", format!("Name {n}")), ("phone", format!("Phone {n}")), ("town", format!("Town {n}"))]
        .map(|(a, b)| (a.to_owned(), b))
        .into()
}
fn genuine(count: usize) -> Phone {
    let mut ada = phone(1);
    for n in 0..count {
        ada.write(&Write::create(coll("people"), rec(n), &map(n), &Shape::new(), Cause::User).unwrap(), at(1)).unwrap();
    }
    ada
}
/// Another device that has read all that this one has.
fn twin(of: &Phone, n: u128) -> Phone {
    let mut twin = phone(n);
    for collection in ["people", "other"] {
        let all = of.pending(&coll(collection), usize::MAX).unwrap();
        twin.take_in(all, &inputs(n, Trust::Nothing)).unwrap();
    }
    twin
}
fn msg(from: u128, c: &str, offers: Vec<Offer>) -> Changes {
    Changes { offers, ..Changes::none(replica(from), coll(c)) }
}
fn offer(p: &Phone, c: &str, r: &RecordId) -> Offer {
    Offer::of(&p.row(&coll(c), r).unwrap().unwrap())
}
fn alive(p: &Phone, c: &str) -> usize {
    p.records(&coll(c), None, 10_000).unwrap().len()
}

#[test]
fn many_records_can_not_be_moved_onto_one() {
    let mut ada = genuine(200);
    let (mut sinks, mut dead) = (vec![], vec![]);
    let sink = RecordId::new("sink").unwrap();
    for n in 0..200 {
        let mut evil = twin(&ada, 1000 + n as u128);
        evil.move_to(
            &coll("people"),
            &rec(n),
            &MoveTo { id: MoveId::from_entropy(7).unwrap(), collection: coll("other"), record: sink.clone() },
            at(2),
        )
        .unwrap();
        sinks.push(offer(&evil, "other", &sink));
        dead.push(offer(&evil, "people", &rec(n)));
    }
    ada.take_in(msg(9, "other", sinks), &inputs(1, Trust::Nothing)).unwrap();
    ada.take_in(msg(9, "people", dead), &inputs(2, Trust::Nothing)).unwrap();
    assert!(alive(&ada, "people") >= 180, "only {} left", alive(&ada, "people"));
}

#[test]
fn records_can_not_be_moved_behind_others_and_deleted_there() {
    let mut ada = genuine(200);
    let mut evil = twin(&ada, 2);
    for n in 0..2000 {
        evil.write(
            &Write::create(
                coll("other"),
                RecordId::new(format!("junk{n}")).unwrap(),
                &map(n),
                &Shape::new(),
                Cause::User,
            )
            .unwrap(),
            at(2),
        )
        .unwrap();
    }
    let junk: Vec<_> = (0..2000).map(|n| offer(&evil, "other", &RecordId::new(format!("junk{n}")).unwrap())).collect();
    ada.take_in(msg(9, "other", junk), &inputs(1, Trust::Nothing)).unwrap();
    for n in 0..200 {
        evil.move_to(
            &coll("people"),
            &rec(n),
            &MoveTo { id: MoveId::from_entropy(7 + n as u128).unwrap(), collection: coll("other"), record: rec(n) },
            at(2),
        )
        .unwrap();
    }
    let there: Vec<_> = (0..200).map(|n| offer(&evil, "other", &rec(n))).collect();
    let here: Vec<_> = (0..200).map(|n| offer(&evil, "people", &rec(n))).collect();
    ada.take_in(msg(9, "other", there), &inputs(2, Trust::Nothing)).unwrap();
    ada.take_in(msg(9, "people", here), &inputs(3, Trust::Nothing)).unwrap();
    for n in 0..200 {
        evil.write(&Write::delete(coll("other"), rec(n), Cause::User), at(3)).unwrap();
    }
    let gone: Vec<_> = (0..200).map(|n| offer(&evil, "other", &rec(n))).collect();
    ada.take_in(msg(9, "other", gone), &inputs(4, Trust::Nothing)).unwrap();
    let left = (0..200)
        .filter(|n| {
            [coll("people"), coll("other")]
                .iter()
                .any(|c| ada.row(c, &rec(*n)).unwrap().is_some_and(|r| r.version.is_alive()))
        })
        .count();
    assert!(left >= 100, "only {left} of the genuine left");
}

/// A peer writes under the device's own id, with a number far ahead: the person's next edit must not drown.
#[test]
fn a_person_s_edit_does_not_drown_under_a_counter_that_a_peer_made_up() {
    let mut ada = genuine(8);
    // evil has ada's replica id and writes on and on
    let mut evil = ada.clone();
    for k in 0..50 {
        let seen = evil.read::<BTreeMap<String, String>>(&coll("people"), &rec(0), &Shape::new()).unwrap().unwrap();
        let w = seen
            .edit(
                |m| {
                    m.insert("note".into(), format!("n{k}"));
                },
                Cause::User,
            )
            .unwrap();
        evil.write(&w, at(2)).unwrap();
    }
    let ahead = offer(&evil, "people", &rec(0));
    ada.take_in(msg(9, "people", vec![ahead.clone()]), &inputs(1, Trust::Nothing)).unwrap();
    let seen = ada.read::<BTreeMap<String, String>>(&coll("people"), &rec(0), &Shape::new()).unwrap().unwrap();
    let w = seen
        .edit(
            |m| {
                m.insert("town".into(), "Real town".into());
            },
            Cause::User,
        )
        .unwrap();
    ada.write(&w, at(3)).expect_err("it would be taken for one that is known");
    ada.rotate(replica(11), [&coll("people")]).unwrap(); // the way out that the error names
    ada.write(&w, at(3)).unwrap();
    // an honest server had the same and takes the edit
    let mut server = Server::new(MemoryStore::server(), replica(77), Guard::default());
    server.take_in(msg(9, "people", vec![ahead]), &inputs(1, Trust::Account)).unwrap();
    let _ = exchange(&mut ada, &mut server, &coll("people"), &inputs(2, Trust::Account)).unwrap();
    let mut ben = phone(5);
    exchange(&mut ben, &mut server, &coll("people"), &inputs(3, Trust::Account)).unwrap();
    let m: BTreeMap<String, String> =
        ben.read::<BTreeMap<String, String>>(&coll("people"), &rec(0), &Shape::new()).unwrap().unwrap().into_inner();
    assert_eq!(m["town"], "Real town");
}

/// A forged consent that came with a record nobody here held, under `Trust::Nothing`, is passed on as if it had been checked.
#[test]
fn a_consent_that_was_not_checked_is_not_handed_on() {
    let mut ada = genuine(40);
    let mut evil = twin(&ada, 2);
    let mut offers = vec![];
    for n in 0..40 {
        evil.write(&Write::delete(coll("people"), rec(n), Cause::User), at(2)).unwrap();
        let mut o = offer(&evil, "people", &rec(n));
        let held = ada.row(&coll("people"), &rec(n)).unwrap().unwrap().version.digest();
        o.excuse =
            Some(Excuse { verdict: Verdict::Consent, held, hidden: o.version.digest(), by: "Ada".into(), at: at(1) });
        offers.push(o);
    }
    let mut server = Server::new(MemoryStore::server(), replica(77), Guard::default());
    server.take_in(msg(2, "people", offers), &inputs(1, Trust::Nothing)).unwrap();
    let _ = ada
        .take_in(server.since(&coll("people"), Default::default(), 1000).unwrap(), &inputs(2, Trust::Account))
        .unwrap();
    assert!(alive(&ada, "people") >= 30, "{} left", alive(&ada, "people"));
}

/// One message says that it is the server's, and that it is the last there will ever be.
#[test]
fn a_made_up_position_does_not_end_the_pulling() {
    let (mut ada, mut ben) = (genuine(8), phone(5));
    let mut server = Server::new(MemoryStore::server(), replica(77), Guard::default());
    ben.take_in(
        Changes { upto: Some(holdfast::decide::line::Revision(u64::MAX)), ..msg(77, "people", vec![]) },
        &inputs(1, Trust::Nothing),
    )
    .unwrap();
    exchange(&mut ada, &mut server, &coll("people"), &inputs(2, Trust::Account)).unwrap();
    exchange(&mut ben, &mut server, &coll("people"), &inputs(3, Trust::Account)).unwrap();
    assert_eq!(alive(&ben, "people"), 8);
}
