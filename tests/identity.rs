//! Who is this device: restored, cloned and reinstalled devices lose nothing, and take nobody else's writes for their own (S5).
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test may stop"
)]

#[allow(dead_code, reason = "each test file uses a part")]
#[path = "conversation/peer.rs"]
mod peer;
#[allow(dead_code, reason = "each test file uses a part")]
#[path = "conversation/world.rs"]
mod world;

use std::convert::Infallible;

use holdfast::{
    act::store::Store,
    compose::device::{WriteFailed, identity::TakeOverFailed},
    compose::device_session::{DeviceSession, Opening, Output, Report},
    decide::{
        author::WriteError,
        slice::{Query, ReadSet},
        takeover::TakeOverError,
    },
    talk::{
        frame::{ReplyFrame, RequestFrame},
        limits::WireLimits,
        message::Request,
    },
    values::{value::Value, version_vector::Dot},
    *,
};

use world::*;

/// Everything a store shows of a field, siblings and all.
fn shown(store: &MemoryStore, n: usize, field: &str) -> Vec<String> {
    let slice = store.read(&ReadSet::head(people()).with_records([rec(n)])).unwrap();
    let Some(row) = slice.rows.get(&rec(n)) else { return Vec::new() };
    let record = row.version.record();
    let register = record.fields().iter().find(|(name, _)| name.as_str() == field).map(|(_, register)| register);
    let mut texts: Vec<String> = register
        .into_iter()
        .flat_map(|register| register.siblings())
        .map(|sibling| match &sibling.value {
            Value::Text(text) => text.to_string(),
            other => format!("{other:?}"),
        })
        .collect();
    texts.sort();
    texts.dedup();
    texts
}

fn conflict(report: &Report) -> Option<u64> {
    report.collections[0].conflict.map(|conflict| conflict.counter)
}

/// Two phones and a server in step: 12 records, all written by the first phone.
fn three() -> (Cloud, Phone, Phone) {
    let (cloud, ada, ben) = peer::synced();
    (cloud, ada, ben)
}

/// All replicas show the same, and what is asked for is among it.
fn settle(cloud: &mut Cloud, phones: &mut [&mut Phone]) {
    for _ in 0..2 {
        for phone in phones.iter_mut() {
            let report = cloud.sync(phone);
            assert!(report.is_complete() && conflict(&report).is_none(), "{report}");
        }
    }
    let known: Vec<_> = phones.iter().map(|phone| peer::rows_of(phone.store())).collect();
    for rows in &known {
        assert_eq!(*rows, peer::rows_of(&cloud.store));
    }
}

#[test]
fn two_phones_under_one_id_lose_neither_ones_edits() {
    let (mut cloud, mut ada, mut ben) = three();
    let mut twin = ada.clone();
    edit(&mut ada, 3, "phone", "ada's", 7);
    edit(&mut twin, 3, "phone", "the twin's", 8);
    edit(&mut twin, 4, "phone", "the twin's, too", 8);
    assert_eq!(conflict(&cloud.sync(&mut ada)), None, "who comes first is not in anybody's way");
    // The twin is told, keeps what it has, writes nothing more under that id, and is not fooled by what it reads.
    let report = cloud.sync(&mut twin);
    assert_eq!(conflict(&report), Some(13), "{report}");
    // Its edits wait for another id: that session was not the whole of it, and the next one would not be either.
    let text = report.to_string();
    assert!(!report.is_complete() && text.contains("take a new one") && !text.contains("goes on from here"), "{text}");
    let delete = twin.write(&Write::delete(people(), rec(5), Cause::User), at(9));
    assert!(matches!(delete, Err(WriteFailed::Write(WriteError::ReplicaConflict { found: 13 }))), "{delete:?}");
    assert_eq!(shown(twin.store(), 3, "phone"), ["the twin's"]);
    let same = twin.rotate(id(1), [&people()]);
    assert!(matches!(same, Err(TakeOverFailed::TakeOver(TakeOverError::UsedBefore { .. }))), "no way out: {same:?}");
    twin.rotate(id(50), [&people()]).unwrap();
    settle(&mut cloud, &mut [&mut twin, &mut ada, &mut ben]);
    for store in [&cloud.store, ada.store(), ben.store(), twin.store()] {
        assert_eq!(shown(store, 3, "phone"), ["ada's", "the twin's"]);
        assert_eq!(shown(store, 4, "phone"), ["the twin's, too"]);
    }
}

