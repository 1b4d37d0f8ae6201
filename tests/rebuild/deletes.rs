//! What was properly deleted stays dead after a loss, and nobody else's claim makes anything die.

use holdfast::{
    Cause, Device, Guard, MemoryStore, ReplicaId, Shape, Write,
    act::store::Store,
    decide::{
        consent::{Excuse, Verdict},
        continuity::Claim,
        offer::Offer,
        position::{PositionKey, Tag},
        row::{Row, Standing},
        slice::ReadSet,
    },
    talk::{
        message::{Greeting, Reply, Request, Taken},
        offer::SentOffer,
    },
    values::digest::Digest,
};

use crate::{peer::*, world::*};

const RECORDS: usize = 200;
const DELETED: usize = 60;
/// The oldest ones are guarded by limits of their own.
const FIRST: usize = RECORDS - DELETED;

fn filled(phones: usize) -> (Cloud, Vec<Phone>) {
    let mut cloud = Cloud::new();
    let mut phones: Vec<Phone> = (1..=phones).map(|n| phone(n.try_into().unwrap())).collect();
    for n in 0..RECORDS {
        create(&mut phones[0], n, &[("name", &format!("n{n}")), ("phone", "1"), ("town", "Kiel")]);
    }
    phones.iter_mut().for_each(|phone| drop(cloud.sync(phone)));
    (cloud, phones)
}

/// In rounds under the limits: nobody is asked.
fn delete_in_rounds(cloud: &mut Cloud, phones: &mut [Phone]) {
    for round in 0..DELETED / 10 {
        for n in FIRST + round * 10..FIRST + round * 10 + 10 {
            delete(&mut phones[0], n);
        }
        phones.iter_mut().for_each(|phone| drop(cloud.sync(phone)));
    }
}

/// At once, with the consent of who deletes: it travels.
fn delete_at_once(cloud: &mut Cloud, phones: &mut [Phone]) {
    phones[0].write(&Write::delete_many(people(), (FIRST..RECORDS).map(rec).collect(), Cause::User), at(5)).unwrap();
    let hold = phones[0].hold(&people()).unwrap().unwrap();
    phones[0].consent(&people(), hold.digest, "Ada", at(6)).unwrap();
    phones.iter_mut().for_each(|phone| drop(cloud.sync(phone)));
}

fn alive(store: &MemoryStore) -> usize {
    rows(store).iter().filter(|row| row.version.is_alive()).count()
}

fn asked(store: &MemoryStore) -> u64 {
    head(store).hold.open
}

#[track_caller]
fn all_agree(cloud: &Cloud, phones: &[Phone], living_records: usize) {
    assert_eq!((alive(&cloud.store), asked(&cloud.store)), (living_records, 0), "the server");
    for phone in phones {
        assert_eq!((living(phone), asked(phone.store())), (living_records, 0), "{}", phone.replica());
    }
}

#[test]
fn sixty_properly_deleted_of_two_hundred_stay_dead_after_a_restore() {
    for is_marked in [false, true] {
        for deleting in [delete_in_rounds, delete_at_once] {
            let (mut cloud, mut phones) = filled(3);
            let backup = cloud.store.clone();
            deleting(&mut cloud, &mut phones);
            all_agree(&cloud, &phones, RECORDS - DELETED);
            cloud.store = backup;
            if is_marked {
                cloud.store.restored();
            }
            for order in [[2, 0, 1], [1, 2, 0]] {
                order.into_iter().for_each(|index: usize| drop(cloud.sync(&mut phones[index])));
            }
            let mut fresh = phone(9);
            cloud.sync(&mut fresh);
            phones.push(fresh);
            all_agree(&cloud, &phones, RECORDS - DELETED);
            let ledger = cloud.store.read(&ReadSet::head(people())).unwrap().ledger.unwrap();
            let left = u64::try_from(RECORDS - DELETED).unwrap();
            assert_eq!((ledger.base, ledger.spent), (left, 0), "what is lost again is lost to nobody");
            phones.iter_mut().for_each(|phone| assert_eq!(cloud.sync(phone).requests, 1));
        }
    }
}

