//! A collection's history as its server keeps it, and as a device remembers it.

use alloc::{collections::BTreeMap, vec::Vec};

use serde::{Deserialize, Serialize};

use super::{
    authorship::{AcceptedWrites, Conflict, Link},
    continuity::{Ancestor, Judgement},
    line::{OpenHold, Revision},
    position::{FeedCursor, Issued, Position, Witness},
    repair::Repair,
};
use crate::values::{
    ablation::is_off,
    digest::Digest,
    entropy::{Entropy, EntropyError},
    id::{CollectionId, Lineage, RecordId, ReplicaId},
    time::DayTick,
};

/// Replicas that a history remembers, at most.
const MAX_REPLICAS: usize = 10_000;
/// Ancestors that a history keeps, at most: what was set back more often is told as replaced.
const MAX_ANCESTORS: usize = 64;

/// A collection's history on its server.
///
/// # Invariants
/// - The lineage is random, and new at every creation and at every restore or loss that is noticed (S7).
/// - The chain moves with every commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct History {
    /// Its lineage.
    pub lineage: Lineage,
    /// Digest of all its commits, in order.
    pub chain: Digest,
    /// Its earlier lineages, oldest first.
    pub ancestors: Vec<Ancestor>,
    /// Lineages that devices have named, with this host's tag, and that this history was never in; oldest first.
    pub foreign: Vec<Lineage>,
    /// The store's generation when the lineage began.
    pub generation: u64,
    /// By replica, the writes that its pushes have reached.
    pub authors: BTreeMap<ReplicaId, AcceptedWrites>,
    /// Something was lost: devices supply what others wrote.
    pub repair: Option<Repair>,
}

/// How a lineage begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Beginning {
    /// The new lineage.
    pub(crate) lineage: Lineage,
    /// The store's generation.
    pub(crate) generation: u64,
    /// Something was lost, so devices may supply what others wrote.
    pub(crate) is_repair: bool,
    /// A lineage of which this store holds nothing, by a device's believed word.
    pub(crate) emptied: Option<Lineage>,
    /// A lineage that this history was never in, by a device's believed word.
    pub(crate) foreign: Option<Lineage>,
}

impl Beginning {
    /// Draws a lineage.
    ///
    /// # Errors
    /// [`EntropyError::Derived`] where the bits are part of what the store holds; nothing was changed.
    pub(crate) fn draw(
        entropy: &Entropy,
        old: Option<&History>,
        others: &[&[u8; 16]],
        generation: u64,
        collection: &CollectionId,
    ) -> Result<Self, EntropyError> {
        let ancestors = old.into_iter().flat_map(|old| &old.ancestors).map(|ancestor| ancestor.lineage.as_bytes());
        let own = old.into_iter().flat_map(|old| [old.lineage.as_bytes(), old.chain.as_bytes()]);
        if entropy.is_derived_from(ancestors.chain(own).chain(others.iter().copied())) {
            return Err(EntropyError::Derived);
        }
        let drawn = entropy.draw("holdfast lineage", &[collection.as_str().as_bytes()]);
        let bits = if is_off!(RandomLineage) { counted(old) } else { drawn };
        let lineage = Lineage::from_entropy(bits).map_err(|_| EntropyError::Pattern)?;
        Ok(Self { lineage, generation, is_repair: old.is_some(), emptied: None, foreign: None })
    }

    /// For a device that knew another history here.
    pub(crate) const fn of_repair(self, emptied: Option<Lineage>, foreign: Option<Lineage>) -> Self {
        Self { is_repair: true, emptied, foreign, ..self }
    }
}

/// Which life of a collection begins, for who leaves chance out: 1 is the first.
fn counted(old: Option<&History>) -> u128 {
    old.map_or(1, |old| u128::try_from(old.ancestors.len()).unwrap_or_default().saturating_add(2))
}

impl History {
    /// A history begins, or begins anew under another lineage, at a revision and a day.
    #[must_use]
    pub(crate) fn begun(old: Option<Self>, beginning: &Beginning, at: Revision, today: DayTick) -> Self {
        let mut ancestors = old.as_ref().map(|old| old.ancestors.clone()).unwrap_or_default();
        ancestors.extend(old.as_ref().map(|old| Ancestor { lineage: old.lineage, end: at }));
        ancestors.extend(beginning.emptied.map(|lineage| Ancestor { lineage, end: Revision::default() }));
        let surplus = ancestors.len().saturating_sub(MAX_ANCESTORS);
        ancestors.drain(..surplus);
        let mut foreign = old.as_ref().map(|old| old.foreign.clone()).unwrap_or_default();
        foreign.extend(beginning.foreign);
        let surplus = foreign.len().saturating_sub(MAX_ANCESTORS);
        foreign.drain(..surplus);
        let chain = old.as_ref().map_or_else(|| Digest::of("holdfast chain", &[]), |old| old.chain);
        let authors = old.map(|old| old.authors).unwrap_or_default();
        let repair = beginning.is_repair.then(|| Repair::begun(today));
        let (lineage, generation) = (beginning.lineage, beginning.generation);
        Self { lineage, chain, ancestors, foreign, generation, authors, repair }
    }

    /// Where it stands at a revision.
    #[must_use]
    pub const fn position(&self, revision: Revision) -> Position {
        Position { lineage: self.lineage, revision, chain: self.chain }
    }

