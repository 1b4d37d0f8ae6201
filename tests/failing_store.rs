//! A store that fails now and then: an error leaves everything as it was.

#![allow(clippy::arithmetic_side_effects, clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may stop")]

use holdfast::{
    act::{plan::Batch, store::CommitError},
    decide::{
        continuity::Stop,
        slice::{ReadSet, Slice},
    },
    talk::message::Refused,
    *,
};
use std::{cell::Cell, collections::BTreeMap};

#[derive(Debug, thiserror::Error)]
#[error("disk")]
struct Disk;
struct Flaky {
    inner: MemoryStore,
    reads: Cell<i64>,
    commits: i64,
}
impl Store for Flaky {
    type Error = Disk;
    fn read(&self, set: &ReadSet) -> Result<Slice, Disk> {
        self.reads.set(self.reads.get() - 1);
        if self.reads.get() == -1 {
            return Err(Disk);
        }
        Ok(self.inner.read(set).unwrap())
    }
    fn commit(&mut self, batch: Batch) -> Result<(), CommitError<Disk>> {
        self.commits -= 1;
        if self.commits == -1 {
            return Err(CommitError::Store(Disk));
        }
        self.inner.commit(batch).map_err(|e| match e {
            CommitError::Moved { collection, expected, found } => CommitError::Moved { collection, expected, found },
            _ => unreachable!(),
        })
    }
}
/// A database that is down.
struct Down;
impl Store for Down {
    type Error = Disk;
    fn read(&self, _: &ReadSet) -> Result<Slice, Disk> {
        Err(Disk)
    }
    fn commit(&mut self, _: Batch) -> Result<(), CommitError<Disk>> {
        Err(CommitError::Store(Disk))
    }
}
fn people() -> CollectionId {
    CollectionId::new("people").unwrap()
}
fn r(n: u128) -> ReplicaId {
    ReplicaId::from_entropy(n).unwrap()
}

#[test]
fn an_error_of_the_server_changed_nothing() {
    let mut ada = Device::new(MemoryStore::device(), r(1), Guard::default());
    ada.write(
        &Write::create(
            people(),
            RecordId::new("a").unwrap(),
            &BTreeMap::from([("name", "a")]),
            &Shape::new(),
            Cause::User,
        )
        .unwrap(),
        Timestamp::from_micros(1),
    )
    .unwrap();
    for reads in 0..4 {
        let mut server = Server::new(
            Flaky { inner: MemoryStore::server(), reads: Cell::new(reads), commits: 99 },
            r(9),
            Guard::default(),
        );
        let error = server
            .take_in(ada.pending(&people(), 10).unwrap(), &Inputs::new(RoundId(1), Trust::Account))
            .map(|_| ())
            .err();
        server.store().reads.set(99);
        let is_there = server.explain(&people(), &RecordId::new("a").unwrap()).unwrap().is_some();
        if let Some(error) = error {
            assert!(!is_there, "after {reads} reads: '{error}', and yet the record is there");
        }
    }
}

#[test]
fn an_error_of_the_device_changed_nothing() {
    let c = people();
    let id = |n: usize| RecordId::new(format!("r{n}")).unwrap();
    let mut ada = Device::new(MemoryStore::device(), r(1), Guard::default());
    for n in 0..12 {
        ada.write(
            &Write::create(c.clone(), id(n), &BTreeMap::from([("name", n)]), &Shape::new(), Cause::User).unwrap(),
            Timestamp::from_micros(1),
        )
        .unwrap();
    }
    let many: Vec<_> = (0..8).map(id).collect();
    ada.write(&Write::delete_many(c.clone(), many, Cause::User), Timestamp::from_micros(2)).unwrap();
    let digest = ada.hold(&c).unwrap().unwrap().digest;
    let seed = ada.store().clone();
    let show = |s: &MemoryStore| format!("{s:?}");
    for reads in [0, 1, 2, 99] {
        for commits in [0, 99] {
            let fresh =
                || Device::new(Flaky { inner: seed.clone(), reads: Cell::new(reads), commits }, r(1), Guard::default());
            let mut d = fresh();
            let e = d.consent(&c, digest, "a", Timestamp::from_micros(3)).is_err();
            assert_eq!(e, show(&d.store().inner) == show(&seed), "consent");
            let mut d = fresh();
            let e = d.keep(&c, digest, "a", Timestamp::from_micros(3)).is_err();
            assert_eq!(e, show(&d.store().inner) == show(&seed), "keep");
            let mut d = fresh();
            let e = d.write(&Write::delete(c.clone(), id(10), Cause::User), Timestamp::from_micros(3)).is_err();
            assert_eq!(e, show(&d.store().inner) == show(&seed), "delete");
        }
    }
}

/// What a host whose store fails has to say must not be read from that store.
#[test]
fn who_is_barred_is_told_so_without_a_read() {
    let [ada, eve] = ["ada", "eve"].map(|account| AccountId::new(account).unwrap());
    let (key, entropy) = (PositionKey::new([7; 32]), Entropy::new(*b"thirty-two bytes that are chance").unwrap());
    let mut server = Server::new(Down, r(9), Guard::default());
    let mut phone = Device::new(MemoryStore::device(), r(1), Guard::default());
    let mut said = |account: &AccountId, access| {
        let mut session = DeviceSession::open(phone.opening(ada.clone(), vec![people()]), &entropy);
        let call = Call { access, ..Call::new(account, &key, entropy.clone()) };
        phone.converse(&mut session, |request| server.serve(request, &call)).map(|report| report.collections[0].refused)
    };
    let failed = said(&ada, Access::Open).unwrap_err().to_string();
    assert!(failed.contains("the network failed"), "{failed}");
    let unavailable = Access::Unavailable { retry_after_seconds: 30 };
    assert_eq!(said(&ada, unavailable).unwrap(), Some(Refused::Unavailable { retry_after_seconds: 30 }));
    assert_eq!(said(&ada, Access::Forbidden).unwrap(), Some(Refused::Forbidden));
    assert_eq!(said(&ada, Access::Forgotten).unwrap(), Some(Refused::Stop(Stop::Forgotten)));
    assert_eq!(said(&eve, Access::Open).unwrap(), Some(Refused::Stop(Stop::WrongAccount)));
}
