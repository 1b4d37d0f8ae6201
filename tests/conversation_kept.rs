//! What the simulation found: each test is a history that lost, hid or delayed something once.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test may stop"
)]

#[allow(dead_code, reason = "each test file uses a part")]
#[path = "conversation/peer.rs"]
mod peer;
#[allow(dead_code, reason = "each test file uses a part")]
#[path = "conversation/world.rs"]
mod world;

use holdfast::{
    Cause, Shape, Store, Write,
    compose::device_session::{DeviceSession, Opening, Output},
    decide::{
        consent::Verdict,
        continuity::{Continuity, ServerLoss},
        slice::ReadSet,
    },
    talk::limits::WireLimits,
    values::id::{AccountId, FieldName},
};
use world::*;

fn two_with(records: usize) -> (Cloud, Phone, Phone) {
    let (mut cloud, mut ada, mut ben) = (Cloud::new(), phone(1), phone(2));
    for n in 0..records {
        create(&mut ada, n, &[("name", &format!("n{n}")), ("phone", "1"), ("town", "Kiel")]);
    }
    cloud.sync(&mut ada);
    cloud.sync(&mut ben);
    (cloud, ada, ben)
}

fn digest(phone: &Phone, n: usize) -> holdfast::values::digest::Digest {
    phone.row(&people(), &rec(n)).unwrap().unwrap().version.digest()
}

fn clear(phone: &mut Phone, n: usize, name: &str) {
    let seen = phone.read::<Loose>(&people(), &rec(n), &Shape::new()).unwrap().unwrap();
    let mut next = (*seen).clone();
    next.remove(name);
    phone.write(&seen.save(&next, Cause::User).unwrap(), at(7)).unwrap();
}

fn answer(phone: &mut Phone, verdict: Verdict) {
    let Some(hold) = phone.hold(&people()).unwrap() else { return };
    match verdict {
        Verdict::Keep => phone.keep(&people(), hold.digest, "ada", at(9)).unwrap(),
        Verdict::Consent => phone.consent(&people(), hold.digest, "ada", at(9)).unwrap(),
    };
}

#[test]
fn of_a_page_whose_patches_fit_in_part_nothing_is_passed_over() {
    let (mut cloud, mut ada, mut ben) = two_with(4);
    edit(&mut ada, 0, "phone", "2", 7);
    edit(&mut ada, 1, "phone", "2", 7);
    cloud.sync(&mut ada);
    for n in 0..4 {
        edit(&mut ada, n, "phone", "3", 8);
    }
    cloud.sync(&mut ada);
    // Pages are cut within the second commit, whose patches are on what the first one left.
    let limits = WireLimits { page_bytes: 150, ..WireLimits::default() };
    cloud.sync_as(&mut ben, |opening| Opening { limits, ..opening }).unwrap();
    for n in 0..4 {
        assert_eq!(digest(&ben, n), digest(&ada, n), "record {n}");
    }
}

#[test]
fn what_a_device_wrote_before_it_left_is_not_covered_by_what_it_writes_then() {
    let (mut cloud, mut ada, mut ben) = two_with(2);
    ada.leave(&people()).unwrap();
    // It does not hold the record, and does not know what it wrote to it before.
    create(&mut ada, 0, &[("name", "new")]);
    for _ in 0..2 {
        cloud.sync(&mut ada);
        cloud.sync(&mut ben);
    }
    for phone in [&ada, &ben] {
        let record = phone.row(&people(), &rec(0)).unwrap().unwrap().version.record();
        let values = |name: &str| {
            let register = record.fields().get(&FieldName::new(name).unwrap());
            register.map_or(0, |register| register.siblings().len())
        };
        assert_eq!((values("name"), values("phone"), values("town")), (2, 1, 1), "{record:?}");
    }
}

type Act = fn(&mut Phone);

