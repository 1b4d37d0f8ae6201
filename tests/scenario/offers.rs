//! What travels between replicas, honest and not.

use holdfast::compose::{exchange::exchange, round};
use holdfast::decide::{
    changes::Changes,
    consent::{Excuse, Verdict},
    guard::Inputs,
    line::Revision,
    offer::Offer,
    slice::Query,
};
use holdfast::values::{id::CollectionId, time::Timestamp};

use super::{
    command::{Done, Failed, not_understood, refused},
    names::Name,
    world::{Replica, World},
};

/// What becomes of the server's answer to a push.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reply {
    Comes,
    Lost,
}

/// One whole sync, in one round over these collections.
pub fn sync(world: &mut World, peer: &str, collections: &[CollectionId]) -> Done {
    let inputs = world.round();
    for of in collections {
        let (Some(mut device), Some(mut server)) = (world.replicas.remove(peer), world.replicas.remove("server"))
        else {
            return Err(Failed::NotUnderstood("a sync needs a device and a server".into()));
        };
        let done = match (&mut device, &mut server) {
            (Replica::Device(device), Replica::Server(server)) => {
                exchange(device, server, of, &inputs).map_err(refused)
            }
            _ => Err(Failed::NotUnderstood("a sync needs a device and a server".into())),
        };
        world.replicas.insert(peer.into(), device);
        world.replicas.insert("server".into(), server);
        let done = done?;
        if let Some(pushed) = done.pushed {
            world.note("server", pushed, false);
        }
        world.note(peer, done.pulled, false);
    }
    Ok(())
}

/// The first half of a sync, in pages of one round.
pub fn push(world: &mut World, peer: &str, page: usize, reply: &Reply) -> Done {
    let inputs = world.round();
    for of in world.collections.clone() {
        let changes = world.device(peer)?.pending(&of, usize::MAX).map_err(refused)?;
        for offers in changes.offers.chunks(page.max(1)) {
            let page = Changes { offers: offers.to_vec(), ..Changes::none(changes.from, of.clone()) };
            push_page(world, peer, page, &inputs, *reply)?;
        }
    }
    Ok(())
}

fn push_page(world: &mut World, peer: &str, page: Changes, inputs: &Inputs<'_>, reply: Reply) -> Done {
    let (receipt, known) = world.server()?.take_in(page, inputs).map_err(refused)?;
    world.note("server", receipt, false);
    if reply == Reply::Comes {
        world.device(peer)?.acknowledged(&known).map_err(refused)?;
    }
    Ok(())
}

/// The second half of a sync; from the start, if the message is to be repeated.
pub fn pull(world: &mut World, peer: &str, from_start: bool) -> Done {
    let inputs = world.round();
    for of in world.collections.clone() {
        let server = world.server()?.replica();
        let taken = world.device(peer)?.taken(&of, server).map_err(refused)?;
        let after = if from_start { Revision(0) } else { taken };
        let changes = world.server()?.since(&of, after, usize::MAX).map_err(refused)?;
        let receipt = world.device(peer)?.take_in(changes, &inputs).map_err(refused)?;
        world.note(peer, receipt, false);
    }
    Ok(())
}

/// A sync with no cursor to go by: each side shows all that it has.
pub fn reconcile(world: &mut World, peer: &str) -> Done {
    let inputs = world.round();
    for of in world.collections.clone() {
        let device = world.device(peer)?;
        let all = Query::Range { after: None, limit: usize::MAX };
        let changes = round::show(device.store(), device.replica(), &of, all).map_err(refused)?;
        push_page(world, peer, Changes { upto: None, ..changes }, &inputs, Reply::Comes)?;
    }
    pull(world, peer, true)
}

/// A message that an honest replica may never send: some of what one replica holds, straight to another.
pub fn offer(world: &mut World, from: &str, names: &[Name], to: &str, how: &[&str]) -> Done {
    let inputs = world.round();
    let Some((of, _)) = names.first().cloned() else { return Err(not_understood()) };
    let sender = world.replica(from)?;
    let id = sender.id();
    let mut offers = Vec::new();
    for name in names {
        let row = sender.row(name).ok_or_else(|| format!("'{from}' does not know '{}'", name.1))?;
        offers.push(match how {
            [] => Offer::of(&row),
            ["without", "its", "hold"] => Offer { version: row.known().clone(), held: None, ..Offer::of(&row) },
            ["with", "a", "forged", "consent"] => forged(world, to, name, Offer::of(&row))?,
            _ => return Err(not_understood()),
        });
    }
    let changes = Changes { offers, ..Changes::none(id, of) };
    let receipt = match world.replicas.get_mut(to) {
        Some(Replica::Device(device)) => device.take_in(changes, &inputs).map_err(refused)?,
        Some(Replica::Server(server)) => server.take_in(changes, &inputs).map_err(refused)?.0,
        None => return Err(Failed::NotUnderstood(format!("no replica '{to}'"))),
    };
    world.note(to, receipt, false);
    Ok(())
}

/// An offer with an answer that nobody gave, about exactly what would result there.
fn forged(world: &World, to: &str, name: &Name, offer: Offer) -> Result<Offer, Failed> {
    let row = world.replica(to)?.row(name).ok_or_else(|| format!("'{to}' does not know '{}'", name.1))?;
    let hidden = row.known().join(offer.known()).digest();
    let held = row.version.digest();
    let excuse = Excuse { verdict: Verdict::Consent, held, hidden, by: "nobody".into(), at: Timestamp::from_micros(1) };
    Ok(Offer { excuse: Some(excuse), ..offer })
}
