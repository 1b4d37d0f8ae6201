//! Everything but Unix: paths, and what the standard library offers. Weaker where the system is: a link laid between
//! two steps is not noticed, and a print has neither inode nor time of change.

use std::{
    ffi::OsStr,
    fs::{self, File, Metadata},
    io::{self, ErrorKind},
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

use super::{DirId, Entry, Kind, Print, Seen};

/// A directory, by its path.
#[derive(Debug)]
pub(crate) struct Dir {
    path: PathBuf,
}

/// Reading.
impl Dir {
    pub(crate) fn root(path: &Path) -> io::Result<Self> {
        let path = fs::canonicalize(path)?;
        fs::read_dir(&path)?;
        Ok(Self { path })
    }

    pub(crate) fn child(&self, name: &str) -> io::Result<Self> {
        let folder = Self { path: self.path.join(name) };
        match kind(&fs::symlink_metadata(&folder.path)?) {
            Kind::Folder => Ok(folder),
            _ => Err(ErrorKind::NotADirectory.into()),
        }
    }

    pub(crate) fn id(&self) -> io::Result<DirId> {
        fs::symlink_metadata(&self.path)?;
        Ok(DirId { inode: 0, device: 0 })
    }

    pub(crate) fn entries(&self) -> io::Result<impl Iterator<Item = io::Result<Entry>> + use<>> {
        Ok(fs::read_dir(&self.path)?.map(|entry| {
            let entry = entry?;
            Ok(Entry { name: entry.file_name(), hint: Kind::Unknown })
        }))
    }

    pub(crate) fn look(&self, name: impl AsRef<OsStr>) -> io::Result<Seen> {
        Ok(seen(&fs::symlink_metadata(self.path.join(name.as_ref()))?))
    }

    pub(crate) fn look_through(&self, name: &OsStr) -> io::Result<Kind> {
        Ok(kind(&fs::metadata(self.path.join(name))?))
    }

    pub(crate) fn open(&self, name: &str) -> io::Result<File> {
        match self.look(name)?.kind {
            Kind::File => File::open(self.path.join(name)),
            _ => Err(ErrorKind::InvalidInput.into()),
        }
    }
}

/// Writing. Only [`Writer`](crate::folder::Writer) comes here.
impl Dir {
    pub(in super::super) fn create_folder(&self, name: &str) -> io::Result<()> {
        fs::create_dir(self.path.join(name))
    }

    pub(in super::super) fn create(&self, name: &str) -> io::Result<File> {
        File::create_new(self.path.join(name))
    }

    pub(in super::super) fn dress_like(&self, file: &File, other: &str) -> io::Result<()> {
        file.set_permissions(fs::symlink_metadata(self.path.join(other))?.permissions())
    }

    pub(in super::super) fn rename_new(&self, from: &str, to: &str) -> io::Result<()> {
        fs::hard_link(self.path.join(from), self.path.join(to))?;
        self.remove(from)
    }

    pub(in super::super) fn exchange(&self, _one: &str, _other: &str) -> io::Result<()> {
        Err(ErrorKind::Unsupported.into())
    }

    pub(in super::super) fn rename_over(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.path.join(from), self.path.join(to))
    }

    pub(in super::super) fn remove(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.path.join(name))
    }

    /// There is no such thing here.
    pub(in super::super) fn sync(&self) -> io::Result<()> {
        Ok(())
    }
}

/// Looks at an open file.
pub(crate) fn look_at(file: &File) -> io::Result<Seen> {
    Ok(seen(&file.metadata()?))
}

/// There is no such thing here.
pub(crate) fn sync_disk(_file: &File) -> io::Result<()> {
    Err(ErrorKind::Unsupported.into())
}

fn seen(metadata: &Metadata) -> Seen {
    let age = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    let mtime_nanos = age.and_then(|age| i64::try_from(age.as_nanos()).ok()).unwrap_or_default();
    Seen {
        kind: kind(metadata),
        print: Print { size: metadata.len(), mtime_nanos, ctime_nanos: 0, inode: 0, device: 0 },
    }
}

fn kind(metadata: &Metadata) -> Kind {
    match metadata.file_type() {
        of if of.is_symlink() => Kind::Link,
        of if of.is_dir() => Kind::Folder,
        of if of.is_file() => Kind::File,
        _ => Kind::Other,
    }
}
