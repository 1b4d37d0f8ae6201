//! The parts of a sync, each by itself, and whole syncs of this library and its peers at several sizes.
//!
//!     cargo bench --bench core
//!     BENCH_QUICK=1 cargo bench --bench core -- --max-time 0.2
//!
//! Ratios: `cargo bench --bench side_by_side`, which interleaves the peers.
#![allow(missing_docs, clippy::unwrap_used, clippy::arithmetic_side_effects, clippy::as_conversions)]
#![allow(clippy::cast_possible_truncation, clippy::indexing_slicing)]

mod peers;

use std::cell::RefCell;

use divan::{Bencher, black_box};
use holdfast::{
    act::{apply::apply, memory::MemoryStore, plan::Plan, store::Store},
    decide::{changes::Changes, diff::Diff, draft::Draft, guard::Guard, slice::Slice},
    values::{codec::DecodeLimits, record::Record, version::Version, version_vector::Causality},
};
use peers::{Edit, Peer, Script, crdts_p::Cr, floor::Floor, generate, ours, ours::Ours, sizes};

fn main() {
    divan::main();
}

/// Records that a round of `size` changes: 1 %, at least 10.
fn changed(size: usize) -> usize {
    (size / 100).max(10)
}

/// A device that has synced `size` records, its server, and edits that wait on both sides.
struct World<P: Peer> {
    device: P::Rep,
    server: P::Rep,
    script: Script,
}

impl<P: Peer> World<P> {
    fn of(size: usize) -> Self {
        let base = generate(size, 1);
        let script = Script::new(&base, 2);
        let mut server = P::server(&base);
        let mut device = P::device();
        P::sync(&mut device, &mut server);
        P::sync(&mut device, &mut server);
        Self { device, server, script }
    }

    fn sync(&mut self) {
        P::sync(&mut self.device, &mut self.server);
    }

    /// Changes so many records on each side; both had seen all before.
    fn change(&mut self, changes: usize) {
        P::settle(&mut self.server);
        self.sync();
        let (on_device, on_server) = self.script.step(changes);
        on_device.iter().for_each(|edit| P::edit(&mut self.device, edit));
        on_server.iter().for_each(|edit| P::edit(&mut self.server, edit));
        P::settle(&mut self.server);
    }
}

#[divan::bench(types = [Ours, Floor<true>, Cr], args = sizes(), sample_size = 1, sample_count = 10)]
fn sync_of_1_percent<P: Peer>(bencher: Bencher<'_, '_>, size: usize) {
    sync_of::<P>(bencher, size, changed(size));
}

#[divan::bench(types = [Ours, Floor<true>, Cr], args = sizes(), sample_size = 1, sample_count = 20)]
fn sync_of_10_changes<P: Peer>(bencher: Bencher<'_, '_>, size: usize) {
    sync_of::<P>(bencher, size, 10);
}

fn sync_of<P: Peer>(bencher: Bencher<'_, '_>, size: usize, changes: usize) {
    let world = RefCell::new(World::<P>::of(size));
    bencher.with_inputs(|| world.borrow_mut().change(changes)).bench_local_values(|()| world.borrow_mut().sync());
}

#[divan::bench(types = [Ours, Floor<true>, Cr], args = sizes(), sample_count = 20)]
fn quiet_sync<P: Peer>(bencher: Bencher<'_, '_>, size: usize) {
    let mut world = World::<P>::of(size);
    bencher.bench_local(|| world.sync());
}

#[divan::bench(types = [Ours, Floor<true>, Cr], args = sizes(), sample_size = 10, sample_count = 20)]
fn local_edit<P: Peer>(bencher: Bencher<'_, '_>, size: usize) {
    let world = RefCell::new(World::<P>::of(size));
    let next = || -> Edit {
        let mut edits = world.borrow_mut().script.step(10).0;
        edits.retain(|edit| matches!(edit, Edit::Set { .. }));
        edits.pop().unwrap()
    };
    bencher.with_inputs(next).bench_local_refs(|edit| P::edit(&mut world.borrow_mut().device, edit));
}

/// What a device would push after `changes` edits, and the slice of the server that it would meet.
fn round(size: usize, changes: usize) -> (Slice, Changes, MemoryStore) {
    let mut world = World::<Ours>::of(size);
    world.change(changes);
    let pending = world.device.device.pending(&ours::people(), usize::MAX).unwrap();
    let store = world.server.server.as_ref().unwrap().store().clone();
    (store.read(&pending.read_set()).unwrap(), pending, store)
}

mod pipeline {
    use super::*;

    #[divan::bench(args = sizes(), sample_count = 10)]
    fn read(bencher: Bencher<'_, '_>, size: usize) {
        let (_, changes, store) = round(size, changed(size));
        bencher.bench(|| store.read(&changes.read_set()));
    }

