//! Devices and a server that talk: what crosses, what it costs, and what is known of the server afterwards.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects, reason = "a test may stop")]

#[allow(dead_code, reason = "each test file uses a part")]
#[path = "conversation/world.rs"]
mod world;

use holdfast::{
    compose::{
        device::{
            WriteFailed,
            online::{ChangeState, LeaveFailed},
        },
        device_session::{DeviceSession, Opening},
        serve::Access,
    },
    decide::{
        acknowledge::LeaveError,
        author::WriteError,
        continuity::{Continuity, ServerLoss, Stop},
        refusal::Refusal,
    },
    talk::limits::WireLimits,
    values::{codec::DecodeLimits, id::AccountId},
    *,
};
use world::*;

fn three() -> (Cloud, Phone, Phone) {
    let (mut cloud, mut ada, mut ben) = (Cloud::new(), phone(1), phone(2));
    for n in 0..30 {
        create(&mut ada, n, &[("name", &format!("n{n}")), ("phone", "1"), ("town", "Kiel")]);
    }
    let first = cloud.sync(&mut ada);
    assert!(first.is_complete());
    cloud.sync(&mut ben);
    assert_eq!((living(&ada), living(&ben)), (30, 30));
    (cloud, ada, ben)
}

#[test]
fn what_one_device_writes_the_other_one_gets() {
    let (mut cloud, mut ada, mut ben) = three();
    edit(&mut ada, 3, "phone", "2", 7);
    edit(&mut ben, 3, "town", "Rom", 8);
    delete(&mut ben, 4);
    for _ in 0..2 {
        cloud.sync(&mut ada);
        cloud.sync(&mut ben);
    }
    let read = |phone: &Phone| phone.row(&people(), &rec(3)).unwrap().unwrap().version.digest();
    assert_eq!(read(&ada), read(&ben));
    assert_eq!((living(&ada), living(&ben)), (29, 29));
    let quiet = cloud.sync(&mut ada);
    assert_eq!(quiet.requests, 1);
    assert!(quiet.bytes_sent <= 200 && quiet.bytes_received <= 200, "{quiet}");
}

#[test]
fn a_server_that_lost_everything_is_rebuilt() {
    let (mut cloud, mut ada, mut ben) = three();
    cloud.store = holdfast::MemoryStore::server();
    let report = cloud.sync(&mut ada);
    assert_eq!(report.collections[0].continuity, Some(Continuity::Lost(ServerLoss::Emptied)));
    let report = cloud.sync(&mut ben);
    assert_eq!(report.collections[0].continuity, Some(Continuity::Lost(ServerLoss::Emptied)));
    cloud.sync(&mut ada);
    cloud.sync(&mut ben);
    assert_eq!((living(&ada), living(&ben)), (30, 30));
    assert_eq!(cloud.sync(&mut ada).requests, 1);
}

#[test]
fn a_server_that_was_set_back_is_rebuilt() {
    for is_marked in [false, true] {
        let (mut cloud, mut ada, mut ben) = three();
        let backup = cloud.store.clone();
        edit(&mut ada, 3, "phone", "2", 7);
        create(&mut ada, 40, &[("name", "new")]);
        cloud.sync(&mut ada);
        cloud.sync(&mut ben);
        cloud.store = backup;
        if is_marked {
            cloud.store.restored();
        }
        let report = cloud.sync(&mut ben);
        assert_eq!(report.collections[0].continuity, Some(Continuity::Lost(ServerLoss::RolledBack)));
        cloud.sync(&mut ada);
        cloud.sync(&mut ben);
        assert_eq!((living(&ada), living(&ben)), (31, 31));
        let mut carl = phone(3);
        cloud.sync(&mut carl);
        assert_eq!(living(&carl), 31);
    }
}

#[test]
fn what_the_server_holds_is_asked_on_every_device_and_then_it_is_quiet() {
    let (mut cloud, mut ada, mut ben) = three();
    for n in 0..25 {
        delete(&mut ada, n);
    }
    let report = cloud.sync(&mut ada);
    assert_eq!(report.collections[0].held_there.len(), 25, "{report}");
    cloud.sync(&mut ben);
    assert_eq!(living(&ben), 30);
    cloud.sync(&mut ada);
    assert_eq!(cloud.sync(&mut ada).requests, 1);
    assert_eq!(cloud.sync(&mut ben).requests, 1);
    let hold = ben.hold(&people()).unwrap().unwrap();
    ben.consent(&people(), hold.digest, "Ben", at(9)).unwrap();
    for _ in 0..2 {
        cloud.sync(&mut ben);
        cloud.sync(&mut ada);
    }
    assert_eq!((living(&ada), living(&ben)), (5, 5));
    assert!(ada.hold(&people()).unwrap().is_none() && ben.hold(&people()).unwrap().is_none());
    assert_eq!(cloud.sync(&mut ada).requests, 1);
}

