//! Who is this device: restored, cloned and reinstalled devices lose nothing, and take nobody else's writes for their own (S5).
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test may stop"
)]

#[allow(dead_code, reason = "each test file uses a part")]
#[path = "conversation/peer.rs"]
mod peer;
#[allow(dead_code, reason = "each test file uses a part")]
#[path = "conversation/world.rs"]
mod world;

#[path = "identity/disputes.rs"]
mod disputes;
#[path = "identity/losses.rs"]
mod losses;
#[path = "identity/takeover.rs"]
mod takeover;
#[path = "identity/twins.rs"]
mod twins;

use std::convert::Infallible;

use holdfast::{
    act::store::Store,
    compose::device::{WriteFailed, identity::TakeOverFailed},
    compose::device_session::{DeviceSession, Opening, Output, Report},
    decide::{
        author::WriteError,
        slice::{Query, ReadSet},
        takeover::TakeOverError,
    },
    talk::{
        frame::{ReplyFrame, RequestFrame},
        limits::WireLimits,
        message::Request,
    },
    values::{value::Value, version_vector::Dot},
    *,
};

use world::*;

/// Everything a store shows of a field, siblings and all.
fn shown(store: &MemoryStore, n: usize, field: &str) -> Vec<String> {
    let slice = store.read(&ReadSet::head(people()).with_records([rec(n)])).unwrap();
    let Some(row) = slice.rows.get(&rec(n)) else { return Vec::new() };
    let record = row.version.record();
    let register = record.fields().iter().find(|(name, _)| name.as_str() == field).map(|(_, register)| register);
    let mut texts: Vec<String> = register
        .into_iter()
        .flat_map(|register| register.siblings())
        .map(|sibling| match &sibling.value {
            Value::Text(text) => text.to_string(),
            other => format!("{other:?}"),
        })
        .collect();
    texts.sort();
    texts.dedup();
    texts
}

fn conflict(report: &Report) -> Option<u64> {
    report.collections[0].conflict.map(|conflict| conflict.counter)
}

/// All replicas show the same, and what is asked for is among it.
fn settle(cloud: &mut Cloud, phones: &mut [&mut Phone]) {
    for _ in 0..2 {
        for phone in phones.iter_mut() {
            let report = cloud.sync(phone);
            assert!(report.is_complete() && conflict(&report).is_none(), "{report}");
        }
    }
    let known: Vec<_> = phones.iter().map(|phone| peer::rows_of(phone.store())).collect();
    for rows in &known {
        assert_eq!(*rows, peer::rows_of(&cloud.store));
    }
}

/// Sends one frame after another, and lets something happen before the first that is asked for.
fn converse_with(
    cloud: &mut Cloud,
    phone: &mut Phone,
    session: &mut DeviceSession,
    is_due: impl Fn(&Request) -> bool,
    happens: impl FnOnce(&mut Cloud),
) -> Report {
    let mut happens = Some(happens);
    phone
        .converse(session, |frame| {
            let request = RequestFrame::decode(frame, &WireLimits::default()).unwrap().requests.remove(0);
            if let Some(happens) = happens.take_if(|_| is_due(&request)) {
                happens(cloud);
            }
            Ok::<_, Infallible>(cloud.answer(frame))
        })
        .unwrap()
}

fn short_pages(phone: &Phone, draw: u64) -> DeviceSession {
    let limits = WireLimits { page_bytes: 150, ..WireLimits::default() };
    let opening = phone.opening(AccountId::new("ada").unwrap(), vec![people()]);
    DeviceSession::open(Opening { limits, ..opening }, &entropy(draw))
}
