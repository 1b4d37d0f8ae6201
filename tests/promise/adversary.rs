//! S12: whatever a peer sends, between two consents the floors hold. The oracle watches only what is visible.

use holdfast::{
    compose::device::{Device, MoveTo},
    decide::{
        changes::Changes,
        consent::{Excuse, Trust, Verdict},
        guard::Inputs,
        ledger::RoundId,
        offer::{HeldVersion, Offer},
        write::Write,
    },
    values::{
        id::{CollectionId, MoveId, RecordId},
        register::Cause,
        time::Day,
    },
};
use proptest::{prelude::*, test_runner::FileFailurePersistence};

use crate::{oracle::Oracle, world::*};

/// What an adversary does to one record before it sends it.
#[derive(Debug, Clone, Copy)]
enum Deed {
    Delete,
    Blank,
    BlankOne,
    Overwrite,
    Junk,
    /// A record that arrives dead, to be revived when it suits.
    DeadJunk,
    /// Everything dead comes back.
    ReviveAll,
    Recreate,
    /// Moves it away, into the next collection, and empties what arrives there.
    MoveAndGut,
    /// Everything moves into one and the same record.
    MoveOntoOne,
    Keep,
}

#[derive(Debug, Clone, Copy)]
enum Forged {
    Nothing,
    /// A consent that the adversary made up.
    Excuse,
    /// The stored version with what was done marked as held by the adversary.
    Pair,
}

#[derive(Debug, Clone)]
enum Step {
    Attack {
        collection: usize,
        deeds: Vec<(Deed, usize)>,
        cause: Cause,
        clock: i64,
        forged: Forged,
        /// Messages that it is split into.
        parts: usize,
        /// Whether each part is a round of its own.
        drip: bool,
        /// Whether the parts come last first.
        reversed: bool,
    },
    /// A message comes again.
    Again {
        message: usize,
    },
    /// The person of the device adds, edits or deletes a record.
    Own {
        collection: usize,
        record: usize,
        kind: usize,
    },
    Day,
}

/// The stage: a device with genuine records, and an adversary with any number of replica ids.
struct Stage {
    device: Phone,
    collections: Vec<CollectionId>,
    oracle: Oracle,
    mail: Vec<(Changes, Trust)>,
    round: u128,
    ids: u128,
    days: i64,
    held: usize,
}

impl Stage {
    fn new(genuine: &[usize]) -> Self {
        let collections: Vec<_> = (0..genuine.len()).map(|n| collection(&format!("c{n}"))).collect();
        let oracle = Oracle::default();
        let mut stage =
            Self { device: phone(1), collections, oracle, mail: Vec::new(), round: 0, ids: 100, days: 0, held: 0 };
        for (at, count) in genuine.iter().enumerate() {
            (0..*count).for_each(|record| stage.own(at, record, 0));
        }
        stage
    }

    fn own(&mut self, collection: usize, record: usize, kind: usize) {
        let collection = self.collections[collection % self.collections.len()].clone();
        let record = rec(record);
        let text = format!("{} {} {kind}", record, collection);
        match kind % 4 {
            0 | 1 => {
                let filled = [("name", text.as_str()), ("phone", &text), ("town", &text), ("note", &text)];
                let write = Write::create_fields(
                    collection.clone(),
                    record.clone(),
                    fields(&filled[..kind % 4 + 2]),
                    Cause::User,
                );
                let _ = self.device.write(&write, at(5));
            }
            2 => {
                let now = (Cause::User, at(6));
                let _ = edit_as(&mut self.device, &collection, &record, &[("phone", Some(&text))], now);
            }
            _ => {
                let _ = self.device.write(&Write::delete(collection.clone(), record.clone(), Cause::User), at(7));
            }
        }
        self.oracle.own(&self.device, &self.collections, &(collection, record));
    }

    fn fresh(&mut self) -> Phone {
        self.ids += 1;
        let mut evil = phone(self.ids);
        for collection in &self.collections {
            let all = offers(self.device.store(), collection);
            let all = Changes { collection: collection.clone(), ..changes(self.device.replica(), all) };
            let _ = evil.take_in(all, &round(1)).unwrap();
        }
        evil
    }

