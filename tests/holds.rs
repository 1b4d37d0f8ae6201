//! A hold at the server, through sessions: every device is told, any of them answers, once, and exactly what was asked.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test may stop"
)]

#[allow(dead_code, reason = "each test file uses a part")]
#[path = "conversation/world.rs"]
mod world;

use std::convert::Infallible;

use holdfast::{
    Cause, DeviceSession, MemoryStore, Opening, RecordId, Trust, Write,
    act::store::Store,
    compose::device::WriteFailed,
    decide::{
        answer::AnswerError,
        consent::Verdict,
        line::{LineKind, OpenHold},
        slice::ReadSet,
    },
    talk::limits::WireLimits,
    values::digest::Digest,
};
use world::*;

const RECORDS: usize = 20;
const FLOOD: usize = 14;
const ORDERS: [[usize; 3]; 6] = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
const ADA: usize = 0;
const BEN: usize = 1;
const CARL: usize = 2;

struct Family {
    cloud: Cloud,
    phones: Vec<Phone>,
}

fn alive(store: &MemoryStore) -> Vec<RecordId> {
    rows(store).into_iter().filter(|row| row.version.is_alive()).map(|row| row.record).collect()
}

fn open_at(store: &MemoryStore) -> Option<OpenHold> {
    store.read(&ReadSet::head(people())).unwrap().head.hold.shown()
}

impl Family {
    fn synced() -> Self {
        let mut family = Self { cloud: Cloud::new(), phones: vec![phone(1), phone(2), phone(3)] };
        for n in 0..RECORDS {
            create(&mut family.phones[ADA], n, &[("name", &format!("n{n}")), ("phone", "1"), ("town", "Kiel")]);
        }
        (0..3).for_each(|phone| family.sync(phone));
        family
    }

    /// Ada has deleted fourteen of twenty, one by one, and the server holds them. Nobody else has heard of it.
    fn flooded() -> Self {
        let mut family = Self::synced();
        (0..FLOOD).for_each(|n| delete(&mut family.phones[ADA], n));
        family
    }

    fn sync(&mut self, phone: usize) {
        let report = self.cloud.sync(&mut self.phones[phone]);
        assert!(report.is_complete(), "{report}");
    }

    fn rounds(&mut self, order: [usize; 3]) {
        (0..2).for_each(|_| order.into_iter().for_each(|phone| self.sync(phone)));
    }

    /// All have heard of the question.
    fn told() -> Self {
        let mut family = Self::flooded();
        (0..3).for_each(|phone| family.sync(phone));
        family
    }

    fn digest(&self, phone: usize) -> Digest {
        self.phones[phone].hold(&people()).unwrap().unwrap().digest
    }

    fn answer(&mut self, phone: usize, verdict: Verdict) {
        let digest = self.digest(phone);
        self.answer_to(phone, verdict, digest).unwrap();
    }

    fn answer_to(&mut self, phone: usize, verdict: Verdict, digest: Digest) -> Result<(), WriteFailed<Infallible>> {
        let who = format!("person {phone}");
        let phone = &mut self.phones[phone];
        match verdict {
            Verdict::Consent => phone.consent(&people(), digest, who, at(30)),
            Verdict::Keep => phone.keep(&people(), digest, who, at(30)),
        }
        .map(drop)
    }

    fn asked(&self, phone: usize) -> Vec<RecordId> {
        let hold = self.phones[phone].hold(&people()).unwrap();
        hold.map_or_else(Vec::new, |hold| hold.open().map(|line| line.record.clone()).collect())
    }

    /// Nobody asks anything, and all show the same.
    #[track_caller]
    fn is_settled(&self, shown: &[RecordId], case: &str) {
        assert_eq!((open_at(&self.cloud.store), alive(&self.cloud.store)), (None, shown.to_vec()), "{case}: server");
        for (place, phone) in self.phones.iter().enumerate() {
            assert_eq!((self.asked(place), alive(phone.store())), (vec![], shown.to_vec()), "{case}: {place}");
        }
    }
}

