//! A folder of its own for each test, and short names for what tests look at.

use std::{
    env, fs,
    ops::Deref,
    path::{Path, PathBuf},
    process,
    sync::atomic::{AtomicU32, Ordering},
    thread,
    time::{Duration, Instant},
};

use crate::vdir_sync::{
    book::{Lock, LockError},
    folder::{Contents, EntryError, Listing, Print, Root, Walk},
};

/// Removed with everything in it at the end of the test.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("vdir-folder-{}-{}", process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let path = fs::canonicalize(env::temp_dir()).unwrap().join(name);
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    /// A root with one collection and one card in it, and a lock beside.
    pub(crate) fn with_card() -> (Self, Root, Lock) {
        let scratch = Self::new();
        fs::create_dir_all(scratch.join("root/people")).unwrap();
        fs::write(scratch.join("root/people/ada.vcf"), "old").unwrap();
        let root = Root::open(scratch.join("root")).unwrap();
        let lock = Lock::take(scratch.join("state")).unwrap();
        (scratch, root, lock)
    }
}

/// Takes a lock that has just been given back.
///
/// Where another thread is starting a process at that moment, that one has all files of this process until it runs its
/// program, and so the lock.
pub(crate) fn lock_again(state: &Path) -> Lock {
    let until = Instant::now() + Duration::from_secs(60);
    loop {
        match Lock::take(state) {
            Err(LockError::Held { .. }) if Instant::now() < until => thread::sleep(Duration::from_millis(1)),
            taken => return taken.expect("it was given back"),
        }
    }
}

impl Deref for Scratch {
    type Target = Path;
    fn deref(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

pub(crate) fn listing<'a>(walk: &'a Walk, name: &str) -> &'a Listing {
    let collection = walk.collections.iter().find(|collection| collection.name == name).expect("the collection");
    match &collection.contents {
        Contents::Listed(listing) => listing,
        Contents::Unreadable(error) => panic!("{error}"),
    }
}

pub(crate) fn print(root: &Root, collection: &str, file: &str) -> Print {
    let walk = root.walk().unwrap();
    listing(&walk, collection).items.iter().find(|item| item.file == file).expect("the file").print
}

pub(crate) fn shown(errors: &[EntryError]) -> Vec<String> {
    let mut shown: Vec<_> = errors.iter().map(ToString::to_string).collect();
    shown.sort();
    shown
}

/// The names in a directory, hidden ones too.
pub(crate) fn names(dir: &Path) -> Vec<String> {
    let name = |entry: Result<fs::DirEntry, _>| entry.unwrap().file_name().to_string_lossy().into_owned();
    let mut names: Vec<_> = fs::read_dir(dir).unwrap().map(name).collect();
    names.sort();
    names
}