    #[divan::bench(args = sizes(), sample_count = 10)]
    fn diff(bencher: Bencher<'_, '_>, size: usize) {
        let (slice, changes, _) = round(size, changed(size));
        let inputs = || (slice.clone(), changes.clone());
        bencher.with_inputs(inputs).bench_values(|(slice, changes)| Diff::between(slice, changes));
    }

    #[divan::bench(args = sizes(), sample_count = 10)]
    fn draft(bencher: Bencher<'_, '_>, size: usize) {
        let (slice, changes, _) = round(size, changed(size));
        let inputs = || Diff::between(slice.clone(), changes.clone()).unwrap();
        bencher.with_inputs(inputs).bench_values(|diff| Draft::resolve(diff, None));
    }

    #[divan::bench(args = sizes(), sample_count = 10)]
    fn guard_review(bencher: Bencher<'_, '_>, size: usize) {
        let (slice, changes, _) = round(size, changed(size));
        let guard = Guard::default();
        let inputs = || Draft::resolve(Diff::between(slice.clone(), changes.clone()).unwrap(), None);
        bencher.with_inputs(inputs).bench_values(|draft| guard.review_own(draft));
    }

    #[divan::bench(args = sizes(), sample_count = 10)]
    fn plan(bencher: Bencher<'_, '_>, size: usize) {
        let (slice, changes, _) = round(size, changed(size));
        let guard = Guard::default();
        let draft = || Draft::resolve(Diff::between(slice.clone(), changes.clone()).unwrap(), None);
        bencher.with_inputs(|| guard.review_own(draft())).bench_values(Plan::new);
    }

    #[divan::bench(args = sizes(), sample_size = 1, sample_count = 10)]
    fn commit(bencher: Bencher<'_, '_>, size: usize) {
        let world = RefCell::new(World::<Ours>::of(size));
        let guard = Guard::default();
        let store = RefCell::new(MemoryStore::server());
        let plan = || {
            let mut world = world.borrow_mut();
            world.change(changed(size));
            let changes = world.device.device.pending(&ours::people(), usize::MAX).unwrap();
            let server = world.server.server.as_ref().unwrap().store().clone();
            let slice = server.read(&changes.read_set()).unwrap();
            *store.borrow_mut() = server;
            Plan::new(guard.review_own(Draft::resolve(Diff::between(slice, changes).unwrap(), None)))
        };
        bencher.with_inputs(plan).bench_local_values(|plan| apply(plan, &mut *store.borrow_mut()));
    }
}

mod version {
    use super::*;

    /// Three versions of one record: its first, and two that were edited from it on two devices.
    fn versions() -> (Version, Version, Version) {
        let rec = generate(1, 7).remove(0);
        let mut server = Ours::server(std::slice::from_ref(&rec));
        let mut device = Ours::device();
        Ours::sync(&mut device, &mut server);
        let before = stored(&device, &rec);
        let edit = |field, val: &str| Edit::Set { id: rec.id, field, val: val.into(), mtime: 2 };
        Ours::edit(&mut device, &edit(3, "+46 8 123"));
        Ours::edit(&mut server, &edit(7, "Uppsala"));
        let edited = (before, stored(&device, &rec), stored(&server, &rec));
        assert_eq!(edited.1.compare(&edited.2), Causality::Concurrent);
        assert_eq!(edited.0.compare(&edited.1), Causality::Before);
        edited
    }

    fn stored(rep: &ours::Rep, rec: &peers::Rec) -> Version {
        rep.device.row(&ours::people(), &ours::record_id(&rec.id)).unwrap().unwrap().version
    }

    #[divan::bench]
    fn join_of_concurrent_records(bencher: Bencher<'_, '_>) {
        let (_, left, right) = versions();
        let (left, right): (Record, Record) = (left.record(), right.record());
        bencher.bench(|| black_box(&left).join(black_box(&right)));
    }

    #[divan::bench]
    fn join_of_concurrent_versions(bencher: Bencher<'_, '_>) {
        let (_, left, right) = versions();
        bencher.bench(|| black_box(&left).join(black_box(&right)));
    }

    #[divan::bench]
    fn join_that_fast_forwards(bencher: Bencher<'_, '_>) {
        let (before, after, _) = versions();
        bencher.bench(|| black_box(&before).join(black_box(&after)));
    }

    #[divan::bench]
    fn compare_by_headers(bencher: Bencher<'_, '_>) {
        let (_, left, right) = versions();
        bencher.bench(|| black_box(&left).compare(black_box(&right)));
    }

    #[divan::bench]
    fn encode(bencher: Bencher<'_, '_>) {
        let record = versions().1.record();
        bencher.bench(|| Version::encode(black_box(&record)));
    }

    #[divan::bench]
    fn decode(bencher: Bencher<'_, '_>) {
        let version = versions().1;
        let limits = DecodeLimits::default();
        bencher.bench(|| Version::decode(black_box(version.as_bytes()), &limits));
    }

    #[divan::bench]
    fn record_of_a_version(bencher: Bencher<'_, '_>) {
        let version = versions().1;
        bencher.bench(|| black_box(&version).record());
    }
}
