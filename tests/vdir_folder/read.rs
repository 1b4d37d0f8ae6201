//! Reading what was seen, or nothing.

use std::{
    fs::{self, File, FileTimes},
    os::unix::fs::{FileExt, symlink},
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use rustix::fs::{CWD, Mode, mkfifoat};

use crate::{
    scratch::{Scratch, print},
    vdir_sync::folder::{Problem, Root, disk::Kind},
};

fn problem(root: &Root, collection: &str, file: &str, from: &str) -> Problem {
    let print = print(root, "people", from);
    let read = root.read(collection, file, &print).map(|bytes| bytes.len());
    read.expect_err("nothing is to be read there").problem
}

#[test]
fn what_was_seen_is_read() {
    let (scratch, root, _lock) = Scratch::with_card();
    assert_eq!(root.read("people", "ada.vcf", &print(&root, "people", "ada.vcf")).unwrap(), b"old");
    let bytes: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    for (name, bytes) in [("empty.vcf", &[][..]), ("binary.ics", &bytes), ("new\nline:.vcf", b"x")] {
        fs::write(scratch.join("root/people").join(name), bytes).unwrap();
        let read = root.read("people", name, &print(&root, "people", name)).unwrap();
        assert_eq!((read.as_slice(), read.capacity()), (bytes, bytes.len()));
    }
}

#[test]
fn a_rewrite_of_the_same_size_and_time_is_noticed() {
    let (scratch, root, _lock) = Scratch::with_card();
    let path = scratch.join("root/people/ada.vcf");
    let old = print(&root, "people", "ada.vcf");
    let times = FileTimes::new().set_modified(fs::metadata(&path).unwrap().modified().unwrap());

    let by_rename = scratch.join("root/people/other");
    fs::write(&by_rename, "new").unwrap();
    File::options().write(true).open(&by_rename).unwrap().set_times(times).unwrap();
    fs::rename(&by_rename, &path).unwrap();
    let renamed = print(&root, "people", "ada.vcf");
    assert_eq!((renamed.size, renamed.mtime_nanos), (old.size, old.mtime_nanos));
    assert_ne!(renamed, old);
    assert_ne!(renamed.inode, old.inode);

    thread::sleep(std::time::Duration::from_millis(20));
    fs::write(&path, "NEW").unwrap();
    File::options().write(true).open(&path).unwrap().set_times(times).unwrap();
    let in_place = print(&root, "people", "ada.vcf");
    assert_eq!((in_place.size, in_place.mtime_nanos, in_place.inode), (old.size, old.mtime_nanos, renamed.inode));
    assert_ne!(in_place, renamed);

    let error = root.read("people", "ada.vcf", &renamed).unwrap_err();
    assert_eq!(
        error.to_string(),
        "'people/ada.vcf': expected a file of 3 bytes, found a file of 3 bytes, changed meanwhile; it was left as it is"
    );
    assert_eq!(root.read("people", "ada.vcf", &in_place).unwrap(), b"NEW");
}

#[test]
fn a_print_is_settled_when_the_next_write_would_tell() {
    let (_scratch, root, _lock) = Scratch::with_card();
    let print = print(&root, "people", "ada.vcf");
    assert!(!print.is_settled(print.ctime_nanos));
    assert!(!print.is_settled(print.ctime_nanos + 10_000_000));
    assert!(print.is_settled(print.ctime_nanos + 30_000_000));
}

#[test]
fn nothing_is_read_through_a_link() {
    let (scratch, root, _lock) = Scratch::with_card();
    let people = scratch.join("root/people");
    fs::create_dir(scratch.join("outside")).unwrap();
    fs::rename(people.join("ada.vcf"), scratch.join("outside/ada.vcf")).unwrap();
    fs::write(people.join("ben.vcf"), "").unwrap();
    let link = |expected| move |found: &Problem| matches!(found, Problem::InTheWay { expected: e, found: Kind::Link } if *e == expected);
    // The very file, with the very print, but by way of a link.
    symlink("../../outside/ada.vcf", people.join("link.vcf")).unwrap();
    let outside = print(&Root::open(&*scratch).unwrap(), "outside", "ada.vcf");
    let found = root.read("people", "link.vcf", &outside).unwrap_err().problem;
    assert!(link(Kind::File)(&found), "{found}");
    symlink("../outside", scratch.join("root/out")).unwrap();
    let found = root.read("out", "ada.vcf", &outside).unwrap_err().problem;
    assert!(link(Kind::Folder)(&found), "{found}");
    for (collection, file) in [
        ("..", "ada.vcf"),
        ("../outside", "ada.vcf"),
        ("people", "../../outside/ada.vcf"),
        ("people/../../outside", "ada.vcf"),
        ("people", ".."),
        ("people", ""),
        ("", "ada.vcf"),
        (".", "ada.vcf"),
        (".holdfast", "book"),
        ("people", &*scratch.join("outside/ada.vcf").to_string_lossy()),
        (&*scratch.join("outside").to_string_lossy(), "ada.vcf"),
        ("people", "nul\0.vcf"),
    ] {
        let found = root.read(collection, file, &outside).unwrap_err().problem;
        assert!(matches!(found, Problem::UnsafeName(_)), "{collection:?}, {file:?}: {found}");
    }
}

#[test]
fn what_is_no_file_is_not_read_and_nobody_waits_for_it() {
    let (scratch, root, _lock) = Scratch::with_card();
    mkfifoat(CWD, scratch.join("root/people/pipe.vcf"), Mode::RWXU).unwrap();
    fs::create_dir(scratch.join("root/people/folder.vcf")).unwrap();
    fs::write(scratch.join("root/flat"), "").unwrap();
    let found = problem(&root, "people", "pipe.vcf", "ada.vcf");
    assert!(matches!(found, Problem::InTheWay { expected: Kind::File, found: Kind::Other }), "{found}");
    let found = problem(&root, "people", "folder.vcf", "ada.vcf");
    assert!(matches!(found, Problem::InTheWay { expected: Kind::File, found: Kind::Folder }), "{found}");
    let found = problem(&root, "flat", "ada.vcf", "ada.vcf");
    assert!(matches!(found, Problem::InTheWay { expected: Kind::Folder, found: Kind::File }), "{found}");
    let found = problem(&root, "people", "nobody.vcf", "ada.vcf");
    assert!(matches!(found, Problem::Changed { expected: Some(3), found: None }), "{found}");
    let found = problem(&root, "nobody", "ada.vcf", "ada.vcf");
    assert!(matches!(found, Problem::Changed { expected: Some(3), found: None }), "{found}");
}

#[test]
fn a_monster_is_refused_before_memory_is_asked_for() {
    let (scratch, root, _lock) = Scratch::with_card();
    File::create(scratch.join("root/people/monster.vcf")).unwrap().set_len((1 << 30) + 1).unwrap();
    let found = problem(&root, "people", "monster.vcf", "monster.vcf");
    assert!(matches!(found, Problem::TooLarge { limit: 0x4000_0000, found: 0x4000_0001 }), "{found}");
}

#[test]
fn a_file_is_not_read_while_it_is_written_to() {
    const BYTES: usize = 16 << 20;
    let (scratch, root, _lock) = Scratch::with_card();
    let file = File::create(scratch.join("root/people/busy.vcf")).unwrap();
    file.set_len(u64::try_from(BYTES).unwrap()).unwrap();
    let is_done = AtomicBool::new(false);
    let noticed = thread::scope(|scope| {
        scope.spawn(|| {
            for byte in (0..=255).cycle() {
                for offset in (0..BYTES).step_by(1 << 16) {
                    file.write_all_at(&[byte; 1 << 16], u64::try_from(offset).unwrap()).unwrap();
                }
                if is_done.load(Ordering::Relaxed) {
                    return;
                }
            }
        });
        let noticed = (0..200).any(|_| {
            let print = print(&root, "people", "busy.vcf");
            matches!(root.read("people", "busy.vcf", &print), Err(error) if matches!(error.problem, Problem::ChangedWhileReading))
        });
        is_done.store(true, Ordering::Relaxed);
        noticed
    });
    assert!(noticed);
}
