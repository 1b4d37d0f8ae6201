//! What is true of every run, whatever happened before it.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use super::{
    cards,
    report::{Report, Written},
    tree::{BOOKS, Node, Tree},
    world::{Key, Run},
};

/// Everything that is wrong with this run.
pub fn complaints(run: &Run) -> Vec<String> {
    let mut found = Vec::new();
    found.extend(exit(run));
    if run.is_dry || run.output.exit == Some(2) {
        let what = if run.is_dry { "a dry run" } else { "a run that ends with 2" };
        let sides = run.before.iter().zip(&run.after);
        let is_kept = |path: &Path| run.is_dry || !is_bookkeeping(path);
        found.extend(sides.filter_map(|(old, new)| touched(old, new, is_kept)).map(|why| format!("{what}: {why}")));
        if run.is_dry {
            return found;
        }
    }
    for (side, old, new) in [("left", &run.before[0], &run.after[0]), ("right", &run.before[1], &run.after[1])] {
        found.extend(
            rewritten(old, new).map(|path| format!("{side}: {} was written with the same bytes", path.display())),
        );
        if let Some(report) = &run.report {
            let said = if side == "left" { report.left } else { report.right };
            let seen = written(old, new);
            if said != seen {
                found.push(format!("{side}: it says {said:?}, and did {seen:?}"));
            }
        }
    }
    if run.output.exit == Some(0) {
        found.extend(unequal(&run.after));
        found.extend(unlike(run));
    }
    found
}

fn exit(run: &Run) -> Option<String> {
    let Some(report) = &run.report else {
        let is_usual = matches!(run.output.exit, Some(0 | 2 | 3));
        let says_why =
            run.output.exit != Some(2) || !run.output.stderr.trim().is_empty() || !run.output.stdout.trim().is_empty();
        return (!is_usual || !says_why).then(|| format!("exit {:?}: '{}'", run.output.exit, run.output.stderr));
    };
    let Report { held, errors, notes, .. } = report;
    let is_clean = held.is_empty() && errors.is_empty();
    let is_right = match run.output.exit {
        Some(0) => is_clean,
        Some(2) => true,
        Some(3) => !is_clean || !notes.is_empty(),
        _ => false,
    };
    if !is_right {
        return Some(format!("exit {:?} with {held:?}, {errors:?}, {notes:?}", run.output.exit));
    }
    let vague = held.iter().find(|hold| {
        let is_side = ["left", "right"].contains(&hold.side.as_str());
        let is_counted = hold.removals >= 1 && hold.removals <= hold.of && (1..=5).contains(&hold.samples.len());
        !is_side || !is_counted || hold.reason.is_empty() || hold.digest.is_empty()
    });
    vague.map(|hold| format!("a hold that does not say all: {hold:?}"))
}

fn is_bookkeeping(path: &Path) -> bool {
    path.starts_with(BOOKS)
}

/// Not what a killed run had not finished, and the next one cleans up.
fn is_item(path: &Path) -> bool {
    let is_hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
    path.components().count() == 2 && !is_bookkeeping(path) && !is_hidden
}

/// The first difference, times and inodes included. The root's own times may change where the books may.
fn touched(old: &Tree, new: &Tree, is_kept: impl Fn(&Path) -> bool) -> Option<String> {
    let of = |tree: &Tree| -> Tree {
        let is_root = |path: &Path| path.as_os_str().is_empty() && !is_kept(Path::new(BOOKS));
        tree.iter().filter(|(path, _)| is_kept(path) && !is_root(path)).map(|(p, n)| (p.clone(), n.clone())).collect()
    };
    super::tree::difference(&of(old), &of(new))
}

/// Files that nobody changed and that were written all the same.
fn rewritten(old: &Tree, new: &Tree) -> Option<PathBuf> {
    let is_same = |path: &&PathBuf| {
        let (Some(was), Some(is)) = (old.get(*path), new.get(*path)) else { return false };
        is_item(path) && was.bytes().is_some() && was.content == is.content && was != is
    };
    new.keys().find(is_same).cloned()
}

fn written(old: &Tree, new: &Tree) -> Written {
    let is_file = |tree: &Tree, path: &Path| tree.get(path).is_some_and(|node| node.bytes().is_some());
    let mut written = Written::default();
    for path in new.keys().filter(|path| is_item(path) && is_file(new, path)) {
        if !is_file(old, path) {
            written.added += 1;
        } else if old.get(path).map(|node| &node.content) != new.get(path).map(|node| &node.content) {
            written.changed += 1;
        }
    }
    written.removed = old.keys().filter(|path| is_item(path) && is_file(old, path) && !is_file(new, path)).count();
    written
}

/// Items by collection and UID, or by name where they have none.
pub fn items(tree: &Tree) -> BTreeMap<Key, Vec<(PathBuf, Vec<u8>)>> {
    let mut items: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for (path, node) in tree.iter().filter(|(path, _)| is_item(path)) {
        let Some(bytes) = node.bytes() else { continue };
        let mut names = path.iter().map(|name| name.to_string_lossy().into_owned());
        let (collection, file) = (names.next().unwrap_or_default(), names.next().unwrap_or_default());
        let ending = Path::new(&file).extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        if !["vcf", "ics"].contains(&ending) {
            continue;
        }
        let name = cards::uid(bytes).unwrap_or(file);
        items.entry((collection, name)).or_default().push((path.clone(), bytes.to_vec()));
    }
    items
}

/// Where the two sides do not say the same.
pub fn unequal(trees: &[Tree; 2]) -> Option<String> {
    let [left, right] = [items(&trees[0]), items(&trees[1])];
    let texts = |files: &[(PathBuf, Vec<u8>)]| {
        let mut texts: Vec<Vec<String>> = files.iter().map(|(_, bytes)| cards::plain(bytes)).collect();
        texts.sort();
        texts
    };
    left.keys().chain(right.keys()).find_map(|key| match (left.get(key), right.get(key)) {
        (Some(a), Some(b)) if texts(a) == texts(b) => None,
        (Some(a), Some(b)) => Some(format!("{key:?} differs: left {:?}, right {:?}", texts(a), texts(b))),
        (Some(_), None) => Some(format!("{key:?} is only on the left")),
        _ => Some(format!("{key:?} is only on the right")),
    })
}

/// Where a file came over and is not, to the byte, what it was on the other side.
fn unlike(run: &Run) -> Option<String> {
    let pairs = [(0, 1), (1, 0)];
    pairs.into_iter().find_map(|(from, to)| {
        let (was_from, was_to, is_to) = (items(&run.before[from]), items(&run.before[to]), items(&run.after[to]));
        let new = is_to.iter().filter(|(key, _)| !was_to.contains_key(*key));
        new.filter_map(|(key, files)| Some((key, files, was_from.get(key)?))).find_map(|(key, files, source)| {
            let is_like = files.iter().all(|(_, bytes)| source.iter().any(|(_, other)| other == bytes));
            (!is_like).then(|| format!("{key:?} did not arrive as it was"))
        })
    })
}

/// For those who look at nodes themselves.
pub fn same_content(a: Option<&Node>, b: Option<&Node>) -> bool {
    a.map(|node| &node.content) == b.map(|node| &node.content)
}
