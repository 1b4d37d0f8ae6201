//! Whoever answers, whatever the answer, in whatever order the devices sync: one answer settles it everywhere.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects, reason = "a test may stop")]

use std::collections::BTreeMap;

use holdfast::{
    Cause, CollectionId, Device, Guard, Inputs, MemoryStore, RecordId, ReplicaId, RoundId, Server, Shape, Timestamp,
    Trust, Write, exchange,
};

type Note = BTreeMap<String, String>;
type Phone = Device<MemoryStore>;

const RECORDS: usize = 12;
const PHONES: usize = 3;

struct World {
    notes: CollectionId,
    phones: Vec<Phone>,
    server: Server<MemoryStore>,
    ticks: i64,
}

impl World {
    /// All phones hold all records. The server holds a delete of each, and none of the phones has heard of it.
    fn flooded() -> Self {
        let phone = |n| Device::new(MemoryStore::device(), ReplicaId::from_entropy(n).unwrap(), Guard::default());
        let server = |n| Server::new(MemoryStore::server(), ReplicaId::from_entropy(n).unwrap(), Guard::default());
        let notes = CollectionId::new("notes").unwrap();
        let mut world = Self { notes, phones: [1, 2, 3].map(phone).into(), server: server(10), ticks: 0 };
        for id in world.ids() {
            let note = Note::from([("text".into(), "kept".into())]);
            let create = Write::create(world.notes.clone(), id, &note, &Shape::new(), Cause::User).unwrap();
            let at = world.tick();
            world.phones[0].write(&create, at).unwrap();
        }
        world.phones.push(phone(4));
        (0..=PHONES).for_each(|index| world.sync(index));
        let mut rogue = world.phones.pop().unwrap();
        world.server = server(11);
        for id in world.ids() {
            rogue.write(&Write::delete(world.notes.clone(), id, Cause::User), world.tick()).unwrap();
        }
        let round = world.round();
        exchange(&mut rogue, &mut world.server, &world.notes, &round).unwrap();
        world
    }

    fn ids(&self) -> Vec<RecordId> {
        (0..RECORDS).map(|n| RecordId::new(format!("{n:02}")).unwrap()).collect()
    }

    fn tick(&mut self) -> Timestamp {
        self.ticks += 1;
        Timestamp::from_micros(self.ticks)
    }

    fn round(&mut self) -> Inputs<'static> {
        Inputs::new(RoundId(self.tick().as_micros().unsigned_abs().into()), Trust::Account)
    }

    fn sync(&mut self, phone: usize) {
        let round = self.round();
        exchange(&mut self.phones[phone], &mut self.server, &self.notes, &round).unwrap();
    }

    fn edit(&mut self, phone: usize, record: usize) {
        let id = self.ids()[record].clone();
        let at = self.tick();
        let seen = self.phones[phone].read::<Note>(&self.notes, &id, &Shape::new()).unwrap().unwrap();
        let new = Note::from([("text".into(), format!("edited at {at}"))]);
        self.phones[phone].write(&seen.save(&new, Cause::User).unwrap(), at).unwrap();
    }

    fn shown(&self, phone: usize) -> usize {
        self.phones[phone].records(&self.notes, None, usize::MAX).unwrap().len()
    }

    /// Whom a question is still open for, and who holds something else than the server.
    fn unsettled(&self) -> Vec<String> {
        let server = self.server.since(&self.notes, Default::default(), usize::MAX).unwrap().offers;
        let digest =
            |index: usize, id| self.phones[index].row(&self.notes, id).unwrap().map(|row| row.version.digest());
        let mut found = Vec::new();
        found.extend(self.server.hold(&self.notes).unwrap().map(|hold| format!("the server: {hold}")));
        for index in 0..self.phones.len() {
            found.extend(self.phones[index].hold(&self.notes).unwrap().map(|hold| format!("phone {index}: {hold}")));
            let differs = server.iter().filter(|offer| digest(index, &offer.record) != Some(offer.version.digest()));
            found.extend(differs.map(|offer| format!("phone {index} differs in {}", offer.record)));
        }
        found
    }
}

fn orders() -> Vec<[usize; PHONES]> {
    vec![[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]]
}

#[test]
fn one_answer_settles_a_flood_on_every_replica_within_two_rounds() {
    for before in orders() {
        for after in orders() {
            for answering in 0..PHONES {
                for (keep, editing) in [(true, None), (false, None), (true, Some(1)), (false, Some(1))] {
                    let mut world = World::flooded();
                    before.into_iter().for_each(|phone| world.sync(phone));
                    assert!((0..PHONES).all(|phone| world.shown(phone) == RECORDS));
                    if let Some(editing) = editing {
                        world.edit(editing, 0);
                    }
                    before.into_iter().for_each(|phone| world.sync(phone));
                    let question = world.phones[answering].hold(&world.notes).unwrap().unwrap().digest;
                    let (notes, at) = (world.notes.clone(), world.tick());
                    let phone = &mut world.phones[answering];
                    match keep {
                        true => phone.keep(&notes, question, "Ada", at).unwrap(),
                        false => phone.consent(&notes, question, "Ada", at).unwrap(),
                    };
                    after.into_iter().chain(after).for_each(|phone| world.sync(phone));
                    let case = format!("{before:?} {after:?} phone {answering} keep {keep} edit {editing:?}");
                    assert_eq!(world.unsettled(), Vec::<String>::new(), "{case}");
                    let left = if keep { RECORDS } else { editing.iter().count() };
                    assert!((0..PHONES).all(|phone| world.shown(phone) == left), "{case}");
                }
            }
        }
    }
}
