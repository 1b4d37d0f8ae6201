//! After a server has lost everything, each record goes up once, whatever the number of devices.

use holdfast::*;

use crate::{crossed::*, peer::rows_of, workload::Chance, world::*};

fn phones(count: usize) -> Vec<Phone> {
    (1..).take(count).map(phone).collect()
}

#[test]
fn each_record_goes_up_once_in_total() {
    for devices in [1, 2, 5] {
        for records in [0, 1, 40, 600] {
            let (mut cloud, mut chance, mut phones) = (Cloud::new(), Chance(3), phones(devices));
            (0..records).for_each(|_| drop(make(&mut phones[0], &mut chance)));
            phones.iter_mut().for_each(|phone| drop(cloud.sync(phone)));
            cloud.store = MemoryStore::server();
            let mut up = 0;
            for (place, phone) in phones.iter_mut().enumerate() {
                let (report, crossed) = sync(&mut cloud, phone);
                assert!(report.is_complete(), "{report}");
                up += crossed.up;
                assert_eq!(crossed.down, 0, "{devices} devices, {records} records, the {place}th: {crossed:?}");
                if place > 0 && records > 0 {
                    assert_eq!((crossed.compared, crossed.up), (1, 0), "{crossed:?}");
                    assert!(crossed.bytes_down < 600, "{crossed:?}");
                }
            }
            assert_eq!(up, records, "{devices} devices");
            for phone in &mut phones {
                // That a device has nothing more is a commit of the server, which the others read past.
                cloud.sync(phone);
                let quiet = cloud.sync(phone);
                assert_eq!(quiet.requests, 1, "{quiet}");
                assert_eq!(rows_of(phone.store()), rows_of(&cloud.store));
            }
        }
    }
}

#[test]
fn each_record_goes_up_once_where_devices_hold_different_parts() {
    let (mut cloud, mut chance, mut phones) = (Cloud::new(), Chance(4), phones(3));
    (0..400).for_each(|_| drop(make(&mut phones[0], &mut chance)));
    phones.iter_mut().for_each(|phone| drop(cloud.sync(phone)));
    // Each device takes part in another round of 50 more; the last one has all of them.
    for place in 0..3 {
        (0..50).for_each(|_| drop(make(&mut phones[place], &mut chance)));
        phones[place..].iter_mut().for_each(|phone| drop(cloud.sync(phone)));
    }
    for phone in &mut phones {
        make(phone, &mut chance);
    }
    cloud.store = MemoryStore::server();
    let (mut up, mut down) = (0, Vec::new());
    for phone in &mut phones {
        let (report, crossed) = sync(&mut cloud, phone);
        assert!(report.is_complete(), "{report}");
        up += crossed.up;
        down.push(crossed.down);
    }
    assert_eq!(up, 400 + 150 + 3);
    assert_eq!(down, [0, 1, 2]);
    for _ in 0..2 {
        phones.iter_mut().for_each(|phone| drop(cloud.sync(phone)));
    }
    assert!(phones.iter().all(|phone| rows_of(phone.store()) == rows_of(&cloud.store)));
}

#[test]
fn what_a_device_has_not_heard_the_delete_of_is_not_sent_in_vain() {
    // Whole pages of it, and pages with something new in them; at the end, and in the middle.
    for (records, gone, new) in [(40, 35..40, 0), (600, 20..580, 30), (600, 20..600, 1), (600, 0..600, 0)] {
        let (mut cloud, mut chance, mut phones) = (Cloud::new(), Chance(9), phones(3));
        let mut ids: Vec<RecordId> = (0..records).map(|_| make(&mut phones[0], &mut chance)).collect();
        ids.sort();
        phones.iter_mut().for_each(|phone| drop(cloud.sync(phone)));
        let many = Write::delete_many(people(), ids[gone.clone()].to_vec(), Cause::User);
        phones[0].write(&many, at(7)).unwrap();
        cloud.sync(&mut phones[0]);
        while let Some(hold) = phones[0].hold(&people()).unwrap() {
            phones[0].consent(&people(), hold.digest, "ada", at(9)).unwrap();
            cloud.sync(&mut phones[0]);
        }
        (0..new).for_each(|_| drop(make(&mut phones[1], &mut chance)));
        cloud.store = MemoryStore::server();
        let mut up = Vec::new();
        for phone in &mut phones {
            let limits = talk::limits::WireLimits { page_bytes: 2_000, ..cloud.limits };
            let (report, crossed) =
                sync_as(&mut cloud, phone, |opening| compose::device_session::Opening { limits, ..opening });
            assert!(report.is_complete(), "{report}");
            up.push(crossed.up);
            assert!(crossed.up > 0 || crossed.pushes == 1, "empty pages: {crossed:?}");
            // What was begun is ended: nothing waits at the server for the next push.
            let head = cloud.store.read(&decide::slice::ReadSet::head(people())).unwrap().head;
            let author = head.history.and_then(|history| history.authors.get(&phone.replica()).copied());
            assert!(crossed.up == 0 || author.is_some_and(|author| author.has_finished), "{author:?}");
        }
        assert_eq!(up, [records, new, 0], "{records} records without {gone:?}");
        let left = records - gone.len() + new;
        for _ in 0..2 {
            phones.iter_mut().for_each(|phone| drop(cloud.sync(phone)));
        }
        for phone in &mut phones {
            let quiet = cloud.sync(phone);
            assert_eq!((quiet.requests, living(phone)), (1, left), "{quiet}");
        }
    }
}

