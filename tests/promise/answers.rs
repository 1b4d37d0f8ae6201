//! Losses are authored (S4), answers release what they name (S11) and end the hold (L5), and planning ends (L7).

use std::collections::BTreeSet;

use holdfast::{
    act::{plan::Plan, receipt::Effect, store::Store},
    compose::device::WriteFailed,
    decide::{
        answer::AnswerError,
        changes::Changes,
        consent::{Answer, Excuse, Trust, Verdict},
        diff::Diff,
        draft::Draft,
        guard::{Guard, Inputs},
        ledger::RoundId,
        line::{Hold, LineKind, LineStatus},
        slice::{Query, ReadSet},
    },
    values::{digest::Digest, id::RecordId},
};
use proptest::prelude::*;

use crate::{
    cluster::{Cluster, DEVICES, explore, steady},
    world::*,
};

fn losses(store: &impl Store, message: Changes) -> BTreeSet<RecordId> {
    let slice = store.read(&message.read_set()).unwrap();
    let draft = Draft::resolve(Diff::between(slice, message).unwrap(), Some("name"));
    draft.losses().cloned().collect()
}

#[test]
fn s4_every_loss_in_a_draft_is_authored_by_an_entry_of_the_message() {
    let lossy = std::cell::Cell::new(0_usize);
    let coverage = explore(60, 40, |ops| {
        let mut cluster = Cluster::new(steady);
        for op in ops {
            let _ = cluster.play(op);
        }
        // What each side would say to each other one, whole and in part.
        for from in &cluster.devices {
            for to in &cluster.devices {
                let all = offers(from.store(), &people());
                let whole = losses(to.store(), changes(from.replica(), all.clone()));
                lossy.set(lossy.get() + usize::from(!whole.is_empty()));
                let named: BTreeSet<_> = all.iter().map(|offer| offer.record.clone()).collect();
                prop_assert!(whole.is_subset(&named), "a loss that no entry names");
                for (seed, every) in [(0, 2), (1, 2), (1, 3), (0, 7), (3, 5)] {
                    let kept = all.iter().enumerate().filter(|(n, _)| (n * 7 + seed) % every != 0);
                    let part: Vec<_> = kept.map(|(_, offer)| offer.clone()).collect();
                    let names: BTreeSet<_> = part.iter().map(|offer| offer.record.clone()).collect();
                    let lost = losses(to.store(), changes(from.replica(), part));
                    let expected: BTreeSet<_> = whole.intersection(&names).cloned().collect();
                    prop_assert!(lost.is_subset(&whole), "dropping entries added a loss: {lost:?} of {whole:?}");
                    prop_assert_eq!(lost, expected);
                }
                let nothing = losses(to.store(), changes(from.replica(), Vec::new()));
                prop_assert!(nothing.is_empty(), "an empty message removes");
            }
        }
        Ok(cluster.coverage)
    });
    coverage.assert_full();
    assert!(lossy.get() > 20, "hardly a draft had a loss");
}

/// A device of 40 people that holds 20 deletes, and the hold.
fn held() -> (Phone, Phone, Cloud, Hold) {
    let (mut a, mut b, mut server) = three_with(40);
    (0..20).for_each(|n| drop(delete(&mut a, n)));
    let _ = sync(&mut a, &mut server, 3);
    let _ = sync(&mut b, &mut server, 4);
    let hold = b.hold(&people()).unwrap().expect("too much at once is held");
    assert_eq!((hold.open().count(), shown(b.store()).len()), (20, 40));
    (a, b, server, hold)
}

#[test]
fn s11_a_consent_releases_only_the_lines_of_its_prefix() {
    let (_, mut b, _, hold) = held();
    let seventh = hold.open().nth(6).unwrap().clone();
    let receipt = b.consent(&people(), seventh.running, "ada", at(9)).unwrap();
    let named: BTreeSet<_> = hold.open().take(7).map(|line| line.record.clone()).collect();
    let hidden = receipt.changes.iter().filter(|change| change.effect == Effect::Hidden);
    assert_eq!(hidden.map(|change| change.record.clone()).collect::<BTreeSet<_>>(), named);
    assert_eq!(shown(b.store()).len(), 33);
    assert_eq!(b.hold(&people()).unwrap().unwrap().open().count(), 13);
}

