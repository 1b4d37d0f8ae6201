//! What a complete listing lacks was removed by nobody that is known: all or none, and within limits.

use holdfast::{
    act::receipt::Effect,
    decide::{breach::Rule, line::LineKind},
    *,
};

use crate::phone::{Phone, card, id, in_step, inputs, people, person, server};

#[test]
fn three_removed_by_hand_ask_nothing() {
    let (mut ada, mut ben, mut server) = in_step(200);
    ada.remove(0..3);
    assert_eq!(ada.observe().count(Effect::Hidden), 3);
    ada.sync(&mut server);
    ben.sync(&mut server);
    assert_eq!(ben.write_back(), 3);
    assert_eq!(ben.native.len(), 197);
    assert_eq!((ada.open_lines(), ben.open_lines()), (0, 0));
    assert!(server.hold(&people()).unwrap().is_none());
}

#[test]
fn the_only_record_of_a_list_may_be_removed() {
    let (mut ada, _, _) = in_step(1);
    ada.remove(0..1);
    assert_eq!(ada.observe().count(Effect::Hidden), 1);
}

#[test]
fn what_a_listing_lacks_is_removed_all_or_none() {
    let (mut ada, _, mut server) = in_step(200);
    ada.remove(0..4);
    let receipt = ada.observe();
    assert_eq!((receipt.held.len(), receipt.count(Effect::Hidden)), (4, 0));
    assert!(receipt.breaches.iter().any(|breach| breach.rule == Rule::UnauthoredRound && breach.found == 4));
    assert_eq!((ada.living().len(), ada.pending()), (200, 0)); // to everybody else the records are as they were
    ada.sync(&mut server);
    let hold = ada.device.hold(&people()).unwrap().unwrap();
    assert!(hold.lines.iter().all(|line| line.kind == LineKind::Proposal));
    assert_eq!(ada.write_back(), 0); // nobody writes them back behind the person's back, either
}

#[test]
fn all_or_none_holds_where_only_a_part_breaks_a_limit() {
    // Of the 8 oldest, 4 were lost before: a fifth breaks the floor of that prefix, two others break nothing.
    let (mut ada, _, _) = in_step(200);
    for n in 0..4 {
        ada.remove(n..n + 1);
        assert_eq!(ada.observe().count(Effect::Hidden), 1);
    }
    ada.remove(4..5);
    ada.remove(100..102);
    let receipt = ada.observe();
    assert_eq!((receipt.held.len(), receipt.count(Effect::Hidden)), (3, 0));
}

#[test]
fn a_listing_and_what_comes_are_counted_apart_on_one_base() {
    // Three removed here and three there, in one round, ask nothing; and what is new here makes no room for what comes.
    let (mut ada, mut ben, mut server) = in_step(100);
    ben.remove(50..53);
    ben.observe();
    ben.sync(&mut server);
    ada.remove(0..3);
    ada.native.extend((0..400).map(|n| (id(format!("new{n}")), person(n))));
    let round = ada.next_round();
    let listing = ada.listing().complete(ada.native.len()).unwrap();
    assert_eq!(ada.device.observe(listing, round, Timestamp::from_micros(2)).unwrap().count(Effect::Hidden), 3);
    exchange(&mut ada.device, &mut server, &people(), &inputs(round.0)).unwrap();
    assert_eq!((ada.open_lines(), ada.living().len()), (0, 494));

    let (mut ada, mut ben, _) = in_step(100);
    for n in 0..12 {
        let write = Write::delete(people(), id(format!("p{:03}", n * 8)), Cause::User);
        ben.device.write(&write, Timestamp::from_micros(5)).unwrap();
    }
    let mut deaf = Server::new(MemoryStore::server(), ReplicaId::from_entropy(97).unwrap(), Guard::default());
    ben.device.unacknowledge(&people()).unwrap();
    ben.sync(&mut deaf); // an empty server has nothing to lose, and passes all of it on
    ada.native.extend((0..400).map(|n| (id(format!("new{n}")), person(n))));
    let round = ada.next_round();
    let listing = ada.listing().complete(ada.native.len()).unwrap();
    ada.device.observe(listing, round, Timestamp::from_micros(2)).unwrap();
    exchange(&mut ada.device, &mut deaf, &people(), &inputs(round.0)).unwrap();
    assert_eq!(ada.open_lines(), 12, "12 of 100 are too many, and 400 new ones do not make it 12 of 500");
}

