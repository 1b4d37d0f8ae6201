//! Devices and a server that talk in frames, over stores in memory.

use std::convert::Infallible;

use holdfast::{
    act::store::Store,
    compose::{
        converse::{ConverseFailed, ServeFailed},
        device_session::{DeviceSession, Opening, Report},
        serve::{Access, Call, Role},
    },
    decide::{
        position::PositionKey,
        row::Row,
        slice::{Query, ReadSet},
    },
    talk::limits::WireLimits,
    values::{entropy::Entropy, id::AccountId, value::Value},
    *,
};

pub(crate) type Phone = Device<MemoryStore>;
pub(crate) type Loose = std::collections::BTreeMap<String, Value>;

pub(crate) fn people() -> CollectionId {
    CollectionId::new("people").unwrap()
}

pub(crate) fn rec(n: usize) -> RecordId {
    RecordId::new(format!("r{n:03}")).unwrap()
}

pub(crate) fn at(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros)
}

pub(crate) fn id(n: u128) -> ReplicaId {
    ReplicaId::from_entropy(n).unwrap()
}

pub(crate) fn phone(n: u128) -> Phone {
    Device::new(MemoryStore::device(), id(n), Guard::default())
}

/// All rows of a store, by record.
pub(crate) fn rows(store: &MemoryStore) -> Vec<Row> {
    let all = ReadSet::head(people()).with_query(Query::Range { after: None, limit: usize::MAX });
    store.read(&all).unwrap().rows.into_values().collect()
}

/// A server, and what its host knows.
pub(crate) struct Cloud {
    pub(crate) store: MemoryStore,
    pub(crate) account: AccountId,
    pub(crate) access: Access,
    pub(crate) role: Role,
    pub(crate) trust: Trust,
    pub(crate) key: PositionKey,
    pub(crate) limits: WireLimits,
    pub(crate) draws: u64,
}

pub(crate) fn entropy(n: u64) -> Entropy {
    let mut bits = [0x5a; 32];
    bits[..8].copy_from_slice(&n.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
    bits[20..28].copy_from_slice(&(!n).wrapping_mul(0xc2b2_ae3d_27d4_eb4f).to_be_bytes());
    Entropy::new(bits).unwrap()
}

impl Cloud {
    pub(crate) fn new() -> Self {
        Self {
            store: MemoryStore::server(),
            account: AccountId::new("ada").unwrap(),
            access: Access::Open,
            role: Role::Home,
            trust: Trust::Account,
            key: PositionKey::new([7; 32]),
            limits: WireLimits::default(),
            draws: 1 << 32,
        }
    }

    pub(crate) fn answer(&mut self, frame: &[u8]) -> Vec<u8> {
        self.draws += 1;
        let entropy = entropy(self.draws);
        self.try_answer(frame, entropy).unwrap()
    }

    pub(crate) fn try_answer(&mut self, frame: &[u8], entropy: Entropy) -> Result<Vec<u8>, ServeFailed<Infallible>> {
        let call = Call {
            access: self.access,
            role: self.role,
            trust: self.trust,
            limits: self.limits,
            ..Call::new(&self.account, &self.key, entropy)
        };
        Server::new(&mut self.store, id(99), Guard::default()).serve(frame, &call)
    }

    /// One whole session.
    pub(crate) fn sync(&mut self, phone: &mut Phone) -> Report {
        self.sync_as(phone, |opening| opening).unwrap()
    }

    /// A session whose line is dead after so many replies: what is told of it is its report up to there.
    pub(crate) fn sync_cut(&mut self, phone: &mut Phone, replies: usize) -> Report {
        self.draws += 1;
        let opening = phone.opening(AccountId::new("ada").unwrap(), vec![people()]);
        let (mut session, mut heard) = (DeviceSession::open(opening, &entropy(self.draws)), 0);
        let cut = phone.converse(&mut session, |frame| {
            heard += 1;
            if heard > replies { Err("the line is dead") } else { Ok(self.answer(frame)) }
        });
        assert!(cut.is_err(), "it was over before");
        session.report()
    }

    pub(crate) fn sync_as(
        &mut self,
        phone: &mut Phone,
        open: impl FnOnce(Opening) -> Opening,
    ) -> Result<Report, ConverseFailed<Infallible, Infallible>> {
        self.draws += 1;
        let opening = open(phone.opening(AccountId::new("ada").unwrap(), vec![people()]));
        let mut session = DeviceSession::open(opening, &entropy(self.draws));
        phone.converse(&mut session, |frame| Ok(self.answer(frame)))
    }
}

pub(crate) fn create(phone: &mut Phone, n: usize, pairs: &[(&str, &str)]) {
    let fields: Loose = pairs.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value))).collect();
    let write = Write::create(people(), rec(n), &fields, &Shape::new(), Cause::User).unwrap();
    phone.write(&write, at(1)).unwrap();
}

pub(crate) fn edit(phone: &mut Phone, n: usize, name: &str, value: &str, when: i64) {
    let seen = phone.read::<Loose>(&people(), &rec(n), &Shape::new()).unwrap().unwrap();
    let mut next = (*seen).clone();
    next.insert(name.to_owned(), Value::from(value));
    phone.write(&seen.save(&next, Cause::User).unwrap(), at(when)).unwrap();
}

pub(crate) fn delete(phone: &mut Phone, n: usize) {
    phone.write(&Write::delete(people(), rec(n), Cause::User), at(5)).unwrap();
}

pub(crate) fn living(phone: &Phone) -> usize {
    phone.records(&people(), None, usize::MAX).unwrap().len()
}

/// Sets one row back to what it was in an older state, and leaves all else as it is.
pub(crate) fn set_back(store: &MemoryStore, old: &MemoryStore, record: &str) -> MemoryStore {
    let row = |saved: &serde_json::Value| {
        saved["collections"][0][1]["rows"].as_array().unwrap().iter().position(|row| row["record"] == record).unwrap()
    };
    let [old, mut saved] = [old, store].map(|store| serde_json::to_value(store).unwrap());
    let (from, to) = (row(&old), row(&saved));
    saved["collections"][0][1]["rows"][to] = old["collections"][0][1]["rows"][from].clone();
    serde_json::from_value(saved).unwrap()
}
