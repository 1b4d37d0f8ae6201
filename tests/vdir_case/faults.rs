//! What happens to a folder that nobody meant: it must not be believed.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
};

use super::{
    Checked, cards, edits, select,
    tree::{self, BOOKS, Tree},
    world::{Place, World},
};

/// Runs one line about what befalls `place`, if it is one.
pub fn run(world: &mut World, place: Place, words: &[&str]) -> Option<Checked> {
    let root = world.root(place).to_path_buf();
    Some(match words {
        ["loses", "its", "bookkeeping"] => {
            tree::remove(&books(world, place));
            Ok(())
        }
        ["loses", "its", "collections"] => {
            let all = fs::read_dir(&root).expect("a folder").map(|entry| entry.expect("an entry"));
            all.filter(|entry| entry.file_name() != BOOKS).for_each(|entry| tree::remove(&entry.path()));
            Ok(())
        }
        ["loses", "collection", collection] => {
            tree::remove(&root.join(collection));
            Ok(())
        }
        ["has", "the", "bookkeeping", "of", name] => match world.backups.get(*name) {
            Some(tree) => {
                tree::put_back(&root, tree, |path| !path.starts_with(BOOKS), true);
                Ok(())
            }
            None => Err(format!("no backup '{name}'")),
        },
        ["vanishes"] => {
            tree::remove(&root);
            Ok(())
        }
        ["is", "emptied"] => {
            tree::put_back(&root, &Tree::new(), |_| false, false);
            Ok(())
        }
        ["is", "moved"] => world.relocate(place),
        ["is", "a", "copy", "of", other] => world.place(other).map(|other| {
            let tree = tree::whole(world.root(other));
            tree::put_back(&root, &tree, |_| false, true);
        }),
        ["loses", property, "of", which @ ..] => edits::each(world, place, which, |world, path, _| {
            let bytes = cards::with(&fs::read(path).expect("a file"), property, None);
            edits::write(world, place, path, &bytes);
        }),
        ["loses", which @ ..] => edits::each(world, place, which, |_, path, _| tree::remove(path)),
        ["blanks", which @ ..] => each_written(world, place, which, cards::blank),
        ["rewrites", which @ ..] => each_written(world, place, which, cards::rewritten),
        ["zeroes", which @ ..] => each_written(world, place, which, |_| Vec::new()),
        ["cuts", which @ ..] => each_written(world, place, which, |bytes| bytes[..bytes.len() / 2].to_vec()),
        ["can", "not", "read", which @ ..] => edits::each(world, place, which, |_, path, _| {
            tree::remove(path);
            fs::create_dir(path).expect("a folder where a file was");
        }),
        ["is", "restored", "from", name, files @ ..] => restore(world, place, name, files),
        ["clock", "is", years, "years", "ahead"] => match years.parse() {
            Ok(years) => {
                world.ahead.insert(place, years);
                age(world, place)
            }
            Err(_) => Err("no number".into()),
        },
        _ => return None,
    })
}

fn each_written(world: &mut World, place: Place, which: &[&str], how: impl Fn(&[u8]) -> Vec<u8>) -> Checked {
    edits::each(world, place, which, |world, path, _| {
        let bytes = how(&fs::read(path).expect("a file"));
        edits::write(world, place, path, &bytes);
    })
}

/// `files only` leaves the bookkeeping as it is now. `with fresh times` is a copy that did not keep the times.
fn restore(world: &mut World, place: Place, name: &str, how: &[&str]) -> Checked {
    let (is_files_only, has_old_times) = match how {
        ["files", "only", "with", "old", "times"] => (true, true),
        ["files", "only", "with", "fresh", "times"] => (true, false),
        ["and", "bookkeeping", "with", "old", "times"] => (false, true),
        ["and", "bookkeeping", "with", "fresh", "times"] => (false, false),
        _ => return Err("which files, and with which times?".into()),
    };
    let tree = world.backups.get(name).cloned().ok_or_else(|| format!("no backup '{name}'"))?;
    let is_kept = |path: &Path| is_files_only && path.starts_with(BOOKS);
    tree::put_back(world.root(place), &tree, is_kept, has_old_times);
    Ok(())
}

