//! A question that a later edit has made moot is closed on every replica that had heard of it.

#![allow(clippy::unwrap_used, reason = "a test may stop")]

use std::collections::BTreeMap;

use holdfast::{
    Cause, CollectionId, Device, Guard, Hold, Inputs, MemoryStore, RecordId, ReplicaId, RoundId, Server, Shape,
    Timestamp, Trust, Write, exchange,
};

type Note = BTreeMap<String, String>;

#[test]
fn a_line_struck_on_a_device_is_closed_on_the_server_that_was_told_of_it() {
    let notes = CollectionId::new("notes").unwrap();
    let ids = ["a", "b", "c", "d"].map(|id| RecordId::new(id).unwrap());
    let device = |n| Device::new(MemoryStore::device(), ReplicaId::from_entropy(n).unwrap(), Guard::default());
    let server = |n| Server::new(MemoryStore::server(), ReplicaId::from_entropy(n).unwrap(), Guard::default());
    let mut rounds = (1..).map(|n| Inputs::new(RoundId(n), Trust::Account));
    let mut sync = |device: &mut _, server: &mut _| {
        exchange(device, server, &notes, &rounds.next().unwrap()).unwrap().pushed.is_some()
    };
    let note = |text: &str| Note::from([("text".into(), text.into())]);
    let at = Timestamp::from_micros;

    let (mut one, mut two, mut rogue) = (device(1), device(2), device(3));
    let mut first = server(4);
    for id in &ids {
        let create = Write::create(notes.clone(), id.clone(), &note("kept"), &Shape::new(), Cause::User).unwrap();
        one.write(&create, at(1)).unwrap();
    }
    sync(&mut one, &mut first);
    sync(&mut two, &mut first);
    sync(&mut rogue, &mut first);

    // Deletes of everything, by way of a server that had nothing to lose.
    let mut flooded = server(5);
    for id in &ids {
        rogue.write(&Write::delete(notes.clone(), id.clone(), Cause::User), at(2)).unwrap();
    }
    sync(&mut rogue, &mut flooded);
    sync(&mut one, &mut flooded);
    sync(&mut two, &mut flooded);
    assert_eq!(one.hold(&notes).unwrap().unwrap().open().count(), 4);

    let [edited, ..] = &ids;
    let seen = two.read::<Note>(&notes, edited, &Shape::new()).unwrap().unwrap();
    two.write(&seen.save(&note("edited"), Cause::User).unwrap(), at(3)).unwrap();
    sync(&mut two, &mut flooded);
    // Tells the server of its question about this record, and hears in the same exchange that there is none.
    sync(&mut one, &mut flooded);
    assert!(sync(&mut one, &mut flooded), "it tells the server that the question is moot");
    assert!(!sync(&mut two, &mut flooded), "nothing is left to tell");
    assert!(!sync(&mut one, &mut flooded), "nothing is left to tell");

    let asked_about = |hold: Option<Hold>| -> Vec<_> { hold.unwrap().open().map(|line| line.record.clone()).collect() };
    let [_, others @ ..] = &ids;
    assert_eq!(asked_about(one.hold(&notes).unwrap()), others);
    assert_eq!(asked_about(two.hold(&notes).unwrap()), others);
    assert_eq!(asked_about(flooded.hold(&notes).unwrap()), others);
}
