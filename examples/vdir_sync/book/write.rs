//! Writing, in one step.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufWriter, ErrorKind, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use serde::Serialize;

use super::{
    error::WriteError,
    format::{BOOK, Extent, HEAD_BYTES, Head, born_nanos},
    lock::{Lock, sync_dir},
};

/// The new bookkeeping while it is not finished. Only the holder of the lock writes it.
const UNFINISHED: &str = "book.new";
const BUFFER_BYTES: usize = 1 << 16;

/// Replaces the bookkeeping as a whole: until the very end it is the old one, and then it is the new one. Neither part
/// is ever in memory as bytes.
pub(crate) fn write<I: Serialize, B: Serialize>(lock: &Lock, index: &I, body: &B) -> Result<(), WriteError> {
    let dir = lock.state().path();
    let unfinished = dir.join(UNFINISHED);
    let failed = |doing, at: &Path| {
        let at = at.to_owned();
        move |source| WriteError::Disk { doing, at, source }
    };
    let file = create(&unfinished).map_err(failed("create", &unfinished))?;
    let book = dir.join(BOOK);
    let written = fill(file, &unfinished, index, body)
        .and_then(|()| fs::rename(&unfinished, &book).map_err(failed("replace", &book)));
    if let Err(error) = written {
        // If it can not be removed, the next one to write does.
        let _still_there = fs::remove_file(&unfinished);
        return Err(error);
    }
    sync_dir(dir).map_err(|source| WriteError::NotLasting { at: book, source })
}

/// Creates the file anew: what a killed run left there is no beginning.
fn create(at: &Path) -> io::Result<File> {
    match fs::remove_file(at) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.write(true).create_new(true).open(at)
}

fn fill<I: Serialize, B: Serialize>(file: File, at: &Path, index: &I, body: &B) -> Result<(), WriteError> {
    let failed = |source| WriteError::Disk { doing: "write", at: PathBuf::from(at), source };
    let born_nanos = born_nanos(&file.metadata().map_err(failed)?);
    let mut file = BufWriter::with_capacity(BUFFER_BYTES, Measured::new(file));
    file.write_all(&[0; HEAD_BYTES]).and_then(|()| file.flush()).map_err(failed)?;
    let index = part(&mut file, at, index)?;
    let body = part(&mut file, at, body)?;
    let mut file = file.into_inner().map_err(|error| failed(error.into_error()))?.file;
    file.seek(SeekFrom::Start(0)).map_err(failed)?;
    file.write_all(&Head { born_nanos, index, body }.to_bytes()).map_err(failed)?;
    file.sync_all().map_err(failed)
}

fn part<T: Serialize>(file: &mut BufWriter<Measured>, at: &Path, value: &T) -> Result<Extent, WriteError> {
    file.get_mut().begin();
    let encoded = postcard::to_io(value, &mut *file).map(|_| ());
    let flushed = file.flush();
    // The encoder does not say why it could not write.
    if let Some(source) = file.get_mut().error.take().or(flushed.err()) {
        return Err(WriteError::Disk { doing: "write", at: at.to_owned(), source });
    }
    encoded.map_err(|source| WriteError::Encode { source })?;
    Ok(file.get_ref().extent())
}

/// A file that counts and digests what goes into it, and remembers what went wrong.
#[derive(Debug)]
struct Measured {
    file: File,
    bytes: u64,
    digest: blake3::Hasher,
    error: Option<io::Error>,
}

impl Measured {
    fn new(file: File) -> Self {
        Self { file, bytes: 0, digest: blake3::Hasher::new(), error: None }
    }

    fn begin(&mut self) {
        self.bytes = 0;
        self.digest.reset();
    }

    fn extent(&self) -> Extent {
        Extent { bytes: self.bytes, digest: *self.digest.finalize().as_bytes() }
    }
}

impl Write for Measured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let done = self.file.write(bytes);
        match &done {
            Ok(count) => {
                let written = bytes.get(..*count).unwrap_or(bytes);
                self.digest.update(written);
                self.bytes = self.bytes.saturating_add(u64::try_from(written.len()).unwrap_or(u64::MAX));
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => self.error = Some(io::Error::new(error.kind(), error.to_string())),
        }
        done
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