    fn step(&mut self, step: &Step) -> Result<(), TestCaseError> {
        match step {
            Step::Attack { .. } => self.attack(step),
            Step::Again { message } if !self.mail.is_empty() => {
                let (message, trust) = self.mail[message % self.mail.len()].clone();
                self.round += 1;
                self.receive(message, trust)
            }
            Step::Again { .. } => Ok(()),
            Step::Own { collection, record, kind } => {
                self.own(*collection, *record, *kind);
                Ok(())
            }
            Step::Day => {
                self.days += 1;
                for collection in &self.collections {
                    let _ = self.device.pass_day(collection, Day(self.days), 3).unwrap();
                }
                Ok(())
            }
        }
    }

    fn attack(&mut self, step: &Step) -> Result<(), TestCaseError> {
        let Step::Attack { collection, deeds, cause, clock, forged, parts, drip, reversed } = step else {
            return Ok(());
        };
        let at_collection = collection % self.collections.len();
        let target = self.collections[at_collection].clone();
        let other = self.collections[(at_collection + 1) % self.collections.len()].clone();
        let mut evil = self.fresh();
        let mut gifts = Vec::new();
        for (deed, record) in deeds {
            commit_deed(
                &mut evil,
                (*deed, &rec(*record)),
                (&target, &other),
                (*cause, at(*clock)),
                || {
                    // One more replica for each record that moves onto one place.
                    self.ids += 1;
                    self.ids
                },
                &mut gifts,
            );
        }
        let mut sent: Vec<Offer> = evil.pending(&target, usize::MAX).unwrap().offers;
        sent.extend(gifts.iter().filter(|(place, _)| *place == target).map(|(_, offer)| offer.clone()));
        let trust = if matches!(forged, Forged::Excuse) { Trust::Nothing } else { Trust::Account };
        let stored = rows_of(self.device.store(), &target);
        for offer in &mut sent {
            forge(*forged, offer, &stored);
        }
        // What moves arrives first.
        let arrivals = gifts.into_iter().filter(|(place, _)| *place != target).map(|(_, offer)| offer);
        let mut elsewhere: Vec<Offer> = evil.pending(&other, usize::MAX).unwrap().offers;
        elsewhere.extend(arrivals);
        self.round += 1;
        if other != target && !elsewhere.is_empty() {
            self.receive(Changes { collection: other, ..changes(evil.replica(), elsewhere) }, trust)?;
        }
        let mut messages: Vec<Vec<Offer>> = vec![Vec::new(); *parts];
        for (n, offer) in sent.into_iter().enumerate() {
            messages[n % parts].push(offer);
        }
        if *reversed {
            messages.reverse();
        }
        for part in messages {
            self.round += u128::from(*drip);
            self.receive(Changes { collection: target.clone(), ..changes(evil.replica(), part) }, trust)?;
        }
        Ok(())
    }

    fn receive(&mut self, message: Changes, trust: Trust) -> Result<(), TestCaseError> {
        self.mail.push((message.clone(), trust));
        let receipt = self.device.take_in(message, &Inputs::new(RoundId(self.round), trust)).unwrap();
        self.held += receipt.held.len();
        self.oracle.sync(&self.device, &self.collections, self.round)
    }
}

fn forge(forged: Forged, offer: &mut Offer, stored: &Rows) {
    let Some(row) = stored.get(&offer.record) else { return };
    let result = row.known().join(&offer.version);
    match forged {
        Forged::Nothing => {}
        Forged::Excuse => {
            let (held, hidden) = (row.version.digest(), result.digest());
            offer.excuse = Some(Excuse { verdict: Verdict::Consent, held, hidden, by: "ada".into(), at: at(1) });
        }
        Forged::Pair => {
            let hidden = offer.version.clone();
            offer.version = row.version.clone();
            offer.held = Some(HeldVersion { hidden, mass: false });
        }
    }
}

