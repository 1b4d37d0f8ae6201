//! "The server lost it, this device is right": nothing is taken from that device, and what the server would take is asked.

use alloc::{collections::BTreeSet, format, vec::Vec};

use super::{World, shadow::shown, write::crashed};
use crate::compose::round::RoundError;
use crate::decide::{
    breach::{Rule, Why as Asked},
    refusal::Refusal,
    row::{Quarantine, Row},
    slice::{Query, ReadSet, Slice},
};
use crate::testing::{
    chance::Chance,
    disk::Commit,
    failure::{Broken, HARNESS, broken},
    ghost::{Why, name},
};
use crate::values::{
    id::{CollectionId, RecordId, ReplicaId},
    version::Version,
    version_vector::VersionVector,
};

/// The check that fails where something is taken from who is right.
const TAKEN: &str = "a server that is seeded takes something";

impl World {
    /// The person of a device says that it is right: where a loss was named, or now and then without any.
    pub(super) fn reseed(&mut self, chance: &mut Chance) -> Result<(), Broken> {
        if chance.hits(400) {
            self.lose_and_tell(chance)?;
        }
        let accused =
            |(at, phone): (usize, &super::Phone)| phone.accused.iter().map(|of| (at, *of)).collect::<Vec<_>>();
        let told: Vec<(usize, usize)> = self.phones.iter().enumerate().flat_map(accused).collect();
        let any = (chance.below(self.setting.devices), chance.below(self.setting.collections));
        let place = match told.get(chance.below(told.len())) {
            Some(told) if chance.hits(800) => *told,
            _ if chance.hits(500) => any,
            _ => return Ok(()),
        };
        let (at, collection) = place;
        let Some(phone) = self.phones.get(at) else { return Ok(()) };
        if !phone.subscribed.contains(&collection) {
            return Ok(());
        }
        let is_named = phone.accused.contains(&collection);
        if self.setting.devices > 1 && chance.hits(500) {
            // Somebody else goes on with what is there.
            let other = (at + chance.between(1, self.setting.devices - 1)) % self.setting.devices;
            self.write_and_sync(other, chance)?;
        }
        if chance.hits(300) {
            self.edit_some(at, chance)?;
        }
        let crash = self.crash(chance, self.setting.rates.device_down);
        self.phone_mut(at)?.disk.crash = crash;
        self.say(|| format!("{}: the server lost it, this device is right", name(at)));
        if !self.seed_from(at, collection)? {
            return Ok(());
        }
        let said = if is_named { "reseeds after a loss was named" } else { "reseeds without a loss" };
        self.summary.check(said);
        if chance.hits(500) {
            let was_calm = core::mem::replace(&mut self.is_calm, true);
            self.whole_session(at, chance.hits(300))?;
            self.is_calm = was_calm;
            if chance.hits(400) {
                self.answer(at, collection, chance.hits(600))?;
            }
        }
        Ok(())
    }

    /// The home loses something, and one device begins to hear of it.
    fn lose_and_tell(&mut self, chance: &mut Chance) -> Result<(), Broken> {
        let at = chance.below(self.setting.devices);
        match chance.below(4) {
            0 => self.wipe()?,
            1 => self.lose_rows(chance, None)?,
            other => self.restore(chance, other == 2)?,
        }
        let was_calm = core::mem::replace(&mut self.is_calm, true);
        self.cut_session(at, u32::try_from(chance.between(2, 8)).unwrap_or(8))?;
        self.is_calm = was_calm;
        Ok(())
    }

    fn write_and_sync(&mut self, at: usize, chance: &mut Chance) -> Result<(), Broken> {
        let was_calm = core::mem::replace(&mut self.is_calm, true);
        self.whole_session(at, false)?;
        for _ in 0..chance.between(1, 3) {
            self.write_some(at, chance)?;
        }
        self.whole_session(at, false)?;
        self.is_calm = was_calm;
        Ok(())
    }

    /// The call itself: one commit that changes nothing but what counts as known to the server. Returns whether it is durable.
    fn seed_from(&mut self, at: usize, collection: usize) -> Result<bool, Broken> {
        let of = self.names.collection(collection)?;
        let before = self.all_of(at, &of)?;
        let seeded = self.device(at)?.reseed(&of);
        let commits = self.absorb(at, Why::Reseeded)?;
        match seeded {
            Ok(_) => {}
            Err(RoundError::Commit(error)) if crashed(&error) => {}
            Err(error) => return broken(HARNESS, format!("{}: {error}", name(at))),
        }
        let after = self.all_of(at, &of)?;
        let is_kept = |before: &Row, after: &Row| {
            (&before.version, &before.quarantine, &before.lost, &before.excuse)
                == (&after.version, &after.quarantine, &after.lost, &after.excuse)
        };
        let rows = before.rows.values().zip(after.rows.values());
        let is_same =
            before.rows.len() == after.rows.len() && rows.clone().all(|(before, after)| is_kept(before, after));
        if !is_same || before.lines != after.lines || before.staged != after.staged {
            return broken(TAKEN, format!("{}: what is here has changed by the call", name(at)));
        }
        if commits.is_empty() {
            return Ok(false);
        }
        let is_unsent = |row: &Row| row.acknowledged.is_none() && (row.is_pending || is_too_large(row));
        if let Some(row) = after.rows.values().find(|row| !is_unsent(row)) {
            return broken("S8", format!("{}: {} still counts as known to the server", name(at), row.record));
        }
        let phone = self.phone_mut(at)?;
        phone.accused.remove(&collection);
        phone.right.insert(collection);
        self.summary.fault("a person says that the server lost it and the device is right");
        Ok(true)
    }