#[test]
fn a_record_that_is_too_large_is_named_and_delays_no_other() {
    let (mut cloud, mut ada, mut ben) = three();
    create(&mut ada, 50, &[("name", &"x".repeat(5_000))]);
    create(&mut ada, 51, &[("name", "small")]);
    let narrow = |opening: Opening| {
        let record = DecodeLimits { max_bytes: 4_000, ..DecodeLimits::default() };
        Opening { limits: WireLimits { record, ..WireLimits::default() }, ..opening }
    };
    let report = cloud.sync_as(&mut ada, narrow).unwrap();
    assert_eq!(report.collections[0].failed.len(), 1, "{report}");
    let state = |phone: &Phone, n| phone.state(&people(), &rec(n)).unwrap().unwrap();
    assert!(matches!(state(&ada, 50), ChangeState::Failed(Refusal::TooLarge { limit: 4_000, .. })));
    assert!(matches!(state(&ada, 51), ChangeState::Acknowledged(Some(_))));
    cloud.sync(&mut ben);
    assert_eq!(living(&ben), 31);
    assert_eq!(cloud.sync_as(&mut ada, narrow).unwrap().requests, 1);
    edit(&mut ada, 50, "name", "short again", 9);
    assert_eq!(state(&ada, 50), ChangeState::Pending);
    cloud.sync_as(&mut ada, narrow).unwrap();
    cloud.sync(&mut ben);
    assert_eq!(living(&ben), 32);
}

#[test]
fn leaving_a_collection_deletes_nothing_and_loses_nothing_unsent() {
    let (mut cloud, mut ada, mut ben) = three();
    edit(&mut ben, 3, "phone", "2", 7);
    assert!(matches!(ben.leave(&people()), Err(LeaveFailed::Leave(LeaveError::Unsent { found: 1, .. }))));
    assert_eq!(living(&ben), 30);
    cloud.sync(&mut ben);
    ben.leave(&people()).unwrap();
    assert_eq!(living(&ben), 0);
    cloud.sync(&mut ada);
    assert_eq!(living(&ada), 30);
    let again = cloud.sync(&mut ben);
    assert_eq!(again.collections[0].continuity, Some(Continuity::First));
    assert_eq!(living(&ben), 30);
    let saved: holdfast::MemoryStore = serde_json::from_str(&serde_json::to_string(ben.store()).unwrap()).unwrap();
    let mut ben = holdfast::Device::new(saved, ben.replica(), holdfast::Guard::default());
    edit(&mut ben, 3, "phone", "3", 9);
    cloud.sync(&mut ben);
    cloud.sync(&mut ada);
    let phone = |phone: &Phone| phone.row(&people(), &rec(3)).unwrap().unwrap().version.digest();
    assert_eq!(phone(&ada), phone(&ben));
}

#[test]
fn four_answers_are_not_the_empty_one() {
    let (mut cloud, mut ada, _) = three();
    let before = serde_json::to_string(ada.store()).unwrap();
    let answers = [Access::Forgotten, Access::Forbidden, Access::Unavailable { retry_after_seconds: 30 }];
    for access in answers {
        cloud.access = access;
        let report = cloud.sync(&mut ada);
        assert!(report.collections[0].refused.is_some() && !report.is_complete(), "{report}");
        assert_eq!(serde_json::to_string(ada.store()).unwrap(), before);
    }
    cloud.access = Access::Open;
    cloud.account = AccountId::new("eve").unwrap();
    create(&mut ada, 60, &[("name", "private")]);
    let report = cloud.sync(&mut ada);
    assert_eq!(report.collections[0].continuity, Some(Continuity::Stop(Stop::WrongAccount)));
    assert!(!report.is_complete() && !report.to_string().contains("goes on from here"), "{report}");
    assert_eq!((report.requests, report.collections[0].sent), (1, 0));
}

