//! This library over its wire: a session of a device with a server's function, every frame encoded, carried and decoded.
use super::{
    ours::{create, digest_of, edit_on, names, people},
    *,
};
use ::holdfast::{
    act::memory::MemoryStore,
    compose::{device::Device, device_session::DeviceSession, serve::Call, server::Server},
    decide::{guard::Guard, position::PositionKey},
    values::{
        entropy::Entropy,
        id::{AccountId, ReplicaId},
        shape::Shape,
        time::Timestamp,
    },
};
use std::convert::Infallible;

pub struct OursOnline;

pub struct Rep {
    /// The device; on the server's side the one whose edits the server gets.
    pub device: Device<MemoryStore>,
    pub server: Option<MemoryStore>,
    draws: u64,
    shape: Shape,
}

fn rep(replica: u128, server: Option<MemoryStore>) -> Rep {
    let replica = ReplicaId::from_entropy(replica).unwrap();
    let device = Device::new(MemoryStore::device(), replica, Guard::default());
    Rep { device, server, draws: u64::from(replica.as_bytes()[15]) << 32, shape: Shape::new() }
}

fn entropy(n: u64) -> Entropy {
    let mut bits = [0x5a; 32];
    bits[..8].copy_from_slice(&n.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
    Entropy::new(bits).unwrap()
}

/// One session; what it sent is the request frames, what came the reply frames.
fn converse(device: &mut Device<MemoryStore>, store: &mut MemoryStore, draws: &mut u64) -> Wire {
    *draws += 2;
    let account = AccountId::new("ada").unwrap();
    let mut session = DeviceSession::open(device.opening(account.clone(), vec![people()]), &entropy(*draws));
    let key = PositionKey::new([7; 32]);
    let call = Call::new(&account, &key, entropy(*draws + 1));
    let mut server = Server::new(store, ReplicaId::from_entropy(3).unwrap(), Guard::default());
    let report =
        device.converse(&mut session, |frame| Ok::<_, Infallible>(server.serve(frame, &call).unwrap())).unwrap();
    assert!(report.is_complete(), "{report}");
    let collection = &report.collections[0];
    assert!(collection.failed.is_empty() && collection.held_there.is_empty(), "{report}");
    let conflicts = collection.receipts.iter().flat_map(|receipt| &receipt.changes);
    Wire {
        up: report.bytes_sent as usize,
        down: report.bytes_received as usize,
        msgs: 2 * report.requests as usize,
        conflicts: conflicts.filter(|change| !change.conflicts.is_empty()).count(),
    }
}

impl Peer for OursOnline {
    const NAME: &'static str = "holdfast-online";
    type Rep = Rep;

    fn server(recs: &[Rec]) -> Rep {
        let mut rep = rep(2, Some(MemoryStore::server()));
        let names = names();
        for rec in recs {
            rep.device.write(&create(&names, rec), Timestamp::from_micros(rec.mtime as i64)).unwrap();
        }
        Self::settle(&mut rep);
        rep
    }

    fn device() -> Rep {
        rep(1, None)
    }

    fn edit(rep: &mut Rep, edit: &Edit) {
        edit_on(&mut rep.device, &rep.shape, edit);
    }

    #[inline(never)]
    fn sync(d: &mut Rep, s: &mut Rep) -> Wire {
        converse(&mut d.device, s.server.as_mut().unwrap(), &mut d.draws)
    }

    fn digest(rep: &Rep) -> u64 {
        digest_of(rep.server.as_ref().unwrap_or_else(|| rep.device.store()))
    }

    fn settle(s: &mut Rep) {
        converse(&mut s.device, s.server.as_mut().unwrap(), &mut s.draws);
    }
}