    /// What a commit of a session did on a device that is right.
    pub(super) fn check_right(&mut self, at: usize, commit: &Commit) -> Result<(), Broken> {
        let collection = usize::from(self.names.place_of_collection(&commit.collection)?);
        if !self.phone(at)?.right.contains(&collection) {
            return Ok(());
        }
        for (before, after) in &commit.rows {
            let Some(before) = before else { continue };
            if !keeps(&before.version, &after.version) {
                return broken(TAKEN, format!("{}: something of {} is gone", name(at), after.record));
            }
            if before.version != after.version {
                self.summary.check("reseeds: changes taken in, and nothing by them");
            }
            if asked(before).is_none() && asked(after).is_some() {
                self.summary.check("reseeds: records held back, with all that they had");
            }
        }
        let goes_on = |server: &crate::decide::history::KnownServer| server.is_reseeding;
        if commit.after.server.as_ref().is_some_and(goes_on) {
            return Ok(());
        }
        // The session is over: from now on this server is like any other.
        self.phone_mut(at)?.right.remove(&collection);
        self.check_seeded(at, collection)
    }

    /// What the server would take is asked about, and it has all that the device has.
    fn check_seeded(&mut self, at: usize, collection: usize) -> Result<(), Broken> {
        let of = self.names.collection(collection)?;
        let hold = self.device(at)?.hold(&of).map_err(|error| Broken { check: HARNESS, what: format!("{error}") })?;
        let lines: Vec<_> = hold.iter().flat_map(|hold| hold.open()).collect();
        let open: BTreeSet<&RecordId> = lines.iter().map(|line| &line.record).collect();
        let asks = lines.iter().filter(|line| matches!(&line.why, Asked::Limit(breach) if breach.rule == Rule::Reseed));
        asks.for_each(|_| self.summary.check("reseeds: questions of their own when the session is over"));
        let rows = self.all_of(at, &of)?.rows;
        let is_silent = |row: &&Row| asked(row).is_some() && !open.contains(&row.record);
        if let Some(row) = rows.values().find(is_silent) {
            return broken(TAKEN, format!("{}: {} is held, and nobody is asked", name(at), row.record));
        }
        let Some(live) = self.live.get(at).and_then(Option::as_ref) else { return Ok(()) };
        let (server, is_untouched) = (live.server, live.epoch == self.truth.epoch(live.server));
        let number = u8::try_from(collection).unwrap_or(u8::MAX);
        // Rows that were taken from under the log after they were compared are found by an audit.
        if !self.is_calm || !is_untouched || self.is_follower(server) || self.truth.is_torn(server, number) {
            return Ok(());
        }
        let known = self.snapshot(server, collection)?.known;
        let nothing = VersionVector::new();
        for (record, row) in rows.iter().filter(|(_, row)| row.failed.is_none()) {
            if !known.get(record).unwrap_or(&nothing).covers_all(row.known().context()) {
                return broken("L2", format!("{}: {record} is not on the server that was seeded", name(at)));
            }
        }
        for (record, seen) in &known {
            let here = rows.get(record);
            let is_refused = here.is_some_and(|row| row.failed.is_some());
            if !is_refused && !here.map_or(&nothing, |row| row.known().context()).covers_all(seen) {
                return broken("S6", format!("{}: {record} of the server that was seeded is not here", name(at)));
            }
        }
        self.summary.check("reseeds after which the server has all that the device has");
        Ok(())
    }

    fn all_of(&self, at: usize, of: &CollectionId) -> Result<Slice, Broken> {
        let all = ReadSet::head(of.clone()).with_query(Query::ALL).with_lines().with_staged(ReplicaId::THIS_DEVICE);
        Ok(self.phone(at)?.disk.slice(&all))
    }
}

fn is_too_large(row: &Row) -> bool {
    matches!(row.failed.as_deref(), Some(Refusal::TooLarge { .. }))
}

/// The version that waits for an answer.
fn asked(row: &Row) -> Option<&Version> {
    match &row.quarantine {
        Some(Quarantine::Version { hidden, .. }) => Some(hidden),
        _ => None,
    }
}

/// Whether the record is there if it was, and every value of it.
fn keeps(before: &Version, after: &Version) -> bool {
    if !before.is_alive() {
        return true;
    }
    let now = shown(after);
    after.is_alive()
        && shown(before).iter().all(|(field, values)| {
            let kept = now.get(field);
            values.iter().all(|value| kept.is_some_and(|kept| kept.contains(value)))
        })
}
