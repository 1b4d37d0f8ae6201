//! What one side remembers between two runs: the contents of its bookkeeping.

use std::collections::BTreeMap;

use holdfast::{
    CollectionId, MemoryStore, RecordId, ReplicaId,
    decide::{line::Revision, position::Witness},
    values::id::{AccountId, Lineage},
};
use serde::{Deserialize, Serialize};

use super::{book::RootId, folder::Print, past::Past};

/// Runs that can be undone.
const MAX_RUNS: usize = 256;

/// What every run reads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Index {
    /// Which folder this was written for.
    pub(crate) root: RootId,
    /// Whose data it is: drawn where two sides meet that have none, and the same on all that sync with each other.
    pub(crate) account: AccountId,
    /// Who writes. It is another one wherever bookkeeping is not known to be the only copy.
    pub(crate) replica: ReplicaId,
    /// Which history of it this is, and where it stands.
    pub(crate) past: Past,
    /// The other sides that it has met, and where each one stood.
    pub(crate) peers: Vec<Peer>,
    /// By collection and file: what was read or written there.
    pub(crate) files: BTreeMap<String, BTreeMap<String, Noted>>,
    /// By collection and file: what could not be read, and is no record that is known.
    pub(crate) strangers: BTreeMap<String, BTreeMap<String, Print>>,
    /// Nothing was left to do: no error, and nothing to write.
    pub(crate) is_settled: bool,
    /// Holds that are open.
    pub(crate) holds: usize,
}

/// Another side, as it was met last.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Peer {
    pub(crate) replica: ReplicaId,
    pub(crate) root: RootId,
    /// Where it stood.
    pub(crate) witness: Witness,
    /// How far it had everything that is here, by collection, when both were last in step.
    pub(crate) had: BTreeMap<CollectionId, Revision>,
}

/// A file, as it was when it was read or written last.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Noted {
    pub(crate) print: Print,
    pub(crate) record: RecordId,
    /// As long as its print is the same, it need not be read again.
    pub(crate) is_trusted: bool,
}

/// What a run reads where something is to be done.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Body {
    pub(crate) store: MemoryStore,
    pub(crate) runs: Vec<Run>,
}

/// What one run wrote on this side, for undoing it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Run {
    pub(crate) name: String,
    pub(crate) steps: Vec<Step>,
    /// Two sides met that were not in step before: what each had that was new to the other is not undone.
    pub(crate) is_meeting: bool,
}

/// One commit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Step {
    pub(crate) collection: CollectionId,
    pub(crate) revision: Revision,
    /// It took in what this side's folder showed; else, what the other side had.
    pub(crate) is_own: bool,
}

impl Index {
    pub(crate) const fn new(root: RootId, account: AccountId, replica: ReplicaId, past: Past) -> Self {
        Self {
            root,
            account,
            replica,
            past,
            peers: Vec::new(),
            files: BTreeMap::new(),
            strangers: BTreeMap::new(),
            is_settled: false,
            holds: 0,
        }
    }

    /// What is known of the side that has this history, else of one that had an earlier part of it.
    pub(crate) fn peer(&self, past: &Past) -> Option<&Peer> {
        let of_now = self.peers.iter().find(|peer| peer.lineage() == past.position().lineage);
        of_now.or_else(|| self.peers.iter().rev().find(|peer| past.was_in(peer.lineage())))
    }

    /// What is known of the side that stood at this path.
    pub(crate) fn peer_at(&self, root: &RootId) -> Option<&Peer> {
        self.peers.iter().rev().find(|peer| peer.root.path() == root.path())
    }

    /// Notes where another side stands. One that stood in the same place before has been replaced by it.
    pub(crate) fn meet(&mut self, other: &Self, is_in_step: bool, had: BTreeMap<CollectionId, Revision>) {
        let issued = other.past.issued(&other.account);
        let known = self.peer(&other.past);
        let witness = known.map_or_else(|| Witness::of(issued), |known| known.witness.with(issued));
        // What a folder had is not forgotten with its bookkeeping.
        let there = known.or_else(|| self.peer_at(&other.root));
        let had = if is_in_step { had } else { there.map(|there| there.had.clone()).unwrap_or_default() };
        // One that has an earlier part of its history may go on beside it: they were copied from one another.
        self.peers.retain(|peer| peer.lineage() != issued.position.lineage && peer.root.path() != other.root.path());
        self.peers.push(Peer { replica: other.replica, root: other.root.clone(), witness, had });
    }

    /// The file of each record of a collection.
    pub(crate) fn files_by_record(&self, collection: &str) -> BTreeMap<&RecordId, &str> {
        let files = self.files.get(collection).into_iter().flatten();
        files.map(|(file, noted)| (&noted.record, file.as_str())).collect()
    }
}

impl Peer {
    pub(crate) const fn lineage(&self) -> Lineage {
        self.witness.last.position.lineage
    }
}

impl Body {
    pub(crate) const fn new(store: MemoryStore) -> Self {
        Self { store, runs: Vec::new() }
    }

    pub(crate) fn ran(&mut self, run: Run) {
        self.runs.push(run);
        let old = self.runs.len().saturating_sub(MAX_RUNS);
        self.runs.drain(..old);
    }
}
