//! What a device's person does.

use alloc::{borrow::ToOwned, collections::BTreeMap, format, string::String, vec::Vec};

use super::World;
use crate::act::{receipt::Receipt, store::CommitError};
use crate::compose::{
    device::{MoveTo, WriteFailed, online::LeaveFailed},
    round::{RoundError, pass_day},
};
use crate::decide::write::Write;
use crate::testing::{
    chance::{Chance, mixed},
    disk::{Crash, Down},
    failure::{Broken, HARNESS, broken},
    ghost::{Why, name},
    names::{FIELDS, HOME, Names},
};
use crate::values::{
    id::{FieldName, MoveId},
    register::Cause,
    shape::Shape,
    time::{Day, Timestamp},
    value::Value,
};

/// An app's struct with any fields.
type Loose = BTreeMap<String, Value>;

/// Days for which what was deleted can be brought back.
pub(super) const RETENTION: u64 = 3;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Action {
    Create,
    Edit,
    Flip,
    Clear,
    Delete,
    Storm,
    DeleteMany,
    Restore,
    Undo,
    Blank,
    Move,
}

const ACTIONS: [(u32, Action); 11] = [
    (14, Action::Create),
    (40, Action::Edit),
    (4, Action::Flip),
    (9, Action::Clear),
    (13, Action::Delete),
    (4, Action::Storm),
    (4, Action::DeleteMany),
    (8, Action::Restore),
    (6, Action::Undo),
    (3, Action::Blank),
    (5, Action::Move),
];

impl World {
    pub(super) fn write(&mut self, chance: &mut Chance) -> Result<(), Broken> {
        let at = chance.below(self.setting.devices);
        let collection = chance.below(self.setting.collections);
        if !self.phone(at)?.subscribed.contains(&collection) {
            return Ok(());
        }
        // A few records that everybody works on, so that writes meet.
        let records = self.setting.records + 3;
        let record = if chance.hits(600) { chance.below(records.min(3)) } else { chance.below(records) };
        let action = chance.pick(&ACTIONS).unwrap_or(Action::Edit);
        let count = chance.between(2, 12);
        if !self.is_calm && chance.hits(self.setting.rates.device_down) {
            let crash = if chance.hits(500) { Crash::Before } else { Crash::After };
            self.phone_mut(at)?.disk.crash = Some(crash);
        }
        self.say(|| format!("{}: {action:?} {collection}/r{record:03}", name(at)));
        if self.owes_takeover(at)? {
            if chance.hits(700) {
                self.take_over(at, chance)?;
            } else {
                return self.write_unowned(at, collection, record, chance);
            }
        }
        let done = match action {
            Action::Create => self.create(at, collection, record, chance),
            Action::Edit => self.edit(at, collection, record, chance, false),
            Action::Flip => self.flip(at, collection, record),
            Action::Clear => self.edit(at, collection, record, chance, true),
            Action::Blank => (record..record + count).try_for_each(|record| {
                let mut same = Chance::new(7);
                self.edit(at, collection, record, &mut same, true)
            }),
            Action::Storm => (record..record + count).try_for_each(|record| self.delete(at, collection, record)),
            Action::Delete => self.delete(at, collection, record),
            Action::DeleteMany => self.delete_many(at, collection, record, count),
            Action::Restore => {
                let write = Write::restore(self.names.collection(collection)?, Names::record(record)?);
                self.put(at, &write)
            }
            Action::Move => self.relocate(at, collection, (record, self.setting.records + 3 + count)),
            Action::Undo => self.undo(at, collection, chance.below(4)),
        };
        self.phone_mut(at)?.disk.crash = None;
        done
    }

    /// A store that was written under another id is not written before that is taken over (S5).
    fn write_unowned(
        &mut self,
        at: usize,
        collection: usize,
        record: usize,
        chance: &mut Chance,
    ) -> Result<(), Broken> {
        let of = self.names.collection(collection)?;
        let id = self.phone(at)?.id;
        let author = self.device(at)?.author(&of);
        if author.is_ok_and(|author| author.is_some_and(|author| author != id)) {
            let before = self.phone(at)?.disk.head(&of).revision;
            self.create(at, collection, record, chance)?;
            if self.phone(at)?.disk.head(&of).revision != before {
                return broken("S5", format!("{} writes {of}, which was written under another id", name(at)));
            }
            self.summary.check("S5 writes refused in a store that was written under another id");
        }
        Ok(())
    }

