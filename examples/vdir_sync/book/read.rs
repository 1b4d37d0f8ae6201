//! Reading, with every byte checked before it means anything.

use std::{
    fs::{File, OpenOptions},
    io::{ErrorKind, Read, Seek, SeekFrom},
    path::PathBuf,
};

use serde::de::DeserializeOwned;

use super::{
    error::{BookError, Damage, Part},
    format::{BOOK, Extent, Head, born_nanos, digest},
    lock::{StateDir, no_waiting},
};

/// The body of bookkeeping whose index was read, not read yet. It stays that body, even if the file is replaced.
#[derive(Debug)]
pub(crate) struct BodyRef {
    file: File,
    at: PathBuf,
    body: Extent,
    /// It is the very file that was written, and no copy of it; as far as the file system can tell.
    pub(crate) is_original: bool,
}

/// Reads the index. `None` if there is no bookkeeping, which is not the same as bookkeeping that can not be read.
pub(crate) fn read_index<I: DeserializeOwned>(state: &StateDir) -> Result<Option<(I, BodyRef)>, BookError> {
    let at = state.path().join(BOOK);
    let mut options = OpenOptions::new();
    no_waiting(options.read(true));
    let opened = options.open(&at);
    let mut file = match opened {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        opened => opened.map_err(|source| BookError::Unreadable { at: at.clone(), source })?,
    };
    let metadata = file.metadata().map_err(|source| BookError::Unreadable { at: at.clone(), source })?;
    if !metadata.is_file() {
        return Err(BookError::damaged(&at, Damage::NotAFile));
    }
    let head = Head::read(&mut file, &at, metadata.len())?;
    let born = born_nanos(&metadata);
    let is_original = born == 0 || head.born_nanos == 0 || born == head.born_nanos;
    let mut book = BodyRef { file, at, body: head.body, is_original };
    let index = book.read_part(Part::Index, head.index)?;
    Ok(Some((index, book)))
}

/// Reads the body.
pub(crate) fn read_body<B: DeserializeOwned>(mut book: BodyRef) -> Result<B, BookError> {
    // All of the lengths are within the file, or the index had not been read.
    let start = book.file.metadata().map(|metadata| metadata.len().saturating_sub(book.body.bytes));
    if let Err(source) = start.and_then(|start| book.file.seek(SeekFrom::Start(start))) {
        return Err(BookError::Unreadable { at: book.at, source });
    }
    book.read_part(Part::Body, book.body)
}

impl BodyRef {
    /// Reads what is next in the file. The memory is asked for once, and is less than what the file has.
    fn read_part<T: DeserializeOwned>(&mut self, part: Part, extent: Extent) -> Result<T, BookError> {
        let unreadable = |source| BookError::Unreadable { at: self.at.clone(), source };
        let no_room = |_| unreadable(ErrorKind::OutOfMemory.into());
        let length = usize::try_from(extent.bytes).map_err(|_| unreadable(ErrorKind::FileTooLarge.into()))?;
        let mut bytes = Vec::new();
        bytes.try_reserve_exact(length).map_err(no_room)?;
        bytes.resize(length, 0);
        match self.file.read_exact(&mut bytes) {
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
                return Err(BookError::damaged(&self.at, Damage::Digest { part }));
            }
            done => done.map_err(unreadable)?,
        }
        if digest(&bytes) != extent.digest {
            return Err(BookError::damaged(&self.at, Damage::Digest { part }));
        }
        match postcard::take_from_bytes(&bytes) {
            Ok((value, [])) => Ok(value),
            _ => Err(BookError::damaged(&self.at, Damage::Content { part })),
        }
    }
}
