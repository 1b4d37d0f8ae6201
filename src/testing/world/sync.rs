//! The network: it loses, repeats, delays and misleads.

use alloc::{format, string::String, sync::Arc, vec::Vec};

use super::{Served, World, serve::Treatment, session::Progress};
use crate::compose::{device_session::Report, serve::Access};
use crate::talk::{
    frame::RequestFrame,
    message::{Reply, Request},
};
use crate::testing::{
    chance::Chance,
    failure::{Broken, broken},
    ghost::name,
    history::Second,
};

/// Letters that are kept, to arrive late.
const KEPT: usize = 40;

impl World {
    /// Some polls of a device's session, with all that goes wrong.
    pub(super) fn sync(&mut self, chance: &mut Chance) -> Result<(), Broken> {
        let at = chance.below(self.setting.devices);
        let other = chance.below(self.setting.devices);
        let polls = chance.pick(&[(3, 6), (3, 20), (2, 400)]).unwrap_or(20);
        let polls = chance.between(1, polls);
        let interleaves = chance.hits(250) && other != at;
        let mut running = Vec::from([at]);
        running.extend(interleaves.then_some(other));
        for at in &running {
            if self.live(*at).is_none() {
                let budget = chance.hits(self.setting.rates.budget).then(|| chance.between(1, 6));
                let grants_audit = chance.hits(300);
                if budget.is_some() {
                    self.summary.fault("a session is given few requests");
                }
                let budget = budget.and_then(|budget| u32::try_from(budget).ok());
                let is_away = self.setting.second != Second::None && chance.hits(self.setting.rates.away);
                if is_away {
                    self.summary.fault("a session is led to the other server");
                }
                if chance.hits(800) {
                    self.take_over(*at, chance)?;
                }
                self.open_session(*at, (budget, is_away), grants_audit)?;
            }
        }
        if interleaves {
            self.summary.check("steps in which two sessions run side by side");
        }
        for _ in 0..polls {
            let mut going = Vec::new();
            for at in running {
                if matches!(self.poll(at, chance)?, Progress::Went) {
                    going.push(at);
                }
            }
            running = going;
        }
        Ok(())
    }

    /// A whole session without a fault.
    pub(super) fn calm(&mut self, chance: &mut Chance) -> Result<(), Broken> {
        let (at, grants_audit) = (chance.below(self.setting.devices), chance.hits(500));
        let was_calm = core::mem::replace(&mut self.is_calm, true);
        self.whole_session(at, grants_audit)?;
        self.is_calm = was_calm;
        Ok(())
    }

    /// A whole session; where hosts go down, as many as it takes.
    pub(super) fn whole_session(&mut self, at: usize, grants_audit: bool) -> Result<Option<Report>, Broken> {
        self.drop_session(at);
        let mut chance = Chance::new(self.draws);
        for _ in 0..200 {
            // Removals go up as one round, so a host that goes down too often never gets to its end.
            self.crash_every = self.crash_every.map(|every| every + 1);
            self.take_over(at, &mut chance)?;
            self.open_session(at, (None, false), grants_audit)?;
            loop {
                match self.poll(at, &mut chance)? {
                    Progress::Went => {}
                    // A reply that was lost with its server may end a session early; the next one goes on.
                    Progress::Over(Some(report)) if self.crash_every.is_some() && !report.is_complete() => break,
                    Progress::Over(Some(report)) => return Ok(Some(report)),
                    Progress::Waits if self.crash_every.is_some() => {}
                    Progress::Over(None) if self.crash_every.is_some() => break,
                    Progress::Waits | Progress::Over(None) => {
                        return broken("L1", "a session without faults does not end");
                    }
                }
            }
        }
        broken("L6", "a session does not end, however often it begins")
    }

    /// A session that is given few requests, without any other fault.
    pub(super) fn cut_session(&mut self, at: usize, requests: u32) -> Result<(), Broken> {
        self.drop_session(at);
        let mut chance = Chance::new(self.draws);
        self.take_over(at, &mut chance)?;
        self.open_session(at, (Some(requests), false), false)?;
        self.summary.fault("a session is given few requests");
        loop {
            match self.poll(at, &mut chance)? {
                Progress::Went => {}
                Progress::Waits | Progress::Over(_) => return Ok(()),
            }
        }
    }

