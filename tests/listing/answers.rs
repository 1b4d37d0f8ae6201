//! What is asked about a listing, and what an answer does.

use holdfast::{
    act::receipt::Effect,
    decide::{
        consent::{Answer, Verdict},
        line::LineKind,
        refusal::Refusal,
    },
    values::{id::FieldName, value::Value},
    *,
};

use crate::phone::{Phone, card, id, in_step, inputs, people};

#[test]
fn a_repeated_listing_is_the_same_question() {
    let (mut ada, _, _) = in_step(50);
    ada.native.clear();
    let first = ada.observe();
    assert_eq!(first.held.len(), 50);
    let second = ada.observe();
    assert!(second.is_quiet());
    assert_eq!(second.hold, first.hold);
}

#[test]
fn an_entry_that_is_back_strikes_its_line() {
    let (mut ada, _, _) = in_step(50);
    let before = ada.native.clone();
    ada.native.clear();
    ada.observe();
    ada.native = before;
    ada.remove(0..1);
    ada.observe();
    assert_eq!(ada.open_lines(), 1); // the one that is still missing was asked about, and still is
    assert_eq!(ada.living().len(), 50);
}

#[test]
fn keep_writes_back_what_was_missing() {
    let (mut ada, mut ben, mut server) = in_step(50);
    let before = ada.native.clone();
    ada.native.clear();
    let hold = ada.observe().hold.unwrap();
    ada.device.keep(&people(), hold, "Ada", Timestamp::from_micros(9)).unwrap();
    assert_eq!(ada.write_back(), 50);
    assert_eq!(ada.native, before);
    assert_eq!(ada.pending(), 0); // nobody has heard of it
    assert!(ada.observe().is_quiet());
    ada.sync(&mut server);
    ben.sync(&mut server);
    assert_eq!((ben.write_back(), ben.native), (0, before));
}

#[test]
fn consent_removes_everywhere_and_nobody_is_asked_again() {
    let (mut ada, mut ben, mut server) = in_step(50);
    ada.remove(0..30);
    let hold = ada.observe().hold.unwrap();
    let receipt = ada.device.consent(&people(), hold, "Ada", Timestamp::from_micros(9)).unwrap();
    assert_eq!(receipt.count(Effect::Hidden), 30);
    ada.sync(&mut server);
    ben.sync(&mut server);
    ben.write_back();
    assert_eq!(ben.native, ada.native);
    assert_eq!((ben.open_lines(), ada.open_lines()), (0, 0));
    assert!(server.hold(&people()).unwrap().is_none());
    assert_eq!(ada.write_back(), 0);
}

#[test]
fn a_consent_does_not_remove_what_has_moved_on() {
    let (mut ada, mut ben, mut server) = in_step(50);
    ada.remove(0..30);
    let hold = ada.observe().hold.unwrap();
    ben.native.get_mut(&id("p000")).unwrap().extend(card([("tel/a", "+1 555")]));
    ben.observe();
    ben.sync(&mut server);
    ada.sync(&mut server);
    assert_eq!(ada.open_lines(), 29);
    let receipt = ada.device.consent(&people(), hold, "Ada", Timestamp::from_micros(9)).unwrap();
    assert_eq!(receipt.count(Effect::Hidden), 29);
    assert_eq!(ada.write_back(), 1); // and it is shown again, with the edit
    assert_eq!(ada.native[&id("p000")], ben.native[&id("p000")]);
}

#[test]
fn an_answer_about_earlier_losses_is_given_once_for_all_replicas() {
    let (mut ada, mut ben, mut server) = in_step(200);
    let sync = |ada: &mut Phone, ben: &mut Phone, server: &mut Server<MemoryStore>| {
        for phone in [ada, ben] {
            phone.observe();
            phone.sync(server);
            phone.write_back();
        }
    };
    // One by one, until somebody is asked.
    for n in 0..11 {
        ada.remove(n * 8..n * 8 + 1);
        sync(&mut ada, &mut ben, &mut server);
    }
    let hold = ada.device.hold(&people()).unwrap().unwrap();
    assert_eq!((hold.open().count(), hold.earlier.len()), (1, 10));
    ada.device.consent(&people(), hold.digest, "Ada", Timestamp::from_micros(9)).unwrap();
    sync(&mut ada, &mut ben, &mut server);
    // The next one asks nobody, on no replica.
    ada.remove(100..101);
    sync(&mut ada, &mut ben, &mut server);
    sync(&mut ada, &mut ben, &mut server);
    assert_eq!((ada.open_lines(), ben.open_lines()), (0, 0));
    assert!(server.hold(&people()).unwrap().is_none());
    assert_eq!((ben.native.len(), ada.native), (188, ben.native.clone()));
}