    pub(super) fn create(
        &mut self,
        at: usize,
        collection: usize,
        record: usize,
        chance: &mut Chance,
    ) -> Result<(), Broken> {
        let cause = chance.pick(&[(8, Cause::User), (1, Cause::App), (1, Cause::Import)]).unwrap_or(Cause::User);
        let text = |chance: &mut Chance| Value::from(format!("{:x}", chance.next() & 0xffff).as_str());
        let filled: Vec<(FieldName, Value)> =
            self.names.fields.iter().take(3).map(|field| (field.clone(), text(chance))).collect();
        let write = Write::create_fields(self.names.collection(collection)?, Names::record(record)?, filled, cause);
        self.put(at, &write)
    }

    fn edit(
        &mut self,
        at: usize,
        collection: usize,
        record: usize,
        chance: &mut Chance,
        clears: bool,
    ) -> Result<(), Broken> {
        let (collection, record) = (self.names.collection(collection)?, Names::record(record)?);
        let field = FIELDS.get(chance.below(FIELDS.len())).copied().unwrap_or("name");
        let cause = chance.pick(&[(9, Cause::User), (1, Cause::App)]).unwrap_or(Cause::User);
        // Some contents come again.
        let bits = chance.next();
        let text = if chance.hits(300) { format!("{:x}", bits % 3) } else { format!("{bits:x}") };
        let text = if chance.hits(self.setting.rates.large) { text.repeat(300) } else { text };
        let seen = self.device(at)?.read::<Loose>(&collection, &record, &Shape::new());
        let seen = seen.map_err(|error| Broken { check: HARNESS, what: format!("{error}") })?;
        let Some(seen) = seen else { return Ok(()) };
        let mut next = seen.clone().into_inner();
        if clears {
            next.remove(field);
        } else {
            next.insert(field.to_owned(), Value::from(text.as_str()));
        }
        let write = seen.save(&next, cause).map_err(|error| Broken { check: HARNESS, what: format!("{error}") })?;
        self.put(at, &write)
    }

    /// Writes something else, and then what was there.
    fn flip(&mut self, at: usize, collection: usize, record: usize) -> Result<(), Broken> {
        let (of, id) = (self.names.collection(collection)?, Names::record(record)?);
        let rows = self.phone(at)?.disk.rows(&of);
        let row = rows.into_iter().find(|row| row.record == id);
        let Some(row) = row.filter(|row| row.version.is_alive()) else { return Ok(()) };
        let field = FieldName::new("name").map_err(|error| Broken { check: HARNESS, what: format!("{error}") })?;
        let record = row.version.record();
        let was =
            record.fields().get(&field).and_then(|register| register.siblings().first()).map(|one| one.value.clone());
        let Some(was) = was else { return Ok(()) };
        for value in [Value::from("something else"), was] {
            let seen = self.device(at)?.read::<Loose>(&of, &id, &Shape::new());
            let seen = seen.map_err(|error| Broken { check: HARNESS, what: format!("{error}") })?;
            let Some(seen) = seen else { return Ok(()) };
            let mut next = seen.clone().into_inner();
            next.insert(String::from("name"), value);
            let write =
                seen.save(&next, Cause::User).map_err(|error| Broken { check: HARNESS, what: format!("{error}") })?;
            self.put(at, &write)?;
        }
        Ok(())
    }

    /// One edit, of a record that everybody works on.
    pub(super) fn edit_some(&mut self, at: usize, chance: &mut Chance) -> Result<(), Broken> {
        let collection = chance.below(self.setting.collections);
        if self.phone(at)?.subscribed.contains(&collection) {
            let record = chance.below(self.setting.records.min(3));
            let flips = chance.hits(300);
            let what = if flips { "Flip" } else { "Edit" };
            self.say(|| format!("{}: {what} {collection}/r{record:03}", name(at)));
            match flips {
                true => self.flip(at, collection, record)?,
                false => self.edit(at, collection, record, chance, false)?,
            }
        }
        Ok(())
    }

    /// One edit, one field that is cleared or one record that is deleted, of those that everybody works on.
    pub(super) fn write_some(&mut self, at: usize, chance: &mut Chance) -> Result<(), Broken> {
        let collection = chance.below(self.setting.collections);
        if !self.phone(at)?.subscribed.contains(&collection) {
            return Ok(());
        }
        let record = chance.below(self.setting.records.min(5));
        let action = chance.pick(&[(5, Action::Edit), (3, Action::Clear), (4, Action::Delete)]).unwrap_or(Action::Edit);
        self.say(|| format!("{}: {action:?} {collection}/r{record:03}", name(at)));
        match action {
            Action::Delete => self.delete(at, collection, record),
            action => self.edit(at, collection, record, chance, action == Action::Clear),
        }
    }

    fn delete(&mut self, at: usize, collection: usize, record: usize) -> Result<(), Broken> {
        let write = Write::delete(self.names.collection(collection)?, Names::record(record)?, Cause::User);
        self.put(at, &write)
    }