#[test]
fn they_stay_dead_when_the_server_is_wiped_and_then_an_old_backup_returns() {
    let (mut cloud, mut phones) = filled(3);
    let backup = cloud.store.clone();
    delete_in_rounds(&mut cloud, &mut phones);
    cloud.store = MemoryStore::server();
    (0..2).for_each(|_| phones.iter_mut().for_each(|phone| drop(cloud.sync(phone))));
    // Who joins now has the word of the first server by way of the second.
    let mut late = phone(8);
    cloud.sync(&mut late);
    assert_eq!(living(&late), RECORDS - DELETED);
    cloud.store = backup;
    (0..2).for_each(|_| drop(cloud.sync(&mut late)));
    all_agree(&cloud, &[late], RECORDS - DELETED);
    (0..2).for_each(|_| phones.iter_mut().for_each(|phone| drop(cloud.sync(phone))));
    all_agree(&cloud, &phones, RECORDS - DELETED);
}

/// A device that was away while others deleted is asked after a loss exactly as it would have been without.
#[test]
fn who_was_away_is_asked_as_without_the_loss() {
    for deleting in [delete_in_rounds, delete_at_once] {
        let outcome = |is_lost: bool| {
            let (mut cloud, mut phones) = filled(3);
            let mut away = phones.pop().unwrap();
            let backup = cloud.store.clone();
            deleting(&mut cloud, &mut phones);
            if is_lost {
                cloud.store = backup;
                (0..2).for_each(|_| phones.iter_mut().for_each(|phone| drop(cloud.sync(phone))));
            }
            (0..2).for_each(|_| drop(cloud.sync(&mut away)));
            let hold = away.hold(&people()).unwrap().map(|hold| hold.open().map(|line| line.record.clone()).collect());
            (living(&away), hold.unwrap_or_else(Vec::new))
        };
        let without = outcome(false);
        assert_eq!(outcome(true), without);
        assert_eq!(without.1.is_empty(), without.0 == RECORDS - DELETED);
    }
}

#[test]
fn with_another_key_they_are_asked_about_as_if_nobody_had_agreed() {
    let (mut cloud, mut phones) = filled(2);
    let backup = cloud.store.clone();
    delete_in_rounds(&mut cloud, &mut phones);
    cloud.store = backup;
    cloud.store.restored();
    cloud.key = PositionKey::new([8; 32]);
    cloud.sync(&mut phones[0]);
    assert_eq!(alive(&cloud.store), RECORDS);
    assert!(asked(&cloud.store) > 0);
    assert_eq!(living(&phones[0]), RECORDS - DELETED);
}

/// What somebody sends by hand who has a device's row, altered.
fn sent(row: &Row, tag: Option<Tag>) -> SentOffer {
    SentOffer { delete_tag: tag, ..SentOffer::of(Offer::of(row), None) }
}

fn dead(phone: &Phone) -> Vec<Row> {
    rows(phone.store()).into_iter().filter(|row| !row.version.is_alive()).collect()
}

/// The restored server in repair, and who is the first to push.
fn in_repair(phone: &mut Phone, mut cloud: Cloud) -> Cloud {
    let mut session = open(phone, 77);
    let mut greeted = 0;
    let _ = phone.converse(&mut session, |frame| {
        greeted += 1;
        // Greeting, proof, and the first page; it pushes nothing itself.
        if greeted <= 3 { Ok(cloud.answer(frame)) } else { Err("no more") }
    });
    assert!(head(&cloud.store).history.unwrap().repair.is_some());
    cloud
}

fn claim(phone: &Phone) -> Claim {
    Claim::of(&head(phone.store()).server.unwrap().witness.unwrap(), vec![])
}

fn pushed(cloud: &mut Cloud, phone: &Phone, offers: Vec<SentOffer>) -> Vec<(u32, Taken)> {
    let counter = head(phone.store()).counter;
    match ask(cloud, phone.replica(), push(known(phone), counter, offers)) {
        Reply::Taken { except, .. } => except,
        other => panic!("{other:?}"),
    }
}

