//! The faults stop: within two rounds the replicas agree, and then they are quiet.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    format,
    string::String,
    vec::Vec,
};

use super::{Cloud, World, session::WINDOW};
use crate::compose::device_session::Report;
use crate::decide::{
    refusal::Refusal,
    row::{Quarantine, Row},
};
use crate::testing::{
    failure::{Broken, broken},
    ghost::{Ghost, name},
    names::{Names, REPLICAS},
};
use crate::values::{id::RecordId, version::Version};

/// By record, what a replica knows of it.
type Knowledge = BTreeMap<RecordId, String>;

impl World {
    pub(super) fn settle(&mut self) -> Result<(), Broken> {
        self.say(|| String::from("the faults stop"));
        self.live.iter_mut().for_each(|live| *live = None);
        let all: BTreeSet<usize> = (0..self.setting.collections).collect();
        self.phones.iter_mut().for_each(|phone| phone.subscribed.clone_from(&all));
        self.is_calm = true;
        if self.setting.records + 20 >= WINDOW {
            // A round audits one window of records.
            self.two_rounds()?;
        }
        self.settle_ids()?;
        let twin = if self.seed.is_multiple_of(4) { Some(self.fork()) } else { None };
        let mut slower = self.two_rounds()?;
        let large = self.too_large()?;
        slower.extend(large.iter().cloned());
        self.check_agreement("L1", &slower, false)?;
        self.two_rounds()?;
        self.check_agreement("L1", &large, false)?;
        if let Some(mut twin) = twin {
            self.compare_with(&mut twin, &large)?;
        }
        self.answer_all()?;
        self.check_agreement("L5", &large, true)?;
        self.check_quiet()
    }

    /// Installations that share an id find that out, and what they wrote under it is told apart.
    fn settle_ids(&mut self) -> Result<(), Broken> {
        if self.ids == REPLICAS && !self.phones.iter().any(|phone| self.ghost.installs.is_shared(phone.writer.own)) {
            return Ok(());
        }
        for _ in 0..6 {
            let before = (self.ids, self.ghost.named());
            self.two_rounds()?;
            if (self.ids, self.ghost.named()) == before {
                return Ok(());
            }
        }
        broken("L1", "installations take other ids again and again")
    }

    /// Two rounds of all devices. Returns the records that a purge makes slower: who has purged a record and revives it
    /// learns of what others still have in the two rounds after that.
    fn two_rounds(&mut self) -> Result<BTreeSet<RecordId>, Broken> {
        let mut slower = self.purged()?;
        for _ in 0..2 {
            for at in 0..self.setting.devices {
                let report = self.whole_session(at, true)?;
                self.end_of_step()?;
                // Who has to take another id first begins again.
                let has_conflict = |report: &Report| report.collections.iter().any(|found| found.conflict.is_some());
                let report = match report {
                    Some(report) if has_conflict(&report) => self.whole_session(at, true)?,
                    report => report,
                };
                self.end_of_step()?;
                if report.is_some_and(|report| !report.is_complete()) {
                    return broken("L1", format!("{} does not get to the end without faults", name(at)));
                }
            }
        }
        slower.extend(self.purged()?);
        Ok(slower)
    }

    fn purged(&self) -> Result<BTreeSet<RecordId>, Broken> {
        let is_whole = |version: &Version| version.fields_context().is_all_of(version.context());
        let mut purged = BTreeSet::new();
        for rows in self.every_row()? {
            let short = rows.into_iter().filter(|(_, row)| !is_whole(&row.version) || !is_whole(row.known()));
            purged.extend(short.map(|(_, row)| row.record));
        }
        Ok(purged)
    }

    /// Records that are too large to cross. They stay where they are, and delay no other (L4).
    fn too_large(&mut self) -> Result<BTreeSet<RecordId>, Broken> {
        let is_failed = |row: &Row| matches!(row.failed.as_deref(), Some(Refusal::TooLarge { .. }));
        let rows = self.every_row()?.into_iter().flatten();
        let large: BTreeSet<RecordId> = rows.filter(|(_, row)| is_failed(row)).map(|(_, row)| row.record).collect();
        large.iter().for_each(|_| self.summary.check("L4 records too large to cross, all others agreed on"));
        let mut apart = self.refused_while_held()?;
        apart.extend(large);
        Ok(apart)
    }

