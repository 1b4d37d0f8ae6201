//! Sessions beside each other, late, cut off or of another collection take nothing back.

use super::*;

#[test]
fn two_sessions_raise_no_false_ahead() {
    let (mut cloud, mut ada, _) = synced();
    let mut slow = DeviceSession::open(opening(&ada), &entropy(7));
    let frame = first_request(&ada, &mut slow);
    // The greeting is on its way; the person writes, and another session (a push notification) syncs.
    edit(&mut ada, 3, "phone", "2", 7);
    cloud.sync(&mut ada);
    let reply = cloud.answer(&frame);
    slow.received(&reply).unwrap();
    let report = drive(&mut ada, &mut slow, |f| Some(cloud.answer(f)), |_| false).unwrap();
    assert_eq!(report.collections[0].conflict, None, "a false alarm: this id is not in use elsewhere");
}

#[test]
fn a_slow_session_does_not_take_back_what_a_faster_one_learned() {
    let (mut cloud, mut ada, mut ben) = synced();
    edit(&mut ben, 1, "phone", "b", 3);
    cloud.sync(&mut ben);
    // Slow: pulls Ben's edit; its commit waits (a busy database, or a suspended app).
    let mut slow = DeviceSession::open(opening(&ada), &entropy(8));
    drive(&mut ada, &mut slow, |f| Some(cloud.answer(f)), |o| matches!(o, Output::Commit(_)));
    let backup = cloud.store.clone(); // a backup of the server
    edit(&mut ada, 3, "phone", "ada's", 7);
    cloud.sync(&mut ada);
    assert!(matches!(state(&ada, 3), Some(ChangeState::Acknowledged(_))));
    let _w1 = head(ada.store()).server.unwrap().witness.unwrap().last.position.revision;
    drive(
        &mut ada,
        &mut slow,
        |f| Some(cloud.answer(f)),
        |o| {
            if let Output::Send(f) = o {
                !matches!(RequestFrame::decode(f, &LIMITS()).unwrap().requests[0], Request::Fetch { .. })
            } else {
                false
            }
        },
    );
    // ... and is dropped.
    let _w2 = head(ada.store()).server.unwrap().witness.unwrap().last.position.revision;
    cloud.store = backup; // quiet restore
    let mut named = vec![];
    for _ in 0..3 {
        let r = cloud.sync(&mut ada);
        named.push(r.collections[0].continuity);
    }
    assert_eq!(
        digest_on(ada.store(), 3),
        digest_on(&cloud.store, 3),
        "acknowledged, and lost: {named:?} {:?}",
        state(&ada, 3)
    );
}

#[test]
fn leaving_in_the_middle_of_a_session_hides_nothing_later() {
    let (mut cloud, _ada, _) = synced();
    let mut carl = phone(3);
    let o = Opening { limits: WireLimits { page_bytes: 500, ..WireLimits::default() }, ..opening(&carl) };
    let mut session = DeviceSession::open(o, &entropy(11));
    let mut pulls = 0;
    drive(
        &mut carl,
        &mut session,
        |f| Some(cloud.answer(f)),
        |o| {
            if let Output::Send(f) = o {
                let r = RequestFrame::decode(f, &LIMITS()).unwrap();
                if matches!(r.requests[0], Request::Pull { .. }) {
                    pulls += 1;
                }
            }
            pulls >= 2
        },
    );
    carl.leave(&people()).unwrap();
    drive(&mut carl, &mut session, |f| Some(cloud.answer(f)), |_| false);
    for _ in 0..3 {
        cloud.sync(&mut carl);
    }
    assert_eq!(living(&carl), 12, "subscribed again, in sync, and records are missing for good");
}

#[test]
fn a_device_that_has_exchanged_before_sends_what_it_has() {
    let (mut cloud, mut ada) = (Cloud::new(), phone(1));
    for n in 0..12 {
        create(&mut ada, n, &[("name", &format!("n{n}"))]);
    }
    // As in the README's first program.
    let mut near = Server::new(MemoryStore::server(), ReplicaId::from_entropy(99).unwrap(), Guard::default());
    exchange(&mut ada, &mut near, &people(), &Inputs::new(RoundId(1), Trust::Account)).unwrap();
    // Then the app moves to the network.
    for _ in 0..3 {
        cloud.sync_as(&mut ada, audit).unwrap();
    }
    assert_eq!(rows_of(&cloud.store).len(), 12, "{:?}, and the server has nothing", state(&ada, 3));
}