#[test]
fn a_budget_of_requests_ends_a_session_and_the_next_one_goes_on() {
    let (mut cloud, mut ada, mut ben) = three();
    for n in 100..300 {
        create(&mut ada, n, &[("name", &format!("n{n}"))]);
    }
    let short = |opening: Opening| {
        let limits = WireLimits { page_bytes: 2_000, ..WireLimits::default() };
        Opening { max_requests: 3, limits, ..opening }
    };
    let mut sessions = 0;
    while !cloud.sync_as(&mut ada, short).unwrap().is_complete() {
        sessions += 1;
        assert!(sessions < 60);
    }
    assert!(sessions > 3);
    sessions = 0;
    while !cloud.sync_as(&mut ben, short).unwrap().is_complete() {
        sessions += 1;
        assert!(sessions < 60);
    }
    assert!(sessions > 3);
    assert_eq!(living(&ben), 230);
}

#[test]
fn what_another_device_writes_during_a_session_is_not_passed_over() {
    let (mut cloud, mut ada, mut ben) = three();
    edit(&mut ada, 3, "phone", "2", 7);
    create(&mut ben, 60, &[("name", "meanwhile")]);
    edit(&mut ben, 3, "town", "Rom", 8);
    let opening = ada.opening(AccountId::new("ada").unwrap(), vec![people()]);
    let mut session = DeviceSession::open(opening, &entropy(910));
    let mut requests = 0;
    let exchange = |frame: &[u8]| {
        requests += 1;
        if requests == 2 {
            // Ada has greeted, and found nothing new.
            cloud.sync(&mut ben);
        }
        Ok::<_, std::convert::Infallible>(cloud.answer(frame))
    };
    let report = ada.converse(&mut session, exchange).unwrap();
    assert!(report.is_complete(), "{report}");
    assert_eq!(living(&ada), 31);
    cloud.sync(&mut ben);
    let digest = |phone: &Phone| phone.row(&people(), &rec(3)).unwrap().unwrap().version.digest();
    assert_eq!(digest(&ada), digest(&ben));
    assert_eq!(cloud.sync(&mut ada).requests, 1);
}

/// A device whose rows went back while its cursor did not, as after a partial restore.
fn with_old_rows(now: &Phone, then: &Phone) -> Phone {
    let mut saved = serde_json::to_value(now.store()).unwrap();
    let old = serde_json::to_value(then.store()).unwrap();
    saved["collections"][0][1]["rows"] = old["collections"][0][1]["rows"].clone();
    let store: holdfast::MemoryStore = serde_json::from_value(saved).unwrap();
    holdfast::Device::new(store, now.replica(), holdfast::Guard::default())
}

#[test]
fn a_patch_that_does_not_fit_is_asked_for_whole_page_by_page() {
    let (mut cloud, mut ada, mut ben) = three();
    let then = ben.clone();
    (0..12).for_each(|n| edit(&mut ada, n, "phone", "2", 7));
    cloud.sync(&mut ada);
    cloud.sync(&mut ben);
    let mut ben = with_old_rows(&ben, &then);
    (0..12).for_each(|n| edit(&mut ada, n, "town", "Rom", 8));
    cloud.sync(&mut ada);
    cloud.limits.page_bytes = 700; // about four records whole
    let report = cloud.sync(&mut ben);
    assert!(report.is_complete() && report.requests > 4, "{report}");
    for n in 0..12 {
        let digest = |phone: &Phone| phone.row(&people(), &rec(n)).unwrap().unwrap().version.digest();
        assert_eq!(digest(&ada), digest(&ben));
    }
}

#[test]
fn a_patch_that_the_server_can_not_use_is_sent_whole() {
    let (mut cloud, mut ada, mut ben) = three();
    let backup = serde_json::to_value(&cloud.store).unwrap();
    edit(&mut ada, 3, "phone", "2", 7);
    cloud.sync(&mut ada);
    let mut saved = serde_json::to_value(&cloud.store).unwrap();
    saved["collections"][0][1]["rows"] = backup["collections"][0][1]["rows"].clone();
    cloud.store = serde_json::from_value(saved).unwrap();
    edit(&mut ada, 3, "town", "Rom", 8);
    let report = cloud.sync(&mut ada);
    assert!(report.is_complete() && report.collections[0].failed.is_empty(), "{report}");
    cloud.sync(&mut ben);
    let digest = |phone: &Phone| phone.row(&people(), &rec(3)).unwrap().unwrap().version.digest();
    assert_eq!(digest(&ada), digest(&ben));
}

