//! What is in a folder, to the byte.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

/// Where the tool keeps its books, unless told otherwise.
pub const BOOKS: &str = ".holdfast";

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    File(Vec<u8>),
    Folder,
    Link(PathBuf),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    pub content: Content,
    pub inode: u64,
    /// Seconds and nanoseconds.
    pub modified: (i64, i64),
}

impl Node {
    pub fn bytes(&self) -> Option<&[u8]> {
        if let Content::File(bytes) = &self.content { Some(bytes) } else { None }
    }
}

/// Everything under a folder, by path from it; links are not followed. The folder itself is "".
pub type Tree = BTreeMap<PathBuf, Node>;

/// All of it, hidden folders too. Empty if there is no such folder.
pub fn whole(root: &Path) -> Tree {
    let mut tree = Tree::new();
    add(root, Path::new(""), true, &mut tree);
    tree
}

/// What a person sees: all but the bookkeeping.
pub fn visible(root: &Path) -> Tree {
    let mut tree = Tree::new();
    add(root, Path::new(""), false, &mut tree);
    tree
}

fn add(root: &Path, at: &Path, is_whole: bool, tree: &mut Tree) {
    let path = if at.as_os_str().is_empty() { root.to_path_buf() } else { root.join(at) };
    let Ok(found) = fs::symlink_metadata(&path) else { return };
    let content = if found.is_symlink() {
        Content::Link(fs::read_link(&path).expect("a link"))
    } else if found.is_dir() {
        for entry in fs::read_dir(&path).expect("a folder") {
            let name = entry.expect("an entry").file_name();
            if is_whole || name != BOOKS || !at.as_os_str().is_empty() {
                add(root, &at.join(name), is_whole, tree);
            }
        }
        Content::Folder
    } else {
        Content::File(fs::read(&path).expect("a file"))
    };
    let node = Node { content, inode: found.ino(), modified: (found.mtime(), found.mtime_nsec()) };
    tree.insert(at.to_path_buf(), node);
}

/// The first difference, in words, times of folders and files included.
pub fn difference(before: &Tree, after: &Tree) -> Option<String> {
    let paths = before.keys().chain(after.keys());
    paths.map(|path| (path, before.get(path), after.get(path))).find(|(_, old, new)| old != new).map(
        |(path, old, new)| {
            let what = match (old, new) {
                (None, _) => "is new",
                (_, None) => "is gone",
                (Some(old), Some(new)) if old.content != new.content => "has another content",
                _ => "was touched",
            };
            format!("{} {what}", path.display())
        },
    )
}

/// Makes the folder what it was: everything in it goes, then all of `tree` comes, with its times if these are asked for.
/// The folder itself stays.
pub fn put_back(root: &Path, tree: &Tree, keep: impl Fn(&Path) -> bool, with_times: bool) {
    fs::create_dir_all(root).expect("a folder");
    let now = whole(root);
    for path in now.keys().rev().filter(|path| !path.as_os_str().is_empty() && !keep(path)) {
        remove(&root.join(path));
    }
    let nodes = tree.iter().filter(|(path, _)| !path.as_os_str().is_empty() && !keep(path));
    for (path, node) in nodes.clone() {
        let path = root.join(path);
        match &node.content {
            Content::File(bytes) => fs::write(&path, bytes).expect("a file"),
            Content::Folder => fs::create_dir_all(&path).expect("a folder"),
            Content::Link(to) => std::os::unix::fs::symlink(to, &path).expect("a link"),
        }
    }
    for (path, node) in nodes.rev().filter(|(_, node)| with_times && node.bytes().is_some()) {
        set_modified(&root.join(path), node.modified);
    }
}

pub fn set_modified(path: &Path, (seconds, nanos): (i64, i64)) {
    let nanos = u32::try_from(nanos).expect("below a second");
    let since = std::time::Duration::new(u64::try_from(seconds).expect("after 1970"), nanos);
    let file = fs::File::options().append(true).open(path).expect("a file");
    file.set_modified(std::time::UNIX_EPOCH + since).expect("a time");
}

/// A file, a link, or a folder with all that is in it.
pub fn remove(path: &Path) {
    let Ok(found) = fs::symlink_metadata(path) else { return };
    let removed = if found.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    removed.expect("it can be removed");
}
