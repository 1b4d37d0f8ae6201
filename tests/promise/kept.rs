//! What passes through untouched (S18), errors that change nothing (S19), and what can be brought back (S20).

use std::collections::BTreeSet;

use holdfast::{
    act::{
        memory::MemoryStore,
        plan::{Batch, Plan},
        receipt::{Effect, ReceiptId},
        store::{CommitError, Store},
    },
    compose::{
        device::{Device, ReadError, WriteFailed},
        round::RoundError,
    },
    decide::{
        author::WriteError,
        changes::Changes,
        diff::{Diff, DiffError},
        draft::Draft,
        guard::Guard,
        line::Revision,
        refusal::Refusal,
        slice::{ReadSet, Slice},
        write::Write,
    },
    values::{
        id::FieldName,
        register::Cause,
        shape::Shape,
        value::{OpaqueValue, Value},
    },
};
use proptest::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{
    cluster::{Cluster, Event, SERVER, explore, steady},
    world::*,
};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct OldPerson {
    name: String,
}

/// A rational number, of a kind that this version does not know: tag 30 around `[1, 3]`.
const UNKNOWN: [u8; 5] = [0xd8, 0x1e, 0x82, 0x01, 0x03];

#[test]
fn s18_unknown_fields_and_unknown_kinds_of_value_pass_through_untouched() {
    let (mut new, mut old, mut server) = (phone(1), phone(2), cloud());
    let opaque = Value::Opaque(OpaqueValue::try_from(UNKNOWN.to_vec()).unwrap());
    let mut filled = fields(&[("name", "Ada"), ("pronouns", "she")]);
    filled.push((FieldName::new("share").unwrap(), opaque.clone()));
    let _ = new.write(&Write::create_fields(people(), rec(0), filled, Cause::User), at(1)).unwrap();
    let _ = sync(&mut new, &mut server, 1);
    let _ = sync(&mut old, &mut server, 2);
    // An older app reads what it knows and saves it.
    let seen = old.read::<OldPerson>(&people(), &rec(0), &Shape::new()).unwrap().unwrap();
    let write = seen.save(&OldPerson { name: "Ada L.".into() }, Cause::User).unwrap();
    let _ = old.write(&write, at(2)).unwrap();
    let _ = sync(&mut old, &mut server, 3);
    let _ = sync(&mut new, &mut server, 4);
    for store in [new.store(), old.store(), server.store()] {
        let shown = &shown(store)[&rec(0)];
        let field = |name: &str| shown.get(&FieldName::new(name).unwrap());
        assert_eq!(field("name"), Some(&Value::from("Ada L.")));
        assert_eq!(field("pronouns"), Some(&Value::from("she")), "an unknown field was dropped");
        assert_eq!(field("share"), Some(&opaque), "an unknown kind of value was dropped");
        assert!(matches!(field("share"), Some(Value::Opaque(value)) if value.as_bytes() == UNKNOWN));
    }
}

#[test]
fn s18_leaving_a_field_out_of_a_write_is_not_clearing_it() {
    let mut device = phone(1);
    let _ = person(&mut device, 0);
    // A machine names the record again, with one field only.
    let _ = create_as(&mut device, 0, &[("name", "Imported")], Cause::Import);
    let shown = &shown(device.store())[&rec(0)];
    assert_eq!(shown.len(), 3, "a field that was not named is gone: {shown:?}");
    let receipt = edit(&mut device, 0, &[]);
    assert!(receipt.is_quiet(), "saving what was read writes nothing");
}

/// A store that fails, or that is near the end of its counters.
#[derive(Debug, Clone)]
struct Broken {
    store: MemoryStore,
    reads: bool,
    commits: bool,
    counter: Option<u64>,
}

#[derive(Debug, thiserror::Error)]
#[error("the disk is gone")]
struct DiskError;

impl Store for Broken {
    type Error = DiskError;

    fn read(&self, set: &ReadSet) -> Result<Slice, DiskError> {
        if !self.reads {
            return Err(DiskError);
        }
        let Ok(mut slice) = self.store.read(set);
        slice.head.counter = self.counter.unwrap_or(slice.head.counter);
        Ok(slice)
    }

    fn commit(&mut self, batch: Batch) -> Result<(), CommitError<DiskError>> {
        if !self.commits {
            return Err(CommitError::Store(DiskError));
        }
        self.store.commit(batch).map_err(|_| CommitError::Store(DiskError))
    }
}

