//! Attacks on the conversation that have succeeded once: two sessions at a time, servers that go back at the worst moment,
//! limits that do not fit, and peers that lie.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may stop")]
#![allow(clippy::arithmetic_side_effects, reason = "a test that overflows has failed")]

#[path = "conversation_attacks/identity.rs"]
mod identity;
#[path = "conversation_attacks/limits.rs"]
mod limits;
#[path = "conversation_attacks/losses.rs"]
mod losses;
#[allow(dead_code, reason = "each test file uses a part")]
#[path = "conversation/peer.rs"]
mod peer;
#[path = "conversation_attacks/sessions.rs"]
mod sessions;
#[allow(dead_code, reason = "each test file uses a part")]
#[path = "conversation/world.rs"]
mod world;

use holdfast::{
    act::store::Store,
    compose::{
        device::online::ChangeState,
        device_session::{DeviceSession, Opening, Output},
        serve::account_digest,
    },
    decide::{
        continuity::{Continuity, Judgement, ServerLoss},
        line::Revision,
        position::{FeedCursor, PositionKey},
    },
    talk::{
        extra::Extra,
        frame::RequestFrame,
        limits::WireLimits,
        message::{Recognition, Refused, Reply, Request},
    },
    values::{codec::DecodeLimits, digest::Digest, id::AccountId, value::Value},
    *,
};
use peer::*;
use world::*;

fn opening(phone: &Phone) -> Opening {
    phone.opening(AccountId::new("ada").unwrap(), vec![people()])
}

fn audit(opening: Opening) -> Opening {
    Opening { grants_audit: true, ..opening }
}

fn without(store: &MemoryStore, gone: impl Fn(&str) -> bool) -> MemoryStore {
    let mut saved = serde_json::to_value(store).unwrap();
    for collection in saved["collections"].as_array_mut().unwrap() {
        collection[1]["rows"].as_array_mut().unwrap().retain(|row| !gone(row["record"].as_str().unwrap()));
    }
    serde_json::from_value(saved).unwrap()
}

fn state(phone: &Phone, n: usize) -> Option<ChangeState> {
    phone.state(&people(), &rec(n)).unwrap()
}

fn on_server(cloud: &Cloud, n: usize) -> bool {
    rows_of(&cloud.store).iter().any(|(id, _)| *id == rec(n))
}

fn digest_on(store: &MemoryStore, n: usize) -> Option<Digest> {
    rows_of(store).into_iter().find(|(id, _)| *id == rec(n)).map(|(_, d)| d)
}