#[test]
fn removals_wait_for_the_end_of_a_round_and_are_judged_as_one() {
    let (mut cloud, mut ada, mut ben) = three();
    (0..14).for_each(|n| delete(&mut ada, n));
    create(&mut ada, 60, &[("name", "new")]);
    let narrow = |opening: Opening| {
        let limits = WireLimits { page_bytes: 300, ..WireLimits::default() };
        Opening { limits, ..opening }
    };
    // Page by page three would go, and the rest be held. As one round, all fourteen are held.
    let report = cloud.sync_as(&mut ada, narrow).unwrap();
    assert_eq!(report.collections[0].held_there.len(), 14, "{report}");
    assert!(report.requests > 6, "{report}");
    cloud.sync_as(&mut ben, narrow).unwrap();
    assert_eq!(living(&ben), 31);
    let hold = ada.hold(&people()).unwrap().unwrap();
    ada.consent(&people(), hold.digest, "Ada", at(9)).unwrap();
    for _ in 0..2 {
        cloud.sync_as(&mut ada, narrow).unwrap();
        cloud.sync_as(&mut ben, narrow).unwrap();
    }
    assert_eq!((living(&ada), living(&ben)), (17, 17));
    assert_eq!(cloud.sync(&mut ben).requests, 1);
}

#[test]
fn a_device_sees_a_flood_of_removals_as_one_round_whatever_the_pages() {
    let (mut cloud, mut ada, mut ben) = three();
    // Several rounds of few deletes each: the server lets each of them in, and Ben has been away.
    for round in 0..4 {
        (0..3).for_each(|n| delete(&mut ada, round * 3 + n));
        cloud.sync(&mut ada);
    }
    let narrow = |opening: Opening| {
        let limits = WireLimits { page_bytes: 250, ..WireLimits::default() };
        Opening { limits, max_requests: 3, ..opening }
    };
    // A budget ends each session early: what would be removed waits in the store, and nothing has gone.
    let mut sessions = 0;
    while !cloud.sync_as(&mut ben, narrow).unwrap().is_complete() {
        sessions += 1;
        assert_eq!(living(&ben), 30);
    }
    assert!(sessions > 1);
    assert_eq!(living(&ben), 30);
    assert_eq!(ben.hold(&people()).unwrap().unwrap().lines.len(), 12);
}

#[test]
fn small_patches_do_not_make_a_record_grow_beyond_what_a_server_takes() {
    let (mut cloud, mut ada, _) = three();
    cloud.limits.record = DecodeLimits { max_bytes: 4_000, ..DecodeLimits::default() };
    edit(&mut ada, 3, "phone", &"1".repeat(2_500), 7);
    cloud.sync(&mut ada);
    edit(&mut ada, 3, "town", &"2".repeat(2_500), 8);
    let report = cloud.sync(&mut ada);
    let failed = &report.collections[0].failed;
    assert!(matches!(failed.as_slice(), [(_, Refusal::TooLarge { limit: 4_000, .. })]), "{report}");
}

#[test]
fn a_device_that_its_server_knows_further_writes_nothing_until_it_has_a_new_id() {
    let (mut cloud, mut ada, mut ben) = three();
    let old = ada.clone();
    edit(&mut ada, 3, "phone", "2", 7);
    cloud.sync(&mut ada);
    // Ada's phone is restored from an older backup.
    let mut ada = old;
    let report = cloud.sync(&mut ada);
    assert_eq!(report.collections[0].conflict.map(|known| known.counter), Some(31), "{report}");
    let fields = Loose::from([("name".to_owned(), "new".into())]);
    let write = Write::create(people(), rec(40), &fields, &Shape::new(), Cause::User).unwrap();
    let refused = ada.write(&write, at(9));
    assert!(matches!(refused, Err(WriteFailed::Write(WriteError::ReplicaConflict { found: 31 }))), "{refused:?}");
    let id = ReplicaId::from_entropy(77).unwrap();
    let mut renewed = ada.clone();
    renewed.rotate(id, [&people()]).unwrap();
    renewed.write(&write, at(9)).unwrap();
    cloud.sync(&mut renewed);
    cloud.sync(&mut ben);
    assert_eq!((living(&renewed), living(&ben)), (31, 31));
}