    /// Records that two installations wrote under one id, of which something waits beside them: as long as it does, what has other
    /// contents under the same dots is refused.
    fn refused_while_held(&mut self) -> Result<BTreeSet<RecordId>, Broken> {
        let mut refused = BTreeSet::new();
        for (collection, row) in self.every_row()?.into_iter().flatten() {
            let of = (collection, Names::place_of_record(&row.record)?);
            let is_refused =
                matches!(row.failed.as_deref(), Some(Refusal::Equivocation { .. } | Refusal::Forged { .. }));
            let is_held = matches!(row.quarantine, Some(Quarantine::Version { .. }));
            if (is_refused || is_held) && self.ghost.installs.is_forked(of) {
                self.summary.check("L1 records of two installations, beside which something waits");
                refused.insert(row.record);
            }
        }
        Ok(refused)
    }

    /// The rows of all devices and of the home.
    fn every_row(&self) -> Result<Vec<Vec<(u8, Row)>>, Broken> {
        let mut every = Vec::new();
        for phone in &self.phones {
            let mut all = Vec::new();
            for (place, of) in (0_u8..).zip(&self.names.collections) {
                all.extend(phone.disk.rows(of).into_iter().map(|row| (place, row)));
            }
            every.push(all);
        }
        every.push(self.all_rows(self.home)?);
        Ok(every)
    }

    /// What each replica knows, the home last. `shown`: by what it shows.
    fn knowledge(&mut self, shown: bool) -> Result<Vec<Knowledge>, Broken> {
        let mut all = Vec::new();
        for rows in self.every_row()? {
            let mut knowledge = Knowledge::new();
            for (collection, row) in rows {
                let row = if shown { Row { quarantine: None, ..row } } else { row };
                let key = RecordId::new(format!("{collection}/{}", row.record));
                let key = key.map_err(|error| Broken { check: "harness", what: format!("{error}") })?;
                knowledge.insert(key, self.ghost.knowledge(collection, &row)?);
            }
            all.push(knowledge);
        }
        Ok(all)
    }

    fn check_agreement(&mut self, check: &'static str, slower: &BTreeSet<RecordId>, shown: bool) -> Result<(), Broken> {
        let mut all = self.knowledge(shown)?;
        let is_slower = |key: &RecordId| slower.iter().any(|record| key.as_str().ends_with(record.as_str()));
        all.iter_mut().for_each(|knowledge| knowledge.retain(|key, _| !is_slower(key)));
        let home = all.pop().unwrap_or_default();
        for (at, knowledge) in all.iter().enumerate() {
            if *knowledge != home {
                let differs = |key: &&RecordId| knowledge.get(*key) != home.get(*key);
                let keys: BTreeSet<&RecordId> = knowledge.keys().chain(home.keys()).filter(differs).collect();
                let first = keys
                    .first()
                    .map(|key| format!("{key}: {:?} there, {:?} at the home", knowledge.get(*key), home.get(*key)));
                return broken(
                    check,
                    format!("{} and the home do not agree on {} records: {first:?}", name(at), keys.len()),
                );
            }
            self.summary.check(if shown {
                "L5 replicas that show the same once all is answered"
            } else {
                "L1 replicas that agree"
            });
        }
        Ok(())
    }

    /// All open questions are answered, one device after the other.
    fn answer_all(&mut self) -> Result<(), Broken> {
        for keeps in [self.seed.is_multiple_of(2), true] {
            for at in 0..self.setting.devices {
                let mut is_answered = false;
                for collection in 0..self.setting.collections {
                    is_answered |= self.answer(at, collection, keeps)?;
                }
                if is_answered {
                    self.end_of_step()?;
                    self.two_rounds()?;
                }
            }
        }
        for at in 0..self.setting.devices {
            for of in self.names.clone().collections.clone() {
                let hold = self.device(at)?.hold(&of);
                if hold.is_ok_and(|hold| hold.is_some()) {
                    return broken("L5", format!("{} is still asked after every answer", name(at)));
                }
            }
        }
        self.two_rounds()?;
        Ok(())
    }

