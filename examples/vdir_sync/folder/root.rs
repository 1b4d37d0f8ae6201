//! The root of one side, for reading only.

use std::{
    io::{self, ErrorKind, Read},
    path::{Path, PathBuf},
};

use super::{
    disk::{Dir, Kind, Print, look_at},
    error::{EntryError, Problem, RootError},
    name::step_down,
};

/// In bytes. Larger files are reported and left alone.
const MAX_ITEM_BYTES: u64 = 1 << 30;

/// One side's folder, open. It stays the same one whatever happens to its path; what has this can only read.
#[derive(Debug)]
pub(crate) struct Root {
    path: PathBuf,
    pub(super) dir: Dir,
}

impl Root {
    /// Opens a root that is there, is a folder and can be read. Creates nothing.
    pub(crate) fn open(path: impl Into<PathBuf>) -> Result<Self, RootError> {
        let path = path.into();
        match Dir::root(&path) {
            Ok(dir) => Ok(Self { path, dir }),
            Err(error) => Err(RootError::new(&path, error)),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Reads a file that still is as it was when `expected` was taken, and was so all the while.
    pub(crate) fn read(&self, collection: &str, file: &str, expected: &Print) -> Result<Vec<u8>, EntryError> {
        self.bytes_of(collection, file, expected).map_err(|problem| EntryError::of_file(collection, file, problem))
    }

    fn bytes_of(&self, collection: &str, name: &str, expected: &Print) -> Result<Vec<u8>, Problem> {
        step_down(name)?;
        let gone = || Problem::changed(Some(*expected), None);
        let folder = self.folder(collection)?.ok_or_else(gone)?;
        let mut file = match folder.open(name) {
            Ok(file) => file,
            Err(error) => return Err(why_not(&folder, name, Kind::File, error).unwrap_or_else(gone)),
        };
        let before = look_at(&file).map_err(Problem::disk("look at it"))?;
        if before.kind != Kind::File {
            return Err(Problem::InTheWay { expected: Kind::File, found: before.kind });
        }
        if before.print != *expected {
            return Err(Problem::changed(Some(*expected), Some(before.print)));
        }
        let bytes = read_whole(&mut file, before.print.size)?;
        let after = look_at(&file).map_err(Problem::disk("look at it again"))?;
        if after != before {
            return Err(Problem::ChangedWhileReading);
        }
        Ok(bytes)
    }

    /// Opens a collection, if something stands at its name.
    pub(super) fn folder(&self, collection: &str) -> Result<Option<Dir>, Problem> {
        step_down(collection)?;
        match self.dir.child(collection) {
            Ok(folder) => Ok(Some(folder)),
            Err(error) => why_not(&self.dir, collection, Kind::Folder, error).map_or(Ok(None), Err),
        }
    }
}

/// Why something could not be opened. `None` if there is no such thing.
fn why_not(dir: &Dir, name: &str, expected: Kind, error: io::Error) -> Option<Problem> {
    match dir.look(name) {
        Ok(seen) if seen.kind != expected => Some(Problem::InTheWay { expected, found: seen.kind }),
        Err(now) if now.kind() == ErrorKind::NotFound => None,
        _ => Some(Problem::Disk { doing: "open it", source: error }),
    }
}

/// Reads exactly `size` bytes, into memory that is asked for once.
fn read_whole(file: &mut impl Read, size: u64) -> Result<Vec<u8>, Problem> {
    let too_large = || Problem::TooLarge { limit: MAX_ITEM_BYTES, found: size };
    let length = usize::try_from(size).ok().filter(|_| size <= MAX_ITEM_BYTES).ok_or_else(too_large)?;
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(length).map_err(|_| too_large())?;
    bytes.resize(length, 0);
    match file.read_exact(&mut bytes) {
        Ok(()) => Ok(bytes),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Err(Problem::ChangedWhileReading),
        Err(source) => Err(Problem::Disk { doing: "read it", source }),
    }
}