fn device_with(store: MemoryStore, reads: bool, commits: bool, counter: Option<u64>) -> Device<Broken> {
    Device::new(Broken { store, reads, commits, counter }, replica(1), Guard::default())
}

#[test]
fn s19_a_write_that_can_not_be_made_changes_nothing() {
    let mut device = phone(1);
    (0..9).for_each(|n| drop(person(&mut device, n)));
    let _ = delete(&mut device, 8);
    let before = whole(device.store());
    let deep = (0..40).fold(Value::Null, |inner, _| Value::List(vec![inner]));
    let deep = vec![(FieldName::new("deep").unwrap(), deep)];
    let create = |n| Write::create_fields(people(), rec(n), fields(&[("name", "x")]), Cause::User);
    let gone = [rec(1), rec(70)].to_vec();
    let writes = [
        (create(0), "Exists"),
        (Write::delete(people(), rec(70), Cause::User), "Missing"),
        (Write::delete(people(), rec(8), Cause::User), "Missing"),
        (Write::delete_many(people(), gone, Cause::User), "Missing"),
        (Write::restore(people(), rec(70)), "Missing"),
        (Write::create_fields(people(), rec(60), deep, Cause::User), "TooDeep"),
    ];
    for (write, expected) in writes {
        let error = device.write(&write, at(9)).unwrap_err();
        assert!(matches!(&error, WriteFailed::Write(error) if format!("{error:?}").starts_with(expected)), "{error:?}");
        assert!(error.to_string().contains("nothing was changed"), "{error}");
        assert_eq!(whole(device.store()), before, "{expected}");
    }
    let missing = ReceiptId { collection: people(), revision: Revision(1_000) };
    assert!(matches!(device.undo(&missing, "ada", at(9)), Err(WriteFailed::NoReceipt { .. })));
    let nowhere = "0".repeat(32).parse().unwrap();
    assert!(matches!(device.consent(&people(), nowhere, "ada", at(9)), Err(WriteFailed::Answer(_))));
    assert!(matches!(device.keep(&people(), nowhere, "ada", at(9)), Err(WriteFailed::Answer(_))));
    #[derive(Debug, Serialize, Deserialize)]
    struct Wrong {
        name: u64,
    }
    let shape = device.read::<Wrong>(&people(), &rec(0), &Shape::new());
    assert!(matches!(shape, Err(ReadError::Shape(_))));
    let to = holdfast::compose::device::MoveTo {
        id: holdfast::values::id::MoveId::from_entropy(5).unwrap(),
        collection: collection("attic"),
        record: rec(0),
    };
    assert!(device.move_to(&people(), &rec(70), &to, at(9)).is_err());
    assert_eq!(whole(device.store()), before);
}

#[test]
fn s19_a_replica_without_counters_changes_nothing() {
    let mut device = phone(1);
    let _ = person(&mut device, 0);
    let mut worn = device_with(device.store().clone(), true, true, Some(u64::MAX - 1));
    let error = worn.write(&Write::delete(people(), rec(0), Cause::User), at(9)).unwrap_err();
    assert!(matches!(error, WriteFailed::Write(WriteError::CountersUsedUp)), "{error:?}");
    assert_eq!(whole(&worn.store().store), whole(device.store()));
}

#[test]
fn s19_a_failing_store_changes_nothing() {
    let (a, mut b, mut server) = three_with(12);
    let _ = edit(&mut b, 3, &[("phone", Some("new"))]);
    let message = b.pending(&people(), usize::MAX).unwrap();
    let ours = whole(a.store());
    for (reads, commits) in [(false, true), (true, false)] {
        let mut broken = device_with(a.store().clone(), reads, commits, None);
        let write = Write::delete(people(), rec(0), Cause::User);
        assert!(broken.write(&write, at(9)).is_err());
        let came = broken.take_in(message.clone(), &round(9));
        assert!(matches!(came, Err(RoundError::Read(_) | RoundError::Commit(_))), "{came:?}");
        assert!(broken.pass_day(&people(), holdfast::values::time::Day(1), 30).is_err());
        assert_eq!(whole(&broken.store().store), ours);
    }
    // The next sync is possible, and does it.
    assert_eq!(sync(&mut b, &mut server, 9).pushed.unwrap().count(Effect::Changed), 1);
}

