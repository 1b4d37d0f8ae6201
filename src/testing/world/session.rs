//! A session of a device, poll by poll, with all that is checked about it.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    format,
    sync::Arc,
};

use super::{Live, Served, Snapshot, World};
use crate::act::store::{CommitError, Store};
use crate::compose::device_session::{CollectionReport, DeviceSession, Opening, Output, Report};
use crate::decide::{
    continuity::{Continuity, ServerLoss},
    row::Row,
    slice::ReadSet,
};
use crate::talk::{
    message::{Refused, Reply},
    session::SessionError,
};
use crate::testing::{
    chance::{Chance, sum},
    disk::{Commit, Crash},
    failure::{Broken, broken},
    ghost::{Why, name},
    names::Names,
};
use crate::values::{id::ReplicaId, version_vector::VersionVector};

/// Records that one audit looks at.
pub(super) const WINDOW: usize = 256;

/// How far a session got.
#[derive(Debug)]
pub(super) enum Progress {
    /// It goes on.
    Went,
    /// It waits for the network.
    Waits,
    /// There is none any more.
    Over(Option<Report>),
}

impl World {
    /// Opens a session for a device that has none.
    pub(super) fn open_session(
        &mut self,
        at: usize,
        (budget, is_away): (Option<u32>, bool),
        grants_audit: bool,
    ) -> Result<(), Broken> {
        let entropy = self.entropy()?;
        let phone = self.phone(at)?;
        let collections: alloc::vec::Vec<usize> = phone.subscribed.iter().copied().collect();
        let names = collections.iter().map(|of| self.names.collection(*of)).collect::<Result<_, _>>()?;
        let mut opening = Opening::new(phone.id, self.account.clone(), names);
        opening.guard = self.guard.clone();
        opening.limits = self.limits;
        opening.grants_audit = grants_audit;
        opening.max_requests = budget.unwrap_or(opening.max_requests);
        let server = self.addressed(is_away);
        let mut missing = BTreeMap::new();
        let mut began = BTreeMap::new();
        for of in &collections {
            began.insert(*of, self.cloud(server)?.disk.head(&self.names.collection(*of)?).revision);
        }
        // Where others sync meanwhile, they may have brought it back before it is missed.
        for of in collections.iter().filter(|_| self.is_calm) {
            let known = self.phone(at)?.disk.head(&self.names.collection(*of)?).server;
            // What a device is still recovering from, it has named.
            if known.is_none_or(|known| !known.is_recovering) {
                missing.insert(*of, self.missing(at, server, *of)?);
            }
        }
        let live = Live {
            session: DeviceSession::open(opening, &entropy),
            collections,
            is_away,
            server,
            epoch: self.truth.epoch(server),
            grants_audit,
            polls: 0,
            requests: 0,
            last_request: 0,
            snapshot: None,
            lost: BTreeMap::new(),
            barred: BTreeSet::new(),
            missing,
            began,
        };
        if let Some(place) = self.live.get_mut(at) {
            *place = Some(live);
        }
        self.say(|| format!("{}: begins a session", name(at)));
        Ok(())
    }

    /// Which server answers: the home, or the other one.
    pub(super) fn addressed(&self, is_away: bool) -> usize {
        if is_away && self.clouds.len() > 1 { 1 - self.home.min(1) } else { self.home }
    }

    /// Records that a device counts as synced and that the server has not seen all of.
    fn missing(&self, at: usize, server: usize, collection: usize) -> Result<usize, Broken> {
        let of = self.names.collection(collection)?;
        let nothing = VersionVector::new();
        let held: BTreeMap<_, _> =
            self.cloud(server)?.disk.rows(&of).into_iter().map(|row| (row.record.clone(), row)).collect();
        let is_missing = |row: &Row| {
            let seen = held.get(&row.record).map_or(&nothing, |held| held.known().context());
            let counts = !row.is_pending && row.failed.is_none();
            counts && !seen.covers_all(row.known().context())
        };
        Ok(self.phone(at)?.disk.rows(&of).iter().filter(|row| is_missing(row)).count())
    }

