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

    /// Damage: puts rows back as they were in an older copy, under a log that stays as it is. Rows that the copy lacks, or
    /// about which something is asked in either, stay as they are.
    pub fn set_back_rows<'r>(
        &mut self,
        collection: &CollectionId,
        records: impl Iterator<Item = &'r RecordId>,
        older: &Self,
    ) {
        let (Some(held), Some(older)) = (self.collections.get_mut(collection), older.collections.get(collection))
        else {
            return;
        };
        let mut saved = held.saved();
        for former in records.filter_map(|record| older.rows.get(record)).filter(|row| row.quarantine.is_none()) {
            let rows = saved.rows.iter_mut().filter(|row| row.record == former.record && row.quarantine.is_none());
            rows.for_each(|row| row.clone_from(former));
        }
        *held = Collection::restored(saved, self.account.as_mut().map(|account| &mut account.ranks));
    }
}
