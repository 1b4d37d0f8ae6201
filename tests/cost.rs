//! What a sync costs, counted in work and not in seconds: rows that a store reads and writes, and bytes allocated.
#![allow(clippy::unwrap_used, clippy::arithmetic_side_effects, clippy::indexing_slicing, clippy::panic)]

use std::{cell::Cell, convert::Infallible, rc::Rc};

use holdfast::{
    act::{
        memory::MemoryStore,
        plan::Batch,
        store::{CommitError, Store},
    },
    compose::{device::Device, exchange::exchange, server::Server},
    decide::{
        changes::Changes,
        consent::Trust,
        guard::{Guard, Inputs},
        ledger::RoundId,
        offer::Offer,
        slice::{ReadSet, Slice},
        write::Write,
    },
    values::{
        id::{CollectionId, RecordId, ReplicaId},
        register::Cause,
        shape::Shape,
        time::Timestamp,
    },
};
use serde::{Deserialize, Serialize};

const SIZES: [usize; 3] = [1_000, 10_000, 100_000];
/// Records that each side changes.
const CHANGED: usize = 20;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Work {
    rows_read: usize,
    rows_written: usize,
    commits: usize,
}

/// A store in memory that notes what it is asked for.
#[derive(Debug)]
struct Counting {
    inner: MemoryStore,
    work: Rc<Cell<Work>>,
}

impl Store for Counting {
    type Error = Infallible;

    fn read(&self, set: &ReadSet) -> Result<Slice, Infallible> {
        let slice = self.inner.read(set)?;
        let work = self.work.get();
        self.work.set(Work { rows_read: work.rows_read + slice.rows.len() + slice.moved.len(), ..work });
        Ok(slice)
    }

    fn commit(&mut self, batch: Batch) -> Result<(), CommitError<Infallible>> {
        let Work { rows_read, rows_written, commits } = self.work.get();
        self.work.set(Work { rows_read, rows_written: rows_written + batch.rows.len(), commits: commits + 1 });
        self.inner.commit(batch)
    }
}

#[derive(Serialize, Deserialize, Clone)]
struct Contact {
    name: String,
    phone: String,
    city: String,
}

fn people() -> CollectionId {
    CollectionId::new("people").unwrap()
}

fn record(number: usize) -> RecordId {
    RecordId::new(format!("record {number:06}")).unwrap()
}

fn replica(number: u128) -> ReplicaId {
    ReplicaId::from_entropy(number).unwrap()
}

/// Two devices and a server that hold the same `size` records.
struct World {
    ours: Device<Counting>,
    theirs: Device<Counting>,
    server: Server<Counting>,
    /// What the stores of `ours` and of the server were asked for.
    work: Rc<Cell<Work>>,
    size: usize,
    round: u128,
}

impl World {
    fn of(size: usize) -> Self {
        let work = Rc::default();
        let store = |inner, work: &Rc<_>| Counting { inner, work: Rc::clone(work) };
        let mut world = Self {
            ours: Device::new(store(MemoryStore::device(), &work), replica(1), Guard::default()),
            theirs: Device::new(store(MemoryStore::device(), &Rc::default()), replica(2), Guard::default()),
            server: Server::new(store(MemoryStore::server(), &work), replica(3), Guard::default()),
            work,
            size,
            round: 0,
        };
        let changes = arrivals(size);
        let inputs = world.inputs();
        world.server.take_in(changes, &inputs).unwrap();
        world.sync_theirs();
        world.sync_ours();
        world.sync_ours();
        world
    }

    fn inputs(&mut self) -> Inputs<'static> {
        self.round += 1;
        Inputs::new(RoundId(self.round), Trust::Account)
    }

    fn sync_ours(&mut self) {
        let inputs = self.inputs();
        exchange(&mut self.ours, &mut self.server, &people(), &inputs).unwrap();
    }

    fn sync_theirs(&mut self) {
        let inputs = self.inputs();
        exchange(&mut self.theirs, &mut self.server, &people(), &inputs).unwrap();
    }

    /// Changes records on both devices, spread over the collection, one of them on both and one deleted on each, and
    /// brings their changes to the server.
    fn change_both_sides(&mut self) {
        let step = self.size / (2 * CHANGED);
        for number in 0..CHANGED {
            edit(&mut self.ours, &record(number * step), "ours");
            edit(&mut self.theirs, &record(if number == 0 { 0 } else { (CHANGED + number) * step }), "theirs");
        }
        delete(&mut self.ours, &record(step + 1));
        delete(&mut self.theirs, &record(step + 2));
        self.sync_theirs();
    }

    /// What one sync of ours asks of the stores, and the bytes that it allocates.
    fn measured_sync(&mut self) -> (Work, u64) {
        self.work.set(Work::default());
        let allocated = allocation_counter::measure(|| self.sync_ours());
        (self.work.get(), allocated.bytes_total)
    }
}