#[test]
fn a_hold_can_be_answered_in_part() {
    // One question about what came, and one about what the native store lacks; the answer to one is none to the other.
    let (mut ada, mut ben, _) = in_step(60);
    for n in 0..40 {
        let write = Write::delete(people(), id(format!("p{n:03}")), Cause::User);
        ben.device.write(&write, Timestamp::from_micros(5)).unwrap();
    }
    let mut deaf = Server::new(MemoryStore::server(), ReplicaId::from_entropy(97).unwrap(), Guard::default());
    ben.device.unacknowledge(&people()).unwrap();
    ben.sync(&mut deaf);
    ada.sync(&mut deaf);
    ada.remove(50..60);
    ada.observe();
    let hold = ada.device.hold(&people()).unwrap().unwrap();
    let count = |kind| hold.open().filter(|line| line.kind == kind).count();
    assert_eq!((count(LineKind::Loss), count(LineKind::Proposal)), (40, 10));
    let answer = Answer {
        verdict: Verdict::Consent,
        collection: people(),
        digest: hold.digest,
        by: "Ada".into(),
        at: Timestamp::from_micros(9),
    };
    let receipt = ada.device.answer(answer, |line| line.kind == LineKind::Proposal).unwrap();
    assert_eq!((receipt.count(Effect::Hidden), ada.open_lines(), ada.living().len()), (10, 40, 50));
}

#[test]
fn a_held_record_can_be_edited_and_not_removed() {
    // What a server holds back from Ada, she still sees, and what she changes counts.
    let (mut ada, mut ben, mut server) = in_step(20);
    let all: Vec<RecordId> = ben.native.keys().cloned().collect();
    for record in &all[..15] {
        let write = Write::delete(people(), record.clone(), Cause::User);
        ben.device.write(&write, Timestamp::from_micros(5)).unwrap();
    }
    ben.sync(&mut server);
    ada.sync(&mut server);
    assert_eq!((ada.open_lines(), ada.write_back()), (15, 0));
    ada.native.get_mut(&all[0]).unwrap().extend(card([("tel/a", "+1 555")]));
    ada.native.remove(&all[1]);
    let receipt = ada.observe();
    assert!(receipt.refused.contains(&(all[1].clone(), Refusal::Held)));
    assert_eq!(ada.shows(&all[0])[&FieldName::new("tel/a").unwrap()], Value::from("+1 555"));
    assert_eq!(ada.living().len(), 20);
}

#[test]
fn a_sync_that_did_two_things_is_undone_as_one() {
    let (mut ada, mut ben, mut server) = in_step(10);
    let before = ada.native.clone();
    // Both change one phone number; Ben also removes somebody.
    ben.native.get_mut(&id("p001")).unwrap().extend(card([("tel/a", "+1 2")]));
    ben.remove(0..1);
    ben.observe();
    ben.sync(&mut server);
    ada.native.get_mut(&id("p001")).unwrap().extend(card([("tel/a", "+1 1")]));
    let observed = ada.observe().id.unwrap().revision;
    let round = ada.next_round();
    let pulled =
        exchange(&mut ada.device, &mut server, &people(), &inputs(round.0)).unwrap().pulled.id.unwrap().revision;
    ada.write_back();
    let at = Timestamp::from_micros(9);
    let receipt = ada.device.undo_all(&people(), &[pulled, observed], |_| true, "Ada", at).unwrap();
    assert!(receipt.refused.is_empty());
    ada.write_back();
    assert_eq!(ada.native, before);
    ada.sync(&mut server);
    ben.sync(&mut server);
    ben.write_back();
    assert_eq!(ben.native, before);
}
