//! A walk costs about what it costs to list and to look.

#![allow(clippy::print_stderr, reason = "a measurement is for people")]

use std::{
    fs, hint,
    path::Path,
    time::{Duration, Instant},
};

use crate::{
    scratch::{Scratch, listing},
    vdir_sync::folder::Root,
};

const FILES: usize = 10_000;

fn bare_walk(root: &Path) -> usize {
    let entries = |path: &Path| fs::read_dir(path).unwrap().map(Result::unwrap);
    let files: Vec<_> = entries(root).flat_map(|collection| entries(&collection.path())).collect();
    files.iter().filter(|file| hint::black_box(file.metadata().unwrap()).is_file()).count()
}

fn fastest(mut what: impl FnMut() -> usize) -> Duration {
    let time = |_| {
        let begun = Instant::now();
        assert_eq!(what(), 2 * FILES);
        begun.elapsed()
    };
    (0..15).map(time).min().unwrap()
}

#[test]
#[ignore = "a measurement, for an optimised build on a quiet machine"]
fn a_walk_costs_what_a_bare_one_costs() {
    let scratch = Scratch::new();
    let sides = ["left", "right"].map(|side| scratch.join(side));
    for side in &sides {
        fs::create_dir_all(side.join("people")).unwrap();
        for n in 0..FILES {
            fs::write(side.join(format!("people/{n:08x}-2b5a-4ac5-a1ad-6ee9e2b64d5f.vcf")), "BEGIN:VCARD").unwrap();
        }
    }
    let bare = fastest(|| sides.iter().map(|side| bare_walk(side)).sum());
    let roots = sides.each_ref().map(|side| Root::open(side).unwrap());
    let ours = fastest(|| roots.iter().map(|root| listing(&root.walk().unwrap(), "people").items.len()).sum());
    assert!(ours < bare * 3 / 2, "a bare walk took {bare:?}, ours {ours:?}");
    eprintln!("a bare walk took {bare:?}, ours {ours:?}");
}
