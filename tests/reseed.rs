//! "The server lost it, this device is right": one call that sends everything and takes nothing from the device.
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

use std::collections::{BTreeMap, BTreeSet};

use holdfast::{
    Cause, MemoryStore, Opening, RecordId, ReplicaId, Shape, Write,
    act::store::Store,
    decide::{
        breach::{Rule, Why},
        row::Row,
        slice::ReadSet,
    },
};
use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use world::*;

const RECORDS: usize = 24;

/// What survives of each living record, by field.
fn contents(store: &MemoryStore) -> BTreeMap<RecordId, BTreeMap<String, BTreeSet<String>>> {
    let living = rows(store).into_iter().filter(|row| row.version.is_alive());
    let of = |row: Row| {
        let record = row.version.record();
        let values = |register: &holdfast::values::register::Register<_>| {
            register.siblings().iter().map(|sibling| format!("{:?}", sibling.value)).collect()
        };
        let fields = record.fields().iter().map(|(name, register)| (name.to_string(), values(register))).collect();
        (row.record, fields)
    };
    living.map(of).collect()
}

/// What is in `before` and not in `after`.
fn taken(before: &MemoryStore, after: &MemoryStore) -> Vec<String> {
    let after = contents(after);
    let mut gone = Vec::new();
    for (record, fields) in contents(before) {
        let Some(now) = after.get(&record) else {
            gone.push(record.to_string());
            continue;
        };
        for (name, values) in fields {
            let kept = now.get(&name).cloned().unwrap_or_default();
            gone.extend(values.difference(&kept).map(|value| format!("{record} {name} {value}")));
        }
    }
    gone
}

