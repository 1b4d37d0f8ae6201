//! A server that lost something, at the worst moment: nothing counts as there that is not.

use super::*;

#[test]
fn an_edit_refused_for_foreign_dots_is_sent_again_after_a_crash() {
    let (mut cloud, mut ada, ben) = synced();
    drop(ben);
    // r003 is Ada's; make a record of Ben's.
    let mut ben = phone(2);
    cloud.sync(&mut ben);
    create(&mut ben, 60, &[("name", "bens"), ("phone", "1")]);
    cloud.sync(&mut ben);
    cloud.sync(&mut ada);
    drop(ben); // Ben's phone is destroyed.
    cloud.store = without(&cloud.store, |id| id == "r060");
    edit(&mut ada, 60, "phone", "ada's edit", 9);
    // The session is dropped right after it noted what the server said (or: max_requests is reached).
    let mut session = DeviceSession::open(opening(&ada), &entropy(6));
    let mut pushes = 0;
    drive(
        &mut ada,
        &mut session,
        |f| {
            let r = RequestFrame::decode(f, &LIMITS()).unwrap();
            // The patch, then the whole; anything after is not sent: the app was killed.
            if pushes >= 2 && !r.requests.iter().any(|r| matches!(r, Request::Push { .. })) {
                return None;
            }
            if r.requests.iter().any(|r| matches!(r, Request::Push { .. })) {
                pushes += 1;
            }
            Some(cloud.answer(f))
        },
        |_| false,
    );
    for _ in 0..4 {
        cloud.sync_as(&mut ada, audit).unwrap();
    }
    assert!(on_server(&cloud, 60), "Ada's edit, and Ben's record, never get to the server: {:?}", state(&ada, 60));
}

#[test]
fn a_staged_removal_that_the_server_lost_is_not_taken_for_known_there() {
    let (mut cloud, mut ada, mut ben) = synced();
    let backup = cloud.store.clone();
    for n in 20..30 {
        create(&mut ben, n, &[("name", "x")]);
    }
    delete(&mut ben, 5);
    cloud.sync(&mut ben);
    // Ada reads one page that has the delete in it, and the app goes to the background.
    let small =
        |o: Opening| Opening { max_requests: 3, limits: WireLimits { page_bytes: 300, ..WireLimits::default() }, ..o };
    let mut sessions = 0;
    loop {
        let r = cloud.sync_as(&mut ada, small).unwrap();
        let staged = ada
            .store()
            .read(&decide::slice::ReadSet::head(people()).with_staged(ReplicaId::THIS_DEVICE))
            .unwrap()
            .staged
            .len();
        sessions += 1;
        if staged > 0 {
            break;
        }
        assert!(!r.is_complete() && sessions < 10, "not staged");
    }
    drop(ben);
    cloud.store = backup;
    cloud.sync(&mut ada);
    cloud.sync(&mut ada);
    for _ in 0..2 {
        cloud.sync(&mut ada);
    }
    assert_eq!(digest_on(ada.store(), 5), digest_on(&cloud.store, 5), "Ada says {:?}", state(&ada, 5));
}

#[test]
fn a_late_reply_of_a_server_that_was_wiped_since_does_not_acknowledge() {
    let (mut cloud, mut ada, _ben) = synced();
    edit(&mut ada, 3, "phone", "ada's", 7);
    let mut slow = DeviceSession::open(opening(&ada), &entropy(9));
    let mut late: Option<Vec<u8>> = None;
    drive(
        &mut ada,
        &mut slow,
        |f| {
            let reply = cloud.answer(f);
            let r = RequestFrame::decode(f, &LIMITS()).unwrap();
            if r.requests.iter().any(|r| matches!(r, Request::Push { .. })) {
                late = Some(reply);
                return None;
            }
            Some(reply)
        },
        |_| false,
    );
    let late = late.unwrap();
    cloud.store = MemoryStore::server(); // wiped
    let mut second = DeviceSession::open(opening(&ada), &entropy(10));
    let _n = 0;
    drive(
        &mut ada,
        &mut second,
        |f| Some(cloud.answer(f)),
        |o| {
            if let Output::Send(f) = o {
                let r = RequestFrame::decode(f, &LIMITS()).unwrap();
                return r.requests.iter().any(|r| matches!(r, Request::Reconcile { .. }));
            }
            false
        },
    );
    assert_eq!(state(&ada, 3), Some(ChangeState::Pending));
    slow.received(&late).unwrap();
    drive(&mut ada, &mut slow, |_f| None, |_| false);
    let _report = drive(&mut ada, &mut second, |f| Some(cloud.answer(f)), |_| false).unwrap();
    for _ in 0..3 {
        cloud.sync(&mut ada);
    }
    assert!(on_server(&cloud, 3), "{:?}, and the server does not have it", state(&ada, 3));
}

