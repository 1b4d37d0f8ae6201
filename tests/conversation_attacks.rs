//! Attacks on the conversation that have succeeded once: two sessions at a time, servers that go back at the worst moment,
//! limits that do not fit, and peers that lie.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may stop")]
#![allow(clippy::arithmetic_side_effects, reason = "a test that overflows has failed")]

#[allow(dead_code, reason = "each test file uses a part")]
#[path = "conversation/peer.rs"]
mod peer;
#[allow(dead_code, reason = "each test file uses a part")]
#[path = "conversation/world.rs"]
mod world;

use holdfast::{
    act::store::Store,
    compose::{
        device::online::ChangeState,
        device_session::{DeviceSession, Opening, Output},
        serve::account_digest,
    },
    decide::{
        continuity::{Continuity, Judgement, ServerLoss},
        line::Revision,
        position::{FeedCursor, PositionKey},
    },
    talk::{
        extra::Extra,
        frame::RequestFrame,
        limits::WireLimits,
        message::{Refused, Reply, Request, Standing},
    },
    values::{codec::DecodeLimits, digest::Digest, id::AccountId, value::Value},
    *,
};
use peer::*;
use world::*;

fn opening(phone: &Phone) -> Opening {
    phone.opening(AccountId::new("ada").unwrap(), vec![people()])
}

fn audit(opening: Opening) -> Opening {
    Opening { grants_audit: true, ..opening }
}

fn without(store: &MemoryStore, gone: impl Fn(&str) -> bool) -> MemoryStore {
    let mut saved = serde_json::to_value(store).unwrap();
    for collection in saved["collections"].as_array_mut().unwrap() {
        collection[1]["rows"].as_array_mut().unwrap().retain(|row| !gone(row["record"].as_str().unwrap()));
    }
    serde_json::from_value(saved).unwrap()
}

fn state(phone: &Phone, n: usize) -> Option<ChangeState> {
    phone.state(&people(), &rec(n)).unwrap()
}

fn on_server(cloud: &Cloud, n: usize) -> bool {
    rows_of(&cloud.store).iter().any(|(id, _)| *id == rec(n))
}

fn digest_on(store: &MemoryStore, n: usize) -> Option<Digest> {
    rows_of(store).into_iter().find(|(id, _)| *id == rec(n)).map(|(_, d)| d)
}

#[test]
fn a_greeting_that_does_not_fit_is_not_a_complete_session() {
    let (mut cloud, mut ada, _) = synced();
    let books = CollectionId::new("books").unwrap();
    let mut o = ada.opening(AccountId::new("ada").unwrap(), vec![people(), books]);
    o.limits.max_items = 1;
    let mut session = DeviceSession::open(o, &entropy(5));
    let report = ada.converse(&mut session, |f| Ok::<_, std::convert::Infallible>(cloud.answer(f))).unwrap();
    assert!(report.requests > 0 || !report.is_complete(), "0 requests, and complete: {report:?}");
}

#[test]
fn a_record_beyond_the_phones_limit_delays_no_other() {
    let (mut cloud, mut ada, mut ben) = synced();
    create(&mut ben, 50, &[("name", &"x".repeat(5_000))]);
    create(&mut ben, 51, &[("name", "small")]);
    cloud.sync(&mut ben);
    let narrow = |o: Opening| {
        let record = DecodeLimits { max_bytes: 4_000, ..DecodeLimits::default() };
        Opening { limits: WireLimits { record, ..WireLimits::default() }, ..o }
    };
    for _ in 0..3 {
        cloud.sync_as(&mut ada, narrow).unwrap();
    }
    assert!(ada.row(&people(), &rec(51)).unwrap().is_some(), "the small record never arrives");
}

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
fn a_partial_loss_is_named_within_a_budget() {
    for budget in [3, 4, 5] {
        let (mut cloud, mut ada, _) = synced();
        cloud.store = without(&cloud.store, |id| id == "r004");
        let mut found = false;
        for _ in 0..20 {
            let r = cloud.sync_as(&mut ada, |o| Opening { max_requests: budget, grants_audit: true, ..o }).unwrap();
            found |= r.collections[0].continuity == Some(Continuity::Lost(ServerLoss::PartialLoss));
        }
        assert!(found && on_server(&cloud, 4), "budget {budget}: 20 sessions, never named");
    }
}