fn shape() -> Shape {
    Shape::new().set("tags")
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Card {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    phone: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    town: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    mail: Option<String>,
    #[serde(default)]
    tags: Vec<String>,
}

fn made(phone: &mut Phone, n: usize) {
    let tags = vec!["a".into(), "b".into()];
    let (name, town) = (Some(format!("n{n}")), Some("Kiel".into()));
    let card = Card { name, phone: Some("1".into()), town, mail: None, tags };
    phone.write(&Write::create(people(), rec(n), &card, &shape(), Cause::User).unwrap(), at(1)).unwrap();
}

fn filled(phones: usize) -> (Cloud, Vec<Phone>) {
    let mut cloud = Cloud::new();
    let mut phones: Vec<Phone> = (1..=phones).map(|n| phone(n.try_into().unwrap())).collect();
    for n in 0..RECORDS {
        let who = n % phones.len();
        made(&mut phones[who], n);
    }
    (0..2).for_each(|_| phones.iter_mut().for_each(|phone| drop(cloud.sync(phone))));
    (cloud, phones)
}

#[derive(Debug, Clone)]
enum Damage {
    Wiped,
    SetBack {
        is_marked: bool,
    },
    /// Another server, with records of somebody else under some of the same names.
    Other {
        records: usize,
    },
    RowsLost(Vec<usize>),
    /// Another device has written since, as much as passes unasked.
    Written(Vec<(usize, u8)>),
}

fn damage() -> impl Strategy<Value = Damage> {
    let some = || proptest::collection::vec(0..RECORDS, 1..8);
    let written = proptest::collection::vec((0..RECORDS, 0_u8..6), 1..12);
    prop_oneof![
        Just(Damage::Wiped),
        any::<bool>().prop_map(|is_marked| Damage::SetBack { is_marked }),
        (1..RECORDS).prop_map(|records| Damage::Other { records }),
        some().prop_map(Damage::RowsLost),
        written.prop_map(Damage::Written),
    ]
}

/// Changes a record, as the app's screen would.
fn change(phone: &mut Phone, n: usize, change: impl FnOnce(&mut Card)) {
    let Some(seen) = phone.read::<Card>(&people(), &rec(n), &shape()).unwrap() else { return };
    let mut next = (*seen).clone();
    change(&mut next);
    phone.write(&seen.save(&next, Cause::User).unwrap(), at(7)).unwrap();
}

fn write(phone: &mut Phone, n: usize, kind: u8) {
    if phone.read::<Card>(&people(), &rec(n), &shape()).unwrap().is_none() {
        return;
    }
    match kind {
        0 => delete(phone, n),
        1 => change(phone, n, |card| card.phone = None),
        2 => change(phone, n, |card| *card = Card::default()),
        3 => change(phone, n, |card| card.town = Some("Rom".into())),
        4 => change(phone, n, |card| card.tags = vec!["a".into()]),
        _ => change(phone, n, |card| card.mail = Some("new".into())),
    }
}

fn befall(cloud: &mut Cloud, backup: &MemoryStore, damage: &Damage, who: u128) {
    match damage {
        Damage::Wiped => cloud.store = MemoryStore::server(),
        Damage::SetBack { is_marked } => {
            cloud.store = backup.clone();
            if *is_marked {
                cloud.store.restored();
            }
        }
        Damage::Other { records } => {
            cloud.store = MemoryStore::server();
            let mut stranger = phone(30 + who);
            (0..*records).for_each(|n| create(&mut stranger, n, &[("name", "other"), ("town", "Ulm")]));
            cloud.sync(&mut stranger);
        }
        Damage::RowsLost(records) => {
            cloud.store.damage_rows(&people(), records.iter().map(|n| rec(*n)).collect::<Vec<_>>().iter());
        }
        Damage::Written(writes) => {
            let mut other = phone(40 + who);
            cloud.sync(&mut other);
            for (n, kind) in writes {
                write(&mut other, *n, *kind);
                cloud.sync(&mut other);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever has become of the server, and however often the session is cut off, the device keeps every value of every
    /// record, now and later, and the server then has all that the device has.
    #[test]
    fn nothing_is_taken_from_the_device_and_the_server_has_it_all(
        damages in proptest::collection::vec(damage(), 1..4),
        unsent in 0..RECORDS,
        cuts in 0_u32..3,
        is_mid_session in any::<bool>(),
    ) {
        let (mut cloud, mut phones) = filled(2);
        let backup = cloud.store.clone();
        change(&mut phones[1], 3, |card| card.phone = Some("2".into()));
        delete(&mut phones[1], 4);
        create(&mut phones[0], 40, &[("name", "since")]);
        (0..2).for_each(|_| phones.iter_mut().for_each(|phone| drop(cloud.sync(phone))));
        let mut ada = phones.remove(0);
        change(&mut ada, unsent, |card| card.phone = Some("unsent".into()));
        damages.iter().zip(0..).for_each(|(damage, who)| befall(&mut cloud, &backup, damage, who));
        if is_mid_session {
            // Something is staged from a session that was cut off before.
            cloud.sync_as(&mut ada, |opening| Opening { max_requests: 3, ..opening }).unwrap();
        }
        let before = ada.store().clone();
        ada.reseed(&people()).unwrap();
        prop_assert_eq!(taken(&before, ada.store()), Vec::<String>::new());
        for _ in 0..cuts {
            cloud.sync_as(&mut ada, |opening| Opening { max_requests: 2, ..opening }).unwrap();
            prop_assert_eq!(taken(&before, ada.store()), Vec::<String>::new());
        }
        let report = cloud.sync(&mut ada);
        prop_assert!(report.is_complete(), "{}", report);
        prop_assert_eq!(taken(&before, ada.store()), Vec::<String>::new(), "{}", report);
        let server = rows(&cloud.store);
        for row in rows(ada.store()) {
            let there = server.iter().find(|there| there.record == row.record);
            let there = there.map(|row| row.known().context().clone()).unwrap_or_default();
            prop_assert!(there.covers_all(row.known().context()), "{}: {}", row.record, report);
        }
        // Nothing is removed later in silence, either.
        (0..3).for_each(|_| drop(cloud.sync(&mut ada)));
        prop_assert_eq!(taken(&before, ada.store()), Vec::<String>::new());
        // Kept, the server is as the device.
        if let Some(hold) = ada.hold(&people()).unwrap() {
            ada.keep(&people(), hold.digest, "Ada", at(40)).unwrap();
        }
        (0..2).for_each(|_| drop(cloud.sync(&mut ada)));
        prop_assert_eq!(contents(&cloud.store), contents(ada.store()));
        prop_assert_eq!(taken(&before, ada.store()), Vec::<String>::new());
        prop_assert_eq!(cloud.sync(&mut ada).requests, 1);
    }
}

#[test]
fn after_a_plain_loss_the_server_is_the_device_and_nobody_is_asked() {
    let losses = [
        Damage::Wiped,
        Damage::SetBack { is_marked: false },
        Damage::SetBack { is_marked: true },
        Damage::RowsLost(vec![3, 9]),
    ];
    for loss in losses {
        let (mut cloud, mut phones) = filled(2);
        let backup = cloud.store.clone();
        change(&mut phones[1], 3, |card| card.phone = Some("2".into()));
        delete(&mut phones[1], 4);
        (0..2).for_each(|_| phones.iter_mut().for_each(|phone| drop(cloud.sync(phone))));
        befall(&mut cloud, &backup, &loss, 0);
        let before = contents(phones[0].store());
        phones[0].reseed(&people()).unwrap();
        let report = cloud.sync(&mut phones[0]);
        // All is compared, and what the server lacks goes up.
        let lacks = if matches!(loss, Damage::Wiped) { u64::try_from(RECORDS).unwrap() } else { 2 };
        assert_eq!(report.collections[0].resent, lacks, "{report}");
        assert_eq!((contents(&cloud.store), contents(phones[0].store())), (before.clone(), before), "{loss:?}");
        assert!(phones[0].hold(&people()).unwrap().is_none(), "{loss:?}");
        (0..2).for_each(|_| phones.iter_mut().for_each(|phone| drop(cloud.sync(phone))));
        assert_eq!(contents(&cloud.store), contents(phones[1].store()), "{loss:?}");
        phones.iter_mut().for_each(|phone| assert_eq!(cloud.sync(phone).requests, 1, "{loss:?}"));
    }
}

#[test]
fn what_the_server_would_take_is_asked_each_by_itself_and_says_why() {
    let (mut cloud, mut phones) = filled(2);
    let mut other = phone(31);
    cloud.sync(&mut other);
    [(1, 0), (2, 1), (3, 3), (5, 5), (6, 4)].into_iter().for_each(|(n, kind)| write(&mut other, n, kind));
    cloud.sync(&mut other);
    let ada = &mut phones[0];
    ada.reseed(&people()).unwrap();
    let report = cloud.sync(ada).to_string();
    assert!(report.starts_with("people: the server is seeded from this device; 4 sent, 4 acknowledged\n"), "{report}");
    // A delete, a field that was emptied, one that was overwritten, and one tag of two; not the field that was added.
    let hold = ada.hold(&people()).unwrap().unwrap();
    let asked: Vec<_> = hold.open().map(|line| line.record.clone()).collect();
    assert_eq!(asked, [rec(1), rec(2), rec(3), rec(6)]);
    let is_why = |why: &Why| matches!(why, Why::Limit(breach) if breach.rule == Rule::Reseed);
    assert!(hold.open().all(|line| is_why(&line.why)), "{hold}");
    assert!(
        hold.to_string().contains("the server is seeded from this device, and would take 4 of 24 records"),
        "{hold}"
    );
    assert!(contents(ada.store())[&rec(5)].contains_key("mail"));
    // More that comes for them lets nothing in that was asked about.
    write(&mut other, 3, 5);
    cloud.sync(&mut other);
    cloud.sync(ada);
    assert!(contents(ada.store())[&rec(3)]["town"].iter().all(|town| town.contains("Kiel")));
    let hold = ada.hold(&people()).unwrap().unwrap();
    assert_eq!(hold.open().count(), 4, "{hold}");
    // The others are not told of a question that is none of theirs.
    let report = cloud.sync(&mut phones[1]);
    assert_eq!(report.collections[0].hold_there, None, "{report}");
    // What the person lets in is let in, and the next round is like any other.
    phones[0].consent(&people(), hold.digest, "Ada", at(41)).unwrap();
    cloud.sync(&mut phones[0]);
    assert_eq!(contents(phones[0].store()), contents(&cloud.store));
    assert!(!contents(&cloud.store).contains_key(&rec(1)));
    write(&mut other, 7, 0);
    cloud.sync(&mut other);
    cloud.sync(&mut phones[0]);
    assert!(!contents(phones[0].store()).contains_key(&rec(7)), "an ordinary delete passes again");
}

#[test]
fn an_answer_about_what_is_held_here_goes_up_once() {
    let (mut cloud, mut phones) = filled(2);
    [(1, 0), (2, 1), (3, 3)].into_iter().for_each(|(n, kind)| write(&mut phones[1], n, kind));
    cloud.sync(&mut phones[1]);
    let ada = &mut phones[0];
    ada.reseed(&people()).unwrap();
    cloud.sync(ada);
    let hold = ada.hold(&people()).unwrap().unwrap();
    ada.keep(&people(), hold.digest, "Ada", at(41)).unwrap();
    // The server has what is held, and not what is shown: a patch is made on that.
    let report = cloud.sync(ada);
    assert_eq!((hold.open().count(), report.collections[0].sent, report.collections[0].acknowledged), (3, 3, 3));
}

#[test]
fn a_consent_that_travels_lifts_nothing_while_the_server_is_seeded() {
    let (mut cloud, mut phones) = filled(2);
    phones[1].write(&Write::delete_many(people(), (0..6).map(rec).collect(), Cause::User), at(5)).unwrap();
    let hold = phones[1].hold(&people()).unwrap().unwrap();
    phones[1].consent(&people(), hold.digest, "Ben", at(6)).unwrap();
    cloud.sync(&mut phones[1]);
    phones[0].reseed(&people()).unwrap();
    cloud.sync(&mut phones[0]);
    assert_eq!((living(&phones[0]), phones[0].hold(&people()).unwrap().unwrap().open().count()), (RECORDS, 6));
}

#[test]
fn a_collection_that_was_never_synced_has_nothing_to_forget() {
    let mut ada = phone(1);
    create(&mut ada, 0, &[("name", "a")]);
    let before = serde_json::to_string(ada.store()).unwrap();
    ada.reseed(&people()).unwrap();
    assert_eq!(serde_json::to_string(ada.store()).unwrap(), before);
}

#[test]
fn it_is_one_commit_and_makes_everything_pending() {
    let (_, mut phones) = filled(2);
    let before = phones[0].store().read(&ReadSet::head(people())).unwrap().head.revision;
    phones[0].reseed(&people()).unwrap();
    let head = phones[0].store().read(&ReadSet::head(people())).unwrap().head;
    assert_eq!(head.revision, before.next());
    let known = head.server.unwrap();
    assert!(known.witness.is_none() && known.is_recovering && known.cursor == Default::default());
    assert!(rows(phones[0].store()).iter().all(|row| row.is_pending && row.acknowledged.is_none()));
}

/// A removal that was still waiting to be judged, of a server that has lost it since, is a question, too.
#[test]
fn what_was_staged_before_is_asked_about() {
    let (mut cloud, mut phones) = filled(2);
    let mut other = phone(31);
    cloud.sync(&mut other);
    write(&mut other, 20, 0);
    cloud.sync(&mut other);
    (0..4).for_each(|n| write(&mut other, n, 5));
    cloud.sync(&mut other);
    let ada = &mut phones[0];
    let limits = holdfast::talk::limits::WireLimits { page_bytes: 1, ..Default::default() };
    cloud.sync_as(ada, |opening| Opening { limits, max_requests: 3, ..opening }).unwrap();
    let staged = ReadSet::head(people()).with_staged(ReplicaId::THIS_DEVICE);
    assert_eq!(ada.store().read(&staged).unwrap().staged.len(), 1);
    cloud.store = MemoryStore::server();
    ada.reseed(&people()).unwrap();
    for _ in 0..3 {
        cloud.sync(ada);
        let asked: Vec<_> = ada.hold(&people()).unwrap().unwrap().open().map(|line| line.record.clone()).collect();
        assert_eq!((living(ada), asked), (RECORDS, vec![rec(20)]));
    }
}

/// Under a new id, a record names no write that it never had: a server that does not know one has not lost it.
#[test]
fn a_new_id_after_a_reseed_is_no_loss() {
    let fields = [("name", "n"), ("phone", "1"), ("town", "Kiel")];
    for (before, after) in [(false, false), (true, false), (false, true), (true, true)] {
        let (mut cloud, mut ada) = (Cloud::new(), phone(1));
        create(&mut ada, 0, &fields);
        cloud.sync(&mut ada);
        if before {
            create(&mut ada, 1, &fields);
            edit(&mut ada, 1, "phone", "2", 7);
        }
        edit(&mut ada, 0, "phone", "2", 7);
        ada.reseed(&people()).unwrap();
        if after {
            create(&mut ada, 2, &fields);
        }
        ada.rotate(ReplicaId::from_entropy(77).unwrap(), [&people()]).unwrap();
        let report = cloud.sync(&mut ada);
        // Nothing was known of the server, and nothing is called lost.
        let first = Some(holdfast::decide::continuity::Continuity::First);
        assert_eq!(report.collections[0].continuity, first, "{before} {after}: {report}");
        assert_eq!(contents(&cloud.store), contents(ada.store()));
        assert_eq!(contents(&cloud.store).values().map(|fields| fields["phone"].len()).max(), Some(1));
        assert_eq!(cloud.sync(&mut ada).requests, 1);
    }
}