#[test]
fn a_judgement_without_a_position_voids_what_was_acknowledged() {
    let (_, mut ada, _) = synced();
    let known_at = head(ada.store()).server.unwrap().witness.unwrap().last.position;
    let judgement = Judgement {
        continuity: Continuity::Unproven,
        common: Revision(0),
        claimed: known_at,
        found: None,
        missing: vec![],
    };
    lied_to(&mut ada, |_n, req| {
        req.requests
            .iter()
            .map(|r| match r {
                Request::Greet { .. } => Reply::Welcome { recognition: Recognition::Prove, accepted: None, hold: None },
                Request::Prove { .. } => Reply::Judged { judgement: judgement.clone(), now: None },
                Request::Pull { .. } => Reply::Page {
                    offers: vec![],
                    next: FeedCursor::default(),
                    is_more: false,
                    now: None,
                    accepted: None,
                    hold: None,
                },
                Request::Audit { .. } => Reply::Audited(talk::message::Audited::Found(vec![])),
                _ => Reply::Refused(Refused::Forbidden),
            })
            .collect()
    });
    let mut honest = Cloud { draws: 1 << 40, ..Cloud::new() };
    for _ in 0..4 {
        honest.sync_as(&mut ada, audit).unwrap();
    }
    assert_eq!(rows_of(&honest.store).len(), 12, "{:?}", state(&ada, 3));
}

#[test]
fn a_lost_key_with_a_loss_costs_no_data() {
    for wiped in [false, true] {
        let (mut cloud, mut ada, mut ben) = synced();
        let backup = cloud.store.clone();
        create(&mut ben, 60, &[("name", "bens"), ("phone", "1")]);
        cloud.sync(&mut ben);
        cloud.sync(&mut ada);
        drop(ben);
        cloud.store = if wiped { MemoryStore::server() } else { backup };
        cloud.key = PositionKey::new([9; 32]);
        if wiped {
            let mut carl = phone(3);
            create(&mut carl, 80, &[("name", "first")]);
            cloud.sync(&mut carl);
        }
        for _ in 0..3 {
            cloud.sync(&mut ada);
        }
        assert!(on_server(&cloud, 60) && on_server(&cloud, 3), "wiped {wiped}: {:?}", state(&ada, 60));
        assert_eq!(cloud.sync(&mut ada).requests, 1);
    }
}

#[test]
fn the_headline_names_a_loss_found_after_unproven() {
    let (mut cloud, mut ada, mut ben) = synced();
    for n in 0..3 {
        create(&mut ben, 40 + n, &[("name", "more")]);
        cloud.sync(&mut ben);
    }
    let mut saved = serde_json::to_value(&cloud.store).unwrap();
    let chains = saved["collections"][0][1]["chains"].as_array_mut().unwrap();
    let kept = chains.split_off(chains.len() - 1);
    *chains = kept;
    cloud.store = serde_json::from_value(saved).unwrap();
    cloud.store = without(&cloud.store, |id| id == "r004");
    let r = cloud.sync(&mut ada);
    assert_eq!(r.collections[0].continuity, Some(Continuity::Lost(ServerLoss::PartialLoss)));
}

