//! What was really done to the servers: which commits each of them holds, and what a device must therefore be told.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    format,
    vec::Vec,
};

use super::{
    disk::Commit,
    failure::{Broken, HARNESS, Summary, broken},
    ghost::{Ghost, Why},
};
use crate::decide::{
    continuity::{Continuity, ServerLoss},
    line::Revision,
    position::{Issued, Tag},
    slice::Head,
};
use crate::values::{digest::Digest, id::Lineage};

/// One commit of a server, by its place in its history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) lineage: Lineage,
    pub(crate) revision: Revision,
    /// Names the commit, and with it all before it.
    chain: Digest,
}

/// The commits that one server holds, by collection.
pub(crate) type Timeline = BTreeMap<u8, Vec<Mark>>;

/// What a device must be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Expected {
    /// The server holds the commit that the device was given.
    Intact,
    /// It does not; one of these says so.
    Lost(Vec<ServerLoss>),
}

/// What was really done to the servers.
#[derive(Debug, Clone)]
pub(crate) struct Truth {
    pub(crate) timelines: Vec<Timeline>,
    /// By server and collection, records of which rows were taken from under the log.
    pub(crate) torn: Vec<BTreeSet<(u8, u16)>>,
    /// Records of which rows were ever taken from under a log. Where they come back, no log says so.
    pub(crate) ever_torn: BTreeSet<(u8, u16)>,
    /// By server and collection, torn rows of which a device has spoken since.
    told: BTreeSet<(usize, u8)>,
    /// By server and tag of the claim, records that a device rightly said to be missing. It may be heard again.
    claimed: BTreeSet<(usize, Digest, u16)>,
    /// Raised whenever something is done to a server from outside.
    pub(crate) epochs: Vec<u64>,
    /// Positions given, by tag.
    issued: BTreeMap<Digest, (u8, Mark)>,
    /// Which commit stands at a place in a lineage (S7).
    chains: BTreeMap<(u8, Lineage, Revision), Digest>,
    /// Lineages of which a store was set back without a word: they may have two ends until a device notices.
    quiet: BTreeSet<Lineage>,
    /// By server, lineages that may not go on there: the host has said so, or the store is empty.
    ended: Vec<BTreeSet<(u8, Lineage)>>,
}

impl Truth {
    pub(crate) fn new(servers: usize) -> Self {
        Self {
            timelines: (0..servers).map(|_| Timeline::new()).collect(),
            torn: (0..servers).map(|_| BTreeSet::new()).collect(),
            ever_torn: BTreeSet::new(),
            told: BTreeSet::new(),
            claimed: BTreeSet::new(),
            epochs: (0..servers).map(|_| 0).collect(),
            issued: BTreeMap::new(),
            chains: BTreeMap::new(),
            quiet: BTreeSet::new(),
            ended: (0..servers).map(|_| BTreeSet::new()).collect(),
        }
    }

    pub(crate) fn timeline(&self, server: usize) -> Timeline {
        self.timelines.get(server).cloned().unwrap_or_default()
    }

    pub(crate) fn epoch(&self, server: usize) -> u64 {
        self.epochs.get(server).copied().unwrap_or_default()
    }

    /// Whether a device has said that rows are gone, so that the others need not say it again.
    pub(crate) fn is_told(&self, server: usize, collection: u8) -> bool {
        self.told.contains(&(server, collection))
    }

    pub(crate) fn is_torn(&self, server: usize, collection: u8) -> bool {
        self.torn.get(server).is_some_and(|torn| torn.iter().any(|(of, _)| *of == collection))
    }