fn tags(phone: &Phone) -> Vec<Tag> {
    dead(phone).iter().map(|row| row.delete_tag.expect("the server's word")).collect()
}

#[test]
fn only_the_servers_own_word_on_exactly_that_delete_lets_many_die() {
    let (mut cloud, mut phones) = filled(2);
    let backup = cloud.store.clone();
    delete_in_rounds(&mut cloud, &mut phones);
    cloud.store = backup;
    let dead = dead(&phones[0]);
    assert_eq!(dead.len(), DELETED);
    let tags = tags(&phones[0]);
    let mut cloud = in_repair(&mut phones[0], cloud);
    let phone = &phones[0];
    let other = |place: usize| (place + 1) % DELETED;
    let of_key = |bytes: [u8; 32], account: &str, collection: &str, row: &Row| {
        let account = holdfast::AccountId::new(account).unwrap();
        let collection = holdfast::CollectionId::new(collection).unwrap();
        PositionKey::new(bytes).tag_delete(&account, &collection, (&row.record, row.version.digest()), None)
    };
    type Forge<'f> = Box<dyn Fn(usize, &Row) -> Option<Tag> + 'f>;
    let forged: [(&str, Forge<'_>); 6] = [
        ("none", Box::new(|_, _| None)),
        ("made up", Box::new(|place, _| Some(Tag(Digest::from_bytes([u8::try_from(place).unwrap(); 16]))))),
        ("of another record", Box::new(|place, _| Some(tags[other(place)]))),
        ("of another key", Box::new(|_, row| Some(of_key([8; 32], "ada", "people", row)))),
        ("of another account", Box::new(|_, row| Some(of_key([7; 32], "bob", "people", row)))),
        ("of another collection", Box::new(|_, row| Some(of_key([7; 32], "ada", "notes", row)))),
    ];
    for (what, tag) in forged {
        let mut cloud = Cloud { store: cloud.store.clone(), ..Cloud::new() };
        let offers = dead.iter().enumerate().map(|(place, row)| sent(row, tag(place, row))).collect();
        let except = pushed(&mut cloud, phone, offers);
        assert!(except.iter().all(|(_, taken)| *taken == Taken::Held), "{what}: {except:?}");
        assert_eq!((except.len(), alive(&cloud.store)), (DELETED, RECORDS), "{what}");
    }
    // A certificate covers what its writer had written by then, of any record.
    {
        let mut cloud = Cloud { store: cloud.store.clone(), ..Cloud::new() };
        let moved = |(n, row): (usize, &Row)| SentOffer { record: rec(n), ..sent(row, row.delete_tag) };
        let except = pushed(&mut cloud, phone, dead.iter().enumerate().map(moved).collect());
        assert!(except.iter().all(|(_, taken)| *taken == Taken::Held), "moved to another record: {except:?}");
        assert_eq!((except.len(), alive(&cloud.store)), (DELETED, RECORDS));
    }
    let offers = dead.iter().zip(&tags).map(|(row, tag)| sent(row, Some(*tag))).collect();
    let except = pushed(&mut cloud, phone, offers);
    assert!(except.iter().all(|(_, taken)| matches!(taken, Taken::Deleted(_))), "{except:?}");
    assert_eq!(alive(&cloud.store), RECORDS - DELETED);
    assert!(rows(&cloud.store).iter().all(|row| row.lost.is_none() && row.standing != Standing::Hidden));
}

/// A tag speaks of one certificate, not of the next one of the same record.
#[test]
fn a_tag_is_none_to_a_later_delete_of_the_same_record() {
    let (mut cloud, mut phones) = filled(2);
    delete_in_rounds(&mut cloud, &mut phones);
    let old = tags(&phones[0]);
    // They are brought back, and that is the state that the server is set back to.
    for n in FIRST..RECORDS {
        create(&mut phones[0], n, &[("name", "again"), ("phone", "2"), ("town", "Rom")]);
    }
    phones.iter_mut().for_each(|phone| drop(cloud.sync(phone)));
    let backup = cloud.store.clone();
    delete_in_rounds(&mut cloud, &mut phones);
    cloud.store = backup;
    let dead = dead(&phones[0]);
    let mut cloud = in_repair(&mut phones[0], cloud);
    let offers = dead.iter().zip(&old).map(|(row, tag)| sent(row, Some(*tag))).collect();
    let except = pushed(&mut cloud, &phones[0], offers);
    assert_eq!(except.iter().filter(|(_, taken)| *taken == Taken::Held).count(), DELETED, "{except:?}");
    // And the earlier delete itself is known, and kills nothing.
    assert_eq!(alive(&cloud.store), RECORDS);
}

/// Nor to what comes of it and something else that the server has by then.
#[test]
fn a_tag_is_none_to_what_another_write_has_joined() {
    let (mut cloud, mut phones) = filled(2);
    let backup = cloud.store.clone();
    delete_in_rounds(&mut cloud, &mut phones);
    cloud.store = backup;
    // A machine's edit revives nothing, and is lost with the record all the same.
    let mut other = phone(7);
    cloud.sync(&mut other);
    for n in FIRST..RECORDS {
        let seen = other.read::<Loose>(&people(), &rec(n), &Shape::new()).unwrap().unwrap();
        let mut next = (*seen).clone();
        next.insert("photo".into(), "new".into());
        other.write(&seen.save(&next, Cause::App).unwrap(), at(9)).unwrap();
    }
    cloud.sync(&mut other);
    let mut cloud = in_repair(&mut phones[0], cloud);
    let offers = dead(&phones[0]).iter().map(|row| sent(row, row.delete_tag)).collect();
    pushed(&mut cloud, &phones[0], offers);
    assert_eq!((alive(&cloud.store), asked(&cloud.store)), (RECORDS, 60));
}

/// While nothing is being mended, a tag is nothing: not at the server, and never at a device.
#[test]
fn a_tag_lifts_nothing_outside_a_repair_and_nothing_on_a_device() {
    let (mut cloud, mut phones) = filled(2);
    let backup = cloud.store.clone();
    let mut away = Device::new(phones[1].store().clone(), ReplicaId::from_entropy(2).unwrap(), Guard::default());
    delete_in_rounds(&mut cloud, &mut phones);
    // A device meets all of them at once, each with its tag.
    cloud.sync(&mut away);
    assert_eq!((living(&away), asked(away.store())), (RECORDS, 60));
    // A server at an old state that nobody has found out about: the pusher knows its position from there.
    let dead = dead(&phones[0]);
    let tags = tags(&phones[0]);
    let mut cloud = Cloud { store: backup, draws: 1 << 50, ..Cloud::new() };
    let mut rogue = phone(7);
    cloud.sync(&mut rogue);
    for n in FIRST..RECORDS {
        delete(&mut rogue, n);
    }
    let own = rows(rogue.store()).into_iter().filter(|row| !row.version.is_alive()).collect::<Vec<_>>();
    let offers = own.iter().zip(&tags).map(|(row, tag)| sent(row, Some(*tag))).collect();
    let except = pushed(&mut cloud, &rogue, offers);
    assert_eq!(except.iter().filter(|(_, taken)| *taken == Taken::Held).count(), DELETED);
    // Not even with its own word on exactly those, since nothing is being mended.
    let mut cloud = Cloud { store: cloud.store, draws: 1 << 51, ..Cloud::new() };
    let account = holdfast::AccountId::new("ada").unwrap();
    let own_tags =
        own.iter().map(|row| cloud.key.tag_delete(&account, &people(), (&row.record, row.version.digest()), None));
    let offers = own.iter().zip(own_tags.collect::<Vec<_>>()).map(|(row, tag)| sent(row, Some(tag))).collect();
    pushed(&mut cloud, &rogue, offers);
    assert_eq!((alive(&cloud.store), dead.len()), (RECORDS, DELETED));
}

/// An answer that nobody gave is not handed on under the cover of a tag.
#[test]
fn an_answer_that_the_tag_does_not_name_is_dropped() {
    let (mut cloud, mut phones) = filled(3);
    let mut away = phones.pop().unwrap();
    let backup = cloud.store.clone();
    delete_in_rounds(&mut cloud, &mut phones);
    cloud.store = backup;
    let mut cloud = in_repair(&mut phones[0], cloud);
    let forged = |row: &Row| {
        let hidden = row.version.digest();
        let excuse = Excuse { verdict: Verdict::Consent, held: hidden, hidden, by: "Ada".into(), at: at(1) };
        SentOffer { excuse: Some(excuse), ..sent(row, row.delete_tag) }
    };
    let offers = dead(&phones[0]).iter().map(forged).collect();
    pushed(&mut cloud, &phones[0], offers);
    assert_eq!(alive(&cloud.store), RECORDS - DELETED);
    cloud.sync(&mut away);
    assert_eq!((living(&away), asked(away.store())), (RECORDS, 60), "it is asked, as without the loss");
}

/// A certificate that nothing stood against was judged by nobody here: the server has no word on it.
#[test]
fn what_was_dead_on_arrival_is_given_no_tag() {
    let (mut cloud, mut phones) = filled(1);
    let mut rogue = phone(7);
    cloud.sync(&mut rogue);
    for n in 0..RECORDS {
        delete(&mut rogue, n);
    }
    let certificates: Vec<Row> = dead(&rogue);
    cloud.store = MemoryStore::server();
    cloud.sync(&mut phone(8));
    let offers = certificates.iter().map(|row| sent(row, None)).collect();
    let request = Request::Prove { collection: people(), claim: claim(&rogue) };
    let Reply::Judged { now: Some(now), .. } = ask(&mut cloud, rogue.replica(), request) else { panic!() };
    let at = Some(Greeting { revision: now.position.revision, tag: now.tag });
    let Reply::Taken { except, .. } = ask(&mut cloud, rogue.replica(), push(at, head(rogue.store()).counter, offers))
    else {
        panic!()
    };
    assert_eq!((except, rows(&cloud.store).len()), (vec![], RECORDS));
    cloud.sync(&mut phones[0]);
    assert_eq!(living(&phones[0]), RECORDS, "the device asks");
    assert!(rows(phones[0].store()).iter().all(|row| row.delete_tag.is_none()));
}

/// A page that waits keeps its tags, and they are looked at again when it is judged.
#[test]
fn tags_hold_over_the_pages_of_a_push() {
    let (mut cloud, mut phones) = filled(2);
    let backup = cloud.store.clone();
    delete_in_rounds(&mut cloud, &mut phones);
    cloud.store = backup;
    let dead = dead(&phones[0]);
    let mut cloud = in_repair(&mut phones[0], cloud);
    let (at, counter) = (known(&phones[0]), head(phones[0].store()).counter);
    let page = |rows: &[Row], is_first, is_last| Request::Push {
        collection: people(),
        at,
        links: links_up_to(counter),
        is_first,
        is_last,
        offers: rows.iter().map(|row| sent(row, row.delete_tag)).collect(),
    };
    let first = ask(&mut cloud, phones[0].replica(), page(&dead[..30], true, false));
    let Reply::Taken { except, now, .. } = first else { panic!("{first:?}") };
    assert!(except.iter().all(|(_, taken)| *taken == Taken::Staged), "{except:?}");
    let Request::Push { collection, links, offers, .. } = page(&dead[30..], false, true) else { return };
    let at = Some(Greeting { revision: now.position.revision, tag: now.tag });
    let last = Request::Push { collection, at, links, is_first: false, is_last: true, offers };
    let Reply::Taken { staged, .. } = ask(&mut cloud, phones[0].replica(), last) else { panic!() };
    assert!(staged.iter().all(|(_, taken)| matches!(taken, Taken::Deleted(_))), "{staged:?}");
    assert_eq!(alive(&cloud.store), RECORDS - DELETED);
}
