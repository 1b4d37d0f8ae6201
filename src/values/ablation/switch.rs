//! Which defence is off, in the whole process.

use core::sync::atomic::{AtomicU8, Ordering};

/// A defence of the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
#[non_exhaustive]
pub enum Defence {
    /// Another lineage is a loss, and what is here is sent again. Off: what the server has is the truth.
    NewLineage = 1,
    /// A record that is missing at the server is sent again. Off: it is removed here.
    Absence,
    /// Fingerprints are made of rows. Off: of what the log says that there is.
    RowFingerprint,
    /// Fingerprints speak of what was seen. Off: of what is shown alone.
    ContextFingerprint,
    /// What has come is joined with what is here. Off: it replaces what is acknowledged.
    CleanJoin,
    /// The journal keeps what a sync replaced. Off: what it deleted alone.
    Shadow,
    /// A position is a chain of commits. Off: a number.
    Chain,
    /// A lineage is random. Off: it is counted.
    RandomLineage,
    /// A replica's writes are a chain. Off: a number.
    ReplicaChain,
    /// Other contents under equal vectors are a conflict. Off: they are the same, and the chain is off, too.
    EqualVectors,
    /// A device that takes another id renames what a lost server had accepted, too. Off: only what no server has accepted.
    CleanRenamed,
}

static OFF: AtomicU8 = AtomicU8::new(0);

impl Defence {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::NewLineage,
        Self::Absence,
        Self::RowFingerprint,
        Self::ContextFingerprint,
        Self::CleanJoin,
        Self::Shadow,
        Self::Chain,
        Self::RandomLineage,
        Self::ReplicaChain,
        Self::EqualVectors,
        Self::CleanRenamed,
    ];

    /// What is done without it, as it stands in no other build.
    #[must_use]
    pub const fn marker(self) -> &'static str {
        match self {
            Self::NewLineage => "ablation: a new lineage is trusted",
            Self::Absence => "ablation: absence under a covering context deletes",
            Self::RowFingerprint => "ablation: fingerprints are not made of rows",
            Self::ContextFingerprint => "ablation: fingerprints leave contexts out",
            Self::CleanJoin => "ablation: clean versions lose without a comparison",
            Self::Shadow => "ablation: a shadow is kept of deletes alone",
            Self::Chain => "ablation: positions have no chain",
            Self::RandomLineage => "ablation: lineages are counted",
            Self::ReplicaChain => "ablation: a replica's writes have no chain",
            Self::EqualVectors => "ablation: equal vectors are equal contents, and there is no chain",
            Self::CleanRenamed => "ablation: clean versions keep their names under another id",
        }
    }

    #[expect(clippy::as_conversions, reason = "the numbers above")]
    const fn number(self) -> u8 {
        self as u8
    }

    /// Switches this one off and all others on; `None`: all on. For the whole process.
    pub fn switch_off(defence: Option<Self>) {
        OFF.store(defence.map_or(0, Self::number), Ordering::SeqCst);
    }

    pub(crate) fn is_off(self) -> bool {
        let off = OFF.load(Ordering::Relaxed);
        off == self.number() || (self == Self::ReplicaChain && off == Self::EqualVectors.number())
    }
}
