//! A server answers one frame, and everything about the answer is checked.

use alloc::{collections::BTreeSet, format, sync::Arc, vec::Vec};

use super::{Served, Snapshot, World};
use crate::act::store::CommitError;
use crate::compose::{
    converse::ServeFailed,
    serve::{Access, Call, Role},
    server::Server,
};
use crate::decide::{continuity::Continuity, position::Issued, slice::ReadSet};
use crate::talk::{
    frame::{ReplyFrame, RequestFrame},
    message::{Recognition, Refused, Reply, Request},
    offer::{Sent, SentOffer},
};
use crate::testing::{
    disk::{Commit, Crash, Down},
    failure::{Broken, HARNESS, broken},
    ghost::{Why, name},
    names::{HOME, Names},
    truth::Expected,
};
use crate::values::{
    id::{CollectionId, RecordId, ReplicaId},
    version_vector::VersionVector,
};

/// How a server's host treats one frame.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Treatment {
    pub(super) access: Access,
    pub(super) is_wrong_account: bool,
    pub(super) crash: Option<Crash>,
}

impl World {
    /// What a server has committed since it was asked last, checked.
    pub(super) fn absorb_cloud(&mut self, server: usize, why: Why) -> Result<Vec<Commit>, Broken> {
        let disk = &mut self.cloud_mut(server)?.disk;
        let commits = core::mem::take(&mut disk.commits);
        disk.is_down = false;
        disk.crash = None;
        for commit in &commits {
            self.truth.commit(server, (commit, why), &self.ghost, &mut self.summary)?;
            self.ghost.take((HOME + server, None), commit, why, &mut self.summary)?;
        }
        Ok(commits)
    }

    /// Answers a device's frame; `None` where the host goes down meanwhile.
    pub(super) fn serve(
        &mut self,
        (server, from): (usize, usize),
        bytes: &[u8],
        treatment: Treatment,
    ) -> Result<Option<Arc<Served>>, Broken> {
        let asked = RequestFrame::decode(bytes, &self.limits);
        let asked =
            asked.map_err(|error| Broken { check: "S13", what: format!("a request can not be read: {error}") })?;
        for request in &asked.requests {
            if let Request::Push { offers, .. } = request {
                self.check_offers(self.names.place_of_collection(request.collection())?, offers)?;
            }
        }
        let answered = self.answered(server, bytes, treatment)?;
        let commits = self.absorb_cloud(server, Why::Synced)?;
        let Some(bytes) = answered else {
            self.say(|| format!("     {} goes down around a commit", name(HOME + server)));
            self.summary.fault("a server goes down around a commit");
            return Ok(None);
        };
        self.summary.requests += 1;
        let frame = ReplyFrame::decode(&bytes, &self.limits);
        let frame =
            frame.map_err(|error| Broken { check: "S13", what: format!("a reply can not be read: {error}") })?;
        let mut snapshot = None;
        for (request, reply) in asked.requests.iter().zip(&frame.replies) {
            self.check_reply(server, from, request, reply)?;
            let collection = self.names.place_of_collection(request.collection())?;
            if let Reply::Page { .. } | Reply::Taken { .. } | Reply::Whole { .. } | Reply::Reconciled { .. } = reply {
                snapshot = Some(Arc::new(self.snapshot(server, usize::from(collection))?));
            }
            // Whoever is refused changes nothing; but for a lineage that had to begin before any answer.
            let is_refused = matches!(reply, Reply::Refused(refused) if *refused != Refused::Renewed);
            if is_refused && commits.iter().any(|commit| commit.collection == *request.collection()) {
                return broken("S19", format!("{} was refused, and something was changed", request.collection()));
            }
            if is_refused {
                self.summary.check("S19 refusals that changed nothing on the server");
            } else {
                let head = self.cloud(server)?.disk.head(request.collection());
                if !self.is_follower(server) {
                    self.truth.check_head(server, collection, &head)?;
                }
            }
        }
        let collection = asked.requests.first().map(|request| self.names.place_of_collection(request.collection()));
        let collection = collection.transpose()?.map_or(usize::MAX, usize::from);
        Ok(Some(Arc::new(Served { server, collection, bytes, frame, snapshot })))
    }

