//! What one side remembers between two runs: the contents of its bookkeeping.

use std::collections::BTreeMap;

use holdfast::{CollectionId, MemoryStore, RecordId, ReplicaId, decide::line::Revision};
use serde::{Deserialize, Serialize};

use super::{book::RootId, folder::Print};

/// Saves whose numbers are kept. Who was away for longer is met with care.
const MAX_SAVES: usize = 4096;
/// Runs that can be undone.
const MAX_RUNS: usize = 256;

/// What every run reads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Index {
    /// Which folder this was written for.
    pub(crate) root: RootId,
    pub(crate) me: Identity,
    /// Who this was before it was moved, copied or restored.
    pub(crate) formers: Vec<Identity>,
    /// A random number for each time that this bookkeeping was saved, the last one at the end. It tells bookkeeping
    /// that has moved on from bookkeeping that is older, or that has gone another way.
    pub(crate) saves: Vec<u64>,
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

/// Who writes, and which history of it. Both are new wherever bookkeeping is not known to be the only copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Identity {
    pub(crate) replica: ReplicaId,
    pub(crate) lineage: u128,
}

/// Another side, as it was met last.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Peer {
    pub(crate) is: Identity,
    pub(crate) root: RootId,
    /// Its last save that is known here.
    pub(crate) save: u64,
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
    pub(crate) const fn new(root: RootId, me: Identity) -> Self {
        Self {
            root,
            me,
            formers: Vec::new(),
            saves: Vec::new(),
            peers: Vec::new(),
            files: BTreeMap::new(),
            strangers: BTreeMap::new(),
            is_settled: false,
            holds: 0,
        }
    }

    pub(crate) fn last_save(&self) -> Option<u64> {
        self.saves.last().copied()
    }

    /// Whether it was at this save once; 0 is before the first.
    pub(crate) fn has_saved(&self, save: u64) -> bool {
        save == 0 || self.saves.contains(&save)
    }

    pub(crate) fn saved(&mut self, save: u64) {
        self.saves.push(save);
        let old = self.saves.len().saturating_sub(MAX_SAVES);
        self.saves.drain(..old);
    }

    /// What is known of this other side.
    pub(crate) fn peer(&self, is: Identity) -> Option<&Peer> {
        self.peers.iter().find(|peer| peer.is == is)
    }

    /// Notes where another side stands. One that stood in the same place before has been replaced by it.
    pub(crate) fn meet(&mut self, peer: Peer) {
        self.peers.retain(|known| known.is != peer.is && known.root.path() != peer.root.path());
        self.peers.push(peer);
    }

    /// The file of each record of a collection.
    pub(crate) fn files_by_record(&self, collection: &str) -> BTreeMap<&RecordId, &str> {
        let files = self.files.get(collection).into_iter().flatten();
        files.map(|(file, noted)| (&noted.record, file.as_str())).collect()
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