    /// L3: one request, a few bytes, and nothing is written.
    fn check_quiet(&mut self) -> Result<(), Broken> {
        let bytes = 200 + 40 * u64::try_from(self.setting.collections - 1).unwrap_or_default();
        for at in 0..self.setting.devices {
            let before = (self.revisions(at)?, self.summary.requests);
            let report = self.run_quietly(at)?;
            let after = (self.revisions(at)?, self.summary.requests);
            if before.0 != after.0 || after.1 != before.1 + 1 {
                let requests = after.1 - before.1;
                return broken(
                    "L3",
                    format!("{} had nothing to do: {requests} requests, {:?} to {:?}", name(at), before.0, after.0),
                );
            }
            if report.0 > bytes || report.1 > bytes {
                return broken("L3", format!("{} had nothing to do: {report:?} bytes, at most {bytes}", name(at)));
            }
            self.summary.check("L3 quiet sessions");
        }
        Ok(())
    }

    fn run_quietly(&mut self, at: usize) -> Result<(u64, u64), Broken> {
        let report = self.whole_session(at, false)?;
        Ok(report.map_or((u64::MAX, 0), |report| (report.bytes_sent, report.bytes_received)))
    }

    fn revisions(&self, at: usize) -> Result<Vec<u64>, Broken> {
        let (phone, cloud) = (self.phone(at)?, self.cloud(self.home)?);
        let of = |collection| [phone.disk.head(collection).revision.0, cloud.disk.head(collection).revision.0];
        Ok(self.names.collections.iter().flat_map(of).collect())
    }

    /// L6: with hosts that go down around many commits, the same is known in the end.
    fn compare_with(&mut self, twin: &mut Self, slower: &BTreeSet<RecordId>) -> Result<(), Broken> {
        twin.crash_every = Some(3 + usize::try_from(self.seed.div_euclid(4).rem_euclid(4)).unwrap_or_default());
        let went = twin.two_rounds().and_then(|_| twin.two_rounds());
        if went.is_err() {
            self.timeline.iter_mut().for_each(|timeline| timeline.extend(twin.timeline().iter().cloned()));
        }
        went.map_err(|error| Broken { what: format!("with crashes: {}", error.what), ..error })?;
        let is_slower = |key: &RecordId| slower.iter().any(|record| key.as_str().ends_with(record.as_str()));
        let (mut ours, mut theirs) = (self.knowledge(false)?, twin.knowledge(false)?);
        ours.iter_mut().chain(&mut theirs).for_each(|known| known.retain(|key, _| !is_slower(key)));
        if ours != theirs {
            return broken("L6", "with crashes another state is reached than without");
        }
        self.summary.add(&twin.summary);
        self.summary.histories = 1;
        self.summary.check("L6 histories that reach the same state with crashes");
        Ok(())
    }

    /// The same world, to try something else in it. It has no session.
    fn fork(&self) -> Self {
        Self {
            seed: self.seed,
            setting: self.setting,
            ops: Vec::new(),
            next: self.next,
            is_over: false,
            names: self.names.clone(),
            guard: self.guard.clone(),
            limits: self.limits,
            key: self.key.clone(),
            account: self.account.clone(),
            other_account: self.other_account.clone(),
            phones: self.phones.clone(),
            clouds: self.clouds.iter().map(Cloud::clone).collect(),
            home: self.home,
            live: self.phones.iter().map(|_| None).collect(),
            ghost: Ghost::clone(&self.ghost),
            truth: self.truth.clone(),
            requests: Vec::new(),
            replies: Vec::new(),
            backups: Vec::new(),
            images: Vec::new(),
            ids: self.ids,
            draws: self.draws,
            time: self.time,
            is_calm: true,
            crash_every: None,
            summary: crate::testing::failure::Summary::default(),
            timeline: self.timeline.as_ref().map(|_| Vec::new()),
        }
    }
}