    /// A server committed (S7, S16).
    pub(crate) fn commit(
        &mut self,
        server: usize,
        (commit, why): (&Commit, Why),
        ghost: &Ghost,
        summary: &mut Summary,
    ) -> Result<(), Broken> {
        let collection = ghost.names.place_of_collection(&commit.collection)?;
        let Some(history) = &commit.after.history else { return Ok(()) };
        for (replica, author) in &history.authors {
            let replica = ghost.names.place_of_replica(*replica)?;
            if author.link.counter > ghost.counter(collection, replica) {
                return broken(
                    "S16",
                    format!("the server believes in write {} of a device that made fewer", author.link.counter),
                );
            }
            summary.check("S16 counters that a server believes in");
        }
        let mark = Mark { lineage: history.lineage, revision: commit.after.revision, chain: history.chain };
        let key = (collection, mark.lineage, mark.revision);
        if why == Why::Day {
            // A host lets days pass in a restored store before it answers. Nobody is given such a position.
            self.quiet.insert(mark.lineage);
        }
        let known = *self.chains.entry(key).or_insert(mark.chain);
        if known != mark.chain && !self.quiet.contains(&mark.lineage) {
            return broken("S7", format!("two histories under {} differ at commit {}", mark.lineage, mark.revision.0));
        }
        if commit.before.history.as_ref().is_none_or(|before| before.lineage != mark.lineage) {
            summary.check("S7 lineages begun");
        }
        let Some(timeline) = self.timelines.get_mut(server) else { return broken(HARNESS, "no such server") };
        timeline.entry(collection).or_default().push(mark);
        Ok(())
    }

    /// A server's store was replaced: this is what it holds then. `is_quiet`: nobody said so to the store.
    pub(crate) fn replace(&mut self, server: usize, timeline: Timeline, is_quiet: bool) {
        let old = self.timelines.get_mut(server).map(|place| core::mem::replace(place, timeline));
        let lineages = |timeline: &Timeline| -> Vec<(u8, Lineage)> {
            timeline.iter().flat_map(|(of, marks)| marks.iter().map(|mark| (*of, mark.lineage))).collect()
        };
        let lineages = lineages(&old.unwrap_or_default()).into_iter().chain(lineages(&self.timeline(server)));
        let lineages: Vec<_> = lineages.collect();
        if is_quiet {
            // The store does not know, and goes on.
            self.ended.get_mut(server).into_iter().for_each(|ended| ended.retain(|known| !lineages.contains(known)));
            self.quiet.extend(lineages.into_iter().map(|(_, lineage)| lineage));
        } else if let Some(ended) = self.ended.get_mut(server) {
            ended.extend(lineages);
        }
        self.touch(server);
        if let Some(torn) = self.torn.get_mut(server) {
            torn.clear();
        }
    }

    /// A server follows another one: what has ended there or goes on there does so here.
    pub(crate) fn follow(&mut self, server: usize, of: usize) {
        let timeline = self.timeline(of);
        let torn = self.torn.get(of).cloned().unwrap_or_default();
        let ended = self.ended.get(of).cloned().unwrap_or_default();
        self.torn.get_mut(server).into_iter().for_each(|place| place.clone_from(&torn));
        self.ended.get_mut(server).into_iter().for_each(|place| place.clone_from(&ended));
        self.timelines.get_mut(server).into_iter().for_each(|place| place.clone_from(&timeline));
        self.touch(server);
    }

    /// A follower becomes the home, and says so or does not.
    pub(crate) fn promote(&mut self, server: usize, is_quiet: bool) {
        let timeline = self.timeline(server);
        let torn = self.torn.get(server).cloned().unwrap_or_default();
        self.replace(server, timeline, is_quiet);
        self.torn.get_mut(server).into_iter().for_each(|place| place.clone_from(&torn));
    }

    pub(crate) fn touch(&mut self, server: usize) {
        self.epochs.get_mut(server).into_iter().for_each(|epoch| *epoch += 1);
    }

    /// Rows of a server are gone, and its log says nothing.
    pub(crate) fn tear(&mut self, server: usize, collection: u8, records: impl Iterator<Item = u16>) {
        self.told.remove(&(server, collection));
        let records: Vec<(u8, u16)> = records.map(|record| (collection, record)).collect();
        self.ever_torn.extend(&records);
        self.torn.get_mut(server).into_iter().for_each(|torn| torn.extend(&records));
        self.touch(server);
    }

