//! The engine, driven by the ops of the reference model: a server and some devices in memory.
#![allow(dead_code, reason = "each test that includes the machine uses a part of it")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    reason = "a test should stop at its own bugs"
)]

pub(crate) mod ops;
pub(crate) mod steps;

use std::collections::{BTreeMap, BTreeSet};

use holdfast::{
    act::{journal::Entry, memory::MemoryStore, receipt::ReceiptId, store::Store},
    compose::{device::Device, server::Server},
    decide::{
        consent::Trust,
        guard::{Guard, Inputs},
        ledger::RoundId,
        limits::Limits,
        row::{Former, Quarantine, Row},
        slice::{Query, ReadSet},
        write::{Seen, Write},
    },
    values::{
        id::{CollectionId, FieldName, RecordId, ReplicaId},
        shape::Shape,
        time::{Day, Timestamp},
        value::Value,
        version::Version,
    },
};
use serde::{Deserialize, Serialize};

use crate::model::{Cause, IDENTIFYING, Key, RETENTION, Text};
use ops::{Look, Observed, Op};

/// The fields that the model knows, as an app's struct.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Contact {
    name: Option<String>,
    note: Option<String>,
    tel: Vec<Phone>,
}

/// `tel/<id>`. The model's blank text is a phone without a number.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Phone {
    id: String,
    number: Option<String>,
}

fn shape() -> Shape {
    Shape::new().elements("tel", "id")
}

pub(crate) const FIELDS: [Text; 4] = ["name", "tel/home", "tel/work", "note"];
pub(crate) const VALUES: [Text; 4] = ["", "a", "b", "c"];

impl Contact {
    fn set(&mut self, field: Text, value: Option<Text>) {
        match (field, field.split_once('/')) {
            (_, Some((_, id))) => {
                self.tel.retain(|phone| phone.id != id);
                let number = |text: Text| Some(text.into()).filter(|_| !text.is_empty());
                self.tel.extend(value.map(|text| Phone { id: id.into(), number: number(text) }));
            }
            ("name", _) => self.name = value.map(Into::into),
            _ => self.note = value.map(Into::into),
        }
    }
}

fn collection(number: u8) -> CollectionId {
    CollectionId::new(["contacts", "friends"][usize::from(number)]).unwrap()
}

fn record(number: u16) -> RecordId {
    RecordId::new(format!("{number:05}")).unwrap()
}

fn replica(number: usize) -> ReplicaId {
    ReplicaId::from_entropy(number as u128 + 1).unwrap()
}

/// The n-th last commit that changed what some record is.
fn nth_last_change(store: &MemoryStore, collection: &CollectionId, nth: usize) -> Option<ReceiptId> {
    let changed = |entry: &&Entry| {
        let before = |former: &Former| former.before.as_ref().map(|v| v.digest());
        entry.formers.iter().any(|former| before(former) != Some(former.after))
    };
    store.journal(collection)?.iter().rev().filter(changed).nth(nth)?.receipt.id.clone()
}

/// One server (replica 0) and devices, as the model numbers them.
pub(crate) struct Engine {
    server: Server<MemoryStore>,
    devices: Vec<Device<MemoryStore>>,
    reads: BTreeMap<(usize, Key), Seen<Contact>>,
    trust: Trust,
    now: u64,
}

impl Engine {
    pub(crate) fn new(replicas: usize, trust: bool) -> Self {
        let limits = Limits { identifying: Some(IDENTIFYING.into()), ..Limits::default() };
        let guard = Guard::default().with_collection(collection(0), &limits);
        let device = |number| Device::new(MemoryStore::device(), replica(number), guard.clone());
        Self {
            server: Server::new(MemoryStore::server(), replica(0), guard.clone()),
            devices: (1..replicas).map(device).collect(),
            reads: BTreeMap::new(),
            trust: if trust { Trust::Account } else { Trust::Nothing },
            now: 0,
        }
    }

    fn store(&self, r: usize) -> &MemoryStore {
        if r == 0 { self.server.store() } else { self.devices[r - 1].store() }
    }

    fn rows(&self, r: usize, number: u8) -> BTreeMap<RecordId, Row> {
        let all = Query::Range { after: None, limit: usize::MAX };
        self.store(r).read(&ReadSet::head(collection(number)).with_query(all)).unwrap().rows
    }

    pub(crate) fn observe(&self, r: usize) -> Observed {
        let mut seen = Observed::default();
        let number = |record: &RecordId| record.as_str().parse::<u16>().unwrap();
        for c in 0..2 {
            for (id, row) in self.rows(r, c) {
                let waits = row.quarantine.as_ref().map(|waits| match waits {
                    Quarantine::Version { hidden, .. } => (true, look(hidden)),
                    Quarantine::Beside { hidden, .. } => (false, look(hidden)),
                    _ => (true, None),
                });
                seen.records.insert((c, number(&id)), (look(&row.version), waits));
            }
            let slice = self.store(r).read(&ReadSet::head(collection(c)).with_lines()).unwrap();
            let ledger = slice.ledger.unwrap();
            if self.rows(r, c).is_empty() {
                continue;
            }
            seen.ledgers.insert(c, (ledger.base as usize, ledger.spent as usize));
            let open: Vec<u16> = slice.lines.iter().filter(|l| l.is_open()).map(|l| number(&l.record)).collect();
            seen.open.extend((!open.is_empty()).then_some((c, open)));
        }
        seen
    }

