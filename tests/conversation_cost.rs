//! What a conversation costs on the wire: quiet rounds, single edits, many changes.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects, reason = "a test may stop")]
#![allow(clippy::print_stdout, reason = "the figures are the point")]

#[allow(dead_code, reason = "each test file uses a part")]
#[path = "conversation/world.rs"]
mod world;
#[path = "support/workload.rs"]
mod workload;

use holdfast::{
    compose::device_session::Report,
    decide::{
        offer::Offer,
        slice::{Query, ReadSet},
    },
    talk::offer::{Sent, SentOffer},
    values::value::Value,
    *,
};
use workload::{Chance, FAMILIES, FIELDS};
use world::*;

const GIVEN: [&str; 16] = [
    "Anna", "Björn", "Chloé", "Dmitri", "Elena", "Farid", "Grace", "Hiro", "Ines", "João", "Karin", "Luis", "Mei",
    "Nadia", "Oskar", "Priya",
];
/// A whole contact.
fn contact(chance: &mut Chance) -> [String; 10] {
    let (given, family) = (GIVEN[chance.below(16)], FAMILIES[chance.below(16)]);
    [
        given.into(),
        family.into(),
        format!("{given}.{family}{}@example.com", chance.below(10_000)),
        format!("+{} {:03} {:06}", 1 + chance.below(99), chance.below(1_000), chance.below(1_000_000)),
        format!("{} & Co {}", FAMILIES[chance.below(16)], chance.below(1_000)),
        "Manager".into(),
        format!("{} {} Street", 1 + chance.below(400), FAMILIES[chance.below(16)]),
        "Stockholm".into(),
        "SE".into(),
        chance.value(9),
    ]
}

struct Rig {
    cloud: Cloud,
    ada: Phone,
    ben: Phone,
    chance: Chance,
    ids: Vec<RecordId>,
    millis: i64,
}

impl Rig {
    fn new(records: usize) -> Self {
        let mut rig = Self {
            cloud: Cloud::new(),
            ada: phone(0x00a1_b2c3_d4e5_f607_1829_3a4b_5c6d_7e8f),
            ben: phone(0x0f9e_8d7c_6b5a_4938_2716_0504_f3e2_d1c0),
            chance: Chance(5),
            ids: Vec::new(),
            millis: 1_800_000_000_000,
        };
        for _ in 0..records {
            let id = rig.chance.id();
            let record = contact(&mut rig.chance);
            let at = rig.now();
            write(&mut rig.ada, &create(&id, &record), at);
            rig.ids.push(id);
        }
        rig.cloud.sync(&mut rig.ada);
        rig.cloud.sync(&mut rig.ben);
        rig.cloud.sync(&mut rig.ada);
        rig
    }

    fn now(&mut self) -> Timestamp {
        self.millis += 3;
        Timestamp::from_micros(self.millis * 1_000)
    }

    /// Edits one field each in so many records.
    fn edit(&mut self, edits: usize) {
        for n in 0..edits {
            let id = self.ids[(n * 7) % self.ids.len()].clone();
            let field = self.chance.below(10);
            let value = self.chance.value(field);
            let at = self.now();
            let seen = self.ada.read::<Loose>(&people(), &id, &Shape::new()).unwrap().unwrap();
            let mut next = (*seen).clone();
            next.insert(FIELDS[field].into(), Value::from(value.as_str()));
            write(&mut self.ada, &seen.save(&next, Cause::User).unwrap(), at);
        }
    }

    /// The bytes of what Ada has pending, each change encoded alone.
    fn pending_alone(&self) -> usize {
        let query = Query::Pending { after: None, limit: usize::MAX };
        let slice = self.ada.store().read(&ReadSet::head(people()).with_query(query)).unwrap();
        let alone = |row: &holdfast::decide::row::Row| match SentOffer::of(Offer::of(row), row.base.as_ref()).version {
            Sent::Whole(version) => row.record.as_str().len() + version.as_bytes().len(),
            Sent::Patch(patch) => 17 + patch.encode().len(),
        };
        slice.rows.values().map(alone).sum()
    }
}

fn create(id: &RecordId, record: &[String; 10]) -> Write {
    let fields = FIELDS.iter().zip(record).map(|(name, value)| ((*name).to_owned(), Value::from(value.as_str())));
    let fields: Loose = fields.collect();
    Write::create(people(), id.clone(), &fields, &Shape::new(), Cause::User).unwrap()
}

