//! Finding what differs where no cursor is shared, beside `negentropy`, which finds it by ranges, too.
//!
//! `cargo bench --bench reconcile`; `BENCH_QUICK=1` for the small set alone. Of both, bytes and messages count what crosses until
//! the device knows which records differ. Of the library that is a real session over stores in memory; its time includes the
//! store's reads on both sides, and fingerprints made of rows. `negentropy` is given elements of 32 bytes that are hashed
//! before, ordered by id as ours are, and by the time of the last change, which is the best case for changes made lately.

#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a measurement is for people, and may stop")]
#![allow(clippy::indexing_slicing, clippy::arithmetic_side_effects, clippy::as_conversions, reason = "as above")]

use std::{
    collections::BTreeMap,
    env,
    time::{Duration, Instant},
};

use holdfast::{
    act::store::Store,
    compose::device_session::{DeviceSession, Output},
    decide::slice::{Query, ReadSet},
    talk::{frame::RequestFrame, limits::WireLimits, message::Request},
    values::digest::Digest,
    *,
};
use negentropy::{Id, Negentropy, NegentropyStorageVector};

struct Found {
    bytes: usize,
    messages: usize,
    time: Duration,
}

fn main() {
    let sizes: &[(usize, usize)] = match env::var_os("BENCH_QUICK") {
        Some(_) => &[(10_000, 10), (10_000, 1_000)],
        None => &[(10_000, 10), (10_000, 1_000), (100_000, 10), (100_000, 1_000)],
    };
    println!("records  differ  what                 bytes  of ours  messages        ms  of ours");
    for &(records, differ) in sizes {
        let (phone, cloud) = apart(records, differ);
        let [ours, by_id, by_time] = [
            session(phone.clone(), cloud.clone()),
            ranges(&elements(phone.store()), &elements(&cloud), false),
            ranges(&elements(phone.store()), &elements(&cloud), true),
        ];
        for (what, found) in [("a session", &ours), ("negentropy by id", &by_id), ("negentropy by time", &by_time)] {
            let bytes = found.bytes as f64 / ours.bytes as f64;
            let time = found.time.as_secs_f64() / ours.time.as_secs_f64();
            let (all, messages, ms) = (found.bytes, found.messages, found.time.as_secs_f64() * 1e3);
            println!(
                "{records:>7}  {differ:>6}  {what:<18}  {all:>7}  {bytes:>7.2}  {messages:>8}  {ms:>8.2}  {time:>7.2}"
            );
        }
    }
}

fn people() -> CollectionId {
    CollectionId::new("people").unwrap()
}

/// A phone and a server that have `records` in common but for `differ`: a quarter each is only here, only there, edited here,
/// edited there.
fn apart(records: usize, differ: usize) -> (Device<MemoryStore>, MemoryStore) {
    let phone = |n| Device::new(MemoryStore::device(), ReplicaId::from_entropy(n).unwrap(), Guard::default());
    let [mut ada, mut ben] = [phone(1), phone(2)];
    let mut cloud = MemoryStore::server();
    (0..records).for_each(|n| create(&mut ada, n));
    for phone in [&mut ada, &mut ben] {
        sync(phone, &mut cloud);
    }
    let quarter = differ.div_ceil(4);
    for (phone, from) in [(&mut ada, 0), (&mut ben, quarter)] {
        for n in from..from + quarter {
            create(phone, records + n);
            // Far from each other.
            edit(phone, n * 7_919 % records);
        }
    }
    sync(&mut ada, &mut cloud);
    (ben, cloud)
}

fn id(n: usize) -> RecordId {
    let hash = blake3::hash(&n.to_le_bytes());
    let uuid = uuid::Builder::from_random_bytes(hash.as_bytes()[..16].try_into().unwrap()).into_uuid();
    RecordId::new(uuid.to_string()).unwrap()
}

fn create(phone: &mut Device<MemoryStore>, n: usize) {
    let fields = BTreeMap::from([("name", format!("Person {n}")), ("phone", format!("+49 {n}"))]);
    let write = Write::create(people(), id(n), &fields, &Shape::new(), Cause::User).unwrap();
    phone.write(&write, Timestamp::from_micros(1)).unwrap();
}

fn edit(phone: &mut Device<MemoryStore>, n: usize) {
    let seen = phone.read::<BTreeMap<String, String>>(&people(), &id(n), &Shape::new()).unwrap().unwrap();
    let mut next = (*seen).clone();
    next.insert("phone".into(), "another".into());
    phone.write(&seen.save(&next, Cause::User).unwrap(), Timestamp::from_micros(2)).unwrap();
}

