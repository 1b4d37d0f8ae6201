//! A session, and what crossed in it.

use holdfast::{
    compose::device_session::{DeviceSession, Opening, Report},
    talk::{
        frame::{ReplyFrame, RequestFrame},
        limits::WireLimits,
        message::{Reply, Request},
    },
    values::id::AccountId,
    *,
};

use crate::{workload::Chance, world::*};

/// What crossed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Crossed {
    /// Records pushed, and the pages that they were in.
    pub(crate) up: usize,
    pub(crate) pushes: usize,
    /// Records that came.
    pub(crate) down: usize,
    /// Comparisons, and their bytes in both directions.
    pub(crate) compared: usize,
    pub(crate) compared_bytes: usize,
    /// Bytes of the longest reply to one.
    pub(crate) longest: usize,
    /// All bytes that came.
    pub(crate) bytes_down: usize,
}

pub(crate) fn sync(cloud: &mut Cloud, phone: &mut Phone) -> (Report, Crossed) {
    sync_as(cloud, phone, |opening| opening)
}

pub(crate) fn sync_as(
    cloud: &mut Cloud,
    phone: &mut Phone,
    open: impl FnOnce(Opening) -> Opening,
) -> (Report, Crossed) {
    cloud.draws += 1;
    let opening = open(phone.opening(AccountId::new("ada").unwrap(), vec![people()]));
    let limits = opening.limits;
    let mut session = DeviceSession::open(opening, &entropy(cloud.draws));
    let mut crossed = Crossed::default();
    let report = phone.converse(&mut session, |frame| {
        let reply = cloud.answer(frame);
        crossed.count(frame, &reply, &limits);
        Ok::<_, std::convert::Infallible>(reply)
    });
    (report.unwrap(), crossed)
}

impl Crossed {
    fn count(&mut self, request: &[u8], reply: &[u8], limits: &WireLimits) {
        self.bytes_down += reply.len();
        for asked in RequestFrame::decode(request, limits).unwrap().requests {
            match asked {
                Request::Push { offers, .. } => {
                    self.up += offers.len();
                    self.pushes += 1;
                }
                Request::Reconcile { .. } => {
                    self.compared += 1;
                    self.compared_bytes += request.len() + reply.len();
                    self.longest = self.longest.max(reply.len());
                }
                _ => {}
            }
        }
        for said in ReplyFrame::decode(reply, limits).unwrap().replies {
            if let Reply::Page { offers, .. } | Reply::Whole { offers, .. } = said {
                self.down += offers.len();
            }
        }
    }
}

/// A record under a random UUID.
pub(crate) fn make(phone: &mut Phone, chance: &mut Chance) -> RecordId {
    let id = chance.id();
    let fields = Loose::from([("name".to_owned(), values::value::Value::from(chance.value(0).as_str()))]);
    let write = Write::create(people(), id.clone(), &fields, &Shape::new(), Cause::User).unwrap();
    phone.write(&write, at(1)).unwrap();
    id
}

pub(crate) fn rename(phone: &mut Phone, id: &RecordId, name: &str) {
    let seen = phone.read::<Loose>(&people(), id, &Shape::new()).unwrap().unwrap();
    let mut next = (*seen).clone();
    next.insert("name".to_owned(), values::value::Value::from(name));
    phone.write(&seen.save(&next, Cause::User).unwrap(), at(7)).unwrap();
}

pub(crate) fn remove(phone: &mut Phone, id: &RecordId) {
    phone.write(&Write::delete(people(), id.clone(), Cause::User), at(8)).unwrap();
}

/// Two phones that hold the same records, and a server that has lost everything and got it back from the second one. What
/// the first one was given is void.
pub(crate) fn rebuilt(records: usize, chance: &mut Chance) -> (Cloud, Phone, Phone, Vec<RecordId>) {
    let (mut cloud, mut ada, mut ben) = (Cloud::new(), phone(1), phone(2));
    let ids = (0..records).map(|_| make(&mut ada, chance)).collect();
    cloud.sync(&mut ada);
    cloud.sync(&mut ben);
    cloud.store = MemoryStore::server();
    cloud.sync(&mut ben);
    (cloud, ada, ben, ids)
}