    /// One request on its way, and what comes of it.
    pub(super) fn transmit(&mut self, at: usize, bytes: &[u8], chance: &mut Chance) -> Result<Progress, Broken> {
        let rates = self.setting.rates;
        let hits = |chance: &mut Chance, rate: u32, calm: bool| !calm && chance.hits(rate);
        let calm = self.is_calm;
        if self.timeline.is_some() {
            let asks = self.described(bytes);
            self.say(|| format!("     {} asks: {asks}", name(at)));
        }
        self.keep_request(at, bytes);
        if hits(chance, rates.request_lost, calm) {
            self.summary.fault("a request is lost");
            self.say(|| String::from("     it is lost"));
            return Ok(Progress::Waits);
        }
        let is_elsewhere = self.setting.second != Second::None && hits(chance, rates.other_server, calm);
        let is_away = self.live(at).is_some_and(|live| live.is_away);
        let server = self.addressed(is_away != is_elsewhere);
        if is_elsewhere {
            self.summary.fault("a request reaches the other server");
        }
        let treatment = self.treatment(chance);
        let mut served = self.serve((server, at), bytes, treatment)?;
        if hits(chance, rates.request_twice, calm) {
            self.summary.fault("a request arrives twice");
            self.say(|| String::from("     it arrives twice"));
            let again = self.serve((server, at), bytes, Treatment::default())?;
            if served.is_none() || chance.hits(500) {
                served = again;
            }
        }
        let Some(served) = served else { return Ok(Progress::Waits) };
        if self.timeline.is_some() {
            let says: Vec<String> = served.frame.replies.iter().map(brief).collect();
            let who = self.server_name(server);
            self.say(|| format!("     {who}: {}", says.join("; ")));
        }
        self.keep_reply(&served);
        if hits(chance, rates.reply_lost, calm) {
            self.summary.fault("a reply is lost");
            self.say(|| String::from("     the reply is lost"));
            return Ok(Progress::Waits);
        }
        if hits(chance, rates.misdelivered, calm) {
            let other = (at + 1) % self.setting.devices;
            if other != at && self.live(other).is_some() {
                self.summary.fault("a reply reaches another device");
                if self.deliver(other, &served, false)? {
                    return broken("S19", format!("{} took a reply to {}", name(other), name(at)));
                }
            }
        }
        if hits(chance, rates.late_reply, calm) && self.late_reply(at, chance)? {
            return Ok(Progress::Went);
        }
        if !self.deliver(at, &served, true)? {
            return Ok(Progress::Over(None));
        }
        if hits(chance, rates.reply_twice, calm) {
            self.summary.fault("a reply arrives twice");
            if self.deliver(at, &served, false)? {
                return broken("S19", "a reply was taken twice");
            }
        }
        Ok(Progress::Went)
    }

    /// An old reply arrives before the one that is due. It may be the one to this very request, lost before.
    fn late_reply(&mut self, at: usize, chance: &mut Chance) -> Result<bool, Broken> {
        let late = self.replies.get(chance.below(self.replies.len())).cloned();
        let Some(late) = late else { return Ok(false) };
        self.summary.fault("an old reply arrives");
        let is_taken = self.deliver(at, &late, false)?;
        if is_taken {
            self.say(|| String::from("     an older reply to the same request is taken"));
        }
        Ok(is_taken)
    }

    /// An old request arrives once more.
    pub(super) fn late(&mut self, chance: &mut Chance) -> Result<(), Broken> {
        let Some((from, bytes)) = self.requests.get(chance.below(self.requests.len())).cloned() else { return Ok(()) };
        self.summary.fault("an old request arrives once more");
        if self.timeline.is_some() {
            let asks = self.described(&bytes);
            self.say(|| format!("late: {asks}"));
        }
        if let Some(served) = self.serve((self.home, from), &bytes, Treatment::default())? {
            let says: Vec<String> = served.frame.replies.iter().map(brief).collect();
            self.say(|| format!("     {}", says.join("; ")));
            self.keep_reply(&served);
        }
        Ok(())
    }

