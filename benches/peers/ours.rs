//! This library: a device and a server over stores in memory, and the standard guard. Every version that crosses is
//! encoded, carried as bytes, decoded and checked. A server authors nothing, so the edits of its side are made on a
//! second device and brought to it outside the timed part.
use super::*;
use ::holdfast::{
    act::memory::MemoryStore,
    act::store::Store,
    compose::{device::Device, exchange, server::Server},
    decide::{
        changes::{Acknowledgement, Changes},
        consent::Trust,
        guard::{Guard, Inputs},
        ledger::RoundId,
        offer::Offer,
        slice::{Query, ReadSet},
        write::Write,
    },
    values::{
        codec::DecodeLimits,
        digest::Digest,
        id::{CollectionId, FieldName, RecordId, ReplicaId},
        register::{Cause, Show},
        shape::Shape,
        time::Timestamp,
        value::Value,
        version::Version,
    },
};
use serde::{Deserialize, Serialize};

pub struct Ours;

/// The app's struct.
#[derive(Clone, Serialize, Deserialize)]
pub struct Contact {
    given: String,
    family: String,
    email: String,
    phone: String,
    org: String,
    title: String,
    street: String,
    city: String,
    country: String,
    note: String,
}

impl From<&Rec> for Contact {
    fn from(rec: &Rec) -> Self {
        let [given, family, email, phone, org, title, street, city, country, note] = rec.f.clone();
        Self { given, family, email, phone, org, title, street, city, country, note }
    }
}

impl Contact {
    fn field(&mut self, index: usize) -> &mut String {
        match index {
            0 => &mut self.given,
            1 => &mut self.family,
            2 => &mut self.email,
            3 => &mut self.phone,
            4 => &mut self.org,
            5 => &mut self.title,
            6 => &mut self.street,
            7 => &mut self.city,
            8 => &mut self.country,
            _ => &mut self.note,
        }
    }
}

pub struct Rep {
    /// The device; on the server's side the one whose edits the server gets.
    pub device: Device<MemoryStore>,
    pub server: Option<Server<MemoryStore>>,
    round: u128,
    shape: Shape,
}

pub fn people() -> CollectionId {
    CollectionId::new("people").unwrap()
}

pub fn record_id(id: &Id) -> RecordId {
    RecordId::new(uuid_str(id)).unwrap()
}

pub fn names() -> Vec<FieldName> {
    FIELDS.iter().map(|name| FieldName::new(name).unwrap()).collect()
}

/// A create as fields, the names shared.
pub fn create(names: &[FieldName], rec: &Rec) -> Write {
    let fields = names.iter().cloned().zip(rec.f.iter().map(|text| Value::Text(text.clone()))).collect();
    Write::create_fields(people(), record_id(&rec.id), fields, Cause::User)
}

fn device(replica: u128) -> Device<MemoryStore> {
    Device::new(MemoryStore::device(), ReplicaId::from_entropy(replica).unwrap(), Guard::default())
}

impl Rep {
    pub fn inputs(&mut self) -> Inputs<'static> {
        self.round += 1;
        Inputs::new(RoundId(self.round), Trust::Account)
    }
}

/// Sends changes as bytes and reads them again.
pub fn carry(changes: &Changes) -> (Changes, usize) {
    let mut bytes = Vec::new();
    let mut put = |part: &[u8]| {
        bytes.extend(u32::try_from(part.len()).unwrap().to_le_bytes());
        bytes.extend(part);
    };
    for offer in &changes.offers {
        assert!(offer.held.is_none() && offer.excuse.is_none(), "the workload stays within the limits");
        put(offer.record.as_str().as_bytes());
        put(offer.version.as_bytes());
    }
    let mut rest = bytes.as_slice();
    let mut take = || {
        let (length, after) = rest.split_first_chunk::<4>()?;
        let (part, after) = after.split_at(u32::from_le_bytes(*length) as usize);
        rest = after;
        Some(part)
    };
    let limits = DecodeLimits::default();
    let mut offers = Vec::with_capacity(changes.offers.len());
    while let (Some(record), Some(version)) = (take(), take()) {
        let record = RecordId::new(core::str::from_utf8(record).unwrap()).unwrap();
        let version = Version::decode(version, &limits).unwrap();
        offers.push(Offer { record, version, held: None, excuse: None, delete_tag: None });
    }
    (Changes { offers, collection: changes.collection.clone(), ..*changes }, bytes.len())
}

