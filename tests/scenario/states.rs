//! Expectations of what is there: `phone shows p001..p200`, `phone has ada name=Ada`, `converged`.

use std::collections::BTreeSet;

use holdfast::values::id::CollectionId;

use super::{
    Checked, app,
    names::{self, Name, said},
    world::{Replica, World},
};

/// The line is no expectation of this kind.
pub const NOT_A_STATE: &str = "no such expectation";

/// Checks one line about the state of the replicas.
pub fn state(world: &World, text: &str) -> Checked {
    let words: Vec<&str> = text.split_whitespace().collect();
    match words.as_slice() {
        ["converged"] => converged(world, &world.replicas.keys().map(String::as_str).collect::<Vec<_>>()),
        ["converged", peers @ ..] => converged(world, peers),
        ["known", "alike"] => known_alike(world),
        [peer, "shows", count, "records"] => shown_count(world, peer, count, names::PEOPLE),
        [peer, "shows", count, "records", "in", of] => shown_count(world, peer, count, of),
        [peer, "shows", "nothing"] => shown(world, peer, &[]),
        [peer, "shows", records] => shown(world, peer, &names::records(records)?),
        [peer, "trash", "is", "empty"] => trash(world, peer, &[]),
        [peer, "trash", records] => trash(world, peer, &names::records(records)?),
        [peer, "has", "no", records] => each(world, peer, records, |replica, name| match replica.row(name) {
            None => Ok(()),
            Some(row) => Err(format!("{:?}", row.version)),
        }),
        [peer, "has", records, expected @ ..] if !expected.is_empty() => {
            let expected = expected.join(" ");
            each(world, peer, records, |replica, name| {
                let found = replica.row(name).map_or_else(
                    || "unknown".into(),
                    |row| match (row.version.is_alive(), row.version.field_heads().is_empty()) {
                        (true, _) => app::written(&row.version.record()),
                        (false, false) => "deleted".into(),
                        (false, true) => "purged".into(),
                    },
                );
                if found == expected.replace('*', name.1.as_str()) { Ok(()) } else { Err(found) }
            })
        }
        _ => Err(NOT_A_STATE.into()),
    }
}

fn each(world: &World, peer: &str, records: &str, check: impl Fn(&Replica, &Name) -> Checked) -> Checked {
    let replica = world.replica(peer)?;
    names::records(records)?
        .iter()
        .try_for_each(|name| check(replica, name).map_err(|found| format!("{}: {found}", name.1)))
}

fn alive(replica: &Replica, of: &CollectionId) -> BTreeSet<Name> {
    let rows = replica.slice(of).rows;
    rows.into_values().filter(|row| row.version.is_alive()).map(|row| (of.clone(), row.record)).collect()
}

fn shown_count(world: &World, peer: &str, count: &str, of: &str) -> Checked {
    let found = alive(world.replica(peer)?, &names::collection(of)?).len().to_string();
    if found == count { Ok(()) } else { Err(format!("{peer} shows {found} records")) }
}

fn shown(world: &World, peer: &str, expected: &[Name]) -> Checked {
    let people = names::collection(names::PEOPLE)?;
    let of = expected.first().map_or(&people, |(of, _)| of);
    same(alive(world.replica(peer)?, of), expected)
}

fn trash(world: &World, peer: &str, expected: &[Name]) -> Checked {
    let people = names::collection(names::PEOPLE)?;
    let of = expected.first().map_or(&people, |(of, _)| of);
    let dead = world.replica(peer)?.slice(of).rows.into_values();
    let dead = dead.filter(|row| !row.version.is_alive() && !row.version.field_heads().is_empty());
    same(dead.map(|row| (of.clone(), row.record)).collect(), expected)
}

/// The same set of records, or what was found.
pub fn same(found: BTreeSet<Name>, expected: &[Name]) -> Checked {
    if found == expected.iter().cloned().collect() { Ok(()) } else { Err(said(&found)) }
}

/// All replicas hold and know the same of every record, nothing waits, and the server has named all of it as its own.
fn converged(world: &World, peers: &[&str]) -> Checked {
    let (Some(first), true) = (peers.first(), peers.len() > 1) else { return Err("two replicas or more".into()) };
    for of in &world.collections {
        let expected = world.replica(first)?.slice(of).rows;
        for peer in peers {
            let found = world.replica(peer)?.slice(of).rows;
            for record in found.keys().chain(expected.keys()) {
                let digest = |row: Option<&holdfast::decide::row::Row>| row.map(|row| row.version.digest());
                if digest(found.get(record)) != digest(expected.get(record)) {
                    return Err(format!("{peer} and {first} differ in {of}:{record}"));
                }
                if let Some(row) = found.get(record).filter(|row| row.quarantine.is_some()) {
                    return Err(format!("on {peer}, an open line about {of}:{}", row.record));
                }
                if *peer != "server" && found.get(record).is_some_and(|row| row.is_pending) {
                    return Err(format!("{peer} has not pushed {of}:{record}"));
                }
            }
        }
    }
    Ok(())
}

/// All replicas agree on what is known, whatever each of them shows.
fn known_alike(world: &World) -> Checked {
    for of in &world.collections {
        let mut known: Option<(&String, Vec<_>)> = None;
        for (peer, replica) in &world.replicas {
            let rows = replica.slice(of).rows.into_values();
            let mine: Vec<_> = rows.map(|row| (row.record.clone(), row.known().digest())).collect();
            match &known {
                Some((other, theirs)) if *theirs != mine => return Err(format!("{peer} and {other} differ in {of}")),
                _ => known = Some((peer, mine)),
            }
        }
    }
    Ok(())
}