fn flood() -> Vec<RecordId> {
    (0..FLOOD).map(rec).collect()
}

fn rest() -> Vec<RecordId> {
    (FLOOD..RECORDS).map(rec).collect()
}

fn all() -> Vec<RecordId> {
    (0..RECORDS).map(rec).collect()
}

/// What the phone that made the change shows is the change: there, keep is no standstill.
#[test]
fn the_phone_that_made_the_change_is_told_that_keep_takes_it_back() {
    let mut family = Family::flooded();
    (0..2).for_each(|phone| family.sync(phone));
    let said = |phone: &Phone| phone.hold(&people()).unwrap().unwrap().to_string();
    let (made, heard) = (said(&family.phones[ADA]), said(&family.phones[BEN]));
    assert!(made.contains(": 14 records wait for an answer; changed here, and held by the other side"), "{made}");
    assert!(made.contains("keep:    all is as before the change "), "{made}");
    assert!(heard.contains(": 14 of 20 records wait for an answer; held here, and shown as before"), "{heard}");
    assert!(heard.contains("keep:    everything stays as it is shown "), "{heard}");

    let before = [ADA, BEN].map(|phone| alive(family.phones[phone].store()));
    [ADA, BEN].into_iter().for_each(|phone| family.answer(phone, Verdict::Keep));
    assert_eq!(before, [rest(), all()]);
    assert_eq!([ADA, BEN].map(|phone| alive(family.phones[phone].store())), [all(), all()]);
}

#[test]
fn every_device_is_told_of_the_question_and_its_digest_in_one_session() {
    let mut family = Family::flooded();
    for phone in 0..3 {
        let report = family.cloud.sync(&mut family.phones[phone]);
        let hold = open_at(&family.cloud.store).unwrap();
        assert_eq!((report.collections[0].hold_there, hold.open), (Some(hold), 14), "{report}");
        let text = report.to_string();
        assert!(text.contains("14 changes wait there for an answer, given once on any device"), "{text}");
        assert!(
            text.contains(&format!("(keep {})", hold.digest)) && text.contains(&format!("(consent {})", hold.digest))
        );
        assert_eq!(family.asked(phone), flood());
        assert_eq!(alive(family.phones[phone].store()), if phone == ADA { rest() } else { all() });
    }
    // And told again each time, in a round that is quiet otherwise.
    for phone in 0..3 {
        let before = serde_json::to_string(family.phones[phone].store()).unwrap();
        let report = family.cloud.sync(&mut family.phones[phone]);
        assert_eq!((report.requests, report.collections[0].hold_there), (1, open_at(&family.cloud.store)));
        assert_eq!(serde_json::to_string(family.phones[phone].store()).unwrap(), before);
    }
}

#[test]
fn one_answer_of_any_device_settles_it_in_every_order() {
    for answering in 0..3 {
        for verdict in [Verdict::Consent, Verdict::Keep] {
            for order in ORDERS {
                let mut family = Family::told();
                family.answer(answering, verdict);
                family.sync(answering);
                assert_eq!(open_at(&family.cloud.store), None, "the server is answered by the session that carries it");
                family.rounds(order);
                let shown = if verdict == Verdict::Consent { rest() } else { all() };
                let case = format!("{answering} {verdict:?} {order:?}");
                family.is_settled(&shown, &case);
                for phone in order {
                    assert_eq!(family.cloud.sync(&mut family.phones[phone]).collections[0].hold_there, None, "{case}");
                }
            }
        }
    }
}

