//! Unix: everything relative to an open directory, nothing through a symbolic link.

use std::{
    ffi::{OsStr, OsString},
    fs::File,
    io::{self, ErrorKind},
    os::unix::{ffi::OsStringExt, fs::MetadataExt},
    path::Path,
};

use rustix::{
    fd::OwnedFd,
    fs::{self, AtFlags, FileType, Gid, Mode, OFlags, Stat, Uid},
    io::Errno,
};

use super::{DirId, Entry, Kind, Print, Seen};

const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);
/// Without `NONBLOCK`, opening a pipe that somebody laid there would wait for ever.
const FILE: OFlags = OFlags::RDONLY.union(OFlags::NOFOLLOW).union(OFlags::NONBLOCK).union(OFlags::CLOEXEC);
const NEW: OFlags = OFlags::WRONLY.union(OFlags::CREATE).union(OFlags::EXCL).union(OFlags::CLOEXEC);

/// An open directory. It stays the same one, whatever is done to its name.
#[derive(Debug)]
pub(crate) struct Dir {
    fd: OwnedFd,
}

/// Reading.
impl Dir {
    /// Opens the root, through symbolic links: where the root is is the user's choice.
    pub(crate) fn root(path: &Path) -> io::Result<Self> {
        let fd = fs::open(path, FOLDER, Mode::empty())?;
        // One may list without being allowed to enter.
        fs::statat(&fd, c".", AtFlags::empty()).and_then(|_| fs::openat(&fd, c".", FOLDER, Mode::empty()))?;
        Ok(Self { fd })
    }

    /// Opens a directory right below. A link there is not followed, and is an error.
    pub(crate) fn child(&self, name: &str) -> io::Result<Self> {
        Ok(Self { fd: fs::openat(&self.fd, name, FOLDER | OFlags::NOFOLLOW, Mode::empty())? })
    }

    pub(crate) fn id(&self) -> io::Result<DirId> {
        let Print { inode, device, .. } = seen(&fs::fstat(&self.fd)?).print;
        Ok(DirId { inode, device })
    }

    /// Lists, from the start. An error ends the listing, and is never its end.
    pub(crate) fn entries(&self) -> io::Result<impl Iterator<Item = io::Result<Entry>> + use<>> {
        let listing = fs::Dir::new(fs::openat(&self.fd, c".", FOLDER, Mode::empty())?)?;
        Ok(listing.map(|entry| {
            let entry = entry?;
            let hint = kind(entry.file_type());
            Ok(Entry { name: OsString::from_vec(entry.file_name().to_bytes().to_vec()), hint })
        }))
    }

    pub(crate) fn look(&self, name: impl AsRef<OsStr>) -> io::Result<Seen> {
        Ok(seen(&fs::statat(&self.fd, name.as_ref(), AtFlags::SYMLINK_NOFOLLOW)?))
    }

    /// What a link leads to.
    pub(crate) fn look_through(&self, name: &OsStr) -> io::Result<Kind> {
        Ok(seen(&fs::statat(&self.fd, name, AtFlags::empty())?).kind)
    }

    /// Opens whatever stands there for reading, but for a link.
    pub(crate) fn open(&self, name: &str) -> io::Result<File> {
        Ok(File::from(fs::openat(&self.fd, name, FILE, Mode::empty())?))
    }
}

/// Writing. Only [`Writer`](crate::folder::Writer) comes here.
impl Dir {
    pub(in super::super) fn create_folder(&self, name: &str) -> io::Result<()> {
        Ok(fs::mkdirat(&self.fd, name, Mode::from_raw_mode(0o777))?)
    }

    /// Creates a file that was not there before.
    pub(in super::super) fn create(&self, name: &str) -> io::Result<File> {
        Ok(File::from(fs::openat(&self.fd, name, NEW, Mode::from_raw_mode(0o666))?))
    }

    /// Gives a file the permissions of another one, and, as far as one may, its owner.
    pub(in super::super) fn dress_like(&self, file: &File, other: &str) -> io::Result<()> {
        let (ours, wanted) = (file.metadata()?, fs::statat(&self.fd, other, AtFlags::SYMLINK_NOFOLLOW)?);
        if (ours.uid(), ours.gid()) != (wanted.st_uid, wanted.st_gid) {
            // Only the superuser may give files away. For all others the file is theirs, as with any editor.
            let _refused = fs::fchown(file, Some(Uid::from_raw(wanted.st_uid)), Some(Gid::from_raw(wanted.st_gid)));
        }
        Ok(fs::fchmod(file, Mode::from_raw_mode(wanted.st_mode))?)
    }

