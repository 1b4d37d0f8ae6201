//! The walk: what stands where, without reading a single file.

use std::{
    ffi::{OsStr, OsString},
    io,
};

use super::{
    disk::{Dir, DirId, Entry, Kind, Print, Seen},
    error::{EntryError, Problem, RootError},
    name::is_item,
    root::Root,
    writer::TEMPORARY,
};

/// Everything that stands below a root, in the order of names.
#[derive(Debug)]
pub(crate) struct Walk {
    pub(crate) collections: Vec<Collection>,
    /// What stands where a collection could, and is none. All others are whole.
    pub(crate) errors: Vec<EntryError>,
}

#[derive(Debug)]
pub(crate) struct Collection {
    pub(crate) name: String,
    pub(crate) contents: Contents,
}

/// A collection that can not be read is not an empty one.
#[derive(Debug)]
pub(crate) enum Contents {
    Listed(Listing),
    Unreadable(EntryError),
}

/// A collection's files, all of them.
#[derive(Debug)]
pub(crate) struct Listing {
    /// In the order of names.
    pub(crate) items: Vec<Item>,
    /// What has an item's name, and is none or can not be looked at. It is there, all the same: nobody removed it.
    pub(crate) errors: Vec<EntryError>,
    /// What a killed run left behind.
    pub(super) leftovers: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Item {
    pub(crate) file: String,
    pub(crate) print: Print,
}

impl Root {
    /// Lists all collections and the files in them. If the root itself can not be listed to its end, there is no walk:
    /// a short list of collections would look as if the others were gone.
    pub(crate) fn walk(&self) -> Result<Walk, RootError> {
        let unreadable = |error| RootError::new(self.path(), error);
        let mut walk = Walk { collections: Vec::new(), errors: Vec::new() };
        for entry in self.dir.entries().map_err(unreadable)? {
            walk.visit(&self.dir, entry.map_err(unreadable)?);
        }
        // A directory that was removed while it is open lists as an empty one.
        let (here, there) = (self.dir.id().map_err(unreadable)?, Dir::root(self.path()).and_then(|dir| dir.id()));
        if there.map_err(unreadable)? != here {
            return Err(unreadable(io::Error::other("it was replaced by another folder meanwhile")));
        }
        walk.collections.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        Ok(walk)
    }
}

impl Walk {
    /// How many items there are, readable or not.
    pub(crate) fn items(&self) -> usize {
        let listed = self.collections.iter().filter_map(|collection| match &collection.contents {
            Contents::Listed(listing) => Some(listing.items.len() + listing.errors.len()),
            Contents::Unreadable(_) => None,
        });
        listed.sum()
    }

    fn visit(&mut self, root: &Dir, entry: Entry) {
        if entry.name.as_encoded_bytes().starts_with(b".") {
            return;
        }
        let seen = || root.look(&entry.name).map(|seen| seen.kind);
        let kind = if entry.hint == Kind::Unknown { seen() } else { Ok(entry.hint) };
        let problem = match kind {
            Ok(Kind::Folder) => match entry.name.into_string() {
                Ok(name) => return self.collections.push(Collection::list(root, name)),
                Err(name) => return self.errors.push(EntryError::of_collection(name, Problem::NotUtf8)),
            },
            // A link to a file is none of ours; one that leads nowhere may have led to a folder yesterday.
            Ok(Kind::Link) => match root.look_through(&entry.name) {
                Ok(Kind::File | Kind::Other) => return,
                _ => Problem::InTheWay { expected: Kind::Folder, found: Kind::Link },
            },
            Ok(Kind::File | Kind::Other | Kind::Unknown) => return,
            Err(source) => Problem::Disk { doing: "look at it", source },
        };
        self.errors.push(EntryError::of_collection(entry.name, problem));
    }
}

impl Collection {
    fn list(root: &Dir, name: String) -> Self {
        let contents = match Listing::read(root, &name) {
            Ok(listing) => Contents::Listed(listing),
            Err(problem) => Contents::Unreadable(EntryError::of_collection(&name, problem)),
        };
        Self { name, contents }
    }
}

impl Listing {
    fn read(root: &Dir, name: &str) -> Result<Self, Problem> {
        let folder = root.child(name).map_err(Problem::disk("open it"))?;
        let id = folder.id().map_err(Problem::disk("look at it"))?;
        let entries = folder.entries().map_err(Problem::disk("list it"))?;
        let listing = Self::gather(name, entries, |file| folder.look(file)).map_err(Problem::disk("list it"))?;
        // A directory that was removed while it is open lists as an empty one.
        let still = root.look(name).map_err(|_| Problem::Vanished)?;
        if still.kind != Kind::Folder || (DirId { inode: still.print.inode, device: still.print.device }) != id {
            return Err(Problem::Vanished);
        }
        Ok(listing)
    }

    /// Looks at each entry that has an item's name. The first error of the listing itself is the end of all: what was
    /// listed before it is not the collection.
    pub(crate) fn gather(
        collection: &str,
        entries: impl Iterator<Item = io::Result<Entry>>,
        look: impl Fn(&OsStr) -> io::Result<Seen>,
    ) -> io::Result<Self> {
        let mut listing = Self { items: Vec::new(), errors: Vec::new(), leftovers: Vec::new() };
        for entry in entries {
            let name = entry?.name;
            if is_item(name.as_encoded_bytes()) {
                listing.visit(collection, name, &look);
            } else if let Some(leftover) = name.to_str().filter(|name| name.starts_with(TEMPORARY)) {
                listing.leftovers.push(leftover.to_owned());
            }
        }
        listing.items.sort_unstable_by(|a, b| a.file.cmp(&b.file));
        Ok(listing)
    }

    fn visit(&mut self, collection: &str, name: OsString, look: impl Fn(&OsStr) -> io::Result<Seen>) {
        let problem = match look(&name) {
            Ok(Seen { kind: Kind::File, print }) => match name.into_string() {
                Ok(file) => return self.items.push(Item { file, print }),
                Err(name) => return self.errors.push(EntryError::of_file(collection, name, Problem::NotUtf8)),
            },
            Ok(Seen { kind: found, .. }) => Problem::InTheWay { expected: Kind::File, found },
            // Removed since it was listed.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return,
            Err(source) => Problem::Disk { doing: "look at it", source },
        };
        self.errors.push(EntryError::of_file(collection, name, problem));
    }
}