    fn delete_many(&mut self, at: usize, collection: usize, first: usize, count: usize) -> Result<(), Broken> {
        let of = self.names.collection(collection)?;
        let wanted = (first..first + count).map(Names::record).collect::<Result<Vec<_>, _>>()?;
        let living = self.phone(at)?.disk.rows(&of).into_iter().filter(|row| row.version.is_alive());
        let records = living.map(|row| row.record).filter(|record| wanted.contains(record)).collect();
        self.put(at, &Write::delete_many(of, records, Cause::User))
    }

    /// Moves a record to the next collection.
    fn relocate(&mut self, at: usize, collection: usize, (record, place): (usize, usize)) -> Result<(), Broken> {
        let next = (collection + 1) % self.setting.collections;
        if next == collection || !self.phone(at)?.subscribed.contains(&next) {
            return Ok(());
        }
        let (from, to) = (self.names.collection(collection)?, self.names.collection(next)?);
        let id = Names::record(record)?;
        let _ = self.entropy()?;
        let bits = u128::from(mixed(self.draws)) << 64 | u128::from(self.draws);
        let move_id =
            MoveId::from_entropy(bits).map_err(|error| Broken { check: HARNESS, what: format!("{error}") })?;
        let to = MoveTo { id: move_id, collection: to, record: Names::record(place)? };
        let now = self.now(at)?;
        let moved = self.device(at)?.move_to(&from, &id, &to, now);
        if moved.is_ok() {
            self.summary.check("records moved between collections");
        }
        let is_half = matches!(&moved, Err(WriteFailed::Write(_))) && !self.phone(at)?.disk.commits.is_empty();
        match moved {
            // The record is in both places, as the call says.
            Err(_) if is_half => self.absorb(at, Why::Authored).map(|_| ()),
            moved => self.wrote(at, moved.map(|(_, deleted)| deleted)),
        }
    }

    /// A device deletes most of a collection, one record after another, and syncs; another one may sync, too.
    pub(super) fn flood(&mut self, chance: &mut Chance) -> Result<(), Broken> {
        let (at, collection) = (chance.below(self.setting.devices), chance.below(self.setting.collections));
        if !self.phone(at)?.subscribed.contains(&collection) {
            return Ok(());
        }
        let of = self.names.collection(collection)?;
        let percent = u32::try_from(chance.between(50, 100)).unwrap_or(100);
        self.say(|| format!("{}: deletes {percent} % of {of}", name(at)));
        let living = self.phone(at)?.disk.rows(&of).into_iter().filter(|row| row.version.is_alive());
        for row in living.filter(|_| chance.hits(percent * 10)).collect::<Vec<_>>() {
            self.put(at, &Write::delete(of.clone(), row.record, Cause::User))?;
        }
        let was_calm = core::mem::replace(&mut self.is_calm, true);
        self.whole_session(at, false)?;
        if chance.hits(500) {
            self.whole_session((at + 1) % self.setting.devices, false)?;
        }
        self.is_calm = was_calm;
        Ok(())
    }

    fn undo(&mut self, at: usize, collection: usize, back: usize) -> Result<(), Broken> {
        let of = self.names.collection(collection)?;
        let journal = self.phone(at)?.disk.store.journal(&of);
        let entry = journal.and_then(|journal| journal.iter().rev().nth(back));
        let Some(entry) = entry.cloned() else { return Ok(()) };
        let Some(id) = entry.receipt.id.clone() else { return Ok(()) };
        let now = self.now(at)?;
        let undone = self.device(at)?.undo(&id, name(at), now);
        if let Ok(receipt) = &undone {
            self.check_undone(at, &entry, receipt)?;
        }
        self.wrote(at, undone)
    }

    fn put(&mut self, at: usize, write: &Write) -> Result<(), Broken> {
        let now = self.now(at)?;
        let written = self.device(at)?.write(write, now);
        self.wrote(at, written)
    }

    fn wrote(&mut self, at: usize, written: Result<Receipt, WriteFailed<Down>>) -> Result<(), Broken> {
        let commits = self.absorb(at, Why::Authored)?;
        match written {
            Ok(receipt) => {
                self.summary.check("writes by people and apps");
                if !receipt.held.is_empty() {
                    self.summary.check("S12 local deletes held");
                }
                self.say(|| format!("     {receipt}"));
            }
            Err(WriteFailed::Commit(error)) if crashed(&error) => {
                self.summary.check("S10 writes around which the host went down");
            }
            Err(error) if commits.is_empty() => self.say(|| format!("     nothing: {error}")),
            Err(error) => return broken("S19", format!("a write failed and something was changed: {error}")),
        }
        Ok(())
    }

