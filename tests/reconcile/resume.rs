//! A comparison that ends in the middle goes on from there, and whatever the limits are, it ends.

use holdfast::{compose::device_session::Opening, talk::limits::WireLimits, *};

use crate::{crossed::*, peer::*, workload::Chance, world::*};

#[test]
fn a_comparison_goes_on_where_it_ended() {
    let mut chance = Chance(11);
    let (mut cloud, mut ada, mut ben, ids) = rebuilt(3_000, &mut chance);
    for n in 0..400 {
        rename(&mut ben, &ids[n * 7], "there");
    }
    (0..40).for_each(|_| drop(make(&mut ada, &mut chance)));
    cloud.sync(&mut ben);
    let limits = WireLimits { page_bytes: 2_000, ..WireLimits::default() };
    let (mut sessions, mut fetched, mut progress) = (0, 0, None);
    loop {
        sessions += 1;
        assert!(sessions < 200, "it never ends");
        let open = |opening| Opening { limits, max_requests: 5, ..opening };
        let (report, crossed) = sync_as(&mut cloud, &mut ada, open);
        fetched += crossed.down;
        let comparing = head(ada.store()).server.unwrap().comparing;
        let Some(comparing) = comparing else { break };
        assert_eq!(crossed.up, 0, "nothing goes up before all is compared");
        assert!(!report.is_complete() && comparing.after >= progress, "it went back");
        progress = comparing.after;
    }
    assert!(sessions > 4 && progress.is_some(), "{sessions} sessions");
    // What was fetched is not fetched again, but for a page where a session ended.
    assert!((400..600).contains(&fetched), "{fetched}");
    for _ in 0..2 {
        cloud.sync(&mut ada);
        cloud.sync(&mut ben);
    }
    assert_eq!(rows_of(ada.store()), rows_of(&cloud.store));
    assert_eq!(rows_of(ben.store()), rows_of(&cloud.store));
}

#[test]
fn every_cut_of_the_conversation_reaches_the_same() {
    for max_requests in 1..12 {
        let mut chance = Chance(12);
        let (mut cloud, mut ada, mut ben, ids) = rebuilt(500, &mut chance);
        (0..30).for_each(|n| rename(&mut ben, &ids[n * 16], "there"));
        (0..5).for_each(|_| drop(make(&mut ada, &mut chance)));
        cloud.sync(&mut ben);
        sync_as(&mut cloud, &mut ada, |opening| Opening { max_requests, ..opening });
        // Meanwhile the server moves on, and is restored with a word.
        rename(&mut ben, &ids[1], "since");
        cloud.sync(&mut ben);
        cloud.store.restored();
        let (report, _) = sync(&mut cloud, &mut ada);
        assert!(report.is_complete(), "{report}");
        cloud.sync(&mut ben);
        assert_eq!(rows_of(ada.store()), rows_of(&cloud.store), "cut after {max_requests}");
        assert_eq!(rows_of(ben.store()), rows_of(&cloud.store), "cut after {max_requests}");
    }
}

#[test]
fn what_is_settled_ahead_of_what_is_open_moves_nothing_past_it() {
    let mut chance = Chance(16);
    let (mut cloud, mut ada, mut ben, mut ids) = rebuilt(1_200, &mut chance);
    ids.sort();
    // In the first range and in the last one, so that all between them is the same.
    rename(&mut ben, &ids[3], "there");
    rename(&mut ben, &ids[1_190], "there");
    cloud.sync(&mut ben);
    for _ in 0..2 {
        sync_as(&mut cloud, &mut ada, |opening| Opening { max_requests: 3, ..opening });
    }
    let (report, _) = sync(&mut cloud, &mut ada);
    assert!(report.is_complete(), "{report}");
    assert_eq!(rows_of(ada.store()), rows_of(&cloud.store));
}

#[test]
fn another_loss_begins_it_anew() {
    for max_requests in 3..7 {
        let mut chance = Chance(13);
        let (mut cloud, mut ada, mut ben, ids) = rebuilt(600, &mut chance);
        (0..30).for_each(|n| rename(&mut ben, &ids[n * 16], "there"));
        cloud.sync(&mut ben);
        sync_as(&mut cloud, &mut ada, |opening| Opening { max_requests, ..opening });
        cloud.store = MemoryStore::server();
        for _ in 0..2 {
            let (report, _) = sync(&mut cloud, &mut ada);
            assert!(report.is_complete(), "{report}");
            cloud.sync(&mut ben);
        }
        cloud.sync(&mut ada);
        assert_eq!(rows_of(ada.store()), rows_of(&cloud.store), "cut after {max_requests}");
        assert_eq!(rows_of(ben.store()), rows_of(&cloud.store), "cut after {max_requests}");
    }
}

