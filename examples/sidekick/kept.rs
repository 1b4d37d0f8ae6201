//! The same household with Holdfast: devices and a server's function, and frames of bytes between them.

use std::{collections::BTreeMap, convert::Infallible};

use holdfast::{
    AccountId, Call, Cause, Device, DeviceSession, Entropy, Guard, MemoryStore, PositionKey, RecordId, ReplicaId, Seen,
    Server, Timestamp, Write,
    compose::{converse::ServeFailed, device_session::Report},
    decide::continuity::{Continuity, Judgement},
    values::time::Day,
};

use super::{
    house::{House, Named, Result, Synced},
    people::Chance,
    records::{self, Appointment, Contact, Contents, Edit, Item, Kept, Key, Kind, PhotoNote, ToDo},
    story,
};

/// How long a phone and a server can bring back what was deleted, in days.
const RETENTION: u64 = 30;

pub(crate) struct Household {
    phones: Vec<Device<MemoryStore>>,
    server: Server<MemoryStore>,
    /// Of the server's host, outside of its store.
    key: PositionKey,
    backups: BTreeMap<&'static str, MemoryStore>,
    account: AccountId,
    guard: Guard,
    chance: Chance,
    clock: i64,
    today: i64,
}

impl Household {
    pub(crate) fn new(phones: usize, seed: u64) -> Result<Self> {
        let mut chance = Chance::new(seed);
        let replica = ReplicaId::from_entropy(chance.bits())?;
        let key = PositionKey::new(chance.entropy());
        let (account, guard) = (AccountId::new("the household")?, records::guard()?);
        let server = Server::new(MemoryStore::server(), replica, guard.clone());
        let (backups, clock, today) = (BTreeMap::new(), 0, 0);
        let mut house = Self { phones: Vec::new(), server, key, backups, account, guard, chance, clock, today };
        for _ in 0..phones {
            house.buy_phone()?;
        }
        Ok(house)
    }

    fn new_phone(&mut self) -> Result<Device<MemoryStore>> {
        let installation = ReplicaId::from_entropy(self.chance.bits())?;
        Ok(Device::new(MemoryStore::device(), installation, self.guard.clone()))
    }

    fn write(&mut self, phone: usize, write: &Write) -> Result<()> {
        self.clock += 1;
        let at = Timestamp::from_micros(self.clock);
        self.phones.get_mut(phone).ok_or("there is no such phone")?.write(write, at)?;
        Ok(())
    }

    fn change<T: Kept>(&mut self, phone: usize, key: &Key, edit: &Edit) -> Result<()> {
        let device = self.phones.get(phone).ok_or("there is no such phone")?;
        let seen: Option<Seen<T>> =
            device.read(&key.kind.collection()?, &RecordId::new(&key.id)?, &records::shape())?;
        let Some(seen) = seen else { return Ok(()) };
        self.write(phone, &seen.edit(|record| record.apply(edit), Cause::User)?)
    }
}

impl House for Household {
    fn create(&mut self, phone: usize, key: &Key, item: &Item) -> Result<()> {
        let (collection, id, shape) = (key.kind.collection()?, RecordId::new(&key.id)?, records::shape());
        let write = match item {
            Item::Contact(contact) => Write::create(collection, id, contact, &shape, Cause::User),
            Item::Appointment(appointment) => Write::create(collection, id, appointment, &shape, Cause::User),
            Item::ToDo(to_do) => Write::create(collection, id, to_do, &shape, Cause::User),
            Item::PhotoNote(photo) => Write::create(collection, id, photo, &shape, Cause::User),
        };
        self.write(phone, &write?)
    }

    fn edit(&mut self, phone: usize, key: &Key, edit: &Edit) -> Result<()> {
        match key.kind {
            Kind::Contacts => self.change::<Contact>(phone, key, edit),
            Kind::Appointments => self.change::<Appointment>(phone, key, edit),
            Kind::ToDos => self.change::<ToDo>(phone, key, edit),
            Kind::PhotoNotes => self.change::<PhotoNote>(phone, key, edit),
        }
    }

    fn delete(&mut self, phone: usize, key: &Key) -> Result<()> {
        self.write(phone, &Write::delete(key.kind.collection()?, RecordId::new(&key.id)?, Cause::User))
    }

    /// One session. What crosses are bytes.
    fn sync(&mut self, phone: usize) -> Result<Synced> {
        let Self { phones, server, key, account, chance, .. } = self;
        let device = phones.get_mut(phone).ok_or("there is no such phone")?;
        let collections = Kind::ALL.map(Kind::collection).into_iter().collect::<Result<Vec<_>, _>>()?;
        let opening = device.opening(account.clone(), collections);
        let mut session = DeviceSession::open(opening, &Entropy::new(chance.entropy())?);
        let report = device.converse(&mut session, |request| -> Result<_, ServeFailed<Infallible>> {
            server.serve(request, &Call::new(account, key, Entropy::new(chance.entropy())?))
        })?;
        synced(&report, device)
    }

