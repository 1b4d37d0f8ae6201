//! Damage, for tests alone: what no store that works ever does.

use super::{MemoryStore, collection::Collection};
use crate::values::id::{CollectionId, RecordId};

impl MemoryStore {
    /// Damage: takes rows away from under an intact log, as a failing disk or a wrong statement does. Head, chains and
    /// journal stay as they are; indexes and the ledger are those of the rows that are left.
    pub fn damage_rows<'r>(&mut self, collection: &CollectionId, records: impl Iterator<Item = &'r RecordId>) {
        let Some(held) = self.collections.get_mut(collection) else { return };
        let mut saved = held.saved();
        for record in records {
            saved.rows.retain(|row| row.record != *record);
        }
        *held = Collection::restored(saved, self.account.as_mut().map(|account| &mut account.ranks));
    }
}