#[test]
fn what_a_device_wrote_before_it_left_is_not_covered_by_what_it_writes_on_an_older_state() {
    let texts = |phone: &Phone, name: &str| -> Vec<String> {
        let record = phone.row(&people(), &rec(0)).unwrap().unwrap().version.record();
        let register = record.fields().get(&FieldName::new(name).unwrap()).cloned().unwrap_or_default();
        register.siblings().iter().map(|sibling| format!("{:?}", sibling.value)).collect()
    };
    let writes: [(&str, Act); 3] = [
        ("edits", |ben| edit(ben, 0, "town", "Bonn", 8)),
        ("deletes and restores", |ben| {
            delete(ben, 0);
            ben.write(&Write::restore(people(), rec(0)), at(9)).unwrap();
        }),
        ("deletes many and undoes it", |ben| {
            let many = Write::delete_many(people(), vec![rec(0)], Cause::User);
            let receipt = ben.write(&many, at(8)).unwrap();
            ben.undo(&receipt.id.unwrap(), "ben", at(9)).unwrap();
        }),
    ];
    for (name, write) in writes {
        let (mut cloud, mut ada, mut ben) = two_with(2);
        let before = cloud.store.clone();
        edit(&mut ben, 0, "phone", "2", 7);
        cloud.sync(&mut ben);
        // A follower that never had the edit takes over in silence. Ben leaves, comes back, and writes on what he finds.
        let with = std::mem::replace(&mut cloud.store, before);
        ben.leave(&people()).unwrap();
        cloud.sync(&mut ben);
        assert_eq!(texts(&ben, "phone"), ["Text(\"1\")"], "{name}");
        write(&mut ben);
        cloud.sync(&mut ben);
        // Then the old state returns.
        cloud.store = with;
        cloud.store.restored();
        for _ in 0..2 {
            cloud.sync(&mut ada);
            cloud.sync(&mut ben);
        }
        for phone in [&ada, &ben] {
            assert!(texts(phone, "phone").contains(&"Text(\"2\")".to_owned()), "{name}: {:?}", texts(phone, "phone"));
        }
        assert_eq!(digest(&ada, 0), digest(&ben, 0), "{name}");
    }
}

#[test]
fn whole_pages_of_what_is_too_large_for_a_device_delay_no_other() {
    let (mut cloud, mut ada, mut ben) = (Cloud::new(), phone(1), phone(2));
    (0..30).for_each(|n| create(&mut ada, n, &[("name", &"x".repeat(3_000))]));
    (30..34).for_each(|n| create(&mut ada, n, &[("name", "small")]));
    cloud.sync(&mut ada);
    let mut sessions = 0;
    while living(&ben) < 4 {
        sessions += 1;
        assert!(sessions < 4, "what is small never comes");
        cloud
            .sync_as(&mut ben, |mut opening| {
                (opening.limits.record.max_bytes, opening.limits.page_bytes) = (1_000, 64);
                opening
            })
            .unwrap();
    }
}

#[test]
fn a_device_with_nothing_asks_an_empty_server_once() {
    let (mut cloud, mut ada) = (Cloud::new(), phone(1));
    for _ in 0..2 {
        let report = cloud.sync(&mut ada);
        assert_eq!((report.requests, report.collections[0].continuity), (1, Some(Continuity::First)), "{report}");
    }
    create(&mut ada, 0, &[("name", "first")]);
    assert_eq!(cloud.sync(&mut ada).collections[0].acknowledged, 1);
}

#[test]
fn a_server_that_shows_less_than_it_named_is_told_so_and_given_the_rest() {
    let (mut cloud, mut ada, mut ben) = two_with(3);
    edit(&mut ben, 1, "phone", "2", 7);
    cloud.sync(&mut ben);
    cloud.store.damage_rows(&people(), [rec(1)].iter());
    // Ada finds it, and brings back what she has: not Ben's edit, which the server has named as its own.
    cloud.sync_as(&mut ada, |opening| Opening { grants_audit: true, ..opening }).unwrap();
    let report = cloud.sync(&mut ben);
    let lost = Some(Continuity::Lost(ServerLoss::PartialLoss));
    assert_eq!(report.collections[0].continuity, lost, "{report}");
    cloud.sync(&mut ada);
    assert_eq!(digest(&ada, 1), digest(&ben, 1));
}

#[test]
fn rows_that_come_back_under_a_log_that_says_nothing_are_taken_in() {
    let (mut cloud, mut ada, mut ben) = two_with(3);
    edit(&mut ben, 1, "phone", "2", 7);
    cloud.sync(&mut ben);
    let whole = cloud.store.clone();
    cloud.store.damage_rows(&people(), [rec(1)].iter());
    cloud.sync(&mut ada);
    cloud.store = whole;
    cloud.sync_as(&mut ada, |opening| Opening { grants_audit: true, ..opening }).unwrap();
    assert_eq!(digest(&ada, 1), digest(&ben, 1));
}

#[test]
fn rows_that_come_back_under_such_a_log_are_taken_in_by_who_never_had_them() {
    let (mut cloud, mut ada, mut ben) = two_with(3);
    let whole = cloud.store.clone();
    cloud.store.damage_rows(&people(), [rec(1)].iter());
    let mut carl = phone(3);
    cloud.sync(&mut carl);
    assert_eq!(living(&carl), 2);
    cloud.store = whole;
    let report = cloud.sync_as(&mut carl, |opening| Opening { grants_audit: true, ..opening }).unwrap();
    assert_eq!(report.collections[0].continuity, Some(Continuity::Intact), "{report}");
    assert_eq!(digest(&carl, 1), digest(&ada, 1));
    // And they are asked for once.
    let again = cloud.sync_as(&mut carl, |opening| Opening { grants_audit: true, ..opening }).unwrap();
    assert_eq!(again.requests, 2, "{again}");
    for phone in [&mut ada, &mut ben, &mut carl] {
        cloud.sync(phone);
        assert_eq!(cloud.sync(phone).requests, 1);
    }
}