    pub(super) fn live(&mut self, at: usize) -> Option<&mut Live> {
        self.live.get_mut(at).and_then(Option::as_mut)
    }

    /// One poll of a session.
    pub(super) fn poll(&mut self, at: usize, chance: &mut Chance) -> Result<Progress, Broken> {
        let Some(live) = self.live(at) else { return Ok(Progress::Over(None)) };
        live.polls += 1;
        let (polls, output) = (live.polls, live.session.poll());
        let bound = self.bound(at)?;
        if polls > 12 * bound {
            return broken("S15", format!("{} has been polled {polls} times and is not done", name(at)));
        }
        match output {
            Output::Read(set) => {
                let slice = self.phone(at)?.disk.slice(&set);
                self.live(at).into_iter().for_each(|live| live.session.loaded(slice.clone()));
                Ok(Progress::Went)
            }
            Output::Commit(batch) => {
                let crash = self.crash(chance, self.setting.rates.device_down);
                let disk = &mut self.phone_mut(at)?.disk;
                let before = crash.map(|_| disk.clone());
                disk.crash = crash;
                let committed = disk.commit(batch);
                if let (Some(before), Some(crash)) = (before, crash) {
                    self.check_crash(at, &before.store, crash)?;
                }
                let commits = self.absorb(at, Why::Synced)?;
                for commit in &commits {
                    self.check_right(at, commit)?;
                    self.check_commit(at, commit)?;
                }
                match (committed, self.live(at)) {
                    (Ok(()), Some(live)) => live.session.committed(),
                    (Err(CommitError::Moved { .. }), Some(live)) => {
                        live.session.moved();
                        self.summary.check("batches of a session that came too late and were made again");
                    }
                    _ => return Ok(Progress::Over(None)),
                }
                Ok(Progress::Went)
            }
            Output::Send(bytes) => {
                let new = sum(&bytes);
                let Some(live) = self.live(at) else { return Ok(Progress::Over(None)) };
                if live.last_request != new {
                    live.last_request = new;
                    live.requests += 1;
                }
                let requests = live.requests;
                if requests > bound {
                    return broken("S15", format!("{} has sent {requests} requests, at most {bound}", name(at)));
                }
                self.transmit(at, &bytes, chance)
            }
            Output::Done(report) => {
                self.ended(at, &report)?;
                self.drop_session(at);
                self.check_identity(at, &report)?;
                Ok(Progress::Over(Some(*report)))
            }
        }
    }

    /// S10: the store is as it was before the commit, or as it is after it.
    fn check_crash(&mut self, at: usize, before: &crate::act::memory::MemoryStore, crash: Crash) -> Result<(), Broken> {
        self.summary.check("S10 stores compared after a crash");
        let disk = &self.phone(at)?.disk;
        for of in &self.names.collections {
            let all = ReadSet::head(of.clone()).with_query(crate::decide::slice::Query::ALL).with_lines();
            let Ok(old) = before.read(&all);
            let new = disk.slice(&all);
            let is_same = old.rows == new.rows && old.head == new.head && old.lines == new.lines;
            let is_one_step = new.head.revision == old.head.revision.next();
            if !(is_same || (crash == Crash::After && is_one_step)) {
                return broken("S10", format!("after a crash {} is between two steps", name(at)));
            }
        }
        Ok(())
    }

    pub(super) fn crash(&mut self, chance: &mut Chance, rate: u32) -> Option<Crash> {
        let draw = |chance: &mut Chance| if chance.hits(500) { Crash::Before } else { Crash::After };
        if let Some(every) = self.crash_every {
            return chance.below(every).checked_sub(1).is_none().then(|| draw(chance));
        }
        (!self.is_calm && chance.hits(rate)).then(|| draw(chance))
    }