#[test]
fn a_partial_loss_of_many_windows_is_named_within_a_budget() {
    let (mut cloud, mut ada) = (Cloud::new(), phone(1));
    for n in 0..1000 {
        create(&mut ada, n, &[("name", &format!("n{n}"))]);
    }
    cloud.sync(&mut ada);
    cloud.store = without(&cloud.store, |id| id == "r004");
    for _ in 0..30 {
        let r = cloud.sync_as(&mut ada, |o| Opening { max_requests: 6, grants_audit: true, ..o }).unwrap();
        if r.collections[0].continuity == Some(Continuity::Lost(ServerLoss::PartialLoss)) {
            return;
        }
    }
    panic!("budget 6, 1000 records: 30 sessions, never named");
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
fn one_frame_does_not_make_the_server_build_gigabytes() {
    let (mut cloud, mut ada) = (Cloud::new(), phone(1));
    for n in 0..800 {
        create(&mut ada, n, &[("name", &"y".repeat(400))]);
    }
    cloud.sync(&mut ada);
    let pull = Request::Pull {
        collection: people(),
        at: known(&ada),
        after: FeedCursor::default(),
        page_bytes: 1 << 40,
        record_bytes: 1 << 40,
        accepted: 0,
    };
    let account = account_digest(&AccountId::new("ada").unwrap());
    let n = 1000;
    let frame = RequestFrame {
        session: 7,
        step: 1,
        account,
        from: ada.replica(),
        requests: vec![pull; n],
        extra: Extra::default(),
    };
    let bytes = frame.encode(&LIMITS()).unwrap();
    let rss = || {
        std::fs::read_to_string("/proc/self/status")
            .unwrap()
            .lines()
            .find(|l| l.starts_with("VmHWM"))
            .unwrap()
            .to_string()
    };
    let _t = std::time::Instant::now();
    let _reply = cloud.answer(&bytes);
    let kb: u64 = rss().split_whitespace().nth(1).unwrap().parse().unwrap();
    assert!(kb < 150_000, "{kb} KiB for a request of {} bytes", bytes.len());
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
                Request::Greet { .. } => Reply::Welcome { standing: Standing::Prove, accepted: None, hold: None },
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
fn a_device_that_sees_its_own_later_writes_takes_no_dot_twice() {
    let (mut cloud, mut ada, mut ben) = synced();
    let (ada_backup, server_backup) = (ada.clone(), cloud.store.clone());
    edit(&mut ada, 3, "phone", "later", 7);
    let dot = head(ada.store()).counter;
    cloud.sync(&mut ada);
    cloud.sync(&mut ben);
    let mut ada = ada_backup;
    cloud.store = server_backup;
    cloud.sync(&mut ben); // supplies Ada's later write
    cloud.sync(&mut ada);
    let _row = ada.row(&people(), &rec(3)).unwrap().unwrap();
    let seen = ada.read::<Loose>(&people(), &rec(5), &Shape::new()).unwrap().unwrap();
    let mut next = (*seen).clone();
    next.insert("phone".into(), Value::from("again"));
    let written = ada.write(&seen.save(&next, Cause::User).unwrap(), at(9));
    let again = ada.row(&people(), &rec(5)).unwrap().unwrap().version.context().get(ada.replica());
    assert!(written.is_err() || again != dot, "dot {dot} of Ada is used twice (S5)");
}

#[test]
fn the_reply_about_many_staged_removals_fits() {
    let (mut cloud, mut ada, _ben) = (Cloud::new(), phone(1), phone(2));
    for n in 0..60 {
        create(&mut ada, n, &[("name", "x"), ("phone", "1")]);
    }
    cloud.sync(&mut ada);
    for n in 0..14 {
        delete(&mut ada, n);
    }
    create(&mut ada, 100, &[("name", "new")]);
    let limits = WireLimits { max_items: 4, page_bytes: 300, ..WireLimits::default() };
    cloud.limits = limits;
    for _ in 0..4 {
        // A reply that can not be encoded is an error, and the next session heals it.
        let _: Result<_, _> = cloud.sync_as(&mut ada, |o| Opening { limits, ..o });
    }
    let r = cloud.sync_as(&mut ada, |o| Opening { limits, ..o });
    assert!(r.is_ok());
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
fn a_device_whose_later_writes_come_back_is_told_so_and_its_edits_get_through() {
    let (mut cloud, mut ada, mut ben) = synced();
    let (ada_backup, server_backup) = (ada.clone(), cloud.store.clone());
    for n in 0..5 {
        edit(&mut ada, 3, "phone", &format!("{n}"), 7);
    }
    cloud.sync(&mut ada);
    cloud.sync(&mut ben);
    let mut ada = ada_backup; // both restored to yesterday: one backup job, one outage
    cloud.store = server_backup;
    edit(&mut ada, 3, "town", "Rom", 8); // before she has heard of anything
    cloud.sync(&mut ben);
    let mut last = None;
    for _ in 0..5 {
        let r = cloud.sync(&mut ada);
        last = Some(r.requests);
        cloud.sync(&mut ben);
    }
    assert!(
        head(ada.store()).server.unwrap().conflict.is_some() && last == Some(1),
        "she is not told, and asks for ever"
    );
}

#[test]
fn an_empty_collection_is_quiet_too() {
    let (mut cloud, mut carl) = (Cloud::new(), phone(3));
    for _ in 0..3 {
        cloud.sync(&mut carl);
    }
    assert_eq!(cloud.sync(&mut carl).requests, 1, "L3: a subscribed collection with nothing in it");
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