#[test]
fn a_consent_releases_what_it_names_and_nothing_that_came_later() {
    let mut family = Family::told();
    let digest = family.digest(CARL);
    // More is held meanwhile, and Carl has heard of it, too.
    (15..18).for_each(|n| delete(&mut family.phones[BEN], n));
    family.sync(BEN);
    family.sync(CARL);
    assert_eq!((open_at(&family.cloud.store).unwrap().open, family.asked(CARL).len()), (17, 17));
    family.answer_to(CARL, Verdict::Consent, digest).unwrap();
    let report = family.cloud.sync(&mut family.phones[CARL]);
    assert_eq!(report.collections[0].hold_there, open_at(&family.cloud.store), "{report}");
    let later: Vec<RecordId> = (15..18).map(rec).collect();
    assert_eq!((open_at(&family.cloud.store).unwrap().open, alive(&family.cloud.store)), (3, rest()));
    family.rounds([0, 1, 2]);
    for phone in 0..3 {
        assert_eq!(family.asked(phone), later);
    }
    assert_eq!(alive(family.phones[CARL].store()), rest());
    family.answer(ADA, Verdict::Keep);
    family.sync(ADA);
    family.rounds([0, 1, 2]);
    family.is_settled(&rest(), "kept");
}

#[test]
fn where_one_consents_and_another_keeps_keep_wins() {
    for order in ORDERS {
        for (consenting, keeping) in [(BEN, CARL), (CARL, BEN), (ADA, BEN), (BEN, ADA)] {
            let mut family = Family::told();
            family.answer(consenting, Verdict::Consent);
            family.answer(keeping, Verdict::Keep);
            family.rounds(order);
            family.is_settled(&all(), &format!("{order:?} {consenting} {keeping}"));
        }
    }
}

#[test]
fn a_new_write_on_a_held_record_strikes_its_line_and_no_other() {
    for writing in [BEN, CARL] {
        for answering in 0..3 {
            for order in ORDERS {
                let mut family = Family::told();
                edit(&mut family.phones[writing], 3, "phone", "2", 9);
                family.sync(writing);
                let but: Vec<RecordId> = flood().into_iter().filter(|record| *record != rec(3)).collect();
                assert_eq!(open_at(&family.cloud.store).unwrap().open, 13);
                assert_eq!(family.asked(writing), but);
                // Who answers may not have heard of it.
                family.answer(answering, Verdict::Consent);
                family.rounds(order);
                let shown: Vec<RecordId> = [rec(3)].into_iter().chain(rest()).collect();
                family.is_settled(&shown, &format!("{writing} {answering} {order:?}"));
            }
        }
    }
}

#[test]
fn a_hold_outlives_its_server_and_is_asked_once() {
    for (is_wiped, has_heard) in [(true, true), (true, false), (false, true), (false, false)] {
        for order in ORDERS {
            for verdict in [Verdict::Consent, Verdict::Keep] {
                let mut family = Family::flooded();
                let backup = family.cloud.store.clone();
                let phones = if has_heard { 3 } else { 1 };
                (0..phones).for_each(|phone| family.sync(phone));
                family.cloud.store = if is_wiped { MemoryStore::server() } else { backup };
                let case = format!("wiped {is_wiped}, heard {has_heard}, {order:?}, {verdict:?}");
                family.rounds(order);
                assert_eq!(open_at(&family.cloud.store).map(|hold| hold.open), Some(14), "{case}");
                assert_eq!(alive(&family.cloud.store), all(), "{case}");
                for phone in 0..3 {
                    assert_eq!(family.asked(phone), flood(), "{case}: {phone}");
                }
                family.answer(CARL, verdict);
                family.sync(CARL);
                family.rounds(order);
                family.is_settled(&if verdict == Verdict::Consent { rest() } else { all() }, &case);
            }
        }
    }
}

/// The answer is on a device, and the server that asked is gone.
#[test]
fn a_question_of_which_a_row_is_lost_in_silence_is_asked_once() {
    for (verdict, shown) in [(Verdict::Keep, all()), (Verdict::Consent, rest())] {
        for back in [false, true] {
            let (mut family, gone) = (Family::told(), flood()[3].clone());
            if back {
                // It is as it was before the flood: alive, and nothing is asked.
                family.cloud.store = set_back(&family.cloud.store, &Family::synced().cloud.store, gone.as_str());
            } else {
                family.cloud.store.damage_rows(&people(), [gone].iter());
            }
            for _ in 0..2 {
                for phone in &mut family.phones {
                    family.cloud.sync_as(phone, |opening| Opening { grants_audit: true, ..opening }).unwrap();
                }
            }
            let asked = u64::try_from(family.asked(2).len()).unwrap();
            assert_eq!(open_at(&family.cloud.store).map(|hold| hold.open), Some(asked), "back {back}");
            family.answer(2, verdict);
            family.rounds([2, 1, 0]);
            family.is_settled(&shown, &format!("{verdict:?}, back {back}"));
        }
    }
}

