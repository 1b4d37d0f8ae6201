//! A store in memory as one value, for hosts that keep it in a file.

use alloc::{collections::BTreeMap, vec::Vec};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use super::{AccountState, MemoryStore, collection::Collection};
use crate::act::journal::Journal;
use crate::decide::{
    ledger::FirstSeen,
    line::Line,
    row::Row,
    slice::{AccountHead, Head},
};
use crate::values::id::CollectionId;

/// What is written of a store. Everything else is computed from it, so a store that was read agrees with its rows.
#[derive(Serialize, Deserialize)]
struct Saved {
    account: Option<(AccountHead, FirstSeen)>,
    collections: Vec<(CollectionId, SavedCollection)>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct SavedCollection {
    pub(super) head: Head,
    pub(super) rows: Vec<Row>,
    pub(super) lines: Vec<Line>,
    pub(super) journal: Journal,
}

/// Heads, rows, lines and journals. The host guards it against damage: a digest beside it is enough.
impl Serialize for MemoryStore {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let account = self.account.as_ref().map(|account| (account.head.clone(), account.next_place));
        let collections = self.collections.iter().map(|(id, held)| (id.clone(), held.saved())).collect();
        Saved { account, collections }.serialize(serializer)
    }
}

/// As strict as the parts are; indexes and ledgers are computed anew.
impl<'de> Deserialize<'de> for MemoryStore {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let saved = Saved::deserialize(deserializer)?;
        let Saved { account, collections } = saved;
        let is_placed = |row: &Row| row.first_seen != FirstSeen::NEVER;
        let rows = || collections.iter().flat_map(|(_, held)| &held.rows);
        let last = rows().filter(|row| is_placed(row)).map(|row| row.first_seen.0).max();
        if account.is_some() && last.is_some_and(|last| usize::try_from(last).is_ok_and(|last| last >= rows().count()))
        {
            return Err(D::Error::custom("expected a first-seen place for each row, found one beyond them"));
        }
        let mut account =
            account.map(|(head, next_place)| AccountState { head, next_place, ..AccountState::default() });
        let restored = collections.into_iter().map(|(id, held)| {
            let ranks = account.as_mut().map(|account| &mut account.ranks);
            (id, Collection::restored(held, ranks))
        });
        let collections: BTreeMap<CollectionId, Collection> = restored.collect();
        if let Some(account) = &mut account {
            account.note_ledger();
        }
        Ok(Self { collections, account })
    }
}
