//! The command language: one thing that happens, per line.

use std::fmt::Display;

use holdfast::act::memory::MemoryStore;
use holdfast::compose::device::MoveTo;
use holdfast::decide::{consent::Trust, write::Write};
use holdfast::values::{
    id::{CollectionId, MoveId},
    register::Cause,
    time::Day,
};

use super::{
    app::{Contact, Form, OldContact, shape},
    names::{self, Name},
    offers,
    store::Missing,
    world::{Replica, World},
};

/// Days from a death to its purge, in every scenario.
const RETENTION_DAYS: u64 = 30;

/// Why a line did nothing, or not all.
pub enum Failed {
    /// It is no command.
    NotUnderstood(String),
    /// The library's error. The next line must expect it.
    Refused(String),
}

impl From<String> for Failed {
    fn from(why: String) -> Self {
        Self::NotUnderstood(why)
    }
}

pub type Done = Result<(), Failed>;

pub fn refused(error: impl Display) -> Failed {
    Failed::Refused(error.to_string())
}

pub fn not_understood() -> Failed {
    Failed::NotUnderstood("no such command".into())
}

/// Runs one line.
pub fn run(world: &mut World, text: &str) -> Done {
    let words: Vec<&str> = text.split_whitespace().collect();
    match words.as_slice() {
        ["replicas", names @ ..] => {
            for name in names {
                let id = world.fresh_id();
                let is_server = *name == "server";
                let memory = if is_server { MemoryStore::server() } else { MemoryStore::device() };
                world.install(name, memory, id);
            }
            Ok(())
        }
        ["trust", worth] => {
            world.trust = match *worth {
                "nothing" => Trust::Nothing,
                "account" => Trust::Account,
                "signed" => Trust::Signed,
                _ => return Err(not_understood()),
            };
            Ok(())
        }
        ["day", day] => {
            let everybody: Vec<String> = world.replicas.keys().cloned().collect();
            days(world, &everybody, day)
        }
        [peer, words @ ..] if world.replicas.contains_key(*peer) => {
            let (cause, words) = match words {
                ["app", rest @ ..] => (Cause::App, rest),
                ["import", rest @ ..] => (Cause::Import, rest),
                ["listing", rest @ ..] => (Cause::Listing, rest),
                _ => (Cause::User, words),
            };
            match written(world, peer, cause, words)? {
                true => Ok(()),
                false if cause == Cause::User => synced(world, peer, words),
                false => Err(not_understood()),
            }
        }
        [peer, ..] => Err(Failed::NotUnderstood(format!("no replica '{peer}'"))),
        [] => Err(not_understood()),
    }
}

/// A local write, if it is one.
fn written(world: &mut World, peer: &str, cause: Cause, words: &[&str]) -> Result<bool, Failed> {
    match words {
        ["creates", records, fields @ ..] => each(world, records, |world, name| {
            let mut contact = Contact::default();
            contact.fill(name.1.as_str(), fields)?;
            let write = Write::create(name.0.clone(), name.1.clone(), &contact, &shape(), cause).map_err(refused)?;
            write_it(world, peer, &write)
        })?,
        ["edits", records, fields @ .., "with", "the", "old", "app"] => {
            each(world, records, |world, name| edit::<OldContact>(world, peer, cause, name, fields))?;
        }
        ["edits", records, fields @ ..] => {
            each(world, records, |world, name| edit::<Contact>(world, peer, cause, name, fields))?;
        }
        ["reads", record, "as", as_name] => {
            let (of, record) = names::record(record)?;
            let seen = world.device(peer)?.read::<Contact>(&of, &record, &shape()).map_err(refused)?;
            let seen = seen.ok_or_else(|| format!("no record '{record}'"))?;
            world.reads.insert((*as_name).into(), (peer.into(), seen));
        }
        ["saves", read, fields @ ..] => {
            let (reader, seen) = world.reads.get(*read).cloned().ok_or_else(|| format!("no read '{read}'"))?;
            if reader != peer {
                return Err(Failed::NotUnderstood(format!("'{read}' was read by {reader}")));
            }
            let mut contact = (*seen).clone();
            contact.fill(seen.id().as_str(), fields)?;
            write_it(world, peer, &seen.save(&contact, cause).map_err(refused)?)?;
        }
        ["deletes", records] => {
            each(world, records, |world, (of, record)| write_it(world, peer, &Write::delete(of, record, cause)))?;
        }
        ["deletes-many", records] => {
            let names = names::records(records)?;
            let of = names.first().map(|(of, _)| of.clone()).ok_or_else(not_understood)?;
            let records = names.into_iter().map(|(_, record)| record).collect();
            write_it(world, peer, &Write::delete_many(of, records, cause))?;
        }
        ["restores", records] if cause == Cause::User => {
            each(world, records, |world, (of, record)| write_it(world, peer, &Write::restore(of, record)))?;
        }
        ["moves", records, "to", places] if cause == Cause::User => {
            let (from, to) = (names::records(records)?, names::records(places)?);
            if from.len() != to.len() {
                return Err(Failed::NotUnderstood("as many places as records".into()));
            }
            from.iter().zip(to).try_for_each(|(from, to)| relocate(world, peer, from, to))?;
        }
        _ => return Ok(false),
    }
    Ok(true)
}