    /// Requests that a session may need, at most: by what there is to do.
    fn bound(&self, at: usize) -> Result<usize, Broken> {
        let of = |collection: &usize| {
            let records = self.ghost.installs.records(u8::try_from(*collection).unwrap_or(u8::MAX));
            10 + 4 * (3 * records + 6)
        };
        Ok(2 + self.phone(at)?.subscribed.iter().map(of).sum::<usize>())
    }

    /// Hands a reply to a session. Returns whether it was taken.
    pub(super) fn deliver(&mut self, at: usize, served: &Arc<Served>, is_own: bool) -> Result<bool, Broken> {
        let Some(live) = self.live(at) else { return Ok(false) };
        let before = live.session.poll();
        let was = match &before {
            Output::Send(bytes) => Some(bytes.clone()),
            _ => None,
        };
        match live.session.received(&served.bytes) {
            Ok(()) => {
                self.taken(at, served);
                Ok(true)
            }
            Err(error) => {
                let is_same = match (was, live.session.poll()) {
                    (Some(was), Output::Send(bytes)) => was == bytes,
                    (None, Output::Send(_)) => false,
                    (None, _) => true,
                    (Some(_), _) => false,
                };
                if !is_same {
                    return broken("S19", format!("a reply was refused ({error}), and the session has moved"));
                }
                if is_own && !matches!(error, SessionError::OtherServer { .. }) {
                    return broken("S19", format!("an honest reply was refused: {error}"));
                }
                self.summary.check("S19 replies refused that changed nothing");
                let is_other = matches!(error, SessionError::OtherServer { .. });
                if is_own && is_other {
                    self.say(|| format!("     {}: another server replies, the session ends", name(at)));
                    self.drop_session(at);
                }
                Ok(false)
            }
        }
    }

    /// What a reply that was taken means.
    fn taken(&mut self, at: usize, served: &Served) {
        let Some(live) = self.live.get_mut(at).and_then(Option::as_mut) else { return };
        if served.snapshot.is_some() {
            live.snapshot.clone_from(&served.snapshot);
        }
        if live.server != served.server {
            live.server = served.server;
            live.epoch = u64::MAX;
        }
        let is_greeting = live.requests == 1;
        for (place, reply) in served.frame.replies.iter().enumerate() {
            match reply {
                Reply::Refused(Refused::Stop(_) | Refused::Forbidden | Refused::Unavailable { .. }) if is_greeting => {
                    live.barred.extend(live.collections.get(place));
                }
                Reply::Judged { judgement, .. } => {
                    if let Continuity::Lost(loss) = judgement.continuity {
                        live.lost.entry(served.collection).or_insert(loss);
                    }
                }
                _ => {}
            }
        }
    }