#[test]
fn an_answer_that_was_not_sent_before_the_loss_still_settles_it() {
    for is_wiped in [true, false] {
        for order in ORDERS {
            let mut family = Family::told();
            let backup = family.cloud.store.clone();
            edit(&mut family.phones[BEN], 19, "phone", "2", 8);
            family.sync(BEN);
            family.answer(CARL, Verdict::Keep);
            family.cloud.store = if is_wiped { MemoryStore::server() } else { backup };
            family.rounds(order);
            family.is_settled(&all(), &format!("wiped {is_wiped} {order:?}"));
        }
    }
}

/// The answer was taken by a server that then goes back to when it still asked.
#[test]
fn what_was_answered_before_the_loss_is_not_asked_again() {
    for order in ORDERS {
        for verdict in [Verdict::Consent, Verdict::Keep] {
            for is_wiped in [true, false] {
                let mut family = Family::told();
                let backup = family.cloud.store.clone();
                family.answer(CARL, verdict);
                family.sync(CARL);
                family.rounds([0, 1, 2]);
                family.cloud.store = if is_wiped { MemoryStore::server() } else { backup };
                family.rounds(order);
                let shown = if verdict == Verdict::Consent { rest() } else { all() };
                family.is_settled(&shown, &format!("{order:?} {verdict:?} wiped {is_wiped}"));
            }
        }
    }
}

#[test]
fn a_travelling_consent_is_worth_what_the_hosts_trust_is() {
    for (trust, is_released) in [(Trust::Account, true), (Trust::Signed, true), (Trust::Nothing, false)] {
        let mut family = Family::told();
        family.cloud.trust = trust;
        family.answer(CARL, Verdict::Consent);
        family.sync(CARL);
        assert_eq!(open_at(&family.cloud.store).is_none(), is_released, "{trust:?}");
        assert_eq!(alive(&family.cloud.store), if is_released { rest() } else { all() }, "{trust:?}");
        // A keep needs nobody's trust: it is a write.
        family.answer(BEN, Verdict::Keep);
        family.rounds([1, 2, 0]);
        family.is_settled(&all(), &format!("{trust:?}"));
    }
}

#[test]
fn devices_that_trust_nothing_ask_their_own_person() {
    let mut family = Family::told();
    family.answer(CARL, Verdict::Consent);
    let mistrusting = |opening| Opening { trust: Trust::Nothing, ..opening };
    for phone in [CARL, BEN, ADA] {
        family.cloud.sync_as(&mut family.phones[phone], mistrusting).unwrap();
    }
    assert_eq!(open_at(&family.cloud.store), None);
    assert_eq!((family.asked(BEN), alive(family.phones[BEN].store())), (flood(), all()));
    family.answer(BEN, Verdict::Consent);
    for phone in [BEN, ADA, CARL, BEN, ADA] {
        family.cloud.sync_as(&mut family.phones[phone], mistrusting).unwrap();
    }
    family.is_settled(&rest(), "each answered");
}

#[test]
fn who_joins_later_sees_the_question_and_can_answer_it() {
    for verdict in [Verdict::Consent, Verdict::Keep] {
        let mut family = Family::told();
        family.phones.push(phone(4));
        let report = family.cloud.sync(&mut family.phones[3]);
        assert_eq!(report.collections[0].hold_there, open_at(&family.cloud.store));
        assert_eq!((family.asked(3), alive(family.phones[3].store())), (flood(), all()));
        family.answer(3, verdict);
        family.sync(3);
        family.rounds([0, 1, 2]);
        family.is_settled(&if verdict == Verdict::Consent { rest() } else { all() }, &format!("{verdict:?}"));
    }
}

