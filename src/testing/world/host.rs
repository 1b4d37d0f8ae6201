//! What becomes of servers.

use alloc::{collections::BTreeSet, format, string::String, vec::Vec};

use super::{Backup, World};
use crate::act::memory::MemoryStore;
use crate::decide::row::Row;
use crate::testing::{
    chance::Chance,
    failure::Broken,
    ghost::name,
    history::Second,
    names::{HOME, Names},
    truth::Timeline,
};

/// Backups that are kept.
const KEPT: usize = 3;

impl World {
    pub(super) fn back_up(&mut self) -> Result<(), Broken> {
        let store = self.cloud(self.home)?.disk.store.clone();
        let timeline = self.truth.timeline(self.home);
        if self.backups.len() >= KEPT {
            // The first one stays: what is oldest may return late.
            self.backups.remove(1);
        }
        let torn = self.truth.torn.get(self.home).cloned().unwrap_or_default();
        self.backups.push(Backup { store, timeline, torn });
        let who = self.server_name(self.home);
        self.say(|| format!("{who}: a backup is made"));
        Ok(())
    }

    /// The home is restored from a backup, which is kept and may be used again.
    pub(super) fn restore(&mut self, chance: &mut Chance, is_marked: bool) -> Result<(), Broken> {
        let Some(backup) = self.backups.get(chance.below(self.backups.len())).cloned() else { return Ok(()) };
        let mut store = backup.store;
        if is_marked {
            store.restored();
        }
        let who = self.server_name(self.home);
        let how = if is_marked { "the store is told" } else { "the store is not told" };
        self.say(|| format!("{who}: restored from a backup, {how}"));
        let fault = if is_marked { "a server is restored, and told" } else { "a server is restored, and not told" };
        self.summary.fault(fault);
        self.replace(self.home, store, backup.timeline, !is_marked)?;
        self.truth.torn.get_mut(self.home).into_iter().for_each(|torn| torn.clone_from(&backup.torn));
        Ok(())
    }

    /// The home is set back without a word after one device has synced, and another one syncs before that one does again.
    pub(super) fn fork_home(&mut self, chance: &mut Chance) -> Result<(), Broken> {
        if self.setting.devices < 2 {
            return Ok(());
        }
        let first = chance.below(self.setting.devices);
        let second = (first + 1) % self.setting.devices;
        let was_calm = core::mem::replace(&mut self.is_calm, true);
        self.whole_session(second, false)?;
        self.back_up()?;
        self.edit_some(first, chance)?;
        self.whole_session(first, false)?;
        let Some(backup) = self.backups.last().cloned() else { return Ok(()) };
        self.say(|| String::from("restored from that backup, the store is not told"));
        self.summary.fault("a server is restored, and not told");
        self.replace(self.home, backup.store, backup.timeline, true)?;
        self.truth.torn.get_mut(self.home).into_iter().for_each(|torn| torn.clone_from(&backup.torn));
        for _ in 0..chance.between(1, 3) {
            self.edit_some(second, chance)?;
            self.whole_session(second, false)?;
        }
        self.is_calm = was_calm;
        Ok(())
    }

    pub(super) fn wipe(&mut self) -> Result<(), Broken> {
        let who = self.server_name(self.home);
        self.say(|| format!("{who}: the store is lost, and begins empty"));
        self.summary.fault("a server loses everything");
        self.replace(self.home, MemoryStore::server(), Timeline::new(), false)
    }

    fn replace(&mut self, server: usize, store: MemoryStore, timeline: Timeline, is_quiet: bool) -> Result<(), Broken> {
        let before = self.all_rows(server)?;
        self.note_open_holds(&before);
        self.cloud_mut(server)?.disk.store = store;
        let after = self.all_rows(server)?;
        self.truth.replace(server, timeline, is_quiet);
        self.ghost.installs.lose_memory();
        self.ghost.damage(HOME + server, &before, &after)
    }

    /// What is asked while a server is lost.
    fn note_open_holds(&mut self, rows: &[(u8, Row)]) {
        let is_asked = |row: &Row| row.quarantine.is_some();
        if rows.iter().any(|(_, row)| is_asked(row)) {
            self.summary.check("servers lost while they ask about something");
        }
        let asks =
            |phone: &super::Phone| self.names.collections.iter().any(|of| phone.disk.rows(of).iter().any(is_asked));
        if self.phones.iter().any(asks) {
            self.summary.check("servers lost while a device asks about something");
        }
    }

