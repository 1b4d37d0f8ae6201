//! A side's own history, by which the others know it again: what the library calls a position, for a whole root.

use std::collections::BTreeMap;

use holdfast::{
    decide::{
        continuity::{Ancestor, Claim, Facts, Judgement, judge},
        line::Revision,
        position::{Issued, Position, Tag},
    },
    values::{
        digest::Digest,
        id::{AccountId, Lineage},
    },
};
use serde::{Deserialize, Serialize};

/// Saves whose chains are kept. Who was away for longer is compared with, and not accused.
const MAX_CHAINS: usize = 4096;
/// Earlier lineages that are kept.
const MAX_ANCESTORS: usize = 64;

/// Where a side stands, and how it came there. Each save of its bookkeeping is a commit.
///
/// The lineage is random, and new wherever bookkeeping is not known to be the only copy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Past {
    position: Position,
    ancestors: Vec<Ancestor>,
    /// The chains of the last commits, the newest at the end.
    chains: Vec<Digest>,
}

impl Past {
    /// Nothing was saved yet.
    pub(crate) fn begun(lineage: Lineage) -> Self {
        let chain = digest("vdir_sync beginning", &[lineage.as_bytes()]);
        let position = Position { lineage, revision: Revision::default(), chain };
        Self { position, ancestors: Vec::new(), chains: vec![chain] }
    }

    /// It goes on under another lineage, and remembers this one.
    pub(crate) fn begun_anew(mut self, lineage: Lineage) -> Self {
        let Position { lineage: former, revision, .. } = self.position;
        self.ancestors.push(Ancestor { lineage: former, end: revision });
        self.ancestors.drain(..self.ancestors.len().saturating_sub(MAX_ANCESTORS));
        self.position.lineage = lineage;
        self
    }

    /// A commit. `random` tells it from any other that could stand in its place.
    pub(crate) fn save(&mut self, random: u128) {
        let chain = digest("vdir_sync save", &[self.position.chain.as_bytes(), &random.to_le_bytes()]);
        self.position = Position { revision: self.position.revision.next(), chain, ..self.position };
        self.chains.push(chain);
        self.chains.drain(..self.chains.len().saturating_sub(MAX_CHAINS));
    }

    pub(crate) const fn position(&self) -> Position {
        self.position
    }

    /// Its position, as another side remembers it.
    pub(crate) fn issued(&self, account: &AccountId) -> Issued {
        Issued { position: self.position, tag: Tag(digest("vdir_sync account", &[account.as_str().as_bytes()])) }
    }

    /// Whether it is, or was, in this lineage.
    pub(crate) fn was_in(&self, lineage: Lineage) -> bool {
        self.position.lineage == lineage || self.ancestors.iter().any(|ancestor| ancestor.lineage == lineage)
    }

    /// What follows from what another side remembers.
    pub(crate) fn judge(&self, claim: &Claim) -> Judgement {
        let last = (claim.last.position.revision, claim.last.position.chain);
        let named = [last].into_iter().chain(claim.older.iter().copied());
        let chains = named.filter_map(|(revision, _)| Some((revision, self.chain_at(revision)?))).collect();
        judge(claim, &self.facts(&chains))
    }

    const fn facts<'a>(&'a self, chains: &'a BTreeMap<Revision, Digest>) -> Facts<'a> {
        Facts { position: Some(self.position), ancestors: self.ancestors.as_slice(), chains, is_follower: false }
    }

    fn chain_at(&self, revision: Revision) -> Option<Digest> {
        let back = usize::try_from(self.position.revision.0.checked_sub(revision.0)?).ok()?;
        let at = self.chains.len().checked_sub(1)?.checked_sub(back)?;
        self.chains.get(at).copied()
    }
}

/// A digest for one use.
pub(crate) fn digest(domain: &str, parts: &[&[u8]]) -> Digest {
    let mut hasher = blake3::Hasher::new();
    for part in [domain.as_bytes()].iter().chain(parts) {
        hasher.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_le_bytes()).update(part);
    }
    Digest::from_bytes(hasher.finalize().as_bytes().first_chunk().copied().unwrap_or_default())
}