/// A counter alone would call the twin's later write of the record an overwriting of ada's.
#[test]
fn a_longer_history_under_the_same_id_overwrites_nothing() {
    for before in ["the greeting", "the pull", "the push"] {
        let (mut cloud, mut ada, mut ben) = three();
        let mut twin = ada.clone();
        if before == "the pull" {
            edit(&mut ben, 9, "phone", "ben's", 6);
            cloud.sync(&mut ben);
        }
        edit(&mut ada, 3, "phone", "ada's", 7);
        edit(&mut ada, 4, "phone", "ada's", 7);
        edit(&mut twin, 5, "phone", "the twin's", 8);
        edit(&mut twin, 3, "phone", "the twin's", 8);
        if before == "the greeting" {
            cloud.sync(&mut twin);
            assert_eq!(conflict(&cloud.sync(&mut ada)), Some(14));
        } else {
            let mut session = peer::open(&ada, 77);
            let is_due = |request: &Request| matches!(request, Request::Pull { .. } | Request::Push { .. });
            let report = converse_with(&mut cloud, &mut ada, &mut session, is_due, |cloud| drop(cloud.sync(&mut twin)));
            assert_eq!(conflict(&report), Some(14), "{report}");
        }
        assert_eq!(shown(ada.store(), 3, "phone"), ["ada's"], "what she wrote is not taken for seen by the twin");
        ada.rotate(id(50), [&people()]).unwrap();
        settle(&mut cloud, &mut [&mut ada, &mut twin, &mut ben]);
        for store in [&cloud.store, ada.store(), ben.store(), twin.store()] {
            assert_eq!(shown(store, 3, "phone"), ["ada's", "the twin's"]);
            assert_eq!([shown(store, 4, "phone"), shown(store, 5, "phone")], [["ada's"], ["the twin's"]]);
        }
    }
}

#[test]
fn a_reply_that_was_lost_is_no_conflict() {
    let (mut cloud, mut ada, _) = three();
    for lost in 0..40 {
        edit(&mut ada, 3, "phone", &format!("{lost}"), 7 + lost);
        let mut session = peer::open(&ada, 100 + u64::try_from(lost).unwrap());
        let went = ada.converse(&mut session, |frame| {
            let reply = cloud.answer(frame);
            let request = RequestFrame::decode(frame, &WireLimits::default()).unwrap().requests.remove(0);
            if matches!(request, Request::Push { .. }) && lost % 3 != 0 { Err("the line is dead") } else { Ok(reply) }
        });
        if let Ok(report) = went {
            assert_eq!(conflict(&report), None);
        }
    }
    assert_eq!(conflict(&cloud.sync(&mut ada)), None);
    assert_eq!(shown(&cloud.store, 3, "phone"), ["39"]);
}

#[test]
fn an_honest_device_is_not_accused_when_its_server_was_set_back() {
    let (mut cloud, mut ada, mut ben) = three();
    let mut old = Vec::new();
    for n in 0..20 {
        edit(&mut ada, 3, "phone", &format!("{n}"), 7 + n);
        cloud.sync(&mut ada);
        old.push(cloud.store.clone());
    }
    for back in [19, 12, 3, 17, 0] {
        cloud.store = old[back].clone();
        let report = cloud.sync(&mut ada);
        assert_eq!(conflict(&report), None, "{report}");
        settle(&mut cloud, &mut [&mut ada, &mut ben]);
        assert_eq!(shown(&cloud.store, 3, "phone"), ["19"]);
    }
}

