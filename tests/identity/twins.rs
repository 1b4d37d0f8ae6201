//! Two installations under one id: a device that was cloned, or put back with its id.

use super::*;

#[test]
fn two_phones_under_one_id_lose_neither_ones_edits() {
    let (mut cloud, mut ada, mut ben) = peer::synced();
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
        let (mut cloud, mut ada, mut ben) = peer::synced();
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
    let (mut cloud, mut ada, _) = peer::synced();
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
    let (mut cloud, mut ada, mut ben) = peer::synced();
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
    let (mut cloud, mut ada, mut ben) = peer::synced();
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
fn a_reply_that_shows_the_devices_own_writes_says_so_first() {
    let (mut cloud, mut ada, _) = peer::synced();
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

#[test]
fn the_first_page_of_a_push_claims_what_the_last_one_reaches() {
    let (mut cloud, mut ada, mut ben) = peer::synced();
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

#[test]
fn another_session_of_the_same_device_is_not_another_device() {
    let (mut cloud, mut ada, _) = peer::synced();
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
    let (mut cloud, mut ada, mut ben) = peer::synced();
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
    let (mut cloud, mut ada, _) = peer::synced();
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
    let (mut cloud, mut ada, mut ben) = peer::synced();
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