#[test]
fn s11_a_consent_releases_once() {
    let (_, mut b, _, hold) = held();
    let seventh = hold.open().nth(6).unwrap().running;
    let _ = b.consent(&people(), seventh, "ada", at(9)).unwrap();
    let before = whole(b.store());
    let again = b.consent(&people(), seventh, "ada", at(10));
    assert!(matches!(again, Err(WriteFailed::Answer(AnswerError::NothingOpen { .. }))), "{again:?}");
    assert_eq!(whole(b.store()), before);
    // The record comes back, and goes once more: the old consent does not take it.
    (0..7).for_each(|n| drop(b.write(&holdfast::decide::write::Write::restore(people(), rec(n)), at(11)).unwrap()));
    let again = b.consent(&people(), seventh, "ada", at(12));
    assert!(matches!(again, Err(WriteFailed::Answer(AnswerError::NothingOpen { .. }))), "{again:?}");
    assert_eq!(shown(b.store()).len(), 40);
}

#[test]
fn s11_a_consent_is_worth_nothing_in_another_collection_or_on_another_replica() {
    let (_, mut b, server, hold) = held();
    let theirs = server.hold(&people()).unwrap().unwrap();
    let mut other = phone(7);
    for (index, n) in (100..140).enumerate() {
        let _ = person(&mut other, n);
        assert_eq!(shown(other.store()).len(), index + 1);
    }
    let before = whole(b.store());
    let elsewhere = b.consent(&collection("dates"), hold.digest, "ada", at(9));
    assert!(matches!(elsewhere, Err(WriteFailed::Answer(AnswerError::Unknown { .. }))), "{elsewhere:?}");
    let foreign = other.consent(&people(), hold.digest, "ada", at(9));
    assert!(matches!(foreign, Err(WriteFailed::Answer(AnswerError::Unknown { .. }))), "{foreign:?}");
    // Not even where something is held.
    let mut evil = phone(8);
    let _ = evil.take_in(changes(replica(7), offers(other.store(), &people())), &round(6)).unwrap();
    (100..120).for_each(|n| drop(delete(&mut evil, n)));
    let _ = other.take_in(evil.pending(&people(), usize::MAX).unwrap(), &round(7)).unwrap();
    assert!(other.hold(&people()).unwrap().is_some());
    for digest in [hold.digest, theirs.digest, Digest::from_bytes([7; 16])] {
        let foreign = other.consent(&people(), digest, "ada", at(9));
        assert!(matches!(foreign, Err(WriteFailed::Answer(AnswerError::Unknown { .. }))), "{foreign:?}");
        let foreign = other.keep(&people(), digest, "ada", at(9));
        assert!(matches!(foreign, Err(WriteFailed::Answer(AnswerError::Unknown { .. }))), "{foreign:?}");
    }
    assert_eq!(whole(b.store()), before);
    assert_eq!(shown(other.store()).len(), 40);
}

#[test]
fn s11_a_consent_does_not_release_a_line_that_no_longer_stands() {
    let (_, mut b, _, hold) = held();
    // What is held of the first record changes: a second delete, by another device.
    let mut evil = phone(4);
    let _ = evil.take_in(changes(replica(1), offers(b.store(), &people())), &round(6)).unwrap();
    let _ = delete(&mut evil, 0);
    let _ = b.take_in(evil.pending(&people(), usize::MAX).unwrap(), &round(7)).unwrap();
    let lines = b.hold(&people()).unwrap().unwrap().lines;
    assert_eq!((lines[0].record.clone(), lines[0].status), (rec(0), LineStatus::Struck));
    let receipt = b.consent(&people(), hold.digest, "ada", at(9)).unwrap();
    assert!(receipt.lapsed.contains(&(rec(0), LineStatus::Struck)), "{:?}", receipt.lapsed);
    let shown = shown(b.store());
    assert!(shown.contains_key(&rec(0)), "a struck line was released");
    assert_eq!(shown.len(), 21);
    let left: Vec<_> = b.hold(&people()).unwrap().unwrap().open().map(|line| line.record.clone()).collect();
    assert_eq!(left, [rec(0)]);
}