/// All frames of a session, in order.
fn recorded(cloud: &mut Cloud, phone: &mut Phone) -> Vec<Vec<u8>> {
    let mut frames = Vec::new();
    cloud.draws += 1;
    let opening = phone.opening(holdfast::AccountId::new("ada").unwrap(), vec![people()]);
    let mut session = DeviceSession::open(opening, &entropy(cloud.draws));
    let report = phone.converse(&mut session, |frame| {
        frames.push(frame.to_vec());
        Ok::<_, Infallible>(cloud.answer(frame))
    });
    assert!(report.unwrap().is_complete());
    frames
}

#[test]
fn an_answer_that_is_sent_again_does_nothing_more() {
    for (first, second) in [(Verdict::Consent, Verdict::Keep), (Verdict::Keep, Verdict::Consent)] {
        let mut family = Family::told();
        family.answer(CARL, first);
        let frames = recorded(&mut family.cloud, &mut family.phones[CARL]);
        let settled = rows(&family.cloud.store);
        for frame in &frames {
            family.cloud.answer(frame);
        }
        assert_eq!(rows(&family.cloud.store), settled, "{first:?}, again at once");
        // What became of it since stands: the same records are lost once more, and asked about anew.
        family.rounds([0, 1, 2]);
        if first == Verdict::Consent {
            for n in 0..FLOOD {
                create(&mut family.phones[BEN], n, &[("name", "again"), ("phone", "1"), ("town", "Kiel")]);
            }
            family.rounds([1, 0, 2]);
        }
        (0..FLOOD).for_each(|n| delete(&mut family.phones[ADA], n));
        family.sync(ADA);
        let asked = (open_at(&family.cloud.store), rows(&family.cloud.store));
        assert_eq!(asked.0.unwrap().open, 14, "{first:?}");
        for frame in &frames {
            family.cloud.answer(frame);
        }
        assert_eq!((open_at(&family.cloud.store), rows(&family.cloud.store)), asked, "{first:?}, late");
        family.rounds([0, 1, 2]);
        family.answer(BEN, second);
        family.rounds([1, 2, 0]);
        family.is_settled(&if second == Verdict::Consent { rest() } else { all() }, &format!("{second:?}"));
    }
}

#[test]
fn the_digest_that_the_server_reports_answers_exactly_what_the_server_holds() {
    for verdict in [Verdict::Consent, Verdict::Keep] {
        let mut family = Family::flooded();
        family.sync(ADA);
        // Ben is asked about something of his own, too, and first.
        family.phones[BEN]
            .write(&Write::delete_many(people(), (14..19).map(rec).collect(), Cause::User), at(8))
            .unwrap();
        let there = family.cloud.sync(&mut family.phones[BEN]).collections[0].hold_there.unwrap();
        assert_ne!(there.digest, family.digest(BEN), "each has its own list");
        assert_eq!(family.asked(BEN).len(), 19);
        family.answer_to(BEN, verdict, there.digest).unwrap();
        let hold = family.phones[BEN].hold(&people()).unwrap().unwrap();
        let open: Vec<_> = hold.open().map(|line| (line.record.clone(), line.kind)).collect();
        assert_eq!(open, (14..19).map(|n| (rec(n), LineKind::Proposal)).collect::<Vec<_>>());
        family.sync(BEN);
        assert_eq!(open_at(&family.cloud.store), None);
        family.rounds([0, 2, 1]);
        assert_eq!(alive(&family.cloud.store), if verdict == Verdict::Consent { rest() } else { all() });
        // It was one answer.
        let again = family.answer_to(BEN, verdict, there.digest);
        assert!(matches!(again, Err(WriteFailed::Answer(AnswerError::Unknown { .. }))), "{again:?}");
    }
}

