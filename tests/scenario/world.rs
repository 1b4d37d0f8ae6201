//! The replicas of a scenario, their clock, and what they have reported.

use std::collections::{BTreeMap, BTreeSet};

use holdfast::act::{
    memory::MemoryStore,
    receipt::{Receipt, ReceiptId},
    store::Store,
};
use holdfast::compose::{device::Device, server::Server};
use holdfast::decide::{
    consent::Trust,
    guard::{Guard, Inputs},
    ledger::RoundId,
    line::Hold,
    row::Row,
    slice::{Query, ReadSet, Slice},
    write::Seen,
};
use holdfast::values::{
    digest::Digest,
    id::{CollectionId, ReplicaId},
    time::Timestamp,
};

use super::{
    app::Contact,
    names::{self, Name},
    store::Shelf,
};

/// One replica.
pub enum Replica {
    Device(Device<Shelf>),
    Server(Server<Shelf>),
}

impl Replica {
    pub fn id(&self) -> ReplicaId {
        match self {
            Self::Device(device) => device.replica(),
            Self::Server(server) => server.replica(),
        }
    }

    pub fn store(&self) -> &Shelf {
        match self {
            Self::Device(device) => device.store(),
            Self::Server(server) => server.store(),
        }
    }

    pub fn hold(&self, of: &CollectionId) -> Option<Hold> {
        let hold = match self {
            Self::Device(device) => device.hold(of),
            Self::Server(server) => server.hold(of),
        };
        hold.expect("a store in memory")
    }

    /// All that is stored of a collection.
    pub fn slice(&self, of: &CollectionId) -> Slice {
        let all = Query::Range { after: None, limit: usize::MAX };
        self.store().read(&ReadSet::head(of.clone()).with_query(all)).expect("a store in memory")
    }

    pub fn row(&self, (of, record): &Name) -> Option<Row> {
        let set = ReadSet::head(of.clone()).with_records([record.clone()]);
        self.store().read(&set).expect("a store in memory").rows.remove(record)
    }
}

/// A report, and whether the replica's own person or app made it happen.
pub struct Noted {
    pub peer: String,
    pub receipt: Receipt,
    pub is_own: bool,
}

/// What was reported since a step or a section began.
#[derive(Default)]
pub struct Log {
    pub notes: Vec<Noted>,
    /// The revisions of every replica's collections when it began.
    pub revisions: BTreeMap<(String, CollectionId), u64>,
}

pub struct World {
    pub guard: Guard,
    pub trust: Trust,
    pub replicas: BTreeMap<String, Replica>,
    pub clocks: BTreeMap<String, i64>,
    pub collections: BTreeSet<CollectionId>,
    pub backups: BTreeMap<String, MemoryStore>,
    pub reads: BTreeMap<String, (String, Seen<Contact>)>,
    pub holds: BTreeMap<String, (CollectionId, Digest)>,
    pub receipts: BTreeMap<String, ReceiptId>,
    pub last: BTreeMap<String, ReceiptId>,
    pub step: Log,
    pub section: Log,
    clock: i64,
    counted: u128,
}

impl World {
    pub fn new(guard: Guard) -> Self {
        Self {
            guard,
            trust: Trust::Account,
            replicas: BTreeMap::new(),
            clocks: BTreeMap::new(),
            collections: BTreeSet::from([names::collection(names::PEOPLE).expect("a name")]),
            backups: BTreeMap::new(),
            reads: BTreeMap::new(),
            holds: BTreeMap::new(),
            receipts: BTreeMap::new(),
            last: BTreeMap::new(),
            step: Log::default(),
            section: Log::default(),
            clock: 1_000_000,
            counted: 0,
        }
    }

    pub fn begin_step(&mut self) {
        self.step = self.log();
    }

    pub fn begin_section(&mut self) {
        self.section = self.log();
        self.begin_step();
    }

    fn log(&self) -> Log {
        Log { notes: Vec::new(), revisions: self.revisions() }
    }

    pub fn revisions(&self) -> BTreeMap<(String, CollectionId), u64> {
        let mut all = BTreeMap::new();
        for (name, replica) in &self.replicas {
            for of in &self.collections {
                let slice = replica.store().read(&ReadSet::head(of.clone())).expect("a store in memory");
                all.insert((name.clone(), of.clone()), slice.head.revision.0);
            }
        }
        all
    }

    /// A number that nothing else in this scenario has.
    pub fn fresh(&mut self) -> u128 {
        self.counted += 1;
        self.counted
    }

    pub fn fresh_id(&mut self) -> ReplicaId {
        ReplicaId::from_entropy(1000 + self.fresh()).expect("an id")
    }

    /// What the guard is told in a new round.
    pub fn round(&mut self) -> Inputs<'static> {
        let round = RoundId(self.fresh());
        Inputs::new(round, self.trust)
    }

    /// The next moment by a replica's clock: everybody's, unless a scenario has set its own.
    pub fn now(&mut self, peer: &str) -> Timestamp {
        let clock = self.clocks.get_mut(peer).unwrap_or(&mut self.clock);
        *clock += 1;
        Timestamp::from_micros(*clock)
    }

    pub fn replica(&self, peer: &str) -> Result<&Replica, String> {
        self.replicas.get(peer).ok_or_else(|| format!("no replica '{peer}'"))
    }

    pub fn device(&mut self, peer: &str) -> Result<&mut Device<Shelf>, String> {
        match self.replicas.get_mut(peer) {
            Some(Replica::Device(device)) => Ok(device),
            Some(Replica::Server(_)) => Err(format!("'{peer}' is a server")),
            None => Err(format!("no replica '{peer}'")),
        }
    }

    pub fn server(&mut self) -> Result<&mut Server<Shelf>, String> {
        match self.replicas.get_mut("server") {
            Some(Replica::Server(server)) => Ok(server),
            _ => Err("no server".into()),
        }
    }

    /// Puts a replica over a store in a name's place.
    pub fn install(&mut self, peer: &str, memory: MemoryStore, id: ReplicaId) {
        let (shelf, guard) = (Shelf::new(memory), self.guard.clone());
        let replica = if peer == "server" {
            Replica::Server(Server::new(shelf, id, guard))
        } else {
            Replica::Device(Device::new(shelf, id, guard))
        };
        self.replicas.insert(peer.into(), replica);
    }

    /// Keeps a report.
    pub fn note(&mut self, peer: &str, receipt: Receipt, is_own: bool) {
        if let Some(id) = &receipt.id {
            self.last.insert(peer.into(), id.clone());
        }
        for log in [&mut self.step, &mut self.section] {
            log.notes.push(Noted { peer: peer.into(), receipt: receipt.clone(), is_own });
        }
    }
}
