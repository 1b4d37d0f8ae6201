//! A store in memory as one value, for hosts that keep it in a file.

use alloc::{collections::BTreeMap, vec::Vec};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{AccountState, MemoryStore, collection::Collection};
use crate::act::journal::Journal;
use crate::decide::{
    ledger::FirstSeen,
    line::{Line, Revision},
    offer::Offer,
    row::Row,
    slice::{AccountHead, Head},
};
use crate::values::{
    digest::Digest,
    id::{CollectionId, ReplicaId},
};

/// What is written of a store. Everything else is computed from it, so a store that was read agrees with its rows.
#[derive(Serialize, Deserialize)]
struct Saved {
    account: Option<(AccountHead, FirstSeen)>,
    generation: u64,
    collections: Vec<(CollectionId, SavedCollection)>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct SavedCollection {
    pub(super) head: Head,
    pub(super) rows: Vec<Row>,
    pub(super) lines: Vec<Line>,
    pub(super) journal: Journal,
    pub(super) staged: Vec<(ReplicaId, Offer)>,
    pub(super) chains: Vec<(Revision, Digest)>,
}

/// Heads, rows, lines and journals. The host guards it against damage: a digest beside it is enough.
impl Serialize for MemoryStore {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let account = self.account.as_ref().map(|account| (account.head.clone(), account.next_place));
        let collections = self.collections.iter().map(|(id, held)| (id.clone(), held.saved())).collect();
        Saved { account, generation: self.generation, collections }.serialize(serializer)
    }
}

/// As strict as the parts are; indexes and ledgers are computed anew.
impl<'de> Deserialize<'de> for MemoryStore {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let saved = Saved::deserialize(deserializer)?;
        let Saved { account, generation, mut collections } = saved;
        let mut account =
            account.map(|(head, next_place)| AccountState { head, next_place, ..AccountState::default() });
        if let Some(account) = &mut account {
            account.next_place = close_ranks(&mut collections);
        }
        let restored = collections.into_iter().map(|(id, held)| {
            let ranks = account.as_mut().map(|account| &mut account.ranks);
            (id, Collection::restored(held, ranks))
        });
        let collections: BTreeMap<CollectionId, Collection> = restored.collect();
        if let Some(account) = &mut account {
            account.note_ledger();
        }
        Ok(Self { collections, account, generation })
    }
}

/// Gives the rows of all collections places without gaps, in the order of the old ones: where a collection was left, its
/// places are free. Returns the next one.
fn close_ranks(collections: &mut [(CollectionId, SavedCollection)]) -> FirstSeen {
    let rows = collections.iter_mut().flat_map(|(_, held)| &mut held.rows);
    let mut placed: Vec<&mut Row> = rows.filter(|row| row.first_seen != FirstSeen::NEVER).collect();
    placed.sort_by_key(|row| row.first_seen);
    let mut next = FirstSeen(0);
    for row in placed {
        row.first_seen = next;
        next = FirstSeen(next.0.saturating_add(1));
    }
    next
}