#[test]
fn a_collection_named_twice_is_harmless() {
    let (mut cloud, mut ada, mut ben) = synced();
    edit(&mut ben, 1, "phone", "b", 3);
    cloud.sync(&mut ben);
    edit(&mut ada, 2, "phone", "a", 3);
    let o = ada.opening(AccountId::new("ada").unwrap(), vec![people(), people()]);
    let mut session = DeviceSession::open(o, &entropy(5));
    let _report = ada.converse(&mut session, |f| Ok::<_, std::convert::Infallible>(cloud.answer(f))).unwrap();
    let _w = head(ada.store()).server.unwrap();
    cloud.sync(&mut ada);
    assert_eq!(cloud.sync(&mut ada).requests, 1);
}

#[test]
fn what_is_fetched_later_than_its_page_is_not_acknowledged_as_of_the_page() {
    let (mut cloud, mut ada, mut ben) = synced();
    let old = ada.clone();
    edit(&mut ben, 1, "phone", "b1", 3);
    cloud.sync(&mut ben);
    cloud.sync(&mut ada);
    // Ada's row went back while her cursor did not (any patch that does not fit will do).
    let mut saved = serde_json::to_value(ada.store()).unwrap();
    saved["collections"][0][1]["rows"] =
        serde_json::to_value(old.store()).unwrap()["collections"][0][1]["rows"].clone();
    let mut ada = Device::new(serde_json::from_value(saved).unwrap(), ada.replica(), Guard::default());
    edit(&mut ben, 1, "phone", "b2", 4);
    cloud.sync(&mut ben);
    let mut backup = None;
    let mut session = DeviceSession::open(opening(&ada), &entropy(12));
    drive(
        &mut ada,
        &mut session,
        |f| {
            let r = RequestFrame::decode(f, &LIMITS()).unwrap();
            if matches!(r.requests[0], Request::Fetch { .. }) {
                // Between the page and the fetch: a backup, and a later edit of Ben's.
                backup = Some(cloud.store.clone());
                edit(&mut ben, 1, "phone", "b3", 5);
                cloud.sync(&mut ben);
            }
            Some(cloud.answer(f))
        },
        |_| false,
    );
    drop(ben);
    cloud.store = backup.expect("a fetch");
    let mut named = vec![];
    for _ in 0..3 {
        named.push(cloud.sync(&mut ada).collections[0].continuity);
    }
    assert_eq!(
        digest_on(ada.store(), 1),
        digest_on(&cloud.store, 1),
        "Ben's edit is on Ada alone, and {:?}",
        state(&ada, 1)
    );
}

#[test]
fn what_a_failed_session_took_in_is_reported() {
    let (mut cloud, mut ada, mut ben) = synced();
    for n in 20..40 {
        create(&mut ben, n, &[("name", "x")]);
    }
    cloud.sync(&mut ben);
    let o = Opening { limits: WireLimits { page_bytes: 400, ..WireLimits::default() }, ..opening(&ada) };
    let mut session = DeviceSession::open(o, &entropy(13));
    let mut n = 0;
    let _out = ada.converse(&mut session, |f| {
        n += 1;
        if n > 3 { Err("no network") } else { Ok(cloud.answer(f)) }
    });
    let before = session.report();
    let again = cloud.sync(&mut ada);
    let receipts = [&before, &again].into_iter().flat_map(|report| &report.collections[0].receipts);
    let told: usize = receipts.map(|receipt| receipt.changes.len()).sum();
    assert_eq!(told, 20, "receipts are the change feed of a screen");
}

#[test]
fn one_persons_records_never_go_up_into_anothers_account() {
    let (_, mut ada, _) = synced(); // synced with account "ada"
    let mut eves = Cloud { account: AccountId::new("eve").unwrap(), draws: 1 << 42, ..Cloud::new() };
    // The app passes whoever is signed in, to both sides.
    let o = ada.opening(AccountId::new("eve").unwrap(), vec![people()]);
    let mut session = DeviceSession::open(o, &entropy(14));
    ada.converse(&mut session, |f| Ok::<_, std::convert::Infallible>(eves.answer(f))).unwrap();
    assert_eq!(rows_of(&eves.store).len(), 0, "Ada's contacts are in Eve's account");
}

#[test]
fn an_empty_collection_is_quiet_too() {
    let (mut cloud, mut carl) = (Cloud::new(), phone(3));
    for _ in 0..3 {
        cloud.sync(&mut carl);
    }
    assert_eq!(cloud.sync(&mut carl).requests, 1, "L3: a subscribed collection with nothing in it");
}