/// Ben has an own list, so that his digests are others, and knows the server's hold under `there`.
fn with_two_lists() -> (Family, OpenHold) {
    let mut family = Family::flooded();
    delete(&mut family.phones[CARL], 19);
    family.sync(CARL);
    family.sync(BEN);
    family.sync(ADA);
    family.phones[BEN].write(&Write::delete_many(people(), (14..19).map(rec).collect(), Cause::User), at(8)).unwrap();
    let there = family.cloud.sync(&mut family.phones[BEN]).collections[0].hold_there.unwrap();
    (family, there)
}

#[test]
fn the_servers_digest_answers_nothing_that_was_lost_here_before() {
    let (mut family, there) = with_two_lists();
    let lost = |family: &Family| family.phones[BEN].row(&people(), &rec(19)).unwrap().unwrap().lost;
    assert!(lost(&family).is_some());
    family.answer_to(BEN, Verdict::Consent, there.digest).unwrap();
    assert!(lost(&family).is_some(), "the server's question does not list it");
}

#[test]
fn a_digest_that_the_server_reported_once_is_none_when_more_is_held() {
    let (mut family, there) = with_two_lists();
    let unknown = |family: &mut Family| {
        let before = serde_json::to_string(family.phones[BEN].store()).unwrap();
        let answered = family.answer_to(BEN, Verdict::Consent, there.digest);
        assert!(matches!(answered, Err(WriteFailed::Answer(AnswerError::Unknown { .. }))), "{answered:?}");
        assert_eq!(serde_json::to_string(family.phones[BEN].store()).unwrap(), before);
    };
    (16..19).for_each(|n| delete(&mut family.phones[CARL], n));
    family.sync(CARL);
    // A session that ends in the middle of a reading has some of the new lines, and no word that they are all.
    let limits = holdfast::talk::limits::WireLimits { page_bytes: 1, ..Default::default() };
    let cut = |opening| Opening { limits, max_requests: 2, ..opening };
    let report = family.cloud.sync_as(&mut family.phones[BEN], cut).unwrap();
    assert!(!report.is_complete());
    unknown(&mut family);
    let now = open_at(&family.cloud.store).unwrap();
    assert!(family.answer_to(BEN, Verdict::Consent, now.digest).is_err(), "some of its lines are not here");
    family.sync(BEN);
    unknown(&mut family);
    let now = open_at(&family.cloud.store).unwrap();
    assert_eq!((now.open, family.cloud.sync(&mut family.phones[BEN]).collections[0].hold_there), (17, Some(now)));
    family.answer_to(BEN, Verdict::Consent, now.digest).unwrap();
    // One record has one question: what Ben himself proposed about it stays his own.
    assert!(family.asked(BEN).iter().all(|record| !flood().contains(record)));
}

/// The rest of it would pass as deletes that are few enough, beside the questions.
#[test]
fn a_question_of_which_a_device_has_heard_a_part_is_asked_whole_after_a_loss() {
    for budget in 5..12 {
        let mut family = Family::flooded();
        let early = family.cloud.store.clone();
        let limits = WireLimits { page_bytes: 800, ..family.cloud.limits };
        family.cloud.limits = limits;
        let short = |opening| Opening { max_requests: budget, limits, ..opening };
        family.cloud.sync_as(&mut family.phones[ADA], short).unwrap();
        assert_eq!(open_at(&family.cloud.store).unwrap().open, 14, "{budget}");
        assert!(!family.asked(ADA).is_empty(), "{budget}");
        family.cloud.store = early;
        family.sync(ADA);
        assert_eq!(alive(&family.cloud.store), all(), "{budget}: heard of {:?}", family.asked(ADA));
        assert_eq!(open_at(&family.cloud.store).unwrap().open, 14, "{budget}");
        family.rounds([ADA, BEN, CARL]);
        family.answer(BEN, Verdict::Keep);
        family.rounds([BEN, CARL, ADA]);
        family.is_settled(&all(), "kept");
    }
}