#[test]
fn s11_a_consent_never_widens_by_what_comes_after_it_was_shown() {
    let (_, mut b, _, hold) = held();
    let mut evil = phone(4);
    let _ = evil.take_in(changes(replica(1), offers(b.store(), &people())), &round(6)).unwrap();
    (20..39).for_each(|n| drop(delete(&mut evil, n)));
    let _ = b.take_in(evil.pending(&people(), usize::MAX).unwrap(), &round(7)).unwrap();
    assert!(b.hold(&people()).unwrap().unwrap().open().count() > 20, "more is held now");
    let before = shown(b.store()).len();
    let _ = b.consent(&people(), hold.digest, "ada", at(9)).unwrap();
    assert_eq!(shown(b.store()).len(), before - 20);
}

#[test]
fn s11_a_travelling_consent_excuses_only_the_version_that_it_names() {
    let (_, mut b, mut server, hold) = held();
    let _ = b.consent(&people(), hold.digest, "ada", at(9)).unwrap();
    let mut message = b.pending(&people(), usize::MAX).unwrap();
    let excuses: Vec<_> = message.offers.iter().filter_map(|offer| offer.excuse.clone()).collect();
    assert_eq!(excuses.len(), 20);
    // One excuse for all, and for other records than they were given for.
    for (n, offer) in message.offers.iter_mut().enumerate() {
        offer.excuse = Some(excuses[(n + 1) % excuses.len()].clone());
    }
    let (receipt, _) = server.take_in(message, &round(8)).unwrap();
    assert_eq!(receipt.count(Effect::Hidden), 0, "{receipt}");
    assert_eq!(shown(server.store()).len(), 40);
    // The true ones do, if the host trusts who sent them.
    let nothing = Inputs::new(RoundId(20), Trust::Nothing);
    let (receipt, _) = server.take_in(b.pending(&people(), usize::MAX).unwrap(), &nothing).unwrap();
    assert_eq!(receipt.count(Effect::Hidden), 0, "{receipt}");
    let (receipt, _) = server.take_in(b.pending(&people(), usize::MAX).unwrap(), &round(9)).unwrap();
    assert_eq!(receipt.count(Effect::Hidden), 20, "{receipt}");
}

#[test]
fn s11_a_travelling_consent_for_another_version_excuses_nothing_that_has_not_been_asked_yet() {
    let mut device = phone(1);
    (0..40).for_each(|n| drop(person(&mut device, n)));
    let mut evil = phone(2);
    let _ = evil.take_in(changes(replica(1), offers(device.store(), &people())), &round(1)).unwrap();
    (0..20).for_each(|n| drop(delete(&mut evil, n)));
    let mut message = evil.pending(&people(), usize::MAX).unwrap();
    let digests: Vec<Digest> = message.offers.iter().map(|offer| offer.version.digest()).collect();
    for (n, offer) in message.offers.iter_mut().enumerate() {
        let hidden = digests[(n + 1) % digests.len()];
        offer.excuse = Some(Excuse {
            verdict: Verdict::Consent,
            held: offer.version.digest(),
            hidden,
            by: "ada".into(),
            at: at(1),
        });
    }
    let receipt = device.take_in(message, &round(2)).unwrap();
    assert_eq!((receipt.held.len(), shown(device.store()).len()), (20, 40), "{receipt}");
}

#[test]
fn l5_every_hold_names_its_way_out_and_following_it_ends_the_hold() {
    for word in ["keep", "consent"] {
        let (mut a, mut b, mut server, hold) = held();
        let text = hold.to_string();
        let line = text.lines().find(|line| line.contains(&format!("{word} "))).expect("the way out is named");
        let digest: Digest =
            line.split_whitespace().last().unwrap().trim_end_matches(')').parse().expect("a digest parses back");
        assert_eq!(digest, hold.digest);
        assert!(text.contains("20 of 40"), "{text}");
        let _ = match word {
            "keep" => b.keep(&people(), digest, "ada", at(9)).unwrap(),
            _ => b.consent(&people(), digest, "ada", at(9)).unwrap(),
        };
        assert!(b.hold(&people()).unwrap().is_none());
        for n in 5..7 {
            let _ = sync(&mut b, &mut server, n);
            let _ = sync(&mut a, &mut server, n + 10);
        }
        let left = if word == "keep" { 40 } else { 20 };
        for store in [a.store(), b.store(), server.store()] {
            assert_eq!(shown(store).len(), left, "{word}");
        }
        assert!(a.hold(&people()).unwrap().is_none() && server.hold(&people()).unwrap().is_none());
    }
}

