//! What a store wrote under another id becomes a device's own.

use super::*;

#[test]
fn a_store_restored_under_another_id_is_taken_over_before_anything_else() {
    let (mut cloud, mut ada, mut ben) = peer::synced();
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
    let (mut cloud, mut ada, mut ben) = peer::synced();
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
    let (_cloud, mut ada, _ben) = peer::synced();
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
    let (mut cloud, mut ada, mut ben) = peer::synced();
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

#[test]
fn questions_about_renamed_versions_are_asked_anew() {
    let (mut cloud, mut ada, mut ben) = peer::synced();
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