    /// S6, S8, S19 and the heart of it: what one commit of a session did.
    fn check_commit(&mut self, at: usize, commit: &Commit) -> Result<(), Broken> {
        let number = self.names.place_of_collection(&commit.collection)?;
        let place = usize::from(number);
        let Some(live) = self.live.get(at).and_then(Option::as_ref) else { return Ok(()) };
        if live.barred.contains(&place) {
            return broken("S19", format!("{} was refused, and something was changed there", commit.collection));
        }
        let server = live.server;
        let is_untouched = live.epoch == self.truth.epoch(server);
        let is_suspect =
            live.lost.contains_key(&place) || commit.before.server.as_ref().is_some_and(|known| known.is_recovering);
        let snapshot = live.snapshot.clone().filter(|snapshot| snapshot.collection == place);
        // What was staged in an earlier session is judged in this one before the server shows anything.
        let now = if snapshot.is_none() { Some(self.snapshot(server, place)?) } else { None };
        let nothing = VersionVector::new();
        for (before, after) in &commit.rows {
            let was_alive = before.as_ref().is_some_and(|row| row.version.is_alive());
            if was_alive && !after.version.is_alive() {
                if is_suspect {
                    let what =
                        format!("{} hides {} on the word of a server that lost something", name(at), after.record);
                    return broken("nothing is removed after a loss", what);
                }
                self.summary.check("records hidden by a sync");
            }
            if after.quarantine.is_some() && before.as_ref().is_none_or(|row| row.quarantine.is_none()) {
                self.summary.check("records held by a sync");
            }
            let is_same = |row: &Row| row.acknowledged == after.acknowledged && row.known() == after.known();
            let is_new = before.as_ref().is_none_or(|row| row.is_pending || !is_same(row));
            if is_acknowledged(after) && is_new {
                let shown = snapshot.as_deref().or(now.as_ref());
                let held = shown.and_then(|snapshot| snapshot.known.get(&after.record));
                let is_torn = self.truth.ever_torn.contains(&(number, Names::place_of_record(&after.record)?));
                // A removal that waited was shown before the last reply, and its row may have been torn since.
                let may_tell = !is_torn && (snapshot.is_some() || is_untouched);
                if may_tell && !held.unwrap_or(&nothing).covers_all(after.known().context()) {
                    return broken(
                        "S8",
                        format!("{}: {} counts as synced, and the server lacks it", name(at), after.record),
                    );
                }
                self.summary.check("S8 records that began to count as synced");
            }
            if before.as_ref().is_some_and(is_acknowledged) && after.is_pending && is_suspect {
                self.summary.check("S8 records pending again after a loss");
            }
        }
        self.check_cursor(at, commit, snapshot.as_deref())
    }

    /// S6: how far the device has read moves with the data, and not back.
    fn check_cursor(&mut self, at: usize, commit: &Commit, snapshot: Option<&Snapshot>) -> Result<(), Broken> {
        let (Some(before), Some(after)) = (&commit.before.server, &commit.after.server) else { return Ok(()) };
        if before.lineage() == after.lineage() && before.lineage().is_some() {
            let given = |known: &crate::decide::history::KnownServer| {
                known.witness.as_ref().map(|witness| witness.last.position.revision)
            };
            if after.cursor < before.cursor || given(after) < given(before) {
                return broken(
                    "S6",
                    format!("the cursor of {} moved back: {:?} to {:?}", name(at), before.cursor, after.cursor),
                );
            }
            self.summary.check("S6 cursors compared");
        }
        // Who has to take another id reads all of it again.
        if after.conflict.is_some() {
            return Ok(());
        }
        let is_end = after.cursor.within.is_none() && after.cursor != before.cursor;
        match snapshot.filter(|snapshot| is_end && snapshot.revision == after.cursor.revision) {
            Some(snapshot) => self.check_pulled(at, commit, &snapshot.known),
            None => Ok(()),
        }
    }

    /// S6: what the server held when the pull ended is here, or waits here.
    fn check_pulled(
        &mut self,
        at: usize,
        commit: &Commit,
        known: &BTreeMap<crate::values::id::RecordId, VersionVector>,
    ) -> Result<(), Broken> {
        let phone = self.phone(at)?;
        let staged = ReadSet::head(commit.collection.clone()).with_staged(ReplicaId::THIS_DEVICE);
        let staged = phone.disk.slice(&staged).staged;
        let rows: BTreeMap<_, _> =
            phone.disk.rows(&commit.collection).into_iter().map(|row| (row.record.clone(), row)).collect();
        let place = self.names.place_of_collection(&commit.collection)?;
        for (record, seen) in known {
            if self.truth.ever_torn.contains(&(place, Names::place_of_record(record)?)) {
                continue;
            }
            let waiting = staged.iter().filter(|offer| offer.record == *record).map(|offer| offer.known().context());
            let held = rows.get(record).map(|row| row.known().context()).into_iter().chain(waiting);
            let all = held.fold(VersionVector::new(), |all, one| all.join(one));
            if !all.covers_all(seen) {
                return broken("S6", format!("{} has read up to the end, and lacks some of {record}", name(at)));
            }
        }
        if !staged.is_empty() {
            self.summary.check("S6 removals that wait for the end of a round");
        }
        self.summary.check("S6 pulls compared with what the server held");
        Ok(())
    }