#[test]
fn a_device_with_records_that_meets_a_server_with_others_sends_and_fetches_what_differs() {
    let (mut cloud, mut chance, mut ada, mut ben) = (Cloud::new(), Chance(5), phone(1), phone(2));
    (0..300).for_each(|_| drop(make(&mut ada, &mut chance)));
    (0..280).for_each(|_| drop(make(&mut ben, &mut chance)));
    cloud.sync(&mut ada);
    let (report, crossed) = sync(&mut cloud, &mut ben);
    assert!(report.is_complete(), "{report}");
    assert_eq!((crossed.up, crossed.down), (280, 300), "{crossed:?}");
    assert_eq!(rows_of(ben.store()), rows_of(&cloud.store));
}

#[test]
fn records_that_are_too_large_for_one_side_end_no_comparison() {
    let mut chance = Chance(6);
    let (mut cloud, mut ada, mut ben, _) = rebuilt(60, &mut chance);
    create(&mut ben, 0, &[("name", &"x".repeat(3_000))]);
    create(&mut ben, 1, &[("name", "small")]);
    create(&mut ada, 2, &[("name", &"y".repeat(3_000))]);
    cloud.sync(&mut ben);
    let mut limits = cloud.limits;
    limits.record.max_bytes = 1_000;
    for _ in 0..2 {
        let (report, _) =
            sync_as(&mut cloud, &mut ada, |opening| compose::device_session::Opening { limits, ..opening });
        assert!(report.is_complete(), "{report}");
    }
    assert_eq!(living(&ada), 62);
    assert_eq!(ada.failed(&people()).unwrap().len(), 1);
}

/// The server keeps nothing of its past but where it stands.
pub(crate) fn forgetful(store: &MemoryStore) -> MemoryStore {
    let mut saved = serde_json::to_value(store).unwrap();
    let chains = saved["collections"][0][1]["chains"].as_array_mut().unwrap();
    *chains = chains.split_off(chains.len() - 1);
    serde_json::from_value(saved).unwrap()
}

#[test]
fn a_server_that_kept_too_little_to_tell_is_not_accused_of_what_it_has_more_of() {
    let mut chance = Chance(7);
    let (mut cloud, mut ada, mut ben, ids) = rebuilt(300, &mut chance);
    cloud.sync(&mut ada);
    (0..9).for_each(|n| rename(&mut ben, &ids[n * 30], "there"));
    make(&mut ben, &mut chance);
    rename(&mut ada, &ids[1], "here");
    cloud.sync(&mut ben);
    cloud.store = forgetful(&cloud.store);
    let (report, crossed) = sync(&mut cloud, &mut ada);
    assert_eq!(report.collections[0].continuity, Some(decide::continuity::Continuity::Unproven), "{report}");
    // Ada's edit is of a record that the server still has as it was.
    assert_eq!((crossed.up, crossed.down), (1, 11), "{crossed:?}");
    assert_eq!(rows_of(ada.store()), rows_of(&cloud.store));
}

#[test]
fn what_such_a_server_lost_in_silence_is_named_and_sent_again() {
    let mut chance = Chance(8);
    let (mut cloud, mut ada, mut ben, ids) = rebuilt(300, &mut chance);
    cloud.sync(&mut ada);
    rename(&mut ben, &ids[3], "there");
    cloud.sync(&mut ben);
    cloud.store = forgetful(&cloud.store);
    cloud.store.damage_rows(&people(), [ids[7].clone(), ids[250].clone()].iter());
    let (report, _) = sync(&mut cloud, &mut ada);
    let loss = decide::continuity::Continuity::Lost(decide::continuity::ServerLoss::PartialLoss);
    assert_eq!(report.collections[0].continuity, Some(loss), "{report}");
    let mut gone = [ids[7].clone(), ids[250].clone()];
    gone.sort();
    assert_eq!(report.collections[0].evidence[1].missing, gone);
    cloud.sync(&mut ada);
    cloud.sync(&mut ben);
    assert_eq!(rows_of(ada.store()), rows_of(&cloud.store));
    assert_eq!(rows_of(ben.store()), rows_of(&cloud.store));
}