#[test]
fn what_comes_back_of_a_record_that_is_still_to_be_sent_is_taken_in() {
    for last in 1..=4 {
        let (mut cloud, mut ada, mut ben) = two_with(3);
        edit(&mut ben, 1, "phone", "2", 7);
        cloud.sync(&mut ben);
        // Ada reads past the edit while its row is gone, and is about to take in that it was lost. She goes down before one of her
        // commits, and the row is back.
        let whole = cloud.store.clone();
        cloud.store.damage_rows(&people(), [rec(1)].iter());
        let opening = Opening { grants_audit: true, ..ada.opening(AccountId::new("ada").unwrap(), vec![people()]) };
        let (mut session, mut commits) = (DeviceSession::open(opening, &entropy(7)), 0);
        let stop = |output: &Output| {
            commits += u32::from(matches!(output, Output::Commit(_)));
            commits == last
        };
        peer::drive(&mut ada, &mut session, |frame| Some(cloud.answer(frame)), stop);
        cloud.store = whole;
        for _ in 0..2 {
            cloud.sync_as(&mut ada, |opening| Opening { grants_audit: true, ..opening }).unwrap();
            cloud.sync(&mut ben);
        }
        assert_eq!(digest(&ada, 1), digest(&ben, 1), "before commit {last}");
        assert_eq!((cloud.sync(&mut ada).requests, cloud.sync(&mut ben).requests), (1, 1));
    }
}

#[test]
fn a_question_that_gave_way_to_one_of_this_device_is_asked_again() {
    let (mut cloud, mut ada, _) = two_with(6);
    for n in 0..6 {
        clear(&mut ada, n, "town");
    }
    let report = cloud.sync(&mut ada);
    assert_eq!(report.collections[0].held_there.len(), 6, "{report}");
    let many = (0..5).map(rec).collect();
    ada.write(&Write::delete_many(people(), many, Cause::User), at(9)).unwrap();
    answer(&mut ada, Verdict::Keep);
    for _ in 0..2 {
        cloud.sync(&mut ada);
        answer(&mut ada, Verdict::Keep);
    }
    cloud.sync(&mut ada);
    let open = cloud.store.read(&ReadSet::head(people())).unwrap().head.hold.open;
    assert_eq!((open, ada.hold(&people()).unwrap()), (0, None), "the server asks, and nobody can answer");
    assert_eq!(cloud.sync(&mut ada).requests, 1);
}

#[test]
fn an_answer_given_while_a_server_is_repaired_is_told_again() {
    let (mut cloud, mut ada, mut ben) = two_with(6);
    for n in 0..6 {
        clear(&mut ben, n, "town");
    }
    cloud.sync(&mut ben);
    cloud.store.restored();
    cloud.sync(&mut ada);
    answer(&mut ada, Verdict::Consent);
    cloud.sync(&mut ada);
    cloud.sync(&mut ada);
    let open = cloud.store.read(&ReadSet::head(people())).unwrap().head.hold.open;
    assert_eq!(open, 0, "the answer was not taken, and is not told again");
}

#[test]
fn an_answer_that_travels_removes_nothing_while_a_loss_is_repaired() {
    let (mut cloud, mut ada, mut ben) = two_with(2);
    for n in 0..2 {
        delete(&mut ada, n);
    }
    cloud.sync(&mut ada);
    cloud.sync(&mut ben);
    assert_eq!(living(&ben), 2);
    cloud.store = holdfast::MemoryStore::server();
    cloud.sync(&mut ada);
    answer(&mut ada, Verdict::Consent);
    cloud.sync(&mut ada);
    let report = cloud.sync(&mut ben);
    assert_eq!(report.collections[0].continuity, Some(Continuity::Lost(ServerLoss::Emptied)));
    assert_eq!(living(&ben), 2, "hidden in the very round in which the server had lost everything");
    cloud.sync(&mut ben);
    assert_eq!(living(&ben), 0);
}