#[test]
fn a_phone_restored_under_its_old_id_takes_a_new_one_and_keeps_both_its_lives() {
    let (mut cloud, mut ada, mut ben) = three();
    let backup = ada.clone();
    edit(&mut ada, 3, "phone", "before", 7);
    cloud.sync(&mut ada);
    let mut ada = backup;
    edit(&mut ada, 3, "town", "after", 8);
    edit(&mut ada, 4, "town", "after", 8);
    let report = cloud.sync(&mut ada);
    assert_eq!(conflict(&report), Some(13), "{report}");
    assert!(report.collections[0].evidence.is_empty(), "the server has lost nothing: {report}");
    ada.rotate(id(50), [&people()]).unwrap();
    settle(&mut cloud, &mut [&mut ada, &mut ben]);
    for store in [&cloud.store, ada.store(), ben.store()] {
        assert_eq!([shown(store, 3, "phone"), shown(store, 3, "town")], [["before"], ["after"]]);
        assert_eq!(shown(store, 4, "town"), ["after"]);
    }
    // What was not its own, and what the server had accepted, kept its names.
    let row = ada.row(&people(), &rec(7)).unwrap().unwrap();
    assert_eq!(row.version.context().iter().map(|dot| dot.replica).collect::<Vec<_>>(), [id(1)]);
}

#[test]
fn a_store_restored_under_another_id_is_taken_over_before_anything_else() {
    let (mut cloud, mut ada, mut ben) = three();
    edit(&mut ada, 3, "phone", "unsent", 7);
    edit(&mut ada, 4, "phone", "unsent", 7);
    let backup = ada.store().clone();
    // The old phone has sent one of them after the backup, and is lost then.
    let mut session = peer::open(&ada, 77);
    let mut lost = ada.clone();
    lost.converse(&mut session, |frame| Ok::<_, Infallible>(cloud.answer(frame))).unwrap();

    let mut ada = Device::new(backup, id(50), Guard::default());
    let refused = ada.write(&Write::delete(people(), rec(5), Cause::User), at(9));
    let expected = WriteError::AnotherAuthor { expected: id(50), found: id(1) };
    assert!(matches!(refused, Err(WriteFailed::Write(found)) if found == expected));
    let report = cloud.sync(&mut ada);
    assert_eq!((report.collections[0].written_under, report.requests), (Some(id(1)), 0), "{report}");
    let text = report.to_string();
    assert!(!report.is_complete() && text.contains("take its writes over first"), "{text}");
    assert!(!text.contains("goes on from here"), "{text}");

    let receipt = ada.take_over(&people()).unwrap().unwrap();
    assert!(receipt.changes.is_empty(), "nothing is shown otherwise: {receipt:?}");
    assert!(ada.take_over(&people()).unwrap().is_none(), "and once is enough");
    let report = cloud.sync(&mut ada);
    assert!(report.collections[0].evidence.is_empty(), "no loss is named: {report}");
    settle(&mut cloud, &mut [&mut ada, &mut ben]);
    for store in [&cloud.store, ada.store(), ben.store()] {
        assert_eq!([shown(store, 3, "phone"), shown(store, 4, "phone")], [["unsent"], ["unsent"]]);
        let conflicts =
            store.read(&ReadSet::head(people()).with_query(Query::Range { after: None, limit: 99 })).unwrap();
        assert!(conflicts.rows.values().all(|row| row.version.record().conflicts().next().is_none()));
    }
    edit(&mut ada, 3, "phone", "sent", 9);
    settle(&mut cloud, &mut [&mut ada, &mut ben]);
    assert_eq!(shown(ben.store(), 3, "phone"), ["sent"]);
}