#[test]
fn small_limits_make_it_longer_and_change_nothing_else() {
    for (max_items, page_bytes) in [(2, 200), (3, 300), (20, 1_000), (10_000, 100)] {
        let mut chance = Chance(14);
        let (mut cloud, mut ada, mut ben, ids) = rebuilt(120, &mut chance);
        (0..10).for_each(|n| rename(&mut ben, &ids[n * 11], "there"));
        (0..5).for_each(|_| drop(make(&mut ada, &mut chance)));
        cloud.sync(&mut ben);
        let limits = WireLimits { max_items, page_bytes, ..WireLimits::default() };
        cloud.limits = limits;
        let (report, crossed) = sync_as(&mut cloud, &mut ada, |opening| Opening { limits, ..opening });
        assert!(report.is_complete(), "{report}");
        // A page, or one range: 16 parts.
        assert!(crossed.longest <= page_bytes + 16 * 60 + 200, "{max_items} items, {page_bytes} bytes: {crossed:?}");
        cloud.limits = WireLimits::default();
        cloud.sync(&mut ada);
        cloud.sync(&mut ben);
        assert_eq!(rows_of(ada.store()), rows_of(&cloud.store));
        assert_eq!(rows_of(ben.store()), rows_of(&cloud.store));
    }
}

#[test]
fn what_an_app_writes_during_a_comparison_is_not_taken_for_sent() {
    use compose::device_session::Output;
    use talk::{frame::RequestFrame, message::Request};

    let mut chance = Chance(15);
    let (mut cloud, mut ada, _ben, ids) = rebuilt(700, &mut chance);
    let mut session = open(&ada, 501);
    // The server says that all is the same; before that is noted, the app changes one of the records.
    let is_reconcile = |frame: &[u8]| {
        let asked = RequestFrame::decode(frame, &LIMITS()).unwrap().requests;
        asked.iter().any(|asked| matches!(asked, Request::Reconcile { .. }))
    };
    let mut is_written = false;
    loop {
        match session.poll() {
            Output::Read(set) => session.loaded(ada.store().read(&set).unwrap()),
            Output::Commit(batch) => match with(&mut ada, |store| store.commit(batch)) {
                Ok(()) => session.committed(),
                Err(_) => session.moved(),
            },
            Output::Send(frame) if !is_written => {
                session.received(&cloud.answer(&frame)).unwrap();
                if is_reconcile(&frame) {
                    rename(&mut ada, &ids[5], "meanwhile");
                    is_written = true;
                }
            }
            Output::Send(_) => break,
            Output::Done(report) => panic!("{report}"),
        }
    }
    let rows = |phone: &Phone| phone.row(&people(), &ids[5]).unwrap().unwrap();
    assert!(rows(&ada).is_pending, "what was written meanwhile counts as sent");
    assert!(!ada.row(&people(), &ids[6]).unwrap().unwrap().is_pending);
    cloud.sync(&mut ada);
    assert_eq!(rows_of(ada.store()), rows_of(&cloud.store));
}

/// A device's store, for a moment.
fn with<T>(phone: &mut Phone, act: impl FnOnce(&mut MemoryStore) -> T) -> T {
    let mut store = phone.store().clone();
    let done = act(&mut store);
    *phone = Device::new(store, phone.replica(), Guard::default());
    done
}

/// What is narrowed down is forgotten with the session: one that ended there every time would never get on.
#[test]
fn however_few_requests_a_session_may_send_a_comparison_gets_on() {
    for max_requests in 2..5 {
        let mut chance = Chance(11);
        let (mut cloud, mut ada, mut ben, ids) = rebuilt(3_000, &mut chance);
        ids.iter().step_by(7).for_each(|id| rename(&mut ben, id, "there"));
        (0..40).for_each(|_| drop(make(&mut ada, &mut chance)));
        cloud.sync(&mut ben);
        let mut sessions = 0;
        loop {
            sessions += 1;
            assert!(sessions < 20, "with {max_requests} requests it never ends");
            let (report, _) = sync_as(&mut cloud, &mut ada, |opening| Opening { max_requests, ..opening });
            assert!(report.requests <= 8, "{report}");
            if report.is_complete() {
                break;
            }
        }
        assert!(sessions > 4, "{sessions} sessions");
        assert_eq!(rows_of(ada.store()), rows_of(&cloud.store), "with {max_requests} requests");
    }
}