    pub(super) fn abort(&mut self, chance: &mut Chance) -> Result<(), Broken> {
        let at = chance.below(self.setting.devices);
        if self.live(at).is_some() {
            self.summary.fault("a session is dropped");
            self.say(|| format!("{}: the session is dropped", name(at)));
            self.drop_session(at);
        }
        Ok(())
    }

    /// How the server's host treats a frame.
    fn treatment(&mut self, chance: &mut Chance) -> Treatment {
        let rates = self.setting.rates;
        let mut treatment = Treatment { crash: self.crash(chance, rates.server_down), ..Treatment::default() };
        if self.is_calm {
            return treatment;
        }
        if chance.hits(rates.unavailable) {
            self.summary.fault("a server is not available");
            treatment.access = Access::Unavailable { retry_after_seconds: 7 };
        } else if chance.hits(rates.barred) {
            match chance.below(3) {
                0 => {
                    self.summary.fault("an account is forgotten");
                    treatment.access = Access::Forgotten;
                }
                1 => {
                    self.summary.fault("access is withdrawn");
                    treatment.access = Access::Forbidden;
                }
                _ => {
                    self.summary.fault("the server is signed in to another account");
                    treatment.is_wrong_account = true;
                }
            }
        }
        treatment
    }

    fn keep_request(&mut self, at: usize, bytes: &[u8]) {
        if self.requests.len() >= KEPT {
            self.requests.remove(0);
        }
        self.requests.push((at, bytes.to_vec()));
    }

    fn keep_reply(&mut self, served: &Arc<Served>) {
        if self.replies.len() >= KEPT {
            self.replies.remove(0);
        }
        self.replies.push(served.clone());
    }

    fn described(&self, bytes: &[u8]) -> String {
        match RequestFrame::decode(bytes, &self.limits) {
            Ok(frame) => {
                let asks: Vec<String> = frame.requests.iter().map(asks).collect();
                asks.join("; ")
            }
            Err(error) => format!("{error}"),
        }
    }
}

fn asks(request: &Request) -> String {
    match request {
        Request::Greet { collection, accepted, at } => {
            format!("greet {collection}, accepted {accepted}, at {:?}", at.map(|at| at.revision.0))
        }
        Request::Prove { collection, claim } => {
            let (position, missing) = (claim.last.position, claim.missing.len());
            format!("prove {collection}, commit {} of {}, {missing} missing", position.revision.0, position.lineage)
        }
        Request::Pull { collection, after, .. } => format!("pull {collection} after {}", after.revision.0),
        Request::Push { collection, is_first, is_last, offers, .. } => {
            let records: Vec<&str> = offers.iter().map(|offer| offer.record.as_str()).collect();
            format!("push {collection} {} (first {is_first}, last {is_last})", records.join(" "))
        }
        Request::Fetch { collection, records, .. } => format!("fetch {collection}, {} records", records.len()),
        Request::Audit { collection, .. } => format!("audit {collection}"),
        Request::Reconcile { collection, holds, .. } => format!("reconcile {collection}, {holds:?}"),
    }
}

fn brief(reply: &Reply) -> String {
    match reply {
        Reply::Welcome { recognition, accepted, .. } => {
            format!("welcome: {recognition:?}, accepted {:?}", accepted.map(|link| link.counter))
        }
        Reply::Judged { judgement, now } => {
            format!("judged: {judgement}; now {:?}", now.map(|now| now.position.revision.0))
        }
        Reply::Page { offers, next, is_more, .. } => {
            let records: Vec<&str> = offers.iter().map(|offer| offer.record.as_str()).collect();
            format!("page: {} up to {}{}", records.join(" "), next.revision.0, if *is_more { ", more" } else { "" })
        }
        Reply::Taken { before, now, except, staged, .. } => {
            let (before, now) = (before.0, now.position.revision.0);
            format!("taken: {before} to {now}, except {except:?}, staged {staged:?}")
        }
        Reply::Whole { offers, .. } => format!("whole: {}", offers.len()),
        Reply::Audited(audited) => format!("audited: {audited:?}"),
        Reply::Reconciled { found, .. } => format!("reconciled: {found:?}"),
        Reply::Refused(refused) => format!("refused: {refused}"),
    }
}
