//! A new file that is written, and does not stand at its name yet.

use std::{
    collections::BTreeSet,
    fs::File,
    io::{ErrorKind, Write},
};

use super::{
    disk::{Dir, Print, look_at, sync_disk},
    error::Problem,
    swap::{self, Expect},
    writer::Put,
};

/// Removed again when it is dropped, unless it was placed.
#[derive(Debug)]
#[must_use = "it is removed again, unless it is placed"]
pub(crate) struct Staged {
    folder: Dir,
    temporary: String,
    file: File,
    is_synced: bool,
    name: String,
    expect: Expect,
}

impl Staged {
    /// Writes it under the first of the `temporary` names that is free.
    pub(crate) fn write(folder: Dir, mut temporary: impl FnMut() -> String, put: &Put<'_>) -> Result<Self, Problem> {
        let (temporary, file) = loop {
            let name = temporary();
            match folder.create(&name) {
                // Left behind by another process of the same number.
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                created => break (name, created.map_err(Problem::disk("create a file beside it"))?),
            }
        };
        let (name, expect) = (put.file.to_owned(), put.expect);
        let mut staged = Self { folder, temporary, file, is_synced: false, name, expect };
        if matches!(expect, Expect::Print(_)) {
            let dressed = staged.folder.dress_like(&staged.file, put.file);
            dressed.map_err(Problem::disk("hand its permissions down"))?;
        }
        staged.file.write_all(put.bytes).map_err(Problem::disk("write the new one"))?;
        Ok(staged)
    }

    /// Lets it stand at its name, once the disk has it.
    pub(crate) fn place(self) -> Result<Print, Problem> {
        if !self.is_synced {
            self.file.sync_all().map_err(Problem::disk("tell the disk to keep the new one"))?;
        }
        swap::put(&self.folder, &self.temporary, &self.name, self.expect, || ())?;
        let seen = look_at(&self.file).map_err(|source| Problem::NotLasting { doing: "look at it again", source })?;
        Ok(seen.print)
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        let is_ours = match (self.folder.look(&self.temporary), look_at(&self.file)) {
            (Ok(there), Ok(ours)) => there.print.inode == ours.print.inode,
            _ => false,
        };
        if is_ours {
            // If it can not be removed, the next run does.
            let _still_there = self.folder.remove(&self.temporary);
        }
    }
}

/// Waits for the disk once for all of them, if it can be waited for as a whole. If not, or if it fails, each waits for
/// itself when it is placed, and says what is the matter.
pub(super) fn sync_together<'a>(staged: impl Iterator<Item = &'a mut Staged>) {
    let mut staged: Vec<_> = staged.collect();
    if staged.len() < WORTH_A_WHOLE_DISK {
        return;
    }
    let mut synced_devices = BTreeSet::new();
    for one in &mut staged {
        let Ok(seen) = look_at(&one.file) else { continue };
        let device = seen.print.device;
        one.is_synced = synced_devices.contains(&device) || sync_disk(&one.file).is_ok();
        if one.is_synced {
            synced_devices.insert(device);
        }
    }
}

/// To sync a disk also waits for what others write there.
const WORTH_A_WHOLE_DISK: usize = 4;