    /// Notes that a replica has pushed all it has, while something is being mended.
    pub(crate) fn settle(&mut self, replica: ReplicaId) {
        self.repair.iter_mut().for_each(|repair| repair.note(replica, |brought| brought.is_settled = true));
    }

    /// Notes that a replica has said what it remembers, while something is being mended.
    pub(crate) fn hear(&mut self, replica: ReplicaId, judgement: &Judgement, today: DayTick) {
        self.repair
            .iter_mut()
            .filter(|repair| repair.is_open(today))
            .for_each(|repair| repair.hear(replica, judgement));
    }

    /// Whether a replica has pushed all it has since something was lost.
    #[must_use]
    pub(crate) fn is_settled(&self, replica: ReplicaId) -> bool {
        self.repair.as_ref().is_some_and(|repair| repair.is_settled(replica))
    }

    /// Whether a lineage was heard of, and so whatever was lost with it has been told already.
    #[must_use]
    pub(crate) fn has_heard_of(&self, lineage: Lineage) -> bool {
        self.foreign.contains(&lineage) || self.ancestors.iter().any(|ancestor| ancestor.lineage == lineage)
    }

    /// The writes of a replica that were accepted last, where they are not those that it names.
    pub(crate) fn accepted_beside(&self, replica: ReplicaId, named: u64) -> Option<Link> {
        self.authors.get(&replica).map(|author| author.link).filter(|link| link.counter != named)
    }

    /// Whether a replica may be remembered: who holds credentials can make up any number of them.
    #[must_use]
    pub(crate) fn has_room_for(&self, replica: ReplicaId) -> bool {
        let is_heard = self.repair.as_ref().is_some_and(|repair| repair.brought.contains_key(&replica));
        self.authors.contains_key(&replica) || is_heard || self.authors.len() < MAX_REPLICAS
    }

    /// Whether something was lost, and the time in which devices supply what others wrote is not over.
    #[must_use]
    pub fn is_repairing(&self, today: DayTick) -> bool {
        self.repair.as_ref().is_some_and(|repair| repair.is_open(today))
    }
}

/// A server, as a device knows it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct KnownServer {
    /// The account that it was synced for: digest of its name. Under another one nothing crosses.
    pub account: Option<Digest>,
    /// What the device was given.
    pub witness: Option<Witness>,
    /// How far it has read. It is of the witness's lineage, and void under another (S6).
    pub cursor: FeedCursor,
    /// The revision up to which the last whole reading went. What was being read when a server is set back proves nothing.
    pub whole: Revision,
    /// The server lost something in this round: what would be removed waits for the next one.
    pub is_recovering: bool,
    /// This device is right: until a round is over, whatever the server would take from here is a question.
    pub is_reseeding: bool,
    /// What is staged here came from a server that may not have it any more: what becomes of it is sent.
    pub owes_staged: bool,
    /// The server's open hold, where all its lines have been read: an answer may name it.
    pub hold: Option<OpenHold>,
    /// The last record of the last window that was audited; `None` at the beginning of a cycle.
    pub audited: Option<RecordId>,
    /// The last of this replica's writes that the server has accepted, in this lineage; 0 if none.
    pub accepted: u64,
    /// The same of the lineages before. A server that lost its memory did not take the names of these writes with it: others hold
    /// them.
    pub accepted_once: u64,
    /// The id under which this store writes is in use elsewhere.
    pub conflict: Option<Conflict>,
    /// What is held on both sides is still to be compared: no cursor means anything until then.
    pub comparing: Option<Comparing>,
}

/// How far a comparison with a server has got. It goes on in the next session, as long as continuity is intact.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Comparing {
    /// Where the server stood when it began: from there on, its feed says what has changed.
    pub since: Option<Revision>,
    /// The last record up to which all is compared, and taken in.
    pub after: Option<RecordId>,
    /// No loss has been named yet: what is missing there is one.
    pub may_find_loss: bool,
}

impl KnownServer {
    /// With a position that the server gave.
    #[must_use]
    pub(crate) fn given(&self, issued: Issued) -> Self {
        let witness = self.witness.as_ref().map_or_else(|| Witness::of(issued), |known| known.with(issued));
        Self { witness: Some(witness), ..self.clone() }
    }

    /// The last of this replica's writes that this server has accepted, in this lineage or in one that it has lost.
    pub(crate) fn ever_accepted(&self) -> u64 {
        self.accepted.max(self.accepted_once)
    }

    /// Notes that the id is in use elsewhere. Whether that is news.
    pub(crate) fn note_conflict(&mut self, conflict: Conflict) -> bool {
        self.conflict.replace(conflict) != Some(conflict)
    }

    /// Its lineage, if it is known.
    #[must_use]
    pub fn lineage(&self) -> Option<Lineage> {
        self.witness.as_ref().map(|witness| witness.last.position.lineage)
    }
}

/// A server's word that it has a version: under which lineage, and up to which commit it was said (S8).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Acknowledged {
    /// The lineage.
    pub lineage: Lineage,
    /// The commit that had it, at the latest.
    pub at: Revision,
}

impl From<Position> for Acknowledged {
    /// What was said at a position.
    fn from(said: Position) -> Self {
        Self { lineage: said.lineage, at: said.revision }
    }
}