#[test]
fn a_repair_is_not_over_before_the_unfit_records_are_sent() {
    let (mut cloud, mut ada, mut ben) = synced();
    create(&mut ben, 60, &[("name", "bens"), ("phone", "1"), ("town", "Kiel")]);
    cloud.sync(&mut ben);
    cloud.sync(&mut ada);
    drop(ben);
    // Both at once: set back in silence (to after r060), and the row of r060 gone.
    let backup = cloud.store.clone();
    create(&mut ada, 61, &[("name", "later")]);
    cloud.sync(&mut ada);
    cloud.store = without(&backup, |id| id == "r060");
    edit(&mut ada, 60, "phone", "2", 9);
    for _ in 0..2 {
        cloud.sync(&mut ada);
    }
    assert!(on_server(&cloud, 60));
    assert_eq!(cloud.sync(&mut ada).requests, 1);
}

#[test]
fn a_second_loss_is_named_and_renewed_though_the_backup_was_made_in_a_repair() {
    let (mut cloud, mut ada, mut ben) = synced();
    create(&mut ben, 60, &[("name", "bens"), ("phone", "1")]);
    cloud.sync(&mut ben);
    cloud.sync(&mut ada);
    cloud.store = MemoryStore::server(); // first loss
    for _ in 0..2 {
        cloud.sync(&mut ada);
        cloud.sync(&mut ben);
    }
    let backup = cloud.store.clone(); // a backup, within 14 days
    cloud.store = MemoryStore::server(); // second loss
    for _ in 0..2 {
        cloud.sync(&mut ada);
        cloud.sync(&mut ben);
    }
    create(&mut ben, 61, &[("name", "since")]);
    cloud.sync(&mut ben);
    cloud.sync(&mut ada);
    drop(ben);
    cloud.store = backup; // the backup, quietly
    let before = head(&cloud.store).history.unwrap().lineage;
    // The app is killed after the push was noted (or max_requests: 4).
    cloud.sync_as(&mut ada, |o| Opening { max_requests: 4, ..o }).unwrap();
    let is_new = head(&cloud.store).history.unwrap().lineage != before;
    for _ in 0..4 {
        cloud.sync(&mut ada);
    }
    assert!(is_new && on_server(&cloud, 61));
}

/// Carl has read until just before r010, which Ben has moved on in the feed meanwhile. In silence the server is then set back to
/// before that.
fn set_back_in_the_middle_of_a_reading() -> (Cloud, Phone, Phone) {
    let (mut cloud, _, mut ben) = synced();
    let backup = cloud.store.clone(); // revision 1: twelve records
    let mut carl = phone(3);
    let o = Opening { limits: WireLimits { page_bytes: 1, ..WireLimits::default() }, ..opening(&carl) };
    let mut session = DeviceSession::open(o, &entropy(15));
    let mut pulls = 0;
    drive(
        &mut carl,
        &mut session,
        |f| {
            let r = RequestFrame::decode(f, &LIMITS()).unwrap();
            if matches!(r.requests[0], Request::Pull { .. }) {
                pulls += 1;
                if pulls == 4 {
                    edit(&mut ben, 10, "phone", "2", 7);
                    cloud.sync(&mut ben);
                }
                if pulls == 12 {
                    return None;
                }
            }
            Some(cloud.answer(f))
        },
        |_| false,
    );
    cloud.store = backup;
    (cloud, ben, carl)
}

#[test]
fn what_moved_on_in_the_feed_while_it_was_read_is_not_passed_over_after_a_restore() {
    let (mut cloud, mut ben, mut carl) = set_back_in_the_middle_of_a_reading();
    for _ in 0..3 {
        cloud.sync(&mut carl);
    }
    cloud.sync(&mut ben);
    cloud.sync(&mut carl);
    assert!(carl.row(&people(), &rec(10)).unwrap().is_some());
}

#[test]
fn what_moved_on_in_the_feed_is_not_passed_over_though_nobody_brings_it_back() {
    let (mut cloud, _, mut carl) = set_back_in_the_middle_of_a_reading();
    for _ in 0..4 {
        cloud.sync_as(&mut carl, audit).unwrap();
    }
    assert_eq!(living(&carl), 12, "the server has r010, Carl says that all is done, and does not");
}
