//! What can go wrong with the root, and with one file in it. A message says what became of the file.

use std::{
    ffi::OsStr,
    fmt, io,
    path::{Path, PathBuf},
};

use super::{
    disk::{Kind, Print},
    name::{UnsafeName, shown},
};

/// The root can not be had. Nothing was read, and nothing was changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RootError {
    #[error("there is no folder '{}': is its disk connected? Nothing was changed ({source})", path(at))]
    Missing { at: PathBuf, source: io::Error },
    #[error("expected a folder, found something else at '{}'; nothing was changed ({source})", path(at))]
    NotAFolder { at: PathBuf, source: io::Error },
    #[error("the folder '{}' can not be read: {source}; nothing was changed", path(at))]
    Unreadable { at: PathBuf, source: io::Error },
}

impl RootError {
    pub(super) fn new(at: &Path, source: io::Error) -> Self {
        let at = at.to_owned();
        match source.kind() {
            io::ErrorKind::NotFound => Self::Missing { at, source },
            io::ErrorKind::NotADirectory => Self::NotAFolder { at, source },
            _ => Self::Unreadable { at, source },
        }
    }
}

fn path(path: &Path) -> String {
    shown(&path.to_string_lossy())
}

/// One collection or file that could not be dealt with. All others go on.
#[derive(Debug, thiserror::Error)]
#[error("{shown}: {problem}")]
pub(crate) struct EntryError {
    /// `None` if its name is not UTF-8, so that nobody can have noted it.
    pub(crate) collection: Option<String>,
    /// `None` if it is about a collection, or the file's name is not UTF-8.
    pub(crate) file: Option<String>,
    /// Both names as they can be printed.
    pub(crate) shown: String,
    /// What is the matter, and what became of it.
    pub(crate) problem: Problem,
}

impl EntryError {
    pub(crate) fn of_file(collection: &str, file: impl AsRef<OsStr>, problem: Problem) -> Self {
        let file = file.as_ref();
        let shown = format!("'{}/{}'", shown(collection), escaped(file));
        Self { collection: Some(collection.to_owned()), file: file.to_str().map(str::to_owned), shown, problem }
    }

    pub(crate) fn of_collection(collection: impl AsRef<OsStr>, problem: Problem) -> Self {
        let name = collection.as_ref();
        Self {
            collection: name.to_str().map(str::to_owned),
            file: None,
            shown: format!("'{}'", escaped(name)),
            problem,
        }
    }
}

/// Bytes that are no text are shown as numbers.
fn escaped(name: &OsStr) -> String {
    let piece = |piece: std::str::Utf8Chunk<'_>| {
        let bytes: String = piece.invalid().iter().map(|byte| format!("\\x{byte:02x}")).collect();
        format!("{}{bytes}", shown(piece.valid()))
    };
    name.as_encoded_bytes().utf8_chunks().map(piece).collect()
}

/// What is the matter with an entry. Unless it says otherwise, the entry was left as it is.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Problem {
    #[error("expected a name in UTF-8, found other bytes; it was left as it is")]
    NotUtf8,
    #[error("{0}; nothing was read or written")]
    UnsafeName(#[from] UnsafeName),
    #[error("expected {expected}, found {found} in the way; it was left as it is")]
    InTheWay { expected: Kind, found: Kind },
    /// In bytes, `None` for no file. They may be the same: then it is another file, or was written to.
    #[error("expected {}, found {}, changed meanwhile; it was left as it is", Stood(.expected), Stood(.found))]
    Changed { expected: Option<u64>, found: Option<u64> },
    #[error("it was written to while it was read; it was left as it is")]
    ChangedWhileReading,
    #[error("it was removed or replaced while it was listed; nothing is concluded from that")]
    Vanished,
    #[error("expected at most {limit} bytes, found {found}; it was left as it is")]
    TooLarge { limit: u64, found: u64 },
    #[error("could not {doing}: {source}; it was left as it is")]
    Disk { doing: &'static str, source: io::Error },
    #[error("it was written, but could not {doing}: {source}; after a power cut, look at it")]
    NotLasting { doing: &'static str, source: io::Error },
}

impl Problem {
    pub(super) fn changed(expected: Option<Print>, found: Option<Print>) -> Self {
        Self::Changed { expected: expected.map(|print| print.size), found: found.map(|print| print.size) }
    }

    pub(super) fn disk(doing: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Disk { doing, source }
    }
}

struct Stood<'a>(&'a Option<u64>);

impl fmt::Display for Stood<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            None => f.write_str("no file"),
            Some(bytes) => write!(f, "a file of {bytes} bytes"),
        }
    }
}