/// Every file there is from years ahead.
fn age(world: &World, place: Place) -> Checked {
    for (path, node) in tree::visible(world.root(place)) {
        if let Some(bytes) = node.bytes() {
            edits::write(world, place, &world.root(place).join(path), bytes);
        }
    }
    Ok(())
}

/// Loses some, syncs, and again: `drip server 164 in 30 steps, sync A`, `drip server 5% of the rest in 30 steps, sync A`.
pub fn drip(world: &mut World, place: Place, words: &[&str], device: Place) -> Checked {
    let (amount, steps, of_rest, collections) = match words {
        [n, "of", "the", "rest", "in", steps, "steps", rest @ ..] => (n, steps, true, rest),
        [n, "in", steps, "steps", rest @ ..] => (n, steps, false, rest),
        _ => return Err("how much, in how many steps?".into()),
    };
    let collections: Vec<&str> = if collections.is_empty() {
        vec![select::PEOPLE]
    } else {
        collections.iter().copied().filter(|word| !["of", "and"].contains(word)).collect()
    };
    let steps: usize = steps.trim_end_matches(',').parse().map_err(|_| "no number of steps")?;
    for step in 0..steps {
        for collection in &collections {
            let there = tree::visible(world.root(place))
                .keys()
                .filter(|path| path.parent() == Some(Path::new(collection)))
                .count();
            let n = if of_rest {
                select::number(amount, there)?
            } else {
                let all = select::number(amount, there)?;
                all * (step + 1) / steps - all * step / steps
            };
            if n > 0 {
                edits::each(world, place, &[&n.to_string(), "in", collection], |_, path, _| tree::remove(path))?;
            }
        }
        world.sync(device, &[], &["--json"]);
    }
    Ok(())
}

/// Where a folder's books are.
pub fn books(world: &World, place: Place) -> PathBuf {
    world.states.get(&place).cloned().unwrap_or_else(|| world.root(place).join(BOOKS))
}

/// Both sides as they were, but for one file of the books that ends early.
#[derive(Debug, Clone)]
pub struct Cut {
    place: Place,
    file: PathBuf,
    /// In bytes.
    at: usize,
    sides: std::rc::Rc<[(PathBuf, Tree); 2]>,
}

impl Cut {
    pub fn make(&self, _: &World) -> Checked {
        for (root, tree) in self.sides.iter() {
            tree::put_back(root, tree, |_| false, true);
        }
        let file = fs::File::options().write(true).open(&self.file).map_err(|error| error.to_string())?;
        let length = u64::try_from(self.at).map_err(|error| error.to_string())?;
        file.set_len(length).map_err(|error| error.to_string())
    }
}

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.file.file_name().unwrap_or_default().to_string_lossy();
        write!(f, "{name} of {:?} cut at byte {}", self.place, self.at)
    }
}

/// Every byte of every file of these books, if VDIR_EVERY_CUT is set, or the first and the last 64 and every 97th.
pub fn cuts(world: &World, folder: &str) -> Result<Vec<Cut>, String> {
    let place = world.place(folder)?;
    let is_all = std::env::var_os("VDIR_EVERY_CUT").is_some();
    let roots = [Place::A, Place::Server].map(|place| world.root(place).to_path_buf());
    let sides = std::rc::Rc::new(roots.map(|root| (root.clone(), tree::whole(&root))));
    let books = books(world, place);
    let mut cuts = Vec::new();
    for (path, node) in tree::whole(&books) {
        let Some(bytes) = node.bytes() else { continue };
        let ends = |at: &usize| is_all || *at < 64 || at + 64 >= bytes.len() || at.is_multiple_of(97);
        let file = books.join(path);
        cuts.extend((0..bytes.len()).filter(ends).map(|at| Cut {
            place,
            file: file.clone(),
            at,
            sides: sides.clone(),
        }));
    }
    if cuts.is_empty() { Err(format!("no books in {}", books.display())) } else { Ok(cuts) }
}
