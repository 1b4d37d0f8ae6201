//! Which root bookkeeping was written for.

use std::{borrow::Cow, fs, io, path::Path, time::UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// A root as it was when bookkeeping was written for it. It is evidence: what does not fit is a reason to ask, and what
/// fits is no proof.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RootId {
    /// Without links. In the system's own bytes, which need not be text.
    path: Vec<u8>,
    device: u64,
    inode: u64,
    /// When the directory was created, in nanoseconds since 1970. Not every file system knows.
    born_nanos: Option<i128>,
}

/// What has become of a root, from what can be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// The same directory at the same path.
    Same,
    /// The same directory at another path: renamed, or its disk is mounted elsewhere.
    Moved,
    /// Another directory at another path: the bookkeeping was copied, with the root or without.
    Copied,
    /// Another directory at the same path: restored, made anew, or its disk is not mounted.
    Replaced,
}

impl RootId {
    /// Describes the directory at `path`, through links.
    pub(crate) fn of(path: &Path) -> io::Result<Self> {
        let path = fs::canonicalize(path)?;
        let metadata = fs::metadata(&path)?;
        let age = metadata.created().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        let (device, inode) = identity(&metadata);
        Ok(Self {
            path: path.into_os_string().into_encoded_bytes(),
            device,
            inode,
            born_nanos: age.and_then(|age| i128::try_from(age.as_nanos()).ok()),
        })
    }

    /// The path, as far as it is text. Not escaped.
    pub(crate) fn path(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.path)
    }

    /// Whether it stood at this path, though there may be nothing now.
    pub(crate) fn is_at(&self, path: &Path) -> bool {
        let parent = match path.parent() {
            Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
            Some(parent) => parent,
            None => return false,
        };
        let found = fs::canonicalize(parent).ok().zip(path.file_name()).map(|(parent, name)| parent.join(name));
        found.is_some_and(|found| found.into_os_string().into_encoded_bytes() == self.path)
    }

    /// What became of this root, if `now` is what is found.
    pub(crate) fn same_place(&self, now: &Self) -> Place {
        match (self.path == now.path, self.is_same_directory(now)) {
            (true, true) => Place::Same,
            (false, true) => Place::Moved,
            (false, false) => Place::Copied,
            (true, false) => Place::Replaced,
        }
    }

    /// Numbers of devices change with restarts, and numbers of inodes are used again; the time of birth decides, where
    /// it is known. Where it is not, a changed device is another directory: every disk has the same inode as its root.
    fn is_same_directory(&self, now: &Self) -> bool {
        self.inode == now.inode
            && match (self.born_nanos, now.born_nanos) {
                (Some(then), Some(now)) => then == now,
                _ => self.device == now.device,
            }
    }
}

#[cfg(unix)]
fn identity(metadata: &fs::Metadata) -> (u64, u64) {
    use std::os::unix::fs::MetadataExt;
    (metadata.dev(), metadata.ino())
}

#[cfg(not(unix))]
fn identity(_metadata: &fs::Metadata) -> (u64, u64) {
    (0, 0)
}