/// A push that is cut off has reached its link, and not all of its records. Those are no evidence of a loss, whoever sends them.
#[test]
fn records_that_never_arrived_are_taken_over_whole() {
    let mut cloud = Cloud::new();
    let (mut ada, mut ben) = (phone(1), phone(2));
    for n in 0..12 {
        create(&mut ada, n, &[("name", &format!("n{n}")), ("phone", "1")]);
    }
    cloud.limits.page_bytes = 150;
    let mut pages = 0;
    let opening = ada.opening(AccountId::new("ada").unwrap(), vec![people()]);
    let opening = Opening { limits: WireLimits { page_bytes: 150, ..WireLimits::default() }, ..opening };
    let mut session = DeviceSession::open(opening, &entropy(5));
    let cut = ada.converse(&mut session, |frame| {
        pages += 1;
        if pages > 4 { Err("the line is dead") } else { Ok(cloud.answer(frame)) }
    });
    assert!(cut.is_err());
    let arrived = peer::rows_of(&cloud.store).len();
    assert!((1..12).contains(&arrived), "{arrived}");
    ada.rotate(id(50), [&people()]).unwrap();
    create(&mut ada, 12, &[("name", "after")]);
    let report = cloud.sync(&mut ada);
    assert!(report.collections[0].evidence.is_empty() && report.collections[0].failed.is_empty(), "{report}");
    settle(&mut cloud, &mut [&mut ada, &mut ben]);
    assert_eq!(living(&ben), 13);
}

#[test]
fn an_id_is_never_taken_twice() {
    let (mut cloud, mut ada, mut ben) = three();
    ada.rotate(id(50), [&people()]).unwrap();
    edit(&mut ada, 3, "phone", "new", 7);
    cloud.sync(&mut ada);
    let back = ada.rotate(id(1), [&people()]);
    assert!(
        matches!(back, Err(TakeOverFailed::TakeOver(TakeOverError::UsedBefore { found, .. })) if found == id(1)),
        "{back:?}"
    );
    assert_eq!(ada.replica(), id(50), "nothing was changed");
    edit(&mut ada, 4, "phone", "goes on", 8);
    assert_eq!(cloud.sync(&mut ada).collections[0].acknowledged, 1);
    // One's own is no other one: nothing is to be done.
    edit(&mut ben, 3, "phone", "ben's", 7);
    let own = ben.rotate(id(2), [&people()]);
    assert!(matches!(own, Ok(receipts) if receipts.is_empty()), "it is ben's own");
    let mut ada = ada.clone();
    ada.rotate(id(51), [&people()]).unwrap();
    assert_eq!(ada.author(&people()).unwrap(), Some(id(51)));
}

/// Of several collections it is taken in all or in none.
#[test]
fn an_id_that_was_used_in_one_collection_is_taken_in_none() {
    let (_cloud, mut ada, _ben) = three();
    let notes = CollectionId::new("notes").unwrap();
    let write = Write::create(notes.clone(), rec(1), &Loose::new(), &Shape::new(), Cause::User).unwrap();
    ada.write(&write, at(1)).unwrap();
    ada.rotate(id(50), [&notes]).unwrap();
    assert_eq!(ada.author(&people()).unwrap(), Some(id(1)));
    let refused = ada.rotate(id(1), [&people(), &notes]);
    assert!(matches!(refused, Err(TakeOverFailed::TakeOver(TakeOverError::UsedBefore { .. }))), "{refused:?}");
    assert_eq!(ada.replica(), id(50));
    let refused = ada.rotate(id(1), [&notes]);
    assert!(refused.is_err() && ada.replica() == id(50), "{refused:?}");
    ada.rotate(id(51), [&people(), &notes]).unwrap();
    assert_eq!([ada.author(&people()).unwrap(), ada.author(&notes).unwrap()], [Some(id(51)); 2]);
}

/// A write that was acknowledged is still in doubt once the server that acknowledged it is gone.
#[test]
fn what_a_lost_server_had_accepted_is_named_anew_too() {
    let (mut cloud, mut ada, mut ben) = three();
    let mut twin = ada.clone();
    edit(&mut ada, 3, "phone", "ada's", 7);
    edit(&mut twin, 4, "phone", "the twin's", 8);
    edit(&mut twin, 3, "phone", "the twin's", 8);
    cloud.sync(&mut twin);
    assert_eq!(conflict(&cloud.sync(&mut twin)), None);
    cloud.store = MemoryStore::server();
    cloud.sync(&mut ada);
    let report = cloud.sync(&mut twin);
    assert_eq!(conflict(&report), Some(13), "{report}");
    twin.rotate(id(50), [&people()]).unwrap();
    settle(&mut cloud, &mut [&mut twin, &mut ada, &mut ben]);
    for store in [&cloud.store, ada.store(), ben.store(), twin.store()] {
        assert_eq!(shown(store, 3, "phone"), ["ada's", "the twin's"]);
    }
}

