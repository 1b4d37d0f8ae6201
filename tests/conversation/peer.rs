//! Peers by hand: what somebody sends who has the account's credentials, and a server that replies what it likes.

use std::convert::Infallible;

use holdfast::{
    act::store::Store,
    compose::{
        device_session::{DeviceSession, Output, Report},
        serve::account_digest,
    },
    decide::{
        authorship::Link,
        offer::Offer,
        slice::{Head, Query, ReadSet},
    },
    talk::{
        extra::Extra,
        frame::{ReplyFrame, RequestFrame},
        limits::WireLimits,
        message::{Greeting, Reply, Request},
        offer::SentOffer,
    },
    values::{digest::Digest, id::AccountId},
    *,
};

use crate::world::*;

pub(crate) const LIMITS: fn() -> WireLimits = WireLimits::default;

pub(crate) fn synced() -> (Cloud, Phone, Phone) {
    let (mut cloud, mut ada, mut ben) = (Cloud::new(), phone(1), phone(2));
    for n in 0..12 {
        create(&mut ada, n, &[("name", &format!("n{n}")), ("phone", "1"), ("town", "Kiel")]);
    }
    cloud.sync(&mut ada);
    cloud.sync(&mut ben);
    (cloud, ada, ben)
}

/// What somebody who holds the account's credentials sends by hand.
pub(crate) fn ask(cloud: &mut Cloud, from: ReplicaId, mut request: Request) -> Reply {
    if let (Request::Push { links, .. }, Some(history)) = (&mut request, head(&cloud.store).history) {
        // A server tells whoever asks what it has accepted last.
        links.splice(0..0, history.authors.get(&from).map(|author| author.link));
    }
    let account = account_digest(&AccountId::new("ada").unwrap());
    let frame = RequestFrame { session: 77, step: 1, account, from, requests: vec![request], extra: Extra::default() };
    let reply = cloud.answer(&frame.encode(&LIMITS()).unwrap());
    ReplyFrame::decode(&reply, &LIMITS()).unwrap().replies.remove(0)
}

pub(crate) fn head(store: &MemoryStore) -> Head {
    store.read(&ReadSet::head(people())).unwrap().head
}

pub(crate) fn known(phone: &Phone) -> Option<Greeting> {
    let last = head(phone.store()).server.unwrap().witness.unwrap().last;
    Some(Greeting { revision: last.position.revision, tag: last.tag })
}

pub(crate) fn push(at: Option<Greeting>, counter: u64, offers: Vec<SentOffer>) -> Request {
    let links = links_up_to(counter);
    Request::Push { collection: people(), at, links, is_first: true, is_last: true, offers }
}

pub(crate) fn links_up_to(counter: u64) -> Vec<Link> {
    vec![Link { counter, hash: Digest::from_bytes([0x77; 16]) }]
}

pub(crate) fn offer(phone: &Phone, n: usize) -> SentOffer {
    SentOffer::of(Offer::of(&phone.row(&people(), &rec(n)).unwrap().unwrap()), None)
}

pub(crate) fn saved(store: &MemoryStore) -> String {
    serde_json::to_string(store).unwrap()
}

pub(crate) fn open(phone: &Phone, draw: u64) -> DeviceSession {
    DeviceSession::open(phone.opening(AccountId::new("ada").unwrap(), vec![people()]), &entropy(draw))
}

pub(crate) fn rows_of(store: &MemoryStore) -> Vec<(RecordId, Digest)> {
    let query = Query::Range { after: None, limit: usize::MAX };
    let slice = store.read(&ReadSet::head(people()).with_query(query)).unwrap();
    slice.rows.into_values().map(|row| (row.record.clone(), row.known().digest())).collect()
}

/// Drives a session up to its first request, and gives the frame.
pub(crate) fn first_request(phone: &Phone, session: &mut DeviceSession) -> Vec<u8> {
    loop {
        match session.poll() {
            Output::Read(set) => session.loaded(phone.store().read(&set).unwrap()),
            Output::Send(frame) => return frame,
            other => panic!("{other:?}"),
        }
    }
}

/// A server that replies what it likes.
pub(crate) fn lied_to(phone: &mut Phone, mut lie: impl FnMut(usize, &RequestFrame) -> Vec<Reply>) -> (usize, String) {
    let mut session = open(phone, 950);
    let mut asked = 0;
    let outcome = phone.converse(&mut session, |frame| {
        let request = RequestFrame::decode(frame, &LIMITS()).unwrap();
        let replies = lie(asked, &request);
        asked += 1;
        assert!(asked < 50, "it never ends");
        let (session, step) = (request.session, request.step);
        let from = ReplicaId::from_entropy(99).unwrap();
        let reply = ReplyFrame { session, step, from, replies, extra: Extra::default() };
        Ok::<_, Infallible>(reply.encode(&LIMITS()).unwrap())
    });
    (asked, format!("{outcome:?}"))
}

/// Drives a session until `stop` says so (before that output is done), over the phone's store.
pub(crate) fn drive(
    phone: &mut Phone,
    session: &mut DeviceSession,
    mut net: impl FnMut(&[u8]) -> Option<Vec<u8>>,
    mut stop: impl FnMut(&Output) -> bool,
) -> Option<Report> {
    let mut store = phone.store().clone();
    let mut done = None;
    loop {
        let output = session.poll();
        if stop(&output) {
            break;
        }
        match output {
            Output::Read(set) => session.loaded(store.read(&set).unwrap()),
            Output::Commit(batch) => match store.commit(batch) {
                Ok(()) => session.committed(),
                Err(_) => session.moved(),
            },
            Output::Send(frame) => match net(&frame) {
                Some(reply) => session.received(&reply).unwrap(),
                None => break,
            },
            Output::Done(report) => {
                done = Some(*report);
                break;
            }
        }
    }
    *phone = Device::new(store, phone.replica(), Guard::default());
    done
}
