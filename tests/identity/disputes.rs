//! Two contents under equal contexts: both are written down.

use super::*;

/// Ben has read what ada's twin wrote. Then the server forgot it, cleo has read what ada wrote under the same names, and
/// twin and ada are gone.
fn two_under_one_name(twins: &[usize]) -> (Cloud, Phone, Phone) {
    let (mut cloud, mut ada, mut ben) = peer::synced();
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
