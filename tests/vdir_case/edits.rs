//! What people do in a folder on purpose: it is meant, and has to arrive on the other side.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use super::{
    Checked,
    cards::{self, Item},
    select,
    world::{Key, Place, World},
};

/// Runs one line about what somebody does in `place`, if it is one.
pub fn run(world: &mut World, place: Place, words: &[&str]) -> Option<Checked> {
    Some(match words {
        ["adds", n, kind @ ("card" | "cards" | "event" | "events"), "to", collection] => {
            n.parse().map_err(|_| "no number".into()).map(|n| add(world, place, (n, kind, collection)))
        }
        ["changes", property, "of", which @ .., "both", "may", "show"] => change(world, place, (property, which), true),
        ["changes", property, "of", which @ ..] => change(world, place, (property, which), false),
        ["deletes", which @ .., "which", "may", "come", "back"] => each(world, place, which, |world, path, key| {
            if let Some((key, item)) = world.meant.remove_entry(&key) {
                world.optional.insert(key, item);
            }
            super::tree::remove(path);
        }),
        ["deletes", which @ ..] => each(world, place, which, |world, path, key| {
            world.meant.remove(&key);
            super::tree::remove(path);
        }),
        ["renames", which @ ..] => each(world, place, which, |_, path, _| {
            let ending = path.extension().unwrap_or_default().to_string_lossy().into_owned();
            let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            fs::rename(path, path.with_file_name(format!("{stem} renamed.{ending}"))).expect("a rename");
        }),
        ["reorders", which @ ..] => each(world, place, which, |world, path, _| {
            let bytes = cards::reordered(&fs::read(path).expect("a file"));
            write(world, place, path, &bytes);
        }),
        ["touches", which @ ..] => each(world, place, which, |world, path, _| {
            let bytes = fs::read(path).expect("a file");
            write(world, place, path, &bytes);
        }),
        ["moves", which @ .., "from", from, "to", to] => {
            let which: Vec<&str> = which.iter().copied().chain(["in", from]).collect();
            let folder = world.root(place).join(to);
            fs::create_dir_all(&folder).expect("a folder");
            each(world, place, &which, |world, path, key| {
                fs::rename(path, folder.join(path.file_name().expect("a name"))).expect("a move");
                if let Some(item) = world.meant.remove(&key) {
                    world.meant.insert(((*to).into(), key.1), item);
                }
            })
        }
        _ => return None,
    })
}

fn add(world: &mut World, place: Place, (n, kind, collection): (usize, &str, &str)) {
    let letter = collection.chars().next().unwrap_or('x');
    for _ in 0..n {
        let count = world.given.entry(collection.into()).or_default();
        *count += 1;
        let number = *count;
        let uid = format!("{letter}{number:03}@{collection}.example");
        let (bytes, ending) = if kind.starts_with("card") {
            (cards::card(&uid, number), "vcf")
        } else {
            (cards::event(&uid, number), "ics")
        };
        let path = world.root(place).join(collection).join(format!("{letter}{number:03}.{ending}"));
        write(world, place, &path, &bytes);
        world.meant.insert((collection.into(), uid), Item::read(&bytes));
    }
}

fn change(world: &mut World, place: Place, (property, which): (&str, &[&str]), both_may_show: bool) -> Checked {
    each(world, place, which, |world, path, key| {
        world.edits += 1;
        let line = format!("{property}:edit {} in {place:?} of {}", world.edits, key.1);
        edit(world, place, path, (property, &line));
        if let Some(item) = world.meant.get_mut(&key) {
            item.write(property, &line, both_may_show);
        }
    })
}

/// Two people write the same property of the same items, and neither has seen what the other wrote.
pub fn conflict(world: &mut World, property: &str, which: &[&str], [one, other]: [Place; 2]) -> Checked {
    let chosen = select::files(world, one, which)?;
    for (place, is_beside) in [(one, false), (other, true)] {
        for file in &chosen {
            let path = world.root(place).join(file);
            let key = key_of(&path, file)?;
            world.edits += 1;
            let line = format!("{property}:edit {} in {place:?} of {}", world.edits, key.1);
            edit(world, place, &path, (property, &line));
            if let Some(item) = world.meant.get_mut(&key) {
                item.write(property, &line, is_beside);
            }
        }
    }
    Ok(())
}

fn edit(world: &World, place: Place, path: &Path, (property, line): (&str, &str)) {
    let bytes = cards::with(&fs::read(path).expect("a file"), property, Some(line));
    write(world, place, path, &bytes);
}

/// Does something to each of these files.
pub fn each(world: &mut World, place: Place, which: &[&str], mut act: impl FnMut(&mut World, &Path, Key)) -> Checked {
    for file in select::files(world, place, which)? {
        let path = world.root(place).join(&file);
        let key = key_of(&path, &file)?;
        act(world, &path, key);
    }
    Ok(())
}

/// An item's name in `meant`: its collection and its UID, or its file where it has none.
pub fn key_of(path: &Path, file: &Path) -> Result<Key, String> {
    let bytes = fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut names = file.iter().map(|name| name.to_string_lossy().into_owned());
    let (collection, name) = (names.next().unwrap_or_default(), names.next().unwrap_or_default());
    Ok((collection, cards::uid(&bytes).unwrap_or(name)))
}

/// As an editor writes: a new file in the place of the old one, by the clock of this folder.
pub fn write(world: &World, place: Place, path: &Path, bytes: &[u8]) {
    let folder: PathBuf = path.parent().expect("a folder").into();
    fs::create_dir_all(&folder).expect("a folder");
    let fresh = world.dir().join("fresh");
    fs::write(&fresh, bytes).expect("a file");
    let years = world.ahead.get(&place).copied().unwrap_or_default();
    if years != 0 {
        let ahead = Duration::from_secs(years.unsigned_abs() * 365 * 86_400);
        let file = fs::File::options().append(true).open(&fresh).expect("a file");
        file.set_modified(SystemTime::now() + ahead).expect("a time");
    }
    fs::rename(&fresh, path).expect("a rename");
}