fn relocate(world: &mut World, peer: &str, (from, record): &Name, (collection, there): Name) -> Done {
    world.collections.extend([from.clone(), collection.clone()]);
    let id = MoveId::from_entropy(world.fresh()).map_err(refused)?;
    let at = world.now(peer);
    let to = MoveTo { id, collection, record: there };
    let (created, deleted) = world.device(peer)?.move_to(from, record, &to, at).map_err(refused)?;
    world.note(peer, created, true);
    world.note(peer, deleted, true);
    Ok(())
}

fn each(world: &mut World, records: &str, mut act: impl FnMut(&mut World, Name) -> Done) -> Done {
    names::records(records)?.into_iter().try_for_each(|name| {
        world.collections.insert(name.0.clone());
        act(world, name)
    })
}

fn edit<T>(world: &mut World, peer: &str, cause: Cause, (of, record): Name, fields: &[&str]) -> Done
where
    T: Form + Clone + serde::Serialize + serde::de::DeserializeOwned,
{
    let seen = world.device(peer)?.read::<T>(&of, &record, &shape()).map_err(refused)?;
    let seen = seen.ok_or_else(|| refused(format!("no record '{record}' to read")))?;
    let mut contact = (*seen).clone();
    contact.fill(record.as_str(), fields)?;
    write_it(world, peer, &seen.save(&contact, cause).map_err(refused)?)
}

fn write_it(world: &mut World, peer: &str, write: &Write) -> Done {
    let at = world.now(peer);
    let receipt = world.device(peer)?.write(write, at).map_err(refused)?;
    world.note(peer, receipt, true);
    Ok(())
}

/// What is not a local write: syncs, answers, and what happens to a store.
fn synced(world: &mut World, peer: &str, words: &[&str]) -> Done {
    match words {
        ["syncs", rest @ ..] => offers::sync(world, peer, &collections(world, rest)?),
        ["drips", records, "in", "rounds", "of", n] => drip(world, peer, records, number(n)?, None),
        ["drips", records, "in", "rounds", "of", n, "to", after] => {
            drip(world, peer, records, number(n)?, Some(*after))
        }
        ["pushes", "and", "loses", "the", "reply"] => offers::push(world, peer, usize::MAX, &offers::Reply::Lost),
        ["pushes", "in", "pages", "of", n] => offers::push(world, peer, number(n)?, &offers::Reply::Comes),
        ["pushes"] => offers::push(world, peer, usize::MAX, &offers::Reply::Comes),
        ["pulls"] => offers::pull(world, peer, false),
        ["pulls", "everything", "again"] => offers::pull(world, peer, true),
        ["reconciles"] => offers::reconcile(world, peer),
        ["offers", records, "to", to, how @ ..] => offers::offer(world, peer, &names::records(records)?, to, how),
        ["shows", "the", "hold", "as", shown, rest @ ..] => {
            for of in collections(world, rest)? {
                let hold = world.replica(peer)?.hold(&of);
                let digest = hold.ok_or_else(|| format!("'{peer}' has no open hold in {of}"))?.digest;
                world.holds.insert((*shown).into(), (of, digest));
                if rest.is_empty() {
                    break;
                }
            }
            Ok(())
        }
        ["consents", rest @ ..] => answer(world, peer, true, rest),
        ["keeps", rest @ ..] => answer(world, peer, false, rest),
        ["notes", "the", "receipt", "as", name] => {
            let last = world.last.get(peer).cloned().ok_or_else(|| format!("'{peer}' has no receipt"))?;
            world.receipts.insert((*name).into(), last);
            Ok(())
        }
        ["undoes", "last"] => {
            let last = world.last.get(peer).cloned().ok_or_else(|| format!("'{peer}' has no receipt"))?;
            undo(world, peer, &last)
        }
        ["undoes", name] => {
            let receipt = world.receipts.get(*name).cloned().ok_or_else(|| format!("no receipt '{name}'"))?;
            undo(world, peer, &receipt)
        }
        _ => happened(world, peer, words),
    }
}

fn undo(world: &mut World, peer: &str, receipt: &holdfast::act::receipt::ReceiptId) -> Done {
    let at = world.now(peer);
    let receipt = world.device(peer)?.undo(receipt, peer, at).map_err(refused)?;
    world.note(peer, receipt, true);
    Ok(())
}

