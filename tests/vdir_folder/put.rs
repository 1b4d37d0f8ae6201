//! Writing and removing what is expected, and nothing else.

use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt, symlink},
};

use crate::{
    scratch::{Scratch, names, print},
    vdir_sync::folder::{
        Expect, Print, Problem, Put, Writer,
        disk::{Dir, Kind},
        staged::Staged,
        swap,
    },
};

const ADA: &str = "root/people/ada.vcf";

#[test]
fn a_new_file_in_a_new_collection() {
    let (scratch, root, lock) = Scratch::with_card();
    let mut writer = Writer::new(&root, &lock, &root.walk().unwrap());
    let stands = writer.put("dates", "new\nyear.ics", b"bytes", Expect::Absent).unwrap();
    let empty = writer.put("dates", "empty.ics", b"", Expect::Absent).unwrap();
    writer.finish().unwrap();
    assert_eq!(fs::read(scratch.join("root/dates/new\nyear.ics")).unwrap(), b"bytes");
    assert_eq!(stands, print(&root, "dates", "new\nyear.ics"), "nothing is read again for its own write");
    assert_eq!(empty, print(&root, "dates", "empty.ics"));
    assert_eq!(names(&scratch.join("root/dates")), ["empty.ics", "new\nyear.ics"]);
}

#[test]
fn a_file_is_replaced_and_hands_its_permissions_down() {
    let (scratch, root, lock) = Scratch::with_card();
    for mode in [0o640, 0o604, 0o600] {
        fs::set_permissions(scratch.join(ADA), fs::Permissions::from_mode(mode)).unwrap();
        let mut writer = Writer::new(&root, &lock, &root.walk().unwrap());
        let old = print(&root, "people", "ada.vcf");
        let new = writer.put("people", "ada.vcf", format!("{mode:o}").as_bytes(), Expect::Print(old)).unwrap();
        writer.finish().unwrap();
        assert_eq!(fs::read_to_string(scratch.join(ADA)).unwrap(), format!("{mode:o}"));
        assert_eq!(fs::metadata(scratch.join(ADA)).unwrap().mode() & 0o7777, mode);
        assert_eq!(new, print(&root, "people", "ada.vcf"));
        assert_ne!(new, old);
        assert_eq!(names(&scratch.join("root/people")), ["ada.vcf"]);
    }
}

#[test]
fn what_is_not_expected_is_left_as_it_is() {
    let (scratch, root, lock) = Scratch::with_card();
    let old = print(&root, "people", "ada.vcf");
    let mut writer = Writer::new(&root, &lock, &root.walk().unwrap());
    let mut refused = |file: &str, expect| match writer.put("people", file, b"ours", expect).unwrap_err().problem {
        Problem::Changed { expected, found } => (expected, found),
        other => panic!("{other}"),
    };
    assert_eq!(refused("ada.vcf", Expect::Absent), (None, Some(3)));
    assert_eq!(refused("ben.vcf", Expect::Print(old)), (Some(3), None));
    fs::write(scratch.join(ADA), "theirs").unwrap();
    assert_eq!(refused("ada.vcf", Expect::Print(old)), (Some(3), Some(6)));
    let Problem::Changed { expected: Some(3), found: Some(6) } =
        writer.remove("people", "ada.vcf", old).unwrap_err().problem
    else {
        panic!("removed what was not expected")
    };
    for (collection, file) in [("people", "ben.vcf"), ("nobody", "ada.vcf")] {
        let problem = writer.remove(collection, file, old).unwrap_err().problem;
        assert!(matches!(problem, Problem::Changed { expected: Some(3), found: None }), "{problem}");
    }
    let problem = writer.put("nobody", "ada.vcf", b"ours", Expect::Print(old)).unwrap_err().problem;
    assert!(matches!(problem, Problem::Changed { expected: Some(3), found: None }), "{problem}");
    writer.finish().unwrap();
    assert_eq!(fs::read_to_string(scratch.join(ADA)).unwrap(), "theirs");
    assert_eq!(names(&scratch.join("root/people")), ["ada.vcf"]);
    assert_eq!(names(&scratch.join("root")), ["people"]);
}