fn commit_deed(
    evil: &mut Phone,
    (deed, record): (Deed, &RecordId),
    (target, other): (&CollectionId, &CollectionId),
    (cause, now): (Cause, holdfast::values::time::Timestamp),
    mut new_id: impl FnMut() -> u128,
    gifts: &mut Vec<(CollectionId, Offer)>,
) {
    let all = ["name", "phone", "town", "note"];
    let edit = |evil: &mut Phone, place: &CollectionId, record: &RecordId, edits: &[(&str, Option<&str>)], cause| {
        let _ = edit_as(evil, place, record, edits, (cause, now));
    };
    match deed {
        Deed::Keep => {}
        Deed::Delete => drop(evil.write(&Write::delete(target.clone(), record.clone(), cause), now)),
        Deed::Blank => edit(evil, target, record, &all.map(|name| (name, None)), cause),
        Deed::BlankOne => edit(evil, target, record, &[("name", None)], cause),
        Deed::Overwrite => edit(evil, target, record, &all.map(|name| (name, Some("spam"))), cause),
        Deed::ReviveAll => {
            for dead in evil.trash(target).unwrap() {
                let _ = evil.write(&Write::restore(target.clone(), dead), now);
            }
        }
        Deed::Junk | Deed::DeadJunk => {
            let junk = RecordId::new(format!("junk {}", new_id())).unwrap();
            let filled = fields(&[("name", "junk")]);
            let _ = evil.write(&Write::create_fields(target.clone(), junk.clone(), filled, cause), now);
            if matches!(deed, Deed::DeadJunk) {
                let _ = evil.write(&Write::delete(target.clone(), junk, Cause::User), now);
            }
        }
        Deed::Recreate => {
            let _ = evil.write(&Write::delete(target.clone(), record.clone(), cause), now);
            let filled = fields(&[("name", "spam")]);
            drop(evil.write(&Write::create_fields(target.clone(), record.clone(), filled, Cause::User), now));
        }
        Deed::MoveAndGut => {
            let id = MoveId::from_entropy(new_id()).unwrap();
            let there = RecordId::new(format!("moved {}", new_id())).unwrap();
            let to = MoveTo { id, collection: other.clone(), record: there.clone() };
            if evil.move_to(target, record, &to, now).is_ok() {
                edit(evil, other, &there, &all.map(|name| (name, None)), Cause::App);
            }
        }
        Deed::MoveOntoOne => {
            let id = MoveId::from_entropy(7).unwrap();
            let to = MoveTo { id, collection: other.clone(), record: RecordId::new("moved onto one").unwrap() };
            let mut twin = Device::new(evil.store().clone(), replica(new_id()), Default::default());
            if twin.move_to(target, record, &to, now).is_ok() {
                let moved = |place: &CollectionId, record: &RecordId| {
                    let row = twin.row(place, record).unwrap().unwrap();
                    (place.clone(), Offer::of(&row))
                };
                gifts.push(moved(target, record));
                if !gifts.iter().any(|(_, offer)| offer.record == to.record) {
                    gifts.push(moved(other, &to.record));
                }
            }
        }
    }
}

fn step() -> impl Strategy<Value = Step> {
    let deed = prop_oneof![
        8 => Just(Deed::Delete), 2 => Just(Deed::Blank), 1 => Just(Deed::BlankOne), 1 => Just(Deed::Overwrite),
        1 => Just(Deed::Junk), 1 => Just(Deed::DeadJunk), 1 => Just(Deed::ReviveAll), 2 => Just(Deed::Recreate),
        1 => Just(Deed::MoveAndGut), 1 => Just(Deed::MoveOntoOne), 1 => Just(Deed::Keep),
    ];
    let one = prop_oneof![
        3 => Just(Deed::Delete), 1 => Just(Deed::Blank), 1 => Just(Deed::Junk), 2 => Just(Deed::DeadJunk),
        1 => Just(Deed::Recreate), 1 => Just(Deed::MoveAndGut), 1 => Just(Deed::MoveOntoOne),
        2 => Just(Deed::ReviveAll),
    ];
    // A mix, or one deed done to a run of records.
    let mixed = prop::collection::vec((deed, 0..60_usize), 1..40);
    let run = (one, 0..60_usize, 1..60_usize)
        .prop_map(|(deed, first, count)| (first..first + count).map(|record| (deed, record)).collect());
    let deeds = prop_oneof![mixed, run];
    let cause =
        prop_oneof![3 => Just(Cause::User), 1 => Just(Cause::App), 1 => Just(Cause::Import), 1 => Just(Cause::Listing)];
    let forged = prop_oneof![4 => Just(Forged::Nothing), 1 => Just(Forged::Excuse), 1 => Just(Forged::Pair)];
    let clock = prop_oneof![Just(0), Just(i64::MAX), Just(i64::MIN), 0..1_000_i64];
    let attack = (0..3_usize, deeds, cause, clock, forged, 1..5_usize, any::<bool>(), any::<bool>()).prop_map(
        |(collection, deeds, cause, clock, forged, parts, drip, reversed)| Step::Attack {
            collection,
            deeds,
            cause,
            clock,
            forged,
            parts,
            drip,
            reversed,
        },
    );
    prop_oneof![
        8 => attack,
        1 => any::<usize>().prop_map(|message| Step::Again { message }),
        2 => (0..3_usize, 0..60_usize, 0..4_usize)
            .prop_map(|(collection, record, kind)| Step::Own { collection, record, kind }),
        1 => Just(Step::Day),
    ]
}