/// The same contents under `size` names, as some third device brought them.
fn arrivals(size: usize) -> Changes {
    let mut seed = Device::new(MemoryStore::device(), replica(4), Guard::default());
    let contact = Contact { name: "Ada Lovelace".into(), phone: "+44 1815".into(), city: "London".into() };
    let write = Write::create(people(), record(0), &contact, &Shape::new(), Cause::User).unwrap();
    seed.write(&write, Timestamp::from_micros(1)).unwrap();
    let version = seed.row(&people(), &record(0)).unwrap().unwrap().version;
    let offer =
        |number| Offer { record: record(number), version: version.clone(), held: None, excuse: None, delete_tag: None };
    Changes { from: replica(4), collection: people(), offers: (0..size).map(offer).collect(), upto: None }
}

fn edit(device: &mut Device<Counting>, record: &RecordId, phone: &str) {
    let seen = device.read::<Contact>(&people(), record, &Shape::new()).unwrap().unwrap();
    let contact = Contact { phone: phone.into(), ..Contact::clone(&seen) };
    device.write(&seen.save(&contact, Cause::User).unwrap(), Timestamp::from_micros(2)).unwrap();
}

fn delete(device: &mut Device<Counting>, record: &RecordId) {
    device.write(&Write::delete(people(), record.clone(), Cause::User), Timestamp::from_micros(3)).unwrap();
}

#[test]
fn a_sync_of_some_changes_touches_as_many_rows_in_a_thousand_records_as_in_a_hundred_thousand() {
    let measured = SIZES.map(|size| {
        let mut world = World::of(size);
        world.change_both_sides();
        let measured = world.measured_sync();
        let step = size / (2 * CHANGED);
        for (row, phone) in [(step, "ours"), ((CHANGED + 1) * step, "theirs")] {
            let shown = world.ours.read::<Contact>(&people(), &record(row), &Shape::new()).unwrap().unwrap();
            assert_eq!(shown.phone, phone, "record {row} of {size}");
        }
        assert!(world.ours.explain(&people(), &record(0)).unwrap().unwrap().conflicts.len() == 1);
        measured
    });
    let [(small_work, small_bytes), _, (large_work, large_bytes)] = measured;
    assert_eq!(measured.map(|(work, _)| work), [small_work; 3]);
    assert!(large_work.rows_written >= 3 * CHANGED, "the sync did its work: {large_work:?}");
    assert!(large_work.rows_read <= 16 * CHANGED, "a few rows for each change: {large_work:?}");
    // The ledger has one more prefix for each doubling, and a tree is one level deeper now and then.
    assert!(large_bytes < small_bytes + small_bytes / 4, "{small_bytes} bytes at 1,000, {large_bytes} at 100,000");
}

#[test]
fn a_sync_with_nothing_to_do_reads_no_row_and_commits_nothing_whatever_the_size() {
    let bytes = SIZES.map(|size| {
        let mut world = World::of(size);
        world.change_both_sides();
        world.sync_ours();
        let (work, bytes) = world.measured_sync();
        assert_eq!(work, Work::default(), "at {size} records");
        bytes
    });
    assert!(bytes[2] < 3 * bytes[0], "a prefix for each doubling: {bytes:?} bytes");
    assert!(bytes[2] < 16_384, "{bytes:?} bytes");
}

#[test]
fn a_local_edit_reads_one_row_and_writes_one_whatever_the_size() {
    let bytes = SIZES.map(|size| {
        let mut world = World::of(size);
        world.work.set(Work::default());
        let write = {
            let seen = world.ours.read::<Contact>(&people(), &record(7), &Shape::new()).unwrap().unwrap();
            seen.save(&Contact { city: "Paris".into(), ..Contact::clone(&seen) }, Cause::User).unwrap()
        };
        world.work.set(Work::default());
        let allocated = allocation_counter::measure(|| {
            world.ours.write(&write, Timestamp::from_micros(9)).unwrap();
        });
        assert_eq!(world.work.get(), Work { rows_read: 1, rows_written: 1, commits: 1 }, "at {size} records");
        allocated.bytes_total
    });
    assert!(bytes[2] < 2 * bytes[0], "{bytes:?} bytes");
}
