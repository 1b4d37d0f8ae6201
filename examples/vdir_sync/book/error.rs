//! What can go wrong with the bookkeeping.

use std::{
    io,
    path::{Path, PathBuf},
};

use super::format::VERSION;

/// The lock was not taken. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LockError {
    #[error("another process is working with {dir:?}; nothing was changed")]
    Held { dir: PathBuf },
    #[error("could not {doing} {at:?}: {source}; nothing was changed")]
    Disk { doing: &'static str, at: PathBuf, source: io::Error },
}

/// The bookkeeping could not be read. It was left as it is.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BookError {
    #[error("the bookkeeping {at:?} is damaged: {damage}; it was left as it is")]
    Damaged { at: PathBuf, damage: Damage },
    #[error(
        "the bookkeeping {at:?} was written by a newer program: expected version {VERSION}, found {found}; it was left as it is"
    )]
    Newer { at: PathBuf, found: u32 },
    #[error("the bookkeeping {at:?} can not be read: {source}; it was left as it is")]
    Unreadable { at: PathBuf, source: io::Error },
}

impl BookError {
    pub(super) fn damaged(at: &Path, damage: Damage) -> Self {
        Self::Damaged { at: at.to_owned(), damage }
    }
}

/// What gave the damage away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Damage {
    #[error("expected a file, found something else")]
    NotAFile,
    #[error("expected bookkeeping, found a file of another kind")]
    NotABook,
    #[error("expected {expected} bytes, found {found}")]
    Length { expected: u64, found: u64 },
    #[error("{part} does not have the digest that it should")]
    Digest { part: Part },
    #[error("{part} is not what this program writes")]
    Content { part: Part },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Part {
    #[error("its head")]
    Head,
    #[error("its index")]
    Index,
    #[error("its body")]
    Body,
}

/// The bookkeeping could not be written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WriteError {
    #[error("could not {doing} {at:?}: {source}; the bookkeeping is as it was")]
    Disk { doing: &'static str, at: PathBuf, source: io::Error },
    #[error("the bookkeeping can not be put into bytes: {source}; it is as it was")]
    Encode { source: postcard::Error },
    #[error("the bookkeeping {at:?} was written, but may not outlast a power cut: {source}")]
    NotLasting { at: PathBuf, source: io::Error },
}