    /// Does one step of replica `r`, as the model does.
    pub(crate) fn apply(&mut self, r: usize, op: &Op) {
        self.now += 1;
        let at = Timestamp::from_micros(self.now as i64);
        match op {
            Op::Push => return self.push(r),
            Op::Pull => return self.pull(r),
            Op::Day => return self.day(r),
            _ => {}
        }
        let (edit, alive) = (self.edit(r, op), |row: &Row| row.version.is_alive());
        let Some(device) = r.checked_sub(1).map(|at| &mut self.devices[at]) else { return };
        match op {
            Op::Create(key, fields, by) => {
                let is_there = device.row(&collection(key.0), &record(key.1)).unwrap().is_some_and(|row| alive(&row));
                let mut contact = Contact::default();
                fields.iter().for_each(|(name, value)| contact.set(name, Some(value)));
                let write = Write::create(collection(key.0), record(key.1), &contact, &shape(), *by).unwrap();
                let is_refused = is_there && matches!(by, Cause::User | Cause::Listing);
                assert_eq!(device.write(&write, at).is_err(), is_refused, "a person's create over a living record");
            }
            Op::Edit(..) => drop(edit.map(|write| device.write(&write, at).unwrap())),
            Op::Read(key) => {
                let seen = device.read(&collection(key.0), &record(key.1), &shape()).unwrap();
                self.reads.extend(seen.map(|seen| ((r, *key), seen)));
            }
            Op::Delete(key, by) => {
                let is_there = device.row(&collection(key.0), &record(key.1)).unwrap().is_some_and(|row| alive(&row));
                let deleted = device.write(&Write::delete(collection(key.0), record(key.1), *by), at);
                assert_eq!(deleted.is_ok(), is_there, "a delete of what is there");
            }
            Op::DeleteMany(c, records) => {
                let there: BTreeSet<RecordId> =
                    device.records(&collection(*c), None, usize::MAX).unwrap().into_iter().collect();
                let records = records.iter().map(|number| record(*number)).filter(|id| there.contains(id)).collect();
                device.write(&Write::delete_many(collection(*c), records, Cause::User), at).unwrap();
            }
            Op::Restore(key) => drop(device.write(&Write::restore(collection(key.0), record(key.1)), at)),
            Op::Answer(c, nth, keep) => {
                let Some(hold) = device.hold(&collection(*c)).unwrap() else { return };
                let Some(digest) = hold.open().nth(*nth).map(|line| line.running) else { return };
                let answer = if *keep { Device::keep } else { Device::consent };
                answer(device, &collection(*c), digest, "ada", at).unwrap();
            }
            Op::Undo(c, nth) => {
                if let Some(receipt) = nth_last_change(device.store(), &collection(*c), *nth) {
                    device.undo(&receipt, "ada", at).unwrap();
                }
            }
            Op::Push | Op::Pull | Op::Day => {}
        }
    }

    /// An edit, through the struct that was read.
    fn edit(&self, r: usize, op: &Op) -> Option<Write> {
        let Op::Edit(key, fields, by, stale) = op else { return None };
        let read = self.reads.get(&(r, *key)).filter(|_| *stale).cloned();
        let fresh = || self.devices[r - 1].read(&collection(key.0), &record(key.1), &shape()).unwrap();
        let seen: Seen<Contact> = read.or_else(fresh)?;
        let mut new = seen.clone().into_inner();
        for (name, value) in fields {
            new.set(name, *value);
        }
        Some(seen.save(&new, *by).unwrap())
    }

    fn push(&mut self, r: usize) {
        let round = Inputs::new(RoundId(u128::from(self.now)), self.trust);
        for c in 0..2 {
            let changes = self.devices[r - 1].pending(&collection(c), usize::MAX).unwrap();
            if !changes.offers.is_empty() {
                let (receipt, known) = self.server.take_in(changes, &round).unwrap();
                assert!(receipt.refused.is_empty(), "{receipt}");
                self.devices[r - 1].acknowledged(&known).unwrap();
            }
        }
    }

    fn pull(&mut self, r: usize) {
        let round = Inputs::new(RoundId(u128::from(self.now)), self.trust);
        for c in 0..2 {
            let taken = self.devices[r - 1].taken(&collection(c), self.server.replica()).unwrap();
            let changes = self.server.since(&collection(c), taken, usize::MAX).unwrap();
            let receipt = self.devices[r - 1].take_in(changes, &round).unwrap();
            assert!(receipt.refused.is_empty(), "{receipt}");
        }
    }

    fn day(&mut self, r: usize) {
        let day = Day(self.now as i64);
        for c in 0..2 {
            let passed = match r.checked_sub(1) {
                None => self.server.pass_day(&collection(c), day, RETENTION),
                Some(at) => self.devices[at].pass_day(&collection(c), day, RETENTION),
            };
            drop(passed.unwrap());
        }
    }
}

fn look(version: &Version) -> Look {
    let known = |text: &str| VALUES.iter().copied().find(|known| *known == text).unwrap();
    let text = |value: &Value| match value {
        Value::Text(text) => known(text),
        Value::Map(phone) => phone
            .values()
            .next()
            .map_or("", |number| if let Value::Text(text) = number { known(text) } else { panic!("{number:?}") }),
        other => panic!("only texts and phones are written, found {other:?}"),
    };
    let record = version.record();
    let name = |name: &FieldName| FIELDS.iter().copied().find(|known| *known == name.as_str()).unwrap();
    let values =
        record.fields().iter().map(|(id, all)| (name(id), all.siblings().iter().map(|s| text(&s.value)).collect()));
    version.is_alive().then(|| values.collect())
}
