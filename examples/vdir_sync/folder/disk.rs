//! What the disk is asked, and no more. One file for Unix, one for everything else.

use serde::{Deserialize, Serialize};
use std::{ffi::OsString, fmt};

#[cfg(any(test, not(unix)))]
pub(crate) mod other;
#[cfg(unix)]
mod unix;

#[cfg(not(unix))]
pub(crate) use other::{Dir, look_at, sync_disk};
#[cfg(unix)]
pub(crate) use unix::{Dir, look_at, sync_disk};

/// Everything the disk says about a file without reading it. Two readings with one print in between hold the same
/// bytes, unless they were written within one tick of the file system's clock: see [`Print::is_settled`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Print {
    /// In bytes.
    pub(crate) size: u64,
    /// When the bytes were last written, since 1970, as far as 64 bits go. Anybody can set it to anything.
    pub(crate) mtime_nanos: i64,
    /// When anything about the file last changed, since 1970. Nobody can set it. 0 where the system has no such thing.
    pub(crate) ctime_nanos: i64,
    /// Another one is another file. 0 where the system does not tell.
    pub(crate) inode: u64,
    /// Another one is another disk, or the same one after a restart. 0 where the system does not tell.
    pub(crate) device: u64,
}

/// The coarsest tick that a file system's clock is known to have, but for FAT.
const TICK_NANOS: i64 = 20_000_000;

impl Print {
    /// Whether a file with this print can not have been rewritten, since `now_nanos`, without its print telling. It can
    /// if it was written within the same tick of the clock. A reading of a file that was not settled when it was read
    /// is worth nothing next time.
    pub(crate) fn is_settled(&self, now_nanos: i64) -> bool {
        // Where nobody can set the time of change, it alone counts: anybody can set the other one into the future.
        let last = if self.ctime_nanos == 0 { self.mtime_nanos } else { self.ctime_nanos };
        last.saturating_add(TICK_NANOS) < now_nanos
    }

    /// Whether it is the same file with the same bytes. A rename moves the time of change, and nothing else.
    pub(super) fn is_same_but_renamed(&self, other: &Self) -> bool {
        *self == Self { ctime_nanos: self.ctime_nanos, ..*other }
    }
}

/// Which directory it is, whatever it is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DirId {
    pub(crate) inode: u64,
    pub(crate) device: u64,
}

/// What stands at a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    File,
    Folder,
    Link,
    /// A pipe, a socket or a device.
    Other,
    /// A listing did not say. Never in [`Seen`].
    Unknown,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::File => "a file",
            Self::Folder => "a folder",
            Self::Link => "a symbolic link",
            Self::Other => "a pipe, a socket or a device",
            Self::Unknown => "something else",
        })
    }
}

/// What the disk says about what stands at a name. A link is looked at, not through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) kind: Kind,
    pub(crate) print: Print,
}

/// One line of a directory's listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) name: OsString,
    /// What the listing said for nothing. It may not know.
    pub(crate) hint: Kind,
}
