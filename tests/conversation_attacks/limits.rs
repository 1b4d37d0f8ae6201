//! What is too large, too many or too long delays nothing else, and no budget hides a loss.

use super::*;

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