/// One whole session.
fn sync(phone: &mut Device<MemoryStore>, cloud: &mut MemoryStore) {
    let mut session = open(phone);
    phone.converse(&mut session, |frame| Ok::<_, std::convert::Infallible>(reply(cloud, frame))).unwrap();
}

fn open(phone: &Device<MemoryStore>) -> DeviceSession {
    DeviceSession::open(phone.opening(account(), vec![people()]), &entropy(phone.store()))
}

fn account() -> AccountId {
    AccountId::new("ada").unwrap()
}

fn reply(cloud: &mut MemoryStore, frame: &[u8]) -> Vec<u8> {
    let (account, key, entropy) = (account(), PositionKey::new([7; 32]), entropy(cloud));
    let mut server = Server::new(cloud, ReplicaId::from_entropy(99).unwrap(), Guard::default());
    server.serve(frame, &Call::new(&account, &key, entropy)).unwrap()
}

/// Another one for each state of a store.
fn entropy(store: &MemoryStore) -> Entropy {
    let revision = store.read(&ReadSet::head(people())).unwrap().head.revision.0;
    Entropy::new(*blake3::hash(&revision.to_le_bytes()).as_bytes()).unwrap()
}

/// What the library needs: all requests that compare, with what is read for them.
fn session(mut phone: Device<MemoryStore>, mut cloud: MemoryStore) -> Found {
    phone.reseed(&people()).unwrap();
    let mut session = open(&phone);
    let mut found = Found { bytes: 0, messages: 0, time: Duration::ZERO };
    let mut store = phone.store().clone();
    loop {
        match session.poll() {
            Output::Read(set) => {
                let begun = Instant::now();
                let is_compared = !set.spans.is_empty();
                let slice = store.read(&set).unwrap();
                session.loaded(slice);
                found.time += if is_compared { begun.elapsed() } else { Duration::ZERO };
            }
            Output::Commit(batch) => {
                store.commit(batch).unwrap();
                session.committed();
            }
            Output::Send(frame) => {
                let asked = RequestFrame::decode(&frame, &WireLimits::default()).unwrap().requests.remove(0);
                let is_compared = matches!(asked, Request::Reconcile { .. });
                let begun = Instant::now();
                let reply = reply(&mut cloud, &frame);
                session.received(&reply).unwrap();
                if is_compared {
                    found.time += begun.elapsed();
                    found.bytes += frame.len() + reply.len();
                    found.messages += 2;
                }
            }
            Output::Done(report) => {
                assert!(report.is_complete(), "{report}");
                return found;
            }
        }
    }
}

/// Each record, its version, and when it last changed.
fn elements(store: &MemoryStore) -> Vec<(RecordId, Digest, u64)> {
    let query = Query::Range { after: None, limit: usize::MAX };
    let rows = store.read(&ReadSet::head(people()).with_query(query)).unwrap().rows;
    let changed = |row: &decide::row::Row| u64::from(row.version.context().iter().len() > 1 || row.is_pending);
    rows.into_values().map(|row| (row.record.clone(), row.known().digest(), changed(&row))).collect()
}

fn ranges(ours: &[(RecordId, Digest, u64)], theirs: &[(RecordId, Digest, u64)], by_time: bool) -> Found {
    let sealed = |elements: &[(RecordId, Digest, u64)]| {
        let mut storage = NegentropyStorageVector::with_capacity(elements.len());
        for (record, version, time) in elements {
            let hash = blake3::hash(&[record.as_str().as_bytes(), version.as_bytes()].concat());
            let id = Id::from_byte_array(*hash.as_bytes());
            storage.insert(if by_time { *time } else { 0 }, id).unwrap();
        }
        storage.seal().unwrap();
        storage
    };
    let (ours, theirs) = (sealed(ours), sealed(theirs));
    let begun = Instant::now();
    let mut device = Negentropy::borrowed(&ours, 0).unwrap();
    let (mut have, mut need) = (Vec::new(), Vec::new());
    let (mut asked, mut found) = (device.initiate().unwrap(), Found { bytes: 0, messages: 0, time: Duration::ZERO });
    loop {
        let reply = Negentropy::borrowed(&theirs, 0).unwrap().reconcile(&asked).unwrap();
        found.bytes += asked.len() + reply.len();
        found.messages += 2;
        match device.reconcile_with_ids(&reply, &mut have, &mut need).unwrap() {
            Some(next) => asked = next,
            None => break,
        }
    }
    Found { time: begun.elapsed(), ..found }
}
