//! Devices and a server that talk: what crosses, what it costs, and what is known of the server afterwards.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects, reason = "a test may stop")]

#[allow(dead_code, reason = "each test file uses a part")]
#[path = "conversation/world.rs"]
mod world;

use holdfast::decide::continuity::{Continuity, ServerLoss};
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
