//! A device takes another id while something waits, was not taken, or was lost: nothing of it is forgotten (S2, S3, L1).

use holdfast::{
    compose::converse::ConverseFailed,
    talk::message::{Refused, Reply},
};

use super::*;

/// All texts that a store has of a record, siblings and all.
fn texts(phone: &Phone, n: usize) -> Vec<String> {
    let row = phone.row(&people(), &rec(n)).unwrap().unwrap();
    let record = row.version.record();
    let siblings = record.fields().values().flat_map(|register| register.siblings());
    let text = siblings.filter_map(|sibling| if let Value::Text(text) = &sibling.value { Some(text) } else { None });
    text.map(ToString::to_string).collect()
}

/// A session whose line goes dead before a request.
fn cut(cloud: &mut Cloud, phone: &mut Phone, page_bytes: usize, mut is_due: impl FnMut(&Request) -> bool) {
    let opening = phone.opening(AccountId::new("ada").unwrap(), vec![people()]);
    let limits = WireLimits { page_bytes, ..WireLimits::default() };
    let mut session = DeviceSession::open(Opening { limits, ..opening }, &entropy(4));
    let went = phone.converse(&mut session, |frame| {
        let request = RequestFrame::decode(frame, &WireLimits::default()).unwrap().requests.remove(0);
        if is_due(&request) { Err("the line is dead") } else { Ok(cloud.answer(frame)) }
    });
    assert!(matches!(went, Err(ConverseFailed::Transport(_))), "{went:?}");
}

fn staged(phone: &Phone) -> usize {
    phone.store().read(&ReadSet::head(people()).with_staged(ReplicaId::THIS_DEVICE)).unwrap().staged.len()
}

/// The server does not show it again, so it would be known to all but this device.
#[test]
fn what_waits_for_the_end_of_a_round_is_judged_under_another_id() {
    for is_writer in [true, false] {
        let (mut cloud, mut ada, mut ben) = peer::synced();
        let (writer, reader) = if is_writer { (&mut ben, &mut ada) } else { (&mut ada, &mut ben) };
        delete(writer, 3);
        (4..9).for_each(|n| edit(writer, n, "phone", "a new number that takes some room on a page", 7));
        cloud.sync(writer);
        let mut pulls = 0;
        cut(&mut cloud, reader, 120, |request| {
            pulls += usize::from(matches!(request, Request::Pull { .. }));
            pulls > 2
        });
        assert_eq!((staged(reader), living(reader)), (1, 12));
        // One has written before, the other one has only read: then nothing says under which id its store was kept.
        reader.rotate(id(50), [&people()]).unwrap();
        for _ in 0..2 {
            cloud.sync(reader);
        }
        assert_eq!((staged(reader), living(reader)), (0, 11), "has written: {is_writer}");
        assert_eq!(peer::rows_of(reader.store()), peer::rows_of(&cloud.store));
    }
}

/// What waits on a device that serves is its own, whoever asks.
#[test]
fn nobody_speaks_as_this_device() {
    let (mut cloud, ada, _) = peer::synced();
    let saved = peer::saved(&cloud.store);
    let at = peer::known(&ada);
    let offers = vec![peer::offer(&ada, 3)];
    for access in [Request::Greet { collection: people(), accepted: 0, at }, peer::push(at, 12, offers)] {
        let reply = peer::ask(&mut cloud, ReplicaId::THIS_DEVICE, access);
        assert!(matches!(reply, Reply::Refused(Refused::Forbidden)), "{reply:?}");
    }
    assert_eq!(saved, peer::saved(&cloud.store));
}

fn with_small_records(cloud: &mut Cloud, phone: &mut Phone) -> Report {
    let mut limits = WireLimits::default();
    limits.record.max_bytes = 2_000;
    cloud.sync_as(phone, |opening| Opening { limits, ..opening }).unwrap()
}

#[test]
fn an_edit_that_the_server_does_not_take_is_not_covered_by_the_other_installation() {
    let (mut cloud, mut ada, _) = peer::synced();
    let mut twin = ada.clone();
    let long = "x".repeat(5_000);
    edit(&mut ada, 3, "phone", &long, 7);
    with_small_records(&mut cloud, &mut ada);
    assert_eq!(ada.failed(&people()).unwrap().len(), 1);
    edit(&mut twin, 5, "phone", "the twin's", 8);
    edit(&mut twin, 3, "phone", "the twin's", 8);
    cloud.sync(&mut twin);
    assert!(with_small_records(&mut cloud, &mut ada).collections[0].conflict.is_some());
    assert!(texts(&ada, 3).contains(&long), "{:?}", texts(&ada, 3).len());
    ada.rotate(id(50), [&people()]).unwrap();
    with_small_records(&mut cloud, &mut ada);
    let both = texts(&ada, 3);
    assert!(both.contains(&long) && both.contains(&"the twin's".to_owned()), "{}", both.len());
}

/// Others hold what was deleted under the names that a server once accepted; under new names, the delete would not be about it.
#[test]
fn what_was_deleted_stays_deleted_over_a_loss_and_another_id() {
    for is_seeding in [false, true] {
        let (mut cloud, mut ada, mut ben) = peer::synced();
        delete(&mut ada, 5);
        edit(&mut ada, 3, "phone", "2", 6);
        cloud.sync(&mut ada);
        if is_seeding {
            ada.reseed(&people()).unwrap();
            ada.rotate(id(50), [&people()]).unwrap();
        } else {
            cloud.store = MemoryStore::server();
            cut(&mut cloud, &mut ada, 100_000, |request| matches!(request, Request::Reconcile { .. }));
            ada.rotate(id(50), [&people()]).unwrap();
            cloud.sync(&mut ben);
        }
        // Nor does it help to take yet another one.
        ada.rotate(id(51), [&people()]).unwrap();
        for _ in 0..2 {
            for phone in [&mut ada, &mut ben] {
                let report = cloud.sync(phone);
                assert!(report.is_complete() && report.collections[0].failed.is_empty(), "{report}");
            }
        }
        for phone in [&ada, &ben] {
            assert_eq!(living(phone), 11, "seeding: {is_seeding}");
            assert!(!texts(phone, 3).contains(&"1".to_owned()), "{:?}", texts(phone, 3));
            assert_eq!(peer::rows_of(phone.store()), peer::rows_of(&cloud.store));
        }
    }
}
