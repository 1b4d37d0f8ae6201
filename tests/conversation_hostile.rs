//! Peers that lie, and bytes that are nothing: no panic, nothing lost on the honest side, and nobody else pays.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may stop")]
#![allow(clippy::arithmetic_side_effects, reason = "a test that overflows has failed")]

#[allow(dead_code, reason = "each test file uses a part")]
#[path = "conversation/world.rs"]
mod world;
#[allow(dead_code, reason = "each test file uses a part")]
#[path = "conversation/peer.rs"]
mod peer;

use holdfast::{
    compose::{converse::ServeFailed, device_session::Output},
    decide::{
        continuity::{Claim, Continuity, ServerLoss},
        line::Revision,
        offer::Offer,
        position::{FeedCursor, Issued, Position, Tag},
        refusal::Refusal,
    },
    talk::{
        frame::{ReplyFrame, RequestFrame},
        message::{Reply, Request, Taken},
        offer::SentOffer,
        session::SessionError,
    },
    values::{
        digest::Digest,
        entropy::{Entropy, EntropyError},
        id::Lineage,
    },
    *,
};
use peer::*;
use proptest::prelude::*;
use world::*;

#[track_caller]
fn refusal(reply: Reply) -> Refusal {
    match reply {
        Reply::Taken { mut except, .. } => match except.remove(0) {
            (0, Taken::Refused(refusal)) => refusal,
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_device_authors_only_under_its_own_id() {
    let (mut cloud, ada, ben) = synced();
    let eve = phone(66);
    // A write under Ada's id that Ada never made.
    let mut forger = Device::new(ada.store().clone(), ada.replica(), Guard::default());
    edit(&mut forger, 3, "phone", "666", 9);
    let found = refusal(ask(&mut cloud, eve.replica(), push(known(&ben), 5, vec![offer(&forger, 3)])));
    assert!(matches!(found, Refusal::ForeignDots { replica, .. } if replica == ada.replica()), "{found}");
    // A record of its own that claims to have seen what Ada will write.
    let mut liar = Device::new(ben.store().clone(), eve.replica(), Guard::default());
    for turn in 0..40 {
        edit(&mut forger, 4, "phone", &format!("{turn}"), 9);
    }
    let offers = vec![Offer::of(&forger.row(&people(), &rec(4)).unwrap().unwrap())];
    let changes = decide::changes::Changes { from: ada.replica(), collection: people(), offers, upto: None };
    liar.take_in(changes, &Inputs::new(RoundId(5), Trust::Nothing)).unwrap();
    edit(&mut liar, 4, "phone", "mine", 10);
    let found = refusal(ask(&mut cloud, eve.replica(), push(known(&ben), 500, vec![offer(&liar, 4)])));
    assert!(matches!(found, Refusal::ForeignDots { replica, .. } if replica == ada.replica()), "{found}");
    let stored = saved(&cloud.store);
    assert!(!stored.contains("666") && !stored.contains("mine"));
}

#[test]
fn another_content_under_a_write_that_is_held_is_refused() {
    let (mut cloud, mut ada, ben) = synced();
    // Two writes of Ada under one counter: one is held, the other is sent by a device that says it got it from her.
    let mut twin = Device::new(ada.store().clone(), ada.replica(), Guard::default());
    edit(&mut ada, 3, "phone", "2", 7);
    edit(&mut twin, 3, "phone", "3", 8);
    cloud.sync(&mut ada);
    let row = twin.row(&people(), &rec(3)).unwrap().unwrap();
    let sent = SentOffer::of(Offer::of(&row), None);
    let found = refusal(ask(&mut cloud, ben.replica(), push(known(&ben), 5, vec![sent])));
    assert!(matches!(found, Refusal::Equivocation { .. } | Refusal::Forged { .. }), "{found}");
}

#[test]
fn an_own_write_does_not_bring_another_content_of_somebody_elses_along() {
    let (mut cloud, mut ada, ben) = synced();
    let mut twin = Device::new(ada.store().clone(), ada.replica(), Guard::default());
    edit(&mut ada, 3, "phone", "2", 7);
    edit(&mut twin, 3, "phone", "3", 7);
    cloud.sync(&mut ada);
    let mut liar = Device::new(MemoryStore::device(), ben.replica(), Guard::default());
    let forged = twin.pending(&people(), 100).unwrap();
    liar.take_in(forged, &Inputs::new(RoundId(1), Trust::Account)).unwrap();
    edit(&mut liar, 3, "town", "Rom", 9);
    let counter = head(liar.store()).counter;
    let found = refusal(ask(&mut cloud, ben.replica(), push(known(&ben), counter, vec![offer(&liar, 3)])));
    assert!(matches!(found, Refusal::Forged { replica, .. } if replica == ada.replica()), "{found}");
}

/// The same in a patch: made on exactly what the server has, it brings another content under a write that stands there.
#[test]
fn a_patch_does_not_bring_another_content_of_somebody_elses_along() {
    let (mut cloud, mut ada, mut ben) = synced();
    let mut twin = Device::new(ada.store().clone(), ada.replica(), Guard::default());
    edit(&mut ada, 3, "phone", "2", 7);
    edit(&mut twin, 3, "phone", "3", 7);
    cloud.sync(&mut ada);
    cloud.sync(&mut ben);
    let base = ben.row(&people(), &rec(3)).unwrap().unwrap().version;
    let mut liar = Device::new(MemoryStore::device(), ben.replica(), Guard::default());
    let forged = twin.pending(&people(), 100).unwrap();
    liar.take_in(forged, &Inputs::new(RoundId(1), Trust::Account)).unwrap();
    edit(&mut liar, 3, "town", "Rom", 9);
    let row = liar.row(&people(), &rec(3)).unwrap().unwrap();
    let sent = SentOffer::of(Offer::of(&row), Some(&base));
    assert!(matches!(sent.version, talk::offer::Sent::Patch(_)));
    let found = refusal(ask(&mut cloud, ben.replica(), push(known(&ben), head(liar.store()).counter, vec![sent])));
    assert!(matches!(found, Refusal::Forged { replica, .. } if replica == ada.replica()), "{found}");
}

#[test]
fn a_counter_that_can_not_be_is_refused() {
    let (mut cloud, _, ben) = synced();
    let mut far = ben.clone();
    edit(&mut far, 3, "phone", "2", 7);
    // The push says that it uses no counter, and it carries one.
    let found = refusal(ask(&mut cloud, ben.replica(), push(known(&ben), 0, vec![offer(&far, 3)])));
    assert!(matches!(found, Refusal::CounterAhead { limit: 0, found: 1, .. }), "{found}");
    // A push that claims all counters moves the server's notion of it by a bounded step.
    ask(&mut cloud, ben.replica(), push(known(&ben), u64::MAX, vec![]));
    let authored = head(&cloud.store).history.unwrap().authors[&ben.replica()].link.counter;
    assert!(authored <= 1 << 32, "{authored}");
}

#[test]
fn a_position_that_was_never_issued_costs_its_sender_and_nobody_else() {
    let (mut cloud, mut ada, ben) = synced();
    let lineage = head(&cloud.store).history.unwrap().lineage;
    let forged = |lineage, revision| {
        let position = Position { lineage, revision: Revision(revision), chain: Digest::from_bytes([9; 16]) };
        Claim { last: Issued { position, tag: Tag(Digest::from_bytes([8; 16])) }, older: vec![], missing: vec![rec(1)] }
    };
    for claim in [forged(lineage, 1_000), forged(Lineage::from_entropy(5).unwrap(), 3), forged(lineage, 1)] {
        let before = saved(&cloud.store);
        let reply = ask(&mut cloud, ben.replica(), Request::Prove { collection: people(), claim });
        assert!(matches!(reply, Reply::Judged { .. }), "{reply:?}");
        assert_eq!(saved(&cloud.store), before);
    }
    assert_eq!(cloud.sync(&mut ada).collections[0].continuity, Some(Continuity::Intact));
    assert_eq!(cloud.sync(&mut ada).requests, 1);
}

#[test]
fn a_request_that_comes_again_and_late_changes_nothing() {
    let (mut cloud, mut ada, mut ben) = synced();
    let mut frames = Vec::new();
    edit(&mut ada, 3, "phone", "2", 7);
    delete(&mut ada, 4);
    let mut session = open(&ada, 900);
    ada.converse(&mut session, |frame| {
        frames.push(frame.to_vec());
        Ok::<_, std::convert::Infallible>(cloud.answer(frame))
    })
    .unwrap();
    edit(&mut ben, 3, "phone", "3", 8);
    cloud.sync(&mut ben);
    cloud.sync(&mut ada);
    let rows = |cloud: &Cloud| rows_of(&cloud.store);
    let before = rows(&cloud);
    for frame in frames.iter().chain(frames.iter().rev()) {
        cloud.answer(frame);
    }
    assert_eq!(rows(&cloud), before);
    for phone in [&mut ada, &mut ben] {
        let report = cloud.sync(phone);
        assert_eq!(report.collections[0].continuity, Some(Continuity::Intact), "{report}");
    }
}

#[test]
fn a_reply_of_another_session_or_request_is_refused_and_the_right_one_still_fits() {
    let (mut cloud, ada, _) = synced();
    let (mut one, mut two) = (open(&ada, 901), open(&ada, 902));
    let (first, second) = (first_request(&ada, &mut one), first_request(&ada, &mut two));
    let (to_first, to_second) = (cloud.answer(&first), cloud.answer(&second));
    assert!(matches!(one.received(&to_second), Err(SessionError::OtherSession { .. })));
    let mut late = ReplyFrame::decode(&to_first, &LIMITS()).unwrap();
    late.step += 1;
    let late = late.encode(&LIMITS()).unwrap();
    assert!(matches!(one.received(&late), Err(SessionError::OtherStep { expected: 1, found: 2 })));
    assert!(matches!(one.poll(), Output::Send(frame) if frame == first));
    one.received(&to_first).unwrap();
    assert!(matches!(one.received(&to_first), Err(SessionError::Unasked)));
    assert!(matches!(one.poll(), Output::Done(report) if report.is_complete()));
}

fn news() -> Reply {
    Reply::Welcome { recognition: talk::message::Recognition::News, accepted: None, hold: None }
}

#[test]
fn pages_that_do_not_get_on_end_the_session() {
    let (_, mut ada, _) = synced();
    let now = head(ada.store()).server.unwrap().witness.unwrap().last;
    let cursor = head(ada.store()).server.unwrap().cursor;
    let same = Reply::Page {
        offers: vec![offer(&ada, 1)],
        next: cursor.clone(),
        is_more: true,
        now: Some(now),
        accepted: None,
        hold: None,
    };
    let empty = |n: usize| Reply::Page {
        accepted: None,
        hold: None,
        offers: vec![],
        next: FeedCursor { revision: Revision(cursor.revision.0 + u64::try_from(n).unwrap()), within: None },
        is_more: true,
        now: Some(Issued { position: Position { revision: Revision(u64::MAX), ..now.position }, ..now }),
    };
    let before = rows_of(ada.store());
    // A page may be empty, where all in it is more than the device takes; but not for ever.
    let endless: [(usize, &dyn Fn(usize) -> Reply); 2] = [(3, &|_| same.clone()), (20, &empty)];
    for (most, endless) in endless {
        let (asked, _) = lied_to(&mut ada, |n, _| vec![if n == 0 { news() } else { endless(n) }]);
        assert!(asked <= most, "{asked}");
    }
    assert_eq!(rows_of(ada.store()), before);
}

#[test]
fn a_server_that_wants_something_else_than_the_whole_of_a_record_ends_the_session() {
    // At once, or only when what it has staged is judged.
    for stages in [false, true] {
        let (mut cloud, mut ada, _) = synced();
        edit(&mut ada, 3, "phone", "2", 7);
        let mut session = open(&ada, 950);
        let mut asked = 0;
        let report = ada.converse::<std::convert::Infallible>(&mut session, |frame| {
            asked += 1;
            assert!(asked < 20, "it never ends");
            let request = RequestFrame::decode(frame, &LIMITS()).unwrap();
            let now = head(&cloud.store);
            let issued = cloud.key.issue(&cloud.account, &people(), now.history.unwrap().position(now.revision));
            let except = if stages { vec![(0, Taken::Staged)] } else { vec![(0, Taken::NeedWhole)] };
            let staged = if stages { vec![(rec(3), Taken::NeedWhole)] } else { vec![] };
            let taken = Reply::Taken { before: now.revision, now: issued, except, staged, hold: None };
            let replies = match request.requests.as_slice() {
                [Request::Push { .. }] => vec![taken],
                [Request::Push { .. }, _] => vec![taken, Reply::Audited(talk::message::Audited::Same)],
                _ => return Ok(cloud.answer(frame)),
            };
            let (session, step, from) = (request.session, request.step, ReplicaId::from_entropy(99).unwrap());
            let reply = ReplyFrame { session, step, from, replies, extra: talk::extra::Extra::default() };
            Ok(reply.encode(&LIMITS()).unwrap())
        });
        let report = report.unwrap();
        assert!(!report.is_complete(), "{report}");
        assert!(ada.row(&people(), &rec(3)).unwrap().unwrap().is_pending);
        // An honest one has it in the next session.
        assert!(cloud.sync(&mut ada).is_complete());
        assert!(!ada.row(&people(), &rec(3)).unwrap().unwrap().is_pending);
    }
}

#[test]
fn a_page_that_names_a_record_twice_ends_the_session() {
    let (mut cloud, mut ada, mut ben) = synced();
    edit(&mut ada, 3, "phone", "2", 7);
    cloud.sync(&mut ada);
    let base = ada.row(&people(), &rec(3)).unwrap().unwrap().version;
    edit(&mut ada, 3, "phone", "3", 8);
    let patch = SentOffer::of(Offer::of(&ada.row(&people(), &rec(3)).unwrap().unwrap()), Some(&base));
    let mut session = open(&ben, 950);
    let mut asked = 0;
    let report = ben.converse::<std::convert::Infallible>(&mut session, |frame| {
        asked += 1;
        assert!(asked < 20, "it never ends");
        let mut reply = ReplyFrame::decode(&cloud.answer(frame), &LIMITS()).unwrap();
        if let [Reply::Page { offers, .. }] = reply.replies.as_mut_slice() {
            *offers = vec![patch.clone(), patch.clone()];
        }
        Ok(reply.encode(&LIMITS()).unwrap())
    });
    assert!(!report.unwrap().is_complete());
    assert!(cloud.sync(&mut ben).is_complete());
}

#[test]
fn a_word_about_what_was_never_sent_acknowledges_nothing() {
    let (_, mut ada, _) = synced();
    edit(&mut ada, 3, "phone", "2", 7);
    edit(&mut ada, 5, "phone", "2", 7);
    let now = head(ada.store()).server.unwrap().witness.unwrap().last;
    let later =
        Issued { position: Position { revision: Revision(now.position.revision.0 + 1), ..now.position }, ..now };
    lied_to(&mut ada, |_, request| {
        let reply = |request: &Request| match request {
            Request::Greet { .. } => {
                Reply::Welcome { recognition: talk::message::Recognition::Same, accepted: None, hold: None }
            }
            Request::Push { .. } => Reply::Taken {
                before: now.position.revision,
                now: later,
                // Nothing of the push was taken, and something else was.
                except: vec![(0, Taken::Merged), (1, Taken::Merged), (7, Taken::Stored)],
                staged: vec![(rec(3), Taken::Stored), (rec(8), Taken::Stored)],
                hold: None,
            },
            Request::Audit { .. } => Reply::Audited(talk::message::Audited::Same),
            _ => Reply::Page {
                accepted: None,
                hold: None,
                offers: vec![],
                next: FeedCursor { revision: later.position.revision, within: None },
                is_more: false,
                now: Some(later),
            },
        };
        request.requests.iter().map(reply).collect()
    });
    let is_pending = |n| ada.row(&people(), &rec(n)).unwrap().unwrap().is_pending;
    assert!(is_pending(3) && is_pending(5));
}

#[test]
fn a_server_can_not_cover_what_a_device_is_about_to_write() {
    let (_, mut ada, _) = synced();
    edit(&mut ada, 3, "phone", "2", 7);
    // The record as if Ada had written forty times more, with what she has not sent overwritten.
    let mut forger = Device::new(ada.store().clone(), ada.replica(), Guard::default());
    (0..40).for_each(|n| edit(&mut forger, 3, "phone", &format!("{n}"), 9));
    let last = head(ada.store()).server.unwrap().witness.unwrap().last;
    let later =
        Issued { position: Position { revision: Revision(last.position.revision.0 + 1), ..last.position }, ..last };
    let covered = offer(&forger, 3);
    lied_to(&mut ada, |_, request| {
        let reply = |request: &Request| match request {
            Request::Greet { .. } => news(),
            Request::Pull { .. } => Reply::Page {
                accepted: None,
                hold: None,
                offers: vec![covered.clone()],
                next: FeedCursor { revision: later.position.revision, within: None },
                is_more: false,
                now: Some(later),
            },
            _ => Reply::Refused(talk::message::Refused::Forbidden),
        };
        request.requests.iter().map(reply).collect()
    });
    let seen = ada.read::<Loose>(&people(), &rec(3), &Shape::new()).unwrap().unwrap();
    assert_eq!(seen.get("phone"), Some(&values::value::Value::from("2")));
    // Somebody writes under her id, or says so: she writes nothing more under it.
    assert!(head(ada.store()).server.unwrap().conflict.is_some());
}

#[test]
fn a_server_that_calls_a_loss_intact_is_not_believed() {
    let (mut cloud, mut ada, _) = synced();
    let mut other = Cloud { draws: 1 << 40, ..Cloud::new() };
    let known = head(ada.store()).server.unwrap().witness.unwrap().last.position;
    let earlier = Position { revision: Revision(known.revision.0 - 1), ..known };
    let judgement = decide::continuity::Judgement {
        continuity: Continuity::Intact,
        common: known.revision,
        claimed: known,
        found: Some(earlier),
        missing: vec![],
    };
    let now = Some(Issued { position: earlier, tag: Tag(Digest::from_bytes([8; 16])) });
    let (_, outcome) = lied_to(&mut ada, |n, _| match n {
        0 => vec![Reply::Welcome { recognition: talk::message::Recognition::Prove, accepted: None, hold: None }],
        1 => vec![Reply::Judged { judgement: judgement.clone(), now }],
        _ => vec![Reply::Refused(talk::message::Refused::Forbidden)],
    });
    assert!(outcome.contains("Lost(RolledBack)"), "{outcome}");
    assert_eq!(living(&ada), 12);
    // All that she has is pending again, and the honest server gets it.
    let report = other.sync(&mut ada);
    assert!(report.is_complete() && report.collections[0].acknowledged == 12, "{report}");
    let back = cloud.sync(&mut ada);
    assert_eq!(back.collections[0].continuity, Some(Continuity::Lost(ServerLoss::Replaced)), "{back}");
}

#[test]
fn a_lineage_is_never_made_of_the_data() {
    let ben = phone(2);
    let mut bits = [0x5a; 32];
    bits[3..19].copy_from_slice(ReplicaId::from_entropy(99).unwrap().as_bytes());
    assert!(Entropy::new([0; 32]).is_err() && Entropy::new([7; 32]).is_err());
    for (mut bits, is_derived) in [(bits, true), ([0x5b; 32], false)] {
        bits[..3].copy_from_slice(&[1, 2, 3]);
        let mut cloud = Cloud::new();
        let mut session = open(&ben, 904);
        let mut frame = RequestFrame::decode(&first_request(&ben, &mut session), &LIMITS()).unwrap();
        frame.requests = vec![push(None, 0, vec![])];
        let answered = cloud.try_answer(&frame.encode(&LIMITS()).unwrap(), Entropy::new(bits).unwrap());
        assert_eq!(matches!(answered, Err(ServeFailed::Entropy(EntropyError::Derived))), is_derived);
        assert_eq!(head(&cloud.store).history.is_none(), is_derived);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    #[test]
    fn bytes_that_are_nothing_change_nothing(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let (mut cloud, ada, _) = synced();
        let before = (saved(&cloud.store), saved(ada.store()));
        let reply = cloud.answer(&bytes);
        prop_assert!(ReplyFrame::decode(&reply, &LIMITS()).is_ok());
        let mut session = open(&ada, 903);
        let frame = first_request(&ada, &mut session);
        prop_assert!(session.received(&bytes).is_err());
        prop_assert!(matches!(session.poll(), Output::Send(again) if again == frame));
        prop_assert_eq!((saved(&cloud.store), saved(ada.store())), before);
    }
}