    /// What a session that ended has to leave.
    fn ended(&mut self, at: usize, report: &Report) -> Result<(), Broken> {
        self.summary.sessions += 1;
        self.say(|| format!("{}: the session ends: {report}", name(at)));
        let Some(live) = self.live.get(at).and_then(Option::as_ref) else { return Ok(()) };
        let (lost, granted, server, missing) =
            (live.lost.clone(), live.grants_audit, live.server, live.missing.clone());
        let is_untouched = live.epoch == self.truth.epoch(server) && !self.is_follower(server);
        for place in live.collections.clone() {
            let Some(found) = report.of(&self.names.collection(place)?) else { continue };
            self.check_named(found, lost.get(&place).copied())?;
            self.note_outcome(found);
            if matches!(found.continuity, Some(Continuity::Lost(_))) {
                self.phone_mut(at)?.accused.insert(place);
            }
            if !found.is_complete || found.refused.is_some() || !is_untouched {
                continue;
            }
            let of = u8::try_from(place).unwrap_or(u8::MAX);
            let is_whole = granted && self.setting.records + 20 < WINDOW;
            if self.truth.is_torn(server, of) && !is_whole {
                continue;
            }
            let left = self.missing(at, server, place)?;
            if left > 0 {
                let what =
                    format!("{}: {left} records of {place} count as synced, and the server lacks them", name(at));
                return broken("S8", what);
            }
            self.summary.check("S8 whole collections compared at the end of a session");
            let was_missing = missing.get(&place).is_some_and(|missing| *missing > 0);
            // Who has to take another id first looks at what is there with the next session.
            let is_looked_at = found.conflict.is_none();
            if is_looked_at
                && was_missing
                && !self.truth.is_told(server, of)
                && !matches!(found.continuity, Some(Continuity::Lost(_)))
            {
                return broken("a loss is not named", format!("{}: records were missing, and {found}", name(at)));
            }
        }
        Ok(())
    }

    fn check_named(&self, found: &CollectionReport, lost: Option<ServerLoss>) -> Result<(), Broken> {
        match (lost, found.continuity) {
            (Some(loss), Some(Continuity::Lost(said))) if loss == said => Ok(()),
            (Some(loss), said) => broken("a loss is not named", format!("{loss:?}, and the report says {said:?}")),
            (None, Some(Continuity::Lost(loss))) => {
                broken("false alarm", format!("{loss:?}, of which no verdict spoke"))
            }
            (None, Some(Continuity::Unproven)) => broken("false alarm", "it can not be told"),
            (None, _) => Ok(()),
        }
    }

    fn note_outcome(&mut self, found: &CollectionReport) {
        let name = match found.continuity {
            Some(Continuity::Lost(ServerLoss::Emptied)) => "emptied",
            Some(Continuity::Lost(ServerLoss::RolledBack)) => "rolled back",
            Some(Continuity::Lost(ServerLoss::Forked)) => "forked",
            Some(Continuity::Lost(ServerLoss::Replaced)) => "replaced",
            Some(Continuity::Lost(ServerLoss::PartialLoss)) => "partial loss",
            Some(Continuity::Behind) => return self.summary.check("sessions that met a server that lags"),
            Some(Continuity::Stop(_)) => return self.summary.check("sessions that were stopped"),
            _ => return,
        };
        *self.summary.losses.entry(name).or_default() += 1;
    }
}

/// Whether a row says that the server has it.
pub(super) fn is_acknowledged(row: &Row) -> bool {
    !row.is_pending && row.failed.is_none() && row.acknowledged.is_some()
}
