//! A device with a native store beside it, and what the tests say often.

use std::collections::{BTreeMap, BTreeSet};

use holdfast::{
    act::receipt::Receipt,
    decide::{
        listing::{Listing, Partial},
        slice::{Query, ReadSet},
    },
    values::{id::FieldName, value::Value},
    *,
};

pub(crate) type Fields = BTreeMap<FieldName, Value>;

pub(crate) fn people() -> CollectionId {
    CollectionId::new("people").unwrap()
}

pub(crate) fn id(name: impl AsRef<str>) -> RecordId {
    RecordId::new(name).unwrap()
}

pub(crate) fn card<const N: usize>(fields: [(&str, &str); N]) -> Fields {
    fields.into_iter().map(|(name, value)| (FieldName::new(name).unwrap(), Value::from(value))).collect()
}

pub(crate) fn person(n: usize) -> Fields {
    card([("name", &format!("Person {n}")), ("tel/a", &format!("+49 {n}")), ("email/a", &format!("p{n}@example.org"))])
}

pub(crate) fn inputs(round: u128) -> Inputs<'static> {
    Inputs::new(RoundId(round), Trust::Account)
}

/// Every row, every line, the head and the ledgers.
pub(crate) fn everything() -> ReadSet {
    let all = Query::Range { after: None, limit: usize::MAX };
    ReadSet::head(people()).with_lines().with_query(all)
}

/// A device with a native store beside it, as a phone has.
pub(crate) struct Phone {
    pub(crate) device: Device<MemoryStore>,
    pub(crate) native: BTreeMap<RecordId, Fields>,
    pub(crate) round: u128,
    pub(crate) number: u128,
}

impl Phone {
    pub(crate) fn new(number: u128) -> Self {
        let replica = ReplicaId::from_entropy(number).unwrap();
        let device = Device::new(MemoryStore::device(), replica, Guard::default());
        Self { device, native: BTreeMap::new(), round: number << 64, number }
    }

    pub(crate) fn with_people(number: u128, count: usize) -> Self {
        let mut phone = Self::new(number);
        phone.native = (0..count).map(|n| (id(format!("p{n:03}")), person(n))).collect();
        phone.observe();
        phone
    }

    pub(crate) fn next_round(&mut self) -> RoundId {
        self.round += 1;
        RoundId(self.round)
    }

    pub(crate) fn listing(&self) -> Partial {
        let mut listing = Partial::new(people());
        for (record, fields) in &self.native {
            listing.entry(record.clone(), fields.clone(), Timestamp::from_micros(1));
        }
        listing
    }

    pub(crate) fn observe(&mut self) -> Receipt {
        let listing = self.listing().complete(self.native.len()).unwrap().into();
        self.see(&listing)
    }

    pub(crate) fn see(&mut self, listing: &Listing) -> Receipt {
        let round = self.next_round();
        self.device.observe(listing.clone(), round, Timestamp::from_micros(2)).unwrap()
    }

    /// Writes to the native store what it should show, and notes it.
    pub(crate) fn write_back(&mut self) -> usize {
        let rows = self.device.unshown(&people(), usize::MAX).unwrap();
        for row in &rows {
            if row.version.is_alive() {
                let record = row.version.record();
                let shown = record.shown(values::register::Show::Latest);
                self.native.insert(row.record.clone(), shown.map(|(n, v)| (n.clone(), v.clone())).collect());
            } else {
                self.native.remove(&row.record);
            }
        }
        let count = rows.len();
        let shown = rows.into_iter().map(|row| (row.record, row.version)).collect();
        self.device.shown(&people(), shown).unwrap();
        count
    }

    pub(crate) fn sync(&mut self, server: &mut Server<MemoryStore>) {
        let round = self.next_round();
        exchange(&mut self.device, server, &people(), &inputs(round.0)).unwrap();
    }

    pub(crate) fn remove(&mut self, range: std::ops::Range<usize>) {
        range.for_each(|n| drop(self.native.remove(&id(format!("p{n:03}")))));
    }

    pub(crate) fn living(&self) -> BTreeSet<RecordId> {
        self.device.records(&people(), None, usize::MAX).unwrap().into_iter().collect()
    }

    pub(crate) fn shows(&self, record: &RecordId) -> Fields {
        let version = self.device.row(&people(), record).unwrap().unwrap().version;
        let record = version.record();
        record.shown(values::register::Show::Latest).map(|(n, v)| (n.clone(), v.clone())).collect()
    }

    pub(crate) fn open_lines(&self) -> usize {
        self.device.hold(&people()).unwrap().map_or(0, |hold| hold.open().count())
    }

    pub(crate) fn pending(&self) -> usize {
        self.device.pending(&people(), usize::MAX).unwrap().offers.len()
    }

    /// As after a restart: the store is written to a file and read back, and is what it was.
    pub(crate) fn restart(&mut self) {
        let bytes = postcard::to_stdvec(self.device.store()).unwrap();
        let store: MemoryStore = postcard::from_bytes(&bytes).unwrap();
        assert_eq!(postcard::to_stdvec(&store).unwrap(), bytes);
        let read = |store: &MemoryStore| format!("{:?}", store.read(&everything()).unwrap());
        assert_eq!(read(&store), read(self.device.store()));
        self.device = Device::new(store, self.device.replica(), Guard::default());
    }

    /// As after the app's data was lost: another installation over the same native store.
    pub(crate) fn without_bookkeeping(self) -> Self {
        Self { native: self.native, ..Self::new(self.number + 1000) }
    }
}

pub(crate) fn server() -> Server<MemoryStore> {
    Server::new(MemoryStore::server(), ReplicaId::from_entropy(99).unwrap(), Guard::default())
}

/// Two phones and a server, in step over `count` people.
pub(crate) fn in_step(count: usize) -> (Phone, Phone, Server<MemoryStore>) {
    let (mut ada, mut ben, mut server) = (Phone::with_people(1, count), Phone::new(2), server());
    ada.sync(&mut server);
    ben.observe();
    ben.sync(&mut server);
    assert_eq!(ben.write_back(), count);
    assert_eq!(ada.native, ben.native);
    (ada, ben, server)
}
