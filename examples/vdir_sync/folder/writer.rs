//! The only thing that writes to a folder. It can not be had without the lock, and a dry run has no lock.

use std::{collections::BTreeSet, io::ErrorKind, process};

use super::super::book::Lock;
use super::{
    disk::{Dir, Print},
    error::{EntryError, Problem},
    name::step_down,
    root::Root,
    staged::{Staged, sync_together},
    swap,
    walk::{Contents, Walk},
};

pub(crate) use swap::Expect;

/// How the names of unfinished files begin. A walk does not see them as items.
pub(crate) const TEMPORARY: &str = ".holdfast-tmp-";

/// A file that is to be written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Put<'a> {
    pub(crate) collection: &'a str,
    pub(crate) file: &'a str,
    pub(crate) bytes: &'a [u8],
    /// What must stand there.
    pub(crate) expect: Expect,
}

/// So many files are open at once in [`Writer::put_all`], and as many folders.
const BATCH: usize = 64;

/// Writes and removes files, each in one step: whoever looks, at any moment and after any crash, finds the old one or
/// the new one.
///
/// What it did may not outlast a power cut before [`Writer::finish`].
#[derive(Debug)]
#[must_use = "what was written lasts only after `finish`"]
pub(crate) struct Writer<'a> {
    root: &'a Root,
    _lock: &'a Lock,
    /// Directories in which names have changed.
    touched: BTreeSet<String>,
    is_root_touched: bool,
    temporaries: u64,
}

impl<'a> Writer<'a> {
    /// Begins to write, and removes what a killed run left unfinished, as the walk found it. `lock` is the one that
    /// everybody takes who writes below `root`.
    pub(crate) fn new(root: &'a Root, lock: &'a Lock, walk: &Walk) -> Self {
        for collection in &walk.collections {
            let Contents::Listed(listing) = &collection.contents else { continue };
            if listing.leftovers.is_empty() {
                continue;
            }
            let Ok(Some(folder)) = root.folder(&collection.name) else { continue };
            for leftover in &listing.leftovers {
                // One that can not be removed does no harm, and the next run tries again.
                let _still_there = folder.remove(leftover);
            }
        }
        Self { root, _lock: lock, touched: BTreeSet::new(), is_root_touched: false, temporaries: 0 }
    }

    /// Writes a file where what stands there is what is expected, and says how it stands there now. Creates the
    /// collection, if there is none. A file that is replaced hands its permissions down.
    pub(crate) fn put(
        &mut self,
        collection: &str,
        file: &str,
        bytes: &[u8],
        expect: Expect,
    ) -> Result<Print, EntryError> {
        self.stage(&Put { collection, file, bytes, expect })
            .and_then(Staged::place)
            .map_err(|problem| EntryError::of_file(collection, file, problem))
    }

    /// Writes many files as [`Writer::put`] does, in their order, each in a step of its own. The disk is waited for
    /// once for many, which is what writing one takes most of its time for.
    pub(crate) fn put_all(&mut self, puts: &[Put<'_>]) -> Vec<Result<Print, EntryError>> {
        let mut placed = Vec::with_capacity(puts.len());
        for batch in puts.chunks(BATCH) {
            let mut staged: Vec<_> = batch.iter().map(|put| self.stage(put)).collect();
            sync_together(staged.iter_mut().flatten());
            placed.extend(staged.into_iter().zip(batch).map(|(staged, put)| {
                let placed = staged.and_then(Staged::place);
                placed.map_err(|problem| EntryError::of_file(put.collection, put.file, problem))
            }));
        }
        placed
    }

    /// Removes a file that still is what is expected.
    pub(crate) fn remove(&mut self, collection: &str, file: &str, expect: Print) -> Result<(), EntryError> {
        self.displace(collection, file, expect).map_err(|problem| EntryError::of_file(collection, file, problem))
    }

    /// Makes everything last that was done. Errors name the collections for which that is not sure.
    pub(crate) fn finish(self) -> Result<(), Vec<EntryError>> {
        let sync = |dir: &Dir| {
            dir.sync().map_err(|source| Problem::NotLasting { doing: "tell the disk to keep its folder", source })
        };
        let mut errors = Vec::new();
        for collection in &self.touched {
            // One that is gone needs no syncing.
            let synced = self.root.folder(collection).and_then(|folder| folder.as_ref().map_or(Ok(()), sync));
            errors.extend(synced.map_err(|problem| EntryError::of_collection(collection, problem)).err());
        }
        if self.is_root_touched {
            errors.extend(sync(&self.root.dir).map_err(|problem| EntryError::of_collection(".", problem)).err());
        }
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }

    /// Writes the new file beside where it is to stand.
    fn stage(&mut self, put: &Put<'_>) -> Result<Staged, Problem> {
        step_down(put.file)?;
        let folder = self.open_or_create(put.collection, put.expect)?;
        swap::check(&folder, put.file, put.expect)?;
        self.touched.insert(put.collection.to_owned());
        Staged::write(folder, || self.temporary(), put)
    }

    fn displace(&mut self, collection: &str, name: &str, expect: Print) -> Result<(), Problem> {
        step_down(name)?;
        let gone = Problem::changed(Some(expect), None);
        let folder = self.root.folder(collection)?.ok_or(gone)?;
        self.touched.insert(collection.to_owned());
        swap::remove(&folder, &self.temporary(), name, expect, || ())
    }

    fn open_or_create(&mut self, collection: &str, expect: Expect) -> Result<Dir, Problem> {
        if let Some(folder) = self.root.folder(collection)? {
            return Ok(folder);
        }
        if let Expect::Print(print) = expect {
            return Err(Problem::changed(Some(print), None));
        }
        match self.root.dir.create_folder(collection) {
            Err(source) if source.kind() != ErrorKind::AlreadyExists => {
                return Err(Problem::Disk { doing: "create its folder", source });
            }
            _ => self.is_root_touched = true,
        }
        self.root.folder(collection)?.ok_or(Problem::Vanished)
    }

    fn temporary(&mut self) -> String {
        self.temporaries = self.temporaries.wrapping_add(1);
        format!("{TEMPORARY}{}-{}", process::id(), self.temporaries)
    }
}