#[test]
fn every_round_has_its_limits_whatever_its_id() {
    let mut ben = Phone::with_people(1, 100);
    let mut source = server();
    ben.sync(&mut source);
    for (device, round) in [(2, 7), (3, u128::MAX - 5)] {
        let mut ada = Phone::new(device);
        ada.sync(&mut source);
        let mut deleter = Phone::new(device + 50);
        deleter.sync(&mut source);
        for n in 0..45 {
            let write = Write::delete(people(), id(format!("p{:03}", 99 - n)), Cause::User);
            deleter.device.write(&write, Timestamp::from_micros(5)).unwrap();
        }
        let all = deleter.device.pending(&people(), usize::MAX).unwrap();
        for part in all.offers.chunks(9) {
            let changes = decide::changes::Changes { offers: part.to_vec(), ..all.clone() };
            ada.device.take_in(changes, &inputs(round)).unwrap();
        }
        assert_eq!(100 - ada.living().len(), 9, "five messages of one round, nine deletes each, of 100");
    }
}

#[test]
fn an_acknowledgement_in_the_middle_of_a_round_does_not_begin_it_anew() {
    let lists: Vec<CollectionId> = (0..20).map(|n| CollectionId::new(format!("list{n}")).unwrap()).collect();
    let write = |device: &mut Device<MemoryStore>, write: &Write| {
        device.write(write, Timestamp::from_micros(5)).unwrap();
    };
    let (mut ada, mut ben, mut server) = (Phone::new(1).device, Phone::new(2).device, server());
    for list in &lists {
        for n in 0..5 {
            let create =
                Write::create_fields(list.clone(), id(format!("{n}")), person(n).into_iter().collect(), Cause::User);
            write(&mut ben, &create);
        }
        exchange(&mut ben, &mut server, list, &inputs(1)).unwrap();
        exchange(&mut ada, &mut server, list, &inputs(2)).unwrap();
        write(&mut ben, &Write::delete(list.clone(), id("0"), Cause::User));
        exchange(&mut ben, &mut server, list, &inputs(3)).unwrap();
        // Something to push in each list, so that an acknowledgement comes between what the round takes.
        write(&mut ada, &Write::create_fields(list.clone(), id("own"), Vec::new(), Cause::User));
    }
    let held: usize =
        lists.iter().map(|list| exchange(&mut ada, &mut server, list, &inputs(4)).unwrap().pulled.held.len()).sum();
    assert_eq!(held, 8, "of 120 in the account, 12 may go in a round");
}

#[test]
fn a_drip_stops_at_ten() {
    let (mut ada, _, _) = in_step(200);
    for n in 0..40 {
        ada.remove(n * 5..n * 5 + 1);
        ada.observe();
    }
    assert_eq!(200 - ada.living().len(), 10);
    assert_eq!(ada.open_lines(), 30);
}

#[test]
fn while_a_question_is_open_no_more_goes_unasked() {
    let (mut ada, _, _) = in_step(200);
    ada.remove(100..130);
    ada.observe();
    ada.remove(150..151);
    assert_eq!(ada.observe().count(Effect::Hidden), 0);
    assert_eq!(ada.open_lines(), 31);
}

#[test]
fn what_comes_back_from_the_dead_is_what_it_shows() {
    let (mut ada, _, _) = in_step(10);
    ada.remove(0..1);
    ada.observe();
    ada.native.insert(id("p000"), card([("name", "Somebody else")]));
    ada.observe();
    assert_eq!(ada.shows(&id("p000")), card([("name", "Somebody else")]));
}