#[test]
fn of_many_files_each_is_answered_for_itself() {
    let (scratch, root, lock) = Scratch::with_card();
    let ada = print(&root, "people", "ada.vcf");
    let files: Vec<_> = (0..150).map(|n| format!("{n}.ics")).collect();
    let put = |collection, file, expect| Put { collection, file, bytes: file.as_bytes(), expect };
    let mut puts: Vec<_> = files.iter().map(|file| put("dates", file, Expect::Absent)).collect();
    puts.insert(70, put("people", "ada.vcf", Expect::Absent));
    puts.insert(71, put("people", "../ada.vcf", Expect::Absent));
    puts.insert(72, put("people", "ada.vcf", Expect::Print(ada)));
    puts.insert(73, put("people", "ada.vcf", Expect::Print(ada)));
    puts.insert(74, put("dates", "1.ics", Expect::Absent));
    let mut writer = Writer::new(&root, &lock, &root.walk().unwrap());
    let mut done = writer.put_all(&puts);
    writer.finish().unwrap();
    let problems: Vec<_> = done.drain(70..75).map(|done| done.map_err(|error| error.problem)).collect();
    assert!(matches!(problems[0], Err(Problem::Changed { expected: None, found: Some(3) })), "{problems:?}");
    assert!(matches!(problems[1], Err(Problem::UnsafeName(_))), "{problems:?}");
    assert_eq!(*problems[2].as_ref().unwrap(), print(&root, "people", "ada.vcf"));
    assert!(matches!(problems[3], Err(Problem::Changed { expected: Some(3), found: Some(7) })), "{problems:?}");
    assert!(matches!(problems[4], Err(Problem::Changed { expected: None, .. })), "{problems:?}");
    for (file, done) in files.iter().zip(done) {
        assert_eq!(fs::read_to_string(scratch.join("root/dates").join(file)).unwrap(), *file);
        assert_eq!(done.unwrap(), print(&root, "dates", file));
    }
    assert_eq!(names(&scratch.join("root/dates")).len(), 150);
    assert_eq!(names(&scratch.join("root/people")), ["ada.vcf"]);
}

#[test]
fn what_is_expected_is_removed() {
    let (scratch, root, lock) = Scratch::with_card();
    let mut writer = Writer::new(&root, &lock, &root.walk().unwrap());
    writer.remove("people", "ada.vcf", print(&root, "people", "ada.vcf")).unwrap();
    writer.finish().unwrap();
    assert_eq!(names(&scratch.join("root/people")), [""; 0]);
}

