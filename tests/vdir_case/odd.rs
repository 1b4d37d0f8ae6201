//! What else is found in folders: odd names, other files, links, things in the way.

use std::{fs, os::unix::fs::symlink};

use super::{
    Checked,
    cards::{self, Item},
    edits,
    world::{Place, World},
};

/// Runs one line, if it is one of these. `quoted` are the texts that stand in quotes in it, where `words` has `""`.
pub fn run(world: &mut World, place: Place, words: &[&str], quoted: &[String]) -> Option<Checked> {
    let root = world.root(place).to_path_buf();
    let name = quoted.first().map_or("", String::as_str);
    let at = |collection: &str| root.join(collection).join(name);
    Some(match words {
        ["puts", "card", "\"\"", "in", collection] => {
            let n = world.given.entry("odd".into()).or_default();
            *n += 1;
            let uid = format!("odd{n}@{collection}.example");
            let bytes = cards::card(&uid, *n);
            edits::write(world, place, &at(collection), &bytes);
            world.meant.insert(((*collection).into(), uid), Item::read(&bytes));
            Ok(())
        }
        ["puts", kind @ ("empty" | "binary" | "foreign"), "file", "\"\"", "in", collection] => {
            let bytes: Vec<u8> = match *kind {
                "empty" => Vec::new(),
                "binary" => (0..=255).cycle().take(3000).collect(),
                _ => b"BEGIN:SOMETHING\r\nelse entirely\r\n".to_vec(),
            };
            edits::write(world, place, &at(collection), &bytes);
            world.strange.insert(format!("{collection}/{name}"));
            Ok(())
        }
        ["copies", item, "to", "\"\"", "in", collection] => edits::each(world, place, &[item], |world, path, _| {
            let bytes = fs::read(path).expect("a file");
            edits::write(world, place, &root.join(collection).join(name), &bytes);
        }),
        ["links", "\"\"", "in", collection, "to", "outside"] => {
            let target = world.outside().join("target.vcf");
            fs::write(&target, cards::card("outside@example", 1)).expect("a file");
            link(&target, &at(collection))
        }
        ["links", "collection", collection, "to", "outside"] => {
            let target = world.outside().join("collection");
            fs::create_dir_all(&target).expect("a folder");
            fs::write(target.join("inside.vcf"), cards::card("outside@example", 1)).expect("a file");
            link(&target, &root.join(collection))
        }
        ["has", "a", "file", "in", "the", "way", "of", collection] => {
            fs::write(root.join(collection), "in the way").map_err(|error| error.to_string())
        }
        ["has", "a", "folder", "in", "the", "way", "of", "\"\"", "in", collection] => {
            fs::create_dir_all(at(collection)).map_err(|error| error.to_string())
        }
        ["is", "a", "file"] => {
            super::tree::remove(&root);
            fs::write(&root, "not a folder").map_err(|error| error.to_string())
        }
        ["is", "free", "of", "\"\"", "in", collection] => {
            super::tree::remove(&at(collection));
            world.strange.remove(&format!("{collection}/{name}"));
            Ok(())
        }
        _ => return None,
    })
}

fn link(target: &std::path::Path, at: &std::path::Path) -> Checked {
    fs::create_dir_all(at.parent().ok_or("no folder")?).map_err(|error| error.to_string())?;
    symlink(target, at).map_err(|error| error.to_string())
}