    pub(super) fn answer_some(&mut self, chance: &mut Chance) -> Result<(), Broken> {
        let at = chance.below(self.setting.devices);
        let keeps = chance.hits(500);
        for collection in 0..self.setting.collections {
            self.answer(at, collection, keeps)?;
        }
        Ok(())
    }

    /// Answers the open question of a device. Returns whether there was one.
    pub(super) fn answer(&mut self, at: usize, collection: usize, keeps: bool) -> Result<bool, Broken> {
        let of = self.names.collection(collection)?;
        let now = self.now(at)?;
        let hold = self.device(at)?.hold(&of).map_err(|error| Broken { check: HARNESS, what: format!("{error}") })?;
        let Some(hold) = hold else { return Ok(false) };
        self.say(|| format!("{} is asked: {}", name(at), hold.open().count()));
        let mut device = self.device(at)?;
        let answered = match keeps {
            true => device.keep(&of, hold.digest, name(at), now),
            false => device.consent(&of, hold.digest, name(at), now),
        };
        self.summary.check(if keeps {
            "L5 questions answered with keep"
        } else {
            "L5 questions answered with consent"
        });
        self.wrote(at, answered)?;
        Ok(true)
    }

    pub(super) fn day(&mut self, chance: &mut Chance) -> Result<(), Broken> {
        let replicas = self.setting.devices + self.clouds.len();
        let at = chance.below(replicas);
        let jump = if chance.hits(200) { 1_000 } else { 1 };
        let guard = self.guard.clone();
        for collection in self.names.clone().collections.clone() {
            let error = |error: RoundError<Down>| Broken { check: HARNESS, what: format!("{error}") };
            if let Some(server) = at.checked_sub(self.setting.devices) {
                if self.is_follower(server) {
                    return Ok(());
                }
                let cloud = self.cloud_mut(server)?;
                cloud.day += jump;
                let today = Day(cloud.day);
                let _ = pass_day(&mut cloud.disk, &guard, &collection, today, RETENTION).map_err(error)?;
                self.absorb_cloud(server, Why::Day)?;
            } else {
                let phone = self.phone_mut(at)?;
                phone.day += jump;
                let today = Day(phone.day);
                let _ = pass_day(&mut phone.disk, &guard, &collection, today, RETENTION).map_err(error)?;
                self.absorb(at, Why::Day)?;
            }
        }
        self.summary.check("days that passed");
        let who = at.checked_sub(self.setting.devices).map_or(at, |server| HOME + server);
        self.say(|| format!("{}: a day passes", name(who)));
        Ok(())
    }

    pub(super) fn clock(&mut self, chance: &mut Chance) -> Result<(), Broken> {
        let at = chance.below(self.setting.devices);
        let day = 86_400_000_000_i64;
        let skew =
            chance.pick(&[(1, 0), (2, -day), (2, day), (1, i64::MAX / 2), (1, i64::MIN / 2)]).unwrap_or_default();
        self.phone_mut(at)?.skew = skew;
        self.summary.fault("a clock jumps");
        self.say(|| format!("{}: the clock jumps by {skew} us", name(at)));
        Ok(())
    }

    pub(super) fn leave(&mut self, chance: &mut Chance) -> Result<(), Broken> {
        let at = chance.below(self.setting.devices);
        let collection = chance.below(self.setting.collections);
        let of = self.names.collection(collection)?;
        self.drop_session(at);
        if self.phone_mut(at)?.subscribed.insert(collection) {
            self.summary.check("collections subscribed again");
            self.say(|| format!("{}: subscribes to {of} again", name(at)));
            return Ok(());
        }
        let left = self.device(at)?.leave(&of);
        self.absorb(at, Why::Left)?;
        match left {
            Ok(_) => {
                let phone = self.phone_mut(at)?;
                phone.subscribed.remove(&collection);
                phone.right.remove(&collection);
                self.summary.check("collections left");
                self.say(|| format!("{}: leaves {of}", name(at)));
            }
            Err(LeaveFailed::Leave(error)) => {
                self.say(|| format!("{}: does not leave: {error}", name(at)));
            }
            Err(error) => return broken(HARNESS, format!("{error}")),
        }
        Ok(())
    }

    fn now(&self, at: usize) -> Result<Timestamp, Broken> {
        Ok(Timestamp::from_micros(self.time.saturating_add(self.phone(at)?.skew)))
    }
}

/// Whether the host went down.
pub(super) const fn crashed(error: &CommitError<Down>) -> bool {
    matches!(error, CommitError::Store(Down))
}