#[test]
fn s12_between_two_consents_the_floors_hold_against_any_peer() {
    let seeds = Box::new(FileFailurePersistence::Direct("tests/promise/regressions/adversary.txt"));
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(150);
    let config = ProptestConfig {
        failure_persistence: Some(seeds),
        max_shrink_iters: 1_500,
        rng_seed: crate::cluster::everyday_seed(),
        ..ProptestConfig::with_cases(cases)
    };
    let genuine = prop::collection::vec(1..21_usize, 1..4);
    let covered = std::cell::Cell::new((0, 0));
    let outcome = proptest::test_runner::TestRunner::new(config).run(
        &(genuine, prop::collection::vec(step(), 1..14)),
        |(genuine, steps)| {
            let mut stage = Stage::new(&genuine);
            for step in &steps {
                stage.step(step)?;
            }
            let (losses, held) = covered.get();
            covered.set((losses + stage.oracle.losses, held + stage.held));
            Ok(())
        },
    );
    if let Err(error) = outcome {
        panic!("{error}");
    }
    let (losses, held) = covered.get();
    assert!(losses > 50 && held > 50, "hardly attacked: {losses} losses, {held} held");
}

#[test]
fn s12_a_move_takes_nothing_away_that_has_not_arrived() {
    let (mut device, mut evil) = (phone(1), phone(2));
    (0..20).for_each(|n| drop(person(&mut device, n)));
    let _ = evil.take_in(changes(device.replica(), offers(device.store(), &people())), &round(1)).unwrap();
    let (before, attic) = (shown(device.store()), collection("attic"));
    let mut gone = Vec::new();
    for n in 0..20 {
        // All of them into one record, under one move.
        let mut twin = Device::new(evil.store().clone(), replica(100 + n), Default::default());
        let to = MoveTo { id: MoveId::from_entropy(7).unwrap(), collection: attic.clone(), record: rec(0) };
        let record = rec(usize::try_from(n).unwrap());
        let _ = twin.move_to(&people(), &record, &to, at(1)).unwrap();
        if n == 0 {
            let arrived = Changes { collection: attic.clone(), ..changes(replica(2), offers(twin.store(), &attic)) };
            let _ = device.take_in(arrived, &round(2)).unwrap();
        }
        gone.push(Offer::of(&twin.row(&people(), &record).unwrap().unwrap()));
    }
    let receipt = device.take_in(changes(replica(2), gone), &round(3)).unwrap();
    let mut left = before;
    left.remove(&rec(0));
    assert_eq!((shown(device.store()), receipt.held.len()), (left, 19), "only what has arrived may go");
}

#[test]
fn s12_records_that_arrived_dead_take_no_place_before_those_that_people_saw() {
    let (mut device, mut evil) = (phone(1), phone(2));
    for n in 100..108 {
        let _ = person(&mut evil, n);
        let _ = delete(&mut evil, n);
    }
    let _ = device.take_in(changes(replica(2), offers(evil.store(), &people())), &round(1)).unwrap();
    (0..8).for_each(|n| drop(person(&mut device, n)));
    let _ = evil.take_in(changes(replica(1), offers(device.store(), &people())), &round(2)).unwrap();
    (100..108).for_each(|n| drop(evil.write(&Write::restore(people(), rec(n)), at(3)).unwrap()));
    let _ = device.take_in(changes(replica(2), offers(evil.store(), &people())), &round(3)).unwrap();
    assert_eq!(shown(device.store()).len(), 16);
    (0..8).for_each(|n| drop(delete(&mut evil, n)));
    let _ = device.take_in(changes(replica(2), offers(evil.store(), &people())), &round(4)).unwrap();
    let left = (0..8).filter(|n| shown(device.store()).contains_key(&rec(*n))).count();
    assert!(left >= 4, "only {left} of the first 8 records that a person saw are left");
}
