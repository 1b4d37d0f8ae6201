//! Where the bookkeeping is, and the lock that lets one write there.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, ErrorKind},
    path::{Path, PathBuf},
};

use super::error::LockError;

const LOCK: &str = "lock";

/// Where the bookkeeping is, or would be. What has only this can read, and creates nothing: it is what a dry run has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StateDir {
    path: PathBuf,
}

impl StateDir {
    /// Names the place. Nothing is opened yet.
    pub(crate) fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

/// The right to write below one root and into its bookkeeping, for as long as this value lives. It is an exclusive lock
/// of the operating system, so it ends with the process, however that ends; there is nothing to clean up. Nobody
/// removes the file that it is on: who did would let the next one in.
#[derive(Debug)]
pub(crate) struct Lock {
    state: StateDir,
    _file: File,
}

impl Lock {
    /// Takes the lock, or says at once that another process has it. Creates the directory, for its owner only; the one
    /// above must be there, so that nothing is created where a disk is not connected.
    pub(crate) fn take(path: impl Into<PathBuf>) -> Result<Self, LockError> {
        let state = StateDir::at(path);
        create_private(&state.path)?;
        let at = state.path.join(LOCK);
        let file = match open(&at) {
            Ok(file) => file,
            Err(source) => return Err(LockError::Disk { doing: "open", at, source }),
        };
        match file.try_lock() {
            Ok(()) => Ok(Self { state, _file: file }),
            Err(TryLockError::WouldBlock) => Err(LockError::Held { dir: state.path }),
            Err(TryLockError::Error(source)) => Err(LockError::Disk { doing: "lock", at, source }),
        }
    }

    /// The place that this lock is for.
    pub(crate) fn state(&self) -> &StateDir {
        &self.state
    }
}

fn create_private(path: &Path) -> Result<(), LockError> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match builder.create(path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(source) => Err(LockError::Disk { doing: "create the folder", at: path.to_owned(), source }),
        Ok(()) => {
            // Who may create in a folder need not be allowed to read it. After a power cut there is no bookkeeping then.
            let _lasting = path.parent().map(sync_dir);
            Ok(())
        }
    }
}

fn open(at: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    no_waiting(&mut options);
    options.open(at)
}

/// Opening a pipe that somebody laid there does not wait for ever, and a link leads nowhere.
pub(super) fn no_waiting(options: &mut OpenOptions) {
    #[cfg(unix)]
    if let Ok(flags) = i32::try_from((rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOFOLLOW).bits()) {
        std::os::unix::fs::OpenOptionsExt::custom_flags(options, flags);
    }
    #[cfg(not(unix))]
    let _nothing_to_set = options;
}

/// Makes what was done to names in a directory last.
#[cfg(unix)]
pub(super) fn sync_dir(path: &Path) -> io::Result<()> {
    let here = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    match File::open(here)?.sync_all() {
        // Some file systems do not sync directories. They have nothing better to offer.
        Err(error) if matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported) => Ok(()),
        done => done,
    }
}

/// There is no such thing here.
#[cfg(not(unix))]
pub(super) fn sync_dir(_path: &Path) -> io::Result<()> {
    Ok(())
}