/// What somebody does with `ada.vcf` where we do not look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    /// In place.
    Write(&'static str),
    /// By rename, as most editors do.
    Save(&'static str),
    Remove,
}

impl Act {
    fn on(self, scratch: &Scratch) {
        match self {
            Self::Write(text) => fs::write(scratch.join(ADA), text).unwrap(),
            Self::Save(text) => {
                fs::write(scratch.join("theirs"), text).unwrap();
                fs::rename(scratch.join("theirs"), scratch.join(ADA)).unwrap();
            }
            Self::Remove => fs::remove_file(scratch.join(ADA)).unwrap(),
        }
    }
}

/// Somebody acts between the last look and the rename, and perhaps once more before what came out is moved back. What
/// is at `ada.vcf` then? `expect` is `None` for a removal.
fn somebody_comes_between(expect: Option<fn(Print) -> Expect>, acts: &[Act]) -> Option<String> {
    let (scratch, root, _lock) = Scratch::with_card();
    let old = print(&root, "people", "ada.vcf");
    let dir = Dir::root(&scratch.join("root/people")).unwrap();
    let temporary = scratch.join("root/people/.holdfast-tmp-1");
    let mut acts = acts.iter();
    let gap = || acts.next().into_iter().for_each(|act| act.on(&scratch));
    let done = if let Some(expect) = expect.map(|expect| expect(old)) {
        if expect == Expect::Absent {
            fs::remove_file(scratch.join(ADA)).unwrap();
        }
        fs::write(&temporary, "ours").unwrap();
        swap::put(&dir, ".holdfast-tmp-1", "ada.vcf", expect, gap)
    } else {
        swap::remove(&dir, ".holdfast-tmp-1", "ada.vcf", old, gap)
    };
    let problem = done.expect_err("somebody came between");
    assert!(matches!(problem, Problem::Changed { .. }), "{problem}");
    assert_eq!(acts.next(), None, "all of it was done");
    if let Ok(left) = fs::read_to_string(temporary) {
        assert!(expect.is_some() && left == "ours", "only what is ours is left to throw away: {left}");
    }
    fs::read_to_string(scratch.join(ADA)).ok()
}

#[test]
fn who_comes_between_loses_nothing() {
    let create: Option<fn(Print) -> Expect> = Some(|_| Expect::Absent);
    let replace: Option<fn(Print) -> Expect> = Some(Expect::Print);
    let remove = None;
    for (ours, acts, stands) in [
        (create, &[Act::Write("theirs")][..], Some("theirs")),
        (replace, &[Act::Save("theirs")], Some("theirs")),
        (replace, &[Act::Save("two")], Some("two")),
        (replace, &[Act::Write("theirs")], Some("theirs")),
        (replace, &[Act::Remove], None),
        (replace, &[Act::Save("theirs"), Act::Save("later")], Some("later")),
        (replace, &[Act::Save("theirs"), Act::Remove], Some("theirs")),
        (remove, &[Act::Save("theirs")], Some("theirs")),
        (remove, &[Act::Save("two")], Some("two")),
        (remove, &[Act::Write("theirs")], Some("theirs")),
        (remove, &[Act::Remove], None),
        (remove, &[Act::Save("theirs"), Act::Save("later")], Some("later")),
    ] {
        assert_eq!(somebody_comes_between(ours, acts).as_deref(), stands, "{acts:?}");
    }
}

#[test]
fn only_what_is_ours_is_thrown_away() {
    let (scratch, _root, _lock) = Scratch::with_card();
    let put = Put { collection: "people", file: "ben.vcf", bytes: b"ours", expect: Expect::Absent };
    let staged = || {
        let dir = Dir::root(&scratch.join("root/people")).unwrap();
        Staged::write(dir, || "temporary".into(), &put).unwrap()
    };
    drop(staged());
    assert_eq!(names(&scratch.join("root/people")), ["ada.vcf"]);
    let staged = staged();
    fs::rename(scratch.join(ADA), scratch.join("root/people/temporary")).unwrap();
    drop(staged);
    assert_eq!(fs::read_to_string(scratch.join("root/people/temporary")).unwrap(), "old");
}

#[test]
fn nothing_is_written_through_a_link_or_over_what_is_no_file() {
    let (scratch, root, lock) = Scratch::with_card();
    let (old, people) = (print(&root, "people", "ada.vcf"), scratch.join("root/people"));
    fs::create_dir(scratch.join("outside")).unwrap();
    fs::write(scratch.join("outside/ada.vcf"), "safe").unwrap();
    symlink("../outside", scratch.join("root/out")).unwrap();
    symlink("../../outside/ada.vcf", people.join("link.vcf")).unwrap();
    symlink("../../outside/new.vcf", people.join("dangling.vcf")).unwrap();
    fs::create_dir(people.join("folder.vcf")).unwrap();
    fs::write(scratch.join("root/flat"), "flat").unwrap();
    let mut writer = Writer::new(&root, &lock, &root.walk().unwrap());
    for (collection, file, expected, found) in [
        ("out", "ada.vcf", Kind::Folder, Kind::Link),
        ("out", "new.vcf", Kind::Folder, Kind::Link),
        ("flat", "ada.vcf", Kind::Folder, Kind::File),
        ("people", "link.vcf", Kind::File, Kind::Link),
        ("people", "dangling.vcf", Kind::File, Kind::Link),
        ("people", "folder.vcf", Kind::File, Kind::Folder),
    ] {
        for expect in [Expect::Absent, Expect::Print(old)] {
            let problem = writer.put(collection, file, b"ours", expect).unwrap_err().problem;
            let is_right =
                matches!(problem, Problem::InTheWay { expected: e, found: f } if (e, f) == (expected, found));
            assert!(is_right, "{collection}/{file}: {problem}");
        }
        let problem = writer.remove(collection, file, old).unwrap_err().problem;
        assert!(matches!(problem, Problem::InTheWay { .. }), "{collection}/{file}: {problem}");
    }
    // A collection that becomes a link between the walk and the write.
    fs::rename(&people, scratch.join("root/moved")).unwrap();
    symlink("../outside", &people).unwrap();
    let problem = writer.put("people", "ada.vcf", b"ours", Expect::Absent).unwrap_err().problem;
    assert!(matches!(problem, Problem::InTheWay { .. }), "{problem}");
    let _of_the_link = writer.finish();
    assert_eq!(names(&scratch.join("outside")), ["ada.vcf"]);
    assert_eq!(fs::read_to_string(scratch.join("outside/ada.vcf")).unwrap(), "safe");
}

#[test]
fn no_name_leads_out() {
    let (scratch, root, lock) = Scratch::with_card();
    let mut writer = Writer::new(&root, &lock, &root.walk().unwrap());
    let absolute = scratch.join("evil.vcf").to_string_lossy().into_owned();
    let long = "x".repeat(256);
    for (collection, file) in [
        ("..", "evil.vcf"),
        ("people", "../evil.vcf"),
        ("people", "../../evil.vcf"),
        ("people/..", "evil.vcf"),
        ("people", &absolute),
        ("/", "evil.vcf"),
        ("people", ""),
        ("people", "."),
        ("", "evil.vcf"),
        (".holdfast", "book"),
        ("people", ".holdfast-tmp-evil"),
        ("people", "nul\0.vcf"),
        ("people", &long),
    ] {
        let problem = writer.put(collection, file, b"", Expect::Absent).unwrap_err().problem;
        assert!(matches!(problem, Problem::UnsafeName(_)), "{collection:?}, {file:?}: {problem}");
    }
    writer.finish().unwrap();
    assert_eq!(names(&scratch), ["root", "state"]);
    assert_eq!(names(&scratch.join("root/people")), ["ada.vcf"]);
}

#[test]
fn what_a_killed_run_left_unfinished_is_removed_and_nothing_else() {
    let (scratch, root, lock) = Scratch::with_card();
    let people = scratch.join("root/people");
    fs::write(people.join(".holdfast-tmp-77-1"), "half").unwrap();
    symlink("ada.vcf", people.join(".holdfast-tmp-77-2")).unwrap();
    fs::write(people.join(".other-tmp"), "").unwrap();
    fs::write(people.join("holdfast-tmp-1"), "").unwrap();
    drop(Writer::new(&root, &lock, &root.walk().unwrap()));
    assert_eq!(names(&people), [".other-tmp", "ada.vcf", "holdfast-tmp-1"]);
    assert_eq!(fs::read_to_string(scratch.join(ADA)).unwrap(), "old");
}