#[test]
fn l5_one_decision_is_asked_once_and_not_once_per_replica() {
    let answered = std::cell::Cell::new(0_usize);
    let _ = explore(40, 40, |ops| {
        for verdict in [Verdict::Keep, Verdict::Consent] {
            let mut cluster = Cluster::new(steady);
            for op in ops {
                let _ = cluster.play(op);
            }
            let _ = cluster.settle();
            for device in 0..DEVICES {
                let Some(hold) = cluster.devices[device].hold(&people()).unwrap() else { continue };
                let asked: BTreeSet<String> = hold.open().map(|line| line.record.to_string()).collect();
                let _ = cluster.play(&crate::cluster::Op::Answer { device, verdict });
                let _ = cluster.settle();
                answered.set(answered.get() + asked.len());
                let open = cluster.open_lines();
                // What another person proposed on another device is a question of its own.
                let same = |kind: &LineKind| *kind != LineKind::Proposal;
                let again = open.iter().filter(|(_, record, kind)| same(kind) && asked.contains(record));
                let again: Vec<_> = again.collect();
                prop_assert!(again.is_empty(), "{verdict:?} on {device}, and asked again: {again:?}");
            }
        }
        Ok(Cluster::new(steady).coverage)
    });
    assert!(answered.get() > 100, "hardly anything was asked: {}", answered.get());
}

#[test]
fn l7_planning_ends_after_one_pass_where_every_limit_breaks() {
    const RECORDS: usize = 10_000;
    let mut device = phone(1);
    let text = |n: usize| format!("{n}");
    let mut origin = phone(2);
    for n in 0..RECORDS {
        let cause = holdfast::values::register::Cause::User;
        let text = text(n);
        let filled = fields(&[("name", &text), ("phone", &text)]);
        let write =
            holdfast::decide::write::Write::create_fields(people(), RecordId::new(&text).unwrap(), filled, cause);
        let _ = origin.write(&write, at(1)).unwrap();
    }
    let _ = device.take_in(origin.pending(&people(), usize::MAX).unwrap(), &round(1)).unwrap();
    for n in 0..RECORDS {
        let record = RecordId::new(text(n)).unwrap();
        let cause = holdfast::values::register::Cause::User;
        match n % 3 {
            0 => drop(origin.write(&holdfast::decide::write::Write::delete(people(), record, cause), at(2)).unwrap()),
            1 => drop(edit_as(&mut origin, &people(), &record, &[("name", None)], (cause, at(2)))),
            _ => drop(edit_as(&mut origin, &people(), &record, &[("phone", Some("spam"))], (cause, at(2)))),
        }
    }
    let message = origin.pending(&people(), usize::MAX).unwrap();
    let slice = device.store().read(&message.read_set()).unwrap();
    let draft = Draft::resolve(Diff::between(slice, message).unwrap(), Some("name"));
    assert_eq!(draft.len(), RECORDS, "every entry is accounted for");
    let approved = Guard::default().review(draft, &Inputs::new(RoundId(2), Trust::Account));
    assert_eq!(approved.held().count(), RECORDS, "all of it is too much");
    // Every limit is named once in each scope: planning did not go round.
    let rules: Vec<String> =
        approved.breaches().iter().map(|breach| format!("{:?}{:?}", breach.rule, breach.scope)).collect();
    assert_eq!(rules.iter().collect::<BTreeSet<_>>().len(), rules.len());
    for rule in ["Round", "Floor", "Emptied", "OverwrittenSmall"] {
        assert!(rules.iter().any(|broken| broken.starts_with(rule)), "{rule} did not break: {rules:?}");
    }
    let (batch, _) = Plan::new(approved).begin();
    let batch = batch.expect("what is held is written down");
    assert_eq!((batch.rows.len(), batch.lines.len()), (RECORDS, RECORDS));
}

#[test]
fn s11_an_answer_for_one_collection_is_refused_for_a_draft_of_another() {
    let (_, b, _, hold) = held();
    let set = ReadSet::head(people()).with_lines().with_query(Query::Nothing);
    let slice = b.store().read(&set).unwrap();
    let answer = Answer {
        verdict: Verdict::Consent,
        collection: collection("dates"),
        digest: hold.digest,
        by: "ada".into(),
        at: at(1),
    };
    let refused = Draft::of_answer(slice, b.replica(), answer, |_| true, None).err();
    assert!(matches!(refused, Some(AnswerError::WrongCollection { .. })), "{refused:?}");
}