fn write(phone: &mut Phone, write: &Write, at: Timestamp) {
    phone.write(write, at).unwrap();
}

fn crossed(report: &Report) -> u64 {
    report.bytes_sent + report.bytes_received
}

#[test]
fn a_quiet_round_is_one_short_request_and_writes_nothing() {
    let mut rig = Rig::new(50);
    let (device, server) = (revision(rig.ada.store()), revision(&rig.cloud.store));
    let quiet = rig.cloud.sync(&mut rig.ada);
    println!("quiet: {} bytes up, {} down", quiet.bytes_sent, quiet.bytes_received);
    assert_eq!(quiet.requests, 1);
    assert!(quiet.bytes_sent <= 200 && quiet.bytes_received <= 200);
    assert_eq!((revision(rig.ada.store()), revision(&rig.cloud.store)), (device, server));
}

#[test]
fn each_further_quiet_collection_costs_at_most_forty_bytes() {
    let mut cloud = Cloud::new();
    let mut ada = phone(1);
    let collections: Vec<CollectionId> =
        ["contacts", "calendar", "tasks", "photos"].iter().map(|name| CollectionId::new(name).unwrap()).collect();
    for collection in &collections {
        for n in 0..20 {
            let fields = Loose::from([("name".to_owned(), Value::from("x"))]);
            let write = Write::create(collection.clone(), rec(n), &fields, &Shape::new(), Cause::User).unwrap();
            ada.write(&write, at(1)).unwrap();
        }
    }
    let mut sizes = Vec::new();
    for count in 1..=collections.len() {
        let subscribed = collections[..count].to_vec();
        let mut sync = || {
            let collections = subscribed.clone();
            cloud.sync_as(&mut ada, |opening| compose::device_session::Opening { collections, ..opening }).unwrap()
        };
        sync();
        let quiet = sync();
        assert_eq!(quiet.requests, 1, "{quiet}");
        sizes.push((quiet.bytes_sent, quiet.bytes_received));
    }
    println!("quiet, 1 to 4 collections: {sizes:?}");
    assert!(sizes[0].0 <= 200 && sizes[0].1 <= 200);
    for pair in sizes.windows(2) {
        assert!(pair[1].0 - pair[0].0 <= 40 && pair[1].1 - pair[0].1 <= 40, "{sizes:?}");
    }
}

#[test]
fn a_one_field_edit_costs_at_most_sixty_four_bytes_either_way() {
    for edits in [1, 10, 100, 400] {
        let mut rig = Rig::new(1_000);
        let quiet = crossed(&rig.cloud.sync(&mut rig.ada));
        rig.edit(edits);
        let up = rig.cloud.sync(&mut rig.ada);
        let down = rig.cloud.sync(&mut rig.ben);
        let edits = u64::try_from(edits).unwrap();
        let each = |report: &Report| (crossed(report) - quiet).div_ceil(edits);
        println!("{edits} edits: {} bytes each up, {} down", each(&up), each(&down));
        if edits >= 100 {
            assert!(each(&up) <= 64 && each(&down) <= 64, "{up}\n{down}");
        }
        assert_eq!(rig.cloud.sync(&mut rig.ben).requests, 1);
    }
}

#[test]
fn a_round_costs_its_changes_and_little_more() {
    for (records, edits) in [(200, 1), (200, 20), (200, 90), (3_000, 1_400)] {
        let mut rig = Rig::new(records);
        rig.edit(edits);
        for _ in 0..edits.div_ceil(20) {
            let (id, record, at) = (rig.chance.id(), contact(&mut rig.chance), rig.now());
            write(&mut rig.ada, &create(&id, &record), at);
        }
        let alone = rig.pending_alone();
        let report = rig.cloud.sync(&mut rig.ada);
        let pulled = rig.cloud.sync(&mut rig.ben);
        let quiet = crossed(&rig.cloud.sync(&mut rig.ada));
        let most = u64::try_from(alone * 11 / 10 + 200).unwrap();
        let (up, down) = (crossed(&report) - quiet, crossed(&pulled) - quiet);
        println!("{edits} edits of {records}: {alone} bytes alone; beyond a quiet round {up} to push, {down} to pull");
        assert!(up <= most && down <= most, "{report}\n{pulled}");
    }
}

fn revision(store: &MemoryStore) -> u64 {
    store.read(&ReadSet::head(people())).unwrap().head.revision.0
}