/// Ben has read what ada's twin wrote. Then the server forgot it, cleo has read what ada wrote under the same names, and
/// twin and ada are gone.
fn two_under_one_name(twins: &[usize]) -> (Cloud, Phone, Phone) {
    let (mut cloud, mut ada, mut ben) = three();
    let mut cleo = phone(3);
    cloud.sync(&mut cleo);
    let mut twin = ada.clone();
    edit(&mut ada, 3, "phone", "ada's", 7);
    twins.iter().for_each(|n| edit(&mut twin, *n, "phone", "the twin's", 8));
    cloud.sync(&mut twin);
    cloud.sync(&mut ben);
    cloud.store = MemoryStore::server();
    cloud.sync(&mut ada);
    cloud.sync(&mut cleo);
    (cloud, ben, cleo)
}

/// Two devices hold two contents under one name, and neither has written it: whoever notices writes down both.
#[test]
fn equal_vectors_with_different_contents_are_a_conflict_and_never_a_pick() {
    let (mut cloud, mut ben, mut cleo) = two_under_one_name(&[3, 4]);
    assert_eq!([shown(ben.store(), 3, "phone"), shown(cleo.store(), 3, "phone")], [["the twin's"], ["ada's"]]);
    let report = cloud.sync(&mut ben);
    assert_eq!(conflict(&report), None, "ben's own id is his: {report}");
    settle(&mut cloud, &mut [&mut ben, &mut cleo]);
    for store in [&cloud.store, ben.store(), cleo.store()] {
        assert_eq!(shown(store, 3, "phone"), ["ada's", "the twin's"]);
        assert_eq!(shown(store, 4, "phone"), ["the twin's"]);
    }
}

#[test]
fn questions_about_renamed_versions_are_asked_anew() {
    let (mut cloud, mut ada, mut ben) = three();
    // Ben deletes most: it is held at the server, and ada is asked.
    for n in 0..10 {
        delete(&mut ben, n);
    }
    cloud.sync(&mut ben);
    let mut twin = ada.clone();
    edit(&mut twin, 11, "phone", "another", 7);
    cloud.sync(&mut twin);
    edit(&mut ada, 3, "phone", "ada's", 7);
    cloud.sync(&mut ada);
    let before = ada.hold(&people()).unwrap().unwrap();
    let report = ada.rotate(id(50), [&people()]).unwrap();
    let after = ada.hold(&people()).unwrap();
    assert!(report[0].changes.is_empty());
    let open = |hold: &Hold| {
        hold.lines.iter().filter(|line| line.is_open()).map(|line| line.record.clone()).collect::<Vec<_>>()
    };
    let (open_before, open_after) = (open(&before), after.as_ref().map(open).unwrap_or_default());
    assert!(open_before.len() >= 9, "{before}");
    cloud.sync(&mut ada);
    cloud.sync(&mut ada);
    let hold = ada.hold(&people()).unwrap().unwrap();
    assert!(open(&hold).len() >= open_before.len() - 1, "{open_after:?} {hold}");
    ada.keep(&people(), hold.digest, "Ada", at(20)).unwrap();
    for phone in [&mut ada, &mut ben, &mut twin] {
        cloud.sync(phone);
    }
    assert_eq!(shown(&cloud.store, 3, "phone"), ["ada's"]);
    assert_eq!(shown(&cloud.store, 11, "phone"), ["another"]);
}

