//! Records whose encoding is kept in `tests/golden`: a line of bytes and a line with the digest.

use alloc::{collections::BTreeMap, format, string::String, vec::Vec};

use super::arbitrary::{UNKNOWN_KINDS, known_kinds};
use crate::values::{
    id::{CollectionId, FieldName, MoveId, RecordId, ReplicaId},
    patch::Patch,
    record::{Destination, Life, Record, Seeing},
    register::{Cause, Register, Sibling, Stamp},
    time::Timestamp,
    value::{OpaqueValue, Value},
    version::Version,
    version_vector::Dot,
};

const NOON: i64 = 1_774_353_600_000_000;

pub(super) fn replica(seed: u8) -> ReplicaId {
    ReplicaId::from_entropy(u128::from_be_bytes([seed; 16])).expect("not constant")
}

pub(super) fn stamp(seed: u8, counter: u64, cause: Cause) -> Stamp {
    let at = Timestamp::from_micros(NOON + i64::try_from(counter % 1_000).expect("small") * 1_000_003);
    Stamp { dot: Dot { replica: replica(seed), counter }, cause, at }
}

fn field(name: &str, value: impl Into<Value>) -> (FieldName, Option<Value>) {
    (FieldName::new(name).expect("a name"), Some(value.into()))
}

pub(super) fn contact_by(seed: u8) -> Record {
    let fields = [
        field("email/work", "ada@analytical.example"),
        field("name", "Ada Lovelace"),
        field("note", " "),
        field("tel/home", "+44 20 7946 0001"),
        field("tel/mobile", "+44 7700 900001"),
        field("birthday", "1815-12-10"),
    ];
    Record::new().edited(stamp(seed, 1, Cause::User), &Seeing::default(), fields.into())
}

pub(super) fn contact() -> Record {
    contact_by(1)
}

pub(super) fn renamed(record: &Record, nth: u64) -> Record {
    let name = format!("Ada King, Countess of Lovelace {nth}");
    record.edited(stamp(1, nth, Cause::User), &record.seeing(), [field("name", name)].into())
}

fn deleted(record: &Record) -> Record {
    record.with_life(stamp(2, 1, Cause::User), &record.seeing(), Life::Deleted { moved: None })
}

fn moved() -> (Record, Record) {
    let contact = contact();
    let id = MoveId::from_entropy(0x00c0_ffee_0000_0000_0000_0000_0000_0001).expect("random");
    let (collection, record) = (CollectionId::new("work").expect("an id"), RecordId::new("ada/2").expect("an id"));
    let away = Life::Deleted { moved: Some(Destination { id, collection, record }) };
    let here = Record::new().with_life(stamp(3, 1, Cause::App), &Seeing::default(), Life::Alive { moved: Some(id) });
    let fields = [field("name", "Ada Lovelace")];
    let here = here.edited(stamp(3, 2, Cause::Import), &here.seeing(), fields.into());
    (contact.with_life(stamp(1, 2, Cause::User), &contact.seeing(), away), here)
}

fn of_values(values: Vec<Value>) -> Record {
    let fields = (0..).zip(values).map(|(nth, value): (u32, _)| field(&format!("kind/{nth:02}"), value)).collect();
    Record::new().edited(stamp(4, u64::MAX, Cause::Listing), &Seeing::default(), fields)
}

fn cloned_replica() -> Record {
    let contact = contact();
    let [one, other] = ["here", "there"]
        .map(|at| contact.edited(stamp(1, 2, Cause::User), &contact.seeing(), [field("note", at)].into()));
    one.join(&other)
}

pub(super) fn records() -> Vec<(&'static str, Record)> {
    let contact = contact();
    let conflict = |record: &Record| {
        let theirs = record.edited(stamp(9, 1, Cause::Listing), &record.seeing(), [field("name", "A. A. L.")].into());
        renamed(record, 2).join(&theirs)
    };
    let machine = contact.edited(stamp(2, 1, Cause::App), &contact.seeing(), [field("rank", 7)].into());
    let cleared = (FieldName::new("note").expect("a name"), None);
    let cleared = contact.edited(stamp(1, 2, Cause::User), &contact.seeing(), [cleared].into());
    let purged = deleted(&contact).purged();
    let revived = purged.edited(stamp(3, 1, Cause::User), &purged.seeing(), [field("name", "Ada")].into());
    let unknown =
        UNKNOWN_KINDS.iter().map(|(name, bytes)| Value::Opaque(OpaqueValue::try_from(bytes.to_vec()).expect(name)));
    let nested = |value| Value::List([Value::Map(BTreeMap::from([(String::from("in"), value)]))].into());
    let (away, here) = moved();
    [
        ("never_written", Record::new()),
        ("overwritten_once", renamed(&contact, 2)),
        ("overwritten_eight_times", (2..10).fold(contact.clone(), |record, nth| renamed(&record, nth))),
        ("conflict", conflict(&contact)),
        ("machine_edit", machine),
        ("cleared", cleared),
        ("deleted", deleted(&contact)),
        ("edited_and_deleted", deleted(&contact).join(&renamed(&contact, 2))),
        ("purged", purged),
        ("revived_after_purge", revived),
        ("moved_away", away),
        ("moved_here", here),
        ("every_kind_of_value", of_values(known_kinds())),
        ("unknown_kinds_of_value", of_values(unknown.clone().chain(unknown.map(nested)).collect())),
        ("cloned_replica", cloned_replica()),
        ("new_contact", contact),
    ]
    .into()
}

/// Patches on `contact()`, with what they lead to.
pub(super) fn patches() -> [(&'static str, Patch, Version); 2] {
    let (base, next) = (contact(), renamed(&contact(), 2));
    let cleared = (FieldName::new("tel/home").expect("a name"), None);
    let other = next.edited(stamp(1, 3, Cause::User), &next.seeing(), [cleared].into());
    [("patch", next), ("long_patch", other)].map(|(name, next)| {
        let next = Version::encode(&next);
        (name, Patch::between(&Version::encode(&base), &next).expect("later"), next)
    })
}

pub(super) fn path(name: &str) -> String {
    format!("{}/tests/golden/{name}.hex", env!("CARGO_MANIFEST_DIR"))
}

pub(super) fn read(name: &str) -> String {
    std::fs::read_to_string(path(name)).expect("a golden file")
}

pub(super) fn lines(bytes: &[u8], digest: &str) -> String {
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{hex}\n{digest}\n")
}

pub(super) fn register<T: Clone + Ord>(siblings: Vec<(Stamp, T)>) -> Register<T> {
    Register::from_siblings(siblings.into_iter().map(|(stamp, value)| Sibling { stamp, value }).collect())
}
