//! Devices and a server that talk: what crosses, what it costs, and what is known of the server afterwards.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects, reason = "a test may stop")]

#[allow(dead_code, reason = "each test file uses a part")]
#[path = "conversation/world.rs"]
mod world;

use holdfast::{
    compose::{
        device::online::{ChangeState, LeaveFailed},
        device_session::Opening,
        serve::Access,
    },
    decide::{
        acknowledge::LeaveError,
        continuity::{Continuity, ServerLoss, Stop},
        refusal::Refusal,
    },
    talk::limits::WireLimits,
    values::{codec::DecodeLimits, id::AccountId},
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