/// Sends an acknowledgement as bytes and reads it again.
fn carry_back(known: &Acknowledgement) -> (Acknowledgement, usize) {
    let list: Vec<(&str, &[u8; 16])> =
        known.known.iter().map(|(id, digest)| (id.as_str(), digest.as_bytes())).collect();
    let bytes = postcard::to_stdvec(&list).unwrap();
    let list: Vec<(&str, [u8; 16])> = postcard::from_bytes(&bytes).unwrap();
    let known_there = list.iter().map(|(id, digest)| (RecordId::new(id).unwrap(), Digest::from_bytes(*digest)));
    (Acknowledgement { known: known_there.collect(), collection: known.collection.clone(), ..*known }, bytes.len())
}

impl Peer for Ours {
    const NAME: &'static str = "holdfast";
    type Rep = Rep;

    fn server(recs: &[Rec]) -> Rep {
        let server = Server::new(MemoryStore::server(), ReplicaId::from_entropy(3).unwrap(), Guard::default());
        let mut rep = Rep { device: device(2), server: Some(server), round: 1 << 64, shape: Shape::new() };
        let names = names();
        for rec in recs {
            rep.device.write(&create(&names, rec), Timestamp::from_micros(rec.mtime as i64)).unwrap();
        }
        Self::settle(&mut rep);
        rep
    }

    fn device() -> Rep {
        Rep { device: device(1), server: None, round: 0, shape: Shape::new() }
    }

    fn edit(rep: &mut Rep, edit: &Edit) {
        edit_on(&mut rep.device, &rep.shape, edit);
    }

    #[inline(never)]
    fn sync(d: &mut Rep, s: &mut Rep) -> Wire {
        let (people, inputs) = (people(), d.inputs());
        let server = s.server.as_mut().unwrap();
        let mut wire = Wire { msgs: 2, ..Wire::default() };
        let pending = d.device.pending(&people, usize::MAX).unwrap();
        if !pending.offers.is_empty() {
            let (pending, up) = carry(&pending);
            let (receipt, known) = server.take_in(pending, &inputs).unwrap();
            assert!(receipt.held.is_empty() && receipt.refused.is_empty());
            let (known, down) = carry_back(&known);
            d.device.acknowledged(&known).unwrap();
            wire = Wire {
                up,
                down,
                conflicts: receipt.changes.iter().filter(|c| !c.conflicts.is_empty()).count(),
                ..wire
            };
        }
        let taken = d.device.taken(&people, server.replica()).unwrap();
        let (since, down) = carry(&server.since(&people, taken, usize::MAX).unwrap());
        let receipt = d.device.take_in(since, &inputs).unwrap();
        assert!(receipt.held.is_empty() && receipt.refused.is_empty());
        wire.down += down;
        wire
    }

    fn digest(rep: &Rep) -> u64 {
        digest_of(rep.server.as_ref().map_or_else(|| rep.device.store(), Server::store))
    }

    fn settle(s: &mut Rep) {
        let inputs = s.inputs();
        exchange::exchange(&mut s.device, s.server.as_mut().unwrap(), &people(), &inputs).unwrap();
    }
}

/// Makes one edit, as an app does.
pub fn edit_on(device: &mut Device<MemoryStore>, shape: &Shape, edit: &Edit) {
    let (write, at) = match edit {
        Edit::Set { id, field, val, mtime } => {
            let Some(seen) = device.read::<Contact>(&people(), &record_id(id), shape).unwrap() else {
                return;
            };
            let mut contact = Contact::clone(&seen);
            contact.field(*field).clone_from(val);
            (seen.save(&contact, Cause::User).unwrap(), mtime)
        }
        Edit::Put(rec) => {
            let write = Write::create(people(), record_id(&rec.id), &Contact::from(rec), shape, Cause::User);
            (write.unwrap(), &rec.mtime)
        }
        Edit::Del { id, mtime } => {
            // Where several steps are made before a sync, two of them may delete the same record.
            let row = device.row(&people(), &record_id(id)).unwrap();
            if !row.is_some_and(|row| row.version.is_alive()) {
                return;
            }
            (Write::delete(people(), record_id(id), Cause::User), mtime)
        }
    };
    device.write(&write, Timestamp::from_micros(*at as i64)).unwrap();
}

/// Of what a store shows.
pub fn digest_of(store: &MemoryStore) -> u64 {
    let query = Query::Range { after: None, limit: usize::MAX };
    let slice = store.read(&ReadSet::head(people()).with_query(query)).unwrap();
    let names = names();
    slice.rows.values().filter(|row| row.version.is_alive()).fold(0, |digest, row| {
        let record = row.version.record();
        let shown = names.iter().map(|name| match record.fields().get(name).and_then(|r| r.shown(Show::Latest)) {
            Some(Value::Text(text)) => text.as_str(),
            _ => "",
        });
        let mut id = [0; 16];
        id.copy_from_slice(&row.record.as_str().as_bytes()[..16]);
        digest ^ content_digest(&id, shown)
    })
}