#[test]
fn a_reply_that_shows_the_devices_own_writes_says_so_first() {
    let (mut cloud, mut ada, _) = three();
    let mut twin = ada.clone();
    edit(&mut twin, 3, "phone", "the twin's", 8);
    cloud.sync(&mut twin);
    let mut session = peer::open(&ada, 78);
    let mut said = Vec::new();
    ada.converse(&mut session, |frame| {
        let reply = cloud.answer(frame);
        said.extend(ReplyFrame::decode(&reply, &WireLimits::default()).unwrap().replies);
        Ok::<_, Infallible>(reply)
    })
    .unwrap();
    let accepted = |reply: &talk::message::Reply| match reply {
        talk::message::Reply::Welcome { accepted, .. } | talk::message::Reply::Page { accepted, .. } => *accepted,
        _ => None,
    };
    assert!(said.iter().filter_map(accepted).all(|link| link.counter == 13));
    assert!(said.iter().filter_map(accepted).count() > 0);
    let row = ada.row(&people(), &rec(3)).unwrap().unwrap();
    assert!(row.version.context().covers(Dot { replica: id(1), counter: 13 }), "what she has not written is read");
}

/// Sends one frame after another, and lets something happen before the first that is asked for.
fn converse_with(
    cloud: &mut Cloud,
    phone: &mut Phone,
    session: &mut DeviceSession,
    is_due: impl Fn(&Request) -> bool,
    happens: impl FnOnce(&mut Cloud),
) -> Report {
    let mut happens = Some(happens);
    phone
        .converse(session, |frame| {
            let request = RequestFrame::decode(frame, &WireLimits::default()).unwrap().requests.remove(0);
            if let Some(happens) = happens.take_if(|_| is_due(&request)) {
                happens(cloud);
            }
            Ok::<_, Infallible>(cloud.answer(frame))
        })
        .unwrap()
}

fn short_pages(phone: &Phone, draw: u64) -> DeviceSession {
    let limits = WireLimits { page_bytes: 150, ..WireLimits::default() };
    let opening = phone.opening(AccountId::new("ada").unwrap(), vec![people()]);
    DeviceSession::open(Opening { limits, ..opening }, &entropy(draw))
}

#[test]
fn the_first_page_of_a_push_claims_what_the_last_one_reaches() {
    let (mut cloud, mut ada, mut ben) = three();
    let mut twin = ada.clone();
    for n in 0..6 {
        edit(&mut ada, n, "phone", "ada's, and long enough for a page of its own", 7);
        edit(&mut twin, n, "phone", "the twin's, and long enough for a page, too", 8);
    }
    let mut session = short_pages(&ada, 80);
    let is_second = |request: &Request| matches!(request, Request::Push { is_first: false, .. });
    let mut said = None;
    let report = converse_with(&mut cloud, &mut ada, &mut session, is_second, |cloud| {
        said = conflict(&cloud.sync(&mut twin));
    });
    assert_eq!((conflict(&report), said), (None, Some(18)), "{report}");
    twin.rotate(id(50), [&people()]).unwrap();
    settle(&mut cloud, &mut [&mut twin, &mut ada, &mut ben]);
    assert!((0..6).all(|n| shown(&cloud.store, n, "phone").len() == 2));
}

/// What a server refuses as another content under the same dots, it is asked for, and both are written down: even where a later
/// write makes one context cover the other.
#[test]
fn a_disputed_record_is_asked_for_and_looked_at_thoroughly() {
    let (mut cloud, mut ben, mut cleo) = two_under_one_name(&[3]);
    edit(&mut ben, 3, "town", "ben's", 9);
    let report = cloud.sync(&mut ben);
    assert!(report.collections[0].failed.is_empty(), "{report}");
    settle(&mut cloud, &mut [&mut ben, &mut cleo]);
    for store in [&cloud.store, ben.store(), cleo.store()] {
        assert_eq!(shown(store, 3, "phone"), ["ada's", "the twin's"]);
        assert_eq!(shown(store, 3, "town"), ["ben's"]);
    }
}