    fn answered(&mut self, server: usize, bytes: &[u8], treatment: Treatment) -> Result<Option<Vec<u8>>, Broken> {
        let Treatment { access, is_wrong_account, crash } = treatment;
        let entropy = self.entropy()?;
        let role = if self.is_follower(server) { Role::Follower } else { Role::Home };
        let account = if is_wrong_account { self.other_account.clone() } else { self.account.clone() };
        let Some(cloud) = self.clouds.get_mut(server) else { return broken(HARNESS, "no such server") };
        cloud.disk.crash = crash;
        let call = Call { access, role, limits: self.limits, ..Call::new(&account, &self.key, entropy) };
        match Server::new(&mut cloud.disk, cloud.id, self.guard.clone()).serve(bytes, &call) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(ServeFailed::Commit(CommitError::Store(Down))) => Ok(None),
            Err(error) => broken(HARNESS, format!("{error}")),
        }
    }

    /// What crosses is what was written (S5, S9).
    fn check_offers(&mut self, collection: u8, offers: &[SentOffer]) -> Result<(), Broken> {
        for offer in offers {
            let of = (collection, Names::place_of_record(&offer.record)?);
            if let Sent::Whole(version) = &offer.version {
                self.ghost.check_version(of, version, &mut self.summary)?;
            }
            if let Some(held) = &offer.held {
                self.ghost.check_version(of, &held.hidden, &mut self.summary)?;
            }
        }
        Ok(())
    }

    fn check_reply(&mut self, server: usize, from: usize, request: &Request, reply: &Reply) -> Result<(), Broken> {
        let collection = self.names.place_of_collection(request.collection())?;
        match (request, reply) {
            (Request::Greet { at: Some(at), .. }, Reply::Welcome { recognition, .. }) => {
                let expected = self.truth.expected(server, at.tag)?;
                match (recognition, &expected) {
                    (Recognition::Same | Recognition::News, Expected::Intact) => {
                        self.summary.check("greetings under an intact history");
                    }
                    (Recognition::Prove, Expected::Lost(_)) => self.summary.check("greetings after a loss"),
                    (Recognition::Prove, Expected::Intact) => {
                        self.summary.check("greetings that ask for a proof in vain")
                    }
                    _ => {
                        return broken(
                            "a loss is not named",
                            format!("{expected:?}, and the greeting says {recognition:?}"),
                        );
                    }
                }
            }
            (Request::Reconcile { collection, holds, .. }, Reply::Reconciled { found, .. }) => {
                self.check_compared(server, collection, holds, found)?;
            }
            (Request::Prove { claim, .. }, Reply::Judged { judgement, .. }) => {
                let claimed = claim.missing.iter().map(Names::place_of_record).collect::<Result<Vec<_>, _>>()?;
                // What the server has not seen of what the device knows is missing, whatever took it.
                let gone = self.gone(server, from, request.collection())?;
                let brought = self.brought(server, from, request.collection())?;
                let (gone, there): (Vec<_>, Vec<_>) = claimed.into_iter().partition(|record| gone.contains(record));
                // What somebody has brought since the device looked at it may have been gone then.
                let there = there.into_iter().map(|record| (record, brought.contains(&record))).collect();
                let is_follower = self.is_follower(server);
                let said = judgement.continuity;
                self.truth.check_verdict(server, claim.last.tag, (gone, there), said, is_follower)?;
                let what = match said {
                    Continuity::Intact => "verdicts: intact",
                    Continuity::Lost(_) => "verdicts: lost",
                    Continuity::Behind => "verdicts: behind",
                    _ => "verdicts: others",
                };
                self.summary.check(what);
            }
            _ => {}
        }
        if let Some(issued) = issued_in(reply) {
            let is_follower = self.is_follower(server);
            self.truth.issue(server, collection, issued, is_follower)?;
        }
        self.check_offers(collection, offers_in(reply))
    }

    /// Records that the server has taken in since a device's session began.
    fn brought(&self, server: usize, device: usize, of: &CollectionId) -> Result<BTreeSet<u16>, Broken> {
        let place = usize::from(self.names.place_of_collection(of)?);
        let live = self.live.get(device).and_then(Option::as_ref).filter(|live| live.server == server);
        let Some(began) = live.and_then(|live| live.began.get(&place)) else { return Ok(BTreeSet::new()) };
        let rows = self.cloud(server)?.disk.rows(of);
        rows.iter().filter(|row| row.changed_at > *began).map(|row| Names::place_of_record(&row.record)).collect()
    }

    /// Records of which the server has not seen all that a device knows.
    fn gone(&self, server: usize, device: usize, of: &CollectionId) -> Result<BTreeSet<u16>, Broken> {
        let known = self.snapshot(server, usize::from(self.names.place_of_collection(of)?))?.known;
        let nothing = VersionVector::new();
        let phone = self.phone(device)?;
        let staged = phone.disk.slice(&ReadSet::head(of.clone()).with_staged(ReplicaId::THIS_DEVICE)).staged;
        let rows = phone.disk.rows(of);
        let known_here = rows.iter().map(|row| (&row.record, row.known().context()));
        let waiting = staged.iter().map(|offer| (&offer.record, offer.known().context()));
        let is_gone =
            |(record, seen): &(&RecordId, &VersionVector)| !known.get(*record).unwrap_or(&nothing).covers_all(seen);
        known_here.chain(waiting).filter(is_gone).map(|(record, _)| Names::place_of_record(record)).collect()
    }

    pub(super) fn snapshot(&self, server: usize, collection: usize) -> Result<Snapshot, Broken> {
        let of = self.names.collection(collection)?;
        let disk = &self.cloud(server)?.disk;
        let known = disk.rows(&of).into_iter().map(|row| (row.record.clone(), row.known().context().clone()));
        Ok(Snapshot { collection, revision: disk.head(&of).revision, known: known.collect() })
    }
}

fn issued_in(reply: &Reply) -> Option<&Issued> {
    match reply {
        Reply::Judged { now, .. }
        | Reply::Page { now, .. }
        | Reply::Whole { now, .. }
        | Reply::Reconciled { now, .. } => now.as_ref(),
        Reply::Taken { now, .. } => Some(now),
        _ => None,
    }
}

fn offers_in(reply: &Reply) -> &[SentOffer] {
    match reply {
        Reply::Page { offers, .. } | Reply::Whole { offers, .. } => offers,
        _ => &[],
    }
}