    /// A server gave a position. The store must not go on under a lineage that has ended; a follower only reads.
    pub(crate) fn issue(
        &mut self,
        server: usize,
        collection: u8,
        issued: &Issued,
        is_follower: bool,
    ) -> Result<(), Broken> {
        let position = issued.position;
        if !is_follower && self.ended.get(server).is_some_and(|ended| ended.contains(&(collection, position.lineage))) {
            return broken("S7", format!("a server answers under {}, which has ended there", position.lineage));
        }
        let mark = Mark { lineage: position.lineage, revision: position.revision, chain: position.chain };
        self.issued.insert(issued.tag.0, (collection, mark));
        Ok(())
    }

    /// What a device that was given this position must be told by a server.
    pub(crate) fn expected(&self, server: usize, tag: Tag) -> Result<Expected, Broken> {
        let Some((collection, mark)) = self.issued.get(&tag.0) else {
            return broken(HARNESS, "a position that no server has given");
        };
        let nothing = Vec::new();
        let timeline = self.timelines.get(server).and_then(|timeline| timeline.get(collection)).unwrap_or(&nothing);
        if timeline.contains(mark) {
            return Ok(Expected::Intact);
        }
        let reached = timeline.iter().filter(|held| held.lineage == mark.lineage).map(|held| held.revision).max();
        Ok(Expected::Lost(match reached {
            _ if timeline.is_empty() => [ServerLoss::Emptied].into(),
            None => [ServerLoss::Emptied, ServerLoss::Replaced].into(),
            Some(end) if mark.revision > end => [ServerLoss::RolledBack].into(),
            Some(_) => [ServerLoss::Forked].into(),
        }))
    }

    /// Whether a verdict is the right one. The device may claim that records are gone; of those that are there, it is said
    /// whether they have come since its session began.
    pub(crate) fn check_verdict(
        &mut self,
        server: usize,
        tag: Tag,
        (gone, there): (Vec<u16>, Vec<(u16, bool)>),
        said: Continuity,
        is_follower: bool,
    ) -> Result<(), Broken> {
        let expected = self.expected(server, tag)?;
        let collection = self.issued.get(&tag.0).map_or(u8::MAX, |(collection, _)| *collection);
        let is_claim = !gone.is_empty() || !there.is_empty();
        // It may have been overtaken: what was gone when it was looked at, or claimed before, is back.
        let is_back = |(record, is_brought): &(u16, bool)| {
            let was_claimed = self.claimed.contains(&(server, tag.0, *record));
            *is_brought || was_claimed || self.ever_torn.contains(&(collection, *record))
        };
        let is_right = match (&expected, said) {
            (Expected::Lost(_), Continuity::Behind) => is_follower,
            (Expected::Lost(losses), Continuity::Lost(loss)) => losses.contains(&loss),
            (Expected::Intact, Continuity::Intact) => !is_claim,
            (Expected::Intact, Continuity::Lost(ServerLoss::PartialLoss)) => is_claim && there.iter().all(is_back),
            (Expected::Intact, Continuity::Behind) => is_follower && is_claim,
            _ => false,
        };
        if is_right {
            self.claimed.extend(gone.into_iter().map(|record| (server, tag.0, record)));
            if said == Continuity::Lost(ServerLoss::PartialLoss) {
                self.told.insert((server, collection));
            }
            return Ok(());
        }
        let check = if matches!(said, Continuity::Intact) { "a loss is not named" } else { "a loss is named wrongly" };
        let check = if expected == Expected::Intact { "false alarm" } else { check };
        broken(check, format!("expected {expected:?}, {} said to be missing; the verdict is {said:?}", there.len()))
    }

    /// Whether the head is of a lineage that has ended.
    pub(crate) fn check_head(&self, server: usize, collection: u8, head: &Head) -> Result<(), Broken> {
        let Some(history) = &head.history else { return Ok(()) };
        if self.ended.get(server).is_some_and(|ended| ended.contains(&(collection, history.lineage))) {
            return broken("S7", format!("a server has answered, and is still under {}", history.lineage));
        }
        Ok(())
    }
}