    /// One device syncs, writes and syncs again, and rows of the home are as they were before that.
    pub(super) fn set_rows_back(&mut self, chance: &mut Chance) -> Result<(), Broken> {
        let at = chance.below(self.setting.devices);
        let was_calm = core::mem::replace(&mut self.is_calm, true);
        self.whole_session(at, false)?;
        self.back_up()?;
        for _ in 0..chance.between(1, 2) {
            self.edit_some(at, chance)?;
        }
        self.whole_session(at, false)?;
        self.is_calm = was_calm;
        let backup = self.backups.last().map(|backup| backup.store.clone());
        self.lose_rows(chance, backup.as_ref())
    }

    /// Rows of the home are gone, or as they were in a backup, and its log says nothing.
    pub(super) fn lose_rows(&mut self, chance: &mut Chance, backup: Option<&MemoryStore>) -> Result<(), Broken> {
        let home = self.home;
        let collection = chance.below(self.setting.collections);
        let of = self.names.collection(collection)?;
        let before = self.all_rows(home)?;
        let rows = self.cloud(home)?.disk.rows(&of);
        let mut records = BTreeSet::new();
        for _ in 0..chance.between(1, 4) {
            records.extend(rows.get(chance.below(rows.len())).map(|row| row.record.clone()));
        }
        let store = &mut self.cloud_mut(home)?.disk.store;
        match backup {
            Some(backup) => store.set_back_rows(&of, records.iter(), backup),
            None => store.damage_rows(&of, records.iter()),
        }
        let after = self.all_rows(home)?;
        records.retain(|record| {
            let find = |rows: &[(u8, Row)]| {
                rows.iter()
                    .find(|(at, row)| usize::from(*at) == collection && row.record == *record)
                    .map(|(_, row)| row.clone())
            };
            find(&before) != find(&after)
        });
        if records.is_empty() {
            return Ok(());
        }
        let who = self.server_name(home);
        let how = if backup.is_some() { "set back" } else { "gone" };
        self.say(|| format!("{who}: the rows of {records:?} in {of} are {how}"));
        let fault = match backup.is_some() {
            true => "rows of a server are set back under an intact log",
            false => "a server loses rows under an intact log",
        };
        self.summary.fault(fault);
        let places = records.iter().map(Names::place_of_record).collect::<Result<Vec<_>, _>>()?;
        self.truth.tear(home, u8::try_from(collection).unwrap_or(u8::MAX), places.into_iter());
        self.ghost.damage(HOME + home, &before, &after)
    }

    /// The other home answers under the account's address.
    pub(super) fn swap(&mut self) -> Result<(), Broken> {
        if self.clouds.len() < 2 {
            return Ok(());
        }
        self.home = 1 - self.home.min(1);
        let who = name(HOME + self.home);
        self.say(|| format!("{who} is the home from now on"));
        self.summary.fault("another server takes over");
        self.truth.touch(0);
        self.truth.touch(1);
        Ok(())
    }

    /// The follower has all that the home has.
    pub(super) fn catch_up(&mut self) -> Result<(), Broken> {
        if self.setting.second != Second::Follower || self.clouds.len() < 2 {
            return Ok(());
        }
        let (home, follower) = (self.home, 1 - self.home.min(1));
        let before = self.all_rows(follower)?;
        let store = self.cloud(home)?.disk.store.clone();
        self.cloud_mut(follower)?.disk.store = store;
        let after = self.all_rows(follower)?;
        self.truth.follow(follower, home);
        self.summary.check("times a follower caught up");
        self.say(|| format!("{} catches up", name(HOME + follower)));
        self.ghost.damage(HOME + follower, &before, &after)
    }

    /// The follower, which lags, becomes the home.
    pub(super) fn fail_over(&mut self, chance: &mut Chance) -> Result<(), Broken> {
        if self.setting.second != Second::Follower || self.clouds.len() < 2 {
            return Ok(());
        }
        let is_marked = chance.hits(500);
        self.home = 1 - self.home.min(1);
        let home = self.home;
        if is_marked {
            self.cloud_mut(home)?.disk.store.restored();
        }
        self.truth.promote(home, !is_marked);
        self.ghost.installs.lose_memory();
        self.truth.touch(1 - home.min(1));
        let fault =
            if is_marked { "a follower takes over, and is told" } else { "a follower takes over, and is not told" };
        self.summary.fault(fault);
        self.say(|| format!("{}: {fault}", name(HOME + home)));
        Ok(())
    }

    pub(super) fn all_rows(&self, server: usize) -> Result<Vec<(u8, Row)>, Broken> {
        let disk = &self.cloud(server)?.disk;
        let mut all = Vec::new();
        for (place, of) in (0_u8..).zip(&self.names.collections) {
            all.extend(disk.rows(of).into_iter().map(|row| (place, row)));
        }
        Ok(all)
    }
}
