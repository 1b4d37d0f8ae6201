//! What a sync hid or replaced can be brought back for the whole retention (S20).

use alloc::{
    collections::{BTreeMap, BTreeSet},
    format,
    string::String,
    vec::Vec,
};

use super::{World, write::RETENTION};
use crate::act::{journal::Entry, receipt::Receipt};
use crate::testing::{
    disk::Commit,
    failure::{Broken, broken},
    ghost::{Why, name},
};
use crate::values::{time::DayTick, value::Value, version::Version};

/// By field, what a version says in it, whoever wrote it.
pub(super) type Shown = BTreeMap<String, BTreeSet<Value>>;

impl World {
    /// What a commit of a device replaced is kept, and all that was kept before is, while its retention lasts.
    pub(super) fn check_shadow(&mut self, at: usize, commit: &Commit, why: Why) -> Result<(), Broken> {
        let collection = self.names.place_of_collection(&commit.collection)?;
        if why == Why::Left || !commit.left.is_empty() {
            self.phone_mut(at)?.shadow.retain(|(of, _), _| *of != collection);
            return Ok(());
        }
        let journal = self.phone(at)?.disk.store.journal(&commit.collection);
        let entry = journal.and_then(|journal| journal.at(commit.after.revision));
        let mut replaced: u64 = 0;
        for (before, after) in &commit.rows {
            let Some(before) = before.as_ref().filter(|before| before.version != after.version) else { continue };
            let former = entry.and_then(|entry| entry.former(&after.record));
            if former.and_then(|former| former.before.as_ref()) != Some(&before.version) {
                return broken("S20", format!("{}: what {} was before is not kept", name(at), after.record));
            }
            replaced += 1;
        }
        let oldest = DayTick(commit.after.tick.0.saturating_sub(RETENTION));
        let shadow = &self.phone(at)?.shadow;
        let is_looked_at = why == Why::Day || commit.after.revision.0.is_multiple_of(8);
        let due = shadow.iter().filter(|((of, _), tick)| is_looked_at && *of == collection && **tick > oldest);
        if let Some(((_, revision), _)) =
            due.clone().find(|((_, at), _)| journal.is_none_or(|all| all.at(*at).is_none()))
        {
            return broken("S20", format!("{}: what commit {} replaced is no longer kept", name(at), revision.0));
        }
        if why == Why::Synced && replaced > 0 {
            self.summary.check("S20 commits of a sync that replaced something, all of it kept");
        }
        let phone = self.phone_mut(at)?;
        phone.shadow.retain(|(of, _), tick| *of != collection || *tick > oldest);
        if replaced > 0 {
            phone.shadow.insert((collection, commit.after.revision), commit.after.tick);
        }
        Ok(())
    }

    /// An undo has brought back what was there.
    pub(super) fn check_undone(&mut self, at: usize, entry: &Entry, receipt: &Receipt) -> Result<(), Broken> {
        let Some(of) = entry.receipt.id.as_ref().map(|id| id.collection.clone()) else { return Ok(()) };
        let rows = self.phone(at)?.disk.rows(&of);
        let refused: Vec<_> = receipt.refused.iter().map(|(record, _)| record).collect();
        let mut undone: u64 = 0;
        for former in entry.formers.iter().filter(|former| !refused.contains(&&former.record)) {
            let Some(row) = rows.iter().find(|row| row.record == former.record) else { continue };
            let living = former.before.as_ref().filter(|before| before.is_alive());
            let is_back = match living {
                Some(before) => row.version.is_alive() && shown(before) == shown(&row.version),
                None => !row.version.is_alive(),
            };
            if !is_back {
                return broken("S20", format!("{}: an undo does not bring {} back", name(at), former.record));
            }
            undone += 1;
        }
        if undone > 0 {
            self.summary.check("S20 receipts undone, all of them brought back");
        }
        Ok(())
    }
}

pub(super) fn shown(version: &Version) -> Shown {
    let record = version.record();
    let fields = record.fields().iter().map(|(field, register)| {
        (String::from(field.as_str()), register.siblings().iter().map(|sibling| sibling.value.clone()).collect())
    });
    fields.collect()
}