#[test]
fn s19_a_batch_drafted_on_an_old_slice_changes_nothing() {
    let mut device = phone(1);
    let _ = person(&mut device, 0);
    let mut store = device.store().clone();
    let slice = store.read(&ReadSet::head(people()).with_records([rec(0)])).unwrap();
    let write = Write::delete(people(), rec(0), Cause::User);
    let plan = |slice: Slice| {
        let draft = Draft::of_write(slice, replica(1), &write, at(2), None).unwrap();
        Plan::new(Guard::default().review_own(draft)).begin().0.unwrap()
    };
    let (first, second) = (plan(slice.clone()), plan(slice));
    store.commit(first).unwrap();
    let before = whole(&store);
    assert!(matches!(store.commit(second), Err(CommitError::Moved { .. })));
    assert_eq!(whole(&store), before);
}

#[test]
fn s19_changes_of_another_collection_and_equivocations_change_nothing() {
    let (mut a, mut b) = (phone(1), phone(1));
    let (_, _) = (person(&mut a, 0), create(&mut b, 0, &[("name", "Somebody else")]));
    let before = whole(a.store());
    let slice = a.store().read(&ReadSet::head(people())).unwrap();
    let other = Changes::none(replica(2), collection("dates"));
    assert!(matches!(Diff::between(slice, other).err(), Some(DiffError::WrongCollection { .. })));
    // The same dot with another content: a cloned device.
    let receipt = a.take_in(changes(replica(2), offers(b.store(), &people())), &round(2)).unwrap();
    assert!(matches!(&receipt.refused[..], [(_, Refusal::Equivocation { .. })]), "{receipt}");
    assert_eq!(whole(a.store()), before);
}

#[test]
fn s20_what_a_sync_hid_can_be_brought_back() {
    let brought_back = std::cell::Cell::new((0_usize, 0_usize));
    let coverage = explore(80, 50, |ops| {
        let mut cluster = Cluster::new(steady);
        for op in ops {
            let before: Vec<_> = cluster.devices.iter().map(|device| shown(device.store())).collect();
            for event in cluster.play(op) {
                let Event::Delivered { to, receipt, .. } = event else { continue };
                if to == SERVER || receipt.changes.is_empty() {
                    continue;
                }
                let device = &cluster.devices[to];
                let trash: BTreeSet<_> = device.trash(&people()).unwrap().into_iter().collect();
                let hidden = receipt.changes.iter().filter(|change| change.effect == Effect::Hidden);
                for change in hidden.clone() {
                    prop_assert!(trash.contains(&change.record), "{} is not in the trash", change.record);
                }
                let mut twin = device.clone();
                let undone = twin.undo(receipt.id.as_ref().unwrap(), "ada", at(1_000_000)).unwrap();
                prop_assert!(undone.refused.is_empty(), "{}", undone);
                prop_assert_eq!(&shown(twin.store()), &before[to], "after undoing {}", receipt);
                let (undos, back) = brought_back.get();
                brought_back.set((undos + 1, back + hidden.count()));
            }
        }
        Ok(cluster.coverage)
    });
    coverage.assert_full();
    let (undos, back) = brought_back.get();
    assert!(undos > 50 && back > 50, "{undos} undone, {back} brought back");
}

#[test]
fn s20_for_the_whole_retention_and_no_shorter_for_a_jumping_calendar() {
    use holdfast::values::time::Day;
    let (mut a, mut b, mut server) = three_with(20);
    let before = shown(b.store());
    (0..4).for_each(|n| drop(delete(&mut a, n)));
    let _ = sync(&mut a, &mut server, 3);
    let pulled = sync(&mut b, &mut server, 4).pulled;
    assert_eq!(pulled.count(Effect::Hidden), 4);
    // Thirty days of retention; the clock runs ahead by years, and back, and is asked twice a day.
    let days = [10_000, 3, 10_000, 10_001, 10_001, 90_000];
    days.iter().for_each(|day| drop(b.pass_day(&people(), Day(*day), 30).unwrap()));
    (90_001..90_026).for_each(|day| drop(b.pass_day(&people(), Day(day), 30).unwrap()));
    assert_eq!(b.trash(&people()).unwrap().len(), 4);
    let _ = b.undo(pulled.id.as_ref().unwrap(), "ada", at(9)).unwrap();
    assert_eq!(shown(b.store()), before);
}