#[test]
fn what_a_lost_server_showed_and_nobody_has_judged_reaches_the_next_one() {
    // The next one is empty, or has been filled by somebody with the very row that Ada shows.
    for is_filled in [false, true] {
        let (mut cloud, mut ada, mut ben) = two_with(4);
        let mut dave = phone(4);
        cloud.sync(&mut dave);
        clear(&mut ben, 1, "town");
        cloud.sync(&mut ben);
        // The first server is lost. Ada stages Ben's change, as all that takes something away in such a round.
        cloud.store = holdfast::MemoryStore::server();
        cloud.sync(&mut ben);
        cloud.sync(&mut ada);
        ben.leave(&people()).unwrap();
        let shown = |phone: &Phone| phone.row(&people(), &rec(1)).unwrap().unwrap().version.record().fields().len();
        assert_eq!(shown(&ada), 3, "it waits");
        // The second one, too: only Ada has the change, and does not show it yet.
        cloud.store = holdfast::MemoryStore::server();
        if is_filled {
            cloud.sync(&mut dave);
        }
        cloud.sync(&mut ada);
        let mut carl = phone(3);
        cloud.sync(&mut carl);
        assert_eq!(shown(&carl), 2, "filled {is_filled}: the only copy of an edit stayed behind");
        cloud.sync(&mut ada);
        assert_eq!(digest(&ada, 1), digest(&carl, 1));
    }
}

#[test]
fn what_a_server_did_not_take_is_sent_to_the_one_that_comes_after_it() {
    // The session ends after its patch did not fit, or after it looked at what is left of the record there, or whether it is listed.
    for replies in 2..=4 {
        let (mut cloud, mut ada, mut ben) = two_with(4);
        let copy = cloud.store.clone();
        cloud.store.damage_rows(&people(), [rec(1)].iter());
        edit(&mut ben, 1, "phone", "2", 7);
        cloud.sync_cut(&mut ben, replies);
        // What it has lost is claimed before that counts as an answer.
        assert!(ben.row(&people(), &rec(1)).unwrap().unwrap().is_pending);
        cloud.store = copy;
        for _ in 0..2 {
            cloud.sync(&mut ben);
            cloud.sync(&mut ada);
        }
        assert_eq!(digest(&ada, 1), digest(&ben, 1));
    }
}

#[test]
fn what_is_too_large_is_not_sent_and_not_taken_for_sent_before_any_server_is_known() {
    let (mut cloud, mut ada) = (Cloud::new(), phone(1));
    create(&mut ada, 0, &[("name", &"x".repeat(5_000))]);
    cloud.limits.record.max_bytes = 1_000;
    let limits = cloud.limits;
    cloud.sync_as(&mut ada, |opening| Opening { limits, ..opening }).unwrap();
    assert_eq!(ada.failed(&people()).unwrap().len(), 1);
    assert!(ada.leave(&people()).is_err(), "the only copy would be gone");
    // And it is looked at once, not in every session.
    let before = ada.store().read(&ReadSet::head(people())).unwrap().head.revision;
    cloud.sync_as(&mut ada, |opening| Opening { limits, ..opening }).unwrap();
    assert_eq!(ada.store().read(&ReadSet::head(people())).unwrap().head.revision, before);
}

#[test]
fn a_loss_that_an_edit_shows_is_claimed_by_the_next_session_if_this_one_ends() {
    for replies in 2..=4 {
        let (mut cloud, mut ada, mut ben) = two_with(4);
        cloud.store.damage_rows(&people(), [rec(1)].iter());
        edit(&mut ben, 1, "phone", "2", 7);
        let report = cloud.sync_cut(&mut ben, replies);
        assert_eq!(report.collections[0].continuity, Some(Continuity::Intact), "{report}");
        ada.leave(&people()).unwrap();
        let report = cloud.sync(&mut ben);
        assert_eq!(report.collections[0].continuity, Some(Continuity::Lost(ServerLoss::PartialLoss)), "{report}");
        cloud.sync(&mut ada);
        assert_eq!(digest(&ada, 1), digest(&ben, 1));
    }
}

#[test]
fn what_was_staged_in_an_earlier_session_counts_as_sent_only_when_the_server_says_so_again() {
    let (mut cloud, mut ada, mut ben) = two_with(4);
    let mut carl = phone(3);
    cloud.sync(&mut carl);
    delete(&mut ben, 1);
    cloud.store = holdfast::MemoryStore::server();
    cloud.sync(&mut ben);
    cloud.sync(&mut ada);
    assert_eq!(living(&ada), 4, "it waits");
    cloud.store.damage_rows(&people(), [rec(1)].iter());
    // Carl brings the record back as it was; Ada judges the delete that she has staged.
    cloud.sync(&mut carl);
    cloud.sync(&mut ada);
    assert_eq!(living(&ada), 3);
    cloud.sync(&mut ada);
    let row = cloud.store.read(&ReadSet::head(people()).with_records([rec(1)])).unwrap().rows.remove(&rec(1)).unwrap();
    assert!(!row.version.is_alive(), "the delete counted as sent, and the server had lost it");
}