    /// Renames, unless something stands at `to`: then it is [`ErrorKind::AlreadyExists`].
    pub(in super::super) fn rename_new(&self, from: &str, to: &str) -> io::Result<()> {
        #[cfg(any(target_vendor = "apple", target_os = "linux", target_os = "android"))]
        match fs::renameat_with(&self.fd, from, &self.fd, to, fs::RenameFlags::NOREPLACE) {
            Err(error) if can_not(error) => {}
            done => return Ok(done?),
        }
        fs::linkat(&self.fd, from, &self.fd, to, AtFlags::empty())?;
        self.remove(from)
    }

    /// Lets two files change places, in one step. [`ErrorKind::Unsupported`] where that can not be.
    pub(in super::super) fn exchange(&self, one: &str, other: &str) -> io::Result<()> {
        #[cfg(any(target_vendor = "apple", target_os = "linux", target_os = "android"))]
        match fs::renameat_with(&self.fd, one, &self.fd, other, fs::RenameFlags::EXCHANGE) {
            Err(error) if can_not(error) => {}
            done => return Ok(done?),
        }
        Err(ErrorKind::Unsupported.into())
    }

    pub(in super::super) fn rename_over(&self, from: &str, to: &str) -> io::Result<()> {
        Ok(fs::renameat(&self.fd, from, &self.fd, to)?)
    }

    /// Removes anything but a directory.
    pub(in super::super) fn remove(&self, name: &str) -> io::Result<()> {
        Ok(fs::unlinkat(&self.fd, name, AtFlags::empty())?)
    }

    /// Makes what was done to names in here last.
    pub(in super::super) fn sync(&self) -> io::Result<()> {
        match fs::fsync(&self.fd) {
            // Some file systems do not sync directories. They have nothing better to offer.
            Err(error) if can_not(error) => Ok(()),
            done => Ok(done?),
        }
    }
}

/// Looks at an open file.
pub(crate) fn look_at(file: &File) -> io::Result<Seen> {
    Ok(seen(&fs::fstat(file)?))
}

/// Waits until the whole disk that a file is on has what was written before, where there is such a thing.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) fn sync_disk(file: &File) -> io::Result<()> {
    Ok(fs::syncfs(file)?)
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(crate) fn sync_disk(_file: &File) -> io::Result<()> {
    Err(ErrorKind::Unsupported.into())
}

/// Whether the file system can not do such a thing at all.
fn can_not(error: Errno) -> bool {
    [Errno::INVAL, Errno::NOSYS, Errno::NOTSUP, Errno::OPNOTSUPP].contains(&error)
}

fn seen(stat: &Stat) -> Seen {
    let print = Print {
        size: unsigned(stat.st_size),
        mtime_nanos: nanos(stat.st_mtime, stat.st_mtime_nsec),
        ctime_nanos: nanos(stat.st_ctime, stat.st_ctime_nsec),
        inode: unsigned(stat.st_ino),
        device: unsigned(stat.st_dev),
    };
    Seen { kind: kind(FileType::from_raw_mode(stat.st_mode)), print }
}

fn kind(of: FileType) -> Kind {
    match of {
        FileType::RegularFile => Kind::File,
        FileType::Directory => Kind::Folder,
        FileType::Symlink => Kind::Link,
        FileType::Unknown => Kind::Unknown,
        _ => Kind::Other,
    }
}

/// These numbers are of another type on every system.
fn unsigned(number: impl Into<i128>) -> u64 {
    u64::try_from(number.into()).unwrap_or_default()
}

/// Years before 1677 and after 2262 are the last ones that fit.
fn nanos(seconds: impl Into<i128>, nanos: impl Into<i128>) -> i64 {
    let nanos = seconds.into().saturating_mul(1_000_000_000).saturating_add(nanos.into());
    i64::try_from(nanos).unwrap_or(if nanos < 0 { i64::MIN } else { i64::MAX })
}