/// `[to h1] [up to 10 lines] [in tasks]`
fn answer(world: &mut World, peer: &str, is_consent: bool, words: &[&str]) -> Done {
    let (words, of) = match words {
        [rest @ .., "in", of] => (rest, names::collection(of)?),
        _ => (words, names::collection(names::PEOPLE)?),
    };
    let digest = match words {
        ["to", shown] => world.holds.get(*shown).ok_or_else(|| format!("no hold '{shown}' was shown"))?.1,
        [] | ["up", "to", _, "lines"] => {
            let hold = world.replica(peer)?.hold(&of).ok_or_else(|| format!("'{peer}' has no open hold"))?;
            match words {
                ["up", "to", n, "lines"] => {
                    let n: usize = number(n)?;
                    let last = n.checked_sub(1).and_then(|last| hold.lines.get(last));
                    last.ok_or_else(|| format!("{} lines", hold.lines.len()))?.running
                }
                _ => hold.digest,
            }
        }
        _ => return Err(not_understood()),
    };
    let at = world.now(peer);
    let device = world.device(peer)?;
    let answered = if is_consent { device.consent(&of, digest, peer, at) } else { device.keep(&of, digest, peer, at) };
    let receipt = answered.map_err(refused)?;
    world.note(peer, receipt, false);
    Ok(())
}

/// What happens to a replica from outside.
fn happened(world: &mut World, peer: &str, words: &[&str]) -> Done {
    match words {
        ["wiped"] => {
            let memory = if peer == "server" { MemoryStore::server() } else { MemoryStore::device() };
            let id = world.fresh_id();
            world.install(peer, memory, id);
        }
        ["backed", "up", "as", name] => {
            let copy = world.replica(peer)?.store().copy();
            world.backups.insert((*name).into(), copy);
        }
        ["restored", "from", name] => {
            let copy = world.backups.get(*name).cloned().ok_or_else(|| format!("no backup '{name}'"))?;
            let id = world.fresh_id();
            world.install(peer, copy, id);
        }
        ["restarts"] => {
            let replica = world.replica(peer)?;
            let (copy, id) = (replica.store().copy(), replica.id());
            world.install(peer, copy, id);
        }
        ["cloned", "as", other] if peer != "server" => {
            let replica = world.replica(peer)?;
            let (copy, id) = (replica.store().copy(), replica.id());
            world.install(other, copy, id);
        }
        ["lives", "day", day] => days(world, &[peer.into()], day)?,
        ["loses", "its", "ledger"] => world.replica(peer)?.store().lose(Missing::Collection),
        ["loses", "its", "account", "ledger"] => world.replica(peer)?.store().lose(Missing::Account),
        ["finds", "its", "ledger"] => world.replica(peer)?.store().lose(Missing::Nothing),
        ["clock", "is", at] => {
            let at: i64 = number(at)?;
            world.clocks.insert(peer.into(), at);
        }
        _ => return Err(not_understood()),
    }
    Ok(())
}

/// `day 12`, `day 2..31`: these replicas live through it.
fn days(world: &mut World, peers: &[String], text: &str) -> Done {
    let (first, last) = text.split_once("..").unwrap_or((text, text));
    for day in number::<i64>(first)?..=number(last)? {
        for (of, peer) in world.collections.clone().iter().flat_map(|of| peers.iter().map(move |peer| (of, peer))) {
            let receipt = match world.replicas.get_mut(peer) {
                Some(Replica::Device(device)) => device.pass_day(of, Day(day), RETENTION_DAYS),
                Some(Replica::Server(server)) => server.pass_day(of, Day(day), RETENTION_DAYS),
                None => return Err(Failed::NotUnderstood(format!("no replica '{peer}'"))),
            };
            world.note(peer, receipt.map_err(refused)?, true);
        }
    }
    Ok(())
}

/// Deletes and syncs, some records at a time; `after` syncs after each round, if it is named.
fn drip(world: &mut World, peer: &str, records: &str, n: usize, after: Option<&str>) -> Done {
    for some in names::records(records)?.chunks(n.max(1)) {
        for (of, record) in some {
            write_it(world, peer, &Write::delete(of.clone(), record.clone(), Cause::User))?;
        }
        for syncing in [peer].into_iter().chain(after) {
            let all = collections(world, &[])?;
            offers::sync(world, syncing, &all)?;
        }
    }
    Ok(())
}

fn collections(world: &World, words: &[&str]) -> Result<Vec<CollectionId>, Failed> {
    match words {
        [] => Ok(world.collections.iter().cloned().collect()),
        ["in", of] => Ok(vec![names::collection(of)?]),
        _ => Err(not_understood()),
    }
}

pub fn number<N: std::str::FromStr>(word: &str) -> Result<N, Failed> {
    word.parse().map_err(|_| Failed::NotUnderstood(format!("not a number: '{word}'")))
}