#[test]
fn another_session_of_the_same_device_is_not_another_device() {
    let (mut cloud, mut ada, _) = three();
    let mut slow = peer::open(&ada, 82);
    // It has read what the device knows; then the person writes, and another session sends it.
    while let Output::Read(set) = slow.poll() {
        slow.loaded(ada.store().read(&set).unwrap());
    }
    edit(&mut ada, 3, "phone", "2", 7);
    // Its reply is lost, so that all that this device knows is that it has offered the write.
    let cut = ada.converse(&mut peer::open(&ada, 83), |frame| {
        let request = RequestFrame::decode(frame, &WireLimits::default()).unwrap().requests.remove(0);
        let reply = cloud.answer(frame);
        if matches!(request, Request::Push { .. }) { Err("the line is dead") } else { Ok(reply) }
    });
    assert!(cut.is_err());
    let report = ada.converse(&mut slow, |frame| Ok::<_, Infallible>(cloud.answer(frame))).unwrap();
    assert_eq!(conflict(&report), None, "{report}");
    assert!(peer::head(ada.store()).server.unwrap().conflict.is_none());
    edit(&mut ada, 3, "phone", "3", 8);
}

/// A device that writes while what it wrote before is on its way, and has the reply.
fn written_in_flight(cloud: &mut Cloud, ada: &mut Phone) -> Report {
    edit(ada, 3, "phone", "2", 7);
    let (mut session, mut is_push) = (peer::open(ada, 84), false);
    let stop = |output: &Output| {
        let Output::Send(frame) = output else { return false };
        let requests = RequestFrame::decode(frame, &WireLimits::default()).unwrap().requests;
        is_push = requests.iter().any(|request| matches!(request, Request::Push { .. }));
        is_push
    };
    peer::drive(ada, &mut session, |frame| Some(cloud.answer(frame)), stop);
    let Output::Send(push) = session.poll() else { panic!("no push") };
    let reply = cloud.answer(&push);
    edit(ada, 3, "phone", "3", 8);
    session.received(&reply).unwrap();
    peer::drive(ada, &mut session, |frame| Some(cloud.answer(frame)), |_| false).unwrap()
}

#[test]
fn what_is_written_while_an_earlier_write_is_on_its_way_goes_on_from_that() {
    let (mut cloud, mut ada, mut ben) = three();
    let report = written_in_flight(&mut cloud, &mut ada);
    assert!(report.is_complete(), "{report}");
    // The server has the earlier one: it keeps its name, and is written over.
    ada.rotate(id(50), [&people()]).unwrap();
    settle(&mut cloud, &mut [&mut ada, &mut ben]);
    for store in [&cloud.store, ada.store(), ben.store()] {
        assert_eq!(shown(store, 3, "phone"), ["3"]);
    }
}

#[test]
fn what_is_written_while_an_earlier_write_is_on_its_way_is_sent_as_a_patch_on_that() {
    let (mut cloud, mut ada, _) = three();
    written_in_flight(&mut cloud, &mut ada);
    let row = ada.row(&people(), &rec(3)).unwrap().unwrap();
    assert!(row.is_pending, "the later edit counts as sent");
    let mut patches = 0;
    let report = ada.converse(&mut peer::open(&ada, 85), |frame| {
        for request in RequestFrame::decode(frame, &WireLimits::default()).unwrap().requests {
            let Request::Push { offers, .. } = request else { continue };
            patches += offers.iter().filter(|offer| matches!(offer.version, talk::offer::Sent::Patch(_))).count();
        }
        Ok::<_, Infallible>(cloud.answer(frame))
    });
    assert_eq!((patches, report.unwrap().collections[0].acknowledged), (1, 1));
    assert_eq!(shown(&cloud.store, 3, "phone"), ["3"]);
}

/// What it refused under the id that is in use elsewhere, it reads again under its own.
#[test]
fn a_copy_that_wrote_nothing_reads_again_what_it_refused() {
    let (mut cloud, mut ada, mut ben) = three();
    let mut twin = ben.clone();
    edit(&mut ben, 3, "phone", "ben's", 7);
    cloud.sync(&mut ben);
    cloud.store = MemoryStore::server();
    cloud.sync(&mut ada);
    cloud.sync(&mut ben);
    assert_eq!(conflict(&cloud.sync(&mut twin)), Some(1));
    twin.rotate(id(50), [&people()]).unwrap();
    settle(&mut cloud, &mut [&mut twin, &mut ada, &mut ben]);
    assert_eq!(shown(twin.store(), 3, "phone"), ["ben's"]);
}