    /// Its store is on its disk, and is read back.
    fn restart(&mut self, phone: usize) -> Result<()> {
        let device = self.phones.get_mut(phone).ok_or("there is no such phone")?;
        let disk = serde_json::to_string(device.store())?;
        *device = Device::new(serde_json::from_str(&disk)?, device.replica(), self.guard.clone());
        Ok(())
    }

    fn reinstall(&mut self, phone: usize) -> Result<()> {
        let new = self.new_phone()?;
        *self.phones.get_mut(phone).ok_or("there is no such phone")? = new;
        Ok(())
    }

    fn buy_phone(&mut self) -> Result<()> {
        let phone = self.new_phone()?;
        self.phones.push(phone);
        Ok(())
    }

    fn back_up(&mut self, name: &'static str) {
        self.backups.insert(name, self.server.store().clone());
    }

    /// Nobody tells the server that it was restored: the phones find out.
    fn restore(&mut self, name: Option<&'static str>) {
        let backup = name.and_then(|name| self.backups.get(name)).cloned();
        let store = backup.unwrap_or_else(MemoryStore::server);
        self.server = Server::new(store, self.server.replica(), self.guard.clone());
    }

    fn pass_days(&mut self, days: u32, phones: &[usize]) -> Result<()> {
        for _ in 0..days {
            self.today += 1;
            for kind in Kind::ALL {
                let (collection, today) = (kind.collection()?, Day(self.today));
                self.server.pass_day(&collection, today, RETENTION)?;
                for phone in phones {
                    let device = self.phones.get_mut(*phone).ok_or("there is no such phone")?;
                    device.pass_day(&collection, today, RETENTION)?;
                }
            }
        }
        Ok(())
    }

    /// The library knows devices by their ids, the app by their owners.
    fn rebuilt(&self, kind: Kind) -> Result<Option<String>> {
        let Some(report) = self.server.rebuild(&kind.collection()?)? else { return Ok(None) };
        let owners = self.phones.iter().map(Device::replica).zip(story::PEOPLE);
        Ok(Some(owners.fold(report.to_string(), |text, (replica, name)| text.replace(&replica.to_string(), name))))
    }

    fn phone(&self, phone: usize) -> Result<Contents> {
        shown(self.phones.get(phone).ok_or("there is no such phone")?)
    }

    /// Read as a phone would read it that had this very store.
    fn server(&self) -> Result<Contents> {
        shown(&Device::new(self.server.store().clone(), self.server.replica(), self.guard.clone()))
    }
}

fn shown(device: &Device<MemoryStore>) -> Result<Contents> {
    let mut contents = Contents::new();
    for kind in Kind::ALL {
        for record in device.records(&kind.collection()?, None, usize::MAX)? {
            let item = match kind {
                Kind::Contacts => read::<Contact>(device, kind, &record)?,
                Kind::Appointments => read::<Appointment>(device, kind, &record)?,
                Kind::ToDos => read::<ToDo>(device, kind, &record)?,
                Kind::PhotoNotes => read::<PhotoNote>(device, kind, &record)?,
            };
            contents.extend(item.map(|item| (Key { kind, id: record.to_string() }, item)));
        }
    }
    Ok(contents)
}

fn read<T: Kept>(device: &Device<MemoryStore>, kind: Kind, record: &RecordId) -> Result<Option<Item>> {
    let seen: Option<Seen<T>> = device.read(&kind.collection()?, record, &records::shape())?;
    Ok(seen.map(|seen| seen.into_inner().into_item()))
}

/// What the library's report says, collection by collection.
fn synced(report: &Report, device: &Device<MemoryStore>) -> Result<Synced> {
    let mut synced = Synced::default();
    for kind in Kind::ALL {
        let collection = kind.collection()?;
        if let Some(report) = report.of(&collection) {
            synced.sent += report.sent;
            synced.reports.insert(kind, report.to_string());
            let lost = report.evidence.iter().find(|judged| matches!(judged.continuity, Continuity::Lost(_)));
            let named =
                |judged: &Judgement| Named { loss: judged.continuity.to_string(), evidence: judged.to_string() };
            synced.named.extend(lost.map(|judged| (kind, named(judged))));
        }
        synced.questions.extend(device.hold(&collection)?.map(|hold| hold.to_string()));
    }
    Ok(synced)
}
